"""The law of 2026 about parties, supplies and e-way bills: invoices that were reported, and what is right for each."""

from datetime import date
from decimal import Decimal
from typing import Any

import msgspec
import pytest

from irnflow.gst.examine import Examined, examine
from irnflow.gst.facts import Facts, Registration, Status
from irnflow.gst.invoice import Invoice
from tests.golden import GOLDEN
from tests.gst.documents import CUSTOMER, GOODS, Document, changed, document, party

TODAY = date(2026, 11, 30)
EXAMPLES = {golden.name: golden.document for golden in GOLDEN}
BETWEEN = EXAMPLES["b2b-between-states"]
ROAD = EXAMPLES["b2b-e-way-bill-road"]
RAIL = EXAMPLES["b2b-e-way-bill-rail"]
SHIPPED = EXAMPLES["b2b-dispatched-and-shipped"]
DUBAI = {"Gstin": "URP", "LglNm": "Gulf Trading LLC", "Addr1": "Jebel Ali", "Loc": "Dubai", "Pin": 999999, "Stcd": "96"}


def examined(given: Document, **facts: Any) -> Examined:
    known: dict[str, Any] = {"day": TODAY, "turnover_crore": Decimal(8)}
    return examine(msgspec.convert(given, Invoice), Facts(**(known | facts)))


def found(given: Document, **facts: Any) -> list[str]:
    """Codes of what stops it, and of what it is warned of in brackets."""
    judged = examined(given, **facts)
    return [fault.code for fault in judged.refusals] + [f"({fault.code})" for fault in judged.warnings]


def known(gstin: str, **details: Any) -> dict[str, Any]:
    return {"registrations": {gstin: Registration(**details)}}


# -- invoices that were reported -------------------------------------------------------------------------------------

HARBOUR = {"Nm": "Harbour Trading BV", "Addr1": "12 Quay", "Loc": "Rotterdam", "Pin": 999999, "Stcd": "96"}
BUYER_ABROAD = {
    "Gstin": "URP", "LglNm": "Harbour Trading BV", "Pos": "96",
    "Addr1": "12 Quay", "Loc": "Rotterdam", "Pin": 999999, "Stcd": "96",
}  # fmt: skip
DEPOT = {"LglNm": "Depot", "Addr1": "9 Dock Road", "Loc": "Mumbai", "Pin": 400010, "Stcd": "27"}


def chairs(**sections: object) -> Document:
    return document(party(CUSTOMER, Pos="27"), GOODS, **sections)


def test_dispatch_abroad_b2b() -> None:
    assert found(chairs(DispDtls=HARBOUR)) == ["dispatch.abroad"]


def test_export_return_dispatched_abroad() -> None:
    returned = document(
        BUYER_ABROAD, GOODS, sup_typ="EXPWOP", typ="CRN", ExpDtls={"CntCode": "NL", "ForCur": "EUR"}, DispDtls=HARBOUR
    )

    assert found(returned) == ["dispatch.abroad"]
    assert examined(returned).refusals[0].portal_code == "2273"
    assert found(changed(returned, {"DispDtls": None})) == []


def test_ship_to_other_state_gstin() -> None:
    assert found(chairs(ShipDtls={**DEPOT, "Gstin": "29ZZZCR2222B1Z6"})) == []


def test_ship_to_without_gstin_ewb() -> None:
    by_road = {"TransMode": "1", "Distance": 0, "VehNo": "KA01AB1234", "VehType": "R"}

    assert found(chairs(ShipDtls=DEPOT, EwbDtls=by_road)) == []


def test_supplier_tds_gstin() -> None:
    invoice = changed(chairs(), {"SellerDtls.Gstin": "29AAACT1234A1D6"})

    (fault,) = examined(invoice).refusals
    assert (fault.code, fault.path, fault.portal_code) == ("supplier.type", "SellerDtls.Gstin", "2300")
    assert "29AAACT1234A1D6 is a deductor of tax at source (TDS)" in fault.says


def test_transporter_id_wrong_check_digit() -> None:
    assert found(chairs(EwbDtls={"Distance": 0, "TransId": "29ZZZCR2222B1Z7"})) == []


