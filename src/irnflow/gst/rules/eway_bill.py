"""Whether the e-way bill that is asked for with the invoice (EwbDtls) can be made.

All of these only warn: an invoice with a bad EwbDtls is registered all the same, and the portal tells the code of what
is wrong instead of the number of an e-way bill.
"""

import re
from collections.abc import Callable, Iterator
from datetime import date, timedelta
from typing import Final

from irnflow.gst import dates, gstin, pin, pos
from irnflow.gst.faults import Severity
from irnflow.gst.invoice import EwayBill
from irnflow.gst.rules.case import Case
from irnflow.gst.rules.row import ALWAYS, Finder, Place, Rule, at

_LIST: Final = "NIC error list, e-way bill"
_BUSINESS: Final = "NIC business validations of e-way bills; " + _LIST
_ROAD, _RAIL, _AIR, _SHIP = "1", "2", "3", "4"
_OVER_DIMENSIONAL: Final = "O"
_FURTHEST_WITHIN_A_PIN: Final = 100  # km

_OLDEST: Final = timedelta(days=180)
_OLDEST_SINCE: Final = date(2025, 1, 1)
_RAIL_SINCE: Final = date(2025, 1, 1)
_GOLD_SINCE: Final = date(2025, 2, 6)
_GOLD, _IMITATION_JEWELLERY = "71", "7117"

# P, station, ten digits: parcel way bill. F, station, nine digits: railway receipt. L, nine digits: leased wagon.
_RAIL_NUMBER: Final = re.compile(r"P[A-Z]{1,5}[0-9]{4}-?[0-9]{6}|F[A-Z]{1,5}[0-9]{9}|L[0-9]{9}")
# Letters of a state on the plate, old and new ones.
_PLATE: Final = "A[NPRS]|BR|C[GH]|D[DLN]|G[AJ]|H[PR]|J[HK]|K[AL]|L[AD]|M[HLNPZ]|NL|O[DR]|P[BY]|RJ|SK|T[GNRS]|U[AKP]|WB"
_VEHICLE: Final = re.compile(
    rf"(?:{_PLATE})[0-9]{{2}}[A-Z]{{0,3}}[0-9]{{4}}"  # KA011234, KA01A1234, KA01AB1234, KA01ABC1234
    rf"|(?:{_PLATE})[0-9]{{3}}[A-Z][0-9]{{4}}"  # KA123A1234
    r"|[A-Z]{3}[0-9]{4}"  # before 1989
    r"|[0-9]{2}BH[0-9]{4}[A-Z]{1,2}"  # of all India
    r"|DF[0-9A-Z]{5,13}|T[MR][0-9A-Z]{5,13}|[BN]P[0-9A-Z]{5,13}"  # defence, temporary, Bhutan and Nepal
)


def concerns(case: Case) -> bool:
    """Whether these rules can find anything: in an invoice that asks for an e-way bill."""
    return case.invoice.ewb_dtls is not None


def _asked(finds: Callable[[Case, EwayBill], Iterator[Place]]) -> Finder:
    """Of an invoice that asks for an e-way bill which its document can have."""

    def found(case: Case) -> Iterator[Place]:
        bill = case.invoice.ewb_dtls
        if bill is not None and not case.is_note and _has_goods(case):
            yield from finds(case, bill)

    return found


def _where(wrong: Callable[[Case, EwayBill], bool], path: str, *also_told: str) -> Finder:
    """One place, when it is wrong; the sentence may tell other fields of EwbDtls by their names."""

    def finds(case: Case, bill: EwayBill) -> Iterator[Place]:
        if wrong(case, bill):
            yield at(path, **{name: getattr(bill, name) for name in also_told})

    return _asked(finds)


def _has_goods(case: Case) -> bool:
    return any(line.item.is_servc != "Y" for line in case.lines)


def _of_a_note(case: Case) -> Iterator[Place]:
    if case.invoice.ewb_dtls is not None and case.is_note:
        yield at("EwbDtls", typ=case.document.typ)


def _of_services(case: Case) -> Iterator[Place]:
    if case.invoice.ewb_dtls is not None and not case.is_note and case.lines and not _has_goods(case):
        yield at("EwbDtls")


