"""The life of an IRN against the sandbox portal, in process: every way an answer can be given, refused or lost."""

from collections.abc import Sequence
from datetime import timedelta
from typing import Any

import msgspec
import pytest

from irnflow.messages import Registered, State, decode
from irnflow.portal.client import Answer, Lost
from irnflow.sandbox.switches import Order
from irnflow.services.registration.lifecycle import act, leased_of
from irnflow.services.registration.lifecycle.portal import TALKS
from irnflow.services.registration.lifecycle.telling import tell
from irnflow.store import lifecycle
from irnflow.store.database import Row
from irnflow.store.lifecycle import Asked, Cancellation
from tests.services.registration.conftest import Room, irn_of, next_fails

IRN = irn_of("A/1")
MISTAKE = Cancellation(reason=2, remark="wrong price")
QUIET = timedelta(minutes=10)


async def registered(room: Room, number: str = "A/1") -> None:
    """A document that the portal has since a second, and of which all has been told."""
    await room.arrive(number)
    await room.send()
    room.desk.later(1)


def said(room: Room, queue: str) -> list[dict[str, Any]]:
    """What was said after the registration."""
    return room.said(queue)[1:]


async def cancel(room: Room, why: Cancellation = MISTAKE, *, irn: str = IRN, eway_bill: bool = False) -> Asked:
    asked = await lifecycle.cancel(
        room.desk.store, 1, [irn], why, eway_bill=eway_bill, by="us", at=room.desk.at
    )  # fmt: skip
    return asked[0]


async def until_settled(room: Room, *, minutes: int = 10) -> None:
    """As the loop does, a minute at a time, until nothing is asked any more."""
    for _ in range(minutes):
        await act(room.parts)
        room.desk.later(60)
    await tell(room.parts, await untold(room))


async def untold(room: Room, quiet: timedelta = QUIET) -> Sequence[Row]:
    at = room.desk.at
    return await room.desk.store.fetch(lifecycle.SQL["untold"], at, at + timedelta(seconds=30), quiet, 100)


async def actions(room: Room) -> list[tuple[str, str]]:
    """Kinds and states, the oldest first."""
    rows = await lifecycle.actions(room.desk.store, 1, most=100)
    return [(row["kind"], row["state"]) for row in reversed(rows)]


async def newest(room: Room) -> Row:
    return (await lifecycle.actions(room.desk.store, 1, most=1))[0]


def statuses(room: Room) -> list[tuple[str, int]]:
    return [(each["Status"], each.get("N", 0)) for each in said(room, "status_queue")]


# -- cancel ----------------------------------------------------------------------------------------------------------


async def test_a_cancelled_irn_is_cancelled_at_the_portal_here_and_in_what_the_books_are_told(room: Room) -> None:
    await registered(room)

    asked = await cancel(room)
    await act(room.parts)

    assert asked.outcome == "ACCEPTED"
    assert room.sandbox.register.by_irn(IRN).status == "CNL"
    assert await room.desk.state("A/1") == "CANCELLED"
    assert await actions(room) == [("CANCEL", "DONE")]
    assert statuses(room) == [("CANCELLED", 0)]
    told = decode(room.broker.ready("register_success_queue")[1].body, Registered)
    assert (told.irn, told.cancelled, told.telling, told.signed_qr.count(".")) == (IRN, True, 1, 2)


async def test_the_intent_to_cancel_is_on_record_before_the_call(room: Room) -> None:
    await registered(room)
    await cancel(room)
    at = room.desk.at

    await room.desk.store.fetch(lifecycle.SQL["lease"], at, at + timedelta(seconds=90), at, 10)

    assert await actions(room) == [("CANCEL", "INTENT")]
    assert (await room.desk.ledger("A/1"))[-1] == "INTENT"
    assert room.sandbox.calls["cancel"] == 0


