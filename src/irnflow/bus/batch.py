"""The one loop that all consumers share: take, decode, handle, publish in one window, confirm, ack.

A service gives a `Consumer` and answers for each message what to say, or why it failed; `verdict` decides
what becomes of it. What failed as a whole is halved until the culprit stands alone. While a dependency is down
the deliveries are held and tried again, and no attempt is counted. The one place with `except Exception`.
"""

import asyncio
import hashlib
from collections import Counter
from collections.abc import Awaitable, Callable, Iterable, Sequence
from datetime import datetime
from typing import Final, Generic, TypeAlias, TypeVar

import msgspec
from structlog.typing import FilteringBoundLogger

from irnflow import messages, metrics
from irnflow.bus.backoff import backoff
from irnflow.bus.dead_letter import bury
from irnflow.bus.ladder import STEPS, attempts, step, waiting, words
from irnflow.bus.port import Bus, Delivery, Subscription
from irnflow.bus.topology import DEAD_LETTER_QUEUE
from irnflow.bus.verdict import Verdict, verdict
from irnflow.bus.window import check_size
from irnflow.errors import BadMessage, Permanent, PublishFailed, SomeUnavailable, Transient, Unavailable
from irnflow.log import Named, transactions
from irnflow.messages import BODY_BYTES_MAX, VERSION, Message, Publication, State, StatusChanged, publication

T = TypeVar("T")
M = TypeVar("M", bound=Message)
Answer: TypeAlias = Sequence[Message] | Exception  # for each message: what to say, or why it failed
Now: TypeAlias = Callable[[], datetime]

BATCH_BYTES_MAX: Final = 8 * 1024 * 1024
HOLD_S: Final = 25 * 60  # the broker closes a channel whose delivery isn't acked in 30 min: consumer_timeout
ASIDE_S: Final = 5.0  # one company's books that are down hold up the others no longer
SUSPECT: Final = 2  # handed out so often before: it may be what kills the process, so it is handled by itself


class Consumer(msgspec.Struct, Generic[T], frozen=True, kw_only=True):
    """What a service does with one queue."""

    service: str
    queue: str
    decode: Callable[[Delivery], T]  # raises BadMessage
    handle: Callable[[Sequence[T]], Awaitable[Sequence[Answer]]]  # one answer for each, in the same order
    failed: Callable[[T, Exception, int], Sequence[Message]]  # what to tell when it goes to a person
    most: int = 200
    linger_s: float = 0.005
    prefetch: int = 200


def reading(kind: type[M]) -> Callable[[Delivery], M]:
    """A decoder for the queue that carries one type of message."""

    def read(delivery: Delivery) -> M:
        if delivery.headers.get("v") != VERSION:
            version = delivery.headers.get("v")
            raise BadMessage(f"version {version!r} of {kind.__name__}; this program reads {VERSION}")
        if len(delivery.body) > BODY_BYTES_MAX:
            raise BadMessage(f"{kind.__name__} of {len(delivery.body)} bytes, the most is {BODY_BYTES_MAX}")
        return messages.decode(delivery.body, kind)

    return read


def each(handle: Callable[[T], Sequence[Message]]) -> Callable[[Sequence[T]], Awaitable[Sequence[Answer]]]:
    """Lift a handler of one message to one of many; raising Transient or Permanent fails that message only."""

    def answer(item: T) -> Answer:
        try:
            return handle(item)
        except (Transient, Permanent) as error:
            return error

    async def answers(items: Sequence[T]) -> Sequence[Answer]:
        return [answer(item) for item in items]

    return answers


async def consume(bus: Bus, consumer: Consumer[T], *, now: Now, log: FilteringBoundLogger) -> None:
    """Serve one queue for ever; subscribes again when the channel is gone. Ends by being cancelled."""
    pauses = backoff()
    while True:
        try:
            async with bus.subscribe(consumer.queue, prefetch=consumer.prefetch) as subscription:
                pauses = backoff()
                worker = _Worker(bus, subscription, consumer, now, log)
                while True:
                    await worker.turn()
        except Unavailable as error:
            log.warning("subscription lost", queue=consumer.queue, error=words(error))
        await asyncio.sleep(next(pauses))


class _Outcome(msgspec.Struct, frozen=True):
    """What becomes of one delivery."""

    delivery: Delivery
    verdict: Verdict
    says: Sequence[Publication] = ()
    error: Exception | None = None
    states: Sequence[State] = ()  # that its transaction came to


