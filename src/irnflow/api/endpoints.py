"""What irn_service answers: batches in, and where they stand; the worklist and its retries; codes; GSTINs; sessions."""

import re
from collections.abc import Callable, Sequence
from datetime import datetime
from http import HTTPStatus
from typing import Any, Final

import msgspec
from starlette.responses import Response
from structlog.typing import FilteringBoundLogger

from irnflow.api import cursor, resources
from irnflow.api.auth import set_cookie
from irnflow.api.documents import Documents
from irnflow.api.doubts import Doubts
from irnflow.api.endpoint import Call, Endpoint
from irnflow.api.gstins import GstinDesk
from irnflow.api.irns import Irns
from irnflow.api.problem import Place, Refused
from irnflow.api.steering import Steering
from irnflow.books.catalogue import Source
from irnflow.gst.portal_codes import PortalCode, catalogue, near, portal_code
from irnflow.log import logger
from irnflow.messages import State
from irnflow.portal.several import Families
from irnflow.portal.signing_keys import KeySet
from irnflow.store import accounts, batches, failures
from irnflow.store.accounts import SESSION_LIFETIME, Account
from irnflow.store.database import Database, Row
from irnflow.store.doubts import Times
from irnflow.store.lifecycle import Windows
from irnflow.store.secrets import KeyRing

SHOWN_MOST: Final = 5  # ids that a sentence names
_CODE_SHOWN: Final = 100  # characters of an unknown code that a sentence repeats


