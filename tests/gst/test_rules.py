"""The table of rules: each has a sound document that meets it and one that breaks it in exactly one place."""

from datetime import date
from decimal import Decimal
from typing import Any, NamedTuple

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from irnflow.gst import rules
from irnflow.gst.facts import Registration, Status
from irnflow.gst.faults import Severity
from irnflow.gst.portal_codes import portal_code
from tests.gst import documents
from tests.gst.documents import (
    BETWEEN,
    CESS_DAY,
    CREDIT_NOTE,
    CUSTOMER,
    DAY,
    DEEMED_EXPORT,
    ELSEWHERE,
    EXPORT_PAID,
    EXPORT_UNPAID,
    IGST_ON_INTRA,
    NEIGHBOUR,
    OPERATOR,
    REVERSE_CHARGE,
    SELLER,
    SERVICES,
    SEZ_PAID,
    SEZ_UNPAID,
    SHIPPED,
    SOUND,
    TOBACCO,
    WITH_CESS,
    WITH_STATE_CESS,
    WITHIN,
    Document,
    changed,
    check,
    party,
    refusals,
)


class Breaks(NamedTuple):
    """How to break one rule: what to change in a sound document, and where the fault then stands."""

    code: str
    path: str
    document: Document
    changes: dict[str, Any]
    facts: dict[str, Any] = {}  # noqa: RUF012  never changed


def registered(gstin: str, status: Status, **days: date) -> dict[str, Any]:
    return {"registrations": {gstin: Registration(status=status, **days)}}


def of_kind(gstin: str, kind: str) -> dict[str, Any]:
    return {"registrations": {gstin: Registration(kind=kind)}}


HELD = {"held_rules": True}
DEPOT = SHIPPED["ShipDtls"]["Gstin"]
IN_2025 = {"day": CESS_DAY}
ONE = "ItemList[0]."
LINES = BETWEEN["ItemList"]
AT_40_PERCENT = changed(TOBACCO, {ONE + "HsnCd": "22021010"})
EWAY_BILL = {"EwbDtls": {"Distance": 0, "TransId": OPERATOR}}

ON_THE_ROAD = {"TransMode": "1", "Distance": 120, "VehNo": "KA01AB1234", "VehType": "R"}
BY_RAIL = {"TransMode": "2", "Distance": 980, "TransDocNo": "FSBC204417083", "TransDocDt": "21/11/2026"}
BY_SHIP = {"TransMode": "4", "Distance": 980, "TransDocNo": "BL/17", "VehType": "O"}
ROAD = changed(SHIPPED, {"EwbDtls": ON_THE_ROAD})
RAIL = changed(SHIPPED, {"EwbDtls": BY_RAIL})
SHIP = changed(SHIPPED, {"EwbDtls": BY_SHIP})
TRANSPORTER_ONLY = changed(SHIPPED, {"EwbDtls": {"Distance": 0, "TransId": "29ZZZCT7777G1Z0"}})
YARD = {"Nm": "Yard", "Addr1": "1", "Loc": "Mysuru", "Pin": 570001, "Stcd": "29"}
PORT = {"Gstin": "URP", "LglNm": "Port", "Addr1": "1", "Loc": "Mumbai", "Pin": 400001, "Stcd": "27"}
EXPORT_SENT = changed(EXPORT_PAID, {"ShipDtls": PORT, "EwbDtls": ON_THE_ROAD})
WITH_EWAY_BILL = {
    "by road": ROAD, "by rail": RAIL, "by ship": SHIP, "part A only": TRANSPORTER_ONLY, "of an export": EXPORT_SENT,
}  # fmt: skip
EWB = "EwbDtls."

