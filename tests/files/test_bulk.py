"""INV-01 JSON is read piece by piece, however its bytes arrive, and said to be unreadable at the right place."""

import io

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from irnflow.files import bulk
from irnflow.files.bulk import Unreadable


class InParts(io.BytesIO):
    """A stream that gives a few bytes at a time, the first four at once."""

    def __init__(self, whole: bytes, part: int) -> None:
        super().__init__(whole)
        self.part = part

    def read(self, most: int | None = -1) -> bytes:
        return super().read(self.part if self.tell() else 4)


def pieces(text: bytes, part: int = 1 << 20) -> list[tuple[str, int, int, bytes]]:
    return [(piece.path, piece.line, piece.column, piece.json) for piece in bulk.pieces(InParts(text, part))]


SHAPES = {
    "one document": (b' {"DocDtls": {"No": "1"}}\n', [("", 1, 2, b'{"DocDtls": {"No": "1"}}')]),
    "an empty object": (b"{}", [("", 1, 1, b"{}")]),
    "a section behind other members": (b'{"v":1,\n"TranDtls":{}}', [("", 1, 1, b'{"v":1,\n"TranDtls":{}}')]),
    "a list": (b'[{"a":1},\n {"b":"]"}]', [("[0]", 1, 2, b'{"a":1}'), ("[1]", 2, 2, b'{"b":"]"}')]),
    "an empty list": (b"[ ]", []),
    "quotes and backslashes": (rb'[{"a":"\"}\\"},2]', [("[0]", 1, 2, rb'{"a":"\"}\\"}'), ("[1]", 1, 16, b"2")]),
    "lists in an object": (
        b'{"version":"1.0", "Notes":[{}],\n"Invoices":[{"x":[]},{"y":{}}]}',
        [("Notes[0]", 1, 28, b"{}"), ("Invoices[0]", 2, 13, b'{"x":[]}'), ("Invoices[1]", 2, 22, b'{"y":{}}')],
    ),
    "one document in other letters": (
        b'{"version":"1.1","addlDocDtls":[],"itemlist":[{}]}',
        [("", 1, 1, b'{"version":"1.1","addlDocDtls":[],"itemlist":[{}]}')],
    ),
    "a byte order mark": (b"\xef\xbb\xbf[{}]", [("[0]", 1, 5, b"{}")]),
}


@pytest.mark.parametrize("part", [1, 3, 1 << 20])
@pytest.mark.parametrize(("text", "expected"), SHAPES.values(), ids=SHAPES)
def test_each_shape_gives_its_documents(text: bytes, expected: list[tuple[str, int, int, bytes]], part: int) -> None:
    assert pieces(text, part) == expected


UNREADABLE = {
    b"": "line 1, column 1: it is empty",
    b"hello": "line 1, column 1: INV-01 begins with { or [",
    b'[{},\n {"a":1} {}]': "line 2, column 10: , or ] belongs here, and not {",
    b"[{}]\nx": "line 2, column 1: more stands here, behind the end of the JSON",
    b'[{"a": "never': "line 1, column 2: this is never closed",
    b"[{},": "line 1, column 5: the file ends here, in the middle of its JSON",
    b"[,]": "line 1, column 2: a value belongs here",
    b"{1:2}": "line 1, column 2: a name in quotes belongs here",
    b'{"L":[{}],"DocDtls":{}}': "DocDtls is a section of an invoice, and stands beside a list of invoices",
    '[{"a":1}]'.encode("utf-16"): "it is written in UTF-16; save it as UTF-8",
}


@pytest.mark.parametrize(("text", "says"), UNREADABLE.items())
@pytest.mark.parametrize("part", [1, 1 << 20])
def test_what_is_no_json_is_told_with_its_place(text: bytes, says: str, part: int) -> None:
    with pytest.raises(Unreadable) as raised:
        pieces(text, part)

    assert says in str(raised.value)


def test_documents_before_the_trouble_are_given() -> None:
    found = bulk.pieces(io.BytesIO(b'[{"a":1},{"b":2} oh]'))

    assert [next(found).path, next(found).path] == ["[0]", "[1]"]


def test_a_document_larger_than_any_invoice_is_not_kept_in_memory() -> None:
    endless = io.BytesIO(b'[{"a":"' + b"x" * (bulk.PIECE_BYTES_MAX + (2 << 20)) + b'"}]')

    with pytest.raises(Unreadable, match="this document has more than 16 MiB"):
        list(bulk.pieces(endless))


@given(st.lists(st.text()), st.integers(1, 9))
def test_any_text_survives_in_any_parts(texts: list[str], part: int) -> None:
    written = msgspec.json.encode([{"a": text} for text in texts])

    assert b"[" + b",".join(json for *_, json in pieces(written, part)) + b"]" == written
