"""Calculating: what follows is filled in, what was given stays, and lines add up to the document."""

from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from irnflow.gst import calculate as calculating
from irnflow.gst.facts import Facts
from irnflow.gst.faults import Fault
from irnflow.gst.invoice import Invoice, Item
from irnflow.gst.normalise import normalise
from tests.gst.documents import (
    ABROAD,
    BETWEEN,
    CREDIT_NOTE,
    CUSTOMER,
    DAY,
    EXPORT_PAID,
    GOODS,
    IGST_ON_INTRA,
    NEIGHBOUR,
    REVERSE_CHARGE,
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
    refusals,
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


FREIGHT = {**GOODS, "Discount": None, "AssAmt": Decimal("10505.00")}  # 500 of freight are in the taxable value


@pytest.mark.parametrize(
    ("line", "gross"),
    [
        (FREIGHT, "10505.00"),
        ({**FREIGHT, "AssAmt": Decimal("9505.00")}, "9505.00"),
        ({**FREIGHT, "Discount": Decimal("5.00")}, "10510.00"),
        ({**FREIGHT, "AssAmt": Decimal("10004.50")}, "10005.00"),  # quantity times price, within a rupee
    ],
)
def test_the_gross_amount_follows_from_a_given_taxable_value(line: Document, gross: str) -> None:
    line = {name: value for name, value in line.items() if value is not None}

    completed = document(party(CUSTOMER, Pos="27"), line)

    assert completed["ItemList"][0]["TotAmt"] == Decimal(gross)
    assert completed["ItemList"][0]["AssAmt"] == line["AssAmt"]
    assert refusals(completed) == []


@pytest.mark.parametrize(
    ("line", "price"),
    [
        ({**GOODS, "TotAmt": Decimal("10005.00")}, "1000.500"),
        ({**GOODS, "AssAmt": Decimal("10000.00")}, "1000.500"),
        ({**GOODS, "Qty": Decimal(3), "TotAmt": Decimal("10005.00")}, "3335.000"),
        ({**GOODS, "Qty": Decimal(7), "TotAmt": Decimal("10005.00")}, "1429.286"),
        ({**SERVICE, "TotAmt": Decimal("5000.00")}, "5000.000"),
    ],
)
def test_a_price_that_is_left_out_is_the_gross_amount_by_quantity(line: Document, price: str) -> None:
    completed = document(party(CUSTOMER, Pos="27"), changed(line, {"UnitPrice": None}))

    assert completed["ItemList"][0]["UnitPrice"] == Decimal(price)
    assert check(completed) == []


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


@pytest.mark.parametrize("amount", ["NaN", "sNaN", "-Infinity"])
@pytest.mark.parametrize("path", ["ItemList[0].AssAmt", "ItemList[0].OthChrg", "ValDtls.CesVal", "ValDtls.CgstVal"])
@pytest.mark.parametrize("kind", [WITHIN, CREDIT_NOTE, REVERSE_CHARGE], ids=["invoice", "note", "reverse charge"])
def test_with_an_amount_that_is_no_number_nothing_is_calculated(kind: Document, path: str, amount: str) -> None:
    given = read(changed(kind, {"ItemList[0].TotItemVal": None, path: Decimal(amount)}))

    assert calculate(given) is given


@given(lines=LINES, buyer=BUYERS)
def test_what_is_calculated_passes_the_rules(lines: list[Document], buyer: Document) -> None:
    calculated = document(buyer, *({**LINE, **line} for line in lines))

    assert refusals(calculated) == []  # rates that goods bear no more are a warning


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


# -- lines add up to the document, whatever the books give ------------------------------------------------------------

THIRD = {**LINE, "Qty": Decimal(1), "UnitPrice": Decimal("0.334"), "GstRt": Decimal(18)}


def completed(lines: list[Document], **totals: Decimal) -> tuple[Document, list[Fault]]:
    given = changed(BETWEEN, {"ItemList": lines, "ValDtls": totals})
    invoice, notes = calculating.calculate(normalise(read(given))[0], Facts(day=DAY))
    return json(invoice), notes


def test_amounts_finer_than_a_paisa_are_rounded_so_that_their_sum_stays_and_that_is_said() -> None:
    lines = [{**LINE, "Qty": 1, "UnitPrice": 100, "GstRt": 18, "IgstAmt": Decimal("18.004")}] * 3

    document, notes = completed(lines)

    assert [line["IgstAmt"] for line in document["ItemList"]] == [Decimal("18.00"), Decimal("18.01"), Decimal("18.00")]
    assert document["ValDtls"]["IgstVal"] == Decimal("54.01")
    assert [note.says for note in notes] == [
        "Amounts finer than a paisa are rounded: the sum of IgstAmt is 54.012 in the books and is sent as 54.01."
    ]
    assert check(document) == []


def test_a_price_finer_than_three_decimals_makes_the_gross_amount_before_it_is_rounded() -> None:
    document, notes = completed([{**LINE, "Qty": 3000, "UnitPrice": Decimal("33.333333"), "GstRt": 18}])

    (line,) = document["ItemList"]
    assert (line["UnitPrice"], line["TotAmt"]) == (Decimal("33.333"), Decimal("100000.00"))
    assert notes == []  # a price is no sum


def test_a_quantity_finer_than_three_decimals_is_rounded_and_noted() -> None:
    document, notes = completed([{**LINE, "Qty": Decimal("12.34567"), "UnitPrice": 1000, "GstRt": 18}])

    (line,) = document["ItemList"]
    assert (line["Qty"], line["TotAmt"]) == (Decimal("12.346"), Decimal("12345.67"))
    assert [(note.path, note.says) for note in notes] == [
        ("ItemList[0].Qty", "A quantity of 12.34567 is sent as 12.346: the portal takes three decimals.")
    ]
    assert check(document) == []


def test_a_given_total_binds_the_lines_that_the_books_leave_out() -> None:
    total = Decimal("333.95")  # as of the whole; each line for itself makes 0.33, together 330.00
    lines = [{**THIRD, "UnitPrice": Decimal("0.334")}] * 950 + [{**THIRD, "UnitPrice": Decimal("0.333")}] * 50

    document, _ = completed(lines, AssVal=total)

    assert sum(line["AssAmt"] for line in document["ItemList"]) == total
    assert {line["AssAmt"] for line in document["ItemList"]} == {Decimal("0.33"), Decimal("0.34")}
    assert check(document) == []


def test_a_given_total_of_tax_binds_the_taxes_of_lines() -> None:
    lines = [{**LINE, "Qty": 1, "UnitPrice": Decimal("1.03"), "GstRt": 5}] * 1000  # 0.0515 each: 50.00 or 51.50?

    document, _ = completed(lines, IgstVal=Decimal("51.50"))

    assert sum(line["IgstAmt"] for line in document["ItemList"]) == Decimal("51.50")
    assert check(document) == []


def test_halves_stay_alike_when_a_given_total_binds_them() -> None:
    lines = [{**LINE, "Qty": 1, "UnitPrice": Decimal("0.99"), "GstRt": 5}] * 100
    given = changed(WITHIN, {"ItemList": lines, "ValDtls": {"CgstVal": Decimal("2.48"), "SgstVal": Decimal("2.48")}})

    document = json(calculate(read(given)))

    assert [line["CgstAmt"] for line in document["ItemList"]] == [line["SgstAmt"] for line in document["ItemList"]]
    assert sum(line["CgstAmt"] for line in document["ItemList"]) == Decimal("2.48")
    assert check(document) == []


def test_a_total_that_rounding_cannot_have_made_is_left_to_the_rules() -> None:
    lines = [{**LINE, "Qty": 1, "UnitPrice": 100, "GstRt": 18}] * 2

    document, _ = completed(lines, IgstVal=Decimal("38.00"))

    assert [line["IgstAmt"] for line in document["ItemList"]] == [18, 18]
    assert [fault.code for fault in check(document)] == ["totals.igst"]


@pytest.mark.parametrize(("value", "round_off"), [("119", "0.82"), ("118", "-0.18"), ("118.18", None), ("121", None)])
def test_an_invoice_value_in_whole_rupees_makes_the_round_off(value: str, round_off: str | None) -> None:
    lines = [{**LINE, "Qty": 1, "UnitPrice": Decimal("100.15"), "GstRt": 18}]

    document, _ = completed(lines, TotInvVal=Decimal(value))

    assert document["ValDtls"].get("RndOffAmt") == (None if round_off is None else Decimal(round_off))


@given(
    lines=st.lists(st.tuples(st.decimals(0, 9999, places=5), st.decimals(0, 999, places=6)), min_size=1, max_size=20),
)
def test_whatever_is_finer_than_a_paisa_the_document_adds_up_to_its_exact_sum(
    lines: list[tuple[Decimal, Decimal]],
) -> None:
    given = [
        {**LINE, "Qty": 1, "UnitPrice": 1, "GstRt": 0, "AssAmt": value, "OthChrg": other} for value, other in lines
    ]

    document, _ = completed(given)

    assert document["ValDtls"]["AssVal"] == nearest(sum((Fraction(value) for value, _ in lines), Fraction(0)))
    assert sum(line["OthChrg"] for line in document["ItemList"]) == nearest(
        sum((Fraction(other) for _, other in lines), Fraction(0))
    )


NINE = {**LINE, "Qty": Decimal("10.000000000"), "UnitPrice": Decimal("33.333333333"), "GstRt": Decimal("18.000000000")}
FINE = {**NINE, "AssAmt": Decimal("333.333333330"), "IgstAmt": Decimal("59.999999999")}
IN_PAISE = {**NINE, "AssAmt": Decimal("333.330000000"), "IgstAmt": Decimal("60.000000000")}


@pytest.mark.parametrize(
    ("lines", "totals"),
    [
        ([IN_PAISE], {}),
        ([IN_PAISE], {"AssVal": "333.330000000", "IgstVal": "60.000000000", "TotInvVal": "393.330000000"}),
        ([FINE] * 3, {"AssVal": "1000.00", "IgstVal": "180.000000000"}),
        ([{**FINE, "AssAmt": Decimal("333.335"), "IgstAmt": Decimal("60.005")}] * 2, {}),
        ([{**FINE, "Discount": Decimal("0.004"), "TotItemVal": Decimal("393.333333329")}],
         {"AssVal": "333.33", "IgstVal": "60.00", "TotInvVal": "393.33"}),
        ([{**IN_PAISE, "PreTaxVal": Decimal("1.005")}], {}),
        ([{**IN_PAISE, "OthChrg": Decimal("0.1") + Decimal("0.20000000000000001")}], {}),
    ],
    ids=["zeros in the lines", "zeros everywhere", "the sum that the books show", "whole sums", "a fine total of lines",
         "what is in no sum", "the dust of binary numbers"],
)  # fmt: skip
def test_rounding_that_changes_no_sum_is_not_noted(lines: list[Document], totals: dict[str, str]) -> None:
    document, notes = completed(lines, **{name: Decimal(amount) for name, amount in totals.items()})

    assert notes == []
    assert check(document) == []


@pytest.mark.parametrize(
    ("line", "totals", "says"),
    [
        ({"AssAmt": "333.333"}, {}, "the sum of AssAmt is 333.333 in the books and is sent as 333.33."),
        ({}, {"IgstVal": "60.004"}, "ValDtls.IgstVal is 60.004 in the books and is sent as 60.00."),
        ({"OthChrg": "1.005"}, {}, "the sum of OthChrg is 1.005 in the books and is sent as 1.01."),
        (
            {},
            {"RndOffAmt": "0.125", "TotInvVal": "393.455"},
            "ValDtls.RndOffAmt is 0.125 in the books and is sent as 0.13.",
        ),
    ],
)
def test_rounding_that_changes_a_sum_is_noted_once(line: Document, totals: dict[str, str], says: str) -> None:
    given = {**IN_PAISE, **{name: Decimal(amount) for name, amount in line.items()}}

    document, notes = completed([given], **{name: Decimal(amount) for name, amount in totals.items()})

    assert [note.says for note in notes] == ["Amounts finer than a paisa are rounded: " + says]
    assert check(document) == []


# -- totals that leave out the tax -----------------------------------------------------------------------------------

CHAIRS = {**LINE, "Qty": Decimal(10), "UnitPrice": Decimal("1000.50"), "GstRt": Decimal(18)}
WITH_CESS_TOO = {**CHAIRS, "StateCesRt": Decimal(10)}


@pytest.mark.parametrize("kind", [REVERSE_CHARGE, IGST_ON_INTRA, EXPORT_PAID], ids=["reverse", "on intra", "export"])
@pytest.mark.parametrize(
    ("line", "totals", "line_total", "value", "round_off"),
    [
        (CHAIRS, {}, "10005.00", "10005.00", None),
        (CHAIRS, {"TotInvVal": "10005"}, "10005.00", "10005", None),
        (CHAIRS, {"TotInvVal": "11805.90"}, "11805.90", "11805.90", None),
        (CHAIRS, {"TotInvVal": "11806"}, "11805.90", "11806", "0.10"),
        (CHAIRS, {"TotInvVal": "11805", "RndOffAmt": "-0.90"}, "11805.90", "11805", "-0.90"),
        (CHAIRS, {"TotInvVal": "10025", "OthChrg": "20.40"}, "10005.00", "10025", "-0.40"),
        (CHAIRS, {"TotInvVal": "11706", "Discount": "100"}, "11805.90", "11706", "0.10"),
        ({**CHAIRS, "OthChrg": Decimal("7.50")}, {"TotInvVal": "10013"}, "10012.50", "10013", "0.50"),
        ({**CHAIRS, "TotItemVal": Decimal("11805.90")}, {}, "11805.90", "11805.90", None),
        (WITH_CESS_TOO, {}, "10005.00", "10005.00", None),
        (WITH_CESS_TOO, {"TotInvVal": "11005.50"}, "11005.50", "11005.50", None),
        (WITH_CESS_TOO, {"TotInvVal": "12806.40"}, "12806.40", "12806.40", None),
    ],
)
def test_line_totals_have_the_tax_where_the_books_totals_have_it(
    kind: Document, line: Document, totals: dict[str, str], line_total: str, value: str, round_off: str | None
) -> None:
    given = {name: Decimal(amount) for name, amount in totals.items()}

    invoice = calculate(read(changed(kind, {"ItemList": [{**line, "SlNo": "1"}], "ValDtls": given})))

    assert invoice.val_dtls
    assert invoice.item_list[0].tot_item_val == Decimal(line_total)
    assert invoice.val_dtls.tot_inv_val == Decimal(value)
    assert invoice.val_dtls.rnd_off_amt == (None if round_off is None else Decimal(round_off))
    assert check(json(invoice)) == []


def test_one_line_total_that_has_the_tax_in_shows_it_of_the_others() -> None:
    lines = [{**CHAIRS, "TotItemVal": Decimal("11805.90")}, CHAIRS]

    invoice = calculate(read(changed(REVERSE_CHARGE, {"ItemList": lines, "ValDtls": None})))

    assert [line.tot_item_val for line in invoice.item_list] == [Decimal("11805.90"), Decimal("11805.90")]


def test_a_value_that_fits_neither_with_the_tax_nor_without_is_refused() -> None:
    given = changed(REVERSE_CHARGE, {"ItemList": [{**CHAIRS, "SlNo": "1"}], "ValDtls": {"TotInvVal": Decimal(11000)}})

    assert [fault.code for fault in check(json(calculate(read(given))))] == ["totals.invoice_value"]
