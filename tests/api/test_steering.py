"""Pause, resume, withdraw over HTTP; what stands still is listed with its reason."""

from structlog.testing import capture_logs

from irnflow.store.database import Database
from tests.api.conftest import Client
from tests.tenant import AT, Tenant, make_batch, make_tenant

GSTIN = "29AAFCC9980M1ZR"


async def add_gstin(store: Database, tenant: Tenant) -> None:
    await store.fetch(
        "with g as (insert into irnflow.gstin (gstin, account_id) values ($1::text, $2::bigint))"
        " insert into irnflow.credentials values ($1::text, 'NIC', 'u', 'c', '', '')",
        GSTIN, tenant.account_id,
    )  # fmt: skip


async def test_a_batch_is_paused_with_a_reason_and_resumed(client: Client, store: Database, tenant: Tenant) -> None:
    batch_no = (await client.post("/api/v1/batches", json={"voucher_ids": ["V/1"]})).body["batch_no"]

    paused = await client.post(f"/api/v1/batches/{batch_no}/pause", json={"reason": "month end"})
    shown = await client.get(f"/api/v1/batches/{batch_no}")
    resumed = await client.post(f"/api/v1/batches/{batch_no}/resume")

    assert [(each["what"], each["key"], each["reason"]) for each in paused.body["items"]] == [
        ("batch", batch_no, "month end")
    ]
    assert shown.body["paused"] == "month end"
    assert resumed.body["items"] == []


async def test_a_line_says_that_a_batch_was_paused_resumed_withdrawn(client: Client, tenant: Tenant) -> None:
    await client.post("/api/v1/batches", json={"voucher_ids": ["V/1"], "batch_no": "B-1"})

    with capture_logs() as lines:
        await client.post("/api/v1/batches/B-1/pause", json={"reason": "month end"})
        await client.post("/api/v1/batches/B-1/resume")
        await client.post("/api/v1/batches/B-1/withdraw")

    assert [line["event"] for line in lines] == ["paused", "resumed", "withdrawn"]
    assert {line["batch"] for line in lines} == {f"{tenant.account_id}/B-1"}


async def test_a_withdrawn_batch_says_since_when_and_how_many_were_taken_back(client: Client, tenant: Tenant) -> None:
    batch_no = (await client.post("/api/v1/batches", json={"voucher_ids": ["V/1", "V/2"]})).body["batch_no"]

    answer = await client.post(f"/api/v1/batches/{batch_no}/withdraw")

    assert answer.body == {"batch_no": batch_no, "taken_back": 2}
    assert (await client.get(f"/api/v1/batches/{batch_no}")).body["withdrawn_at"] == AT.isoformat().replace(
        "+00:00", "Z"
    )


async def test_a_paused_gstin_and_one_that_stopped_by_itself_are_listed(
    client: Client, store: Database, tenant: Tenant
) -> None:
    await add_gstin(store, tenant)
    await store.fetch("update irnflow.credentials set stopped = 'wrong password'")

    answer = await client.post(f"/api/v1/gstins/{GSTIN.lower()}/pause", json={"reason": "audit"})

    assert sorted((each["key"], each["reason"], each["at"] is None) for each in answer.body["items"]) == [
        (GSTIN, "audit", False),
        (GSTIN, "wrong password", True),
    ]


async def test_resuming_a_gstin_ends_its_pause_too(client: Client, store: Database, tenant: Tenant) -> None:
    await add_gstin(store, tenant)
    await client.post(f"/api/v1/gstins/{GSTIN}/pause", json={"reason": "audit"})

    await client.post(f"/api/v1/gstins/{GSTIN}/resume")

    assert (await client.get("/api/v1/standing")).body["items"] == []


async def test_nobody_steers_what_is_another_accounts(client: Client, store: Database, tenant: Tenant) -> None:
    other = await make_tenant(store, "other")
    batch_no = (await make_batch(store, other, "V/1"))["batch_no"]

    answers = [
        await client.post(f"/api/v1/batches/{batch_no}/pause", json={"reason": "x"}),
        await client.post(f"/api/v1/batches/{batch_no}/resume"),
        await client.post(f"/api/v1/batches/{batch_no}/withdraw"),
        await client.post(f"/api/v1/gstins/{GSTIN}/pause", json={"reason": "x"}),
    ]

    assert [answer.status for answer in answers] == [404] * 4


async def test_a_pause_wants_a_reason(client: Client) -> None:
    answer = await client.post("/api/v1/batches/B/pause", json={"reason": ""})

    assert answer.status == 422
