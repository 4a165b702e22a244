"""What the memory broker does beyond the contract: its mischief, its clock, and that both are repeatable."""

import asyncio
from random import Random

import pytest

from irnflow.bus import memory
from irnflow.bus.memory import Mischief
from irnflow.errors import PublishFailed, Unavailable
from tests import virtual
from tests.bus.examples import QUEUE, messages, numbered


def seeded(seed: int) -> Random:
    return Random(seed)  # noqa: S311 (no secret depends on it)


def ids(broker: memory.Broker, queue: str = QUEUE) -> list[str]:
    return [delivery.correlation_id for delivery in broker.ready(queue)]


async def published(mischief: Mischief, count: int = 20) -> memory.Broker:
    broker = memory.Broker(mischief)
    async with broker.connect("test") as bus:
        await bus.publish(messages(*numbered(count)))
    return broker


async def test_duplicates_are_enqueued_beside_their_originals() -> None:
    broker = await published(Mischief(random=seeded(1), duplicate=0.5))

    assert len(ids(broker)) > 20
    assert set(ids(broker)) == set(numbered(20))


async def test_reordering_hands_out_all_of_them_in_another_order() -> None:
    broker = await published(Mischief(random=seeded(1), reorder=0.5))

    async with broker.connect("test") as bus, bus.subscribe(QUEUE, prefetch=20) as subscription:
        taken = await subscription.take(most=20, bytes_most=1 << 20, linger_s=0)

    order = [delivery.correlation_id for delivery in taken]
    assert order != numbered(20)
    assert sorted(order) == sorted(numbered(20))


def test_delays_pass_in_the_loops_time() -> None:
    async def main() -> tuple[int, int, int]:
        broker = await published(Mischief(random=seeded(1), delay=0.5, delay_s=60))
        before, in_flight = len(ids(broker)), broker.in_flight
        await asyncio.sleep(60)
        return before, in_flight, len(ids(broker))

    before, in_flight, after = virtual.run(main())

    assert 0 < before < 20
    assert (in_flight, after) == (20, 20)


async def test_a_lost_confirm_leaves_a_part_of_the_window_behind() -> None:
    broker = memory.Broker(Mischief(random=seeded(1), lose_confirm=1))
    async with broker.connect("test") as bus:
        with pytest.raises(PublishFailed, match="no confirm in time"):
            await bus.publish(messages(*numbered(20)))

    assert ids(broker) == numbered(len(ids(broker)))
    assert 0 < len(ids(broker)) < 20


async def test_a_lost_connection_gives_its_deliveries_back_and_everybody_else_keeps_theirs() -> None:
    broker = memory.Broker()
    async with broker.connect("one") as one, broker.connect("two") as two:
        await one.publish(messages("V1", "V2"))
        async with one.subscribe(QUEUE, prefetch=1) as mine, two.subscribe(QUEUE, prefetch=1) as theirs:
            await mine.take(most=1, bytes_most=1, linger_s=0)
            one.lose()
            with pytest.raises(Unavailable):
                await mine.ack([1])
            await theirs.ack([1])
            [again] = await theirs.take(most=1, bytes_most=1, linger_s=0)

    assert again.correlation_id in ("V1", "V2")


async def test_a_stopped_broker_serves_nobody_and_keeps_everything() -> None:
    broker = await published(Mischief(random=seeded(1)))
    async with broker.connect("test") as bus:
        broker.stop()
        with pytest.raises(Unavailable):
            await bus.publish(messages("V1"))
        with pytest.raises(Unavailable):
            await bus.depth(QUEUE)
        connected = bus.connected
        broker.start()

        assert await bus.depth(QUEUE) == 20
    assert not connected


async def test_the_same_seed_gives_the_same_mischief() -> None:
    runs = [
        ids(await published(Mischief(random=seeded(seed), duplicate=0.3), 50))
        for seed in (7, 7, 8)
    ]  # fmt: skip

    assert runs[0] == runs[1]
    assert runs[0] != runs[2]
