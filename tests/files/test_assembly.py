"""Which rows are one document: a document is taken whole or left out whole, whatever went wrong with its rows."""

from collections.abc import Mapping, Sequence
from io import BytesIO

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from irnflow.files import reading
from irnflow.files.documents import Taken
from irnflow.gst import gstin
from tests.files.invoices import CHAIR, DESK, HEAD, NAMES, OTHER_BUYER, blank, row, table

Row = Mapping[str, str]
OURS, OTHERS = HEAD["seller_gstin"], "29ZZZCO6666F1CO"
BRANCH = "27ZZZCS1111A1Z" + gstin.check_character("27ZZZCS1111A1Z")
AT_THE_BRANCH = {"seller_gstin": BRANCH, "seller_state": "27", "seller_pin": "400001", "seller_place": "Mumbai"}


def read(*files: Sequence[Row] | bytes) -> list[Taken]:
    """What becomes of tables, each a file of its own."""
    contents = [file if isinstance(file, bytes) else table(file) for file in files]
    named = [(f"{at}.csv", lambda mode, content=each: BytesIO(content)) for at, each in enumerate(contents)]
    return list(reading.read_all(named))


def imported(*files: Sequence[Row] | bytes) -> dict[str, int]:
    """How many lines each document has that is taken, by its number."""
    found = [one.document for one in read(*files) if one.document]
    return {str(each.header["document_number"]): len(each.lines) for each in found}


def rows_told(found: Sequence[Taken]) -> list[int | None]:
    return [trouble.row for one in found for trouble in one.troubles]


NEIGHBOUR = row(document_number="BLR/200", **OTHER_BUYER)


# -- the reports -----------------------------------------------------------------------------------------------------


def test_header_in_first_row_only() -> None:
    assert imported([row(), blank()]) == {"BLR/117": 2}


def test_second_row_date_typo() -> None:
    found = read([row(), row(DESK, document_date="31/11/2026"), NEIGHBOUR])

    assert [one.document and one.document.header["document_number"] for one in found] == [None, "BLR/200"]
    assert [(each.row, each.column) for each in found[0].troubles] == [(2, ""), (3, "document_date")]
    assert "'31/11/2026' is not a date" in found[0].troubles[1].says


# -- one document for certain ----------------------------------------------------------------------------------------

WHOLE: dict[str, tuple[Sequence[Row], dict[str, int]]] = {
    "each row says all": ([row(), row(DESK)], {"BLR/117": 2}),
    "blank below": ([row(), blank(), blank(CHAIR)], {"BLR/117": 3}),
    "blank below, then the next document": ([row(), blank(), NEIGHBOUR, blank()], {"BLR/117": 2, "BLR/200": 2}),
    "the number again, nothing else": ([row(), blank(document_number="BLR/117")], {"BLR/117": 2}),
    "the supplier on each row": ([row(), blank(seller_gstin=OURS, seller_state="29")], {"BLR/117": 2}),
    "apart": ([row(), NEIGHBOUR, row(DESK)], {"BLR/117": 2, "BLR/200": 1}),
    "sorted by product": (
        [row(), row(document_number="A2"), row(document_number="A3"), row(DESK), row(DESK, document_number="A2")],
        {"BLR/117": 2, "A2": 2, "A3": 1},
    ),
    "capitals": ([row(), row(DESK, document_number="blr/117")], {"BLR/117": 2}),
    "voucher ids": ([row(voucher_id="V1"), blank(voucher_id="V1")], {"BLR/117": 2}),
    "a voucher id in a merged cell": ([row(voucher_id="V1"), row(DESK, voucher_id="")], {"BLR/117": 2}),
}


@pytest.mark.parametrize(("rows", "lines"), WHOLE.values(), ids=WHOLE)
def test_rows_of_one_document_are_taken_together(rows: Sequence[Row], lines: dict[str, int]) -> None:
    assert imported(rows) == lines


# -- two documents for certain ---------------------------------------------------------------------------------------

