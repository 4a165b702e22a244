"""local/bound.py, as `./run` starts it."""

import asyncio
import os
import signal
import sys
from asyncio.subprocess import PIPE, STDOUT, Process

import pytest

from irnflow.local import bound


async def _bound(script: str, *, ignored: str = "") -> Process:
    """A script of sh that is bound to us."""
    return await asyncio.create_subprocess_exec(
        "env", f"--ignore-signal={ignored}", sys.executable, "-I", bound.__file__, str(os.getpid()), "sh", "-c", script,
        stdin=PIPE, stdout=PIPE, stderr=STDOUT,
    )  # fmt: skip


async def _line(process: Process) -> str:
    assert process.stdout
    return (await asyncio.wait_for(process.stdout.readline(), 20)).decode().strip()


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM, signal.SIGPIPE, signal.SIGXFSZ])
async def test_a_signal_that_ends_the_command_ends_it_in_the_same_way(number: signal.Signals) -> None:
    process = await _bound(f"ulimit -c 0; kill -{number.value} $$")

    said, _ = await process.communicate()

    assert process.returncode == -number
    assert said == b""


@pytest.mark.parametrize("number", [signal.SIGHUP, signal.SIGTERM])
async def test_a_signal_that_was_ignored_before_is_ignored_as_under_nohup(number: signal.Signals) -> None:
    process = await _bound("echo begun; read _; echo done", ignored=number.name.removeprefix("SIG"))
    assert await _line(process) == "begun"

    process.send_signal(number)

    said, _ = await process.communicate(b"\n")
    assert said == b"done\n"
    assert process.returncode == 0


STAYS = """
import signal, time
signal.signal(signal.SIGTERM, lambda *_: print("asked", flush=True))
print("ready", flush=True)
time.sleep(20)
print("left", flush=True)
"""


async def test_a_sigterm_after_the_command_has_ended_does_not_spare_what_it_left_behind() -> None:
    process = await _bound(f"{sys.executable} -c '{STAYS}' & read _")
    assert await _line(process) == "ready"
    assert process.stdin
    process.stdin.write(b"\n")
    assert await _line(process) == "asked"

    process.send_signal(signal.SIGTERM)

    said, _ = await process.communicate()
    assert said == b""
    assert process.returncode == 0
