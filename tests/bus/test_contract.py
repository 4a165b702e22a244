"""One contract, both buses: what services may rely on, in memory and on RabbitMQ."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager

import msgspec
import pytest

from irnflow.bus import memory, rabbit, topology
from irnflow.bus.ladder import attempts, waiting
from irnflow.bus.port import Bus, Delivery, Subscription
from irnflow.errors import BadMessage, PublishFailed, Transient
from irnflow.messages import BODY_BYTES_MAX, Publication, publication
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


async def coming(bus: Bus, subscription: Subscription) -> list[str]:
    """The TransactionIds that still come: all before a message that is published now."""
    await bus.publish(messages("the end"))
    taken: list[str] = []
    async with asyncio.timeout(5):
        while "the end" not in taken:
            taken += [d.correlation_id for d in await subscription.take(most=9, bytes_most=1 << 20, linger_s=0)]
    return taken[:-1]


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


async def test_a_window_larger_than_the_broker_confirms_at_once_arrives_whole_and_in_order(bus: Bus) -> None:
    ids = numbered(2500)

    await bus.publish(messages(*ids))
    async with bus.subscribe(QUEUE, prefetch=3000) as subscription:
        deliveries = await take(subscription, 2500)

    assert [delivery.correlation_id for delivery in deliveries] == ids


async def test_windows_published_at_the_same_time_are_all_confirmed(bus: Bus) -> None:
    windows = [messages(*(f"{window}-{n}" for n in range(100))) for window in range(10)]

    await asyncio.gather(*(bus.publish(window) for window in windows))

    assert await bus.depth(QUEUE) == 1000


async def test_headers_of_the_brokers_own_are_not_published_again(bus: Bus) -> None:
    [message] = messages("V1")

    await bus.publish([msgspec.structs.replace(message, headers={"x-death": "copied", "x-delivery-count": 3, "v": 1})])
    async with bus.subscribe(QUEUE, prefetch=10) as subscription:
        [delivery] = await take(subscription, 1)

    assert (delivery.headers, delivery.delivery_count) == ({"v": 1}, 0)


async def test_a_copy_over_the_limit_may_go_to_the_ladder_and_to_the_dead_letters(bus: Bus) -> None:
    [message] = messages("V1")
    large = msgspec.structs.replace(message, body=b" " * (BODY_BYTES_MAX + 1), exchange=topology.DEAD_LETTER_EXCHANGE)
    waiting_copy = msgspec.structs.replace(large, exchange="retry.2m", routing_key=QUEUE)

    await bus.publish([large, waiting_copy])

    assert await bus.depth(topology.DEAD_LETTER_QUEUE) == 1


async def test_an_empty_window_is_published_at_once(bus: Bus) -> None:
    await bus.publish([])

    assert await bus.depth(QUEUE) == 0


async def test_a_body_of_several_frames_arrives_whole(bus: Bus) -> None:
    [message] = messages("V1")
    large = msgspec.structs.replace(message, body=bytes(range(256)) * 4096 * 4)

    await bus.publish([large])
    async with bus.subscribe(QUEUE, prefetch=10) as subscription:
        [delivery] = await take(subscription, 1)

    assert delivery.body == large.body


async def test_an_empty_body_arrives(bus: Bus) -> None:
    [message] = messages("V1")

    await bus.publish([msgspec.structs.replace(message, body=b"")])
    async with bus.subscribe(QUEUE, prefetch=10) as subscription:
        [delivery] = await take(subscription, 1)

    assert delivery.body == b""


async def test_a_body_over_the_limit_is_refused_and_nothing_of_its_window_is_sent(bus: Bus) -> None:
    small, large = messages("V1", "V2")

    with pytest.raises(BadMessage, match=f"fetch.data of V2 has {BODY_BYTES_MAX + 1} bytes"):
        await bus.publish([small, msgspec.structs.replace(large, body=b" " * (BODY_BYTES_MAX + 1))])

    assert await bus.depth(QUEUE) == 0


async def test_the_same_message_published_twice_comes_twice(bus: Bus) -> None:
    [message] = messages("V1")

    await bus.publish([message, message])
    async with bus.subscribe(QUEUE, prefetch=10) as subscription:
        deliveries = await take(subscription, 2)

    assert [delivery.message_id for delivery in deliveries] == [message.message_id] * 2


async def test_an_unroutable_message_fails_its_window_though_the_others_arrive(bus: Bus) -> None:
    lost, kept = messages("V1", "V2")

    with pytest.raises(PublishFailed, match=r"1 messages were returned.*direct_exchange no\.such\.key"):
        await bus.publish([msgspec.structs.replace(lost, routing_key="no.such.key"), kept])

    assert await bus.depth(QUEUE) == 1


async def test_publishing_goes_on_after_a_failed_window(bus: Bus) -> None:
    [message] = messages("V1")
    with pytest.raises(PublishFailed):
        await bus.publish([msgspec.structs.replace(message, routing_key="no.such.key")])

    await bus.publish([message])

    assert await bus.depth(QUEUE) == 1


async def test_no_more_than_the_prefetch_is_handed_out_at_once(bus: Bus) -> None:
    await bus.publish(messages(*numbered(10)))

    async with bus.subscribe(QUEUE, prefetch=4) as subscription:
        first = await take(subscription, 4)
        left = await bus.depth(QUEUE)
        await subscription.ack([delivery.tag for delivery in first])
        second = await take(subscription, 4)

    assert left == 6
    assert [delivery.correlation_id for delivery in second] == ["V4", "V5", "V6", "V7"]


async def test_take_gives_at_most_what_is_asked_for(bus: Bus) -> None:
    await bus.publish(messages(*numbered(10)))

    async with bus.subscribe(QUEUE, prefetch=10) as subscription:
        taken = await subscription.take(most=3, bytes_most=1 << 20, linger_s=1)

    assert [delivery.correlation_id for delivery in taken] == ["V0", "V1", "V2"]


async def test_take_stops_before_so_many_bytes_but_gives_at_least_one(bus: Bus) -> None:
    one, two, three = messages("V1", "V2", "V3")
    kilobyte = b" " * 1000

    await bus.publish([msgspec.structs.replace(message, body=kilobyte) for message in (one, two, three)])
    async with bus.subscribe(QUEUE, prefetch=10) as subscription:
        first = await subscription.take(most=10, bytes_most=2500, linger_s=1)
        second = await subscription.take(most=10, bytes_most=10, linger_s=1)

    assert [len(first), len(second)] == [2, 1]


async def test_take_gathers_what_arrives_while_it_lingers(bus: Bus) -> None:
    async with bus.subscribe(QUEUE, prefetch=10) as subscription:
        taking = asyncio.create_task(subscription.take(most=2, bytes_most=1 << 20, linger_s=5))
        await bus.publish(messages("V1"))
        await bus.publish(messages("V2"))
        taken = await taking

    assert [delivery.correlation_id for delivery in taken] == ["V1", "V2"]


async def test_an_acked_delivery_never_comes_again(connect: Connect) -> None:
    async with connect() as bus:
        await bus.publish(messages("V1", "V2"))
        async with bus.subscribe(QUEUE, prefetch=10) as subscription:
            first, _second = await take(subscription, 2)
            await subscription.ack([first.tag])

    async with connect() as bus, bus.subscribe(QUEUE, prefetch=10) as subscription:
        again = await coming(bus, subscription)

    assert again == ["V2"]


async def test_an_unsettled_delivery_is_never_covered_by_the_ack_of_a_later_one(bus: Bus) -> None:
    await bus.publish(messages("V1", "V2", "V3", "V4"))

    async with bus.subscribe(QUEUE, prefetch=10) as subscription:
        one, _two, three, four = await take(subscription, 4)
        await subscription.ack([four.tag, one.tag])
        await subscription.ack([three.tag])
    async with bus.subscribe(QUEUE, prefetch=10) as subscription:
        again = await coming(bus, subscription)

    assert again == ["V2"]


async def test_a_gap_that_closes_is_acked_with_all_behind_it(bus: Bus) -> None:
    await bus.publish(messages("V1", "V2", "V3"))

    async with bus.subscribe(QUEUE, prefetch=10) as subscription:
        one, two, three = await take(subscription, 3)
        await subscription.ack([two.tag, three.tag])
        await subscription.ack([one.tag])
        await bus.publish(messages("V4"))
        [four] = await take(subscription, 1)
        await subscription.ack([four.tag])

    async with bus.subscribe(QUEUE, prefetch=10) as subscription:
        again = await coming(bus, subscription)

    assert again == []


async def test_what_a_consumer_leaves_unsettled_comes_again_first_and_counted(bus: Bus) -> None:
    await bus.publish(messages("V1", "V2", "V3"))

    async with bus.subscribe(QUEUE, prefetch=2) as subscription:
        await take(subscription, 2)
    async with bus.subscribe(QUEUE, prefetch=10) as subscription:
        again = await take(subscription, 3)

    assert [(d.correlation_id, d.delivery_count) for d in again] == [("V1", 1), ("V2", 1), ("V3", 0)]


async def test_two_subscriptions_share_a_queue(connect: Connect) -> None:
    async with (
        connect() as one,
        connect() as two,
        one.subscribe(QUEUE, prefetch=1) as first,
        two.subscribe(QUEUE, prefetch=1) as second,
    ):
        await one.publish(messages("V1", "V2"))
        taken = await take(first, 1) + await take(second, 1)

    assert sorted(delivery.correlation_id for delivery in taken) == ["V1", "V2"]


async def test_depth_counts_neither_what_is_handed_out_nor_what_is_acked(bus: Bus) -> None:
    await bus.publish(messages(*numbered(5)))

    async with bus.subscribe(QUEUE, prefetch=2) as subscription:
        await take(subscription, 2)
        waiting_now = await bus.depth(QUEUE)

    assert waiting_now == 3


async def test_a_status_of_any_kind_comes_to_the_status_queue(bus: Bus) -> None:
    [message] = messages("V1")
    keys = ["status.data_fetched", "status.db_updated", "status.new_kind"]

    await bus.publish([
        msgspec.structs.replace(message, exchange=topology.STATUS, routing_key=key) for key in keys
    ])  # fmt: skip
    async with bus.subscribe("status_queue", prefetch=10) as subscription:
        deliveries = await take(subscription, 3)

    assert [delivery.type for delivery in deliveries] == keys


async def test_a_dead_letter_comes_to_the_dead_letter_queue_whatever_its_key(bus: Bus) -> None:
    [message] = messages("V1")

    await bus.publish([msgspec.structs.replace(message, exchange=topology.DEAD_LETTER_EXCHANGE)])

    assert await bus.depth(topology.DEAD_LETTER_QUEUE) == 1


async def test_a_retry_comes_back_to_the_very_queue_it_left(bus: Bus) -> None:
    """From every queue that is consumed, at once, on the first step; twice, for the broker must see no cycle."""
    queues = [queue for queue in topology.QUEUES if queue not in topology.LADDER]
    async with contextlib.AsyncExitStack() as stack:
        subscriptions = {queue: await stack.enter_async_context(bus.subscribe(queue, prefetch=10)) for queue in queues}
        await bus.publish([first_message(queue) for queue in queues])
        first = await gather(subscriptions, within_s=5)
        await bus.publish([again(first[queue], queue) for queue in queues])
        second = await gather(subscriptions, within_s=20)
        await bus.publish([again(second[queue], queue) for queue in queues])
        third = await gather(subscriptions, within_s=20)

    assert {queue: third[queue].body for queue in queues} == {queue: queue.encode() for queue in queues}
    assert {third[queue].message_id for queue in queues} == {first[queue].message_id for queue in queues}
    assert {attempts(third[queue]) for queue in queues} == {2}
    assert [third[queue].type for queue in queues] == [first[queue].type for queue in queues]
    assert {third[queue].headers["BatchNo"] for queue in queues} == {"B1"}


def first_message(queue: str) -> Publication:
    exchange, key = topology.QUEUES[queue]
    key = "status.data_fetched" if key == "#" else key or "fetch.data"
    [message] = messages(queue)
    return msgspec.structs.replace(message, exchange=exchange, routing_key=key, body=queue.encode())


def again(delivery: Delivery, queue: str) -> Publication:
    return waiting(delivery, Transient("try later"), queue=queue, exchange="retry.5s", at=NOON)


async def gather(subscriptions: dict[str, Subscription], within_s: float) -> dict[str, Delivery]:
    """One delivery of each queue, settled."""
    taken: dict[str, Delivery] = {}
    for queue, subscription in subscriptions.items():
        [taken[queue]] = await take(subscription, 1, within_s=within_s)
        await subscription.ack([taken[queue].tag])
    return taken
