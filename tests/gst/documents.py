"""Invoices for the tests of the law: one sound document of each kind, and a way to change just one place of it.

They are plain JSON documents, completed by our own calculation, so that a test can break what the books left out.
All numbers are invented; their check characters are right.
"""

import copy
import re
from collections.abc import Mapping
from datetime import date
from decimal import Decimal
from typing import Any

import msgspec

from irnflow.gst import inv01, rules
from irnflow.gst.calculate import calculate
from irnflow.gst.faults import Fault, Severity
from irnflow.gst.invoice import Invoice
from irnflow.gst.normalise import normalise

Document = dict[str, Any]

DAY = date(2026, 11, 22)
SELLER, NEIGHBOUR, CUSTOMER = "29ZZZCS1111A1ZD", "29ZZZCR2222B1Z6", "27ZZZCR3333C1Z2"
ELSEWHERE, OPERATOR = "24ZZZCE4444D1ZD", "29ZZZCO6666F1CO"

GOODS = {
    "PrdDesc": "Office chair", "IsServc": "N", "HsnCd": "94036000",
    "Qty": Decimal(10), "Unit": "NOS", "UnitPrice": Decimal("1000.50"), "Discount": Decimal(5), "GstRt": Decimal(18),
}  # fmt: skip
SERVICE = {"PrdDesc": "Design", "IsServc": "Y", "HsnCd": "998314", "UnitPrice": Decimal(5000), "GstRt": Decimal(18)}


def party(gstin: str, **others: object) -> Document:
    state = {"29": ("29", "Bengaluru", 560001), "27": ("27", "Mumbai", 400001), "24": ("24", "Ahmedabad", 380001)}
    stcd, loc, pin = state[gstin[:2]]
    named = {"Gstin": gstin, "LglNm": "Sound Traders", "Addr1": "1 Main Road", "Loc": loc, "Pin": pin, "Stcd": stcd}
    return {**named, **others}


ABROAD = {
    "Gstin": "URP", "LglNm": "Far Imports Inc", "Pos": "96",
    "Addr1": "5 High Street", "Loc": "Dubai", "Pin": 999999, "Stcd": "96",
}  # fmt: skip
SHIP_TO = {
    "Gstin": "27ZZZCT7777G1Z4",
    "LglNm": "Depot",
    "Addr1": "Dock 4",
    "Loc": "Mumbai",
    "Pin": 400001,
    "Stcd": "27",
}


def document(buyer: Document, *lines: Document, sup_typ: str = "B2B", typ: str = "INV", **sections: object) -> Document:
    """A sound document, with what follows from the rest filled in."""
    given = {
        "TranDtls": {"SupTyp": sup_typ},
        "DocDtls": {"Typ": typ, "No": "BLR/2026/117", "Dt": "20/11/2026"},
        "SellerDtls": party(SELLER),
        "BuyerDtls": buyer,
        "ItemList": list(lines),
        **sections,
    }
    tidied, _ = normalise(msgspec.convert(given, Invoice))
    invoice, _ = calculate(tidied, rules.Facts(day=DAY))
    return json(invoice)


def json(invoice: Invoice) -> Document:
    """As plain JSON, with exact numbers."""
    decoder = msgspec.json.Decoder(dict[str, Any], float_hook=Decimal)
    return decoder.decode(inv01.encode(invoice))


WITHIN = document(party(NEIGHBOUR, Pos="29"), GOODS, SERVICE)
BETWEEN = document(party(CUSTOMER, Pos="27"), GOODS, SERVICE)
SHIPPED = document(party(CUSTOMER, Pos="27"), GOODS, ShipDtls=SHIP_TO)
SEZ_PAID = document(party(NEIGHBOUR, Pos="29"), GOODS, sup_typ="SEZWP")
SEZ_UNPAID = document(party(NEIGHBOUR, Pos="29"), GOODS, sup_typ="SEZWOP")
EXPORT_PAID = document(ABROAD, GOODS, sup_typ="EXPWP", ExpDtls={"CntCode": "AE", "ForCur": "AED", "Port": "INBOM4"})
EXPORT_UNPAID = document(ABROAD, GOODS, sup_typ="EXPWOP", ExpDtls={"CntCode": "AE"})
DEEMED_EXPORT = document(party(CUSTOMER, Pos="27"), GOODS, sup_typ="DEXP")
REVERSE_CHARGE = document(party(CUSTOMER, Pos="27"), GOODS, TranDtls={"SupTyp": "B2B", "RegRev": "Y"})
IGST_ON_INTRA = document(
    party(NEIGHBOUR, Pos="29"), GOODS, TranDtls={"SupTyp": "B2B", "RegRev": "Y", "IgstOnIntra": "Y"}
)
CREDIT_NOTE = document(party(CUSTOMER, Pos="27"), GOODS, typ="CRN")
CESS_DAY = date(2025, 9, 21)  # the last on which goods but tobacco and pan masala bore compensation cess
WITH_CESS = document(
    party(CUSTOMER, Pos="27"),
    {**GOODS, "CesRt": Decimal(12), "StateCesRt": Decimal(1), "CesNonAdvlAmt": Decimal(7)},
    DocDtls={"Typ": "INV", "No": "BLR/2025/117", "Dt": "21/09/2025"},
)
WITH_STATE_CESS = document(
    party(CUSTOMER, Pos="27"), {**GOODS, "StateCesRt": Decimal(1), "StateCesNonAdvlAmt": Decimal(7)}
)
TOBACCO = document(
    party(CUSTOMER, Pos="27"),
    {**GOODS, "HsnCd": "24022010", "GstRt": Decimal(40), "IgstAmt": Decimal(4000)},
)

SERVICES = document(party(CUSTOMER, Pos="27"), SERVICE)

SOUND = {
    "within a state": WITHIN,
    "between states": BETWEEN,
    "bill to one, ship to another": SHIPPED,
    "to an SEZ with payment": SEZ_PAID,
    "to an SEZ without payment": SEZ_UNPAID,
    "export with payment": EXPORT_PAID,
    "export without payment": EXPORT_UNPAID,
    "deemed export": DEEMED_EXPORT,
    "reverse charge": REVERSE_CHARGE,
    "IGST on intra": IGST_ON_INTRA,
    "credit note": CREDIT_NOTE,
    "services only": SERVICES,
    "with a cess of the state": WITH_STATE_CESS,
    "taxed on its retail sale price": TOBACCO,
}


def changed(document: Document, changes: Mapping[str, object]) -> Document:
    """A copy with other values at these paths; None takes a place away."""
    copied = copy.deepcopy(document)
    for path, value in changes.items():
        place: Any = copied
        *way, last = re.findall(r"[^.\[\]]+", path)
        for step in way:
            place = place[int(step)] if step.isdigit() else place.setdefault(step, {})
        if value is None:
            del place[last]
        else:
            place[last] = value
    return copied


def read(document: Document) -> Invoice:
    return msgspec.convert(document, Invoice)


def check(document: Document, **facts: Any) -> list[Fault]:
    """What the rules find in the document as it is, neither normalised nor calculated."""
    given = rules.Facts(**{"day": DAY, **facts})
    return rules.check(read(document), given)


def refusals(document: Document, **facts: Any) -> list[tuple[str, str]]:
    """Code and path of what stops it."""
    return [(fault.code, fault.path) for fault in check(document, **facts) if fault.severity is Severity.REFUSED]
