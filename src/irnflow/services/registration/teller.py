"""The teller: says what has become of each request, from the table, then marks it told.

Outcomes are told by whoever settled them; what was left untold by a crash, or is to be told again, is found here.
"""

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from typing import Final

import msgspec

from irnflow.errors import Transient
from irnflow.log import Named, transactions
from irnflow.messages import Detail, GenerationFailed, Message, Registered, State, StatusChanged, about, publication
from irnflow.patience import until
from irnflow.portal.signature import differences
from irnflow.services.registration import meaning
from irnflow.services.registration.parts import Parts
from irnflow.services.registration.result import Verdict
from irnflow.store.database import Row, queries

_SQL: Final = queries("registration")
TELL_LEASE: Final = timedelta(seconds=30)  # whoever settles tells; after that somebody else does
_MOST: Final = 200
WITHDRAWN: Final = "registration.withdrawn"  # people took it back before it was sent
_DISTRUSTED: Final = "The portal's answer is kept, and not believed: {why}. A person must look, and ask the portal."
_DISTRUSTED_FROM: Final = 10_000  # its statuses are numbered apart from those of lost answers

# What people read of a failure that the portal did not word: (says, fix), filled from the verdict.
_WORDS: Final = {
    "registration.number_used": (
        "The document number {number} is used by voucher {voucher}.",
        "Give this voucher a number of its own, then register it again.",
    ),
    "registration.renumbered": (
        "This voucher is at the portal under number {number} (IRN {irn}).",
        "Restore the number in the books, or cancel that e-invoice; one sale must not become two documents.",
    ),
    "portal.2278": (
        "The document number {number} belongs to a cancelled e-invoice and can never be used again.",
        "Give the voucher a new number, then register it again.",
    ),
    "registration.rejected_before": (
        "The portal has refused exactly this document before; it was not sent again.",
        "Mend what the faults name, then register it again.",
    ),
    "registration.differs": (
        "The portal has a document of this number with other contents (IRN {irn}).",
        "Compare the two; give the voucher a number of its own, or bring the books in line with what is registered.",
    ),
    "registration.elsewhere": (
        "The document number {number} is already registered at a portal that irnflow can't ask (IRN {irn}).",
        "If it is this sale, add that portal (docs/portals.md) and register it again; if not, give it its own number.",
    ),
    "registration.struck_off": (
        "Another portal had the document number {number} first; this registration was struck off (IRN {irn}).",
        "If it is this sale, take IRN and QR code from there; if not, give this voucher a number of its own.",
    ),
}


async def tell_forever(parts: Parts) -> None:
    """Tell what waits to be told: at arrival, after a crash, when the watchdog asks."""
    while True:
        now = parts.now()
        rows = await parts.database.fetch(_SQL["untold"], now, now + TELL_LEASE, _MOST)
        await tell(parts, rows)
        if len(rows) == _MOST:
            continue
        if await until(parts.to_tell, parts.idle_s):
            parts.to_tell.clear()


async def tell(parts: Parts, rows: Sequence[Row]) -> None:
    """Publish these outcomes, with confirm, then mark them told. What fails here is told by the next teller."""
    if not rows:
        return
    now = parts.now()
    try:
        said = [outcome(row, now) for row in rows]
        await parts.bus.publish([publication(message) for messages in said for message in messages])
        await parts.database.fetch(
            _SQL["told"],
            [row["batch_id"] for row in rows],
            [row["transaction_id"] for row in rows],
            [_told(row, messages) for row, messages in zip(rows, said, strict=True)],
            [row["tell_at"] for row in rows],
            now,
        )
    except Transient as error:
        parts.log.warning("outcomes could not be told yet", n=len(rows), error=str(error))
        return
    parts.log.info("told", n=len(rows), transactions=states_told(said))


def states_told(said: Iterable[Sequence[Message]]) -> Named:
    """The transactions and states of these messages, for the log."""
    return transactions(
        (message.status, message.account_id, message.batch_no, message.transaction_id)
        for messages in said
        for message in messages
        if isinstance(message, StatusChanged)
    )


