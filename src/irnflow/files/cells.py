"""A cell of a table, or a value of INV-01, as the books hold it.

Excel is the hardest reader of invoices: it drops leading zeros, makes dates of numbers with a slash, keeps 15 digits of
a number and writes long ones as 1.23E+15. What can be corrected with certainty is corrected, with a note where the
person could not see it; anything else is an error that says how to type it. The words of a ValueError say what is wrong
with the value; whoever reads a table adds where it stands.
"""

import re
from collections.abc import Callable, Mapping
from datetime import date, datetime, time, timedelta
from decimal import ROUND_HALF_UP, Decimal
from functools import partial
from typing import Final, NamedTuple

from irnflow.books import values
from irnflow.books.columns import HEADERS, LINES, Column
from irnflow.books.document import Value
from irnflow.files.shown import Kind, Shown
from irnflow.gst import fields


class Noted(NamedTuple):
    """A value that was corrected, and what a person should know about that."""

    value: Value | None
    says: str


Read = Callable[[object], Value | Noted | None]

_DIGITS_OF_EXCEL: Final = 15
_AGAIN: Final = "format the cell as text, type it again"
_SCIENTIFIC: Final = re.compile(r"\d(\.\d+)?E\+\d{2,}")
_NUMBER: Final = re.compile(r"[+-]?\d+(\.\d*)?|[+-]?\.\d+", re.ASCII)
_GROUPED: Final = re.compile(r"\d{1,3}(,\d{2,3})*,\d{3}(\.\d*)?", re.ASCII)  # 1,23,456.50 and 123,456.50
# What a format writes beside a number that would change it. A minus sign too: the number itself has none there.
_MEASURE: Final = re.compile(
    r"%|^[-(−]|\b(?:lakhs?|lacs?|crores?|cr|thousands?|k|millions?|mn|hundreds?|paise|paisa)\b", re.IGNORECASE
)
_RUPEES: Final = re.compile(r"(?:₹|₨|rs\.?|inr)\s*|\s*(?:/-|/=|inr|₹)$", re.IGNORECASE)
_DASHES: Final = "-–—−"
_NOTHING: Final = frozenset((*_DASHES, "--"))  # of an accountant
_PIN: Final = re.compile("(\\d{3})[ \u00a0\u2009\u202f-](\\d{3})", re.ASCII)
_MEASURED: Final = re.compile(r"([0-9.,]+) ?(?:kms?|days?)\.?", re.IGNORECASE | re.ASCII)
_PIN_PATHS: Final = ".Pin"
_RATES: Final = ("GstRt", "CesRt", "StateCesRt")
_FINE: Final = ("UnitPrice",)  # the calculation rounds it, after it has made the gross amount
_STATE: Final = re.compile(r"(\d{1,2})(?:\.0|[ -].*)?")  # the template's lists have "29 Karnataka"
_MONTHS: Final = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_MONTH: Final = rf"(?P<name>{'|'.join(_MONTHS)})[a-z]*"
_DAY_FIRST: Final = re.compile(
    rf"(?P<day>\d{{1,2}})(?P<by>[-/. ])(?:(?P<month>\d{{1,2}})|{_MONTH})(?P=by)(?P<year>\d{{4}}|\d{{2}})", re.I | re.A
)
_YEAR_FIRST: Final = re.compile(r"(?P<year>\d{4})[-/.](?P<month>\d{1,2})[-/.](?P<day>\d{1,2})", re.ASCII)
_TIME: Final = re.compile(
    r"[ T]+(\d{1,2})[:.](\d{2})(?:[:.](\d{2})(?:\.\d+)?)?\s*([AP]M)?\s*(Z|IST|[+-]\d{2}(?::?\d{2})?)?",
    re.IGNORECASE | re.ASCII,
)
_ZONES: Final = {"Z": "+00:00", "IST": "+05:30"}
_IN_WORDS: Final = re.compile(
    rf"(?:(?P<day>\d{{1,2}})(?:st|nd|rd|th)?,?\s*{_MONTH}|{_MONTH.replace('name', 'first')}\.?\s*(?P<after>\d{{1,2}})"
    r"(?:st|nd|rd|th)?),?\s*(?P<year>\d{4})", re.IGNORECASE | re.ASCII,
)  # fmt: skip
_WRITTEN_MOST: Final = 60  # characters of a number or a date, however it is written
_FIRST_YEAR: Final = 1900
_GST_BEGAN: Final = 17  # in 2017; a year before is none of an invoice
_ODD_HSN: Final = re.compile(r"\d{3}|\d{5}|\d{7}")
# Nobody sees them: spaces without width, marks of direction, soft hyphens, controls. Joiners belong to Indian scripts.
_INVISIBLE: Final = re.compile(
    "[\u00ad\u180e\u200b\u200e\u200f\u202a-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb\x01-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f]"
    "|(?<![^\x00-\x7f])[\u200c\u200d]"
)
_RUPEE, _PAISA = Decimal(1), Decimal("0.01")
_ERROR_WORDS: Final = frozenset({
    "#N/A", "#REF!", "#DIV/0!", "#VALUE!", "#NAME?", "#NUM!", "#NULL!", "#SPILL!", "#CALC!", "#FIELD!", "#BLOCKED!",
    "#CONNECT!", "#BUSY!", "#UNKNOWN!", "#EXTERNAL!", "#GETTING_DATA", "#ERROR!",
})  # fmt: skip
# How programs keep a spreadsheet from making a number of a text: ="00117", and an apostrophe before it.
_AS_TEXT: Final = re.compile(r"=\"([^\"]*)\"|'([^\s']*[0-9][^\s']*)")
_MARKS: Final = ("#", "Err:", '="', "'")
_ERROR_OF_CALC: Final = re.compile(r"#+|Err:\d{3}")  # LibreOffice's; and a column too narrow for its number

