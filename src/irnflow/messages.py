"""What the services say to each other: each message one type, each type one routing key.

Bodies are JSON with the words of the design (`BatchNo`, `TransactionId`, `Status`, `At`, `Detail`).
`publication` gives the form that goes on the wire, `decode` reads it back strictly.
What a stage only hands on stays raw bytes (`msgspec.Raw`).
"""

import hashlib
import uuid
from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from functools import cache
from typing import Any, ClassVar, Final, TypedDict, TypeVar

import msgspec

from irnflow.errors import BadMessage
from irnflow.gst.facts import LINES_MAX, Registration
from irnflow.gst.faults import Fault
from irnflow.gst.invoice import Invoice

VERSION: Final = 1  # header `v`; an unknown version is dead-lettered
BODY_BYTES_MAX: Final = 4 * 1024 * 1024  # a thousand-line invoice is about 1 MiB
M = TypeVar("M", bound="Message")
_IDS: Final = uuid.UUID("6f0f4dd0-6f5b-5a53-9f0e-2f9a3c1d7b11")  # our uuid5 namespace, drawn once


class State(StrEnum):
    """Where a transaction stands. It moves only up this order; the store's enum has the same one."""

    PROCESSING = "PROCESSING"
    DATA_FETCHED = "DATA_FETCHED"
    VALIDATION_SUCCESS = "VALIDATION_SUCCESS"
    DATA_FETCH_FAILED = "DATA_FETCH_FAILED"
    VALIDATION_FAILED = "VALIDATION_FAILED"
    WITHDRAWN = "WITHDRAWN"
    DEAD_LETTERED = "DEAD_LETTERED"
    IN_DOUBT = "IN_DOUBT"
    GENERATION_FAILED = "GENERATION_FAILED"
    GENERATION_SUCCESS = "GENERATION_SUCCESS"
    BOOKS_FAILED = "BOOKS_FAILED"
    REGISTERED = "REGISTERED"
    CANCELLED = "CANCELLED"


# What people read for each state.
WORDS: Final[Mapping[State, str]] = {
    State.PROCESSING: "Processing",
    State.DATA_FETCHED: "Data Fetched",
    State.VALIDATION_SUCCESS: "Validation Success",
    State.DATA_FETCH_FAILED: "Data Fetch Failed",
    State.VALIDATION_FAILED: "Validation Failed",
    State.WITHDRAWN: "Withdrawn",
    State.DEAD_LETTERED: "Needs an Operator",
    State.IN_DOUBT: "Checking with Portal",
    State.GENERATION_FAILED: "Generation Failed",
    State.GENERATION_SUCCESS: "E-Invoice Generated",
    State.BOOKS_FAILED: "Books Update Failed",
    State.REGISTERED: "E-Invoice Registered",
    State.CANCELLED: "Cancelled",
}

# The routing key that tells of each state; PROCESSING is where intake puts every transaction.
STATUS_KEY: Final[Mapping[State, str]] = {
    State.DATA_FETCHED: "status.data_fetched",
    State.DATA_FETCH_FAILED: "status.data_fetch_failed",
    State.VALIDATION_SUCCESS: "status.validation_success",
    State.VALIDATION_FAILED: "status.validation_failed",
    State.WITHDRAWN: "status.withdrawn",
    State.DEAD_LETTERED: "status.dead_lettered",
    State.IN_DOUBT: "status.in_doubt",
    State.GENERATION_FAILED: "status.generation_failed",
    State.GENERATION_SUCCESS: "status.generation_success",
    State.BOOKS_FAILED: "status.db_update_failed",
    State.REGISTERED: "status.db_updated",
    State.CANCELLED: "status.cancelled",
}


class About(TypedDict):
    """The fields that every message has: `Registered(**about, irn=...)`."""

    batch_id: int
    batch_no: str
    transaction_id: str
    account_id: int
    books: str


def about(row: Mapping[str, Any]) -> About:
    """Which transaction a row of the store is about."""
    return About(
        batch_id=row["batch_id"],
        batch_no=row["batch_no"],
        transaction_id=row["transaction_id"],
        account_id=row["account_id"],
        books=row["books"],
    )


class Message(msgspec.Struct, frozen=True, kw_only=True, rename="pascal", omit_defaults=True):
    """Which transaction a message is about; every message says at least this."""

    key: ClassVar[str]  # the routing key

    batch_id: int  # irnflow.batch.batch_id
    batch_no: str
    transaction_id: str  # the voucher id as sent
    account_id: int
    books: str  # name of the books, one of the account's

    @property
    def about(self) -> About:
        """Which transaction, for the next message about it."""
        return About(
            batch_id=self.batch_id,
            batch_no=self.batch_no,
            transaction_id=self.transaction_id,
            account_id=self.account_id,
            books=self.books,
        )

    @property
    def routing_key(self) -> str:
        return self.key

    @property
    def recurrence(self) -> int:
        """Count of a message that may be said several times of one transaction; 0 for all others."""
        return 0


class FetchData(Message, frozen=True, kw_only=True):
    """Read this voucher from the books."""

    key = "fetch.data"


class DataFetched(Message, frozen=True, kw_only=True):
    """A voucher as the books have it."""

    key = "process.data"

    fetched_at: datetime
    digest: str  # sha256 hex of the rows as read: `database_update` compares it
    turnover_crore: Decimal | None = None  # the seller's aggregate annual turnover: rules depend on it; None: not said
    lines_max: int = LINES_MAX  # of a document of the seller's
    registrations: dict[str, Registration] = {}  # what the portal is known to have of the parties
    invoice: Invoice


