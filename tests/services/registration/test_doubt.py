"""What people decide of documents in doubt, over HTTP and in the store; and what comes of it."""

import base64
from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any

import aiohttp
import pytest

from irnflow.api.app import application
from irnflow.api.endpoints import Api
from irnflow.api.server import serving
from irnflow.sandbox.identity import Identity
from irnflow.sandbox.switches import Order
from irnflow.services.registration.lifecycle.acting import lease
from irnflow.services.registration.lifecycle.telling import tell
from irnflow.store import accounts
from irnflow.store.accounts import Keys
from irnflow.store.doubts import Times
from tests.api.conftest import Client
from tests.services.registration.conftest import NOON, SQL, Room, act, invoice, irn_of, next_fails, untold

IRN = irn_of("A/1")
ONE = f"/api/v1/registrations/{IRN}"
WHY = {"reason": "The portal's page shows no such document."}
WINDOW_S = 40 * 3600


@pytest.fixture
async def client(room: Room) -> AsyncIterator[Client]:
    """Speaks for the account, with the rights of an admin."""
    store = room.desk.store
    keys = Keys(store, lambda: room.desk.at)
    certificates = dict(room.parts.portals.preferred.keys)
    app = application(
        Api(store, now=lambda: room.desk.at, took_in=lambda: None, times=Times(), keys=lambda: certificates), keys
    )
    key = await accounts.issue_key(store, 1, name="Meera", at=NOON, admin=True)
    async with (
        serving(app, host="127.0.0.1", port=0) as port,
        aiohttp.ClientSession(cookie_jar=aiohttp.DummyCookieJar()) as session,
    ):
        yield Client(session, f"http://127.0.0.1:{port}", {"Authorization": f"Bearer {key}"})


@pytest.fixture
async def unsent(room: Room) -> Room:
    """In doubt; the portal never heard of it."""
    next_fails(room, hang_up=True)
    await room.arrive()
    await room.send()
    return room


@pytest.fixture
async def unheard(room: Room) -> Room:
    """In doubt; the portal has it."""
    room.sandbox.obey(Order(drop_answer_after_commit=1))
    await room.arrive()
    await room.send()
    return room


def signed_json(room: Room) -> dict[str, Any]:
    """As the portal's page gives it out."""
    entry = room.sandbox.register.by_irn(IRN)
    assert entry
    return {"Irn": IRN, "AckNo": entry.ack_no, "SignedInvoice": entry.signed_invoice, "SignedQRCode": entry.signed_qr}


async def decisions(room: Room) -> list[dict[str, Any]]:
    rows = await room.desk.store.fetch("select what, decided_by, reason, send from irnflow.decision order by at")
    return [dict(row) for row in rows]


async def test_a_doubt_is_listed_with_its_age_its_reason_and_what_comes_next(unsent: Room, client: Client) -> None:
    unsent.desk.later(3700)
    await unsent.resolve()

    [item] = (await client.get("/api/v1/doubts")).body["items"]

    assert (item["irn"], item["doc_no"], item["voucher_id"], item["portal"]) == (IRN, "A/1", "A/1", "NIC1")
    assert (item["age_s"], item["level"], item["why"]) == (3700, "alarm", "the connection broke")
    assert item["found"] == "not there, 1 in a row"
    assert item["next"] == "The portal is asked once more; when it still is not there, it is sent again."


async def test_doubts_are_listed_page_by_page_the_oldest_first(unsent: Room, client: Client) -> None:
    unsent.desk.later(1)
    next_fails(unsent, hang_up=True)
    await unsent.arrive("A/2")
    await unsent.send()

    first = (await client.get("/api/v1/doubts?limit=1")).body
    second = (await client.get(f"/api/v1/doubts?limit=1&cursor={first['next']}")).body

    assert [first["items"][0]["doc_no"], second["items"][0]["doc_no"], second["next"]] == ["A/1", "A/2", None]


async def test_a_person_has_the_portal_asked_before_the_next_look_up_is_due(unheard: Room, client: Client) -> None:
    unheard.desk.later(4 * 3600)
    next_fails(unheard, call="by_document", hang_up=True)
    await unheard.resolve()
    unheard.desk.later(61)
    await unheard.resolve()
    before = await unheard.desk.state("A/1")

    answer = await client.post(f"{ONE}/lookup")
    await unheard.resolve()

    assert (before, answer.status) == ("UNKNOWN", 202)
    assert await unheard.desk.state("A/1") == "ACCEPTED"
    assert await decisions(unheard) == [{"what": "LOOK_UP", "decided_by": "Meera", "reason": "", "send": 1}]