async def test_the_same_cancellation_twice_is_one_action(room: Room) -> None:
    await registered(room)

    first = await cancel(room)
    second = await cancel(room)
    await act(room.parts)
    third = await cancel(room)

    assert [second.outcome, third.outcome] == ["REPEATED", "REPEATED"]
    assert first.action_id == second.action_id == third.action_id
    assert room.sandbox.calls["cancel"] == 1


async def test_a_cancellation_for_another_reason_is_refused_while_one_is_under_way(room: Room) -> None:
    await registered(room)
    first = await cancel(room)

    second = await cancel(room, Cancellation(reason=3, remark="no sale"))

    assert (second.outcome, second.action_id) == ("OTHER_REQUEST", first.action_id)
    assert await actions(room) == [("CANCEL", "READY")]


async def test_after_24_hours_since_the_signed_acknowledgement_the_portal_is_not_even_asked(room: Room) -> None:
    await registered(room)
    room.desk.later(24 * 3600 - 1)
    in_time = await cancel(room, irn=IRN)
    room.desk.later(1)

    await act(room.parts)  # it waited too long
    too_late = await cancel(room)

    assert in_time.outcome == "ACCEPTED"
    assert (await newest(room))["cause"] == "portal.2270"
    assert too_late.outcome == "TOO_LATE"
    assert "2026-11-22 12:00:00" in too_late.says
    assert room.sandbox.calls["cancel"] == 0


async def test_what_the_portal_has_not_registered_cannot_be_cancelled(room: Room) -> None:
    await room.arrive()

    asked = await cancel(room)

    assert asked.outcome == "NOT_REGISTERED"
    assert "READY" in asked.says


async def test_an_irn_of_another_account_is_unknown(room: Room) -> None:
    await registered(room)
    await room.desk.store.fetch("insert into irnflow.account (name, created_at) values ('them', $1)", room.desk.at)

    asked = await lifecycle.cancel(
        room.desk.store, 2, [IRN], MISTAKE, eway_bill=False, by="them", at=room.desk.at
    )  # fmt: skip

    assert [each.outcome for each in asked] == ["UNKNOWN_IRN"]


async def test_an_answer_lost_after_the_commit_is_found_by_look_up_and_not_asked_again(room: Room) -> None:
    await registered(room)
    room.sandbox.obey(Order(drop_answer_after_commit=1))
    await cancel(room)
    await act(room.parts)
    in_doubt = await actions(room)

    await until_settled(room)

    assert in_doubt == [("CANCEL", "UNKNOWN")]
    assert await actions(room) == [("CANCEL", "DONE")]
    assert room.sandbox.calls["cancel"] == 1
    assert statuses(room) == [("GENERATION_SUCCESS", 1), ("CANCELLED", 0)]
    assert "lost" in said(room, "status_queue")[0]["Detail"]["says"]


async def test_no_look_up_comes_before_a_late_call_can_no_longer_arrive(room: Room) -> None:
    await registered(room)
    room.sandbox.obey(Order(drop_answer_after_commit=1))
    await cancel(room)
    await act(room.parts)

    room.desk.later(89)
    await act(room.parts)

    assert room.sandbox.calls["by_irn"] == 0


@pytest.mark.parametrize("failure", [{"hang_up": True}, {"http_status": 502}, {"code": "5001"}])
async def test_what_may_have_been_done_is_asked_again_only_after_two_look_ups(
    room: Room, failure: dict[str, Any]
) -> None:
    await registered(room)
    next_fails(room, call="cancel", **failure)
    await cancel(room)
    await act(room.parts)
    room.desk.later(91)
    await act(room.parts)
    after_one = await actions(room)

    await until_settled(room)

    assert after_one == [("CANCEL", "UNKNOWN")]
    assert await actions(room) == [("CANCEL", "DONE")]
    assert (await room.desk.ledger("A/1"))[2:] == ["INTENT", "UNKNOWN", "NOT_DONE", "NOT_DONE", "INTENT", "DONE"]


