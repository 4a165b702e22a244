"""Document number (DocDtls.No): 1 to 16 letters, digits, `/` and `-`, the first of them no 0, `/` or `-`.

It is unique for a supplier's GSTIN, financial year (April to March, of the document's date) and document type, and
spent when its IRN is cancelled. From 1 June 2025 capitals make no difference: the portal turns it to upper case before
it computes the IRN (GSTN advisory of 4 April 2025), so that inv/1 and INV/1 are one. Numbers of earlier financial years
were hashed as they were given. Source of the form: NIC's schema text of INV-01 1.1.
"""

import re
from datetime import date
from typing import Final

UPPER_CASE_SINCE: Final = "2025-26"
UPPER_CASE_FROM: Final = date(2025, 6, 1)  # by the day of registration
_FORM: Final = re.compile(r"[a-zA-Z1-9][a-zA-Z0-9/-]{0,15}")


def is_sound(number: str) -> bool:
    """Whether the portal takes a document of this number."""
    return _FORM.fullmatch(number) is not None


def as_hashed(number: str, financial_year: str) -> str:
    """As it goes into the IRN of a document of this financial year.

    >>> as_hashed("inv/1", "2025-26"), as_hashed("inv/1", "2024-25")
    ('INV/1', 'inv/1')
    """
    return number.upper() if financial_year >= UPPER_CASE_SINCE else number
