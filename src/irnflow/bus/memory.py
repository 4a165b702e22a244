"""A broker in memory with the same contract as RabbitMQ: for the simulation and the tests of services.

Deterministic: time is the loop's, and randomness only what `Mischief` is given. It routes by the same tables,
keeps the retry ladder's delays, and hands unsettled deliveries out again with `x-delivery-count`; it can
duplicate, delay and reorder messages, lose confirms and connections, and go down.
"""

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Callable, Iterable, Sequence
from contextlib import asynccontextmanager
from random import Random

import msgspec

from irnflow import metrics
from irnflow.bus import topology
from irnflow.bus.inbox import Inbox
from irnflow.bus.port import Delivery
from irnflow.bus.window import check_size, unroutable, windows
from irnflow.errors import PublishFailed, Unavailable
from irnflow.messages import Publication


class Mischief(msgspec.Struct, kw_only=True):
    """How badly the broker behaves, as probabilities from 0 to 1; may be changed while it runs."""

    random: Random
    duplicate: float = 0.0  # a message is enqueued twice
    delay: float = 0.0  # a message is enqueued after up to `delay_s`
    delay_s: float = 10.0
    reorder: float = 0.0  # a queue hands out another message than its first
    lose_confirm: float = 0.0  # a window arrives in part, or wholly, and its publisher is told that it failed
    lose_connection: float = 0.0  # a publisher's connection is lost, with all deliveries on it

    def happens(self, chance: float) -> bool:
        return chance > 0 and self.random.random() < chance


class Broker:
    """All queues of the topology; `connect` gives a service its Bus."""

    def __init__(self, mischief: Mischief | None = None) -> None:
        self.mischief = mischief or Mischief(random=Random(0))  # noqa: S311 (no secret depends on it)
        self.running = True
        self.on_ladder: list[Publication] = []
        self.returns = 0  # deliveries that came back unsettled
        self._queues = {name: _Queue(name, self) for name in topology.QUEUES}
        self._connections: list[Connection] = []
        self._delayed = 0
        self._watchers: list[asyncio.Future[None]] = []

    @asynccontextmanager
    async def connect(self, name: str) -> AsyncIterator["Connection"]:
        """One service's Bus."""
        connection = Connection(self, name)
        self._connections.append(connection)
        try:
            yield connection
        finally:
            connection.lose("closed")
            self._connections.remove(connection)

    def stop(self) -> None:
        """The broker goes down: all connections are lost, all messages stay."""
        self.running = False
        for connection in self._connections:
            connection.lose("the broker is down")

    def start(self) -> None:
        self.running = True

    def ready(self, queue: str) -> list[Delivery]:
        """The messages that wait in a queue, as they would be handed out; they stay there."""
        return [_delivery(message, tag) for tag, message in enumerate(self._queues[queue].ready, 1)]

    async def when(self, condition: Callable[[], bool]) -> None:
        """Wait until the condition holds; it is asked again after each change in any queue."""
        while not condition():
            changed = asyncio.get_running_loop().create_future()
            self._watchers.append(changed)
            await changed

    def changed(self) -> None:
        """Something has arrived, been handed out, or been settled."""
        watchers, self._watchers = self._watchers, []
        for watcher in watchers:
            if not watcher.done():
                watcher.set_result(None)

    @property
    def unsettled(self) -> int:
        """Deliveries that are handed out and not acked."""
        return sum(queue.unsettled for queue in self._queues.values())

    @property
    def in_flight(self) -> int:
        """Messages that are ready, handed out, delayed or on the ladder; 0 once all are settled."""
        ready = sum(len(queue.ready) for queue in self._queues.values())
        return ready + self.unsettled + self._delayed + len(self.on_ladder)

    def accept(self, publication: Publication, app_id: str) -> bool:
        """Put one message into the queues that it belongs to; False when there are none."""
        queues = topology.route(publication.exchange, publication.routing_key)
        for queue in queues:
            message = _Message(publication=publication, app_id=app_id)
            self._arrive(queue, message)
            if self.mischief.happens(self.mischief.duplicate):
                self._arrive(queue, message)
        return bool(queues)

    def dead_letter(self, queue: str, message: "_Message", reason: str) -> None:
        """What the broker does by itself: a message leaves a queue for that queue's dead letter exchange."""
        death: dict[str, object] = {"queue": queue, "reason": reason, "count": 1}
        moved = _Message(publication=message.publication, app_id=message.app_id, x_death=death)
        key = message.publication.routing_key
        target = key if queue in topology.LADDER else topology.DEAD_LETTER_QUEUE
        self._queues[target].put(moved)

    def _arrive(self, queue: str, message: "_Message") -> None:
        if queue in topology.LADDER:
            self.on_ladder.append(message.publication)
            self.changed()
            asyncio.get_running_loop().call_later(topology.LADDER[queue], self._expire, queue, message)
        elif self.mischief.happens(self.mischief.delay):
            delay_s = self.mischief.random.uniform(0, self.mischief.delay_s)
            self._delayed += 1
            asyncio.get_running_loop().call_later(delay_s, self._late, queue, message)
        else:
            self._queues[queue].put(message)

    def _expire(self, step: str, message: "_Message") -> None:
        self.on_ladder.remove(message.publication)
        self.dead_letter(step, message, "expired")

    def _late(self, queue: str, message: "_Message") -> None:
        self._delayed -= 1
        self._queues[queue].put(message)


