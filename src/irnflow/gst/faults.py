"""What is wrong with an invoice, as a value: a stable code, the place, the words, the fix."""

from enum import StrEnum

import msgspec


class Severity(StrEnum):
    """Whether a fault stops the invoice or only tells a person."""

    REFUSED = "refused"
    WARNING = "warning"


class Fault(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One thing wrong at one place. The code is forever; the words may be mended."""

    code: str  # ours, stable: "totals.taxable_value"
    path: str  # INV-01 JSON path with line index: "ItemList[2].IgstAmt"; "" for the whole document
    says: str  # one plain sentence, with the values found
    fix: str = ""  # what the reader should do
    portal_code: str | None = None  # the portal's code for the same fault, as "2182"
    severity: Severity = Severity.REFUSED
