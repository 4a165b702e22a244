"""IRN service: take vouchers in over HTTP, send them on at the pace of the pipeline, and ask for what goes quiet.

consumes   HTTP: batches of voucher ids, and what people want to know of them (api/endpoints.py)
publishes  fetch.data, one message a transaction; status.withdrawn; to the dead letters what never answers
keeps      batch, transaction, release, resend
repeated   the same batch number with the same vouchers, or the same Idempotency-Key, gives the same batch

An intake is answered after its commit, with the broker up or down. The dispatcher and the watchdog run in one process
at a time. Both first publish, then write down that they have: a crash between sends a message twice, and never none.
"""

import asyncio
from collections import Counter, deque
from collections.abc import Callable, Iterable, Sequence
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Final, TypeAlias

import msgspec
from structlog.typing import FilteringBoundLogger

from irnflow.api.app import application
from irnflow.api.endpoints import Api
from irnflow.api.server import probes, serving
from irnflow.books import catalogue
from irnflow.bus import rabbit
from irnflow.bus.port import Bus
from irnflow.bus.topology import DEAD_LETTER_EXCHANGE
from irnflow.errors import Transient
from irnflow.log import Named, logger, transactions
from irnflow.messages import WORDS, FetchData, Publication, State, StatusChanged, about, publication
from irnflow.patience import until
from irnflow.portal.several import families, signing_keys
from irnflow.settings import Settings
from irnflow.store import database
from irnflow.store.accounts import Keys
from irnflow.store.database import Database, Row, queries
from irnflow.store.doubts import times_of
from irnflow.store.lifecycle import windows_of
from irnflow.store.secrets import key_ring
from irnflow.store.turn import Connection, in_turn

NAME = "irn_service"

Now: TypeAlias = Callable[[], datetime]

SQL: Final = queries("release")
CHANNEL: Final = "irnflow_intake"  # what fill_batch notifies
# What stands between a release and the backlog of registration, which is a table and fair by itself.
PIPELINE: Final = ("fetch_data_queue", "data_queue", "validation_success_queue")
STATUSES: Final = ("status_queue",)
FAILURES: Final = (
    "fetch_error_queue", "validation_error_queue", "invalid_generation_queue", "update_error_queue",
    "dead_letter_queue",
)  # fmt: skip
# What stands between an outcome that was told and its effect.
OUTCOMES: Final = ("register_success_queue", "status_queue")


class Pace(msgspec.Struct, frozen=True, kw_only=True):
    """How fast transactions are released, and how long the watchdog waits."""

    # Messages that wait in the pipeline: so many seconds of its own speed, so that five urgent vouchers are never long
    # behind others; within these bounds.
    ready_s: float = 0.25
    ready_least: int = 100
    ready_most: int = 2_000
    slow: int = 500  # while more wait, nothing that has gone quiet is lost: the pipeline is only slow
    window_most: int = 250
    full_s: float = 0.05  # before looking again whether the pipeline has room
    idle_s: float = 1.0  # before looking for work that nobody has told us of
    round_s: float = 60.0  # between two rounds of the watchdog
    round_most: int = 1_000  # transactions that one round asks for again
    quiet: timedelta = timedelta(minutes=15)  # more than the sum of the retry ladder
    unseen: timedelta = timedelta(minutes=10)
    resends_most: int = 3
    # When nothing at all of the same books moves, it is they that are down, and no voucher fails for that: so long.
    patience: timedelta = timedelta(hours=24)


PACE: Final = Pace()


async def dispatch(
    *, bus: Bus, store: Database, now: Now, woken: asyncio.Event, log: FilteringBoundLogger, pace: Pace = PACE
) -> None:
    """Release transactions for ever, as the pipeline has room; at once when woken."""
    speed = Speed(asyncio.get_running_loop().time)
    while True:
        woken.clear()
        try:
            room = waiting_most(speed, pace) - await ready(bus, PIPELINE)
            if room <= 0:
                await asyncio.sleep(pace.full_s)
                continue
            if released := await release(min(room, pace.window_most), bus=bus, store=store, at=now()):
                speed.took(len(released))
                log.info("released", n=len(released), transactions=_named(released, _came_to))
                continue
        except Transient as error:
            log.warning("dispatcher waits", error=f"{type(error).__name__}: {error}")
        await until(woken, pace.idle_s)


