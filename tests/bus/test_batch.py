"""The consumer loop on the memory bus: what becomes of each delivery."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable, Sequence
from datetime import UTC, datetime

import pytest

from irnflow.bus import batch, memory
from irnflow.bus.batch import Answer, Consumer, consume, each, reading
from irnflow.bus.dead_letter import exhume
from irnflow.errors import BadInput, DataError, PublishFailed, Transient, Unavailable
from irnflow.log import logger
from irnflow.messages import BODY_BYTES_MAX, FetchData, FetchFailed, Message, State, StatusChanged, publication

NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)


def fetch(transaction_id: str) -> FetchData:
    return FetchData(batch_id=1, batch_no="B1", transaction_id=transaction_id, account_id=1, books="main")


def fetched(item: FetchData) -> list[Message]:
    status = StatusChanged(
        batch_id=item.batch_id, batch_no=item.batch_no, transaction_id=item.transaction_id,
        account_id=item.account_id, books=item.books, status=State.DATA_FETCHED, at=NOON,
    )  # fmt: skip
    return [status]


def failed(item: FetchData, error: Exception, attempts: int) -> Sequence[Message]:
    told = FetchFailed(
        batch_id=item.batch_id, batch_no=item.batch_no, transaction_id=item.transaction_id,
        account_id=item.account_id, books=item.books, at=NOON, cause="test", says=str(error), attempts=attempts,
    )  # fmt: skip
    return [told]


def consumer(handle, **more) -> Consumer[FetchData]:  # type: ignore[no-untyped-def]
    return Consumer(
        service="data_fetch", queue="fetch_data_queue", decode=reading(FetchData), handle=handle, failed=failed, **more
    )


@contextlib.asynccontextmanager
async def serving(bus: memory.Connection, served: Consumer[FetchData]) -> AsyncIterator[None]:
    task = asyncio.create_task(consume(bus, served, now=lambda: NOON, log=logger("test")))
    try:
        yield
    finally:
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task


async def until(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(5):
        while not condition():
            await asyncio.sleep(0.001)


async def test_a_message_is_answered_and_acked() -> None:
    broker = memory.Broker()
    async with broker.connect("data_fetch") as bus:
        await bus.publish([publication(fetch("V1"))])

        async with serving(bus, consumer(each(fetched))):
            await until(lambda: len(broker.ready("status_queue")) == 1 and broker.in_flight == 1)

        assert [d.type for d in broker.ready("status_queue")] == ["status.data_fetched"]
        assert broker.ready("fetch_data_queue") == []
