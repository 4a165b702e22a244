"""What kind of supply it is, to whom, and where it is supplied."""

from collections.abc import Callable, Iterator
from datetime import date
from typing import Final

from irnflow.gst import countries, currencies, pin, ports, pos, supply
from irnflow.gst.facts import RESTRICTED_TYPES, TaxpayerType
from irnflow.gst.faults import Severity
from irnflow.gst.gstin import UNREGISTERED
from irnflow.gst.rules.case import Case
from irnflow.gst.rules.row import Finder, Place, Rule, at

_BUSINESS: Final = "NIC business validations (copies of ClearTax, Masters India section 13)"
_BLOCKING: Final = "e-invoice GST validations version 1.03 (taxguru)"
_REVERSE_CHARGE: Final = frozenset({"B2B"}) | supply.TO_SEZ
_NOT_LISTED_SINCE: Final = date(2023, 9, 1)
_RECIPIENTS: Final = "Masters India section 13.1, items 34 and 35; the portal's code for it is not known"


def _unregistered_recipient(case: Case) -> Iterator[Place]:
    if case.buyer.gstin == UNREGISTERED and case.sup_typ and not case.is_export and case.sup_typ != "DEXP":
        yield at("BuyerDtls.Gstin", sup_typ=case.sup_typ)


def _unregistered_recipient_of_deemed_export(case: Case) -> Iterator[Place]:
    if case.buyer.gstin == UNREGISTERED and case.sup_typ == "DEXP":
        yield at("BuyerDtls.Gstin")


def _registered_recipient_of_export(case: Case) -> Iterator[Place]:
    number = case.buyer.gstin
    if case.is_export and number is not None and number != UNREGISTERED and "BuyerDtls.Gstin" not in case.ill:
        yield at("BuyerDtls.Gstin", found=number)


def _export_to_a_state(case: Case) -> Iterator[Place]:
    state = case.buyer.stcd
    if case.is_export and state in pos.states() and state != pos.OTHER_COUNTRIES:
        yield at("BuyerDtls.Stcd", found=state)


def _export_supplied_in_india(case: Case) -> Iterator[Place]:
    place = case.buyer.pos
    if case.is_export and place is not None and place != pos.OTHER_COUNTRIES and "BuyerDtls.Pos" not in case.ill:
        yield at("BuyerDtls.Pos", found=place)


def _export_to_a_pin(case: Case) -> Iterator[Place]:
    given = case.buyer.pin
    if case.is_export and given is not None and given != pin.ABROAD and "BuyerDtls.Pin" not in case.ill:
        yield at("BuyerDtls.Pin", found=given)


def _export_without_country(case: Case) -> Iterator[Place]:
    if case.is_export and not case.export.cnt_code:
        yield at("ExpDtls.CntCode")


def _recipient_is_no_sez(case: Case) -> Iterator[Place]:
    number = case.buyer.gstin
    if case.sup_typ not in supply.TO_SEZ or not number or number == UNREGISTERED:
        return
    if case.facts.is_in_zone(number) is False:
        yield at("BuyerDtls.Gstin", found=number, sup_typ=case.sup_typ)


def _recipient_is_sez(case: Case) -> Iterator[Place]:
    number = case.buyer.gstin
    if case.sup_typ in supply.DOMESTIC and number and case.facts.is_in_zone(number):
        yield at("BuyerDtls.Gstin", found=number, sup_typ=case.sup_typ)


def _unlisted(path: str, code_of: Callable[[Case], str | None], is_listed: Callable[[str], bool]) -> Finder:
    def finds(case: Case) -> Iterator[Place]:
        code = code_of(case)
        if code is not None and path not in case.ill and not is_listed(code):
            yield at(path, found=code)

    return finds


def _supplied_abroad(case: Case) -> Iterator[Place]:
    if case.buyer.pos == pos.OTHER_COUNTRIES and case.sup_typ and not case.is_export:
        yield at("BuyerDtls.Pos", sup_typ=case.sup_typ)


def _no_place_of_supply(case: Case) -> Iterator[Place]:
    place = case.buyer.pos
    if place is None or case.is_export or "BuyerDtls.Pos" in case.ill:
        return
    if not pos.is_place_of_supply(place):
        yield at("BuyerDtls.Pos", found=place)


def _shipped_elsewhere(case: Case) -> Iterator[Place]:
    state, place = case.ship.stcd, case.buyer.pos
    if case.sup_typ != "B2B" or not state or not place:
        return
    if state != place and state in pos.states() and pos.is_place_of_supply(place):
        yield at("ShipDtls.Stcd", found=state, pos=place)


def _reverse_charge_elsewhere(case: Case) -> Iterator[Place]:
    if case.transaction.reg_rev == "Y" and case.sup_typ and case.sup_typ not in _REVERSE_CHARGE:
        yield at("TranDtls.RegRev", sup_typ=case.sup_typ)


