"""What is said of an action, to each request that shares the document.

A cancellation that is done is said twice: at once as the status Cancelled, and to the books as a `Registered` that is
cancelled, whose answer is the same status with the number of this telling. All else is a status of the IRN, which
stands as generated: it moves nothing, and is in the voucher's history.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Final

import msgspec

from irnflow.errors import Transient
from irnflow.messages import Detail, Message, Registered, State, StatusChanged, about, publication
from irnflow.services.registration.lifecycle.action import Kind
from irnflow.services.registration.parts import Parts
from irnflow.services.registration.teller import states_told
from irnflow.store.database import Row, queries
from irnflow.store.lifecycle import REASONS, Cancellation

_SQL: Final = queries("lifecycle")
_DOING: Final = {
    Kind.CANCEL: "The IRN could not be cancelled",
    Kind.EWAY_BILL: "It has no e-way bill",
    Kind.EWAY_BILL_CANCEL: "The e-way bill could not be cancelled",
    Kind.EWAY_BILL_FETCH: "The portal did not say which e-way bill it has",
}
_IN_DOUBT: Final = {
    Kind.CANCEL: "The answer to its cancellation was lost; the portal is being asked how it stands.",
    Kind.EWAY_BILL: "The answer to its e-way bill was lost; the portal is being asked whether there is one.",
    Kind.EWAY_BILL_CANCEL: "The answer to the cancellation of its e-way bill was lost; the portal is being asked.",
}


async def tell(parts: Parts, rows: Sequence[Row]) -> None:
    """Publish what these actions came to, with confirm, then mark them told. What fails here is told later."""
    if not rows:
        return
    now = parts.now()
    try:
        messages = [said(row, now) for row in rows]
        await parts.bus.publish([publication(message) for of_row in messages for message in of_row])
        columns = ([row[name] for row in rows] for name in ("action_id", "telling", "tell_at"))
        await parts.database.fetch(_SQL["told"], *columns, now)
    except Transient as error:
        parts.log.warning("actions could not be told yet", n=len(rows), error=str(error))
        return
    parts.log.info("actions told", n=len(rows), transactions=states_told(messages))


def said(row: Row, at: datetime) -> list[Message]:
    """What one request is told of one action."""
    kind = Kind(row["kind"])
    if row["state"] == "DONE" and kind is Kind.CANCEL:
        return _cancelled(row, at)
    detail = Detail(
        says=_says(row, kind), irn=row["irn"], ack_no=row["ack_no"] or "", ack_dt=row["ack_dt"] or "",
        ewb_no=row["ewb_no"] or "",
    )  # fmt: skip
    return [_status(row, State.GENERATION_SUCCESS, at, detail, n=row["telling"])]


def _cancelled(row: Row, at: datetime) -> list[Message]:
    answer = msgspec.json.decode(row["answer"] or "{}")
    when = answer.get("cancelled_at")
    why = msgspec.json.decode(row["request"], type=Cancellation)
    on = f" on {when}" if when else ""
    says = f"Cancelled at the portal{on}: {REASONS[why.reason]} ({why.remark})."
    return [
        _status(row, State.CANCELLED, at, Detail(says=says, irn=row["irn"])),
        Registered(
            **about(row), read_digest=row["read_digest"], irn=row["irn"], ack_no=row["ack_no"] or "",
            ack_dt=row["ack_dt"] or "", signed_qr=row["signed_qr"] or "", cancelled=True, telling=row["telling"],
        ),
    ]  # fmt: skip


def _says(row: Row, kind: Kind) -> str:
    if row["state"] == "FAILED":
        return f"{_DOING[kind]}: {row['says']}" + (f" {row['fix']}" if row["fix"] else "")
    if row["state"] != "DONE":
        return _IN_DOUBT.get(kind, "")
    if kind is Kind.EWAY_BILL_CANCEL:
        return f"E-way bill {row['ewb_no']} is cancelled."
    if row["ewb_no"] is None:
        return str(row["says"])
    till = f"valid till {row['valid_till']}" if row["valid_till"] else "Part A only: the goods may not move yet"
    return f"E-way bill {row['ewb_no']}, {till}." + (f" {row['distance']}." if row["distance"] else "")


def _status(row: Row, state: State, at: datetime, detail: Detail, *, n: int = 0) -> StatusChanged:
    return StatusChanged(**about(row), status=state, at=at, detail=detail, n=n)
