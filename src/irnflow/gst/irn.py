"""IRN: the hash that names a document at every Invoice Registration Portal.

    irn = hex(sha256(supplier GSTIN + financial year + document type + document number)), nothing between them

So it is known before the portal is asked: our idempotency key, and what a lost answer is looked up by.
Source: NIC, irn.html. How the number is written in it: `document_number.py`.
"""

from datetime import date
from hashlib import sha256

from irnflow.gst import document_number


def irn(gstin: str, financial_year: str, doc_typ: str, doc_no: str) -> str:
    """64 hex digits.

    >>> irn("29AAFCC9980M1ZR", "2019-20", "INV", "2019-20/KA/1")[:8]
    '23f498ee'
    """
    return sha256(hashed(gstin, financial_year, doc_typ, doc_no).encode()).hexdigest()


def hashed(gstin: str, financial_year: str, doc_typ: str, doc_no: str) -> str:
    """The text that the IRN is the hash of."""
    return f"{gstin}{financial_year}{doc_typ}{document_number.as_hashed(doc_no, financial_year)}"


def financial_year(day: date) -> str:
    """April to March.

    >>> financial_year(date(2026, 3, 31))
    '2025-26'
    """
    first = day.year if day.month >= 4 else day.year - 1
    return f"{first}-{(first + 1) % 100:02}"