# -- A: refused or warned of wrongly ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "changes",
    [
        {"ShipDtls.Gstin": "29ZZNCT6615K1ZK"},
        {"ShipDtls.Gstin": "29ZZNCT6615K1ZK", "EwbDtls": None},
        {"ShipDtls.Gstin": None},
        {"ShipDtls.Gstin": ROAD["BuyerDtls"]["Gstin"]},
        {"ShipDtls.Gstin": "URP"},
    ],
)
def test_a1_the_ship_to_rules_of_august_2026_are_on_hold(changes: dict[str, Any]) -> None:
    assert found(changed(ROAD, changes)) == []


def test_a1_a_ship_to_gstin_is_sent_as_the_books_have_it() -> None:
    own = ROAD["BuyerDtls"]["Gstin"]

    sent = examined(changed(ROAD, {"ShipDtls.Gstin": own})).invoice

    assert sent.ship_dtls is not None
    assert sent.ship_dtls.gstin == own


def test_a2_goods_go_to_another_state_than_the_place_of_supply() -> None:
    elsewhere = {"ShipDtls.Gstin": None, "ShipDtls.Stcd": "29", "ShipDtls.Pin": 560066, "ShipDtls.Loc": "Bengaluru"}

    assert found(changed(SHIPPED, elsewhere)) == []


@pytest.mark.parametrize(
    ("name", "changes"),
    [("export-with-all-details", {"EwbDtls": None}), ("export-without-payment-services", {})],
)
def test_a3_an_export_is_shipped_abroad(name: str, changes: dict[str, Any]) -> None:
    export = {section: value for section, value in EXAMPLES[name].items() if section not in changes}

    assert found(export | {"ShipDtls": DUBAI}) == []


def test_a3_its_e_way_bill_still_needs_a_place_in_india() -> None:
    export = EXAMPLES["export-with-payment"] | {
        "ShipDtls": DUBAI,
        "EwbDtls": {"TransMode": "1", "Distance": 60, "VehNo": "MH01AB1234", "VehType": "R"},
    }

    assert found(export) == ["(eway_bill.ship_to_abroad)", "(eway_bill.ship_to_pin_abroad)"]


def with_igst(within: Document) -> Document:
    """The same with IGST in place of the halves."""
    lines = [
        {name: value for name, value in line.items() if name not in {"CgstAmt", "SgstAmt"}}
        | {"IgstAmt": line["CgstAmt"] + line["SgstAmt"]}
        for line in within["ItemList"]
    ]
    totals = within["ValDtls"]
    return within | {
        "ItemList": lines,
        "ValDtls": totals | {"IgstVal": totals["CgstVal"] + totals["SgstVal"], "CgstVal": 0, "SgstVal": 0},
    }


@pytest.mark.parametrize("kind", ["SED", "SEZD"])
def test_a4_a_developer_of_a_zone_supplies_between_states(kind: str) -> None:
    within = EXAMPLES["b2b-within-a-state"]
    developer = known(within["SellerDtls"]["Gstin"], kind=kind)

    assert found(with_igst(within), **developer) == []
    assert set(found(within, **developer)) == {"tax.halves_between_states"}


def test_a4_a_developer_of_a_zone_is_supplied_as_one() -> None:
    assert found(BETWEEN, **known(BETWEEN["BuyerDtls"]["Gstin"], kind="SED")) == ["recipient.sez"]


@pytest.mark.parametrize(
    ("details", "codes"),
    [
        ({"status": Status.CANCELLED, "until": date(2026, 11, 25)}, ["(supplier.cancelled_later)"]),
        ({"status": Status.CANCELLED, "until": date(2026, 11, 1)}, ["supplier.inactive"]),
        ({"status": Status.CANCELLED}, ["(supplier.cancelled_later)"]),
        ({"status": Status.INACTIVE}, ["supplier.inactive"]),
        ({"status": Status.SUSPENDED}, ["supplier.inactive"]),
        ({"status": Status.PROVISIONAL}, []),
    ],
)
def test_a7_a_supplier_is_judged_by_the_day_of_the_document(details: dict[str, Any], codes: list[str]) -> None:
    invoice = changed(BETWEEN, {"DocDtls.Dt": "03/11/2026"})

    assert found(invoice, **known(invoice["SellerDtls"]["Gstin"], **details)) == codes


