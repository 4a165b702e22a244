"""Error desk: keep every failure until a person has mended it.

consumes   fetch_error_queue         FetchFailed
           validation_error_queue    ValidationFailed
           invalid_generation_queue  GenerationFailed
           update_error_queue        UpdateFailed
           dead_letter_queue         what nobody could handle
publishes  status.dead_lettered | status.db_update_failed, of a dead letter whose transaction we know
           status.*                  a dead status once more, at most three times
keeps      failure, one row a transaction and stage; dead_letter, those that name no transaction of ours
repeated   the same failure changes nothing, a later one of the same stage takes its place

Every dead letter is answered: as a failure, as a status sent again, or in the table of those that can't be read.
"""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from functools import partial
from typing import Final

import msgspec
from structlog.typing import FilteringBoundLogger

from irnflow import messages
from irnflow.api.server import probes, serving
from irnflow.bus import rabbit
from irnflow.bus.batch import Answer, Consumer, Now, consume, reading
from irnflow.bus.dead_letter import DeadLetter, exhume
from irnflow.bus.port import Bus, Delivery
from irnflow.bus.topology import DEAD_LETTER_QUEUE, STATUS
from irnflow.errors import BadMessage, DataError
from irnflow.log import logger
from irnflow.messages import (
    DataFetched,
    Detail,
    Failed,
    FetchData,
    FetchFailed,
    GenerationFailed,
    Message,
    Publication,
    Registered,
    State,
    StatusChanged,
    UpdateFailed,
    Validated,
    ValidationFailed,
)
from irnflow.settings import Settings
from irnflow.store import database, failures
from irnflow.store.database import Database
from irnflow.store.failures import Buried, Failure

NAME = "error_desk"

REVIVALS_MAX: Final = 3  # a status that dies so often is not killed by chance


class Kind(msgspec.Struct, frozen=True):
    """What we know of a message by its routing key."""

    message: type[Message]
    stage: str  # the service that should have handled it, or whose failure it tells
    failing: State  # where a transaction stands whose message that was


class Case(msgspec.Struct, frozen=True):
    """A dead letter of a transaction, as a failure."""

    message: Message
    failure: Failure
    says: StatusChanged | None  # None: the stage that failed has said it itself


# Which queue tells of which failures.
FAILURES: Final[Mapping[str, Kind]] = {
    "fetch_error_queue": Kind(FetchFailed, FetchFailed.stage, State.DATA_FETCH_FAILED),
    "validation_error_queue": Kind(ValidationFailed, ValidationFailed.stage, State.VALIDATION_FAILED),
    "invalid_generation_queue": Kind(GenerationFailed, GenerationFailed.stage, State.GENERATION_FAILED),
    "update_error_queue": Kind(UpdateFailed, UpdateFailed.stage, State.BOOKS_FAILED),
}

# What a dead letter was, by its routing key. Once a voucher is registered, all that can fail is the books.
LETTERS: Final[Mapping[str, Kind]] = {
    FetchData.key: Kind(FetchData, "data_fetch", State.DEAD_LETTERED),
    DataFetched.key: Kind(DataFetched, "validation", State.DEAD_LETTERED),
    Validated.key: Kind(Validated, "registration", State.DEAD_LETTERED),
    Registered.key: Kind(Registered, "database_update", State.BOOKS_FAILED),
    **{kind.message.key: kind for kind in FAILURES.values()},
}


async def handle(told: Sequence[Failure], *, store: Database) -> list[Answer]:
    """Keep the failures of one stage."""
    await failures.record(store, told)
    return [[] for _ in told]


def reading_failure(kind: Kind) -> Callable[[Delivery], Failure]:
    """A decoder for one of the error queues."""
    read = reading(kind.message)

    def failure(delivery: Delivery) -> Failure:
        message = read(delivery)
        assert isinstance(message, Failed)
        return _told(message, kind, delivery.body)

    return failure


async def handle_dead(letters: Sequence[DeadLetter], *, store: Database, bus: Bus, now: Now) -> list[Answer]:
    """Answer every dead letter: a status again, a case of ours, or buried as it came."""
    at = now()
    statuses = [letter for letter in letters if _may_live(letter)]
    if statuses:
        await bus.publish([_again(letter) for letter in statuses])
    cases = await _kept(store, [None if _may_live(letter) else _case(letter, at) for letter in letters])
    strangers = [
        _buried(letter)
        for letter, case in zip(letters, cases, strict=True)
        if case is None and not _may_live(letter)
    ]  # fmt: skip
    if strangers:
        await failures.bury(store, strangers, at=at)
    return [[case.says] if case and case.says else [] for case in cases]


def _may_live(letter: DeadLetter) -> bool:
    return letter.type.startswith("status.") and _revivals(letter) < REVIVALS_MAX


def _revivals(letter: DeadLetter) -> int:
    count = letter.headers.get("revived", 0)
    return count if isinstance(count, int) else REVIVALS_MAX


