"""The whole pipeline, a seed a run; `python -m tests.simulation SEED` shows one."""

import pytest

from tests.simulation import loop
from tests.simulation.broken import BROKEN, text_with
from tests.simulation.ground import Ground
from tests.simulation.world import World

SEEDS = 300


@pytest.mark.parametrize("seed", range(SEEDS))
def test_a_seed_comes_to_rest_with_everything_in_order(seed: int, ground: Ground) -> None:
    loop.run(World(seed, ground).run())


def test_the_same_seed_takes_the_same_steps(ground: Ground) -> None:
    first = loop.run(World(7, ground).run()).trace

    second = loop.run(World(7, ground).run()).trace

    assert first.lines == second.lines


def test_another_seed_takes_other_steps(ground: Ground) -> None:
    first = loop.run(World(1, ground).run()).trace

    second = loop.run(World(2, ground).run()).trace

    assert first.lines != second.lines


@pytest.mark.parametrize("name", BROKEN)
def test_what_is_broken_on_purpose_is_in_the_source(name: str) -> None:
    assert text_with(BROKEN[name])
