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
from irnflow.gst.money import PAISA, ZERO
from irnflow.gst.normalise import normalise
from irnflow.gst.rules import check
from tests.golden import GOLDEN, Golden
from tests.gst.documents import (
    BETWEEN,
    CREDIT_NOTE,
    DAY,
    EXPORT_PAID,
    GOODS,
    REVERSE_CHARGE,
    SERVICE,
    WITHIN,
    Document,
    changed,
    json,
    read,
)

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


def test_a_note_that_is_negative_throughout_is_turned() -> None:
    invoice, notes = calculated(CREDIT_NOTE, RETURNED)

    (line,) = invoice.item_list
    assert (line.qty, line.discount, line.ass_amt) == (Decimal(1), None, Decimal("1000.50"))
    assert [note.code for note in notes] == ["calculated.turned"]
    assert check(invoice, FACTS) == []


def test_the_lines_that_remain_are_numbered_without_a_gap() -> None:
    invoice, _ = calculated(WITHIN, RETURNED, GOODS, SERVICE)

    assert [line.sl_no for line in invoice.item_list] == ["1", "2"]


@settings(deadline=None)  # two documents, on a busy machine
@given(
    amounts=st.lists(st.decimals(1, 9999, places=2), min_size=1, max_size=6),
    percent=st.integers(0, 100),
    document=st.sampled_from([WITHIN, BETWEEN, REVERSE_CHARGE, EXPORT_PAID]),
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


# -- notes written with negative amounts -----------------------------------------------------------------------------

NOTES = [golden for golden in GOLDEN if golden.kind in {"CRN", "DBN"}]
FOR_PEOPLE = {"GstRt", "CesRt", "StateCesRt", "Pin", "Distance"}  # numbers that no program writes below zero


def negative(section: Any, *kept: str) -> Any:
    """The document with all its amounts below zero, but for these."""
    if isinstance(section, dict):
        return {name: value if name in FOR_PEOPLE or name in kept else negative(value, *kept)
                for name, value in section.items()}  # fmt: skip
    if isinstance(section, list):
        return [negative(one, *kept) for one in section]
    return -section if isinstance(section, Decimal) else section


WRITTEN = {
    "everything": (),
    "price": ("Qty",),
    "quantity and amounts": ("UnitPrice",),
    "amounts, but no discount": ("UnitPrice", "Discount"),
    "amounts, but no tax": ("UnitPrice", "IgstAmt", "CgstAmt", "SgstAmt", "IgstVal", "CgstVal", "SgstVal"),
    "lines alone": ("UnitPrice", "ValDtls"),
    "totals alone": ("ItemList",),
}


@pytest.mark.parametrize("kept", WRITTEN.values(), ids=WRITTEN)
@pytest.mark.parametrize("golden", NOTES, ids=lambda golden: golden.name)
def test_a_note_of_any_supply_is_the_same_with_its_amounts_below_zero(golden: Golden, kept: tuple[str, ...]) -> None:
    invoice, notes = calculate(read(negative(golden.document, *kept)), golden.facts)

    assert json(invoice) == golden.document
    assert [note.code for note in notes] == ["calculated.turned"]


def test_a_note_whose_quantity_alone_is_negative_is_turned() -> None:
    invoice, notes = calculate(read(changed(CREDIT_NOTE, {"ItemList[0].Qty": Decimal(-10)})), FACTS)

    assert json(invoice) == CREDIT_NOTE
    assert [note.says for note in notes] == [
        "The note is written with negative quantities and is sent with positive ones."
    ]


def test_a_fee_on_a_return_written_with_negative_amounts_lowers_it() -> None:
    fee = {**GOODS, "PrdDesc": "Restocking", "Qty": 1, "UnitPrice": Decimal(100), "Discount": None}

    invoice, _ = calculated(CREDIT_NOTE, {**RETURNED, "Qty": Decimal(-10)}, fee)

    assert [line.ass_amt for line in invoice.item_list] == [Decimal("9905.00")]
    assert check(invoice, FACTS) == []


def test_what_is_due_of_a_turned_note_is_turned_too() -> None:
    due = {"PayDtls": {"PaymtDue": Decimal("-11800.00"), "PaidAmt": Decimal(0)}}

    given = read(negative(changed(CREDIT_NOTE, due), "PayDtls"))
    invoice, _ = calculate(normalise(given)[0], FACTS)

    assert invoice.pay_dtls is not None
    assert invoice.pay_dtls.paymt_due == Decimal("11800.00")


def test_an_invoice_with_negative_amounts_is_no_note() -> None:
    invoice, notes = calculated(BETWEEN, RETURNED)

    assert [fault.code for fault in check(invoice, FACTS)] == ["line.negative"]
    assert notes == []


# -- charges, discounts and lines without tax ------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("given", "sent"),
    [
        ({"OthChrg": "-20.40"}, {"Discount": "20.40"}),
        ({"OthChrg": "-20.40", "Discount": "10"}, {"Discount": "30.40"}),
        ({"Discount": "-20.40"}, {"OthChrg": "20.40"}),
        ({"Discount": "-20.40", "OthChrg": "10"}, {"OthChrg": "30.40"}),
        ({"Discount": "-20.40", "OthChrg": "-10"}, {"OthChrg": "20.40", "Discount": "10"}),
    ],
)
def test_negative_charges_and_discounts_change_places(given: dict[str, str], sent: dict[str, str]) -> None:
    document = changed(BETWEEN, {f"ValDtls.{name}": Decimal(value) for name, value in given.items()})
    value = BETWEEN["ValDtls"]["TotInvVal"] + Decimal(given.get("OthChrg", 0)) - Decimal(given.get("Discount", 0))

    invoice, notes = calculate(read(changed(document, {"ValDtls.TotInvVal": value})), FACTS)

    totals = json(invoice)["ValDtls"]
    assert {name: totals[name] for name in ("Discount", "OthChrg") if name in totals} == {
        name: Decimal(amount) for name, amount in sent.items()
    }
    assert totals["TotInvVal"] == value
    assert {note.code for note in notes} == {"calculated.swapped"}
    assert check(invoice, FACTS) == []


