"""What a message costs our process on the bus: CPU microseconds to publish and to consume one.

`python -m bench.bus` starts a private RabbitMQ, publishes and consumes 50,000 statuses in windows of 500, and prints
the CPU of this process by `time.process_time`, so that other work on the machine matters little. `--profile` shows
where it goes.
"""

import cProfile
import pstats
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from pathlib import Path

import uvloop

from irnflow.bus import rabbit
from irnflow.bus.port import Bus
from irnflow.local import rabbitmq
from irnflow.messages import Publication, State, StatusChanged, publication

COUNT = 50_000
WINDOW = 500
CACHE = Path.home() / ".cache" / "irnflow"


def statuses() -> list[Publication]:
    at = datetime(2026, 11, 22, 12, tzinfo=UTC)
    trace = {"traceparent": f"00-{'a' * 32}-{'b' * 16}-01"}
    return [
        publication(
            StatusChanged(batch_id=1, batch_no="B1", transaction_id=f"INV-{n}", account_id=1, books="main",
                          status=State.DATA_FETCHED, at=at),
            headers=trace,
        )
        for n in range(COUNT)
    ]  # fmt: skip


async def publish(bus: Bus, messages: list[Publication]) -> None:
    for at in range(0, COUNT, WINDOW):
        await bus.publish(messages[at : at + WINDOW])


async def consume(bus: Bus) -> None:
    left = COUNT
    async with bus.subscribe("status_queue", prefetch=2 * WINDOW) as subscription:
        while left:
            taken = await subscription.take(most=WINDOW, bytes_most=8 << 20, linger_s=0.005)
            await subscription.ack([delivery.tag for delivery in taken])
            left -= len(taken)


async def measured(name: str, work: Callable[[], Awaitable[None]]) -> None:
    wall, cpu = time.perf_counter(), time.process_time()
    await work()
    wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
    print(f"{name}: {cpu / COUNT * 1e6:.1f} us CPU a message, {COUNT / wall:,.0f} messages/s")


async def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        async with (
            rabbitmq.running(Path(folder), cache=CACHE) as server,
            rabbit.connect(server.amqp_url, "bench") as bus,
        ):
            messages = statuses()
            await measured("publish", lambda: publish(bus, messages))
            await measured("consume", lambda: consume(bus))


if __name__ == "__main__":
    profile = cProfile.Profile()
    if "--profile" in sys.argv:
        profile.enable()
    uvloop.run(main())
    if "--profile" in sys.argv:
        profile.disable()
        pstats.Stats(profile).sort_stats("tottime").print_stats(25)
