"""`record_events` and what is read of it, on a real PostgreSQL."""

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from typing import Any, NamedTuple

import asyncpg
import msgspec
import pytest

from irnflow.messages import State
from irnflow.store.database import Database, DataError, Postgres, connect, queries

SQL = queries("events")
AT = datetime(2026, 11, 22, 4, 30, 0, 250_000, tzinfo=UTC)
FETCHED, VALID, INVALID = State.DATA_FETCHED, State.VALIDATION_SUCCESS, State.VALIDATION_FAILED
IN_DOUBT, GENERATED, REGISTERED = State.IN_DOUBT, State.GENERATION_SUCCESS, State.REGISTERED


class Told(NamedTuple):
    """One status as `record_events` gets it."""

    batch_id: int
    transaction_id: str
    status: State
    n: int = 0


@pytest.fixture
async def database(database_url: str) -> AsyncIterator[Postgres]:
    async with connect(database_url) as database:
        yield database


@pytest.fixture
async def batch(database: Postgres) -> int:
    return await make_batch(database, "B-1", "V-1", "V-2", "V-3")


async def make_batch(database: Database, batch_no: str, *ids: str) -> int:
    rows = await database.fetch(
        """
        with account as (
            insert into irnflow.account (name, created_at) values ('Surya Traders', $3::timestamptz)
            on conflict (name) do update set name = excluded.name returning account_id
        ), batch as (
            insert into irnflow.batch (account_id, batch_no, books, digest, size, created_at)
            select account_id, $1::text, 'main', '', cardinality($2::text[]), $3::timestamptz from account
            returning batch_id
        ), transaction as (
            insert into irnflow.transaction
            select batch_id, id, ordinal from batch, unnest($2::text[]) with ordinality as given (id, ordinal)
        ), counts as (
            insert into irnflow.batch_count select batch_id, 'PROCESSING', cardinality($2::text[]) from batch
        )
        select batch_id from batch
        """,
        batch_no, list(ids), AT,
    )  # fmt: skip
    return int(rows[0]["batch_id"])


async def record(database: Database, *told: Told) -> int:
    columns = [list(column) for column in zip(*told, strict=True)]
    rows = await database.fetch(SQL["record"], *columns, [AT] * len(told), ['{"says": "so"}'] * len(told))
    return int(rows[0]["news"])


async def events(database: Database, batch_id: int, after: int = 0, upto: int = 1_000) -> list[dict[str, Any]]:
    rows = await database.fetch(SQL["events"], batch_id, after, upto)
    found: list[dict[str, Any]] = msgspec.json.decode(rows[0]["events"])
    return found


async def numbers(database: Database, batch_id: int) -> list[int]:
    return [event["seq"] for event in await events(database, batch_id)]


async def states(database: Database, batch_id: int) -> dict[str, str]:
    rows = await database.fetch("select transaction_id, state from irnflow.state where batch_id = $1", batch_id)
    return {row["transaction_id"]: row["state"] for row in rows}


async def counts(database: Database, batch_id: int) -> dict[str, int]:
    rows = await database.fetch("select irnflow.counts($1::bigint) as counts", batch_id)
    found: dict[str, int] = msgspec.json.decode(rows[0]["counts"])
    return found


async def fail(database: Database, batch_id: int, transaction_id: str, stage: str, failing: State) -> None:
    await database.fetch(
        """insert into irnflow.failure
               (batch_id, transaction_id, stage, failing, cause, says, fix, faults, attempts, at)
           values ($1, $2, $3, $4, 'some.cause', 'says', 'fix', '[]', 1, $5)""",
        batch_id, transaction_id, stage, failing, AT,
    )  # fmt: skip


async def open_failures(database: Database) -> set[tuple[str, str]]:
    rows = await database.fetch("select transaction_id, stage from irnflow.failure where closed_at is null")
    return {(row["transaction_id"], row["stage"]) for row in rows}


