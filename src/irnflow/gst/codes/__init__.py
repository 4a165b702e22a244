"""Code lists of the government as data files, read when first asked for.

`README.md` beside them tells date and source of each, and how it is renewed.
"""

import csv
from collections.abc import Iterator, Mapping
from importlib.resources import files


def rows(name: str) -> Iterator[Mapping[str, str]]:
    """The rows of `codes/<name>`, a CSV file with a header line."""
    with files(__name__).joinpath(name).open(encoding="utf-8", newline="") as file:
        yield from csv.DictReader(file)


def lines(name: str) -> list[str]:
    """The lines of `codes/<name>`."""
    return files(__name__).joinpath(name).read_text(encoding="utf-8").splitlines()