class Api:
    """The endpoints over one store."""

    def __init__(
        self,
        store: Database,
        *,
        now: Callable[[], datetime],
        took_in: Callable[[], object],  # called when there is something new to release
        websocket_url: str = "",
        key: KeyRing | None = None,  # of the secrets at rest; None: takes no credentials
        families: Families = Families(of={}, preferred="NIC1"),  # noqa: B008 (it is frozen)
        books: Callable[[], Sequence[Source]] = tuple,  # those that files can be taken into
        times: Times = Times(),  # noqa: B008 (it is frozen)
        windows: Windows = Windows(),  # noqa: B008 (likewise)
        keys: Callable[[], KeySet] = dict,  # the portals' certificates
        log: FilteringBoundLogger = logger("irn_service"),  # noqa: B008 (it is a proxy)
    ) -> None:
        self._gstins = GstinDesk(store, key=key, families=families)
        self._books = books
        self._doubts = Doubts(store, now=now, times=times, keys=keys)
        self._irns = Irns(store, now=now, windows=windows)
        self._store = store
        self._now = now
        self._took_in = took_in
        self._websocket_url = websocket_url or None
        self._log = log

    def endpoints(self) -> list[Endpoint]:
        """All of them, in the order of the document."""
        batch = "/api/v1/batches/{batch_no}"
        return [
            Endpoint(
                method="POST", path="/api/v1/batches", name="submitBatch", says="Take in vouchers as a batch",
                handle=self.submit, body=resources.Submit, gives=resources.Accepted, status=HTTPStatus.ACCEPTED,
                idempotent=True,
                problems=("duplicate-ids", "unknown-books", "books-not-named", "batch-no-taken"),
            ),
            Endpoint(
                method="GET", path="/api/v1/batches", name="listBatches", says="Batches, newest first",
                handle=self.batches, query=resources.Page, gives=resources.Batches,
            ),
            Endpoint(
                method="GET", path=batch, name="getBatch", says="One batch and where it stands",
                handle=self.batch, gives=resources.Batch, problems=("unknown-batch",),
            ),
            Endpoint(
                method="GET", path=f"{batch}/transactions", name="listTransactions",
                says="The vouchers of a batch, in the order of the request",
                handle=self.transactions, query=resources.TransactionPage, gives=resources.Transactions,
                problems=("unknown-batch",),
            ),
            Endpoint(
                method="GET", path=f"{batch}/history", name="getHistory", says="All that happened to one voucher",
                handle=self.history, query=resources.OneTransaction, gives=resources.History,
                problems=("unknown-batch", "unknown-transaction"),
            ),
            Endpoint(
                method="GET", path="/api/v1/failures", name="listFailures", says="Open failures by cause",
                handle=self.failures, query=resources.FailurePage, gives=resources.Failures,
                problems=("unknown-batch",),
            ),
            Endpoint(
                method="POST", path="/api/v1/retries", name="retry", says="Send open failures again as a new batch",
                handle=self.retry, body=resources.Retry, gives=resources.RetryAccepted, status=HTTPStatus.ACCEPTED,
                idempotent=True, problems=("nothing-to-retry", "duplicate-ids", "books-mixed"),
            ),
            Endpoint(
                method="GET", path="/api/v1/codes", name="listCodes",
                says="The portal's codes: what each means, and what to do",
                handle=self.codes, query=resources.CodesOf, gives=resources.PortalCodes,
            ),
            Endpoint(
                method="GET", path="/api/v1/codes/{code}", name="getCode", says="One code of the portal",
                handle=self.code, gives=PortalCode, problems=("unknown-code",),
            ),
            *self._doubts.endpoints(),
            *Documents(self._store, now=self._now, books=self._books).endpoints(),
            *self._gstins.endpoints(),
            *Steering(self._store, now=self._now, log=self._log).endpoints(),
            *self._irns.endpoints(),
            Endpoint(
                method="GET", path="/api/v1/session", name="getSession", says="Who is signed in",
                handle=self.session, gives=resources.Session,
            ),
            Endpoint(
                method="POST", path="/api/v1/session", name="signIn",
                says="Exchange a one-time token for a session cookie",
                handle=self.sign_in, body=resources.SignIn, gives=resources.Session, public=True,
                problems=("unauthenticated",),
            ),
        ]  # fmt: skip

    async def submit(self, call: Call) -> resources.Accepted:
        asked: resources.Submit = call.body
        refuse_duplicates(asked.voucher_ids, "voucher_ids")
        done = await batches.intake(
            self._store,
            _account(call).account_id,
            asked.voucher_ids,
            batch_no=asked.batch_no,
            books=asked.books,
            idempotency_key=call.idempotency_key,
            at=self._now(),
        )
        match done["outcome"]:
            case "BOOKS_UNKNOWN":
                raise _in_body("unknown-books", "/books", f"The account has no books named {asked.books!r}.")
            case "BOOKS_UNNAMED":
                raise _in_body("books-not-named", "", "Say in `books` which: the account has none or several.")
            case "NUMBER_TAKEN":
                says = f"Batch {asked.batch_no} stands with other vouchers or books; choose another number."
                raise _in_body("batch-no-taken", "/batch_no", says)
            case "KEY_USED":
                raise _key_used()
        self._tell(call, done, size=len(asked.voucher_ids))
        return resources.Accepted(batch_no=done["batch_no"], transaction_ids=asked.voucher_ids)

    def _tell(self, call: Call, done: Row, **more: object) -> None:
        """Wake the dispatcher, and log the batch; its ids, 100,000 perhaps, are in the lines of their release."""
        self._took_in()
        batch = f"{_account(call).account_id}/{done['batch_no']}"
        self._log.info("taken in", batch=batch, outcome=done["outcome"], **more)

    async def batches(self, call: Call) -> resources.Batches:
        page: resources.Page = call.query
        below = cursor.read(page.cursor, cursor.Number).number if page.cursor else batches.NEWEST
        rows = await batches.newest(self._store, _account(call).account_id, below=below, most=page.limit + 1)
        more = rows[page.limit - 1 : page.limit] if len(rows) > page.limit else []
        return resources.Batches(
            items=[_batch(row) for row in rows[: page.limit]],
            next=cursor.write(cursor.Number(more[0]["batch_id"])) if more else None,
        )

    async def batch(self, call: Call) -> resources.Batch:
        return _batch(await self._one(call, call.path["batch_no"]))

    async def transactions(self, call: Call) -> resources.Transactions:
        page: resources.TransactionPage = call.query
        after = cursor.read(page.cursor, cursor.Number).number if page.cursor else 0
        batch = await self._one(call, call.path["batch_no"])
        rows = await batches.transactions(
            self._store, batch["batch_id"], after=after, state=page.state, most=page.limit + 1
        )
        more = rows[page.limit - 1 : page.limit] if len(rows) > page.limit else []
        return resources.Transactions(
            items=[_transaction(row) for row in rows[: page.limit]],
            next=cursor.write(cursor.Number(more[0]["ordinal"])) if more else None,
        )

    async def history(self, call: Call) -> resources.History:
        asked: resources.OneTransaction = call.query
        batch = await self._one(call, call.path["batch_no"])
        rows = await batches.history(self._store, batch["batch_id"], asked.transaction_id)
        if not rows:
            says = f"Batch {batch['batch_no']} has no transaction {asked.transaction_id!r}."
            raise Refused("unknown-transaction", says)
        return resources.History(
            transaction_id=asked.transaction_id,
            state=State(rows[0]["state"]),
            events=[_event(row) for row in rows if row["seq"] is not None],
        )

    async def failures(self, call: Call) -> resources.Failures:
        page: resources.FailurePage = call.query
        after = cursor.read(page.cursor, cursor.Group) if page.cursor else cursor.Group("", "")
        batch_id = (await self._one(call, page.batch_no))["batch_id"] if page.batch_no else None
        rows = await failures.open_by_cause(
            self._store,
            _account(call).account_id,
            batch_id=batch_id,
            after=(after.stage, after.cause),
            most=page.limit + 1,
        )
        more = rows[page.limit - 1 : page.limit] if len(rows) > page.limit else []
        return resources.Failures(
            groups=[_group(row) for row in rows[: page.limit]],
            next=cursor.write(cursor.Group(more[0]["stage"], more[0]["cause"])) if more else None,
        )

    async def retry(self, call: Call) -> resources.RetryAccepted:
        asked: resources.Retry = call.body
        refuse_duplicates(asked.transaction_ids or [], "transaction_ids")
        done = await failures.retry(
            self._store,
            _account(call).account_id,
            failures.Choice(
                stage=asked.stage, cause=asked.cause, batch_no=asked.batch_no, transaction_ids=asked.transaction_ids
            ),
            most=resources.VOUCHERS_MAX,
            idempotency_key=call.idempotency_key,
            at=self._now(),
        )
        match done["outcome"]:
            case "NOTHING_OPEN":
                says = (
                    "No open failure of this account meets all that the request says; GET /api/v1/failures lists them."
                )
                raise Refused("nothing-to-retry", says)
            case "BOOKS_MIXED":
                raise Refused("books-mixed", "A batch reads one company's books: say `batch_no`, and retry each.")
            case "KEY_USED":
                raise _key_used()
        self._tell(call, done, size=len(done["transaction_ids"]), retry_of=done["retry_of"])
        return resources.RetryAccepted(
            batch_no=done["batch_no"], transaction_ids=done["transaction_ids"], retry_of=done["retry_of"]
        )

    async def codes(self, call: Call) -> resources.PortalCodes:
        asked: resources.CodesOf = call.query
        entries = [entry for entry in catalogue().values() if asked.klass in (msgspec.UNSET, entry.klass)]
        return resources.PortalCodes(items=entries)

    async def code(self, call: Call) -> PortalCode:
        code = call.path["code"][:_CODE_SHOWN]
        entry = portal_code(code)
        if entry is None:
            like = f"near it: {', '.join(near(code))}" if near(code) else "/api/v1/codes has those that there are"
            raise Refused("unknown-code", f"No list we know has the code {code!r}; {like}.")
        return entry

    async def session(self, call: Call) -> resources.Session:
        return resources.Session(account=_account(call).name, websocket_url=self._websocket_url)

    async def sign_in(self, call: Call) -> Response:
        asked: resources.SignIn = call.body
        key = await accounts.exchange_token(self._store, asked.token, at=self._now())
        if key is None:
            says = "The token was used before, has expired, or is none; `irnflow up` prints a new one."
            raise Refused("unauthenticated", says)
        account = await accounts.Keys(self._store, self._now).account(key)
        assert account is not None
        session = resources.Session(account=account.name, websocket_url=self._websocket_url)
        response = Response(msgspec.json.encode(session), media_type="application/json")
        set_cookie(response, key, lifetime=SESSION_LIFETIME, secure=call.request.url.scheme == "https")
        return response

    async def _one(self, call: Call, batch_no: str) -> Row:
        is_one = re.match(resources.BATCH_NO, batch_no)
        row = await batches.one(self._store, _account(call).account_id, batch_no) if is_one else None
        if row is None:
            raise Refused("unknown-batch", f"The account has no batch {batch_no!r}.")
        return row


