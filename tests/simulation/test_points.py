"""Registration is killed at every place between two effects, and goes on."""

import inspect
from collections.abc import Mapping

import pytest

from irnflow.portal import client
from irnflow.services import registration
from tests.simulation.ground import Ground
from tests.simulation.points import METHODS, Plan, plans, points, stop_at

pytestmark = pytest.mark.timeout(600)  # the first one plans for all

POINTS = tuple(points())
SEEDS = (1, 2, 3)


@pytest.fixture(scope="session")
def planned(ground: Ground) -> Mapping[str, list[Plan]]:
    return plans(ground, SEEDS)


def test_the_list_of_points_has_every_call_of_the_portal() -> None:
    calls = {name for name, _ in inspect.getmembers(client.Portal, inspect.isfunction) if not name.startswith("_")}

    assert set(METHODS) == calls


def test_the_list_of_points_is_what_registration_comes_to(planned: Mapping[str, list[Plan]]) -> None:
    reached = {point for point in planned if point.startswith(f"{registration.NAME} ")}

    assert reached == set(POINTS)


@pytest.mark.parametrize("when", ["before", "after"])
def test_the_sweep_is_stopped_where_it_strikes_something_off(when: str, planned: Mapping[str, list[Plan]]) -> None:
    plan = planned[f"{registration.NAME} {when} registration.swept"][0]

    assert plan.times


@pytest.mark.parametrize("point", POINTS)
def test_registration_killed_at_a_point_comes_to_rest_with_everything_in_order(
    point: str, planned: Mapping[str, list[Plan]], ground: Ground
) -> None:
    plan = planned[point][0]

    stop_at(point, plan, next(iter(plan.times), 1), ground)
