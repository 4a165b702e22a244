"""What kind of supply it is, to whom and where, and when the document was made."""

from collections.abc import Iterator
from datetime import date, timedelta
from decimal import Decimal
from typing import Final

from irnflow.sandbox.law.case import EXPORTS, TO_SEZ, Case, Rule, Values, state_of
from irnflow.sandbox.law.masters import COUNTRIES, CURRENCIES, NO_PLACE_OF_SUPPLY, OTHER_COUNTRIES, PORTS, STATES
from irnflow.sandbox.law.parties import is_unregistered
from irnflow.sandbox.shape import calendar_date
from irnflow.sandbox.taxpayers import SEZ_DEVELOPER, SEZ_UNIT

OLDEST: Final = date(2022, 10, 1)  # NIC's recent notes; 1 Oct 2020 in earlier ones
# GSTN advisories of 13 Sep 2023 and 5 Nov 2024: days to report, the first included; turnover in crore, and since when.
DAYS_TO_REPORT: Final = 30
LIMITED: Final = ((Decimal(10), date(2025, 4, 1)), (Decimal(100), date(2023, 11, 1)))


def _unregistered_buyer(case: Case) -> Iterator[Values]:
    if is_unregistered(case) and case.supply not in EXPORTS | {"DEXP"}:
        yield (case.supply,)


def _unregistered_buyer_of_deemed_export(case: Case) -> Iterator[Values]:
    if is_unregistered(case) and case.supply == "DEXP":
        yield ()


def _registered_buyer_of_export(case: Case) -> Iterator[Values]:
    if not is_unregistered(case) and case.supply in EXPORTS:
        yield ()


def _export_to_a_buyer_in_india(case: Case) -> Iterator[Values]:
    if case.supply in EXPORTS and case.buyer_state in STATES - {OTHER_COUNTRIES}:
        yield (case.supply,)


def _export_supplied_in_india(case: Case) -> Iterator[Values]:
    if case.supply in EXPORTS and case.pos != OTHER_COUNTRIES:
        yield (case.supply,)


def _export_without_country(case: Case) -> Iterator[Values]:
    if case.supply in EXPORTS and not case.export.get("CntCode"):
        yield ()


def _unknown_port(case: Case) -> Iterator[Values]:
    port = case.export.get("Port")
    if port and port.upper() not in PORTS:
        yield ()


def _unknown_country(case: Case) -> Iterator[Values]:
    named = (case.export.get("CntCode"), *(item.get("OrgCntry") for item in case.items))
    if any(country and country not in COUNTRIES for country in named):
        yield ()


def _unknown_currency(case: Case) -> Iterator[Values]:
    currency = case.export.get("ForCur")
    if currency and currency.upper() not in CURRENCIES:
        yield ()


def _domestic_supply_abroad(case: Case) -> Iterator[Values]:
    if case.supply not in EXPORTS and case.pos == OTHER_COUNTRIES:
        yield (case.supply,)


def _no_place_of_supply(case: Case) -> Iterator[Values]:
    if case.supply not in EXPORTS and case.pos != OTHER_COUNTRIES and case.pos not in STATES - NO_PLACE_OF_SUPPLY:
        yield (case.supply,)


def _sez_buyer_of_another_supply(case: Case) -> Iterator[Values]:
    if case.is_domestic and case.taxpayers.kind_listed(case.buyer["Gstin"]) in {SEZ_UNIT, SEZ_DEVELOPER}:
        yield (case.supply,)


def _buyer_not_in_a_sez(case: Case) -> Iterator[Values]:
    kind = case.taxpayers.kind_listed(case.buyer["Gstin"])
    if case.supply in TO_SEZ and kind not in {SEZ_UNIT, SEZ_DEVELOPER, None}:
        yield (case.supply,)


def _shipped_elsewhere(case: Case) -> Iterator[Values]:
    if case.supply != "B2B" or not case.ship_to or case.pos not in STATES - NO_PLACE_OF_SUPPLY:
        return
    if state_of(case.ship_to) in STATES - {case.pos}:
        yield ()


def _reverse_charge_elsewhere(case: Case) -> Iterator[Values]:
    if case.reverse_charge and case.supply not in TO_SEZ | {"B2B"}:
        yield ()


def _igst_on_intra_between_states(case: Case) -> Iterator[Values]:
    if case.igst_on_intra and case.seller_state != case.pos:
        yield ()


# -- dates -----------------------------------------------------------------------------------------------------------


def _dated_in_the_future(case: Case) -> Iterator[Values]:
    if case.dated > case.today:
        yield ()


def _reported_late(case: Case) -> Iterator[Values]:
    for crore, since in LIMITED:
        if case.turnover_crore >= crore and case.today >= since:
            # Dated 1 April 2025: not after 30 April.
            if OLDEST <= case.dated <= case.today - timedelta(days=DAYS_TO_REPORT):
                yield (str(crore),)
            return


def _too_old(case: Case) -> Iterator[Values]:
    if case.dated < OLDEST:
        yield (f"- DocDtls.Dt is before {OLDEST:%d/%m/%Y}",)


def _period_reversed(case: Case) -> Iterator[Values]:
    period = case.references.get("DocPerdDtls")
    if period and calendar_date(period["InvStDt"]) > calendar_date(period["InvEndDt"]):
        yield ()


def _refers_to_the_future(case: Case) -> Iterator[Values]:
    for preceding in case.references.get("PrecDocDtls") or ():
        if calendar_date(preceding["InvDt"]) > case.today:
            yield ()


RULES: Final = (
    Rule("2212", "B2C is not accepted: a recipient without GSTIN only at exports.", _unregistered_buyer),
    Rule("2171", "The recipient of a deemed export has a GSTIN.", _unregistered_buyer_of_deemed_export),
    Rule("2248", "The recipient of an export is URP.", _registered_buyer_of_export),
    Rule("2261", "The recipient of an export is in other countries, 96.", _export_to_a_buyer_in_india),
    Rule("2232", "The place of supply of an export is 96.", _export_supplied_in_india),
    Rule("2208", "An export names its country.", _export_without_country),
    Rule("2201", "The port is in the master.", _unknown_port),
    Rule("2202", "Countries, of destination and of origin, are in the master.", _unknown_country),
    Rule("2203", "The currency is in the master.", _unknown_currency),
    Rule("2242", "Only exports are supplied in other countries.", _domestic_supply_abroad),
    Rule("2243", "The place of supply is a state of today.", _no_place_of_supply),
    Rule("2246", "A recipient in a SEZ is supplied as SEZWP or SEZWOP.", _sez_buyer_of_another_supply),
    Rule("2247", "SEZWP and SEZWOP are for recipients in a SEZ.", _buyer_not_in_a_sez),
    # Of the list of 2020; that of September 2023 has it no more.
    Rule("2245", "B2B goods are shipped to the place of supply.", _shipped_elsewhere, on_hold=True),
    Rule("2162", "Reverse charge is for B2B and SEZ.", _reverse_charge_elsewhere),
    Rule("2262", "IGST on intra needs supplier and supply in one state.", _igst_on_intra_between_states),
    Rule("2163", "No document is dated after today, in India.", _dated_in_the_future),
    Rule("2305", "Who turns over 10 crore reports within 30 days (100 crore until March 2025).", _reported_late),
    Rule("2140", "No document is older than October 2022.", _too_old),
    Rule("2218", "A document is referred to after it was made.", _refers_to_the_future),
    Rule("2219", "A period begins before it ends.", _period_reversed),
)
