"""Validation: what it says of a sound invoice, of one with faults, and of the same one twice."""

import asyncio
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import msgspec
import pytest
import structlog

from irnflow.bus import memory
from irnflow.gst import inv01
from irnflow.gst.facts import Registration, Status
from irnflow.gst.faults import Severity
from irnflow.gst.irn import irn
from irnflow.messages import (
    DataFetched,
    Detail,
    Message,
    State,
    StatusChanged,
    Validated,
    ValidationFailed,
    decode,
    publication,
)
from irnflow.services import validation
from tests.gst.documents import BETWEEN, CUSTOMER, SELLER, SOUND, WITHIN, Document, changed, read

NOON = datetime(2026, 11, 22, 6, 30, tzinfo=UTC)  # in India
LATER = datetime(2026, 11, 22, 6, 31, tzinfo=UTC)
LOG = structlog.get_logger()


def fetched(document: Document, **others: Any) -> DataFetched:
    about = {"batch_id": 1, "batch_no": "B1", "transaction_id": "SAL/1", "account_id": 7, "books": "main"}
    return DataFetched(**{**about, "fetched_at": NOON, "digest": "d" * 64, "invoice": read(document), **others})


def handled(message: DataFetched, *, accept_sandbox_gstins: bool = False) -> list[Message]:
    return validation.handle(message, accept_sandbox_gstins=accept_sandbox_gstins, now=lambda: LATER)


def refused(message: DataFetched) -> ValidationFailed:
    failure, status = handled(message)
    assert isinstance(failure, ValidationFailed)
    assert isinstance(status, StatusChanged)
    assert status.status is State.VALIDATION_FAILED
    return failure


def passed(message: DataFetched) -> tuple[Validated, Detail]:
    validated, status = handled(message)
    assert isinstance(validated, Validated)
    assert isinstance(status, StatusChanged)
    assert status.status is State.VALIDATION_SUCCESS
    return validated, status.detail


@pytest.mark.parametrize("document", SOUND.values(), ids=SOUND)
def test_a_sound_invoice_passes_as_the_exact_bytes_to_send(document: Document) -> None:
    validated, detail = passed(fetched(document))

    assert bytes(validated.payload) == inv01.encode(read(document))
    assert detail == Detail()


def test_what_the_books_left_out_is_filled_in() -> None:
    bare = changed(BETWEEN, {"ValDtls": None, "ItemList[0].IgstAmt": None, "ItemList[0].TotItemVal": None})

    validated, _ = passed(fetched(bare))

    assert bytes(validated.payload) == inv01.encode(read(BETWEEN))


def test_what_passed_names_its_document_and_the_rules_it_passed() -> None:
    validated, _ = passed(fetched(changed(WITHIN, {"DocDtls.No": "blr/2026/117"})))

    assert (validated.gstin, validated.doc_typ, validated.doc_no) == (SELLER, "INV", "BLR/2026/117")
    assert validated.doc_dt == "20/11/2026"
    assert validated.irn == irn(SELLER, "2026-27", "INV", "BLR/2026/117")
    assert validated.rule_pack == "2025-04-01/2026-02-01"
    assert validated.read_digest == "d" * 64
    assert validated.validated_at == LATER


def test_warnings_stop_nothing_and_are_told() -> None:
    _, detail = passed(fetched(changed(WITHIN, {"DocDtls.No": "blr/1", "ItemList[0].HsnCd": "94039999"})))

    assert [(fault.code, fault.severity) for fault in detail.faults] == [
        ("normalised", Severity.WARNING),
        ("hsn.unlisted", Severity.WARNING),
    ]


def test_all_faults_are_told_at_once_and_warnings_after_them() -> None:
    broken = changed(WITHIN, {"DocDtls.No": "0/a", "BuyerDtls.Pos": "96", "ItemList[1].GstRt": Decimal(17)})

    failure = refused(fetched(broken))

    assert [fault.code for fault in failure.faults] == ["document.number", "pos.abroad", "rate.unknown", "normalised"]


def test_a_failure_is_grouped_by_its_first_fault_and_counts_the_others() -> None:
    failure = refused(fetched(changed(WITHIN, {"DocDtls.No": "0/a", "BuyerDtls.Pos": "96"})))

    assert failure.cause == "document.number"
    assert failure.says.endswith("(and 1 more fault)")
    assert failure.fix == "Give the document a number of that form."
    assert failure.at == LATER


def test_the_day_is_that_on_which_it_was_fetched_in_india() -> None:
    of_tomorrow = changed(WITHIN, {"DocDtls.Dt": "23/11/2026"})
    before_midnight = datetime(2026, 11, 22, 18, 29, tzinfo=UTC)
    after_midnight = datetime(2026, 11, 22, 18, 30, tzinfo=UTC)

    assert refused(fetched(of_tomorrow, fetched_at=before_midnight)).cause == "document.future"
    passed(fetched(of_tomorrow, fetched_at=after_midnight))


