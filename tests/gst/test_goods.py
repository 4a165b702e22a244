"""Goods by the date of their document: tariff lines, rates, cess, retail prices, as an accountant meets them."""

from decimal import Decimal
from typing import Any

import msgspec
import pytest

from irnflow.gst import dates, inv01
from irnflow.gst.examine import examine
from irnflow.gst.facts import Facts
from irnflow.gst.faults import Fault, Severity
from tests.golden import GOLDEN, Document
from tests.gst.documents import BETWEEN, changed

BY_NAME = {golden.name: golden.document for golden in GOLDEN}
TODAY = "10/11/2026"


def found(document: Document, **facts: Any) -> list[Fault]:
    day = dates.parse(document["DocDtls"]["Dt"])
    assert day
    examined = examine(msgspec.convert(document, inv01.Invoice), Facts(day=day, **facts))
    return examined.refusals + examined.warnings


def codes(document: Document, **facts: Any) -> list[str]:
    return [fault.code for fault in found(document, **facts)]


def goods(hsn: str, rate: str, dated: str = TODAY, tax: str | None = None, **others: object) -> Document:
    """One line worth 100,000 between states, and what follows from it."""
    igst = Decimal(100_000) * Decimal(rate) / 100 if tax is None else Decimal(tax)
    whole = 100_000 + igst + Decimal(str(others.get("CesAmt", 0))) + Decimal(str(others.get("CesNonAdvlAmt", 0)))
    line = {
        "SlNo": "1", "PrdDesc": "Goods", "IsServc": "N", "HsnCd": hsn, "Qty": 1, "Unit": "NOS",
        "UnitPrice": 100_000, "TotAmt": 100_000, "AssAmt": 100_000, "GstRt": Decimal(rate),
        "IgstAmt": igst, "TotItemVal": whole, **others,
    }  # fmt: skip
    totals = {"AssVal": 100_000, "IgstVal": igst, "CesVal": whole - 100_000 - igst, "TotInvVal": whole}
    return changed(BETWEEN, {"DocDtls.Dt": dated, "ItemList": [line], "ValDtls": totals})


def test_the_goods_of_these_tests_are_sound() -> None:
    assert codes(goods("94036000", "18")) == []


@pytest.mark.parametrize(
    "code", ["85371010", "57032921", "27101933", "29242980", "38180030", "19059051", "20081921"]
)  # fmt: skip
def test_new_tariff_lines_pass_without_a_remark(code: str) -> None:
    assert codes(goods(code, "18")) == []


@pytest.mark.parametrize(
    "code",
    ["85371000", "57032920", "69149000", "73081000", "76109020", "84306900", "87059000", "88073000", "89069000",
     "93059900"],
)  # fmt: skip
def test_a_dropped_tariff_line_is_a_warning_that_names_the_lines_of_today(code: str) -> None:
    (fault,) = found(goods(code, "18"))

    assert (fault.code, fault.severity, fault.portal_code) == ("hsn.dropped", Severity.WARNING, "2176")
    assert f"HSN {code} left the tariff on 01/10/2024; in its place there are: {code[:6]}" in fault.says


def test_a_dropped_tariff_line_was_right_before_its_day() -> None:
    assert codes(goods("85371000", "18", "30/09/2024")) == []
    assert codes(goods("85371000", "18", "01/10/2024")) == ["hsn.dropped"]


@pytest.mark.parametrize(
    ("code", "longer"),
    [
        ("521211", "52121100"),
        ("630411", "63041100"),
        ("391520", "39152000"),
        ("382491", "38249100"),  # this and the next of Notification 90/2020, which asks for eight digits
        ("293131", "29313100"),
        ("853710", "85371000, 85371010, 85371090"),
        ("293139", "29313900"),
    ],
)
def test_six_digits_that_only_begin_longer_codes_are_told_with_these(code: str, longer: str) -> None:
    (fault,) = found(goods(code, "18"))

    assert (fault.code, fault.severity, fault.says) == (
        "hsn.unlisted", Severity.WARNING, f"Our list has no HSN {code}. Of {code} it has: {longer}.",
    )  # fmt: skip


