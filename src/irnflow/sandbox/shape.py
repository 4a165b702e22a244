"""Is it INV-01, version 1.1? Sections, fields, types, lengths, ranges and patterns, before any rule looks at it. Pure.

The schema is the table `data/inv01_fields.csv`: NIC's published schema text with its defects mended (a stray `|` in
`[Y|N]`, BuyerDtls.Pin), dates as a type of their own because the published pattern lets 39/19/2020 through. Its
last columns are the codes that the portal answers with when a field is wrong, and when it is missing; 2140, "Error
while validating invoice", where it has none.
"""

import csv
import re
from collections.abc import Iterator
from datetime import date
from decimal import Decimal
from functools import lru_cache
from itertools import islice
from pathlib import Path
from typing import Any, Final

import msgspec

from irnflow.sandbox.codes import error
from irnflow.sandbox.taxpayers import ITEMS_MAX, UNREGISTERED

ERRORS_MAX: Final = 50  # what one answer lists at most
SCHEMA_CODE: Final = "2140"
_ISSUE_TOO_MANY_ITEMS: Final = "2173"
_UNREGISTERED_SUPPLIER: Final = "2213"  # who has no GSTIN makes no invoices
_NUMBER: Final = re.compile(r"-?[0-9]+(\.[0-9]+)?")
_INT_LENGTH_MAX: Final = 18
_DATE = re.compile(r"([0-3][0-9])/([01][0-9])/(20[12][0-9])")

Finding = tuple[str, str]  # code, what is wrong


class Field(msgspec.Struct, frozen=True, kw_only=True):
    """One row of the table; an object or array also holds its members."""

    path: str
    kind: str  # object, array, string, number, date
    presence: str  # yes: must be sent; no: may; never: must not
    low: Decimal | None  # least length, count or value
    high: Decimal | None
    decimals: int | None
    pattern: re.Pattern[str] | None
    code: str  # said when it is wrong
    absent: str  # said when it is missing
    members: dict[str, "Field"]


def as_inv01(document: dict[str, Any]) -> dict[str, Any]:
    """The document as the portal's JSON reader takes it: names in any case, unknown members overlooked, numbers also in
    quotes, with their digits. Of a member that comes twice, the last one counts."""
    return _read_members(document, _INVOICE)


def as_eway_bill(request: dict[str, Any]) -> dict[str, Any]:
    """The same of a request for an e-way bill by IRN: Irn, the members of EwbDtls, and the two places."""
    return _read_members(request, _EWAY_BILL)


def misshapes(document: dict[str, Any], *, items_max: int = ITEMS_MAX) -> list[dict[str, str]]:
    """ErrorDetails for every way the document is no INV-01, at most ERRORS_MAX; empty when it is one."""
    found = islice(_in_members(document, _invoice_of(items_max), ""), ERRORS_MAX)
    return [error(code, f"- {says}" if code == SCHEMA_CODE else says) for code, says in found]


def misshapes_of(section: str, value: Any) -> list[dict[str, str]]:
    """The same for one section, which a request other than INV-01 holds."""
    return [error(code, f"- {says}") for code, says in islice(_in_field(value, _INVOICE[section], section), ERRORS_MAX)]


def calendar_date(text: str) -> date:
    """The date that dd/mm/yyyy names. Raises ValueError for another form or a day that never was."""
    match = _DATE.fullmatch(text)
    if not match:
        raise ValueError(text)
    day, month, year = match.groups()
    return date(int(year), int(month), int(day))


def _read_members(given: dict[str, Any], members: dict[str, Field]) -> dict[str, Any]:
    read = {}
    for written, value in given.items():
        name = written if written in members else next((each for each in members if _same(each, written)), None)
        if name is not None:
            read[name] = _read(value, members[name])
    return read


def _same(name: str, written: str) -> bool:
    return len(name) == len(written) and name.lower() == written.lower()


def _read(value: Any, field: Field) -> Any:
    if field.members and isinstance(value, dict):
        return _read_members(value, field.members)
    if field.members and isinstance(value, list):
        return [_read(each, field) for each in value]
    return _number(value) if field.kind == "number" and isinstance(value, str) else value


def _number(text: str) -> Any:
    """The number in quotes; empty quotes are as good as null; anything else stays a text, and is refused as one."""
    if not text.strip():
        return None
    if not _NUMBER.fullmatch(text):
        return text
    return int(text) if len(text) <= _INT_LENGTH_MAX and text.isdigit() else Decimal(text)