def refuse_duplicates(ids: Sequence[str], field: str) -> None:
    """Raises Refused naming each id that stands there twice."""
    if len(set(ids)) == len(ids):
        return
    first: dict[str, int] = {}
    again = [(place, id_) for place, id_ in enumerate(ids) if first.setdefault(id_, place) != place]
    names = list(dict.fromkeys(id_ for _, id_ in again))
    shown = ", ".join(repr(name) for name in names[:SHOWN_MOST])
    more = f" and {len(names) - SHOWN_MOST} more" if len(names) > SHOWN_MOST else ""
    raise Refused(
        "duplicate-ids",
        f"Each voucher may stand once in a batch; these stand there again: {shown}{more}. Nothing was taken in.",
        [
            Place(pointer=f"/{field}/{place}", detail=f"{id_!r} stands at /{field}/{first[id_]} already.")
            for place, id_ in again
        ],
    )


def _account(call: Call) -> Account:
    assert call.account is not None  # no public endpoint asks
    return call.account


def _in_body(kind: str, pointer: str, says: str) -> Refused:
    return Refused(kind, says, [Place(pointer=pointer, detail=says)])


def _key_used() -> Refused:
    says = "This Idempotency-Key came before with another request; take a new one for each request."
    return Refused("idempotency-key-used", says)


