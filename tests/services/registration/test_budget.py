"""Refusals are counted, and a GSTIN stops before the portal blocks it; what waited is judged by the law of its day."""

import msgspec

from irnflow.services.registration.parts import Budget
from irnflow.store import steering
from tests.services.registration.conftest import GSTIN, Room, invoice, next_fails, set_credentials


async def stopped(room: Room) -> str:
    return await room.desk.stopped() or ""


def with_budget(room: Room, **said: int) -> None:
    room.parts = msgspec.structs.replace(room.parts, budget=Budget(**said))


async def refused(room: Room, number: str) -> None:
    next_fails(room, code="2176")
    await room.arrive(number, invoice(number))
    await room.send()


async def test_a_gstin_stops_when_its_refusals_come_near_the_portals_limit(room: Room) -> None:
    with_budget(room, of_gstin=10)
    for number in range(8):
        await refused(room, f"A/{number}")
    before = await stopped(room)

    await refused(room, "A/8")

    assert before == ""
    assert await stopped(room) == (
        f"the portal has refused 9 calls of GSTIN {GSTIN} in 30 days and blocks at 10: "
        "mend what is refused, then resume"
    )
    await room.arrive("B/1", invoice("B/1"))
    assert await room.desk.lease() == []


async def test_a_client_stops_with_all_its_gstins(room: Room) -> None:
    with_budget(room, of_client=2)

    await refused(room, "A/1")
    await refused(room, "A/2")

    assert "of client" in await stopped(room)


async def test_a_client_stops_only_where_it_is_the_client(room: Room) -> None:
    await set_credentials(room.desk, room.sandbox.identity, "Other", client_id="another")
    with_budget(room, of_client=2)

    await refused(room, "A/1")
    await refused(room, "A/2")

    logins = await room.desk.store.fetch(
        "select family, stopped is null as is_good from irnflow.credentials order by 1"
    )
    assert [tuple(login.values()) for login in logins] == [("NIC", False), ("Other", True)]
    assert await stopped(room) == ""


async def test_refusals_of_long_ago_count_no_more(room: Room) -> None:
    with_budget(room, of_gstin=2, days=1)  # stops at two
    await refused(room, "A/1")
    room.desk.later(86_400)

    await refused(room, "A/2")

    assert await stopped(room) == ""


async def test_look_ups_that_find_nothing_are_refusals_too(room: Room) -> None:
    with_budget(room, of_gstin=2)
    next_fails(room, hang_up=True)
    await room.arrive()
    await room.send()
    room.desk.later(200)

    await room.resolve()

    assert "refused 2 calls" in await stopped(room)


async def test_successes_cost_nothing(room: Room) -> None:
    with_budget(room, of_gstin=1)
    await room.arrive()

    await room.send()

    assert await stopped(room) == ""
    assert await room.desk.store.fetch("select from irnflow.portal_error") == []


async def test_a_gstin_that_a_person_resumed_is_sent_again(room: Room) -> None:
    with_budget(room, of_gstin=1)
    await refused(room, "A/1")
    await room.arrive("A/2", invoice("A/2"))

    await steering.resume_gstin(room.desk.store, 1, GSTIN)
    await room.send()

    assert await room.desk.state("A/2") == "ACCEPTED"


async def test_a_document_that_waited_past_its_last_day_is_not_sent_and_may_come_again_when_that_changes(
    room: Room,
) -> None:
    await room.arrive()
    room.desk.later(31 * 86_400)

    await room.send()

    assert room.generates == 0
    failure = room.said("invalid_generation_queue")[0]
    assert failure["Cause"] == "document.too_late"
    assert "could be reported until 21/12/2026" in failure["Says"]
    assert await room.desk.ledger("A/1") == ["INTENT", "UNLISTED"]


async def test_a_document_that_waited_a_night_is_sent(room: Room) -> None:
    await room.arrive()
    room.desk.later(86_400)

    await room.send()

    assert await room.desk.state("A/1") == "ACCEPTED"
