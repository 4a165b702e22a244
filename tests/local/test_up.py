"""`irnflow up` as a process, as people start and end it."""

import asyncio
import contextlib
import os
import signal
import sys
from asyncio.subprocess import PIPE, STDOUT, Process
from collections.abc import AsyncIterator
from pathlib import Path

import psutil
import pytest

from tests.waiting import until

pytestmark = pytest.mark.timeout(180)


@contextlib.asynccontextmanager
async def _up(folder: Path, *options: str) -> AsyncIterator[Process]:
    """`irnflow up`, killed at the end if it still runs."""
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "irnflow", "up", *options,
        env=os.environ | {"IRNFLOW_DATA": str(folder)}, stdout=PIPE, stderr=STDOUT,
    )  # fmt: skip
    try:
        yield process
    finally:
        with contextlib.suppress(ProcessLookupError):
            process.kill()
        await process.wait()


@pytest.fixture
async def data(folder: Path) -> AsyncIterator[Path]:
    """A data folder; whatever the test left running on it has ended when it goes."""
    yield folder
    await until(lambda: not _alive(folder), within_s=60)


async def _told(process: Process, sentence: str) -> None:
    """Read until it has said this."""
    assert process.stdout
    said = b""
    while sentence not in said.decode():
        line = await process.stdout.readline()
        assert line, said.decode()
        said += line


def _alive(folder: Path) -> list[str]:
    """The processes that have to do with a data folder."""
    return [found for process in psutil.process_iter() if (found := _of(process, str(folder)))]


def _of(process: psutil.Process, folder: str) -> str:
    """What it is, if its command line or environment names the folder."""
    with contextlib.suppress(psutil.Error):
        words = [*process.cmdline(), *process.environ().values()]
        if process.pid != os.getpid() and any(folder in word for word in words):
            return f"{process.pid} {process.name()}"
    return ""


async def test_the_sample_fares_as_expected_and_a_kill_then_leaves_no_process_behind(data: Path) -> None:
    async with _up(data) as process:
        await _told(process, "each as expected")
        names = " ".join(_alive(data))

        process.kill()

        assert "beam.smp" in names
        assert "epmd" in names
        assert "postgres" in names
        await until(lambda: not _alive(data), within_s=30)


async def test_a_second_one_on_the_same_folder_says_that_one_runs_and_what_to_do(data: Path) -> None:
    async with _up(data) as first:
        await _told(first, "Starting")

        async with _up(data) as second:
            said, _ = await second.communicate()

        assert second.returncode == 1
        assert "already running" in said.decode()
        assert "IRNFLOW_DATA" in said.decode()


async def test_after_sigterm_it_ends_in_order_and_the_next_start_registers_nothing_twice(data: Path) -> None:
    async with _up(data) as first:
        await _told(first, "Ctrl-C")
        first.send_signal(signal.SIGTERM)
        assert await first.wait() == 0
        await until(lambda: not _alive(data), within_s=2)  # less than the servers need when it forgets them

    async with _up(data, "--exit") as second:
        said, _ = await second.communicate()

    assert "nothing was registered twice" in said.decode()
    assert second.returncode == 0
