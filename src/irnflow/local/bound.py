"""Run a command that ends with whoever asked for it, by kill -9 too, and all that it has started ends with it.

    python -I bound.py PARENT COMMAND [ARGUMENT]...

PARENT is the process that asks; this one ends as the command ends. A death signal isn't inherited by children
(prctl(2)), so whoever loses his parent down there becomes our child, and all of them are ended when PARENT is gone. The
command stays in the process group of PARENT: Ctrl-C reaches it, and the terminal is its own.

`./run` uses it before anything is installed: Python's own library only.
"""

import contextlib
import ctypes
import os
import signal
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from types import FrameType
from typing import NoReturn

PR_SET_PDEATHSIG, PR_SET_CHILD_SUBREAPER = 1, 36  # <linux/prctl.h>
PARENT_GONE = signal.SIGUSR1  # SIGTERM may be ignored
GRACE_S = 3.0  # dpkg, say, ends in order
GIVEN_UP_S = 10.0  # what even SIGKILL does not end is not ours to end

_libc = ctypes.CDLL(None)


def main(parent: int, command: list[str]) -> NoReturn:
    signal.signal(PARENT_GONE, _leave)
    _answer(signal.SIGTERM, _leave)
    _answer(signal.SIGHUP, _leave)
    _answer(signal.SIGINT, _leave_it_to_the_command)
    _libc.prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
    _libc.prctl(PR_SET_PDEATHSIG, PARENT_GONE, 0, 0, 0)
    try:
        if os.getppid() != parent:  # it died before we asked
            sys.exit(1)
        code = os.waitstatus_to_exitcode(_until_ended(_started(command)))
        _ignore_all()
    finally:
        _end_all()
    if code < 0:  # by a signal, as shells want to know
        with contextlib.suppress(OSError):  # SIGKILL can't be set
            signal.signal(-code, signal.SIG_DFL)
        os.kill(os.getpid(), -code)
    sys.exit(code)


def _answer(number: signal.Signals, handler: Callable[[int, FrameType | None], None]) -> None:
    """Unless it is ignored: nohup, say, wants it so."""
    if signal.getsignal(number) != signal.SIG_IGN:
        signal.signal(number, handler)


def _started(command: list[str]) -> int:
    us = os.getpid()
    if pid := os.fork():
        return pid
    _libc.prctl(PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
    if os.getppid() == us:
        for number in (signal.SIGPIPE, signal.SIGXFSZ):  # Python ignores them, and exec would keep that
            signal.signal(number, signal.SIG_DFL)
        try:
            os.execvp(command[0], command)  # noqa: S606 (no shell is what we want)
        except OSError as error:
            sys.stderr.write(f"{command[0]}: {error.strerror}\n")
            sys.stderr.flush()
    os._exit(127)


def _until_ended(wanted: int) -> int:
    """How it ended; of others, who have become our children, nothing is kept."""
    while True:
        pid, status = os.wait()
        if pid == wanted:
            return status


def _leave(number: int, _: FrameType | None) -> NoReturn:
    _ignore_all()
    sys.exit(128 + number)


def _ignore_all() -> None:
    """Once is enough: what follows must not be broken off."""
    for each in (PARENT_GONE, signal.SIGTERM, signal.SIGHUP, signal.SIGINT):
        signal.signal(each, signal.SIG_IGN)


def _leave_it_to_the_command(*_: object) -> None:
    """The terminal tells it too; we end as it ends."""


def _end_all() -> None:
    """Ask all below us to end, and insist after a while."""
    begun = time.monotonic()
    asked: set[int] = set()
    while (waited_s := time.monotonic() - begun) < GIVEN_UP_S and (below := set(_below(os.getpid()))):
        insist = waited_s > GRACE_S
        for pid in below if insist else below - asked:
            with contextlib.suppress(OSError):
                os.kill(pid, signal.SIGKILL if insist else signal.SIGTERM)
        asked |= below
        with contextlib.suppress(ChildProcessError):
            while os.waitpid(-1, os.WNOHANG)[0]:
                pass
        time.sleep(0.02)


def _below(pid: int) -> Iterator[int]:
    """Its children, and theirs."""
    children: dict[int, list[int]] = {}
    for file in Path("/proc").glob("[0-9]*/stat"):
        with contextlib.suppress(OSError):
            parent = int(file.read_text().rpartition(")")[2].split()[1])  # proc(5): state and ppid follow the name
            children.setdefault(parent, []).append(int(file.parent.name))
    todo = children.get(pid, [])
    while todo:
        found = todo.pop()
        yield found
        todo += children.get(found, [])


if __name__ == "__main__":
    main(int(sys.argv[1]), sys.argv[2:])