BREAKS = [
    # shape
    Breaks("field.missing", "TranDtls", WITHIN, {"TranDtls": None}),
    Breaks("field.missing", "BuyerDtls.LglNm", WITHIN, {"BuyerDtls.LglNm": None}),
    Breaks("field.missing", ONE + "UnitPrice", WITHIN, {ONE + "UnitPrice": None}),
    Breaks("field.missing", "RefDtls.PrecDocDtls[0].InvDt", WITHIN, {"RefDtls": {"PrecDocDtls": [{"InvNo": "A1"}]}}),
    Breaks("field.length", "SellerDtls.LglNm", WITHIN, {"SellerDtls.LglNm": "AB"}),
    Breaks("field.length", "BuyerDtls.Addr1", WITHIN, {"BuyerDtls.Addr1": "x" * 101}),
    Breaks("field.characters", ONE + "PrdDesc", WITHIN, {ONE + "PrdDesc": 'Pipe 12"'}),
    Breaks("field.pattern", "SellerDtls.Em", WITHIN, {"SellerDtls.Em": "nobody at all"}),
    Breaks("field.pattern", "SellerDtls.Gstin", WITHIN, {"SellerDtls.Gstin": "XXZZZCS1111A1ZD"}),
    Breaks("field.choice", "TranDtls.SupTyp", SEZ_PAID, {"TranDtls.SupTyp": "B2C"}),
    Breaks("field.choice", "ExpDtls.RefClm", EXPORT_PAID, {"ExpDtls.RefClm": "|"}),
    Breaks("field.date", "ExpDtls.ShipBDt", EXPORT_PAID, {"ExpDtls.ShipBDt": "31/02/2026"}),
    Breaks("field.range", "SellerDtls.Pin", WITHIN, {"SellerDtls.Pin": 12345}),
    Breaks("field.range", ONE + "OthChrg", WITHIN, {ONE + "OthChrg": Decimal(-1)}),
    Breaks("line.negative", "ItemList[1]", WITHIN, {
        "ItemList[1].UnitPrice": 50, "ItemList[1].TotAmt": -50, "ItemList[1].AssAmt": -50,
        "ItemList[1].CgstAmt": Decimal("-4.5"), "ItemList[1].SgstAmt": Decimal("-4.5"), "ItemList[1].TotItemVal": -59}),
    Breaks("field.decimals", ONE + "PreTaxVal", WITHIN, {ONE + "PreTaxVal": Decimal("1.005")}),
    Breaks("supplier.gstin_missing", "SellerDtls.Gstin", WITHIN, {"SellerDtls.Gstin": None}),
    Breaks("supplier.unregistered", "SellerDtls.Gstin", WITHIN, {"SellerDtls.Gstin": "URP"}),
    Breaks("supplier.pin_missing", "SellerDtls.Pin", WITHIN, {"SellerDtls.Pin": None}),
    Breaks("recipient.pin_missing", "BuyerDtls.Pin", WITHIN, {"BuyerDtls.Pin": None}),
    Breaks("document.type", "DocDtls.Typ", WITHIN, {"DocDtls.Typ": "BIL"}),
    Breaks("document.number", "DocDtls.No", WITHIN, {"DocDtls.No": "0117"}),
    Breaks("document.number", "DocDtls.No", WITHIN, {"DocDtls.No": "SEVENTEEN/LETTERS"}),
    Breaks("document.date_form", "DocDtls.Dt", WITHIN, {"DocDtls.Dt": "31/11/2026"}),
    Breaks("reverse_charge.value", "TranDtls.RegRev", WITHIN, {"TranDtls.RegRev": "|"}),
    Breaks("igst_on_intra.value", "TranDtls.IgstOnIntra", BETWEEN, {"TranDtls.IgstOnIntra": "X"}),
    Breaks("hsn.form", ONE + "HsnCd", WITHIN, {ONE + "HsnCd": "94036"}),
    Breaks("unit.form", ONE + "Unit", WITHIN, {ONE + "Unit": "N"}),
    Breaks("lines.none", "ItemList", WITHIN, {"ItemList": []}),
    # parties
    Breaks("supplier.gstin", "SellerDtls.Gstin", WITHIN, {"SellerDtls.Gstin": SELLER[:-1] + "E"}),
    Breaks("recipient.gstin", "BuyerDtls.Gstin", WITHIN, {"BuyerDtls.Gstin": NEIGHBOUR[:-1] + "Z"}),
    Breaks("ship_to.gstin", "ShipDtls.Gstin", SHIPPED, {"ShipDtls.Gstin": "27ZZZCT7777G1ZZ"}),
    Breaks("supplier.state", "SellerDtls.Stcd", WITHIN, {"SellerDtls.Stcd": "45"}),
    Breaks("recipient.state", "BuyerDtls.Stcd", WITHIN, {"BuyerDtls.Stcd": "45"}),
    Breaks("dispatch.state", "DispDtls.Stcd", WITHIN, {
        "DispDtls": {"Nm": "Yard", "Addr1": "1", "Loc": "Mysuru", "Pin": 570001, "Stcd": "45"}}),
    Breaks("ship_to.state", "ShipDtls.Stcd", SHIPPED, {"ShipDtls.Stcd": "45", "ShipDtls.Gstin": None}),
    Breaks("supplier.pin", "SellerDtls.Pin", WITHIN, {"SellerDtls.Pin": 400001}),
    Breaks("recipient.pin", "BuyerDtls.Pin", WITHIN, {"BuyerDtls.Pin": 999999}),
    Breaks("dispatch.pin", "DispDtls.Pin", WITHIN, {
        "DispDtls": {"Nm": "Yard", "Addr1": "1", "Loc": "Mysuru", "Pin": 110001, "Stcd": "29"}}),
    Breaks("ship_to.pin", "ShipDtls.Pin", SHIPPED, {"ShipDtls.Pin": 560001}),
    Breaks("supplier.pin_unlisted", "SellerDtls.Pin", WITHIN, {"SellerDtls.Pin": 900001}),
    Breaks("recipient.pin_unlisted", "BuyerDtls.Pin", WITHIN, {"BuyerDtls.Pin": 900001}),
    Breaks("dispatch.pin_unlisted", "DispDtls.Pin", WITHIN, {
        "DispDtls": {"Nm": "Yard", "Addr1": "1", "Loc": "Mysuru", "Pin": 900001, "Stcd": "29"}}),
    Breaks("ship_to.pin_unlisted", "ShipDtls.Pin", SHIPPED, {"ShipDtls.Pin": 900001}),
    Breaks("supplier.state_of_gstin", "SellerDtls.Stcd", WITHIN, {"SellerDtls.Stcd": "27", "SellerDtls.Pin": 400001}),
    Breaks("recipient.state_of_gstin", "BuyerDtls.Stcd", WITHIN, {"BuyerDtls.Stcd": "27", "BuyerDtls.Pin": 400001}),
    Breaks("recipient.is_supplier", "BuyerDtls.Gstin", WITHIN, {"BuyerDtls.Gstin": SELLER}),
    Breaks("ship_to.is_recipient", "ShipDtls.Gstin", SHIPPED, {"ShipDtls.Gstin": CUSTOMER}, HELD),
    Breaks("ship_to.state_of_gstin", "ShipDtls.Gstin", SHIPPED, {"ShipDtls.Gstin": ELSEWHERE}, HELD),
    Breaks("ship_to.gstin_missing", "ShipDtls.Gstin", SHIPPED, {"ShipDtls.Gstin": None, **EWAY_BILL}, HELD),
    Breaks("ecommerce.gstin", "TranDtls.EcmGstin", WITHIN, {"TranDtls.EcmGstin": OPERATOR[:-1] + "P"}, {
        "sent_by": OPERATOR}),
    Breaks("ecommerce.by_supplier", "TranDtls.EcmGstin", WITHIN, {"TranDtls.EcmGstin": OPERATOR}),
    Breaks("ecommerce.operator", "TranDtls.EcmGstin", WITHIN, {"TranDtls.EcmGstin": ELSEWHERE}),
    Breaks("supplier.sez_unit", "SellerDtls.Gstin", WITHIN, {}, {"sez_gstins": frozenset({SELLER})}),
    Breaks("supplier.type", "SellerDtls.Gstin", WITHIN, {}, of_kind(SELLER, "COM")),
    Breaks("supplier.casual", "SellerDtls.Gstin", WITHIN, {}, of_kind(SELLER, "CTP")),
    Breaks("supplier.inactive", "SellerDtls.Gstin", WITHIN, {}, registered(SELLER, Status.SUSPENDED)),
    Breaks("supplier.inactive", "SellerDtls.Gstin", WITHIN, {},
        registered(SELLER, Status.CANCELLED, until=date(2026, 11, 19))),
    Breaks("supplier.cancelled_later", "SellerDtls.Gstin", WITHIN, {},
        registered(SELLER, Status.CANCELLED, until=date(2026, 11, 20))),
    Breaks("supplier.not_yet_registered", "SellerDtls.Gstin", WITHIN, {},
        registered(SELLER, Status.ACTIVE, since=date(2026, 11, 21))),
    Breaks("ship_to.inactive", "ShipDtls.Gstin", SHIPPED, {}, registered(DEPOT, Status.INACTIVE)),
    Breaks("ship_to.inactive", "ShipDtls.Gstin", SHIPPED, {}, registered(DEPOT, Status.CANCELLED)),
    Breaks("ship_to.cancelled_later", "ShipDtls.Gstin", SHIPPED, {},
        registered(DEPOT, Status.CANCELLED, until=date(2026, 11, 20))),
    Breaks("dispatch.abroad", "DispDtls.Pin", BETWEEN, {"DispDtls": {**YARD, "Pin": 999999, "Stcd": "96"}}),
    Breaks("recipient.cancelled", "BuyerDtls.Gstin", WITHIN, {},
        registered(NEIGHBOUR, Status.CANCELLED, since=date(2017, 7, 1), until=date(2026, 11, 19))),
    Breaks("recipient.cancelled_undated", "BuyerDtls.Gstin", WITHIN, {},
        registered(NEIGHBOUR, Status.CANCELLED, since=date(2017, 7, 1))),
    Breaks("recipient.inactive", "BuyerDtls.Gstin", WITHIN, {}, registered(NEIGHBOUR, Status.INACTIVE)),
    Breaks("recipient.cancelled_not_yet_registered", "BuyerDtls.Gstin", WITHIN, {},
        registered(NEIGHBOUR, Status.CANCELLED, since=date(2026, 11, 21), until=date(2026, 11, 22))),
    Breaks("recipient.cancelled_start_unknown", "BuyerDtls.Gstin", WITHIN, {},
        registered(NEIGHBOUR, Status.CANCELLED, until=date(2026, 11, 20))),
    Breaks("recipient.not_yet_registered", "BuyerDtls.Gstin", WITHIN, {},
        registered(NEIGHBOUR, Status.ACTIVE, since=date(2026, 11, 21))),
    # supplies
    Breaks("recipient.no_sez", "BuyerDtls.Gstin", SEZ_PAID, {}, {"sez_gstins": frozenset({ELSEWHERE})}),
    Breaks("recipient.sez", "BuyerDtls.Gstin", BETWEEN, {}, {"sez_gstins": frozenset({CUSTOMER})}),
    Breaks("recipient.unregistered", "BuyerDtls.Gstin", WITHIN, {"BuyerDtls.Gstin": "URP"}),
    Breaks("deemed_export.unregistered", "BuyerDtls.Gstin", DEEMED_EXPORT, {"BuyerDtls.Gstin": "URP"}),
    Breaks("export.recipient", "BuyerDtls.Gstin", EXPORT_PAID, {"BuyerDtls.Gstin": ELSEWHERE}),
    Breaks("export.state", "BuyerDtls.Stcd", EXPORT_PAID, {"BuyerDtls.Stcd": "97"}),
    Breaks("export.pos", "BuyerDtls.Pos", EXPORT_PAID, {"BuyerDtls.Pos": "29"}),
    Breaks("export.pin", "BuyerDtls.Pin", EXPORT_PAID, {"BuyerDtls.Pin": 560001}),
    Breaks("export.country", "ExpDtls.CntCode", EXPORT_PAID, {"ExpDtls.CntCode": None}),
    Breaks("export.country", "ExpDtls.CntCode", EXPORT_UNPAID, {"ExpDtls": None}),
    Breaks("export.country_unlisted", "ExpDtls.CntCode", EXPORT_PAID, {"ExpDtls.CntCode": "QQ"}),
    Breaks("export.currency_unlisted", "ExpDtls.ForCur", EXPORT_PAID, {"ExpDtls.ForCur": "QQQ"}),
    Breaks("export.port_unlisted", "ExpDtls.Port", EXPORT_PAID, {"ExpDtls.Port": "QQQQQ9"}),
    Breaks("pos.abroad", "BuyerDtls.Pos", BETWEEN, {"BuyerDtls.Pos": "96"}),
    Breaks("pos.unknown", "BuyerDtls.Pos", BETWEEN, {"BuyerDtls.Pos": "25"}),
    Breaks("ship_to.pos", "ShipDtls.Stcd", SHIPPED, {
        "ShipDtls": {"LglNm": "Depot", "Addr1": "1", "Loc": "Surat", "Pin": 395003, "Stcd": "24"}}, HELD),
    Breaks("reverse_charge.recipient", "BuyerDtls.Gstin", REVERSE_CHARGE, {}, of_kind(CUSTOMER, "ISD")),
    Breaks("deemed_export.recipient", "BuyerDtls.Gstin", DEEMED_EXPORT, {}, of_kind(CUSTOMER, "COM")),
    Breaks("reverse_charge.supply", "TranDtls.RegRev", DEEMED_EXPORT, {"TranDtls.RegRev": "Y"}),
    Breaks("igst_on_intra.states", "TranDtls.IgstOnIntra", REVERSE_CHARGE, {"TranDtls.IgstOnIntra": "Y"}),
    Breaks("igst_on_intra.reverse_charge", "TranDtls.IgstOnIntra", IGST_ON_INTRA, {
        "TranDtls.RegRev": "N", ONE + "TotItemVal": 11800, "ValDtls.TotInvVal": 11800}),
    # document
    Breaks("document.future", "DocDtls.Dt", WITHIN, {"DocDtls.Dt": "23/11/2026"}),
    Breaks("document.too_late", "DocDtls.Dt", WITHIN, {"DocDtls.Dt": "23/10/2026"}),
    Breaks("document.too_late_100_crore", "DocDtls.Dt", WITHIN, {"DocDtls.Dt": "01/02/2025"}, {
        "day": date(2025, 3, 31), "turnover_crore": Decimal(100)}),
    Breaks("document.too_old", "DocDtls.Dt", WITHIN, {"DocDtls.Dt": "30/09/2022"}),
    Breaks("period.reversed", "RefDtls.DocPerdDtls.InvEndDt", WITHIN, {
        "RefDtls": {"DocPerdDtls": {"InvStDt": "30/11/2026", "InvEndDt": "01/11/2026"}}}),
    Breaks("preceding.future", "RefDtls.PrecDocDtls[1].InvDt", CREDIT_NOTE, {"RefDtls": {"PrecDocDtls": [
        {"InvNo": "BLR/1", "InvDt": "22/11/2026"}, {"InvNo": "BLR/2", "InvDt": "23/11/2026"}]}}),
    # lines
    Breaks("line.number_repeated", "ItemList[1].SlNo", WITHIN, {"ItemList[1].SlNo": "1"}),
    Breaks("hsn.digits", ONE + "HsnCd", WITHIN, {ONE + "HsnCd": "9403"}),
    Breaks("hsn.service", ONE + "IsServc", WITHIN, {ONE + "IsServc": "Y"}),
    Breaks("hsn.service", "ItemList[1].IsServc", WITHIN, {
        "ItemList[1].IsServc": "N", "ItemList[1].Qty": Decimal(1), "ItemList[1].Unit": "OTH"}),
    Breaks("hsn.unlisted", ONE + "HsnCd", WITHIN, {ONE + "HsnCd": "94039999"}),
    Breaks("hsn.unlisted", ONE + "HsnCd", WITHIN, {ONE + "HsnCd": "521211"}),
    Breaks("hsn.dropped", ONE + "HsnCd", WITHIN, {ONE + "HsnCd": "85371000"}),
    Breaks("hsn.retail_priced_short", ONE + "HsnCd", AT_40_PERCENT, {ONE + "HsnCd": "210690"}),
    Breaks("quantity.missing", ONE + "Qty", WITHIN, {ONE + "Qty": None}),
    Breaks("unit.missing", ONE + "Unit", WITHIN, {ONE + "Unit": None}),
    Breaks("unit.unlisted", ONE + "Unit", WITHIN, {ONE + "Unit": "KNOTS"}),
    Breaks("unit.unlisted_service", "ItemList[1].Unit", WITHIN, {"ItemList[1].Unit": "HRS"}),
    Breaks("line.country_unlisted", ONE + "OrgCntry", WITHIN, {ONE + "OrgCntry": "QQ"}),
    Breaks("rate.unknown", ONE + "GstRt", WITHIN, {ONE + "GstRt": Decimal("0.5")}),
    Breaks("rate.unknown", ONE + "GstRt", TOBACCO, {"DocDtls.Dt": "20/09/2025"}, {"day": date(2025, 9, 20)}),
    Breaks("rate.ended", ONE + "GstRt", AT_40_PERCENT, {
        ONE + "GstRt": 28, ONE + "IgstAmt": 2800, ONE + "TotItemVal": 12800,
        "ValDtls.IgstVal": 2800, "ValDtls.TotInvVal": 12800}),
    Breaks("rate.wholly_exempt", "ItemList", AT_40_PERCENT, {
        ONE + "GstRt": 0, ONE + "IgstAmt": 0, ONE + "TotItemVal": 10000,
        "ValDtls.IgstVal": 0, "ValDtls.TotInvVal": 10000}),
    Breaks("rate.nil_without_payment", ONE + "GstRt", SEZ_UNPAID, {ONE + "GstRt": 0}),
    # taxes
    Breaks("tax.halves_between_states", ONE + "CgstAmt", BETWEEN, {
        ONE + "IgstAmt": None, ONE + "CgstAmt": 900, ONE + "SgstAmt": 900,
        "ValDtls.IgstVal": 900, "ValDtls.CgstVal": 900, "ValDtls.SgstVal": 900}),
    Breaks("tax.halves_on_export", ONE + "SgstAmt", EXPORT_UNPAID, {
        ONE + "SgstAmt": 1, ONE + "TotItemVal": 10001, "ValDtls.SgstVal": 1}),
    Breaks("tax.halves_to_sez", ONE + "CgstAmt", SEZ_PAID, {
        ONE + "CgstAmt": 1, ONE + "TotItemVal": 11801, "ValDtls.CgstVal": 1}),
    Breaks("tax.igst_within_a_state", ONE + "IgstAmt", WITHIN, {
        ONE + "IgstAmt": 1800, ONE + "CgstAmt": None, ONE + "SgstAmt": None,
        "ValDtls.IgstVal": 1800, "ValDtls.CgstVal": 450, "ValDtls.SgstVal": 450}),
    Breaks("tax.halves_missing", ONE + "CgstAmt", WITHIN, {
        ONE + "CgstAmt": None, ONE + "SgstAmt": 0, ONE + "TotItemVal": 10000,
        "ValDtls.CgstVal": 450, "ValDtls.SgstVal": 450, "ValDtls.TotInvVal": 15900}),
    Breaks("tax.halves_unequal", ONE + "SgstAmt", WITHIN, {ONE + "SgstAmt": Decimal("900.01")}),
    Breaks("tax.halves_amount", ONE + "CgstAmt", WITHIN, {
        ONE + "CgstAmt": 800, ONE + "SgstAmt": 800, ONE + "TotItemVal": 11600,
        "ValDtls.CgstVal": 1250, "ValDtls.SgstVal": 1250, "ValDtls.TotInvVal": 17500}),
    Breaks("tax.igst_amount", ONE + "IgstAmt", BETWEEN, {
        ONE + "IgstAmt": 1700, ONE + "TotItemVal": 11700, "ValDtls.IgstVal": 2600, "ValDtls.TotInvVal": 17600}),
    Breaks("tax.igst_amount", ONE + "IgstAmt", SEZ_UNPAID, {
        ONE + "IgstAmt": 1700, ONE + "TotItemVal": 11700, "ValDtls.IgstVal": 1700, "ValDtls.TotInvVal": 11700}),
    Breaks("tax.igst_amount", ONE + "IgstAmt", TOBACCO, {ONE + "HsnCd": "24031921", ONE + "GstRt": 18}),  # biris
    Breaks("tax.retail_price", ONE + "IgstAmt", TOBACCO, {
        ONE + "IgstAmt": None, ONE + "TotItemVal": 10000, "ValDtls.IgstVal": 0, "ValDtls.TotInvVal": 10000}),
    Breaks("tax.tobacco_leaves", ONE + "AssAmt", TOBACCO, {ONE + "HsnCd": "24011010", ONE + "GstRt": 5}),
    Breaks("cess.ended", ONE + "CesRt", WITH_STATE_CESS, {
        ONE + "CesRt": 12, ONE + "CesAmt": 1200, ONE + "TotItemVal": 13107,
        "ValDtls.CesVal": 1200, "ValDtls.TotInvVal": 13107}),
    Breaks("cess.amount", ONE + "CesAmt", WITH_CESS, {
        ONE + "CesAmt": 1000, ONE + "TotItemVal": 12907, "ValDtls.CesVal": 1007, "ValDtls.TotInvVal": 12907}, IN_2025),
    Breaks("state_cess.amount", ONE + "StateCesAmt", WITH_CESS, {
        ONE + "StateCesAmt": 50, ONE + "TotItemVal": 13057, "ValDtls.StCesVal": 50, "ValDtls.TotInvVal": 13057},
        IN_2025),
    # totals
    Breaks("line.gross", ONE + "TotAmt", WITHIN, {ONE + "Qty": 11}),
    Breaks("line.taxable_value", ONE + "AssAmt", WITHIN, {ONE + "Discount": 105}),
    Breaks("line.total", ONE + "TotItemVal", BETWEEN, {
        ONE + "TotItemVal": Decimal("11801.01"), "ValDtls.TotInvVal": Decimal("17701.01")}),
    Breaks("totals.taxable_value", "ValDtls.AssVal", WITHIN, {"ValDtls.AssVal": 14000}),
    Breaks("totals.sgst", "ValDtls.SgstVal", WITHIN, {"ValDtls.SgstVal": 1352}),
    Breaks("totals.cgst", "ValDtls.CgstVal", WITHIN, {"ValDtls.CgstVal": 1348}),
    Breaks("totals.igst", "ValDtls.IgstVal", BETWEEN, {"ValDtls.IgstVal": 0}),
    Breaks("totals.igst", "ValDtls.IgstVal", BETWEEN, {"ValDtls.IgstVal": None}),
    Breaks("totals.cess", "ValDtls.CesVal", WITH_CESS, {"ValDtls.CesVal": 1200}, IN_2025),
    Breaks("totals.state_cess", "ValDtls.StCesVal", WITH_CESS, {"ValDtls.StCesVal": 0}, IN_2025),
    Breaks("totals.invoice_value", "ValDtls.TotInvVal", WITHIN, {"ValDtls.OthChrg": 20}),
    Breaks("eway_bill.note", "EwbDtls", CREDIT_NOTE, {"EwbDtls": ON_THE_ROAD}),
    Breaks("eway_bill.services", "EwbDtls", SERVICES, {"EwbDtls": ON_THE_ROAD}),
    Breaks("eway_bill.document_old", "DocDtls.Dt", ROAD, {"DocDtls.Dt": "25/05/2026"}, {"turnover_crore": Decimal(8)}),
    Breaks("eway_bill.gold", ONE + "HsnCd", ROAD, {ONE + "HsnCd": "71131910"}),
    Breaks("eway_bill.vehicle_form", EWB + "VehNo", ROAD, {EWB + "VehNo": "DL1AB123"}),
    Breaks("eway_bill.transporter", EWB + "TransId", TRANSPORTER_ONLY, {EWB + "TransId": "290000000000000"}),
    Breaks("eway_bill.rail_number", EWB + "TransDocNo", RAIL, {EWB + "TransDocNo": "RR/17"}),
    Breaks("eway_bill.part_a", EWB + "TransId", SHIPPED, {"EwbDtls": {"Distance": 0}}),
    Breaks("eway_bill.mode", EWB + "TransMode", ROAD, {EWB + "TransMode": None}),
    Breaks("eway_bill.vehicle", EWB + "VehNo", ROAD, {EWB + "VehNo": None}),
    Breaks("eway_bill.vehicle_type", EWB + "VehType", ROAD, {EWB + "VehType": None}),
    Breaks("eway_bill.transport_number", EWB + "TransDocNo", RAIL, {EWB + "TransDocNo": None}),
    Breaks("eway_bill.transport_date", EWB + "TransDocDt", RAIL, {EWB + "TransDocDt": None}),
    Breaks("eway_bill.ship", EWB + "TransDocNo", SHIP, {EWB + "TransDocNo": None}),
    Breaks("eway_bill.ship_type", EWB + "VehType", SHIP, {EWB + "VehType": "R"}),
    Breaks("eway_bill.over_dimensional", EWB + "VehType", RAIL, {EWB + "VehType": "O"}),
    Breaks("eway_bill.transport_future", EWB + "TransDocDt", RAIL, {EWB + "TransDocDt": "23/11/2026"}),
    Breaks("eway_bill.transport_early", EWB + "TransDocDt", RAIL, {EWB + "TransDocDt": "19/11/2026"}),
    Breaks("eway_bill.distance_none", EWB + "Distance", WITHIN, {"EwbDtls": {**ON_THE_ROAD, "Distance": 0}}),
    Breaks("eway_bill.distance_far", EWB + "Distance", WITHIN, {"EwbDtls": {**ON_THE_ROAD, "Distance": 101}}),
    Breaks("eway_bill.distance_abroad", EWB + "Distance", EXPORT_SENT, {EWB + "Distance": 0}),
    Breaks("eway_bill.export_ship_to", "ShipDtls", EXPORT_SENT, {"ShipDtls": None}),
    Breaks("eway_bill.ship_to_pin_abroad", "ShipDtls.Pin", DEEMED_EXPORT, {
        "EwbDtls": ON_THE_ROAD, "ShipDtls": {**PORT, "Loc": "Rig", "Pin": 999999, "Stcd": "97"}}),
    Breaks("eway_bill.dispatch_abroad", "DispDtls.Stcd", ROAD, {"DispDtls": {**YARD, "Stcd": "96"}}),
    Breaks("eway_bill.dispatch_pin_abroad", "DispDtls.Pin", ROAD, {"DispDtls": {**YARD, "Pin": 999999, "Stcd": "97"}}),
    Breaks("totals.nothing", "ValDtls.TotInvVal", CREDIT_NOTE, {
        ONE + "Qty": 0, ONE + "TotAmt": 0, ONE + "Discount": 0, ONE + "AssAmt": 0, ONE + "IgstAmt": 0,
        ONE + "TotItemVal": 0, "ValDtls.AssVal": 0, "ValDtls.IgstVal": 0, "ValDtls.TotInvVal": 0}),
    Breaks("totals.discount", "ValDtls.Discount", WITHIN, {"ValDtls.Discount": 17700, "ValDtls.TotInvVal": 0}),
]  # fmt: skip


