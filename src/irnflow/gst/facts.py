"""What the law must know beside the invoice: the day, and what is known of the tenant and its partners."""

from collections.abc import Mapping
from datetime import date
from decimal import Decimal
from enum import StrEnum
from typing import Final

import msgspec

TURNOVER_NOT_SAID: Final = Decimal(10)  # crore: whom the 30-day limit binds, the careful assumption


class Status(StrEnum):
    """How a registration stands, as the portal's GSTIN details spell it."""

    ACTIVE = "ACT"
    CANCELLED = "CNL"
    INACTIVE = "INA"
    SUSPENDED = "SUS"  # may still receive invoices
    PROVISIONAL = "PRO"


class Registration(msgspec.Struct, frozen=True, kw_only=True):
    """What the portal's GSTIN details say of one GSTIN."""

    status: Status
    since: date | None = None  # DtReg
    until: date | None = None  # DtDReg: the day of de-registration


class Facts(msgspec.Struct, frozen=True, kw_only=True):
    """What the law must know beside the invoice. What isn't known is asked of no invoice."""

    day: date  # of sending, in India
    turnover_crore: Decimal = TURNOVER_NOT_SAID  # the supplier's aggregate annual turnover
    accept_sandbox_gstins: bool = False
    sent_by: str | None = None  # the GSTIN that sends it, where an e-commerce operator does; None: the supplier
    sez_gstins: frozenset[str] | None = None  # units and developers of special economic zones; None: not known
    sez_developers: frozenset[str] = frozenset()  # those of them that develop a zone: only these may be suppliers
    registrations: Mapping[str, Registration] = {}  # by GSTIN; one that isn't here is not known
