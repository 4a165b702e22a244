"""Waiting for an event, and not for ever."""

import asyncio


async def until(event: asyncio.Event, most_s: float) -> bool:
    """Whether the event came within so many seconds.

    Not `asyncio.wait_for`: before Python 3.12 it forgets a cancellation that comes together with the event, and the
    loop that was told to stop goes on for ever (python/cpython#86296).
    """
    try:
        async with asyncio.timeout(most_s):
            return await event.wait()
    except TimeoutError:
        return False
