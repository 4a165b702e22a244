"""What only a real broker and a real network do: connections that break, silence, refusals, restarts."""

import asyncio
import contextlib
import os
import signal
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import aiohttp
import pamqp.frame
import pytest
from pamqp import commands as spec

from irnflow.bus import rabbit, topology, wire
from irnflow.bus.batch import each
from irnflow.bus.port import Bus, Delivery
from irnflow.errors import PublishFailed, Unavailable
from irnflow.local import rabbitmq as node
from tests.bus.examples import QUEUE, consumer, fetched, messages, numbered, serving


class Proxy:
    """A network between service and broker that can be cut, or fall silent in one direction."""

    def __init__(self, amqp_url: str) -> None:
        self.direct_url = amqp_url
        self.port = urlsplit(amqp_url).port or 0
        self.url = ""  # through this network
        self.answers = asyncio.Event()  # cleared: nothing of the broker reaches us
        self.answers.set()
        self.open = True
        self._writers: list[asyncio.StreamWriter] = []
        self._tasks: list[asyncio.Task[None]] = []

    def cut(self) -> None:
        for writer in self._writers:
            writer.transport.abort()
        self._writers.clear()

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if not self.open:
            writer.transport.abort()
            return
        above, below = await asyncio.open_connection("127.0.0.1", self.port)
        self._writers += [writer, below]
        always = asyncio.Event()
        always.set()
        self._tasks += [
            asyncio.create_task(_pass(reader, below, always)),
            asyncio.create_task(_pass(above, writer, self.answers)),
        ]

    async def close(self) -> None:
        self.cut()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)


async def _pass(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, may: asyncio.Event) -> None:
    with contextlib.suppress(OSError):
        while data := await reader.read(1 << 16):
            await may.wait()
            writer.write(data)
            await writer.drain()
    writer.close()


@pytest.fixture
async def proxy(amqp_url: str) -> AsyncIterator[Proxy]:
    between = Proxy(amqp_url)
    server = await asyncio.start_server(between.serve, "127.0.0.1", 0)
    between.url = amqp_url.replace(f":{between.port}/", f":{server.sockets[0].getsockname()[1]}/")
    yield between
    await between.close()
    server.close()
    await server.wait_closed()


async def until(condition: Callable[[], bool], within_s: float = 20) -> None:
    """Wait for what happens in other processes."""
    async with asyncio.timeout(within_s):
        while not condition():  # noqa: ASYNC110 (no event comes from there)
            await asyncio.sleep(0.01)


async def test_a_service_starts_without_a_broker_and_finds_it_when_it_comes(proxy: Proxy) -> None:
    proxy.open = False

    async with rabbit.connect(proxy.url, "test") as bus:
        before = bus.connected
        with pytest.raises(Unavailable):
            await bus.publish(messages("V1"))
        with pytest.raises(Unavailable):
            await bus.depth(QUEUE)
        with pytest.raises(Unavailable):
            async with bus.subscribe(QUEUE, prefetch=1):
                pass
        proxy.open = True
        await until(lambda: bus.connected)
        await bus.publish(messages("V1"))
        depth = await bus.depth(QUEUE)

    assert not before
    assert depth == 1


async def test_a_cut_connection_comes_back_and_everybody_who_waited_is_told(proxy: Proxy) -> None:
    async with rabbit.connect(proxy.url, "test") as bus:
        async with bus.subscribe(QUEUE, prefetch=10) as subscription:
            taking = asyncio.create_task(subscription.take(most=1, bytes_most=1, linger_s=0))
            await asyncio.sleep(0)
            proxy.cut()
            with pytest.raises(Unavailable):
                await taking
            with pytest.raises(Unavailable):
                await subscription.ack([1])
        await until(lambda: bus.connected)
        await bus.publish(messages("V1"))
        async with bus.subscribe(QUEUE, prefetch=10) as subscription:
            [delivery] = await subscription.take(most=1, bytes_most=1, linger_s=0)

    assert delivery.correlation_id == "V1"


