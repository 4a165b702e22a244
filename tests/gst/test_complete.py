"""What is complete is left as it is: the quick look and the long one say the same."""

from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from irnflow.gst import inv01
from irnflow.gst.calculate import _calculated, calculate
from irnflow.gst.complete import is_complete
from irnflow.gst.normalise import normalise
from tests.agreement.corpus import leaves
from tests.golden import GOLDEN, Golden
from tests.gst.documents import changed, read

_PLACES = [(golden, path) for golden in GOLDEN for path, _ in leaves(golden.document)]
_OTHERS = (None, Decimal("-1.00"), Decimal("0.00"), Decimal("0.005"), Decimal("7.00"), Decimal("1E+3"))


@pytest.mark.parametrize("golden", GOLDEN, ids=lambda golden: golden.name)
def test_a_complete_golden_invoice_is_left_as_it_is(golden: Golden) -> None:
    invoice = normalise(inv01.decode(golden.read()))[0]

    assert _calculated(invoice, golden.facts) == (invoice, []) or not is_complete(invoice)


def test_more_than_half_of_the_golden_invoices_are_complete() -> None:
    complete = [golden for golden in GOLDEN if is_complete(normalise(inv01.decode(golden.read()))[0])]

    assert len(complete) > len(GOLDEN) / 2


@settings(max_examples=400, deadline=None)
@given(st.sampled_from(_PLACES), st.sampled_from(_OTHERS))
def test_a_complete_invoice_is_left_as_it_is(place: tuple[Golden, str], other: Decimal | None) -> None:
    golden, path = place
    document = changed(golden.document, {path: other}) if _is_amount(path) else golden.document
    invoice = normalise(read(document))[0]

    assert calculate(invoice, golden.facts) == _calculated(invoice, golden.facts)


def _is_amount(path: str) -> bool:
    return (
        "AttribDtls" not in path
        and path.startswith(("ItemList", "ValDtls"))
        and path.endswith(("Amt", "GstRt", "CesRt", "Qty", "Price", "Chrg", "sVal", "tVal"))
    )
