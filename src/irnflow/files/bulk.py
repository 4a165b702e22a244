"""INV-01 JSON in a file, piece by piece: memory is bounded by the largest document, not by the file.

    {...}                    one document
    [{...}, {...}]           NIC's file for bulk generation
    {"Name": [{...}, ...]}   an object around such lists; its other members are passed over

An object is one document when it has a section of INV-01 or no list at all.
"""

import codecs
import re
from collections.abc import Iterator
from itertools import count
from typing import BinaryIO, Final

import msgspec

from irnflow.errors import BadInput
from irnflow.gst.invoice import Invoice

PIECE_BYTES_MAX: Final = 16 * 1024 * 1024  # the portal takes 2 MB; indented JSON is larger
_CHUNK_BYTES: Final = 128 * 1024
_SECTIONS: Final = frozenset(field.encode_name for field in msgspec.structs.fields(Invoice)) | {"Irn"}
_LISTS: Final = frozenset({"itemlist", "addldocdtls"})
_OBJECTS: Final = frozenset(name.lower() for name in _SECTIONS) - _LISTS
_BLANK: Final = re.compile(rb"[ \t\r\n]*")
_STRING: Final = rb'"[^"\\]*+(?:\\.[^"\\]*+)*+"'
_TEXT: Final = re.compile(_STRING, re.DOTALL)
# Up to the next bracket that is not inside a string; no match if the buffer ends before one.
_BRACKET: Final = re.compile(rb'[^"{}\[\]]*+(?:' + _STRING + rb'[^"{}\[\]]*+)*+([{}\[\]])', re.DOTALL)
_SCALAR: Final = re.compile(rb"[^\s,:{}\[\]\"]+")


class Unreadable(BadInput):
    """The file is not JSON from here on. The text says where."""


class Piece(msgspec.Struct, frozen=True, kw_only=True):
    """The JSON of one document, whatever it holds."""

    path: str  # in its file: "", "[3]", "Invoices[3]"
    line: int  # where it begins
    column: int
    json: bytes


def pieces(stream: BinaryIO) -> Iterator[Piece]:
    """The documents of a file, in order. Raises Unreadable at the place where it stops being JSON."""
    text = _Text(stream)
    match text.peek():
        case b"[":
            yield from _elements(text, "")
        case b"{":
            yield from _object(text)
        case b"":
            raise text.unreadable("it is empty")
        case _:
            raise text.unreadable("INV-01 begins with { or [")
    if text.peek():
        raise text.unreadable("more stands here, behind the end of the JSON")


def unreadable(piece: Piece, error: Exception) -> Unreadable:
    """What msgspec says of a piece that is no JSON, with the place in the file."""
    says, at = str(error), 0
    if isinstance(error, UnicodeDecodeError):
        at = _first_outside_utf_8(piece.json)
        says = f"byte {piece.json[at]:#x} is not UTF-8: save the file as UTF-8"
    elif where := re.search(r" ?\(byte (\d+)\)", says):
        at = int(where[1])
        says = says.replace(where[0], "")
    before = piece.json[:at]
    line = piece.line + before.count(b"\n")
    column = len(before) - before.rfind(b"\n") if b"\n" in before else piece.column + len(before)
    return Unreadable(f"line {line}, column {column}: {says}")


def _first_outside_utf_8(text: bytes) -> int:
    try:
        text.decode()
    except UnicodeDecodeError as error:
        return error.start
    return 0


def _elements(text: "_Text", name: str) -> Iterator[Piece]:
    text.take(b"[")
    if text.peek() == b"]":
        text.take(b"]")
        return
    for number in count():
        yield text.piece(f"{name}[{number}]")
        if text.take(b",", b"]") == b"]":
            return


def _object(text: "_Text") -> Iterator[Piece]:
    """One document, or those of the lists in an object around them."""
    text.keep()
    text.take(b"{")
    lists = False
    ended = text.peek() == b"}"
    while not ended:
        name = text.name()
        if _is_section(name, text.peek()):
            if lists:
                raise text.unreadable(f"{name} is a section of an invoice, and stands beside a list of invoices")
            break
        if text.peek() == b"[":
            lists = True
            text.release()
            yield from _elements(text, name)
        else:
            text.value()
        ended = text.take(b",", b"}") == b"}"
    if not lists:
        text.rewind()
        yield text.piece("")


def _is_section(name: str, first: bytes) -> bool:
    """Whether a member, whose value begins so, makes its object an invoice; in other letters it must look like one."""
    if name in _SECTIONS:
        return True
    return name.lower() in _LISTS or (name.lower() in _OBJECTS and first == b"{")


