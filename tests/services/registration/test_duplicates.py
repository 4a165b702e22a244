"""What a duplicate comes to, wherever it is registered: adopted when it is ours, else told in words of its own."""

import os
from typing import Any

import msgspec
import pytest

from irnflow.portal.client import Reply, Request
from irnflow.portal.several import Line, Portals
from irnflow.sandbox.switches import Order
from irnflow.services.registration.sender import generate, leased_of, settle
from irnflow.services.registration.sessions import Sessions
from tests.services.registration.conftest import KEY, NOON, Room, invoice, irn_of, next_fails, set_credentials

IRN = irn_of("A/1")


def with_second(room: Room, *, family: str = "NIC") -> Room:
    """The same room, with a second portal that the sandbox has below /nic2."""
    first = room.parts.portals.preferred

    async def send(request: Request) -> Reply:
        other = msgspec.structs.replace(request, path=f"/nic2{request.path}")
        return await first.portal._send(other)

    portal = type(first.portal)(send, first.portal._auth_key)
    second = Line(name="NIC2", family=family, portal=portal, keys=first.keys)
    sessions = dict(room.parts.sessions)
    if family != first.family:
        sessions[family] = Sessions(
            portal, room.desk.store, name=family, key=KEY, now=lambda: room.desk.at,
            random_bytes=os.urandom,
        )  # fmt: skip
    parts = msgspec.structs.replace(room.parts, portals=Portals([first, second]), sessions=sessions)
    return Room(room.desk, room.broker, room.sandbox, parts)


async def registered_elsewhere(room: Room, payload: bytes | None = None) -> None:
    """Somebody registered A/1 with the second portal, and we know nothing of it."""
    await set_credentials(room.desk, room.sandbox.identity, room.parts.portals["NIC2"].family)
    await room.arrive(payload=payload)
    [row] = await room.desk.lease()
    second = msgspec.structs.replace(leased_of(row), portal="NIC2")
    await settle(room.parts, [await generate(room.parts, second)])
    await forget(room)


async def forget(room: Room) -> None:
    await room.desk.store.fetch("truncate irnflow.registration, irnflow.registration_request, irnflow.attempt")


async def portal_of(room: Room) -> str:
    return str((await room.desk.store.fetch("select portal from irnflow.registration"))[0]["portal"])


@pytest.mark.parametrize("family", ["NIC", "Other"])
async def test_what_another_of_our_portals_registered_is_fetched_there_and_adopted(room: Room, family: str) -> None:
    both = with_second(room, family=family)
    await registered_elsewhere(both)

    await both.arrive(batch=2)
    await both.send()

    assert await both.desk.state("A/1") == "ACCEPTED"
    assert await portal_of(both) == "NIC2"
    assert both.sandbox.refusals["2295"] == 1
    assert both.sandbox.register.counts()["documents"] == 1


async def test_what_another_of_our_portals_has_with_other_contents_is_a_failure_that_lists_them(room: Room) -> None:
    both = with_second(room)
    await registered_elsewhere(both, invoice(PrdDesc="Wheat"))

    await both.arrive(batch=2)
    await both.send()

    failed = both.said("invalid_generation_queue")[0]
    assert failed["Cause"] == "registration.differs"
    assert [(fault["path"], fault["says"]) for fault in failed["Faults"]] == [
        ("ItemList[0].PrdDesc", '"Rice" here, "Wheat" at the portal')
    ]


async def test_what_none_of_our_portals_has_is_a_failure_that_says_what_to_do(room: Room) -> None:
    next_fails(room, code="2295")
    await room.arrive()

    await room.send()

    failed = room.said("invalid_generation_queue")[0]
    assert failed["Cause"] == "registration.elsewhere"
    assert (
        failed["Says"]
        == f"The document number A/1 is already registered at a portal that irnflow can't ask (IRN {IRN})."
    )
    assert "add that portal" in failed["Fix"]
    assert await room.desk.ledger("A/1") == ["INTENT", "UNLISTED"]


async def test_registered_elsewhere_is_not_told_before_every_portal_has_answered(room: Room) -> None:
    both = with_second(room)
    await registered_elsewhere(both)
    await both.arrive(batch=2)
    next_fails(both, call="by_irn", hang_up=True, n=2)

    await both.send()
    in_between = await both.desk.state("A/1")
    both.desk.later(91)
    await both.resolve()

    assert in_between == "UNKNOWN"
    assert await both.desk.state("A/1") == "ACCEPTED"
    assert await portal_of(both) == "NIC2"


