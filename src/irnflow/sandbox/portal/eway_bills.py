"""E-way bills: with an invoice or later by its IRN, looked up, cancelled.

Each portal goes with an e-way bill portal: NIC1 with the first, NIC2 with the second (since 1 July 2025). They share
the bills; only the one that issued a bill's number cancels it.
"""

import base64
import re
from datetime import timedelta
from typing import Any, Final

from irnflow.sandbox.codes import error, refuse_any, refused
from irnflow.sandbox.portal.exchange import Request
from irnflow.sandbox.portal.office import Office, is_theirs
from irnflow.sandbox.protocol import (
    IST,
    accepted,
    action_in,
    encrypt,
    ist,
    members,
    payload_in,
    to_json,
    wrapped_payload_in,
)  # fmt: skip
from irnflow.sandbox.register import Entry, EwayBill
from irnflow.sandbox.sessions import Session
from irnflow.sandbox.shape import as_eway_bill, misshapes_of
from irnflow.sandbox.signing import content_of
from irnflow.sandbox.transport import Journey, journey_of, troubles

Infos = list[dict[str, Any]]
Errors = list[dict[str, str]]

_NUMBER: Final = re.compile(r"[0-9]{12}")
_CANCEL_REASONS: Final = {"1", "2", "3", "4"}  # duplicate, order cancelled, data entry mistake, others
_REMARK_LENGTH_MAX: Final = 50

# -- make ------------------------------------------------------------------------------------------------------------


def make_with_invoice(office: Office, request: Request, entry: Entry, document: dict[str, Any]) -> Infos:
    """The bill that a document asks for. An IRN whose bill fails still succeeds: EWBERR says why there is none."""
    details = document.get("EwbDtls")
    if not details:
        return []
    journey = _journey(office, request, document, details)
    failure = office.switches.next_failure(
        "eway_bill_with_invoice", gstin=request.header("gstin"), portal=request.portal
    )  # fmt: skip
    found = [error(failure.code or "4001")] if failure else _refusals(office, entry, journey)
    if found:
        return [*_about_distance(journey), {"InfCd": "EWBERR", "Desc": found}]
    _made(office, request, entry, journey)
    return _about_distance(journey)


def make(office: Office, request: Request) -> bytes:
    """The bill of a document that is registered."""
    session = office.session_of(request)
    plain = as_eway_bill(payload_in(request.body, session.sek))
    entry = _active_entry(office, request, session, plain.get("Irn"))
    refuse_any(_misshapen_places(plain))
    journey = _journey(office, request, content_of(entry.signed_invoice), plain)
    refuse_any(_refusals(office, entry, journey))
    bill = _made(office, request, entry, journey)
    return accepted(encrypt(session.sek, to_json(told(bill))), _about_distance(journey))


def _misshapen_places(plain: dict[str, Any]) -> Errors:
    """ExpShipDtls is a ShipDtls without a name."""
    ship_to = plain.get("ExpShipDtls")
    if isinstance(ship_to, dict):
        ship_to = {"LglNm": "as registered"} | ship_to
    places = (("ShipDtls", ship_to), ("DispDtls", plain.get("DispDtls")))
    return [each for section, place in places for each in misshapes_of(section, place)]


def _active_entry(office: Office, request: Request, session: Session, irn: Any) -> Entry:
    if not irn or not isinstance(irn, str):
        raise refused("4006")
    entry = office.register.by_irn(irn.lower(), request.portal_meant)
    if not entry:
        raise refused("4003")
    if not is_theirs(entry, session, request):
        raise refused("4037")
    if entry.status != "ACT":
        raise refused("4000")
    return entry


def _journey(office: Office, request: Request, document: dict[str, Any], details: dict[str, Any]) -> Journey:
    return journey_of(
        document,
        details,
        today=request.now.astimezone(IST).date(),
        taxpayers=office.taxpayers,
        distances=office.switches.state.pin_distances,
    )


