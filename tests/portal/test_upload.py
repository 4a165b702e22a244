"""A signed document that a person brings is found in whatever holds it."""

import json
from typing import Any

import pytest

from irnflow.errors import BadInput
from irnflow.portal.upload import Texts, read_texts
from tests.portal.test_signature import signed

INVOICE, QR, OTHER = signed({"Irn": "ab"}), signed({"Irn": "ab", "ItemCnt": 1}), signed({"Irn": "cd"})


def wrapped(text: str) -> str:
    return "\r\n".join(text[at : at + 76] for at in range(0, len(text), 76))


@pytest.mark.parametrize(
    ("content", "found"),
    [
        (INVOICE, Texts(INVOICE, None)),
        (wrapped(INVOICE), Texts(INVOICE, None)),
        (f"\ufeff{INVOICE.replace('.', '. ', 1)}", Texts(INVOICE, None)),
        (json.dumps(wrapped(INVOICE)), Texts(INVOICE, None)),
        ({"SignedInvoice": wrapped(INVOICE), "SignedQRCode": wrapped(QR)}, Texts(INVOICE, QR)),
        ([{"signedinvoice": wrapped(OTHER)}, {"signedinvoice": wrapped(INVOICE)}], Texts(INVOICE, None)),
        ([wrapped(OTHER), wrapped(INVOICE)], Texts(INVOICE, None)),
    ],
    ids=["alone", "wrapped", "with a blank", "as JSON", "in an answer", "of two answers", "of two texts"],
)
def test_the_signed_texts_are_found_without_white_space(content: Any, found: Texts) -> None:
    text = content if isinstance(content, str) else json.dumps(content)

    assert read_texts(text.encode(), "ab") == found


@pytest.mark.parametrize("content", [b"", b"no JSON", b"{}", b'{"SignedInvoice": 1}', b"\xff"])
def test_a_file_without_a_signed_invoice_is_refused(content: bytes) -> None:
    with pytest.raises(BadInput, match=r"signed document is neither|no SignedInvoice"):
        read_texts(content, "ab")
