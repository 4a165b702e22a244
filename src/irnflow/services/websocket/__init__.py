"""WebSocket: keep what happens to each transaction, and show it to people as it happens.

consumes   status_queue  StatusChanged
publishes  nothing; frames to browsers and API clients, at /api/v1/ws
keeps      event, state, batch_count
repeated   a status that stands there already is dropped: it gets no second seq, and nobody sees it twice

Recording and showing know nothing of each other but the tables: any node shows what any node has recorded.
`feed` reads what is new of the batches that somebody watches, `endpoint` speaks with one client, `frames` has
the words of the protocol.
"""

import asyncio
from collections.abc import Sequence
from datetime import UTC, datetime
from functools import partial
from typing import Final

import msgspec
from structlog.typing import FilteringBoundLogger

from irnflow.api.server import probes, serving
from irnflow.bus import rabbit
from irnflow.bus.batch import Answer, Consumer, Now, consume, reading
from irnflow.bus.port import Bus
from irnflow.log import logger
from irnflow.messages import Detail, StatusChanged
from irnflow.services.websocket.endpoint import LIMITS, Endpoint
from irnflow.services.websocket.feed import Feed, listen
from irnflow.settings import Settings
from irnflow.store import database
from irnflow.store.accounts import Keys
from irnflow.store.database import Database, queries

NAME = "websocket"

_SQL: Final = queries("events")
FAULTS_MOST: Final = 50  # in an event; the failure's row has them all


async def handle(told: Sequence[StatusChanged], *, store: Database) -> list[Answer]:
    """Record all in one call; there is nothing to say to other services."""
    await store.fetch(
        _SQL["record"],
        [each.batch_id for each in told],
        [each.transaction_id for each in told],
        [each.status.value for each in told],
        [each.n for each in told],
        [each.at for each in told],
        [msgspec.json.encode(shortened(each.detail)).decode() for each in told],
    )
    return [()] * len(told)


def shortened(detail: Detail) -> Detail:
    """A detail that a thousand of fit into one frame."""
    count = len(detail.faults)
    if count <= FAULTS_MOST:
        return detail
    says = f"{detail.says} (the first {FAULTS_MOST} of {count} faults)".strip()
    return msgspec.structs.replace(detail, says=says, faults=detail.faults[:FAULTS_MOST])


async def run(*, bus: Bus, store: Database, now: Now, log: FilteringBoundLogger) -> None:
    """Record for ever. A status that can't be recorded goes to the dead letters, whence it is sent again."""
    consumer = Consumer(
        service=NAME,
        queue="status_queue",
        decode=reading(StatusChanged),
        handle=partial(handle, store=store),
        failed=lambda told, error, attempts: (),
    )
    await consume(bus, consumer, now=now, log=log)


async def main(settings: Settings) -> None:
    """Open the store and the bus; record, and show what is recorded."""

    def now() -> datetime:
        return datetime.now(UTC)

    def missing() -> dict[str, str]:
        return feed.trouble | ({} if bus.connected else {"rabbitmq": "not connected"})

    async with (
        database.connect(settings.database_url, connections=4) as store,
        rabbit.connect(settings.amqp_url, NAME) as bus,
        asyncio.TaskGroup() as tasks,
    ):
        feed = Feed(store)
        endpoint = Endpoint(feed, Keys(store, now), console_port=settings.port_of("irn_service"))
        routes = [*probes(NAME, missing), endpoint.route]
        async with serving(routes, host=settings.host, port=settings.port_of(NAME), **LIMITS):
            tasks.create_task(run(bus=bus, store=store, now=now, log=logger(NAME)))
            tasks.create_task(listen(settings.database_url, feed))
            await feed.tail()