LAWFUL: dict[str, Sequence[Row]] = {
    "two suppliers": [row(), row(seller_gstin=OTHERS)],
    "two branches": [row(), row(**AT_THE_BRANCH)],
    "two years": [row(), row(document_date="02/04/2025")],
    "the same day of two years, to others": [row(), row(document_date="28/11/2025", **OTHER_BUYER)],
    "a credit note of another day": [row(), row(document_type="CRN", document_date="29/11/2026")],
    "a credit note about an invoice": [
        row(preceding_number=""), row(document_type="CRN", preceding_number="BLR/100", preceding_date="01/11/2026")
    ],
    "numbers that are alike": [row(), row(document_number="BLR/118"), row(document_number="BLR/1170")],
}  # fmt: skip


@pytest.mark.parametrize("rows", LAWFUL.values(), ids=LAWFUL)
@pytest.mark.parametrize("files", [1, 2])
def test_documents_that_are_two_for_certain_are_both_taken(rows: Sequence[Row], files: int) -> None:
    parts = [rows] if files == 1 else [rows[:1], rows[1:]]

    assert sum(one.document is not None for one in read(*parts)) == len({tuple(_key(each)) for each in rows})


def _key(each: Row) -> list[str]:
    return [each[name] for name in ("seller_gstin", "document_type", "document_number", "document_date")]


# -- not certain -----------------------------------------------------------------------------------------------------

DOUBTFUL: dict[str, Sequence[Row]] = {
    "another type": [row(), row(DESK, document_type="CRN")],
    "no type": [row(), row(DESK, document_type="INC")],
    "check character": [row(), row(DESK, seller_gstin=OURS[:-1] + "E")],
    "a character of the GSTIN": [row(), row(DESK, seller_gstin=OURS.replace("S1", "S2"))],
    "a branch, at the same address": [row(), row(DESK, seller_gstin=BRANCH)],
    "GSTIN cut short": [row(), row(DESK, seller_gstin=OURS[:-1])],
    "no such day": [row(), row(DESK, document_date="31/11/2026")],
    "year": [row(), row(DESK, document_date="28/11/2025")],
    "year of two digits": [row(), row(DESK, document_date="28/11/0026")],
    "month": [row(document_date="28/04/2026"), row(DESK, document_date="28/01/2026")],
    "day and month": [row(document_date="04/03/2026"), row(DESK, document_date="03/04/2026")],
    "filled down over the year's end": [row(document_date="31/03/2026"), row(DESK, document_date="01/04/2026")],
    "date of another buyer's name": [row(), row(DESK, document_date="28/11/2025", buyer_legal_name="Quiet")],
    "first row wrong": [row(document_date="31/11/2026"), row(DESK)],
    "number again, date wrong, else blank": [row(), blank(document_number="BLR/117", document_date="28/11/2025")],
    "apart, else blank": [row(), NEIGHBOUR, blank(document_number="BLR/117")],
    "apart and wrong": [row(), NEIGHBOUR, row(DESK, document_date="28/11/2025")],
    "number as an error": [row(), row(DESK, document_number="#N/A")],
    "number as an error first": [row(document_number="#REF!"), row(DESK)],
    "number as an error, apart": [row(), NEIGHBOUR, row(DESK, document_number="#N/A")],
    "number in scientific notation": [row(), row(DESK, document_number="1E+05")],
    "number blank": [row(), row(DESK, document_number="")],
    "type as an error": [row(), row(DESK, document_type="#N/A")],
    "date as an error": [row(), row(DESK, document_date="#VALUE!")],
    "blank below an error": [row(), row(DESK, document_number="#N/A"), blank()],
    "leading zeros": [row(document_number="017"), row(DESK, document_number="17")],
    "space in the number": [row(), row(DESK, document_number="BLR /117")],
    "only the number differs, between": [row(), row(DESK, document_number="BLR/171"), row(DESK)],
    "blank after a blank row": [row(), blank({}), blank()],
    "blank as the first": [blank(), row()],
    "blank after a blank row, above a document": [row(), blank({}), blank(), row(document_number="BLR/118")],
    "a number that no document has": [row(), row(DESK, document_number="BLR#117")],
    "a number that is too long": [row(), row(DESK, document_number="BLR/117/2026-27/A")],
    "a letter like a digit": [row(), row(DESK, document_number="BLR/I17")],
    "blank without HSN": [row(), blank({"description": "Freight", "unit_price": "100", "gst_rate": "18"})],
    "two voucher ids": [row(voucher_id="V1"), row(DESK, voucher_id="V2")],
    "a voucher id wrong, else blank": [row(voucher_id="V1"), blank(voucher_id="V1x")],
    "a voucher id as an error": [row(voucher_id="V1"), blank(voucher_id="#N/A")],
    "a voucher id that comes late": [row(voucher_id=""), row(DESK, voucher_id="V1")],
}  # fmt: skip


