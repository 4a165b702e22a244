"""An account that is not in order refuses every document alike: one refused call stops its GSTIN."""

import asyncio

import pytest

from irnflow.portal.client import Answer, Credentials, Session
from irnflow.services.registration.sender import generate, leased_of, settle
from irnflow.store import steering
from tests.services.registration.conftest import GSTIN, Room, next_fails

VOUCHERS = 60


async def arrive(room: Room, n: int = VOUCHERS) -> None:
    for number in range(n):
        await room.arrive(f"A/{number}")


async def send_at_once(room: Room) -> None:
    """Lease all that may go, and make the calls side by side."""
    calls = [generate(room.parts, leased_of(row)) for row in await room.desk.lease(VOUCHERS)]
    await settle(room.parts, await asyncio.gather(*calls))


@pytest.mark.parametrize("code", ["3026", "2300", "3033", "1020"])
async def test_sixty_vouchers_of_an_account_out_of_order_cost_one_refused_call(room: Room, code: str) -> None:
    next_fails(room, n=VOUCHERS, call="generate", code=code)
    await arrive(room)

    await send_at_once(room)
    await send_at_once(room)

    assert room.generates == 1
    assert {await room.desk.state(f"A/{number}") for number in range(VOUCHERS)} == {"READY"}


async def test_the_reason_names_the_code_and_how_to_go_on(room: Room) -> None:
    next_fails(room, call="generate", code="3026")
    await arrive(room, 1)

    await send_at_once(room)

    reason = await room.desk.stopped() or ""
    assert "3026" in reason
    assert "einvoice1.gst.gov.in" in reason
    assert reason.endswith(f"irnflow resume gstin {GSTIN}")


async def test_a_resumed_gstin_sends_all_that_waited(room: Room) -> None:
    next_fails(room, call="generate", code="3026")
    await arrive(room)
    await send_at_once(room)

    await steering.resume_gstin(room.desk.store, 1, GSTIN)
    room.desk.later(60)
    await send_at_once(room)

    assert {await room.desk.state(f"A/{number}") for number in range(VOUCHERS)} == {"ACCEPTED"}
    assert room.generates == 1 + VOUCHERS


async def test_a_gstin_that_is_refused_later_stops_what_has_not_begun(room: Room) -> None:
    await arrive(room)
    first, *rest = [leased_of(row) for row in await room.desk.lease(VOUCHERS)]
    await settle(room.parts, [await generate(room.parts, first)])
    next_fails(room, n=VOUCHERS, call="generate", code="3026")

    for leased in rest:
        await settle(room.parts, [await generate(room.parts, leased)])

    assert room.generates == 2


async def test_after_the_first_answer_calls_go_side_by_side(room: Room) -> None:
    await arrive(room, 8)
    honest = room.parts.portals["NIC1"].portal.generate
    calls, others = 0, asyncio.Barrier(7)

    async def met(credentials: Credentials, session: Session, payload: bytes) -> Answer:
        nonlocal calls
        calls += 1
        if calls > 1:
            await asyncio.wait_for(others.wait(), 10)
        return await honest(credentials, session, payload)

    room.parts.portals["NIC1"].portal.generate = met  # type: ignore[method-assign]
    await send_at_once(room)

    assert {await room.desk.state(f"A/{number}") for number in range(8)} == {"ACCEPTED"}


async def test_a_refused_document_does_not_stop_the_others(room: Room) -> None:
    next_fails(room, call="generate", code="2182")
    await arrive(room, 8)

    await send_at_once(room)

    states = [await room.desk.state(f"A/{number}") for number in range(8)]
    assert (states.count("REJECTED"), states.count("ACCEPTED")) == (1, 7)
