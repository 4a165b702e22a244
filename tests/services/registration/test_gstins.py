"""GSTINs against the sandbox portal: asked for by people, and synchronised by a registration."""

import json
from datetime import timedelta

import pytest

from irnflow.portal.envelope import Said
from irnflow.sandbox.switches import Failure, Order
from irnflow.services.registration.gstins import ask, is_fit, parties_meant
from irnflow.store import lifecycle
from irnflow.store.database import Row
from tests.services.registration.conftest import GSTIN, Room, invoice

BUYER = "29AWGPV7107B1Z1"
SHIP_TO = "29ZZNCT6615K1ZK"
DAY = timedelta(days=1)


async def want(
    room: Room, gstin: str = BUYER, *, sync: bool = False, max_age: timedelta = DAY, account: int = 1
) -> Row:
    return await lifecycle.want_gstin(room.desk.store, account, gstin, sync=sync, max_age=max_age, at=room.desk.at)


async def test_details_are_asked_for_once_and_then_known_with_their_age(room: Room) -> None:
    first = await want(room)
    await ask(room.parts)
    room.desk.later(3600)

    second = await want(room)

    assert (first["details"], first["wanted_at"]) == (None, room.desk.at - timedelta(hours=1))
    assert json.loads(second["details"])["Status"] == "ACT"
    assert (second["fetched_at"], second["wanted_at"]) == (room.desk.at - timedelta(hours=1), None)
    assert room.sandbox.calls["gstin"] == 1


async def test_details_that_are_too_old_are_asked_for_again_and_shown_meanwhile(room: Room) -> None:
    await want(room)
    await ask(room.parts)
    room.desk.later(3600)

    stale = await want(room, max_age=timedelta(minutes=30))

    assert stale["details"] is not None
    assert stale["wanted_at"] == room.desk.at


async def test_a_gstin_that_the_portal_does_not_know_says_so_and_is_not_asked_for_all_the_time(room: Room) -> None:
    room.sandbox.obey(Order(fail_next=Failure(call="gstin", code="3001")))
    await want(room)
    await ask(room.parts)

    again = await want(room)

    assert (again["details"], again["wanted_at"]) == (None, None)
    assert again["says"].startswith("3001 ")


async def test_what_is_known_stays_known_when_the_portal_is_away(room: Room) -> None:
    await want(room)
    await ask(room.parts)
    room.desk.later(2 * 86400)
    room.sandbox.obey(Order(fail_next=Failure(call="gstin", http_status=502)))
    await want(room)

    await ask(room.parts)

    known = await lifecycle.gstin(room.desk.store, BUYER)
    assert json.loads(known["details"])["Gstin"] == BUYER
    assert "502" in known["says"]


async def test_an_account_that_cannot_log_in_is_told_so(room: Room) -> None:
    await room.desk.store.fetch("insert into irnflow.account (name, created_at) values ('them', $1)", room.desk.at)
    await want(room, account=2)

    await ask(room.parts)

    assert (await lifecycle.gstin(room.desk.store, BUYER))["says"].startswith("The account has no GSTIN")


async def test_a_synchronisation_is_asked_for_by_name(room: Room) -> None:
    await want(room, sync=True)

    await ask(room.parts)

    assert (room.sandbox.calls["sync_gstin"], room.sandbox.calls["gstin"]) == (1, 0)


@pytest.mark.parametrize("code", ["3001", "3028", "3029"])
async def test_a_buyer_whom_the_portal_does_not_know_yet_is_synchronised_and_the_document_sent_once_more(
    room: Room, code: str
) -> None:
    room.sandbox.obey(Order(stale_gstins={BUYER: code}))  # type: ignore[dict-item]
    await room.arrive()

    await room.send()

    assert await room.desk.state("A/1") == "ACCEPTED"
    assert room.generates == 2
    assert room.sandbox.calls["sync_gstin"] >= 1


async def test_only_the_gstin_that_the_refusal_names_is_synchronised(room: Room) -> None:
    room.sandbox.obey(Order(stale_gstins={BUYER: "3028"}))
    await room.arrive()

    await room.send()

    assert await room.desk.state("A/1") == "ACCEPTED"
    assert room.sandbox.calls["sync_gstin"] == 1


