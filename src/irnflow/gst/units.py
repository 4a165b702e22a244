"""Units: the quantity codes (UQC) that the portal knows, and other ways in which books write them.

Codes: `codes/units.csv`; other spellings: `codes/unit_spellings.csv`.
"""

import re
from collections.abc import Mapping
from functools import cache
from typing import Final

from irnflow.gst import codes

OTHER: Final = "OTH"
_BESIDE: Final = re.compile(r"\s*[-:/()]\s*")  # between a code and its description


def is_listed(code: str) -> bool:
    """Whether the portal has this unit; the list is closed and holds OTH for all others."""
    return code in _listed()


def code_of(written: str) -> str:
    """The unit's code, when `written` is a known spelling of it; else `written` in upper case, unchanged.

    >>> code_of("Kgs."), code_of("KGS-KILOGRAMS")
    ('KGS', 'KGS')
    """
    plain = written.upper().rstrip(".")
    return _known(plain) or _with_description(plain) or plain


def _known(plain: str) -> str | None:
    return plain if is_listed(plain) else _spellings().get(plain)


def _with_description(plain: str) -> str | None:
    """The code of KGS-KILOGRAMS or NOS (Numbers): the GST portal and others write both; None if they contradict."""
    parts = [part.rstrip(".") for part in _BESIDE.split(plain) if part]
    codes_named = {code for part in parts if (code := _known(part))}
    return codes_named.pop() if len(parts) == 2 and len(codes_named) == 1 else None


@cache
def _listed() -> frozenset[str]:
    return codes.column("units.csv")


@cache
def _spellings() -> Mapping[str, str]:
    described = {row["description"]: row["code"] for row in codes.rows("units.csv")}
    return described | {row["written"]: row["code"] for row in codes.rows("unit_spellings.csv")}