class Speed:
    """What the pipeline takes in a second, by what was released of late: no more goes in than comes out."""

    _SPAN_S: Final = 2.0

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._releases: deque[tuple[float, int]] = deque()  # when, how many

    def took(self, n: int) -> None:
        self._releases.append((self._clock(), n))

    def per_s(self) -> float:
        began = self._clock() - self._SPAN_S
        while self._releases and self._releases[0][0] < began:
            self._releases.popleft()
        return sum(n for _, n in self._releases) / self._SPAN_S


def waiting_most(speed: Speed, pace: Pace) -> int:
    """How many messages may wait in the pipeline now."""
    return max(pace.ready_least, min(int(speed.per_s() * pace.ready_s), pace.ready_most))


async def ready(bus: Bus, queues: Sequence[str]) -> int:
    """How many messages wait in these queues."""
    return sum([await bus.depth(queue) for queue in queues])


async def release(most: int, *, bus: Bus, store: Database, at: datetime) -> Sequence[Row]:
    """Send the next transactions of all batches in turn, at most so many in all; gives them."""
    share = shares(await store.fetch(SQL["waiting"]), most)
    if not share:
        return ()
    window = await store.fetch(SQL["window"], list(share), list(share.values()))
    await bus.publish([publication(_withdrawn(row, at) if row["withdrawn_at"] else _fetch(row)) for row in window])
    firsts = {row["batch_id"]: row["released"] + 1 for row in window}
    lasts = [first + share[batch_id] - 1 for batch_id, first in firsts.items()]
    await store.fetch(SQL["mark_released"], list(firsts), list(firsts.values()), lasts, at)
    return window


def _named(rows: Iterable[Row], what: Callable[[Row], str]) -> Named:
    """What became of each of these transactions, for the log."""
    return transactions((what(row), row["account_id"], row["batch_no"], row["transaction_id"]) for row in rows)


def _came_to(released: Row) -> State:
    return State.WITHDRAWN if released["withdrawn_at"] else State.PROCESSING


def shares(waiting: Sequence[Row], most: int) -> dict[int, int]:
    """How many transactions of each batch go next: one of each account in turn, and in an account of each batch."""
    accounts: dict[int, deque[tuple[int, int]]] = {}
    for batch in waiting:
        accounts.setdefault(batch["account_id"], deque()).append((batch["batch_id"], batch["unreleased"]))
    ring = deque(accounts.values())
    given: Counter[int] = Counter()
    while ring and most > given.total():
        batches = ring.popleft()
        batch_id, left = batches.popleft()
        given[batch_id] += 1
        if left > 1:
            batches.append((batch_id, left - 1))
        if batches:
            ring.append(batches)
    return dict(given)


async def watch(*, bus: Bus, store: Database, now: Now, log: FilteringBoundLogger, pace: Pace = PACE) -> None:
    """Look for ever after what has gone quiet."""
    while True:
        try:
            await look(bus=bus, store=store, at=now(), log=log, pace=pace)
        except Transient as error:
            log.warning("watchdog waits", error=f"{type(error).__name__}: {error}")
        await asyncio.sleep(pace.round_s)


async def look(*, bus: Bus, store: Database, at: datetime, log: FilteringBoundLogger, pace: Pace = PACE) -> None:
    """One round: what is at its end is left alone, what is quiet is sent again, what is unseen is told again.

    Nothing is sent again while messages wait: then nothing is lost, the pipeline is only slow.
    """
    await store.fetch(SQL["withdraw_late"], at)
    await store.fetch(SQL["finish_batches"], at)
    explained = not await ready(bus, FAILURES)  # a failure that still isn't kept was told, and that got lost
    if await ready(bus, PIPELINE) < pace.slow:
        all_is_said = not await ready(bus, STATUSES)  # and so with one that still isn't seen
        quiet = await store.fetch(SQL["overdue"], at, pace.quiet, pace.round_most, all_is_said, explained)
        if quiet:
            await _send_again(quiet, bus=bus, store=store, at=at, log=log, pace=pace)
    if await ready(bus, OUTCOMES) < pace.slow:
        told = await store.fetch(SQL["tell_again"], at, pace.unseen, pace.round_most, explained)
        if told[0]["told"]:
            log.warning("outcomes told again", size=told[0]["told"])


