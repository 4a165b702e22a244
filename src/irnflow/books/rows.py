"""Rows of the books made into invoices: a reader is built once for each shape of result, then runs for every row."""

from collections.abc import Callable, Iterable, Sequence
from functools import cache
from hashlib import sha256
from types import NoneType
from typing import Any, Final, TypeVar, get_args, get_origin

import msgspec

from irnflow.books.columns import EINVOICE_STATUS, HEADERS, IRN, LINE_NO, LINES, VOUCHER_ID, Column
from irnflow.books.values import text
from irnflow.errors import BadInput
from irnflow.gst.invoice import Invoice, Item
from irnflow.messages import BODY_BYTES_MAX

T = TypeVar("T", bound=msgspec.Struct)
Row = Sequence[Any]
Build = Callable[[Row, list[str]], T | None]  # adds what can't be read to the list; None where the row says nothing

_ENVELOPE_BYTES: Final = 64 * 1024  # room for what a message holds beside the invoice
_encoder: Final = msgspec.json.Encoder(decimal_format="number")


class Voucher(msgspec.Struct, frozen=True, kw_only=True):
    """One voucher as the books have it now."""

    voucher_id: str
    invoice: Invoice | None  # None: it can't be read
    digest: str  # sha256 hex of what was read, without what irnflow writes; "" when it can't be read
    unreadable: tuple[str, ...] = ()  # column and value, each a sentence
    irn: str | None = None
    einvoice_status: str | None = None


def vouchers(headers: Sequence[Row], header_names: tuple[str, ...],
             lines: Iterable[Row], line_names: tuple[str, ...]) -> dict[str, Voucher]:  # fmt: skip
    """The vouchers that the rows of the two queries make, by id. Raises BadInput when a query's columns are wrong."""
    at, build, irn, status = _header_reader(header_names)
    items, wrong = _items(lines, line_names)
    found: dict[str, Voucher] = {}
    for row in headers:
        voucher_id = key(row[at])
        trouble = wrong.setdefault(voucher_id, [])
        if voucher_id in found:
            trouble.append("the headers query gives more than one row for it (a join that multiplies?)")
        invoice = build(row, trouble) or Invoice()
        invoice = msgspec.structs.replace(invoice, item_list=_in_order(items.get(voucher_id, [])))
        found[voucher_id] = _voucher(voucher_id, invoice, trouble, irn=_said(row, irn), status=_said(row, status))
    return found


def key(voucher_id: object) -> str:
    """A voucher id as both sides compare it: fixed-width columns pad theirs."""
    return str(voucher_id).rstrip()


def _items(rows: Iterable[Row], names: tuple[str, ...]) -> tuple[dict[str, list[Item]], dict[str, list[str]]]:
    """The lines of each voucher, and what could not be read of them."""
    at, build = _line_reader(names)
    items: dict[str, list[Item]] = {}
    wrong: dict[str, list[str]] = {}
    for row in rows:
        voucher_id = key(row[at])
        trouble: list[str] = []
        item = build(row, trouble)
        if item is not None:
            items.setdefault(voucher_id, []).append(item)
        if trouble:
            number = item.sl_no if item and item.sl_no else "?"
            wrong.setdefault(voucher_id, []).extend(f"line {number}, {words}" for words in trouble)
    return items, wrong


def _in_order(items: list[Item]) -> tuple[Item, ...]:
    return tuple(sorted(items, key=lambda item: int(item.sl_no or 0)))


def _voucher(voucher_id: str, invoice: Invoice, trouble: list[str], *, irn: str | None, status: str | None) -> Voucher:
    encoded = b"" if trouble else _encoder.encode(invoice)
    if len(encoded) > BODY_BYTES_MAX - _ENVELOPE_BYTES:
        trouble = [f"its {len(invoice.item_list)} lines make {len(encoded) >> 20} MiB, more than one message carries"]
    return Voucher(
        voucher_id=voucher_id,
        invoice=None if trouble else invoice,
        digest="" if trouble else sha256(encoded).hexdigest(),
        unreadable=tuple(trouble),
        irn=irn,
        einvoice_status=status,
    )


def _said(row: Row, at: int | None) -> str | None:
    return None if at is None or row[at] is None else text(row[at])


@cache
def _header_reader(names: tuple[str, ...]) -> tuple[int, Build[Invoice], int, int | None]:
    own = (VOUCHER_ID, IRN, EINVOICE_STATUS)
    _check("headers", names, known=HEADERS, own=own, needed=(VOUCHER_ID, IRN))
    status = names.index(EINVOICE_STATUS) if EINVOICE_STATUS in names else None
    return names.index(VOUCHER_ID), _reader(Invoice, HEADERS, names), names.index(IRN), status


@cache
def _line_reader(names: tuple[str, ...]) -> tuple[int, Build[Item]]:
    _check("lines", names, known=LINES, own=(VOUCHER_ID,), needed=(VOUCHER_ID, LINE_NO))
    return names.index(VOUCHER_ID), _reader(Item, LINES, names)


def _check(
    query: str, names: Sequence[str], *, known: Sequence[Column], own: Sequence[str], needed: Sequence[str]
) -> None:
    """Raises BadInput naming every column that is not of the table, comes twice or is missing."""
    allowed = {column.name for column in known} | {*own}
    wrong = [f"unknown column {name}" for name in names if name not in allowed]
    wrong += [f"column {name} comes twice" for name in sorted({name for name in names if names.count(name) > 1})]
    wrong += [f"no column {name}" for name in needed if name not in names]
    if wrong:
        raise BadInput(f"the query `{query}`: {'; '.join(wrong)}. docs/books.md lists the names (select x as name)")


def _reader(kind: type[T], columns: Sequence[Column], names: tuple[str, ...]) -> Build[T]:
    """A function that builds `kind` from a row whose columns are `names`."""
    leaves = [(tuple(c.field.split(".")), names.index(c.name), c) for c in columns if c.name in names]
    return _section(kind, leaves)


_Leaf = tuple[tuple[str, ...], int, Column]  # INV-01 path below the section, place in the row, column


def _section(kind: type[T], leaves: Sequence[_Leaf]) -> Build[T]:
    fields = {field.encode_name: field for field in msgspec.structs.fields(kind)}
    plain = [(fields[path[0]].name, at, column) for path, at, column in leaves if len(path) == 1]
    below: dict[str, list[_Leaf]] = {}
    for path, at, column in leaves:
        if len(path) > 1:
            below.setdefault(path[0].removesuffix("[0]"), []).append((path[1:], at, column))
    parts = [(fields[name].name, *_part(fields[name].type, inner)) for name, inner in below.items()]

    def build(row: Row, wrong: list[str]) -> T | None:
        values: dict[str, object] = {}
        for name, at, column in plain:
            if row[at] is None:
                continue
            try:
                value = column.read(row[at])
            except ValueError as error:
                wrong.append(f"column {column.name}: {error}")
                continue
            if value is not None:
                values[name] = value
        for name, part, many in parts:
            inner = part(row, wrong)
            if inner is not None:
                values[name] = (inner,) if many else inner
        return kind(**values) if values else None

    return build


def _part(annotation: Any, leaves: Sequence[_Leaf]) -> tuple[Build[Any], bool]:
    """The reader of a section below, and whether INV-01 has a list of it: `Party | None` or `tuple[...] | None`."""
    kind = next(each for each in get_args(annotation) if each is not NoneType)
    many = get_origin(kind) is tuple
    return _section(get_args(kind)[0] if many else kind, leaves), many