@pytest.mark.parametrize("with_total", [True, False])
def test_negative_other_charges_of_a_line_become_a_discount_of_the_document(with_total: bool) -> None:
    total = {"TotItemVal": Decimal("11779.60")} if with_total else {}

    invoice, notes = calculated(BETWEEN, {**GOODS, **total, "OthChrg": Decimal("-20.40")})

    assert invoice.val_dtls
    assert (invoice.item_list[0].tot_item_val, invoice.val_dtls.discount) == (Decimal("11800.00"), Decimal("20.40"))
    assert invoice.val_dtls.tot_inv_val == Decimal("11779.60")
    assert [note.path for note in notes] == ["ItemList[0].OthChrg"]
    assert check(invoice, FACTS) == []


def test_a_negative_discount_of_a_line_raises_its_gross_amount() -> None:
    invoice, notes = calculated(BETWEEN, {**GOODS, "Discount": Decimal("-0.50")})

    (line,) = invoice.item_list
    assert (line.tot_amt, line.discount, line.ass_amt) == (Decimal("10005.50"), None, Decimal("10005.50"))
    assert [note.path for note in notes] == ["ItemList[0].Discount"]
    assert check(invoice, FACTS) == []


def test_a_discount_of_a_line_may_be_written_below_zero() -> None:
    given = {**GOODS, "Discount": Decimal("-500"), "AssAmt": Decimal("9505.00")}

    invoice, notes = calculated(BETWEEN, given)

    (line,) = invoice.item_list
    assert (line.tot_amt, line.discount, line.ass_amt) == (Decimal("10005.00"), Decimal("500.00"), Decimal("9505.00"))
    assert [note.says for note in notes] == ["A discount of -500.00 is negative and is sent as one of 500.00."]
    assert check(invoice, FACTS) == []


