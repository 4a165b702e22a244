"""What registration works with; built by `main`, and by the simulation from other parts."""

import asyncio
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import msgspec

from irnflow.bus.port import Bus
from irnflow.portal.client import Portal
from irnflow.portal.signature import KeySet
from irnflow.services.registration.sessions import Sessions
from irnflow.store.database import Database


class Parts(msgspec.Struct, frozen=True, kw_only=True):
    """Parameters of every function of registration that does something."""

    bus: Bus
    database: Database
    portal: Portal
    portal_name: str
    sessions: Sessions
    keys: KeySet
    now: Callable[[], datetime]
    log: Any
    concurrency: int  # calls in flight
    deadline: timedelta  # of a call
    slack: timedelta = timedelta(seconds=60)  # INTENT lives for deadline and slack; a call begins within the slack
    settle: timedelta  # the first look-up, so long after the call's deadline
    gap: timedelta  # between two look-ups that must both say "not there"
    idle_s: float = 1.0  # what other processes, or a crash, left to do is looked for so often
    to_send: asyncio.Event = msgspec.field(default_factory=asyncio.Event)  # there may be READY documents
    to_tell: asyncio.Event = msgspec.field(default_factory=asyncio.Event)  # there may be outcomes to tell
