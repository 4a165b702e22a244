"""The whole pipeline, a seed a run; `python -m tests.simulation SEED` shows one."""

import pytest

from tests.simulation import loop
from tests.simulation.ground import Ground
from tests.simulation.world import World

SEEDS = 200


@pytest.mark.parametrize("seed", range(SEEDS))
def test_a_seed_comes_to_rest_with_everything_in_order(seed: int, ground: Ground) -> None:
    loop.run(World(seed, ground).run())
