"""The consumer loop, on the memory bus: what becomes of each delivery."""

import asyncio
from collections.abc import Sequence

import msgspec
import pytest
from structlog.testing import capture_logs
from structlog.typing import EventDict

from irnflow.bus import memory, topology
from irnflow.bus.batch import Answer, consume, each, traceparent
from irnflow.bus.dead_letter import exhume
from irnflow.errors import DataError, Permanent, SomeUnavailable, Transient, Unavailable
from irnflow.log import logger
from irnflow.messages import BODY_BYTES_MAX, FetchData, Message, Validated
from tests import virtual
from tests.bus.examples import (
    NOON,
    QUEUE,
    arrived,
    consumer,
    fetched,
    messages,
    numbered,
    on_ladder,
    serving,
    with_body,
)


class Service:
    """A handler that keeps what it was asked, and fails on chosen transactions."""

    def __init__(self, error: Exception | None = None, *bad: str) -> None:
        self.asked: list[list[str]] = []
        self.error = error
        self.bad = bad

    async def handle(self, items: Sequence[FetchData]) -> Sequence[Answer]:
        """Fails as a whole when one of them is bad."""
        self.asked.append([item.transaction_id for item in items])
        if self.error and any(item.transaction_id in self.bad for item in items):
            raise self.error
        return [fetched(item) for item in items]

    def handle_one(self, item: FetchData) -> list[Message]:
        """Fails by itself."""
        if self.error and item.transaction_id in self.bad:
            raise self.error
        return fetched(item)


async def test_what_a_handler_says_is_published_and_its_message_acked() -> None:
    broker = memory.Broker()
    async with broker.connect("data_fetch") as bus, serving(bus, consumer(each(fetched))):
        await bus.publish(messages("V1", "V2"))
        told = await arrived(broker, "status_queue", 2)

    assert [(d.type, d.correlation_id, d.app_id) for d in told] == [
        ("status.data_fetched", "V1", "data_fetch"),
        ("status.data_fetched", "V2", "data_fetch"),
    ]
    assert broker.ready(QUEUE) == []


async def test_messages_that_arrive_together_are_handled_together() -> None:
    broker, service = memory.Broker(), Service()
    async with broker.connect("data_fetch") as bus:
        await bus.publish(messages(*numbered(250)))
        async with serving(bus, consumer(service.handle)):
            await arrived(broker, "status_queue", 250)

    assert [len(batch) for batch in service.asked] == [200, 50]


async def test_trouble_that_passes_goes_up_the_ladder_and_comes_back() -> None:
    broker, service = memory.Broker(), Service(Transient("busy"), "V1")
    async with broker.connect("data_fetch") as bus, serving(bus, consumer(each(service.handle_one))):
        await bus.publish(messages("V1", "V2"))
        [waiting] = await on_ladder(broker)

    assert (waiting.exchange, waiting.routing_key, waiting.type) == ("retry.5s", QUEUE, "fetch.data")
    assert waiting.headers["attempt"] == 1
    assert waiting.headers["last_error"] == "Transient: busy"
    assert waiting.headers["first_failed_at"] == "2026-11-22T12:00:00.000+00:00"


@pytest.mark.parametrize(("attempt", "exchange"), [(1, "retry.30s"), (2, "retry.2m")])
async def test_each_failure_waits_a_step_longer_and_keeps_when_it_first_failed(attempt: int, exchange: str) -> None:
    broker, service = memory.Broker(), Service(Transient("busy"), "V1")
    [message] = messages("V1")
    headers = {**message.headers, "attempt": attempt, "first_failed_at": "earlier"}
    async with broker.connect("data_fetch") as bus, serving(bus, consumer(each(service.handle_one))):
        await bus.publish([msgspec.structs.replace(message, headers=headers), *messages("V2")])
        [waiting] = await on_ladder(broker)

    assert (waiting.exchange, waiting.headers["attempt"]) == (exchange, attempt + 1)
    assert waiting.headers["first_failed_at"] == "earlier"


async def test_trouble_that_outlasts_the_ladder_goes_to_a_person_with_the_number_of_attempts() -> None:
    broker, service = memory.Broker(), Service(Transient("busy"), "V1")
    [message] = messages("V1")
    async with broker.connect("data_fetch") as bus, serving(bus, consumer(each(service.handle_one))):
        await bus.publish([msgspec.structs.replace(message, headers={**message.headers, "attempt": 3})])
        [told] = await arrived(broker, "fetch_error_queue")

    assert b'"Attempts":4' in told.body


