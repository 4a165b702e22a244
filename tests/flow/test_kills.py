"""kill -9, restarts, duplicates, lost answers in the middle of a batch: nothing is lost, nothing registered twice."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import aiormq
import pytest

from irnflow.books import sample
from irnflow.bus import topology
from irnflow.settings import SERVICES
from tests.flow.conftest import Flow

pytestmark = [
    pytest.mark.xdist_group("flow"),
    pytest.mark.asyncio(loop_scope="session"),
    pytest.mark.timeout(400),
]

SIZE = 300


async def midway(flow: Flow) -> str:
    """A batch of which some, and not all, are registered."""
    batch_no = await flow.submit(flow.synthetic(SIZE))
    counts = await flow.until(flow.counts, batch_no, lambda counts: counts.get("REGISTERED", 0) > 0)
    assert counts["REGISTERED"] < SIZE
    return batch_no


@pytest.mark.parametrize("service", SERVICES)
async def test_a_service_killed_in_the_middle_of_a_batch_loses_nothing(flow: Flow, service: str) -> None:
    batch_no = await midway(flow)

    flow.deployed.kill(service)

    assert await flow.settled(batch_no) == {"REGISTERED": SIZE}
    await flow.agrees()


# A sample of those at which the simulation kills registration (tests/simulation/points.py).
@pytest.mark.parametrize(
    "point",
    [
        "after registration.arrive",
        "before ack",
        "after registration.lease",
        "before generate",
        "after generate",
        "before registration.settle",
        "after registration.settle",
        "before publish",
        "after publish",
    ],
)
async def test_registration_killed_between_two_effects_registers_each_document_once(flow: Flow, point: str) -> None:
    batch_no = await flow.stopped_at(point, flow.synthetic(30))

    assert await flow.settled(batch_no) == {"REGISTERED": 30}
    await flow.agrees()


async def test_the_sandbox_killed_in_the_middle_of_a_batch_leaves_no_doubt(flow: Flow) -> None:
    batch_no = await midway(flow)

    flow.deployed.kill("sandbox")

    assert await flow.settled(batch_no) == {"REGISTERED": SIZE}
    await flow.agrees()


async def test_a_broker_that_is_killed_and_comes_back_loses_nothing(flow: Flow) -> None:
    batch_no = await midway(flow)

    flow.deployed.kill_broker()

    assert await flow.settled(batch_no) == {"REGISTERED": SIZE}
    await flow.agrees()


async def test_a_postgresql_that_is_killed_and_comes_back_loses_nothing(flow: Flow) -> None:
    batch_no = await midway(flow)

    flow.deployed.kill_store()

    assert await flow.settled(batch_no) == {"REGISTERED": SIZE}
    await flow.agrees()


async def test_answers_lost_after_the_portal_committed_are_found_and_nothing_is_sent_twice(flow: Flow) -> None:
    before = (await flow.desk("GET", "register"))["calls"].get("generate", 0)
    await flow.desk("POST", "switches", json={"drop_answer_after_commit": 10})

    batch_no = await flow.submit(flow.synthetic(30))

    assert await flow.settled(batch_no) == {"REGISTERED": 30}
    assert (await flow.desk("GET", "register"))["calls"]["generate"] - before == 30
    await flow.agrees()


async def test_every_message_delivered_twice_changes_nothing(flow: Flow) -> None:
    async with tapped(flow) as copies:
        batch_no = await flow.submit([*flow.synthetic(20), *sample.IDS])  # some of which fail, each in its way
        await flow.settled(batch_no)
        await flow.quiet()
        states, failures = await flow.states(batch_no), await open_failures(flow)
        before = await flow.desk("GET", "register")

        keys = await copies.publish_again()
        await flow.quiet()

    assert set(keys) >= {key for _, key in topology.WORK.values()} - NOT_MET | STATUSES
    assert await flow.states(batch_no) == states
    assert await open_failures(flow) == failures
    assert (await flow.desk("GET", "register"))["calls"]["generate"] == before["calls"]["generate"]
    await flow.agrees()


NOT_MET = {"#", "handle.generation_error", "handle.update_error"}  # by the sample
STATUSES = {"status.data_fetch_failed", "status.validation_failed", "status.generation_success", "status.db_updated"}


async def open_failures(flow: Flow) -> list[tuple[str, str]]:
    rows = await flow.rows("select transaction_id, cause from irnflow.failure where closed_at is null order by 1, 2")
    return [(row["transaction_id"], row["cause"]) for row in rows]


class Copies:
    """Copies of all messages of work and status, in a queue of the test's own."""

    def __init__(self, channel: aiormq.abc.AbstractChannel, queue: str) -> None:
        self.channel = channel
        self.queue = queue

    async def publish_again(self) -> list[str | None]:
        """Gives their routing keys."""
        taken = []
        while (message := await self.channel.basic_get(self.queue, no_ack=True)).exchange is not None:
            taken.append(message)
        await self.channel.queue_delete(self.queue)
        for message in taken:
            await self.channel.basic_publish(
                message.body,
                exchange=message.exchange or "",
                routing_key=message.routing_key or "",
                properties=message.header.properties,
            )
        return [message.routing_key for message in taken]


@asynccontextmanager
async def tapped(flow: Flow) -> AsyncIterator[Copies]:
    connection = await aiormq.connect(flow.deployed.broker.amqp_url)
    channel = await connection.channel()
    queue = str((await channel.queue_declare(exclusive=True)).queue)
    for exchange, key in topology.WORK.values():
        await channel.queue_bind(queue, exchange, key)
    yield Copies(channel, queue)
    await connection.close()


async def test_five_urgent_vouchers_are_not_behind_a_large_batch(flow: Flow) -> None:
    large = await flow.submit(flow.synthetic(2000))
    await flow.until(flow.counts, large, lambda counts: counts.get("REGISTERED", 0) > 0)

    urgent = await flow.submit(flow.synthetic(5))
    await flow.settled(urgent)

    assert (await flow.counts(large)).get("REGISTERED", 0) < 2000
    assert await flow.settled(large) == {"REGISTERED": 2000}


async def test_a_stop_in_order_leaves_nothing_behind(flow: Flow) -> None:
    batch_no = await midway(flow)

    for service in SERVICES:
        flow.deployed.end(service)

    assert await flow.settled(batch_no) == {"REGISTERED": SIZE}
    await flow.agrees()
