"""What is in doubt, and what people decide of it: have the portal asked now, or, after its memory, an admin's ways out.
Documents by their IRN; actions of their life, cancellations and e-way bills, by their number.

The rules are the store's (store/migrations/0007_doubt.sql); here is who may, in which words it is refused, and how a
document that somebody brings is proved: by its signature, and by saying what was sent.
"""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from http import HTTPStatus
from typing import Final, Literal

import msgspec

from irnflow.api import cursor, resources
from irnflow.api.endpoint import Call, Endpoint
from irnflow.api.problem import Place, Refused
from irnflow.errors import BadInput
from irnflow.gst import dates
from irnflow.portal.signature import BadSignature, UnknownKey, differences, proved, signed_data
from irnflow.portal.signing_keys import KeySet
from irnflow.portal.upload import read_texts
from irnflow.store import doubts
from irnflow.store.database import Database, Row
from irnflow.store.doubts import Decision, Signed, Times

BEGINNING: Final = cursor.Doubt(datetime.min.replace(tzinfo=UTC), "")
_NO_SUCH: Final = "The account has no document with this IRN; `irnflow doubts` lists what is in doubt."
_NO_SUCH_ACTION: Final = "The account has no such action; `irnflow doubts` lists those in doubt."


class Doubts:
    """The endpoints about what is in doubt, and their work for whoever else offers it."""

    def __init__(
        self,
        store: Database,
        *,
        now: Callable[[], datetime],
        times: Times,
        keys: Callable[[], KeySet],  # the portals' certificates, as they lie there now
    ) -> None:
        self._store = store
        self._now = now
        self._times = times
        self._keys = keys

    def endpoints(self) -> list[Endpoint]:
        one, action = "/api/v1/registrations/{irn}", "/api/v1/actions/{action_id}"
        return [
            Endpoint(
                method="GET", path="/api/v1/doubts", name="listDoubts",
                says="Documents whose answer was lost, the oldest first",
                handle=self.open, query=resources.Page, gives=resources.Doubts,
            ),
            Endpoint(
                method="POST", path=f"{one}/lookup", name="lookUp", says="Have the portal asked now",
                handle=self.look, gives=resources.Decided, status=HTTPStatus.ACCEPTED,
                problems=("unknown-irn", "not-in-doubt"),
            ),
            Endpoint(
                method="POST", path=f"{one}/resend", name="sendAgain",
                says="Send the identical document once more, after the portal's memory (admin)",
                handle=self.send_again, body=resources.Why, gives=resources.Decided, status=HTTPStatus.ACCEPTED,
                problems=("admin-only", "unknown-irn", "not-in-doubt", "too-early"),
            ),
            Endpoint(
                method="POST", path=f"{one}/document", name="bringDocument",
                says="Accept a document by the signed one that the portal gave out (admin)",
                handle=self.bring_document, body=resources.SignedDocument, gives=resources.Decided,
                problems=("admin-only", "unknown-irn", "not-in-doubt", "too-early", "not-proved", "document-differs"),
            ),
            Endpoint(
                method="POST", path=f"{action}/lookup", name="lookUpAction",
                says="Have the portal asked now how an action in doubt stands",
                handle=self.look_for_action, gives=resources.Decided, status=HTTPStatus.ACCEPTED,
                problems=("unknown-action", "not-in-doubt"),
            ),
            Endpoint(
                method="POST", path=f"{action}/decision", name="decideAction",
                says="Say how an action ended that is in doubt, after the portal's memory (admin)",
                handle=self.decide, body=resources.Ended, gives=resources.Decided,
                problems=("admin-only", "unknown-action", "not-in-doubt", "too-early", "bill-number"),
            ),
        ]  # fmt: skip

    async def open(self, call: Call) -> resources.Doubts:
        assert call.account
        page: resources.Page = call.query
        after = cursor.read(page.cursor, cursor.Doubt) if page.cursor else BEGINNING
        rows = await doubts.still_open(
            self._store, call.account.account_id, after=(after.sent_at, after.irn), most=page.limit + 1
        )
        last = rows[page.limit - 1] if len(rows) > page.limit else None
        return resources.Doubts(
            items=[doubt(row, self._now(), self._times) for row in rows[: page.limit]],
            next=cursor.write(cursor.Doubt(last["sent_at"], last["irn"])) if last else None,
        )

    async def look(self, call: Call) -> resources.Decided:
        return await self.look_at(self._wanted(call))

    async def send_again(self, call: Call) -> resources.Decided:
        _check_admin(call)
        return await self.resend(self._wanted(call))

    async def bring_document(self, call: Call) -> resources.Decided:
        _check_admin(call)
        return await self.accept(self._wanted(call), msgspec.json.encode(call.body.document))

    async def look_for_action(self, call: Call) -> resources.Decided:
        return await self.look_at_action(self._wanted(call))

    async def decide(self, call: Call) -> resources.Decided:
        _check_admin(call)
        return await self.end_action(self._wanted(call), done=call.body.done, ewb_no=call.body.ewb_no)

    def _wanted(self, call: Call) -> Decision:
        assert call.account
        return Decision(
            account_id=call.account.account_id, irn=call.path.get("irn", "").lower(),
            action_id=action_number(call.path.get("action_id", "0")), by=call.account.speaker,
            reason=call.body.reason if call.body else "", at=self._now(),
        )  # fmt: skip

    async def look_at(self, wanted: Decision) -> resources.Decided:
        """Have the portal asked as soon as that tells anything. Raises Refused."""
        return _decided(await doubts.look(self._store, wanted, self._times))

    async def look_at_action(self, wanted: Decision) -> resources.Decided:
        """Have the portal asked how an action stands, as soon as that tells anything. Raises Refused."""
        return _decided(await doubts.look_at_action(self._store, wanted, self._times), wanted.action_id)

    async def end_action(self, wanted: Decision, *, done: bool, ewb_no: str | None) -> resources.Decided:
        """End an action that no look-up settles. Raises Refused."""
        row = await doubts.decide_action(self._store, wanted, self._times, done=done, ewb_no=ewb_no)
        return _decided(row, wanted.action_id)

    async def resend(self, wanted: Decision) -> resources.Decided:
        """Let the identical document go once more. Raises Refused."""
        return _decided(await doubts.send_again(self._store, wanted, self._times))

    async def accept(self, wanted: Decision, content: bytes) -> resources.Decided:
        """Accept by its signed document what is in doubt. Raises Refused, saying what is not right with it."""
        sent = await doubts.sent(self._store, wanted.account_id, wanted.irn)
        if sent is None:
            raise Refused("unknown-irn", _NO_SUCH)
        if sent["state"] == "UNKNOWN" and sent["sent_at"] + self._times.window > self._now():
            raise _too_early(sent["sent_at"] + self._times.window)
        signed = self._proved(sent, content)
        return _decided(await doubts.bring_document(self._store, wanted, self._times, signed, attempt=sent["attempt"]))

    def _proved(self, sent: Row, content: bytes) -> Signed:
        """The document in `content`, when the portal signed it and it says what was sent. Raises Refused."""
        try:
            texts = read_texts(content, sent["irn"])
            document = proved(
                texts.invoice, texts.qr, self._keys(), irn=sent["irn"], gstin=sent["gstin"], typ=sent["doc_typ"],
                no=sent["doc_no"],
            )  # fmt: skip
            places = differences(bytes(sent["payload"]), signed_data(texts.invoice))
        except UnknownKey as error:
            says = f"It is signed with key {error}, whose certificate is not among those of the portal's signing keys."
            raise Refused("not-proved", says) from error
        except BadSignature as error:
            raise Refused("not-proved", f"It is not what the portal signed of this document: {error}.") from error
        except BadInput as error:
            raise Refused("not-proved", f"It can't be verified: {error}.") from error
        if places:
            raise Refused(
                "document-differs",
                "The portal has a document of this number with other contents; these places differ.",
                [
                    Place(
                        pointer="/document",
                        detail=f"{path}: {ours or 'nothing'} was sent, {theirs or 'nothing'} is signed.",
                    )
                    for path, ours, theirs in places
                ],
            )
        return Signed(
            ack_no=str(document.ack_no), ack_dt=document.ack_dt, signed_invoice=texts.invoice, signed_qr=texts.qr
        )


