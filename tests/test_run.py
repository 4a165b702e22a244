"""`./run` as a script, in a copy of its own, with a uv that does as the test says: how its set-up ends."""

import asyncio
import contextlib
import os
import shutil
import signal
import sys
from asyncio.subprocess import PIPE, STDOUT, Process
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.processes import with_path
from tests.waiting import until

ROOT = Path(__file__).parents[1]
WAITS = """\
sh -c 'sleep 1000 & sleep 1000' &  # as pip starts a build that starts others
sh -c '(trap "" TERM HUP INT; while :; do sleep 1; done) & echo; sleep 1000' &  # and one that would not go
touch started
wait
"""


@pytest.fixture
async def checkout(tmp_path: Path) -> AsyncIterator[Path]:
    """What `./run` needs to begin with; nothing of it runs when the test is over."""
    for name in ("run", "hatch_build.py", "requirements.lock", "src/irnflow/local/bound.py"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(ROOT / name, tmp_path / name)
    yield tmp_path
    for process in with_path(tmp_path):
        process.kill()


@contextlib.asynccontextmanager
async def _running(checkout: Path, *command: str, uv: str, python: str = sys.executable) -> AsyncIterator[Process]:
    """A command of that checkout, where uv is this script."""
    fake = checkout / "bin/uv"
    fake.parent.mkdir()
    fake.write_text(f"#!/bin/sh\n{uv}")
    fake.chmod(0o755)
    environment = os.environ | {"PATH": f"{fake.parent}:/usr/bin:/bin", "IRNFLOW_PYTHON": python}
    process = await asyncio.create_subprocess_exec(
        *command, cwd=checkout, env=environment, stdin=PIPE, stdout=PIPE, stderr=STDOUT, start_new_session=True
    )  # fmt: skip
    try:
        yield process
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        await process.wait()


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM])
async def test_who_kills_the_set_up_ends_all_that_it_has_started(checkout: Path, number: signal.Signals) -> None:
    async with _running(checkout, "./run", "setup", uv=WAITS) as process:
        await until((checkout / "started").exists)
        before = len(with_path(checkout))

        process.send_signal(number)

        await until(lambda: not with_path(checkout))
    assert before > 7


async def test_it_ends_with_who_is_killed_though_sigterm_is_ignored(checkout: Path) -> None:
    async with _running(checkout, "env", "--ignore-signal=TERM", "./run", "setup", uv=WAITS) as process:
        await until((checkout / "started").exists)

        process.kill()

        await until(lambda: not with_path(checkout))


async def test_ctrl_c_at_a_terminal_ends_the_set_up_and_all_that_it_has_started(checkout: Path) -> None:
    on_a_terminal = (  # where Ctrl-C counts, though it may be ignored by who runs the tests
        "import pty, signal; signal.signal(signal.SIGINT, signal.default_int_handler);"
        "print('ended with', pty.spawn(['./run', 'setup']), flush=True)"
    )
    async with _running(checkout, sys.executable, "-c", on_a_terminal, uv=WAITS) as process:
        await until((checkout / "started").exists)
        assert process.stdin
        process.stdin.write(b"\x03")

        said, _ = await asyncio.wait_for(process.communicate(), 20)

    assert f"ended with {signal.SIGINT.value}" in said.decode()
    assert "Traceback" not in said.decode()
    assert not with_path(checkout)


async def test_a_set_up_that_fails_says_what_to_do_and_ends_with_1(checkout: Path) -> None:
    async with _running(checkout, "./run", "setup", uv='echo "no route to host"; [ "$1" = venv ]') as process:
        said, _ = await process.communicate()

    assert process.returncode == 1
    assert "no route to host" in said.decode()
    assert "The packages of requirements.lock could not be installed; the words above say why." in said.decode()


async def test_sh_runs_it_where_the_executable_bit_is_missing(checkout: Path) -> None:
    (checkout / "run").chmod(0o644)
    async with _running(checkout, "sh", "./run", "setup", uv='[ "$1" = venv ]') as process:
        said, _ = await process.communicate()

    assert "The packages of requirements.lock could not be installed" in said.decode()


async def test_where_uv_has_to_fetch_a_python_it_ends_with_who_is_killed_too(checkout: Path) -> None:
    fetches = "touch started; exec sleep 1000"
    async with _running(checkout, "./run", "setup", uv=fetches, python="none") as process:
        await until((checkout / "started").exists)

        process.kill()

        await until(lambda: not with_path(checkout))


async def test_without_a_python_and_without_uv_it_says_how_to_get_one(checkout: Path) -> None:
    (checkout / "bin").mkdir()
    (checkout / "bin/sh").symlink_to("/bin/sh")
    (checkout / "bin/dirname").symlink_to("/usr/bin/dirname")
    process = await asyncio.create_subprocess_exec(
        "/bin/sh", "./run", cwd=checkout, env={"PATH": str(checkout / "bin")}, stdout=PIPE, stderr=STDOUT
    )

    said, _ = await process.communicate()

    assert process.returncode == 1
    assert "irnflow needs Python 3.11 or newer, and there is none on the PATH." in said.decode()


async def test_where_the_only_python_is_that_of_a_uv_that_is_gone_it_says_how_to_get_one(checkout: Path) -> None:
    (checkout / ".venv/bin").mkdir(parents=True)
    (checkout / ".venv/bin/python").symlink_to(sys.executable)
    process = await asyncio.create_subprocess_exec(
        "./run", "setup", cwd=checkout, env={"PATH": "/usr/bin:/bin", "IRNFLOW_PYTHON": "none"}, stdout=PIPE,
        stderr=STDOUT,
    )  # fmt: skip

    said, _ = await process.communicate()

    assert process.returncode == 1
    assert said.decode().count("irnflow needs Python 3.11 or newer, and there is none on the PATH.") == 1
    assert "virtual environment" not in said.decode()
