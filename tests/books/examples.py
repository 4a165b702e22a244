"""What the tests of the books share: a day, marks, and a look at a table as it stands."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date
from pathlib import Path
from typing import Any

import msgspec
import sqlalchemy as sa

from irnflow.books import catalogue
from irnflow.books.catalogue import Source, Statements
from irnflow.books.sql import Mark, SqlBooks

HERE = Path(__file__).parent
TODAY = date(2026, 11, 22)
IRN = "1a" * 32
OTHER_IRN = "2b" * 32


def mark(voucher_id: str, irn: str = IRN, ack_no: str = "112610000012345") -> Mark:
    return Mark(voucher_id=voucher_id, irn=irn, ack_no=ack_no, ack_dt="2026-11-22 11:45:10", signed_qr="h.p.s")


def source(url: str, name: str = "main", **statements: str) -> Source:
    """Books of the default layout, with some statements replaced."""
    plain = catalogue.source(name, url)
    given = {key: getattr(plain.statements, key) for key in Statements.__struct_fields__} | statements
    return catalogue.source(name, url, Statements(**given))


@contextmanager
def opened(of: Source | str) -> Iterator[SqlBooks]:
    books = SqlBooks(source(of) if isinstance(of, str) else of)
    try:
        yield books
    finally:
        books.close()


def run(url: str, sql: str, **values: object) -> list[dict[str, Any]]:
    """Do something to the books behind irnflow's back; gives the rows, if it has any."""
    engine = sa.create_engine(url)
    try:
        with engine.begin() as connection:
            result = connection.execute(sa.text(catalogue.own_sql(sql, engine.url)), values)
            return [dict(row) for row in result.mappings()] if result.returns_rows else []
    finally:
        engine.dispose()


def fill_other_layout(url: str) -> None:
    """Make the tables of other_layout.sql, with two vouchers."""
    for statement in (HERE / "other_layout.sql").read_text(encoding="utf-8").split(";\n"):
        run(url, statement)


def other_layout(url: str, name: str = "acme") -> Source:
    """Those books as their user describes them."""
    (described,) = catalogue.read(HERE / "other_layout.toml", environment={"ACME_BOOKS_URL": url})
    return msgspec.structs.replace(described, name=name)
