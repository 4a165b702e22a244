"""Validation: decide whether an invoice may be registered.

consumes   data_queue               DataFetched
publishes  generate.einvoice        Validated, the exact INV-01 bytes to send, when every rule holds
           handle.validation_error  ValidationFailed, with every fault found, not only the first
           status.validation_success | status.validation_failed
keeps      nothing: no database, no memory; the day is the message's `fetched_at`, in India
repeated   the same message gives the same verdict and the same bytes

Warnings (a list of ours lacks a port, a text was tidied) stop nothing and travel in the status.
"""

from collections.abc import Sequence
from datetime import UTC, datetime
from functools import partial
from typing import Final, TypeVar

import msgspec
from structlog.typing import FilteringBoundLogger

from irnflow.api.server import probes, serving
from irnflow.bus import rabbit
from irnflow.bus.batch import Consumer, Now, consume, each, reading
from irnflow.bus.port import Bus
from irnflow.gst import dates
from irnflow.gst.dates import financial_year
from irnflow.gst.examine import Examined, examine
from irnflow.gst.faults import Fault, Severity
from irnflow.gst.irn import irn
from irnflow.gst.rules import TURNOVER_NOT_SAID, Facts
from irnflow.log import logger
from irnflow.messages import DataFetched, Detail, Message, State, StatusChanged, Validated, ValidationFailed
from irnflow.settings import Settings

NAME = "validation"

T = TypeVar("T")
STATUS_FAULTS_MAX: Final = 20  # in a status, which browsers get; ValidationFailed has them all


def handle(fetched: DataFetched, *, accept_sandbox_gstins: bool, now: Now) -> list[Message]:
    """Write one invoice as INV-01 and check it against the rules in force on the day it was fetched."""
    facts = Facts(
        day=dates.in_india(fetched.fetched_at),
        turnover_crore=TURNOVER_NOT_SAID if fetched.turnover_crore is None else fetched.turnover_crore,
        lines_max=fetched.lines_max,
        accept_sandbox_gstins=accept_sandbox_gstins,
        registrations=fetched.registrations,
    )
    examined = examine(fetched.invoice, facts)
    if examined.refusals:
        return _refused(fetched, [*examined.refusals, *examined.warnings], now())
    return _passed(fetched, examined, now())


def _refused(fetched: DataFetched, faults: Sequence[Fault], at: datetime) -> list[Message]:
    first = faults[0]
    says = _and_more(first.says, sum(fault.severity is Severity.REFUSED for fault in faults) - 1)
    return [
        ValidationFailed(
            **fetched.about, at=at, cause=first.code, says=says, fix=first.fix, faults=tuple(faults)
        ),
        _status(fetched, State.VALIDATION_FAILED, says, faults, at),
    ]  # fmt: skip


def _and_more(says: str, more: int) -> str:
    """The first fault's words, and how many there are beside it."""
    match more:
        case 0:
            return says
        case 1:
            return f"{says} (and 1 more fault)"
        case _:
            return f"{says} (and {more} more faults)"


def _passed(fetched: DataFetched, examined: Examined, at: datetime) -> list[Message]:
    invoice = examined.invoice
    gstin, document = _given(_given(invoice.seller_dtls).gstin), _given(invoice.doc_dtls)
    doc_typ, doc_no, doc_dt = _given(document.typ), _given(document.no), _given(document.dt)
    validated = Validated(
        **fetched.about,
        read_digest=fetched.digest,
        gstin=gstin,
        doc_typ=doc_typ,
        doc_no=doc_no,
        doc_dt=doc_dt,
        irn=irn(gstin, financial_year(_given(dates.parse(doc_dt))), doc_typ, doc_no),
        rule_pack=examined.rule_pack,
        validated_at=at,
        payload=msgspec.Raw(examined.payload),
    )
    return [validated, _status(fetched, State.VALIDATION_SUCCESS, "", examined.warnings, at)]


def _given(value: T | None) -> T:
    """What every invoice has that passed the rules."""
    assert value is not None
    return value


def _status(
    fetched: DataFetched, state: State, says: str, faults: Sequence[Fault], at: datetime, *, fix: str = ""
) -> StatusChanged:
    detail = Detail(says=says, fix=fix, faults=tuple(faults[:STATUS_FAULTS_MAX]))
    return StatusChanged(**fetched.about, status=state, at=at, detail=detail)


def failed(fetched: DataFetched, error: Exception, attempts: int, *, at: datetime) -> list[Message]:
    """What to tell of an invoice that could not be checked at all."""
    says, fix = f"It could not be checked: {error}.", "See the log of validation and send the voucher again."
    return [
        ValidationFailed(
            **fetched.about, at=at, cause="validation.gave_up", says=says, fix=fix, attempts=attempts
        ),
        _status(fetched, State.VALIDATION_FAILED, says, (), at, fix=fix),
    ]  # fmt: skip


async def run(*, bus: Bus, accept_sandbox_gstins: bool, now: Now, log: FilteringBoundLogger) -> None:
    """Serve for ever."""
    consumer = Consumer(
        service=NAME,
        queue="data_queue",
        decode=reading(DataFetched),
        handle=each(partial(handle, accept_sandbox_gstins=accept_sandbox_gstins, now=now)),
        failed=lambda fetched, error, attempts: failed(fetched, error, attempts, at=now()),
    )
    await consume(bus, consumer, now=now, log=log)


async def main(settings: Settings) -> None:
    """Open the bus, and serve."""
    async with (
        rabbit.connect(settings.amqp_url, NAME) as bus,
        serving(
            probes(NAME, lambda: {} if bus.connected else {"rabbitmq": "not connected"}),
            host=settings.host,
            port=settings.port_of(NAME),
        ),
    ):
        await run(
            bus=bus,
            accept_sandbox_gstins=settings.accept_sandbox_gstins,
            now=lambda: datetime.now(UTC),
            log=logger(NAME),
        )