async def _send_again(
    quiet: Sequence[Row], *, bus: Bus, store: Database, at: datetime, log: FilteringBoundLogger, pace: Pace
) -> None:
    dead = [row for row in quiet if is_hopeless(row, at, pace)]
    hopeful = [row for row in quiet if not is_hopeless(row, at, pace)]
    await bus.publish([publication(_fetch(row)) for row in hopeful] + [_dead_letter(row, at) for row in dead])
    ids = [row["batch_id"] for row in quiet], [row["transaction_id"] for row in quiet]
    await store.fetch(SQL["mark_resent"], *ids, at)
    named = _named(hopeful, lambda _: "sent_again") | _named(dead, lambda _: "given_up")
    log.warning("quiet transactions", n=len(quiet), transactions=named)


def is_hopeless(row: Row, at: datetime, pace: Pace) -> bool:
    """Whether it is time for a person: it was sent often enough, and others of the same books get through."""
    works = row["others_move"] or at - row["released_at"] >= pace.patience
    return bool(works and row["times"] >= pace.resends_most)


def _fetch(row: Row) -> FetchData:
    return FetchData(**about(row))


def _withdrawn(row: Row, at: datetime) -> StatusChanged:
    """What is told of a transaction whose batch was withdrawn before it was released."""
    return StatusChanged(**_fetch(row).about, status=State.WITHDRAWN, at=at)


def _dead_letter(row: Row, at: datetime) -> Publication:
    """A request that nobody answers, as error_desk reads dead letters (bus/dead_letter.py)."""
    request = publication(_fetch(row))
    says = (
        f"nothing was heard of it after {row['times']} more requests; it was seen last as {WORDS[State(row['state'])]}"
    )
    headers = {
        "dead_queue": "fetch_data_queue",
        "dead_service": NAME,
        "dead_reason": "no_answer",
        "dead_says": says,
        "dead_at": at.isoformat(timespec="milliseconds"),
    }
    return msgspec.structs.replace(request, exchange=DEAD_LETTER_EXCHANGE, headers=request.headers | headers)


async def run(
    *, url: str, bus: Bus, store: Database, now: Now, woken: asyncio.Event, log: FilteringBoundLogger
) -> None:
    """Dispatch and watch for ever, each in its turn with the other processes at the same database `url`."""

    async def listen_and_dispatch(connection: Connection) -> None:
        await connection.add_listener(CHANNEL, lambda *_: woken.set())
        await dispatch(bus=bus, store=store, now=now, woken=woken, log=log)

    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(in_turn(url, "dispatcher", listen_and_dispatch, log=log))
        tasks.create_task(in_turn(url, "watchdog", lambda _: watch(bus=bus, store=store, now=now, log=log), log=log))


async def main(settings: Settings) -> None:
    """Open the store and the bus, serve the API, and run."""
    log = logger(NAME)
    now = partial(datetime.now, UTC)
    woken = asyncio.Event()
    async with (
        database.connect(settings.database_url, connections=8) as store,
        database.heeding(store),
        rabbit.connect(settings.amqp_url, NAME) as bus,
    ):
        key = key_ring(settings.key, settings.key_file) if settings.key or settings.key_file.exists() else None
        api = Api(
            store,
            now=now,
            took_in=woken.set,
            websocket_url=settings.websocket_url,
            key=key,
            families=families(settings),
            books=lambda: catalogue.read(settings.books) if settings.books.exists() else (),
            times=times_of(settings),
            windows=windows_of(settings),
            keys=partial(signing_keys, settings),
            log=log,
        )
        app = application(
            api,
            Keys(store, now),
            probes=probes(NAME, lambda: store.missing),  # intake needs no broker
            websocket_url=settings.websocket_url,
        )
        async with serving(app, host=settings.host, port=settings.port_of(NAME)):
            await run(url=settings.database_url, bus=bus, store=store, now=now, woken=woken, log=log)
