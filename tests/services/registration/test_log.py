"""What registration logs: which transactions came to which state, and what became of which IRNs."""

from collections.abc import Sequence

from structlog.testing import capture_logs
from structlog.typing import EventDict

from irnflow.store import lifecycle
from irnflow.store.lifecycle import Cancellation
from tests.services.registration.conftest import Room, act, invoice, irn_of, next_fails


def of(lines: Sequence[EventDict], *events: str) -> list[tuple[object, object]]:
    """Each line of these events, with what it names."""
    return [(line["event"], line.get("transactions", line.get("irns"))) for line in lines if line["event"] in events]


async def test_lines_say_what_became_of_a_document_and_what_its_transaction_was_told(room: Room) -> None:
    await room.arrive()

    with capture_logs() as lines:
        await room.send()

    assert of(lines, "settled", "told") == [
        ("settled", {"ACCEPTED": [irn_of("A/1")]}),
        ("told", {"GENERATION_SUCCESS": {"1/B1": ["A/1"]}}),
    ]


async def test_what_is_not_done_is_named_by_its_irn_and_nothing_is_told(room: Room) -> None:
    await room.arrive()
    next_fails(room, http_status=429)

    with capture_logs() as lines:
        await room.send()

    assert of(lines, "settled", "told") == [("settled", {"NOT_DONE": [irn_of("A/1")]})]


async def test_a_request_that_is_refused_by_what_is_on_record_is_named_too(room: Room) -> None:
    await room.arrive(payload=invoice(GstRt=17))
    await room.send()
    await room.arrive(payload=invoice(GstRt=17), batch=2)

    with capture_logs() as lines:
        await room.resolve()

    assert of(lines, "told") == [("told", {"GENERATION_FAILED": {"1/B2": ["A/1"]}})]


async def test_a_cancellation_names_irn_and_transaction(room: Room) -> None:
    await room.arrive()
    await room.send()
    room.desk.later(1)
    why, windows, at = Cancellation(reason=2, remark="wrong price"), room.parts.windows, room.desk.at
    await lifecycle.cancel(room.desk.store, 1, [irn_of("A/1")], why, eway_bill=False, windows=windows, by="us", at=at)

    with capture_logs() as lines:
        await act(room.parts)

    assert of(lines, "actions settled", "actions told") == [
        ("actions settled", {"CANCEL DONE": [irn_of("A/1")]}),
        ("actions told", {"CANCELLED": {"1/B1": ["A/1"]}}),
    ]
