"""Who supplies whom: their GSTINs in the master, their states, their PINs."""

from collections.abc import Callable, Iterator
from datetime import date
from typing import Final

from irnflow.sandbox.law.case import EXPORTS, Case, Rule, Section, Values, state_of
from irnflow.sandbox.law.masters import NO_PIN, OTHER_COUNTRIES, STATES, STATES_BY_PIN3
from irnflow.sandbox.taxpayers import (
    ACTIVE,
    CANCELLED,
    NO_SUPPLIERS,
    PROVISIONAL,
    SEZ_UNIT,
    SUSPENDED,
    UNREGISTERED,
    Taxpayer,
)

_MAY_SUPPLY: Final = frozenset({ACTIVE, PROVISIONAL})  # nothing is published against the provisional
_MAY_BE_SUPPLIED: Final = _MAY_SUPPLY | {SUSPENDED}


def is_unregistered(case: Case) -> bool:
    """Whether the recipient has no GSTIN."""
    return bool(case.buyer["Gstin"] == UNREGISTERED)


def _unknown(case: Case) -> Iterator[Values]:
    for gstin in (*_others(case), case.buyer["Gstin"]):
        if gstin != UNREGISTERED and not case.taxpayers.find(gstin):
            yield (gstin,)


def _inactive(case: Case) -> Iterator[Values]:
    """Everybody but the recipient, who is judged by the day of the document."""
    supplier = case.taxpayers.find(case.seller["Gstin"])
    # Release notes of API 1.04: a cancelled supplier registers what is dated before.
    if supplier and supplier.status not in _MAY_SUPPLY and not _cancelled_after(supplier, case.dated):
        yield (supplier.gstin,)
    for gstin, may_be in ((_ship_to(case), _MAY_BE_SUPPLIED), (case.transaction.get("EcmGstin"), _MAY_SUPPLY)):
        taxpayer = case.taxpayers.find(gstin) if gstin else None
        if taxpayer and taxpayer.status not in may_be:
            yield (taxpayer.gstin,)


def _others(case: Case) -> list[str]:
    """Everybody's GSTIN but the recipient's."""
    given = (case.seller["Gstin"], _ship_to(case), case.transaction.get("EcmGstin"))
    return [gstin for gstin in given if gstin and gstin != UNREGISTERED]


def _ship_to(case: Case) -> str | None:
    """The GSTIN in the ship-to address."""
    gstin = (case.ship_to or {}).get("Gstin")
    return gstin if gstin != UNREGISTERED else None


def _cancelled_after(taxpayer: Taxpayer, dated: date) -> bool:
    ended = taxpayer.deregistered_on
    return taxpayer.status == CANCELLED and ended is not None and dated <= ended


def _no_supplier(case: Case) -> Iterator[Values]:
    if case.taxpayers.kind_told(case.seller["Gstin"]) in NO_SUPPLIERS:
        yield ()


def _recipient(is_wrong: Callable[[Taxpayer, date], bool]) -> Callable[[Case], Iterator[Values]]:
    """A finder: the recipient, as the master knows it, on the day of the document."""

    def finds(case: Case) -> Iterator[Values]:
        taxpayer = case.taxpayers.find(case.buyer["Gstin"])
        if taxpayer and is_wrong(taxpayer, case.dated):
            yield taxpayer.gstin, f"{case.dated:%d/%m/%Y}"

    return finds


def _inactive_recipient(taxpayer: Taxpayer, dated: date) -> bool:
    return taxpayer.status not in _MAY_BE_SUPPLIED | {CANCELLED}


def _before_registration(taxpayer: Taxpayer, dated: date) -> bool:
    return taxpayer.registered_on is not None and dated < taxpayer.registered_on


def _active_before_registration(taxpayer: Taxpayer, dated: date) -> bool:
    return taxpayer.status in {ACTIVE, SUSPENDED} and _before_registration(taxpayer, dated)


def _cancelled_before_registration(taxpayer: Taxpayer, dated: date) -> bool:
    return taxpayer.status == CANCELLED and _before_registration(taxpayer, dated)


def _cancelled_by_then(taxpayer: Taxpayer, dated: date) -> bool:
    ended = taxpayer.deregistered_on
    return taxpayer.status == CANCELLED and ended is not None and dated > ended


def _cancelled_on_no_day(taxpayer: Taxpayer, dated: date) -> bool:
    return taxpayer.status == CANCELLED and taxpayer.deregistered_on is None


def _registered_on_no_day(taxpayer: Taxpayer, dated: date) -> bool:
    return taxpayer.status == CANCELLED and taxpayer.registered_on is None


def _supplier_in_a_sez(case: Case) -> Iterator[Values]:
    if case.taxpayers.kind_listed(case.seller["Gstin"]) == SEZ_UNIT:
        yield (case.seller["Gstin"],)


def _sold_to_oneself(case: Case) -> Iterator[Values]:
    if case.seller["Gstin"] == case.buyer["Gstin"]:
        yield ()


def _shipped_to_the_recipient(case: Case) -> Iterator[Values]:
    if _ship_to(case) == case.buyer["Gstin"]:
        yield ()


def _ship_to_state_of_another_gstin(case: Case) -> Iterator[Values]:
    gstin = _ship_to(case)
    if gstin and case.ship_to and gstin[:2] != state_of(case.ship_to):
        yield ()


def _no_operator(case: Case) -> Iterator[Values]:
    gstin = case.transaction.get("EcmGstin")
    if gstin and not case.taxpayers.is_operator(gstin):
        yield ()