# -- B: passed wrongly -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("dated", "day", "codes"),
    [
        ("01/05/2026", TODAY, ["(eway_bill.document_old)"]),
        ("02/06/2026", TODAY, ["(eway_bill.document_old)"]),  # 181 days
        ("03/06/2026", TODAY, []),  # 180 days
        ("01/06/2024", date(2024, 12, 31), []),  # before 1 January 2025 there was no limit
        ("01/06/2024", date(2025, 1, 1), ["(eway_bill.document_old)"]),
    ],
)
def test_b1_a_document_of_more_than_180_days_gets_no_e_way_bill(dated: str, day: date, codes: list[str]) -> None:
    invoice = changed(ROAD, {"DocDtls.Dt": dated, "EwbDtls.TransDocDt": None})

    assert found(invoice, day=day) == codes
    assert found(changed(invoice, {"EwbDtls": None}), day=day) == []


@pytest.mark.parametrize(
    ("number", "is_right"),
    [
        ("PNZM2020-307306", True),
        ("PNZM2020307306", True),
        ("FSJWT123456789", True),
        ("fsjwt123456789", True),
        ("L123456789", True),
        ("RR/204417", False),
        ("123456789", False),
        ("FSJWT12345678", False),
        ("PNZM307306", False),
        ("P2020-307306", False),
        ("L12345678", False),
    ],
)
def test_b2_a_number_of_the_railways_has_one_of_three_forms(number: str, is_right: bool) -> None:
    assert found(changed(RAIL, {"EwbDtls.TransDocNo": number})) == ["(eway_bill.rail_number)"] * (not is_right)


def test_b2_a_number_by_air_may_be_any() -> None:
    assert found(changed(RAIL, {"EwbDtls.TransMode": "3", "EwbDtls.TransDocNo": "AWB/17"})) == []


@pytest.mark.parametrize(
    ("details", "codes"),
    [
        ({"status": Status.INACTIVE}, ["ship_to.inactive"]),
        ({"status": Status.CANCELLED}, ["ship_to.inactive"]),
        ({"status": Status.CANCELLED, "until": date(2026, 1, 1)}, ["ship_to.inactive"]),
        ({"status": Status.CANCELLED, "until": TODAY}, ["(ship_to.cancelled_later)"]),
        ({"status": Status.SUSPENDED}, []),
        ({"status": Status.ACTIVE}, []),
    ],
)
def test_b3_a_ship_to_party_must_be_active(details: dict[str, Any], codes: list[str]) -> None:
    judged = known(SHIPPED["ShipDtls"]["Gstin"], **details)

    assert found(SHIPPED, **judged) == codes


def test_b3_the_ship_to_party_is_named_and_not_the_supplier() -> None:
    (fault,) = examined(SHIPPED, **known(SHIPPED["ShipDtls"]["Gstin"], status=Status.INACTIVE)).refusals

    assert (fault.path, fault.portal_code) == ("ShipDtls.Gstin", "3029")
    assert fault.says == f"The ship-to party's registration {SHIPPED['ShipDtls']['Gstin']} is inactive."


@pytest.mark.parametrize(
    ("kind", "codes"),
    [
        ("REG", []),
        ("SED", []),
        ("COM", ["supplier.type"]),
        ("ISD", ["supplier.type"]),
        ("TDS", ["supplier.type"]),
        ("TCS", ["supplier.type"]),
        ("UNB", ["supplier.type"]),
        ("CTP", ["(supplier.casual)"]),
        ("SEZ", ["supplier.sez_unit"]),
        ("XYZ", []),
    ],
)
def test_b4_only_regular_taxpayers_and_developers_supply(kind: str, codes: list[str]) -> None:
    assert found(BETWEEN, **known(BETWEEN["SellerDtls"]["Gstin"], kind=kind)) == codes


@pytest.mark.parametrize(
    ("gstin", "codes"),
    [
        ("29AAACT1234A1D6", ["supplier.type"]),  # deducts tax
        ("29BLRE12345A1DJ", ["supplier.type"]),  # the same, known by its TAN
        ("29ZZZCO6666F1CO", ["supplier.type"]),  # collects tax
        ("2917USA00012UNO", ["supplier.type"]),  # UN body
        ("29ZZZCS1111A1ZD", []),
    ],
)
def test_b4_some_numbers_show_what_kind_of_taxpayer_it_is(gstin: str, codes: list[str]) -> None:
    assert found(changed(chairs(), {"SellerDtls.Gstin": gstin})) == codes


def test_b4_what_the_portal_says_counts_more_than_the_number() -> None:
    invoice = changed(chairs(), {"SellerDtls.Gstin": "29AAACT1234A1D6"})

    assert found(invoice, **known("29AAACT1234A1D6", kind="REG")) == []


