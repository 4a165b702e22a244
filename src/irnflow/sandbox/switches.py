"""What tests can make the portal do: be slow, fail, hang up, forget tokens, limit its rate, live at another hour.
Pure.

An order changes what it names and leaves the rest. Counts run down to nothing by themselves.
"""

from collections import deque
from datetime import datetime, timedelta
from typing import Annotated, Final, Literal

import msgspec
from msgspec import UNSET, Meta, UnsetType

Call = Literal["auth", "generate", "cancel", "by_irn", "by_document", "gstin", "sync_gstin"]

_RATE_WINDOW: Final = timedelta(minutes=1)
_COUNTED_MAX: Final = 10_000  # taxpayers whose calls are counted; above, counting starts anew
_DAY_MS: Final = 86_400_000

_Count = Annotated[int, Meta(ge=0, le=1_000_000)]


class Failure(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What the next `n` calls of a kind meet instead of an answer, with nothing done: one of the three."""

    n: _Count = 1
    call: Call | Literal["any"] = "generate"
    code: str | None = None  # a code of the portal, in its envelope
    http_status: Annotated[int, Meta(ge=300, le=599)] | None = None  # as a gateway in front would
    hang_up: bool = False  # close the connection without an answer


class Order(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The body of `POST /sandbox/switches`."""

    latency_ms: Annotated[float, Meta(ge=0, le=_DAY_MS)] | UnsetType = UNSET  # between committing and answering
    fail_next: Failure | UnsetType | None = UNSET
    drop_answer_after_commit: _Count | UnsetType = UNSET  # of the next n that register or cancel something
    revoke_tokens: bool = False
    rate_limit_per_minute: Annotated[int, Meta(ge=1)] | UnsetType | None = UNSET  # of calls a GSTIN; 429 above


class State(msgspec.Struct, frozen=True, kw_only=True):
    """How the switches stand."""

    latency_ms: float = 0
    fail_next: Failure | None = None
    drop_answer_after_commit: int = 0
    rate_limit_per_minute: int | None = None
    clock_offset_s: float = 0


class Switches:
    """The switches, and the calls counted for the rate limit."""

    def __init__(self) -> None:
        self.state = State()
        self._calls: dict[str, deque[datetime]] = {}

    def obey(self, order: Order) -> None:
        """Revoking tokens is for who holds them."""
        names = State.__struct_fields__
        given = {name: getattr(order, name) for name in order.__struct_fields__ if name in names}
        self._set(**{name: value for name, value in given.items() if value is not UNSET})

    def move_clock(self, offset_s: float) -> None:
        """The portal's hour is the real one and so many seconds, also negative."""
        self._set(clock_offset_s=offset_s)
        self._calls.clear()  # counted at another hour

    def next_failure(self, call: str) -> Failure | None:
        """What this call is to meet, counted down; None for an honest answer."""
        failure = self.state.fail_next
        if not failure or failure.call not in {call, "any"} or not failure.n:
            return None
        left = msgspec.structs.replace(failure, n=failure.n - 1)
        self._set(fail_next=left if left.n else None)
        return failure

    def drops_answer(self) -> bool:
        """Whether the answer to what was just committed gets lost, counted down."""
        drops = self.state.drop_answer_after_commit
        self._set(drop_answer_after_commit=max(drops - 1, 0))
        return drops > 0

    def retry_after_s(self, gstin: str, now: datetime) -> int:
        """0 when this call is within the limit, and is counted; else how long to wait."""
        limit = self.state.rate_limit_per_minute
        if limit is None:
            return 0
        if len(self._calls) >= _COUNTED_MAX:
            self._calls.clear()
        calls = self._calls[gstin] = deque(self._calls.get(gstin, ()), maxlen=limit)
        if len(calls) < limit or now - calls[0] >= _RATE_WINDOW:
            calls.append(now)
            return 0
        return max(1, -((now - calls[0] - _RATE_WINDOW) // timedelta(seconds=1)))

    def _set(self, **changes: object) -> None:
        self.state = msgspec.structs.replace(self.state, **changes)
