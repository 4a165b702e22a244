"""Our PostgreSQL as everybody uses it: one method, `fetch`, that runs one statement as its own transaction.

Two real implementations: `Postgres` (asyncpg, a pool) and the simulation's blocking one, which runs the same SQL.
For both to agree, SQL here casts every parameter (`$1::text[]`), never calls now(), and gives jsonb out as text.
"""

import asyncio
import re
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager, suppress
from importlib.resources import files
from typing import Any, Final, Protocol

import asyncpg

from irnflow.errors import BadInput, DataError, Unavailable

Row = Mapping[str, Any]
_HEED_S: Final = 2.0


class Database(Protocol):
    """One statement, one transaction."""

    async def fetch(self, sql: str, *args: object) -> Sequence[Row]:
        """Run it and give its rows. Raises `Unavailable` (nobody answers), `DataError` (a value is refused)."""


class Postgres:
    """A pool of asyncpg connections."""

    def __init__(self, pool: "asyncpg.Pool[asyncpg.Record]") -> None:
        self.pool = pool
        self.missing: dict[str, str] = {}  # for /readyz: why the last statement got no answer

    async def fetch(self, sql: str, *args: object) -> Sequence[Row]:
        try:
            rows: Sequence[Row] = await self.pool.fetch(sql, *args)
        except asyncpg.PostgresError as error:
            raise self._noted(named(error.sqlstate or "", error)) from error
        # InternalClientError: asyncpg's own state when the server dies in the middle of an answer.
        except (OSError, asyncpg.InterfaceError, asyncpg.InternalClientError, TimeoutError) as error:
            away = Unavailable(f"PostgreSQL does not answer: {error or type(error).__name__}")
            raise self._noted(away) from error
        self.missing = {}
        return rows

    def _noted(self, error: Exception) -> Exception:
        self.missing = {"postgresql": str(error)} if isinstance(error, Unavailable) else {}
        return error


def named(state: str, error: Exception) -> Exception:
    """Our exception for one of PostgreSQL's, by class of its SQLSTATE (PostgreSQL docs, appendix A)."""
    if state[:2] in ("22", "23"):
        return DataError(f"PostgreSQL refused a value: {error} ({state})")
    # 08 connection, 25006 read-only, 40 rollback, 53 resources, 55P03 lock, 57 operator intervention, 58 system
    if state[:2] in ("08", "40", "53", "57", "58") or state in ("25006", "55P03"):
        return Unavailable(f"PostgreSQL cannot serve now: {error} ({state})")
    return AssertionError(f"our SQL is wrong: {error} ({state})")


# ValueError: asyncpg's for an address that is none.
CONNECT_FAILS: Final = (OSError, asyncpg.PostgresError, asyncpg.InterfaceError, TimeoutError, ValueError)


def unreachable(error: Exception) -> Exception:
    """Our exception when no connection could be had."""
    if isinstance(error, ValueError):
        return BadInput(  # the error may quote of the password
            "IRNFLOW_DATABASE_URL is no address of a PostgreSQL: postgresql://USER:PASSWORD@HOST:5432/DATABASE, "
            "a password with / ? # [ ] @ or : percent-encoded"
        )
    says = str(error) or type(error).__name__
    return Unavailable(f"PostgreSQL can't be reached: {says}. Start it, or correct IRNFLOW_DATABASE_URL.")


class _Plain(asyncpg.Connection):  # type: ignore[misc]  # asyncpg has no types
    """A connection that leaves nothing behind, as each statement is its own transaction: no reset after each."""

    def get_reset_query(self) -> str:
        return ""


@asynccontextmanager
async def connect(url: str, *, connections: int = 4) -> AsyncIterator[Postgres]:
    """A pool that closes with the context. Raises Unavailable when the server can't be reached, BadInput when the
    address is none."""
    try:
        pool = await asyncpg.create_pool(
            url, min_size=0, max_size=connections, command_timeout=60, connection_class=_Plain
        )
        await pool.fetch("select 1")
    except CONNECT_FAILS as error:
        raise unreachable(error) from error
    try:
        yield Postgres(pool)
    finally:
        await pool.close()


@asynccontextmanager
async def heeding(store: Postgres) -> AsyncIterator[None]:
    """Ask the store now and then while this is open, so that `missing` tells how it is and not how it was."""
    task = asyncio.create_task(_heed(store), name="heed the store")
    try:
        yield
    finally:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task


async def _heed(store: Postgres) -> None:
    while True:
        with suppress(Unavailable):
            await store.fetch("select 1")
        await asyncio.sleep(_HEED_S)


def queries(name: str) -> dict[str, str]:
    """The statements of `store/<name>.sql`, by the name in the `-- name: sentence` line above each."""
    text = (files("irnflow.store") / f"{name}.sql").read_text(encoding="utf-8")
    parts = re.split(r"^-- (\w+): .*$", text, flags=re.MULTILINE)
    return {key: sql.strip().rstrip(";") for key, sql in zip(parts[1::2], parts[2::2], strict=True)}
