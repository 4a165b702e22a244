"""The shape of INV-01, field by field: what must be there, and what may stand in each place.

The table is `codes/inv01_fields.csv`, with the published patterns as they are; what they let slip (`|` in `[Y|N]`,
days that no calendar has) is held here by choices and by the calendar. `misfits` looks at a whole invoice in one pass;
most invoices have none, which compiled code finds out in half the time.
"""

import re
from collections.abc import Callable, Mapping
from decimal import Decimal, InvalidOperation
from enum import StrEnum
from functools import cache
from typing import Any, Final, TypeAlias, cast

import msgspec
from msgspec.inspect import StructType, type_info
from msgspec.structs import astuple

from irnflow.gst import codes, dates
from irnflow.gst.invoice import Invoice

Fits = Callable[[Any], object]  # true for what may stand there

FREE_TEXT: Final = r"^([^\\\"])*$"
DATE: Final = r"^[0-3][0-9]\/[0-1][0-9]\/[2][0][1-2][0-9]$"
# Where we hold the published table to what its own words say elsewhere.
_MENDED: Final[Mapping[str, Mapping[str, str]]] = {
    "BuyerDtls.Pin": {"mandatory": "yes"},  # by rule 2244, whatever the schema says
    "ExpDtls.RefClm": {"enum": "Y|N"},
    "EwbDtls.TransDocDt": {"pattern": DATE},
}


class Ill(StrEnum):
    """In which way a place does not fit."""

    MISSING = "missing"
    UNKNOWN = "unknown"  # INV-01 has no such field in this section
    LENGTH = "length"
    PATTERN = "pattern"
    CHARACTERS = "characters"  # a double quote or backslash in a text
    CHOICE = "choice"
    DATE = "date"
    RANGE = "range"
    DECIMALS = "decimals"


class Field(msgspec.Struct, frozen=True, kw_only=True):
    """One row of the table: a section, or what may stand in one place of it."""

    path: str  # "ItemList[].HsnCd"
    required: bool  # when its section is sent
    low: Decimal | None = None  # length of a text, or value of a number
    high: Decimal | None = None
    decimals: int = 0
    pattern: str = ""
    choices: tuple[str, ...] = ()
    is_text: bool = False
    fits: Fits | None = None  # None for a section
    ill: Callable[[Any], Ill] = lambda value: Ill.UNKNOWN  # why a value that doesn't fit does not


class Misfit(msgspec.Struct, frozen=True):
    """A place that does not fit, and what stands there (None when nothing does)."""

    path: str  # "ItemList[2].HsnCd"
    ill: Ill
    field: Field
    value: object


class Shape(msgspec.Struct, frozen=True):
    """The fields of one section, in the order of the section's values."""

    names: tuple[str, ...]  # in Python
    fields: tuple[Field, ...]
    fits: tuple[tuple[int, Fits], ...]  # position, and what may stand there
    required: tuple[int, ...]
    sections: tuple[tuple[int, str, "Shape"], ...]  # position, name and shape of what lies inside

    @property
    def is_list(self) -> bool:
        """Whether the invoice has a list of such sections."""
        return self.fields[0].path.rpartition(".")[0].endswith("[]")


def misfits(invoice: Invoice) -> list[Misfit]:
    """Every place where the invoice is not INV-01. Whether there are lines at all is not judged here."""
    found: list[Misfit] = []
    if not _fits_plainly(invoice):
        _look(invoice, "", shape(), found)
    return found


def _fits_plainly(invoice: Invoice) -> bool:
    try:
        return _plainly()(invoice)
    except InvalidOperation:  # compared with what is not a number
        return False


@cache
def shape() -> Shape:
    """The whole of INV-01."""
    whole = type_info(Invoice)
    assert isinstance(whole, StructType)
    return _shape(whole, "")


@cache
def table() -> Mapping[str, Field]:
    """The published table by path, mended where we hold it to its own words."""
    return {row["path"]: _field({**row, **_MENDED.get(row["path"], {})}) for row in codes.rows("inv01_fields.csv")}


def _look(section: msgspec.Struct, path: str, shape: Shape, found: list[Misfit]) -> None:
    values = astuple(section)
    for index in shape.required:
        if values[index] is None:
            found.append(_misfit(path, shape.fields[index], None))  # noqa: PERF401  hot, and nearly always empty
    for index, fits in shape.fits:
        if (value := values[index]) is not None and not fits(value):
            found.append(_misfit(path, shape.fields[index], value))
    for index, name, inner in shape.sections:
        value = values[index]
        if isinstance(value, tuple):
            for number, one in enumerate(value):
                _look(one, f"{path}{name}[{number}].", inner, found)
        elif value is not None:
            _look(value, f"{path}{name}.", inner, found)


def _misfit(path: str, field: Field, value: object) -> Misfit:
    name = field.path.rpartition(".")[2]
    return Misfit(path + name, Ill.MISSING if value is None else field.ill(value), field, value)


# -- the table, compiled: whether everything fits, as straight code --------------------------------------------------


Condition: TypeAlias = Callable[[int, Field, dict[str, object]], str]


@cache
def _plainly() -> Callable[[Any], bool]:
    return compiled(shape(), _fit, needed=lambda field: field.required)


