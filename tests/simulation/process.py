"""One life of a service: it can be killed before and after everything that it does to others.

A killed process does nothing more, not even what its `finally` blocks want: what it would say to the store, the
broker, the books or the portal never gets there. What it had sent before is on its way all the same.
"""

import asyncio
import contextvars
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from importlib.resources import files
from pathlib import Path
from random import Random
from typing import TYPE_CHECKING, Any, TypeVar

from irnflow.bus import memory
from irnflow.bus.port import Delivery, Subscription
from irnflow.errors import Unavailable
from irnflow.messages import Publication
from irnflow.store.database import Row, queries
from tests.simulation.loop import PARENT

if TYPE_CHECKING:
    from tests.simulation.world import World

R = TypeVar("R")
_FILES = sorted(file.stem for file in Path(str(files("irnflow.store"))).glob("*.sql"))
STATEMENTS = {sql: f"{file}.{name}" for file in _FILES for name, sql in queries(file).items()}


class Process:
    """A process of `service`; `serve` is what it does all its life."""

    def __init__(self, world: "World", service: str, number: int, life: int) -> None:
        self.world = world
        self.service = service
        self.number = number
        self.life = life
        self.name = f"{service}.{number}"
        self.alive = True
        self.draw: Random = world.faults.stream(f"{self.name} life {life}")
        self._open = AsyncExitStack()
        self._connection: memory.Connection | None = None
        self._tasks: list[asyncio.Task[Any]] = []

    def start(self, serve: Callable[["Process", "Bus"], Awaitable[None]]) -> None:
        """Begin its life."""
        context = contextvars.Context()
        context.run(PARENT.set, self._adopt)
        self.say("starts")
        context.run(asyncio.get_running_loop().create_task, self._live(serve), name=self.name)

    async def _live(self, serve: Callable[["Process", "Bus"], Awaitable[None]]) -> None:
        try:
            async with self._open:
                await serve(self, Bus(self))
        except Exception as error:
            self.world.breach(f"{self.name} ends with {words(error)}", error)

    def _adopt(self, task: "asyncio.Task[Any]") -> None:
        self._tasks = [task for task in self._tasks if not task.done()] if len(self._tasks) > 100 else self._tasks
        self._tasks.append(task)
        if not self.alive:
            task.cancel()

    def kill(self) -> None:
        self.say("is killed")
        self.alive = False
        if self._connection:
            self._connection.lose("its process was killed")
        self.bury()
        self.world.killed(self)

    def bury(self) -> None:
        """What is left of it gets no turn any more."""
        for task in self._tasks:
            task.cancel()

    async def connection(self) -> memory.Connection:
        """To the broker there is: one that has lost all it had is another."""
        self.check()
        if self._connection is None or self._connection.broker is not self.world.broker:
            self._connection = await self._open.enter_async_context(self.world.broker.connect(self.name))
        return self._connection

    async def point(self, where: str, *, matters: bool = True) -> int:
        """A place where the process may be killed, between two effects; gives how often it has been reached.

        `matters`: something has been done before it; idle loops pass many where nothing was.
        """
        self.check()
        point = f"{self.service} {where}"
        if self.world.kills(point):
            self.say(f"killed {where}")
            self.kill()
            raise asyncio.CancelledError
        times = self.world.faults.times(point)
        if matters:
            self.world.mattered(point, times)
        return times

    def check(self) -> None:
        if not self.alive:
            raise asyncio.CancelledError

    async def pass_time(self) -> None:
        await asyncio.sleep(self.draw.uniform(0, self.world.faults.slow_s))
        self.check()

    def say(self, what: str) -> None:
        self.world.trace.say(self.name, what)


