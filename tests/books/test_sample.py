"""The sample company's books are as sound as they claim, apart from what is wrong on purpose."""

import re
from collections import Counter
from datetime import date, datetime, timedelta
from decimal import Decimal
from importlib.resources import files

import pytest

from irnflow.books import sample
from irnflow.books.rows import Voucher
from irnflow.books.sample.company import PARTIES, PRODUCTS
from irnflow.gst import hsn
from irnflow.gst.invoice import Invoice
from irnflow.messages import State
from tests.books.examples import TODAY, opened, run

ALPHABET = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"
SOUND = [voucher_id for voucher_id, state in sample.expected().items() if state is State.REGISTERED]


@pytest.fixture(scope="module")
def books(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Voucher]:
    url = f"sqlite:///{tmp_path_factory.mktemp('books')}/books.db"
    sample.load(url, TODAY)
    with opened(url) as books, books.reading() as open_books:
        return open_books.read(sample.IDS)


def invoice(books: dict[str, Voucher], voucher_id: str) -> Invoice:
    found = books[voucher_id].invoice
    assert found is not None
    return found


def check_character(first14: str) -> str:
    """GSTIN's check character: Luhn mod 36, weights 1, 2 from the left (python-stdnum, in_/gstin)."""
    products = [ALPHABET.index(c) * (1 + n % 2) for n, c in enumerate(first14)]
    return ALPHABET[-sum(p // 36 + p % 36 for p in products) % 36]


def test_the_check_character_is_that_of_a_known_gstin() -> None:
    assert check_character("27AAPFU0939F1Z") == "V"


def test_every_id_has_an_expectation_and_the_company_is_of_a_size() -> None:
    assert set(sample.IDS) == set(sample.expected())
    assert Counter(sample.expected().values()) == {
        State.REGISTERED: 32,
        State.VALIDATION_FAILED: 6,
        State.DATA_FETCH_FAILED: 3,
    }


def test_every_kind_of_supply_and_document_is_there(books: dict[str, Voucher]) -> None:
    kinds = {(invoice(books, i).tran_dtls.sup_typ, invoice(books, i).doc_dtls.typ) for i in SOUND}  # type: ignore[union-attr]

    assert kinds == {
        ("B2B", "INV"), ("B2B", "CRN"), ("B2B", "DBN"), ("SEZWP", "INV"), ("SEZWOP", "INV"), ("EXPWP", "INV"),
        ("EXPWOP", "INV"), ("DEXP", "INV"),
    }  # fmt: skip
    assert max(len(invoice(books, i).item_list) for i in SOUND) == 40


def test_gstins_have_right_check_characters_apart_from_the_miskeyed_one() -> None:
    wrong = [p.party_id for p in PARTIES if p.gstin != "URP" and check_character(p.gstin[:14]) != p.gstin[14]]

    assert wrong == ["miskeyed"]


def codes(file: str) -> list[str]:
    return (files("irnflow.gst.codes") / file).read_text().splitlines()


def test_hsn_codes_and_units_exist() -> None:
    units = {line.split(",")[0] for line in codes("units.csv")}

    assert [p.hsn for p in PRODUCTS.values() if not hsn.is_listed(p.hsn) or p.hsn in hsn.dropped_on(date.max)] == []
    assert [p.unit for p in PRODUCTS.values() if p.unit and p.unit not in units] == []
    assert [p.hsn for p in PRODUCTS.values() if p.is_service != p.hsn.startswith("99")] == []


def test_pins_lie_in_their_states() -> None:
    states = {
        prefix: set(found.split()) for prefix, found in (line.split(",")[:2] for line in codes("pin_prefixes.csv"))
    }
    apart = {"typed_badly"}

    astray = [p.party_id for p in PARTIES if p.state != "96" and p.state not in states[p.pin[:3]]]

    assert [party for party in astray if party not in apart] == []


def test_gstins_begin_with_their_state() -> None:
    assert [p.party_id for p in PARTIES if p.gstin != "URP" and p.gstin[:2] != p.state] == []


@pytest.mark.parametrize("voucher_id", SOUND)
def test_a_sound_vouchers_amounts_agree(books: dict[str, Voucher], voucher_id: str) -> None:
    found = invoice(books, voucher_id)
    lines, totals = found.item_list, found.val_dtls
    assert totals is not None

    sums = [sum(getattr(line, name) for line in lines) for name in ("ass_amt", "igst_amt", "cgst_amt", "sgst_amt")]

    assert sums == [totals.ass_val, totals.igst_val, totals.cgst_val, totals.sgst_val]
    assert sum(line.tot_item_val for line in lines) + totals.oth_chrg + totals.rnd_off_amt == totals.tot_inv_val  # type: ignore[misc,operator]
    assert all(abs(line.qty * line.unit_price - line.tot_amt) <= Decimal("0.005") for line in lines)  # type: ignore[operator]


@pytest.mark.parametrize("voucher_id", SOUND)
def test_a_sound_voucher_is_dated_within_thirty_days_and_not_ahead(books: dict[str, Voucher], voucher_id: str) -> None:
    written = invoice(books, voucher_id).doc_dtls.dt  # type: ignore[union-attr]

    dated = datetime.strptime(str(written), "%d/%m/%Y").date()  # noqa: DTZ007

    assert TODAY - timedelta(days=29) <= dated <= TODAY


def test_document_numbers_fit_and_differ(books: dict[str, Voucher]) -> None:
    numbers = [voucher.invoice.doc_dtls.no for voucher in books.values() if voucher.invoice]  # type: ignore[union-attr]

    assert len(set(numbers)) == len(numbers)
    assert [no for no in numbers if not re.fullmatch(r"[a-zA-Z1-9][a-zA-Z0-9/-]{0,15}", str(no))] == []


def test_a_note_names_the_number_and_date_of_what_it_corrects(books: dict[str, Voucher]) -> None:
    corrected = invoice(books, "SAL/1002").doc_dtls

    (preceding,) = invoice(books, "CRN/2001").ref_dtls.prec_doc_dtls  # type: ignore[union-attr,misc]

    assert corrected is not None
    assert (preceding.inv_no, preceding.inv_dt) == (corrected.no, corrected.dt)


def test_only_the_voucher_with_a_badly_typed_pin_cannot_be_read(books: dict[str, Voucher]) -> None:
    unreadable = {voucher_id: voucher.unreadable for voucher_id, voucher in books.items() if voucher.unreadable}

    assert unreadable == {"SAL/1057": ("column buyer_pin: '4110O1' is not a number",)}
    assert set(sample.IDS) - set(books) == {"SAL/9999"}


def test_loading_again_on_another_day_changes_nothing(books_url: str) -> None:
    sample.load(books_url, TODAY)
    before = everything(books_url)

    sample.load(books_url, date(2027, 5, 1))

    assert everything(books_url) == before


def everything(url: str) -> list[list[dict[str, object]]]:
    return [run(url, f"select * from books.{table} order by 1, 2") for table in ("party", "voucher", "line")]  # noqa: S608


def test_synthetic_vouchers_are_copies_with_five_lines_and_numbers_of_their_own(sample_url: str) -> None:
    ids = sample.synthetic(sample_url, 3, first=7)

    with opened(sample_url) as books, books.reading() as open_books:
        found = open_books.read(ids)

    assert ids == ["SYN-7", "SYN-8", "SYN-9"]
    assert [voucher.invoice.doc_dtls.no for voucher in found.values()] == ["SYN/7", "SYN/8", "SYN/9"]  # type: ignore[union-attr]
    assert [len(voucher.invoice.item_list) for voucher in found.values()] == [5, 5, 5]  # type: ignore[union-attr]
