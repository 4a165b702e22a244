"""The data folder: what one `irnflow up` leaves there for other commands and for its next start.

lock            held while it runs
environment     IRNFLOW_... of the running one: `irnflow failures` finds its database there
ports.json      where its servers listened: they listen there again when nobody else does by then
api_key         a key of the sample account, for curl
books.toml      which books there are; ours is `sample`, others may be added
irnflow.key     seals secrets at rest
irnflow.log     what the services say: one JSON object a line
postgres/ rabbitmq/ sandbox/
"""

import os
import shlex
from collections.abc import Iterable, Mapping
from pathlib import Path

import msgspec

from irnflow.local import private
from irnflow.local.child import choose_port

CONSOLE_PORT = 8470


def remember(data: Path, environment: Mapping[str, str]) -> None:
    """Tell other commands how the running one is reached."""
    told = {name: value for name, value in environment.items() if name != "IRNFLOW_KEY"}  # never beside what it seals
    lines = [f"{name}={shlex.quote(value)}\n" for name, value in sorted(told.items())]
    private.write(data / "environment", "".join(lines).encode())


def forget(data: Path) -> None:
    """Nothing runs here any more."""
    (data / "environment").unlink(missing_ok=True)


def remembered(data: Path) -> dict[str, str]:
    """What `remember` wrote; empty when nothing did."""
    try:
        words = shlex.split((data / "environment").read_text())
    except FileNotFoundError:
        return {}
    return dict(word.split("=", 1) for word in words)


def ports(data: Path, names: Iterable[str]) -> dict[str, int]:
    """A free port for each: the one of last time where it can be."""
    file = data / "ports.json"
    wishes = {"irn_service": CONSOLE_PORT, "websocket": CONSOLE_PORT + 1}
    if file.exists():
        wishes |= msgspec.json.decode(file.read_bytes(), type=dict[str, int])
    chosen: dict[str, int] = {}
    for name in names:
        port = choose_port(wishes.get(name, 0))
        chosen[name] = port if port not in chosen.values() else choose_port()
    file.write_bytes(msgspec.json.encode(chosen))
    return chosen


def console(port: int) -> str:
    """Where the console is."""
    return f"http://127.0.0.1:{port}"


def link(port: int, token: str) -> str:
    """The console's address with a one-time token, behind the # that browsers send to nobody."""
    return f"{console(port)}/#token={token}"


def cache() -> Path:
    """Where programs are unpacked, once for all data folders of a user."""
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "irnflow"
