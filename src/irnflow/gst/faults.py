"""What is wrong with an invoice, as a value: a stable code, the place, the words, the fix.

Hindi doesn't travel: a fix quotes nothing of the invoice (what was found stands in `says`), so it is the same for all
faults of one code, and `hindi.fix_of(code)` gives it wherever a fault is shown.
"""

import re
from decimal import Decimal
from enum import StrEnum
from typing import Any, Final

import msgspec

from irnflow.gst.money import written

FOUND_CHARACTERS_MAX: Final = 60  # of a found text that a sentence quotes
_IN_LINE: Final = re.compile(r"ItemList\[(\d+)\]\.(.+)")


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


class Kind(msgspec.Struct, frozen=True, kw_only=True):
    """What all faults of one code have in common: one row. Every rule is one, and so is every note of a pass."""

    code: str
    says: str  # a format over what is found: "HSN {found} has too few digits."
    fix: str
    fix_hi: str  # the same in Hindi
    portal_code: str | None = None
    severity: Severity = Severity.REFUSED

    def fault(self, path: str, /, **found: object) -> Fault:
        """The fault of this kind at one place."""
        shown = {name: shorten(value) for name, value in found.items()}
        return Fault(
            code=self.code,
            path=path,
            says=self.says.format_map(shown),
            fix=self.fix,
            portal_code=self.portal_code,
            severity=self.severity,
        )


def in_words(path: str) -> str:
    """A path as a sentence names it, whose reader counts lines from 1: "HsnCd of line 2" for "ItemList[1].HsnCd"."""
    line = _IN_LINE.fullmatch(path)
    return f"{line[2]} of line {int(line[1]) + 1}" if line else path


def shorten(value: Any) -> str:
    """A found value as a sentence shows it: bounded, whatever somebody put there; a bare number is in rupees."""
    if value is None:
        return "(blank)"
    text = written(value) if isinstance(value, Decimal) else str(value)
    return text if len(text) <= FOUND_CHARACTERS_MAX else text[:FOUND_CHARACTERS_MAX] + "..."


def sentence(text: str) -> str:
    """A message as a sentence: its first letter a capital, all others as they are, unlike with `str.capitalize`."""
    return f"{text[:1].upper()}{text[1:]}."
