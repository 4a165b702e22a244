"""What a call or a look-up came to, as a value that the store settles."""

from datetime import date, datetime, timedelta
from decimal import Decimal
from enum import StrEnum
from typing import Final, Protocol

import msgspec

from irnflow.gst.faults import Fault
from irnflow.portal.client import Document
from irnflow.portal.envelope import Info
from irnflow.portal.several import Line
from irnflow.services.registration.parts import Addressed

_LOOK_UP_CALLS: Final = 2


class Heard(StrEnum):
    """How a call fared, whatever it said: what the pace of the next ones follows from (pace.py)."""

    NOTHING = "NOTHING"  # no call was made
    ANSWERED = "ANSWERED"
    SLOWER = "SLOWER"  # HTTP 429
    TROUBLE = "TROUBLE"  # no readable answer, or "later"


class Fared(Protocol):
    """How a call fared, or what was made of several: pace and error budget follow from it."""

    @property
    def leased(self) -> Addressed: ...

    @property
    def heard(self) -> Heard: ...

    @property
    def retry_after_s(self) -> float | None: ...

    @property
    def refusals(self) -> int: ...


class There(msgspec.Struct, frozen=True):
    """A portal has the document that was looked for."""

    line: Line
    document: Document


class TooOld(msgspec.Struct, frozen=True):
    """A portal has it, and gives it no more (2283)."""

    line: Line


class Nowhere(msgspec.Struct, frozen=True):
    """Every portal that was asked says that it has no such document."""

    unasked: tuple[str, ...] = ()  # those where the GSTIN can't log in


class Unclear(msgspec.Struct, frozen=True):
    """No portal has it that gave an answer, and one gave none that decides."""

    says: str
    heard: Heard = Heard.ANSWERED


Found = There | TooOld | Nowhere | Unclear


class Outcome(StrEnum):
    """What becomes of the document at the portal (migrations/0005_registration.sql, registration_settle)."""

    ACCEPTED = "ACCEPTED"
    REJECTED = "REJECTED"
    UNLISTED = "UNLISTED"
    NOT_DONE = "NOT_DONE"
    UNKNOWN = "UNKNOWN"


class Verdict(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A failure that is for ever the answer to a request. Which of the rest is filled depends on the cause."""

    cause: str  # "portal.2176", "registration.number_used", ...
    faults: tuple[Fault, ...] = ()
    number: str = ""  # the other document's, or the spent one
    voucher: str = ""  # who uses the number
    irn: str = ""  # the other document's
    was_registered: bool = False  # struck off after that was told, or was about to be


class Leased(msgspec.Struct, frozen=True, kw_only=True):
    """A document whose call, or look-up, is ours to make until the lease runs out."""

    irn: str
    gstin: str
    doc_typ: str
    doc_no: str
    doc_dt: str
    portal: str
    attempt: int
    send: int
    payload: bytes
    limited: int = 0  # sends only: calls of this attempt that were refused with 5002 (RETRY_LIMITED)
    valid_on: date | None = None  # sends only: the day in India on which it was found valid
    turnover_crore: Decimal | None = None  # sends only: the supplier's; None: not said
    begin_by: datetime | None = None  # sends only: a call that begins later may outlast its lease
    sent_at: datetime | None = None  # look-ups only
    not_there: int = 0  # look-ups only: how many in a row said so
    duplicate: str = ""  # look-ups only: the last call was refused with this, 2150 or 2295
    refused: str | None = None  # look-ups only: the faults, as JSON, of a last call that was refused undecidedly


class Result(msgspec.Struct, frozen=True, kw_only=True):
    """What a call or look-up came to."""

    leased: Leased
    what: str  # send or lookup
    outcome: Outcome
    # For the ledger, where it says more than the outcome: LIMITED, REFUSED, THERE, NOT_THERE, NO_ANSWER.
    answer: str = ""
    says: str = ""
    codes: tuple[str, ...] = ()
    verdict: Verdict | None = None
    document: Document | None = None
    infos: tuple[Info, ...] = ()  # beside the document: of its e-way bill
    issuer: str = ""  # the portal that has it, where it is not the one that was called
    verified: bool | None = None
    not_there: int = 0
    next_in: timedelta = timedelta(0)  # READY: not before; UNKNOWN: until the next look-up
    heard: Heard = Heard.ANSWERED
    retry_after_s: float | None = None  # as the portal asked
    stop: str = ""  # why the GSTIN's queue has to stand still

    @property
    def refusals(self) -> int:
        """How many the portal has counted of this call or look-up; rather one too many."""
        if self.what == "lookup":
            return _LOOK_UP_CALLS if self.answer in ("NOT_THERE", "NO_ANSWER") else 0
        return 1 if self.codes else 0
