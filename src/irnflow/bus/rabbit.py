"""The bus on RabbitMQ: one connection for publishing, one for consuming, both coming back by themselves.

A publish is a window: all its frames are written at once, and its confirms are counted by delivery tag. A return,
a nack, or no confirm in time is a failure. What RabbitMQ promises: a confirm of a quorum queue means that a majority
has fsynced it; a return comes before the confirm of the same message (RabbitMQ docs, publisher confirms).
"""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable, Collection, Iterable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from itertools import takewhile
from typing import Final

from pamqp import commands as spec
from pamqp.base import Frame

from irnflow import metrics
from irnflow.bus import frames, topology
from irnflow.bus.backoff import backoff
from irnflow.bus.inbox import Inbox
from irnflow.bus.ladder import words
from irnflow.bus.port import Delivery
from irnflow.bus.window import check_size, unroutable, windows
from irnflow.bus.wire import Channel, Wire, connected
from irnflow.errors import BadInput, PublishFailed, Unavailable
from irnflow.log import logger
from irnflow.messages import Publication

CONFIRM_S: Final = 30.0  # a quorum queue confirms within tens of milliseconds, under load within seconds


@contextlib.asynccontextmanager
async def connect(url: str, name: str, *, confirm_s: float = CONFIRM_S) -> AsyncIterator["Rabbit"]:
    """The bus of one service. It is there at once; `connected` says whether the broker is too.

    Raises BadInput when the broker is there, but lacks what this service uses, or refuses its user.
    """
    bus = Rabbit(name, confirm_s)
    async with _kept(url, f"{name} publishing", bus.publishing), _kept(url, f"{name} consuming", bus.consuming):
        yield bus


class Rabbit:
    """The Bus of one service."""

    def __init__(self, name: str, confirm_s: float) -> None:
        self.name = name
        self.confirm_s = confirm_s
        self._publisher: _Publisher | None = None
        self._consuming: Wire | None = None

    @property
    def connected(self) -> bool:
        return self._publisher is not None and self._consuming is not None and not self._publisher.wire.blocked

    async def publish(self, window: Sequence[Publication]) -> None:
        """See `port.Bus.publish`."""
        for message in window:
            check_size(message)
        for part in windows(window):
            if self._publisher is None:
                raise Unavailable("no connection to the broker")
            await self._publisher.publish(part, self.name, self.confirm_s)
            metrics.published.labels(self.name).inc(len(part))

    @contextlib.asynccontextmanager
    async def subscribe(self, queue: str, *, prefetch: int) -> AsyncIterator["_Subscription"]:
        """See `port.Bus.subscribe`."""
        if self._consuming is None:
            raise Unavailable("no connection to the broker")
        async with self._consuming.channel(_Subscription) as subscription:
            await subscription.ask(spec.Basic.Qos(prefetch_count=prefetch))
            await subscription.ask(spec.Basic.Consume(queue=queue, consumer_tag=self.name))
            yield subscription

    async def depth(self, queue: str) -> int:
        """See `port.Bus.depth`."""
        if self._consuming is None:  # not the one for publishing: while that is blocked, nobody answers on it
            raise Unavailable("no connection to the broker")
        async with self._consuming.channel(Channel) as channel:
            answer = await channel.ask(spec.Queue.Declare(queue=queue, passive=True))
        assert isinstance(answer, spec.Queue.DeclareOk)  # the only answer there is
        return answer.message_count or 0

    @contextlib.asynccontextmanager
    async def publishing(self, wire: Wire) -> AsyncIterator[None]:
        """While the connection for publishing stands; refuses one that lacks something."""
        _refuse(await missing(wire, self.name))
        async with wire.channel(_Publisher) as publisher:
            await publisher.ask(spec.Confirm.Select())
            self._publisher = publisher
            metrics.connected.labels(self.name, "rabbitmq").set(1)
            try:
                yield
            finally:
                self._publisher = None
                metrics.connected.labels(self.name, "rabbitmq").set(0)

    @contextlib.asynccontextmanager
    async def consuming(self, wire: Wire) -> AsyncIterator[None]:
        """While the connection for consuming stands."""
        self._consuming = wire
        try:
            yield
        finally:
            self._consuming = None


