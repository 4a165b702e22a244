"""What to do about a fault, in Hindi, by the fault's code.

Faults travel with their words in English only; every page, table or answer that shows one may ask here for the other.
"""

from collections.abc import Mapping
from functools import cache

from irnflow.gst import calculate, inv01, loose, normalise, rules
from irnflow.gst.faults import Kind
from irnflow.gst.portal_codes import portal_code


def fix_of(code: str) -> str | None:
    """The fix of every fault with this code, or None for codes that are neither of the law nor of the portal.

    >>> fix_of("lines.none")
    'इनवॉइस में कम से कम एक मद जोड़ें।'
    """
    if code.startswith("portal."):
        entry = portal_code(code.removeprefix("portal."))
        return entry.fix_hi if entry else None
    kind = kinds().get(code)
    return kind.fix_hi if kind else None


@cache
def kinds() -> Mapping[str, Kind]:
    """Every kind of fault of the law, by its code."""
    kinds = (*rules.RULES, *normalise.NOTES, *calculate.NOTES, inv01.TOO_LARGE, *loose.KINDS)
    return {kind.code: kind for kind in kinds}
