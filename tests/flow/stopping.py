"""`irnflow serve registration`, which kills itself with -9 at the point that the file `STOP_AT` names, once.

Points are named as in the simulation: before or after a statement, a call of the portal, a window of messages, an ack.
"""

import os
import signal
import sys
from collections.abc import Awaitable, Callable, Mapping
from pathlib import Path
from typing import Any, Final

from irnflow.bus.rabbit import Rabbit, _Subscription
from irnflow.cli import main
from irnflow.portal.client import Portal
from irnflow.store.database import Postgres, queries

_STATEMENTS: Final[Mapping[str, str]] = {sql: f"registration.{name}" for name, sql in queries("registration").items()}


def stop(point: str) -> None:
    """Die here, if it is what the file says; whoever takes the file away is the one."""
    file = Path(os.environ["STOP_AT"])
    if file.exists() and file.read_text() == point:
        file.unlink()
        os.kill(os.getpid(), signal.SIGKILL)


def stopping(owner: Any, method: str, name: Callable[..., str]) -> None:
    """Make a method of a class one that can be stopped before and after; `name` takes its arguments."""
    right: Callable[..., Awaitable[Any]] = getattr(owner, method)

    async def stops(self: Any, *args: Any, **options: Any) -> Any:
        what = name(*args)
        stop(f"before {what}")
        given = await right(self, *args, **options)
        if given or not what.startswith("registration."):  # a statement that found nothing left nothing half done
            stop(f"after {what}")
        return given

    setattr(owner, method, stops)


if __name__ == "__main__":
    stopping(Postgres, "fetch", lambda sql, *_: _STATEMENTS.get(sql, "another"))
    stopping(Portal, "generate", lambda *_: "generate")
    stopping(Portal, "by_document", lambda *_: "by_document")
    stopping(Rabbit, "publish", lambda *_: "publish")
    stopping(_Subscription, "ack", lambda *_: "ack")
    sys.argv[1:] = ["serve", "registration", "--quiet"]
    main()