async def test_what_a_person_must_mend_is_told_and_acked() -> None:
    broker, service = memory.Broker(), Service(Permanent("no such voucher"), "V1")
    async with broker.connect("data_fetch") as bus, serving(bus, consumer(each(service.handle_one))):
        await bus.publish(messages("V1", "V2"))
        [told] = await arrived(broker, "fetch_error_queue")

    assert b"no such voucher" in told.body
    assert [d.correlation_id for d in broker.ready("status_queue")] == ["V2"]
    assert broker.ready(topology.DEAD_LETTER_QUEUE) == []


async def test_a_failure_that_nobody_would_be_told_of_is_a_dead_letter() -> None:
    broker, service = memory.Broker(), Service(Permanent("no such voucher"), "V1")
    mute = msgspec.structs.replace(consumer(each(service.handle_one)), failed=lambda *_: [])
    async with broker.connect("data_fetch") as bus, serving(bus, mute):
        await bus.publish(messages("V1"))
        [dead] = await arrived(broker, topology.DEAD_LETTER_QUEUE)

    assert exhume(dead).says == "Permanent: no such voucher"


async def test_a_value_that_the_store_refuses_is_found_by_halving_and_its_neighbours_pass() -> None:
    broker, service = memory.Broker(), Service(DataError("22003"), "V5")
    async with broker.connect("data_fetch") as bus:
        await bus.publish(messages(*numbered(8)))
        async with serving(bus, consumer(service.handle)):
            [told] = await arrived(broker, "fetch_error_queue")

    assert told.correlation_id == "V5"
    assert [d.correlation_id for d in broker.ready("status_queue")] == ["V0", "V1", "V2", "V3", "V4", "V6", "V7"]
    assert service.asked[-1] != ["V5"]
    assert ["V5"] in service.asked


async def test_a_defect_is_found_by_halving_and_dies_with_reason_trace_and_original() -> None:
    broker, service = memory.Broker(), Service(ZeroDivisionError("by zero"), "V2")
    [message] = messages("V2")
    async with broker.connect("data_fetch") as bus:
        await bus.publish([*messages("V1"), message, *messages("V3")])
        async with serving(bus, consumer(service.handle)):
            [delivery] = await arrived(broker, topology.DEAD_LETTER_QUEUE)

    dead = exhume(delivery)
    assert (dead.queue, dead.service, dead.reason) == (QUEUE, "data_fetch", "defect")
    assert dead.says == "ZeroDivisionError: by zero"
    assert "in handle" in dead.trace
    assert (dead.type, dead.message_id, dead.correlation_id) == ("fetch.data", message.message_id, "V2")
    assert (dead.body, dead.headers) == (message.body, message.headers)
    assert [d.correlation_id for d in broker.ready("status_queue")] == ["V1", "V3"]


@pytest.mark.parametrize("answers", [[], [[], []]])
async def test_an_answer_too_few_or_too_many_is_a_defect_of_the_service(answers: Sequence[Answer]) -> None:
    broker = memory.Broker()

    async def handle(items: Sequence[FetchData]) -> Sequence[Answer]:
        return answers

    async with broker.connect("data_fetch") as bus, serving(bus, consumer(handle)):
        await bus.publish(messages("V1"))
        [dead] = await arrived(broker, topology.DEAD_LETTER_QUEUE)

    assert exhume(dead).reason == "defect"


async def test_a_defect_in_what_would_tell_a_person_is_a_dead_letter_too() -> None:
    broker, service = memory.Broker(), Service(Permanent("no such voucher"), "V1")
    broken = msgspec.structs.replace(consumer(each(service.handle_one)), failed=lambda *_: [][0])
    async with broker.connect("data_fetch") as bus, serving(bus, broken):
        await bus.publish(messages("V1"))
        [dead] = await arrived(broker, topology.DEAD_LETTER_QUEUE)

    assert exhume(dead).says == "IndexError: list index out of range"


async def test_a_body_that_is_no_message_dies_and_its_neighbours_pass() -> None:
    broker = memory.Broker()
    [cut] = messages("V1")
    async with broker.connect("data_fetch") as bus, serving(bus, consumer(each(fetched))):
        await bus.publish([with_body(cut, b'{"BatchId":1'), *messages("V2")])
        [dead] = await arrived(broker, topology.DEAD_LETTER_QUEUE)
        [told] = await arrived(broker, "status_queue")

    assert exhume(dead).reason == "bad_message"
    assert exhume(dead).body == b'{"BatchId":1'
    assert told.correlation_id == "V2"