async def check(url: str, services: Iterable[str]) -> None:
    """Raise what these services would find wrong with this broker at their start: Unavailable or BadInput."""
    async with connected(url, "irnflow") as wire:
        _refuse(dict.fromkeys([name for service in services for name in await missing(wire, service)]))


def _refuse(lacks: Collection[str]) -> None:
    if lacks:
        raise BadInput(
            f"RabbitMQ lacks {', '.join(lacks)}: import what `irnflow topology` prints, or set IRNFLOW_MANAGEMENT_URL "
            "and `irnflow up` makes them"
        )


async def missing(wire: Wire, service: str) -> list[str]:
    """Exchanges and queues that a service uses and the vhost lacks, by passive declaration."""
    exchanges, queues = topology.used_by(service)
    questions: dict[str, Frame] = {
        **{f"exchange {name}": spec.Exchange.Declare(exchange=name, passive=True) for name in exchanges},
        **{f"queue {name}": spec.Queue.Declare(queue=name, passive=True) for name in queues},
    }
    return [name for name, question in questions.items() if not await _there(wire, question)]


async def _there(wire: Wire, question: Frame) -> bool:
    async with wire.channel(Channel) as channel:
        try:
            await channel.ask(question)
        except Unavailable:
            if wire.lost.done():
                raise
            return False
    return True


@contextlib.asynccontextmanager
async def _kept(
    url: str, name: str, serving: Callable[[Wire], AbstractAsyncContextManager[None]]
) -> AsyncIterator[None]:
    """Keep a connection while the context is open. Raises what the first try finds wrong for good."""
    tried = asyncio.get_running_loop().create_future()
    task = asyncio.create_task(_keep(url, name, serving, tried), name=f"rabbitmq {name}")
    try:
        await tried
        yield
    finally:
        task.cancel()
        await asyncio.wait([task])


async def _keep(
    url: str,
    name: str,
    serving: Callable[[Wire], AbstractAsyncContextManager[None]],
    tried: "asyncio.Future[None]",
) -> None:
    log = logger(name)
    pauses = backoff()
    while True:
        try:
            async with connected(url, name) as wire, serving(wire):
                pauses = backoff()
                _settled(tried)
                log.warning("broker lost", error=await asyncio.shield(wire.lost))
        except Unavailable as error:
            log.warning("no broker", error=words(error))
        except BadInput as error:
            if not tried.done():
                tried.set_exception(error)
                return
            log.error("broker unfit", error=words(error))
        _settled(tried)
        await asyncio.sleep(next(pauses))


def _settled(tried: "asyncio.Future[None]") -> None:
    if not tried.done():
        tried.set_result(None)


class _Window:
    """Messages that were written together, and which of them wait for their confirm."""

    def __init__(self, messages: Sequence[Publication], first_tag: int) -> None:
        self.messages = messages
        self.unconfirmed = dict.fromkeys(range(first_tag, first_tag + len(messages)))
        self.nacked = 0
        self.returned: list[Publication] = []
        self.done: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    def confirm(self, tag: int, *, multiple: bool, good: bool) -> None:
        if multiple:
            tags = list(takewhile(lambda waiting: waiting <= tag, self.unconfirmed))
        else:
            tags = [tag] if tag in self.unconfirmed else []
        for confirmed in tags:
            del self.unconfirmed[confirmed]
        self.nacked += 0 if good else len(tags)
        if not self.unconfirmed and not self.done.done():
            self.done.set_result(None)

    def take_back(self, message_id: str) -> None:
        self.returned += [message for message in self.messages if message.message_id == message_id]

    def check(self) -> None:
        """Raises PublishFailed unless the broker took all."""
        if self.returned:
            raise unroutable(self.returned)
        if self.nacked:
            raise PublishFailed(f"the broker refused {self.nacked} of {len(self.messages)} messages (queue full?)")


