"""Negative lines become discounts of the same HSN and rates, and every sum stays."""

from decimal import Decimal
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from irnflow.gst.calculate import calculate
from irnflow.gst.facts import Facts
from irnflow.gst.faults import Fault, Severity
from irnflow.gst.invoice import Invoice
from irnflow.gst.money import PAISA
from irnflow.gst.normalise import normalise
from irnflow.gst.rules import check
from tests.gst.documents import BETWEEN, CREDIT_NOTE, DAY, GOODS, SERVICE, WITHIN, Document, changed, read

FACTS = Facts(day=DAY)
RETURNED = {**GOODS, "PrdDesc": "Chair returned", "Qty": Decimal(-1), "Discount": None}
TOTALS = ("ass_val", "cgst_val", "sgst_val", "igst_val", "ces_val", "tot_inv_val")


def calculated(document: Document, *lines: Document) -> tuple[Invoice, list[Fault]]:
    given = read(changed(document, {"ItemList": list(lines), "ValDtls": None}))
    return calculate(normalise(given)[0], FACTS)


def test_a_negative_line_becomes_a_discount_with_a_note() -> None:
    invoice, notes = calculated(BETWEEN, GOODS, SERVICE, RETURNED)

    chairs, design = invoice.item_list
    assert (chairs.tot_amt, chairs.discount, chairs.ass_amt) == (
        Decimal("10005.00"),
        Decimal("1005.50"),
        Decimal("8999.50"),
    )
    assert (chairs.igst_amt, chairs.tot_item_val) == (Decimal("1619.91"), Decimal("10619.41"))
    assert design.ass_amt == Decimal("5000.00")
    assert [(note.code, note.path, note.severity) for note in notes] == [
        ("calculated.folded", "ItemList[2]", Severity.WARNING)
    ]
    assert notes[0].says == (
        "This negative line, of -1000.50, is sent as a discount on the line of HSN 94036000 at 18 %."
    )
    assert check(invoice, FACTS) == []


@pytest.mark.parametrize("changes", [
    {"Qty": Decimal(1), "UnitPrice": Decimal("-1000.50")},
    {"Qty": Decimal(1), "TotAmt": Decimal("-1000.50")},
    {"Qty": Decimal(1), "AssAmt": Decimal("-1000.50")},
    {"IgstAmt": Decimal("-180.09"), "TotItemVal": Decimal("-1180.59")},
], ids=["price", "gross amount", "taxable value", "taxes given"])  # fmt: skip
def test_it_is_negative_whichever_amount_is(changes: dict[str, Any]) -> None:
    invoice, _ = calculated(BETWEEN, GOODS, {**RETURNED, **changes})

    assert [line.ass_amt for line in invoice.item_list] == [Decimal("8999.50")]
    assert check(invoice, FACTS) == []


@pytest.mark.parametrize(
    "changes",
    [{"HsnCd": "94033010"}, {"GstRt": Decimal(5)}, {"CesRt": Decimal(1)}, {"Qty": Decimal(-11)}],
    ids=["another HSN", "another rate", "a cess", "more than there is"],
)
def test_what_no_line_can_take_is_refused_in_clear_words_once(changes: dict[str, Any]) -> None:
    invoice, notes = calculated(BETWEEN, GOODS, {**RETURNED, **changes})

    refusals = [(fault.code, fault.path) for fault in check(invoice, FACTS) if fault.severity is Severity.REFUSED]
    assert refusals == [("line.negative", "ItemList[1]")]
    assert notes == []


def test_paise_that_rounding_added_to_its_tax_are_left_out() -> None:
    crumbs = [{**GOODS, "Discount": None, "Qty": 1, "UnitPrice": Decimal("0.02")}] * 2  # no tax each
    taken = {**RETURNED, "UnitPrice": Decimal("0.03")}  # a tax of 0.01

    invoice, _ = calculated(BETWEEN, *crumbs, taken)

    assert [line.igst_amt for line in invoice.item_list] == [0, 0]
    assert check(invoice, FACTS) == []


def test_a_note_that_is_negative_throughout_is_no_discount() -> None:
    invoice, _ = calculated(CREDIT_NOTE, RETURNED)

    assert [(fault.code, fault.path) for fault in check(invoice, FACTS)] == [("line.negative", "ItemList[0]")]


def test_the_lines_that_remain_are_numbered_without_a_gap() -> None:
    invoice, _ = calculated(WITHIN, RETURNED, GOODS, SERVICE)

    assert [line.sl_no for line in invoice.item_list] == ["1", "2"]


@settings(deadline=None)  # two documents, on a busy machine
@given(
    amounts=st.lists(st.decimals(1, 9999, places=2), min_size=1, max_size=6),
    percent=st.integers(0, 100),
    document=st.sampled_from([WITHIN, BETWEEN]),
)
@example(amounts=[Decimal("1.02")] * 6, percent=100, document=BETWEEN)  # taxes of 0.18 a line, but of 1.10 in all
def test_a_discount_over_many_lines_keeps_every_sum_to_a_paisa_a_line(
    amounts: list[Decimal], percent: int, document: Document
) -> None:
    off = max(Decimal("0.01"), (sum(amounts) * percent / 100).quantize(Decimal("0.01"), "ROUND_DOWN"))
    priced = [{**GOODS, "Discount": None, "Qty": 1, "UnitPrice": amount, "CesRt": 5} for amount in amounts]
    unfolded = {name: total(calculated(document, *priced)[0], name) for name in TOTALS}
    negative = {name: total(calculated(document, {**priced[0], "UnitPrice": off})[0], name) for name in TOTALS}

    invoice, notes = calculated(document, *priced, {**priced[0], "UnitPrice": -off})

    assert len(notes) == 1
    assert max(abs(total(invoice, name) - unfolded[name] + negative[name]) for name in TOTALS) <= len(amounts) * PAISA
    assert {fault.code for fault in check(invoice, FACTS)} == {"cess.ended"}  # a warning


def total(invoice: Invoice, name: str) -> Decimal:
    found: Decimal = getattr(invoice.val_dtls, name)
    return found
