"""What is calculated is what the golden invoices have, and both laws accept it, whatever the books leave out."""

from copy import deepcopy
from decimal import ROUND_CEILING, ROUND_DOWN, ROUND_FLOOR, ROUND_HALF_EVEN, ROUND_HALF_UP, ROUND_UP, Decimal
from itertools import combinations
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from irnflow.gst.examine import examine
from irnflow.gst.facts import Facts
from tests.agreement.judges import Document, judge_sent
from tests.golden import GOLDEN, Golden
from tests.gst.documents import json, read
from tests.gst.generated import day_of, invoices

TAXES, CESSES = ("IgstAmt", "CgstAmt", "SgstAmt"), ("CesAmt", "StateCesAmt")
OF_LINES = (("TotAmt",), ("AssAmt",), TAXES, CESSES, ("TotItemVal",))
OF_DOCUMENT = (("AssVal",), ("IgstVal", "CgstVal", "SgstVal"), ("CesVal", "StCesVal"), ("TotInvVal",))
ALL = (*OF_LINES, *OF_DOCUMENT)
# All of them, one, all but one, and all of the lines or of the document: with the round-off, which stays.
LEFT_OUT = [ALL, OF_LINES, OF_DOCUMENT, *combinations(ALL, 1), *combinations(ALL, len(ALL) - 1)]
# Whose taxes do not follow from value and rate, or were rounded by another program.
TAXED_OTHERWISE = {"b2b-retail-price", "b2b-rounded-otherwise"}
EXAMPLES = [golden for golden in GOLDEN if golden.name not in {*TAXED_OTHERWISE, "b2b-forty-lines"}]


def without(document: Document, *left_out: tuple[str, ...]) -> Document:
    names = {name for group in left_out for name in group}
    copied = deepcopy(document)
    for section in (*copied["ItemList"], copied["ValDtls"]):
        for name in names & section.keys():
            del section[name]
    return copied


def filled(value: Any) -> Any:
    """The document without amounts of nothing, which may as well be absent."""
    if isinstance(value, dict):
        return {name: filled(each) for name, each in value.items() if each != 0}
    return [filled(each) for each in value] if isinstance(value, list) else value


@pytest.mark.parametrize("golden", EXAMPLES, ids=lambda golden: golden.name)
def test_what_is_left_out_of_a_golden_invoice_is_calculated_as_it_was(golden: Golden) -> None:
    document = golden.document

    calculated = [examine(read(without(document, *left_out)), golden.facts) for left_out in LEFT_OUT]

    assert [each for each in calculated if each.refusals or each.warnings] == []
    assert [each for each in calculated if filled(json(each.invoice)) != filled(document)] == []


@pytest.mark.parametrize("golden", EXAMPLES, ids=lambda golden: golden.name)
def test_the_round_off_is_calculated_from_a_total_in_whole_rupees(golden: Golden) -> None:
    document = golden.document
    left_out = (*ALL[:-1], ("RndOffAmt",))

    calculated = examine(read(without(document, *left_out)), golden.facts)

    assert (calculated.refusals, calculated.warnings) == ([], [])
    assert filled(json(calculated.invoice)) == filled(document)


DIRECTIONS = [ROUND_UP, ROUND_DOWN, ROUND_HALF_UP, ROUND_HALF_EVEN, ROUND_CEILING, ROUND_FLOOR, None]


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    books=invoices(),
    tax_billed=st.booleans(),
    direction=st.sampled_from(DIRECTIONS),
    left_out=st.sets(st.sampled_from([*ALL[:-1], ("RndOffAmt",)])),
)
def test_whatever_total_the_books_round_to_both_laws_accept_it(
    books: Document, tax_billed: bool, direction: str | None, left_out: set[tuple[str, ...]]
) -> None:
    facts = Facts(day=day_of(books))
    document = json(examine(read(books), facts).invoice)
    total = billed(document, tax_billed)
    value = total if direction is None else total.quantize(Decimal(1), direction)
    document["ValDtls"] |= {"RndOffAmt": value - total, "TotInvVal": value}

    judged = judge_sent(given := without(document, *left_out), facts)
    sent = examine(read(given), facts)

    assert sent.refusals == []
    assert judged is not None
    assert (judged.faults, judged.codes) == ([], set())
    assert json(sent.invoice)["ValDtls"]["TotInvVal"] == value


def billed(document: Document, tax_billed: bool) -> Decimal:
    """The value before it is rounded, with lines that have the tax in where it may be left out."""
    transaction = document["TranDtls"]
    if tax_billed and (transaction.get("RegRev") == "Y" or transaction["SupTyp"] == "EXPWP"):
        for line in document["ItemList"]:
            parts = ("AssAmt", *TAXES, *CESSES, "CesNonAdvlAmt", "StateCesNonAdvlAmt", "OthChrg")
            line["TotItemVal"] = sum((line.get(part, Decimal(0)) for part in parts), Decimal(0))
    items = sum((line["TotItemVal"] for line in document["ItemList"]), Decimal(0))
    return Decimal(items + document["ValDtls"].get("OthChrg", 0))
