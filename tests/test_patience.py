"""Waiting for an event: it comes, it does not, or whoever waits is to stop."""

import asyncio

import pytest

from irnflow.patience import until


async def test_an_event_that_comes_is_told() -> None:
    event = asyncio.Event()
    asyncio.get_running_loop().call_soon(event.set)

    assert await until(event, 60)


async def test_an_event_that_does_not_come_is_told_too() -> None:
    assert not await until(asyncio.Event(), 0)


async def test_a_stop_that_comes_together_with_the_event_is_not_forgotten() -> None:
    event = asyncio.Event()
    waiting = asyncio.create_task(until(event, 60))
    await asyncio.sleep(0)

    event.set()
    waiting.cancel()

    with pytest.raises(asyncio.CancelledError):
        await waiting