class Store:
    """The store as a process has it: a `irnflow.store.database.Database` that can be away, and forget to answer."""

    def __init__(self, process: Process) -> None:
        self._process = process

    async def fetch(self, sql: str, *args: object) -> Sequence[Row]:
        process, world = self._process, self._process.world
        name = STATEMENTS.get(sql, sql[:40])
        times = await process.point(f"before {name}", matters=False)
        await process.pass_time()
        trouble = world.trouble(world.faults.statements, process.draw)
        if world.away("store") or trouble == "refused":
            process.say(f"{name}: store away")
            raise Unavailable("PostgreSQL does not answer (simulated)")
        rows = world.store.ask(sql, *args)
        if moved := not _is_idle(rows):
            world.mattered(f"{process.service} before {name}", times)
            process.say(f"{name}: {len(rows)} rows")
        if trouble == "forgotten":
            process.say(f"{name}: done, and no answer")
            raise Unavailable("the connection was lost before the answer came (simulated)")
        await process.pass_time()
        await process.point(f"after {name}", matters=moved)
        return rows


def _is_idle(rows: Sequence[Row]) -> bool:
    """Whether a statement found nothing to do: idle loops would fill the trace."""
    return not any(any(row.values()) or _is_void(row) for row in rows)


def _is_void(row: Row) -> bool:
    """A function that only does something gives one column without a value."""
    return list(row.values()) in ([""], [None])


class Bus:
    """The bus as a process has it."""

    def __init__(self, process: Process) -> None:
        self._process = process

    @property
    def connected(self) -> bool:
        return self._process.world.broker.running

    async def publish(self, window: Sequence[Publication]) -> None:
        if not window:
            return
        process = self._process
        what = f"publish {window[0].routing_key}"
        await process.point(f"before {what}")
        try:
            await (await process.connection()).publish(window)
        except Exception as error:
            process.say(f"{what}: {words(error)}")
            raise
        process.world.published(len(window))
        process.say("publishes " + ", ".join(f"{each.routing_key} {each.correlation_id}" for each in window))
        await process.point(f"after {what}")

    @asynccontextmanager
    async def subscribe(self, queue: str, *, prefetch: int) -> AsyncIterator["Taker"]:
        connection = await self._process.connection()
        async with connection.subscribe(queue, prefetch=prefetch) as subscription:
            yield Taker(self._process, subscription, queue)

    async def depth(self, queue: str) -> int:
        return await (await self._process.connection()).depth(queue)


class Taker:
    """A subscription as a process has it."""

    def __init__(self, process: Process, subscription: Subscription, queue: str) -> None:
        self._process = process
        self._subscription = subscription
        self._queue = queue

    async def take(self, *, most: int, bytes_most: int, linger_s: float) -> list[Delivery]:
        self._process.check()
        taken = await self._subscription.take(most=most, bytes_most=bytes_most, linger_s=linger_s)
        self._process.say(f"takes {', '.join(f'{each.type} {each.correlation_id}' for each in taken)}")
        await self._process.point(f"after take from {self._queue}")
        return taken

    async def ack(self, tags: Sequence[int]) -> None:
        await self._process.point(f"before ack to {self._queue}")
        await self._subscription.ack(tags)
        await self._process.point(f"after ack to {self._queue}")


class BooksRunner:
    """Runs blocking work on the books at once: a runner of `irnflow.books.shelf.Shelf`."""

    def __init__(self, process: Process) -> None:
        self._process = process

    async def __call__(self, work: Callable[[], R]) -> R:
        process, world = self._process, self._process.world
        await process.point("before the books")
        await process.pass_time()
        trouble = world.trouble(world.faults.books, process.draw)
        if world.away("books") or trouble == "refused":
            raise Unavailable("the books do not answer (simulated)")
        result = work()
        if trouble == "forgotten":
            raise Unavailable("the connection was lost before the books answered (simulated)")
        await process.point("after the books")
        return result


def words(error: BaseException) -> str:
    if isinstance(error, BaseExceptionGroup):
        return "; ".join(words(each) for each in error.exceptions)
    return f"{type(error).__name__}: {error}"[:300]
