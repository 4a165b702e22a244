"""A document before the rules, and what a rule is."""

import math
from collections.abc import Callable, Iterator
from datetime import date
from decimal import Decimal
from typing import Any, Final

import msgspec

from irnflow.sandbox.shape import calendar_date
from irnflow.sandbox.taxpayers import SEZ_DEVELOPER, Taxpayers

Section = dict[str, Any]
Values = tuple[str, ...]  # fill {0}, {1} of the code's text

EXPORTS: Final = frozenset({"EXPWP", "EXPWOP"})
TO_SEZ: Final = frozenset({"SEZWP", "SEZWOP"})
WITHOUT_PAYMENT: Final = frozenset({"EXPWOP", "SEZWOP"})  # of tax: IGST may be 0

ZERO: Final = Decimal(0)


class Case(msgspec.Struct, frozen=True, kw_only=True):
    """A document before the rules, with what else they look at."""

    supply: str  # SupTyp in upper case
    kind: str  # Typ in upper case
    dated: date
    today: date  # in India
    caller: str  # the GSTIN that sends it
    transaction: Section
    seller: Section
    buyer: Section
    dispatch: Section | None
    ship_to: Section | None
    references: Section
    export: Section
    items: list[Section]
    totals: Section
    seller_state: str  # two digits, as are all states here
    buyer_state: str
    pos: str
    taxpayers: Taxpayers

    @property
    def is_domestic(self) -> bool:
        """B2B or deemed export: taxed by where supplier and place of supply are."""
        return self.supply not in EXPORTS | TO_SEZ

    @property
    def is_intra_state(self) -> bool:
        """Taxed with CGST and SGST. What a developer of a SEZ supplies never is."""
        in_one_state = self.is_domestic and self.seller_state == self.pos and not self.igst_on_intra
        return in_one_state and self.taxpayers.kind_listed(self.seller["Gstin"]) != SEZ_DEVELOPER

    @property
    def igst_on_intra(self) -> bool:
        return self.transaction.get("IgstOnIntra") == "Y"

    @property
    def reverse_charge(self) -> bool:
        return self.transaction.get("RegRev") == "Y"

    @property
    def is_note(self) -> bool:
        return self.kind in {"CRN", "DBN"}

    @property
    def turnover_crore(self) -> Decimal:
        """Of the supplier; 0 when nobody knows it, which another rule tells."""
        taxpayer = self.taxpayers.find(self.seller["Gstin"])
        return taxpayer.turnover_crore if taxpayer else ZERO


class Rule(msgspec.Struct, frozen=True):
    """One row of the law."""

    code: str
    says: str
    finds: Callable[[Case], Iterator[Values]]
    on_hold: bool = False  # announced, or of an old list: tried only when the switch held_rules says so


def case_of(document: Section, *, today: date, taxpayers: Taxpayers, caller: str | None = None) -> Case:
    """The document as the rules look at it; without `caller` the supplier itself sends it."""
    return Case(
        supply=document["TranDtls"]["SupTyp"].upper(),
        kind=document["DocDtls"]["Typ"].upper(),
        dated=calendar_date(document["DocDtls"]["Dt"]),
        today=today,
        caller=caller or document["SellerDtls"]["Gstin"],
        transaction=document["TranDtls"],
        seller=document["SellerDtls"],
        buyer=document["BuyerDtls"],
        dispatch=document.get("DispDtls"),
        ship_to=document.get("ShipDtls"),
        references=document.get("RefDtls") or {},
        export=document.get("ExpDtls") or {},
        items=document["ItemList"],
        totals=document["ValDtls"],
        seller_state=state_of(document["SellerDtls"]),
        buyer_state=state_of(document["BuyerDtls"]),
        pos=document["BuyerDtls"]["Pos"].zfill(2),
        taxpayers=taxpayers,
    )


def state_of(address: Section) -> str:
    """Stcd in two digits."""
    return str(address["Stcd"]).zfill(2)


def amount(section: Section, name: str) -> Decimal:
    """A number of the document, an int where it was sent without decimals; 0 when it was left out."""
    return section.get(name) or ZERO


def is_service(item: Section) -> bool:
    """Whether the line says that it is one."""
    return bool(item["IsServc"] == "Y")


def agrees(given: Decimal, calculated: Decimal) -> bool:
    """The portal's tolerance: from floor(calculated) - 1 to ceil(calculated) + 1 (Masters India section 13).

    >>> agrees(Decimal("2347.00"), Decimal("2345.34")), agrees(Decimal("2347.01"), Decimal("2345.34"))
    (True, False)
    """
    return math.floor(calculated) - 1 <= given <= math.ceil(calculated) + 1