def test_a_head_of_many_lines_names_a_few_and_counts_the_rest() -> None:
    (fault,) = found(goods("030379", "18"))

    assert fault.says == "Our list has no HSN 030379. Of 030379 it has: 03037910, 03037920, 03037930 and 8 more."


@pytest.mark.parametrize(
    ("code", "says"),
    [
        ("94039999", "Our list has no HSN 94039999. Of 940399 it has: 94039900."),
        ("94038877", "Our list has no HSN 94038877. Of 9403 it has: 94031010, 94031090, 94032010 and 17 more."),
        ("00112233", "Our list has no HSN 00112233. Of 0011 it has: none."),
    ],
)
def test_an_unlisted_code_is_told_with_its_neighbours(code: str, says: str) -> None:
    assert [fault.says for fault in found(goods(code, "18"))] == [says]


@pytest.mark.parametrize("code", ["24031921", "24031929"])
@pytest.mark.parametrize(("tax", "expected"), [("18000", []), ("1000", ["tax.igst_amount"])])
def test_biris_are_taxed_on_their_value(code: str, tax: str, expected: list[str]) -> None:
    assert codes(goods(code, "18", tax=tax)) == expected


@pytest.mark.parametrize(
    ("code", "rate", "tax", "expected"),
    [
        ("24011010", "5", "1000", ["tax.tobacco_leaves"]),
        ("24012090", "5", "1000", ["tax.tobacco_leaves"]),
        ("24011010", "5", "5000", []),
        ("24012090", "40", "1000", []),  # other tobacco, on its retail price
        ("24022010", "40", "1000", []),
        ("240319", "18", "1000", ["tax.tobacco_leaves"]),  # biris
        ("240319", "18", "18000", []),
        ("240319", "40", "1000", []),
        ("240399", "18", "1000", []),
    ],
)
def test_leaves_and_biris_with_another_tax_than_their_values_get_a_warning(
    code: str, rate: str, tax: str, expected: list[str]
) -> None:
    assert codes(goods(code, rate, tax=tax)) == expected


@pytest.mark.parametrize("code", ["21069020", "24022010", "24041100"])
def test_a_tax_of_nothing_on_a_retail_price_is_none(code: str) -> None:
    assert codes(goods(code, "40", tax="0")) == ["tax.retail_price"]


@pytest.mark.parametrize(
    ("code", "dated", "expected"),
    [
        ("21069020", TODAY, []),
        ("210690", TODAY, ["tax.igst_amount", "hsn.retail_priced_short"]),
        ("210690", "31/01/2026", ["tax.igst_amount"]),
        ("220210", TODAY, ["tax.igst_amount"]),
    ],
)
def test_pan_masala_of_six_digits_is_told_its_eight(code: str, dated: str, expected: list[str]) -> None:
    faults = found(goods(code, "40", dated, tax="28571.43"))

    assert [fault.code for fault in faults if fault.code != "hsn.unlisted"] == expected
    assert all("21069020" in fault.says + fault.fix for fault in faults if fault.code == "hsn.retail_priced_short")


@pytest.mark.parametrize(
    ("code", "rate", "dated", "expected"),
    [
        ("84137010", "12", TODAY, ["rate.ended"]),
        ("84137010", "12", "21/09/2025", []),
        ("84137010", "12", "22/09/2025", ["rate.ended"]),
        ("69041000", "12", TODAY, []),
        ("87032291", "28", TODAY, ["rate.ended"]),
        ("87032291", "28", "21/09/2025", []),
        ("24022010", "28", "31/01/2026", []),
        ("24022010", "28", "01/02/2026", ["rate.ended"]),
        ("87032291", "40", TODAY, []),
    ],
)
def test_a_rate_that_goods_bear_no_more_is_a_warning_by_date(
    code: str, rate: str, dated: str, expected: list[str]
) -> None:
    assert codes(goods(code, rate, dated)) == expected


