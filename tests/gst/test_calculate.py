"""Calculating: what follows is filled in, what was given stays, and lines add up to the document."""

from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from irnflow.gst import calculate as calculating
from irnflow.gst.facts import Facts
from irnflow.gst.invoice import Invoice, Item
from tests.gst.documents import (
    ABROAD,
    BETWEEN,
    CUSTOMER,
    DAY,
    GOODS,
    IGST_ON_INTRA,
    NEIGHBOUR,
    SERVICE,
    SEZ_UNPAID,
    SOUND,
    WITHIN,
    Document,
    changed,
    check,
    document,
    json,
    party,
    read,
)

LINE = {"HsnCd": "94036000", "Unit": "NOS", "IsServc": "N"}
QUANTITIES = st.decimals(0, 99999, places=3)
PRICES = st.decimals(0, 999999, places=3)
RATES = st.sampled_from([Decimal(rate) for rate in ("0", "0.1", "0.25", "1.5", "5", "7.5", "18", "28", "40")])
LINES = st.lists(
    st.fixed_dictionaries({"Qty": QUANTITIES, "UnitPrice": PRICES, "GstRt": RATES}, optional={"CesRt": RATES}),
    min_size=1,
    max_size=5,
)
BUYERS = st.sampled_from([party(NEIGHBOUR, Pos="29"), party(CUSTOMER, Pos="27")])


def calculate(invoice: Invoice) -> Invoice:
    return calculating.calculate(invoice, Facts(day=DAY))[0]


@pytest.mark.parametrize("document", SOUND.values(), ids=SOUND)
def test_what_is_given_is_never_overwritten(document: Document) -> None:
    assert json(calculate(read(document))) == document


def test_within_a_state_both_halves_are_filled_in() -> None:
    line = read(WITHIN).item_list[0]

    assert (line.tot_amt, line.ass_amt) == (Decimal("10005.00"), Decimal("10000.00"))
    assert (line.cgst_amt, line.sgst_amt, line.igst_amt) == (Decimal("900.00"), Decimal("900.00"), None)
    assert line.tot_item_val == Decimal("11800.00")


def test_between_states_igst_is_filled_in() -> None:
    line = read(BETWEEN).item_list[0]

    assert (line.cgst_amt, line.sgst_amt, line.igst_amt) == (None, None, Decimal("1800.00"))


def test_igst_on_intra_is_igst_within_a_state() -> None:
    line = read(IGST_ON_INTRA).item_list[0]

    assert (line.cgst_amt, line.sgst_amt, line.igst_amt) == (None, None, Decimal("1800.00"))


def test_without_payment_the_igst_is_nothing() -> None:
    assert read(SEZ_UNPAID).item_list[0].igst_amt == 0


def test_a_service_without_quantity_is_one() -> None:
    assert read(WITHIN).item_list[1].tot_amt == Decimal("5000.00")


def test_goods_without_quantity_are_not_reckoned_with() -> None:
    lacking = document(party(NEIGHBOUR, Pos="29"), changed(GOODS, {"Qty": None}))

    assert "TotAmt" not in lacking["ItemList"][0]
    assert "TotInvVal" not in lacking["ValDtls"]


def test_lines_are_numbered_when_none_is() -> None:
    assert [line["SlNo"] for line in WITHIN["ItemList"]] == ["1", "2"]


def test_lines_are_left_alone_when_one_is_numbered() -> None:
    partly = document(party(NEIGHBOUR, Pos="29"), GOODS, {**SERVICE, "SlNo": "1"})

    assert "SlNo" not in partly["ItemList"][0]


def test_goods_and_services_are_told_by_their_code() -> None:
    unsaid = document(
        party(NEIGHBOUR, Pos="29"), changed(GOODS, {"IsServc": None}), changed(SERVICE, {"IsServc": None})
    )

    assert [line["IsServc"] for line in unsaid["ItemList"]] == ["N", "Y"]


