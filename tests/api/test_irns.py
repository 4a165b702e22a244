"""IRNs over HTTP: what is asked is on record at once, each thing once, and refused in words where it can't be."""

from typing import Any

import pytest

from irnflow.store.database import Database
from tests.api.conftest import Client
from tests.tenant import AT, Tenant

IRN, OTHER = "1a" * 32, "2b" * 32
WHY = {"reason": 2, "remark": "wrong price"}
LORRY = {"distance": 60, "transport_mode": "1", "vehicle_number": "KA01AB1234", "vehicle_type": "R"}
GSTIN = "29AAFCC9980M1ZR"


async def document(store: Database, tenant: Tenant, irn: str, *, ack_dt: str = "2026-11-22 15:00:00") -> None:
    """A registered document with goods; AT is 15:30 in India."""
    await store.fetch(
        """with r as (
               insert into irnflow.registration
                      (irn, account_id, books, voucher_id, gstin, doc_typ, doc_no, doc_dt, state, attempt, digest,
                       batch_id, transaction_id, portal, next_at, ack_no, ack_dt, verified, updated_at)
               values ($1::text, $2::bigint, 'surya', $1, $3::text, 'INV', 'A/1', '22/11/2026', 'ACCEPTED', 1, 'd',
                       1, $1, 'NIC1', $4::timestamptz, '112610000012345', $5::text, true, $4))
           insert into irnflow.registration_request
                  (batch_id, transaction_id, irn, account_id, batch_no, books, read_digest, digest, payload, valid_on,
                   requested_at)
           values (1, $1, $1, $2, 'B1', 'surya', 'r', 'd', '{"ItemList": [{"IsServc": "N"}]}', '2026-11-22', $4)""",
        irn, tenant.account_id, GSTIN, AT, ack_dt,
    )  # fmt: skip


@pytest.fixture
async def irn(store: Database, tenant: Tenant) -> str:
    await document(store, tenant, IRN)
    return f"/api/v1/irns/{IRN}"


async def bill(store: Database) -> None:
    await store.fetch(
        "insert into irnflow.eway_bill (ewb_no, irn, made_at) values ('681000000001', $1::text, '2026-11-22 15:10:00')",
        IRN,
    )


async def test_a_cancellation_is_on_record_with_an_address(client: Client, irn: str) -> None:
    answer = await client.post(f"{irn}/cancel", json=WHY)

    assert answer.status == 202
    action = answer.body["action"]
    assert (answer.body["repeated"], action["kind"], action["state"]) == (False, "CANCEL", "READY")
    assert action["says"] == "Waits to be asked of the portal."
    assert (await client.get(action["address"])).body == action


async def test_the_same_cancellation_again_is_the_same_action(client: Client, irn: str) -> None:
    first = await client.post(f"{irn}/cancel", json=WHY)
    second = await client.post(f"{irn.upper().replace('/API/V1/IRNS', '/api/v1/irns')}/cancel", json=WHY)

    assert second.status == 202
    assert second.body == first.body | {"repeated": True}


async def test_another_reason_while_one_is_under_way_is_a_conflict(client: Client, irn: str) -> None:
    await client.post(f"{irn}/cancel", json=WHY)

    answer = await client.post(f"{irn}/cancel", json=WHY | {"reason": 3})

    assert (answer.status, answer.body["type"]) == (409, "/problems/other-request")


async def test_too_late_says_until_when_it_was_taken_and_what_to_do(
    client: Client, store: Database, tenant: Tenant
) -> None:
    await document(store, tenant, OTHER, ack_dt="2026-11-21 15:29:59")

    answer = await client.post(f"/api/v1/irns/{OTHER}/cancel", json=WHY)

    assert (answer.status, answer.body["type"]) == (409, "/problems/too-late")
    assert answer.body["detail"] == (
        "The portal took it until 2026-11-22 15:29:59 (IST), and refuses it from then on. "
        "An invoice is undone by a credit note."
    )


@pytest.mark.parametrize(
    ("body", "pointer"),
    [
        ({"reason": 5, "remark": "x"}, "/reason"),
        ({"reason": 1, "remark": ""}, "/remark"),
        ({"reason": 1, "remark": 'a "b"'}, "/remark"),
        ({"reason": 1, "remark": "x" * 101}, "/remark"),
        ({"reason": 1}, ""),
        ({"reason": 1, "remark": "x", "force": True}, ""),
    ],
)
async def test_what_the_portal_would_not_take_is_refused_with_its_place(
    client: Client, irn: str, body: dict[str, Any], pointer: str
) -> None:
    answer = await client.post(f"{irn}/cancel", json=body)

    assert answer.status == 422
    assert [error["pointer"] for error in answer.body["errors"]] == [pointer]