async def test_nobody_has_the_portal_asked_while_a_late_call_may_arrive(unsent: Room, client: Client) -> None:
    await client.post(f"{ONE}/lookup")

    unsent.desk.later(89)
    await unsent.resolve()

    assert unsent.sandbox.calls["by_document"] == 0


async def test_a_forced_look_up_waits_for_the_whole_lease_of_a_call_that_may_have_begun_late(
    unsent: Room, client: Client
) -> None:
    await unsent.desk.store.fetch("update irnflow.registration set next_at = next_at + interval '1 day'")

    answer = await client.post(f"{ONE}/lookup")

    assert answer.body["at"] == "2026-11-22T06:32:30Z"  # 150 s after the lease: slack, deadline, settle


async def test_two_forced_look_ups_are_never_the_two_that_must_be_a_minute_apart(unsent: Room, client: Client) -> None:
    unsent.desk.later(200)
    await unsent.resolve()
    unsent.desk.later(1)

    await client.post(f"{ONE}/lookup")
    await unsent.resolve()
    unsent.desk.later(58)
    await unsent.resolve()

    assert await unsent.desk.state("A/1") == "UNKNOWN"
    assert (await unsent.desk.ledger("A/1")).count("NOT_THERE") == 1


async def test_a_person_starts_no_second_look_up_beside_one_that_is_under_way(unsent: Room, client: Client) -> None:
    unsent.desk.later(200)
    under_way = await unsent.desk.due()

    answer = await client.post(f"{ONE}/lookup")

    assert (len(under_way), answer.status) == (1, 202)
    assert await unsent.desk.due() == []


@pytest.mark.parametrize("how", ["resend", "document"])
async def test_no_admin_decides_while_the_portal_remembers(unheard: Room, client: Client, how: str) -> None:
    unheard.desk.later(WINDOW_S - 1)
    body = WHY | ({"document": signed_json(unheard)} if how == "document" else {})

    answer = await client.post(f"{ONE}/{how}", json=body)

    assert (answer.status, answer.body["type"]) == (409, "/problems/too-early")
    assert "2026-11-24 04:00:00 IST" in answer.body["detail"]
    assert await unheard.desk.state("A/1") == "UNKNOWN"
    assert await decisions(unheard) == []


@pytest.mark.parametrize("how", ["resend", "document"])
async def test_only_an_admin_decides(unheard: Room, client: Client, how: str) -> None:
    unheard.desk.later(WINDOW_S)
    key = await accounts.issue_key(unheard.desk.store, 1, name="ERP", at=unheard.desk.at)
    body = WHY | ({"document": signed_json(unheard)} if how == "document" else {})

    answer = await client.post(f"{ONE}/{how}", json=body, headers={"Authorization": f"Bearer {key}"})

    assert (answer.status, answer.body["type"]) == (403, "/problems/admin-only")


@pytest.mark.parametrize("how", ["lookup", "resend", "document"])
async def test_another_accounts_documents_are_unknown(unheard: Room, client: Client, how: str) -> None:
    unheard.desk.later(WINDOW_S)
    other = await accounts.create_account(unheard.desk.store, "Others", at=NOON)
    key = await accounts.issue_key(unheard.desk.store, other, name="theirs", at=unheard.desk.at, admin=True)
    said = {} if how == "lookup" else {"json": WHY | ({"document": {}} if how == "document" else {})}

    answer = await client.post(f"{ONE}/{how}", headers={"Authorization": f"Bearer {key}"}, **said)

    assert (answer.status, answer.body["type"]) == (404, "/problems/unknown-irn")


@pytest.mark.parametrize("how", ["lookup", "resend", "document"])
async def test_nothing_is_decided_of_what_is_not_in_doubt(room: Room, client: Client, how: str) -> None:
    await room.arrive()
    await room.send()
    said = {} if how == "lookup" else {"json": WHY | ({"document": signed_json(room)} if how == "document" else {})}

    answer = await client.post(f"{ONE}/{how}", **said)

    assert (answer.status, answer.body["type"]) == (409, "/problems/not-in-doubt")
    assert "it is registered" in answer.body["detail"]


async def test_a_decision_without_a_reason_is_refused(unsent: Room, client: Client) -> None:
    unsent.desk.later(WINDOW_S)

    answer = await client.post(f"{ONE}/resend", json={"reason": " "})

    assert (answer.status, answer.body["type"]) == (422, "/problems/invalid-body")


