"""The QR code's ten fields, each against the document."""

import json
from typing import Any

import pytest

from irnflow.portal.signature import BadSignature, contradictions

DOCUMENT = {
    "AckNo": 112610000000001, "AckDt": "2026-11-22 12:00:17", "Irn": "a" * 64,
    "SellerDtls": {"Gstin": "29AAFCC9980M1ZR"}, "BuyerDtls": {"Gstin": "29AWGPV7107B1Z1"},
    "DocDtls": {"Typ": "INV", "No": "BLR/1", "Dt": "22/11/2026"},
    "ItemList": [{"HsnCd": "1006", "AssAmt": 10}, {"HsnCd": "850440", "AssAmt": 90}],
    "ValDtls": {"TotInvVal": 118.00},
}  # fmt: skip
QR = {
    "SellerGstin": "29AAFCC9980M1ZR", "BuyerGstin": "29AWGPV7107B1Z1", "DocNo": "BLR/1", "DocTyp": "INV",
    "DocDt": "22/11/2026", "TotInvVal": 118, "ItemCnt": 2, "MainHsnCode": "850440", "Irn": "a" * 64,
    "IrnDt": "2026-11-22 12:00:17",
}  # fmt: skip


def wrong(document: dict[str, Any] = DOCUMENT, **changes: Any) -> list[tuple[str, str, str]]:
    return [tuple(each) for each in contradictions(json.dumps(document).encode(), json.dumps(QR | changes).encode())]


@pytest.mark.parametrize(
    "changes",
    [{}, {"TotInvVal": 118.000}, {"DocNo": "blr/1"}, {"MainHsnCode": "1006"}, {"IrnDt": "2026-11-22 12:00:00"}],
    ids=["the same", "written otherwise", "in lower case", "of another line", "cut to the minute"],
)
def test_what_says_the_same_is_no_contradiction(changes: dict[str, Any]) -> None:
    assert wrong(**changes) == []


@pytest.mark.parametrize(
    ("field", "theirs", "ours"),
    [
        ("SellerGstin", "27AAFCC9980M1ZV", "29AAFCC9980M1ZR"),
        ("BuyerGstin", "URP", "29AWGPV7107B1Z1"),
        ("DocNo", "BLR/2", "BLR/1"),
        ("DocTyp", "CRN", "INV"),
        ("DocDt", "21/11/2026", "22/11/2026"),
        ("TotInvVal", 118.01, "118.0"),
        ("ItemCnt", 1, "2"),
        ("MainHsnCode", "9999", "1006 or 850440"),
        ("Irn", "b" * 64, "a" * 64),
        ("IrnDt", "2026-11-22 12:02:00", "2026-11-22 12:00:17"),
    ],
)
def test_each_field_that_says_something_else_is_named_with_both(field: str, theirs: Any, ours: str) -> None:
    assert wrong(**{field: theirs}) == [(field, ours, str(theirs))]


def test_names_in_any_case_and_numbers_in_quotes_are_no_contradiction() -> None:
    sent = {
        "sellerdtls": {"GSTIN": "29AAFCC9980M1ZR"}, "BUYERDTLS": {"gstin": "29AWGPV7107B1Z1"},
        "docDtls": {"TYP": "INV", "NO": "BLR/1", "DT": "22/11/2026"},
        "itemList": [{"hsncd": 1006}, {"HSNCD": "850440"}, {"HsnCd": None}],
        "VALDTLS": {"totInvVal": "118.00"},
    }  # fmt: skip

    assert wrong(sent, MainHsnCode="1006") == []


@pytest.mark.parametrize("part", [None, "text", [], [None], 1])
def test_sections_of_another_shape_are_contradictions(part: Any) -> None:
    sent = {"SellerDtls": part, "BuyerDtls": part, "DocDtls": part, "ItemList": part, "ValDtls": part}

    assert "SellerGstin" in [each[0] for each in wrong(sent)]


def test_what_was_sent_has_neither_irn_nor_time() -> None:
    sent = {name: value for name, value in DOCUMENT.items() if name not in ("AckNo", "AckDt", "Irn")}

    assert wrong(sent, Irn="c" * 64, IrnDt="2020-01-01 00:00:00") == []


@pytest.mark.parametrize("data", [b"", b"[]", b"{}", b'{"SellerGstin":"29AAFCC9980M1ZR"}'])
def test_what_is_no_qr_code_of_the_portal_is_told_so(data: bytes) -> None:
    with pytest.raises(BadSignature, match="QR code"):
        contradictions(json.dumps(DOCUMENT).encode(), data)
