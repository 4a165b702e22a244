import re
from decimal import Decimal

import pytest

from irnflow.books.rows import vouchers
from irnflow.errors import BadInput
from irnflow.gst.invoice import (
    Batch,
    Contract,
    Document,
    Invoice,
    Item,
    Party,
    Preceding,
    References,
    Totals,
    Transaction,
)

HEADER_NAMES = ("voucher_id", "irn", "document_number")
LINE_NAMES = ("voucher_id", "line_no", "taxable_value")


def test_columns_fill_the_fields_they_stand_for() -> None:
    names = (*HEADER_NAMES, "supply_type", "seller_pin", "place_of_supply", "total_value", "purchase_order_number",
             "preceding_number")  # fmt: skip
    line_names = (*LINE_NAMES, "hsn", "batch_number")

    found = vouchers(
        [("7", None, "A/1", "B2B", 411026, 27, 118.0, "PO-9", "A/0")],
        names,
        [("7", 1, 100.0, 84137010, "B22")],
        line_names,
    )

    assert found["7"].invoice == Invoice(
        tran_dtls=Transaction(sup_typ="B2B"),
        doc_dtls=Document(no="A/1"),
        seller_dtls=Party(pin=411026),
        buyer_dtls=Party(pos="27"),
        item_list=(Item(sl_no="1", ass_amt=Decimal("100.0"), hsn_cd="84137010", bch_dtls=Batch(nm="B22")),),
        val_dtls=Totals(tot_inv_val=Decimal("118.0")),
        ref_dtls=References(
            prec_doc_dtls=(Preceding(inv_no="A/0"),),
            contr_dtls=(Contract(po_refr="PO-9"),),
        ),
    )


def test_a_section_of_blanks_is_no_section() -> None:
    names = (*HEADER_NAMES, "ship_to_legal_name", "ship_to_pin")

    found = vouchers([("7", None, "A/1", " ", None)], names, [], LINE_NAMES)

    assert found["7"].invoice == Invoice(doc_dtls=Document(no="A/1"))


def test_lines_stand_in_the_order_of_their_numbers_however_they_come() -> None:
    rows = [("7", 10, 3), ("7", 2, 2), ("7", "1", 1)]

    found = vouchers([("7", None, "A/1")], HEADER_NAMES, rows, LINE_NAMES)

    assert [item.sl_no for item in found["7"].invoice.item_list] == ["1", "2", "10"]  # type: ignore[union-attr]


def test_ids_padded_by_a_fixed_width_column_are_the_ids_asked_for() -> None:
    found = vouchers([("A7   ", None, "A/1")], HEADER_NAMES, [("A7   ", 1, 5)], LINE_NAMES)

    assert len(found["A7"].invoice.item_list) == 1  # type: ignore[union-attr]


def test_numbers_serve_as_ids() -> None:
    assert list(vouchers([(7, None, "A/1")], HEADER_NAMES, [], LINE_NAMES)) == ["7"]


def test_a_row_that_cannot_be_read_names_column_and_value_and_spoils_no_other() -> None:
    names = (*HEADER_NAMES, "buyer_pin", "document_date")
    rows = [("7", None, "A/1", "4110O1", "today"), ("8", None, "A/2", "411001", "2026-11-22")]
    lines = [("7", 3, "many"), ("8", 1, 5)]

    found = vouchers(rows, names, lines, LINE_NAMES)

    assert found["7"].unreadable == (
        "line 3, column taxable_value: 'many' is not a number",
        "column document_date: 'today' is not a date (2026-11-22 is)",
        "column buyer_pin: '4110O1' is not a number",
    )
    assert (found["7"].invoice, found["7"].digest) == (None, "")
    assert found["8"].unreadable == ()


def test_two_headers_of_one_voucher_cannot_be_read() -> None:
    rows = [("7", None, "A/1"), ("7", None, "A/1")]

    found = vouchers(rows, HEADER_NAMES, [], LINE_NAMES)

    assert found["7"].unreadable == ("the headers query gives more than one row for it (a join that multiplies?)",)


def test_a_voucher_too_large_for_a_message_cannot_be_read() -> None:
    names = (*LINE_NAMES, "description")
    lines = [("7", n, 5, "x" * 250) for n in range(1, 16_000)]

    found = vouchers([("7", None, "A/1")], HEADER_NAMES, lines, names)

    assert found["7"].unreadable == ("its 15999 lines make 4 MiB, more than one message carries",)


def test_the_digest_follows_what_was_read() -> None:
    first = vouchers([("7", None, "A/1")], HEADER_NAMES, [("7", 1, 5)], LINE_NAMES)["7"]

    again = vouchers([("7", None, "A/1")], HEADER_NAMES, [("7", 1, 5)], LINE_NAMES)["7"]
    changed = vouchers([("7", None, "A/1")], HEADER_NAMES, [("7", 1, 6)], LINE_NAMES)["7"]

    assert re.fullmatch("[0-9a-f]{64}", first.digest)
    assert again.digest == first.digest
    assert changed.digest != first.digest


def test_the_digest_does_not_follow_what_irnflow_writes() -> None:
    names = (*HEADER_NAMES, "einvoice_status")
    before = vouchers([("7", None, "A/1", None)], names, [], LINE_NAMES)["7"]

    after = vouchers([("7", "1a" * 32, "A/1", "eInvoice Registered")], names, [], LINE_NAMES)["7"]

    assert (after.irn, after.einvoice_status) == ("1a" * 32, "eInvoice Registered")
    assert after.digest == before.digest


@pytest.mark.parametrize(
    ("header_names", "line_names", "says"),
    [
        (("voucher_id", "irn", "pos", "colour"), LINE_NAMES, "`headers`: unknown column pos; unknown column colour"),
        (("voucher_id", "document_number"), LINE_NAMES, "`headers`: no column irn"),
        (("voucher_id", "irn", "irn"), LINE_NAMES, "`headers`: column irn comes twice"),
        (HEADER_NAMES, ("line_no",), "`lines`: no column voucher_id"),
        (HEADER_NAMES, ("voucher_id", "hsn"), "`lines`: no column line_no"),
    ],
)
def test_wrong_columns_are_named(header_names: tuple[str, ...], line_names: tuple[str, ...], says: str) -> None:
    with pytest.raises(BadInput, match=re.escape(says)):
        vouchers([], header_names, [], line_names)