async def test_after_the_window_an_admin_has_the_identical_document_sent_once_more(
    unsent: Room, client: Client
) -> None:
    unsent.desk.later(WINDOW_S)

    answer = await client.post(f"{ONE}/resend", json=WHY)
    await unsent.send()

    assert answer.status == 202
    assert await unsent.desk.state("A/1") == "ACCEPTED"
    sent = await unsent.desk.store.fetch("select distinct digest, attempt from irnflow.attempt where what = 'send'")
    assert len(sent) == 1
    assert await decisions(unsent) == [
        {"what": "SEND_AGAIN", "decided_by": "Meera", "reason": WHY["reason"], "send": 1}
    ]  # fmt: skip


async def test_what_the_portal_had_all_the_time_is_adopted_when_an_admin_sends_it_again(
    unheard: Room, client: Client
) -> None:
    unheard.desk.later(WINDOW_S)

    await client.post(f"{ONE}/resend", json=WHY)
    await unheard.send()

    assert await unheard.desk.state("A/1") == "ACCEPTED"
    assert unheard.sandbox.register.counts()["documents"] == 1


async def test_an_answer_lost_again_is_looked_up_again_and_an_admin_may_decide_only_after_that_window(
    unsent: Room, client: Client
) -> None:
    unsent.desk.later(WINDOW_S)
    await client.post(f"{ONE}/resend", json=WHY)
    next_fails(unsent, hang_up=True)
    await unsent.send()

    answer = await client.post(f"{ONE}/resend", json=WHY)

    assert answer.body["type"] == "/problems/too-early"


@pytest.mark.parametrize("form", ["object", "list", "the text alone"])
async def test_a_signed_document_that_an_admin_brings_ends_the_doubt(unheard: Room, client: Client, form: str) -> None:
    unheard.desk.later(50 * 3600)
    whole = signed_json(unheard)
    document = {"object": whole, "list": [whole], "the text alone": whole["SignedInvoice"]}[form]

    answer = await client.post(f"{ONE}/document", json=WHY | {"document": document})
    await unheard.resolve()

    assert answer.status == 200
    told = unheard.said("register_success_queue")[0]
    assert (told["AckNo"], told["AckDt"]) == (str(whole["AckNo"]), "2026-11-22 12:00:00")
    assert told["SignedQr"] == ("" if form == "the text alone" else whole["SignedQRCode"])
    [decision] = await decisions(unheard)
    assert (decision["what"], decision["decided_by"], decision["reason"]) == ("DOCUMENT", "Meera", WHY["reason"])


async def test_a_signed_document_with_other_contents_is_refused_with_each_place(unheard: Room, client: Client) -> None:
    unheard.desk.later(50 * 3600)
    await unheard.desk.store.fetch(
        "update irnflow.registration_request set payload = $1::bytea", invoice(PrdDesc="Wheat")
    )

    answer = await client.post(f"{ONE}/document", json=WHY | {"document": signed_json(unheard)})

    assert (answer.status, answer.body["type"]) == (409, "/problems/document-differs")
    assert answer.body["errors"] == [
        {"pointer": "/document", "detail": 'ItemList[0].PrdDesc: "Wheat" was sent, "Rice" is signed.'}
    ]
    assert await unheard.desk.state("A/1") == "UNKNOWN"


async def test_a_document_that_proves_nothing_is_refused_in_words_that_say_why(
    unheard: Room, client: Client, identity: Identity
) -> None:
    unheard.desk.later(50 * 3600)
    await unheard.arrive("A/2")
    await unheard.send()
    whole, other = signed_json(unheard), unheard.sandbox.register.by_irn(irn_of("A/2"))
    assert other
    head, _, signature = whole["SignedInvoice"].split(".")
    forged = f"{head}.{other.signed_invoice.split('.')[1]}.{signature}"

    said = {
        name: (await client.post(f"{ONE}/document", json=WHY | {"document": document})).body
        for name, document in {
            "another": other.signed_invoice,
            "forged": forged,
            "none": {"Irn": IRN},
            "text": "no JWS",
            "mixed": whole | {"SignedQRCode": other.signed_qr},
        }.items()
    }

    assert {each["type"] for each in said.values()} == {"/problems/not-proved"}
    assert "about IRN" in said["another"]["detail"]
    assert "does not match" in said["forged"]["detail"]
    assert "no SignedInvoice" in said["none"]["detail"]
    assert "no SignedInvoice" in said["text"]["detail"]
    assert "its QR code is not about its signed document" in said["mixed"]["detail"]
    assert await unheard.desk.state("A/1") == "UNKNOWN"


