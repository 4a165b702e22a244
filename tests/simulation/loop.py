"""An event loop in virtual time: when nothing is ready, the clock jumps to the next timer.

No sockets, no threads. The same program takes the same steps in the same order each time, and one that waits for
what nobody will bring is told so.
"""

import asyncio
import contextvars
import itertools
from collections.abc import Callable, Coroutine
from typing import Any, TypeVar

T = TypeVar("T")

# Who is told of each task that is made in this context, and in those copied from it.
PARENT: contextvars.ContextVar[Callable[["asyncio.Task[Any]"], None] | None] = contextvars.ContextVar(
    "PARENT", default=None
)


class Deadlock(AssertionError):
    """Everything waits, and no timer will wake anything."""


class VirtualLoop(asyncio.BaseEventLoop):
    """asyncio's own loop, over a selector that jumps where others wait."""

    def __init__(self) -> None:
        super().__init__()
        self._now_s = 0.0
        self._clock_resolution = 1e-6  # a sum of floats falls short of its timer by less
        self._selector = self  # it is asked for nothing but `select`
        self._numbers = itertools.count()
        self.set_task_factory(self._make)

    def time(self) -> float:
        return self._now_s

    def select(self, timeout_s: float | None) -> list[Any]:
        """Where others wait for sockets until the next timer, or for ever (None)."""
        if timeout_s is None:
            raise Deadlock("nothing is ready, and nothing ever will be")
        self._now_s += timeout_s
        return []

    def _process_events(self, event_list: list[Any]) -> None:
        """There are none."""

    def _write_to_self(self) -> None:
        """Nobody waits: there is nobody to wake."""

    def _make(self, loop: asyncio.AbstractEventLoop, coro: Any, **options: Any) -> "asyncio.Task[Any]":
        task = _Numbered(next(self._numbers), coro, loop=loop, **options)
        context = options.get("context")
        told = PARENT.get() if context is None else context.get(PARENT)
        if told:
            told(task)
        return task


class _Numbered(asyncio.Task[T]):
    """Its hash is a number and not its address: sets of tasks have the same order each time."""

    def __init__(self, number: int, coro: Coroutine[Any, Any, T], **options: Any) -> None:
        self._number = number  # first: the base class puts itself into a set
        super().__init__(coro, **options)

    def __hash__(self) -> int:
        return self._number


def run(main: Coroutine[Any, Any, T]) -> T:
    """The result of `main`, run to its end in virtual time from 0; tasks that it leaves behind are cancelled."""
    loop = VirtualLoop()
    try:
        return loop.run_until_complete(main)
    finally:
        try:
            _cancel_all(loop)
        finally:
            loop.close()


def _cancel_all(loop: VirtualLoop) -> None:
    left = sorted(asyncio.all_tasks(loop), key=hash)
    for task in left:
        task.cancel()
    if left:
        loop.run_until_complete(asyncio.wait(left))