@pytest.mark.parametrize("with_total", [True, False])
def test_a_discount_of_the_document_may_be_written_below_zero(with_total: bool) -> None:
    value = BETWEEN["ValDtls"]["TotInvVal"] - Decimal(500)
    lines = BETWEEN["ItemList"]
    if not with_total:
        lines = [{name: amount for name, amount in line.items() if name != "TotItemVal"} for line in lines]
    given = changed(BETWEEN, {"ItemList": lines, "ValDtls.Discount": Decimal(-500), "ValDtls.TotInvVal": value})

    invoice, notes = calculate(read(given), FACTS)

    assert invoice.val_dtls
    assert (invoice.val_dtls.discount, invoice.val_dtls.oth_chrg) == (Decimal("500.00"), None)
    assert [note.says for note in notes] == ["A discount of -500.00 is negative and is sent as one of 500.00."]
    assert check(invoice, FACTS) == []


OFF = {"PrdDesc": "Discount", "Qty": Decimal(1), "UnitPrice": Decimal(-100), "GstRt": Decimal(0)}
UNTAXED = {
    "no HSN": OFF,
    "no quantity": changed(OFF, {"Qty": None}),
    "no rate": changed(OFF, {"GstRt": None}),
    "an amount alone": {"PrdDesc": "Discount", "AssAmt": Decimal(-100)},
    "its total": {**OFF, "TotItemVal": Decimal(-100)},
    "an HSN": {**OFF, "HsnCd": "94036000"},
    "taxes of nothing": {**OFF, "IgstAmt": ZERO, "CgstAmt": ZERO, "CesRt": ZERO},
}


@pytest.mark.parametrize("line", UNTAXED.values(), ids=UNTAXED)
@pytest.mark.parametrize("value", [None, Decimal(9900), Decimal(10000)], ids=["no total", "total less it", "total"])
def test_a_negative_line_without_tax_is_a_discount_of_the_document(line: Document, value: Decimal | None) -> None:
    totals = {} if value is None else {"AssVal": value}

    invoice, notes = calculate(read(changed(BETWEEN, {"ItemList": [GOODS, line], "ValDtls": totals})), FACTS)

    assert invoice.val_dtls
    assert len(invoice.item_list) == 1
    assert (invoice.val_dtls.ass_val, invoice.val_dtls.discount) == (Decimal(10000), Decimal(100))
    assert invoice.val_dtls.tot_inv_val == Decimal(11700)
    assert [(note.code, note.path) for note in notes] == [("calculated.discount_line", "ItemList[1]")]
    assert check(invoice, FACTS) == []


def test_a_taxed_discount_without_hsn_is_divided_among_the_lines_of_its_rate() -> None:
    taxed = {**OFF, "GstRt": Decimal(18), "UnitPrice": Decimal(-150)}
    nil = {**GOODS, "GstRt": Decimal(0)}

    invoice, notes = calculated(BETWEEN, GOODS, SERVICE, nil, taxed)

    assert [line.ass_amt for line in invoice.item_list] == [Decimal(9900), Decimal(4950), Decimal(10000)]
    assert [note.says for note in notes] == [
        "This negative line, of -150.00, is sent as a discount on the 2 lines at 18 %."
    ]
    assert check(invoice, FACTS) == []


def test_one_without_tax_is_no_discount_on_what_is_nil_rated() -> None:
    invoice, notes = calculated(BETWEEN, GOODS, {**GOODS, "GstRt": Decimal(0)}, OFF)

    assert [line.ass_amt for line in invoice.item_list] == [Decimal(10000), Decimal(10000)]
    assert [note.code for note in notes] == ["calculated.discount_line"]


def test_several_such_lines_add_up() -> None:
    lines = [GOODS, OFF, {**OFF, "UnitPrice": Decimal(-50)}]

    invoice, _ = calculate(read(changed(BETWEEN, {"ItemList": lines, "ValDtls": {"AssVal": Decimal(9850)}})), FACTS)

    assert invoice.val_dtls
    assert (invoice.val_dtls.ass_val, invoice.val_dtls.discount) == (Decimal(10000), Decimal(150))
    assert check(invoice, FACTS) == []


def test_a_refusal_of_a_line_without_hsn_says_that_it_is_blank() -> None:
    invoice, _ = calculated(BETWEEN, OFF)

    (says,) = [fault.says for fault in check(invoice, FACTS) if fault.code == "line.negative"]
    assert says == "The line is negative (-100.00), and no lines of HSN (blank) at 0 % are worth as much."
