"""The law as a whole: generated invoices of every kind pass, and one broken place is named by its own code."""

from decimal import Decimal
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from irnflow.gst import inv01
from irnflow.gst.examine import examine
from irnflow.gst.facts import Facts
from tests.gst.documents import Document, changed, check, json, read
from tests.gst.generated import MUTATIONS, Mutation, day_of, invoices, reckoned_line, reckoned_totals

UNHURRIED = settings(
    max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much]
)


def whole(given: Document) -> Document:
    """With all that follows from what the books give."""
    return json(examine(read(given), Facts(day=day_of(given))).invoice)


@UNHURRIED
@given(given=invoices())
def test_a_sound_invoice_of_any_kind_has_no_fault(given: Document) -> None:
    examined = examine(read(given), Facts(day=day_of(given)))

    assert (examined.refusals, examined.warnings) == ([], [])
    assert inv01.decode(examined.payload) == examined.invoice


@UNHURRIED
@given(given=invoices())
def test_every_amount_is_the_one_that_fractions_come_to(given: Document) -> None:
    document = whole(given)

    lines = [reckoned_line(given, line) for line in given["ItemList"]]
    totals = reckoned_totals(given)
    assert [amounts(line, lines[0]) for line in document["ItemList"]] == lines
    assert amounts(document["ValDtls"], totals) == totals


def amounts(section: Document, names: Any) -> dict[str, Decimal]:
    return {name: section.get(name, Decimal(0)) for name in names}


@pytest.mark.parametrize("mutation", MUTATIONS, ids=lambda mutation: mutation.code)
@settings(UNHURRIED, max_examples=6)
@given(data=st.data())
def test_one_broken_place_is_named_by_its_own_code_and_no_other(mutation: Mutation, data: st.DataObject) -> None:
    document = data.draw(invoices().map(whole).filter(mutation.applies))

    faults = check(changed(document, mutation.changes(document)), day=day_of(document))

    assert [(fault.code, fault.path) for fault in faults] == [(mutation.code, mutation.path)]