# A date cell with one of these times was made by a program from local midnight: its day is the one before.
_MIDNIGHT_AS_UTC: Final = (time(18, 29, 30), time(18, 30, 30))
_BEFORE_MIDNIGHT: Final = time(23, 59)


def reader(column: Column, path: str) -> Read:
    """What reads a column that stands for this INV-01 path."""
    kind = column.read.__name__
    name = path.rpartition(".")[2]
    if kind == "amount":
        field = fields.table()[path.replace("[0]", "[]")]
        assert field.high is not None
        decimals = None if name in _FINE else field.decimals
        return partial(_amount, decimals=decimals, most=field.high, is_rate=name in _RATES)
    if kind == "whole" and path.endswith(_PIN_PATHS):
        return _pin
    return _hsn if name == "HsnCd" else _KINDS[kind]


def readers() -> tuple[Mapping[str, Read], Mapping[str, Read]]:
    """Of the header's columns, and of the lines'."""
    return (
        {column.name: reader(column, column.field) for column in HEADERS},
        {column.name: reader(column, f"ItemList[].{column.field}") for column in LINES},
    )


# -- texts -----------------------------------------------------------------------------------------------------------


def text(value: object) -> str | Noted | None:
    """A text; of a number its digits, as the cell shows them."""
    if isinstance(value, str):
        return _text(value)
    if isinstance(value, Shown):
        return _digits(value)
    if isinstance(value, bool):
        raise ValueError(f"{value} is not text; type an apostrophe before it ('{value})")
    if isinstance(value, date):
        raise ValueError(f"a spreadsheet has made the date {value:%Y-%m-%d} of it: {_AGAIN}")
    if isinstance(value, float) and abs(value) >= 10**_DIGITS_OF_EXCEL:
        raise ValueError(f"a spreadsheet keeps {_DIGITS_OF_EXCEL} digits of a number, and this has more: {_AGAIN}")
    return values.text(value)