def _neither_mode_nor_transporter(case: Case, bill: EwayBill) -> bool:
    return not (bill.trans_mode or bill.trans_id or bill.veh_no or bill.trans_doc_no)


def _no_mode(case: Case, bill: EwayBill) -> bool:
    return not bill.trans_mode and bool(bill.veh_no or bill.trans_doc_no)


def _road_without_vehicle(case: Case, bill: EwayBill) -> bool:
    return bill.trans_mode == _ROAD and not bill.veh_no


def _road_without_vehicle_type(case: Case, bill: EwayBill) -> bool:
    return bill.trans_mode == _ROAD and not bill.veh_type


def _carried_without_number(case: Case, bill: EwayBill) -> bool:
    return bill.trans_mode in {_RAIL, _AIR} and not bill.trans_doc_no


def _carried_without_date(case: Case, bill: EwayBill) -> bool:
    return bill.trans_mode in {_RAIL, _AIR} and not bill.trans_doc_dt


def _shipped_without_either(case: Case, bill: EwayBill) -> bool:
    return bill.trans_mode == _SHIP and not bill.veh_no and not bill.trans_doc_no


def _shipped_regular(case: Case, bill: EwayBill) -> bool:
    return bill.trans_mode == _SHIP and bill.veh_type == "R"


def _over_dimensional_elsewhere(case: Case, bill: EwayBill) -> bool:
    return bill.trans_mode in {_RAIL, _AIR} and bill.veh_type == _OVER_DIMENSIONAL


def _old_document(case: Case, bill: EwayBill) -> Iterator[Place]:
    if case.dated is not None and case.facts.day - case.dated > _OLDEST:
        yield at("DocDtls.Dt", found=case.document.dt, days=(case.facts.day - case.dated).days)


def _other_rail_number(case: Case, bill: EwayBill) -> bool:
    number = bill.trans_doc_no
    return bill.trans_mode == _RAIL and bool(number) and not _RAIL_NUMBER.fullmatch(str(number).upper())


def _other_vehicle_number(case: Case, bill: EwayBill) -> bool:
    if (bill.trans_mode or _ROAD) != _ROAD or not bill.veh_no or "EwbDtls.VehNo" in case.ill:
        return False
    return not _VEHICLE.fullmatch(bill.veh_no.upper())


def _other_transporter_id(case: Case, bill: EwayBill) -> bool:
    if not bill.trans_id or "EwbDtls.TransId" in case.ill or case.facts.accept_sandbox_gstins:
        return False
    return not gstin.is_transporter_id(bill.trans_id)


def _gold(case: Case, bill: EwayBill) -> Iterator[Place]:
    """The first line of chapter 71, imitation jewellery apart."""
    for line in case.lines:
        code = line.item.hsn_cd or ""
        if code.startswith(_GOLD) and not code.startswith(_IMITATION_JEWELLERY):
            yield at(f"{line.path}HsnCd", found=code)
            return


def _transport_document(case: Case, bill: EwayBill) -> Iterator[Place]:
    dated = dates.parse(bill.trans_doc_dt or "")
    if dated is not None and dated > case.facts.day:
        yield at("EwbDtls.TransDocDt", found=bill.trans_doc_dt, day=dates.write(case.facts.day))


def _transport_before_document(case: Case, bill: EwayBill) -> Iterator[Place]:
    dated = dates.parse(bill.trans_doc_dt or "")
    if dated is not None and case.dated is not None and dated < case.dated:
        yield at("EwbDtls.TransDocDt", found=bill.trans_doc_dt, dated=case.document.dt)


def _ends(case: Case) -> tuple[int | None, int | None]:
    """PINs that the goods go from and to."""
    return case.dispatch.pin or case.seller.pin, case.ship.pin or case.buyer.pin


def _within_a_pin(case: Case) -> bool:
    start, end = _ends(case)
    return start is not None and start == end


def _no_distance_within_a_pin(case: Case, bill: EwayBill) -> bool:
    return bill.distance == 0 and _within_a_pin(case)


def _far_within_a_pin(case: Case, bill: EwayBill) -> bool:
    return bill.distance is not None and bill.distance > _FURTHEST_WITHIN_A_PIN and _within_a_pin(case)


