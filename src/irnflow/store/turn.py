"""Work that only one process may do at a time: a lock in PostgreSQL, held by a connection of its own.

When the holder dies, or its connection, PostgreSQL lets go, and whoever asks next takes over. A holder that has lost
the lock goes on until it notices, a moment at most; what it does must bear to be done twice.
"""

import asyncio
from collections.abc import Callable, Coroutine
from contextlib import suppress
from typing import Any, Final, TypeAlias

import asyncpg
from structlog.typing import FilteringBoundLogger

Connection: TypeAlias = "asyncpg.Connection[asyncpg.Record]"
Work: TypeAlias = Callable[[Connection], Coroutine[Any, Any, None]]

ASK_AGAIN_S: Final = 1.0  # a new holder begins so long after the last one died
_LOST: Final = (OSError, asyncpg.PostgresError, asyncpg.InterfaceError, TimeoutError)


async def in_turn(url: str, name: str, work: Work, *, log: FilteringBoundLogger, pause_s: float = ASK_AGAIN_S) -> None:
    """Do `work`, which has no end, while no other process does the work of this name; ends by being cancelled.

    `work` gets the lock's connection, to listen on; when that is lost it is cancelled, and begins anew with the next.
    """
    while True:
        try:
            connection = await asyncpg.connect(url, timeout=10)
            try:
                await _acquire(connection, name, pause_s)
                log.info("turn taken", turn=name)
                await _while_open(connection, work(connection))
            finally:
                await _close(connection)
        except _LOST as error:
            log.warning("turn lost", turn=name, error=f"{type(error).__name__}: {error}")
        await asyncio.sleep(pause_s)


async def _acquire(connection: Connection, name: str, pause_s: float) -> None:
    # Asked for, not waited for: a waiting statement would keep VACUUM from cleaning up behind everybody.
    ask = "select pg_try_advisory_lock(hashtextextended('irnflow ' || $1, 0))"
    while not await connection.fetchval(ask, name):  # noqa: ASYNC110 (nobody tells us when it is free)
        await asyncio.sleep(pause_s)


async def _while_open(connection: Connection, work: Coroutine[Any, Any, None]) -> None:
    """Await the work, and cancel it when the connection is gone. Raises what the work raises."""
    task = asyncio.create_task(work)
    connection.add_termination_listener(lambda _: task.cancel())
    try:
        await asyncio.wait([task])
    finally:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task
    raise ConnectionResetError("the connection that holds the lock is gone")


async def _close(connection: Connection) -> None:
    with suppress(*_LOST):
        await connection.close(timeout=2)
