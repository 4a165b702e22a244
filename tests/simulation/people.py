"""People at work: they do what the story of a run says, each patiently, until it is done."""

import asyncio
import itertools
from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from datetime import datetime, timedelta
from functools import partial
from typing import TYPE_CHECKING, Any, Final, TypeVar

from irnflow.books.sql import SqlBooks
from irnflow.errors import Unavailable
from irnflow.messages import DataFetched, Validated
from irnflow.portal import client
from irnflow.portal.client import Answer, Credentials, Reply, Request
from irnflow.services import validation
from irnflow.store import batches, doubts, failures, lifecycle, steering
from irnflow.store.database import Database, Row
from irnflow.store.doubts import Decision, Times
from irnflow.store.failures import Choice
from irnflow.store.lifecycle import Asked as Answered
from irnflow.store.lifecycle import Cancellation, Windows
from tests.simulation.database import Blocking
from tests.simulation.ground import BOOKS, NOON
from tests.simulation.process import Bus, Process, Store
from tests.simulation.story import Asked, Edit, Pause, Question, Spoil, Wishes, Withdrawal

if TYPE_CHECKING:
    from tests.simulation.world import World

ACCOUNT: Final = 1
DIED: Final = "dead_letter.delivery_limit"  # its processes were killed, or lost their connections, fifty times
OTHER_IRN: Final = "f" * 64  # that somebody else has written into the books
_AGAIN_S: Final = 1.0
_IMPATIENT_S: Final = 10.0
_LONG_AGO: Final = timedelta(hours=6)
_LOOKS_S: Final = 5.0  # somebody who waits for something looks so often
_ROUND_S: Final = 60.0  # and whoever keeps it running makes a round so often
_WHY: Final = Cancellation(reason=2, remark="wrong price")
_BY_ROAD: Final = {"transport_mode": "1", "distance": 0, "vehicle_number": "KA01AB1234", "vehicle_type": "R"}
_ACCEPTED: Final = "select irn from irnflow.registration where voucher_id = $1::text and state = 'ACCEPTED'"
_ANSWERED: Final = "select asked_at from irnflow.gstin_detail where gstin = $1::text and wanted_at is null"
_DEAD: Final = """
    select count(*) as n from irnflow.failure where cause = $1::text and closed_at is null and retried_in is null
"""
_STOPPED: Final = """
    select gstin, stopped from irnflow.gstin where stopped is not null
    union all select gstin, stopped from irnflow.credentials where stopped is not null
"""
_UNDER_WAY: Final = """
    select count(*) as n from irnflow.action where irn = $1::text and state not in ('DONE', 'FAILED')
"""
R = TypeVar("R")

Want = Callable[[Database, str, datetime], Awaitable[Answered]]


async def _cancel(store: Database, irn: str, at: datetime, *, both: bool = False) -> Answered:
    (asked,) = await lifecycle.cancel(
        store, ACCOUNT, [irn], _WHY, eway_bill=both, windows=Windows(), by="people", at=at
    )
    return asked


WANTS: Final[Mapping[str, Want]] = {
    "cancel": _cancel,
    "cancel both": lambda store, irn, at: _cancel(store, irn, at, both=True),
    "bill": lambda store, irn, at: lifecycle.eway_bill(store, ACCOUNT, irn, _BY_ROAD, by="people", at=at),
    "cancel bill": lambda store, irn, at: lifecycle.cancel_eway_bill(
        store, ACCOUNT, irn, _WHY, windows=Windows(), by="people", at=at
    ),
    "fetch bill": lambda store, irn, at: lifecycle.fetch_eway_bill(store, ACCOUNT, irn, by="people", at=at),
}


async def send_in(asked: Asked, process: Process, _: Bus) -> None:
    """Ask for a batch until it is taken in."""
    world = process.world
    await asyncio.sleep(asked.at_s)

    async def intake(store: Database) -> Row:
        return await batches.intake(
            store, ACCOUNT, asked.voucher_ids, batch_no=asked.batch_no, books=BOOKS, idempotency_key=asked.batch_no,
            at=world.now(),
        )  # fmt: skip

    outcome = (await _patiently(process, intake))["outcome"]
    if outcome not in ("ACCEPTED", "REPEATED"):
        world.breach(f"intake says {outcome}")
    world.has_work()


