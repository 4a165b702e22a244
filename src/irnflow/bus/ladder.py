"""The retry ladder: where a message waits that failed in passing, and the copy of it that waits there.

The copy travels with its queue's own name as routing key: the ladder's queues dead-letter to the default exchange,
so it comes back to that queue alone. Its id and its own headers stay; `attempt`, `first_failed_at` and `last_error`
are added.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Final

from irnflow.bus.port import Delivery
from irnflow.bus.topology import LADDER
from irnflow.messages import Publication

STEPS: Final = tuple(LADDER)
SAYS_MAX: Final = 1000  # characters of an error that travel in a header
HEADERS_MAX: Final = 12_000  # characters of all headers handed on: with what is added they must fit one frame


def step(attempts: int) -> str:
    """Where a delivery waits that failed `attempts` times before; the last step has no end."""
    return STEPS[min(attempts, len(STEPS) - 1)]


def waiting(
    delivery: Delivery, error: Exception, *, queue: str, exchange: str, at: datetime, counted: bool = True
) -> Publication:
    """The copy of a delivery of `queue` that waits on the step `exchange`; `counted` as an attempt, or not."""
    return Publication(
        exchange=exchange,
        routing_key=queue,
        body=delivery.body,
        message_id=delivery.message_id,
        correlation_id=delivery.correlation_id,
        type=delivery.type or delivery.routing_key,
        headers={
            "first_failed_at": at.isoformat(timespec="milliseconds"),
            **own_headers(delivery.headers),
            "attempt": attempts(delivery) + counted,
            "last_error": words(error),
        },
    )


def attempts(delivery: Delivery) -> int:
    """How often it failed before, by our own count: the broker's differs between 3.10, 4.0 and 4.3."""
    count = delivery.headers.get("attempt", 0)
    return count if isinstance(count, int) else 0


def own_headers(headers: Mapping[str, object]) -> dict[str, str | int]:
    """A message's own headers, to publish it again.

    All `x-` ones are the broker's. Below 4.0.1 a copied x-death makes it drop the message as a cycle.
    """
    own: dict[str, str | int] = {}
    room = HEADERS_MAX
    for key, value in headers.items():
        if isinstance(value, str | int) and not key.startswith("x-"):
            room -= len(key) + len(str(value))
            if room >= 0:
                own[key] = value
    return own


def words(error: Exception) -> str:
    """An error in one bounded line."""
    return f"{type(error).__name__}: {error}"[:SAYS_MAX]
