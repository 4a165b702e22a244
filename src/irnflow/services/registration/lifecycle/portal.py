"""What each kind of action says to the portal, and how its answers read. No store, no states.

`ask` makes the call and `read` its answer; `look` asks how things stand and `stands` reads that. Raises what the portal
client raises: NotSent, NotDone, Lost; Lost too where an answer is not about what was asked.
"""

from collections.abc import Awaitable, Callable, Mapping
from datetime import datetime
from enum import Enum
from typing import Any, Final, TypeVar

import msgspec

from irnflow.portal.client import Answer, Credentials, Lost, Portal, Session, read_document
from irnflow.portal.envelope import Info
from irnflow.services.registration.lifecycle.action import Kind, Leased

Given = Mapping[str, str | None]  # what the portal gave, in our words
Call = Callable[[Portal, Credentials, Session, Leased], Awaitable[Answer]]
T = TypeVar("T")

NO_BILL: Final = frozenset({"4005", "4007"})  # the portal knows the IRN, and no e-way bill of it


class Stands(Enum):
    """How things stand at the portal."""

    DONE = "as the action wants it"
    NOT_DONE = "as before the action"
    REJECTED = "the IRN has lost to another portal's"
    UNSAID = "the portal doesn't say"


class Talk(msgspec.Struct, frozen=True, kw_only=True):
    """How one kind of action is spoken of with the portal."""

    ask: Call
    read: Callable[[Leased, Answer], Given]
    look: Call
    stands: Callable[[Leased, Answer], tuple[Stands, Given]]
    perhaps_done: frozenset[str]  # refusals that may mean that it is done: a look-up tells


# -- cancel an IRN ---------------------------------------------------------------------------------------------------


async def _cancel(portal: Portal, credentials: Credentials, session: Session, leased: Leased) -> Answer:
    reason, remark = str(leased.request["reason"]), leased.request["remark"]
    return await portal.cancel(credentials, session, irn=leased.irn, reason=reason, remark=remark)


class _Cancelled(msgspec.Struct, frozen=True, rename="pascal"):
    irn: str
    cancel_date: str


def _cancelled(leased: Leased, answer: Answer) -> Given:
    cancelled = _read(answer, _Cancelled)
    if cancelled.irn.lower() != leased.irn:
        raise Lost(f"the portal answered about IRN {cancelled.irn}")
    return {"cancelled_at": cancelled.cancel_date}


async def _document(portal: Portal, credentials: Credentials, session: Session, leased: Leased) -> Answer:
    return await portal.by_irn(credentials, session, leased.irn)


def _document_stands(leased: Leased, answer: Answer) -> tuple[Stands, Given]:
    if not answer.ok:
        return Stands.UNSAID, {}
    document = read_document(answer.data)
    if document.irn.lower() != leased.irn:
        raise Lost(f"the portal answered about IRN {document.irn}")
    stands = {"CNL": Stands.DONE, "ACT": Stands.NOT_DONE, "REJ": Stands.REJECTED}
    return stands.get(document.status or "", Stands.UNSAID), {}


# -- e-way bills -----------------------------------------------------------------------------------------------------

# EwbDtls, ExpShipDtls and DispDtls of the portal, by our words (domain.md section 1.4).
_DETAILS: Final = {
    "transporter_id": "TransId", "transporter_name": "TransName", "transport_mode": "TransMode", "distance": "Distance",
    "transport_document_number": "TransDocNo", "transport_document_date": "TransDocDt", "vehicle_number": "VehNo",
    "vehicle_type": "VehType",
}  # fmt: skip
_PLACES: Final = {"ship_to": "ExpShipDtls", "dispatch_from": "DispDtls"}
_ADDRESS: Final = {
    "gstin": "Gstin", "name": "Nm", "address_1": "Addr1", "address_2": "Addr2", "place": "Loc", "pin": "Pin",
    "state": "Stcd",
}  # fmt: skip


def details(request: Mapping[str, Any]) -> dict[str, Any]:
    """The portal's words for what is asked of an e-way bill."""
    said = {name: request[ours] for ours, name in _DETAILS.items() if request.get(ours) is not None}
    for ours, name in _PLACES.items():
        if place := request.get(ours):
            said[name] = {inv: place[word] for word, inv in _ADDRESS.items() if place.get(word) is not None}
    return said


def in_our_words(section: Mapping[str, Any]) -> dict[str, Any]:
    """The same of an invoice's EwbDtls."""
    return {ours: section[name] for ours, name in _DETAILS.items() if section.get(name) is not None}


async def _make(portal: Portal, credentials: Credentials, session: Session, leased: Leased) -> Answer:
    return await portal.eway_bill(credentials, session, leased.irn, details(leased.request))