async def test_a_look_up_that_fails_in_between_starts_the_count_anew(room: Room) -> None:
    await registered(room)
    next_fails(room, call="cancel", hang_up=True)
    await cancel(room)
    await act(room.parts)
    room.desk.later(91)
    await act(room.parts)
    next_fails(room, call="by_irn", http_status=502)
    room.desk.later(61)
    await act(room.parts)

    room.desk.later(61)
    await act(room.parts)

    assert await actions(room) == [("CANCEL", "UNKNOWN")]
    assert room.sandbox.calls["cancel"] == 1


async def test_a_process_that_died_with_the_answer_leaves_it_in_doubt_and_then_found(room: Room) -> None:
    await registered(room)
    await cancel(room)
    at = room.desk.at
    await room.desk.store.fetch(lifecycle.SQL["lease"], at, at + timedelta(seconds=90), at, 10)
    room.sandbox.register.cancel(IRN, at=at, reason="2", remark="wrong price")

    room.desk.later(91)
    await until_settled(room)

    assert await actions(room) == [("CANCEL", "DONE")]
    assert room.sandbox.calls["cancel"] == 0


async def test_9999_means_done_after_a_check(room: Room) -> None:
    await registered(room)
    room.sandbox.register.cancel(IRN, at=room.desk.at, reason="1", remark="on the portal's own page")
    await cancel(room)

    await act(room.parts)

    assert await actions(room) == [("CANCEL", "DONE")]
    assert await room.desk.state("A/1") == "CANCELLED"
    assert (await newest(room))["codes"] == "9999"


async def test_9999_means_done_also_when_the_portal_shows_it_no_more(room: Room) -> None:
    await registered(room)
    room.sandbox.register.cancel(IRN, at=room.desk.at, reason="1", remark=None)
    next_fails(room, call="by_irn", code="2283")
    await cancel(room)

    await act(room.parts)

    assert await actions(room) == [("CANCEL", "DONE")]


async def test_9999_of_an_irn_that_the_portal_shows_active_is_in_doubt(room: Room) -> None:
    await registered(room)
    next_fails(room, call="cancel", code="9999")
    await cancel(room)

    await act(room.parts)

    assert await actions(room) == [("CANCEL", "UNKNOWN")]
    assert await room.desk.state("A/1") == "ACCEPTED"


@pytest.mark.parametrize("code", ["2230", "2270", "2143", "2148"])
async def test_what_the_portal_refuses_is_told_with_its_code_and_may_be_asked_anew(room: Room, code: str) -> None:
    await registered(room)
    next_fails(room, call="cancel", code=code)
    first = await cancel(room)
    await act(room.parts)
    failed = await newest(room)

    second = await cancel(room)
    await act(room.parts)

    assert (failed["state"], failed["cause"]) == ("FAILED", f"portal.{code}")
    assert second.action_id != first.action_id
    assert await actions(room) == [("CANCEL", "FAILED"), ("CANCEL", "DONE")]
    assert said(room, "status_queue")[0]["Detail"]["says"].startswith("The IRN could not be cancelled: ")


async def test_a_code_that_nobody_knows_is_looked_up_once_then_refused(room: Room) -> None:
    await registered(room)
    next_fails(room, call="cancel", code="7777")
    await cancel(room)

    await act(room.parts)

    assert (await newest(room))["cause"] == "portal.7777"
    assert room.sandbox.calls["by_irn"] == 1


async def test_a_revoked_token_costs_one_login_and_one_repetition(room: Room) -> None:
    await registered(room)
    room.sandbox.obey(Order(revoke_tokens=True))
    await cancel(room)

    await act(room.parts)

    assert await actions(room) == [("CANCEL", "DONE")]
    assert (room.sandbox.calls["cancel"], room.sandbox.calls["auth"]) == (2, 2)