async def test_not_there_counts_only_when_every_portal_of_the_family_says_so(room: Room) -> None:
    both = with_second(room)
    next_fails(both, hang_up=True)
    await both.arrive()
    await both.send()

    for _ in range(3):
        next_fails(both, call="by_document", hang_up=True)  # the first portal's; the other says "not there"
        both.desk.later(600)
        await both.resolve()

    assert await both.desk.state("A/1") == "UNKNOWN"
    assert "NOT_THERE" not in await both.desk.ledger("A/1")


async def test_a_look_up_finds_what_the_other_portal_of_the_family_has(room: Room) -> None:
    both = with_second(room)
    await registered_elsewhere(both)
    await both.arrive(batch=2)
    next_fails(both, hang_up=True)
    await both.send()

    both.desk.later(91)
    await both.resolve()

    assert await both.desk.state("A/1") == "ACCEPTED"
    assert await portal_of(both) == "NIC2"


async def test_a_document_goes_again_only_to_the_portal_that_may_have_it(room: Room) -> None:
    both = with_second(room)
    next_fails(both, hang_up=True)
    await both.arrive()
    await both.send()
    for _ in range(2):
        both.desk.later(91)
        await both.resolve()

    await both.send()

    assert await both.desk.state("A/1") == "ACCEPTED"
    assert await portal_of(both) == "NIC1"


@pytest.mark.parametrize(
    "infos",
    [
        [{"InfCd": "EWBPPD", "Desc": "Pin-Pin calc distance: 9KM"}, {"InfCd": "DUPIRN", "Desc": {"Irn": IRN}}],
        [{"infCd": "DUPIRN", "desc": {"irn": "0" * 64}}, {"infCd": "dupirn", "desc": {"IRN": IRN.upper(), "ACKNO": 7}}],
        [{"InfCd": "DUPIRN", "Desc": "none"}],
        None,
    ],
    ids=["several entries", "of several IRNs, in another case", "an entry that can't be read", "no entry"],
)
async def test_a_duplicate_is_adopted_however_it_is_told(room: Room, infos: Any) -> None:
    await room.arrive()
    await room.send()
    await forget(room)
    said = {"Status": 0, "ErrorDetails": [{"ErrorCode": "2150", "ErrorMessage": ""}], "InfoDtls": infos}
    await room.arrive(batch=2)

    await send_and_hear(room, said)

    assert await room.desk.state("A/1") == "ACCEPTED"
    assert len(room.said("register_success_queue")[1]["SignedQr"]) > 100


async def test_a_duplicate_too_old_to_fetch_keeps_what_the_portal_told_of_our_irn(room: Room) -> None:
    await room.arrive()
    await room.send()
    await forget(room)
    room.desk.later(49 * 3600)
    infos = [{"InfCd": "DUPIRN", "Desc": {"irn": IRN, "AckNo": 162010000001700, "ackDt": "2020-08-08 11:23:00"}}]
    said = {"Status": 0, "ErrorDetails": [{"ErrorCode": "2150", "ErrorMessage": ""}], "InfoDtls": infos}
    await room.arrive(batch=2)

    await send_and_hear(room, said)

    [row] = await room.desk.store.fetch("select state::text, ack_no, ack_dt, signed_qr from irnflow.registration")
    assert dict(row) == {
        "state": "ACCEPTED", "ack_no": "162010000001700", "ack_dt": "2020-08-08 11:23:00", "signed_qr": None,
    }  # fmt: skip


async def send_and_hear(room: Room, said: dict[str, Any]) -> None:
    """Send, and let the portal answer this."""
    [row] = await room.desk.lease()
    line = room.parts.portals.preferred
    send = line.portal._send

    async def answered(request: Request) -> Reply:
        if request.method == "POST" and request.path.endswith("/Invoice"):
            return Reply(status=200, headers={}, body=msgspec.json.encode(said))
        return await send(request)

    other = msgspec.structs.replace(line, portal=type(line.portal)(answered, line.portal._auth_key))
    parts = msgspec.structs.replace(room.parts, portals=Portals([other]))
    await settle(parts, [await generate(parts, leased_of(row))])