def _check_admin(call: Call) -> None:
    assert call.account
    if not call.account.admin:
        says = "This needs a key with the right of an admin: it decides what no look-up can."
        raise Refused("admin-only", says)


# What is said of a document that is not in doubt, by its state.
_SETTLED: Final = {
    "READY": "it waits to be sent",
    "INTENT": "its call is under way",
    "ACCEPTED": "it is registered",
    "REJECTED": "the portal has refused it",
    "CANCELLED": "it is cancelled",
    "WAITING": "it waits for its first half",
    "ENDED": "it is done",
    "FAILED": "it has failed",
}


def action_number(text: str) -> int:
    """Of an action; 0, which none has, for what can be no number of one."""
    return int(text) if text.isascii() and text.isdecimal() and len(text) < 19 else 0


def _decided(row: Row, action_id: int | None = None) -> resources.Decided:
    match row["outcome"]:
        case "DONE":
            return resources.Decided(at=row["due_at"])
        case "TOO_EARLY":
            raise _too_early(row["due_at"])
        case "NO_SUCH" if action_id is not None:
            raise Refused("unknown-action", _NO_SUCH_ACTION)
        case "BILL_NUMBER":
            says = "The number is said of an e-way bill that was made, and of nothing else: the portal's page shows it."
            raise Refused("bill-number", says)
        case "NO_SUCH":
            raise Refused("unknown-irn", _NO_SUCH)
        case state:
            raise Refused("not-in-doubt", f"Nothing is to be decided: {_SETTLED.get(state, state)}.")


