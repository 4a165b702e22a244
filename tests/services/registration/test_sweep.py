"""What another portal had first is struck off later, and nobody tells but a list: it is asked for daily."""

from datetime import timedelta

from irnflow.services.registration.sweep import sweep
from tests.services.registration.conftest import Room, invoice, irn_of, next_fails


async def registered(room: Room) -> None:
    await room.arrive()
    await room.send()


def strike_off(room: Room) -> None:
    (entry,) = room.sandbox.register.page()
    room.sandbox.register.settle(entry.ack_no, rejected_at=room.desk.at)


async def test_a_registration_that_was_struck_off_is_told_to_a_person_the_next_day(room: Room) -> None:
    await registered(room)
    strike_off(room)
    room.desk.later(86_400)

    await sweep(room.parts)
    await room.resolve()

    failure = room.said("invalid_generation_queue")[0]
    assert (failure["Cause"], failure["Irn"]) == ("registration.struck_off", irn_of("A/1"))
    assert await room.desk.state("A/1") == "REJECTED"
    assert (await room.desk.ledger("A/1"))[-1] == "STRUCK_OFF"


async def test_a_batch_of_which_something_is_struck_off_is_watched_again_until_a_person_is_told(room: Room) -> None:
    await registered(room)
    strike_off(room)
    await room.desk.store.fetch(
        "insert into irnflow.batch (batch_id, account_id, batch_no, books, digest, size, created_at, finished_at)"
        " overriding system value values (1, 1, 'B1', 'main', '', 1, $1::timestamptz, $1::timestamptz)",
        room.desk.at,
    )
    room.desk.later(86_400)

    await sweep(room.parts)

    [batch] = await room.desk.store.fetch("select finished_at from irnflow.batch")
    assert batch["finished_at"] is None


async def test_who_was_told_of_other_contents_is_not_told_that_they_were_struck_off(room: Room) -> None:
    await registered(room)
    await room.arrive(payload=invoice(PrdDesc="Wheat"), batch=2)
    await room.resolve()
    strike_off(room)
    room.desk.later(86_400)

    await sweep(room.parts)
    await room.resolve()

    told = [(said["BatchNo"], said["Cause"]) for said in room.said("invalid_generation_queue")]
    assert told == [("B2", "registration.differs"), ("B1", "registration.struck_off")]


async def test_what_was_never_told_as_registered_fails_at_the_portal_and_not_in_the_books(room: Room) -> None:
    await registered(room)
    await room.arrive(payload=invoice(PrdDesc="Wheat"), batch=2)
    strike_off(room)
    room.desk.later(86_400)

    await sweep(room.parts)
    await room.resolve()

    statuses = {(said["BatchNo"], said["Status"]) for said in room.said("status_queue")}
    assert statuses == {("B1", "GENERATION_SUCCESS"), ("B1", "BOOKS_FAILED"), ("B2", "GENERATION_FAILED")}


async def test_a_day_that_struck_off_nothing_is_asked_for_once(room: Room) -> None:
    await registered(room)
    room.desk.later(86_400)
    await sweep(room.parts)
    asked = room.sandbox.calls["rejected"]

    await sweep(room.parts)

    assert (asked, room.sandbox.calls["rejected"]) == (2, 2)
    assert await room.desk.state("A/1") == "ACCEPTED"


async def test_a_day_that_could_not_be_asked_for_is_asked_for_again(room: Room) -> None:
    await registered(room)
    strike_off(room)
    room.desk.later(86_400)
    next_fails(room, n=2, call="rejected", http_status=502)
    await sweep(room.parts)
    before = await room.desk.state("A/1")

    room.desk.at += timedelta(minutes=11)
    await sweep(room.parts)

    assert (before, await room.desk.state("A/1")) == ("ACCEPTED", "REJECTED")
