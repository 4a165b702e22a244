"""The arrival rules of design.md section 6, step 1, and what settling does to those who wait."""

import json

from tests.services.registration.conftest import Desk, irn_of


async def test_a_new_document_is_ready_and_its_intent_is_on_record_before_the_call(desk: Desk) -> None:
    arrived = await desk.arrive(1, "v1", "A/1", b"one")

    leased = await desk.lease()

    assert arrived["to_send"] == 1
    assert [(row["send"], bytes(row["payload"])) for row in leased] == [(1, b"one")]
    assert await desk.state("A/1") == "INTENT"
    assert await desk.ledger("A/1") == ["INTENT"]


async def test_the_same_message_twice_is_one_document_and_one_call(desk: Desk) -> None:
    await desk.arrive(1, "v1", "A/1")

    await desk.arrive(1, "v1", "A/1")

    assert len(await desk.lease()) == 1
    assert await desk.lease() == []


async def test_a_success_is_told_to_everybody_who_joined(desk: Desk) -> None:
    await desk.arrive(1, "v1", "A/1")
    await desk.arrive(2, "v1", "A/1")
    leased = await desk.lease()

    told = await desk.accept(leased[0])

    assert sorted((row["batch_id"], row["state"]) for row in told) == [(1, "ACCEPTED"), (2, "ACCEPTED")]


async def test_a_message_that_comes_after_the_success_is_told_again_without_a_call(desk: Desk) -> None:
    await desk.arrive(1, "v1", "A/1")
    await desk.accept((await desk.lease())[0])
    desk.later(60)
    await desk.untold()
    desk.later(60)

    await desk.arrive(1, "v1", "A/1")

    assert [(row["batch_id"], row["state"]) for row in await desk.untold()] == [(1, "ACCEPTED")]
    assert await desk.lease() == []


async def test_the_number_of_another_voucher_is_refused_naming_it(desk: Desk) -> None:
    await desk.arrive(1, "v1", "A/1")

    await desk.arrive(1, "v2", "A/1")

    verdict = json.loads((await desk.untold())[0]["verdict"])
    assert verdict == {"cause": "registration.number_used", "number": "A/1", "voucher": "v1"}


async def test_a_renumbered_voucher_does_not_become_a_second_document(desk: Desk) -> None:
    await desk.arrive(1, "v1", "A/1")
    await desk.accept((await desk.lease())[0])

    await desk.arrive(2, "v1", "A/2")

    verdict = json.loads(next(row for row in await desk.untold() if row["batch_id"] == 2)["verdict"])
    assert (verdict["cause"], verdict["number"]) == ("registration.renumbered", "A/1")
    assert await desk.lease() == []


async def test_a_voucher_may_be_renumbered_when_the_portal_refused_the_first_number(desk: Desk) -> None:
    await desk.arrive(1, "v1", "A/1")
    await desk.refuse((await desk.lease())[0])

    await desk.arrive(2, "v1", "A/2")

    assert len(await desk.lease()) == 1


async def test_a_refused_payload_is_never_sent_again(desk: Desk) -> None:
    await desk.arrive(1, "v1", "A/1", b"wrong")
    await desk.refuse((await desk.lease())[0])

    await desk.arrive(2, "v1", "A/1", b"wrong")

    verdict = json.loads(next(row for row in await desk.untold() if row["batch_id"] == 2)["verdict"])
    assert verdict == {"cause": "registration.rejected_before", "faults": [{"code": "x"}]}
    assert await desk.lease() == []


async def test_a_mended_payload_is_sent_as_the_next_attempt(desk: Desk) -> None:
    await desk.arrive(1, "v1", "A/1", b"wrong")
    await desk.refuse((await desk.lease())[0])

    await desk.arrive(2, "v1", "A/1", b"right")

    leased = await desk.lease()
    assert [(row["attempt"], row["send"], bytes(row["payload"])) for row in leased] == [(2, 2, b"right")]


async def test_a_refused_payload_stays_refused_after_another_was_tried(desk: Desk) -> None:
    await desk.arrive(1, "v1", "A/1", b"wrong")
    await desk.refuse((await desk.lease())[0])
    await desk.arrive(2, "v1", "A/1", b"worse")
    await desk.refuse((await desk.lease())[0])

    await desk.arrive(3, "v1", "A/1", b"wrong")

    assert await desk.lease() == []


async def test_a_refusal_is_told_to_its_own_request_and_the_one_with_another_payload_gets_its_turn(desk: Desk) -> None:
    await desk.arrive(1, "v1", "A/1", b"wrong")
    leased = await desk.lease()
    await desk.arrive(2, "v1", "A/1", b"right")

    told = await desk.refuse(leased[0])

    assert [row["batch_id"] for row in told] == [1]
    assert [bytes(row["payload"]) for row in await desk.lease()] == [b"right"]


async def test_a_request_with_other_contents_than_the_registered_is_told_with_both(desk: Desk) -> None:
    await desk.arrive(1, "v1", "A/1", b'{"a":1}')
    await desk.accept((await desk.lease())[0])

    await desk.arrive(2, "v1", "A/1", b'{"a":2}')

    row = next(row for row in await desk.untold() if row["batch_id"] == 2)
    assert (bytes(row["payload"]), bytes(row["current_payload"])) == (b'{"a":2}', b'{"a":1}')