async def test_a_buyer_who_is_not_active_even_then_is_a_fault_in_clear_words(room: Room) -> None:
    room.sandbox.obey(
        Order(stale_gstins={BUYER: "3029"}, fail_next=Failure(call="sync_gstin", code="3001", n=2))
    )  # fmt: skip
    await room.arrive()

    await room.send()

    failed = room.said("invalid_generation_queue")[0]
    fault = next(each for each in failed["Faults"] if each["path"] == "BuyerDtls.Gstin")
    assert failed["Cause"] == "portal.3029"
    assert fault["says"].startswith(
        f"GSTIN {BUYER}, the recipient's, was synchronised with the common portal; there is no word of it there"
    )
    assert room.generates == 1


def shipped_to(gstin: str) -> bytes:
    document = json.loads(invoice())
    place = {name: value for name, value in document["BuyerDtls"].items() if name != "Pos"}
    return json.dumps(document | {"ShipDtls": place | {"Gstin": gstin}}).encode()


async def test_a_ship_to_party_whom_the_portal_has_as_inactive_is_synchronised_too(room: Room) -> None:
    room.sandbox.obey(Order(stale_gstins={SHIP_TO: "3029"}))
    await room.arrive(payload=shipped_to(SHIP_TO))

    await room.send()

    assert await room.desk.state("A/1") == "ACCEPTED"
    assert (room.generates, room.sandbox.calls["sync_gstin"]) == (2, 1)


async def test_a_refusal_without_a_gstin_synchronises_every_party(room: Room) -> None:
    room.sandbox.obey(Order(fail_next=Failure(call="generate", code="3029")))
    await room.arrive(payload=shipped_to(SHIP_TO))

    await room.send()

    assert await room.desk.state("A/1") == "ACCEPTED"
    assert (room.generates, room.sandbox.calls["sync_gstin"]) == (2, 3)


async def test_an_inactive_ship_to_party_is_named_and_the_supplier_not_blamed(room: Room) -> None:
    room.sandbox.obey(
        Order(stale_gstins={SHIP_TO: "3029"}, fail_next=Failure(call="sync_gstin", code="3001", n=1))
    )  # fmt: skip
    await room.arrive(payload=shipped_to(SHIP_TO))

    await room.send()

    (fault,) = room.said("invalid_generation_queue")[0]["Faults"]
    assert (fault["path"], fault["portal_code"]) == ("ShipDtls.Gstin", "3029")
    assert f"GSTIN {SHIP_TO}, the ship-to party's" in fault["says"]
    assert "Correct the ship-to GSTIN or leave it out" in fault["fix"]
    assert "supplier" not in fault["says"] + fault["fix"]


@pytest.mark.parametrize(
    ("ship_to", "meant"),
    [
        (SHIP_TO, {"SellerDtls.Gstin", "BuyerDtls.Gstin", "ShipDtls.Gstin"}),
        (BUYER, {"SellerDtls.Gstin", "BuyerDtls.Gstin"}),
        (GSTIN, {"SellerDtls.Gstin", "BuyerDtls.Gstin"}),
        ("URP", {"SellerDtls.Gstin", "BuyerDtls.Gstin"}),
    ],
)
def test_each_gstin_is_synchronised_once_for_the_party_that_must_be_fit(ship_to: str, meant: set[str]) -> None:
    assert set(parties_meant(shipped_to(ship_to), [Said(code="3029", text="inactive")])) == meant


@pytest.mark.parametrize(
    ("path", "status", "fit"),
    [
        ("BuyerDtls.Gstin", "ACT", True),
        ("BuyerDtls.Gstin", "SUS", True),
        ("SellerDtls.Gstin", "SUS", False),
        ("BuyerDtls.Gstin", "CNL", False),
        ("BuyerDtls.Gstin", "", False),
    ],
)
def test_who_is_suspended_may_receive_but_not_supply(path: str, status: str, fit: bool) -> None:
    assert is_fit(path, status) is fit


async def test_a_synchronisation_that_fails_on_the_way_leaves_the_document_to_be_sent_again(room: Room) -> None:
    room.sandbox.obey(
        Order(stale_gstins={BUYER: "3029"}, fail_next=Failure(call="sync_gstin", http_status=502, n=1))
    )  # fmt: skip
    await room.arrive()
    await room.send()
    after_one = await room.desk.state("A/1")

    room.desk.later(61)
    await room.send()

    assert after_one == "READY"
    assert await room.desk.state("A/1") == "ACCEPTED"