def _in_members(value: dict[str, Any], members: dict[str, Field], prefix: str) -> Iterator[Finding]:
    for name, field in members.items():
        yield from _in_field(value.get(name), field, f"{prefix}{name}")


def _in_field(value: Any, field: Field, where: str) -> Iterator[Finding]:
    if value is None:  # null is as good as absent
        if field.presence == "yes":
            yield field.absent, f"{where} is required"
    elif field.presence == "never":
        yield field.code, f"{where} must not be sent"
    else:
        yield from _CHECKS[field.kind](value, field, where)


def _in_object(value: Any, field: Field, where: str) -> Iterator[Finding]:
    if isinstance(value, dict):
        yield from _in_members(value, field.members, f"{where}.")
    else:
        yield field.code, f"{where} must be an object"


def _in_array(value: Any, field: Field, where: str) -> Iterator[Finding]:
    if not isinstance(value, list):
        yield field.code, f"{where} must be an array"
        return
    if field.low is not None and len(value) < field.low:
        yield field.code, f"{where} must have at least {field.low} entries"
    if field.high is not None and len(value) > field.high:
        yield _ISSUE_TOO_MANY_ITEMS, where
        return
    for index, entry in enumerate(value):
        yield from _in_object(entry, field, f"{where}[{index}]")


def _in_string(value: Any, field: Field, where: str) -> Iterator[Finding]:
    if where == "SellerDtls.Gstin" and value == UNREGISTERED:
        yield _UNREGISTERED_SUPPLIER, where
    elif not isinstance(value, str):
        yield field.code, f"{where} must be a string"
    elif not _within(len(value), field):
        yield field.code, f"{where} must have {field.low} to {field.high} characters"
    elif field.pattern and not field.pattern.fullmatch(value):
        yield field.code, f"{where} must match {field.pattern.pattern}"


def _in_number(value: Any, field: Field, where: str) -> Iterator[Finding]:
    if isinstance(value, bool) or not isinstance(value, int | Decimal):
        yield field.code, f"{where} must be a number"
    elif not _within(value, field):
        yield field.code, f"{where} must be from {field.low} to {field.high}"
    elif isinstance(value, Decimal) and round(value, field.decimals or 0) != value:
        yield field.code, f"{where} must have at most {field.decimals} decimals"


def _in_date(value: Any, field: Field, where: str) -> Iterator[Finding]:
    try:
        calendar_date(value)
    except (TypeError, ValueError):
        yield field.code, f"{where} must be a date as dd/MM/yyyy"


def _within(size: int | Decimal, field: Field) -> bool:
    return (field.low is None or field.low <= size) and (field.high is None or size <= field.high)


_CHECKS: Final = {
    "object": _in_object,
    "array": _in_array,
    "string": _in_string,
    "number": _in_number,
    "date": _in_date,
}


@lru_cache(maxsize=16)
def _invoice_of(items_max: int) -> dict[str, Field]:
    """The table for a taxpayer who may send so many items."""
    return _INVOICE | {"ItemList": msgspec.structs.replace(_INVOICE["ItemList"], high=Decimal(items_max))}


def _read_table() -> dict[str, Field]:
    """The top-level sections, each holding its members."""
    with (Path(__file__).parent / "data" / "inv01_fields.csv").open(newline="", encoding="utf-8") as file:
        fields = {field.path: field for field in map(_field_of, csv.DictReader(file))}
    top: dict[str, Field] = {}
    for path, field in fields.items():
        parent, _, name = path.rpartition(".")
        members = fields[parent].members if parent else top
        members[name] = field
    return top


def _field_of(row: dict[str, str]) -> Field:
    return Field(
        path=row["path"].replace("[]", ""),
        kind=row["type"],
        presence=row["mandatory"],
        low=Decimal(row["min"]) if row["min"] else None,
        high=Decimal(row["max"]) if row["max"] else None,
        decimals=int(row["decimals"]) if row["decimals"] else None,
        pattern=re.compile(row["pattern"]) if row["pattern"] else None,
        code=row["code"],
        absent=row["absent"],
        members={},
    )


_INVOICE: Final = _read_table()
_EWAY_BILL: Final = {
    "Irn": _INVOICE["Irn"], **_INVOICE["EwbDtls"].members,
    "ExpShipDtls": _INVOICE["ShipDtls"], "DispDtls": _INVOICE["DispDtls"],
}  # fmt: skip