def _text(value: str) -> str | Noted | None:
    if value.isalnum():  # nothing in it can be odd
        return value
    said, note = _visible(value)
    if "E+" in said and _SCIENTIFIC.fullmatch(said):
        raise ValueError(f"a spreadsheet has written a long number as {said}: {_AGAIN}")
    if "\0" in said:
        raise ValueError("it holds a character that no text has (NUL)")
    return Noted(said or None, note) if note else said or None


def _visible(value: str) -> tuple[str, str]:
    """A text without what nobody sees in it, and the note on that. Raises ValueError for the error of a spreadsheet."""
    said, note = value.strip(), ""
    if not said.isprintable():
        shown = _INVISIBLE.sub("", said)
        if shown != said:
            note = "an invisible character was dropped"
        said = shown.strip()
    if said.startswith(_MARKS):
        if said in _ERROR_WORDS or _ERROR_OF_CALC.fullmatch(said):
            raise ValueError(f"the cell holds an error of the spreadsheet, {said}")
        if found := _AS_TEXT.fullmatch(said):
            said = (found[1] or found[2]).strip()
    return said, note


def _digits(cell: Shown) -> str | Noted | None:
    digits = text(cell.value)
    if not isinstance(digits, str):
        return digits
    form = cell.format
    if form.kind is Kind.PLAIN:
        return digits
    if form.kind is not Kind.NUMBER or digits.startswith("-"):
        raise ValueError(f"the cell holds {digits} and shows it otherwise (format {form.code[:40]}): {_AGAIN}")
    shown = form.digits(int(digits))
    if form.decimals == 0 and not form.grouped:
        return shown
    if shown != digits:
        raise ValueError(f"the cell holds {digits} and shows it with more around it ({form.code[:40]}): {_AGAIN}")
    if form.decimals == 0 and int(digits) < 1000:
        return digits
    return Noted(
        digits, f"the cell shows {digits} with {'decimals' if form.decimals else 'commas'}; without them it is read"
    )


def _hsn(value: object) -> str | Noted | None:
    digits = text(value)
    if isinstance(digits, Noted):
        return Noted(with_leading_zero(digits.value), digits.says)
    return with_leading_zero(digits)


def with_leading_zero(hsn: object) -> str | None:
    """An HSN whose leading zero a spreadsheet dropped: they have 4, 6 or 8 digits."""
    digits = hsn if isinstance(hsn, str) else values.text(hsn) if hsn is not None else None
    return f"0{digits}" if digits is not None and _ODD_HSN.fullmatch(digits) else digits


def _state(value: object) -> str | Noted | None:
    code = text(value)
    if code is None or isinstance(code, Noted):
        return code
    found = _STATE.fullmatch(code)
    if not found:
        raise ValueError(f"{code[:40]!r} is not a state code of two digits, such as 29")
    return found[1].zfill(2)


# -- numbers ---------------------------------------------------------------------------------------------------------


def _amount(value: object, *, decimals: int | None, most: Decimal, is_rate: bool) -> Decimal | Noted | None:
    if value.__class__ is Decimal and _is_plain(value) and -most <= value <= most:  # nearly all of INV-01
        return value
    note = ""
    if isinstance(value, str):
        amount, note = _written(value, is_rate=is_rate)
    else:
        amount = _held(value, is_rate=is_rate)
    if amount is None:
        return None
    if decimals is not None and -int(amount.normalize().as_tuple().exponent) > decimals:
        raise ValueError(f"{amount:f} has more than {decimals} decimals: round it, =ROUND(...,{decimals}) in a sheet")
    if abs(amount) > most:
        raise ValueError(f"{amount:f} is more than the {most:f} that can stand there")
    return Noted(amount, note) if note else amount


def _is_plain(number: Decimal) -> bool:
    return number.same_quantum(_PAISA) or number.same_quantum(_RUPEE)