class _Publisher(Channel):
    """The channel in confirm mode. Windows may overlap: each counts its own tags."""

    def __init__(self, wire: Wire, number: int) -> None:
        super().__init__(wire, number)
        self._tag = 0
        self._open: list[_Window] = []
        self._returning = False

    async def publish(self, messages: Sequence[Publication], app_id: str, confirm_s: float) -> None:
        if self.gone is not None or self.wire.blocked:
            raise Unavailable(self.gone or "the broker blocks publishers, for want of memory or disk")
        data = b"".join([frames.publish(self.number, m, app_id, self.wire.frame_bytes_max) for m in messages])
        window = _Window(messages, self._tag + 1)
        self.wire.write(data)
        self._tag += len(messages)
        self._open.append(window)
        try:
            async with asyncio.timeout(confirm_s):
                await self.wire.drain()
                await window.done
        except TimeoutError as error:
            count = f"{len(window.unconfirmed)} of {len(messages)}"
            raise PublishFailed(f"the broker did not confirm {count} messages in {confirm_s} s") from error
        finally:
            self._open.remove(window)
        window.check()

    def on_frame(self, kind: int, payload: bytes) -> None:
        if kind == frames.METHOD:
            self.on_method(payload)
        elif kind == frames.HEADER and self._returning:
            self._returning = False
            for window in self._open:
                window.take_back(frames.read_properties(payload).message_id)

    def on_method(self, payload: bytes) -> None:
        method = payload[:4]
        if method in (frames.ACK, frames.NACK):
            tag, multiple = frames.read_confirm(payload)
            for window in self._open:
                window.confirm(tag, multiple=multiple, good=method == frames.ACK)
        elif method == frames.RETURN:
            self._returning = True
        else:
            super().on_method(payload)

    def lose(self, reason: str) -> None:
        super().lose(reason)
        for window in self._open:
            if not window.done.done():
                window.done.set_exception(Unavailable(reason))


class _Subscription(Channel):
    """The channel of one queue's deliveries."""

    def __init__(self, wire: Wire, number: int) -> None:
        super().__init__(wire, number)
        self._inbox = Inbox()
        self._tag = 0
        self._key = ""
        self._properties: frames.Properties | None = None
        self._parts: list[bytes] = []
        self._lacks = 0  # bytes of the body that have not come yet

    async def take(self, *, most: int, bytes_most: int, linger_s: float) -> list[Delivery]:
        """See `port.Subscription.take`."""
        return await self._inbox.take(most=most, bytes_most=bytes_most, linger_s=linger_s)

    async def ack(self, tags: Sequence[int]) -> None:
        """See `port.Subscription.ack`."""
        self._inbox.check()
        up_to, singles = self._inbox.settle(tags)
        if up_to:
            self.wire.write(frames.ack(self.number, up_to, multiple=True))
        for tag in singles:
            self.wire.write(frames.ack(self.number, tag, multiple=False))

    def on_frame(self, kind: int, payload: bytes) -> None:
        if kind == frames.METHOD:
            self.on_method(payload)
        elif kind == frames.HEADER:
            self._properties = frames.read_properties(payload)
            self._lacks = self._properties.body_bytes
            self._parts = []
            self._complete()
        elif kind == frames.BODY:
            self._parts.append(payload)
            self._lacks -= len(payload)
            self._complete()

    def on_method(self, payload: bytes) -> None:
        if payload[:4] == frames.DELIVER:
            self._tag, self._key = frames.read_deliver(payload)
        else:
            super().on_method(payload)

    def lose(self, reason: str) -> None:
        super().lose(reason)
        self._inbox.close(Unavailable(reason))

    def _complete(self) -> None:
        if self._lacks > 0 or self._properties is None:
            return
        properties = self._properties
        self._inbox.put(
            Delivery(
                tag=self._tag,
                routing_key=self._key,
                body=b"".join(self._parts),
                message_id=properties.message_id,
                correlation_id=properties.correlation_id,
                headers=properties.headers,
                delivery_count=_handed_out_before(properties.headers),
                app_id=properties.app_id,
                type=properties.type or self._key,
            )
        )


def _handed_out_before(headers: Mapping[str, object]) -> int:
    """From 4.3 on, what a closed channel gives back counts as acquired, and not always as delivered."""
    counts = (headers.get("x-delivery-count"), headers.get("x-acquired-count"))
    return max((count for count in counts if isinstance(count, int)), default=0)