async def retry(number: int, at_s: float, process: Process, _: Bus) -> None:
    """Send all failures again that are open by then."""
    world = process.world
    await asyncio.sleep(at_s)

    async def again(store: Database) -> Row:
        key = f"retry {number}"
        return await failures.retry(store, ACCOUNT, Choice(), most=100, idempotency_key=key, at=world.now())

    outcome = (await _patiently(process, again))["outcome"]
    if outcome not in ("ACCEPTED", "REPEATED", "NOTHING_OPEN"):
        world.breach(f"retry says {outcome}")
    world.has_work()


async def withdraw(taken: Withdrawal, process: Process, _: Bus) -> None:
    """Take a batch back, as far as it is not sent."""
    world = process.world
    await asyncio.sleep(taken.at_s)

    async def ask(store: Database) -> int | None:
        return await steering.withdraw(store, ACCOUNT, taken.batch_no, at=world.now())

    process.say(f"takes back {taken.batch_no}: {await _patiently(process, ask)}")
    world.has_work()


async def pause(stop: Pause, process: Process, _: Bus) -> None:
    """Stop something for a while: a batch, a GSTIN, a portal."""
    world = process.world
    await asyncio.sleep(stop.from_s)
    process.say(f"stops {stop.what} {stop.key}")
    await _patiently(process, partial(_pause, stop, world.now()))
    await asyncio.sleep(stop.until_s - stop.from_s)
    process.say(f"lets {stop.what} {stop.key} go on")
    await _patiently(process, partial(_end, stop))
    world.has_work()


async def _pause(stop: Pause, at: datetime, store: Database) -> None:
    why: dict[str, Any] = {"reason": "stock-taking", "by": "people", "at": at}
    match stop.what:
        case "batch":
            await steering.pause_batch(store, ACCOUNT, stop.key, **why)
        case "gstin":
            await steering.pause_gstin(store, ACCOUNT, stop.key, **why)
        case "portal":
            await steering.pause_portal(store, stop.key, **why)


async def _end(stop: Pause, store: Database) -> None:
    match stop.what:
        case "batch":
            await steering.resume_batch(store, ACCOUNT, stop.key)
        case "gstin":
            await steering.resume_gstin(store, ACCOUNT, stop.key)
        case "portal":
            await steering.resume_portal(store, stop.key)


async def edit(change: Edit, process: Process, _: Bus) -> None:
    """Change a voucher in the books."""
    await asyncio.sleep(change.at_s)
    process.say(f"changes {change.voucher_id}: {change.column}")
    process.world.books.change(change.voucher_id, change.column, change.value)


async def spoil(spoiled: Spoil, process: Process, _: Bus) -> None:
    """Lose a voucher in the books, or give it another IRN there."""
    await asyncio.sleep(spoiled.at_s)
    process.say(f"{'loses' if spoiled.gone else 'marks'} {spoiled.voucher_id}")
    if spoiled.gone:
        process.world.books.lose(spoiled.voucher_id)
    else:
        process.world.books.change(spoiled.voucher_id, "irn", OTHER_IRN)


async def look(at_s: float, process: Process, _: Bus) -> None:
    """Impatiently have the portal asked for all that is in doubt, time and again; who gets no answer lets it be."""
    world, store = process.world, Store(process)
    for wait_s in (at_s, *[_IMPATIENT_S] * 10):
        await asyncio.sleep(wait_s)
        with suppress(Unavailable):
            await _look(world, store)


async def _look(world: "World", store: Database) -> None:
    for row in await doubts.still_open(store, ACCOUNT, after=(NOON - _LONG_AGO, ""), most=100):
        wanted = Decision(account_id=ACCOUNT, irn=row["irn"], by="Meera", reason="", at=world.now())
        await doubts.look(store, wanted, Times())


async def question(want: Question, process: Process, _: Bus) -> None:
    """Ask what is known of a GSTIN, until there is an answer."""
    world = process.world
    await asyncio.sleep(want.at_s)

    async def ask(store: Database) -> Row:
        return await lifecycle.want_gstin(
            store, ACCOUNT, want.gstin, sync=want.sync, max_age=timedelta(0), at=world.now()
        )  # fmt: skip

    await _patiently(process, ask)
    while not world.store.ask(_ANSWERED, want.gstin):  # noqa: ASYNC110
        await asyncio.sleep(_LOOKS_S)
    world.has_work()


