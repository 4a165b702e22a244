from datetime import timedelta

import msgspec
import pytest

from irnflow.sandbox.limits import Limits
from irnflow.sandbox.switches import Failure, Latency, Order, State, Switches
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


def test_a_failure_may_be_of_one_taxpayer_and_one_portal(switches: Switches) -> None:
    switches.obey(Order(fail_next=Failure(gstin="G", portal="NIC2", code="2146")))

    assert switches.next_failure("generate", gstin="H", portal="NIC2") is None
    assert switches.next_failure("generate", gstin="G", portal="NIC1") is None
    assert switches.next_failure("generate", gstin="G", portal="NIC2")


def test_of_several_failures_a_call_meets_the_first_that_fits_it(switches: Switches) -> None:
    first, second = Failure(code="2146"), Failure(call="any", n=2, http_status=502)
    switches.obey(Order(fail_next=[first, second]))

    met = [switches.next_failure(call) for call in ("by_irn", "generate", "generate", "generate")]

    assert [failure.code if failure else "none" for failure in met] == [None, "2146", None, "none"]
    assert switches.state.fail_next == []


@pytest.mark.parametrize(
    ("failure", "done"),
    [
        (Failure(code="2146"), False),
        (Failure(hang_up=True), False),
        (Failure(http_status=504, delay_s=29), False),
        (Failure(http_status=504, after_commit=True), True),
        (Failure(hang_up=True, after_commit=True), True),
        (Failure(cut=True), True),
        (Failure(garble=True), True),
        (Failure(delay_s=5), True),
    ],
)
def test_a_failure_says_whether_the_call_is_done(failure: Failure, done: bool) -> None:
    assert failure.is_done_first is done


def test_latency_has_a_spread_and_a_slow_tail(switches: Switches) -> None:
    switches.obey(Order(latency_ms=Latency(ms=100, spread_ms=50, slow_share=0.1, slow_ms=9000)))
    draws = iter([0.05, 0.1, 0.0, 0.5, 1.0])

    times = [switches.latency_s(lambda: next(draws)) for _ in range(3)]

    assert times == [9.0, 0.1, 0.15]


def test_a_fixed_latency_leaves_nothing_to_chance(switches: Switches) -> None:
    switches.obey(Order(latency_ms=250))

    assert switches.latency_s(lambda: pytest.fail("it drew")) == 0.25


def test_limits_change_one_by_one(switches: Switches) -> None:
    switches.obey(Order(limits={"token_life_s": 21_600}))
    switches.obey(Order(limits={"lookback_s": 60}))

    assert switches.state.limits == Limits(token_life_s=21_600, lookback_s=60)


@pytest.mark.parametrize("limits", [{"token_life": 5}, {"token_life_s": -1}, {"token_life_s": "long"}])
def test_a_limit_that_is_none_is_not_understood(switches: Switches, limits: dict[str, object]) -> None:
    with pytest.raises(msgspec.ValidationError):
        switches.obey(Order(limits=limits))


def test_a_synced_taxpayer_is_stale_no_more(switches: Switches) -> None:
    switches.obey(Order(stale_gstins={"G": "3028", "H": "3029"}))

    switches.synced("G")

    assert switches.state.stale_gstins == {"H": "3029"}
