"""What is asked of a portal beside registrations keeps the same pace, heeds breakers and pauses, and counts."""

from collections import Counter
from collections.abc import Sequence
from datetime import timedelta
from typing import Any

import msgspec
import pytest

from irnflow.portal.several import Portals
from irnflow.sandbox.switches import Failure, Order
from irnflow.services.registration.gstins import ask
from irnflow.services.registration.lifecycle.acting import carry_out, lease
from irnflow.services.registration.lifecycle.action import Leased
from irnflow.services.registration.parts import Budget
from irnflow.services.registration.sweep import sweep
from irnflow.store import lifecycle, steering
from irnflow.store.lifecycle import Cancellation, Windows
from tests.services.registration.conftest import GSTIN, Room, Ways, act, invoice, irn_of, next_fails

MISTAKE = Cancellation(reason=2, remark="wrong price")
FIVE = tuple(f"A/{number}" for number in range(5))
BUYERS = ["29AWGPV7107B1Z1", "27AWGPV7107B1Z5"]
A_SECOND: Ways = (["NIC1"], ["NIC"], [1.0])


async def registered(room: Room, *numbers: str) -> None:
    for number in numbers:
        await room.arrive(number, invoice(number))
    await room.send()
    room.desk.later(1)


async def cancelling(room: Room, *numbers: str) -> None:
    """Registered documents whose cancellation waits to be asked for."""
    await registered(room, *numbers)
    await cancel(room, *numbers)


async def cancel(room: Room, *numbers: str) -> None:
    irns = [irn_of(number) for number in numbers]
    await lifecycle.cancel(
        room.desk.store, 1, irns, MISTAKE, eway_bill=False, windows=Windows(), by="us", at=room.desk.at
    )


async def want(room: Room, *gstins: str) -> None:
    for gstin in gstins:
        await lifecycle.want_gstin(
            room.desk.store, 1, gstin, sync=False, max_age=timedelta(days=1), at=room.desk.at
        )  # fmt: skip


def limit(room: Room, per_minute: int) -> None:
    line = msgspec.structs.replace(room.parts.portals.preferred, per_minute=per_minute)
    room.parts = msgspec.structs.replace(room.parts, portals=Portals([line]))


def with_budget(room: Room, **said: int) -> None:
    room.parts = msgspec.structs.replace(room.parts, budget=Budget(**said))


async def pause(room: Room, what: str, key: str) -> None:
    sql = "insert into irnflow.pause values ($1::text, $2::text, 'audit', 'asha', $3::timestamptz)"
    await room.desk.store.fetch(sql, what, key, room.desk.at)


async def resume(room: Room) -> None:
    await room.desk.store.fetch("delete from irnflow.pause")


async def stopped(room: Room) -> str:
    return await room.desk.stopped() or ""


def irns(leased: Sequence[Leased]) -> set[str]:
    return {each.irn for each in leased}


# -- pace ------------------------------------------------------------------------------------------------------------


async def test_actions_begin_no_faster_than_the_pace_of_their_gstin(room: Room) -> None:
    await cancelling(room, "A/1", "A/2", "A/3")
    limit(room, 60)

    at_once = await lease(room.parts)
    none_yet = await lease(room.parts)
    room.desk.later(1.1)
    next_one = await lease(room.parts)

    assert [len(at_once), len(none_yet), len(next_one)] == [1, 0, 1]
    assert irns(at_once) != irns(next_one)


async def test_look_ups_of_actions_spend_from_the_same_bucket(room: Room) -> None:
    await cancelling(room, "A/1")
    next_fails(room, call="cancel", hang_up=True)
    await act(room.parts)
    await room.arrive("B/1", invoice("B/1"))
    room.desk.later(91)
    limit(room, 60)

    looked_up = await lease(room.parts)

    assert [each.what for each in looked_up] == ["lookup"]
    assert await room.desk.lease(ways=A_SECOND) == []


async def test_cancellations_take_turns_with_the_documents_of_their_gstin(room: Room) -> None:
    await cancelling(room, *(f"A/{number}" for number in range(10)))
    await room.desk.store.fetch("update irnflow.action set next_at = $1::timestamptz", room.desk.at)
    for number in range(40):
        await room.arrive(f"B/{number}", invoice(f"B/{number}"), batch=2)
    limit(room, 60)

    begun: Counter[str] = Counter()
    for look in range(18 * 4):  # documents are looked for four times as often as actions
        begun["document"] += len(await room.desk.lease(ways=A_SECOND))
        begun["action"] += len(await lease(room.parts)) if look % 4 == 3 else 0
        room.desk.later(0.25)

    assert 6 <= begun["action"] <= 9
    assert 6 <= begun["document"] <= 9