async def test_a_document_signed_with_an_unknown_key_is_refused_naming_it(unheard: Room, client: Client) -> None:
    unheard.desk.later(50 * 3600)
    whole = signed_json(unheard)
    head = base64.urlsafe_b64encode(b'{"alg":"RS256","kid":"AB12"}').decode().rstrip("=")
    document = ".".join([head, *whole["SignedInvoice"].split(".")[1:]])

    answer = await client.post(f"{ONE}/document", json=WHY | {"document": document})

    assert answer.body["type"] == "/problems/not-proved"
    assert "AB12" in answer.body["detail"]


async def test_a_missing_signed_document_is_brought_later_and_told_again(room: Room, client: Client) -> None:
    await room.arrive()
    await room.send()
    whole = signed_json(room)
    await room.desk.store.fetch("update irnflow.registration set signed_invoice = null, signed_qr = null")

    answer = await client.post(f"{ONE}/document", json=WHY | {"document": whole})
    await room.resolve()

    assert answer.status == 200
    assert [told["SignedQr"] for told in room.said("register_success_queue")][1:] == [whole["SignedQRCode"]]


async def test_an_old_doubt_is_looked_up_ever_more_rarely(unsent: Room) -> None:
    next_fails(unsent, n=1000, call="by_document", hang_up=True)
    hours = []
    while unsent.desk.at < NOON + timedelta(days=30):
        [row] = await unsent.desk.store.fetch("select next_at from irnflow.registration")
        hours.append((row["next_at"] - unsent.desk.at) / timedelta(hours=1))
        unsent.desk.at = row["next_at"]
        await unsent.resolve()

    assert [round(hour, 2) for hour in hours[:3]] == [0.03, 0.02, 0.02]
    assert max(hours[:50]) == 1  # while the portal remembers: at least once an hour
    assert len(hours) < 80  # in thirty days


# -- actions ---------------------------------------------------------------------------------------------------------

LORRY = {"distance": 60, "transport_mode": "1", "vehicle_number": "KA01AB1234", "vehicle_type": "R"}
MISTAKE = {"reason": 2, "remark": "wrong price"}


async def asked(room: Room, client: Client, what: str, **body: Any) -> str:
    """The address of an action about a registered document."""
    answer = await client.post(f"/api/v1/irns/{IRN}/{what}", json=body)
    assert answer.status == 202, answer.body
    return str(answer.body["action"]["address"])


@pytest.fixture
async def cancelling(room: Room, client: Client) -> str:
    """A cancellation in doubt, and no look-up decides it."""
    await room.arrive()
    await room.send()
    room.desk.later(1)
    next_fails(room, call="cancel", hang_up=True)
    address = await asked(room, client, "cancel", **MISTAKE)
    await act(room.parts)
    next_fails(room, n=1000, call="by_irn", code="2283")
    return address


async def test_a_person_starts_no_second_look_up_of_an_action_beside_one_that_is_under_way(
    room: Room, cancelling: str, client: Client
) -> None:
    room.desk.later(7200)
    under_way = await lease(room.parts)

    answer = await client.post(f"{cancelling}/lookup")

    assert (len(under_way), answer.status) == (1, 202)
    assert await lease(room.parts) == []


async def test_a_person_has_the_portal_asked_now_how_an_action_stands(
    room: Room, cancelling: str, client: Client
) -> None:
    room.desk.later(7200)
    await act(room.parts)
    looked = room.sandbox.calls["by_irn"]
    room.desk.later(61)
    await act(room.parts)
    not_yet = room.sandbox.calls["by_irn"]

    answer = await client.post(f"{cancelling}/lookup")
    await act(room.parts)

    assert (answer.status, not_yet - looked) == (202, 0)
    assert room.sandbox.calls["by_irn"] == looked + 1
    assert await decisions(room) == [{"what": "LOOK_UP", "decided_by": "Meera", "reason": "", "send": 1}]


async def test_nobody_has_the_portal_asked_of_an_action_while_a_late_call_may_arrive(
    room: Room, cancelling: str, client: Client
) -> None:
    answer = await client.post(f"{cancelling}/lookup")
    room.desk.later(80)
    await act(room.parts)

    assert answer.status == 202
    assert room.sandbox.calls["by_irn"] == 0


async def test_an_admin_says_that_a_cancellation_is_done_and_the_books_are_told(
    room: Room, cancelling: str, client: Client
) -> None:
    room.desk.later(WINDOW_S)

    answer = await client.post(f"{cancelling}/decision", json=WHY | {"done": True})
    await tell(room.parts, await untold(room))

    assert answer.status == 200
    action = (await client.get(cancelling)).body
    assert (action["state"], action["says"]) == ("DONE", f"Meera has decided that it is done: {WHY['reason']}")
    assert await room.desk.state("A/1") == "CANCELLED"
    assert room.said("register_success_queue")[-1]["Cancelled"] is True
    assert (await room.desk.ledger("A/1"))[-1] == "DONE"
    assert await decisions(room) == [
        {"what": "DONE", "decided_by": "Meera", "reason": WHY["reason"], "send": 1}
    ]  # fmt: skip


