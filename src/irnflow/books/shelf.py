"""All the books that a service works on, each behind its own bulkhead: what ails one holds up no other.

SQLAlchemy blocks, so the work runs in threads; `runner` is a parameter for who wants it inline. Books that don't answer
within the deadline are left alone until their last call has come back.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from typing import Any, Final, TypeVar

from structlog.typing import FilteringBoundLogger

from irnflow.books.catalogue import Source
from irnflow.books.sql import RefusedRow, SqlBooks
from irnflow.errors import Permanent, SomeUnavailable, Unavailable
from irnflow.messages import Message

M = TypeVar("M", bound=Message)
R = TypeVar("R")
Runner = Callable[[Callable[[], Any]], Awaitable[Any]]

DEADLINE_S: Final = 75.0  # a little more than the database itself gives a statement
PROBE_S: Final = 15.0


class UnknownBooks(Permanent):
    """The books file doesn't name them."""


async def inline(work: Callable[[], R]) -> R:
    """A runner without threads."""
    return work()


class Shelf:
    """Books by name. `troubles` says what ails which: {} when all answer; /readyz shows it."""

    def __init__(self, sources: Sequence[Source], *, runner: Runner, log: FilteringBoundLogger,
                 deadline_s: float = DEADLINE_S) -> None:  # fmt: skip
        self.books = {source.name: SqlBooks(source) for source in sources}
        self.troubles: dict[str, str] = {}
        self._runner = runner
        self._log = log
        self._deadline_s = deadline_s
        self._stuck: dict[str, asyncio.Future[Any]] = {}

    async def each(
        self, messages: Sequence[M], work: Callable[[SqlBooks, Sequence[M]], Sequence[R]]
    ) -> list[R | Exception]:
        """One result a message, in order: `work` runs once for the messages of each books, all books at once.

        An exception as result: `UnknownBooks`, `Unavailable` for all of these books, `RefusedRow` for this one alone.
        """
        names = [message.books for message in messages]
        groups = {name: [m for m in messages if m.books == name] for name in dict.fromkeys(names)}
        answers = await asyncio.gather(*(self._answers(name, group, work) for name, group in groups.items()))
        queues = {name: iter(results) for name, results in zip(groups, answers, strict=True)}
        return [next(queues[name]) for name in names]

    async def watch(self) -> None:
        """Probe all books once and then, for ever, those in trouble: a wrong query shows before a voucher comes."""
        await asyncio.gather(*map(self._probe, self.books))
        while True:
            await asyncio.sleep(PROBE_S)
            await asyncio.gather(*map(self._probe, list(self.troubles)))

    def close(self) -> None:
        for books in self.books.values():
            books.close()

    async def _answers(self, name: str, messages: Sequence[M],
                       work: Callable[[SqlBooks, Sequence[M]], Sequence[R]]) -> Sequence[R | Exception]:  # fmt: skip
        books = self.books.get(name)
        if books is None:
            return [UnknownBooks(f"there are no books named {name}")] * len(messages)
        try:
            answers: Sequence[R | Exception] = await self._run(name, lambda: _piecewise(work, books, messages))
        except Unavailable as error:
            return [error] * len(messages)
        return answers

    async def _probe(self, name: str) -> None:
        books = self.books[name]

        def probe() -> None:
            with books.reading() as open_books:
                open_books.probe()

        try:
            await self._run(name, probe)
        except (Unavailable, RefusedRow):
            return

    async def _run(self, name: str, work: Callable[[], R]) -> R:
        """The result of blocking work on these books. Raises what it raises, and Unavailable after the deadline."""
        try:
            result: R = await self._answer(name, work)
        except Unavailable as error:
            self._ails(name, str(error))
            raise
        self._answers_again(name)
        return result

    async def _answer(self, name: str, work: Callable[[], R]) -> R:
        if (stuck := self._stuck.get(name)) and not stuck.done():
            raise SomeUnavailable(f"books {name} have not answered for more than {self._deadline_s:g} s")
        call = asyncio.ensure_future(self._runner(work))
        try:
            return await asyncio.wait_for(asyncio.shield(call), self._deadline_s)
        except TimeoutError:
            self._stuck[name] = call
            call.add_done_callback(lambda done: done.cancelled() or done.exception())  # nobody else will ask
            raise SomeUnavailable(f"books {name} did not answer within {self._deadline_s:g} s") from None

    def _ails(self, name: str, says: str) -> None:
        if self.troubles.get(name) != says:
            self._log.error("books can't be used; their vouchers wait", books=name, says=says)
        self.troubles[name] = says

    def _answers_again(self, name: str) -> None:
        if self.troubles.pop(name, None) is not None:
            self._log.info("books answer again", books=name)


@asynccontextmanager
async def opened(sources: Sequence[Source], *, log: FilteringBoundLogger) -> AsyncIterator[Shelf]:
    """A shelf with threads of its own. Raises BadInput for books whose driver isn't there."""
    # Two threads each: one may be stuck, and the probe of another books must not wait for it.
    executor = ThreadPoolExecutor(max_workers=max(1, 2 * len(sources)), thread_name_prefix="books")
    loop = asyncio.get_running_loop()

    async def in_thread(work: Callable[[], R]) -> R:
        return await loop.run_in_executor(executor, work)

    shelf = Shelf(sources, runner=in_thread, log=log)
    try:
        yield shelf
    finally:
        executor.shutdown(wait=False, cancel_futures=True)
        shelf.close()


def _piecewise(work: Callable[[SqlBooks, Sequence[M]], Sequence[R]], books: SqlBooks,
               messages: Sequence[M]) -> list[R | Exception]:  # fmt: skip
    """Do the work; where a value is refused, do it for each half, until the bad voucher stands alone."""
    try:
        return list(work(books, messages))
    except RefusedRow as error:
        if len(messages) == 1:
            return [error]
        half = len(messages) // 2
        return _piecewise(work, books, messages[:half]) + _piecewise(work, books, messages[half:])
