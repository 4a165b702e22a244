"""The worklist over HTTP, and its retries."""

import pytest

from irnflow.messages import State
from irnflow.store import failures
from irnflow.store.database import Database, Row
from irnflow.store.failures import Failure
from tests.api.conftest import Client, Woken
from tests.tenant import AT, Tenant, make_batch

FAILURES, RETRIES = "/api/v1/failures", "/api/v1/retries"


@pytest.fixture
async def batch(store: Database, tenant: Tenant) -> Row:
    """A batch of which a and b failed for one cause and c for another."""
    made = await make_batch(store, tenant, *"abcd", batch_no="B-1")
    causes = {"a": "parties.gstin", "b": "parties.gstin", "c": "hsn.unknown"}
    await failures.record(
        store,
        [
            Failure(
                batch_id=made["batch_id"], transaction_id=id_, account_id=tenant.account_id, stage="validation",
                cause=cause, says=f"{id_} is wrong", fix="Mend it.", faults=(), attempts=1, message=b"{}", at=AT,
                failing=State.VALIDATION_FAILED,
            )
            for id_, cause in causes.items()
        ],
    )  # fmt: skip
    return made


async def test_failures_are_grouped_by_cause(client: Client, batch: Row) -> None:
    answer = await client.get(FAILURES)

    assert answer.body["next"] is None
    assert answer.body["groups"][1] == {
        "stage": "validation",
        "cause": "parties.gstin",
        "says": "a is wrong",
        "fix": "Mend it.",
        "count": 2,
        "vouchers": 2,
        "examples": [{"batch_no": "B-1", "transaction_id": "a"}, {"batch_no": "B-1", "transaction_id": "b"}],
    }


async def test_groups_come_in_pages(client: Client, batch: Row) -> None:
    first = (await client.get(f"{FAILURES}?limit=1")).body
    second = (await client.get(f"{FAILURES}?limit=1&cursor={first['next']}")).body

    assert [group["cause"] for group in first["groups"] + second["groups"]] == ["hsn.unknown", "parties.gstin"]
    assert second["next"] is None


async def test_failures_of_one_batch(client: Client, store: Database, tenant: Tenant, batch: Row) -> None:
    await make_batch(store, tenant, "z", batch_no="B-2")

    assert (await client.get(f"{FAILURES}?batch_no=B-2")).body["groups"] == []
    assert len((await client.get(f"{FAILURES}?batch_no=B-1")).body["groups"]) == 2
    assert (await client.get(f"{FAILURES}?batch_no=none")).status == 404


async def test_a_retry_is_a_new_batch_and_empties_the_worklist(client: Client, batch: Row, woken: Woken) -> None:
    answer = await client.post(RETRIES, json={"cause": "parties.gstin"})

    assert answer.status == 202
    assert answer.body["transaction_ids"] == ["a", "b"]
    assert answer.body["retry_of"] == "B-1"
    assert [group["cause"] for group in (await client.get(FAILURES)).body["groups"]] == ["hsn.unknown"]
    assert (await client.get(f"/api/v1/batches/{answer.body['batch_no']}")).body["retry_of"] == "B-1"
    assert woken.times == 1


async def test_a_retry_asked_for_again_with_its_key_is_the_same_batch(client: Client, batch: Row) -> None:
    key = {"Idempotency-Key": "one"}

    first = await client.post(RETRIES, json={}, headers=key)
    second = await client.post(RETRIES, json={}, headers=key)

    assert (second.status, second.body) == (202, first.body)


async def test_where_nothing_is_open_there_is_nothing_to_retry(client: Client, batch: Row) -> None:
    answer = await client.post(RETRIES, json={"transaction_ids": ["d"]})

    assert (answer.status, answer.body["type"]) == (404, "/problems/nothing-to-retry")


async def test_vouchers_named_twice_are_refused(client: Client, batch: Row) -> None:
    answer = await client.post(RETRIES, json={"transaction_ids": ["a", "a"]})

    assert (answer.status, answer.body["type"]) == (422, "/problems/duplicate-ids")
