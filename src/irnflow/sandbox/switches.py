"""What tests can make the portal do: be slow, fail, lose answers, forget, lag, block, live at another hour. Pure.

An order changes what it names and leaves the rest. Counts run down to nothing by themselves.
"""

from collections import deque
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Annotated, Any, Final, Literal

import msgspec
from msgspec import UNSET, Meta, UnsetType

from irnflow.sandbox.limits import Limits
from irnflow.sandbox.protocol import ErrorsAs
from irnflow.sandbox.register import PortalName

Call = Literal[
    "auth", "generate", "cancel", "by_irn", "by_document", "rejected",
    "eway_bill", "eway_bill_with_invoice", "eway_bill_by_irn", "cancel_eway_bill",
    "gstin", "sync_gstin",
]  # fmt: skip

Forge = Literal["signature", "key", "irn", "document", "qr"]

_RATE_WINDOW: Final = timedelta(minutes=1)
_COUNTED_MAX: Final = 10_000  # taxpayers whose calls are counted; above, counting starts anew
_DAY_MS: Final = 86_400_000

_Count = Annotated[int, Meta(ge=0, le=1_000_000)]
_Seconds = Annotated[float, Meta(ge=0, le=86_400)]
_Milliseconds = Annotated[float, Meta(ge=0, le=_DAY_MS)]


