"""A dead letter is read back as it was written, and the broker's own as well."""

from irnflow.bus.dead_letter import TRACE_MAX, bury, exhume
from irnflow.bus.ladder import HEADERS_MAX, SAYS_MAX, own_headers, waiting
from irnflow.bus.port import Delivery
from irnflow.errors import BadMessage, Transient
from tests.bus.examples import NOON


def delivery(headers: dict[str, object], **more: object) -> Delivery:
    return Delivery(
        tag=1, routing_key="fetch.data", body=b"{}", message_id="M1", correlation_id="V1", headers=headers,
        delivery_count=0, **more,
    )  # fmt: skip


def raised(error: Exception) -> Exception:
    """The error with the trace of having been raised."""
    try:
        raise error
    except type(error) as caught:
        return caught


def test_a_dead_letter_is_read_back_as_it_was_written() -> None:
    original = delivery({"v": 1, "BatchNo": "B1", "attempt": 2, "x-death": []}, type="fetch.data")

    letter = bury(original, raised(BadMessage("cut")), service="data_fetch", queue="fetch_data_queue", at=NOON)
    dead = exhume(delivery(dict(letter.headers)))

    assert (letter.exchange, letter.routing_key, letter.body) == ("dead_letter_exchange", "fetch.data", b"{}")
    assert (dead.service, dead.queue, dead.reason) == ("data_fetch", "fetch_data_queue", "bad_message")
    assert (dead.says, dead.at, dead.attempts) == ("BadMessage: cut", "2026-11-22T12:00:00.000+00:00", 2)
    assert dead.headers == {"v": 1, "BatchNo": "B1", "attempt": 2}
    assert "in raised" in dead.trace


def test_what_the_broker_gave_up_says_where_and_why() -> None:
    given_up = delivery({"x-death": [{"queue": "data_queue", "reason": "delivery_limit", "count": 1}], "attempt": 1})

    dead = exhume(given_up)

    assert (dead.queue, dead.reason, dead.attempts, dead.service) == ("data_queue", "delivery_limit", 1, "")


def test_a_stranger_among_the_dead_letters_is_read_too() -> None:
    dead = exhume(delivery({"attempt": "many", "x-death": "nonsense", "list": [1]}))

    assert (dead.queue, dead.reason, dead.attempts, dead.headers) == ("", "unknown", 0, {"attempt": "many"})


def test_a_letter_that_came_over_the_ladder_keeps_its_own_key() -> None:
    back = Delivery(
        tag=1, routing_key="status_queue", body=b"{}", message_id="M1", correlation_id="V1", headers={},
        delivery_count=0, type="status.data_fetched",
    )  # fmt: skip

    letter = bury(back, ValueError("odd"), service="websocket", queue="status_queue", at=NOON)
    copy = waiting(back, Transient("busy"), queue="status_queue", exchange="retry.30s", at=NOON)

    assert letter.routing_key == "status.data_fetched"
    assert (copy.type, copy.routing_key) == ("status.data_fetched", "status_queue")


def test_headers_stay_within_one_frame_whatever_fails() -> None:
    original = delivery({f"foreign-{n}": "ரூ" * 1000 for n in range(100)})

    letter = bury(original, raised(ValueError("ரூ" * 100_000)), service="s", queue="q", at=NOON)

    assert len(str(letter.headers["dead_says"])) == SAYS_MAX
    assert len(str(letter.headers["dead_trace"])) == TRACE_MAX
    assert len("".join(map(str, own_headers(original.headers).values()))) <= HEADERS_MAX
    assert sum(len(key) + len(str(value).encode()) for key, value in letter.headers.items()) < 128 * 1024
