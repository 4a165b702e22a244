"""`irnflow cancel` and `irnflow ewaybill`: what they ask for, what they say of it, and when they end with 1."""

import asyncio
from collections.abc import Awaitable

import msgspec
import pytest
import structlog

from irnflow.sandbox.switches import Order
from irnflow.store import lifecycle
from tests.commands.running import Ran, run
from tests.services.registration.conftest import (  # noqa: F401 (fixtures)
    Desk,
    Room,
    act,
    desk,
    identity,
    invoice,
    irn_of,
    next_fails,
    portal_folder,
    room,
)

IRN, OTHER = irn_of("A/1"), irn_of("A/2")
WHY = ("--reason", "2", "--remark", "wrong price")
LORRY = ("--distance", "60", "--mode", "1", "--vehicle", "KA01AB1234", "--vehicle-type", "R")


@pytest.fixture
async def registered(
    room: Room,  # noqa: F811
    database_url: str,
    monkeypatch: pytest.MonkeyPatch,
) -> Room:
    """Two documents at the portal, just registered by any clock, and commands that know where the store is."""
    monkeypatch.setenv("IRNFLOW_DATABASE_URL", database_url)
    monkeypatch.setenv("IRNFLOW_CANCEL_WINDOW_S", str(10 * 365 * 86_400))  # commands go by the real clock
    monkeypatch.setenv("IRNFLOW_EWAY_BILL_CANCEL_WINDOW_S", str(10 * 365 * 86_400))
    # What registration logs here would go between the lines of the command beside it.
    room.parts = msgspec.structs.replace(room.parts, log=structlog.wrap_logger(structlog.ReturnLogger()))
    await room.arrive("A/1")
    await room.arrive("A/2", invoice("A/2"))
    await room.send()
    room.desk.later(1)
    return room


async def irnflow(*words: str) -> Ran:
    return await asyncio.to_thread(run, *words)


async def asked(room: Room, command: Awaitable[Ran]) -> Ran:  # noqa: F811
    """What a command says that waits, while registration does what it asks for."""
    waiting = asyncio.ensure_future(command)
    while not waiting.done():
        await room.desk.store.fetch("update irnflow.action set next_at = $1 where state = 'READY'", room.desk.at)
        await act(room.parts)
        await asyncio.sleep(0.02)  # another thread's turn
    return waiting.result()


# -- cancel ----------------------------------------------------------------------------------------------------------


async def test_a_cancellation_is_waited_for_and_said_to_be_done(registered: Room) -> None:
    ran = await asked(registered, irnflow("cancel", IRN.upper(), *WHY))

    assert ran == Ran(0, f"{IRN}  action 1, cancel IRN: done\n")
    assert registered.sandbox.register.by_irn(IRN, "NIC1").status == "CNL"


async def test_several_irns_are_cancelled_at_once_and_each_is_said(registered: Room) -> None:
    ran = await asked(registered, irnflow("cancel", IRN, OTHER, IRN, *WHY))

    assert ran.code == 0
    assert sorted(ran.out.splitlines()) == sorted(
        [f"{min(IRN, OTHER)}  action 1, cancel IRN: done", f"{max(IRN, OTHER)}  action 2, cancel IRN: done"]
    )


async def test_one_that_does_not_wait_says_how_it_stands_and_ends_with_1(registered: Room) -> None:
    ran = await irnflow("cancel", IRN, *WHY, "--wait", "0")

    assert ran == Ran(1, f"{IRN}  action 1, cancel IRN: waits to be asked of the portal\n")


async def test_the_same_again_asks_the_portal_nothing_and_is_done(registered: Room) -> None:
    await asked(registered, irnflow("cancel", IRN, *WHY))

    again = await irnflow("cancel", IRN, *WHY)

    assert again == Ran(0, f"{IRN}  action 1, cancel IRN: done\n")
    assert registered.sandbox.calls["cancel"] == 1


async def test_what_is_refused_is_said_beside_what_is_done_and_ends_with_1(registered: Room) -> None:
    ran = await asked(registered, irnflow("cancel", "0" * 64, IRN, *WHY))

    assert ran == Ran(
        1, f"{IRN}  action 1, cancel IRN: done\n", f"{'0' * 64}  refused: The account has no such IRN.\n"
    )  # fmt: skip


async def test_what_the_portal_refuses_is_said_with_what_to_do(registered: Room) -> None:
    next_fails(registered, call="cancel", code="2270")

    ran = await asked(registered, irnflow("cancel", IRN, *WHY))

    first, then = ran.out.splitlines()
    assert ran.code == 1
    assert first.startswith(f"{IRN}  action 1, cancel IRN: failed: 2270 ")
    assert then == "    Issue a credit note, or amend the invoice in GSTR-1."


async def test_a_lost_answer_is_said_to_be_in_doubt(registered: Room) -> None:
    registered.sandbox.obey(Order(drop_answer_after_commit=1))

    ran = await asked(registered, irnflow("cancel", IRN, *WHY, "--wait", "2"))

    assert ran.code == 1
    assert ran.out == (
        f"{IRN}  action 1, cancel IRN: in doubt: the portal's answer was lost, and it is being looked up\n"
    )


