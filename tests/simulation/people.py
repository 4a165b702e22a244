"""People at work: they do what the story of a run says, each patiently, until it is done."""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress
from datetime import timedelta
from typing import TYPE_CHECKING, Final

from irnflow.books.sql import SqlBooks
from irnflow.errors import Unavailable
from irnflow.messages import DataFetched, Validated
from irnflow.portal import client
from irnflow.portal.client import Answer, Credentials, Reply, Request
from irnflow.services import validation
from irnflow.store import batches, doubts, failures
from irnflow.store.database import Database, Row
from irnflow.store.doubts import Decision, Times
from irnflow.store.failures import Choice
from tests.simulation.ground import BOOKS, NOON
from tests.simulation.process import Bus, Process, Store
from tests.simulation.story import Asked, Edit

if TYPE_CHECKING:
    from tests.simulation.world import World

ACCOUNT: Final = 1
_AGAIN_S: Final = 1.0
_IMPATIENT_S: Final = 10.0
_LONG_AGO: Final = timedelta(hours=6)


async def send_in(asked: Asked, process: Process, _: Bus) -> None:
    """Ask for a batch until it is taken in."""
    world = process.world
    await asyncio.sleep(asked.at_s)

    async def intake(store: Database) -> Row:
        return await batches.intake(
            store, ACCOUNT, asked.voucher_ids, batch_no=asked.batch_no, books=BOOKS, idempotency_key=asked.batch_no,
            at=world.now(),
        )  # fmt: skip

    outcome = await _patiently(process, intake)
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

    outcome = await _patiently(process, again)
    if outcome not in ("ACCEPTED", "REPEATED", "NOTHING_OPEN"):
        world.breach(f"retry says {outcome}")
    world.has_work()


async def edit(change: Edit, process: Process, _: Bus) -> None:
    """Change a voucher in the books."""
    await asyncio.sleep(change.at_s)
    process.say(f"changes {change.voucher_id}: {change.column}")
    process.world.books.change(change.voucher_id, change.column, change.value)


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


async def _patiently(process: Process, ask: Callable[[Database], Awaitable[Row]]) -> str:
    """What the store says at last: the same request again until it answers."""
    while True:
        try:
            return str((await ask(Store(process)))["outcome"])
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


async def register_before(world: "World", registered: list[Validated]) -> None:
    """Register these with the portal as another program would have, hours ago."""
    sandbox, known = world.wire.sandbox, world.wire.sandbox.identity.credentials

    async def send(request: Request) -> Reply:
        said = sandbox.call(request.method, request.path, request.headers, request.body, now=NOON - _LONG_AGO)
        return Reply(status=said.status, headers=said.headers, body=said.body)

    portal = client.Portal(send, world.ground.auth_key)
    for document in registered:
        credentials = Credentials(
            gstin=document.gstin, client_id=known.client_id, client_secret=known.client_secret,
            username=known.username, password=known.password,
        )  # fmt: skip
        session = await portal.login(credentials, app_key=bytes(32))
        assert not isinstance(session, Answer), session
        answer = await portal.generate(credentials, session, bytes(document.payload))
        assert answer.ok, answer
