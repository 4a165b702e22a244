"""Who is a taxpayer here, and what the portal's master says of each. Pure, but for reading the file.

Without `taxpayers.json` every sound GSTIN is an active regular taxpayer, so that anybody's sample company just
works; with it only those listed exist. A GSTIN is sound when it has the form of some kind of taxpayer and the check
digit is right where that kind is known to have one; the GSTINs of the portals' own sandboxes have neither, so a
setting may let them pass.
"""

import re
from collections.abc import Mapping
from datetime import date
from decimal import Decimal
from functools import lru_cache
from pathlib import Path
from typing import Any, Final

import msgspec

from irnflow.errors import BadInput

UNREGISTERED: Final = "URP"  # stands in place of a recipient's GSTIN at exports

REGULAR, SEZ_UNIT, SEZ_DEVELOPER = "REG", "SEZ", "SED"  # TxpType; also CTP, a casual taxpayer
# Composition, input service distributor, deductor and collector of tax, UN body: 2300 as suppliers.
NO_SUPPLIERS: Final = frozenset({"COM", "ISD", "TDS", "TCS", "UNB"})
_SEZ_DEVELOPER_ONCE: Final = "SEZD"  # how older files of this sandbox write it
ITEMS_MAX: Final = 1000  # of a document
TAKEN_AT_ITS_WORD: Final = ""  # it may be regular or in a zone, as each document says
ACTIVE, PROVISIONAL, SUSPENDED, CANCELLED = "ACT", "PRO", "SUS", "CNL"  # Status; also INA

_LOOSE: Final = re.compile(r"[0-9]{2}[0-9A-Z]{13}")  # all that INV-01 asks for
_OPERATOR: Final = re.compile(r"[0-9]{2}[A-Z]{5}[0-9]{4}[A-Z][1-9A-Z]C[0-9A-Z]")  # e-commerce; collects tax (TCS)
_DEDUCTOR: Final = re.compile(r"[0-9]{2}[A-Z]{4}[A-Z0-9][0-9]{4}[A-Z][1-9A-Z]D[0-9A-Z]")
_UN_BODY: Final = re.compile(r"[0-9]{4}[A-Z]{3}[0-9]{5}[UO]N[A-Z0-9]")
# NIC's patterns by kind of taxpayer. With a check digit: regular, deductors of tax (TDS), operators.
_CHECKED: Final = (
    re.compile(r"[0-9]{2}[A-Z]{5}[0-9]{4}[A-Z][1-9A-Z][Z1-9ABD-J][0-9A-Z]"),
    _DEDUCTOR,
    _OPERATOR,
)
# Of the others nobody has told: government offices, non-residents, online services from abroad, UN bodies.
_UNCHECKED: Final = (
    re.compile(r"[0-9]{2}[A-Z]{4}[0-9]{5}[A-Z][0-9]Z[0-9]"),
    re.compile(r"[0-9]{4}[A-Z]{3}[0-9]{5}NR[0-9A-Z]"),
    re.compile(r"99[0-9]{2}[A-Z]{3}[0-9]{5}OS[0-9A-Z]"),
    _UN_BODY,
)
_KIND_BY_FORM: Final = (("TDS", _DEDUCTOR), ("TCS", _OPERATOR), ("UNB", _UN_BODY))
_ALPHABET: Final = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"


class Taxpayer(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One row of the master, in the words of the portal's GSTIN details."""

    gstin: str
    legal_name: str = "SANDBOX TAXPAYER"
    trade_name: str = "SANDBOX TAXPAYER"
    kind: str = REGULAR  # TxpType; SEZ for a unit in a special economic zone, SED for who develops one
    status: str = ACTIVE  # SUS, CNL, INA, PRO
    blocked: bool = False
    # Aggregate annual turnover: above 5 crore e-invoices are a duty, from 10 they are due within 30 days.
    turnover_crore: Decimal = Decimal(8)
    lines_max: int = ITEMS_MAX  # NIC allows more, up to 5,000, to who asks for it
    location: str = "SANDBOX"
    pin: int = 999999
    registered_on: date | None = date(2017, 7, 1)
    deregistered_on: date | None = None

    def __post_init__(self) -> None:
        if self.kind == _SEZ_DEVELOPER_ONCE:
            msgspec.structs.force_setattr(self, "kind", SEZ_DEVELOPER)

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
    any_check_digit: bool = False  # let GSTINs pass that no kind has, or whose check digit is wrong

    def is_sound(self, gstin: str) -> bool:
        """Whether it can be a GSTIN at all."""
        return _LOOSE.fullmatch(gstin) is not None if self.any_check_digit else is_sound(gstin)

    def find(self, gstin: str) -> Taxpayer | None:
        """What the master says of it; None when it doesn't know it."""
        if not self.is_sound(gstin):
            return None
        return Taxpayer(gstin=gstin, kind=TAKEN_AT_ITS_WORD) if self.listed is None else self.listed.get(gstin)

    def kind_listed(self, gstin: str) -> str | None:
        """TxpType where the master was given one; None where it only takes a GSTIN at its word."""
        taxpayer = (self.listed or {}).get(gstin)
        return taxpayer.kind if taxpayer else None

    def kind_told(self, gstin: str) -> str | None:
        """TxpType as the form of the number shows it, else as listed; None: it may be any."""
        forms = () if self.any_check_digit else _KIND_BY_FORM
        return next((kind for kind, form in forms if form.fullmatch(gstin)), self.kind_listed(gstin))

    def may_carry(self, transporter: str) -> bool:
        """Whether this transporter is active; the master lacks those whose id is a TRANSIN and no GSTIN."""
        taxpayer = (self.listed or {}).get(transporter)
        if taxpayer:
            return taxpayer.status == ACTIVE
        return self.listed is None or not is_sound(transporter)

    def has_form(self, transporter: str) -> bool:
        """Whether it can be a GSTIN or TRANSIN; the check digit of a TRANSIN may be any."""
        forms = (_LOOSE,) if self.any_check_digit else _CHECKED + _UNCHECKED
        return any(form.fullmatch(transporter) for form in forms)

    def lines_max(self, gstin: str) -> int:
        """How many items its documents may have."""
        taxpayer = (self.listed or {}).get(gstin)
        return taxpayer.lines_max if taxpayer else ITEMS_MAX

    def is_operator(self, gstin: str) -> bool:
        """Whether it is of an e-commerce operator, who collects tax at source."""
        return self.any_check_digit or _OPERATOR.fullmatch(gstin) is not None


def read_taxpayers(file: Path, *, any_check_digit: bool) -> Taxpayers:
    """The master in `file`, a list of taxpayers; without the file everybody. Raises BadInput when it is not one."""
    if not file.exists():
        return Taxpayers(any_check_digit=any_check_digit)
    try:
        rows = msgspec.json.decode(file.read_bytes(), type=list[Taxpayer])
    except msgspec.MsgspecError as cause:
        raise BadInput(f"{file} is no list of taxpayers: {cause}; mend it or take it away") from cause
    return Taxpayers(listed={row.gstin: row for row in rows}, any_check_digit=any_check_digit)


@lru_cache(maxsize=10_000)
def is_sound(gstin: str) -> bool:
    """Whether some kind of taxpayer has such numbers, and the check digit is right where that kind has one."""
    if any(pattern.fullmatch(gstin) for pattern in _CHECKED):
        return check_digit(gstin) == gstin[-1]
    return any(pattern.fullmatch(gstin) for pattern in _UNCHECKED)


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