async def test_a_cancellation_goes_before_documents_that_wait_already(room: Room) -> None:
    await registered(room, "A/1")
    for number in range(20):
        await room.arrive(f"B/{number}", invoice(f"B/{number}"), batch=2)
    await cancel(room, "A/1")
    limit(room, 60)

    documents = await room.desk.lease(ways=A_SECOND)

    assert documents == []
    assert irns(await lease(room.parts)) == {irn_of("A/1")}


async def test_actions_that_were_alone_for_long_owe_nothing_to_documents_that_come(room: Room) -> None:
    await registered(room, *FIVE, "C/1", "C/2")
    await cancel(room, *FIVE)
    for _ in FIVE:
        await carry_out(room.parts, (await lease(room.parts, most=1))[0])
    await cancel(room, "C/1", "C/2")
    for number in range(10):
        await room.arrive(f"B/{number}", invoice(f"B/{number}"), batch=2)
    limit(room, 60)
    room.desk.later(1)

    begun = []
    for _ in range(4):
        begun.append((len(await room.desk.lease(ways=A_SECOND)), len(await lease(room.parts))))
        room.desk.later(1.1)

    assert sorted(begun) == [(0, 1), (0, 1), (1, 0), (1, 0)]


async def test_retry_after_of_a_cancellation_holds_the_documents_of_its_gstin_too(room: Room) -> None:
    await cancelling(room, "A/1")
    await room.arrive("B/1", invoice("B/1"))
    next_fails(room, call="cancel", http_status=429, retry_after_s=30)

    await act(room.parts)
    room.desk.later(29)
    held = await room.desk.lease()
    held_too = await lease(room.parts)
    room.desk.later(2)

    assert (held, held_too) == ([], [])
    assert irns(await lease(room.parts)) == {irn_of("A/1")}


async def test_calls_in_flight_for_one_gstin_leave_room_for_others(room: Room) -> None:
    await cancelling(room, "A/1")

    assert await lease(room.parts, busy={GSTIN: 15}) == []
    assert len(await lease(room.parts, busy={GSTIN: 14})) == 1


# -- breakers and pauses ---------------------------------------------------------------------------------------------


async def test_cancellations_without_an_answer_open_the_breaker_for_all(room: Room) -> None:
    await cancelling(room, *FIVE)
    await room.arrive("B/1", invoice("B/1"))
    next_fails(room, n=5, call="cancel", hang_up=True)

    await act(room.parts)

    assert await room.desk.lease() == []


async def test_past_an_open_breaker_goes_one_action_that_probes_and_its_answer_lets_the_others_go(room: Room) -> None:
    await cancelling(room, *FIVE, "A/5", "A/6", "A/7")
    for leased in await lease(room.parts, most=5):
        next_fails(room, call="cancel", hang_up=True)
        await carry_out(room.parts, leased)
    shut = await lease(room.parts)
    room.desk.later(6)

    (probe,) = await lease(room.parts)
    others = await lease(room.parts)
    await carry_out(room.parts, probe)

    assert (shut, others) == ([], [])
    assert len(await lease(room.parts)) == 2


async def test_look_ups_that_are_not_answered_open_the_breaker_too(room: Room) -> None:
    await cancelling(room, *FIVE)
    next_fails(room, n=5, call="cancel", code="5001")
    await act(room.parts)
    room.desk.later(91)
    next_fails(room, call="by_irn", n=5, http_status=502)

    await act(room.parts)
    room.desk.later(1)

    await room.arrive("B/1", invoice("B/1"))
    assert await room.desk.lease() == []


async def test_of_a_paused_gstin_nothing_is_asked_but_what_was_lost_is_looked_up(room: Room) -> None:
    await cancelling(room, "A/1", "A/2")
    next_fails(room, call="cancel", hang_up=True)
    await carry_out(room.parts, (await lease(room.parts, most=1))[0])
    await pause(room, "gstin", GSTIN)
    room.desk.later(91)

    paused = await lease(room.parts)
    await resume(room)
    resumed = await lease(room.parts)

    assert [each.what for each in paused] == ["lookup"]
    assert [each.what for each in resumed] == ["send"]


async def test_nobody_calls_a_paused_portal(room: Room) -> None:
    await cancelling(room, "A/1")
    await want(room, BUYERS[0])
    await pause(room, "portal", "NIC1")
    room.desk.later(86_400 - 60)
    calls = room.sandbox.calls.copy()

    leased = await lease(room.parts)
    await ask(room.parts)
    await sweep(room.parts)

    assert leased == []
    assert room.sandbox.calls == calls


# -- questions and the sweep -----------------------------------------------------------------------------------------


async def known(room: Room) -> list[str]:
    sql = "select gstin from irnflow.gstin_detail where details is not null order by gstin"
    return [row["gstin"] for row in await room.desk.store.fetch(sql)]


