"""Who supplies whom: GSTINs, states, PINs."""

from collections.abc import Callable, Iterator
from datetime import date
from typing import Final

from irnflow.gst import dates, gstin, pin, pos
from irnflow.gst.facts import RESTRICTED_TYPES, Registration, Status, TaxpayerType
from irnflow.gst.faults import Severity
from irnflow.gst.gstin import UNREGISTERED
from irnflow.gst.invoice import Dispatch, Party
from irnflow.gst.rules.case import Case
from irnflow.gst.rules.row import Finder, Place, Rule, at

_BUSINESS: Final = "NIC business validations (copies of ClearTax, Masters India section 13)"
_SHIP_TO: Final = (
    "GSTN advisories of 20 May and 17 June 2026 on the ship-to GSTIN; on hold without a new date by advisory 668 of "
    "29 July 2026"
)
_SHIP_TO_SINCE: Final = date(2026, 8, 1)
_SHIP_TO_ON_HOLD: Final = date(2026, 7, 29)  # when the rules come back: None, and their day above

_REGISTRATION: Final = "NIC error list, 3074 to 3079; asked where the recipient's registration is known"
_STATUS_SAID: Final = {
    Status.CANCELLED: "cancelled",
    Status.INACTIVE: "inactive",
    Status.SUSPENDED: "suspended",
}

_TYPE: Final = "Masters India section 13.1, item 38; text of 2300 in india-compliance issue 3498 of 4 July 2025"
_TYPE_BY_PATTERN: Final = {
    gstin.Kind.TDS: TaxpayerType.TDS,
    gstin.Kind.TCS: TaxpayerType.TCS,
    gstin.Kind.UN_BODY: TaxpayerType.UN_BODY,
}

Address = Party | Dispatch


def _seller(case: Case) -> Party:
    return case.seller


def _buyer(case: Case) -> Party:
    return case.buyer


def _dispatch(case: Case) -> Dispatch:
    return case.dispatch


def _ship(case: Case) -> Party:
    return case.ship


def _unsound_gstin(path: str, number_of: Callable[[Case], str | None]) -> Finder:
    def finds(case: Case) -> Iterator[Place]:
        number = number_of(case)
        if number is None or number == UNREGISTERED or path in case.ill:
            return
        if not gstin.is_sound(number, accept_sandbox_numbers=case.facts.accept_sandbox_gstins):
            yield at(path, found=number)

    return finds


def _unknown_state(section: str, party: Callable[[Case], Address]) -> Finder:
    path = f"{section}.Stcd"

    def finds(case: Case) -> Iterator[Place]:
        state = party(case).stcd
        if state is not None and path not in case.ill and state not in pos.states():
            yield at(path, found=state)

    return finds


def _pin_of_other_state(section: str, party: Callable[[Case], Address]) -> Finder:
    def finds(case: Case) -> Iterator[Place]:
        address = party(case)
        if address.pin is None or address.stcd is None or not pin.belong_to(address.stcd):
            return
        there = pin.states_of(address.pin)
        if there is not None and address.stcd not in there:
            yield at(f"{section}.Pin", found=address.pin, state=pos.states()[address.stcd], stcd=address.stcd)

    return finds


def _unknown_pin(section: str, party: Callable[[Case], Address]) -> Finder:
    path = f"{section}.Pin"

    def finds(case: Case) -> Iterator[Place]:
        given = party(case).pin
        if given is not None and path not in case.ill and pin.states_of(given) is None:
            yield at(path, found=given)

    return finds


def _supplier_of_other_state(case: Case) -> Iterator[Place]:
    seller = case.seller
    if not seller.gstin or not seller.stcd or case.ill & {"SellerDtls.Gstin", "SellerDtls.Stcd"}:
        return
    if gstin.state(seller.gstin) != seller.stcd and seller.stcd in pos.states():
        yield at("SellerDtls.Stcd", found=seller.stcd, gstin=seller.gstin)


def _recipient_of_other_state(case: Case) -> Iterator[Place]:
    buyer = case.buyer
    if not buyer.gstin or not buyer.stcd or case.ill & {"BuyerDtls.Gstin", "BuyerDtls.Stcd"}:
        return
    if case.is_export or buyer.gstin == UNREGISTERED:  # judged by the rules of exports
        return
    if gstin.state(buyer.gstin) != buyer.stcd and buyer.stcd in pos.states():
        yield at("BuyerDtls.Stcd", found=buyer.stcd, gstin=buyer.gstin)


