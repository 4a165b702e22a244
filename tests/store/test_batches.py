"""Intake and what is shown of it, on a real PostgreSQL."""

import asyncio
from typing import Any

import asyncpg
import pytest

from irnflow.errors import DataError
from irnflow.messages import State
from irnflow.store import accounts, batches
from irnflow.store.database import Database, Row
from tests.tenant import AT, Tenant, events, later, make_batch, make_tenant


async def take_in(store: Database, tenant: Tenant, *ids: str, **said: Any) -> Row:
    asked = {"batch_no": None, "books": None, "idempotency_key": None, "at": AT} | said
    return await batches.intake(store, tenant.account_id, ids, **asked)


async def batch_count(store: Database) -> int:
    [row] = await store.fetch("select count(*) as n from irnflow.batch")
    return int(row["n"])


async def test_vouchers_become_transactions_in_their_order(store: Database, tenant: Tenant) -> None:
    done = await take_in(store, tenant, "V/2", "V/1", "V/3")

    rows = await batches.transactions(store, done["batch_id"], after=0, state=None, most=10)
    assert [(row["ordinal"], row["transaction_id"], row["state"]) for row in rows] == [
        (1, "V/2", "PROCESSING"), (2, "V/1", "PROCESSING"), (3, "V/3", "PROCESSING"),
    ]  # fmt: skip


async def test_a_new_batch_counts_all_as_processing(store: Database, tenant: Tenant) -> None:
    done = await take_in(store, tenant, "V/1", "V/2")

    batch = await batches.one(store, tenant.account_id, done["batch_no"])
    assert batch
    assert (batch["size"], batch["counts"], batch["books"]) == (2, '{ "PROCESSING" : 2 }', "surya")


async def test_a_number_is_assigned_from_the_day_in_india(store: Database, tenant: Tenant) -> None:
    done = await take_in(store, tenant, "V/1", at=AT.replace(hour=19))  # past midnight in India

    assert done["batch_no"] == f"20261123-{done['batch_id']}"


async def test_a_number_that_somebody_had_chosen_is_not_assigned(store: Database, tenant: Tenant) -> None:
    first = await take_in(store, tenant, "V/1")
    taken = f"20261122-{first['batch_id'] + 2}"
    await take_in(store, tenant, "V/1", batch_no=taken)

    done = await take_in(store, tenant, "V/1")

    assert (done["outcome"], done["batch_no"]) == ("ACCEPTED", f"{taken}.")


async def test_the_same_number_with_the_same_vouchers_in_any_order_is_the_same_batch(
    store: Database, tenant: Tenant
) -> None:
    first = await take_in(store, tenant, "V/1", "V/2", batch_no="B-1")

    again = await take_in(store, tenant, "V/2", "V/1", batch_no="B-1")

    assert (first["outcome"], again["outcome"]) == ("ACCEPTED", "REPEATED")
    assert first["batch_id"] == again["batch_id"]


@pytest.mark.parametrize("ids", [("V/1",), ("V/1", "V/2", "V/3"), ("V/1V/2",)])
async def test_the_same_number_with_other_vouchers_is_a_conflict(
    store: Database, tenant: Tenant, ids: tuple[str, ...]
) -> None:
    await take_in(store, tenant, "V/1", "V/2", batch_no="B-1")

    other = await take_in(store, tenant, *ids, batch_no="B-1")

    assert other["outcome"] == "NUMBER_TAKEN"
    assert await batch_count(store) == 1


async def test_the_same_number_with_other_books_is_a_conflict(store: Database, tenant: Tenant) -> None:
    await accounts.add_books(store, tenant.account_id, "branch")
    await take_in(store, tenant, "V/1", batch_no="B-1", books="surya")

    other = await take_in(store, tenant, "V/1", batch_no="B-1", books="branch")

    assert other["outcome"] == "NUMBER_TAKEN"


async def test_two_accounts_may_use_the_same_number_and_key(store: Database, tenant: Tenant) -> None:
    other = await make_tenant(store, "Others", "theirs")
    first = await take_in(store, tenant, "V/1", batch_no="B-1", idempotency_key="k")

    second = await take_in(store, other, "V/1", batch_no="B-1", idempotency_key="k")

    assert (first["outcome"], second["outcome"]) == ("ACCEPTED", "ACCEPTED")


async def test_the_same_key_with_the_same_request_is_the_same_batch(store: Database, tenant: Tenant) -> None:
    first = await take_in(store, tenant, "V/1", idempotency_key="k")

    again = await take_in(store, tenant, "V/1", idempotency_key="k")

    assert (again["outcome"], again["batch_no"]) == ("REPEATED", first["batch_no"])


@pytest.mark.parametrize("said", [{"batch_no": "B-2"}, {"ids": ("V/2",)}])
async def test_the_same_key_with_another_request_is_a_conflict(
    store: Database, tenant: Tenant, said: dict[str, Any]
) -> None:
    await take_in(store, tenant, "V/1", batch_no="B-1", idempotency_key="k")

    other = await take_in(
        store, tenant, *said.get("ids", ("V/1",)), batch_no=said.get("batch_no", "B-1"), idempotency_key="k"
    )

    assert other["outcome"] == "KEY_USED"
    assert await batch_count(store) == 1


