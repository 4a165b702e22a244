from datetime import timedelta

import msgspec
import pytest

from irnflow.sandbox.switches import Failure, Order, State, Switches
from tests.sandbox.conftest import NOW


@pytest.fixture
def switches() -> Switches:
    return Switches()


def test_an_order_changes_what_it_names_and_leaves_the_rest(switches: Switches) -> None:
    switches.obey(Order(latency_ms=20, rate_limit_per_minute=60))

    switches.obey(Order(latency_ms=0))

    assert switches.state == State(rate_limit_per_minute=60)


def test_null_takes_a_failure_back(switches: Switches) -> None:
    switches.obey(Order(fail_next=Failure(n=5, code="2146")))

    switches.obey(msgspec.json.decode(b'{"fail_next": null}', type=Order))

    assert switches.next_failure("generate") is None


def test_a_failure_waits_for_its_kind_of_call(switches: Switches) -> None:
    switches.obey(Order(fail_next=Failure(call="cancel", hang_up=True)))

    assert switches.next_failure("generate") is None
    assert switches.next_failure("cancel") == Failure(call="cancel", hang_up=True)
    assert switches.next_failure("cancel") is None


def test_a_failure_may_be_of_any_call(switches: Switches) -> None:
    switches.obey(Order(fail_next=Failure(call="any", http_status=502)))

    assert switches.next_failure("auth")


def test_dropped_answers_are_counted_down(switches: Switches) -> None:
    switches.obey(Order(drop_answer_after_commit=2))

    assert [switches.drops_answer() for _ in range(3)] == [True, True, False]


def test_the_rate_is_of_the_last_minute_for_each_taxpayer(switches: Switches) -> None:
    switches.obey(Order(rate_limit_per_minute=2))
    seconds = [0, 30, 45, 60, 61]

    waits = [switches.retry_after_s("G", NOW + timedelta(seconds=second)) for second in seconds]

    assert waits == [0, 0, 15, 0, 29]
    assert switches.retry_after_s("H", NOW) == 0


@pytest.mark.parametrize(
    "order",
    [
        b'{"latency": 5}',
        b'{"latency_ms": -1}',
        b'{"fail_next": {"http_status": 200}}',
        b'{"fail_next": {"call": "login"}}',
        b'{"rate_limit_per_minute": 0}',
    ],
)
def test_an_order_that_is_wrong_is_not_understood(order: bytes) -> None:
    with pytest.raises(msgspec.ValidationError):
        msgspec.json.decode(order, type=Order)