def test_a_rate_of_before_is_right_on_a_note_and_on_a_service() -> None:
    note = changed(goods("87032291", "28"), {"DocDtls.Typ": "CRN"})
    service = changed(goods("998314", "12"), {"ItemList[0].IsServc": "Y"})

    assert (codes(note), codes(service)) == ([], [])


@pytest.mark.parametrize(
    ("code", "dated", "cess", "expected"),
    [
        ("87032291", TODAY, {"CesRt": 17, "CesAmt": 17_000}, ["cess.ended"]),
        ("27011920", TODAY, {"CesNonAdvlAmt": 400}, ["cess.ended"]),
        ("87032291", "20/09/2025", {"CesRt": 17, "CesAmt": 17_000}, ["rate.unknown"]),
        ("24022010", "31/01/2026", {"CesRt": 5, "CesAmt": 5_000}, []),
        ("24022010", "01/02/2026", {"CesRt": 5, "CesAmt": 5_000}, ["cess.ended"]),
        ("87032291", TODAY, {"CesRt": 0, "CesAmt": 0}, []),
    ],
)
def test_compensation_cess_that_goods_bear_no_more_is_a_warning_by_date(
    code: str, dated: str, cess: dict[str, object], expected: list[str]
) -> None:
    assert codes(goods(code, "40", dated, **cess)) == expected


def test_no_message_shows_a_rate_as_a_power_of_ten() -> None:
    (fault,) = found(goods("87032291", "40", "20/09/2025"))

    assert fault.says == "There is no GST rate of 40 % for documents dated 20/09/2025."


# -- nothing taxed ---------------------------------------------------------------------------------------------------


def test_an_invoice_with_one_taxed_line_is_not_wholly_exempt() -> None:
    assert codes(BY_NAME["b2b-nil-rated"], turnover_crore=Decimal(8)) == []


@pytest.mark.parametrize("typ", ["INV", "CRN", "DBN"])
@pytest.mark.parametrize("supply", ["B2B", "DEXP"])
def test_a_wholly_exempt_document_is_registered_with_a_warning(supply: str, typ: str) -> None:
    document = changed(goods("10063020", "0"), {"TranDtls.SupTyp": supply, "DocDtls.Typ": typ})

    (fault,) = found(document)

    assert (fault.code, fault.path, fault.severity) == ("rate.wholly_exempt", "ItemList", Severity.WARNING)


@pytest.mark.parametrize(
    "name", ["export-without-payment", "export-without-payment-services", "sez-without-payment",
             "sez-without-payment-services", "sez-without-payment-credit-note"],
)  # fmt: skip
def test_a_supply_without_payment_at_0_percent_is_registered_with_one_warning(name: str) -> None:
    document = BY_NAME[name]
    rates = {f"ItemList[{at}].GstRt": 0 for at in range(len(document["ItemList"]))}

    faults = found(changed(document, rates), turnover_crore=Decimal(8))

    assert [(fault.code, fault.path) for fault in faults] == [("rate.nil_without_payment", "ItemList[0].GstRt")]
    assert f"on {len(rates)} of {len(rates)} lines" in faults[0].says
    assert codes(document, turnover_crore=Decimal(8)) == []


# -- units of services -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("unit", ["HRS", "MON", "DAYS", "PERSONS"])
def test_another_unit_refuses_goods_but_no_service(unit: str) -> None:
    services, of_goods = BY_NAME["b2b-services"], BY_NAME["b2b-between-states"]

    service = found(changed(services, {"ItemList[0].Unit": unit}), turnover_crore=Decimal(8))
    refused = found(changed(of_goods, {"ItemList[0].Unit": unit}), turnover_crore=Decimal(8))

    assert {fault.severity for fault in service} == {Severity.WARNING}
    assert ("unit.unlisted", Severity.REFUSED) in [(fault.code, fault.severity) for fault in refused]
