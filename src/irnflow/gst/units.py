"""Units: the quantity codes (UQC) that the portal knows, and other ways in which books write them.

Codes: `codes/units.csv`; other spellings: `codes/unit_spellings.csv`.
"""

from collections.abc import Mapping
from functools import cache

from irnflow.gst import codes


def is_listed(code: str) -> bool:
    """Whether the portal has this unit; the list is closed and holds OTH for all others."""
    return code in _listed()


def code_of(written: str) -> str:
    """The unit's code, when `written` is a known spelling of it; else `written` in upper case, unchanged.

    >>> code_of("Kgs.")
    'KGS'
    """
    plain = written.upper().rstrip(".")
    return plain if is_listed(plain) else _spellings().get(plain, plain)


@cache
def _listed() -> frozenset[str]:
    return codes.column("units.csv")


@cache
def _spellings() -> Mapping[str, str]:
    described = {row["description"]: row["code"] for row in codes.rows("units.csv")}
    return described | {row["written"]: row["code"] for row in codes.rows("unit_spellings.csv")}