def _sold_to_oneself(case: Case) -> Iterator[Place]:
    if case.seller.gstin and case.seller.gstin == case.buyer.gstin:
        yield at("BuyerDtls.Gstin", found=case.buyer.gstin)


def _ship_to_recipient(case: Case) -> Iterator[Place]:
    number = case.ship.gstin
    if number and number != UNREGISTERED and number == case.buyer.gstin:
        yield at("ShipDtls.Gstin", found=number)


def _ship_to_of_other_state(case: Case) -> Iterator[Place]:
    ship = case.ship
    if not ship.gstin or not ship.stcd or ship.gstin == UNREGISTERED or "ShipDtls.Gstin" in case.ill:
        return
    if gstin.state(ship.gstin) != ship.stcd:
        yield at("ShipDtls.Gstin", found=ship.gstin, stcd=ship.stcd)


def _ship_to_without_gstin(case: Case) -> Iterator[Place]:
    if case.invoice.ewb_dtls is not None and case.invoice.ship_dtls is not None and not case.ship.gstin:
        yield at("ShipDtls.Gstin")


def _supplier_is_sez_unit(case: Case) -> Iterator[Place]:
    number, facts = case.seller.gstin, case.facts
    if number and facts.is_in_zone(number) and not facts.develops_zone(number):
        yield at("SellerDtls.Gstin", found=number)


def _supplier_type(case: Case) -> TaxpayerType | None:
    """As the portal has it; where that is not known, as the GSTIN itself shows it."""
    number, facts = case.seller.gstin, case.facts
    if not number:
        return None
    known = facts.registrations.get(number)
    if (known is not None and known.kind) or facts.accept_sandbox_gstins:
        return facts.taxpayer_type(number)
    kind = gstin.kind(number)
    return _TYPE_BY_PATTERN.get(kind) if kind else None


def _supplier_makes_no_e_invoices(case: Case) -> Iterator[Place]:
    kind = _supplier_type(case)
    if kind in RESTRICTED_TYPES:
        yield at("SellerDtls.Gstin", found=case.seller.gstin, type=RESTRICTED_TYPES[kind])


def _supplier_is_casual(case: Case) -> Iterator[Place]:
    if _supplier_type(case) is TaxpayerType.CASUAL:
        yield at("SellerDtls.Gstin", found=case.seller.gstin)


def _whose_registration(
    path: str, number_of: Callable[[Case], str | None], is_wrong: Callable[[Registration, date], bool]
) -> Finder:
    def finds(case: Case) -> Iterator[Place]:
        number = number_of(case)
        known = case.facts.registrations.get(number or "")
        if known is not None and case.dated is not None and is_wrong(known, case.dated):
            yield at(
                path,
                found=number,
                dated=case.document.dt,
                status=_STATUS_SAID.get(known.status) if known.status else None,
                since=known.since and dates.write(known.since),
                until=known.until and dates.write(known.until),
            )

    return finds


def _is_cancelled(known: Registration) -> bool:
    return known.status is Status.CANCELLED


def _cancelled_later(known: Registration, dated: date) -> bool:
    return _is_cancelled(known) and known.until is not None and dated <= known.until


def _cancelled_later_or_some_day(known: Registration, dated: date) -> bool:
    return _is_cancelled(known) and (known.until is None or dated <= known.until)


def _may_not_supply(known: Registration, dated: date) -> bool:
    return known.status in {Status.INACTIVE, Status.SUSPENDED} or _cancelled_before(known, dated)


def _may_not_receive(known: Registration, dated: date) -> bool:
    return known.status is Status.INACTIVE or (_is_cancelled(known) and not _cancelled_later(known, dated))


def _begins_later(known: Registration, dated: date) -> bool:
    return known.since is not None and dated < known.since


def _cancelled_before(known: Registration, dated: date) -> bool:
    return _is_cancelled(known) and known.until is not None and dated > known.until


def _cancelled_some_day(known: Registration, dated: date) -> bool:
    return _is_cancelled(known) and known.until is None