class _Text:
    """The file's characters: what has been read is let go, unless it is to be kept."""

    def __init__(self, stream: BinaryIO) -> None:
        self._stream = stream
        self._buffer = b""
        self._at = 0  # in the buffer
        self._ended = False
        self._kept: int | None = None  # where a rewind goes to
        self._kept_where = (1, 1)
        self._counted = 0  # up to where in the buffer lines are counted
        self._line = 1
        self._line_start = 0  # of the line of `_counted`, in the buffer; negative when it lies before
        self._more()
        if self._buffer.startswith(codecs.BOM_UTF8):
            self._at = len(codecs.BOM_UTF8)
        if self._buffer.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)) or b"\0" in self._buffer[:4]:
            raise self.unreadable("it is written in UTF-16; save it as UTF-8")

    def peek(self) -> bytes:
        """The next character that is no blank; b"" at the end."""
        while True:
            self._at = _BLANK.match(self._buffer, self._at).end()  # type: ignore[union-attr]  # it always matches
            if self._at < len(self._buffer) or self._ended:
                return self._buffer[self._at : self._at + 1]
            self._more()

    def take(self, *wanted: bytes) -> bytes:
        """The next character, which must be one of these."""
        found = self.peek()
        if found not in wanted:
            said = " or ".join(each.decode() for each in wanted)
            raise self.unreadable(f"{said} belongs here, and not {found.decode(errors='replace') or 'the end'}")
        self._at += 1
        return found

    def name(self) -> str:
        """The name of a member, and the colon behind it."""
        if self.peek() != b'"':
            raise self.unreadable("a name in quotes belongs here")
        written = self.value()
        self.take(b":")
        try:
            return msgspec.json.decode(written, type=str)
        except (msgspec.DecodeError, UnicodeDecodeError) as error:
            raise self.unreadable(str(error)) from error

    def piece(self, path: str) -> Piece:
        self.peek()
        line, column = self._where()
        return Piece(path=path, line=line, column=column, json=self.value())

    def value(self) -> bytes:
        """The next value, as it is written."""
        match self.peek():
            case b"":
                raise self.unreadable("the file ends here, in the middle of its JSON")
            case b"{" | b"[":
                end = self._end_of_brackets()
            case b'"':
                end = self._end_of_string()
            case _:
                end = self._end_of_scalar()
        start, self._at = self._at, end
        return self._buffer[start:end]

    def keep(self) -> None:
        """Let go of nothing from here on."""
        self.peek()
        line, column = self._where()
        self._kept, self._kept_where = self._at, (line, column)

    def rewind(self) -> None:
        """Go back to what is kept."""
        assert self._kept is not None
        line, column = self._kept_where
        self._at = self._counted = self._kept
        self._line, self._line_start = line, self._kept - column + 1
        self._kept = None

    def release(self) -> None:
        self._kept = None

    def unreadable(self, says: str) -> Unreadable:
        line, column = self._where()
        return Unreadable(f"line {line}, column {column}: {says}")

    def _end_of_brackets(self) -> int:
        """Behind the bracket that closes the one at hand."""
        depth, scanned = 0, self._at
        while True:
            while found := _BRACKET.match(self._buffer, scanned):
                scanned = found.end()
                depth += 1 if found[1] in b"{[" else -1
                if depth == 0:
                    return scanned
            scanned -= self._more_for_value()

    def _end_of_string(self) -> int:
        while (found := _TEXT.match(self._buffer, self._at)) is None:
            self._more_for_value()
        return found.end()

    def _end_of_scalar(self) -> int:
        while True:
            found = _SCALAR.match(self._buffer, self._at)
            if found is None:
                raise self.unreadable("a value belongs here")
            if found.end() < len(self._buffer) or self._ended:
                return found.end()
            self._more_for_value()

    def _more_for_value(self) -> int:
        """Read on for the value at hand; gives by how much its places in the buffer have moved down."""
        if self._ended:
            raise self.unreadable("this is never closed")
        return self._more()

    def _more(self) -> int:
        """Read a chunk, and let go of what is behind us; gives how much that was."""
        gone = self._at if self._kept is None else min(self._kept, self._at)
        kept = len(self._buffer) - gone
        if kept > PIECE_BYTES_MAX:
            raise self.unreadable(f"this document has more than {PIECE_BYTES_MAX >> 20} MiB")
        self._count(gone)
        # A long value doubles what is read, so that it is copied a few times only.
        chunk = self._stream.read(min(max(_CHUNK_BYTES, kept), PIECE_BYTES_MAX + 1 - kept))
        self._ended = not chunk
        self._buffer = self._buffer[gone:] + chunk
        self._at -= gone
        self._counted -= gone
        self._line_start -= gone
        if self._kept is not None:
            self._kept -= gone
        return gone

    def _where(self) -> tuple[int, int]:
        self._count(self._at)
        return self._line, self._at - self._line_start + 1

    def _count(self, to: int) -> None:
        if to <= self._counted:
            return
        lines = self._buffer.count(b"\n", self._counted, to)
        if lines:
            self._line += lines
            self._line_start = self._buffer.rfind(b"\n", self._counted, to) + 1
        self._counted = to