def _held(value: object, *, is_rate: bool) -> Decimal | None:
    """The number of a cell."""
    if isinstance(value, Shown):
        number, kind = _as_shown(value.value), value.format.kind
        if kind is Kind.PERCENT and is_rate:
            return number * 100
        if kind is Kind.PERCENT:
            raise ValueError(f"the cell shows {number * 100:f} %, and an amount belongs here: type the amount")
        if kind is Kind.TIME:
            raise ValueError(f"the cell shows a time (format {value.format.code[:40]}), and a number belongs here")
        if (around := value.format.around) and (wrong := _MEASURE.search(around)) and not (is_rate and wrong[0] == "%"):
            raise ValueError(f"the cell holds {number:f} and shows {wrong[0]!r} beside it: type the number in rupees")
        return number
    return values.amount(_as_shown(value) if isinstance(value, float) else value)


def _written(value: str, *, is_rate: bool) -> tuple[Decimal | None, str]:
    """A number as programs and accountants write it: 1,23,456.50, (0.40), 12.50-, ₹ 5, Rs. 5/-, 18 %, - for nothing."""
    said, note = _visible(value)
    if _NUMBER.fullmatch(said):
        return Decimal(said), note
    if said in _NOTHING or said.lower() == "nil":
        return Decimal(0), note
    if len(said) > _WRITTEN_MOST:
        raise ValueError(f"{said[:40]!r} is not a number")
    bare = _RUPEES.sub("", said.replace("−", "-"), count=2).strip()
    sign = ""
    if bare.startswith("(") and bare.endswith(")"):
        sign, bare = "-", _RUPEES.sub("", bare[1:-1].strip(), count=2)
    elif bare.endswith("-") and len(bare) > 1:
        sign, bare = "-", bare[:-1].rstrip()
    elif bare.startswith(("-", "+")) and len(bare) > 1:
        sign, bare = bare[0], _RUPEES.sub("", bare[1:].strip(), count=2)
    if is_rate and bare.endswith("%"):
        bare = bare[:-1].rstrip()
    if bare and not bare.strip(_DASHES):  # ₹ -, as accounting formats show zero
        return Decimal(0), note
    if _GROUPED.fullmatch(bare):
        bare = bare.replace(",", "")
    if _NUMBER.fullmatch(bare) and bare[0] not in "+-":
        return Decimal(sign + bare), note
    if "_" in said:  # Python's own way
        raise ValueError(f"{said!r} is not a number")
    return values.amount(said), note


def _as_shown(value: float) -> Decimal:
    """The number that a spreadsheet shows: of what it holds, 15 digits count and the rest is noise of calculating."""
    exact = Decimal(repr(value))
    return exact if len(exact.as_tuple().digits) <= _DIGITS_OF_EXCEL else Decimal(f"{value:.{_DIGITS_OF_EXCEL}g}")


def _whole(value: object) -> int | Noted | None:
    if value.__class__ is str and len(value) < 10 and value.isascii() and value.isdigit():  # nearly all
        return int(value)
    note = ""
    if isinstance(value, date):
        raise ValueError(f"the date {value:%Y-%m-%d} is not a number")
    if isinstance(value, Shown):
        if value.format.kind not in (Kind.PLAIN, Kind.NUMBER):
            raise ValueError(f"the cell holds {value.value:g} and shows it otherwise: {_AGAIN}")
        value = value.value
    elif isinstance(value, str):
        value, note = _visible(value)
        if _GROUPED.fullmatch(value):
            value = value.replace(",", "")
    number = values.whole(value)
    if number is not None:
        _bounded(number)
    return Noted(number, note) if note else number


def _bounded(number: int) -> int:
    if abs(number) >= 10**9:
        raise ValueError(f"{number} is more than an invoice can hold")
    return number


def _pin(value: object) -> int | Noted | None:
    """A PIN, as India writes it: 400 001."""
    if isinstance(value, str) and (found := _PIN.fullmatch(_visible(value)[0])):
        return int(found[1] + found[2])
    return _whole(value)


def _nearest(value: object) -> int | Noted | None:
    """A distance or days of credit, also as 120.5 and 30 days."""
    if isinstance(value, str) and (found := _MEASURED.fullmatch(_visible(value)[0])):
        value = found[1]
    exact = _written(value, is_rate=False)[0] if isinstance(value, str) else _held(value, is_rate=False)
    if exact is None or exact == exact.to_integral_value():
        return _whole(value)
    rounded = _bounded(int(exact.to_integral_value(ROUND_HALF_UP)))
    return Noted(rounded, f"{exact:f} is read as {rounded}: a whole number belongs here")