@pytest.mark.parametrize(
    ("buyer", "wrong", "right"),
    [(party(NEIGHBOUR, Pos="29"), "IgstAmt", "CgstAmt"), (party(CUSTOMER, Pos="27"), "CgstAmt", "IgstAmt")],
    ids=["within a state", "between states"],
)
def test_a_wrong_kind_of_tax_is_not_doubled_by_the_right_one(buyer: Document, wrong: str, right: str) -> None:
    taxed = document(buyer, {**GOODS, wrong: Decimal(1800)})

    assert right not in taxed["ItemList"][0]


def test_the_invoice_value_takes_discount_charges_and_round_off_in() -> None:
    totals = {"Discount": Decimal(10), "OthChrg": Decimal(20), "RndOffAmt": Decimal("-0.40")}
    whole = document(party(NEIGHBOUR, Pos="29"), GOODS, ValDtls=totals)

    assert whole["ValDtls"]["TotInvVal"] == Decimal("11809.60")


def test_the_tax_of_retail_priced_goods_is_not_guessed() -> None:
    tobacco = document(party(CUSTOMER, Pos="27"), {**GOODS, "HsnCd": "24022010", "GstRt": Decimal(40)})

    assert "IgstAmt" not in tobacco["ItemList"][0]


def test_a_place_of_supply_that_is_none_leaves_the_tax_open() -> None:
    nowhere = document(party(CUSTOMER, Pos="25"), GOODS)

    assert "IgstAmt" not in nowhere["ItemList"][0]


@pytest.mark.parametrize("amount", ["NaN", "sNaN", "Infinity", "1E+999999"])
def test_a_number_that_no_invoice_has_is_left_to_the_rules(amount: str) -> None:
    lines = [{**GOODS, "SlNo": "1", "Qty": Decimal(amount)}]

    calculated = calculate(read(changed(WITHIN, {"ItemList": lines, "ValDtls": None})))

    assert calculated.item_list[0].qty is not None


@given(lines=LINES, buyer=BUYERS)
def test_what_is_calculated_passes_the_rules(lines: list[Document], buyer: Document) -> None:
    calculated = document(buyer, *({**LINE, **line} for line in lines))

    assert check(calculated) == []


@given(lines=LINES, buyer=BUYERS)
def test_the_document_is_the_sum_of_its_lines_to_the_paisa(lines: list[Document], buyer: Document) -> None:
    calculated = read(document(buyer, *({**LINE, **line} for line in lines)))

    assert calculated.val_dtls
    assert calculated.val_dtls.ass_val == sum(line.ass_amt or 0 for line in calculated.item_list)
    assert calculated.val_dtls.igst_val == sum(line.igst_amt or 0 for line in calculated.item_list)
    assert calculated.val_dtls.cgst_val == sum(line.cgst_amt or 0 for line in calculated.item_list)
    assert calculated.val_dtls.ces_val == sum(line.ces_amt or 0 for line in calculated.item_list)
    assert calculated.val_dtls.tot_inv_val == sum(line.tot_item_val or 0 for line in calculated.item_list)


@given(qty=QUANTITIES, price=PRICES, rate=RATES)
def test_each_amount_is_the_exact_one_to_the_nearest_paisa(qty: Decimal, price: Decimal, rate: Decimal) -> None:
    (line,) = read(document(ABROAD, {**LINE, "Qty": qty, "UnitPrice": price, "GstRt": rate}, sup_typ="EXPWP")).item_list

    assert line.tot_amt == nearest(Fraction(qty) * Fraction(price))
    assert line.igst_amt == nearest(Fraction(amount(line)) * Fraction(rate) / 100)


def amount(line: Item) -> Decimal:
    assert line.ass_amt is not None
    return line.ass_amt


def nearest(exact: Fraction) -> Decimal:
    """To the paisa, halves up, reckoned in whole paise and so apart from our decimals."""
    return Decimal((exact * 200 + 1).__floor__() // 2) / 100