async def test_questions_about_gstins_keep_the_pace_of_who_asks(room: Room) -> None:
    await want(room, *BUYERS)
    limit(room, 60)

    await ask(room.parts)
    await ask(room.parts)
    at_once = room.sandbox.calls["gstin"]
    room.desk.later(3)
    await ask(room.parts)

    assert (at_once, room.sandbox.calls["gstin"]) == (1, 2)


async def test_a_question_waits_while_the_gstin_that_asks_is_paused(room: Room) -> None:
    await want(room, BUYERS[0])
    await pause(room, "gstin", GSTIN)
    await ask(room.parts)
    asked = room.sandbox.calls["gstin"]

    await resume(room)
    room.desk.later(3)
    await ask(room.parts)

    assert (asked, await known(room)) == (0, [BUYERS[0]])


async def test_retry_after_of_a_question_holds_the_documents_of_who_asks(room: Room) -> None:
    await room.arrive()
    await want(room, BUYERS[0])
    next_fails(room, call="gstin", http_status=429, retry_after_s=30)

    await ask(room.parts)

    assert await room.desk.lease() == []


async def test_the_sweep_keeps_the_pace_and_comes_to_all_days(room: Room) -> None:
    await registered(room, "A/1")
    room.desk.later(86_400)
    limit(room, 60)
    await sweep(room.parts)
    at_once = room.sandbox.calls["rejected"]

    room.desk.later(11)
    await sweep(room.parts)

    assert (at_once, room.sandbox.calls["rejected"]) == (1, 2)


async def test_a_gstin_that_sends_nothing_any_more_is_swept_no_more(room: Room) -> None:
    await registered(room, "A/1")
    for _ in range(4):
        room.desk.later(86_400)
        await sweep(room.parts)
    asked = room.sandbox.calls["rejected"]

    room.desk.later(86_400)
    await sweep(room.parts)

    assert room.sandbox.calls["rejected"] == asked


# -- the error budget ------------------------------------------------------------------------------------------------


async def test_refused_cancellations_count_and_stop_the_gstin_in_time(room: Room) -> None:
    with_budget(room, of_gstin=2)
    await cancelling(room, "A/1", "A/2", "A/3")
    next_fails(room, call="cancel", n=2, code="2143")
    await carry_out(room.parts, (await lease(room.parts, most=1))[0])
    before = await stopped(room)

    await carry_out(room.parts, (await lease(room.parts, most=1))[0])

    assert before == ""
    assert await stopped(room) == (
        f"the portal has refused 2 calls of GSTIN {GSTIN} in 30 days and blocks at 2: mend what is refused, then resume"
    )
    assert await lease(room.parts) == []


async def test_an_action_of_a_gstin_that_a_person_resumed_is_asked_for_again(room: Room) -> None:
    with_budget(room, of_gstin=1)
    await cancelling(room, "A/1", "A/2")
    next_fails(room, call="cancel", code="2143")
    await carry_out(room.parts, (await lease(room.parts, most=1))[0])
    held = await lease(room.parts)

    await steering.resume_gstin(room.desk.store, 1, GSTIN)

    assert (held, len(await lease(room.parts))) == ([], 1)


async def test_a_look_up_that_finds_no_e_way_bill_counts(room: Room) -> None:
    await registered(room, "A/1")
    lorry: dict[str, Any] = {
        "transport_mode": "1", "distance": 60, "vehicle_number": "KA01AB1234", "vehicle_type": "R",
    }  # fmt: skip
    await lifecycle.eway_bill(room.desk.store, 1, irn_of("A/1"), lorry, by="us", at=room.desk.at)
    next_fails(room, call="eway_bill", hang_up=True)
    await act(room.parts)
    with_budget(room, of_gstin=1)
    room.desk.later(91)

    await act(room.parts)

    assert "refused 1 calls" in await stopped(room)


async def test_a_refusal_and_the_refused_look_up_after_it_are_two(room: Room) -> None:
    await cancelling(room, "A/1")
    both = [Failure(call="cancel", code="9999"), Failure(call="by_irn", code="2283")]
    room.sandbox.obey(Order(fail_next=both))
    with_budget(room, of_gstin=2)

    await act(room.parts)

    assert "refused 2 calls" in await stopped(room)


@pytest.mark.parametrize("code", ["3001", "3028"])
async def test_a_refused_question_about_a_gstin_counts(room: Room, code: str) -> None:
    with_budget(room, of_gstin=1)
    await want(room, BUYERS[0])
    next_fails(room, call="gstin", code=code)

    await ask(room.parts)

    assert "refused 1 calls" in await stopped(room)


async def test_a_day_without_rejected_irns_is_an_error_of_the_portal_and_counts(room: Room) -> None:
    await registered(room, "A/1")
    with_budget(room, of_gstin=2)
    room.desk.later(86_400)

    await sweep(room.parts)

    assert "refused 2 calls" in await stopped(room)