async def test_a_token_refused_twice_stops_the_queue_of_its_gstin(room: Room) -> None:
    await registered(room)
    next_fails(room, call="cancel", n=2, code="1005")
    await cancel(room)

    await act(room.parts)

    assert await actions(room) == [("CANCEL", "READY")]
    assert (await room.desk.store.fetch("select stopped from irnflow.gstin"))[0]["stopped"] is not None
    room.desk.later(300)
    assert await act(room.parts) == 0


@pytest.mark.parametrize("status", [401, 403, 429])
async def test_what_the_gateway_turns_away_is_asked_again_without_doubt(room: Room, status: int) -> None:
    await registered(room)
    next_fails(room, call="cancel", http_status=status)
    await cancel(room)
    await act(room.parts)

    room.desk.later(61)
    await act(room.parts)

    assert (await room.desk.ledger("A/1"))[2:] == ["INTENT", "NOT_DONE", "INTENT", "DONE"]


async def test_an_answer_about_another_irn_is_in_doubt(room: Room) -> None:
    await registered(room)
    await cancel(room)
    at = room.desk.at
    (row,) = await room.desk.store.fetch(lifecycle.SQL["lease"], at, at + timedelta(seconds=90), at, 10)
    leased = leased_of(row)
    answer = Answer(ok=True, data=msgspec.json.encode({"Irn": "0" * 64, "CancelDate": "2026-11-22 12:00:00"}))

    with pytest.raises(Lost, match="about IRN 0000"):
        TALKS[leased.kind].read(leased, answer)


async def test_a_cancelled_number_is_never_used_again(room: Room) -> None:
    await registered(room)
    await cancel(room)
    await act(room.parts)

    await room.arrive(batch=2)
    await room.resolve()

    failed = room.said("invalid_generation_queue")[0]
    assert failed["Cause"] == "portal.2278"


# -- telling ---------------------------------------------------------------------------------------------------------


async def test_a_cancellation_that_nobody_has_seen_is_told_again(room: Room) -> None:
    await registered(room)
    await cancel(room)
    await act(room.parts)

    room.desk.later(601)
    await tell(room.parts, await untold(room))

    assert [each["Telling"] for each in said(room, "register_success_queue")] == [1, 1]


async def test_a_cancellation_that_the_books_have_answered_is_told_no_more(room: Room) -> None:
    await registered(room)
    await cancel(room)
    await act(room.parts)
    await seen(room, State.CANCELLED, 1)

    room.desk.later(601)

    assert await untold(room) == []
    assert (await room.desk.store.fetch("select seen_at from irnflow.action"))[0]["seen_at"] == room.desk.at


async def test_cancelling_again_tells_the_books_again_and_asks_the_portal_nothing(room: Room) -> None:
    await registered(room)
    await cancel(room)
    await act(room.parts)

    await cancel(room)
    await tell(room.parts, await untold(room))

    assert [each["Telling"] for each in said(room, "register_success_queue")] == [1, 2]
    assert room.sandbox.calls["cancel"] == 1


async def seen(room: Room, status: State, n: int) -> None:
    """The event that the websocket service would record; the batch is made for it."""
    await room.desk.store.fetch(
        "insert into irnflow.batch (batch_id, account_id, batch_no, books, digest, size, created_at)"
        " overriding system value values (1, 1, 'B1', 'main', '', 1, $1::timestamptz)",
        room.desk.at,
    )
    await room.desk.store.fetch("insert into irnflow.transaction values (1, 'A/1', 1)")
    await room.desk.store.fetch(
        "insert into irnflow.batch_count (batch_id, state, n) values (1, 'PROCESSING', 1)"
    )  # fmt: skip
    await room.desk.store.fetch(
        """select irnflow.record_events(array[1]::bigint[], array['A/1'],
               array[$1::text]::irnflow.transaction_state[], array[$2::int]::smallint[], array[$3::timestamptz],
               array['{}']::jsonb[])""",
        str(status),
        n,
        room.desk.at,
    )
