"""What goes over the API: the one source of how bodies are read and of the OpenAPI document."""

import re
from datetime import datetime
from typing import Annotated, Any, Final, Literal

import msgspec
from msgspec import UNSET, Meta, UnsetType

from irnflow.files.checking import Finding
from irnflow.gst.facts import LINES_MAX
from irnflow.gst.faults import Fault
from irnflow.gst.portal_codes import PortalClass, PortalCode
from irnflow.messages import State
from irnflow.store.lifecycle import ActionKind, ActionState

VOUCHERS_MAX: Final = 100_000

# `\Z`, for `$` would let a final newline through; api/openapi.py writes it as ECMA 262 does.
BATCH_NO: Final = r"^[A-Za-z0-9][A-Za-z0-9._-]{0,63}\Z"
VOUCHER_ID: Final = r"^[^\x00-\x1f\x7f-\x9f\u2028\u2029]{1,100}\Z"
REMARK: Final = r'^[^\\"\x00-\x1f\x7f-\x9f\u2028\u2029]{1,100}\Z'  # the portal takes neither " nor \
BILL_REMARK: Final = REMARK.replace("100", "50")
NAME: Final = r"^[^\x00-\x1f\x7f-\x9f\u2028\u2029]{1,200}\Z"
CRORE: Final = r"^[0-9]{1,9}(\.[0-9]{1,7})?\Z"
SEALED: Final = r"^[^\x00-\x1f\x7f-\x9f\u2028\u2029]{1,300}\Z"
GSTIN: Final = r"^[0-9]{2}[0-9A-Za-z]{13}\Z"
DAY: Final = r"^20[0-9]{2}-[01][0-9]-[0-3][0-9]\Z"
GSTINS: Final = r"^[0-9]{2}[0-9A-Za-z]{13}(,[0-9]{2}[0-9A-Za-z]{13}){0,999}\Z"
REASON: Final = r"^[^\s\x00-\x1f\x7f-\x9f][^\x00-\x1f\x7f-\x9f\u2028\u2029]{0,499}\Z"
IRN: Final = r"^[0-9A-Fa-f]{64}\Z"

# What a pattern means, for the reader of an error.
WORDS: Final = {
    BATCH_NO: "1 to 64 letters, digits, dots, underscores or hyphens, the first a letter or digit",
    VOUCHER_ID: "1 to 100 characters, none of them a control character or line break",
    CRORE: "an amount in crore rupees, such as 0.75",
    SEALED: "1 to 300 characters, none of them a control character or line break",
    DAY: "a day, such as 2026-11-22",
    GSTINS: "GSTINs of 15 characters, divided by commas",
    REASON: "1 to 500 characters, the first no space, none of them a control character or line break",
    REMARK: '1 to 100 characters, none of them ", \\, a control character or line break',
    BILL_REMARK: '1 to 50 characters, none of them ", \\, a control character or line break',
    NAME: "1 to 200 characters, none of them a control character or line break",
}