async def test_a_window_cut_before_its_confirm_fails_and_may_have_arrived(proxy: Proxy) -> None:
    async with rabbit.connect(proxy.url, "test") as bus:
        proxy.answers.clear()
        publishing = asyncio.create_task(bus.publish(messages("V1")))
        async with rabbit.connect(proxy.direct_url, "other") as other:
            await depth_becomes(other, QUEUE, 1)
        proxy.cut()

        with pytest.raises(Unavailable):
            await publishing
        proxy.answers.set()


async def test_a_confirm_that_never_comes_is_a_failure(proxy: Proxy) -> None:
    async with rabbit.connect(proxy.url, "test", confirm_s=0.2) as bus:
        proxy.answers.clear()

        with pytest.raises(PublishFailed, match=r"did not confirm 3 of 3 messages in 0.2 s"):
            await bus.publish(messages("V1", "V2", "V3"))

        proxy.answers.set()
        await bus.publish(messages("V4"))


async def test_what_the_broker_refuses_is_a_failure(amqp_url: str, management_url: str) -> None:
    policy = {"pattern": f"^{QUEUE}$", "apply-to": "queues", "priority": 9}
    full = {"max-length": 1, "overflow": "reject-publish"}
    async with rabbit.connect(amqp_url, "test") as bus:
        await change(management_url, amqp_url, "PUT", "/policies/VHOST/full", {**policy, "definition": full})
        await publish_until_refused(bus)

        with pytest.raises(PublishFailed, match=r"refused \d+ of 20"):
            await bus.publish(messages(*numbered(20)))


async def publish_until_refused(bus: Bus) -> None:
    """A policy takes a moment to reach its queue."""
    async with asyncio.timeout(10):
        with contextlib.suppress(PublishFailed):
            while True:
                await bus.publish(messages("V1"))


async def test_a_queue_that_is_deleted_ends_its_subscription(amqp_url: str, management_url: str) -> None:
    async with rabbit.connect(amqp_url, "test") as bus, bus.subscribe(QUEUE, prefetch=10) as subscription:
        await change(management_url, amqp_url, "DELETE", f"/queues/VHOST/{QUEUE}")

        with pytest.raises(Unavailable, match="cancelled the consumer"):
            await subscription.take(most=1, bytes_most=1, linger_s=0)


async def test_the_depth_of_a_queue_that_is_not_there_is_an_error_and_nothing_else_breaks(amqp_url: str) -> None:
    async with rabbit.connect(amqp_url, "test") as bus:
        with pytest.raises(Unavailable, match="no queue 'no_such_queue'"):
            await bus.depth("no_such_queue")

        assert await bus.depth(QUEUE) == 0


async def test_many_subscriptions_one_after_the_other_use_up_no_channels(amqp_url: str) -> None:
    async with rabbit.connect(amqp_url, "test") as bus:
        numbers = set()
        for _ in range(5):
            async with bus.subscribe(QUEUE, prefetch=1) as subscription:
                numbers.add(subscription.number)  # type: ignore[attr-defined]

    assert len(numbers) == 1


async def test_the_brokers_own_dead_letter_is_readable(amqp_url: str, management_url: str) -> None:
    policy = {"pattern": f"^{QUEUE}$", "apply-to": "queues", "priority": 9}
    short = {"message-ttl": 1, "dead-letter-exchange": topology.DEAD_LETTER_EXCHANGE}
    async with rabbit.connect(amqp_url, "test") as bus:
        await change(management_url, amqp_url, "PUT", "/policies/VHOST/short", {**policy, "definition": short})
        await bus.publish(messages("V1"))
        async with bus.subscribe(topology.DEAD_LETTER_QUEUE, prefetch=1) as subscription:
            [delivery] = await subscription.take(most=1, bytes_most=1, linger_s=0)

    assert isinstance(delivery, Delivery)
    [death] = delivery.headers["x-death"]  # type: ignore[misc]
    assert (death["queue"], death["reason"]) == (QUEUE, "expired")


@pytest.mark.parametrize(
    ("headers", "count"),
    [
        ({}, 0),
        ({"x-delivery-count": 2}, 2),
        ({"x-delivery-count": 1, "x-acquired-count": 3}, 3),  # 4.3 counts both
        ({"x-delivery-count": "many"}, 0),
    ],
)
def test_what_was_handed_out_before_is_counted_on_every_version(headers: dict[str, object], count: int) -> None:
    assert rabbit._handed_out_before(headers) == count