@pytest.mark.parametrize("rows", DOUBTFUL.values(), ids=DOUBTFUL)
def test_what_may_be_one_document_is_left_out_whole(rows: Sequence[Row]) -> None:
    found = read(rows)

    lines = [at for at, each in enumerate(rows, 2) if any(each.values())]
    neighbour = [at for at, each in enumerate(rows, 2) if each is NEIGHBOUR]
    assert [one.rows for one in found if one.document] == ([neighbour] if neighbour else [])
    assert sorted({row for row in rows_told(found) if row}) == [at for at in lines if at not in neighbour]
    assert all(trouble.says for one in found for trouble in one.troubles)


@pytest.mark.parametrize(
    "files",
    [
        ([row()], [row(DESK)]),
        ([row(), row(DESK)], [row(CHAIR, quantity="3")]),
        ([row(), NEIGHBOUR], [NEIGHBOUR, row(DESK)]),
        ([row()], [blank()]),
        ([row()], [row(DESK, document_date="28/11/2025")]),
    ],
)
def test_a_document_split_over_files_is_left_out_whole(files: Sequence[Sequence[Row]]) -> None:
    found = read(*files)

    assert {one.document.header["document_number"] for one in found if one.document} <= {"BLR/200"}
    told = {(trouble.file, trouble.row) for one in found for trouble in one.troubles}
    assert told == {
        (f"{at}.csv", line)
        for at, rows in enumerate(files)
        for line, each in enumerate(rows, 2)
        if each is not NEIGHBOUR
    }


def test_the_same_document_in_two_files_is_one() -> None:
    assert [one.document is not None for one in read([row(), row(DESK)], [row(), row(DESK)])] == [True, True]


@pytest.mark.parametrize("changed", [{}, {"seller_gstin": "wrong"}])
def test_a_number_that_hundreds_of_vouchers_have_is_no_number(changed: Mapping[str, str]) -> None:
    found = read([row(voucher_id=f"V{at}", **changed) for at in range(300)])

    assert [one.document for one in found] == [None]


def test_hundreds_of_suppliers_may_have_the_same_number() -> None:
    first = [f"29ZZZCS{at:04}A1Z" for at in range(300)]

    assert len([one for one in read([row(seller_gstin=each + gstin.check_character(each)) for each in first])
                if one.document]) == 300  # fmt: skip


FREIGHT = blank({**CHAIR, "description": "Freight", "hsn": "996511"})
HEADER_AGAIN = {name: name.replace("_", " ").title() for name in NAMES}
REMARKS: dict[str, Row] = {
    "a total": blank({"description": "Sub Total", "quantity": "30"}),
    "a remark": blank({"description": "Serial numbers 11 to 40"}),
    "a remark in the first column": {"document_type": "Note: by road"},
    "a remark in the number's column": {"document_number": "by road"},
}  # fmt: skip


@pytest.mark.parametrize("remark", REMARKS.values(), ids=REMARKS)
def test_a_line_below_a_remark_leaves_out_the_document_above(remark: Row) -> None:
    found = read([row(), remark, FREIGHT, NEIGHBOUR])

    assert [one.rows for one in found if one.document] == [[5]]
    assert {2, 3, 4} == {at for at in rows_told(found) if at}


@pytest.mark.parametrize(
    "column", ["document_type", "document_number", "voucher_id", "buyer_legal_name", "description"]
)
@pytest.mark.parametrize(
    "words",
    ["Total", "Grand Total :", "SUB-TOTAL", "Invoice Total (Rs.)", "Total Amount in INR", "Page total 3", "कुल योग"],
)
def test_a_row_of_totals_costs_no_document(column: str, words: str) -> None:
    first, second = ({"voucher_id": "V1"}, {"voucher_id": "V2"}) if column == "voucher_id" else ({}, {})
    found = read([row(**first), row(DESK, **first), blank({column: words, "quantity": "30"}), NEIGHBOUR | second])

    assert [one.rows for one in found if one.document][:1] == [[2, 3]]
    assert (4, "it is a total and not a line of a document: take it out") in [
        (trouble.row, trouble.says) for one in found for trouble in one.troubles
    ]