class Connection:
    """The Bus of one service. It is there again as soon as the broker is."""

    def __init__(self, broker: Broker, name: str) -> None:
        self.broker = broker
        self.name = name
        self._subscriptions: list[_Subscription] = []

    @property
    def connected(self) -> bool:
        return self.broker.running

    def lose(self, reason: str = "connection lost") -> None:
        """Cut it: every unsettled delivery goes back, everything that waits on it fails."""
        for subscription in list(self._subscriptions):
            subscription.close(reason)
        self._subscriptions.clear()

    async def publish(self, window: Sequence[Publication]) -> None:
        for publication in window:
            check_size(publication)
        for part in windows(window):
            await self._publish(part)

    @asynccontextmanager
    async def subscribe(self, queue: str, *, prefetch: int) -> AsyncIterator["_Subscription"]:
        self._check()
        subscription = _Subscription(self.broker._queues[queue], prefetch)  # noqa: SLF001 (one broker, one file)
        self._subscriptions.append(subscription)
        try:
            yield subscription
        finally:
            subscription.close("closed")
            if subscription in self._subscriptions:
                self._subscriptions.remove(subscription)

    async def depth(self, queue: str) -> int:
        self._check()
        return len(self.broker.ready(queue))

    async def _publish(self, window: Sequence[Publication]) -> None:
        await asyncio.sleep(0)  # others may run before the broker has it, and before its confirm is here
        self._check()
        mischief = self.broker.mischief
        cut = mischief.random.randrange(len(window) + 1) if mischief.happens(mischief.lose_confirm) else None
        returned = [message for message in window[:cut] if not self.broker.accept(message, self.name)]
        await asyncio.sleep(0)
        if mischief.happens(mischief.lose_connection):
            self.lose()
            raise Unavailable("the connection was lost before the confirms came")
        if cut is not None:
            raise PublishFailed("no confirm in time")
        if returned:
            raise unroutable(returned)
        metrics.published.labels(self.name).inc(len(window))

    def _check(self) -> None:
        if not self.connected:
            raise Unavailable("no connection to the broker")


class _Message(msgspec.Struct, kw_only=True):
    """One copy of a message in one queue."""

    publication: Publication
    app_id: str
    delivery_count: int = 0
    x_death: dict[str, object] | None = None


class _Queue:
    """Ready messages, and the subscriptions they are handed to in turn."""

    def __init__(self, name: str, broker: Broker) -> None:
        self.name = name
        self.broker = broker
        self.ready: deque[_Message] = deque()
        self.subscriptions: deque[_Subscription] = deque()

    @property
    def unsettled(self) -> int:
        return sum(len(subscription.unsettled) for subscription in self.subscriptions)

    def put(self, message: _Message) -> None:
        self.ready.append(message)
        self.hand_out()

    def give_back(self, messages: Iterable[_Message]) -> None:
        """Unsettled deliveries come first again, in their order; over the delivery limit they are dead."""
        for message in reversed(list(messages)):
            self.broker.returns += 1
            message.delivery_count += 1
            if message.delivery_count > topology.DELIVERY_LIMIT and self.name != topology.DEAD_LETTER_QUEUE:
                self.broker.dead_letter(self.name, message, "delivery_limit")
            else:
                self.ready.appendleft(message)
        self.hand_out()

    def hand_out(self) -> None:
        while self.ready and (subscription := self._next_free()):
            subscription.hand(self._pick())
        self.broker.changed()

    def _next_free(self) -> "_Subscription | None":
        """Round robin over the subscriptions whose prefetch isn't used up."""
        for _ in range(len(self.subscriptions)):
            self.subscriptions.rotate(-1)
            if self.subscriptions[-1].free:
                return self.subscriptions[-1]
        return None

    def _pick(self) -> _Message:
        mischief = self.broker.mischief
        if mischief.happens(mischief.reorder):
            self.ready.rotate(-mischief.random.randrange(len(self.ready)))
        return self.ready.popleft()


class _Subscription:
    """Deliveries of one queue, with bounded prefetch."""

    def __init__(self, queue: _Queue, prefetch: int) -> None:
        self.queue = queue
        self.prefetch = prefetch
        self.unsettled: dict[int, _Message] = {}  # by tag
        self._inbox = Inbox()
        self._tag = 0
        queue.subscriptions.append(self)
        queue.hand_out()

    @property
    def free(self) -> bool:
        return len(self.unsettled) < self.prefetch

    def hand(self, message: _Message) -> None:
        self._tag += 1
        self.unsettled[self._tag] = message
        self._inbox.put(_delivery(message, self._tag))

    def close(self, reason: str) -> None:
        if self in self.queue.subscriptions:
            self.queue.subscriptions.remove(self)
            self._inbox.close(Unavailable(reason))
            self.queue.give_back(self.unsettled.values())
            self.unsettled.clear()

    async def take(self, *, most: int, bytes_most: int, linger_s: float) -> list[Delivery]:
        return await self._inbox.take(most=most, bytes_most=bytes_most, linger_s=linger_s)

    async def ack(self, tags: Sequence[int]) -> None:
        await asyncio.sleep(0)
        self._inbox.check()
        up_to, singles = self._inbox.settle(tags)
        for tag in [tag for tag in self.unsettled if tag <= up_to] + singles:
            self.unsettled.pop(tag, None)
        self.queue.hand_out()


def _delivery(message: _Message, tag: int) -> Delivery:
    publication = message.publication
    headers: dict[str, object] = {k: v for k, v in publication.headers.items() if not k.startswith("x-")}
    if message.x_death:
        headers["x-death"] = [message.x_death]
        headers["x-first-death-queue"] = message.x_death["queue"]
    if message.delivery_count:
        headers["x-delivery-count"] = message.delivery_count
    return Delivery(
        tag=tag,
        routing_key=publication.routing_key,
        body=publication.body,
        message_id=publication.message_id,
        correlation_id=publication.correlation_id,
        headers=headers,
        delivery_count=message.delivery_count,
        app_id=message.app_id,
        type=publication.type or publication.routing_key,
    )
