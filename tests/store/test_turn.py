"""Turns, on a real PostgreSQL."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import asyncpg
import pytest

from irnflow.log import logger
from irnflow.store.turn import Connection, in_turn
from tests.waiting import until


class Worker:
    """A process that wants the turn."""

    def __init__(self, url: str, name: str = "work") -> None:
        self.begun = 0
        self.working = False
        self.connection: Connection | None = None
        self.task = asyncio.create_task(in_turn(url, name, self._work, log=logger("test"), pause_s=0.02))

    async def _work(self, connection: Connection) -> None:
        self.begun += 1
        self.working = True
        self.connection = connection
        try:
            await asyncio.Event().wait()
        finally:
            self.working = False

    async def stop(self) -> None:
        self.task.cancel()
        await asyncio.wait([self.task])


@asynccontextmanager
async def workers(url: str, *names: str) -> AsyncIterator[list[Worker]]:
    all_ = [Worker(url, name) for name in names]
    try:
        yield all_
    finally:
        for worker in all_:
            await worker.stop()


def at_work(all_: list[Worker]) -> list[Worker]:
    return [worker for worker in all_ if worker.working]


async def all_have_asked(url: str, count: int) -> bool:
    connection = await asyncpg.connect(url)
    asked = await connection.fetchval(
        """select count(*) from pg_stat_activity where datname = current_database() and pid <> pg_backend_pid()
           and query like '%pg_try_advisory_lock%'"""
    )
    await connection.close()
    return bool(asked == count)


async def test_one_of_many_works(database_url: str) -> None:
    async with workers(database_url, "work", "work", "work") as all_:
        await until(lambda: at_work(all_))

        await until(lambda: all_have_asked(database_url, 3))

        assert len(at_work(all_)) == 1


async def test_work_of_another_name_goes_on_beside_it(database_url: str) -> None:
    async with workers(database_url, "dispatcher", "watchdog") as all_:
        await until(lambda: len(at_work(all_)) == 2)


async def test_when_the_holder_stops_another_takes_over(database_url: str) -> None:
    async with workers(database_url, "work", "work") as all_:
        [first] = await until(lambda: at_work(all_))

        await first.stop()

        [second] = await until(lambda: at_work(all_))
        assert second is not first


async def test_a_holder_that_loses_its_connection_stops_and_comes_back(database_url: str) -> None:
    async with workers(database_url, "work") as [worker]:
        await until(lambda: worker.working)
        killer = await asyncpg.connect(database_url)

        await killer.execute(
            "select pg_terminate_backend($1)", worker.connection.get_server_pid() if worker.connection else 0
        )

        await until(lambda: worker.begun == 2 and worker.working)
        await killer.close()


async def test_a_mistake_in_the_work_is_not_hidden(database_url: str) -> None:
    async def wrong(connection: Connection) -> None:
        raise AssertionError("mend the code")

    with pytest.raises(AssertionError, match="mend the code"):
        await in_turn(database_url, "work", wrong, log=logger("test"))