@pytest.mark.parametrize("version", [2, "1", None])
async def test_a_version_that_this_program_does_not_know_dies(version: int | str | None) -> None:
    broker = memory.Broker()
    [message] = messages("V1")
    headers = {key: value for key, value in message.headers.items() if key != "v"}
    if version is not None:
        headers["v"] = version
    async with broker.connect("data_fetch") as bus, serving(bus, consumer(each(fetched))):
        await bus.publish([msgspec.structs.replace(message, headers=headers)])
        [dead] = await arrived(broker, topology.DEAD_LETTER_QUEUE)

    assert exhume(dead).says == f"BadMessage: version {version!r} of FetchData; this program reads 1"


async def test_an_answer_over_the_limit_is_a_dead_letter_and_not_a_stuck_window() -> None:
    broker = memory.Broker()

    def endless(item: FetchData) -> list[Message]:
        about = {name: getattr(item, name) for name in Message.__struct_fields__}
        [status] = fetched(item)
        payload = msgspec.Raw(b'"' + b"x" * BODY_BYTES_MAX + b'"')
        large = Validated(
            **about, read_digest="", gstin="", doc_typ="INV", doc_no="", doc_dt="", irn="", rule_pack="",
            validated_at=status.at, payload=payload,
        )  # fmt: skip
        return [large]

    async with broker.connect("data_fetch") as bus, serving(bus, consumer(each(endless))):
        await bus.publish(messages("V1"))
        [dead] = await arrived(broker, topology.DEAD_LETTER_QUEUE)

    assert exhume(dead).says.startswith("BadMessage: generate.einvoice of V1 has 41")


async def test_a_dead_letter_that_cannot_be_handled_waits_on_the_last_step() -> None:
    broker, service = memory.Broker(), Service(ZeroDivisionError("by zero"), "V1")
    desk = msgspec.structs.replace(consumer(service.handle), queue=topology.DEAD_LETTER_QUEUE)
    [message] = messages("V1")
    async with broker.connect("error_desk") as bus, serving(bus, desk):
        await bus.publish([msgspec.structs.replace(message, exchange=topology.DEAD_LETTER_EXCHANGE)])
        [waiting] = await on_ladder(broker)

    assert (waiting.exchange, waiting.routing_key) == ("retry.2m", topology.DEAD_LETTER_QUEUE)


class Outage:
    """A handler behind a dependency that is down for so many calls."""

    def __init__(self, calls: int, *only: str) -> None:
        self.left = calls
        self.only = only
        self.asked: list[list[str]] = []

    async def handle(self, items: Sequence[FetchData]) -> Sequence[Answer]:
        self.asked.append([item.transaction_id for item in items])
        self.left -= 1
        if self.left < 0:
            return [fetched(item) for item in items]
        if not self.only:
            raise Unavailable("no database")
        return [Unavailable("no portal") if item.transaction_id in self.only else fetched(item) for item in items]


def test_an_outage_holds_the_deliveries_and_counts_no_attempt() -> None:
    broker, service = memory.Broker(), Outage(20)

    async def main() -> None:
        async with broker.connect("data_fetch") as bus, serving(bus, consumer(service.handle)):
            await bus.publish(messages("V1", "V2"))
            await arrived(broker, "status_queue", 2)

    virtual.run(main())

    assert service.asked == [["V1", "V2"]] * 21
    assert broker.in_flight == 2


def test_one_that_must_wait_does_not_keep_its_neighbours_waiting() -> None:
    broker, service = memory.Broker(), Outage(3, "V2")

    async def main() -> None:
        async with broker.connect("data_fetch") as bus:
            await bus.publish(messages("V1", "V2", "V3"))
            async with serving(bus, consumer(service.handle)):
                await arrived(broker, "status_queue", 3)

    virtual.run(main())

    assert [d.correlation_id for d in broker.ready("status_queue")] == ["V1", "V3", "V2"]
    assert service.asked == [["V1", "V2", "V3"], ["V2"], ["V2"], ["V2"]]


