"""What goes wrong in one run: everything is drawn from the seed, and nothing happens after `calm_at_s`.

Each kind of trouble has a stream of chance of its own: one draw more of one kind changes nothing of the others. What a
test is about, it pins: `Faults(seed, kill=0.0)`.
"""

from collections import Counter
from collections.abc import Mapping
from random import Random
from typing import Any, Final

import msgspec

SERVICES: Final = (
    "irn_service", "data_fetch", "validation", "registration", "database_update", "error_desk", "websocket",
)  # fmt: skip

# What may become of a call to the portal (`network.Wire`).
CALLS: Final = (
    "refused",  # the connection is refused
    "lost",  # it never arrives, and nobody says so before the deadline
    "reset",  # it never arrives; the connection breaks at once
    "cut",  # it arrives and is done; the connection breaks
    "silent",  # it arrives and is done; nothing comes back
    "late",  # it arrives later, up to a minute after the caller has given up
    "gateway",  # 500 to 504, done or not
    "limited",  # 429
    "forbidden",  # 401 or 403 of a gateway
    "garbled",  # it is done; the answer can't be read: cut, a gateway's page, undecryptable
    "trouble",  # the portal itself says "try again later"
    "misfit",  # it says that the client or its login is not in order: the GSTIN stands still until a person looks
)
# What may become of a statement to the store, and of a piece of work on the books.
STATEMENTS: Final = ("refused", "forgotten")  # not done; done, and nobody is told
# What may be away for a while.
OUTAGES: Final = ("store", "books", "broker", "portal", "NIC1", "look-ups")
# Troubles that show together what chance alone seldom does; what else goes wrong is drawn as ever.
PLOTS: Final[tuple[Mapping[str, Any], ...]] = (
    {  # documents are registered, and nobody hears of it; and who asks what became of them gets no clear answer
        "calm_at_s": 400.0, "kill": 0.0, "calls": dict.fromkeys(CALLS, 0.0),
        "aims": {"generate": {"silent": 0.7}, "by_document": {"trouble": 0.9}, "by_irn": {"trouble": 0.9}},
    },
    {  # what people want of an IRN is done, and nobody hears of it
        "calm_at_s": 400.0, "calls": dict.fromkeys(CALLS, 0.0),
        "aims": {kind: {"silent": 0.4, "cut": 0.4} for kind in ("cancel", "eway_bill", "cancel_eway_bill")},
    },
    {  # whoever logs in dies, and so does the next one: documents wait for a login longer than their lease
        "calm_at_s": 400.0, "calls": dict.fromkeys(CALLS, 0.0), "restart_s": 0.1,
        "instances": dict.fromkeys(SERVICES, 1) | {"registration": 2},
        "stops": {("registration after auth", 1), ("registration after auth", 2)},
    },
    {  # whoever is to tell what came of a document dies
        "stops": {("registration before publish db.update.success", times) for times in (1, 2, 3)},
    },
)  # fmt: skip
_EVENING_S: Final = 100.0  # troubles that last longer may last through a night


class Outage(msgspec.Struct, frozen=True):
    what: str
    from_s: float
    until_s: float


