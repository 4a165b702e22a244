"""The golden invoices are sound, complete, and what their index says."""

import re
from collections.abc import Iterator
from datetime import date
from typing import Any

import msgspec
import pytest

from irnflow.books import sample
from irnflow.books.rows import Voucher
from irnflow.gst import fields, gstin, inv01
from irnflow.gst.examine import examine
from irnflow.gst.facts import Facts
from tests.books.examples import opened
from tests.golden import FOLDER, GOLDEN, Document, Golden, a_thousand_lines, facts_of, taxpayers

LOADED = date(2026, 11, 22)  # the day on which the vouchers among them were read from the sample books

each = pytest.mark.parametrize("golden", GOLDEN, ids=lambda golden: golden.name)
from_the_books = pytest.mark.parametrize(
    "golden", [golden for golden in GOLDEN if golden.voucher_id], ids=lambda golden: golden.voucher_id
)


@pytest.fixture(scope="module")
def books(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Voucher]:
    url = f"sqlite:///{tmp_path_factory.mktemp('books')}/books.db"
    sample.load(url, LOADED)
    with opened(url) as books, books.reading() as open_books:
        return open_books.read(sample.IDS)


@each
def test_it_is_accepted_without_a_remark_and_sent_as_it_stands(golden: Golden) -> None:
    examined = examine(inv01.decode(golden.read()), golden.facts)

    assert (examined.refusals, examined.warnings) == ([], [])
    assert msgspec.json.format(examined.payload, indent=2) + b"\n" == golden.read()


@each
def test_it_is_of_the_supply_and_kind_that_the_index_tells(golden: Golden) -> None:
    document = golden.document

    assert (document["TranDtls"]["SupTyp"], document["DocDtls"]["Typ"]) == (golden.supply, golden.kind)


@from_the_books
def test_it_is_what_becomes_of_its_voucher_of_the_sample_books(golden: Golden, books: dict[str, Voucher]) -> None:
    invoice = books[golden.voucher_id].invoice
    assert invoice is not None

    examined = examine(invoice, Facts(day=LOADED, turnover_crore=sample.TURNOVER_CRORE))

    assert examined.payload == msgspec.json.format(golden.read(), indent=-1)


def test_every_file_is_in_the_index_and_the_other_way_round() -> None:
    files = {file.stem for file in FOLDER.glob("*.json")} - {"taxpayers"}

    assert {golden.name for golden in GOLDEN} == files


def test_every_supply_comes_as_invoice_credit_note_and_debit_note() -> None:
    supplies = ("B2B", "SEZWP", "SEZWOP", "EXPWP", "EXPWOP", "DEXP")

    kinds = {(golden.supply, golden.kind) for golden in GOLDEN}

    assert kinds == {(supply, kind) for supply in supplies for kind in ("INV", "CRN", "DBN")}


def test_every_field_of_inv01_stands_in_one_of_them() -> None:
    shown = {path for golden in GOLDEN for path in paths(golden.document)}

    assert set(fields.table()) - shown == {"Irn"}  # which must not be sent


def test_no_two_are_the_same_document_to_the_portal() -> None:
    numbers = [(golden.document["SellerDtls"]["Gstin"], golden.kind, golden.document["DocDtls"]["No"])
               for golden in GOLDEN]  # fmt: skip

    assert len(set(numbers)) == len(numbers)


def test_the_list_of_taxpayers_holds_everybody_in_them_and_nobody_else() -> None:
    named = {
        found for golden in GOLDEN for found in re.findall(rb'"(?:Gstin|EcmGstin|TransId)": "(\w{15})"', golden.read())
    }

    assert {number.encode() for number in taxpayers()} == named


def test_everybody_in_them_has_a_sound_gstin_with_a_pan_that_nobody_has() -> None:
    assert [number for number in taxpayers() if not gstin.is_sound(number)] == []
    assert [number for number in taxpayers() if "ZZ" not in number[2:7]] == []


def test_one_of_a_thousand_lines_is_accepted_too() -> None:
    document = a_thousand_lines()

    examined = examine(msgspec.convert(document, inv01.Invoice), facts_of(document))

    assert (examined.refusals, examined.warnings) == ([], [])
    assert len(examined.payload) < inv01.BYTES_MAX


def paths(section: Document, prefix: str = "") -> Iterator[str]:
    """Every path that is filled in, as INV-01's table writes it."""
    for name, value in section.items():
        yield prefix + name
        members: Any = value if isinstance(value, list) else [value]
        brackets = "[]" if isinstance(value, list) else ""
        for member in members:
            if isinstance(member, dict):
                yield from paths(member, f"{prefix}{name}{brackets}.")