def _no_distance_abroad(case: Case, bill: EwayBill) -> bool:
    given = {case.seller.pin, case.buyer.pin, case.dispatch.pin, case.ship.pin}
    return bill.distance == 0 and pin.ABROAD in given


def _export_without_ship_to(case: Case, bill: EwayBill) -> bool:
    return case.is_export and case.invoice.ship_dtls is None


def _warning(
    code: str, says: str, fix: str, fix_hi: str, finds: Finder, portal_code: str | None, source: str = _LIST,
    since: date = ALWAYS,
) -> Rule:  # fmt: skip
    return Rule(
        code=f"eway_bill.{code}",
        says=says,
        fix=fix,
        fix_hi=fix_hi,
        source=source,
        finds=finds,
        portal_code=portal_code,
        severity=Severity.WARNING,
        since=since,
    )


ROWS: Final = (
    _warning(
        "note",
        "There is no e-way bill for a document of type {typ}.",
        "Leave EwbDtls out; goods that come back travel on an e-way bill made by itself.",
        "EwbDtls हटा दें; लौटने वाले माल का ई-वे बिल अलग से बनता है।",
        _of_a_note,
        "4010",
        _BUSINESS,
    ),
    _warning(
        "services",
        "There is no e-way bill for services alone.",
        "Leave EwbDtls out, or correct the HSN of what is goods.",
        "EwbDtls हटा दें, या जो माल है उसका HSN ठीक करें।",
        _of_services,
        "4009",
        _BUSINESS,
    ),
    _warning(
        "document_old",
        "The document of {found} is {days} days old; the portal makes no e-way bill for one of more than 180 days.",
        "Leave EwbDtls out. Goods that move only now need a new document.",
        "EwbDtls हटा दें। जो माल अब भेजा जा रहा है उसके लिए नया दस्तावेज़ बनाएँ।",
        _asked(_old_document),
        "4043",
        "GSTN advisory of 17 December 2024 (copies of taxguru and IRIS)",
        _OLDEST_SINCE,
    ),
    _warning(
        "gold",
        "HSN {found} is of chapter 71 (gold, jewels), for which the portal makes no e-way bill.",
        "Leave EwbDtls out. Within Kerala, from 10 lakh rupees, make the e-way bill for gold on the e-way bill portal.",
        "EwbDtls हटा दें। केरल के भीतर 10 लाख रुपये से ऊपर के सोने का ई-वे बिल ई-वे बिल पोर्टल पर बनाएँ।",
        _asked(_gold),
        None,
        "GSTN advisory 581 of 6 February 2025; 7117, imitation jewellery, is not concerned",
        _GOLD_SINCE,
    ),
    _warning(
        "part_a",
        "The e-way bill has neither a transporter nor a mode of transport.",
        "Give the transporter's id (TransId) for part A only, or mode and vehicle for the whole.",
        "केवल भाग A के लिए ट्रांसपोर्टर की आईडी (TransId) दें, या पूरे बिल के लिए परिवहन का साधन और वाहन दें।",
        _where(_neither_mode_nor_transporter, "EwbDtls.TransId"),
        "4019",
        _BUSINESS,
    ),
    _warning(
        "mode",
        "A vehicle or transport document is given, but no mode of transport.",
        "Fill in TransMode: 1 road, 2 rail, 3 air, 4 ship.",
        "TransMode भरें: 1 सड़क, 2 रेल, 3 हवाई, 4 जहाज़।",
        _where(_no_mode, "EwbDtls.TransMode"),
        "4028",
    ),
    _warning(
        "vehicle",
        "Goods go by road, but there is no vehicle number.",
        "Fill in the vehicle number, or leave mode and vehicle to the transporter (TransId only).",
        "वाहन नंबर भरें, या साधन और वाहन ट्रांसपोर्टर पर छोड़ें (केवल TransId)।",
        _where(_road_without_vehicle, "EwbDtls.VehNo"),
        "4011",
        _BUSINESS,
    ),
    _warning(
        "vehicle_type",
        "Goods go by road, but the type of the vehicle isn't said.",
        "Fill in VehType: R regular, O over-dimensional cargo.",
        "VehType भरें: R सामान्य, O बड़े आकार का माल।",
        _where(_road_without_vehicle_type, "EwbDtls.VehType"),
        "4022",
        _BUSINESS,
    ),
    _warning(
        "vehicle_form",
        "{veh_no} is not a vehicle number as the e-way bill system takes it.",
        "Write the letters of the state, two digits of the district and four of the number: DL01AB0123 for DL1AB123. "
        "DF stands before a defence number, TM before a temporary one, BP and NP before those of Bhutan and Nepal.",
        "राज्य के अक्षर, ज़िले के दो अंक और नंबर के चार अंक लिखें: DL1AB123 के लिए DL01AB0123। रक्षा नंबर के आगे DF, "
        "अस्थायी के आगे TM, भूटान और नेपाल के नंबर के आगे BP और NP लिखें।",
        _where(_other_vehicle_number, "EwbDtls.VehNo", "veh_no"),
        "4014",
        "general master of the IRIS portal, 28 March 2023; advisory of March 2018 on vehicle numbers (copy of taxheal)",
    ),
    _warning(
        "transporter",
        "{trans_id} is not the id of a transporter: it has the form neither of a GSTIN nor of a TRANSIN.",
        "Give the transporter's GSTIN, or the 15 characters of its enrolment on the e-way bill portal (TRANSIN).",
        "ट्रांसपोर्टर का GSTIN दें, या ई-वे बिल पोर्टल पर नामांकन के 15 अक्षर (TRANSIN)।",
        _where(_other_transporter_id, "EwbDtls.TransId", "trans_id"),
        "4018",
        _LIST + "; the check character is not compared, since that of a TRANSIN may be wrong "
        "(india-compliance issues 1044, 2072)",
    ),
    _warning(
        "transport_number",
        "Goods go by rail or air, but there is no number of a transport document.",
        "Fill in the number of the railway receipt or airway bill.",
        "रेलवे रसीद या एयरवे बिल का नंबर भरें।",
        _where(_carried_without_number, "EwbDtls.TransDocNo"),
        "4012",
        _BUSINESS,
    ),
    _warning(
        "transport_date",
        "Goods go by rail or air, but the transport document has no date.",
        "Fill in the date of the railway receipt or airway bill.",
        "रेलवे रसीद या एयरवे बिल की तारीख भरें।",
        _where(_carried_without_date, "EwbDtls.TransDocDt"),
        "4023",
        _BUSINESS,
    ),
    _warning(
        "rail_number",
        "{trans_doc_no} is not a number of the railways as the e-way bill system takes it.",
        "Write P, the station and the ten digits of the parcel way bill (PNZM2020-307306), F, the station and the nine "
        "digits of the railway receipt (FSJWT123456789), or L and nine digits for a leased wagon (L123456789).",
        "P, स्टेशन कोड और पार्सल वे बिल के दस अंक (PNZM2020-307306), F, स्टेशन कोड और रेलवे रसीद के नौ अंक "
        "(FSJWT123456789), या लीज़ वैगन के लिए L और नौ अंक (L123456789) लिखें।",
        _where(_other_rail_number, "EwbDtls.TransDocNo", "trans_doc_no"),
        "4042",
        "GSTN advisories of 4 October, 18 and 23 December 2024; the portal's answer in india-compliance issue 3929 "
        "(26 January 2026)",
        _RAIL_SINCE,
    ),
    _warning(
        "ship",
        "Goods go by ship, but there is neither a vehicle nor a transport document.",
        "Fill in one of them: the vehicle number, or the number of the bill of lading.",
        "दोनों में से एक भरें: वाहन नंबर, या बिल ऑफ़ लेडिंग का नंबर।",
        _where(_shipped_without_either, "EwbDtls.TransDocNo"),
        "4040",
        _BUSINESS,
    ),
    _warning(
        "ship_type",
        "Goods go by ship, and the vehicle is said to be regular.",
        "Write O, over-dimensional cargo, or leave the type out.",
        "O (बड़े आकार का माल) लिखें, या प्रकार हटा दें।",
        _where(_shipped_regular, "EwbDtls.VehType"),
        "4039",
        _BUSINESS,
    ),
    _warning(
        "over_dimensional",
        "Over-dimensional cargo (O) goes by road or ship only; the mode is {trans_mode}.",
        "Correct the mode or the type of the vehicle.",
        "परिवहन का साधन या वाहन का प्रकार ठीक करें।",
        _where(_over_dimensional_elsewhere, "EwbDtls.VehType", "trans_mode"),
        "4024",
    ),
    _warning(
        "transport_future",
        "The transport document is dated {found}, after today, {day}.",
        "Correct its date.",
        "उसकी तारीख ठीक करें।",
        _asked(_transport_document),
        "4016",
    ),
    _warning(
        "transport_early",
        "The transport document is dated {found}, before the invoice of {dated}.",
        "Correct one of the two dates.",
        "दोनों में से एक तारीख ठीक करें।",
        _asked(_transport_before_document),
        "4021",
    ),
    _warning(
        "distance_none",
        "The goods stay within one PIN, for which the portal knows no distance, and 0 km are given.",
        "Give the distance, 1 to 100 km.",
        "दूरी दें, 1 से 100 कि.मी.।",
        _where(_no_distance_within_a_pin, "EwbDtls.Distance"),
        "4029",
        _BUSINESS,
    ),
    _warning(
        "distance_far",
        "The goods stay within one PIN, and {distance} km are given.",
        "Give the distance, 1 to 100 km, or correct one of the PINs.",
        "दूरी दें, 1 से 100 कि.मी., या एक PIN ठीक करें।",
        _where(_far_within_a_pin, "EwbDtls.Distance", "distance"),
        "4038",
        _BUSINESS,
    ),
    _warning(
        "distance_abroad",
        "One of the PINs is 999999, for which the portal knows no distance, and 0 km are given.",
        "Give the distance in India.",
        "भारत के भीतर की दूरी दें।",
        _where(_no_distance_abroad, "EwbDtls.Distance"),
        "4034",
    ),
    _warning(
        "export_ship_to",
        "The e-way bill of an export needs a ship-to address.",
        "Give the port or place in India that the goods leave from as ship-to address.",
        "भारत का वह बंदरगाह या स्थान जहाँ से माल निकलता है, माल पहुँचाने के पते में दें।",
        _where(_export_without_ship_to, "ShipDtls"),
        "4031",
    ),
    _warning(
        "ship_to_abroad",
        "An e-way bill ends in India, but the ship-to state is 96, other countries.",
        "Give the port or place in India that the goods leave from as ship-to address.",
        "भारत का वह बंदरगाह या स्थान जहाँ से माल निकलता है, माल पहुँचाने के पते में दें।",
        _where(lambda case, bill: case.ship.stcd == pos.OTHER_COUNTRIES, "ShipDtls.Stcd"),
        "4032",
    ),
    _warning(
        "ship_to_pin_abroad",
        "An e-way bill ends in India, but the ship-to PIN is 999999.",
        "Give the PIN of the port or place in India that the goods leave from.",
        "भारत के उस बंदरगाह या स्थान का PIN दें जहाँ से माल निकलता है।",
        _where(lambda case, bill: case.ship.pin == pin.ABROAD, "ShipDtls.Pin"),
        "4033",
    ),
    _warning(
        "dispatch_abroad",
        "An e-way bill starts in India, but the dispatch state is 96, other countries.",
        "Give the place in India that the goods are dispatched from.",
        "भारत का वह स्थान दें जहाँ से माल भेजा जाता है।",
        _where(lambda case, bill: case.dispatch.stcd == pos.OTHER_COUNTRIES, "DispDtls.Stcd"),
        "4035",
    ),
    _warning(
        "dispatch_pin_abroad",
        "An e-way bill starts in India, but the dispatch PIN is 999999.",
        "Give the PIN of the place in India that the goods are dispatched from.",
        "भारत के उस स्थान का PIN दें जहाँ से माल भेजा जाता है।",
        _where(lambda case, bill: case.dispatch.pin == pin.ABROAD, "DispDtls.Pin"),
        "4036",
    ),
)