@pytest.mark.parametrize("document", SOUND.values(), ids=SOUND)
def test_a_sound_document_has_no_fault(document: Document) -> None:
    assert check(document) == []


@pytest.mark.parametrize("document", WITH_EWAY_BILL.values(), ids=WITH_EWAY_BILL)
def test_a_sound_e_way_bill_has_no_fault(document: Document) -> None:
    assert check(document) == []


def test_a_ship_to_address_abroad_costs_an_export_only_its_e_way_bill() -> None:
    abroad = changed(EXPORT_SENT, {"ShipDtls.Stcd": "96", "ShipDtls.Pin": 999999})

    assert [fault.code for fault in check(abroad)] == ["eway_bill.ship_to_abroad", "eway_bill.ship_to_pin_abroad"]


def test_an_operator_who_invoices_for_a_supplier_may_be_named() -> None:
    assert check(changed(WITHIN, {"TranDtls.EcmGstin": OPERATOR}), sent_by=OPERATOR) == []


@pytest.mark.parametrize("breaks", BREAKS, ids=lambda breaks: f"{breaks.code}-{breaks.path}")
def test_one_broken_rule_is_named_at_its_place_and_no_other(breaks: Breaks) -> None:
    broken = changed(breaks.document, breaks.changes)

    faults = check(broken, **breaks.facts)

    assert [(fault.code, fault.path) for fault in faults] == [(breaks.code, breaks.path)]