def test_what_only_some_need_holds_up_the_others_for_seconds_and_fails_none_in_hours() -> None:
    broker = memory.Broker()
    down = {"V1", "V2"}
    attempts: list[object] = []

    async def handle(items: Sequence[FetchData]) -> Sequence[Answer]:
        return [SomeUnavailable("their books") if item.transaction_id in down else fetched(item) for item in items]

    async def main() -> None:
        async with broker.connect("data_fetch") as bus, serving(bus, consumer(handle)):
            await bus.publish(messages("V1", "V2"))
            await asyncio.sleep(1)
            await bus.publish(messages("V3"))
            async with asyncio.timeout(20):
                await arrived(broker, "status_queue")
            await asyncio.sleep(3 * 3600)
            attempts.extend(copy.headers["attempt"] for copy in await on_ladder(broker))
            down.clear()
            await arrived(broker, "status_queue", 3)

    virtual.run(main())

    assert next(d.correlation_id for d in broker.ready("status_queue")) == "V3"
    assert attempts == [0, 0]


def test_an_outage_of_hours_gives_deliveries_back_in_time_and_fails_none() -> None:
    broker, service = memory.Broker(), Outage(10**9)
    counts: list[int] = []

    async def main() -> None:
        async with broker.connect("data_fetch") as bus, serving(bus, consumer(service.handle)):
            await bus.publish(messages("V1"))
            for _ in range(8):  # hours
                await asyncio.sleep(3600)
                counts.append(broker.returns)
            service.left = 0
            await arrived(broker, "status_queue")

    virtual.run(main())

    assert counts[0] == 2  # in the first hour, each time before the broker's 30 minutes are over
    assert 16 <= counts[-1] <= 20
    assert broker.in_flight == 1


@pytest.mark.parametrize("fault", ["lose_confirm", "lose_connection"])
def test_a_window_that_is_not_confirmed_is_published_again_before_anything_is_acked(fault: str) -> None:
    broker = memory.Broker()
    unacked: list[int] = []

    async def main() -> None:
        async with broker.connect("data_fetch") as bus:
            await bus.publish(messages("V1"))
            setattr(broker.mischief, fault, 1.0)
            async with serving(bus, consumer(each(fetched))):
                await asyncio.sleep(60)
                unacked.append(broker.unsettled + len(broker.ready(QUEUE)))
                setattr(broker.mischief, fault, 0.0)
                await asyncio.sleep(60)

    virtual.run(main())

    assert unacked == [1]
    assert {d.correlation_id for d in broker.ready("status_queue")} == {"V1"}
    assert broker.ready(QUEUE) == []


def test_a_consumer_comes_back_when_the_broker_does() -> None:
    broker, service = memory.Broker(), Service()

    async def main() -> None:
        async with broker.connect("data_fetch") as bus, serving(bus, consumer(service.handle)):
            await bus.publish(messages("V1"))
            await arrived(broker, "status_queue", 1)
            broker.stop()
            await asyncio.sleep(3600)
            broker.start()
            await bus.publish(messages("V2"))
            await arrived(broker, "status_queue", 2)

    virtual.run(main())

    assert service.asked == [["V1"], ["V2"]]


class Killed(BaseException):
    """The process is gone: no `except Exception` sees it."""


@pytest.mark.parametrize("place", [0, 5, 9])
def test_a_voucher_that_kills_its_process_takes_no_neighbour_along(place: int) -> None:
    broker = memory.Broker()
    poison = numbered(10)[place]
    deaths: list[list[str]] = []

    async def handle(items: Sequence[FetchData]) -> Sequence[Answer]:
        if any(item.transaction_id == poison for item in items):
            deaths.append([item.transaction_id for item in items])
            raise Killed
        return [fetched(item) for item in items]

    async def live_once() -> None:
        async with broker.connect("data_fetch") as bus:
            await consume(bus, consumer(handle), now=lambda: NOON, log=logger("test"))

    async def main() -> None:
        async with broker.connect("irn_service") as intake:
            await intake.publish(messages(*numbered(10)))
        for _ in range(4):
            with pytest.raises(Killed):
                await live_once()

    virtual.run(main())

    assert sorted(d.correlation_id for d in broker.ready("status_queue")) == sorted(set(numbered(10)) - {poison})
    assert [d.correlation_id for d in broker.ready(QUEUE)] == [poison]
    assert deaths[-1] == [poison]


def test_a_voucher_that_kills_every_process_is_dead_after_fifty_times_and_says_why() -> None:
    broker = memory.Broker()

    async def handle(items: Sequence[FetchData]) -> Sequence[Answer]:
        raise Killed

    async def main() -> None:
        async with broker.connect("data_fetch") as bus:
            await bus.publish(messages("V1"))
        while not broker.ready(topology.DEAD_LETTER_QUEUE):
            async with broker.connect("data_fetch") as bus:
                with pytest.raises(Killed):
                    await consume(bus, consumer(handle), now=lambda: NOON, log=logger("test"))

    virtual.run(main())

    [dead] = broker.ready(topology.DEAD_LETTER_QUEUE)
    assert (exhume(dead).queue, exhume(dead).reason, exhume(dead).correlation_id) == (QUEUE, "delivery_limit", "V1")


