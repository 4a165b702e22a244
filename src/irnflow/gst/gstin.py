"""GSTIN: the number of a registered person, 15 characters.

    29 AAFCC9980M 1 Z R
    |  |          | | check character
    |  |          | Z for regular taxpayers; D deducts tax at source, C collects it (e-commerce operators)
    |  |          which registration of this PAN in the state
    |  PAN
    state or union territory

Other persons (government offices, non-residents, foreign suppliers of online services, UN bodies and embassies) have
patterns of their own, in which no PAN stands.

Check character: base 36, weights 1, 2, 1, 2 ... from the left over the first 14, digits of each product summed.
Numbers of the portals' sandboxes fail patterns and check character alike, so they are let through only when asked.
Source: NIC's patterns by kind of taxpayer; the check character was recomputed against real numbers.
"""

import re
from enum import StrEnum
from functools import lru_cache
from typing import Final

from irnflow.gst import pan as pan_number

UNREGISTERED: Final = "URP"  # stands where a recipient has no GSTIN
_ALPHABET: Final = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"
_VALUE: Final = {character: value for value, character in enumerate(_ALPHABET)}
_LOOSE: Final = re.compile(r"[0-9]{2}[0-9A-Z]{13}")  # what INV-01 itself asks for


class Kind(StrEnum):
    """Who holds the number."""

    REGULAR = "regular"  # also composition, casual, SEZ units and developers
    GOVERNMENT = "government"  # department known by its TAN
    NON_RESIDENT = "non-resident"
    ONLINE_SERVICES = "online services"  # OIDAR: supplied from abroad
    UN_BODY = "un body"  # UIN: UN bodies, embassies
    TDS = "tds"
    TCS = "tcs"


# The first that fits counts: NIC's pattern for regular taxpayers lets the D of who deducts tax through as well.
_PATTERNS: Final = {
    Kind.TDS: re.compile(r"[0-9]{2}[A-Z]{4}[A-Z0-9][0-9]{4}[A-Z][1-9A-Z]D[0-9A-Z]"),
    Kind.TCS: re.compile(r"[0-9]{2}[A-Z]{5}[0-9]{4}[A-Z][1-9A-Z]C[0-9A-Z]"),
    Kind.REGULAR: re.compile(r"[0-9]{2}[A-Z]{5}[0-9]{4}[A-Z][1-9A-Z][Z1-9ABD-J][0-9A-Z]"),
    Kind.GOVERNMENT: re.compile(r"[0-9]{2}[A-Z]{4}[0-9]{5}[A-Z][0-9]Z[0-9]"),
    Kind.NON_RESIDENT: re.compile(r"[0-9]{4}[A-Z]{3}[0-9]{5}NR[0-9A-Z]"),
    Kind.ONLINE_SERVICES: re.compile(r"99[0-9]{2}[A-Z]{3}[0-9]{5}OS[0-9A-Z]"),
    Kind.UN_BODY: re.compile(r"[0-9]{4}[A-Z]{3}[0-9]{5}[UO]N[A-Z0-9]"),
}
# Only for these was the check character ever recomputed; the others are left to the portal,
# for refusing a sound GSTIN is worse than passing an unsound one.
_CHECKED: Final = frozenset({Kind.REGULAR, Kind.TDS, Kind.TCS})


@lru_cache(maxsize=4096)
def kind(gstin: str) -> Kind | None:
    """Whose number this is by its pattern, or None when no kind has such numbers."""
    return next((kind for kind, pattern in _PATTERNS.items() if pattern.fullmatch(gstin)), None)


@lru_cache(maxsize=4096)
def is_sound(gstin: str, *, accept_sandbox_numbers: bool = False) -> bool:
    """Whether it fits a kind and, where that kind is known to have one, its check character."""
    if accept_sandbox_numbers:
        return _LOOSE.fullmatch(gstin) is not None
    found = kind(gstin)
    return found is not None and (found not in _CHECKED or check_character(gstin[:14]) == gstin[14])


def check_character(first_14: str) -> str:
    """The fifteenth character that belongs to these.

    >>> check_character("29AAFCC9980M1Z")
    'R'
    """
    total = 0
    for position, character in enumerate(first_14):
        product = _VALUE[character] * (1 + position % 2)
        total += product // 36 + product % 36
    return _ALPHABET[-total % 36]


def is_transporter_id(number: str) -> bool:
    """Whether it has the form of a transporter's id: a GSTIN, or a TRANSIN, which looks like one.

    The check character is not compared: that of a TRANSIN may be wrong, as in 88AAACD8017H1ZX, where 88 stands in place
    of the state, and in 29AAFCA7488L1Z0, which the e-way bill system takes (india-compliance, issues 1044 and 2072).
    """
    return kind(number) is not None


def state(gstin: str) -> str:
    """Code of the state that it was issued for."""
    return gstin[:2]


def pan(gstin: str) -> str | None:
    """The PAN inside, or None for kinds that hold none; who deducts tax may be registered by a TAN instead."""
    inside = gstin[2:12]
    return inside if kind(gstin) in _CHECKED and pan_number.is_sound(inside) else None
