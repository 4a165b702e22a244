"""Files that only we may read, and folders that only one of us uses at a time."""

import asyncio
import contextlib
import fcntl
import os
import secrets
import time
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Final

from irnflow.errors import Permanent

LEFTOVERS_S: Final = 30.0  # so long a killed run's servers may take to end

Tell = Callable[[str], None]  # says what is being done that takes a while


def untold(doing: str) -> None:
    """For whoever starts things with nobody watching."""


def write(file: Path, content: bytes) -> None:
    """Write it anew, readable by us alone from its first moment."""
    file.unlink(missing_ok=True)
    with os.fdopen(os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as out:
        out.write(content)


def password(file: Path) -> str:
    """The password kept in the file; a new random one when there is none."""
    if not file.exists():
        write(file, secrets.token_urlsafe(24).encode())
    return file.read_text()


class Taken(Permanent):
    """Somebody else uses this folder."""


@contextlib.asynccontextmanager
async def taken(folder: Path, *, patience_s: float = 0, tell: Tell = untold) -> AsyncIterator[int]:
    """Nobody else uses the folder while this is open; gives the descriptor that holds the lock.

    A child that inherits the descriptor keeps the folder until it ends, even if we die first: hence the patience.
    Raises Taken.
    """
    deadline = time.monotonic() + patience_s
    with (folder / "lock").open("a") as file:
        if not _lock(file.fileno()):
            tell(
                f"Waiting up to {patience_s:.0f} s for another irnflow, or what one left running, to let go of {folder}"
            )
            while not _lock(file.fileno()):
                if time.monotonic() >= deadline:
                    raise Taken(f"{folder} is in use by another irnflow: stop that one, then start again")
                await asyncio.sleep(0.1)
        yield file.fileno()


def _lock(descriptor: int) -> bool:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
