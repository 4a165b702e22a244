"""Registration against the sandbox portal, in process: every way an answer can be given, refused or lost."""

import asyncio
from collections.abc import Callable
from typing import Any

import msgspec
import pytest

from irnflow.gst.portal_codes import catalogue
from irnflow.messages import publication
from irnflow.sandbox.identity import Identity
from irnflow.sandbox.switches import Order
from irnflow.services import registration
from irnflow.services.registration.sender import generate, leased_of, settle
from irnflow.services.registration.teller import tell
from tests.services.registration.conftest import (
    NOON,
    Room,
    invoice,
    irn_of,
    next_fails,
    set_credentials,
    validated,
)


async def test_a_sound_invoice_is_registered_and_told_with_its_signed_qr(room: Room) -> None:
    await room.arrive()

    await room.send()

    told = room.said("register_success_queue")[0]
    assert told["Irn"] == irn_of("A/1")
    assert told["AckDt"] == "2026-11-22 12:00:00"
    assert told["SignedQr"].count(".") == 2
    assert room.statuses() == ["status.generation_success"]
    assert (await room.desk.store.fetch("select verified from irnflow.registration"))[0]["verified"] is True


async def test_what_the_portal_refuses_is_told_with_its_code_and_never_sent_again(room: Room) -> None:
    wrong = invoice(GstRt=17)
    await room.arrive(payload=wrong)
    await room.send()

    await room.arrive(payload=wrong, batch=2)
    await room.send()

    assert "2240" in [fault["portal_code"] for fault in room.said("invalid_generation_queue")[0]["Faults"]]
    assert room.generates == 1


async def test_a_refusal_keeps_the_portals_own_text_and_says_in_our_words_what_to_do(room: Room) -> None:
    await room.arrive(payload=invoice(GstRt=17))

    await room.send()

    told = room.said("invalid_generation_queue")[0]
    fault = next(fault for fault in told["Faults"] if fault["portal_code"] == "2240")
    known = catalogue()["2240"]
    assert fault["says"] == "Invalid GST rate for HSN -10063020"
    assert fault["fix"] == f"{known.means} {known.fix}"
    assert fault["fix"] in told["Fix"]


async def test_a_number_that_was_cancelled_is_told_with_the_number(room: Room) -> None:
    next_fails(room, code="2278")
    await room.arrive()

    await room.send()

    assert (
        "The document number A/1 belongs to a cancelled e-invoice" in room.said("invalid_generation_queue")[0]["Says"]
    )


async def test_an_answer_lost_after_the_commit_is_found_by_look_up_and_not_sent_again(room: Room) -> None:
    room.sandbox.obey(Order(drop_answer_after_commit=1))
    await room.arrive()
    await room.send()

    room.desk.later(91)
    await room.resolve()

    assert await room.desk.state("A/1") == "ACCEPTED"
    assert room.generates == 1
    assert room.statuses() == ["status.in_doubt", "status.generation_success"]


async def test_no_look_up_comes_before_a_late_call_can_no_longer_arrive(room: Room) -> None:
    room.sandbox.obey(Order(drop_answer_after_commit=1))
    await room.arrive()
    await room.send()

    room.desk.later(89)
    await room.resolve()

    assert room.sandbox.calls["by_document"] == 0
    assert await room.desk.state("A/1") == "UNKNOWN"


async def test_a_call_that_never_arrived_is_sent_again_after_two_look_ups_a_minute_apart(room: Room) -> None:
    next_fails(room, hang_up=True)
    await room.arrive()
    await room.send()
    room.desk.later(91)
    await room.resolve()
    after_one = await room.desk.state("A/1")
    room.desk.later(61)
    await room.resolve()

    await room.send()

    assert after_one == "UNKNOWN"
    assert await room.desk.state("A/1") == "ACCEPTED"
    assert await room.desk.ledger("A/1") == [
        "INTENT", "UNKNOWN", "NOT_THERE", "NOT_THERE", "INTENT", "ACCEPTED",
    ]  # fmt: skip


async def test_a_look_up_that_fails_in_between_starts_the_count_anew(room: Room) -> None:
    next_fails(room, hang_up=True)
    await room.arrive()
    await room.send()
    room.desk.later(91)
    await room.resolve()
    next_fails(room, call="by_document", http_status=502)
    room.desk.later(61)
    await room.resolve()

    room.desk.later(61)
    await room.resolve()

    assert await room.desk.state("A/1") == "UNKNOWN"


