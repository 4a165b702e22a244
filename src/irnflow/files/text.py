"""CSV as programs write it: rows of texts, each with the line that it begins on.

UTF-8, with or without a byte order mark, or UTF-16 with one; divided by commas, semicolons, tabs or bars; a line
`sep=;` and blank lines before the names of the columns; every cell in quotes, or those that need them.
"""

import codecs
import csv
import re
from collections.abc import Callable, Iterator, Sequence
from itertools import chain, islice
from typing import BinaryIO, Final, Self

from irnflow.errors import BadInput

FIRST_ROWS: Final = 20  # in which the names of the columns stand, below titles
LINE_BYTES_MAX: Final = 1024 * 1024
_DELIMITERS: Final = ",;\t|"
_SAID: Final = re.compile(r'"?sep=(.)"?\s*', re.IGNORECASE)  # Excel's own line
_FIRST_BYTES: Final = 64 * 1024
_END: Final = re.compile(r"(?<=\n)|(?<=\r)(?=[^\r\n])")
_END_OF_DOS: Final = "\x1a"  # behind the last line
_QUOTES: Final = "write each mark inside a text twice, or save the table as CSV UTF-8 again"
_UTF16: Final = {b"\xff\xfe": "utf-16-le", b"\xfe\xff": "utf-16-be"}


def rows(stream: BinaryIO, header: Callable[[Sequence[Sequence[str]]], tuple[int, int]]
         ) -> Iterator[tuple[int, list[str]]]:  # fmt: skip
    """The rows of a file, from the one that names the columns. `header` gives how many columns it names, and its place
    among the first rows: by it the delimiter is found.

    Raises BadInput for what can't be read, with its line.
    """
    lines = _Lines(stream)
    begins, said = 1, ""
    top: list[str] = []
    for line in islice(lines, FIRST_ROWS):
        if found := _SAID.fullmatch(line.strip("\r\n")):
            said = found[1]
        elif top or line.strip(" \r\n" + _DELIMITERS + '"'):
            top.append(line)
            continue
        begins += 1
    of_each = {each: header([_cells(line, each) for line in top]) for each in said or _DELIMITERS}
    delimiter = max(of_each, key=of_each.__getitem__)
    at = of_each[delimiter][1]
    begins += at
    reader = csv.reader(chain(top[at:], lines), delimiter=delimiter, strict=True)
    before = begins - 1
    width, is_even = 0, True  # whether no row so far is shorter than the first
    try:
        for row in reader:
            ended = before + reader.line_num
            if row:
                width = width or len(row)
                if ended > begins and any(_holds_rows(cell, delimiter, width) for cell in row):
                    raise BadInput(f"lines {begins} to {ended} are one row, with rows inside a text: {_QUOTES}")
                if len(row) < width:
                    if is_even and lines.cut_at == ended and any(row):
                        raise BadInput(f"line {begins}: the file ends in the middle of this row: make it anew")
                    is_even = False
                yield begins, row
            begins = ended + 1
    except csv.Error as error:
        raise BadInput(f"line {begins}: a quotation mark has no end, or stands inside a text: {_QUOTES}") from error


def _holds_rows(cell: str, delimiter: str, width: int) -> bool:
    """Whether a mark without an end has made one text of the rest of a row and what is below it."""
    return "\n" in cell and cell.count(delimiter) >= max(width // 2, 2)


def _cells(line: str, delimiter: str) -> list[str]:
    try:
        return next(csv.reader((line,), delimiter=delimiter), [])
    except csv.Error:
        return []


class _Lines:
    """The lines of a file."""

    def __init__(self, stream: BinaryIO) -> None:
        self.cut_at = 0  # the number of the last line, if it has no end
        self._number = 0
        self._lines = _lines(stream)

    def __iter__(self) -> Self:
        return self

    def __next__(self) -> str:
        line = next(self._lines)
        if line.endswith(_END_OF_DOS) and not (line := line.rstrip(_END_OF_DOS)):
            raise StopIteration
        self._number += 1
        if not line.endswith("\n"):
            self.cut_at = self._number
        return line


def _lines(stream: BinaryIO) -> Iterator[str]:
    first = stream.read(_FIRST_BYTES)
    stream.seek(0)
    if encoding := _UTF16.get(first[:2]):
        yield from _split(stream, encoding, 2)
        return
    if b"\r" in first and b"\n" not in first:  # as Excel writes CSV (Macintosh)
        yield from _split(stream, "utf-8-sig", 0)
        return
    number = 0
    while line := stream.readline(LINE_BYTES_MAX + 1):
        number += 1
        if len(line) > LINE_BYTES_MAX:
            raise _too_long(number)
        try:
            yield line.decode("utf-8-sig" if number == 1 else "utf-8")
        except UnicodeDecodeError as error:
            byte = line[error.start : error.start + 1]
            raise BadInput(
                f"line {number}: byte {byte[0]:#x} is not UTF-8; its encoding is another (in Windows-1252 this is "
                f"{byte.decode('cp1252', 'replace')}): save it as CSV UTF-8, as Excel calls it"
            ) from error


def _split(stream: BinaryIO, encoding: str, begin: int) -> Iterator[str]:
    """Lines of UTF-16, and those of which each ends with a carriage return alone."""
    stream.seek(begin)
    number, rest = 0, ""
    decoder = codecs.getincrementaldecoder(encoding)()
    try:
        while chunk := stream.read(LINE_BYTES_MAX):
            *whole, rest = _END.split(rest + decoder.decode(chunk))
            for line in whole:
                number += 1
                yield line.replace("\r", "\n") if line.endswith("\r") else line
            if len(rest) > LINE_BYTES_MAX:
                raise _too_long(number + 1)
        rest += decoder.decode(b"", final=True)
    except UnicodeDecodeError as error:
        says = "it begins as UTF-16, and this is not" if begin else "this is not UTF-8"
        raise BadInput(f"line {number + 1}: {says}: save it as CSV UTF-8") from error
    if rest:
        yield rest


def _too_long(number: int) -> BadInput:
    return BadInput(f"line {number} has more than {LINE_BYTES_MAX >> 20} MiB: it is not CSV")