class Failure(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What the next `n` calls of a kind meet: which calls, then what happens to them.

    `cut`, `garble` and `forge` spoil the answer to a call that was done; the others leave it undone unless
    `after_commit`.
    With `delay_s` alone the answer is honest, and late.
    """

    n: _Count = 1
    call: Call | Literal["any"] = "generate"
    gstin: str | None = None  # of this taxpayer only
    portal: PortalName | None = None  # at this portal only

    code: str | None = None  # a code of the portal, in its envelope
    http_status: Annotated[int, Meta(ge=300, le=599)] | None = None  # as a gateway in front would
    html: bool = False  # with a gateway's page for a body
    retry_after_s: Annotated[int, Meta(ge=0)] | None = None  # with this header
    hang_up: bool = False  # close the connection without an answer
    reset: bool = False  # the same with a TCP reset
    cut: bool = False  # half of the answer, then the connection closes
    garble: bool = False  # Data that no key opens
    forge: Forge | None = None  # the signature is wrong, or of a key nobody knows; or what is told or signed is other
    after_commit: bool = False  # the call is done first
    delay_s: _Seconds = 0  # before whatever comes; gateways cut at about 29 s

    @property
    def spoils(self) -> bool:
        """Whether anything but the time of the answer is changed."""
        undone = self.code or self.http_status or self.hang_up or self.reset
        return bool(undone or self.cut or self.garble or self.forge)

    @property
    def is_done_first(self) -> bool:
        """Whether the call is done before it fails."""
        is_late_only = self.delay_s > 0 and not self.spoils
        return bool(self.after_commit or self.cut or self.garble or self.forge or is_late_only)


class Latency(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How long answers take: `ms`, up to `spread_ms` more, and `slow_ms` for the share of them that is slow."""

    ms: _Milliseconds = 0
    spread_ms: _Milliseconds = 0
    slow_share: Annotated[float, Meta(ge=0, le=1)] = 0
    slow_ms: _Milliseconds = 0

    def seconds(self, draw: Callable[[], float]) -> float:
        """Of one answer; `draw` gives numbers from 0 to 1, and is asked only where chance has a say."""
        if self.slow_share and draw() < self.slow_share:
            return self.slow_ms / 1000
        return (self.ms + (draw() * self.spread_ms if self.spread_ms else 0)) / 1000


class Order(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The body of `POST /sandbox/switches`."""

    latency_ms: _Milliseconds | Latency | UnsetType = UNSET  # between committing and answering
    fail_next: Failure | list[Failure] | UnsetType | None = UNSET  # of several, a call meets the first that fits it
    drop_answer_after_commit: _Count | UnsetType = UNSET  # of the next n that register, make or cancel something
    revoke_tokens: bool = False
    rate_limit_per_minute: Annotated[int, Meta(ge=1)] | UnsetType | None = UNSET  # of calls a GSTIN; 429 above

    dedup_lag_s: _Seconds | UnsetType = UNSET  # so long a portal doesn't hear what the other registered
    dedup_outage: bool | UnsetType = UNSET  # nor at all
    lookup_lag_s: _Seconds | UnsetType = UNSET  # so long look-ups don't show what was registered

    stale_gstins: dict[str, Literal["3001", "3028", "3029"]] | UnsetType = UNSET  # until synced, with this code
    blocked_gstins: list[str] | UnsetType = UNSET
    pin_distances: dict[str, Annotated[int, Meta(ge=1, le=4000)]] | UnsetType | None = UNSET  # {"411001-560001": 840}
    limits: dict[str, Any] | UnsetType = UNSET  # of `Limits`, those that change
    errors_as: ErrorsAs | UnsetType = UNSET  # how ErrorDetails is written: portals differ
    held_rules: bool | UnsetType = UNSET  # hold documents to the rules that are on hold too


class State(msgspec.Struct, frozen=True, kw_only=True):
    """How the switches stand."""

    latency_ms: float | Latency = 0
    fail_next: list[Failure] = []
    drop_answer_after_commit: int = 0
    rate_limit_per_minute: int | None = None
    dedup_lag_s: float = 0
    dedup_outage: bool = False
    lookup_lag_s: float = 0
    stale_gstins: dict[str, str] = {}
    blocked_gstins: list[str] = []
    pin_distances: dict[str, int] | None = None
    limits: Limits = Limits()
    errors_as: ErrorsAs = "list"
    held_rules: bool = False
    clock_offset_s: float = 0


class Switches:
    """The switches, and the calls counted for the rate limit."""

    def __init__(self, limits: Limits = Limits(), *, clock_offset_s: float = 0) -> None:  # noqa: B008 - it is frozen
        self.state = State(limits=limits, clock_offset_s=clock_offset_s)
        self._calls: dict[str, deque[datetime]] = {}

    def obey(self, order: Order) -> None:
        """Raises ValidationError for limits that are none. Revoking tokens is for who holds them."""
        names = State.__struct_fields__
        given = {name: getattr(order, name) for name in order.__struct_fields__ if name in names}
        changes = {name: value for name, value in given.items() if value is not UNSET}
        if "fail_next" in changes:
            changes["fail_next"] = _listed(changes["fail_next"])
        if "limits" in changes:
            limits = msgspec.structs.asdict(self.state.limits) | changes["limits"]
            changes["limits"] = msgspec.convert(limits, Limits)
        self._set(**changes)

    def move_clock(self, offset_s: float) -> None:
        """The portal's hour is the real one and so many seconds, also negative."""
        self._set(clock_offset_s=offset_s)
        self._calls.clear()  # counted at another hour

    def next_failure(self, call: str, *, gstin: str = "", portal: PortalName = "NIC1") -> Failure | None:
        """What this call is to meet, counted down; None for an honest answer."""
        for index, failure in enumerate(self.state.fail_next):
            if _fits(failure, call, gstin, portal):
                left = msgspec.structs.replace(failure, n=failure.n - 1)
                others = self.state.fail_next
                self._set(fail_next=[*others[:index], *([left] if left.n else []), *others[index + 1 :]])
                return failure
        return None

    def drops_answer(self) -> bool:
        """Whether the answer to what was just committed gets lost, counted down."""
        drops = self.state.drop_answer_after_commit
        self._set(drop_answer_after_commit=max(drops - 1, 0))
        return drops > 0

    def latency_s(self, draw: Callable[[], float]) -> float:
        """How long this answer takes."""
        latency = self.state.latency_ms
        return latency.seconds(draw) if isinstance(latency, Latency) else latency / 1000

    def synced(self, gstin: str) -> None:
        """This taxpayer is no longer stale."""
        self._set(stale_gstins={each: code for each, code in self.state.stale_gstins.items() if each != gstin})

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


def _listed(failures: Failure | list[Failure] | None) -> list[Failure]:
    given = failures if isinstance(failures, list) else [failures] if failures else []
    return [failure for failure in given if failure.n]


def _fits(failure: Failure, call: str, gstin: str, portal: PortalName) -> bool:
    return (
        failure.call in {call, "any"}
        and failure.gstin in {gstin, None}
        and failure.portal in {portal, None}
    )  # fmt: skip
