"""The error desk, on a real PostgreSQL and the memory bus, through the consumer loop."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from typing import Any

import pytest

from irnflow import messages
from irnflow.bus import memory
from irnflow.bus.dead_letter import bury
from irnflow.bus.port import Bus, Delivery
from irnflow.errors import BadMessage
from irnflow.gst.faults import Fault
from irnflow.log import logger
from irnflow.messages import (
    FetchData,
    FetchFailed,
    GenerationFailed,
    Message,
    Publication,
    Registered,
    State,
    StatusChanged,
    UpdateFailed,
    ValidationFailed,
    publication,
)
from irnflow.services.error_desk import run
from irnflow.store import database
from irnflow.store.database import Database, Postgres, Row
from tests.tenant import AT, Tenant, events, later, make_batch, make_tenant
from tests.waiting import until

FAULT = Fault(code="totals.taxable_value", path="ItemList[0].AssAmt", says="10, not 11", fix="Correct it.")


@pytest.fixture
async def store(database_url: str) -> AsyncIterator[Postgres]:
    async with database.connect(database_url) as opened:
        yield opened


@pytest.fixture
async def tenant(store: Postgres) -> Tenant:
    return await make_tenant(store)


@pytest.fixture
async def batch(store: Postgres, tenant: Tenant) -> Row:
    return await make_batch(store, tenant, "a", "b")


@pytest.fixture
async def bus(store: Postgres) -> AsyncIterator[Bus]:
    """A bus with a desk that works."""
    broker = memory.Broker()
    async with broker.connect("error_desk") as desk, broker.connect("test") as opened:
        task = asyncio.create_task(run(bus=desk, store=store, now=lambda: AT, log=logger("error_desk")))
        yield opened
        task.cancel()
        await asyncio.wait([task])


def about(tenant: Tenant, batch: Row, transaction_id: str = "a") -> dict[str, Any]:
    return {
        "batch_id": batch["batch_id"],
        "batch_no": batch["batch_no"],
        "transaction_id": transaction_id,
        "account_id": tenant.account_id,
        "books": tenant.books,
    }


async def kept(store: Database, count: int = 1) -> list[dict[str, Any]]:
    """The failures, once there are so many."""

    async def rows() -> list[dict[str, Any]] | None:
        found = await store.fetch("select * from irnflow.failure order by transaction_id, stage")
        return [dict(row) for row in found] if len(found) == count else None

    return await until(rows) or []


async def buried(store: Database) -> list[dict[str, Any]]:
    return await until(lambda: _buried(store))


async def _buried(store: Database) -> list[dict[str, Any]]:
    return [dict(row) for row in await store.fetch("select * from irnflow.dead_letter")]


async def statuses(bus: Bus, count: int = 1) -> list[Delivery]:
    async with bus.subscribe("status_queue", prefetch=100) as subscription:
        found: list[Delivery] = []
        while len(found) < count:
            found += await asyncio.wait_for(subscription.take(most=100, bytes_most=2**20, linger_s=0), 20)
        await subscription.ack([delivery.tag for delivery in found])
    return found


def dead(
    message: Message, error: Exception | None = None, *, headers: Mapping[str, str | int] | None = None, **changes: Any
) -> Publication:
    """A message that its service could not handle."""
    wire = publication(message, headers=headers)
    delivery = Delivery(
        tag=1,
        routing_key=changes.get("routing_key", wire.routing_key),
        body=changes.get("body", wire.body),
        message_id=wire.message_id,
        correlation_id=wire.correlation_id,
        headers=wire.headers,
        delivery_count=0,
    )
    return bury(delivery, error or ValueError("no such luck"), service="data_fetch", queue="fetch_data_queue", at=AT)


@pytest.mark.parametrize(
    ("kind", "stage"),
    [
        (FetchFailed, "data_fetch"),
        (ValidationFailed, "validation"),
        (GenerationFailed, "registration"),
        (UpdateFailed, "database_update"),
    ],
)
async def test_a_failure_of_each_stage_is_kept(
    store: Postgres, tenant: Tenant, batch: Row, bus: Bus, kind: Any, stage: str
) -> None:
    told = kind(**about(tenant, batch), at=AT, cause="c", says="s", fix="f", faults=(FAULT,), attempts=3)

    await bus.publish([publication(told)])

    [row] = await kept(store)
    assert (row["stage"], row["cause"], row["says"], row["fix"], row["attempts"], row["account_id"]) == (
        stage, "c", "s", "f", 3, tenant.account_id,
    )  # fmt: skip
    assert "ItemList[0].AssAmt" in row["faults"]
    assert '"Cause": "c"' in row["message"]


async def test_the_same_failure_twice_is_one_row(store: Postgres, tenant: Tenant, batch: Row, bus: Bus) -> None:
    told = publication(FetchFailed(**about(tenant, batch), at=AT, cause="c", says="s"))
    other = publication(FetchFailed(**about(tenant, batch, "b"), at=AT, cause="c", says="s"))

    await bus.publish([told, told, other])

    rows = await kept(store, 2)
    assert [row["transaction_id"] for row in rows] == ["a", "b"]


async def test_a_failure_of_an_unknown_transaction_is_buried_as_it_came(
    store: Postgres, tenant: Tenant, batch: Row, bus: Bus
) -> None:
    stranger = publication(FetchFailed(**about(tenant, batch, "nobody"), at=AT, cause="c", says="s"))
    known = publication(FetchFailed(**about(tenant, batch), at=AT, cause="c", says="s"))

    await bus.publish([known, stranger])

    [letter] = await buried(store)
    assert letter["body"] == stranger.body
    assert [row["transaction_id"] for row in await kept(store)] == ["a"]


async def test_a_dead_request_is_kept_and_its_transaction_called_dead_lettered(
    store: Postgres, tenant: Tenant, batch: Row, bus: Bus
) -> None:
    await bus.publish([dead(FetchData(**about(tenant, batch)))])

    [row] = await kept(store)
    assert (row["stage"], row["cause"]) == ("data_fetch", "dead_letter.defect")
    assert row["says"] == "data_fetch gave up: ValueError: no such luck."
    [told] = await statuses(bus)
    status = messages.decode(told.body, StatusChanged)
    assert (status.status, status.transaction_id, status.detail.says) == (State.DEAD_LETTERED, "a", row["says"])


async def test_a_dead_letter_of_a_registered_voucher_is_a_failure_of_the_books(
    store: Postgres, tenant: Tenant, batch: Row, bus: Bus
) -> None:
    await events(store, batch["batch_id"], {"a": State.GENERATION_SUCCESS})
    registered = Registered(
        **about(tenant, batch), read_digest="d", irn="0" * 64, ack_no="1", ack_dt="2026-11-22 15:30:00", signed_qr="q"
    )

    await bus.publish([dead(registered)])

    [row] = await kept(store)
    assert (row["stage"], row["closed_at"]) == ("database_update", None)
    [told] = await statuses(bus)
    assert told.routing_key == "status.db_update_failed"


async def test_a_dead_letter_whose_rest_is_wrong_still_says_whose_it_is(
    store: Postgres, tenant: Tenant, batch: Row, bus: Bus
) -> None:
    wrong = publication(FetchData(**about(tenant, batch))).body  # no DataFetched: it lacks the invoice

    await bus.publish(
        [dead(FetchData(**about(tenant, batch)), BadMessage("no invoice"), routing_key="process.data", body=wrong)]
    )

    [row] = await kept(store)
    assert (row["stage"], row["cause"]) == ("validation", "dead_letter.bad_message")


async def test_a_dead_failure_is_kept_in_its_own_words(store: Postgres, tenant: Tenant, batch: Row, bus: Bus) -> None:
    told = ValidationFailed(**about(tenant, batch), at=AT, cause="c", says="its own words")

    await bus.publish([dead(told)])

    [row] = await kept(store)
    assert (row["stage"], row["cause"], row["says"]) == ("validation", "c", "its own words")


async def test_a_dead_failure_that_cannot_be_read_is_kept_all_the_same(
    store: Postgres, tenant: Tenant, batch: Row, bus: Bus
) -> None:
    wordless = publication(FetchData(**about(tenant, batch))).body

    await bus.publish([dead(FetchData(**about(tenant, batch)), routing_key="handle.validation_error", body=wordless)])

    [row] = await kept(store)
    assert (row["stage"], row["cause"]) == ("validation", "dead_letter.defect")


async def test_a_dead_letter_that_came_late_is_closed(store: Postgres, tenant: Tenant, batch: Row, bus: Bus) -> None:
    await events(store, batch["batch_id"], {"a": State.REGISTERED}, at=later(minutes=-1))

    await bus.publish([dead(FetchData(**about(tenant, batch)))])

    [row] = await kept(store)
    assert row["closed_at"] == later(minutes=-1)


@pytest.mark.parametrize(("routing_key", "body"), [("fetch.data", b"\xff{"), ("nobody.knows", b"{}"), ("", b"")])
async def test_a_dead_letter_that_cannot_be_read_is_buried_as_it_came(
    store: Postgres, tenant: Tenant, batch: Row, bus: Bus, routing_key: str, body: bytes
) -> None:
    letter = dead(FetchData(**about(tenant, batch)), BadMessage("cut"), routing_key=routing_key, body=body)

    await bus.publish([letter])

    [row] = await buried(store)
    assert (row["body"], row["queue"], row["reason"]) == (body, "fetch_data_queue", "bad_message")
    assert "BadMessage: cut" in row["headers"]


async def test_one_that_cannot_be_read_holds_up_no_other(store: Postgres, tenant: Tenant, batch: Row, bus: Bus) -> None:
    sound = [dead(FetchData(**about(tenant, batch, each))) for each in "ab"]
    cut = dead(FetchData(**about(tenant, batch)), body=b"{")

    await bus.publish([sound[0], cut, sound[1]])

    assert [row["transaction_id"] for row in await kept(store, 2)] == ["a", "b"]
    assert len(await buried(store)) == 1


@pytest.mark.parametrize("wrong", [{"batch_id": 2**70}, {"transaction_id": "a\0"}])
async def test_one_whose_values_the_store_refuses_is_buried_by_itself(
    store: Postgres, tenant: Tenant, batch: Row, bus: Bus, wrong: dict[str, Any]
) -> None:
    refused = dead(FetchData(**(about(tenant, batch) | wrong)))

    await bus.publish([dead(FetchData(**about(tenant, batch))), refused, dead(FetchData(**about(tenant, batch, "b")))])

    assert [row["transaction_id"] for row in await kept(store, 2)] == ["a", "b"]
    assert [row["body"] for row in await buried(store)] == [refused.body]


async def test_a_failure_whose_words_the_store_refuses_is_buried(
    store: Postgres, tenant: Tenant, batch: Row, bus: Bus
) -> None:
    refused = publication(FetchFailed(**about(tenant, batch), at=AT, cause="c\0", says="s"))

    await bus.publish([refused])

    assert [row["body"] for row in await buried(store)] == [refused.body]


async def test_a_dead_status_is_said_again_as_new(store: Postgres, tenant: Tenant, batch: Row, bus: Bus) -> None:
    status = StatusChanged(**about(tenant, batch), status=State.DATA_FETCHED, at=AT)

    await bus.publish([dead(status, headers={"attempt": 4, "last_error": "x"})])

    [again] = await statuses(bus)
    assert (again.routing_key, again.body) == ("status.data_fetched", publication(status).body)
    assert again.headers["revived"] == 1
    assert "attempt" not in again.headers
    assert not [name for name in again.headers if name.startswith("dead_")]


async def test_a_status_that_died_three_times_more_is_buried(
    store: Postgres, tenant: Tenant, batch: Row, bus: Bus
) -> None:
    status = StatusChanged(**about(tenant, batch), status=State.DATA_FETCHED, at=AT)

    await bus.publish([dead(status, headers={"revived": 3})])

    [letter] = await buried(store)
    assert letter["body"] == publication(status).body


async def test_every_dead_letter_is_acked(store: Postgres, tenant: Tenant, batch: Row) -> None:
    broker = memory.Broker()
    letters = [dead(FetchData(**about(tenant, batch))), dead(FetchData(**about(tenant, batch)), body=b"{")]
    async with broker.connect("test") as bus, broker.connect("error_desk") as desk:
        task = asyncio.create_task(run(bus=desk, store=store, now=lambda: AT, log=logger("error_desk")))

        await bus.publish(letters)

        answer = 1  # one status, which nobody takes here
        await asyncio.wait_for(broker.when(lambda: broker.in_flight == answer and not broker.unsettled), 20)
        task.cancel()
        await asyncio.wait([task])
    assert len(broker.ready("status_queue")) == answer