def test_every_rule_has_a_document_that_breaks_it() -> None:
    broken = {breaks.code for breaks in BREAKS} | {"lines.too_many", "eway_bill.ship_to_abroad"}  # of their own tests

    assert broken == {rule.code for rule in rules.RULES}


def test_no_two_rules_share_a_code() -> None:
    codes = [rule.code for rule in rules.RULES]

    assert len(codes) == len(set(codes))


def test_every_portal_code_is_one_of_the_catalogue() -> None:
    unknown = {rule.portal_code for rule in rules.RULES if rule.portal_code and portal_code(rule.portal_code) is None}

    assert unknown == set()


def test_a_fault_says_what_was_found_and_what_to_do() -> None:
    broken = changed(WITHIN, {"ItemList[1].HsnCd": "9983"})

    (fault,) = check(broken)

    assert fault.says == "HSN 9983 has too few digits; above 5 crore of turnover it needs 6."
    assert fault.fix == "Give the HSN with 6 or 8 digits."
    assert fault.portal_code == "2176"
    assert fault.severity is Severity.REFUSED


def test_a_sentence_counts_lines_from_1() -> None:
    (fault,) = check(changed(WITHIN, {"ItemList[1].HsnCd": None}))

    assert (fault.says, fault.path) == ("HsnCd of line 2 is missing.", "ItemList[1].HsnCd")


