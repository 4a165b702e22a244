"""CSV as programs write it: rows of texts, each with the line that it begins on.

UTF-8, with or without a byte order mark, or UTF-16 with one; divided by commas, semicolons, tabs or bars; a line
`sep=;` and blank lines before the names of the columns; every cell in quotes, or those that need them.
"""

import codecs
import csv
import re
from collections.abc import Callable, Iterator, Sequence
from itertools import chain
from typing import BinaryIO, Final

from irnflow.errors import BadInput

LINE_BYTES_MAX: Final = 1024 * 1024
_DELIMITERS: Final = ",;\t|"
_SAID: Final = re.compile(r'"?sep=(.)"?\s*', re.IGNORECASE)  # Excel's own line
_UTF16: Final = {b"\xff\xfe": "utf-16-le", b"\xfe\xff": "utf-16-be"}


def rows(stream: BinaryIO, known: Callable[[Sequence[str]], int]) -> Iterator[tuple[int, list[str]]]:
    """The rows of a file. `known` counts the columns that a row names: by it the delimiter is found.

    Raises BadInput for what can't be read, with its line.
    """
    lines = _lines(stream)
    begins, first, said = 1, "", ""
    for first in lines:
        if found := _SAID.fullmatch(first.strip("\r\n")):
            said = found[1]
        elif first.strip(" \r\n" + _DELIMITERS + '"'):
            break
        begins += 1
    delimiter = said or max(_DELIMITERS, key=lambda each: known(_cells(first, each)))
    reader = csv.reader(chain((first,), lines), delimiter=delimiter, strict=True)
    before = begins - 1
    try:
        for row in reader:
            if row:
                yield begins, row
            begins = before + reader.line_num + 1
    except csv.Error as error:
        raise BadInput(f"line {before + reader.line_num}: {error}") from error


def _cells(line: str, delimiter: str) -> list[str]:
    return next(csv.reader((line,), delimiter=delimiter), [])


def _lines(stream: BinaryIO) -> Iterator[str]:
    first = stream.read(3)
    stream.seek(0)
    if encoding := _UTF16.get(first[:2]):
        yield from _lines_of_utf_16(stream, encoding)
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


def _lines_of_utf_16(stream: BinaryIO, encoding: str) -> Iterator[str]:
    stream.seek(2)
    number, rest = 0, ""
    decoder = codecs.getincrementaldecoder(encoding)()
    try:
        while chunk := stream.read(LINE_BYTES_MAX):
            *whole, rest = re.split(r"(?<=\n)", rest + decoder.decode(chunk))
            for line in whole:
                number += 1
                yield line
            if len(rest) > LINE_BYTES_MAX:
                raise _too_long(number + 1)
        rest += decoder.decode(b"", final=True)
    except UnicodeDecodeError as error:
        raise BadInput(f"line {number + 1}: it begins as UTF-16, and this is not: save it as CSV UTF-8") from error
    if rest:
        yield rest


def _too_long(number: int) -> BadInput:
    return BadInput(f"line {number} has more than {LINE_BYTES_MAX >> 20} MiB: it is not CSV")
