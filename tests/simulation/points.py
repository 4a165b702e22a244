"""Every place between two effects of registration, listed from the code itself, and a run that is stopped at one.

An effect is a statement of `store/*.sql`, a call of `portal.client.Portal`, a window of messages, a taking or an ack of
deliveries. What registration does not do stands in `OF_OTHERS` with its reason: whoever adds a statement or a call must
either let it be reached by `eventful`, or say there why it isn't.
"""

import itertools
from collections.abc import Iterable, Iterator, Mapping, Sequence
from random import Random
from typing import Any, Final, NamedTuple

from irnflow.books import sample
from irnflow.services import registration
from irnflow.store.database import queries
from tests.simulation import loop
from tests.simulation.faults import CALLS, SERVICES, STATEMENTS, Faults
from tests.simulation.ground import Ground
from tests.simulation.story import Asked, Edit, Question, Story, Wishes
from tests.simulation.world import World

_QUEUE: Final = "validation_success_queue"
_FILES: Final = ("registration", "lifecycle")
_ELSEWHERE: Final = ("accounts.credentials",)  # what registration asks of other files

# Statements of these files that registration doesn't run: of the API and of commands, and each is one by itself.
OF_OTHERS: Final[Mapping[str, str]] = {
    "registration.session_give_up": "only where a login is cancelled in order; a process that is killed runs nothing",
    "lifecycle.cancel": "the API's",
    "lifecycle.eway_bill": "the API's",
    "lifecycle.eway_bill_cancel": "the API's",
    "lifecycle.eway_bill_fetch": "the API's",
    "lifecycle.irn": "the API's; it reads",
    "lifecycle.bills": "the API's; it reads",
    "lifecycle.payload": "the API's; it reads",
    "lifecycle.actions": "the API's; it reads",
    "lifecycle.gstin_want": "the API's",
    "lifecycle.gstin": "the API's; it reads",
}
# Methods of the portal's client, and the call that each makes.
METHODS: Final[Mapping[str, str]] = {
    "login": "auth",
    "generate": "generate",
    "by_irn": "by_irn",
    "by_document": "by_document",
    "cancel": "cancel",
    "rejected_irns": "rejected",
    "eway_bill": "eway_bill",
    "eway_bill_of": "eway_bill_by_irn",
    "cancel_eway_bill": "cancel_eway_bill",
    "gstin_details": "gstin",
    "sync_gstin": "sync_gstin",
}
# What a window begins with.
_WINDOWS: Final = (
    "db.update.success", "handle.generation_error", "status.in_doubt", "status.generation_success", "status.cancelled",
)  # fmt: skip


def points() -> Iterator[str]:
    """All of them, as `Process.point` names them."""
    statements = [f"{file}.{name}" for file in _FILES for name in queries(file)]
    effects = [
        *(name for name in [*statements, *_ELSEWHERE] if name not in OF_OTHERS),
        *METHODS.values(),
        *(f"publish {key}" for key in _WINDOWS),
        f"ack to {_QUEUE}",
    ]
    for effect in effects:
        yield f"{registration.NAME} before {effect}"
        yield f"{registration.NAME} after {effect}"
    yield f"{registration.NAME} after take from {_QUEUE}"


def stopped(seed: int, *stops: tuple[str, int]) -> Faults:
    """An eventful run in which processes are killed at these points, each when it is reached so many times."""
    return Faults(seed, **_eventful(seed) | {"stops": set(stops)})