async def test_an_admin_says_that_a_cancellation_is_not_done_and_people_are_told(
    room: Room, cancelling: str, client: Client
) -> None:
    room.desk.later(WINDOW_S)

    await client.post(f"{cancelling}/decision", json=WHY | {"done": False})
    await tell(room.parts, await untold(room))

    action = (await client.get(cancelling)).body
    assert (action["state"], action["cause"]) == ("FAILED", "lifecycle.decided")
    assert await room.desk.state("A/1") == "ACCEPTED"
    assert room.said("status_queue")[-1]["Detail"]["says"] == (
        f"The IRN could not be cancelled: Meera has decided that it is not done: {WHY['reason']}"
    )
    assert [each["what"] for each in await decisions(room)] == ["NOT_DONE"]


async def test_an_e_way_bill_that_was_made_is_said_with_its_number(room: Room, client: Client) -> None:
    await room.arrive()
    await room.send()
    next_fails(room, call="eway_bill", hang_up=True)
    address = await asked(room, client, "eway-bill", **LORRY)
    await act(room.parts)
    room.desk.later(WINDOW_S + 1)

    without = await client.post(f"{address}/decision", json=WHY | {"done": True})
    answer = await client.post(f"{address}/decision", json=WHY | {"done": True, "ewb_no": "681000000001"})

    assert (without.status, without.body["type"]) == (422, "/problems/bill-number")
    assert answer.status == 200
    [bill] = (await client.get(f"/api/v1/irns/{IRN}")).body["eway_bills"]
    assert bill["ewb_no"] == "681000000001"


async def test_the_number_of_a_bill_is_said_of_nothing_else(room: Room, cancelling: str, client: Client) -> None:
    room.desk.later(WINDOW_S)

    answer = await client.post(f"{cancelling}/decision", json=WHY | {"done": True, "ewb_no": "681000000001"})

    assert (answer.status, answer.body["type"]) == (422, "/problems/bill-number")
    assert await room.desk.state("A/1") == "ACCEPTED"


async def test_while_the_portal_remembers_nobody_decides_an_action(
    room: Room, cancelling: str, client: Client
) -> None:  # fmt: skip
    room.desk.later(WINDOW_S - 60)

    answer = await client.post(f"{cancelling}/decision", json=WHY | {"done": True})

    assert (answer.status, answer.body["type"]) == (409, "/problems/too-early")


async def test_only_an_admin_decides_an_action(room: Room, cancelling: str, client: Client) -> None:
    room.desk.later(WINDOW_S)
    key = await accounts.issue_key(room.desk.store, 1, name="clerk", at=NOON)
    clerk = {"Authorization": f"Bearer {key}"}

    answer = await client.post(f"{cancelling}/decision", json=WHY | {"done": True}, headers=clerk)

    assert (answer.status, answer.body["type"]) == (403, "/problems/admin-only")


async def test_an_action_that_has_ended_is_decided_no_more(room: Room, cancelling: str, client: Client) -> None:
    room.desk.later(WINDOW_S)
    await client.post(f"{cancelling}/decision", json=WHY | {"done": True})

    again = await client.post(f"{cancelling}/decision", json=WHY | {"done": False})
    looked = await client.post(f"{cancelling}/lookup")

    assert (again.status, again.body["detail"]) == (409, "Nothing is to be decided: it is done.")
    assert (looked.status, looked.body["type"]) == (409, "/problems/not-in-doubt")


@pytest.mark.parametrize("number", ["999", "x", "9" * 30])
async def test_an_action_that_is_not_there_is_nobodys_to_decide(client: Client, number: str) -> None:
    answer = await client.post(f"/api/v1/actions/{number}/decision", json=WHY | {"done": True})

    assert (answer.status, answer.body["type"]) == (404, "/problems/unknown-action")


async def test_an_action_in_doubt_for_long_is_an_alarm_too(room: Room, cancelling: str) -> None:
    room.desk.later(3601)

    [row] = await room.desk.store.fetch(
        SQL["doubts_aged"], room.desk.at, room.parts.alarm, room.parts.page
    )  # fmt: skip

    assert (row["n"], row["alarm"], row["page"], row["oldest"]) == (1, 1, 0, IRN)
