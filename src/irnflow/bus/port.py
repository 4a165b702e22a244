"""The bus as services and the consumer loop see it; `rabbit` and `memory` implement it, one contract suite holds both.

A delivery is settled by exactly one `ack`, and only after everything it caused has been confirmed.
"""

from collections.abc import Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from typing import Protocol

import msgspec

from irnflow.messages import Publication


class Delivery(msgspec.Struct, frozen=True, kw_only=True):
    """A message as the broker hands it over."""

    tag: int  # rising within one subscription
    routing_key: str
    body: bytes
    message_id: str
    correlation_id: str
    headers: Mapping[str, object]
    delivery_count: int  # x-delivery-count: how often the broker has handed it out before
    app_id: str = ""


class Subscription(Protocol):
    """Deliveries of one queue on one channel, with bounded prefetch."""

    async def take(self, *, most: int, bytes_most: int, linger_s: float) -> list[Delivery]:
        """Wait for one delivery, then give all that arrived within `linger_s`, at most `most` or `bytes_most`.

        Raises `Unavailable` when the channel is gone: what was not acked comes again elsewhere.
        """

    async def ack(self, tags: Sequence[int]) -> None:
        """Settle these; the implementation acks up to the highest contiguous settled tag and never beyond."""


class Bus(Protocol):
    """One service's connection to the broker."""

    async def publish(self, window: Sequence[Publication]) -> None:
        """Publish all, persistent and mandatory, and return when the broker has confirmed each.

        Raises `PublishFailed` when one was returned, nacked or not confirmed in time (others may have arrived),
        `Unavailable` when there is no connection.
        """

    def subscribe(self, queue: str, *, prefetch: int) -> AbstractAsyncContextManager[Subscription]:
        """Deliveries of a queue while the context is open; unsettled ones go back when it closes."""
