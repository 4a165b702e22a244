"""A new key for the secrets at rest, and everything that was sealed with an earlier one sealed anew.

The new key stands first in the file, and the old one behind it, before anything is sealed with it; the old one goes
when nothing needs it any more. So at each moment everything opens, also after a kill -9 in the middle: the next
rotation goes on where that one was. Services need no restart (store/secrets.py).
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Final

import asyncpg
import msgspec

from irnflow.errors import BadInput, Permanent
from irnflow.store import accounts
from irnflow.store.database import CONNECT_FAILS, Database, Row, unreachable
from irnflow.store.secrets import KeyRing, context_of, new_key, read_keys, write_keys

_PAGE: Final = 500
SETTLE_S: Final = 5.0  # who has sealed something just before the file changed has written it by then


class Rotated(msgspec.Struct, frozen=True, kw_only=True):
    """What a rotation came to."""

    resealed: int  # credentials and sessions
    lost: tuple[str, ...]  # GSTINs, with the family, whose secrets no key opens: these credentials must be set again


@asynccontextmanager
async def alone(url: str) -> AsyncIterator[None]:
    """No other rotation runs at this database meanwhile. Raises BadInput when one does."""
    try:
        connection = await asyncpg.connect(url, timeout=10)
    except CONNECT_FAILS as error:
        raise unreachable(error) from error
    try:
        if not await connection.fetchval("select pg_try_advisory_lock(hashtextextended('irnflow rotation', 0))"):
            raise BadInput("another rotation of keys runs: wait until it is done")
        yield
    finally:
        await connection.close()


async def rotate(database: Database, file: Path, *, settle: Callable[[], Awaitable[None]]) -> Rotated:
    """Put a new key first in the file, unless an interrupted rotation has, seal everything anew with it, and take the
    earlier keys out, unless something opens with none of them. `settle` waits for SETTLE_S."""
    keys = read_keys(file)
    if len(keys) == 1:
        write_keys(file, [new_key(), *keys])
    ring = KeyRing(read_keys(file))
    first = await reseal(database, ring)
    await settle()
    rest = await reseal(database, ring)
    if not rest.lost:
        write_keys(file, ring.keys[:1])
    return Rotated(resealed=first.resealed + rest.resealed, lost=rest.lost)


async def settled() -> None:
    await asyncio.sleep(SETTLE_S)


async def reseal(database: Database, ring: KeyRing) -> Rotated:
    """Seal anew with the current key whatever an earlier one has sealed, a page at a time; again changes nothing."""
    resealed, lost = 0, list[str]()
    last = ("", "")
    while rows := await database.fetch(accounts.SQL["sealed_credentials"], *last, _PAGE):
        last = (rows[-1]["gstin"], rows[-1]["family"])
        done, gone = await _reseal_credentials(database, ring, rows)
        resealed, lost = resealed + done, lost + gone
    last = ("", "")
    while rows := await database.fetch(accounts.SQL["sealed_sessions"], *last, _PAGE):
        last = (rows[-1]["portal"], rows[-1]["gstin"])
        resealed += await _reseal_sessions(database, ring, rows)
    return Rotated(resealed=resealed, lost=tuple(lost))


async def _reseal_credentials(database: Database, ring: KeyRing, rows: Sequence[Row]) -> tuple[int, list[str]]:
    columns: list[list[object]] = [[], [], [], [], [], []]
    lost = []
    for row in rows:
        contexts = accounts.contexts_of(row["gstin"], row["family"])
        sealed = [bytes(row["sealed_secret"]), bytes(row["sealed_password"])]
        if all(ring.is_current(one, context=context) for one, context in zip(sealed, contexts, strict=True)):
            continue
        try:
            renewed = [_renewed(ring, one, context) for one, context in zip(sealed, contexts, strict=True)]
        except Permanent:
            lost.append(f"{row['gstin']} ({row['family']})")
            continue
        for column, value in zip(columns, (row["gstin"], row["family"], *sealed, *renewed), strict=True):
            column.append(value)
    found = await database.fetch(accounts.SQL["reseal_credentials"], *columns) if columns[0] else [{"n": 0}]
    return found[0]["n"], lost


async def _reseal_sessions(database: Database, ring: KeyRing, rows: Sequence[Row]) -> int:
    columns: list[list[object]] = [[], [], [], []]
    for row in rows:
        context, sealed = context_of(row["gstin"], row["portal"]), bytes(row["sealed"])
        if ring.is_current(sealed, context=context):
            continue
        try:
            renewed = _renewed(ring, sealed, context)
        except Permanent:
            renewed = None  # a session that nobody can open ends: the next call logs in
        for column, value in zip(columns, (row["portal"], row["gstin"], sealed, renewed), strict=True):
            column.append(value)
    found = await database.fetch(accounts.SQL["reseal_sessions"], *columns) if columns[0] else [{"n": 0}]
    return int(found[0]["n"])


def _renewed(ring: KeyRing, sealed: bytes, context: str) -> bytes:
    return ring.seal(ring.unseal(sealed, context=context), context=context)