async def test_statuses_are_numbered_in_the_order_they_came_without_a_gap(database: Postgres, batch: int) -> None:
    await record(database, Told(batch, "V-2", FETCHED), Told(batch, "V-1", FETCHED))
    await record(database, Told(batch, "V-2", VALID))

    told = [(event["seq"], event["transaction_id"], event["status"]) for event in await events(database, batch)]

    assert told == [(1, "V-2", FETCHED), (2, "V-1", FETCHED), (3, "V-2", VALID)]


async def test_each_batch_has_numbers_of_its_own(database: Postgres, batch: int) -> None:
    other = await make_batch(database, "B-2", "V-1")

    await record(database, Told(batch, "V-1", FETCHED), Told(other, "V-1", FETCHED), Told(batch, "V-2", FETCHED))

    assert (await numbers(database, batch), await numbers(database, other)) == ([1, 2], [1])


async def test_the_same_status_again_changes_nothing(database: Postgres, batch: int) -> None:
    await record(database, Told(batch, "V-1", FETCHED))

    news = await record(database, Told(batch, "V-1", FETCHED), Told(batch, "V-2", FETCHED))

    assert news == 1
    assert await numbers(database, batch) == [1, 2]
    assert await counts(database, batch) == {"PROCESSING": 1, "DATA_FETCHED": 2}


async def test_the_same_status_twice_in_one_call_counts_once(database: Postgres, batch: int) -> None:
    news = await record(database, Told(batch, "V-1", FETCHED), Told(batch, "V-1", FETCHED))

    assert news == 1
    assert await numbers(database, batch) == [1]
    assert await counts(database, batch) == {"PROCESSING": 2, "DATA_FETCHED": 1}


async def test_a_status_that_recurs_is_recorded_each_time(database: Postgres, batch: int) -> None:
    news = await record(database, Told(batch, "V-1", IN_DOUBT, 0), Told(batch, "V-1", IN_DOUBT, 1))

    assert news == 2
    assert await counts(database, batch) == {"PROCESSING": 2, "IN_DOUBT": 1}


async def test_a_late_status_is_recorded_and_moves_nothing(database: Postgres, batch: int) -> None:
    await record(database, Told(batch, "V-1", GENERATED))

    await record(database, Told(batch, "V-1", FETCHED))

    assert await numbers(database, batch) == [1, 2]
    assert await states(database, batch) == {"V-1": "GENERATION_SUCCESS"}
    assert await counts(database, batch) == {"PROCESSING": 2, "GENERATION_SUCCESS": 1}


async def test_several_statuses_of_one_transaction_in_one_call_move_it_to_the_highest(
    database: Postgres, batch: int
) -> None:
    await record(database, Told(batch, "V-1", FETCHED))

    await record(
        database, Told(batch, "V-1", GENERATED), Told(batch, "V-1", VALID), Told(batch, "V-1", REGISTERED),
        Told(batch, "V-2", VALID), Told(batch, "V-2", FETCHED),
    )  # fmt: skip

    assert await states(database, batch) == {"V-1": "REGISTERED", "V-2": "VALIDATION_SUCCESS"}
    assert await counts(database, batch) == {"PROCESSING": 1, "VALIDATION_SUCCESS": 1, "REGISTERED": 1}


async def test_the_counts_always_add_up_to_the_transactions(database: Postgres, batch: int) -> None:
    for status in (FETCHED, VALID, INVALID, GENERATED):
        await record(database, *(Told(batch, f"V-{i}", status) for i in (1, 2, 3)))

        assert sum((await counts(database, batch)).values()) == 3


async def test_a_state_keeps_the_event_that_moved_it_there(database: Postgres, batch: int) -> None:
    await record(database, Told(batch, "V-1", FETCHED), Told(batch, "V-1", IN_DOUBT), Told(batch, "V-1", IN_DOUBT, 1))
    await record(database, Told(batch, "V-1", IN_DOUBT, 2))

    rows = await database.fetch("select seq, at, detail::text from irnflow.state")

    assert [tuple(row.values()) for row in rows] == [(2, AT, '{"says": "so"}')]


