"""`irnflow doubts`: what is in doubt, and deciding about it, against a real store and a sandbox portal."""

import asyncio
import getpass
import io
import json
import re
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from rich.console import Console

from irnflow.commands import doubts
from irnflow.errors import BadInput
from irnflow.sandbox.switches import Failure, Order
from irnflow.store import lifecycle
from irnflow.store.lifecycle import Cancellation, Windows
from tests.commands.running import Ran, run
from tests.services.registration.conftest import (  # noqa: F401 (fixtures)
    Desk,
    Room,
    act,
    desk,
    identity,
    irn_of,
    portal_folder,
    room,
)

IRN = irn_of("A/1")


@pytest.fixture
async def unheard(
    room: Room,  # noqa: F811
    portal_folder: Path,  # noqa: F811
    database_url: str,
    monkeypatch: pytest.MonkeyPatch,
) -> Room:
    """In doubt for a week; the portal has it, and the commands know where all is."""
    monkeypatch.setenv("IRNFLOW_DATABASE_URL", database_url)
    monkeypatch.setenv("IRNFLOW_PORTAL_URL", "http://127.0.0.1:1")
    monkeypatch.setenv("IRNFLOW_PORTAL_SIGNING_KEYS", str(portal_folder / "signing_keys"))
    room.sandbox.obey(Order(drop_answer_after_commit=1))
    await room.arrive()
    await room.send()
    week_ago = datetime.now(UTC) - timedelta(days=7)
    await room.desk.store.fetch("update irnflow.registration set sent_at = $1::timestamptz", week_ago)
    return room


async def irnflow(*words: str) -> Ran:
    return await asyncio.to_thread(run, *words)


async def test_a_doubt_is_shown_with_its_age_its_reason_and_what_comes_next(unheard: Room) -> None:
    console = Console(file=io.StringIO(), width=200)

    await doubts.show(console, None)

    assert isinstance(console.file, io.StringIO)
    shown = console.file.getvalue()
    assert "7 days" in shown
    assert IRN in shown
    assert "the connection broke" in shown
    assert "An admin decides" in shown


async def test_nothing_in_doubt_is_said_in_words(unheard: Room) -> None:
    await unheard.desk.store.fetch("update irnflow.registration set state = 'REJECTED'")

    assert (await irnflow("doubts")).out == "Nothing is in doubt.\n"


async def test_the_portal_is_asked_when_a_person_says_so(unheard: Room) -> None:
    ran = await irnflow("doubts", "look", IRN.upper())

    unheard.desk.at = datetime.now(UTC)
    assert "The portal is asked at" in ran.out
    assert len(await unheard.desk.due()) == 1


async def test_a_resend_is_on_record_with_the_user_and_the_reason(unheard: Room) -> None:
    await irnflow("doubts", "resend", IRN, "--reason", "not on the portal's page")

    [row] = await unheard.desk.store.fetch("select decided_by, reason from irnflow.decision")
    assert dict(row) == {"decided_by": f"user {getpass.getuser()}", "reason": "not on the portal's page"}
    assert await unheard.desk.state("A/1") == "READY"


async def test_a_signed_document_is_accepted_from_a_file(unheard: Room, tmp_path: Path) -> None:
    entry = unheard.sandbox.register.by_irn(IRN)
    assert entry
    file = tmp_path / "signed.json"
    file.write_text(json.dumps([{"SignedInvoice": entry.signed_invoice, "SignedQRCode": entry.signed_qr}]))

    ran = await irnflow("doubts", "accept", IRN, str(file), "--reason", "from the portal's page")

    assert ran.out == "It is the portal's, and says what was sent: registered.\n"
    assert await unheard.desk.state("A/1") == "ACCEPTED"


async def test_what_is_refused_is_said_in_a_sentence(unheard: Room) -> None:
    with pytest.raises(BadInput, match="no document with this IRN"):
        await irnflow("doubts", "look", "0" * 64)


async def test_an_empty_reason_is_no_reason(unheard: Room) -> None:
    assert (await irnflow("doubts", "resend", IRN, "--reason", " ")).code == 2


@pytest.fixture
async def cancelling(unheard: Room) -> Room:
    """Registered after all; its cancellation is in doubt for a week."""
    await unheard.desk.store.fetch("update irnflow.registration set state = 'ACCEPTED', ack_dt = '2026-11-22 12:00:00'")
    why = Cancellation(reason=2, remark="wrong price")
    at = unheard.desk.at
    await lifecycle.cancel(unheard.desk.store, 1, [IRN], why, eway_bill=False, windows=Windows(), by="us", at=at)
    unheard.sandbox.obey(Order(fail_next=Failure(call="cancel", hang_up=True)))
    await act(unheard.parts)
    week_ago = datetime.now(UTC) - timedelta(days=7)
    await unheard.desk.store.fetch("update irnflow.action set sent_at = $1::timestamptz", week_ago)
    return unheard


