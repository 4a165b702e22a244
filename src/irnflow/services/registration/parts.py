"""What registration works with; built by `main`, and by the simulation from other parts."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from datetime import datetime, timedelta
from functools import partial
from typing import TYPE_CHECKING, Any, Protocol

import msgspec

from irnflow.bus.port import Bus
from irnflow.portal.client import Answer, Credentials, Portal, Session
from irnflow.portal.several import Line, Portals
from irnflow.services.registration.sessions import Sessions
from irnflow.store.database import Database
from irnflow.store.lifecycle import Windows

if TYPE_CHECKING:
    from irnflow.services.registration.trial import Trial


class Addressed(Protocol):
    """What goes to a portal in the name of a GSTIN: a document, an action of an IRN, a question."""

    @property
    def portal(self) -> str: ...

    @property
    def gstin(self) -> str: ...


class Budget(msgspec.Struct, frozen=True, kw_only=True):
    """How many refusals the portal takes before it blocks, and how far we go (budget.py)."""

    of_gstin: int = 20_000
    of_client: int = 100_000
    days: int = 30  # counted together
    warn: float = 0.5  # share of them
    stop: float = 0.9


class Parts(msgspec.Struct, frozen=True, kw_only=True):
    """Parameters of every function of registration that does something."""

    bus: Bus
    database: Database
    portals: Portals
    sessions: Mapping[str, Sessions]  # by family of portals
    now: Callable[[], datetime]
    log: Any
    concurrency: int  # calls in flight
    of_one_gstin: int = 1_000_000  # of these, at the most
    deadline: timedelta  # of a call
    slack: timedelta = timedelta(seconds=60)  # INTENT lives for deadline and slack; a call begins within the slack
    settle: timedelta  # the first look-up, so long after the call's deadline
    gap: timedelta  # between two look-ups that must both say "not there"
    window: timedelta = timedelta(hours=40)  # after the send: later "not there" proves nothing
    windows: Windows = Windows()  # for cancelling
    alarm: timedelta = timedelta(hours=1)  # in doubt for so long is an alarm,
    page: timedelta = timedelta(hours=12)  # and so long wakes somebody
    idle_s: float = 1.0  # what other processes, or a crash, left to do is looked for so often
    budget: Budget = Budget()
    heard_well: dict[tuple[str, str], datetime] = msgspec.field(default_factory=dict)  # by portal and GSTIN (pace.py)
    trials: "dict[tuple[str, str], Trial]" = msgspec.field(default_factory=dict)  # by GSTIN and family (trial.py)
    to_send: asyncio.Event = msgspec.field(default_factory=asyncio.Event)  # there may be READY documents
    to_tell: asyncio.Event = msgspec.field(default_factory=asyncio.Event)  # there may be outcomes to tell

    def line(self, leased: Addressed) -> Line:
        """The portal that a call or look-up goes to."""
        return self.portals[leased.portal]

    async def call(
        self, leased: Addressed, call: Callable[[Portal, Credentials, Session], Awaitable[Answer]]
    ) -> tuple[Answer, Credentials, Session]:
        """A call's answer, and with what it was made; 1005 costs one more login and one repetition.

        Raises Permanent (login refused, no credentials), LoginPutOff: the call was not done; and what it itself raises.
        """
        line = self.line(leased)
        return await self.sessions[line.family].use(leased.gstin, partial(call, line.portal))