class Bill(msgspec.Struct, frozen=True, rename="pascal"):
    """An e-way bill, as generate, make and look-up give it."""

    ewb_no: int | str | None = None
    ewb_dt: str | None = None
    ewb_valid_till: str | None = None
    status: str | None = None  # ACT or CNL; the look-up only


def given(bill: Bill, infos: tuple[Info, ...] = ()) -> Given:
    """In our words; EWBPPD says which distance the portal took."""
    said = next((info.desc for info in infos if info.code == "EWBPPD"), None)
    return {
        "ewb_no": str(bill.ewb_no), "made_at": bill.ewb_dt, "valid_till": bill.ewb_valid_till,
        "distance": str(said) if said else None, "status": bill.status,
    }  # fmt: skip


def _made(leased: Leased, answer: Answer) -> Given:
    bill = _read(answer, Bill)
    if not bill.ewb_no:
        raise Lost("the portal's answer names no e-way bill")
    return given(bill, answer.infos)


async def _bill(portal: Portal, credentials: Credentials, session: Session, leased: Leased) -> Answer:
    return await portal.eway_bill_of(credentials, session, leased.irn)


def _bill_stands(leased: Leased, answer: Answer) -> tuple[Stands, Given]:
    """Whether there is a bill that isn't cancelled."""
    if not answer.ok:
        return (Stands.NOT_DONE if _all_in(answer, NO_BILL) else Stands.UNSAID), {}
    bill = _read(answer, Bill)
    if bill.status == "CNL" or not bill.ewb_no:
        return Stands.NOT_DONE, {}
    return Stands.DONE, given(bill)


async def _cancel_bill(portal: Portal, credentials: Credentials, session: Session, leased: Leased) -> Answer:
    reason, remark = str(leased.request["reason"]), leased.request["remark"]
    return await portal.cancel_eway_bill(
        credentials, session, ewb_no=leased.ewb_no or "", reason=reason, remark=remark
    )  # fmt: skip


class _BillCancelled(msgspec.Struct, frozen=True, rename="camel"):
    eway_bill_no: int | str
    cancel_date: str


def _bill_cancelled(leased: Leased, answer: Answer) -> Given:
    cancelled = _read(answer, _BillCancelled)
    if str(cancelled.eway_bill_no) != leased.ewb_no:
        raise Lost(f"the portal answered about e-way bill {cancelled.eway_bill_no}")
    return {"cancelled_at": _iso(cancelled.cancel_date)}


def _cancelled_bill_stands(leased: Leased, answer: Answer) -> tuple[Stands, Given]:
    """Whether our bill is cancelled: it says so, or a newer one has taken its place."""
    if not answer.ok:
        return Stands.UNSAID, {}
    bill = _read(answer, Bill)
    if bill.status == "CNL" or str(bill.ewb_no) != leased.ewb_no:
        return Stands.DONE, {}
    return (Stands.NOT_DONE if bill.status == "ACT" else Stands.UNSAID), {}


def _iso(date: str) -> str:
    """The e-way bill system's dd/mm/yyyy hh:mm:ss AM as the other times are."""
    try:
        return datetime.strptime(date, "%d/%m/%Y %I:%M:%S %p").strftime("%Y-%m-%d %H:%M:%S")  # noqa: DTZ007 (IST)
    except ValueError:
        return date


def _fetched(leased: Leased, answer: Answer) -> Given:
    bill = _read(answer, Bill)
    return given(bill) if bill.ewb_no else {}


def _read(answer: Answer, kind: type[T]) -> T:
    try:
        return msgspec.json.decode(answer.data, type=kind)
    except msgspec.MsgspecError as error:
        raise Lost(f"the portal's answer can't be read: {error}") from error


def _all_in(answer: Answer, codes: frozenset[str]) -> bool:
    return bool(answer.errors) and all(said.code in codes for said in answer.errors)


TALKS: Final[Mapping[Kind, Talk]] = {
    Kind.CANCEL: Talk(
        ask=_cancel, read=_cancelled, look=_document, stands=_document_stands,
        perhaps_done=frozenset({"9999", "2302"}),  # the invoice is not active
    ),
    Kind.EWAY_BILL: Talk(
        ask=_make, read=_made, look=_bill, stands=_bill_stands,
        perhaps_done=frozenset({"4002", "4026", "604"}),  # there is one already
    ),
    Kind.EWAY_BILL_CANCEL: Talk(
        ask=_cancel_bill, read=_bill_cancelled, look=_bill, stands=_cancelled_bill_stands,
        perhaps_done=frozenset({"312", "280", "343"}),  # cancelled, or (312) not the caller's
    ),
    Kind.EWAY_BILL_FETCH: Talk(
        ask=_bill, read=_fetched, look=_bill, stands=_bill_stands, perhaps_done=frozenset(),
    ),
}  # fmt: skip
