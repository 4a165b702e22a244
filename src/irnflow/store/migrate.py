"""Bring the store up to this version: the numbered files of `store/migrations`, each applied once, in order.

Only one process migrates at a time (an advisory lock). Each file is one transaction. What has been applied
is kept in `irnflow.migration` with its checksum: a file that changed afterwards is refused, for nobody could
tell any more what the tables look like. Mend a mistake with a new file.
"""

import hashlib
from collections.abc import Sequence
from importlib.resources import files
from importlib.resources.abc import Traversable
from typing import Final

import asyncpg
import msgspec

from irnflow.errors import BadInput
from irnflow.store.database import CONNECT_FAILS, unreachable

MIGRATIONS: Final = files("irnflow.store") / "migrations"


class Migration(msgspec.Struct, frozen=True, kw_only=True):
    """One file."""

    name: str  # "0001_tables"; the number orders them
    sql: str

    @property
    def checksum(self) -> bytes:
        return hashlib.sha256(self.sql.encode()).digest()


async def migrate(url: str, *, folder: Traversable = MIGRATIONS) -> list[str]:
    """Apply what is missing and give its names.

    Raises BadInput when an applied file has changed or is unknown here or the address is none, Unavailable when nobody
    answers.
    """
    migrations = read(folder)
    try:
        connection = await asyncpg.connect(url)
    except CONNECT_FAILS as error:
        raise unreachable(error) from error
    try:
        # Held until the connection closes: the others wait here and then find nothing left to do.
        await connection.execute("select pg_advisory_lock(hashtextextended('irnflow.migrate', 0))")
        missing = pending(migrations, await _applied(connection))
        for migration in missing:
            await _apply(connection, migration)
    finally:
        await connection.close()
    return [migration.name for migration in missing]


def read(folder: Traversable) -> list[Migration]:
    """The migrations in a folder, in order. Raises AssertionError when two have the same number."""
    found = [
        Migration(name=path.name.removesuffix(".sql"), sql=path.read_text(encoding="utf-8"))
        for path in folder.iterdir()
        if path.name.endswith(".sql")
    ]
    if len({migration.name[:4] for migration in found}) < len(found):
        raise AssertionError(f"two migrations in {folder} have the same number")
    return sorted(found, key=lambda migration: migration.name)


def pending(migrations: Sequence[Migration], applied: dict[str, bytes]) -> list[Migration]:
    """Those still to apply. Raises BadInput when the database doesn't stand where these files lead."""
    checksums = {migration.name: migration.checksum for migration in migrations}
    for name, checksum in applied.items():
        if name not in checksums:
            raise BadInput(f"the database has migration {name}, which this version doesn't know: "
                           "a newer irnflow has migrated it; start that version")  # fmt: skip
        if checksums[name] != checksum:
            raise BadInput(f"migration {name} has changed since it was applied to this database: "
                           "put the file back as it was and write the change as a new migration")  # fmt: skip
    return [migration for migration in migrations if migration.name not in applied]


async def _applied(connection: "asyncpg.Connection[asyncpg.Record]") -> dict[str, bytes]:
    if await connection.fetchval("select to_regclass('irnflow.migration')") is None:
        return {}
    return dict(await connection.fetch("select name, checksum from irnflow.migration order by name"))


async def _apply(connection: "asyncpg.Connection[asyncpg.Record]", migration: Migration) -> None:
    async with connection.transaction():
        try:
            await connection.execute(migration.sql)
        except asyncpg.PostgresError as error:
            raise AssertionError(f"migration {migration.name} fails: {error} ({error.sqlstate})") from error
        await connection.execute(
            "create table if not exists irnflow.migration (name text primary key, checksum bytea not null)"
        )
        await connection.execute("insert into irnflow.migration values ($1, $2)", migration.name, migration.checksum)
