"""A message nobody could handle: how it is written to the dead letters, and read back by `error_desk`.

The body, ids and own headers stay as they were; these headers are added: `dead_queue`, `dead_service`,
`dead_reason`, `dead_says`, `dead_trace`, `dead_at`. What the broker gave up has `x-death`.
"""

import traceback
from collections.abc import Mapping
from datetime import datetime
from typing import Final

import msgspec

from irnflow.bus.ladder import attempts, own_headers, words
from irnflow.bus.port import Delivery
from irnflow.bus.topology import DEAD_LETTER_EXCHANGE
from irnflow.errors import BadMessage
from irnflow.messages import Publication

TRACE_MAX: Final = 8_000  # characters; all headers must fit one frame of 128 KiB


class DeadLetter(msgspec.Struct, frozen=True, kw_only=True):
    """A dead letter as it is read."""

    queue: str  # where it could not be handled
    service: str  # who could not; empty when the broker gave it up
    reason: str  # bad_message, defect; or the broker's: delivery_limit, maxlen, expired, rejected
    says: str
    trace: str
    at: str  # RFC 3339; empty when the broker gave it up
    attempts: int  # failed attempts before the one that killed it
    type: str  # its own routing key
    message_id: str
    correlation_id: str  # the TransactionId
    headers: Mapping[str, str | int]  # its own
    body: bytes


def bury(delivery: Delivery, error: Exception, *, service: str, queue: str, at: datetime) -> Publication:
    """The dead letter of a delivery: the original and why it died."""
    return Publication(
        exchange=DEAD_LETTER_EXCHANGE,
        routing_key=delivery.type or delivery.routing_key,
        body=delivery.body,
        message_id=delivery.message_id,
        correlation_id=delivery.correlation_id,
        headers={
            **own_headers(delivery.headers),
            "dead_queue": queue,
            "dead_service": service,
            "dead_reason": "bad_message" if isinstance(error, BadMessage) else "defect",
            "dead_says": words(error),
            "dead_trace": "".join(traceback.format_exception(error))[-TRACE_MAX:],
            "dead_at": at.isoformat(timespec="milliseconds"),
        },
    )


def exhume(delivery: Delivery) -> DeadLetter:
    """Read a delivery of the dead letter queue, ours or the broker's; any headers will do."""
    headers = delivery.headers
    death = _first_death(headers)
    return DeadLetter(
        queue=str(headers.get("dead_queue") or death.get("queue") or ""),
        service=str(headers.get("dead_service") or ""),
        reason=str(headers.get("dead_reason") or death.get("reason") or "unknown"),
        says=str(headers.get("dead_says") or headers.get("last_error") or ""),
        trace=str(headers.get("dead_trace") or ""),
        at=str(headers.get("dead_at") or ""),
        attempts=attempts(delivery),
        type=delivery.type or delivery.routing_key,
        message_id=delivery.message_id,
        correlation_id=delivery.correlation_id,
        headers={key: value for key, value in own_headers(headers).items() if not key.startswith("dead_")},
        body=delivery.body,
    )


def _first_death(headers: Mapping[str, object]) -> Mapping[str, object]:
    deaths = headers.get("x-death")
    if isinstance(deaths, list) and deaths and isinstance(deaths[0], Mapping):
        return deaths[0]
    return {}