def batches(lines: Sequence[EventDict]) -> list[object]:
    """What the lines of micro-batches say became of which transactions."""
    return [line["transactions"] for line in lines if line["event"] == "batch"]


async def test_one_line_says_what_became_of_each_transaction_of_a_micro_batch() -> None:
    broker, service = memory.Broker(), Service(Transient("busy"), "V2")
    with capture_logs() as lines:
        async with broker.connect("data_fetch") as bus:
            await bus.publish(messages("V1", "V2", "V3"))
            async with serving(bus, consumer(each(service.handle_one))):
                await arrived(broker, "status_queue", 2)

    assert batches(lines) == [{"DATA_FETCHED": {"1/B1": ["V1", "V3"]}, "again": {"1/B1": ["V2"]}}]


async def test_what_changes_no_state_is_named_as_done() -> None:
    broker = memory.Broker()
    with capture_logs() as lines:
        async with broker.connect("registration") as bus:
            await bus.publish(messages("V1", "V2"))
            async with serving(bus, consumer(each(lambda item: []))):
                await broker.when(lambda: bool(batches(lines)))

    assert batches(lines) == [{"done": {"1/B1": ["V1", "V2"]}}]


async def test_what_goes_to_a_person_has_a_line_of_its_own_with_the_reason() -> None:
    broker, service = memory.Broker(), Service(Permanent("no such voucher"), "V1")
    failing = msgspec.structs.replace(consumer(each(service.handle_one)), failed=lambda item, *_: fetched(item))
    with capture_logs() as lines:
        async with broker.connect("data_fetch") as bus, serving(bus, failing):
            await bus.publish(messages("V1"))
            await arrived(broker, "status_queue")

    assert [(line["event"], line["transactions"]) for line in lines] == [
        ("person", {"DATA_FETCHED": {"1/B1": ["V1"]}}),
        ("batch", {"DATA_FETCHED": {"1/B1": ["V1"]}}),
    ]
    assert lines[0]["error"] == "Permanent: no such voucher"


async def test_a_strangers_message_with_endless_headers_makes_no_endless_line() -> None:
    broker = memory.Broker()
    [message] = messages("V1")
    endless = msgspec.structs.replace(message, headers={"BatchNo": "B" * 100_000, "AccountId": 7})
    with capture_logs() as lines:
        async with broker.connect("data_fetch") as bus, serving(bus, consumer(each(fetched))):
            await bus.publish([endless])
            await arrived(broker, topology.DEAD_LETTER_QUEUE)

    assert batches(lines) == [{"dead": {f"7/{'B' * 98}": ["V1"]}}]


def test_what_is_settled_is_logged_though_others_must_wait() -> None:
    broker, service = memory.Broker(), Outage(10**9, "V2")

    async def main() -> None:
        async with broker.connect("data_fetch") as bus:
            await bus.publish(messages("V1", "V2", "V3"))
            async with serving(bus, consumer(service.handle)):
                await arrived(broker, "status_queue", 2)

    with capture_logs() as lines:
        virtual.run(main())

    assert batches(lines) == [{"DATA_FETCHED": {"1/B1": ["V1", "V3"]}}]


async def test_the_trace_of_a_message_is_handed_on() -> None:
    broker = memory.Broker()
    trace = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"
    [message] = messages("V1")
    async with broker.connect("data_fetch") as bus, serving(bus, consumer(each(fetched))):
        await bus.publish([msgspec.structs.replace(message, headers={**message.headers, "traceparent": trace})])
        [told] = await arrived(broker, "status_queue")

    assert told.headers["traceparent"] == trace


async def test_a_message_without_a_trace_begins_one_that_follows_from_its_id() -> None:
    broker = memory.Broker()
    async with broker.connect("data_fetch") as bus:
        await bus.publish(messages("V1", "V2"))
        first, second = broker.ready(QUEUE)
        async with serving(bus, consumer(each(fetched))):
            told = await arrived(broker, "status_queue", 2)

    assert [d.headers["traceparent"] for d in told] == [traceparent(first), traceparent(second)]
    assert traceparent(first) != traceparent(second)
    assert len(traceparent(first)) == 55
