"""A server process of our own: it dies with us whatever ends us, and is started again when it dies before us."""

import asyncio
import contextlib
import ctypes
import os
import signal
import socket
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from pathlib import Path
from typing import Self

from irnflow import log
from irnflow.errors import Permanent

LOG = log.logger("local")

PR_SET_PDEATHSIG = 1  # <linux/prctl.h>
_libc = ctypes.CDLL(None, use_errno=True)  # loaded before any fork

Ready = Callable[[], Awaitable[bool]]
User = tuple[int, int]  # uid and gid


class NotStarted(Permanent):
    """A server of ours did not come up. The text gives its last words and what to do."""


class Child:
    """One server process. Enter it to start it (returns when `ready`), leave it to stop it.

    `stop` is the signal that asks it to end in order; the kernel sends it the same one when we die.
    """

    def __init__(
        self,
        name: str,
        argv: Sequence[str | Path],
        *,
        ready: Ready,
        output: Path,
        environment: Mapping[str, str] | None = None,
        folder: Path,
        stop: signal.Signals = signal.SIGTERM,
        user: User | None = None,  # whom root becomes first
        holding: Sequence[int] = (),  # descriptors that it inherits: locks that must outlast us
        start_s: float = 60.0,
        stop_s: float = 20.0,
    ) -> None:
        self.name = name
        self._argv = [str(part) for part in argv]
        self._ready = ready
        self._output = output
        self._environment = environment
        self._folder = folder
        self._stop = stop
        self._user = user
        self._holding = holding
        self._start_s = start_s
        self._stop_s = stop_s
        self._process: asyncio.subprocess.Process | None = None
        self._watch: asyncio.Task[None] | None = None

    @property
    def pid(self) -> int:
        assert self._process is not None, f"{self.name} was not started"
        return self._process.pid

    async def __aenter__(self) -> Self:
        try:
            await self._start()
        except BaseException:
            await self._end()
            raise
        self._watch = asyncio.create_task(self._keep_up(), name=f"watch {self.name}")
        return self

    async def __aexit__(self, *_: object) -> None:
        if self._watch is not None:
            self._watch.cancel()
            await asyncio.gather(self._watch, return_exceptions=True)
        await self._end()

    def kill(self) -> None:
        """End it at once and for good, as a power cut would."""
        if self._watch is not None:
            self._watch.cancel()
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.pid, signal.SIGKILL)

    async def _start(self) -> None:
        with self._output.open("ab") as output:
            self._process = await asyncio.create_subprocess_exec(
                *self._argv,
                stdin=asyncio.subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                cwd=self._folder,
                env=self._environment,
                pass_fds=self._holding,
                start_new_session=True,  # Ctrl-C in the terminal is for us; we end our children in order
                preexec_fn=bound_to_us(self._stop, self._user),
            )
        deadline = time.monotonic() + self._start_s
        while not await self._ready():
            if self._process.returncode is not None:
                raise NotStarted(
                    f"{self.name} ended with {self._process.returncode} at its start. {self._last_words()}\n"
                    f"Mend what it complains of, then start again. {self._afresh()}"
                )
            if time.monotonic() > deadline:
                raise NotStarted(
                    f"{self.name} was not ready within {self._start_s:.0f} s. {self._last_words()}\n"
                    f"If the machine was only busy, start again; else mend what it complains of. {self._afresh()}"
                )
            await asyncio.sleep(0.05)

    async def _keep_up(self) -> None:
        """Start it again each time it ends; whoever talks to it reconnects."""
        while self._process is not None:
            code = await self._process.wait()
            LOG.warning("ended, starting it again", server=self.name, code=code)
            try:
                await self._start()
            except NotStarted as failure:
                LOG.error("still down", server=self.name, reason=str(failure))
                await self._end()
                await asyncio.sleep(1)

    async def _end(self) -> None:
        process = self._process
        if process is None or process.returncode is not None:
            return
        with contextlib.suppress(ProcessLookupError):
            os.kill(process.pid, self._stop)  # Process.send_signal would reap it behind asyncio's back
        try:
            # Not asyncio.timeout: before Python 3.11.4 it ends in CancelledError where its task is being cancelled, as
            # here, and the server would outlive us (https://github.com/python/cpython/issues/102780).
            await asyncio.wait_for(process.wait(), self._stop_s)
        except TimeoutError:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            await process.wait()

    def _last_words(self) -> str:
        lines = self._output.read_text(errors="replace").splitlines()[-15:]
        return "\n".join([f"Its output ({self._output}) ends:", *(f"  {line}" for line in lines or ["(nothing)"])])

    def _afresh(self) -> str:
        return f"Or, where nothing in it is worth keeping, delete {self._output.parent}: it is then made anew."


def become(uid: int, gid: int) -> None:
    """Give up root for good."""
    os.setgroups([])
    os.setgid(gid)
    os.setuid(uid)


def bound_to_us(sig: signal.Signals, user: User | None) -> Callable[[], None]:
    """What the child does between fork and exec: give up root, and ask the kernel for `sig` when its parent dies."""
    parent = os.getpid()

    def bind() -> None:
        if user is not None:
            become(*user)  # before prctl: a change of user clears the death signal (prctl(2))
        _libc.prctl(PR_SET_PDEATHSIG, sig, 0, 0, 0)
        if os.getppid() != parent:  # it died before we asked
            os._exit(1)

    return bind


_reserved: set[int] = set()  # by this process


def choose_port(wanted: int = 0) -> int:
    """A free port on loopback, ours until this process ends: the wanted one if nobody else has it."""
    try:
        with socket.create_server(("127.0.0.1", wanted)) as listener:
            port = int(listener.getsockname()[1])
    except OSError:
        return choose_port()
    return port if _reserve(port) or (port == wanted and port in _reserved) else choose_port()


def _reserve(port: int) -> bool:
    """Keep all others of us off a port that our server will only listen on later.

    An abstract socket name belongs to one process, and is free again when that dies, even by kill -9 (unix(7)).
    """
    name = socket.socket(socket.AF_UNIX)
    try:
        name.bind(f"\0irnflow-port-{port}")
    except OSError:
        name.close()
        return False
    name.detach()
    _reserved.add(port)
    return True


async def answers(port: int) -> bool:
    """Whether anybody accepts connections there."""
    try:
        _, writer = await asyncio.open_connection("127.0.0.1", port)
    except OSError:
        return False
    writer.close()
    return True