def test_all_faults_are_told_at_once() -> None:
    broken = changed(WITHIN, {"DocDtls.No": "/1", "BuyerDtls.Pos": "96", "ItemList[1].GstRt": Decimal(17)})

    codes = {fault.code for fault in check(broken)}

    assert codes == {"document.number", "pos.abroad", "rate.unknown"}


def test_more_lines_than_the_portal_takes_are_refused() -> None:
    lines = [{**WITHIN["ItemList"][0], "SlNo": str(number)} for number in range(1, 1002)]
    totals = {"AssVal": 10010000, "CgstVal": 900900, "SgstVal": 900900, "TotInvVal": 11811800}
    document = changed(WITHIN, {"ItemList": lines, "ValDtls": totals})

    assert refusals(document) == [("lines.too_many", "ItemList")]
    assert refusals(document, lines_max=1001) == []
    assert refusals(document, lines_max=1000) == [("lines.too_many", "ItemList")]


def test_the_faults_of_one_invoice_are_bounded() -> None:
    lines = [{**WITHIN["ItemList"][0], "SlNo": "1", "Unit": "KNOTS"} for _ in range(1000)]

    faults = check(changed(WITHIN, {"ItemList": lines}))

    assert len(faults) == rules.FAULTS_MAX


def test_what_a_fault_quotes_is_bounded() -> None:
    broken = changed(WITHIN, {"TranDtls.SupTyp": "x" * 10_000})

    (fault,) = check(broken)

    assert len(fault.says) < 200


