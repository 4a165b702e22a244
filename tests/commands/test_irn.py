"""`irnflow irn`: published IRNs, how they come about, and what is no document's name."""

import json
from hashlib import sha256
from pathlib import Path

import pytest

from tests.commands.running import process, run

VECTORS = json.loads((Path(__file__).parents[1] / "gst/irn_vectors.json").read_text(encoding="utf-8"))["vectors"]
GSTIN = "29AAFCC9980M1ZR"


@pytest.mark.parametrize("vector", VECTORS, ids=[vector["doc_no"] for vector in VECTORS])
def test_published_irns_are_printed(vector: dict[str, str]) -> None:
    words = (vector["supplier_gstin"], vector["financial_year"], vector["doc_type"], vector["doc_no"])

    assert vector["irn"] in run("irn", *words).out
    assert json.loads(run("irn", *words, "--json").out)["irn"] == vector["irn"]


def test_it_shows_how_it_comes_about_plainly_when_piped() -> None:
    assert process("irn", GSTIN, "2019-20", "INV", "2019-20/KA/1").out == (
        "supplier GSTIN  29AAFCC9980M1ZR\n"
        "financial year  2019-20          April to March, of the document's date\n"
        "type            INV              invoice\n"
        "number          2019-20/KA/1     as given: upper case counts from financial year 2025-26 on\n"
        "\n"
        "SHA-256 of      29AAFCC9980M1ZR2019-20INV2019-20/KA/1\n"
        "IRN             23f498ee41441ecad30f72ba5b9907506c3df70a17b0e0dff46b76a786400662\n"
    )


def test_a_number_is_hashed_in_upper_case_from_2025_26_on() -> None:
    shown = run("irn", GSTIN, "2025-26", "CRN", "blr/1a").out

    assert "BLR/1A           blr/1a in upper case, as the portals do from financial year 2025-26 on" in shown
    assert "29AAFCC9980M1ZR2025-26CRNBLR/1A\n" in shown


def test_a_number_with_small_letters_has_another_irn_until_may_2025() -> None:
    as_given = sha256(f"{GSTIN}2025-26CRNblr/1a".encode()).hexdigest()

    assert as_given in run("irn", GSTIN, "2025-26", "CRN", "blr/1a").out
    assert "until May 2025" not in run("irn", GSTIN, "2025-26", "CRN", "BLR/1A").out
    assert "until May 2025" not in run("irn", GSTIN, "2026-27", "CRN", "blr/1a").out


def test_programs_get_the_parts_and_the_text_that_is_hashed() -> None:
    whole = json.loads(run("irn", GSTIN, "2025-26", "inv", "blr/1a", "--json").out)

    assert whole == {
        "irn": whole["irn"],
        "gstin": GSTIN,
        "financial_year": "2025-26",
        "doc_typ": "INV",
        "number": "blr/1a",
        "hashed": "29AAFCC9980M1ZR2025-26INVBLR/1A",
        "upper_cased": True,
    }


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (("29AAFCC9980M1ZX", "2025-26", "INV", "1"), "after 29AAFCC9980M1Z comes R, not X"),
        (("29AAFCC9980M1Z", "2025-26", "INV", "1"), "is no GSTIN: it has 15 characters"),
        (("SAL/1001", "2025-26", "INV", "1"), "that of a voucher id is found in its batch"),
        ((GSTIN, "2025", "INV", "1"), "is no financial year: April to March, written 2026-27"),
        ((GSTIN, "2025-27", "INV", "1"), "2025 is followed by 26"),
        ((GSTIN, "2025-26", "BOS", "1"), "'BOS' is no type of document: INV (invoice)"),
        ((GSTIN, "2025-26", "INV", "0/1"), "the first is neither 0, / nor -"),
        ((GSTIN, "2025-26", "INV", "1" * 17), "1 to 16 letters, digits, / and -"),
    ],
)
def test_what_names_no_document_is_told(words: tuple[str, ...], says: str) -> None:
    ran = run("irn", *words)

    assert ran.code == 2
    assert says in ran.err