def _eventful(seed: int) -> dict[str, Any]:
    """Enough goes wrong with calls to the portals that registration does all that it can do; all else is well."""
    draw = Random(f"eventful {seed}")  # noqa: S311
    well = dict.fromkeys(STATEMENTS, 0.0)
    calls = {"silent": 0.15, "trouble": 0.1, "limited": 0.05, "misfit": 0.04, "late": 0.05, "garbled": 0.05}
    return {
        "calm_at_s": 1200.0, "kill": 0.0, "restart_s": draw.choice((1.0, 30.0, 120.0)),
        "instances": dict.fromkeys(SERVICES, 1) | {registration.NAME: draw.choice((1, 2))},
        "calls": dict.fromkeys(CALLS, 0.0) | calls, "statements": well, "books": well, "slow_s": 0.01,
        "duplicate": 0.0, "delay": 0.0, "reorder": 0.0, "lose_confirm": 0.0, "lose_connection": 0.0,
        "revocations_s": [float(at_s) for at_s in range(10, 240, 20)], "outages": [], "wipe_after": None,
        "turns_shared": False, "token_life_s": 120,
        "per_minute": None, "idle_s": 15.0, "errors_most": 30, "keys_at_s": 300.0,
        "dedup_outage": True, "dedup_lag_s": 0.0, "dedup_back_s": 450.0, "midnight_s": 600.0, "aims": {},
    }  # fmt: skip


def eventful() -> Story:
    """All that people do, with eleven vouchers in two batches that share some."""
    sound = [f"SAL/{number}" for number in range(1001, 1012) if number != 1005]
    return Story(
        asked=[
            Asked(at_s=0.0, batch_no="B1", voucher_ids=sound[:7]),
            Asked(at_s=20.0, batch_no="B2", voucher_ids=sound[4:]),
        ],
        registered_before=sound[8:9],
        first_elsewhere=sound[7:8],
        refused=sound[9:10],
        looks_s=[30.0],
        edits=[Edit(at_s=0.0, voucher_id=sound[3], column=column, value=value) for column, value in _BY_ROAD],
        questions=[Question(at_s=30.0, gstin=sample.GSTINS[1]), Question(at_s=30.0, gstin=sample.GSTINS[0], sync=True)],
        wishes=[
            Wishes(at_s=10.0, voucher_id=sound[0], wants=("cancel",)),
            Wishes(at_s=10.0, voucher_id=sound[1], wants=("bill", "cancel bill", "bill", "fetch bill")),
            Wishes(at_s=10.0, voucher_id=sound[2], wants=("bill", "cancel both")),
        ],
    )


# Then its invoice asks for the e-way bill itself.
_BY_ROAD: Final = (
    ("transport_mode", "1"), ("distance_km", "120"), ("vehicle_number", "KA01AB1234"), ("vehicle_type", "R"),
)  # fmt: skip


class Plan(NamedTuple):
    """How to stop at a point: in the run of this seed, after these other stops, when it is reached so many times."""

    seed: int
    before: tuple[tuple[str, int], ...]
    times: tuple[int, ...]  # each time that it matters; any will do


# Some points only matter in a run where a process was killed before: a call's lease has to run out.
_BEFORE: Final = ((), ((f"{registration.NAME} after generate", 1), (f"{registration.NAME} after cancel", 1)))


def plans(ground: Ground, seeds: Iterable[int]) -> Mapping[str, list[Plan]]:
    """For each point that these seeds reach, how to stop there, the plans with times that matter first."""
    found: dict[str, list[Plan]] = {}
    for seed, before in itertools.product(seeds, _BEFORE):
        faults = stopped(seed, *before)
        loop.run(World(seed, ground, faults=faults, story=eventful()).run())
        for point, times in faults.points.items():
            found.setdefault(point, []).append(Plan(seed, before, tuple(times)))
    return {point: sorted(plans, key=lambda plan: (not plan.times, plan.before)) for point, plans in found.items()}


def ways_to_stop(plans: Sequence[Plan], most: int) -> list[tuple[Plan, int]]:
    """So many plans, each with a time; fewer when these seeds come there less often."""
    ways = {(plan, times) for plan in plans for times in plan.times} or {(plan, 1) for plan in plans}
    return Random(0).sample(sorted(ways), min(most, len(ways)))  # noqa: S311


def stop_at(point: str, plan: Plan, times: int, ground: Ground) -> World:
    """The run of a plan at its rest. Raises AssertionError as a `World` does, or when nothing was killed."""
    stop = (point, times)
    faults = stopped(plan.seed, *plan.before, stop)
    world = loop.run(World(plan.seed, ground, faults=faults, story=eventful()).run())
    assert stop not in faults.left, f"nothing was killed {point}"
    return world