def _reverse_charge_to_distributor(case: Case) -> Iterator[Place]:
    kind = case.facts.taxpayer_type(case.buyer.gstin or "")
    if case.transaction.reg_rev == "Y" and kind is TaxpayerType.INPUT_SERVICE_DISTRIBUTOR:
        yield at("BuyerDtls.Gstin", found=case.buyer.gstin)


def _deemed_export_to_another(case: Case) -> Iterator[Place]:
    kind = case.facts.taxpayer_type(case.buyer.gstin or "")
    if case.sup_typ == "DEXP" and kind in RESTRICTED_TYPES:
        yield at("BuyerDtls.Gstin", found=case.buyer.gstin, type=RESTRICTED_TYPES[kind])


def _igst_on_intra_between_states(case: Case) -> Iterator[Place]:
    state, place = case.seller.stcd, case.buyer.pos
    if case.transaction.igst_on_intra == "Y" and state in pos.states() and place in pos.states() and state != place:
        yield at("TranDtls.IgstOnIntra", stcd=state, pos=place)


def _igst_on_intra_without_reverse_charge(case: Case) -> Iterator[Place]:
    if case.transaction.igst_on_intra == "Y" and case.transaction.reg_rev != "Y":
        yield at("TranDtls.IgstOnIntra")


ROWS: Final = (
    Rule(
        code="recipient.unregistered",
        says="The recipient is unregistered (URP), which a supply of type {sup_typ} can't have.",
        fix="Give the recipient's GSTIN. A sale to a consumer is not registered with the portal at all.",
        fix_hi="प्राप्तकर्ता का GSTIN दें। उपभोक्ता को की गई बिक्री पोर्टल पर पंजीकृत ही नहीं होती।",
        source=_BUSINESS,
        finds=_unregistered_recipient,
        portal_code="2212",
    ),
    Rule(
        code="deemed_export.unregistered",
        says="The recipient of a deemed export is unregistered (URP).",
        fix="Give the recipient's GSTIN.",
        fix_hi="प्राप्तकर्ता का GSTIN दें।",
        source=_BUSINESS,
        finds=_unregistered_recipient_of_deemed_export,
        portal_code="2171",
    ),
    Rule(
        code="recipient.no_sez",
        says="The recipient {found} is no unit or developer of a special economic zone, but the supply is {sup_typ}.",
        fix="Choose B2B, or give the recipient's GSTIN in the zone; record the zones' GSTINs that you know.",
        fix_hi="B2B चुनें, या प्राप्तकर्ता का SEZ वाला GSTIN दें; जो SEZ GSTIN आप जानते हैं उन्हें दर्ज करें।",
        source=_BUSINESS,
        finds=_recipient_is_no_sez,
        portal_code="2247",
    ),
    Rule(
        code="recipient.sez",
        says="The recipient {found} is in a special economic zone, but the supply is {sup_typ}.",
        fix="Choose SEZWP (with payment of IGST) or SEZWOP (under bond or LUT).",
        fix_hi="SEZWP (IGST के भुगतान सहित) या SEZWOP (बॉन्ड या LUT पर) चुनें।",
        source=_BUSINESS,
        finds=_recipient_is_sez,
        portal_code="2246",
    ),
    Rule(
        code="export.recipient",
        says="The recipient of an export is given as {found}.",
        fix="Write URP: who receives an export has no GSTIN. For a recipient in India choose another supply type.",
        fix_hi="URP लिखें: निर्यात पाने वाले का GSTIN नहीं होता। भारत के प्राप्तकर्ता के लिए दूसरा आपूर्ति प्रकार चुनें।",
        source=_BUSINESS,
        finds=_registered_recipient_of_export,
        portal_code="2248",
    ),
    Rule(
        code="export.state",
        says="The recipient of an export is in state {found}.",
        fix="Write 96, other countries.",
        fix_hi="96 (अन्य देश) लिखें।",
        source=_BUSINESS,
        finds=_export_to_a_state,
        portal_code="2261",
    ),
    Rule(
        code="export.pos",
        says="The place of supply of an export is {found}.",
        fix="Write 96, other countries.",
        fix_hi="96 (अन्य देश) लिखें।",
        source=_BUSINESS,
        finds=_export_supplied_in_india,
        portal_code="2232",
    ),
    Rule(
        code="export.pin",
        says="The recipient of an export has PIN {found}.",
        fix="Write 999999.",
        fix_hi="999999 लिखें।",
        source=_BUSINESS,
        finds=_export_to_a_pin,
        portal_code="3039",
    ),
    Rule(
        code="export.country",
        says="An export without the country it goes to.",
        fix="Fill in ExpDtls.CntCode, the two letters of the country.",
        fix_hi="ExpDtls.CntCode में देश के दो अक्षर भरें।",
        source=_BLOCKING,
        finds=_export_without_country,
        portal_code="2208",
    ),
    Rule(
        code="export.country_unlisted",
        says="Our list has no country {found}.",
        fix="Look whether it is right; the portal may refuse it.",
        fix_hi="देख लें कि यह सही है या नहीं; पोर्टल इसे अस्वीकार कर सकता है।",
        source=_BUSINESS,
        finds=_unlisted("ExpDtls.CntCode", lambda case: case.export.cnt_code, countries.is_listed),
        portal_code="2202",
        severity=Severity.WARNING,
    ),
    Rule(
        code="export.currency_unlisted",
        says="Our list has no currency {found}.",
        fix="Look whether it is right; the portal may refuse it.",
        fix_hi="देख लें कि यह सही है या नहीं; पोर्टल इसे अस्वीकार कर सकता है।",
        source=_BUSINESS,
        finds=_unlisted("ExpDtls.ForCur", lambda case: case.export.for_cur, currencies.is_listed),
        portal_code="2203",
        severity=Severity.WARNING,
    ),
    Rule(
        code="export.port_unlisted",
        says="Our list has no port {found}.",
        fix="Look whether it is right; the portal may refuse it.",
        fix_hi="देख लें कि यह सही है या नहीं; पोर्टल इसे अस्वीकार कर सकता है।",
        source=_BUSINESS,
        finds=_unlisted("ExpDtls.Port", lambda case: case.export.port, ports.is_listed),
        portal_code="2201",
        severity=Severity.WARNING,
    ),
    Rule(
        code="pos.abroad",
        says="The place of supply is abroad (96), which a supply of type {sup_typ} can't have.",
        fix="Give the state where it is supplied, or choose an export.",
        fix_hi="वह राज्य दें जहाँ आपूर्ति होती है, या निर्यात का प्रकार चुनें।",
        source=_BUSINESS,
        finds=_supplied_abroad,
        portal_code="2242",
    ),
    Rule(
        code="pos.unknown",
        says="{found} is no place of supply.",
        fix="Give the two digits of a state or union territory of today.",
        fix_hi="आज के किसी राज्य या केंद्र शासित प्रदेश के दो अंक दें।",
        source=_BUSINESS,
        finds=_no_place_of_supply,
        portal_code="2243",
    ),
    Rule(
        code="ship_to.pos",
        says="The goods are shipped to state {found}, but the place of supply is {pos}.",
        fix="Correct the ship-to address or the place of supply: of a B2B supply they are in one state.",
        fix_hi="माल पहुँचाने का पता या आपूर्ति का स्थान ठीक करें: B2B आपूर्ति में दोनों एक ही राज्य में होते हैं।",
        source="NIC's list of 2020 (copy of ClearTax, rule 22), not that of September 2023 (Masters India section 13): "
        "by IGST Act s. 10(1)(b) the place of supply is the buyer's, wherever the goods go",
        finds=_shipped_elsewhere,
        portal_code="2245",
        on_hold=_NOT_LISTED_SINCE,
    ),
    Rule(
        code="reverse_charge.supply",
        says="Reverse charge on a supply of type {sup_typ}.",
        fix="Reverse charge is for B2B and SEZ supplies: set it to N or choose another type.",
        fix_hi="रिवर्स चार्ज केवल B2B और SEZ आपूर्ति के लिए है: इसे N करें या दूसरा प्रकार चुनें।",
        source=_BUSINESS,
        finds=_reverse_charge_elsewhere,
        portal_code="2162",
    ),
    Rule(
        code="reverse_charge.recipient",
        says="Reverse charge on a supply to {found}, an input service distributor, which can't pay the tax on it.",
        fix="Bill a regular registration of the recipient, or set reverse charge to N; the portal may refuse it.",
        fix_hi="प्राप्तकर्ता के नियमित पंजीकरण को बिल दें, या रिवर्स चार्ज N करें; पोर्टल इसे अस्वीकार कर सकता है।",
        source=_RECIPIENTS,
        finds=_reverse_charge_to_distributor,
        severity=Severity.WARNING,
    ),
    Rule(
        code="deemed_export.recipient",
        says="The recipient of a deemed export, {found}, is {type}, not a regular or casual taxpayer.",
        fix="Choose B2B, or give the recipient's regular GSTIN; the portal may refuse it.",
        fix_hi="B2B चुनें, या प्राप्तकर्ता का नियमित GSTIN दें; पोर्टल इसे अस्वीकार कर सकता है।",
        source=_RECIPIENTS,
        finds=_deemed_export_to_another,
        severity=Severity.WARNING,
    ),
    Rule(
        code="igst_on_intra.states",
        says="IGST on intra, but the supplier is in {stcd} and the place of supply is {pos}.",
        fix="Set it to N: between states it is IGST anyway.",
        fix_hi="इसे N करें: राज्यों के बीच वैसे भी IGST लगता है।",
        source=_BUSINESS,
        finds=_igst_on_intra_between_states,
        portal_code="2262",
    ),
    Rule(
        code="igst_on_intra.reverse_charge",
        says="IGST on intra without reverse charge; some sources say that the portal wants both.",
        fix="Look whether reverse charge applies.",
        fix_hi="देखें कि रिवर्स चार्ज लागू होता है या नहीं।",
        source="ClearTax, Masters India section 13; doubtful",
        finds=_igst_on_intra_without_reverse_charge,
        severity=Severity.WARNING,
    ),
)