@pytest.mark.parametrize("amount", ["NaN", "sNaN", "Infinity", "1E+999999", "-1E+999999"])
def test_a_number_that_no_invoice_has_is_a_fault_and_no_accident(amount: str) -> None:
    broken = changed(WITHIN, {"ItemList[0].AssAmt": Decimal(amount)})

    assert ("field.range", "ItemList[0].AssAmt") in refusals(broken)


def test_an_empty_document_is_told_what_it_lacks() -> None:
    missing = {path for code, path in refusals({}) if code == "field.missing"}

    assert missing == {"Version", "TranDtls", "DocDtls", "SellerDtls", "BuyerDtls", "ValDtls"}


# -- exceptions that the law makes -----------------------------------------------------------------------------------


@pytest.mark.parametrize("igst", [0, 1800])
def test_a_supply_without_payment_may_bear_igst_or_none(igst: int) -> None:
    totals = {"IgstVal": igst, "TotInvVal": 10000 + igst}
    document = changed(
        SEZ_UNPAID,
        {"ItemList[0].IgstAmt": igst, "ItemList[0].TotItemVal": 10000 + igst}
        | {f"ValDtls.{name}": value for name, value in totals.items()},
    )

    assert refusals(document) == []


@pytest.mark.parametrize("document", [REVERSE_CHARGE, EXPORT_PAID], ids=["reverse charge", "export with payment"])
def test_the_line_total_may_leave_out_tax_that_the_recipient_does_not_pay(document: Document) -> None:
    without = changed(document, {"ItemList[0].TotItemVal": 10000, "ValDtls.TotInvVal": 10000})

    assert refusals(without) == []


def test_a_line_total_that_leaves_out_tax_may_leave_out_cess_or_not() -> None:
    cess = {"TranDtls.RegRev": "Y", "ItemList[0].TotItemVal": 11307, "ValDtls.TotInvVal": 11307}

    without = {**cess, "TranDtls.RegRev": "N"}
    assert refusals(changed(WITH_CESS, cess), day=CESS_DAY) == []
    assert refusals(changed(WITH_CESS, without), day=CESS_DAY) == [("line.total", "ItemList[0].TotItemVal")]


