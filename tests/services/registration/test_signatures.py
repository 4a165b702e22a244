"""What the portal signs, checked: bad ones, contents that aren't ours, and keys that come later."""

import copy
import hashlib
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
import pytest

from irnflow import metrics
from irnflow.portal.signing_keys import read_keys
from irnflow.sandbox.identity import Identity, open_identity
from irnflow.sandbox.signing import Signer
from irnflow.services.registration.teller import tell
from irnflow.services.registration.verifier import verify
from tests.services.registration.conftest import NOON, Room, irn_of, next_fails


class Lying:
    """Signs something else than it should."""

    def __init__(self, signer: Signer, change: Callable[[dict[str, Any]], None]) -> None:
        self._signer = signer
        self._change = change
        self.kid = signer.kid

    def sign(self, data: dict[str, Any]) -> str:
        told = copy.deepcopy(data)
        self._change(told)
        return self._signer.sign(told)


def signs_with(room: Room, signer: Any) -> None:
    office = room.sandbox._office
    office.identity = msgspec.structs.replace(office.identity, signer=signer)


def lies(room: Room, identity: Identity, change: Callable[[dict[str, Any]], None]) -> None:
    signs_with(room, Lying(identity.signer, change))


@pytest.fixture
def rotated(room: Room, tmp_path: Path) -> Path:
    """The portal signs with a new key; its certificate, which nobody has yet."""
    identity = open_identity(tmp_path / "new", now=NOON, random_bytes=os.urandom)
    signs_with(room, identity.signer)
    return tmp_path / "new" / "signing_keys" / f"{identity.signer.kid}.pem"


def comes(room: Room, certificate: Path) -> None:
    """The key is laid into the folder."""
    room.parts.portals["NIC1"].keys.update(read_keys(certificate.parent))  # type: ignore[attr-defined]


async def document(room: Room) -> dict[str, Any]:
    sql = "select state::text, verified, ack_dt, signed_qr is not null as has_qr, distrust from irnflow.registration"
    return dict((await room.desk.store.fetch(sql))[0])


async def tell_all(room: Room) -> None:
    await tell(room.parts, await room.desk.untold())


def details(room: Room) -> list[str]:
    return [said["Detail"].get("says", "") for said in room.said("status_queue")]


def in_qr(name: str, value: Any) -> Callable[[dict[str, Any]], None]:
    return lambda data: data.__setitem__(name, value) if name in data and "ItemCnt" in data else None


def in_invoice(change: Callable[[dict[str, Any]], None]) -> Callable[[dict[str, Any]], None]:
    return lambda data: change(data) if "ItemList" in data else None


@pytest.mark.parametrize(
    ("field", "value"),
    [("SellerGstin", "27AAFCC9980M1ZV"), ("BuyerGstin", "URP"), ("DocNo", "B/9"), ("DocTyp", "CRN"),
     ("DocDt", "01/11/2026"), ("TotInvVal", 1), ("ItemCnt", 9), ("MainHsnCode", "9999"), ("Irn", "f" * 64),
     ("IrnDt", "2026-11-20 12:00:00")],
)  # fmt: skip
async def test_a_qr_code_that_says_something_else_is_kept_in_doubt_and_told_and_never_success(
    room: Room, identity: Identity, field: str, value: Any
) -> None:
    lies(room, identity, in_qr(field, value))
    await room.arrive()

    await room.send()

    found = await document(room)
    assert (found["state"], found["verified"], found["has_qr"]) == ("UNKNOWN", False, True)
    assert field in found["distrust"]
    assert room.statuses() == ["status.in_doubt"]
    assert "not believed" in details(room)[0]
    assert room.said("register_success_queue") == []


async def test_an_answer_with_another_irn_than_was_computed_is_kept_in_doubt_and_told_and_never_success(
    room: Room,
) -> None:
    next_fails(room, forge="irn")
    await room.arrive()

    await room.send()
    await room.send()

    found = await document(room)
    other = hashlib.sha256(irn_of("A/1").encode()).hexdigest()
    assert (found["state"], found["verified"], found["has_qr"]) == ("UNKNOWN", False, True)
    assert found["distrust"].endswith(f"it is about IRN {other}")
    assert room.statuses() == ["status.in_doubt"]
    assert details(room)[0].startswith("The portal's answer is kept, and not believed: ")
    assert room.said("register_success_queue") == []
    assert room.generates == 1


async def test_a_signed_invoice_about_another_irn_than_was_computed_is_kept_in_doubt(
    room: Room, identity: Identity
) -> None:
    lies(room, identity, in_invoice(lambda data: data.__setitem__("Irn", "f" * 64)))
    await room.arrive()

    await room.send()

    found = await document(room)
    assert (found["state"], found["verified"]) == ("UNKNOWN", False)
    assert found["distrust"].endswith(f"its signed text is about IRN {'f' * 64}")
    assert room.statuses() == ["status.in_doubt"]
    assert room.said("register_success_queue") == []


