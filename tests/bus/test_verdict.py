"""What becomes of a delivery."""

import pytest

from irnflow.bus.ladder import STEPS, step
from irnflow.bus.verdict import Verdict, verdict
from irnflow.errors import BadInput, BadMessage, DataError, Permanent, PublishFailed, Transient, Unavailable


def test_what_went_well_is_done() -> None:
    assert verdict(None, 0) is Verdict.DONE


@pytest.mark.parametrize("failed_before", [0, 1, 2])
def test_trouble_that_may_pass_goes_up_the_ladder(failed_before: int) -> None:
    assert verdict(Transient("later"), failed_before) is Verdict.AGAIN


def test_trouble_that_outlasts_the_ladder_goes_to_a_person() -> None:
    assert verdict(Transient("later"), len(STEPS)) is Verdict.PERSON


@pytest.mark.parametrize("error", [Unavailable("no database"), PublishFailed("nacked")])
def test_a_dependency_that_is_down_for_all_holds_however_often_it_failed(error: Exception) -> None:
    assert verdict(error, 99) is Verdict.HOLD


@pytest.mark.parametrize("error", [Permanent("mend it"), BadInput("wrong"), DataError("22003")])
def test_what_repeating_does_not_mend_goes_to_a_person_at_once(error: Exception) -> None:
    assert verdict(error, 0) is Verdict.PERSON


@pytest.mark.parametrize("error", [BadMessage("cut"), AssertionError("a defect"), KeyError("a defect")])
def test_what_nobody_foresaw_is_dead(error: Exception) -> None:
    assert verdict(error, 0) is Verdict.DEAD


def test_each_attempt_waits_one_step_longer_and_the_last_step_has_no_end() -> None:
    assert [step(attempts) for attempts in range(5)] == ["retry.5s", "retry.30s", "retry.2m", "retry.2m", "retry.2m"]
