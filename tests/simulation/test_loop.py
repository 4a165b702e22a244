"""Virtual time: it jumps, it is the same each time, and it knows when nothing will ever happen."""

import asyncio
import time

import pytest

from tests.simulation import loop


def test_hours_pass_at_once() -> None:
    began = time.monotonic()

    async def sleep() -> float:
        await asyncio.sleep(36_000)
        return asyncio.get_running_loop().time()

    assert loop.run(sleep()) == pytest.approx(36_000)
    assert time.monotonic() - began < 5


def test_timers_fire_in_the_order_of_their_time() -> None:
    said: list[str] = []

    async def main() -> None:
        running = asyncio.get_running_loop()
        running.call_later(3, said.append, "third")
        running.call_later(1, said.append, "first")
        running.call_later(2, said.append, "second")
        await asyncio.sleep(4)

    loop.run(main())

    assert said == ["first", "second", "third"]


def test_waiting_for_what_nobody_brings_is_told() -> None:
    async def main() -> None:
        await asyncio.get_running_loop().create_future()

    with pytest.raises(loop.Deadlock):
        loop.run(main())


def test_sets_of_tasks_have_the_order_in_which_they_were_made() -> None:
    async def nothing() -> None: ...

    async def main() -> list[str]:
        tasks = {asyncio.create_task(nothing(), name=str(number)) for number in range(8)}
        await asyncio.wait(tasks)
        return [task.get_name() for task in tasks]

    assert loop.run(main()) == list("01234567")


def test_whoever_is_parent_of_a_context_hears_of_each_task_made_in_it() -> None:
    born: list[str] = []

    async def main() -> None:
        loop.PARENT.set(lambda task: born.append(task.get_coro().__qualname__.rpartition(".")[2]))  # type: ignore[union-attr]
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(asyncio.sleep(1))

    loop.run(main())

    assert born == ["sleep"]


def test_tasks_that_are_left_behind_are_cancelled() -> None:
    ended: list[str] = []

    async def for_ever() -> None:
        try:
            await asyncio.get_running_loop().create_future()
        finally:
            ended.append("cancelled")

    async def main() -> None:
        ended_later = asyncio.create_task(for_ever())
        await asyncio.sleep(1)
        assert not ended_later.done()

    loop.run(main())

    assert ended == ["cancelled"]
