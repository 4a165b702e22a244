"""Deliveries of one subscription: those that wait to be taken, and which are settled. No I/O; for both buses."""

import asyncio
from collections import deque
from collections.abc import Sequence

from irnflow.bus.port import Delivery
from irnflow.errors import Unavailable


class Inbox:
    """Filled by the broker's side with `put`, emptied by `take`; `settle` says what to ack."""

    def __init__(self) -> None:
        self._waiting: deque[Delivery] = deque()
        self._bytes = 0
        self._lost: Exception | None = None
        self._waiter: asyncio.Future[None] | None = None
        self._enough = (1, 1)  # messages, bytes: what the waiter waits for
        self._contiguous = 0  # all tags up to this one are settled
        self._settled: set[int] = set()  # tags behind an unsettled one that are settled too

    def put(self, delivery: Delivery) -> None:
        self._waiting.append(delivery)
        self._bytes += len(delivery.body)
        if len(self._waiting) >= self._enough[0] or self._bytes >= self._enough[1]:
            self._wake()

    def close(self, reason: Exception) -> None:
        """The channel is gone: from now on `take` raises."""
        self._lost = self._lost or reason
        self._waiting.clear()
        self._wake()

    async def take(self, *, most: int, bytes_most: int, linger_s: float) -> list[Delivery]:
        """See `port.Subscription.take`."""
        if not self._waiting:
            await self._until((1, 1), None)
        if len(self._waiting) < most and self._bytes < bytes_most:
            await self._until((most, bytes_most), linger_s)
        self.check()
        taken = [self._waiting.popleft()]
        size = len(taken[0].body)
        while self._waiting and len(taken) < most and size + len(self._waiting[0].body) <= bytes_most:
            taken.append(self._waiting.popleft())
            size += len(taken[-1].body)
        self._bytes -= size
        return taken

    def settle(self, tags: Sequence[int]) -> tuple[int, list[int]]:
        """What to ack now: all up to a tag (0: nothing), and single tags behind an unsettled one.

        A tag is named once: RabbitMQ closes the channel over the ack of a tag that it no longer knows.
        """
        fresh = set(tags)
        self._settled |= fresh
        up_to = 0
        while self._contiguous + 1 in self._settled:
            self._contiguous += 1
            self._settled.remove(self._contiguous)
            if self._contiguous in fresh:
                up_to = self._contiguous
        return up_to, sorted(tag for tag in fresh if tag > self._contiguous)

    def check(self) -> None:
        """Raises Unavailable when the channel is gone."""
        if self._lost is not None:
            raise Unavailable(f"the channel is gone: {self._lost}") from self._lost

    async def _until(self, enough: tuple[int, int], patience_s: float | None) -> None:
        """Wait for so many messages or bytes, at most so long, or until the channel is gone."""
        self.check()
        loop = asyncio.get_running_loop()
        self._enough, self._waiter = enough, loop.create_future()
        timer = None if patience_s is None else loop.call_later(patience_s, self._wake)
        try:
            await self._waiter
        finally:
            self._waiter = None
            if timer is not None:
                timer.cancel()

    def _wake(self) -> None:
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_result(None)