class _Worker(Generic[T]):
    """The loop's body for one subscription."""

    def __init__(
        self, bus: Bus, subscription: Subscription, consumer: Consumer[T], now: Now, log: FilteringBoundLogger
    ) -> None:
        self.bus = bus
        self.subscription = subscription
        self.consumer = consumer
        self.now = now
        self.log = log
        self.seconds = metrics.batch_seconds.labels(consumer.service)
        self.size = metrics.batch_size.labels(consumer.service)

    async def turn(self) -> None:
        """Take one micro-batch and settle it: suspects after all others, each by itself."""
        consumer = self.consumer
        taken = await self.subscription.take(most=consumer.most, bytes_most=BATCH_BYTES_MAX, linger_s=consumer.linger_s)
        suspects = [delivery for delivery in taken if delivery.delivery_count >= SUSPECT]
        if len(suspects) < len(taken):
            await self._settle([delivery for delivery in taken if delivery.delivery_count < SUSPECT])
        if suspects and suspects[0].delivery_count % 2:
            suspects.reverse()  # now from this end, now from that: a killer bars neither side for ever
        for suspect in suspects:
            await self._settle([suspect])

    async def _settle(self, batch: Sequence[Delivery]) -> None:
        """Handle, publish, ack; hold what can't be done now, until all is settled or must go back."""
        loop = asyncio.get_running_loop()
        began = loop.time()
        pauses = backoff()
        pending = batch
        while pending:
            outcomes = self._aside(await self._outcomes(pending), loop.time() - began)
            settled = [outcome for outcome in outcomes if outcome.verdict is not Verdict.HOLD]
            await self._publish([message for outcome in settled for message in outcome.says], began + HOLD_S)
            await self.subscription.ack([outcome.delivery.tag for outcome in settled])
            if settled:
                self._tell(settled, loop.time() - began)
            held = [outcome for outcome in outcomes if outcome.verdict is Verdict.HOLD]
            pending = [outcome.delivery for outcome in held]
            if held and held[0].error:
                await self._hold(held[0].error, len(held), next(pauses), began + HOLD_S)
        self.seconds.observe(loop.time() - began)
        self.size.observe(len(batch))

    def _aside(self, outcomes: Sequence[_Outcome], held_s: float) -> Sequence[_Outcome]:
        """Held for what only some need: soon they wait on the ladder, uncounted, so that nobody is behind them."""
        if held_s < ASIDE_S:
            return outcomes
        return [
            self._again(outcome.delivery, outcome.error, STEPS[-1], counted=False)
            if outcome.verdict is Verdict.HOLD and isinstance(outcome.error, SomeUnavailable)
            else outcome
            for outcome in outcomes
        ]

    async def _outcomes(self, batch: Sequence[Delivery]) -> list[_Outcome]:
        """One outcome for each delivery; a batch that fails as a whole is halved."""
        try:
            return await self._answered(batch)
        except Exception as error:
            if len(batch) == 1:
                return [self._dead(batch[0], error)]
        middle = len(batch) // 2
        return [*await self._outcomes(batch[:middle]), *await self._outcomes(batch[middle:])]

    async def _answered(self, batch: Sequence[Delivery]) -> list[_Outcome]:
        decoded: list[tuple[Delivery, T]] = []
        dead: list[_Outcome] = []
        for delivery in batch:
            try:
                decoded.append((delivery, self.consumer.decode(delivery)))
            except BadMessage as error:
                dead.append(self._dead(delivery, error))
        answers = await self._ask([item for _, item in decoded]) if decoded else []
        return dead + [
            self._outcome(delivery, item, answer)
            for (delivery, item), answer in zip(decoded, answers, strict=True)
        ]  # fmt: skip

    async def _ask(self, items: Sequence[T]) -> Sequence[Answer]:
        """The service's answers; Transient raised for all is the answer for each, Permanent is for halving."""
        try:
            return await self.consumer.handle(items)
        except Transient as error:
            return [error] * len(items)
        except Permanent as error:
            if len(items) > 1:
                raise
            return [error]

    def _outcome(self, delivery: Delivery, item: T, answer: Answer) -> _Outcome:
        if not isinstance(answer, Exception):
            return _Outcome(delivery, Verdict.DONE, self._say(delivery, answer), states=_states((item, *answer)))
        before = attempts(delivery)
        match verdict(answer, before):
            case Verdict.HOLD:
                return _Outcome(delivery, Verdict.HOLD, (), answer)
            case Verdict.AGAIN:
                return self._again(delivery, answer, step(before))
            case Verdict.PERSON:
                told = self.consumer.failed(item, answer, before + 1)
                if not told:
                    return self._dead(delivery, answer)
                return _Outcome(delivery, Verdict.PERSON, self._say(delivery, told), answer, _states(told))
        return self._dead(delivery, answer)

    def _say(self, delivery: Delivery, answer: Sequence[Message]) -> list[Publication]:
        """Messages in the form for the wire, in the trace of the delivery that caused them."""
        trace = {"traceparent": traceparent(delivery)}
        says = [publication(message, headers=trace) for message in answer]
        for message in says:
            check_size(message)
        return says

    def _again(self, delivery: Delivery, error: Exception, exchange: str, *, counted: bool = True) -> _Outcome:
        queue = self.consumer.queue
        copy = waiting(delivery, error, queue=queue, exchange=exchange, at=self.now(), counted=counted)
        return _Outcome(delivery, Verdict.AGAIN, [copy], error)

    def _dead(self, delivery: Delivery, error: Exception) -> _Outcome:
        """To the dead letters. A dead letter waits on the last step: there is nowhere else to go."""
        consumer = self.consumer
        if consumer.queue == DEAD_LETTER_QUEUE:
            return self._again(delivery, error, STEPS[-1])
        letter = bury(delivery, error, service=consumer.service, queue=consumer.queue, at=self.now())
        return _Outcome(delivery, Verdict.DEAD, [letter], error)

    async def _publish(self, window: Sequence[Publication], until: float) -> None:
        """Publish and wait for all confirms, again and again while the broker doesn't take it."""
        for pause_s in backoff() if window else ():
            try:
                await self.bus.publish(window)
                break
            except (Unavailable, PublishFailed) as error:
                await self._hold(error, len(window), pause_s, until)

    async def _hold(self, error: Exception, size: int, pause_s: float, until: float) -> None:
        """Wait before the next try; raises Unavailable when the deliveries must go back to the broker."""
        metrics.handled.labels(self.consumer.service, Verdict.HOLD).inc(size)
        self.log.warning("hold", queue=self.consumer.queue, size=size, pause_s=pause_s, error=words(error))
        if asyncio.get_running_loop().time() + pause_s > until:
            raise Unavailable(f"held for {HOLD_S} s, giving the deliveries back: {words(error)}")
        await asyncio.sleep(pause_s)

    def _tell(self, settled: Sequence[_Outcome], seconds: float) -> None:
        """One line for all that is settled, and one for each that is more than done."""
        queue = self.consumer.queue
        counts: Counter[str] = Counter(outcome.verdict for outcome in settled)
        for name, count in counts.items():
            metrics.handled.labels(self.consumer.service, name).inc(count)
        for outcome in settled:
            if outcome.error is not None:
                self.log.warning(
                    outcome.verdict, queue=queue, attempt=attempts(outcome.delivery) + 1,
                    transactions=_named([outcome]), error=words(outcome.error),
                )  # fmt: skip
        self.log.info(
            "batch", queue=queue, size=len(settled), ms=round(seconds * 1000, 1), **counts,
            transactions=_named(settled),
        )  # fmt: skip


def _states(messages: Iterable[object]) -> list[State]:
    """The states that these messages tell of."""
    # For every delivery: isinstance of a msgspec type takes twice as long.
    return [message.status for message in messages if type(message) is StatusChanged]


def _named(settled: Sequence[_Outcome]) -> Named:
    """What became of each transaction, for the log: a state, or else the verdict."""
    return transactions([
        (what, str(outcome.delivery.headers.get("AccountId")), str(outcome.delivery.headers.get("BatchNo")),
         outcome.delivery.correlation_id)
        for outcome in settled for what in outcome.states or (outcome.verdict,)
    ])  # fmt: skip


def traceparent(delivery: Delivery) -> str:
    """The W3C trace context to hand on: the delivery's own, or one that follows from its message id."""
    given = delivery.headers.get("traceparent")
    if isinstance(given, str) and len(given) == 55:
        return given
    drawn = hashlib.blake2b(delivery.message_id.encode(), digest_size=24).hexdigest()
    return f"00-{drawn[:32]}-{drawn[32:]}-01"
