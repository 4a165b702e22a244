"""The life of an IRN against the sandbox portal, in process: every way an answer can be given, refused or lost."""

import json
from typing import Any

import msgspec
import pytest

from irnflow.messages import Registered, State, decode
from irnflow.portal.client import Answer, Lost, Portal, Reply, Request
from irnflow.portal.several import Portals
from irnflow.sandbox.register import EwayBill
from irnflow.sandbox.switches import Failure, Order
from irnflow.services.registration.lifecycle.acting import lease
from irnflow.services.registration.lifecycle.portal import TALKS
from irnflow.services.registration.lifecycle.telling import tell
from irnflow.services.registration.parts import Parts
from irnflow.services.registration.teller import tell as tell_outcomes
from irnflow.settings import from_environment
from irnflow.store import lifecycle
from irnflow.store.database import Row
from irnflow.store.lifecycle import Asked, Cancellation, Windows
from tests.services.registration.conftest import GSTIN, Room, act, invoice, irn_of, next_fails, untold

IRN = irn_of("A/1")
MISTAKE = Cancellation(reason=2, remark="wrong price")


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
        room.desk.store, 1, [irn], why, eway_bill=eway_bill, windows=room.parts.windows, by="us", at=room.desk.at
    )  # fmt: skip
    return asked[0]


async def until_settled(room: Room, *, minutes: int = 10) -> None:
    """As the loop does, a minute at a time, until nothing is asked any more."""
    for _ in range(minutes):
        await act(room.parts)
        room.desk.later(60)
    await tell(room.parts, await untold(room))


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
    assert room.sandbox.register.by_irn(IRN, "NIC1").status == "CNL"
    assert await room.desk.state("A/1") == "CANCELLED"
    assert await actions(room) == [("CANCEL", "DONE")]
    assert statuses(room) == [("CANCELLED", 0)]
    assert "data entry mistake (wrong price)" in said(room, "status_queue")[0]["Detail"]["says"]
    told = decode(room.broker.ready("register_success_queue")[1].body, Registered)
    assert (told.irn, told.cancelled, told.telling, told.signed_qr.count(".")) == (IRN, True, 1, 2)


async def test_a_request_that_shared_it_and_comes_once_more_is_not_told_as_a_failure(room: Room) -> None:
    await registered(room)
    await room.arrive("A/1", batch=2)
    await tell_outcomes(room.parts, await room.desk.untold())
    await cancel(room)
    await act(room.parts)

    room.desk.later(1)
    await room.arrive("A/1", batch=2)
    await tell_outcomes(room.parts, await room.desk.untold())

    assert room.said("invalid_generation_queue") == []


async def test_the_intent_to_cancel_is_on_record_before_the_call(room: Room) -> None:
    await registered(room)
    await cancel(room)

    await lease(room.parts)

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
    assert "until 2026-11-23 12:00:00 (IST)" in too_late.says
    assert room.sandbox.calls["cancel"] == 0


async def test_a_setting_says_how_long_an_irn_may_be_cancelled(room: Room) -> None:
    windows_are(room, IRNFLOW_CANCEL_WINDOW_S="7200")
    await registered(room)
    room.desk.later(7199)
    in_time = await cancel(room)
    room.desk.later(1)

    await act(room.parts)  # it waited too long
    too_late = await cancel(room)

    assert in_time.outcome == "ACCEPTED"
    assert (await newest(room))["says"] == "It was not asked for: the 2 h since 2026-11-22 12:00:00 (IST) are over."
    assert (too_late.outcome, "until 2026-11-22 14:00:00 (IST)" in too_late.says) == ("TOO_LATE", True)
    assert room.sandbox.calls["cancel"] == 0


def windows_are(room: Room, **variables: str) -> None:
    windows = lifecycle.windows_of(from_environment(variables))
    room.parts = msgspec.structs.replace(room.parts, windows=windows)