async def test_one_request_sent_many_times_at_once_makes_one_batch(store: Database, tenant: Tenant) -> None:
    done = await asyncio.gather(*(take_in(store, tenant, "V/1", "V/2", idempotency_key="k") for _ in range(8)))

    assert sorted(each["outcome"] for each in done) == ["ACCEPTED"] + ["REPEATED"] * 7
    assert await batch_count(store) == 1


async def test_books_that_are_not_the_accounts_take_nothing_in(store: Database, tenant: Tenant) -> None:
    await make_tenant(store, "Others", "theirs")

    done = await take_in(store, tenant, "V/1", books="theirs")

    assert done["outcome"] == "BOOKS_UNKNOWN"
    assert await batch_count(store) == 0


async def test_an_account_with_two_books_must_say_which(store: Database, tenant: Tenant) -> None:
    await accounts.add_books(store, tenant.account_id, "branch")

    assert (await take_in(store, tenant, "V/1"))["outcome"] == "BOOKS_UNNAMED"
    assert (await take_in(store, tenant, "V/1", books="branch"))["outcome"] == "ACCEPTED"


async def test_an_id_that_stands_twice_takes_nothing_in(store: Database, tenant: Tenant) -> None:
    with pytest.raises(DataError):
        await take_in(store, tenant, "V/1", "V/2", "V/1")

    assert await batch_count(store) == 0


async def test_listeners_hear_of_an_intake(store: Database, tenant: Tenant, database_url: str) -> None:
    heard = asyncio.Event()
    connection = await asyncpg.connect(database_url)
    await connection.add_listener("irnflow_intake", lambda *_: heard.set())

    await take_in(store, tenant, "V/1")

    await asyncio.wait_for(heard.wait(), 20)
    await connection.close()


async def test_batches_past_the_first_ten_thousand_have_room_made_for_them(store: Database, tenant: Tenant) -> None:
    await store.fetch("select setval(pg_get_serial_sequence('irnflow.batch', 'batch_id'), 9999)")

    done = await asyncio.gather(*(take_in(store, tenant, "V/1") for _ in range(4)))

    await events(store, done[0]["batch_id"], {"V/1": State.DATA_FETCHED})
    assert {each["batch_id"] for each in done} == {10_000, 10_001, 10_002, 10_003}


async def test_pages_of_batches_follow_each_other_newest_first(store: Database, tenant: Tenant) -> None:
    made = [(await make_batch(store, tenant, "V/1"))["batch_id"] for _ in range(3)]
    other = await make_tenant(store, "Others", "theirs")
    await make_batch(store, other, "V/1")

    first = await batches.newest(store, tenant.account_id, below=batches.NEWEST, most=2)
    second = await batches.newest(store, tenant.account_id, below=first[-1]["batch_id"], most=2)

    assert [row["batch_id"] for row in [*first, *second]] == made[::-1]


async def test_transactions_are_found_by_state_and_page(store: Database, tenant: Tenant) -> None:
    done = await make_batch(store, tenant, "a", "b", "c", "d")
    await events(store, done["batch_id"], {"b": State.REGISTERED, "d": State.REGISTERED})

    registered = await batches.transactions(store, done["batch_id"], after=2, state="REGISTERED", most=5)
    waiting = await batches.transactions(store, done["batch_id"], after=0, state="PROCESSING", most=1)

    assert [row["transaction_id"] for row in registered] == ["d"]
    assert [row["transaction_id"] for row in waiting] == ["a"]


async def test_another_accounts_batch_is_not_there(store: Database, tenant: Tenant) -> None:
    await make_batch(store, tenant, "V/1", batch_no="B-1")
    other = await make_tenant(store, "Others", "theirs")

    assert await batches.one(store, other.account_id, "B-1") is None


async def test_a_history_has_every_event_in_order(store: Database, tenant: Tenant) -> None:
    done = await make_batch(store, tenant, "a", "b")
    await events(store, done["batch_id"], {"a": State.DATA_FETCHED, "b": State.DATA_FETCHED})
    await events(store, done["batch_id"], {"a": State.VALIDATION_FAILED}, at=later(seconds=1))

    rows = await batches.history(store, done["batch_id"], "a")

    assert [(row["seq"], row["status"]) for row in rows] == [(1, "DATA_FETCHED"), (3, "VALIDATION_FAILED")]
    assert rows[0]["state"] == "VALIDATION_FAILED"


async def test_a_history_without_events_still_has_its_state(store: Database, tenant: Tenant) -> None:
    done = await make_batch(store, tenant, "a")

    [row] = await batches.history(store, done["batch_id"], "a")

    assert (row["state"], row["seq"]) == ("PROCESSING", None)


async def test_a_voucher_that_is_not_in_the_batch_has_no_history(store: Database, tenant: Tenant) -> None:
    done = await make_batch(store, tenant, "a")

    assert await batches.history(store, done["batch_id"], "b") == []