def _cancelled_and_registered_after(known: Registration, dated: date) -> bool:
    return _is_cancelled(known) and _begins_later(known, dated)


def _cancelled_and_registered_some_day(known: Registration, dated: date) -> bool:
    return _is_cancelled(known) and known.since is None


def _inactive(known: Registration, dated: date) -> bool:
    return known.status is Status.INACTIVE


def _registered_after(known: Registration, dated: date) -> bool:
    return known.status in {Status.ACTIVE, Status.SUSPENDED} and _begins_later(known, dated)


def _dispatched_from_abroad(case: Case) -> Iterator[Place]:
    if case.dispatch.pin == pin.ABROAD and case.dispatch.stcd == pos.OTHER_COUNTRIES:
        yield at("DispDtls.Pin", found=case.dispatch.pin)


def _operator_named_by_supplier(case: Case) -> Iterator[Place]:
    number = case.transaction.ecm_gstin
    if number and gstin.kind(number) is gstin.Kind.TCS and case.facts.sent_by in {None, case.seller.gstin}:
        yield at("TranDtls.EcmGstin", found=number)


def _operator_is_no_tcs(case: Case) -> Iterator[Place]:
    number = case.transaction.ecm_gstin
    if number is None or "TranDtls.EcmGstin" in case.ill or case.facts.accept_sandbox_gstins:
        return
    if gstin.kind(number) is not gstin.Kind.TCS:
        yield at("TranDtls.EcmGstin", found=number)


def _gstin_rule(code: str, whose: str, path: str, number_of: Callable[[Case], str | None]) -> Rule:
    return Rule(
        code=code,
        says=f"{{found}} can't be the {whose}'s GSTIN: its pattern or its check character is wrong.",
        fix="Compare it with the registration certificate; usually one character is mistyped.",
        fix_hi="पंजीकरण प्रमाणपत्र से मिलाएँ; अक्सर एक अक्षर गलत टाइप हुआ होता है।",
        source="NIC's patterns by kind of taxpayer; check character: Luhn mod 36",
        finds=_unsound_gstin(path, number_of),
        portal_code="3028",
    )


def _state_rule(code: str, whose: str, section: str, party: Callable[[Case], Address], portal_code: str) -> Rule:
    return Rule(
        code=code,
        says=f"{{found}} is no state code ({whose}).",
        fix="Use the two digits that the state's GSTINs start with; 96 for other countries.",
        fix_hi="वे दो अंक लिखें जिनसे उस राज्य के GSTIN शुरू होते हैं; दूसरे देशों के लिए 96।",
        source=_BUSINESS,
        finds=_unknown_state(section, party),
        portal_code=portal_code,
    )


def _pin_rule(code: str, whose: str, section: str, party: Callable[[Case], Address]) -> Rule:
    return Rule(
        code=code,
        says=f"PIN {{found}} does not lie in {{state}} ({{stcd}}), the {whose}'s state.",
        fix="Correct the PIN or the state.",
        fix_hi="PIN या राज्य ठीक करें।",
        source=_BUSINESS + "; the first three digits decide where the portal's master lacks the PIN",
        finds=_pin_of_other_state(section, party),
        portal_code="3039",
    )


def _unknown_pin_rule(code: str, whose: str, section: str, party: Callable[[Case], Address]) -> Rule:
    return Rule(
        code=code,
        says=f"Our list knows no PIN that starts as {{found}} does (the {whose}'s).",
        fix="Look whether it is right; the portal may refuse it.",
        fix_hi="देख लें कि यह सही है या नहीं; पोर्टल इसे अस्वीकार कर सकता है।",
        source=_BUSINESS,
        finds=_unknown_pin(section, party),
        portal_code="3038",
        severity=Severity.WARNING,
    )


def _registration_rule(code: str, says: str, is_wrong: Callable[[Registration, date], bool], portal_code: str) -> Rule:
    return Rule(
        code=code,
        says=says,
        fix="Ask the recipient for a GSTIN that was in force on the date of the document.",
        fix_hi="प्राप्तकर्ता से वह GSTIN माँगें जो दस्तावेज़ की तारीख को लागू था।",
        source=_REGISTRATION,
        finds=_whose_registration("BuyerDtls.Gstin", lambda case: case.buyer.gstin, is_wrong),
        portal_code=portal_code,
    )


