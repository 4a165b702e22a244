"""An action of an IRN's life as a value: what is leased, and what a call or a look-up came to."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

import msgspec

from irnflow.services.registration.result import Heard
from irnflow.store.lifecycle import ActionKind as Kind

__all__ = ["Kind", "Leased", "Outcome", "Result"]


class Outcome(StrEnum):
    """What becomes of the action (migrations/0006_lifecycle.sql, action_settle)."""

    DONE = "DONE"
    FAILED = "FAILED"
    NOT_DONE = "NOT_DONE"  # certainly: READY again
    UNKNOWN = "UNKNOWN"  # perhaps: looked up before anything is asked again


class Leased(msgspec.Struct, frozen=True, kw_only=True):
    """An action whose call, or look-up, is ours to make until the lease runs out."""

    what: str  # send or lookup
    action_id: int
    kind: Kind
    irn: str
    gstin: str  # the seller's
    portal: str  # that issued the IRN
    request: Mapping[str, Any]
    ewb_no: str | None = None  # the bill to cancel
    began: str | None = None  # the portal's time for cancelling runs since then: yyyy-mm-dd hh:mm:ss, IST
    send: int
    sent_at: datetime | None = None
    not_done: int = 0  # look-ups in a row that said so
    begin_by: datetime | None = None  # a call that begins later may outlast its lease


class Result(msgspec.Struct, frozen=True, kw_only=True):
    """What a call or look-up came to."""

    leased: Leased
    outcome: Outcome
    recorded: str = ""  # for the ledger, where it says more than the outcome
    cause: str = ""
    codes: tuple[str, ...] = ()
    says: str = ""
    fix: str = ""
    answer: Mapping[str, str | None] | None = None
    not_done: int = 0
    next_in: timedelta = timedelta(0)
    heard: Heard = Heard.ANSWERED
    retry_after_s: float | None = None  # as the portal asked
    refusals: int = 0  # of the portal, of this call and the look-up that followed
    stop: str = ""  # why the GSTIN's queue has to stand still
