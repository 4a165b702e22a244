"""Messages, a small service and a way to run it, for the tests of the bus."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from datetime import UTC, datetime
from typing import TypeVar

import msgspec

from irnflow.bus.batch import Answer, Consumer, consume, reading
from irnflow.bus.memory import Broker
from irnflow.bus.port import Bus, Delivery
from irnflow.log import logger
from irnflow.messages import FetchData, FetchFailed, Message, Publication, State, StatusChanged, publication

T = TypeVar("T")
NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)
QUEUE = "fetch_data_queue"
Handle = Callable[[Sequence[FetchData]], Awaitable[Sequence[Answer]]]


def fetch(transaction_id: str) -> FetchData:
    return FetchData(batch_id=1, batch_no="B1", transaction_id=transaction_id, account_id=1, books="main")


def messages(*transaction_ids: str) -> list[Publication]:
    return [publication(fetch(transaction_id)) for transaction_id in transaction_ids]


def numbered(count: int) -> list[str]:
    return [f"V{number}" for number in range(count)]


def fetched(item: FetchData) -> list[Message]:
    """What the small service says when all is well."""
    about = {name: getattr(item, name) for name in Message.__struct_fields__}
    return [StatusChanged(**about, status=State.DATA_FETCHED, at=NOON)]


def failed(item: FetchData, error: Exception, attempts: int) -> list[Message]:
    """What it tells a person."""
    about = {name: getattr(item, name) for name in Message.__struct_fields__}
    return [FetchFailed(**about, at=NOON, cause="test", says=str(error), attempts=attempts)]


def consumer(handle: Handle) -> Consumer[FetchData]:
    return Consumer(
        service="data_fetch", queue=QUEUE, decode=reading(FetchData), handle=handle, failed=failed, linger_s=0.001
    )


@contextlib.asynccontextmanager
async def serving(bus: Bus, served: Consumer[T]) -> AsyncIterator[None]:
    """Run the consumer loop while the context is open."""
    task = asyncio.create_task(consume(bus, served, now=lambda: NOON, log=logger("test")))
    try:
        yield
    finally:
        task.cancel()
        await asyncio.wait([task])


async def arrived(broker: Broker, queue: str, count: int = 1) -> list[Delivery]:
    """The messages of a queue, once so many wait there and nothing else is under way."""
    await broker.when(lambda: len(broker.ready(queue)) >= count and not broker.unsettled)
    return broker.ready(queue)


async def on_ladder(broker: Broker) -> list[Publication]:
    """What waits on the ladder, once something does and nothing else is under way."""
    await broker.when(lambda: bool(broker.on_ladder) and not broker.unsettled)
    return broker.on_ladder


def with_body(message: Publication, body: bytes) -> Publication:
    return msgspec.structs.replace(message, body=body)