ROWS: Final = (
    _gstin_rule("supplier.gstin", "supplier", "SellerDtls.Gstin", lambda case: case.seller.gstin),
    _gstin_rule("recipient.gstin", "recipient", "BuyerDtls.Gstin", lambda case: case.buyer.gstin),
    _gstin_rule("ship_to.gstin", "ship-to party", "ShipDtls.Gstin", lambda case: case.ship.gstin),
    _gstin_rule("ecommerce.gstin", "operator", "TranDtls.EcmGstin", lambda case: case.transaction.ecm_gstin),
    _state_rule("supplier.state", "supplier", "SellerDtls", _seller, "2259"),
    _state_rule("recipient.state", "recipient", "BuyerDtls", _buyer, "2260"),
    _state_rule("dispatch.state", "dispatch", "DispDtls", _dispatch, "2200"),
    _state_rule("ship_to.state", "ship-to", "ShipDtls", _ship, "2200"),
    _pin_rule("supplier.pin", "supplier", "SellerDtls", _seller),
    _pin_rule("recipient.pin", "recipient", "BuyerDtls", _buyer),
    _pin_rule("dispatch.pin", "dispatch", "DispDtls", _dispatch),
    _pin_rule("ship_to.pin", "ship-to party", "ShipDtls", _ship),
    _unknown_pin_rule("supplier.pin_unlisted", "supplier", "SellerDtls", _seller),
    _unknown_pin_rule("recipient.pin_unlisted", "recipient", "BuyerDtls", _buyer),
    _unknown_pin_rule("dispatch.pin_unlisted", "dispatch", "DispDtls", _dispatch),
    _unknown_pin_rule("ship_to.pin_unlisted", "ship-to party", "ShipDtls", _ship),
    Rule(
        code="supplier.state_of_gstin",
        says="The supplier's state is {found}, but its GSTIN {gstin} is of another.",
        fix="Give the state that the GSTIN starts with, or the GSTIN of the branch in that state.",
        fix_hi="वह राज्य दें जिससे GSTIN शुरू होता है, या उस राज्य की शाखा का GSTIN दें।",
        source=_BUSINESS,
        finds=_supplier_of_other_state,
        portal_code="2258",
    ),
    Rule(
        code="recipient.state_of_gstin",
        says="The recipient's state is {found}, but its GSTIN {gstin} is of another.",
        fix="Give the state that the GSTIN starts with, or the GSTIN of the branch in that state.",
        fix_hi="वह राज्य दें जिससे GSTIN शुरू होता है, या उस राज्य की शाखा का GSTIN दें।",
        source=_BUSINESS,
        finds=_recipient_of_other_state,
        portal_code="2265",
    ),
    Rule(
        code="recipient.is_supplier",
        says="Supplier and recipient have the same GSTIN, {found}.",
        fix="Give the recipient's own GSTIN; a transfer within one registration needs no e-invoice.",
        fix_hi="प्राप्तकर्ता का अपना GSTIN दें; एक ही पंजीकरण के भीतर के हस्तांतरण पर ई-इनवॉइस नहीं लगता।",
        source=_BUSINESS,
        finds=_sold_to_oneself,
        portal_code="2211",
    ),
    Rule(
        code="ship_to.is_recipient",
        says="The ship-to GSTIN {found} is the recipient's own.",
        fix="Leave the ship-to GSTIN out, or give that of the other party to whom the goods go.",
        fix_hi="माल पहुँचाने वाले पते का GSTIN हटा दें, या उस दूसरे पक्ष का दें जिसके पास माल जाता है।",
        source=_SHIP_TO,
        finds=_ship_to_recipient,
        portal_code="2323",
        since=_SHIP_TO_SINCE,
        on_hold=_SHIP_TO_ON_HOLD,
    ),
    Rule(
        code="ship_to.state_of_gstin",
        says="The ship-to state is {stcd}, but the ship-to GSTIN {found} is of another.",
        fix="Give the state that the GSTIN starts with.",
        fix_hi="वह राज्य दें जिससे GSTIN शुरू होता है।",
        source=_SHIP_TO,
        finds=_ship_to_of_other_state,
        portal_code="2325",
        since=_SHIP_TO_SINCE,
        on_hold=_SHIP_TO_ON_HOLD,
    ),
    Rule(
        code="ship_to.gstin_missing",
        says="The e-way bill asked for with this invoice needs the ship-to GSTIN.",
        fix="Fill it in, URP for an unregistered party: without it the invoice is registered, but gets no e-way bill.",
        fix_hi="इसे भरें, अपंजीकृत पक्ष के लिए URP: इसके बिना इनवॉइस पंजीकृत होगा, पर ई-वे बिल नहीं बनेगा।",
        source=_SHIP_TO,
        finds=_ship_to_without_gstin,
        severity=Severity.WARNING,
        since=_SHIP_TO_SINCE,
        on_hold=_SHIP_TO_ON_HOLD,
    ),
    Rule(
        code="supplier.sez_unit",
        says="The supplier {found} is a unit in a special economic zone.",
        fix="Such units make no e-invoices. If it develops the zone, record that with your GSTINs.",
        fix_hi="ऐसी इकाई ई-इनवॉइस नहीं बनाती। यदि वह ज़ोन की डेवलपर है तो अपने GSTIN के साथ यह दर्ज करें।",
        source=_BUSINESS,
        finds=_supplier_is_sez_unit,
        portal_code="2231",
    ),
    Rule(
        code="supplier.type",
        says="The supplier {found} is {type}. Only regular taxpayers and developers of a special economic zone make "
        "e-invoices.",
        fix="Invoice from a regular registration of the supplier.",
        fix_hi="आपूर्तिकर्ता के नियमित (regular) पंजीकरण से इनवॉइस करें।",
        source=_TYPE,
        finds=_supplier_makes_no_e_invoices,
        portal_code="2300",
    ),
    Rule(
        code="supplier.casual",
        says="The supplier {found} is a casual taxable person, whose invoices the portal may refuse.",
        fix="Send it; if the portal refuses it, invoice without registering it with the portal.",
        fix_hi="भेजें; यदि पोर्टल अस्वीकार करे तो पोर्टल पर पंजीकृत किए बिना इनवॉइस जारी करें।",
        source=_TYPE + "; whether it holds for casual taxpayers is not certain",
        finds=_supplier_is_casual,
        portal_code="2300",
        severity=Severity.WARNING,
    ),
    Rule(
        code="supplier.inactive",
        says="The supplier's registration {found} is {status}.",
        fix="Have the registration restored at the GST portal, or invoice from another registration.",
        fix_hi="GST पोर्टल पर पंजीकरण फिर से चालू करवाएँ, या दूसरे पंजीकरण से इनवॉइस करें।",
        source=_BUSINESS + "; the supplier must be active",
        finds=_whose_registration("SellerDtls.Gstin", lambda case: case.seller.gstin, _may_not_supply),
        portal_code="3029",
    ),
    Rule(
        code="supplier.cancelled_later",
        says="The supplier's registration {found} is cancelled; the document of {dated} may be from before that.",
        fix="Compare the date with the day of the cancellation; the portal may refuse the document.",
        fix_hi="तारीख को पंजीकरण रद्द होने के दिन से मिलाएँ; पोर्टल इसे अस्वीकार कर सकता है।",
        source="NIC release notes of API 1.04 (June 2021), help pages of the IRIS portal; against it Masters India, 5",
        finds=_whose_registration("SellerDtls.Gstin", lambda case: case.seller.gstin, _cancelled_later_or_some_day),
        portal_code="3029",
        severity=Severity.WARNING,
    ),
    Rule(
        code="supplier.not_yet_registered",
        says="The supplier's registration {found} began on {since}, after the document of {dated}.",
        fix="Check the date of the document, or invoice from a registration that was in force; "
        "the portal may refuse it.",
        fix_hi="दस्तावेज़ की तारीख जाँचें, या उस दिन लागू पंजीकरण से इनवॉइस करें; पोर्टल इसे अस्वीकार कर सकता है।",
        source="NIC error list, 3079, which names no party; known of the recipient only",
        finds=_whose_registration("SellerDtls.Gstin", lambda case: case.seller.gstin, _begins_later),
        portal_code="3079",
        severity=Severity.WARNING,
    ),
    Rule(
        code="ship_to.inactive",
        says="The ship-to party's registration {found} is {status}.",
        fix="Give the GSTIN that the ship-to party has today, or none. If it is active again, have the portal fetch it "
        "anew with `irnflow gstin show --sync`.",
        fix_hi="माल पाने वाले पक्ष का आज का GSTIN दें, या खाली छोड़ें। यदि वह फिर सक्रिय है तो `irnflow gstin show --sync` "
        "से पोर्टल की जानकारी ताज़ा करवाएँ।",
        source="india-compliance issue 3617 of 20 August 2025: the portal's own answer",
        finds=_whose_registration("ShipDtls.Gstin", lambda case: case.ship.gstin, _may_not_receive),
        portal_code="3029",
    ),
    Rule(
        code="ship_to.cancelled_later",
        says="The ship-to party's registration {found} was cancelled on {until}, after the document of {dated}.",
        fix="Give the GSTIN that the ship-to party has today, or none; the portal may refuse it.",
        fix_hi="माल पाने वाले पक्ष का आज का GSTIN दें, या खाली छोड़ें; पोर्टल इसे अस्वीकार कर सकता है।",
        source="india-compliance issue 3617 of 20 August 2025; whether the date counts is not known",
        finds=_whose_registration("ShipDtls.Gstin", lambda case: case.ship.gstin, _cancelled_later),
        portal_code="3029",
        severity=Severity.WARNING,
    ),
    Rule(
        code="dispatch.abroad",
        says="The goods are dispatched from abroad: PIN 999999 in state 96.",
        fix="Give the place in India that the goods are dispatched from. Leave DispDtls out where they come back from "
        "a buyer abroad or never enter India.",
        fix_hi="भारत का वह स्थान दें जहाँ से माल भेजा जाता है। यदि माल विदेश से लौटता है, तो DispDtls हटा दें।",
        source="2273 as answered by the portal: india-compliance issue 323 of 7 November 2022",
        finds=_dispatched_from_abroad,
        portal_code="2273",
    ),
    _registration_rule(
        "recipient.cancelled",
        "The recipient's registration {found} was cancelled on {until}, before the document of {dated}.",
        _cancelled_before,
        "3074",
    ),
    _registration_rule(
        "recipient.cancelled_undated",
        "The recipient's registration {found} is cancelled, and it is not known since when.",
        _cancelled_some_day,
        "3075",
    ),
    _registration_rule("recipient.inactive", "The recipient's registration {found} is inactive.", _inactive, "3076"),
    _registration_rule(
        "recipient.cancelled_not_yet_registered",
        "The recipient's registration {found}, cancelled since, began on {since}, after the document of {dated}.",
        _cancelled_and_registered_after,
        "3077",
    ),
    _registration_rule(
        "recipient.cancelled_start_unknown",
        "The recipient's registration {found} is cancelled, and it is not known when it began.",
        _cancelled_and_registered_some_day,
        "3078",
    ),
    _registration_rule(
        "recipient.not_yet_registered",
        "The recipient's registration {found} began on {since}, after the document of {dated}.",
        _registered_after,
        "3079",
    ),
    Rule(
        code="ecommerce.operator",
        says="{found} is not the GSTIN of an e-commerce operator (who collects tax at source).",
        fix="Leave EcmGstin out when you supply and invoice yourself.",
        fix_hi="यदि आपूर्ति और इनवॉइस आप स्वयं करते हैं तो EcmGstin खाली छोड़ें।",
        source=_BUSINESS,
        finds=_operator_is_no_tcs,
        portal_code="2195",
    ),
    Rule(
        code="ecommerce.by_supplier",
        says="The operator {found} is named, but the supplier itself sends the document.",
        fix="Leave EcmGstin out when you supply and invoice yourself; the portal may refuse it.",
        fix_hi="यदि आपूर्ति और इनवॉइस आप स्वयं करते हैं तो EcmGstin खाली छोड़ें; पोर्टल इसे अस्वीकार कर सकता है।",
        source=_BUSINESS,
        finds=_operator_named_by_supplier,
        portal_code="2224",
        severity=Severity.WARNING,
    ),
)
