"""What a database driver gives, turned into what INV-01 holds: one function a kind of column.

Each takes a value that isn't None and gives the field's value, None where the books say nothing ("", blanks),
or raises ValueError with words that end a sentence begun with the column's name.
"""

from contextlib import suppress
from datetime import date, datetime, timedelta, timezone
from decimal import ROUND_HALF_UP, Decimal, InvalidOperation
from typing import Final
from uuid import UUID

IST: Final = timezone(timedelta(hours=5, minutes=30))  # a civil date here is one of India
_AMOUNT_MAX: Final = Decimal("1E+30")  # far more than INV-01 takes; 1E+999999 written out would cost us the memory
_AMOUNT_CHARACTERS_MAX: Final = 60
_FLAGS: Final = {
    "Y": "Y", "YES": "Y", "T": "Y", "TRUE": "Y", "1": "Y",
    "N": "N", "NO": "N", "F": "N", "FALSE": "N", "0": "N",
}  # fmt: skip


def text(value: object) -> str | None:
    """Trimmed text; numbers without a fraction become their digits (an HSN kept in a number column)."""
    if isinstance(value, str):
        return value.strip() or None
    if isinstance(value, int | float | Decimal) and not isinstance(value, bool):
        return str(whole(value))
    if isinstance(value, UUID):
        return str(value)
    raise ValueError(f"{_shown(value)} is not text")


def amount(value: object) -> Decimal | None:
    """An exact number. A driver's float is what it prints as: 0.1 is 0.1."""
    number = value if isinstance(value, Decimal) else _decimal(value)
    if number is not None and (number.is_nan() or not -_AMOUNT_MAX < number < _AMOUNT_MAX):
        raise ValueError(f"{_shown(number)} is not a number that an invoice can hold")
    return number


def whole(value: object) -> int | None:
    """A whole number: a PIN."""
    if isinstance(value, int) and not isinstance(value, bool):
        return value
    number = amount(value)
    if number is None:
        return None
    if number != number.to_integral_value():
        raise ValueError(f"{_shown(value)} is not a whole number")
    return int(number)


def nearest(value: object) -> int | None:
    """The nearest whole number: a distance, days of credit."""
    number = value if isinstance(value, int) and not isinstance(value, bool) else amount(value)
    return None if number is None else int(Decimal(number).to_integral_value(ROUND_HALF_UP))


def serial(value: object) -> str | None:
    """A line's number, as the digits that INV-01 has it in."""
    number = whole(value)
    return None if number is None else str(number)


def day(value: object) -> str | None:
    """A civil date as INV-01 writes it, dd/mm/yyyy, from a date, a datetime or ISO text."""
    if isinstance(value, str):
        if not value.strip():
            return None
        value = _from_iso(value.strip())
    if isinstance(value, datetime) and value.tzinfo:
        value = value.astimezone(IST)
    if isinstance(value, date):
        return f"{value.day:02}/{value.month:02}/{value.year:04}"
    raise ValueError(f"{_shown(value)} is not a date")


def flag(value: object) -> str | None:
    """Y or N, from a boolean, 0 and 1, or a word for yes or no."""
    if isinstance(value, bool):
        return "Y" if value else "N"
    said = text(value)
    if said is None:
        return None
    try:
        return _FLAGS[said.upper()]
    except KeyError:
        raise ValueError(f"{_shown(value)} is neither yes nor no (Y, N, true, false, 1, 0)") from None


def state(value: object) -> str | None:
    """A state code of two digits, from 7 or "7" as well as from "07"."""
    code = text(value)
    return code.zfill(2) if code else None


def _decimal(value: object) -> Decimal | None:
    if isinstance(value, float):
        return Decimal(repr(value))
    if isinstance(value, int) and not isinstance(value, bool):
        return Decimal(value)
    if isinstance(value, str) and not value.strip():
        return None
    if isinstance(value, str) and len(value) <= _AMOUNT_CHARACTERS_MAX:
        with suppress(InvalidOperation):
            return Decimal(value.strip())
    raise ValueError(f"{_shown(value)} is not a number")


def _from_iso(said: str) -> datetime:
    try:
        return datetime.fromisoformat(said)
    except ValueError:
        raise ValueError(f"{_shown(said)} is not a date (2026-11-22 is)") from None


def _shown(value: object) -> str:
    return repr(value) if isinstance(value, str) and len(value) <= 60 else str(value)[:60]