def _flag(value: object) -> bool | None:
    if value == "N":  # nearly all
        return False
    if isinstance(value, Shown):
        value = value.value
    if isinstance(value, str):
        value = _visible(value)[0]
        if value in _NOTHING:
            return None
    said = values.flag(int(value) if value in (0.0, 1.0) else value)
    return None if said is None else said == "Y"


# -- days ------------------------------------------------------------------------------------------------------------


def _day(value: object) -> date | Noted | None:
    if isinstance(value, datetime):
        return _day_of(value)
    if isinstance(value, date):
        return value
    if isinstance(value, Shown):
        value = value.value
    if isinstance(value, int | float):
        raise ValueError(f"{value} is a number: format the cell as a date, or type 22/11/2026")
    said, note = _visible(str(value))
    if not said:
        return None
    found = _written_day(said)
    return Noted(found, note) if note else found


def _day_of(moment: datetime) -> date:
    if moment.tzinfo is not None:
        return moment.astimezone(values.IST).date()
    at = moment.time()
    if at >= _BEFORE_MIDNIGHT or _MIDNIGHT_AS_UTC[0] <= at <= _MIDNIGHT_AS_UTC[1]:
        meant = moment + timedelta(days=1)
        says = f"it is {moment:%d/%m/%Y} at {at:%H:%M:%S}; a program has probably made that of {meant:%d/%m/%Y}"
        raise ValueError(f"{says}: type the date without a time")
    return moment.date()


def _written_day(said: str) -> date:
    """22/11/2026, 22-Nov-26, 2026-11-22 00:00:00: the day comes first, or the year."""
    found = _TIME.search(said[:_WRITTEN_MOST])
    try:
        if found is None or found.end() != len(said):
            return _civil(said)
        moment = _moment(_civil(said[: found.start()]), *found.groups())
    except ValueError:
        raise ValueError(f"{said[:40]!r} is not a date: 22/11/2026 is, and 2026-11-22") from None
    return _day_of(moment)


def _civil(said: str) -> date:
    if found := _YEAR_FIRST.fullmatch(said):
        return date(int(found["year"]), int(found["month"]), int(found["day"]))
    found = _DAY_FIRST.fullmatch(said)
    if not found and (words := _IN_WORDS.fullmatch(said)):  # 28th November, 2026 and Nov 28, 2026
        month = _MONTHS.index((words["name"] or words["first"]).lower()) + 1
        return date(int(words["year"]), month, int(words["day"] or words["after"]))
    if not found:
        return date.fromisoformat(said)
    day, year = int(found["day"]), int(found["year"])
    name = found["name"]
    if len(found["year"]) == 2:
        # 22-11-26 may be of 2022 too; with slashes and with the month's name nobody in India begins with the year.
        if year < _GST_BEGAN or (not name and found["by"] in "- " and day >= _GST_BEGAN):
            raise ValueError("a year of two digits")
        year += 2000
    month = _MONTHS.index(name.lower()) + 1 if name else int(found["month"])
    if year < _FIRST_YEAR:
        raise ValueError("a year that no invoice has")
    return date(year, month, day)


def _moment(day: date, hour: str, minute: str, second: str | None, half: str | None, zone: str | None) -> datetime:
    hours = int(hour) % 12 + (12 if half.upper() == "PM" else 0) if half else int(hour)
    zone = _ZONES.get(zone.upper(), zone) if zone else ""
    return datetime.fromisoformat(f"{day}T{hours:02}:{minute}:{second or '00'}{zone}")


_KINDS: Final[Mapping[str, Read]] = {
    "text": text, "whole": _whole, "nearest": _nearest, "serial": _whole, "day": _day, "flag": _flag, "state": _state,
}  # fmt: skip