def _fit(index: int, field: Field, known: dict[str, object]) -> str:
    if not field.decimals:
        known[f"fits_{index}"] = field.fits
        return f"fits_{index}(value)"
    known |= {f"low_{index}": field.low, f"high_{index}": field.high, f"step_{index}": step(field.decimals)}
    return f"(low_{index} <= value <= high_{index} and value.same_quantum(step_{index}))"


def compiled(shape: Shape, condition: Condition, *, needed: Callable[[Field], bool]) -> Callable[[Any], bool]:
    """A function of a section: true only if the condition holds of each value in it and in the sections inside.

    `condition` gives the code that asks it of `value`, and adds the names that the code knows; "" asks nothing. What is
    `needed` must be there, and no list may be empty.
    """
    inside = {index: inner for index, _, inner in shape.sections}
    known: dict[str, object] = {}
    code = ["def holds(section):"]
    for index, (name, field) in enumerate(zip(shape.names, shape.fields, strict=True)):
        if index in inside:
            known[f"holds_{index}"] = compiled(inside[index], condition, needed=needed)
            asked = f"(value and all(map(holds_{index}, value)))" if inside[index].is_list else f"holds_{index}(value)"
        else:
            asked = condition(index, field, known)
        if asked:
            absent = "is None or" if needed(field) else "is not None and"
            code.append(f"    if (value := section.{name}) {absent} not {asked}: return False")
    exec("\n".join([*code, "    return True"]), known)  # noqa: S102  (names and numbers of our own table)
    return cast(Callable[[Any], bool], known["holds"])


def step(decimals: int) -> Decimal:
    """0.01 for 2."""
    return Decimal(1).scaleb(-decimals)


# -- the table, read -------------------------------------------------------------------------------------------------


def _shape(struct: StructType, prefix: str) -> Shape:
    fields: list[Field] = []
    sections: list[tuple[int, str, Shape]] = []
    for index, member in enumerate(struct.fields):
        path = prefix + member.encode_name
        fields.append(table().get(path) or Field(path=path, required=False, fits=_never))
        inner, array = _inside(member.type)
        if inner:
            sections.append((index, member.encode_name, _shape(inner, f"{path}{array}.")))
    return Shape(
        tuple(member.name for member in struct.fields),
        tuple(fields),
        tuple((index, field.fits) for index, field in enumerate(fields) if field.fits),
        tuple(index for index, field in enumerate(fields) if field.required),
        tuple(sections),
    )


def _inside(kind: Any) -> tuple[StructType | None, str]:
    """The section that a member holds, and `[]` when it holds a list of them."""
    for part in getattr(kind, "types", (kind,)):
        item = getattr(part, "item_type", part)
        if isinstance(item, StructType):
            return item, "" if item is part else "[]"
    return None, ""


def _field(row: Mapping[str, str]) -> Field:
    fits, ill = _judges(row)
    return Field(
        path=row["path"],
        required=row["mandatory"] == "yes",
        low=_limit(row["min"]),
        high=_limit(row["max"]),
        decimals=int(row["decimals"] or 0),
        pattern=row["pattern"],
        choices=tuple(row["enum"].split("|")) if row["enum"] else (),
        is_text=row["type"] == "string",
        fits=fits,
        ill=ill,
    )


def _limit(written: str) -> Decimal | None:
    return Decimal(written) if written else None


def _judges(row: Mapping[str, str]) -> tuple[Fits | None, Callable[[Any], Ill]]:
    """What fits, as fast as it goes; and why something does not."""
    if row["type"] in {"object", "array"}:
        return None, lambda value: Ill.UNKNOWN
    if row["type"] == "number":
        return _number(Decimal(row["min"]), Decimal(row["max"]), int(row["decimals"] or 0))
    if row["enum"]:
        return frozenset(row["enum"].split("|")).__contains__, lambda value: Ill.CHOICE
    if row["pattern"] == DATE:
        return dates.parse, lambda value: Ill.DATE
    return _text(int(row["min"] or 0), int(row["max"]), row["pattern"])


def _text(low: int, high: int, pattern: str) -> tuple[Fits, Callable[[str], Ill]]:
    if pattern == FREE_TEXT:  # by far the most frequent: length and characters in one go
        fits, otherwise = re.compile(rf'[^\\"]{{{low},{high}}}').fullmatch, Ill.CHARACTERS
    else:
        fits, otherwise = re.compile(rf"(?=.{{{low},{high}}}\Z)(?:{pattern})").fullmatch, Ill.PATTERN
    return fits, lambda value: otherwise if low <= len(value) <= high else Ill.LENGTH


def _number(low: Decimal, high: Decimal, decimals: int) -> tuple[Fits, Callable[[Any], Ill]]:
    exact = step(decimals)

    def fits(value: Decimal) -> bool:
        try:
            return low <= value <= high and (value.same_quantum(exact) or value.quantize(exact) == value)
        except InvalidOperation:  # not a number
            return False

    def whole(value: int) -> bool:
        return low <= value <= high

    def ill(value: Decimal) -> Ill:
        return Ill.DECIMALS if value.is_finite() and low <= value <= high else Ill.RANGE

    return (fits, ill) if decimals else (whole, lambda value: Ill.RANGE)


def _never(value: object) -> bool:
    return False