async def test_an_unlisted_refusal_lets_the_same_payload_come_again(desk: Desk) -> None:
    await desk.arrive(1, "v1", "A/1")
    await desk.settle((await desk.lease())[0], "UNLISTED", verdict='{"cause": "portal.9998"}')

    await desk.arrive(2, "v1", "A/1")

    assert len(await desk.lease()) == 1


async def test_a_lost_answer_is_in_doubt_and_not_leased_again(desk: Desk) -> None:
    await desk.arrive(1, "v1", "A/1")
    leased = await desk.lease()

    told = await desk.settle(leased[0], "UNKNOWN")

    assert [row["state"] for row in told] == ["UNKNOWN"]
    assert await desk.lease() == []
    assert [row["irn"] for row in await desk.due()] == [leased[0]["irn"]]


async def test_intent_becomes_unknown_when_its_lease_runs_out_and_not_before(desk: Desk) -> None:
    await desk.arrive(1, "v1", "A/1")
    await desk.lease()

    desk.later(89)
    early = await desk.expire()
    desk.later(2)
    late = await desk.expire()

    assert (early, late) == (0, 1)
    assert await desk.state("A/1") == "UNKNOWN"


async def test_a_late_success_wins_over_unknown(desk: Desk) -> None:
    await desk.arrive(1, "v1", "A/1")
    leased = await desk.lease()
    desk.later(91)
    await desk.expire()

    told = await desk.accept(leased[0])

    assert [row["state"] for row in told] == ["ACCEPTED"]


async def test_a_late_refusal_of_an_earlier_send_moves_nothing(desk: Desk) -> None:
    await desk.arrive(1, "v1", "A/1")
    first = (await desk.lease())[0]
    await desk.settle(first, "NOT_DONE")
    await desk.lease()

    told = await desk.refuse(first)

    assert told == []
    assert await desk.state("A/1") == "INTENT"


async def test_a_late_refusal_of_an_earlier_payload_is_not_held_against_the_current_one(desk: Desk) -> None:
    await desk.arrive(1, "v1", "A/1", b"wrong")
    first = (await desk.lease())[0]
    await desk.refuse(first)
    await desk.arrive(2, "v1", "A/1", b"right")
    await desk.refuse(first)
    await desk.settle((await desk.lease())[0], "UNLISTED", verdict='{"cause": "portal.9998"}')

    await desk.arrive(3, "v1", "A/1", b"right")

    assert len(await desk.lease()) == 1


async def test_a_late_success_of_an_earlier_payload_is_what_the_portal_has(desk: Desk) -> None:
    await desk.arrive(1, "v1", "A/1", b'{"a":1}')
    first = (await desk.lease())[0]
    await desk.refuse(first)
    await desk.arrive(2, "v1", "A/1", b'{"a":2}')

    told = await desk.accept(first)

    assert [(row["batch_id"], bytes(row["current_payload"])) for row in told] == [(2, b'{"a":1}')]
    assert await desk.lease() == []


async def test_small_batches_are_leased_beside_large_ones(desk: Desk) -> None:
    for number in range(20):
        await desk.arrive(1, f"a{number}", f"A/{number}")
    await desk.arrive(2, "urgent", "B/1")

    leased = await desk.lease(most=4)

    assert "B/1" in [row["doc_no"] for row in leased]


async def test_a_stopped_gstin_is_not_leased(desk: Desk) -> None:
    await desk.arrive(1, "v1", "A/1")

    await desk.store.fetch("select irnflow.gstin_stop('29AAFCC9980M1ZR', 'wrong password')")

    assert await desk.lease() == []


async def test_what_was_told_is_not_told_again_by_itself(desk: Desk) -> None:
    await desk.arrive(1, "v1", "A/1")
    row = (await desk.accept((await desk.lease())[0]))[0]

    await desk.store.fetch(
        "select irnflow.registration_told(array[1::bigint], array['v1'], array['ACCEPTED'],"
        " array[$1::timestamptz], $1)",
        row["tell_at"],
    )

    desk.later(3600)
    assert await desk.untold() == []


async def test_a_repeated_request_whose_voucher_was_renumbered_meanwhile_makes_no_document(desk: Desk) -> None:
    await desk.arrive(1, "v1", "A/1", b"first")
    await desk.refuse((await desk.lease())[0])

    await desk.arrive(1, "v1", "A/2", b"renumbered")

    assert await desk.lease() == []
    assert [(row["irn"], row["state"]) for row in await desk.untold()] == [(irn_of("A/1"), "REJECTED")]


async def test_a_repeated_request_that_has_its_answer_makes_no_document_when_nothing_stands_in_its_way_any_more(
    desk: Desk,
) -> None:
    await desk.arrive(1, "v1", "A/1")
    leased = await desk.lease()
    await desk.arrive(2, "v1", "A/2")
    await desk.refuse(leased[0])

    await desk.arrive(2, "v1", "A/2")

    assert await desk.lease() == []
