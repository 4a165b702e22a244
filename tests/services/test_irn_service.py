"""The dispatcher and the watchdog, on a real PostgreSQL and the memory bus."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Sequence
from datetime import datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from structlog.testing import capture_logs

from irnflow import messages
from irnflow.bus import memory
from irnflow.bus.dead_letter import exhume
from irnflow.bus.port import Bus, Delivery
from irnflow.errors import PublishFailed, Unavailable
from irnflow.log import logger
from irnflow.messages import Detail, FetchData, Publication, State, StatusChanged, ValidationFailed, publication
from irnflow.services.irn_service import SQL, Pace, Speed, dispatch, look, release, run, shares, waiting_most
from irnflow.store import database, failures, steering
from irnflow.store.database import Database, Postgres
from tests.tenant import AT, Tenant, events, later, make_batch, make_tenant
from tests.waiting import until

LOG = logger("test")
PACE = Pace(full_s=0.01, idle_s=0.01)


@pytest.fixture
async def store(database_url: str) -> AsyncIterator[Postgres]:
    async with database.connect(database_url) as opened:
        yield opened


@pytest.fixture
async def tenant(store: Postgres) -> Tenant:
    return await make_tenant(store)


@pytest.fixture
async def bus() -> AsyncIterator[Bus]:
    async with memory.Broker().connect("irn_service") as opened:
        yield opened


async def taken(bus: Bus, queue: str) -> list[Delivery]:
    """All that is ready in a queue, settled."""
    ready = await bus.depth(queue)
    async with bus.subscribe(queue, prefetch=10_000) as subscription:
        found: list[Delivery] = []
        while len(found) < ready:
            found += await subscription.take(most=10_000, bytes_most=2**30, linger_s=0)
        await subscription.ack([delivery.tag for delivery in found])
    return found


async def fetches(bus: Bus) -> list[str]:
    return [delivery.correlation_id for delivery in await taken(bus, "fetch_data_queue")]


async def released(store: Database) -> list[int]:
    return [row["released"] for row in await store.fetch("select released from irnflow.batch order by batch_id")]


def waiting(*batches: tuple[int, int, int]) -> list[dict[str, int]]:
    return [{"account_id": account, "batch_id": batch, "unreleased": left} for account, batch, left in batches]


# Fairness -------------------------------------------------------------------------------------------------------------


def test_a_small_batch_goes_whole_beside_a_large_one() -> None:
    share = shares(waiting((1, 10, 100_000), (1, 11, 5)), 250)

    assert share == {10: 245, 11: 5}


def test_accounts_share_equally_whatever_number_of_batches_they_have() -> None:
    share = shares(waiting((1, 10, 900), (1, 11, 900), (1, 12, 900), (2, 20, 900)), 60)

    assert share == {10: 10, 11: 10, 12: 10, 20: 30}


def test_where_not_all_have_room_those_served_longest_ago_go_first() -> None:
    share = shares(waiting(*((1, batch, 9) for batch in (5, 3, 1))), 2)

    assert share == {5: 1, 3: 1}


@given(
    st.lists(st.tuples(st.integers(1, 4), st.integers(1, 40)), max_size=12),
    st.integers(1, 60),
)
def test_the_window_is_filled_as_far_as_there_is_work(sizes: list[tuple[int, int]], most: int) -> None:
    batches = waiting(*((account, batch, left) for batch, (account, left) in enumerate(sizes)))

    share = shares(batches, most)

    assert sum(share.values()) == min(most, sum(left for _, left in sizes))
    assert all(0 < share[batch] <= sizes[batch][1] for batch in share)


# The dispatcher -------------------------------------------------------------------------------------------------------


async def test_each_transaction_is_sent_once_with_all_that_data_fetch_needs(
    store: Postgres, tenant: Tenant, bus: Bus
) -> None:
    batch = await make_batch(store, tenant, "V/1", "V/2", batch_no="B-1")

    sent = [len(await release(250, bus=bus, store=store, at=AT)) for _ in range(2)]

    assert sent == [2, 0]
    found = [messages.decode(delivery.body, FetchData) for delivery in await taken(bus, "fetch_data_queue")]
    assert found[0] == FetchData(
        batch_id=batch["batch_id"], batch_no="B-1", transaction_id="V/1", account_id=tenant.account_id, books="surya"
    )
    assert [each.transaction_id for each in found] == ["V/1", "V/2"]


async def test_what_is_released_is_written_down_by_window(store: Postgres, tenant: Tenant, bus: Bus) -> None:
    await make_batch(store, tenant, *"abcde")

    await release(2, bus=bus, store=store, at=AT)
    await release(9, bus=bus, store=store, at=later(seconds=1))

    rows = await store.fetch("select first, last, released_at from irnflow.release order by first")
    assert [tuple(row) for row in rows] == [(1, 2, AT), (3, 5, later(seconds=1))]
    assert await released(store) == [5]


async def test_a_window_that_another_dispatcher_has_sent_too_counts_once(
    store: Postgres, tenant: Tenant, bus: Bus
) -> None:
    batch = await make_batch(store, tenant, *"abcde")
    await release(2, bus=bus, store=store, at=AT)
    await release(2, bus=bus, store=store, at=AT)

    late = [batch["batch_id"]], [1], [2], later(seconds=1)
    await store.fetch(SQL["mark_released"], *late)

    rows = await store.fetch("select first, last, released_at from irnflow.release order by first")
    assert [tuple(row) for row in rows] == [(1, 2, AT), (3, 4, AT)]
    assert await released(store) == [4]


async def test_batches_are_served_in_turn(store: Postgres, tenant: Tenant, bus: Bus) -> None:
    await make_batch(store, tenant, *"abcd")
    await make_batch(store, tenant, *"xy")

    await release(3, bus=bus, store=store, at=AT)
    await release(9, bus=bus, store=store, at=later(seconds=1))

    assert await fetches(bus) == ["a", "x", "b", "c", "y", "d"]


async def test_a_new_batch_comes_before_those_that_have_been_served(store: Postgres, tenant: Tenant, bus: Bus) -> None:
    for _ in range(3):
        await make_batch(store, tenant, *"abcd")
    await release(3, bus=bus, store=store, at=AT)
    await make_batch(store, tenant, "urgent")
    await fetches(bus)

    await release(1, bus=bus, store=store, at=later(seconds=1))

    assert await fetches(bus) == ["urgent"]


class Refusing:
    """A bus that takes nothing."""

    def __init__(self, bus: Bus, error: Exception) -> None:
        self._bus = bus
        self._error = error
        self.connected = True
        self.refused = 0

    async def publish(self, window: Sequence[Publication]) -> None:
        self.refused += 1
        raise self._error

    def subscribe(self, queue: str, *, prefetch: int) -> Any:
        return self._bus.subscribe(queue, prefetch=prefetch)

    async def depth(self, queue: str) -> int:
        return await self._bus.depth(queue)


async def test_what_the_broker_did_not_confirm_is_not_released(store: Postgres, tenant: Tenant, bus: Bus) -> None:
    await make_batch(store, tenant, "a", "b")

    with pytest.raises(PublishFailed):
        await release(9, bus=Refusing(bus, PublishFailed("nack")), store=store, at=AT)

    assert await released(store) == [0]
    assert len(await release(9, bus=bus, store=store, at=AT)) == 2


async def test_the_dispatcher_outlives_a_broker_that_is_down(store: Postgres, tenant: Tenant, bus: Bus) -> None:
    down = Refusing(bus, Unavailable("down"))
    await make_batch(store, tenant, "a")

    task = asyncio.create_task(dispatch(bus=down, store=store, now=clock, woken=asyncio.Event(), log=LOG, pace=PACE))

    await until(lambda: down.refused > 2)
    await cancel(task)
    assert await released(store) == [0]


async def test_no_more_is_released_than_the_pipeline_has_room_for(store: Postgres, tenant: Tenant, bus: Bus) -> None:
    await make_batch(store, tenant, *map(str, range(2_000)))
    await dispatched(bus, store)

    before = await fetches(bus)
    await dispatched(bus, store)

    assert len(before) == 100
    assert await released(store) == [200]


async def dispatched(bus: Bus, store: Postgres) -> None:
    """What the dispatcher does until the pipeline is full, and that is written down."""
    full = sum(await released(store)) + 100

    async def is_full() -> bool:
        return await depth_is(bus, 100) and sum(await released(store)) == full

    task = asyncio.create_task(dispatch(bus=bus, store=store, now=clock, woken=asyncio.Event(), log=LOG, pace=PACE))
    await until(is_full)
    await cancel(task)


async def test_a_line_names_what_was_released_and_what_was_withdrawn(store: Postgres, tenant: Tenant, bus: Bus) -> None:
    await make_batch(store, tenant, "a", "b", batch_no="B-1")
    await make_batch(store, tenant, "c", batch_no="B-2")
    await steering.withdraw(store, tenant.account_id, "B-2", at=AT)

    with capture_logs() as lines:
        task = asyncio.create_task(dispatch(bus=bus, store=store, now=clock, woken=asyncio.Event(), log=LOG, pace=PACE))
        await until(lambda: depth_is(bus, 2))
        await until(lambda: lines)
        await cancel(task)

    account = tenant.account_id
    assert [(line["event"], line["transactions"]) for line in lines] == [
        ("released", {"PROCESSING": {f"{account}/B-1": ["a", "b"]}, "WITHDRAWN": {f"{account}/B-2": ["c"]}})
    ]


def test_a_quarter_of_a_second_of_its_own_speed_may_wait_in_the_pipeline() -> None:
    at_s = iter([0.0, 1.0, 2.0, 100.0])
    speed = Speed(lambda: next(at_s))

    speed.took(2_400)
    speed.took(1_600)

    assert waiting_most(speed, Pace()) == 500
    assert waiting_most(speed, Pace()) == 100  # long after


async def depth_is(bus: Bus, depth: int) -> bool:
    return await bus.depth("fetch_data_queue") == depth


async def test_five_urgent_vouchers_are_not_behind_a_large_batch(store: Postgres, tenant: Tenant, bus: Bus) -> None:
    await make_batch(store, tenant, *map(str, range(5_000)))
    await dispatched(bus, store)

    await make_batch(store, tenant, *(f"urgent {n}" for n in range(5)))
    await fetches(bus)  # what was ahead of them
    await dispatched(bus, store)

    assert sum("urgent" in each for each in await fetches(bus)) == 5


async def test_an_intake_in_another_process_wakes_the_dispatcher(
    store: Postgres, tenant: Tenant, bus: Bus, database_url: str
) -> None:
    woken = asyncio.Event()
    task = asyncio.create_task(run(url=database_url, bus=bus, store=store, now=clock, woken=woken, log=LOG))
    await make_batch(store, tenant, "first")
    await until(lambda: depth_is(bus, 1))

    await make_batch(store, tenant, "second")

    await until(lambda: depth_is(bus, 2))
    await cancel(task)


async def test_two_processes_release_each_transaction_once(
    store: Postgres, tenant: Tenant, bus: Bus, database_url: str
) -> None:
    both = [
        asyncio.create_task(run(url=database_url, bus=bus, store=store, now=clock, woken=asyncio.Event(), log=LOG))
        for _ in range(2)
    ]

    await make_batch(store, tenant, *map(str, range(400)))

    await until(lambda: depth_is(bus, 100))
    await asyncio.gather(*(cancel(task) for task in both))
    assert Counter(await fetches(bus)).most_common(1)[0][1] == 1


def clock() -> datetime:
    return AT


async def cancel(task: "asyncio.Task[None]") -> None:
    task.cancel()
    await asyncio.wait([task])


# The watchdog ---------------------------------------------------------------------------------------------------------


async def look_at(at: datetime, store: Database, bus: Bus) -> None:
    await look(bus=bus, store=store, at=at, log=LOG)


@pytest.fixture
async def batch_id(store: Postgres, tenant: Tenant, bus: Bus) -> int:
    """A batch of a and b that has been released at AT, and whose messages are lost."""
    batch = await make_batch(store, tenant, "a", "b")
    await release(9, bus=bus, store=store, at=AT)
    await fetches(bus)
    return int(batch["batch_id"])


async def test_a_transaction_that_is_quiet_for_a_quarter_of_an_hour_is_sent_again(
    store: Postgres, tenant: Tenant, bus: Bus, batch_id: int
) -> None:
    await failures.record(store, [failure_of(tenant, batch_id, "b")])
    await events(store, batch_id, {"b": State.VALIDATION_FAILED})

    await look_at(later(minutes=14), store, bus)
    before = await fetches(bus)
    await look_at(later(minutes=15), store, bus)

    assert before == []
    assert await fetches(bus) == ["a"]


async def test_it_is_sent_again_once_in_a_quarter_of_an_hour(store: Postgres, bus: Bus, batch_id: int) -> None:
    times = (15, 16, 29, 30, 31)

    for minutes in times:
        await look_at(later(minutes=minutes), store, bus)

    assert Counter(await fetches(bus)) == {"a": 2, "b": 2}


async def test_a_transaction_that_took_a_step_lately_is_left_alone(store: Postgres, bus: Bus, batch_id: int) -> None:
    await events(store, batch_id, {"a": State.DATA_FETCHED}, at=later(minutes=10))

    await look_at(later(minutes=15), store, bus)

    assert await fetches(bus) == ["b"]


async def test_a_transaction_whose_failure_is_kept_is_left_alone_while_statuses_wait(
    store: Postgres, tenant: Tenant, bus: Bus, batch_id: int
) -> None:
    await failures.record(store, [failure_of(tenant, batch_id, "a")])
    await bus.publish([status_of(tenant, batch_id, "a")])

    await look_at(later(minutes=15), store, bus)

    assert await fetches(bus) == ["b"]


async def test_a_transaction_whose_failure_is_kept_and_whose_status_got_lost_is_sent_again(
    store: Postgres, tenant: Tenant, bus: Bus, batch_id: int
) -> None:
    await failures.record(store, [failure_of(tenant, batch_id, "a")])

    await look_at(later(minutes=15), store, bus)

    assert sorted(await fetches(bus)) == ["a", "b"]


async def test_a_failure_that_is_seen_and_whose_reason_got_lost_is_asked_for_again(
    store: Postgres, bus: Bus, batch_id: int
) -> None:
    await events(store, batch_id, {"a": State.VALIDATION_FAILED, "b": State.VALIDATION_FAILED}, at=AT)

    await look_at(later(minutes=15), store, bus)

    assert sorted(await fetches(bus)) == ["a", "b"]


async def test_a_failure_that_is_seen_is_left_alone_while_reasons_wait(
    store: Postgres, tenant: Tenant, bus: Bus, batch_id: int
) -> None:
    await events(store, batch_id, {"a": State.VALIDATION_FAILED, "b": State.VALIDATION_FAILED}, at=AT)
    reason = ValidationFailed(
        batch_id=batch_id, batch_no="B", transaction_id="a", account_id=tenant.account_id, books="surya", cause="x",
        says="x", fix="", attempts=1, at=AT,
    )  # fmt: skip
    await bus.publish([publication(reason)])

    await look_at(later(minutes=15), store, bus)

    assert await fetches(bus) == []


def status_of(tenant: Tenant, batch_id: int, transaction_id: str) -> Publication:
    return publication(
        StatusChanged(
            batch_id=batch_id, batch_no="B", transaction_id=transaction_id, account_id=tenant.account_id, books="surya",
            status=State.VALIDATION_FAILED, at=AT, detail=Detail(says="x"),
        )
    )  # fmt: skip


def failure_of(
    tenant: Tenant, batch_id: int, transaction_id: str, failing: State = State.VALIDATION_FAILED, *, at: datetime = AT
) -> failures.Failure:
    return failures.Failure(
        batch_id=batch_id, transaction_id=transaction_id, account_id=tenant.account_id, stage="validation", cause="x",
        says="", fix="", faults=(), attempts=1, message=b"{}", at=at, failing=failing,
    )  # fmt: skip


async def test_a_transaction_that_has_reached_registration_is_left_alone(
    store: Postgres, tenant: Tenant, bus: Bus, batch_id: int
) -> None:
    await request(store, tenant, batch_id, "a")

    await look_at(later(minutes=15), store, bus)

    assert await fetches(bus) == ["b"]


async def request(store: Database, tenant: Tenant, batch_id: int, transaction_id: str, told: str | None = None) -> None:
    await store.fetch(
        """insert into irnflow.registration_request (batch_id, transaction_id, irn, account_id, batch_no, books,
                                                     read_digest, digest, payload, valid_on, requested_at, told,
                                                     told_at)
           values ($1::bigint, $2::text, repeat('0', 64), $3::bigint, 'B', 'surya', '', '', '', $4::timestamptz::date,
                   $4::timestamptz, $5::irnflow.registration_state, $4::timestamptz)""",
        batch_id, transaction_id, tenant.account_id, AT, told,
    )  # fmt: skip


async def test_while_messages_wait_nothing_is_sent_again(store: Postgres, bus: Bus, tenant: Tenant) -> None:
    await make_batch(store, tenant, *map(str, range(500)))
    await release(500, bus=bus, store=store, at=AT)

    await look_at(later(minutes=15), store, bus)

    assert len(await fetches(bus)) == 500


async def test_after_three_times_it_is_given_to_a_person_where_others_get_through(
    store: Postgres, bus: Bus, batch_id: int
) -> None:
    for n in range(1, 4):
        await look_at(later(minutes=15 * n), store, bus)
    await fetches(bus)
    await events(store, batch_id, {"b": State.VALIDATION_FAILED}, at=later(minutes=46))

    await look_at(later(minutes=60), store, bus)
    await look_at(later(minutes=61), store, bus)

    [letter] = [exhume(delivery) for delivery in await taken(bus, "dead_letter_queue")]
    assert (letter.type, letter.correlation_id, letter.reason) == ("fetch.data", "a", "no_answer")
    assert letter.says == "nothing was heard of it after 3 more requests; it was seen last as Processing"
    assert await fetches(bus) == []


async def test_a_line_names_what_is_sent_again_and_what_is_given_up(
    store: Postgres, tenant: Tenant, bus: Bus, batch_id: int
) -> None:
    for n in range(1, 4):
        await look_at(later(minutes=15 * n), store, bus)
    await events(store, batch_id, {"b": State.VALIDATION_SUCCESS}, at=later(minutes=46))
    await fetches(bus)
    await store.fetch("delete from irnflow.resend where transaction_id = 'b'")

    with capture_logs() as lines:
        await look_at(later(minutes=61), store, bus)

    [batch_no] = [row["batch_no"] for row in await store.fetch("select batch_no from irnflow.batch")]
    batch = f"{tenant.account_id}/{batch_no}"
    assert [line["transactions"] for line in lines] == [{"sent_again": {batch: ["b"]}, "given_up": {batch: ["a"]}}]


async def test_while_nothing_of_the_books_moves_nobody_is_given_up(store: Postgres, bus: Bus, batch_id: int) -> None:
    for n in range(1, 20):
        await look_at(later(minutes=15 * n), store, bus)

    assert await taken(bus, "dead_letter_queue") == []
    assert Counter(await fetches(bus)) == {"a": 19, "b": 19}


async def test_after_a_day_it_is_given_to_a_person_all_the_same(store: Postgres, bus: Bus, batch_id: int) -> None:
    for n in range(1, 4):
        await look_at(later(minutes=15 * n), store, bus)

    await look_at(later(hours=24), store, bus)

    assert len(await taken(bus, "dead_letter_queue")) == 2


@pytest.mark.parametrize(
    ("told", "state", "again"),
    [
        ("ACCEPTED", None, True),
        ("ACCEPTED", State.GENERATION_SUCCESS, True),
        ("ACCEPTED", State.REGISTERED, False),
        ("ACCEPTED", State.BOOKS_FAILED, False),
        ("REJECTED", State.VALIDATION_SUCCESS, True),
        ("REJECTED", State.GENERATION_FAILED, False),
        ("REJECTED", State.GENERATION_SUCCESS, True),  # struck off: the books won't answer it any more
        ("UNKNOWN", State.VALIDATION_SUCCESS, True),
        ("UNKNOWN", State.IN_DOUBT, False),
    ],
)
async def test_an_outcome_is_told_again_while_its_effect_is_not_seen(
    store: Postgres, tenant: Tenant, bus: Bus, batch_id: int, told: str, state: State | None, again: bool
) -> None:
    await request(store, tenant, batch_id, "a", told)
    await failures.record(store, [failure_of(tenant, batch_id, "a", State.BOOKS_FAILED)])  # higher than any of these
    await events(store, batch_id, {"a": state} if state else {"b": State.DATA_FETCHED})

    await look_at(later(minutes=9), store, bus)
    early = await to_tell(store)
    await look_at(later(minutes=10), store, bus)

    assert early == []
    assert await to_tell(store) == (["a"] if again else [])


@pytest.mark.parametrize(
    ("told", "state"),
    [
        ("ACCEPTED", State.BOOKS_FAILED),
        ("REJECTED", State.GENERATION_FAILED),
        ("REJECTED", State.REGISTERED),  # struck off after success
        ("REJECTED", State.BOOKS_FAILED),
    ],
)
async def test_an_outcome_is_told_again_where_the_reason_of_the_failure_got_lost(
    store: Postgres, tenant: Tenant, bus: Bus, batch_id: int, told: str, state: State
) -> None:
    await request(store, tenant, batch_id, "a", told)
    await events(store, batch_id, {"a": state, "b": State.REGISTERED})

    await look_at(later(minutes=10), store, bus)

    assert (await to_tell(store), await finished(store)) == (["a"], [None])


async def test_who_was_told_of_a_registration_struck_off_after_success_is_told_once(
    store: Postgres, tenant: Tenant, bus: Bus, batch_id: int
) -> None:
    await request(store, tenant, batch_id, "a", "REJECTED")
    await events(store, batch_id, {"a": State.REGISTERED, "b": State.REGISTERED})
    await failures.record(store, [failure_of(tenant, batch_id, "a", State.GENERATION_FAILED, at=later(minutes=5))])

    await look_at(later(minutes=10), store, bus)

    assert (await to_tell(store), await finished(store)) == ([], [later(minutes=10)])


async def to_tell(store: Database) -> list[str]:
    rows = await store.fetch("select transaction_id from irnflow.registration_request where tell_at is not null")
    return [row["transaction_id"] for row in rows]


async def test_a_batch_at_its_end_is_watched_no_longer(
    store: Postgres, tenant: Tenant, bus: Bus, batch_id: int
) -> None:
    await request(store, tenant, batch_id, "a", "ACCEPTED")
    await failures.record(store, [failure_of(tenant, batch_id, "b")])
    await events(store, batch_id, {"a": State.GENERATION_SUCCESS, "b": State.VALIDATION_FAILED})
    await look_at(later(minutes=1), store, bus)
    before = await finished(store)
    await events(store, batch_id, {"a": State.REGISTERED})

    await look_at(later(minutes=2), store, bus)

    assert (before, await finished(store)) == ([None], [later(minutes=2)])


async def test_a_batch_of_which_something_is_to_be_told_is_watched_on(
    store: Postgres, tenant: Tenant, bus: Bus, batch_id: int
) -> None:
    await request(store, tenant, batch_id, "a", "ACCEPTED")
    await events(store, batch_id, {"a": State.REGISTERED, "b": State.REGISTERED})
    await store.fetch("update irnflow.registration_request set tell_at = $1::timestamptz", AT)

    await look_at(later(minutes=1), store, bus)

    assert await finished(store) == [None]


async def finished(store: Database) -> list[datetime | None]:
    return [row["finished_at"] for row in await store.fetch("select finished_at from irnflow.batch")]


async def test_vouchers_of_a_withdrawn_batch_are_told_so_instead_of_released(
    store: Postgres, tenant: Tenant, bus: Bus
) -> None:
    batch_no = (await make_batch(store, tenant, "V/1", "V/2"))["batch_no"]
    await steering.withdraw(store, tenant.account_id, batch_no, at=AT)

    released = await release(10, bus=bus, store=store, at=AT)

    assert len(released) == 2
    assert await bus.depth("fetch_data_queue") == 0
    assert await bus.depth("status_queue") == 2


async def test_a_paused_batch_is_not_released_until_it_is_resumed(store: Postgres, tenant: Tenant, bus: Bus) -> None:
    batch_no = (await make_batch(store, tenant, "V/1"))["batch_no"]
    await steering.pause_batch(store, tenant.account_id, batch_no, reason="audit", by="asha", at=AT)
    paused = await release(10, bus=bus, store=store, at=AT)

    await steering.resume_batch(store, tenant.account_id, batch_no)

    assert (len(paused), len(await release(10, bus=bus, store=store, at=AT))) == (0, 1)