def test_a_blocked_connection_is_known_until_it_is_unblocked() -> None:
    async def read() -> list[bool]:
        reader = wire._Reader(asyncio.get_running_loop())
        seen = []
        for frame in (spec.Connection.Blocked("low on memory"), spec.Connection.Unblocked()):
            reader.feed_data(pamqp.frame.marshal(frame, 0))
            seen.append(reader.blocked)
        return seen

    assert asyncio.run(read()) == [True, False]


def test_frames_are_found_however_the_stream_is_cut() -> None:
    frames = [
        pamqp.frame.marshal(spec.Basic.Ack(1), 1),
        pamqp.frame.marshal(spec.Connection.Unblocked(), 0),
        pamqp.frame.marshal(spec.Basic.Ack(2), 1),
    ]

    class Heard:
        def __init__(self) -> None:
            self.payloads: list[bytes] = []

        def on_frame(self, kind: int, payload: bytes) -> None:
            self.payloads.append(payload)

    async def read(size: int) -> tuple[list[bytes], bytes]:
        heard = Heard()
        reader = wire._Reader(asyncio.get_running_loop())
        reader.channels[1] = heard  # type: ignore[assignment]
        stream = b"".join(frames)
        for at in range(0, len(stream), size):
            reader.feed_data(stream[at : at + size])
        reader.feed_eof()
        return heard.payloads, (await reader.read()).replace(wire._HEARTBEAT, b"")

    expected = ([frames[0][7:-1], frames[2][7:-1]], frames[1])
    assert [asyncio.run(read(size)) for size in (1, 2, 7, 8, 20, 1000)] == [expected] * 6


@pytest.mark.timeout(300)  # a node starts twice
async def test_services_go_on_by_themselves_after_the_broker_is_killed_and_lose_nothing(
    tmp_path: Path, broker_cache: Path
) -> None:
    ids = numbered(3000)
    async with (
        node.running(tmp_path / "rabbitmq", cache=broker_cache) as server,
        rabbit.connect(server.amqp_url_of("irn_service"), "irn_service") as intake,
        rabbit.connect(server.amqp_url_of("data_fetch"), "data_fetch") as worker,
        rabbit.connect(server.amqp_url, "test") as reader,
        serving(worker, consumer(each(fetched))),
    ):
        await intake.publish(messages(*ids))
        os.killpg(server.child.pid, signal.SIGKILL)
        await until(lambda: not intake.connected)
        await until(lambda: intake.connected and worker.connected and reader.connected, within_s=120)
        await intake.publish(messages("the last"))
        seen = await statuses_until(reader, {*ids, "the last"})

    assert seen == {*ids, "the last"}


async def statuses_until(bus: Bus, wanted: set[str]) -> set[str]:
    seen: set[str] = set()
    async with asyncio.timeout(60):
        while seen < wanted:
            with contextlib.suppress(Unavailable):
                async with bus.subscribe("status_queue", prefetch=2000) as subscription:
                    while seen < wanted:
                        taken = await subscription.take(most=1000, bytes_most=8 << 20, linger_s=0.01)
                        seen |= {delivery.correlation_id for delivery in taken}
                        await subscription.ack([delivery.tag for delivery in taken])
    return seen


async def depth_becomes(bus: Bus, queue: str, depth: int) -> None:
    async with asyncio.timeout(10):
        while await bus.depth(queue) != depth:  # noqa: ASYNC110 (no event comes from there)
            await asyncio.sleep(0.01)


async def change(management_url: str, amqp_url: str, method: str, path: str, body: Any = None) -> None:
    """One call of the management API, below /api; VHOST stands for the vhost."""
    path = path.replace("VHOST", topology.vhost_of(amqp_url))
    url = urlsplit(management_url)
    auth = {"Authorization": aiohttp.encode_basic_auth(url.username or "", url.password or "")}
    async with aiohttp.ClientSession(headers=auth, raise_for_status=True) as api:
        await api.request(method, f"http://{url.hostname}:{url.port}/api{path}", json=body)