@pytest.mark.parametrize("code", ["2143", "2145", "2226", "2283", "3001"])
async def test_other_refusals_of_a_look_up_decide_nothing(room: Room, code: str) -> None:
    next_fails(room, hang_up=True)
    await room.arrive()
    await room.send()

    for _ in range(4):
        next_fails(room, call="by_document", code=code)
        room.desk.later(91)
        await room.resolve()

    assert await room.desk.state("A/1") == "UNKNOWN"


async def test_a_look_up_with_a_revoked_token_logs_in_anew_the_next_time(room: Room) -> None:
    room.sandbox.obey(Order(drop_answer_after_commit=1))
    await room.arrive()
    await room.send()
    room.sandbox.obey(Order(revoke_tokens=True))

    for _ in range(2):
        room.desk.later(91)
        await room.resolve()

    assert await room.desk.state("A/1") == "ACCEPTED"
    assert room.generates == 1


async def test_not_there_proves_nothing_when_the_portal_may_have_forgotten(room: Room) -> None:
    next_fails(room, hang_up=True)
    await room.arrive()
    await room.send()

    room.desk.later(41 * 3600)
    await room.resolve()
    room.desk.later(61)
    await room.resolve()

    assert await room.desk.state("A/1") == "UNKNOWN"


async def test_a_duplicate_that_is_ours_is_adopted(room: Room) -> None:
    await room.arrive()
    await room.send()
    await room.desk.store.fetch("truncate irnflow.registration, irnflow.registration_request, irnflow.attempt")

    await room.arrive(batch=2)
    await room.send()

    assert await room.desk.state("A/1") == "ACCEPTED"
    assert room.said("register_success_queue")[0]["SignedQr"] == room.said("register_success_queue")[1]["SignedQr"]


@pytest.mark.parametrize("failure", [{"http_status": 429}, {"hang_up": True}])
async def test_a_duplicate_whose_look_up_fails_is_in_doubt_and_not_sent_again(
    room: Room, failure: dict[str, Any]
) -> None:
    await room.arrive()
    await room.send()
    await room.desk.store.fetch("truncate irnflow.registration, irnflow.registration_request, irnflow.attempt")
    await room.arrive(batch=2)
    next_fails(room, call="by_irn", **failure)

    await room.send()

    assert await room.desk.state("A/1") == "UNKNOWN"
    assert room.generates == 2


async def test_a_duplicate_with_other_contents_is_a_failure_that_names_the_fields(room: Room) -> None:
    await room.arrive()
    await room.send()
    await room.desk.store.fetch("truncate irnflow.registration, irnflow.registration_request, irnflow.attempt")

    await room.arrive(payload=invoice(PrdDesc="Wheat"), batch=2)
    await room.send()

    failed = room.said("invalid_generation_queue")[0]
    assert failed["Cause"] == "registration.differs"
    assert [fault["path"] for fault in failed["Faults"]] == ["ItemList[0].PrdDesc"]


async def test_a_request_with_other_contents_than_the_registered_counts_as_told_of_a_refusal(room: Room) -> None:
    await room.arrive()
    await room.send()
    await room.arrive(payload=invoice(PrdDesc="Wheat"), batch=2)

    await tell(room.parts, await room.desk.untold())

    told = await room.desk.store.fetch("select told::text from irnflow.registration_request order by batch_id")
    assert [row["told"] for row in told] == ["ACCEPTED", "REJECTED"]


async def test_a_duplicate_too_old_to_fetch_is_accepted_without_its_signed_document(room: Room) -> None:
    await room.arrive()
    await room.send()
    await room.desk.store.fetch("truncate irnflow.registration, irnflow.registration_request, irnflow.attempt")
    room.desk.later(49 * 3600)

    await room.arrive(batch=2)
    await room.send()

    rows = await room.desk.store.fetch("select state::text, signed_qr, verified from irnflow.registration")
    assert [dict(row) for row in rows] == [{"state": "ACCEPTED", "signed_qr": None, "verified": None}]


async def test_a_revoked_token_costs_one_login_and_one_repetition(room: Room) -> None:
    await room.arrive()
    await room.send()
    room.sandbox.obey(Order(revoke_tokens=True))

    await room.arrive("A/2")
    await room.send()

    assert await room.desk.state("A/2") == "ACCEPTED"
    assert (room.generates, room.sandbox.calls["auth"]) == (3, 2)


async def test_a_token_refused_twice_stops_the_queue_of_its_gstin(room: Room) -> None:
    next_fails(room, n=2, code="1005")
    await room.arrive()

    await room.send()

    assert "1005" in (await room.desk.stopped() or "")
    assert await room.desk.state("A/1") == "READY"


