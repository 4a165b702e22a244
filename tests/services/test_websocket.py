"""The websocket service: what it records, and what a client sees, on a real PostgreSQL and over real sockets."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec
import pytest
import structlog
from starlette.datastructures import Headers
from structlog.testing import capture_logs
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidMessage

from irnflow.api.server import serving
from irnflow.bus import memory, rabbit
from irnflow.errors import Unavailable
from irnflow.gst.faults import Fault
from irnflow.messages import Detail, State, StatusChanged, publication
from irnflow.services import websocket
from irnflow.services.websocket.endpoint import LIMITS, Endpoint, is_ours
from irnflow.services.websocket.feed import EVENTS_CHARACTERS_MOST, EVENTS_MOST, KEPT_BYTES, Channel, Feed, listen
from irnflow.settings import Settings
from irnflow.store import accounts, database
from irnflow.store.database import Postgres, Row, queries
from tests.waiting import until

AT = datetime(2026, 11, 22, 4, 30, tzinfo=UTC)
LOG = structlog.get_logger()


class Clock:
    """A time that only the test moves."""

    def __init__(self) -> None:
        self.at = AT

    def __call__(self) -> datetime:
        return self.at


class Company:
    """An account with a batch and a key."""

    def __init__(self, store: Postgres, name: str) -> None:
        self.store = store
        self.name = name

    async def open(self) -> "Company":
        self.account_id = await accounts.create_account(self.store, self.name, at=AT)
        await accounts.add_books(self.store, self.account_id, "main")
        self.key = await accounts.issue_key(self.store, self.account_id, name="test", at=AT)
        return self

    async def batch(self, batch_no: str, *ids: str) -> int:
        intake = queries("batches")["intake"]
        rows = await self.store.fetch(intake, self.account_id, batch_no, "main", list(ids), None, AT)
        return int(rows[0]["batch_id"])

    def told(self, batch_id: int, transaction_id: str, status: State, says: str = "") -> StatusChanged:
        return StatusChanged(
            batch_id=batch_id, batch_no="B-1", transaction_id=transaction_id, account_id=self.account_id, books="main",
            status=status, at=AT, detail=Detail(says=says),
        )  # fmt: skip


@pytest.fixture
async def store(database_url: str) -> AsyncIterator[Postgres]:
    async with database.connect(database_url) as store:
        yield store


@pytest.fixture
async def company(store: Postgres) -> Company:
    return await Company(store, "Surya Traders").open()


@asynccontextmanager
async def node(store: Postgres, url: str, clock: Clock, *, listening: bool = True) -> AsyncIterator[str]:
    """A node that shows batches; gives the address of its endpoint."""
    feed = Feed(store)
    endpoint = Endpoint(feed, accounts.Keys(store, clock), console_port=0, check_s=0.05)
    async with serving([endpoint.route], host="127.0.0.1", port=0, **LIMITS) as port, AsyncExitStack() as stack:
        works: list[Awaitable[None]] = [feed.tail(), *([listen(url, feed)] if listening else [])]
        for work in works:
            stack.callback(asyncio.ensure_future(work).cancel)
        yield f"ws://127.0.0.1:{port}/api/v1/ws"


@pytest.fixture
async def clock() -> Clock:
    return Clock()


@pytest.fixture
async def address(store: Postgres, database_url: str, clock: Clock) -> AsyncIterator[str]:
    async with node(store, database_url, clock) as address:
        yield address


@asynccontextmanager
async def client(address: str, key: str) -> AsyncIterator[ClientConnection]:
    async with connect(address) as connection:
        await say(connection, type="auth", key=key)
        yield connection


async def say(connection: ClientConnection, **frame: object) -> None:
    await connection.send(msgspec.json.encode(frame).decode())


async def hear(connection: ClientConnection) -> dict[str, Any]:
    text = await asyncio.wait_for(connection.recv(), 20)
    frame: dict[str, Any] = msgspec.json.decode(text)
    return frame


async def hear_until(connection: ClientConnection, seq: int) -> list[dict[str, Any]]:
    frames = [await hear(connection)]
    while frames[-1]["seq"] < seq:
        frames.append(await hear(connection))
    return frames


async def record(store: Postgres, told: Iterable[StatusChanged]) -> None:
    await websocket.handle(list(told), store=store)


async def closing(connection: ClientConnection) -> tuple[int, str]:
    """The code and the words it is closed with."""
    with pytest.raises(ConnectionClosed) as closed:
        await hear(connection)
    assert closed.value.rcvd is not None
    return closed.value.rcvd.code, closed.value.rcvd.reason


# Recording


async def test_a_status_from_the_queue_is_recorded_once_however_often_it_comes(
    store: Postgres, company: Company
) -> None:
    batch = await company.batch("B-1", "V-1")
    broker = memory.Broker()
    status = publication(company.told(batch, "V-1", State.DATA_FETCHED))

    async def numbers() -> list[int]:
        return [row["seq"] for row in await store.fetch("select seq from irnflow.event order by seq")]

    async with broker.connect("websocket") as bus:
        serving = asyncio.create_task(websocket.run(bus=bus, store=store, now=lambda: AT, log=LOG))
        await bus.publish([status, status])
        await bus.publish([publication(company.told(batch, "V-1", State.REGISTERED)), status])
        await until(numbers)
        await until(lambda: empty(broker, "status_queue"))
        serving.cancel()

    assert await numbers() == [1, 2]


async def test_a_line_names_each_transaction_by_the_state_that_was_recorded(store: Postgres, company: Company) -> None:
    batch = await company.batch("B-1", "V-1", "V-2")
    broker = memory.Broker()
    told = [("V-1", State.DATA_FETCHED), ("V-2", State.DATA_FETCHED), ("V-1", State.VALIDATION_SUCCESS)]

    with capture_logs() as lines:
        async with broker.connect("websocket") as bus:
            await bus.publish([publication(company.told(batch, *each)) for each in told])
            serving = asyncio.create_task(websocket.run(bus=bus, store=store, now=lambda: AT, log=LOG))
            await until(lambda: lines)
            serving.cancel()

    named = f"{company.account_id}/B-1"
    assert [line["transactions"] for line in lines] == [
        {"DATA_FETCHED": {named: ["V-1", "V-2"]}, "VALIDATION_SUCCESS": {named: ["V-1"]}}
    ]


async def test_a_status_of_an_unknown_batch_goes_to_the_dead_letters_and_takes_none_along(
    store: Postgres, company: Company
) -> None:
    batch = await company.batch("B-1", "V-1", "V-2")
    broker = memory.Broker()

    async with broker.connect("websocket") as bus:
        serving = asyncio.create_task(websocket.run(bus=bus, store=store, now=lambda: AT, log=LOG))
        await bus.publish(
            [
                publication(company.told(batch, "V-1", State.DATA_FETCHED)),
                publication(company.told(batch + 1, "V-1", State.DATA_FETCHED)),
                publication(company.told(batch, "V-2", State.DATA_FETCHED)),
            ]
        )
        async with bus.subscribe("dead_letter_queue", prefetch=10) as dead:
            letters = await asyncio.wait_for(dead.take(most=10, bytes_most=10_000, linger_s=0), 20)
        await until(lambda: empty(broker, "status_queue"))
        serving.cancel()

    rows = await store.fetch("select transaction_id from irnflow.event order by seq")
    assert [row["transaction_id"] for row in rows] == ["V-1", "V-2"]
    assert [letter.headers["BatchNo"] for letter in letters] == ["B-1"]


async def empty(broker: memory.Broker, queue: str) -> bool:
    async with broker.connect("probe") as bus:
        return await bus.depth(queue) == 0


def test_a_detail_with_a_thousand_faults_is_cut_and_says_so() -> None:
    faults = tuple(Fault(code="a.b", path=f"ItemList[{i}]", says="wrong") for i in range(1_000))

    detail = websocket.shortened(Detail(says="Refused", faults=faults))

    assert (len(detail.faults), detail.says) == (50, "Refused (the first 50 of 1000 faults)")


# Showing


async def test_a_client_sees_how_a_batch_stands_and_then_what_happens(
    store: Postgres, company: Company, address: str
) -> None:
    batch = await company.batch("B-1", "V/1", "V-2")
    await record(store, [company.told(batch, "V/1", State.DATA_FETCHED)])

    async with client(address, company.key) as connection:
        await say(connection, type="subscribe", batch_no="B-1", after=0)
        first = await hear(connection)
        await record(store, [company.told(batch, "V/1", State.REGISTERED, says="Registered")])
        second = await hear(connection)

    assert first == {
        "type": "snapshot", "batch_no": "B-1", "seq": 1, "size": 2, "counts": {"PROCESSING": 1, "DATA_FETCHED": 1},
    }  # fmt: skip
    assert second == {
        "type": "delta", "batch_no": "B-1", "from": 2, "seq": 2, "counts": {"PROCESSING": 1, "REGISTERED": 1},
        "events": [
            {
                "seq": 2, "transaction_id": "V/1", "status": "REGISTERED", "state": "REGISTERED",
                "at": "2026-11-22T04:30:00.000Z", "detail": {"says": "Registered"},
            }
        ],
    }  # fmt: skip


async def test_a_client_that_comes_back_gets_exactly_what_it_missed(
    store: Postgres, company: Company, address: str
) -> None:
    batch = await company.batch("B-1", "V-1", "V-2", "V-3")
    await record(store, (company.told(batch, f"V-{i}", State.DATA_FETCHED) for i in (1, 2, 3)))

    async with client(address, company.key) as connection:
        await say(connection, type="subscribe", batch_no="B-1", after=1)
        missed = await hear(connection)
        await say(connection, type="subscribe", batch_no="B-1", after=3)
        nothing = await hear(connection)

    assert (missed["type"], missed["from"], missed["seq"]) == ("delta", 2, 3)
    assert [event["transaction_id"] for event in missed["events"]] == ["V-2", "V-3"]
    assert (nothing["type"], nothing["from"], nothing["seq"], nothing["events"]) == ("delta", 4, 3, [])


@pytest.mark.parametrize("after", [1, EVENTS_MOST + 500])
async def test_a_client_that_missed_too_much_or_knows_the_future_gets_a_snapshot(
    store: Postgres, company: Company, address: str, after: int
) -> None:
    ids = [f"V-{i}" for i in range(EVENTS_MOST + 2)]
    batch = await company.batch("B-1", *ids)
    await record(store, (company.told(batch, each, State.DATA_FETCHED) for each in ids))

    async with client(address, company.key) as connection:
        await say(connection, type="subscribe", batch_no="B-1", after=after)
        frame = await hear(connection)

    assert (frame["type"], frame["seq"]) == ("snapshot", EVENTS_MOST + 2)


async def test_frames_of_a_batch_follow_each_other_without_a_gap_and_at_most_ten_a_second(
    store: Postgres, company: Company, address: str
) -> None:
    ids = [f"V-{i}" for i in range(60)]
    batch = await company.batch("B-1", *ids)
    loop = asyncio.get_running_loop()

    async with client(address, company.key) as connection:
        await say(connection, type="subscribe", batch_no="B-1")
        await hear(connection)
        began = loop.time()
        for each in ids:
            await record(store, [company.told(batch, each, State.DATA_FETCHED)])
        frames = await hear_until(connection, 60)
        seconds = loop.time() - began

    seqs = [event["seq"] for frame in frames for event in frame["events"]]
    assert seqs == list(range(1, 61))
    assert len(frames) <= seconds * 10 + 1


async def test_every_node_shows_what_any_node_has_recorded(
    store: Postgres, database_url: str, company: Company, address: str, clock: Clock
) -> None:
    batch = await company.batch("B-1", "V-1")

    async with (
        node(store, database_url, clock) as other,
        client(address, company.key) as here,
        client(other, company.key) as there,
    ):
        await say(here, type="subscribe", batch_no="B-1")
        await say(there, type="subscribe", batch_no="B-1")
        snapshots = await hear(here), await hear(there)
        await record(store, [company.told(batch, "V-1", State.DATA_FETCHED)])
        deltas = await hear(here), await hear(there)

    assert snapshots[0] == snapshots[1]
    assert deltas[0] == deltas[1]


async def test_a_lost_notification_delays_by_a_second_and_loses_nothing(
    store: Postgres, database_url: str, company: Company, clock: Clock
) -> None:
    batch = await company.batch("B-1", "V-1")

    async with node(store, database_url, clock, listening=False) as deaf, client(deaf, company.key) as connection:
        await say(connection, type="subscribe", batch_no="B-1")
        await hear(connection)
        await record(store, [company.told(batch, "V-1", State.DATA_FETCHED)])
        delta = await hear(connection)

    assert delta["seq"] == 1


async def test_a_restart_of_the_database_is_not_seen_by_clients(
    store: Postgres, company: Company, address: str
) -> None:
    batch = await company.batch("B-1", "V-1", "V-2")

    async with client(address, company.key) as connection:
        await say(connection, type="subscribe", batch_no="B-1")
        await hear(connection)
        with pytest.raises(Exception, match=r"terminating|closed"):  # our own connection goes too
            await store.fetch(
                "select pg_terminate_backend(pid) from pg_stat_activity "
                "where datname = current_database() order by pid = pg_backend_pid()"
            )
        await eventually_recorded(store, [company.told(batch, "V-1", State.DATA_FETCHED)])
        after_it = await hear(connection)
        await record(store, [company.told(batch, "V-2", State.DATA_FETCHED)])
        later = await hear(connection)

    assert (after_it["seq"], later["seq"]) == (1, 2)


async def eventually_recorded(store: Postgres, told: list[StatusChanged]) -> None:
    async def recorded() -> bool:
        try:
            await record(store, told)
        except Unavailable:
            return False
        return True

    await until(recorded)


async def test_an_unsubscribed_batch_is_silent(store: Postgres, company: Company, address: str) -> None:
    first, second = await company.batch("B-1", "V-1"), await company.batch("B-2", "V-1")

    async with client(address, company.key) as connection, client(address, company.key) as other:
        await say(other, type="subscribe", batch_no="B-1")
        await say(connection, type="subscribe", batch_no="B-1")
        await say(connection, type="subscribe", batch_no="B-2")
        await hear(other), await hear(connection), await hear(connection)
        await say(connection, type="unsubscribe", batch_no="B-1")
        await say(connection, type="subscribe", batch_no="B-9")  # its answer tells that all before it was heard
        await hear(connection)
        await record(store, [company.told(first, "V-1", State.DATA_FETCHED)])
        await hear(other)
        await record(store, [company.told(second, "V-1", State.DATA_FETCHED)])
        frame = await hear(connection)

    assert frame["batch_no"] == "B-2"


async def test_a_batch_that_nobody_watches_any_more_is_forgotten(
    store: Postgres, company: Company, clock: Clock
) -> None:
    await company.batch("B-1", "V-1")
    await company.batch("B-2", "V-1")
    feed = Feed(store)
    endpoint = Endpoint(feed, accounts.Keys(store, clock), console_port=0)

    async with serving([endpoint.route], host="127.0.0.1", port=0, **LIMITS) as port:
        async with client(f"ws://127.0.0.1:{port}/api/v1/ws", company.key) as connection:
            await say(connection, type="subscribe", batch_no="B-1")
            await say(connection, type="subscribe", batch_no="B-2")
            await hear(connection), await hear(connection)
            watched = len(feed._channels)
            await say(connection, type="unsubscribe", batch_no="B-1")
            await until(lambda: len(feed._channels) == 1)
        await until(lambda: not feed._channels)

    assert watched == 2


class Away:
    """A store that does not answer while a test says so."""

    def __init__(self, store: Postgres) -> None:
        self.store = store
        self.away = False
        self.refused = 0

    async def fetch(self, sql: str, *args: object) -> Sequence[Row]:
        if self.away:
            self.refused += 1
            raise Unavailable("away")
        return await self.store.fetch(sql, *args)


async def test_what_happens_while_the_store_does_not_answer_is_shown_when_it_does(
    store: Postgres, company: Company
) -> None:
    batch = await company.batch("B-1", "V-1")
    away = Away(store)
    feed = Feed(away)
    stirred = asyncio.Event()
    tailing = asyncio.create_task(feed.tail())
    channel = await feed.join(company.account_id, "B-1", stirred)
    assert channel is not None

    away.away = True
    feed.stir("*")
    await until(lambda: feed.trouble)
    await record(store, [company.told(batch, "V-1", State.DATA_FETCHED)])
    away.away = False
    await asyncio.wait_for(stirred.wait(), 20)

    assert (channel.seq, feed.trouble) == (1, {})
    tailing.cancel()


async def test_a_client_that_comes_while_the_store_does_not_answer_just_waits(
    store: Postgres, company: Company
) -> None:
    await company.batch("B-1", "V-1")
    away = Away(store)
    away.away = True

    joining = asyncio.create_task(Feed(away).join(company.account_id, "B-1", asyncio.Event()))
    await until(lambda: away.refused)
    away.away = False

    assert await asyncio.wait_for(joining, 20)


async def test_the_ear_for_notifications_comes_back_when_its_connection_is_lost(
    store: Postgres, database_url: str, company: Company
) -> None:
    batch = await company.batch("B-1", "V-1", "V-2")
    heard = Heard()
    listening = asyncio.create_task(listen(database_url, heard))
    ears = "from pg_stat_activity where datname = current_database() and query ilike 'listen%'"
    first = await until(lambda: store.fetch(f"select pid {ears}"))

    await store.fetch(f"select pg_terminate_backend(pid) {ears}")
    await until(lambda: store.fetch(f"select 1 {ears} and pid <> $1::int", first[0]["pid"]))
    await record(store, [company.told(batch, "V-1", State.DATA_FETCHED)])

    assert await asyncio.wait_for(heard.queue.get(), 20) == f"{batch}:1"
    listening.cancel()


class Heard(Feed):
    """A feed that only hears."""

    def __init__(self) -> None:
        self.queue: asyncio.Queue[str] = asyncio.Queue()

    def stir(self, told: str) -> None:
        self.queue.put_nowait(told)


@pytest.mark.parametrize(
    ("frame", "says"),
    [
        ("{", "not JSON"),
        ('{"type": "dance"}', "Invalid value 'dance'"),
        ('{"type": "subscribe", "batch_no": "B-1", "after": -1}', ">= 0"),
        ('{"type": "subscribe", "batch_no": "' + 65 * "B" + '"}', "<= 64"),
        ('{"type": "auth", "key": "again"}', "signed in already"),
    ],
)
async def test_a_frame_that_is_wrong_is_answered_and_the_connection_goes_on(
    company: Company, address: str, frame: str, says: str
) -> None:
    await company.batch("B-1", "V-1")

    async with client(address, company.key) as connection:
        await connection.send(frame)
        error = await hear(connection)
        await say(connection, type="subscribe", batch_no="B-1")
        snapshot = await hear(connection)

    assert says in error["detail"]
    assert snapshot["type"] == "snapshot"


async def test_a_frame_that_is_too_big_ends_the_connection(company: Company, address: str) -> None:
    async with client(address, company.key) as connection:
        await connection.send(20_000 * "x")

        code, _ = await closing(connection)

    assert code == 1009


# Who may see


async def test_a_batch_of_another_account_is_not_there(store: Postgres, company: Company, address: str) -> None:
    await company.batch("B-1", "V-1")
    stranger = await Company(store, "Another Company").open()

    async with client(address, stranger.key) as connection:
        await say(connection, type="subscribe", batch_no="B-1")
        frame = await hear(connection)

    assert frame == {"type": "error", "batch_no": "B-1", "detail": "There is no batch B-1 in this account."}


async def test_an_unknown_key_is_turned_away(address: str) -> None:
    async with client(address, "irnflow_guess") as connection:
        assert await closing(connection) == (4401, "This key is not known here, or no longer good.")


async def test_a_client_that_does_not_say_who_it_is_is_turned_away(company: Company, address: str) -> None:
    async with connect(address) as connection:
        await say(connection, type="subscribe", batch_no="B-1")

        code, reason = await closing(connection)

    assert (code, reason[:13]) == (4401, "Sign in first")


async def test_a_key_that_is_revoked_sees_no_more(
    store: Postgres, company: Company, address: str, clock: Clock
) -> None:
    await company.batch("B-1", "V-1")

    async with client(address, company.key) as connection:
        await say(connection, type="subscribe", batch_no="B-1")
        await hear(connection)
        await accounts.revoke_key(store, company.key, at=clock())
        clock.at += timedelta(minutes=1)

        assert await closing(connection) == (4401, "This key is no longer good. Sign in again.")


async def test_the_cookie_of_the_console_signs_in_a_page_of_this_host(company: Company, address: str) -> None:
    await company.batch("B-1", "V-1")
    cookie = {"Cookie": f"irnflow_session={company.key}", "Origin": "http://127.0.0.1:8080"}

    async with connect(address, additional_headers=cookie) as connection:
        await say(connection, type="subscribe", batch_no="B-1")
        frame = await hear(connection)

    assert frame["type"] == "snapshot"


async def test_the_cookie_of_a_visitor_is_of_no_use_to_a_page_elsewhere(company: Company, address: str) -> None:
    cookie = {"Cookie": f"irnflow_session={company.key}", "Origin": "https://elsewhere.example"}

    async with connect(address, additional_headers=cookie) as connection:
        await say(connection, type="subscribe", batch_no="B-1")

        code, _ = await closing(connection)

    assert code == 4401


@pytest.mark.parametrize(
    ("origin", "ours"),
    [
        ("http://irn.example:8001", True),  # the console's port
        ("http://irn.example:8002", True),  # our own
        ("http://irn.example:8003", False),
        ("https://irn.example", False),
        ("http://irn.example.evil:8001", False),
        ("null", False),
        ("http://[irn", False),
    ],
)
def test_a_page_is_ours_when_host_and_port_are(origin: str, ours: bool) -> None:
    headers = Headers({"origin": origin, "host": "irn.example:8002"})

    assert is_ours(headers, console_port=8001) is ours


def test_behind_a_proxy_a_page_of_the_same_address_is_ours() -> None:
    headers = Headers({"origin": "https://irn.example", "host": "irn.example"})

    assert is_ours(headers, console_port=8001)


# One batch for many clients


def channel() -> Channel:
    return Channel("B-1", {"batch_id": 1, "size": 9, "last_seq": 0, "counts": "{}"})


def news(seq: int, events: str | None = "[]") -> dict[str, object]:
    return {"batch_id": 1, "last_seq": seq, "counts": "{}", "events": events}


def test_all_clients_of_a_batch_are_given_the_same_encoded_frame() -> None:
    batch = channel()

    batch.move(news(3))

    assert batch.after(0) is batch.after(0)


def test_a_client_that_is_a_little_behind_gets_the_deltas_in_order() -> None:
    batch = channel()
    for seq in (3, 5, 9):
        batch.move(news(seq))

    first = batch.after(0)
    assert first is not None
    second = batch.after(first.seq)

    assert second is not None
    assert (first.seq, second.seq, batch.after(9)) == (3, 5, None)


def test_a_slow_client_gets_a_snapshot_in_place_of_a_backlog() -> None:
    batch = channel()
    for seq in range(1, 10):
        batch.move(news(seq, events=f"[{'9' * (KEPT_BYTES // 5)}]"))

    frame = batch.after(1)

    assert frame is not None
    assert msgspec.json.decode(frame.text) == {
        "type": "snapshot", "batch_no": "B-1", "seq": 9, "size": 9, "counts": {},
    }  # fmt: skip
    assert frame is batch.after(2)


def test_events_too_long_for_a_frame_are_told_by_a_snapshot() -> None:
    batch = channel()
    batch.move(news(1, events="[]"))

    batch.move(news(2, events=f"[{'9' * EVENTS_CHARACTERS_MOST}]"))

    frame = batch.after(1)
    assert frame is not None
    assert msgspec.json.decode(frame.text)["type"] == "snapshot"


def test_a_snapshot_is_made_anew_when_the_batch_has_moved() -> None:
    batch = channel()
    batch.move(news(1, events=None))
    first = batch.after(0)

    batch.move(news(2, events=None))
    second = batch.after(0)

    assert first is not None
    assert second is not None
    assert (first.seq, second.seq) == (1, 2)
    assert first.text != second.text


def test_more_events_than_a_delta_holds_are_told_by_a_snapshot() -> None:
    batch = channel()
    batch.move(news(1))

    batch.move(news(5_000, events=None))

    frame = batch.after(1)
    assert frame is not None
    assert '"snapshot"' in frame.text


# The whole service


async def test_the_service_shows_what_the_broker_brings(
    database_url: str,
    store: Postgres,
    company: Company,
    amqp_url: str,
    amqp_url_of: Callable[[str], str],
    free_port: int,
) -> None:
    batch = await company.batch("B-1", "V-1")
    settings = Settings(database_url=database_url, amqp_url=amqp_url_of("websocket"), ports={"websocket": free_port})
    key = await accounts.issue_key(store, company.account_id, name="now", at=datetime.now(UTC))
    serving = asyncio.create_task(websocket.main(settings))
    async with rabbit.connect(amqp_url_of("data_fetch"), "data_fetch") as bus, eventually_open(free_port) as connection:
        await say(connection, type="auth", key=key)
        await say(connection, type="subscribe", batch_no="B-1")
        await hear(connection)
        await until(lambda: connected(bus))

        await bus.publish([publication(company.told(batch, "V-1", State.DATA_FETCHED))])
        delta = await hear(connection)

    serving.cancel()
    await asyncio.wait([serving])
    assert delta["counts"] == {"DATA_FETCHED": 1}


async def connected(bus: rabbit.Rabbit) -> bool:
    return bus.connected


@asynccontextmanager
async def eventually_open(port: int) -> AsyncIterator[ClientConnection]:
    async with asyncio.timeout(20), AsyncExitStack() as stack:
        while True:
            try:
                connection = await stack.enter_async_context(connect(f"ws://127.0.0.1:{port}/api/v1/ws"))
                break
            except (OSError, InvalidMessage):
                await asyncio.sleep(0.05)
        yield connection


@pytest.fixture
async def free_port() -> int:
    async with serving([], host="127.0.0.1", port=0) as port:
        return port