BatchNo = Annotated[str, Meta(pattern=BATCH_NO, description="Of the account; assigned when it is not given.")]
VoucherId = Annotated[str, Meta(pattern=VOUCHER_ID, description="The voucher's id in the books.")]
Name = Annotated[str, Meta(pattern=NAME)]
Reason = Annotated[str, Meta(pattern=REASON, description="Kept for the record, with who says so.")]
Irn = Annotated[str, Meta(pattern=IRN, description="64 hexadecimal digits.")]
Code = Annotated[str, Meta(min_length=1, max_length=100, description="A code of the portal, as 2150; in any case.")]
VoucherIds = Annotated[
    list[VoucherId], Meta(min_length=1, max_length=VOUCHERS_MAX, extra_json_schema={"uniqueItems": True})
]
Crore = Annotated[
    str, Meta(pattern=CRORE, description="The supplier's yearly turnover in crore rupees; 10 or more if not said.")
]
LinesMax = Annotated[
    float,  # a whole number, which JSON may write as 5000.0
    Meta(
        ge=1,
        le=5000,
        multiple_of=1,
        description="Lines that the portal allows in a document: 1,000, or more by request.",
    ),
]
Day = Annotated[
    str,
    Meta(
        pattern=DAY, description="Of sending, as 2026-11-22; today if not said.", extra_json_schema={"format": "date"}
    ),
]
Gstins = Annotated[
    str,
    Meta(pattern=GSTINS, description="Those in special economic zones, divided by commas: all others are outside."),
]
Developers = Annotated[
    str, Meta(pattern=GSTINS, description="Developers of such zones, who may supply from them, divided by commas.")
]
Operator = Annotated[
    str, Meta(pattern=GSTIN, description="The e-commerce operator that sends them, if not the supplier.")
]
Secret = Annotated[str, Meta(pattern=SEALED, extra_json_schema={"writeOnly": True, "format": "password"})]
InPathGstin = Annotated[str, Meta(pattern=GSTIN, description="Of the account; in any case.")]
Irns = Annotated[list[Irn], Meta(min_length=1, max_length=1000)]
CancelReason = Annotated[
    Literal[1, 2, 3, 4], Meta(description="1 duplicate, 2 data entry mistake, 3 order cancelled, 4 others.")
]
Remark = Annotated[str, Meta(pattern=REMARK, description="Why, for the portal.")]
BillRemark = Annotated[str, Meta(pattern=BILL_REMARK, description="Why, for the e-way bill system.")]
ActionId = Annotated[str, Meta(pattern=r"^[0-9]{1,18}\Z", description="Of an action of the account.")]
Cursor = Annotated[str, Meta(max_length=1000, description="`next` of the page before.")]
Limit = Annotated[int, Meta(ge=1, le=500, description="Most items of a page.")]