def _batch(row: Row) -> resources.Batch:
    return resources.Batch(
        batch_no=row["batch_no"],
        books=row["books"],
        size=row["size"],
        counts=msgspec.json.decode(row["counts"] or "{}", type=dict[State, int]),
        last_seq=row["last_seq"],
        created_at=row["created_at"],
        retry_of=row["retry_of"],
        paused=row["paused"],
        withdrawn_at=row["withdrawn_at"],
    )


def _transaction(row: Row) -> resources.Transaction:
    return resources.Transaction(
        transaction_id=row["transaction_id"],
        state=State(row["state"]),
        at=row["at"],
        detail=_detail(row["detail"]),
    )


def _event(row: Row) -> resources.Event:
    return resources.Event(seq=row["seq"], status=State(row["status"]), at=row["at"], detail=_detail(row["detail"]))


def _detail(stored: str) -> resources.Detail:
    """`says` is there always, also where the store left the empty one out."""
    fields: dict[str, Any] = msgspec.json.decode(stored)
    return msgspec.convert({"says": "", **fields}, resources.Detail)


def _group(row: Row) -> resources.FailureGroup:
    return resources.FailureGroup(
        stage=row["stage"],
        cause=row["cause"],
        says=row["says"],
        fix=row["fix"],
        count=row["count"],
        vouchers=row["vouchers"],
        examples=msgspec.json.decode(row["examples"], type=list[resources.Example]),
    )
