"""The bus as services and the consumer loop see it.

`rabbit` and `memory` implement it, and one contract suite holds both.

A delivery is settled by exactly one `ack`, and only after everything it caused has been confirmed.
"""

from collections.abc import Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from typing import Protocol

import msgspec

from irnflow.messages import Publication


class Delivery(msgspec.Struct, frozen=True, kw_only=True):
    """A message as the broker hands it over."""

    tag: int  # 1, 2, 3 .. within one subscription
    routing_key: str  # after the retry ladder: the name of the queue it came back to
    body: bytes
    message_id: str
    correlation_id: str
    headers: Mapping[str, object]
    delivery_count: int  # x-delivery-count: how often the broker has handed it out before
    app_id: str = ""  # who published it
    type: str = ""  # its own routing key, also after the retry ladder


class Subscription(Protocol):
    """Deliveries of one queue on one channel, with bounded prefetch."""

    async def take(self, *, most: int, bytes_most: int, linger_s: float) -> list[Delivery]:
        """Wait for one delivery, then give all that arrive within `linger_s`, at most `most` or `bytes_most`.

        A delivery larger than `bytes_most` comes by itself. Raises `Unavailable` when the channel is gone:
        what was not acked comes again elsewhere.
        """

    async def ack(self, tags: Sequence[int]) -> None:
        """Settle these: one ack up to the highest contiguous settled tag, and never of an unsettled one.

        A settled tag behind an unsettled one is acked by itself: a voucher that kills its process must not
        bring its finished neighbours back each time. Raises `Unavailable` when the channel is gone.
        """


class Bus(Protocol):
    """One service's connection to the broker."""

    @property
    def connected(self) -> bool:
        """Whether the broker can be used now; it comes back by itself."""

    async def publish(self, window: Sequence[Publication]) -> None:
        """Publish all, persistent and mandatory, and return when the broker has confirmed each.

        Raises `PublishFailed` when one was returned, nacked or not confirmed in time (others may have
        arrived), `Unavailable` when there is no connection, `BadMessage` when a body is over 4 MiB (nothing
        is sent).
        """

    def subscribe(self, queue: str, *, prefetch: int) -> AbstractAsyncContextManager[Subscription]:
        """Deliveries of a queue while the context is open; unsettled ones go back when it closes."""

    async def depth(self, queue: str) -> int:
        """How many messages of a queue are ready: neither handed out nor acked. Raises `Unavailable`."""