@pytest.mark.parametrize(("kind", "codes"), [("ISD", ["(reverse_charge.recipient)"]), ("REG", []), ("COM", [])])
def test_b5_reverse_charge_is_not_for_a_distributor(kind: str, codes: list[str]) -> None:
    invoice = EXAMPLES["b2b-reverse-charge-between-states"]

    assert found(invoice, **known(invoice["BuyerDtls"]["Gstin"], kind=kind)) == codes
    assert found(BETWEEN, **known(BETWEEN["BuyerDtls"]["Gstin"], kind=kind)) == []


@pytest.mark.parametrize(
    ("kind", "codes"),
    [
        ("COM", ["(deemed_export.recipient)"]),
        ("ISD", ["(deemed_export.recipient)"]),
        ("UNB", ["(deemed_export.recipient)"]),
        ("REG", []),
        ("CTP", []),
    ],
)
def test_b5_deemed_exports_go_to_regular_and_casual_taxpayers(kind: str, codes: list[str]) -> None:
    invoice = EXAMPLES["deemed-export"]

    assert found(invoice, **known(invoice["BuyerDtls"]["Gstin"], kind=kind)) == codes


JEWELS = changed(
    ROAD,
    {
        "ItemList[0].HsnCd": "71131910", "ItemList[0].Unit": "GMS", "ItemList[0].GstRt": 3, "ItemList[0].IgstAmt": 5535,
        "ItemList[0].TotItemVal": 190035, "ValDtls.IgstVal": 5535, "ValDtls.TotInvVal": 190035,
    },
)  # fmt: skip


@pytest.mark.parametrize(("hsn", "codes"), [("71131910", ["(eway_bill.gold)"]), ("71179090", [])])
def test_b7_there_is_no_e_way_bill_for_chapter_71(hsn: str, codes: list[str]) -> None:
    jewels = changed(JEWELS, {"ItemList[0].HsnCd": hsn})

    assert found(jewels) == codes
    assert found(changed(jewels, {"EwbDtls": None})) == []


@pytest.mark.parametrize(
    "number",
    [
        "KA011234", "KA01A1234", "KA01AB1234", "KA01ABC1234", "KA123A1234", "ABC1234", "DL01AB0123", "OD05AB1234",
        "22BH1234AA", "DF123456", "TM123456", "TR1234567", "BP1A2345", "NP12CHA345", "ka01ab1234", "KA 01 AB 1234",
    ],
)  # fmt: skip
def test_b11_vehicle_numbers_have_these_forms(number: str) -> None:
    assert "(eway_bill.vehicle_form)" not in found(changed(ROAD, {"EwbDtls.VehNo": number}))


@pytest.mark.parametrize("number", ["ABCD", "1234", "X1Y2", "DL1AB123", "KA01AB123", "QQ01AB1234", "KA01ABCD1234"])
def test_b11_another_vehicle_number_is_warned_of(number: str) -> None:
    (fault,) = examined(changed(ROAD, {"EwbDtls.VehNo": number})).warnings

    assert (fault.code, fault.path, fault.portal_code) == ("eway_bill.vehicle_form", "EwbDtls.VehNo", "4014")


@pytest.mark.parametrize(
    ("number", "codes"),
    [
        ("88AAACD8017H1ZX", []),  # enrolled in several states
        ("29AAFCA7488L1Z0", []),  # enrolled, taken by the e-way bill system, its check character is wrong
        ("29ZZZCO6666F1CO", []),
        ("290000000000000", ["(eway_bill.transporter)"]),
        ("29AAFCA7488L", ["(normalised.left_out)", "(eway_bill.part_a)"]),
    ],
)
def test_b11_a_transporter_may_have_a_transin(number: str, codes: list[str]) -> None:
    by_transporter = changed(EXAMPLES["b2b-e-way-bill-transporter"], {"EwbDtls.TransId": number})

    assert found(by_transporter) == codes


def test_b12_a_supplier_that_was_registered_later_is_warned_of() -> None:
    later = known(BETWEEN["SellerDtls"]["Gstin"], status=Status.ACTIVE, since=date(2026, 11, 25))

    (fault,) = examined(BETWEEN, **later).warnings

    assert (fault.code, fault.portal_code) == ("supplier.not_yet_registered", "3079")


def test_the_examples_have_no_fault_today() -> None:
    assert found(ROAD) == found(RAIL) == found(SHIPPED) == []
