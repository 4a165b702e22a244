"""Where our processes spend their time: which module of ours, and in what that it called.

`py-spy` looks at each process a hundred times a second from outside, and sees Python's frames: time in C counts for
the frame that called it, and what the event loop does in C (sockets, decoding) for `irnflow.cli`. It halts the process
while it looks, so what is measured beside it costs more than by itself.
"""

import asyncio
import contextlib
import re
import signal
import subprocess
import sys
from collections import Counter
from collections.abc import AsyncIterator, Mapping
from pathlib import Path
from typing import Final

_PY_SPY: Final = Path(sys.executable).with_name("py-spy")
_HZ: Final = 100
_SHOWN: Final = 8  # of each process
_FRAME: Final = re.compile(r".* \((.+):\d+\)")

Shares = Mapping[str, float]  # where -> of the time in which the process ran


@contextlib.asynccontextmanager
async def recorded(pids: Mapping[str, int], folder: Path) -> AsyncIterator[dict[str, Shares]]:
    """Look at these processes until the block ends; what is given is filled then. Needs root, or the right to trace."""
    shares: dict[str, Shares] = {}
    spies: list[subprocess.Popen[bytes]] = []
    try:
        spies += (_spy(pid, folder / f"{name}.stacks") for name, pid in pids.items())
        yield shares
    finally:
        for spy in spies:
            spy.send_signal(signal.SIGINT)
        for spy in spies:
            await asyncio.to_thread(spy.wait, 60)
    for name in pids:
        stacks = folder / f"{name}.stacks"
        if not stacks.exists():
            sys.exit("py-spy could not look at our processes: run it as root, or allow it to trace (ptrace)")
        shares[name] = _shares(stacks.read_text(encoding="utf-8"))


def show(shares: Mapping[str, Shares], cpu_ms: Mapping[str, float]) -> None:
    """Print the places that cost most, in CPU milliseconds a voucher."""
    for name in sorted(shares, key=lambda name: -cpu_ms[name]):
        print(f"{name}, {cpu_ms[name]:.2f} ms:")
        for where, share in sorted(shares[name].items(), key=lambda pair: -pair[1])[:_SHOWN]:
            print(f"  {share * cpu_ms[name]:6.3f} ms  {share:4.0%}  {where}")


def _spy(pid: int, file: Path) -> "subprocess.Popen[bytes]":
    words = (_PY_SPY, "record", "--pid", str(pid), "--rate", str(_HZ), "--full-filenames", "--format", "raw")
    return subprocess.Popen((*words, "--output", file), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


def _shares(stacks: str) -> Shares:
    """Of lines "frame;frame;frame count", the innermost frame last."""
    seen: Counter[str] = Counter()
    for line in stacks.splitlines():
        stack, _, count = line.rpartition(" ")
        seen[_where(stack.split(";"))] += int(count)
    return {where: count / seen.total() for where, count in seen.items()}


def _where(frames: list[str]) -> str:
    """The innermost module of ours, and the library in which it spent the time; without ours, the library."""
    files = [found[1] for frame in reversed(frames) if (found := _FRAME.fullmatch(frame))]
    if not files:
        return "Python itself"
    innermost = _component(files[0])
    ours = next((component for file in files if (component := _component(file)).startswith("irnflow.")), None)
    return innermost if ours in (None, innermost) else f"{ours}, in {innermost}"


def _component(file: str) -> str:
    """A module of ours, or the name of the library that a file belongs to."""
    if "/src/irnflow/" in file:
        return "irnflow." + file.rpartition("/src/irnflow/")[2].removesuffix(".py").replace("/", ".")
    within = re.sub(r".*/(?:site-packages|python3\.\d+)/", "", file).removesuffix(".py")
    return within.split("/")[-1 if within.startswith("/") else 0]  # of no library: the file itself