def _again(letter: DeadLetter) -> Publication:
    """A dead status as it was first said."""
    past = ("attempt", "first_failed_at", "last_error")
    return Publication(
        exchange=STATUS,
        routing_key=letter.type,
        body=letter.body,
        message_id=letter.message_id,
        correlation_id=letter.correlation_id,
        headers={
            **{name: value for name, value in letter.headers.items() if name not in past},
            "revived": _revivals(letter) + 1,
        },
    )


def _case(letter: DeadLetter, at: datetime) -> Case | None:
    """A dead letter as a case; None when it doesn't say which transaction it is about."""
    kind = LETTERS.get(letter.type)
    if kind is None:
        return None
    try:
        message = messages.decode(letter.body, Message)  # what all of them say, though the rest be wrong
    except BadMessage:
        return None
    if issubclass(kind.message, Failed):
        return Case(message, _told_or_died(letter, message, kind, at), None)
    failure = _died(letter, message, kind, at)
    detail = Detail(says=failure.says, fix=failure.fix)
    return Case(message, failure, StatusChanged(**message.about, status=kind.failing, at=at, detail=detail))


def _told_or_died(letter: DeadLetter, message: Message, kind: Kind, at: datetime) -> Failure:
    """The failure that a dead letter tells of; its own death, when it can't be read."""
    try:
        told = messages.decode(letter.body, kind.message)
    except BadMessage:
        return _died(letter, message, kind, at)
    assert isinstance(told, Failed)
    return _told(told, kind, letter.body)


def _told(message: Failed, kind: Kind, body: bytes) -> Failure:
    return Failure(
        batch_id=message.batch_id,
        transaction_id=message.transaction_id,
        account_id=message.account_id,
        stage=kind.stage,
        cause=message.cause,
        says=message.says,
        fix=message.fix,
        faults=message.faults,
        attempts=message.attempts,
        message=body,
        at=message.at,
        failing=kind.failing,
    )


def _died(letter: DeadLetter, message: Message, kind: Kind, at: datetime) -> Failure:
    why = letter.says or f"it was handed out too often ({letter.reason})"
    return Failure(
        batch_id=message.batch_id,
        transaction_id=message.transaction_id,
        account_id=message.account_id,
        stage=kind.stage,
        cause=f"dead_letter.{letter.reason}",
        says=f"{letter.service or kind.stage} gave up: {why}.",
        fix=f"Read the log of {kind.stage}, mend what it says, and send the voucher again.",
        faults=(),
        attempts=letter.attempts + 1,
        message=letter.body,
        at=at,
        failing=kind.failing,
    )


async def _kept(store: Database, cases: Sequence[Case | None]) -> list[Case | None]:
    """The same cases, without those that the store doesn't know or can't keep."""
    found = [case.failure for case in cases if case]
    if not found:
        return list(cases)
    try:
        known = await failures.known(store, found)
        kept = [case if case and _transaction(case.failure) in known else None for case in cases]
        await failures.record(store, [case.failure for case in kept if case])
    except DataError:
        if len(cases) > 1:
            raise  # the loop halves the batch until the bad one stands alone
        return [None]
    return kept


def _transaction(failure: Failure) -> tuple[int, str]:
    return failure.batch_id, failure.transaction_id


def _buried(letter: DeadLetter) -> Buried:
    headers = {
        **letter.headers,
        "says": letter.says,
        "trace": letter.trace,
        "routing_key": letter.type,
        "transaction_id": letter.correlation_id,
    }
    return Buried(
        message_id=letter.message_id, queue=letter.queue, reason=letter.reason, headers=headers, body=letter.body
    )


def consumers(store: Database, bus: Bus, now: Now) -> tuple[list[Consumer[Failure]], Consumer[DeadLetter]]:
    """What this service does with its queues. What it can't handle itself becomes a dead letter, and comes back."""
    told = [
        Consumer(
            service=NAME,
            queue=queue,
            decode=reading_failure(kind),
            handle=partial(handle, store=store),
            failed=lambda failure, error, attempts: [],
        )
        for queue, kind in FAILURES.items()
    ]
    dead = Consumer(
        service=NAME,
        queue=DEAD_LETTER_QUEUE,
        decode=exhume,
        handle=partial(handle_dead, store=store, bus=bus, now=now),
        failed=lambda letter, error, attempts: [],
    )
    return told, dead


async def run(*, bus: Bus, store: Database, now: Now, log: FilteringBoundLogger) -> None:
    """Serve for ever."""
    told, dead = consumers(store, bus, now)
    async with asyncio.TaskGroup() as tasks:
        for consumer in told:
            tasks.create_task(consume(bus, consumer, now=now, log=log))
        tasks.create_task(consume(bus, dead, now=now, log=log))


async def main(settings: Settings) -> None:
    """Open the store and the bus, and serve."""
    log = logger(NAME)
    async with (
        database.connect(settings.database_url, connections=5) as store,
        database.heeding(store),
        rabbit.connect(settings.amqp_url, NAME) as bus,
        serving(
            probes(NAME, lambda: store.missing | ({} if bus.connected else {"rabbitmq": "not connected"})),
            host=settings.host,
            port=settings.port_of(NAME),
        ),
    ):
        await run(bus=bus, store=store, now=lambda: datetime.now(UTC), log=log)
