"""The worklist and its retries, on a real PostgreSQL."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import asyncpg
import msgspec
import pytest

from irnflow.errors import DataError
from irnflow.gst.faults import Fault
from irnflow.messages import State
from irnflow.store import accounts, failures
from irnflow.store.database import Database, Row
from irnflow.store.failures import Buried, Choice, Failure
from tests.tenant import AT, Tenant, events, later, make_batch, make_tenant
from tests.waiting import until


def failure(tenant: Tenant, batch: Row, transaction_id: str, **changes: Any) -> Failure:
    said: dict[str, Any] = {
        "stage": "validation",
        "cause": "totals.taxable_value",
        "says": "The taxable value of line 1 is 10, not 11.",
        "fix": "Correct it.",
        "faults": (Fault(code="totals.taxable_value", path="ItemList[0].AssAmt", says="10, not 11"),),
        "attempts": 1,
        "message": b'{"BatchId":1}',
        "at": AT,
        "failing": State.VALIDATION_FAILED,
    }
    about = {"batch_id": batch["batch_id"], "transaction_id": transaction_id, "account_id": tenant.account_id}
    return Failure(**about, **(said | changes))


async def rows(store: Database) -> list[dict[str, Any]]:
    return [dict(row) for row in await store.fetch("select * from irnflow.failure order by transaction_id, stage")]


async def groups(store: Database, tenant: Tenant, **said: Any) -> list[tuple[str, str, int]]:
    asked = {"batch_id": None, "after": ("", ""), "most": 100} | said
    found = await failures.open_by_cause(store, tenant.account_id, **asked)
    return [(row["stage"], row["cause"], row["count"]) for row in found]


async def retry(store: Database, tenant: Tenant, key: str | None = None, **chosen: Any) -> Row:
    return await failures.retry(
        store, tenant.account_id, Choice(**chosen), most=100, idempotency_key=key, at=later(hours=1)
    )


async def test_a_failure_is_kept_with_its_words_faults_and_message(store: Database, tenant: Tenant) -> None:
    batch = await make_batch(store, tenant, "a")

    await failures.record(store, [failure(tenant, batch, "a")])

    [row] = await rows(store)
    assert (row["stage"], row["cause"], row["attempts"], row["closed_at"]) == (
        "validation", "totals.taxable_value", 1, None,
    )  # fmt: skip
    assert msgspec.json.decode(row["faults"])[0]["path"] == "ItemList[0].AssAmt"
    assert msgspec.json.decode(row["message"]) == {"BatchId": 1}


async def test_the_same_failure_again_changes_nothing(store: Database, tenant: Tenant) -> None:
    batch = await make_batch(store, tenant, "a")
    told = failure(tenant, batch, "a")
    await failures.record(store, [told])
    before = await rows(store)

    await failures.record(store, [told, told])

    assert await rows(store) == before


async def test_a_later_failure_of_the_stage_takes_the_place_of_the_earlier(store: Database, tenant: Tenant) -> None:
    batch = await make_batch(store, tenant, "a")
    newer = failure(tenant, batch, "a", cause="parties.gstin", at=later(minutes=1))

    await failures.record(store, [newer])
    await failures.record(store, [failure(tenant, batch, "a")])

    assert [row["cause"] for row in await rows(store)] == ["parties.gstin"]


@pytest.mark.parametrize("dead_letter_first", [True, False])
async def test_of_a_message_that_died_and_its_duplicate_that_failed_the_row_says_what_the_state_does(
    store: Database, tenant: Tenant, dead_letter_first: bool
) -> None:
    batch = await make_batch(store, tenant, "a")
    dead = failure(tenant, batch, "a", cause="dead_letter.delivery_limit", failing=State.DEAD_LETTERED)
    usual = failure(tenant, batch, "a", at=later(minutes=1))
    await events(store, batch["batch_id"], {"a": State.VALIDATION_FAILED})
    await events(store, batch["batch_id"], {"a": State.DEAD_LETTERED})

    for each in (dead, usual) if dead_letter_first else (usual, dead):
        await failures.record(store, [each])

    assert [(row["cause"], row["closed_at"]) for row in await rows(store)] == [("dead_letter.delivery_limit", None)]


async def test_what_the_portal_refused_takes_the_place_of_a_dead_letter_however_late_that_came(
    store: Database, tenant: Tenant
) -> None:
    batch = await make_batch(store, tenant, "a")
    refused = failure(tenant, batch, "a", stage="registration", cause="portal.2176", failing=State.GENERATION_FAILED)
    await events(store, batch["batch_id"], {"a": State.GENERATION_FAILED})

    await failures.record(store, [refused])
    await failures.record(store, [msgspec.structs.replace(
        refused, cause="dead_letter.delivery_limit", failing=State.DEAD_LETTERED, at=later(minutes=1)
    )])  # fmt: skip

    assert [(row["cause"], row["closed_at"]) for row in await rows(store)] == [("portal.2176", None)]


async def test_a_failure_that_was_overcome_before_it_came_is_closed_at_once(store: Database, tenant: Tenant) -> None:
    batch = await make_batch(store, tenant, "a")
    await events(store, batch["batch_id"], {"a": State.GENERATION_SUCCESS}, at=later(minutes=1))

    await failures.record(store, [failure(tenant, batch, "a")])

    assert [row["closed_at"] for row in await rows(store)] == [later(minutes=1)]


async def test_moving_up_closes_a_failure(store: Database, tenant: Tenant) -> None:
    batch = await make_batch(store, tenant, "a")
    await events(store, batch["batch_id"], {"a": State.VALIDATION_FAILED})
    await failures.record(store, [failure(tenant, batch, "a")])

    await events(store, batch["batch_id"], {"a": State.GENERATION_SUCCESS}, at=later(minutes=1))

    assert [row["closed_at"] for row in await rows(store)] == [later(minutes=1)]


async def test_what_a_person_must_know_of_a_success_stays_open(store: Database, tenant: Tenant) -> None:
    batch = await make_batch(store, tenant, "a")
    await events(store, batch["batch_id"], {"a": State.REGISTERED})

    changed = failure(tenant, batch, "a", stage="database_update", failing=State.BOOKS_FAILED, at=AT)
    await failures.record(store, [changed])

    assert [row["closed_at"] for row in await rows(store)] == [None]


@pytest.mark.parametrize("row_first", [True, False])
async def test_what_was_struck_off_after_success_stays_open(store: Database, tenant: Tenant, row_first: bool) -> None:
    batch = await make_batch(store, tenant, "a")
    await events(store, batch["batch_id"], {"a": State.REGISTERED})
    lost = failure(
        tenant, batch, "a", stage="registration", cause="registration.struck_off", failing=State.GENERATION_FAILED,
        at=later(hours=12),
    )  # fmt: skip

    await failures.record(store, [lost] * row_first)
    await events(store, batch["batch_id"], {"a": State.GENERATION_FAILED}, at=later(hours=12))
    await failures.record(store, [lost])

    assert [(row["cause"], row["closed_at"]) for row in await rows(store)] == [("registration.struck_off", None)]


async def test_a_message_that_jsonb_refuses_is_kept_as_it_came(store: Database, tenant: Tenant) -> None:
    batch = await make_batch(store, tenant, "a", "b")

    await failures.record(
        store,
        [
            failure(tenant, batch, "a", message=b'{"name":"A\\u0000B"}', says="NUL \0 inside"),
            failure(tenant, batch, "b", message=b"\xff not JSON"),
        ],
    )

    kept = await rows(store)
    assert [row["raw"] for row in kept] == [b'{"name":"A\\u0000B"}', b"\xff not JSON"]
    assert [row["message"] for row in kept] == [None, None]
    assert kept[0]["says"] == "NUL \ufffd inside"


async def test_of_failures_with_a_stranger_among_them_none_is_kept(store: Database, tenant: Tenant) -> None:
    batch = await make_batch(store, tenant, "a")

    with pytest.raises(DataError, match="1 of the failures name a transaction that is not there"):
        await failures.record(store, [failure(tenant, batch, "a"), failure(tenant, batch, "nobody")])

    assert await rows(store) == []


async def test_a_failure_in_another_accounts_name_is_a_stranger(store: Database, tenant: Tenant) -> None:
    batch = await make_batch(store, tenant, "a")
    other = await make_tenant(store, "Others", "theirs")
    told = [failure(tenant, batch, "a"), failure(other, batch, "a")]

    known = await failures.known(store, told[1:])

    assert known == set()
    assert await failures.known(store, told[:1]) == {(batch["batch_id"], "a")}


async def test_failures_are_grouped_by_cause_with_the_newest_examples(store: Database, tenant: Tenant) -> None:
    first = await make_batch(store, tenant, *"abcdef", batch_no="B-1")
    second = await make_batch(store, tenant, "g", batch_no="B-2")
    await failures.record(store, [failure(tenant, first, each) for each in "abcdef"])
    await failures.record(store, [failure(tenant, second, "g", says="newest")])

    [group] = await failures.open_by_cause(store, tenant.account_id, batch_id=None, after=("", ""), most=5)

    examples = msgspec.json.decode(group["examples"])
    assert (group["count"], group["says"]) == (7, "newest")
    assert [example["transaction_id"] for example in examples] == ["g", "a", "b", "c", "d"]
    assert examples[0]["batch_no"] == "B-2"


async def test_a_voucher_that_failed_in_two_batches_is_two_failures_and_one_voucher(
    store: Database, tenant: Tenant
) -> None:
    for ids in ("ab", "a"):
        batch = await make_batch(store, tenant, *ids)
        await failures.record(store, [failure(tenant, batch, each) for each in ids])

    [group] = await failures.open_by_cause(store, tenant.account_id, batch_id=None, after=("", ""), most=5)

    assert (group["count"], group["vouchers"]) == (3, 2)


async def test_groups_come_in_pages_and_of_one_batch(store: Database, tenant: Tenant) -> None:
    first = await make_batch(store, tenant, "a", "b")
    second = await make_batch(store, tenant, "c")
    await failures.record(
        store,
        [
            failure(tenant, first, "a", cause="x"),
            failure(tenant, first, "b", cause="y"),
            failure(tenant, second, "c", cause="y", stage="registration"),
        ],
    )

    assert await groups(store, tenant, most=2) == [("registration", "y", 1), ("validation", "x", 1)]
    assert await groups(store, tenant, after=("validation", "x")) == [("validation", "y", 1)]
    assert await groups(store, tenant, batch_id=second["batch_id"]) == [("registration", "y", 1)]


async def test_failures_of_another_account_are_not_seen_or_retried(store: Database, tenant: Tenant) -> None:
    batch = await make_batch(store, tenant, "a")
    await failures.record(store, [failure(tenant, batch, "a")])
    other = await make_tenant(store, "Others", "theirs")

    assert await groups(store, other) == []
    assert (await retry(store, other))["outcome"] == "NOTHING_OPEN"


async def test_a_retry_is_a_new_batch_that_names_the_one_it_came_from(store: Database, tenant: Tenant) -> None:
    batch = await make_batch(store, tenant, "a", "b", "c", batch_no="B-1")
    await failures.record(store, [failure(tenant, batch, "a"), failure(tenant, batch, "c")])

    done = await retry(store, tenant, batch_no="B-1")

    assert (done["outcome"], done["retry_of"], done["transaction_ids"]) == ("ACCEPTED", "B-1", ["a", "c"])
    assert [row["retried_in"] for row in await rows(store)] == [done["batch_id"]] * 2
    assert await groups(store, tenant) == []


@pytest.mark.parametrize(
    ("chosen", "expected"),
    [
        ({"cause": "x"}, ["a", "b"]),
        ({"stage": "registration"}, ["b", "c"]),
        ({"stage": "registration", "cause": "x"}, ["b"]),
        ({"transaction_ids": ["c", "nobody"]}, ["c"]),
        ({}, ["a", "b", "c"]),
    ],
)
async def test_a_retry_takes_those_that_meet_all_that_is_said(
    store: Database, tenant: Tenant, chosen: dict[str, Any], expected: list[str]
) -> None:
    batch = await make_batch(store, tenant, "a", "b", "c")
    await failures.record(
        store,
        [
            failure(tenant, batch, "a", cause="x"),
            failure(tenant, batch, "b", cause="x", stage="registration"),
            failure(tenant, batch, "c", cause="y", stage="registration"),
        ],
    )

    done = await retry(store, tenant, **chosen)

    assert done["transaction_ids"] == expected


async def test_a_voucher_that_failed_twice_is_sent_once(store: Database, tenant: Tenant) -> None:
    first = await make_batch(store, tenant, "a", "b")
    second = await make_batch(store, tenant, "a")
    await failures.record(
        store,
        [
            failure(tenant, first, "b"),
            failure(tenant, second, "a"),
            failure(tenant, second, "a", stage="registration"),
        ],
    )

    done = await retry(store, tenant)

    assert (done["transaction_ids"], done["retry_of"]) == (["b", "a"], None)
    assert {row["retried_in"] for row in await rows(store)} == {done["batch_id"]}


async def test_closed_failures_are_not_retried(store: Database, tenant: Tenant) -> None:
    batch = await make_batch(store, tenant, "a")
    await events(store, batch["batch_id"], {"a": State.REGISTERED})
    await failures.record(store, [failure(tenant, batch, "a")])

    assert (await retry(store, tenant))["outcome"] == "NOTHING_OPEN"


async def test_failures_of_two_books_are_not_mixed(store: Database, tenant: Tenant) -> None:
    await accounts.add_books(store, tenant.account_id, "branch")
    first = await make_batch(store, tenant, "a")
    second = await make_batch(store, tenant._replace(books="branch"), "a")
    await failures.record(store, [failure(tenant, first, "a"), failure(tenant, second, "a")])

    assert (await retry(store, tenant))["outcome"] == "BOOKS_MIXED"
    assert (await retry(store, tenant, batch_no=second["batch_no"]))["outcome"] == "ACCEPTED"


async def test_a_retry_asked_for_many_times_at_once_is_one_batch(
    store: Database, tenant: Tenant, database_url: str
) -> None:
    batch = await make_batch(store, tenant, "a")
    await failures.record(store, [failure(tenant, batch, "a")])
    async with held_back(database_url):
        asking = asyncio.gather(*(retry(store, tenant, "key") for _ in range(3)))
        await until(lambda: all_wait(database_url, 3))

    done = await asking

    assert sorted(each["outcome"] for each in done) == ["ACCEPTED", "REPEATED", "REPEATED"]
    assert {(each["batch_no"], tuple(each["transaction_ids"]), each["retry_of"]) for each in done} == {
        (done[0]["batch_no"], ("a",), batch["batch_no"])
    }


@asynccontextmanager
async def held_back(url: str) -> AsyncIterator[None]:
    """Nobody reads a failure meanwhile."""
    connection = await asyncpg.connect(url)
    async with connection.transaction():
        await connection.execute("lock table irnflow.failure in access exclusive mode")
        yield
    await connection.close()


async def all_wait(url: str, count: int) -> bool:
    connection = await asyncpg.connect(url)
    waiting = await connection.fetchval(
        "select count(*) from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'"
    )
    await connection.close()
    return bool(waiting == count)


async def test_a_key_of_another_retry_is_refused(store: Database, tenant: Tenant) -> None:
    batch = await make_batch(store, tenant, "a")
    await failures.record(store, [failure(tenant, batch, "a")])
    await retry(store, tenant, "key")

    assert (await retry(store, tenant, "key", cause="x"))["outcome"] == "KEY_USED"


async def test_a_dead_letter_is_kept_once_and_as_it_came(store: Database) -> None:
    letter = Buried(message_id="", queue="data_queue", reason="bad_message", headers={"says": "NUL \0"}, body=b"\xff\0")

    await failures.bury(store, [letter], at=AT)
    await failures.bury(store, [letter], at=later(minutes=1))

    [row] = await store.fetch("select * from irnflow.dead_letter")
    assert (row["body"], row["reason"], row["at"]) == (b"\xff\0", "bad_message", AT)
