"""What the simulation once found, and was mended: the troubles that showed it, pinned, and a story just long enough."""

from typing import Any, Final

import pytest

from irnflow.books import sample
from tests.simulation import loop
from tests.simulation.faults import CALLS, SERVICES, STATEMENTS, Faults, Outage
from tests.simulation.ground import Ground
from tests.simulation.story import Asked, Question, Story
from tests.simulation.world import World

_WELL: Final[dict[str, Any]] = {
    "calm_at_s": 30.0, "instances": dict.fromkeys(SERVICES, 1), "kill": 0.0, "calls": dict.fromkeys(CALLS, 0.0),
    "statements": dict.fromkeys(STATEMENTS, 0.0), "books": dict.fromkeys(STATEMENTS, 0.0), "slow_s": 0.01,
    "duplicate": 0.0, "delay": 0.0, "reorder": 0.0, "lose_confirm": 0.0, "lose_connection": 0.0, "revocations_s": [],
    "outages": [], "wipe_after": None, "turns_shared": False, "lag_s": 0.0, "token_life_s": 3600, "portals": 1,
    "per_minute": None, "dedup_outage": False, "errors_most": 1000, "keys_at_s": 0.0, "idle_s": 5.0,
    "midnight_s": None, "aims": {}, "stops": set(),
}  # fmt: skip
_OTHER_HAS_IT: Final[dict[str, Any]] = {  # ours is struck off in the night
    "dedup_outage": True, "dedup_back_s": 60.0, "midnight_s": 100.0, "calm_at_s": 120.0,
}  # fmt: skip
_WRONG: Final = "SAL/1052"  # validation refuses it
_SOUND: Final = "SAL/1001"


@pytest.mark.parametrize(
    ("seed", "troubles", "story"),
    [
        pytest.param(
            1,
            {"slow_s": 0.5, "wipe_after": 11},
            Story(
                asked=[
                    Asked(at_s=0.0, batch_no="B1", voucher_ids=[_WRONG, _SOUND]),
                    Asked(at_s=2.0, batch_no="B2", voucher_ids=["SAL/1002"]),
                ]
            ),
            id="a failure that was kept, whose status the broker lost, was never seen",
        ),
        pytest.param(
            1,
            {},
            Story(
                asked=[Asked(at_s=0.0, batch_no="B1", voucher_ids=[_SOUND])],
                questions=[Question(at_s=5.0, gstin=sample.GSTINS[1])],
            ),
            id="to ask for a GSTIN with the login of a family ended registration",
        ),
        pytest.param(
            7,
            {
                "calm_at_s": 400.0,
                "kill": 0.3,
                "restart_s": 5.0,
                "duplicate": 0.3,
                "lose_connection": 0.5,
                "outages": [Outage("store", 8.0, 308.0)],
            },
            Story(asked=[Asked(at_s=0.0, batch_no="B1", voucher_ids=["SAL/1057", "SAL/1051", _WRONG, _SOUND])]),
            id="a message that died while its duplicate failed had a dead letter that nobody was told of",
        ),
        pytest.param(
            1,
            _OTHER_HAS_IT | {"wipe_after": 9},
            Story(asked=[Asked(at_s=0.0, batch_no="B1", voucher_ids=[_SOUND])], first_elsewhere=[_SOUND]),
            id="that a registration was struck off got lost with the broker, and was not told again",
        ),
        pytest.param(
            1,
            _OTHER_HAS_IT | {"wipe_after": 8},
            Story(asked=[Asked(at_s=0.0, batch_no="B1", voucher_ids=[_SOUND])], first_elsewhere=[_SOUND]),
            id="what was struck off before the books answered stood as generated for ever",
        ),
    ],
)
def test_what_was_found_once_holds_now(seed: int, troubles: dict[str, Any], story: Story, ground: Ground) -> None:
    faults = Faults(seed, **_WELL | troubles)

    loop.run(World(seed, ground, faults=faults, story=story).run())