def _operator_named_by_the_supplier(case: Case) -> Iterator[Values]:
    gstin = case.transaction.get("EcmGstin")
    if gstin and case.caller == case.seller["Gstin"] and case.taxpayers.is_operator(gstin):
        yield ()


# -- states ----------------------------------------------------------------------------------------------------------


def _unknown_seller_state(case: Case) -> Iterator[Values]:
    if case.seller_state not in STATES - {OTHER_COUNTRIES}:
        yield ()


def _unknown_buyer_state(case: Case) -> Iterator[Values]:
    if case.buyer_state not in STATES:
        yield ()


def _unknown_states_of_the_way(case: Case) -> Iterator[Values]:
    for address in (case.dispatch, case.ship_to):
        if address and state_of(address) not in STATES:
            yield (state_of(address),)


def _seller_state_of_another_gstin(case: Case) -> Iterator[Values]:
    if case.seller_state in STATES and case.seller["Gstin"][:2] != case.seller_state:
        yield ()


def _buyer_state_of_another_gstin(case: Case) -> Iterator[Values]:
    if is_unregistered(case) or case.supply in EXPORTS or case.buyer_state not in STATES:
        return
    if case.buyer["Gstin"][:2] != case.buyer_state:
        yield ()


# -- PINs ------------------------------------------------------------------------------------------------------------


def _buyer_without_pin(case: Case) -> Iterator[Values]:
    if case.buyer.get("Pin") is None:
        yield (case.supply,)


def _unknown_pins(case: Case) -> Iterator[Values]:
    for party, address in _addresses(case):
        if address["Pin"] != NO_PIN and _states_of(address["Pin"]) is None:
            yield party, str(address["Pin"])


def _pins_of_other_states(case: Case) -> Iterator[Values]:
    for party, address in _addresses(case):
        states = frozenset() if address["Pin"] == NO_PIN else _states_of(address["Pin"])
        if states is not None and state_of(address) in _WITH_PINS - states:
            yield party, str(address["Pin"]), state_of(address)
    if case.supply in EXPORTS and case.buyer.get("Pin") not in {NO_PIN, None}:
        yield "Buyer", str(case.buyer["Pin"]), OTHER_COUNTRIES


def _dispatched_from_abroad(case: Case) -> Iterator[Values]:
    if case.dispatch and case.dispatch["Pin"] == NO_PIN and state_of(case.dispatch) == OTHER_COUNTRIES:
        yield ()


def _states_of(pin: int) -> frozenset[str] | None:
    """Where a PIN may lie: the first three digits decide, for no master holds every PIN."""
    return STATES_BY_PIN3.get(pin // 1000)


_WITH_PINS: Final = frozenset[str]().union(*STATES_BY_PIN3.values())  # Other Territory has none of its own


def _addresses(case: Case) -> Iterator[tuple[str, Section]]:
    places = (("Seller", case.seller), ("Buyer", case.buyer), ("Dispatch", case.dispatch), ("Ship", case.ship_to))
    for party, address in places:
        if address and address.get("Pin") is not None:
            yield party, address


RULES: Final = (
    Rule("3028", "Every GSTIN is in the master: form, check digit, listed.", _unknown),
    Rule("3029", "Supplier, ship-to party and operator are active today; the supplier was on that day.", _inactive),
    Rule("3076", "The recipient is not inactive.", _recipient(_inactive_recipient)),
    Rule("3079", "An active recipient was registered by then.", _recipient(_active_before_registration)),
    Rule("3077", "A cancelled recipient was registered by then.", _recipient(_cancelled_before_registration)),
    Rule("3074", "A cancelled recipient was not cancelled by then.", _recipient(_cancelled_by_then)),
    Rule("3075", "It is known when a recipient was cancelled.", _recipient(_cancelled_on_no_day)),
    Rule("3078", "It is known when a cancelled recipient was registered.", _recipient(_registered_on_no_day)),
    Rule("2231", "A unit in a SEZ makes no e-invoices.", _supplier_in_a_sez),
    Rule("2300", "The supplier is a regular taxpayer, or develops a SEZ.", _no_supplier),
    Rule("2211", "Supplier and recipient are two.", _sold_to_oneself),
    # Announced for 1 August 2026, on hold since 29 July (GSTN advisory 668).
    Rule("2323", "A ship-to GSTIN is not the recipient's.", _shipped_to_the_recipient, on_hold=True),
    Rule("2325", "The ship-to state is that of its GSTIN.", _ship_to_state_of_another_gstin, on_hold=True),
    Rule("2195", "An e-commerce operator collects tax at source.", _no_operator),
    Rule("2224", "A supplier who invoices itself names no operator.", _operator_named_by_the_supplier),
    Rule("2259", "The supplier's state is one of India.", _unknown_seller_state),
    Rule("2260", "The recipient's state has a code.", _unknown_buyer_state),
    Rule("2200", "The states of dispatch and ship-to have codes.", _unknown_states_of_the_way),
    Rule("2258", "The supplier's state is that of its GSTIN.", _seller_state_of_another_gstin),
    Rule("2265", "The recipient's state is that of its GSTIN, exports apart.", _buyer_state_of_another_gstin),
    Rule("2244", "The recipient has a PIN code, whatever the schema says.", _buyer_without_pin),
    Rule("2273", "Goods are not dispatched from abroad.", _dispatched_from_abroad),
    Rule("3038", "Every PIN is one of India's, 999999 apart.", _unknown_pins),
    Rule("3039", "Every PIN lies in its state, 999999 in none; exports go to 999999.", _pins_of_other_states),
)