async def test_what_the_portal_says_when_it_is_asked_for_an_irn_that_was_told_wrong_is_taken(room: Room) -> None:
    next_fails(room, forge="irn")
    await room.arrive()
    await room.send()

    room.desk.later(3601)
    await room.resolve()

    assert (await document(room))["state"] == "ACCEPTED"
    assert [said["Irn"] for said in room.said("register_success_queue")] == [irn_of("A/1")]
    assert (room.generates, room.sandbox.register.counts()["documents"]) == (1, 1)


async def test_a_signed_invoice_with_other_contents_than_were_sent_is_kept_in_doubt(
    room: Room, identity: Identity
) -> None:
    lies(room, identity, in_invoice(lambda data: data["ItemList"][0].__setitem__("PrdDesc", "Wheat")))
    await room.arrive()

    await room.send()

    found = await document(room)
    assert (found["state"], found["verified"]) == ("UNKNOWN", False)
    assert 'ItemList[0].PrdDesc ("Wheat", not "Rice")' in found["distrust"]
    assert room.statuses() == ["status.in_doubt"]


async def test_a_sound_answer_to_a_look_up_takes_the_place_of_a_bad_one(room: Room, identity: Identity) -> None:
    keys = room.parts.portals["NIC1"].keys
    right = keys[identity.signer.kid]
    keys[identity.signer.kid] = identity.auth_key.public_key()  # type: ignore[index]
    await room.arrive()
    await room.send()
    keys[identity.signer.kid] = right  # type: ignore[index]

    room.desk.later(3601)
    await room.resolve()

    found = await document(room)
    assert (found["state"], found["verified"], found["distrust"]) == ("ACCEPTED", True, None)
    assert room.statuses() == ["status.in_doubt", "status.generation_success"]


async def test_a_document_whose_key_comes_later_is_verified_then_and_told_once_more(room: Room, rotated: Path) -> None:
    await room.arrive()
    room.desk.later(17)  # the answer's AckDt is rounded to the minute, the signed one is not
    await room.send()
    before = await document(room)
    early = await verify(room.parts)

    comes(room, rotated)
    await verify(room.parts)
    await tell_all(room)

    after = await document(room)
    assert (early, before["state"], before["verified"]) == (False, "ACCEPTED", None)
    assert (after["state"], after["verified"], after["ack_dt"]) == ("ACCEPTED", True, "2026-11-22 12:00:17")
    assert [said["AckDt"] for said in room.said("register_success_queue")] == [before["ack_dt"], after["ack_dt"]]
    assert details(room) == ["Registered; the portal's signature could not be checked yet.", ""]


async def test_the_alarm_counts_what_waits_for_its_key_until_it_comes(room: Room, rotated: Path) -> None:
    await room.arrive()
    await room.send()
    await verify(room.parts)
    waiting = metrics.unverified._value.get()

    comes(room, rotated)
    await verify(room.parts)
    await verify(room.parts)

    assert (waiting, metrics.unverified._value.get()) == (1, 0)


async def test_a_document_that_is_found_bad_when_its_key_comes_is_in_doubt_and_told(
    room: Room, rotated: Path, identity: Identity
) -> None:
    await room.arrive()
    await room.send()
    kid = rotated.stem

    room.parts.portals["NIC1"].keys[kid] = identity.auth_key.public_key()  # type: ignore[index]
    await verify(room.parts)
    await tell_all(room)
    await verify(room.parts)

    found = await document(room)
    assert (found["state"], found["verified"]) == ("UNKNOWN", False)
    assert f"does not match key {kid}" in found["distrust"]
    assert room.statuses() == ["status.generation_success", "status.in_doubt"]
    assert metrics.distrusted._value.get() == 1


async def test_verifying_goes_on_in_batches_until_all_are(
    room: Room, rotated: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("irnflow.services.registration.verifier._MOST", 2)
    for number in ("A/1", "A/2", "A/3"):
        await room.arrive(number)
    await room.send()
    comes(room, rotated)

    more = [await verify(room.parts) for _ in range(3)]

    assert more == [True, False, False]
    rows = await room.desk.store.fetch("select verified from irnflow.registration")
    assert [row["verified"] for row in rows] == [True, True, True]


async def test_old_keys_go_on_verifying_after_a_rotation(room: Room, identity: Identity, rotated: Path) -> None:
    comes(room, rotated)
    await room.arrive("A/1")
    await room.send()
    signs_with(room, identity.signer)
    await room.arrive("A/2")

    await room.send()

    rows = await room.desk.store.fetch("select verified from irnflow.registration")
    assert [row["verified"] for row in rows] == [True, True]