async def test_moving_up_out_of_a_failure_closes_it(database: Postgres, batch: int) -> None:
    await fail(database, batch, "V-1", "validation", INVALID)
    await fail(database, batch, "V-2", "validation", INVALID)
    await record(database, Told(batch, "V-1", INVALID), Told(batch, "V-2", INVALID))

    await record(database, Told(batch, "V-1", GENERATED))

    assert await open_failures(database) == {("V-2", "validation")}


async def test_a_failure_told_late_is_closed_at_once(database: Postgres, batch: int) -> None:
    await record(database, Told(batch, "V-1", GENERATED))
    await fail(database, batch, "V-1", "validation", INVALID)

    await record(database, Told(batch, "V-1", INVALID))

    assert await open_failures(database) == set()


async def test_moving_from_one_failure_to_the_next_leaves_the_next_open(database: Postgres, batch: int) -> None:
    await fail(database, batch, "V-1", "validation", INVALID)
    await fail(database, batch, "V-1", "registration", State.GENERATION_FAILED)
    await record(database, Told(batch, "V-1", INVALID))

    await record(database, Told(batch, "V-1", State.GENERATION_FAILED))

    assert await open_failures(database) == {("V-1", "registration")}


async def test_moving_up_out_of_the_dead_letters_closes_the_failure_of_whichever_stage(
    database: Postgres, batch: int
) -> None:
    await fail(database, batch, "V-1", "validation", State.DEAD_LETTERED)
    await record(database, Told(batch, "V-1", State.DEAD_LETTERED))

    await record(database, Told(batch, "V-1", GENERATED))

    assert await open_failures(database) == set()


async def test_moving_from_the_dead_letters_to_a_failure_leaves_that_failure_open(
    database: Postgres, batch: int
) -> None:
    await fail(database, batch, "V-1", "validation", State.DEAD_LETTERED)
    await fail(database, batch, "V-1", "registration", State.GENERATION_FAILED)
    await record(database, Told(batch, "V-1", State.DEAD_LETTERED))

    await record(database, Told(batch, "V-1", State.GENERATION_FAILED))

    assert await open_failures(database) == {("V-1", "registration")}


async def test_a_dead_letter_stays_open_when_its_stage_had_failed_as_usual_before(
    database: Postgres, batch: int
) -> None:
    await fail(database, batch, "V-1", "validation", State.DEAD_LETTERED)
    await record(database, Told(batch, "V-1", INVALID))

    await record(database, Told(batch, "V-1", State.DEAD_LETTERED))

    assert await open_failures(database) == {("V-1", "validation")}


async def test_a_dead_letter_stays_open_when_its_stage_fails_as_usual_after_it(database: Postgres, batch: int) -> None:
    await fail(database, batch, "V-1", "validation", State.DEAD_LETTERED)
    await record(database, Told(batch, "V-1", State.DEAD_LETTERED))

    await record(database, Told(batch, "V-1", INVALID))

    assert await open_failures(database) == {("V-1", "validation")}


async def test_a_failure_told_beside_success_stays_open(database: Postgres, batch: int) -> None:
    """The books took the IRN though the voucher had changed: REGISTERED, and a person is told."""
    await fail(database, batch, "V-1", "database_update", State.BOOKS_FAILED)

    await record(database, Told(batch, "V-1", GENERATED), Told(batch, "V-1", REGISTERED))

    assert await open_failures(database) == {("V-1", "database_update")}


async def test_a_transaction_that_is_not_in_its_batch_is_refused_with_the_whole_call(
    database: Postgres, batch: int
) -> None:
    with pytest.raises(DataError, match="not in its batch"):
        await record(database, Told(batch, "V-1", FETCHED), Told(batch, "V-9", FETCHED))

    assert await numbers(database, batch) == []


async def test_a_batch_that_is_not_there_is_refused(database: Postgres) -> None:
    with pytest.raises(DataError, match="seq"):
        await record(database, Told(4711, "V-1", FETCHED))