def test_the_tax_of_a_note_need_not_follow_from_the_rate() -> None:
    totals = {"ValDtls.IgstVal": 1234, "ValDtls.TotInvVal": 11234}
    note = changed(CREDIT_NOTE, {"ItemList[0].IgstAmt": 1234, "ItemList[0].TotItemVal": 11234} | totals)

    assert refusals(note) == []


def test_the_sums_of_a_note_must_agree_all_the_same() -> None:
    note = changed(CREDIT_NOTE, {"ValDtls.IgstVal": 1234})

    assert refusals(note) == [("totals.igst", "ValDtls.IgstVal")]


@pytest.mark.parametrize(
    ("dated", "expected"),
    [("31/01/2026", [("tax.igst_amount", "ItemList[0].IgstAmt")]), ("01/02/2026", [])],
)
def test_retail_priced_goods_were_taxed_on_their_taxable_value_before_february_2026(
    dated: str, expected: list[tuple[str, str]]
) -> None:
    totals = {"ValDtls.IgstVal": 4500, "ValDtls.TotInvVal": 14500}
    tobacco = changed(TOBACCO, {"DocDtls.Dt": dated, ONE + "IgstAmt": 4500, ONE + "TotItemVal": 14500} | totals)

    assert refusals(tobacco, day=date(2026, 2, 20)) == expected


@pytest.mark.parametrize(
    ("path", "given", "says"),
    [
        ("BuyerDtls.LglNm", "AB", "BuyerDtls.LglNm has 2 characters; it takes 3 to 100."),
        ("ExpDtls.CntCode", "UAE", "ExpDtls.CntCode has 3 characters; it takes 2."),
    ],
)
def test_a_wrong_length_is_told_with_what_is_right(path: str, given: str, says: str) -> None:
    faults = check(changed(EXPORT_PAID, {path: given}))

    assert [fault.says for fault in faults if fault.code == "field.length"] == [says]


def test_sandbox_gstins_pass_when_asked_for() -> None:
    sandbox = changed(WITHIN, {"SellerDtls.Gstin": "29AABCT1332L000"})

    assert refusals(sandbox, accept_sandbox_gstins=True) == []
    assert refusals(sandbox) == [("supplier.gstin", "SellerDtls.Gstin")]


def test_a_state_of_ladakh_goes_with_a_pin_of_leh() -> None:
    document = changed(EXPORT_PAID, {"ShipDtls": {
        "LglNm": "Yard", "Addr1": "1", "Loc": "Leh", "Pin": 194101, "Stcd": "38"}})  # fmt: skip

    assert refusals(document) == []


# -- days ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("turnover_crore", "dated", "sent", "found"),
    [
        (Decimal(10), "01/04/2025", date(2025, 4, 30), []),  # the advisory's own example: the last day
        (Decimal(10), "01/04/2025", date(2025, 5, 1), ["document.too_late"]),
        (Decimal("9.99"), "01/04/2025", date(2025, 5, 1), []),  # below 10 crore there is no limit
        (Decimal(10), "01/01/2025", date(2025, 3, 31), []),  # nor was there before April 2025
        (Decimal(10), "01/01/2025", date(2025, 4, 1), ["document.too_late"]),
        (Decimal(100), "01/01/2025", date(2025, 3, 31), ["document.too_late_100_crore"]),
        (Decimal(100), "01/01/2025", date(2025, 4, 1), ["document.too_late"]),  # once, not twice
        (Decimal(100), "01/09/2023", date(2023, 10, 31), []),
        (Decimal(100), "01/09/2023", date(2023, 11, 1), ["document.too_late_100_crore"]),
        (Decimal("99.99"), "01/09/2023", date(2023, 11, 1), []),
    ],
)
def test_the_30_day_limit_depends_on_turnover_and_day(
    turnover_crore: Decimal, dated: str, sent: date, found: list[str]
) -> None:
    document = changed(WITHIN, {"DocDtls.Dt": dated})

    faults = check(document, day=sent, turnover_crore=turnover_crore)

    assert [fault.code for fault in faults] == found


@pytest.mark.parametrize(
    "breaks", [breaks for breaks in BREAKS if breaks.facts == HELD], ids=lambda breaks: breaks.code
)
def test_a_rule_on_hold_finds_nothing(breaks: Breaks) -> None:
    assert check(changed(breaks.document, breaks.changes)) == []


def test_the_rules_on_hold_are_these() -> None:
    held = {rule.code: rule.on_hold for rule in rules.RULES if rule.on_hold}

    assert held == {
        "ship_to.is_recipient": date(2026, 7, 29), "ship_to.state_of_gstin": date(2026, 7, 29),
        "ship_to.gstin_missing": date(2026, 7, 29), "ship_to.pos": date(2023, 9, 1),
    }  # fmt: skip


def test_a_rule_that_comes_back_is_in_force_from_its_day() -> None:
    held = next(rule for rule in rules.RULES if rule.code == "ship_to.is_recipient")

    back = msgspec.structs.replace(held, on_hold=None, since=date(2027, 4, 1))

    assert not held.is_in_force(DAY, DAY)
    assert not back.is_in_force(date(2027, 3, 31), DAY)
    assert back.is_in_force(date(2027, 4, 1), DAY)


@pytest.mark.parametrize(("dated", "found"), [("20/09/2025", ["rate.unknown"]), ("21/09/2025", [])])
def test_a_rate_of_40_percent_goes_by_the_date_of_the_document(dated: str, found: list[str]) -> None:
    changes = {ONE + "GstRt": 40, ONE + "IgstAmt": 4000, ONE + "TotItemVal": 14000,
               "ValDtls.IgstVal": 4900, "ValDtls.TotInvVal": 19900}  # fmt: skip
    document = changed(BETWEEN, {"DocDtls.Dt": dated, **changes})

    assert [fault.code for fault in check(document, day=date(2025, 10, 1))] == found


def test_a_document_of_today_in_india_is_not_of_the_future() -> None:
    assert refusals(changed(WITHIN, {"DocDtls.Dt": "22/11/2026"})) == []


def test_four_digits_of_hsn_suffice_up_to_5_crore() -> None:
    document = changed(WITHIN, {"ItemList[0].HsnCd": "9403"})

    assert refusals(document, turnover_crore=Decimal(5)) == []