async def test_why_it_is_cancelled_goes_to_the_portal(registered: Room) -> None:
    await asked(registered, irnflow("cancel", IRN, "--reason", "3", "--remark", "no sale"))

    entry = registered.sandbox.register.by_irn(IRN, "NIC1")
    assert (entry.cancel_reason, entry.cancel_remark) == ("3", "no sale")


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (("cancel", "12", *WHY), "is no IRN: it has 64 hexadecimal digits"),
        (
            ("cancel", IRN, "--reason", "9", "--remark", "x"),
            "9 is none; there are: 1 duplicate, 2 data entry",
        ),
        (("ewaybill", "cancel", IRN, "--reason", "-1", "--remark", "x"), "3 order cancelled, 4 others"),
        (("cancel", IRN, "--reason", "1"), "--remark"),
        (("cancel", IRN, "--reason", "1", "--remark", 'a "b"'), '1 to 100 printable characters without " and \\'),
        (("cancel", IRN, "--reason", "1", "--remark", "x" * 101), "1 to 100 printable characters"),
        (("cancel", *(f"{n:064x}" for n in range(1001)), *WHY), "at most 1000 at once"),
        (("ewaybill", "make", IRN, "--distance", "4001"), "0<=x<=4000"),
        (("ewaybill", "cancel", IRN, "--reason", "1", "--remark", "x" * 51), "1 to 50 printable characters"),
    ],
)
async def test_what_is_misused_is_said_and_asks_for_nothing(
    registered: Room, words: tuple[str, ...], says: str
) -> None:
    ran = await irnflow(*words)

    assert (ran.code, says in ran.err) == (2, True)
    assert await lifecycle.actions(registered.desk.store, 1, most=1) == []


# -- e-way bills -----------------------------------------------------------------------------------------------------


async def bill(room: Room) -> str:  # noqa: F811
    return str((await lifecycle.bills(room.desk.store, IRN))[0]["ewb_no"])


async def test_an_e_way_bill_is_made_and_its_number_said(registered: Room) -> None:
    ran = await asked(registered, irnflow("ewaybill", "make", IRN, *LORRY))

    said = f"{IRN}  action 1, make e-way bill {await bill(registered)}: done\n"
    assert (ran.code, ran.out) == (0, said)  # by the real clock the invoice may be old, which is said beside it


async def test_what_speaks_against_an_e_way_bill_is_said_and_the_portal_asked(registered: Room) -> None:
    by_rail = ("--distance", "60", "--mode", "2", "--document", "RR/17", "--document-date", "23/11/2026")

    ran = await asked(registered, irnflow("ewaybill", "make", IRN, *by_rail))

    assert f"{IRN}  warning: RR/17 is not a number of the railways as the e-way bill system takes it. [4042]" in ran.err
    assert (ran.code, "failed: 4042 Invalid RR number" in ran.out) == (1, True)


async def test_an_e_way_bill_for_an_old_invoice_is_warned_of_first(registered: Room) -> None:
    old = invoice("A/1").replace(b"22/11/2026", b"22/11/2025")
    await registered.desk.store.fetch("update irnflow.registration_request set payload = $1 where irn = $2", old, IRN)

    ran = await asked(registered, irnflow("ewaybill", "make", IRN, *LORRY))

    assert "the portal makes no e-way bill for one of more than 180 days. [4043]" in ran.err


async def test_an_e_way_bill_that_lacks_something_is_refused_in_the_portals_words(registered: Room) -> None:
    ran = await asked(registered, irnflow("ewaybill", "make", IRN, "--distance", "60", "--mode", "1"))

    assert (ran.code, "failed: 4011 Vehicle number" in ran.out) == (1, True)


async def test_an_e_way_bill_is_cancelled_by_itself(registered: Room) -> None:
    await asked(registered, irnflow("ewaybill", "make", IRN, *LORRY))

    ran = await asked(registered, irnflow("ewaybill", "cancel", IRN, *WHY))

    assert ran == Ran(0, f"{IRN}  action 2, cancel e-way bill {await bill(registered)}: done\n")


async def test_a_bill_that_was_made_elsewhere_is_fetched(registered: Room) -> None:
    await asked(registered, irnflow("ewaybill", "make", IRN, *LORRY))
    ewb_no = await bill(registered)
    await registered.desk.store.fetch("delete from irnflow.eway_bill")

    ran = await asked(registered, irnflow("ewaybill", "fetch", IRN))

    assert ran == Ran(0, f"{IRN}  action 2, fetch e-way bill {ewb_no}: done\n")
    assert await bill(registered) == ewb_no


async def test_an_irn_with_an_active_bill_is_not_cancelled_unless_both_are_meant(registered: Room) -> None:
    await asked(registered, irnflow("ewaybill", "make", IRN, *LORRY))
    ewb_no = await bill(registered)

    alone = await irnflow("cancel", IRN, *WHY)
    both = await asked(registered, irnflow("cancel", IRN, *WHY, "--eway-bill"))

    assert (alone.code, f"refused: E-way bill {ewb_no} is active" in alone.err) == (1, True)
    assert both == Ran(
        0,
        f"{IRN}  action 2, cancel e-way bill {ewb_no}: done\n{IRN}  action 3, cancel IRN: done\n",
    )


async def test_a_half_that_waits_names_its_first_half(registered: Room) -> None:
    await asked(registered, irnflow("ewaybill", "make", IRN, *LORRY))

    ran = await irnflow("cancel", IRN, *WHY, "--eway-bill", "--wait", "0")

    assert ran.code == 1
    assert f"{IRN}  action 3, cancel IRN: waits for its first half, action 2\n" in ran.out
