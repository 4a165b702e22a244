"""IRN: the hash that names a document at every Invoice Registration Portal.

    irn = hex(sha256(supplier GSTIN + financial year + document type + document number)), nothing between them

So it is known before the portal is asked: our idempotency key, and what a lost answer is looked up by.
Source: NIC, irn.html. How the number is written in it: `document_number.py`.
"""

from datetime import date
from hashlib import sha256

from irnflow.gst import document_number
from irnflow.gst.dates import financial_year


def irn(gstin: str, financial_year: str, doc_typ: str, doc_no: str) -> str:
    """64 hex digits.

    >>> irn("29AAFCC9980M1ZR", "2019-20", "INV", "2019-20/KA/1")[:8]
    '23f498ee'
    """
    return _sha256(hashed(gstin, financial_year, doc_typ, doc_no))


def registered_as(gstin: str, dated: date, doc_typ: str, doc_no: str, registered: date | None) -> list[str]:
    """The IRNs that the portal may have given a document, by the day on which it registered it (None: not known).

    Of a number with small letters there are two: as given until 31 May 2025, in upper case since. Which of them a
    document of an earlier financial year has that was registered since, no source says.
    """
    year, since = financial_year(dated), document_number.UPPER_CASE_FROM
    numbers = []
    if registered is None or registered >= since:
        numbers.append(doc_no.upper())
    if (registered or dated) < since or year < document_number.UPPER_CASE_SINCE:
        numbers.append(doc_no)
    return [_sha256(f"{gstin}{year}{doc_typ}{number}") for number in dict.fromkeys(numbers)]


def hashed(gstin: str, financial_year: str, doc_typ: str, doc_no: str) -> str:
    """The text that the IRN is the hash of."""
    return f"{gstin}{financial_year}{doc_typ}{document_number.as_hashed(doc_no, financial_year)}"


def _sha256(text: str) -> str:
    return sha256(text.encode()).hexdigest()
