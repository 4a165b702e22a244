"""What to do about a fault, in Hindi, by the fault's code.

Faults travel with their words in English only; every page, table or answer that shows one may ask here for the other.
"""

from collections.abc import Mapping
from functools import cache

from irnflow.gst import calculate, inv01, loose, normalise, rules


def fix_of(code: str) -> str | None:
    """The fix of every fault with this code, or None for codes that are not of the law.

    >>> fix_of("lines.none")
    'इनवॉइस में कम से कम एक मद जोड़ें।'
    """
    return _fixes().get(code)


@cache
def _fixes() -> Mapping[str, str]:
    kinds = (*rules.RULES, *normalise.NOTES, *calculate.NOTES, inv01.TOO_LARGE, loose.NOT_INV01)
    return {kind.code: kind.fix_hi for kind in kinds}
