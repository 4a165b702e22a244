"""What the law must know beside the invoice: the day, and what is known of the tenant and its partners."""

from collections.abc import Mapping
from datetime import date
from decimal import Decimal
from enum import StrEnum
from typing import Final

import msgspec

TURNOVER_NOT_SAID: Final = Decimal(10)  # crore: whom the 30-day limit binds, the careful assumption
LINES_MAX: Final = 1000  # of a document; the portal may allow a GSTIN up to 5,000 on request (ClearTax)


class Status(StrEnum):
    """How a registration stands, as the portal's GSTIN details spell it."""

    ACTIVE = "ACT"
    CANCELLED = "CNL"
    INACTIVE = "INA"
    SUSPENDED = "SUS"  # may still receive invoices
    PROVISIONAL = "PRO"


# TxpType. Only REG is published; how a developer is written is our guess, so what isn't here is not judged by.
SEZ_DEVELOPER: Final = "SEZD"
_IN_ZONE: Final = {"REG": False, "SEZ": True, SEZ_DEVELOPER: True}


class Registration(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What the portal's GSTIN details say of one GSTIN."""

    kind: str | None = None  # TxpType
    status: Status | None = None  # None: not known, or not of today
    since: date | None = None  # DtReg
    until: date | None = None  # DtDReg: the day of de-registration


class Facts(msgspec.Struct, frozen=True, kw_only=True):
    """What the law must know beside the invoice. What isn't known is asked of no invoice."""

    day: date  # of sending, in India
    turnover_crore: Decimal = TURNOVER_NOT_SAID  # the supplier's aggregate annual turnover
    lines_max: int = LINES_MAX  # of a document, as the portal allows the supplier
    accept_sandbox_gstins: bool = False
    sent_by: str | None = None  # the GSTIN that sends it, where an e-commerce operator does; None: the supplier
    sez_gstins: frozenset[str] | None = None  # units and developers of special economic zones; None: not known
    sez_developers: frozenset[str] = frozenset()  # who develops such a zone: of those in it only these may supply
    registrations: Mapping[str, Registration] = {}  # by GSTIN; one that isn't here is not known

    def is_in_zone(self, gstin: str) -> bool | None:
        """Whether it is a unit or developer of a special economic zone; None: not known."""
        if gstin in self.sez_developers:
            return True
        if self.sez_gstins is not None:
            return gstin in self.sez_gstins
        known = self.registrations.get(gstin)
        return _IN_ZONE.get(known.kind or "") if known else None

    def develops_zone(self, gstin: str) -> bool:
        """Whether it is known as the developer of a special economic zone."""
        known = self.registrations.get(gstin)
        return gstin in self.sez_developers or (known is not None and known.kind == SEZ_DEVELOPER)