async def test_a_login_that_the_portal_puts_off_stops_nobody(room: Room) -> None:
    next_fails(room, call="auth", code="3043")
    await room.arrive()

    await room.send()

    assert await room.desk.stopped() is None
    assert await room.desk.state("A/1") == "READY"


async def test_no_call_begins_that_could_outlast_its_lease(room: Room) -> None:
    await room.arrive()
    leased = msgspec.structs.replace(leased_of((await room.desk.lease())[0]), begin_by=NOON)
    room.desk.later(1)

    result = await generate(room.parts, leased)

    assert (result.outcome, room.generates) == ("NOT_DONE", 0)


async def test_a_wrong_password_stops_the_queue_after_one_login(room: Room) -> None:
    next_fails(room, call="auth", code="1019")
    await room.arrive()

    await room.send()
    await room.send()

    assert room.sandbox.calls["auth"] == 1
    assert await room.desk.state("A/1") == "READY"


@pytest.mark.parametrize("status", [401, 403, 429])
async def test_what_the_gateway_turns_away_is_sent_again_without_doubt(room: Room, status: int) -> None:
    next_fails(room, http_status=status)
    await room.arrive()
    await room.send()

    room.desk.later(61)
    await room.send()

    assert await room.desk.ledger("A/1") == ["INTENT", "NOT_DONE", "INTENT", "ACCEPTED"]


@pytest.mark.parametrize("failure", [{"http_status": 500}, {"http_status": 404}, {"code": "5001"}, {"hang_up": True}])
async def test_whatever_may_have_been_done_is_in_doubt(room: Room, failure: dict[str, Any]) -> None:
    next_fails(room, **failure)
    await room.arrive()

    await room.send()

    assert await room.desk.state("A/1") == "UNKNOWN"


async def test_a_code_that_nobody_knows_is_looked_up_once_then_refused_without_the_ledger(room: Room) -> None:
    next_fails(room, code="7777")
    await room.arrive()
    await room.send()

    await room.arrive(batch=2)
    await room.send()

    assert "look into the portal's own list" in room.said("invalid_generation_queue")[0]["Fix"]
    assert room.sandbox.calls["by_irn"] == 1
    assert await room.desk.state("A/1") == "ACCEPTED"


async def test_a_document_signed_with_an_unknown_key_is_accepted_and_marked(room: Room) -> None:
    room.parts.portals["NIC1"].keys.clear()  # type: ignore[attr-defined]
    await room.arrive()

    await room.send()

    assert await room.desk.state("A/1") == "ACCEPTED"
    assert "could not be checked" in room.said("status_queue")[0]["Detail"]["says"]


async def test_a_bad_signature_is_kept_in_doubt_and_never_told_as_success(room: Room, identity: Identity) -> None:
    keys = room.parts.portals["NIC1"].keys
    kid = next(iter(keys))
    keys[kid] = identity.auth_key.public_key()  # type: ignore[index]
    await room.arrive()

    await room.send()

    row = (
        await room.desk.store.fetch(
            "select state::text, verified, signed_qr is not null as kept from irnflow.registration"
        )
    )[0]
    assert dict(row) == {"state": "UNKNOWN", "verified": False, "kept": True}
    assert room.said("register_success_queue") == []


async def test_the_whole_service_takes_requests_from_its_queue_to_success(room: Room) -> None:
    running = asyncio.create_task(registration.run(room.parts))
    request = publication(validated("A/1", invoice()))

    async with room.broker.connect("validation") as bus:
        await bus.publish([request])
        await _until(lambda: room.said("register_success_queue"))

    running.cancel()
    await asyncio.gather(running, return_exceptions=True)
    assert room.broker.ready("validation_success_queue") == []
    assert room.generates == 1


async def _until(condition: Callable[[], object], deadline_s: float = 20) -> None:
    async with asyncio.timeout(deadline_s):
        while not condition():  # noqa: ASYNC110 (the broker in memory tells nobody)
            await asyncio.sleep(0.01)


async def test_a_refusal_that_is_settled_after_the_credentials_were_mended_stops_nobody(room: Room) -> None:
    next_fails(room, call="auth", code="1019")
    await room.arrive()
    leased = leased_of((await room.desk.lease())[0])
    refused = await generate(room.parts, leased)
    await set_credentials(room.desk, room.sandbox.identity)

    await settle(room.parts, [refused])
    room.desk.later(61)
    await room.send()

    assert await room.desk.state("A/1") == "ACCEPTED"
