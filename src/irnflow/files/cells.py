"""A cell of a table, or a value of INV-01, as the books hold it.

Excel is the hardest reader of invoices: it drops leading zeros, makes dates of numbers with a slash, keeps 15 digits of
a number and writes long ones as 1.23E+15. What can be made good for certain is; what can't is an error that says how to
type it. A ValueError's words say what is wrong with the value; whoever reads a table adds where it stands.
"""

import re
from collections.abc import Callable, Mapping
from datetime import date, datetime
from decimal import Decimal
from functools import partial
from typing import Final

from irnflow.books import values
from irnflow.books.columns import HEADERS, LINES, Column
from irnflow.books.own import Value
from irnflow.gst import fields

_DIGITS_OF_EXCEL: Final = 15
_AGAIN: Final = "format the cell as text, type it again"
_SCIENTIFIC: Final = re.compile(r"\d(\.\d+)?E\+\d{2,}")
_GROUPED: Final = re.compile(r"-?\d{1,3}(,\d{2,3})*,\d{3}(\.\d+)?")  # 1,23,456.50 and 123,456.50
_STATE: Final = re.compile(r"(\d{1,2})(?:[ -].*)?")  # the template's lists have "29 Karnataka"
_MONTHS: Final = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_DAY_FIRST: Final = re.compile(r"(\d{1,2})[-/. ](\d{1,2}|[A-Za-z]{3})[-/. ](\d{4})")
_ODD_HSN: Final = re.compile(r"\d{3}|\d{5}|\d{7}")

Read = Callable[[object], Value | None]


def reader(column: Column, path: str) -> Read:
    """What reads a column that stands for this INV-01 path."""
    kind = column.read.__name__
    if kind != "amount":
        return _KINDS[kind]
    field = fields.table()[path.replace("[0]", "[]")]
    assert field.high is not None
    return partial(_amount, decimals=field.decimals, most=field.high)


def readers() -> tuple[Mapping[str, Read], Mapping[str, Read]]:
    """Of the header's columns, and of the lines'."""
    return (
        {column.name: reader(column, column.field) for column in HEADERS},
        {column.name: reader(column, f"ItemList[].{column.field}") for column in LINES},
    )


def with_leading_zero(hsn: object) -> object:
    """An HSN whose leading zero a spreadsheet dropped: they have 4, 6 or 8 digits."""
    digits = text(hsn)
    return f"0{digits}" if isinstance(digits, str) and _ODD_HSN.fullmatch(digits) else digits


def text(value: object) -> str | None:
    """A text; of a number its digits."""
    if isinstance(value, bool):
        raise ValueError(f"{value} is not text; type an apostrophe before it ('{value})")
    if isinstance(value, date):
        raise ValueError(f"a spreadsheet has made the date {value:%Y-%m-%d} of it: {_AGAIN}")
    if isinstance(value, float) and abs(value) >= 10**_DIGITS_OF_EXCEL:
        raise ValueError(f"a spreadsheet keeps {_DIGITS_OF_EXCEL} digits of a number, and this has more: {_AGAIN}")
    if isinstance(value, str) and _SCIENTIFIC.fullmatch(value.strip()):
        raise ValueError(f"a spreadsheet has written a long number as {value.strip()}: {_AGAIN}")
    said = values.text(value)
    if said is not None and "\0" in said:
        raise ValueError("it holds a character that no text has (NUL)")
    return said


def _amount(value: object, *, decimals: int, most: Decimal) -> Decimal | None:
    if isinstance(value, float):
        value = _as_shown(value)
    elif isinstance(value, str) and _GROUPED.fullmatch(value.strip()):
        value = value.replace(",", "")
    amount = values.amount(value)
    if amount is None:
        return None
    whole = amount.normalize()
    if -int(whole.as_tuple().exponent) > decimals:
        raise ValueError(f"{amount:f} has more than {decimals} decimals: round it, =ROUND(...,{decimals}) in a sheet")
    if abs(amount) > most:
        raise ValueError(f"{amount:f} is more than the {most:f} that can stand there")
    return amount


def _as_shown(value: float) -> Decimal:
    """The number that a spreadsheet shows: of what it holds, 15 digits count and the rest is noise of reckoning."""
    exact = Decimal(repr(value))
    return exact if len(exact.as_tuple().digits) <= _DIGITS_OF_EXCEL else Decimal(f"{value:.{_DIGITS_OF_EXCEL}g}")


def _whole(value: object) -> int | None:
    if isinstance(value, date):
        raise ValueError(f"the date {value:%Y-%m-%d} is not a number")
    number = values.whole(value)
    if number is not None and abs(number) >= 10**9:
        raise ValueError(f"{number} is more than an invoice can hold")
    return number


def _day(value: object) -> date | None:
    if isinstance(value, datetime):
        return value.date()
    if isinstance(value, date):
        return value
    if isinstance(value, int | float):
        raise ValueError(f"{value} is a number: format the cell as a date, or type 22/11/2026")
    said = str(value).strip()
    if not said:
        return None
    if found := _DAY_FIRST.fullmatch(said):
        day, month, year = found.groups()
        number = _MONTHS.index(month.lower()) + 1 if month.lower() in _MONTHS else month
        said = f"{year}-{number:0>2}-{day:0>2}"
    try:
        return date.fromisoformat(said)
    except ValueError:
        raise ValueError(f"{str(value)[:40]!r} is no day: 22/11/2026 is, and 2026-11-22") from None


def _flag(value: object) -> bool | None:
    said = values.flag(int(value) if value in (0.0, 1.0) else value)
    return None if said is None else said == "Y"


def _state(value: object) -> str | None:
    code = text(value)
    if code is None:
        return None
    found = _STATE.fullmatch(str(code))
    if not found:
        raise ValueError(f"{str(code)[:40]!r} is no state code of two digits, such as 29")
    return found[1].zfill(2)


_KINDS: Final[Mapping[str, Read]] = {
    "text": text, "whole": _whole, "serial": _whole, "day": _day, "flag": _flag, "state": _state,
}  # fmt: skip