async def test_an_action_in_doubt_is_shown_beside_the_documents(cancelling: Room) -> None:
    console = Console(file=io.StringIO(), width=200)

    await doubts.show(console, None)

    assert isinstance(console.file, io.StringIO)
    shown = console.file.getvalue()
    assert "7 days  action 1, cancel IRN: INV A/1 of 22/11/2026" in shown
    assert "the connection broke" in shown
    assert "an admin may say whether it is done" in shown


async def test_the_portal_is_asked_how_an_action_stands_when_a_person_says_so(cancelling: Room) -> None:
    ran = await irnflow("doubts", "look", "1")

    cancelling.desk.at = datetime.now(UTC)
    assert "The portal is asked at" in ran.out
    assert await act(cancelling.parts) == 1


async def test_a_cancellation_that_is_said_to_be_done_is_on_record_with_the_user(cancelling: Room) -> None:
    ran = await irnflow("doubts", "done", "1", "--reason", "the portal's page says so")

    [row] = await cancelling.desk.store.fetch("select what, decided_by, action_id from irnflow.decision")
    assert ran.out == "It counts as done, and is told so.\n"
    assert dict(row) == {"what": "DONE", "decided_by": f"user {getpass.getuser()}", "action_id": 1}
    assert await cancelling.desk.state("A/1") == "CANCELLED"


async def test_a_cancellation_that_is_said_not_to_be_done_may_be_asked_for_anew(cancelling: Room) -> None:
    ran = await irnflow("doubts", "not-done", "1", "--reason", "the portal's page shows it active")

    [row] = await cancelling.desk.store.fetch("select state::text from irnflow.action")
    assert "it may be asked for anew" in ran.out
    assert row["state"] == "FAILED"
    assert await cancelling.desk.state("A/1") == "ACCEPTED"


async def test_what_is_no_action_is_refused_in_a_sentence(cancelling: Room) -> None:
    with pytest.raises(BadInput, match="The account has no such action"):
        await irnflow("doubts", "done", "7", "--reason", "x")


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (
            ("look", "A/1"),
            "'A/1' is no IRN (64 hexadecimal digits) or number of an action; `irnflow doubts` lists what",
        ),
        (("look", ""), "'' is no IRN"),
        (("look", "--", "-5"), "'-5' is no IRN"),
        (("look", "9" * 19), "is no IRN"),
        (("resend", "1", "--reason", "x"), "'1' is no IRN (64 hexadecimal digits); `irnflow doubts` lists what"),
        (("resend", IRN[:63], "--reason", "x"), "is no IRN"),
        (("accept", "A/1", __file__, "--reason", "x"), "'A/1' is no IRN"),
        (("accept", IRN, "nowhere.json", "--reason", "x"), "File 'nowhere.json' does not exist"),
        (("done", IRN, "--reason", "x"), "is no number of an action; `irnflow doubts` lists what is in doubt"),
        (("not-done", "one", "--reason", "x"), "'one' is no number of an action"),
    ],
)
async def test_what_can_be_neither_irn_nor_number_is_said_and_decides_nothing(
    unheard: Room, words: tuple[str, ...], says: str
) -> None:
    ran = await irnflow("doubts", *words)

    assert (ran.code, says in ran.err) == (2, True)
    assert await unheard.desk.store.fetch("select from irnflow.decision") == []


async def test_a_file_that_is_no_signed_document_is_refused_with_what_it_should_be(unheard: Room) -> None:
    with pytest.raises(BadInput, match="It can't be verified: the signed document is neither JSON nor"):
        await irnflow("doubts", "accept", IRN, __file__, "--reason", "x")

    assert await unheard.desk.state("A/1") == "UNKNOWN"


async def test_times_are_those_of_india_and_say_so(unheard: Room) -> None:
    ran = await irnflow("doubts", "look", IRN)

    assert re.search(r"asked at \d{4}-\d\d-\d\d \d\d:\d\d:\d\d IST;", ran.out)


async def test_a_bills_number_that_is_none_is_refused(cancelling: Room) -> None:
    ran = await irnflow("doubts", "done", "1", "--ewb-no", "12", "--reason", "x")

    assert (ran.code, "12 digits" in ran.err) == (2, True)