def test_how_many_lines_a_document_may_have_is_the_suppliers_own() -> None:
    lines = [{**WITHIN["ItemList"][0], "SlNo": str(number)} for number in range(1, 1002)]
    totals = {"AssVal": 10010000, "CgstVal": 900900, "SgstVal": 900900, "TotInvVal": 11811800}
    long = changed(WITHIN, {"ItemList": lines, "ValDtls": totals})

    passed(fetched(long, lines_max=5000))
    assert refused(fetched(long)).cause == "lines.too_many"


def test_the_turnover_is_the_suppliers_own() -> None:
    old = changed(WITHIN, {"DocDtls.Dt": "01/10/2026"})

    passed(fetched(old, turnover_crore=Decimal(8)))
    assert refused(fetched(old, turnover_crore=Decimal(10))).cause == "document.too_late"
    assert refused(fetched(old)).cause == "document.too_late"


def test_what_the_portal_said_of_the_parties_is_heeded() -> None:
    known = {CUSTOMER: Registration(kind="SEZ", status=Status.ACTIVE, since=date(2017, 7, 1))}

    message = decode(publication(fetched(BETWEEN, registrations=known)).body, DataFetched)

    assert message.registrations == known
    assert refused(message).cause == "recipient.sez"


def test_sandbox_gstins_pass_only_where_the_setting_lets_them() -> None:
    message = fetched(changed(WITHIN, {"SellerDtls.Gstin": "29AABCT1332L000"}))

    assert refused(message).cause == "supplier.gstin"
    assert isinstance(handled(message, accept_sandbox_gstins=True)[0], Validated)


def test_the_same_message_gives_the_same_answer() -> None:
    sound, broken = fetched(WITHIN), fetched(changed(WITHIN, {"DocDtls.No": "0"}))

    assert [publication(message) for message in handled(sound)] == [publication(message) for message in handled(sound)]
    assert handled(broken) == handled(broken)


def test_a_document_larger_than_the_portal_takes_is_refused() -> None:
    attached = [{"Docs": "x" * 1000, "Info": "y" * 1000}] * 1000

    failure = refused(fetched(changed(WITHIN, {"AddlDocDtls": attached})))

    assert failure.cause == "document.too_large"


def test_a_status_stays_small_though_every_line_is_wrong() -> None:
    lines = [{**WITHIN["ItemList"][0], "SlNo": "1", "Unit": "KNOTS"} for _ in range(1000)]

    failure, status = handled(fetched(changed(WITHIN, {"ItemList": lines})))

    assert len(publication(status).body) < 20_000
    assert len(publication(failure).body) < 1_000_000


def test_an_empty_invoice_is_told_what_it_lacks() -> None:
    failure = refused(fetched({}))

    assert "field.missing" in {fault.code for fault in failure.faults}


def test_what_could_not_be_checked_at_all_goes_to_a_person() -> None:
    failure, status = validation.failed(fetched(WITHIN), ValueError("no such rule"), 3, at=LATER)

    assert isinstance(failure, ValidationFailed)
    assert (failure.cause, failure.attempts) == ("validation.gave_up", 3)
    assert isinstance(status, StatusChanged)
    assert status.status is State.VALIDATION_FAILED


async def test_over_the_bus_an_invoice_becomes_bytes_to_send_and_a_status() -> None:
    broker = memory.Broker()
    async with broker.connect("validation") as bus:
        serving = asyncio.create_task(validation.run(bus=bus, accept_sandbox_gstins=False, now=lambda: LATER, log=LOG))
        await bus.publish([publication(fetched(WITHIN)), publication(fetched({}, transaction_id="SAL/2"))])
        await asyncio.wait_for(broker.when(lambda: len(broker.ready("status_queue")) == 2), 10)
        serving.cancel()
        await asyncio.wait([serving])

    (validated,) = broker.ready("validation_success_queue")
    (failure,) = broker.ready("validation_error_queue")
    assert bytes(decode(validated.body, Validated).payload) == inv01.encode(read(WITHIN))
    assert decode(failure.body, ValidationFailed).transaction_id == "SAL/2"


def test_numbers_cross_the_bus_without_losing_a_digit() -> None:
    price = changed(WITHIN, {"ItemList[0].UnitPrice": Decimal("999999999999.999")})
    message = fetched(price)

    assert decode(publication(message).body, DataFetched) == message


def test_the_payload_stands_in_the_message_as_it_will_be_sent() -> None:
    validated, _ = passed(fetched(WITHIN))

    body = msgspec.json.decode(publication(validated).body, type=dict[str, msgspec.Raw])

    assert bytes(body["Payload"]) == inv01.encode(read(WITHIN))
