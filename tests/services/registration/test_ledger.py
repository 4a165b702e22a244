"""Never the same refused document twice, and nothing again without a look-up: the ledger over whole histories."""

from typing import Any

import pytest

from irnflow.sandbox.switches import Failure, Order
from tests.services.registration.conftest import Room, invoice, irn_of, next_fails

NOT_THERE = ["NOT_THERE", "NOT_THERE"]


async def until_sent_again(room: Room) -> None:
    """Two look-ups that find nothing, then the next call."""
    for _ in range(2):
        room.desk.later(91)
        await room.resolve()
    await room.send()


async def test_5002_is_tried_twice_more_each_after_look_ups_then_refused_and_not_for_ever(room: Room) -> None:
    next_fails(room, n=3, code="5002")
    await room.arrive()
    await room.send()
    await until_sent_again(room)
    await until_sent_again(room)
    refused = await room.desk.state("A/1"), room.generates

    await room.arrive(batch=2)
    await room.send()

    assert refused == ("REJECTED", 3)
    assert await room.desk.state("A/1") == "ACCEPTED"
    assert await room.desk.ledger("A/1") == [
        "INTENT", "LIMITED", *NOT_THERE, "INTENT", "LIMITED", *NOT_THERE, "INTENT", "UNLISTED", "INTENT", "ACCEPTED",
    ]  # fmt: skip


async def test_calls_that_a_gateway_turned_away_are_none_of_the_three(room: Room) -> None:
    room.sandbox.obey(Order(fail_next=[Failure(n=3, http_status=403), Failure(code="5002")]))
    await room.arrive()
    for _ in range(4):
        await room.send()
        room.desk.later(61)

    await until_sent_again(room)

    assert await room.desk.state("A/1") == "ACCEPTED"


async def test_the_last_5002_is_looked_up_too_and_what_is_there_is_adopted(room: Room) -> None:
    next_fails(room, n=2, code="5002")
    await room.arrive()
    await room.send()
    await until_sent_again(room)
    next_fails(room, code="5002", after_commit=True)

    await until_sent_again(room)

    assert await room.desk.state("A/1") == "ACCEPTED"
    assert room.generates == 3


async def refused_undecidedly(room: Room, code: str) -> None:
    """The next call is refused, and the look-up that follows it at once gets no answer."""
    room.sandbox.obey(Order(fail_next=[Failure(code=code), Failure(call="by_irn", hang_up=True)]))
    await room.send()


async def test_after_three_5002_nothing_is_sent_again_though_only_a_later_look_up_says_not_there(room: Room) -> None:
    next_fails(room, n=2, code="5002")
    await room.arrive()
    await room.send()
    await until_sent_again(room)
    for _ in range(2):
        room.desk.later(91)
        await room.resolve()
    await refused_undecidedly(room, "5002")
    in_between = await room.desk.state("A/1")

    await until_sent_again(room)

    assert (in_between, await room.desk.state("A/1"), room.generates) == ("UNKNOWN", "REJECTED", 3)
    assert (await room.desk.ledger("A/1"))[-3:] == ["INTENT", "REFUSED", "NOT_THERE"]


async def test_what_was_refused_and_only_later_not_there_is_told_in_the_portals_words(room: Room) -> None:
    await room.arrive()
    await refused_undecidedly(room, "7777")

    room.desk.later(91)
    await room.resolve()

    [failed] = room.said("invalid_generation_queue")
    assert (failed["Cause"], [fault["portal_code"] for fault in failed["Faults"]]) == ("portal.7777", ["7777"])


async def test_what_was_refused_undecidedly_and_is_there_is_adopted(room: Room) -> None:
    await room.arrive()
    lost = Failure(call="by_irn", hang_up=True)
    room.sandbox.obey(Order(fail_next=[Failure(code="7777", after_commit=True), lost]))
    await room.send()

    room.desk.later(91)
    await room.resolve()

    assert await room.desk.state("A/1") == "ACCEPTED"
    assert room.generates == 1


@pytest.mark.parametrize(
    ("code", "again"),
    [("2176", False), ("3074", False), ("2278", False), ("7777", True), ("2230", True)],
    ids=["data", "data of a taxpayer", "a spent number", "a code that nobody knows", "a conflict of state"],
)
async def test_only_what_the_data_say_is_never_sent_again_unchanged(room: Room, code: str, again: bool) -> None:
    next_fails(room, code=code)
    await room.arrive()
    await room.send()

    await room.arrive(batch=2)
    await room.send()

    assert room.generates == (2 if again else 1)


@pytest.mark.parametrize(
    "failure",
    [
        {"http_status": 502, "html": True},
        {"http_status": 502, "html": True, "after_commit": True},
        {"http_status": 504, "delay_s": 29},
        {"hang_up": True},
        {"hang_up": True, "after_commit": True},
        {"reset": True},
        {"reset": True, "after_commit": True},
        {"cut": True},
        {"garble": True},
        {"code": "5001"},
        {"code": "5001", "after_commit": True},
        {"forge": "key"},
    ],
    ids=lambda failure: " ".join(f"{name}={value}" for name, value in failure.items()),
)
async def test_however_an_answer_is_lost_the_document_is_registered_once(room: Room, failure: dict[str, Any]) -> None:
    next_fails(room, **failure)
    await room.arrive()
    await room.send()
    for _ in range(3):
        room.desk.later(3700)
        await room.resolve()

    await room.send()
    room.desk.later(91)
    await room.resolve()

    assert await room.desk.state("A/1") == "ACCEPTED"
    register = room.sandbox.register.counts()
    assert (register["documents"], register["duplicates"]) == (1, 0)
    ledger = await room.desk.ledger("A/1")
    assert ledger.count("INTENT") == 1 or ledger[:5] == ["INTENT", "UNKNOWN", *NOT_THERE, "INTENT"]


async def test_a_document_with_other_contents_at_the_portal_may_be_compared_again(room: Room) -> None:
    await room.arrive()
    await room.send()
    await room.desk.store.fetch("truncate irnflow.registration, irnflow.registration_request, irnflow.attempt")
    await room.arrive(payload=invoice(PrdDesc="Wheat"), batch=2)
    await room.send()

    await room.arrive(batch=3)
    await room.send()

    assert await room.desk.state("A/1") == "ACCEPTED"
    found = room.sandbox.register.by_irn(irn_of("A/1"))
    assert found
    assert found.duplicates == 2