async def test_one_call_tells_listeners_once_of_every_batch(database: Postgres, database_url: str, batch: int) -> None:
    other = await make_batch(database, "B-2", "V-1")
    heard: asyncio.Queue[str] = asyncio.Queue()
    listener = await asyncpg.connect(database_url)
    await listener.add_listener("irnflow_event", lambda *told: heard.put_nowait(told[3]))

    await record(database, Told(batch, "V-1", FETCHED), Told(other, "V-1", FETCHED), Told(batch, "V-1", VALID))
    await record(database, Told(batch, "V-1", FETCHED))
    await record(database, Told(batch, "V-3", FETCHED))

    first, second = await asyncio.wait_for(heard.get(), 10), await asyncio.wait_for(heard.get(), 10)
    assert (set(first.split(",")), second) == ({f"{batch}:2", f"{other}:1"}, f"{batch}:3")
    await listener.close()


async def test_more_batches_than_a_notification_holds_are_told_as_all(database: Postgres, database_url: str) -> None:
    await make_batch(database, "B-1", "V-1")
    heard: asyncio.Queue[str] = asyncio.Queue()
    listener = await asyncpg.connect(database_url)
    await listener.add_listener("irnflow_event", lambda *told: heard.put_nowait(told[3]))
    await database.fetch(
        """insert into irnflow.batch (account_id, batch_no, books, digest, size, created_at, last_seq)
           select account_id, 'C-' || i, 'main', '', 1, $1::timestamptz, 100000000000000000
           from irnflow.account, generate_series(1, 400) i""",
        AT,
    )
    await database.fetch(
        "insert into irnflow.transaction select batch_id, 'V-1', 1 from irnflow.batch where batch_no like 'C-%'"
    )
    await database.fetch(
        "insert into irnflow.batch_count select batch_id, 'PROCESSING', 1 from irnflow.batch where batch_no like 'C-%'"
    )
    rows = await database.fetch("select batch_id from irnflow.batch")

    await record(database, *(Told(row["batch_id"], "V-1", FETCHED) for row in rows))

    assert await asyncio.wait_for(heard.get(), 10) == "*"
    await listener.close()


async def test_two_callers_at_once_leave_no_gap_and_no_deadlock(database: Postgres) -> None:
    ids = [f"V-{i}" for i in range(40)]
    first, second = [await make_batch(database, name, *ids) for name in ("B-1", "B-2")]
    there = [Told(batch, each, FETCHED) for each in ids for batch in (first, second)]
    back = [Told(batch, each, VALID) for each in reversed(ids) for batch in (second, first)]

    await asyncio.gather(*(
        record(database, *told[start : start + 8]) for start in range(0, len(there), 8) for told in (there, back)
    ))  # fmt: skip

    assert await numbers(database, first) == list(range(1, 81))
    assert await numbers(database, second) == list(range(1, 81))
    assert await counts(database, first) == {"VALIDATION_SUCCESS": 40}


async def test_events_are_given_as_browsers_get_them(database: Postgres, batch: int) -> None:
    await record(database, Told(batch, "V-1", VALID), Told(batch, "V-1", FETCHED), Told(batch, "V-2", FETCHED))

    between = await events(database, batch, after=1, upto=2)

    assert between == [
        {
            "seq": 2,
            "transaction_id": "V-1",
            "status": "DATA_FETCHED",
            "state": "VALIDATION_SUCCESS",
            "at": "2026-11-22T04:30:00.250Z",
            "detail": {"says": "so"},
        }
    ]


async def test_news_are_of_batches_that_moved_and_without_events_when_there_are_too_many(
    database: Postgres, batch: int
) -> None:
    still, busy = [await make_batch(database, name, "V-1", "V-2", "V-3") for name in ("B-2", "B-3")]
    await record(database, Told(batch, "V-1", FETCHED))
    await record(database, *(Told(busy, f"V-{i}", FETCHED) for i in (1, 2, 3)))

    rows = await database.fetch(SQL["news"], [batch, still, busy], [0, 0, 0], 2)

    assert {row["batch_id"]: (row["last_seq"], row["events"] is None) for row in rows} == {
        batch: (1, False),
        busy: (3, True),
    }
    assert await counts(database, busy) == {"DATA_FETCHED": 3}