class Submit(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Vouchers to register."""

    voucher_ids: VoucherIds
    batch_no: BatchNo | None = None
    books: Name | None = None  # may be left out by an account with one


class Accepted(msgspec.Struct, frozen=True, kw_only=True):
    """They are stored and will be worked on, whatever happens to us."""

    status: Literal["Request Accepted"] = "Request Accepted"
    batch_no: str
    transaction_ids: list[str]


class Retry(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Which open failures to send again: those that meet all that is said."""

    stage: Name | None = None
    cause: Name | None = None
    batch_no: BatchNo | None = None
    transaction_ids: VoucherIds | None = None


class RetryAccepted(Accepted, frozen=True, kw_only=True):
    """The new batch."""

    retry_of: str | None  # the batch that they failed in, when it is one


class Batch(msgspec.Struct, frozen=True, kw_only=True):
    """A batch and where its transactions stand."""

    batch_no: str
    books: str
    size: int
    counts: dict[State, int]  # of the states that have any
    last_seq: int  # of its events
    created_at: datetime
    retry_of: str | None
    paused: str | None  # why nothing of it is sent until it is resumed
    withdrawn_at: datetime | None  # since then nothing of it is sent


class Batches(msgspec.Struct, frozen=True, kw_only=True):
    """A page of batches, newest first."""

    items: list[Batch]
    next: str | None


class Detail(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What there is to say of a step."""

    says: str
    fix: str = ""  # what to do, where each fault doesn't say its own
    irn: str = ""
    ack_no: str = ""
    ack_dt: str = ""
    ewb_no: str = ""
    faults: tuple[Fault, ...] = ()


class Transaction(msgspec.Struct, frozen=True, kw_only=True):
    """One voucher of a batch, where it stands, and since when."""

    transaction_id: str
    state: State
    at: datetime
    detail: Detail


class Transactions(msgspec.Struct, frozen=True, kw_only=True):
    """A page of transactions, in the order of the request."""

    items: list[Transaction]
    next: str | None


class Event(msgspec.Struct, frozen=True, kw_only=True):
    """One step of a transaction."""

    seq: int  # in its batch
    status: State
    at: datetime
    detail: Detail


class History(msgspec.Struct, frozen=True, kw_only=True):
    """All that happened to one transaction."""

    transaction_id: str
    state: State
    events: list[Event]


class Example(msgspec.Struct, frozen=True, kw_only=True):
    """A transaction that failed."""

    batch_no: str
    transaction_id: str


class FailureGroup(msgspec.Struct, frozen=True, kw_only=True):
    """Open failures of one cause."""

    stage: str
    cause: str
    says: str  # of the newest
    fix: str
    count: int  # of failures: a voucher may have failed in several batches
    vouchers: int
    examples: list[Example]  # the five newest


class Failures(msgspec.Struct, frozen=True, kw_only=True):
    """A page of the worklist, by stage and cause."""

    groups: list[FailureGroup]
    next: str | None


class PortalCodes(msgspec.Struct, frozen=True, kw_only=True):
    """Codes of the portal, in the order of its lists."""

    items: list[PortalCode]


class CheckFacts(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What the rules must know beside the documents."""

    day: Day | None = None
    turnover: Crore | None = None
    sez: Gstins | None = None
    sez_developer: Developers | None = None
    operator: Operator | None = None
    lines_max: Annotated[int, Meta(ge=1, le=5000)] = LINES_MAX
    sandbox_gstins: bool = False
    lang: Literal["en", "hi"] = "en"  # of what to do


class Checked(msgspec.Struct, frozen=True, kw_only=True):
    """What was found in documents; nothing was sent."""

    documents: int
    refused: int  # of them
    findings: list[Finding]  # the first 10,000
    left_out: int  # findings beyond those


class Pause(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Why something is to stand still; whoever finds it so reads this."""

    reason: Annotated[str, Meta(min_length=1, max_length=500, pattern=r"^[^\x00-\x1f\x7f]+\Z")]


class Withdrawn(msgspec.Struct, frozen=True, kw_only=True):
    """A batch of which nothing more is sent."""

    batch_no: str
    taken_back: int  # vouchers that were certainly not sent; others may still be told withdrawn, or are registered


class Standing(msgspec.Struct, frozen=True, kw_only=True):
    """Something that stands still until somebody resumes it."""

    what: Literal["batch", "gstin", "portal"]
    key: str  # batch number, GSTIN, or name of the portal
    reason: str
    by: str
    at: datetime | None  # None: it stopped by itself


class StandingStill(msgspec.Struct, frozen=True, kw_only=True):
    """All that stands still."""

    items: list[Standing]


class Login(msgspec.Struct, frozen=True, kw_only=True):
    """What a GSTIN logs in to portals with, without what is secret of it."""

    portal: str  # or the family of portals that share it
    username: str
    client_id: str
    stopped: str | None  # why nobody logs in with it until that is mended: new documents go where another login is good


class Gstin(msgspec.Struct, frozen=True, kw_only=True):
    """A GSTIN of the account."""

    gstin: str
    stopped: str | None  # why its queue stands still: nothing of it is sent until that is mended
    logins: list[Login]
    turnover: str | None  # yearly, in crore rupees
    lines_max: int | None  # of a document, where the portal allows it more than 1,000


class GstinPage(msgspec.Struct, frozen=True, kw_only=True):
    """A page of GSTINs."""

    items: list[Gstin]
    next: str | None


class GstinCredentials(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What a GSTIN logs in to the portal with; sealed at once, and shown to nobody again."""

    username: Name
    password: Secret
    client_id: Name
    client_secret: Secret
    portal: Name | None = None  # or its family; as it stands, if not said

    def __repr__(self) -> str:
        return f"GstinCredentials(username={self.username!r}, ...)"


class GstinTerms(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What the rules must know of a GSTIN; what is not given stays as it stands."""

    turnover: Crore | None = None
    lines_max: LinesMax | None = None


class WhichLogin(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Which login of a GSTIN."""

    portal: Name  # or its family


class WhichLogins(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Which logins of a GSTIN."""

    portal: Name | None = None  # or its family; all, if not said


class ImportInto(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Where to."""

    books: Name | None = None  # may be left out by an account with one


class Doubt(msgspec.Struct, frozen=True, kw_only=True):
    """A document whose answer was lost."""

    irn: str
    gstin: str  # the seller's
    doc_typ: str
    doc_no: str
    doc_dt: str  # dd/mm/yyyy
    portal: str
    books: str
    voucher_id: str
    sent_at: datetime
    age_s: int
    level: Literal["", "alarm", "page"]  # what that age is
    why: str  # what became of the call
    looked_at: datetime | None
    found: str  # what the last look-up told
    next_look_at: datetime
    decide_from: datetime  # from then on no look-up decides, but an admin
    next: str  # what comes next, in words


class Doubts(msgspec.Struct, frozen=True, kw_only=True):
    """A page of documents in doubt, the oldest first."""

    items: list[Doubt]
    next: str | None


class Why(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Why an admin decides so."""

    reason: Reason


class Ended(Why, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How an action ended that no look-up could settle."""

    done: bool
    ewb_no: Annotated[str, Meta(pattern=r"^[0-9]{12}\Z")] | None = None  # of an e-way bill that was made


class SignedDocument(Why, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The portal's signed document: its signed JSON as it is, or the signed invoice (JWS) as a string."""

    document: Any


class Decided(msgspec.Struct, frozen=True, kw_only=True):
    """It is on record, and is done from then on."""

    at: datetime


class SignIn(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A one-time token, as the console's link carries it."""

    token: Annotated[str, Meta(min_length=1, max_length=200)]


class Session(msgspec.Struct, frozen=True, kw_only=True):
    """Who is signed in."""

    account: str
    websocket_url: str | None  # null: at the same origin


class NoQuery(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """No parameters."""


class Page(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Which page."""

    cursor: Cursor | None = None
    limit: Limit = 100


class TransactionPage(Page, frozen=True, kw_only=True):
    """Which transactions."""

    state: State | None = None


class OneTransaction(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Which transaction: in the query, for an id may hold a slash."""

    transaction_id: VoucherId


class FailurePage(Page, frozen=True, kw_only=True):
    """Which failures."""

    batch_no: BatchNo | None = None


class CodesOf(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Which codes."""

    klass: PortalClass | UnsetType = msgspec.field(default=UNSET, name="class")


class Cancel(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Why an IRN is cancelled."""

    reason: CancelReason
    remark: Remark
    eway_bill: bool = False  # its active e-way bill first; of the remark that system takes the first 50 characters


class CancelMany(Cancel, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Which IRNs are cancelled, and why."""

    irns: Irns


class CancelEwayBill(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Why an e-way bill is cancelled."""

    reason: CancelReason
    remark: BillRemark


_Short = Annotated[str, Meta(min_length=1, max_length=100, pattern=r'^[^\\"\x00-\x1f]*\Z')]
_Day = Annotated[str, Meta(pattern=r"^[0-3][0-9]/[0-1][0-9]/2[0-9]{3}\Z", description="dd/mm/yyyy")]


class PlaceOfGoods(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Where goods leave, or go to."""

    name: _Short | None = None  # of where they leave
    gstin: Annotated[str, Meta(pattern=r"^([0-9]{2}[0-9A-Z]{13}|URP)\Z")] | None = None  # of where they go to
    address_1: _Short
    address_2: _Short | None = None
    place: _Short
    pin: Annotated[float, Meta(ge=100000, le=999999, multiple_of=1)]
    state: Annotated[str, Meta(pattern=r"^[0-9]{1,2}\Z")]


class MakeEwayBill(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True):
    """How goods travel; what is needed depends on the mode. A transporter alone makes Part A."""

    distance: Annotated[
        float, Meta(ge=0, le=4000, multiple_of=1, description="km; 0: as the portal has it between the PINs.")
    ]
    transport_mode: Annotated[str, Meta(pattern=r"^[1-4]\Z", description="1 road, 2 rail, 3 air, 4 ship")] | None = None
    transporter_id: Annotated[str, Meta(pattern=r"^[0-9]{2}[0-9A-Z]{13}\Z")] | None = None
    transporter_name: _Short | None = None
    transport_document_number: Annotated[str, Meta(pattern=r"^[a-zA-Z0-9/-]{1,15}\Z")] | None = None
    transport_document_date: _Day | None = None
    vehicle_number: Annotated[str, Meta(pattern=r"^[A-Za-z0-9]{4,20}\Z")] | None = None
    vehicle_type: Annotated[str, Meta(pattern=r"^[OR]\Z", description="R regular, O over-dimensional")] | None = None
    ship_to: PlaceOfGoods | None = None
    dispatch_from: PlaceOfGoods | None = None


class Action(msgspec.Struct, frozen=True, kw_only=True):
    """Something asked of the portal about an IRN, and how it stands."""

    action_id: int
    address: str
    irn: str
    kind: ActionKind
    state: ActionState
    says: str
    fix: str  # what to do; empty: nothing, or it is said
    cause: str  # stable code of a failure
    codes: list[str]  # the portal's
    first_half: str | None  # address of the action that must be done before this one
    ewb_no: str | None
    request: dict[str, Any]
    asked_by: str
    asked_at: datetime
    updated_at: datetime


class Asked(msgspec.Struct, frozen=True, kw_only=True):
    """It is on record and will be asked of the portal, whatever happens to us."""

    irn: str
    repeated: bool  # the same was asked for before: the same action
    action: Action  # of several halves the last
    first_half: Action | None


class Cancellation(msgspec.Struct, frozen=True, kw_only=True):
    """What came of the request for one IRN."""

    irn: str
    outcome: str  # ACCEPTED, REPEATED, or why it is refused
    says: str  # of a refusal
    address: str | None  # of the action


class Cancellations(msgspec.Struct, frozen=True, kw_only=True):
    """What came of the request, an answer for each IRN in its order."""

    accepted: int
    repeated: int
    refused: int
    items: list[Cancellation]


class EwayBill(msgspec.Struct, frozen=True, kw_only=True):
    """An e-way bill."""

    ewb_no: str
    made_at: str | None  # IST, as the portal says
    valid_till: str | None  # null: Part A only
    distance: str | None  # what the portal said of it
    cancelled_at: str | None  # null: active


class Document(msgspec.Struct, frozen=True, kw_only=True):
    """A document at the portal, its e-way bills and what was asked about it."""

    irn: str
    state: Literal["READY", "INTENT", "UNKNOWN", "ACCEPTED", "REJECTED", "CANCELLED"]
    gstin: str
    doc_typ: str
    doc_no: str
    doc_dt: str
    voucher_id: str
    books: str
    portal: str  # which issued the IRN, or is to
    ack_no: str | None
    ack_dt: str | None
    signed_qr: str | None
    verified: bool | None  # its signatures; null: not checked
    eway_bills: list[EwayBill]  # the active one first
    actions: list[Action]  # the newest, at most 100


class Actions(msgspec.Struct, frozen=True, kw_only=True):
    """A page of actions, newest first."""

    items: list[Action]
    next: str | None


class ActionPage(Page, frozen=True, kw_only=True):
    """Which actions."""

    irn: Irn | UnsetType = UNSET  # not None, or `null` would mean all
    kind: ActionKind | UnsetType = UNSET
    state: ActionState | UnsetType = UNSET


class GstinQuery(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How old an answer may be."""

    max_age_s: Annotated[int, Meta(ge=0, le=31_536_000)] = 86_400
    sync: bool = False  # have the portal ask the common portal first


class GstinDetails(msgspec.Struct, frozen=True, kw_only=True):
    """What the portal's master says of a GSTIN."""

    gstin: str
    details: dict[str, Any] | None  # the portal's words; null: it has given none yet
    status: str | None  # ACT, CNL, INA, PRO ...
    fetched_at: datetime | None
    age_s: int | None
    says: str  # why the last question got no details
    asking: bool  # the portal is being asked: look again in some seconds


# What stands in the braces of an address.
IN_PATH: Final = {"batch_no": BatchNo, "code": Code, "gstin": InPathGstin, "irn": Irn, "action_id": ActionId}


def is_gstin(text: str) -> bool:
    """Whether it has the shape of one; of the portals' sandboxes too, whose check digit is wrong."""
    return re.match(GSTIN, text) is not None
