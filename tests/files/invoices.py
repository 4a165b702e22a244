"""Rows of a table of invoices, as tests need them: an invoice between two states, all names invented."""

import csv
from collections.abc import Iterable, Mapping, Sequence
from io import StringIO
from typing import Any

HEAD: Mapping[str, str] = {
    "document_type": "INV", "document_number": "BLR/117", "document_date": "28/11/2026", "supply_type": "B2B",
    "seller_gstin": "29ZZZCS1111A1ZD", "seller_legal_name": "Sound Traders", "seller_address_1": "1 Main Road",
    "seller_place": "Bengaluru", "seller_pin": "560001", "seller_state": "29",
    "buyer_gstin": "27ZZZCR3333C1Z2", "buyer_legal_name": "Quiet Offices", "buyer_address_1": "7 Market Street",
    "buyer_place": "Mumbai", "buyer_pin": "400001", "buyer_state": "27", "place_of_supply": "27",
}  # fmt: skip
CHAIR: Mapping[str, str] = {
    "description": "Office chair", "hsn": "94036000", "quantity": "10", "unit": "NOS", "unit_price": "1000.50",
    "gst_rate": "18",
}  # fmt: skip
DESK: Mapping[str, str] = {**CHAIR, "description": "Desk", "quantity": "20"}
NAMES = (*HEAD, *CHAIR)
OTHER_BUYER = {
    "buyer_gstin": "29ZZZCR2222B1Z6", "buyer_legal_name": "Next Door", "buyer_address_1": "2 Main Road",
    "buyer_place": "Bengaluru", "buyer_pin": "560001", "buyer_state": "29", "place_of_supply": "29",
}  # fmt: skip


def row(line: Mapping[str, str] = CHAIR, **changed: str) -> dict[str, str]:
    """A row of the invoice BLR/117, or of another."""
    return {**HEAD, **line, **changed}


def blank(line: Mapping[str, str] = DESK, **said: str) -> dict[str, str]:
    """A row that says nothing of its document, or only this."""
    return {**line, **said}


def table(rows: Iterable[Mapping[str, Any]], names: Sequence[str] = (), delimiter: str = ",") -> bytes:
    """As CSV: with the usual columns, and those that some row has besides."""
    rows = list(rows)
    columns = names or (*NAMES, *dict.fromkeys(name for each in rows for name in each if name not in NAMES))
    text = StringIO()
    writer = csv.DictWriter(text, columns, delimiter=delimiter)
    writer.writeheader()
    writer.writerows(rows)
    return text.getvalue().encode()
