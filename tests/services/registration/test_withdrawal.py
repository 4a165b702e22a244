"""Withdrawal: what is not sent is taken back, what is, or may be, stays (migrations/0009_steering.sql)."""

from irnflow.store import steering
from tests.services.registration.conftest import Desk, Room, invoice


async def batch(desk: Desk, batch_id: int) -> None:
    await desk.store.fetch(
        "insert into irnflow.batch (batch_id, account_id, batch_no, books, digest, size, released, created_at)"
        " overriding system value values ($1::bigint, 1, $2::text, 'main', '', 10, 10, $3::timestamptz)",
        batch_id, f"B{batch_id}", desk.at,
    )  # fmt: skip


async def withdraw(desk: Desk, batch_id: int = 1) -> int | None:
    return await steering.withdraw(desk.store, 1, f"B{batch_id}", at=desk.at)


async def verdicts(desk: Desk) -> dict[str, str | None]:
    rows = await desk.store.fetch(
        "select transaction_id, batch_id, verdict->>'cause' as cause from irnflow.registration_request order by 1, 2"
    )
    return {f"{row['transaction_id']} of {row['batch_id']}": row["cause"] for row in rows}


async def test_what_waits_is_taken_back_and_never_sent(desk: Desk) -> None:
    await batch(desk, 1)
    await desk.arrive(1, "v1", "A/1")

    taken_back = await withdraw(desk)

    assert taken_back == 1
    assert await desk.lease() == []
    assert await verdicts(desk) == {"v1 of 1": "registration.withdrawn"}


async def test_what_is_on_its_way_stays(desk: Desk) -> None:
    await batch(desk, 1)
    await desk.arrive(1, "v1", "A/1")
    leased = await desk.lease()

    taken_back = await withdraw(desk)

    assert taken_back == 0
    assert [row["state"] for row in await desk.accept(leased[0])] == ["ACCEPTED"]


async def test_what_may_have_arrived_stays(desk: Desk) -> None:
    await batch(desk, 1)
    await desk.arrive(1, "v1", "A/1")
    await desk.settle((await desk.lease())[0], "UNKNOWN")

    assert await withdraw(desk) == 0
    assert await desk.state("A/1") == "UNKNOWN"


async def test_what_was_in_doubt_and_is_not_there_goes_to_its_end_all_the_same(desk: Desk) -> None:
    await batch(desk, 1)
    await desk.arrive(1, "v1", "A/1")
    leased = (await desk.lease())[0]
    await desk.settle(leased, "UNKNOWN")
    await desk.settle(leased, "NOT_DONE", what="lookup", answer="NOT_THERE", not_there=2)

    taken_back = await withdraw(desk)

    assert taken_back == 0
    assert len(await desk.lease()) == 1


async def test_what_arrives_after_the_withdrawal_is_taken_back_at_once(desk: Desk) -> None:
    await batch(desk, 1)
    await withdraw(desk)

    await desk.arrive(1, "v1", "A/1")

    assert await desk.lease() == []
    assert [row["verdict"] for row in await desk.untold()] == ['{"cause": "registration.withdrawn"}']


async def test_a_document_that_another_batch_asked_for_goes_on_for_that_one(desk: Desk) -> None:
    await batch(desk, 1)
    await batch(desk, 2)
    await desk.arrive(1, "v1", "A/1", b"one")
    await desk.arrive(2, "v1", "A/1", b"two")

    await withdraw(desk, 1)

    assert [bytes(row["payload"]) for row in await desk.lease()] == [b"two"]
    assert await verdicts(desk) == {"v1 of 1": "registration.withdrawn", "v1 of 2": None}


async def test_a_batch_that_joined_is_taken_back_and_the_document_stays_with_its_first(desk: Desk) -> None:
    await batch(desk, 1)
    await batch(desk, 2)
    await desk.arrive(1, "v1", "A/1", b"one")
    await desk.arrive(2, "v1", "A/1", b"two")

    await withdraw(desk, 2)

    assert [bytes(row["payload"]) for row in await desk.lease()] == [b"one"]
    assert await verdicts(desk) == {"v1 of 1": None, "v1 of 2": "registration.withdrawn"}


async def test_a_withdrawn_voucher_is_registered_when_a_new_batch_asks_for_it(desk: Desk) -> None:
    await batch(desk, 1)
    await desk.arrive(1, "v1", "A/1")
    await withdraw(desk)

    await desk.arrive(2, "v1", "A/1")

    assert len(await desk.lease()) == 1


async def test_withdrawing_twice_changes_nothing(desk: Desk) -> None:
    await batch(desk, 1)
    await desk.arrive(1, "v1", "A/1")
    await withdraw(desk)

    assert await withdraw(desk) == 0


async def test_a_batch_that_the_account_does_not_have_is_not_withdrawn(desk: Desk) -> None:
    assert await withdraw(desk, 7) is None


async def test_a_withdrawal_is_told_as_such_and_once(room: Room) -> None:
    await batch(room.desk, 1)
    await room.arrive("A/1", invoice())
    await withdraw(room.desk)

    await room.resolve()
    await room.resolve()

    assert room.statuses() == ["status.withdrawn"]
    assert room.said("invalid_generation_queue") == []


async def test_a_request_that_came_while_the_withdrawal_was_written_is_found_by_the_watchdog(desk: Desk) -> None:
    await batch(desk, 1)
    await desk.arrive(1, "v1", "A/1")
    await desk.store.fetch("update irnflow.batch set withdrawn_at = $1::timestamptz", desk.at)

    await desk.store.fetch("select irnflow.withdraw_late($1::timestamptz)", desk.at)

    assert await desk.lease() == []
