"""Waiting for a condition with a deadline, for what can't be awaited: other processes, above all."""

import asyncio
import inspect
from collections.abc import Awaitable, Callable
from typing import TypeVar

T = TypeVar("T")


async def until(ask: Callable[[], Awaitable[T] | T], *, within_s: float = 20.0) -> T:
    """The first true answer. An exception counts as a no; after the deadline it, or the last answer, is told."""
    last: object = None
    try:
        async with asyncio.timeout(within_s):
            while True:
                try:
                    answer = ask()
                    last = await answer if inspect.isawaitable(answer) else answer
                except Exception as error:
                    last = error
                if last and not isinstance(last, Exception):
                    return last  # type: ignore[return-value]
                await asyncio.sleep(0.02)
    except TimeoutError:
        raise AssertionError(f"not within {within_s} s; last: {last!r}") from (
            last if isinstance(last, Exception) else None
        )