def test_a_developer_of_a_zone_supplies_with_igst_only() -> None:
    known = {"sez_gstins": frozenset({SELLER}), "sez_developers": frozenset({SELLER})}

    assert refusals(BETWEEN, **known) == []
    assert refusals(WITHIN, **known) == [
        ("tax.halves_between_states", "ItemList[0].CgstAmt"),
        ("tax.halves_between_states", "ItemList[1].CgstAmt"),
    ]


@pytest.mark.parametrize(
    ("document", "known", "codes"),
    [
        (SEZ_PAID, of_kind(NEIGHBOUR, "SEZ"), []),
        (SEZ_PAID, of_kind(NEIGHBOUR, "REG"), ["recipient.no_sez"]),
        (SEZ_PAID, of_kind(NEIGHBOUR, "COM"), ["recipient.no_sez"]),
        (SEZ_PAID, of_kind(NEIGHBOUR, "SED"), []),
        (SEZ_PAID, of_kind(NEIGHBOUR, "SEZD"), []),  # our own old word for a developer
        (SEZ_PAID, of_kind(NEIGHBOUR, "XYZ"), []),  # a type that no list has: not judged
        (BETWEEN, of_kind(CUSTOMER, "SEZ"), ["recipient.sez"]),
        (BETWEEN, of_kind(CUSTOMER, "SED"), ["recipient.sez"]),
        (BETWEEN, of_kind(CUSTOMER, "REG"), []),
        (BETWEEN, of_kind(SELLER, "SEZ"), ["supplier.sez_unit"]),
        (BETWEEN, of_kind(SELLER, "SED"), []),
        (WITHIN, of_kind(SELLER, "SED"), ["tax.halves_between_states"] * 2),
        (WITHIN, of_kind(SELLER, "SEZD"), ["tax.halves_between_states"] * 2),
        (SEZ_PAID, {"sez_developers": frozenset({NEIGHBOUR})}, []),
    ],
)
def test_who_is_in_a_zone_is_also_known_from_the_portals_details(
    document: Document, known: dict[str, Any], codes: list[str]
) -> None:
    assert [code for code, _ in refusals(document, **known)] == codes


@pytest.mark.parametrize("document", [SEZ_PAID, SEZ_UNPAID], ids=["with payment", "without"])
def test_a_recipient_known_to_be_in_a_zone_is_supplied_as_one(document: Document) -> None:
    assert refusals(document, sez_gstins=frozenset({NEIGHBOUR})) == []


@pytest.mark.parametrize(
    "known",
    [
        registered(NEIGHBOUR, Status.ACTIVE, since=date(2026, 11, 20)),
        registered(NEIGHBOUR, Status.SUSPENDED, since=date(2017, 7, 1)),
        registered(NEIGHBOUR, Status.CANCELLED, since=date(2017, 7, 1), until=date(2026, 11, 20)),
        registered(NEIGHBOUR, Status.PROVISIONAL),
        registered(CUSTOMER, Status.INACTIVE),
    ],
    ids=["active", "suspended", "cancelled later", "provisional", "another"],
)
def test_a_recipient_registered_on_the_date_of_the_document_may_be_supplied(known: dict[str, Any]) -> None:
    assert refusals(WITHIN, **known) == []


def test_a_pack_holds_the_rules_of_both_its_days_and_is_named_for_them() -> None:
    before, since = rules.pack(date(2025, 2, 5), date(2026, 1, 31)), rules.pack(DAY, DAY)

    added = {rule.code for rule in since.rules} - {rule.code for rule in before.rules}
    assert added == {
        "eway_bill.gold", "document.too_late", "tax.retail_price", "tax.tobacco_leaves", "hsn.retail_priced_short",
    }  # fmt: skip
    assert (before.name, since.name) == ("2025-01-01/2025-09-22", "2025-04-01/2026-02-01")


def test_a_pack_with_the_rules_on_hold_says_so_in_its_name() -> None:
    plain, held = rules.pack(DAY, DAY), rules.pack(DAY, DAY, held_rules=True)

    assert len(held.rules) == len(plain.rules) + 4
    assert held.name == plain.name + "+held"


def test_checking_again_asks_only_what_waiting_may_have_broken() -> None:
    document = changed(WITHIN, {"DocDtls.Dt": "23/10/2026", "DocDtls.No": "0"})
    facts = rules.Facts(day=DAY)

    faults = rules.pack(DAY, DAY).check_again(documents.read(document), facts)

    assert [fault.code for fault in faults] == ["document.too_late"]


# -- any number, any text --------------------------------------------------------------------------------------------

PLACES = [
    "TranDtls.SupTyp", "DocDtls.Dt", "SellerDtls.Gstin", "SellerDtls.Stcd", "BuyerDtls.Gstin", "BuyerDtls.Pos",
    "ItemList[0].HsnCd", "ItemList[0].Unit", "ItemList[0].SlNo", "ItemList[1].IsServc",
]  # fmt: skip


@given(place=st.sampled_from(PLACES), text=st.text(max_size=20))
def test_no_text_in_any_place_upsets_the_rules(place: str, text: str) -> None:
    faults = check(changed(WITHIN, {place: text}))

    assert all(fault.says and fault.code for fault in faults)


@given(place=st.sampled_from(["Qty", "UnitPrice", "TotAmt", "AssAmt", "GstRt", "CgstAmt", "TotItemVal"]),
       number=st.decimals())  # fmt: skip
def test_no_number_in_any_place_upsets_the_rules(place: str, number: Decimal) -> None:
    faults = check(changed(WITHIN, {f"ItemList[0].{place}": number}))

    assert all(fault.says and fault.code for fault in faults)


def test_a_party_of_another_registration_of_the_same_pan_is_no_supplier_of_itself() -> None:
    branch = SELLER[:12] + "2Z" + "B"
    document = changed(WITHIN, {"BuyerDtls": party(branch, Pos="29")})

    assert ("recipient.is_supplier", "BuyerDtls.Gstin") not in refusals(document)


def test_a_line_without_a_serial_number_is_called_by_its_place() -> None:
    unnumbered = changed(WITHIN, {"ItemList[1].SlNo": None, "ItemList[1].SgstAmt": Decimal("450.01")})

    says = [fault.says for fault in check(unnumbered) if fault.code == "tax.halves_unequal"]

    assert says == ["Line 2 has CGST of 450.00, but SGST of 450.01."]
