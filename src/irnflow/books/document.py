"""A document on its way into books of our own layout, by the names that columns.py gives."""

from collections.abc import Mapping, Sequence
from datetime import date
from decimal import Decimal

import msgspec

from irnflow.books.columns import EINVOICE_STATUS, HEADERS, IRN, LINES, VOUCHER_ID
from irnflow.gst import hsn
from irnflow.gst.dates import financial_year
from irnflow.gst.invoice import Invoice

Value = str | int | bool | Decimal | date
Row = Mapping[str, Value]  # by column name; what is absent is null


class Document(msgspec.Struct, frozen=True, kw_only=True):
    """A document to be written."""

    voucher_id: str
    header: Row
    lines: Sequence[Row]  # each with a LINE_NO of its own

    @property
    def identity(self) -> tuple[str, ...]:
        """What no second document may have: supplier, financial year, type, number."""
        header = self.header
        return identity_of(
            header.get("seller_gstin"), header.get("document_date"), header.get("document_type"),
            header.get("document_number"),
        )  # fmt: skip

    @property
    def filled(self) -> Row:
        """The header with what its table does not leave open."""
        return {"reverse_charge": False, **self.header}

    @property
    def filled_lines(self) -> list[Row]:
        """The same of the lines."""
        return [{"is_service": hsn.is_service(str(line.get("hsn", ""))), **line} for line in self.lines]


def identity_of(gstin: object, dated: object, typ: object, number: object) -> tuple[str, ...]:
    """The identity of a document that has these."""
    year = financial_year(dated) if isinstance(dated, date) else ""
    return tuple(str(each or "").upper() for each in (gstin, year, typ, number))


def as_read(documents: Sequence[Document]) -> dict[str, Invoice]:
    """What the books will say of these documents, by voucher id."""
    from irnflow.books.rows import vouchers  # its digests need OpenSSL, which reading INV-01 is spared

    header_names = (VOUCHER_ID, IRN, EINVOICE_STATUS, *(column.name for column in HEADERS))
    line_names = (VOUCHER_ID, *(column.name for column in LINES))
    headers = [[each.voucher_id, None, None, *map(each.filled.get, header_names[3:])] for each in documents]
    lines = [[each.voucher_id, *map(line.get, line_names[1:])] for each in documents for line in each.filled_lines]
    read = vouchers(headers, header_names, lines, line_names)
    return {voucher_id: voucher.invoice or Invoice() for voucher_id, voucher in read.items()}