class Faults:
    """The troubles of one seed."""

    def __init__(self, seed: int, **pinned: Any) -> None:
        self.seed = seed
        draw = self.stream("plan")
        self.calm_at_s = draw.choice((5.0, 30.0, 120.0, 400.0))
        self.instances = {service: draw.choice((1, 1, 2)) for service in SERVICES}
        self.kill = draw.choice((0.0, 0.02, 0.1, 0.3))  # at a point reached first; less each time it is reached again
        self.restart_s = draw.choice((0.1, 5.0, 60.0, 200.0))  # a killed process comes back within that
        self.calls = _chances(draw, CALLS)
        if draw.random() < 0.5:  # one of them all the time
            self.calls = dict.fromkeys(CALLS, 0.0) | {draw.choice(CALLS): 0.5}
        self.statements = _chances(draw, STATEMENTS, most=0.1)
        self.books = _chances(draw, STATEMENTS, most=0.2)
        self.slow_s = draw.choice((0.001, 0.01, 0.5))  # a statement takes up to that
        self.duplicate, self.delay, self.reorder, self.lose_confirm, self.lose_connection = (
            _sometimes(draw, 0.3) for _ in range(5)
        )
        self.delay_s = draw.choice((1.0, 10.0, 90.0))
        self.revocations_s = [self.moment(draw) for _ in range(draw.choice((0, 0, 1, 4)))]
        self.outages = [self._outage(draw) for _ in range(draw.choice((0, 0, 1, 3)))]
        self.wipe_after = draw.randrange(1, 80) if draw.random() < 0.08 else None  # so many messages the broker loses
        self.turns_shared = draw.random() < 0.2  # two hold the dispatcher's turn, and don't know
        self.lag_s = draw.choice((0.0, 55.0))  # so much later look-ups see what the portal has registered
        self.token_life_s = draw.choice((120, 3600))
        self.portals = draw.choice((1, 1, 2))  # of one family
        self.dedup_lag_s = draw.choice((0.0, 0.0, 60.0))  # so much later the one hears what the other has registered
        self.dedup_outage = draw.random() < 0.3  # nor at all, while troubles last
        self.per_minute = draw.choice((None, None, None, 60, 20))  # calls of a GSTIN; 429 above
        self.per_minute_known = draw.random() < 0.5
        self.errors_most = draw.choice((1000, 1000, 10))  # so many refusals of a client, and the portal blocks it
        self.keys_at_s = draw.choice(
            (0.0, 0.0, self.moment(draw))
        )  # the keys that the portal signs with are known then
        self.idle_s = draw.choice((5.0, 15.0, 30.0))  # so often idle loops look for what a crash left
        self.aims: Mapping[str, Mapping[str, float]] = {}  # what may become of calls of one kind, instead of `calls`
        self.stops: set[tuple[str, int]] = set()  # points where a process is killed when it comes there so many times
        plot = self.stream("plot")
        if plot.random() < 0.5:
            self._pin(plot.choice(PLOTS))
        night = self.stream("night")
        # Midnight in India, so long after the beginning, and when de-duplication is back that was out until then: in
        # between it strikes off what another portal had first.
        self.midnight_s: float | None = None
        self.dedup_back_s = self.calm_at_s
        if self.calm_at_s > _EVENING_S and night.random() < 0.5:
            self.midnight_s = self.calm_at_s * night.uniform(0.6, 0.85)
            self.dedup_back_s = self.midnight_s * night.uniform(0.85, 0.97)
            self.dedup_outage, self.dedup_lag_s = True, 0.0
        self._pin(pinned)
        self._kills = self.stream("kills")
        self._passed: Counter[str] = Counter()
        self._mattered: dict[str, list[int]] = {}

    def _pin(self, pinned: Mapping[str, Any]) -> None:
        for name, value in pinned.items():
            assert hasattr(self, name), name
            setattr(self, name, value)

    def stream(self, name: str) -> Random:
        """A stream of chance by its name."""
        return Random(f"{self.seed} {name}")  # noqa: S311 (no secret depends on it)

    def moment(self, draw: Random) -> float:
        """A time while troubles last, rather early: then there is most to do."""
        return self.calm_at_s * float(draw.random() ** 2)

    def _outage(self, draw: Random) -> Outage:
        begins = self.moment(draw)
        return Outage(draw.choice(OUTAGES), begins, min(self.calm_at_s, begins + draw.choice((1.0, 20.0, 300.0))))

    def kills(self, point: str) -> bool:
        """Whether a process is killed here. A point is likelier the first times, or idle loops would get it all."""
        self._passed[point] += 1
        is_drawn = self._kills.random() < self.kill / self._passed[point]
        return is_drawn or (point, self._passed[point]) in self.stops

    def of_call(self, kind: str) -> Mapping[str, float]:
        """What may become of such a call."""
        return self.aims.get(kind, self.calls)

    @property
    def left(self) -> set[tuple[str, int]]:
        """The stops that nobody came to."""
        return {(point, times) for point, times in self.stops if self._passed[point] < times}

    def times(self, point: str) -> int:
        """How often it has been reached."""
        return self._passed[point]

    def mattered(self, point: str, times: int) -> None:
        """When it was reached this time, there was something that a kill could leave half done."""
        self._mattered.setdefault(point, []).append(times)

    @property
    def points(self) -> Mapping[str, list[int]]:
        """Where processes might have been killed, and the times when that mattered."""
        return {point: self._mattered.get(point, []) for point in self._passed}


def pick(chances: Mapping[str, float], draw: Random) -> str | None:
    """One of these troubles, or none."""
    left = draw.random()
    for name, chance in chances.items():
        left -= chance
        if left < 0:
            return name
    return None


def _chances(draw: Random, names: tuple[str, ...], *, most: float = 0.25) -> dict[str, float]:
    return {name: _sometimes(draw, most) for name in names}


def _sometimes(draw: Random, most: float) -> float:
    """Usually not at all: few troubles in one run show more than all at once."""
    return draw.uniform(0, most) if draw.random() < 0.4 else 0.0