def _told(row: Row, messages: Sequence[Message]) -> str:
    """Which outcome that was. A document may be registered, and the request refused: it had other contents.

    READY says that nothing of it was sent.
    """
    if any(isinstance(message, StatusChanged) and message.status is State.WITHDRAWN for message in messages):
        return "READY"
    return "REJECTED" if any(isinstance(message, GenerationFailed) for message in messages) else str(row["state"])


def outcome(row: Row, at: datetime) -> list[Message]:
    """What is said of one request, by the state of its document and by its own verdict."""
    if row["verdict"] is not None:
        verdict = msgspec.json.decode(row["verdict"], type=Verdict)
        return (
            [_status(row, State.WITHDRAWN, at, Detail())] if verdict.cause == WITHDRAWN else _refused(row, verdict, at)
        )
    if row["state"] == "ACCEPTED":
        places = differences(bytes(row["payload"]), bytes(row["current_payload"])) if row["payload"] else []
        if places:
            return _refused(row, meaning.differing(places, irn=row["irn"], number=row["doc_no"]), at)
        return _registered(row, at)
    if row["state"] == "UNKNOWN" and row["verified"] is False:
        detail = Detail(says=_DISTRUSTED.format(why=row["distrust"]), irn=row["irn"])
        return [_status(row, State.IN_DOUBT, at, detail, n=_DISTRUSTED_FROM + row["sends"])]
    if row["state"] == "UNKNOWN":
        detail = Detail(says="The portal's answer was lost; it is being asked what it has.", irn=row["irn"])
        return [_status(row, State.IN_DOUBT, at, detail, n=row["sends"])]
    if row["state"] == "CANCELLED":
        return [_status(row, State.CANCELLED, at, Detail(irn=row["irn"]))]
    return []  # on its way again: nothing to say until it has come to something


def _registered(row: Row, at: datetime) -> list[Message]:
    says = "" if row["verified"] else "Registered; the portal's signature could not be checked yet."
    n = 0 if row["verified"] else 1  # when its key has come it is told once more, as verified
    ack_dt = row["ack_dt"] or ""
    return [
        Registered(
            **about(row), read_digest=row["read_digest"], irn=row["irn"], ack_no=row["ack_no"] or "", ack_dt=ack_dt,
            signed_qr=row["signed_qr"] or "",
        ),
        _status(row, State.GENERATION_SUCCESS, at,
                Detail(says=says, irn=row["irn"], ack_no=row["ack_no"] or "", ack_dt=ack_dt), n=n),
    ]  # fmt: skip


def _refused(row: Row, verdict: Verdict, at: datetime) -> list[Message]:
    says, fix = _words(verdict)
    failed = GenerationFailed(
        **about(row), at=at, cause=verdict.cause, says=says, fix=fix, faults=verdict.faults, irn=row["irn"]
    )
    detail = Detail(says=says, fix="" if verdict.faults else fix, irn=row["irn"], faults=verdict.faults)
    # What was told as generated can't go back; where the books have not answered, that is what fails.
    state = State.BOOKS_FAILED if verdict.was_registered else State.GENERATION_FAILED
    return [failed, _status(row, state, at, detail)]


def _words(verdict: Verdict) -> tuple[str, str]:
    if verdict.cause in _WORDS:
        says, fix = _WORDS[verdict.cause]
        return says.format(number=verdict.number, voucher=verdict.voucher, irn=verdict.irn), fix
    says = "; ".join(f"{fault.portal_code}: {fault.says}" for fault in verdict.faults)
    fix = " ".join(dict.fromkeys(fault.fix for fault in verdict.faults if fault.fix))
    return says or "The portal refused it without a reason.", fix


def _status(row: Row, state: State, at: datetime, detail: Detail, *, n: int = 0) -> StatusChanged:
    return StatusChanged(**about(row), status=state, at=at, detail=detail, n=n)
