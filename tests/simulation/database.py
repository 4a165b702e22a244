"""Our PostgreSQL through a blocking driver: the same SQL on a real server, each statement one step of virtual time.

`Blocking` is another `irnflow.store.database.Database`. One connection serves all processes of a simulation: they
never wait for each other's locks, and a statement is done wholly or not at all.
"""

from collections.abc import Sequence
from types import TracebackType
from typing import Any, Self

import psycopg
from psycopg.rows import dict_row

from irnflow.store.database import Row, named


class Blocking:
    """One connection, without a thread; close it after use."""

    def __init__(self, url: str) -> None:
        self._connection = psycopg.connect(
            url,
            autocommit=True,
            row_factory=dict_row,
            cursor_factory=psycopg.RawCursor,  # takes $1, as asyncpg does
            options="-c timezone=UTC -c synchronous_commit=off",
        )

    async def fetch(self, sql: str, *args: object) -> Sequence[Row]:
        return self.ask(sql, *args)

    def ask(self, sql: str, *args: object) -> list[dict[str, Any]]:
        """The rows. Raises as `Database.fetch` does."""
        try:
            cursor = self._connection.execute(sql, args or None)
            return cursor.fetchall() if cursor.description else []
        except psycopg.Error as error:
            raise named(error.sqlstate or "", error) from error

    def empty(self) -> None:
        """Every table of ours as after the migrations, and every number from 1 again."""
        tables = self.ask("select string_agg(format('irnflow.%I', tablename), ', ') as names from pg_tables"
                          " where schemaname = 'irnflow' and tablename <> 'migration'")  # fmt: skip
        self.ask(f"truncate {tables[0]['names']} restart identity cascade")

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._connection.close()