@pytest.mark.parametrize("goods", ["Total Quartz 9000 engine oil", "Total station", "Total"])
def test_goods_named_total_are_a_line(goods: str) -> None:
    assert imported([row(), blank({**DESK, "description": goods})]) == {"BLR/117": 2}


@pytest.mark.parametrize("number", ["#N/A", ""])
def test_a_buyer_named_total_hides_no_row(number: str) -> None:
    buyer = {"buyer_legal_name": "Total Oil India"}

    assert imported([row(**buyer), row(DESK, document_number=number, **buyer)]) == {}


@pytest.mark.parametrize(
    ("rows", "lines"),
    [
        ([row(), HEADER_AGAIN, blank()], {"BLR/117": 2}),
        ([row(), HEADER_AGAIN, row(DESK)], {"BLR/117": 2}),
        ([row(), blank(), HEADER_AGAIN, NEIGHBOUR, HEADER_AGAIN, blank()], {"BLR/117": 2, "BLR/200": 2}),
    ],
)
def test_the_header_may_stand_there_again(rows: Sequence[Row], lines: dict[str, int]) -> None:
    found = read(rows)

    assert (imported(rows), rows_told(found)) == (lines, [])


def test_a_row_without_a_number_that_is_clearly_of_another_document_costs_only_itself() -> None:
    found = read([row(), {**NEIGHBOUR, "document_number": ""}])

    assert [one.document is not None for one in found] == [True, False]


def test_a_file_that_ends_in_an_error_gives_no_document() -> None:
    found = read(table([row()]) + b'"never', [NEIGHBOUR])

    assert [(one.unreadable, one.document is not None) for one in found] == [(True, False), (False, True)]


def test_a_document_whose_other_half_is_in_a_broken_file_is_left_out() -> None:
    found = read(table([row(), NEIGHBOUR]), table([row(DESK)]) + b'"never')

    assert [one.document.header["document_number"] for one in found if one.document] == ["BLR/200"]
    assert [(each.file, each.row) for one in found for each in one.troubles if not one.unreadable] == [
        ("0.csv", 2), ("1.csv", 2),
    ]  # fmt: skip


# -- any typing error ------------------------------------------------------------------------------------------------

KEY = ("seller_gstin", "document_type", "document_date")


@st.composite
def typed_wrongly(draw: st.DrawFn) -> tuple[int, str, str]:
    """A later row, a column of its key, and what was typed there: a character lost, changed, doubled, or exchanged."""
    column = draw(st.sampled_from(KEY))
    said = HEAD[column]
    at = draw(st.integers(0, len(said) - 1))
    wrong = draw(
        st.sampled_from(
            [
                said[:at] + said[at + 1 :],
                said[:at] + draw(st.sampled_from("0123456789ABCXYZ/- ")) + said[at + 1 :],
                said[:at] + said[at] + said[at:],
                said[:at] + said[at + 1 : at + 2] + said[at] + said[at + 2 :],
                "#N/A",
            ]
        )
    )
    return draw(st.integers(1, 3)), column, wrong


@given(typed_wrongly())
@settings(deadline=None, max_examples=300)
def test_no_typing_error_in_a_later_row_imports_a_part(typed: tuple[int, str, str]) -> None:
    at, column, wrong = typed
    rows = [row(line, quantity=str(n)) for n, line in enumerate((CHAIR, DESK, CHAIR, DESK), 1)]
    rows[at] = {**rows[at], column: wrong}

    assert imported([*rows, NEIGHBOUR]) in ({"BLR/200": 1}, {"BLR/117": 4, "BLR/200": 1})


@given(st.sets(st.integers(1, 5)), st.integers(0, 5))
@settings(deadline=None)
def test_blank_columns_below_lose_no_line(blanks: set[int], others: int) -> None:
    rows: list[Row] = [blank(quantity=str(at + 1)) if at in blanks else row(quantity=str(at + 1)) for at in range(6)]
    rows.insert(others, NEIGHBOUR) if others not in blanks else None

    assert imported(rows)["BLR/117"] == 6
    assert NAMES[0] == "document_type"