async def test_a_portal_that_said_duplicate_is_never_believed_that_it_is_not_there(room: Room) -> None:
    next_fails(room, code="2150")
    await room.arrive()
    await room.send()

    for _ in range(6):
        room.desk.later(3700)
        await room.resolve()

    assert await room.desk.state("A/1") == "UNKNOWN"
    assert room.generates == 1


async def test_a_duplicate_in_doubt_is_accepted_when_it_has_become_too_old_to_fetch(room: Room) -> None:
    await room.arrive()
    await room.send()
    await forget(room)
    await room.arrive(batch=2)
    next_fails(room, call="by_irn", hang_up=True)
    await room.send()

    room.desk.later(49 * 3600)
    await room.resolve()

    assert await room.desk.state("A/1") == "ACCEPTED"
    [row] = await room.desk.store.fetch("select ack_no, signed_qr from irnflow.registration")
    assert (len(row["ack_no"]), row["signed_qr"]) == (15, None)


async def test_what_was_cancelled_meanwhile_is_a_number_that_is_spent(room: Room) -> None:
    room.sandbox.obey(Order(drop_answer_after_commit=1))
    await room.arrive()
    await room.send()
    room.sandbox.register.cancel(IRN, at=NOON, reason="1", remark=None)

    room.desk.later(91)
    await room.resolve()

    failed = room.said("invalid_generation_queue")[0]
    assert (failed["Cause"], failed["Says"]) == (
        "portal.2278",
        "The document number A/1 belongs to a cancelled e-invoice and can never be used again.",
    )


async def test_a_spent_number_is_not_sent_again_with_other_contents_either(room: Room) -> None:
    next_fails(room, code="2278")
    await room.arrive()
    await room.send()

    await room.arrive(payload=invoice(PrdDesc="Wheat"), batch=2)
    await room.send()
    await room.resolve()

    assert room.generates == 1
    assert [told["Cause"] for told in room.said("invalid_generation_queue")] == ["portal.2278"] * 2


async def struck_off(room: Room, payload: bytes | None = None) -> None:
    """A/1 was with the second portal first, ours is in doubt, and is struck off by now."""
    room.sandbox.obey(Order(dedup_outage=True))
    await registered_elsewhere(room, payload)
    room.sandbox.obey(Order(drop_answer_after_commit=1))
    room.desk.later(10)
    await room.arrive(batch=2)
    await room.send()
    room.sandbox.obey(Order(dedup_outage=False))
    room.desk.later(91)


async def test_a_registration_that_was_struck_off_is_not_adopted(room: Room) -> None:
    await struck_off(with_second(room))

    await room.resolve()

    assert room.said("invalid_generation_queue")[0]["Cause"] == "registration.struck_off"


@pytest.mark.parametrize("family", ["NIC", "Other"])
async def test_where_ours_was_struck_off_the_one_that_another_of_our_portals_had_first_is_adopted(
    room: Room, family: str
) -> None:
    both = with_second(room, family=family)
    await struck_off(both)

    await both.resolve()

    [first, _] = both.sandbox.register.page()
    told = both.said("register_success_queue")[-1]
    assert (await both.desk.state("A/1"), await portal_of(both)) == ("ACCEPTED", "NIC2")
    assert (told["AckNo"], told["SignedQr"]) == (str(first.ack_no), first.signed_qr)


async def test_where_ours_was_struck_off_for_a_document_with_other_contents_they_are_listed(room: Room) -> None:
    both = with_second(room)
    await struck_off(both, invoice(PrdDesc="Wheat"))

    await both.resolve()

    failed = both.said("invalid_generation_queue")[0]
    assert failed["Cause"] == "registration.differs"
    assert failed["Faults"][0]["path"] == "ItemList[0].PrdDesc"


async def test_struck_off_is_not_told_before_the_other_portals_have_answered(room: Room) -> None:
    both = with_second(room, family="Other")
    await struck_off(both)
    next_fails(both, portal="NIC2", call="by_document", hang_up=True)

    await both.resolve()
    in_between = await both.desk.state("A/1")
    both.desk.later(600)
    await both.resolve()

    assert (in_between, await both.desk.state("A/1")) == ("UNKNOWN", "ACCEPTED")