def _refusals(office: Office, entry: Entry, journey: Journey) -> Errors:
    return _double(office, entry) or troubles(journey, held_rules=office.switches.state.held_rules)


def _double(office: Office, entry: Entry) -> Errors:
    """4002: this IRN has a bill. 4026: the document has one, through the other portal."""
    bill = office.register.active_bill_of(entry.irn)
    if not bill:
        return []
    return [error("4002")] if bill.portal == entry.portal else [error("4026", str(bill.ewb_no))]


def _made(office: Office, request: Request, entry: Entry, journey: Journey) -> EwayBill:
    made_at = request.now.replace(microsecond=0)
    bill = EwayBill(
        ewb_no=office.register.next_ewb_no(request.portal),
        portal=entry.portal,
        irn=entry.irn,
        gstin=request.header("gstin"),
        made_at=made_at,
        valid_till=journey.valid_till(made_at),
    )
    office.register.add_bill(bill)
    return bill


def _about_distance(journey: Journey) -> Infos:
    """What the portal took where 0 was given."""
    if journey.distance_given or not journey.distance_known:
        return []
    return [{"InfCd": "EWBPPD", "Desc": f"Pin-Pin calc distance: {journey.distance_known}KM"}]


# -- look up ---------------------------------------------------------------------------------------------------------


def by_irn(office: Office, request: Request) -> bytes:
    """The bill of an IRN, also a cancelled one."""
    session = office.session_of(request)
    entry = office.register.by_irn(request.path["irn"].lower(), request.portal_meant)
    if not entry:
        raise refused("4003")
    if not is_theirs(entry, session, request):
        raise refused("4037")
    bill = office.register.last_bill_of(entry.irn)
    if not bill:
        raise refused("4005")
    data = {"EwbNo": bill.ewb_no, "Status": bill.status, "GenGstin": bill.gstin} | told(bill)
    return accepted(encrypt(session.sek, to_json(data)))


def told(bill: EwayBill | None) -> dict[str, Any]:
    """Number and times; null where there is no bill."""
    return {
        "EwbNo": bill.ewb_no if bill else None,
        "EwbDt": ist(bill.made_at) if bill else None,
        "EwbValidTill": ist(bill.valid_till) if bill and bill.valid_till else None,
    }


# -- cancel ----------------------------------------------------------------------------------------------------------


def cancel(office: Office, request: Request) -> bytes:
    """CANEWB, in the e-way bill system's own words, which may come as base64 inside the cipher, and go back so."""
    session = office.session_of(request)
    action = request.asked("action") or action_in(request.body)
    if action.strip().upper() != "CANEWB":
        raise refused("4006")
    plain, wrapped = wrapped_payload_in(request.body, session.sek)
    number, reason, remark = _cancellation_in(plain)
    bill = office.register.bill(number)
    if not bill:
        raise refused("4007")
    if office.register.issuer_of(number) != request.portal:  # only who issued it cancels it; the code is our guess
        raise refused("312")
    if bill.gstin != session.gstin or bill.cancelled_at:
        raise refused("312")
    if request.now - bill.made_at > timedelta(seconds=office.limits.eway_bill_cancel_s):
        raise refused("315")

    office.register.cancel_bill(number, at=request.now, reason=reason, remark=remark)
    date = request.now.astimezone(IST).strftime("%d/%m/%Y %I:%M:%S %p")
    text = to_json({"ewayBillNo": number, "cancelDate": date})
    return accepted(encrypt(session.sek, base64.b64encode(text) if wrapped else text))


def _cancellation_in(plain: dict[str, Any]) -> tuple[int, str, str | None]:
    number, reason, remark = members(plain, "ewbNo", "cancelRsnCode", "cancelRmrk")
    if not _NUMBER.fullmatch(str(number)):
        raise refused("4008")
    if str(reason) not in _CANCEL_REASONS:
        raise refused("307")
    if remark is not None and (not isinstance(remark, str) or len(remark) > _REMARK_LENGTH_MAX):
        raise refused("308")
    return int(str(number)), str(reason), remark