async def test_what_the_portal_has_not_registered_cannot_be_cancelled(room: Room) -> None:
    await room.arrive()

    asked = await cancel(room)

    assert asked.outcome == "NOT_REGISTERED"
    assert "READY" in asked.says


async def test_an_irn_of_another_account_is_unknown(room: Room) -> None:
    await registered(room)
    await room.desk.store.fetch("insert into irnflow.account (name, created_at) values ('them', $1)", room.desk.at)

    asked = await lifecycle.cancel(
        room.desk.store, 2, [IRN], MISTAKE, eway_bill=False, windows=Windows(), by="them", at=room.desk.at
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
    await lease(room.parts)
    room.sandbox.register.cancel(IRN, at=room.desk.at, reason="2", remark="wrong price")

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
    assert await room.desk.stopped() is not None
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
    (leased,) = await lease(room.parts)
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


# -- e-way bills -----------------------------------------------------------------------------------------------------

LORRY = {"transport_mode": "1", "distance": 60, "vehicle_number": "KA01AB1234", "vehicle_type": "R"}


async def ask_bill(room: Room, **changes: Any) -> Asked:
    return await lifecycle.eway_bill(room.desk.store, 1, IRN, LORRY | changes, by="us", at=room.desk.at)


async def cancel_bill(room: Room, why: Cancellation = MISTAKE) -> Asked:
    return await lifecycle.cancel_eway_bill(
        room.desk.store, 1, IRN, why, windows=room.parts.windows, by="us", at=room.desk.at
    )


async def with_bill(room: Room) -> str:
    """A registered document with an e-way bill, whose number is given."""
    await registered(room)
    await ask_bill(room)
    await act(room.parts)
    return str((await lifecycle.bills(room.desk.store, IRN))[0]["ewb_no"])


async def test_an_e_way_bill_is_made_for_an_irn_and_told(room: Room) -> None:
    ewb_no = await with_bill(room)

    assert await actions(room) == [("EWAY_BILL", "DONE")]
    told = said(room, "status_queue")[0]
    assert (told["Status"], told["N"], told["Detail"]["ewb_no"]) == ("GENERATION_SUCCESS", 1, ewb_no)
    assert told["Detail"]["says"].startswith(f"E-way bill {ewb_no}, valid till 2026-11-23 23:59:00.")


async def test_the_portals_own_distance_is_kept(room: Room) -> None:
    room.sandbox.obey(Order(pin_distances={"560001-560002": 84}))
    await registered(room)
    await ask_bill(
        room, distance=0, ship_to={"address_1": "2 MG Road", "place": "Bengaluru", "pin": 560002, "state": "29"}
    )

    await act(room.parts)

    assert [row["distance"] for row in await lifecycle.bills(room.desk.store, IRN)] == ["Pin-Pin calc distance: 84KM"]


async def test_what_an_e_way_bill_lacks_is_told_in_the_portals_words(room: Room) -> None:
    await registered(room)
    await ask_bill(room, vehicle_number=None)

    await act(room.parts)

    failed = await newest(room)
    assert (failed["state"], failed["cause"]) == ("FAILED", "portal.4011")
    assert said(room, "status_queue")[0]["Detail"]["says"].startswith("It has no e-way bill: 4011 Vehicle number")


async def test_an_e_way_bill_whose_answer_is_lost_is_found_and_not_made_twice(room: Room) -> None:
    await registered(room)
    room.sandbox.obey(Order(drop_answer_after_commit=1))
    await ask_bill(room)

    await until_settled(room)

    assert await actions(room) == [("EWAY_BILL", "DONE")]
    assert room.sandbox.calls["eway_bill"] == 1


async def test_an_e_way_bill_that_was_never_made_is_asked_for_again_after_two_look_ups(room: Room) -> None:
    await registered(room)
    next_fails(room, call="eway_bill", hang_up=True)
    await ask_bill(room)

    await until_settled(room)

    assert await actions(room) == [("EWAY_BILL", "DONE")]
    assert (room.sandbox.calls["eway_bill"], room.sandbox.calls["eway_bill_by_irn"]) == (2, 2)


async def test_a_bill_that_was_made_elsewhere_is_adopted(room: Room) -> None:
    ewb_no = await with_bill(room)
    await room.desk.store.fetch("truncate irnflow.eway_bill, irnflow.action cascade")
    await ask_bill(room)

    await act(room.parts)  # 4002

    assert [row["ewb_no"] for row in await lifecycle.bills(room.desk.store, IRN)] == [ewb_no]
    assert await actions(room) == [("EWAY_BILL", "DONE")]


async def test_a_bill_is_fetched_that_somebody_made_elsewhere(room: Room) -> None:
    ewb_no = await with_bill(room)
    await room.desk.store.fetch("truncate irnflow.eway_bill, irnflow.action cascade")
    await lifecycle.fetch_eway_bill(room.desk.store, 1, IRN, by="us", at=room.desk.at)

    await act(room.parts)

    assert [row["ewb_no"] for row in await lifecycle.bills(room.desk.store, IRN)] == [ewb_no]


async def test_a_bill_is_seen_as_cancelled_that_somebody_cancelled_elsewhere(room: Room) -> None:
    ewb_no = await with_bill(room)
    room.sandbox.register.cancel_bill(int(ewb_no), at=room.desk.at, reason="1", remark=None)
    await lifecycle.fetch_eway_bill(room.desk.store, 1, IRN, by="us", at=room.desk.at)

    await act(room.parts)

    assert (await lifecycle.bills(room.desk.store, IRN))[0]["cancelled_at"] is not None


async def test_that_there_is_no_bill_is_an_answer(room: Room) -> None:
    await registered(room)
    await lifecycle.fetch_eway_bill(room.desk.store, 1, IRN, by="us", at=room.desk.at)

    await act(room.parts)

    done = await newest(room)
    assert (done["state"], done["says"]) == ("DONE", "The portal has no e-way bill for this IRN.")


async def test_an_e_way_bill_is_cancelled(room: Room) -> None:
    ewb_no = await with_bill(room)
    room.desk.later(60)

    await cancel_bill(room)
    await act(room.parts)

    (bill,) = await lifecycle.bills(room.desk.store, IRN)
    assert (bill["ewb_no"], bill["cancelled_at"]) == (ewb_no, "2026-11-22 12:01:01")
    assert said(room, "status_queue")[-1]["Detail"]["says"] == f"E-way bill {ewb_no} is cancelled."


async def test_a_cancelled_bill_whose_answer_is_lost_is_found(room: Room) -> None:
    await with_bill(room)
    room.sandbox.obey(Order(drop_answer_after_commit=1))
    await cancel_bill(room)

    await until_settled(room)

    assert await actions(room) == [("EWAY_BILL", "DONE"), ("EWAY_BILL_CANCEL", "DONE")]
    assert room.sandbox.calls["cancel_eway_bill"] == 1


async def test_a_bill_that_was_cancelled_elsewhere_counts_as_cancelled(room: Room) -> None:
    ewb_no = await with_bill(room)
    room.sandbox.register.cancel_bill(int(ewb_no), at=room.desk.at, reason="1", remark=None)
    await cancel_bill(room)

    await act(room.parts)  # 312

    assert (await newest(room))["state"] == "DONE"


@pytest.mark.parametrize(
    ("code", "words"),
    [
        ("312", "whoever made it has to cancel it"),
        ("315", "have the recipient reject the bill"),
        ("316", "Undo the sale with a credit note"),
        ("728", "have the recipient reject the bill"),
        ("715", "File the supplier's returns"),
        ("308", "at most 50 plain characters"),
    ],
)
async def test_what_the_e_way_bill_system_refuses_is_told_with_what_to_do(room: Room, code: str, words: str) -> None:
    await with_bill(room)
    next_fails(room, call="cancel_eway_bill", code=code)
    await cancel_bill(room)

    await act(room.parts)

    newest_one = await newest(room)
    assert (newest_one["state"], newest_one["cause"]) == ("FAILED", f"portal.{code}")
    assert words in said(room, "status_queue")[-1]["Detail"]["says"]
    assert await room.desk.stopped() is None


@pytest.mark.parametrize("code", ["658", "813", "317"])
async def test_an_e_way_bill_system_that_is_busy_is_waited_for(room: Room, code: str) -> None:
    await with_bill(room)
    next_fails(room, call="cancel_eway_bill", code=code)
    await cancel_bill(room)
    await act(room.parts)
    at_first = (await newest(room))["state"]

    await until_settled(room)

    assert (at_first, (await newest(room))["state"]) == ("UNKNOWN", "DONE")
    assert room.sandbox.calls["cancel_eway_bill"] == 2


async def test_a_token_that_the_e_way_bill_system_refuses_costs_one_login(room: Room) -> None:
    await with_bill(room)
    logins = room.sandbox.calls["auth"]
    next_fails(room, call="cancel_eway_bill", code="238")
    await cancel_bill(room)

    await act(room.parts)

    assert (await newest(room))["state"] == "DONE"
    assert room.sandbox.calls["auth"] == logins + 1


async def test_a_number_of_the_e_way_bill_system_says_nothing_about_an_irn(room: Room) -> None:
    await registered(room)
    next_fails(room, call="cancel", code="312")
    await cancel(room)

    await act(room.parts)

    assert (await newest(room))["cause"] == "portal.312"
    assert "made it" not in said(room, "status_queue")[-1]["Detail"]["says"]


# -- two e-way bill portals ------------------------------------------------------------------------------------------


async def with_bill_of_the_second_portal(room: Room) -> str:
    """A registered document whose e-way bill was made at the second e-way bill portal, and fetched."""
    await registered(room)
    number = room.sandbox.register.next_ewb_no("NIC2")
    room.sandbox.register.add_bill(
        EwayBill(ewb_no=number, portal="NIC1", irn=IRN, gstin=GSTIN, made_at=room.desk.at, valid_till=None)
    )
    await lifecycle.fetch_eway_bill(room.desk.store, 1, IRN, by="us", at=room.desk.at)
    await act(room.parts)
    return str(number)


def with_second_portal(room: Room) -> Parts:
    """Parts that know the address of the second e-way bill portal."""
    (line,) = room.parts.portals.values()

    async def send(request: Request) -> Reply:
        answer = room.sandbox.call(
            request.method, f"/NIC2{request.path}", request.headers, request.body, now=room.desk.at
        )
        return Reply(status=answer.status, headers=answer.headers, body=answer.body)

    second = Portal(send, line.portal._auth_key)
    return msgspec.structs.replace(room.parts, portals=Portals([msgspec.structs.replace(line, eway_bills={2: second})]))


async def test_a_bill_is_cancelled_at_the_portal_that_issued_it(room: Room) -> None:
    await with_bill_of_the_second_portal(room)
    await cancel_bill(room)

    await act(with_second_portal(room))

    assert (await newest(room))["state"] == "DONE"
    assert room.sandbox.calls_at["NIC2"]["cancel_eway_bill"] == 1


async def test_a_bill_of_the_first_portal_stays_there(room: Room) -> None:
    await with_bill(room)
    await cancel_bill(room)

    await act(with_second_portal(room))

    assert (await newest(room))["state"] == "DONE"
    assert room.sandbox.calls_at["NIC1"]["cancel_eway_bill"] == 1


async def test_without_its_address_a_person_is_sent_to_the_portal_that_issued_the_bill(room: Room) -> None:
    await with_bill_of_the_second_portal(room)
    await cancel_bill(room)

    await act(room.parts)

    assert (await newest(room))["state"] == "FAILED"
    says = said(room, "status_queue")[-1]["Detail"]["says"]
    assert "ewaybill2.gst.gov.in" in says
    assert "eway_bill_2_url for NIC1 in portals.toml" in says


async def test_after_its_hours_an_e_way_bill_is_not_even_asked_to_be_cancelled(room: Room) -> None:
    await with_bill(room)
    room.desk.later(24 * 3600 + 1)

    assert (await cancel_bill(room)).outcome == "TOO_LATE"


async def test_no_bill_is_made_for_services_alone(room: Room) -> None:
    payload = invoice(IsServc="Y", HsnCd="998314", Unit="OTH")
    await room.arrive(payload=payload)
    await room.send()

    assert (await ask_bill(room)).outcome == "NO_GOODS"


async def test_an_irn_with_an_active_bill_is_not_cancelled_and_the_portal_not_asked(room: Room) -> None:
    ewb_no = await with_bill(room)

    asked = await cancel(room)

    assert asked.outcome == "BILL_ACTIVE"
    assert ewb_no in asked.says
    assert room.sandbox.calls["cancel"] == 0


async def test_a_setting_says_how_long_an_e_way_bill_may_be_cancelled(room: Room) -> None:
    windows_are(room, IRNFLOW_EWAY_BILL_CANCEL_WINDOW_S="7200")
    await with_bill(room)
    room.desk.later(7199)
    in_time = await cancel_bill(room)
    room.desk.later(2)

    await act(room.parts)  # it waited too long
    too_late = await cancel_bill(room)

    assert in_time.outcome == "ACCEPTED"
    assert (await newest(room))["cause"] == "portal.315"
    assert (too_late.outcome, "until 2026-11-22 14:00:01 (IST)" in too_late.says) == ("TOO_LATE", True)
    assert room.sandbox.calls["cancel_eway_bill"] == 0


# -- both halves -----------------------------------------------------------------------------------------------------


async def test_bill_and_irn_are_cancelled_one_after_the_other(room: Room) -> None:
    await with_bill(room)

    asked = await cancel(room, eway_bill=True)
    first = await actions(room)
    await act(room.parts)
    between = await actions(room)
    await act(room.parts)

    assert asked.outcome == "ACCEPTED"
    assert first[1:] == [("EWAY_BILL_CANCEL", "READY"), ("CANCEL", "WAITING")]
    assert between[1:] == [("EWAY_BILL_CANCEL", "DONE"), ("CANCEL", "READY")]
    assert (await actions(room))[1:] == [("EWAY_BILL_CANCEL", "DONE"), ("CANCEL", "DONE")]
    assert room.sandbox.register.by_irn(IRN, "NIC1").status == "CNL"


async def test_the_e_way_bill_system_is_told_the_reason_in_its_own_number(room: Room) -> None:
    await with_bill(room)

    await cancel(room, MISTAKE, eway_bill=True)
    await act(room.parts)
    await act(room.parts)

    register = room.sandbox.register
    assert register.by_irn(IRN, "NIC1").cancel_reason == "2"  # data entry mistake
    assert register.last_bill_of(IRN).cancel_reason == "3"


async def test_the_irn_is_not_touched_while_the_first_half_is_in_doubt(room: Room) -> None:
    await with_bill(room)
    next_fails(room, call="cancel_eway_bill", hang_up=True)
    await cancel(room, eway_bill=True)

    await act(room.parts)
    await act(room.parts)
    in_doubt = await actions(room)
    await until_settled(room)

    assert in_doubt[1:] == [("EWAY_BILL_CANCEL", "UNKNOWN"), ("CANCEL", "WAITING")]
    assert (await actions(room))[1:] == [("EWAY_BILL_CANCEL", "DONE"), ("CANCEL", "DONE")]


async def test_a_first_half_that_fails_leaves_the_irn_as_it_is_and_says_so(room: Room) -> None:
    await with_bill(room)
    next_fails(room, call="cancel_eway_bill", code="315")
    await cancel(room, eway_bill=True)

    await act(room.parts)

    assert (await actions(room))[1:] == [("EWAY_BILL_CANCEL", "FAILED"), ("CANCEL", "FAILED")]
    assert (await newest(room))["cause"] == "lifecycle.first_half"
    assert room.sandbox.calls["cancel"] == 0
    assert await room.desk.state("A/1") == "ACCEPTED"


async def test_a_second_half_that_fails_is_asked_for_anew_by_itself(room: Room) -> None:
    await with_bill(room)
    await cancel(room, eway_bill=True)
    await act(room.parts)
    next_fails(room, call="cancel", code="2143")
    await act(room.parts)
    failed = await actions(room)

    await cancel(room, eway_bill=True)
    await act(room.parts)

    assert failed[1:] == [("EWAY_BILL_CANCEL", "DONE"), ("CANCEL", "FAILED")]
    assert (await actions(room))[1:] == [("EWAY_BILL_CANCEL", "DONE"), ("CANCEL", "FAILED"), ("CANCEL", "DONE")]
    assert room.sandbox.calls["cancel_eway_bill"] == 1


# -- with the invoice ------------------------------------------------------------------------------------------------

EWB_DTLS = {"Distance": 60, "TransMode": "1", "VehNo": "KA01AB1234", "VehType": "R"}


def with_details(**changes: Any) -> bytes:
    return json.dumps(json.loads(invoice()) | {"EwbDtls": EWB_DTLS | changes}).encode()


async def test_an_invoice_with_transport_gets_its_bill_and_says_so(room: Room) -> None:
    await room.arrive(payload=with_details())
    await room.send()
    await tell(room.parts, await untold(room))

    (bill,) = await lifecycle.bills(room.desk.store, IRN)
    assert await actions(room) == [("EWAY_BILL", "DONE")]
    assert said(room, "status_queue")[0]["Detail"]["ewb_no"] == bill["ewb_no"]


async def test_an_invoice_whose_bill_fails_is_registered_and_the_errors_are_told(room: Room) -> None:
    await room.arrive(payload=with_details(VehNo="KA01AB1234", VehType="R", TransMode="1", Distance=3999))
    room.sandbox.obey(Order(fail_next=Failure(call="eway_bill_with_invoice", code="4013")))
    await room.send()
    await tell(room.parts, await untold(room))

    assert await room.desk.state("A/1") == "ACCEPTED"
    failed = await newest(room)
    assert (failed["kind"], failed["state"], failed["cause"]) == ("EWAY_BILL", "FAILED", "portal.4013")
    assert "4013" in said(room, "status_queue")[0]["Detail"]["says"]


async def test_a_bill_is_found_with_an_invoice_whose_answer_was_lost(room: Room) -> None:
    room.sandbox.obey(Order(drop_answer_after_commit=1))
    await room.arrive(payload=with_details())
    await room.send()
    room.desk.later(91)
    await room.resolve()

    await until_settled(room)

    assert await room.desk.state("A/1") == "ACCEPTED"
    assert await actions(room) == [("EWAY_BILL", "DONE")]
    assert room.generates == 1


async def test_a_bill_that_failed_with_an_answer_that_was_lost_is_asked_for_and_its_errors_are_told(room: Room) -> None:
    room.sandbox.obey(
        Order(drop_answer_after_commit=1, fail_next=Failure(call="eway_bill_with_invoice", code="4013"))
    )  # fmt: skip
    await room.arrive(payload=with_details())
    await room.send()
    room.desk.later(91)
    await room.resolve()
    in_doubt = await actions(room)

    await until_settled(room)

    assert in_doubt == [("EWAY_BILL", "UNKNOWN")]
    assert await actions(room) == [("EWAY_BILL", "DONE")]
    assert room.sandbox.calls["eway_bill"] == 1