async def wish(wishes: Wishes, process: Process, _: Bus) -> None:
    """Want what these say of an IRN, each when the one before has come to its end."""
    world = process.world
    await asyncio.sleep(wishes.at_s)
    while not (registered := world.store.ask(_ACCEPTED, wishes.voucher_id)):  # noqa: ASYNC110 (as a person would)
        await asyncio.sleep(_LOOKS_S)
    irn = registered[0]["irn"]
    for want in wishes.wants:

        async def ask(store: Database, want: Want = WANTS[want]) -> Answered:
            return await want(store, irn, world.now())

        asked = await _patiently(process, ask)
        process.say(f"wants {want} of {irn[:8]}: {asked.outcome}")
        if asked.outcome not in ("ACCEPTED", "REPEATED", "NO_GOODS", "NO_BILL"):
            world.breach(f"{want} of {irn[:8]}: {asked.outcome}: {asked.says}")
        while world.store.ask(_UNDER_WAY, irn)[0]["n"]:  # noqa: ASYNC110
            await asyncio.sleep(_LOOKS_S)
    world.has_work()


async def keep_running(process: Process, _: Bus) -> None:
    """Look for ever after GSTINs that have stopped by themselves, and let them go on."""
    while True:
        await asyncio.sleep(_ROUND_S)
        for row in process.world.store.ask(_STOPPED):
            process.say(f"lets {row['gstin']} go on: {row['stopped']}")
            await _patiently(process, partial(_resume, row["gstin"]))


async def send_again(process: Process, _: Bus) -> None:
    """Look for ever after messages that died for coming back so often, and send their vouchers again."""
    world = process.world
    for number in itertools.count():
        while not are_left_dead(world.store):  # noqa: ASYNC110
            await asyncio.sleep(_ROUND_S)

        async def again(store: Database, key: str = f"died {number}") -> Row:
            return await failures.retry(
                store, ACCOUNT, Choice(cause=DIED), most=100, idempotency_key=key, at=world.now()
            )

        process.say(f"sends again what died: {(await _patiently(process, again))['outcome']}")


def are_left_dead(store: Blocking) -> bool:
    """Whether some of what died is not sent again yet."""
    return bool(store.ask(_DEAD, DIED)[0]["n"])


async def _resume(gstin: str, store: Database) -> bool:
    return await steering.resume_gstin(store, ACCOUNT, gstin)


async def _patiently(process: Process, ask: Callable[[Database], Awaitable[R]]) -> R:
    """What the store says at last: the same request again until it answers."""
    while True:
        try:
            return await ask(Store(process))
        except Unavailable:
            await asyncio.sleep(_AGAIN_S)


def documents(world: "World", voucher_ids: list[str]) -> list[Validated]:
    """What we would send of these vouchers, as they stand in the books."""
    books = SqlBooks(world.books.source)
    try:
        with books.reading() as opened:
            found = opened.read(voucher_ids)
    finally:
        books.close()
    return [_validated(voucher_id, voucher.digest, voucher.invoice) for voucher_id, voucher in found.items()]


def _validated(voucher_id: str, digest: str, invoice: object) -> Validated:
    fetched = DataFetched(
        batch_id=0, batch_no="", transaction_id=voucher_id, account_id=ACCOUNT, books=BOOKS, fetched_at=NOON,
        digest=digest, invoice=invoice,  # type: ignore[arg-type]
    )  # fmt: skip
    said = validation.handle(fetched, accept_sandbox_gstins=False, now=lambda: NOON)[0]
    assert isinstance(said, Validated), said
    return said


async def register_before(world: "World", registered: list[Validated], portal: str) -> None:
    """Register these with this portal as another program would have, hours ago."""
    sandbox, known = world.wire.sandbox, world.wire.sandbox.identity.credentials

    async def send(request: Request) -> Reply:
        path = f"/{portal}{request.path}"
        said = sandbox.call(request.method, path, request.headers, request.body, now=NOON - _LONG_AGO)
        return Reply(status=said.status, headers=said.headers, body=said.body)

    line = client.Portal(send, world.ground.auth_key)
    for document in registered:
        credentials = Credentials(
            gstin=document.gstin, client_id=known.client_id, client_secret=known.client_secret,
            username=known.username, password=known.password,
        )  # fmt: skip
        session = await line.login(credentials, app_key=bytes(32))
        assert not isinstance(session, Answer), session
        answer = await line.generate(credentials, session, bytes(document.payload))
        assert answer.ok, answer