class Validated(Message, frozen=True, kw_only=True):
    """An invoice that holds every rule, as the exact bytes to send."""

    key = "generate.einvoice"

    read_digest: str  # DataFetched.digest
    gstin: str  # the seller's
    doc_typ: str
    doc_no: str  # upper case
    doc_dt: str  # dd/mm/yyyy
    irn: str  # computed, 64 hex digits
    rule_pack: str
    validated_at: datetime
    payload: msgspec.Raw  # the INV-01 JSON


class Registered(Message, frozen=True, kw_only=True):
    """The portal has registered it, and perhaps cancelled it since: write this into the books."""

    key = "db.update.success"

    read_digest: str
    irn: str
    ack_no: str
    ack_dt: str  # yyyy-mm-dd hh:mm:ss, IST, as the portal signed it
    signed_qr: str
    cancelled: bool = False
    telling: int = 0  # of a cancellation: its answer is the status of this number

    @property
    def recurrence(self) -> int:
        return self.telling


class Failed(Message, frozen=True, kw_only=True):
    """A transaction that a person has to look at."""

    stage: ClassVar[str]  # the service whose work failed

    at: datetime
    cause: str  # stable code that failures are grouped by: "books.not_found", "portal.2176"
    says: str
    fix: str = ""
    faults: tuple[Fault, ...] = ()
    attempts: int = 1
    irn: str = ""


class FetchFailed(Failed, frozen=True, kw_only=True):
    """The books gave no usable voucher."""

    key = "handle.fetch_error"
    stage = "data_fetch"


class ValidationFailed(Failed, frozen=True, kw_only=True):
    """Rules refuse it; `faults` has every one found."""

    key = "handle.validation_error"
    stage = "validation"


class GenerationFailed(Failed, frozen=True, kw_only=True):
    """The portal refused it, or its number is taken."""

    key = "handle.generation_error"
    stage = "registration"


class UpdateFailed(Failed, frozen=True, kw_only=True):
    """Registered, but the books did not take the IRN; or took it though the voucher had changed."""

    key = "handle.update_error"
    stage = "database_update"


class Detail(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What a status has to say to people; snake case, for it goes to browsers as it is."""

    says: str = ""
    fix: str = ""  # what to do, where each fault doesn't say its own
    irn: str = ""
    ack_no: str = ""
    ack_dt: str = ""
    ewb_no: str = ""
    faults: tuple[Fault, ...] = ()


class StatusChanged(Message, frozen=True, kw_only=True):
    """A step has been taken; `status_queue` carries these."""

    status: State
    at: datetime
    n: int = 0  # which time, for statuses that recur
    detail: Detail = Detail()

    @property
    def routing_key(self) -> str:
        return STATUS_KEY[self.status]

    @property
    def recurrence(self) -> int:
        return self.n


class Publication(msgspec.Struct, frozen=True, kw_only=True):
    """A message in the form that goes on the wire."""

    exchange: str
    routing_key: str
    body: bytes
    message_id: str
    correlation_id: str
    headers: dict[str, str | int]
    type: str = ""  # its own routing key, where it travels under another (the retry ladder); empty: `routing_key`


_encoder = msgspec.json.Encoder(decimal_format="number")


def publication(message: Message, *, headers: Mapping[str, str | int] | None = None) -> Publication:
    """The wire form of a message; `headers` (traceparent) are added to its own."""
    key = message.routing_key
    identity = message_id(message.batch_id, message.transaction_id, key, message.recurrence)
    return Publication(
        exchange="status_exchange" if isinstance(message, StatusChanged) else "direct_exchange",
        routing_key=key,
        body=_encoder.encode(message),
        message_id=identity,
        correlation_id=message.transaction_id,
        headers={
            "v": VERSION,
            "BatchNo": message.batch_no,
            "AccountId": message.account_id,
            "Books": message.books,
            "traceparent": f"00-{_trace_id(message)}-{identity[-17:-13]}{identity[-12:]}-01",
            **(headers or {}),
        },
    )


def _trace_id(message: Message) -> str:
    """One trace for all that is ever said of a transaction, whoever says it first (W3C Trace Context, 2.2)."""
    return hashlib.blake2b(f"{message.batch_id}\0{message.transaction_id}".encode(), digest_size=16).hexdigest()


def message_id(batch_id: int, transaction_id: str, routing_key: str, n: int = 0) -> str:
    """The same message has the same id however often it is said; ids help to trace and are no table's key."""
    name = f"{batch_id}\0{transaction_id}\0{routing_key}\0{n}".encode()
    digest = bytearray(hashlib.sha1(_IDS.bytes + name, usedforsecurity=False).digest()[:16])
    digest[6] = digest[6] & 0x0F | 0x50  # RFC 9562, 5.5: what uuid.uuid5 gives, at a third of its cost
    digest[8] = digest[8] & 0x3F | 0x80
    text = digest.hex()
    return f"{text[:8]}-{text[8:12]}-{text[12:16]}-{text[16:20]}-{text[20:]}"


def decode(body: bytes, kind: type[M]) -> M:
    """Read one body strictly. Raises BadMessage, saying where it does not fit."""
    try:
        message: M = _decoder(kind).decode(body)
    except msgspec.MsgspecError as error:
        raise BadMessage(f"not a {kind.__name__}: {error}") from error
    return message


@cache
def _decoder(kind: type[M]) -> msgspec.json.Decoder[M]:
    return msgspec.json.Decoder(kind)
