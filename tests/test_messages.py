import uuid
from datetime import UTC, datetime
from decimal import Decimal

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from irnflow import messages
from irnflow.errors import BadMessage
from irnflow.gst.faults import Fault
from irnflow.gst.invoice import Invoice, Item
from irnflow.messages import (
    STATUS_KEY,
    WORDS,
    About,
    DataFetched,
    Detail,
    FetchData,
    FetchFailed,
    GenerationFailed,
    Message,
    Registered,
    State,
    StatusChanged,
    UpdateFailed,
    Validated,
    ValidationFailed,
    decode,
    message_id,
    publication,
)

AT = datetime(2026, 11, 22, 6, 30, tzinfo=UTC)
ABOUT = About(batch_id=7, batch_no="B7", transaction_id="SAL/1 é", account_id=3, books="main")
FAILED = {"at": AT, "cause": "x.y", "says": "wrong", "faults": (Fault(code="x", path="DocDtls.No", says="no"),)}
MESSAGES = [
    FetchData(**ABOUT),
    DataFetched(
        **ABOUT, fetched_at=AT, digest="d",
        invoice=Invoice(version="1.1", item_list=(Item(sl_no="1", qty=Decimal("100.345"), gst_rt=Decimal("18.00")),)),
    ),
    Validated(
        **ABOUT, read_digest="d", gstin="29AAFCC9980M1ZR", doc_typ="INV", doc_no="A/1", doc_dt="22/11/2026",
        irn="0" * 64, rule_pack="2026", validated_at=AT, payload=msgspec.Raw(b'{"Version":"1.1","Qty":1.50}'),
    ),
    Registered(**ABOUT, read_digest="d", irn="0" * 64, ack_no="1", ack_dt="2026-11-22 12:00:00", signed_qr="a.b.c"),
    FetchFailed(**ABOUT, **FAILED),
    ValidationFailed(**ABOUT, **FAILED),
    GenerationFailed(**ABOUT, **FAILED),
    UpdateFailed(**ABOUT, **FAILED),
    StatusChanged(**ABOUT, status=State.IN_DOUBT, at=AT, n=2, detail=Detail(says="lost", irn="0" * 64)),
]  # fmt: skip


@pytest.mark.parametrize("message", MESSAGES, ids=lambda message: type(message).__name__)
def test_every_message_reads_back_as_it_was_said(message: Message) -> None:
    assert decode(publication(message).body, type(message)) == message


@pytest.mark.parametrize("message", MESSAGES, ids=lambda message: type(message).__name__)
def test_every_body_has_the_words_of_the_design(message: Message) -> None:
    body = msgspec.json.decode(publication(message).body)

    assert (body["BatchNo"], body["TransactionId"]) == ("B7", "SAL/1 é")


def test_a_payload_travels_byte_for_byte() -> None:
    validated = MESSAGES[2]

    assert b'{"Version":"1.1","Qty":1.50}' in publication(validated).body


def test_a_status_goes_to_the_status_exchange_under_its_own_key() -> None:
    told = publication(MESSAGES[-1])

    assert (told.exchange, told.routing_key) == ("status_exchange", "status.in_doubt")


def test_work_goes_to_the_direct_exchange_under_its_own_key() -> None:
    told = publication(MESSAGES[0])

    assert (told.exchange, told.routing_key) == ("direct_exchange", "fetch.data")


def test_the_same_message_has_the_same_id_and_another_occurrence_another() -> None:
    first, again, second = (
        publication(StatusChanged(**ABOUT, status=State.IN_DOUBT, at=AT, n=n)).message_id for n in (1, 1, 2)
    )

    assert first == again != second


@given(st.integers(0, 2**40), st.text(min_size=1, max_size=100), st.integers(0, 9))
def test_a_message_id_is_a_uuid5(batch_id: int, transaction_id: str, n: int) -> None:
    name = f"{batch_id}\0{transaction_id}\0fetch.data\0{n}"

    assert message_id(batch_id, transaction_id, "fetch.data", n) == str(uuid.uuid5(messages._IDS, name))


def test_all_that_is_said_of_a_transaction_is_one_trace() -> None:
    traces = {publication(message).headers["traceparent"][3:35] for message in MESSAGES}  # type: ignore[index]
    other = publication(FetchData(**{**ABOUT, "transaction_id": "SAL/2"})).headers["traceparent"]

    assert len(traces) == 1
    assert str(other)[3:35] not in traces


def test_a_body_of_another_shape_says_where_it_does_not_fit() -> None:
    with pytest.raises(BadMessage, match=r"not a FetchData: .*BatchId"):
        decode(b'{"BatchId":"7"}', FetchData)


def test_an_unknown_field_of_an_invoice_is_refused() -> None:
    body = publication(MESSAGES[1]).body.replace(b'"SlNo"', b'"Slno"')

    with pytest.raises(BadMessage, match="Slno"):
        decode(body, DataFetched)


def test_every_state_has_words_and_all_but_the_first_a_key() -> None:
    assert set(WORDS) == set(State)
    assert set(STATUS_KEY) == set(State) - {State.PROCESSING}


def test_no_two_messages_share_a_routing_key() -> None:
    keys = [kind.key for kind in vars(messages).values() if isinstance(kind, type) and "key" in vars(kind)]

    assert len(keys) == len(set(keys)) == 8
