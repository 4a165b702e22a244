"""Code lists of the government as data files, read when first asked for.

`README.md` beside them tells date and source of each, and how it is renewed.
"""

import csv
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Final

_FOLDER: Final = Path(__file__).parent


def text(name: str) -> str:
    """The whole of `codes/<name>`."""
    return (_FOLDER / name).read_text(encoding="utf-8")


def lines(name: str) -> list[str]:
    """The lines of `codes/<name>`."""
    return text(name).splitlines()


def rows(name: str) -> Iterator[Mapping[str, str]]:
    """The rows of `codes/<name>`, a CSV file with a header line."""
    yield from csv.DictReader(lines(name))


def column(name: str, field: str = "code") -> frozenset[str]:
    """One column of a CSV file, for looking up."""
    return frozenset(row[field] for row in rows(name))