def doubt(row: Row, at: datetime, times: Times) -> resources.Doubt:
    """A document in doubt as people see it: since when, why, and what comes next."""
    age = at - row["sent_at"]
    level: Literal["", "alarm", "page"] = "page" if age >= times.page else "alarm" if age >= times.alarm else ""
    return resources.Doubt(
        irn=row["irn"], gstin=row["gstin"], doc_typ=row["doc_typ"], doc_no=row["doc_no"], doc_dt=row["doc_dt"],
        portal=row["portal"], books=row["books"], voucher_id=row["voucher_id"], sent_at=row["sent_at"],
        age_s=int(age.total_seconds()), level=level, why=row["why"] or "", looked_at=row["looked_at"],
        found=row["found"] or "", decide_from=row["sent_at"] + times.window, next_look_at=row["next_at"],
        next=_next(row, age, times),
    )  # fmt: skip


def next_of_action(row: Row, at: datetime, times: Times) -> str:
    """What comes next for an action in doubt."""
    if at - row["sent_at"] >= times.window:
        return "Compare with the portal's page: an admin may say whether it is done."
    if row["not_done"]:
        return "The portal is asked once more; when it still is not done, it is asked for again."
    return "The portal is asked how it stands."


def _next(row: Row, age: timedelta, times: Times) -> str:
    if age >= times.window:
        return "An admin decides: send the identical document again, or bring the signed one from the portal."
    if row["not_there"]:
        return "The portal is asked once more; when it still is not there, it is sent again."
    return "The portal is asked what it has."


def _too_early(from_: datetime) -> Refused:
    says = f"The portal still remembers: look-ups decide until {dates.time_in_india(from_)}. Have it asked now instead."
    return Refused("too-early", says)
