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


class TaxpayerType(StrEnum):
    """TxpType of the portal's GSTIN details (Masters India section 13.1, item 38). An unlisted type is not judged."""

    REGULAR = "REG"
    COMPOSITION = "COM"
    CASUAL = "CTP"
    SEZ_UNIT = "SEZ"
    SEZ_DEVELOPER = "SED"
    UN_BODY = "UNB"
    INPUT_SERVICE_DISTRIBUTOR = "ISD"
    TDS = "TDS"
    TCS = "TCS"


# Who makes no e-invoices and receives no deemed exports, in words.
RESTRICTED_TYPES: Final[Mapping[TaxpayerType | None, str]] = {
    TaxpayerType.COMPOSITION: "a composition taxpayer",
    TaxpayerType.INPUT_SERVICE_DISTRIBUTOR: "an input service distributor",
    TaxpayerType.TDS: "a deductor of tax at source (TDS)",
    TaxpayerType.TCS: "a collector of tax at source (TCS)",
    TaxpayerType.UN_BODY: "a UN body or embassy",
}
_IN_ZONE: Final = frozenset({TaxpayerType.SEZ_UNIT, TaxpayerType.SEZ_DEVELOPER})
_OLD_WORDS: Final = {"SEZD": TaxpayerType.SEZ_DEVELOPER}  # how irnflow itself once wrote a developer
_TYPES: Final[Mapping[str, TaxpayerType]] = {member.value: member for member in TaxpayerType} | _OLD_WORDS


class Registration(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What the portal's GSTIN details say of one GSTIN."""

    kind: str | None = None  # TxpType
    status: Status | None = None  # None: not known, or not of today
    since: date | None = None  # DtReg
    until: date | None = None  # DtDReg: the day of de-registration

    @property
    def taxpayer_type(self) -> TaxpayerType | None:
        """What kind of taxpayer it is; None: not known, or a type that no list has."""
        return _TYPES.get(self.kind or "")


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
    held_rules: bool = False  # apply the rules that are on hold too: to see what they would refuse if they came back

    def is_in_zone(self, gstin: str) -> bool | None:
        """Whether it is a unit or developer of a special economic zone; None: not known."""
        if gstin in self.sez_developers:
            return True
        if self.sez_gstins is not None:
            return gstin in self.sez_gstins
        known = self.taxpayer_type(gstin)
        return known in _IN_ZONE if known else None

    def develops_zone(self, gstin: str) -> bool:
        """Whether it is known as the developer of a special economic zone."""
        return gstin in self.sez_developers or self.taxpayer_type(gstin) is TaxpayerType.SEZ_DEVELOPER

    def taxpayer_type(self, gstin: str) -> TaxpayerType | None:
        """What kind of taxpayer the portal says it is; None: not known."""
        known = self.registrations.get(gstin)
        return known.taxpayer_type if known else None
