"""Sample books: a company's vouchers of each kind, some of them wrong on purpose, in books laid out as schema.sql.

`load` makes and fills them, `expected` tells what is to become of each voucher, `synthetic` adds any number for the
bench. All of it is done once: rows that are there stay as they are.
"""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import date, timedelta
from decimal import ROUND_HALF_UP, Decimal
from typing import Any, Final

import msgspec
import sqlalchemy as sa

from irnflow.books import own
from irnflow.books.catalogue import own_sql
from irnflow.books.sample.company import (
    BRANCH,
    HEAD_OFFICE,
    NO_SUCH_VOUCHER,
    PARTIES,
    PRODUCTS,
    SALES,
    TURNOVER_CRORE,
    Line,
    Row,
    Sale,
)
from irnflow.messages import State

__all__ = ["GSTINS", "IDS", "TURNOVER_CRORE", "expected", "load", "synthetic"]

GSTINS: Final = (HEAD_OFFICE, BRANCH)  # whose vouchers they are; the account and the portal must know them
IDS: Final = (*(sale.voucher_id for sale in SALES), NO_SUCH_VOUCHER)
_TEMPLATE: Final = "SAL/1001"  # five lines
_STATES: Final = {party.party_id: party.state for party in PARTIES}
_ALWAYS_IGST: Final = ("SEZWP", "SEZWOP", "EXPWP", "EXPWOP")
_WITHOUT_PAYMENT: Final = ("SEZWOP", "EXPWOP")
_ZERO: Final = Decimal("0.00")
_PAISA: Final = Decimal("0.01")
_RUPEE: Final = Decimal(1)


def expected() -> Mapping[str, State]:
    """What each of IDS is to become."""
    return {sale.voucher_id: sale.becomes for sale in SALES} | {NO_SUCH_VOUCHER: State.DATA_FETCH_FAILED}


def load(url: str, today: date) -> None:
    """Make the tables and the sample's rows where they aren't there yet. Blocking."""
    vouchers = [_voucher(sale, today) for sale in SALES]
    with _writing(url) as connection:
        if connection.dialect.name == "sqlite":
            connection.exec_driver_sql("pragma journal_mode = wal")  # so that readers and the writer don't wait
        own.make(connection)
        _insert(connection, "party", [msgspec.structs.asdict(party) for party in PARTIES])
        _insert(connection, "voucher", [header for header, _ in vouchers])
        _insert(connection, "line", [line for _, lines in vouchers for line in lines])


def synthetic(url: str, n: int, *, first: int = 1) -> list[str]:
    """Add n vouchers of five lines each to loaded books, quickly; gives their ids. Blocking."""
    last = first + n - 1
    with _writing(url) as connection:
        for statement in own.statements("sample/synthetic.sql"):
            _run(connection, statement, {"first": first, "last": last, "template": _TEMPLATE})
    return [f"SYN-{i}" for i in range(first, last + 1)]


def _voucher(sale: Sale, today: date) -> tuple[Row, list[Row]]:
    """The rows of one sale: header, lines."""
    lines = [_line(sale, number, line) for number, line in enumerate(sale.lines, start=1)]
    exact = sum((line["total_value"] for line in lines), sale.other_charges)
    total = exact.quantize(_RUPEE, ROUND_HALF_UP).quantize(_PAISA)
    dated = today - timedelta(days=sale.days_ago)
    header: Row = {
        "voucher_id": sale.voucher_id,
        "supply_type": sale.supply_type,
        "reverse_charge": sale.reverse_charge,
        "document_type": sale.document_type,
        "document_number": _number(sale.voucher_id, dated),
        "document_date": dated,
        "seller": sale.seller,
        "buyer": sale.buyer,
        "dispatched_from": sale.dispatched_from,
        "shipped_to": sale.shipped_to,
        "place_of_supply": _STATES[sale.buyer],
        **{name: sum((line[name] for line in lines), _ZERO) for name in ("taxable_value", "cgst", "sgst", "igst")},
        "other_charges": sale.other_charges,
        "round_off": total - exact,
        "total_value": total,
        "preceding_number": None,
        "preceding_date": None,
        **dict.fromkeys(("currency", "country", "port_code", "shipping_bill_number", "remarks")),
        **sale.more,
    }
    if sale.corrects:
        corrected = today - timedelta(days=next(each.days_ago for each in SALES if each.voucher_id == sale.corrects))
        header |= {"preceding_number": _number(sale.corrects, corrected), "preceding_date": corrected}
    if sale.spoil:
        sale.spoil(header, lines)
    return header, lines


def _line(sale: Sale, number: int, line: Line) -> Row:
    product = PRODUCTS[line.product]
    gross = _paise(line.quantity * product.unit_price)
    taxable = gross - line.discount
    igst, half = _tax(sale, taxable, product.gst_rate)
    # The recipient pays the tax to the government, or the exporter does and claims it back: neither bills it.
    billed = _ZERO if sale.reverse_charge or sale.supply_type == "EXPWP" else igst + half + half
    return {
        "voucher_id": sale.voucher_id,
        "line_no": number,
        "description": product.description,
        "is_service": product.is_service,
        "hsn": product.hsn,
        "quantity": line.quantity,
        "unit": product.unit,
        "unit_price": product.unit_price,
        "gross_amount": gross,
        "discount": line.discount,
        "taxable_value": taxable,
        "gst_rate": product.gst_rate,
        "igst": igst,
        "cgst": half,
        "sgst": half,
        "total_value": taxable + billed,
    }


def _tax(sale: Sale, taxable: Decimal, rate: Decimal) -> tuple[Decimal, Decimal]:
    """IGST, and CGST which SGST equals."""
    if sale.supply_type in _WITHOUT_PAYMENT:
        return _ZERO, _ZERO
    across = _STATES[sale.seller] != _STATES[sale.buyer]
    if across or sale.supply_type in _ALWAYS_IGST:
        return _paise(taxable * rate / 100), _ZERO
    return _ZERO, _paise(taxable * rate / 200)


def _number(voucher_id: str, dated: date) -> str:
    """The document number: its series starts anew each financial year, in April."""
    year = dated.year if dated.month >= 4 else dated.year - 1
    return f"{voucher_id[:3]}/{year % 100:02}-{(year + 1) % 100:02}/{voucher_id[4:]}"


def _paise(amount: Decimal) -> Decimal:
    return amount.quantize(_PAISA, ROUND_HALF_UP)


@contextmanager
def _writing(url: str) -> Iterator[sa.Connection]:
    engine = sa.create_engine(url)
    try:
        with engine.begin() as connection:
            yield connection
    finally:
        engine.dispose()


def _insert(connection: sa.Connection, table: str, rows: Sequence[Row]) -> None:
    columns = ", ".join(rows[0])
    values = ", ".join(f":{name}" for name in rows[0])
    sql = f"insert into books.{table} ({columns}) values ({values}) on conflict do nothing"  # noqa: S608 (our own names)
    _run(connection, sql, [{name: _plain(value) for name, value in row.items()} for row in rows])


def _run(connection: sa.Connection, sql: str, values: Any = None) -> None:
    connection.execute(sa.text(own_sql(sql, connection.engine.url)), values)


def _plain(value: object) -> object:
    """sqlite3 takes neither Decimal nor date; both databases read them from text."""
    return str(value) if isinstance(value, Decimal | date) else value