async def test_what_is_no_irn_of_the_account_is_unknown(client: Client, irn: str) -> None:
    assert (await client.get(f"/api/v1/irns/{OTHER}")).status == 404
    assert (await client.get("/api/v1/irns/nonsense")).status == 404
    assert (await client.post(f"/api/v1/irns/{OTHER}/cancel", json=WHY)).status == 404
    assert (await client.get("/api/v1/actions/99")).status == 404
    assert (await client.get("/api/v1/actions/nonsense")).status == 404


async def test_several_irns_are_cancelled_with_an_answer_each(
    client: Client, store: Database, tenant: Tenant, irn: str
) -> None:
    await document(store, tenant, OTHER, ack_dt="2026-11-20 12:00:00")
    await client.post(f"{irn}/cancel", json=WHY)

    answer = await client.post("/api/v1/cancellations", json=WHY | {"irns": ["3c" * 32, OTHER, IRN]})

    assert answer.status == 202
    assert (answer.body["accepted"], answer.body["repeated"], answer.body["refused"]) == (0, 1, 2)
    assert [item["outcome"] for item in answer.body["items"]] == ["UNKNOWN_IRN", "TOO_LATE", "REPEATED"]
    assert [item["address"] is None for item in answer.body["items"]] == [True, True, False]


async def test_an_active_e_way_bill_keeps_its_irn_unless_both_are_meant(
    client: Client, store: Database, irn: str
) -> None:
    await bill(store)

    alone = await client.post(f"{irn}/cancel", json=WHY)
    both = await client.post(f"{irn}/cancel", json=WHY | {"eway_bill": True})

    assert (alone.status, alone.body["type"]) == (409, "/problems/bill-active")
    assert (both.body["action"]["kind"], both.body["action"]["state"]) == ("CANCEL", "WAITING")
    assert (both.body["first_half"]["kind"], both.body["first_half"]["ewb_no"]) == ("EWAY_BILL_CANCEL", "681000000001")
    assert both.body["action"]["first_half"] == both.body["first_half"]["address"]


async def test_an_e_way_bill_is_asked_for_once(client: Client, irn: str) -> None:
    first = await client.post(f"{irn}/eway-bill", json=LORRY)
    second = await client.post(f"{irn}/eway-bill", json=LORRY)
    third = await client.post(f"{irn}/eway-bill", json=LORRY | {"distance": 61})

    assert first.status == 202
    assert first.body["action"]["request"] == LORRY
    assert second.body == first.body | {"repeated": True}
    assert third.status == 409


async def test_the_e_way_bill_of_an_irn_is_cancelled_and_fetched(client: Client, store: Database, irn: str) -> None:
    none = await client.post(f"{irn}/eway-bill/cancel", json=WHY)
    await bill(store)

    cancelled = await client.post(f"{irn}/eway-bill/cancel", json=WHY)
    fetched = await client.post(f"{irn}/eway-bill/fetch")

    assert (none.status, none.body["type"]) == (409, "/problems/no-bill")
    assert cancelled.body["action"]["kind"] == "EWAY_BILL_CANCEL"
    assert fetched.body["action"]["kind"] == "EWAY_BILL_FETCH"


async def test_a_document_shows_its_bills_and_actions(client: Client, store: Database, irn: str) -> None:
    await bill(store)
    asked = await client.post(f"{irn}/eway-bill/cancel", json=WHY)

    shown = (await client.get(irn)).body

    assert (shown["state"], shown["ack_dt"], shown["portal"]) == ("ACCEPTED", "2026-11-22 15:00:00", "NIC1")
    assert [each["ewb_no"] for each in shown["eway_bills"]] == ["681000000001"]
    assert shown["actions"] == [asked.body["action"]]


async def test_actions_come_in_pages_newest_first(client: Client, store: Database, tenant: Tenant, irn: str) -> None:
    await document(store, tenant, OTHER)
    await client.post("/api/v1/cancellations", json=WHY | {"irns": [IRN, OTHER]})

    first = (await client.get("/api/v1/actions?limit=1")).body
    second = (await client.get(f"/api/v1/actions?limit=1&cursor={first['next']}")).body

    assert [each["irn"] for each in first["items"] + second["items"]] == [OTHER, IRN]
    assert second["next"] is None
    assert (await client.get("/api/v1/actions?state=DONE")).body["items"] == []
    assert len((await client.get(f"/api/v1/actions?irn={IRN}&kind=CANCEL")).body["items"]) == 1


async def test_what_is_known_of_a_gstin_comes_with_its_age(client: Client, store: Database) -> None:
    await store.fetch(
        "insert into irnflow.gstin_detail (gstin, details, fetched_at, asked_at)"
        """ values ($1::text, '{"Status": "CNL"}', $2::timestamptz - interval '1 hour', $2 - interval '1 hour')""",
        GSTIN, AT,
    )  # fmt: skip

    answer = (await client.get(f"/api/v1/gstins/{GSTIN.lower()}")).body

    assert (answer["status"], answer["age_s"], answer["asking"]) == ("CNL", 3600, False)


async def test_what_is_no_gstin_is_not_asked_for(client: Client) -> None:
    assert (await client.get("/api/v1/gstins/nonsense")).status == 404
