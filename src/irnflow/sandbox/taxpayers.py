"""Who is a taxpayer here, and what the portal's master says of each. Pure, but for reading the file.

Without `taxpayers.json` every sound GSTIN is an active regular taxpayer, so that anybody's sample company just
works; with it only those listed exist. A GSTIN is sound when its form and its check digit are right; the GSTINs of
the portals' own sandboxes fail the check digit, so a setting may let that pass.
"""

import re
from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path
from typing import Any, Final

import msgspec

UNREGISTERED: Final = "URP"  # stands in place of a recipient's GSTIN at exports
_FORM = re.compile(r"[0-9]{2}[0-9A-Z]{13}")
_ALPHABET: Final = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"


class Taxpayer(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One row of the master, in the words of the portal's GSTIN details."""

    gstin: str
    legal_name: str = "SANDBOX TAXPAYER"
    trade_name: str = "SANDBOX TAXPAYER"
    kind: str = "REG"  # TxpType; SEZ for a unit in a special economic zone
    status: str = "ACT"  # ACT, CNL, INA, PRO
    blocked: bool = False
    location: str = "SANDBOX"
    pin: int = 999999
    registered_on: str = "2017-07-01"
    deregistered_on: str | None = None

    def details(self) -> dict[str, Any]:
        """Data of the call for GSTIN details."""
        return {
            "Gstin": self.gstin,
            "TradeName": self.trade_name,
            "LegalName": self.legal_name,
            "AddrBnm": "",
            "AddrBno": "",
            "AddrFlno": "",
            "AddrSt": "",
            "AddrLoc": self.location,
            "StateCode": int(self.gstin[:2]),
            "AddrPncd": self.pin,
            "TxpType": self.kind,
            "Status": self.status,
            "BlkStatus": "B" if self.blocked else "U",
            "DtReg": self.registered_on,
            "DtDReg": self.deregistered_on,
        }


class Taxpayers(msgspec.Struct, frozen=True, kw_only=True):
    """The master."""

    listed: Mapping[str, Taxpayer] | None = None  # None: every sound GSTIN
    any_check_digit: bool = False  # let GSTINs pass whose check digit is wrong

    def is_sound(self, gstin: str) -> bool:
        """Whether it can be a GSTIN at all."""
        return bool(_FORM.fullmatch(gstin)) and (self.any_check_digit or check_digit(gstin) == gstin[-1])

    def find(self, gstin: str) -> Taxpayer | None:
        """What the master says of it; None when it doesn't know it."""
        if not self.is_sound(gstin):
            return None
        return Taxpayer(gstin=gstin) if self.listed is None else self.listed.get(gstin)

    def kind_listed(self, gstin: str) -> str | None:
        """TxpType where the master was given one; None where it only takes a GSTIN at its word."""
        taxpayer = (self.listed or {}).get(gstin)
        return taxpayer.kind if taxpayer else None


def read_taxpayers(file: Path, *, any_check_digit: bool) -> Taxpayers:
    """The master in `file`, a list of taxpayers; without the file everybody. Raises ValueError when it is not one."""
    if not file.exists():
        return Taxpayers(any_check_digit=any_check_digit)
    try:
        rows = msgspec.json.decode(file.read_bytes(), type=list[Taxpayer])
    except msgspec.MsgspecError as cause:
        raise ValueError(f"{file} is no list of taxpayers: {cause}; mend it or take it away") from cause
    return Taxpayers(listed={row.gstin: row for row in rows}, any_check_digit=any_check_digit)


@lru_cache(maxsize=10_000)
def check_digit(gstin: str) -> str:
    """The 15th character that belongs to the first 14: Luhn modulo 36, weights 1 and 2 in turn from the left.

    >>> check_digit("27AAPFU0939F1Z")
    'V'
    """
    total = 0
    for place, character in enumerate(gstin[:14]):
        product = (1 + place % 2) * _ALPHABET.index(character)
        total += product // 36 + product % 36
    return _ALPHABET[(36 - total % 36) % 36]
