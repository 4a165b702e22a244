"""The blocking driver gives what asyncpg gives: the same rows for the same SQL, and our exceptions."""

from collections.abc import AsyncIterator, Iterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest

from irnflow.errors import DataError
from irnflow.messages import State
from irnflow.store import database
from irnflow.store.database import Postgres
from tests.simulation.database import Blocking

NOON = datetime(2026, 11, 22, 6, 30, tzinfo=UTC)


@pytest.fixture
def blocking(database_url: str) -> Iterator[Blocking]:
    with Blocking(database_url) as store:
        yield store


@pytest.fixture
async def asynchronous(database_url: str) -> AsyncIterator[Postgres]:
    async with database.connect(database_url) as store:
        yield store


@pytest.mark.parametrize(
    ("sql", "args"),
    [
        ("select $1::int as n, $2::bigint as big, $3::numeric as amount", (1, 2**40, Decimal("12.50"))),
        ("select unnest($1::bigint[]) as id", ([1, 2**40, None],)),
        ("select unnest($1::text[]::irnflow.transaction_state[]) as state", ([State.REGISTERED, State.PROCESSING],)),
        ("select unnest($1::timestamptz[]) as at", ([NOON, None],)),
        ("select $1::timestamptz - $2::interval as at", (NOON, timedelta(minutes=15))),
        ("select unnest($1::bytea[]) as raw", ([b"\x00\xff", b""],)),
        ("select unnest($1::boolean[]) as flag", ([True, None],)),
        ("select unnest($1::boolean[]) as flag", ([None, None],)),
        ("select unnest($1::text[]::jsonb[])::text as json", (['{"a": 1}', None],)),
        ("select cardinality($1::text[]) as n", ([],)),
        ("select 1 as n where $1::text is null", (None,)),
        ("select 1 as n where false", ()),
    ],
)
async def test_rows_are_the_same_from_both_drivers(
    blocking: Blocking, asynchronous: Postgres, sql: str, args: tuple[object, ...]
) -> None:
    ours = await blocking.fetch(sql, *args)

    theirs = await asynchronous.fetch(sql, *args)

    assert [dict(row) for row in ours] == [dict(row) for row in theirs]


async def test_a_refused_value_is_a_data_error(blocking: Blocking) -> None:
    with pytest.raises(DataError):
        await blocking.fetch("select $1::text::int", "nine")


async def test_wrong_sql_is_ours_to_mend(blocking: Blocking) -> None:
    with pytest.raises(AssertionError, match="our SQL is wrong"):
        await blocking.fetch("select nothing from nowhere")


async def test_emptied_it_counts_from_one_again(blocking: Blocking) -> None:
    sql = "insert into irnflow.account (name, created_at) values ($1::text, $2::timestamptz) returning account_id"
    await blocking.fetch(sql, "Asha Traders", NOON)

    blocking.empty()

    assert await blocking.fetch("select * from irnflow.account") == []
    assert await blocking.fetch(sql, "Asha Traders", NOON) == [{"account_id": 1}]
