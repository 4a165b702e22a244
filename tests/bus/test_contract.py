"""One contract, both buses: what services may rely on, in memory and on RabbitMQ."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AbstractAsyncContextManager

import msgspec
import pytest

from irnflow.bus import memory, rabbit, topology
from irnflow.bus.ladder import attempts, waiting
from irnflow.bus.port import Bus, Delivery, Subscription
from irnflow.errors import BadMessage, PublishFailed, Transient, Unavailable
from irnflow.messages import BODY_BYTES_MAX, FetchData, Publication, publication
from tests.bus.examples import NOON, fetch

QUEUE = "fetch_data_queue"
Connect = Callable[[], AbstractAsyncContextManager[Bus]]


@pytest.fixture(params=["memory", "rabbit"])
def connect(request: pytest.FixtureRequest) -> Connect:
    """Opens another connection to the same, empty broker."""
    if request.param == "memory":
        broker = memory.Broker()
        return lambda: broker.connect("test")
    url = request.getfixturevalue("amqp_url")
    return lambda: rabbit.connect(url, "test")


@pytest.fixture
async def bus(connect: Connect) -> AsyncIterator[Bus]:
    async with connect() as connection:
        yield connection


def messages(*transaction_ids: str) -> list[Publication]:
    return [publication(fetch(transaction_id)) for transaction_id in transaction_ids]


def numbered(count: int) -> list[str]:
    return [f"V{number}" for number in range(count)]


async def take(subscription: Subscription, most: int = 200, *, within_s: float = 5.0) -> list[Delivery]:
    """Exactly so many deliveries, in as many takes as it needs."""
    taken: list[Delivery] = []
    async with asyncio.timeout(within_s):
        while len(taken) < most:
            taken += await subscription.take(most=most - len(taken), bytes_most=8 << 20, linger_s=0.005)
    return taken


async def nothing_comes(subscription: Subscription) -> bool:
    """Whether a second message, published behind all others, is the next that comes: used with a marker."""
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(0.3):
            await subscription.take(most=1, bytes_most=1, linger_s=0)
            return False
    return True


async def test_a_message_arrives_as_it_was_published(bus: Bus) -> None:
    [message] = messages("V/1")

    await bus.publish([message])
    async with bus.subscribe(QUEUE, prefetch=10) as subscription:
        [delivery] = await take(subscription, 1)

    assert delivery == Delivery(
        tag=1,
        routing_key="fetch.data",
        body=message.body,
        message_id=message.message_id,
        correlation_id="V/1",
        headers=message.headers,
        delivery_count=0,
        app_id="test",
        type="fetch.data",
    )
