"""Documents for the sandbox: sound ones of each supply, and a way to change one field of a copy."""

import copy
import re
from decimal import Decimal
from typing import Any

SELLER = "27AAPFU0939F1ZV"
BUYER_IN_STATE = "27AABCD1234E1Z8"
BUYER_IN_KARNATAKA = "29AABCD1234E1Z4"

Document = dict[str, Any]


def intra_state(number: str = "INV-1") -> Document:
    """Goods and a service within Maharashtra: CGST and SGST."""
    return {
        "Version": "1.1",
        "TranDtls": {"TaxSch": "GST", "SupTyp": "B2B", "RegRev": "N", "EcmGstin": None, "IgstOnIntra": "N"},
        "DocDtls": {"Typ": "INV", "No": number, "Dt": "20/11/2026"},
        "SellerDtls": _party(SELLER, "27", pin=411001),
        "BuyerDtls": _party(BUYER_IN_STATE, "27", pin=400001) | {"Pos": "27"},
        "ItemList": [
            _item("1", hsn="84713010", rate=18, cgst="90.00", sgst="90.00", total="1180.00"),
            _item("2", hsn="998313", rate=18, cgst="90.00", sgst="90.00", total="1180.00", service=True),
        ],
        "ValDtls": {
            "AssVal": Decimal("2000.00"),
            "CgstVal": Decimal("180.00"),
            "SgstVal": Decimal("180.00"),
            "TotInvVal": Decimal("2360.00"),
        },
    }


def inter_state(number: str = "INV-2") -> Document:
    """The same to Karnataka: IGST."""
    document = _with_igst(intra_state(number))
    document["BuyerDtls"] = _party(BUYER_IN_KARNATAKA, "29", pin=560001) | {"Pos": "29"}
    return document


def export(number: str = "EXP-1") -> Document:
    """Goods to the Emirates with payment of tax."""
    document = _with_igst(intra_state(number))
    document["TranDtls"]["SupTyp"] = "EXPWP"
    document["BuyerDtls"] = _party("URP", "96", pin=999999) | {"Pos": "96"}
    document["ExpDtls"] = {"CntCode": "AE", "ForCur": "AED"}
    return document


def to_sez(number: str = "SEZ-1") -> Document:
    """Supply to a special economic zone with payment of tax."""
    document = _with_igst(intra_state(number))
    document["TranDtls"]["SupTyp"] = "SEZWP"
    return document


def changed(document: Document, changes: dict[str, Any]) -> Document:
    """A copy with other values: {"BuyerDtls.Pos": "29", "ItemList[0].GstRt": 17}."""
    document = copy.deepcopy(document)
    for path, value in changes.items():
        *parents, last = re.findall(r"\w+", path)
        section: Any = document
        for name in parents:
            section = section[int(name) if name.isdigit() else name]
        section[int(last) if last.isdigit() else last] = value
    return document


def without(document: Document, path: str) -> Document:
    """A copy that leaves a field or section out."""
    document = copy.deepcopy(document)
    *parents, last = re.findall(r"\w+", path)
    section: Any = document
    for name in parents:
        section = section[int(name) if name.isdigit() else name]
    del section[last]
    return document


def _with_igst(document: Document) -> Document:
    for item in document["ItemList"]:
        del item["CgstAmt"], item["SgstAmt"]
        item["IgstAmt"] = Decimal("180.00")
    del document["ValDtls"]["CgstVal"], document["ValDtls"]["SgstVal"]
    document["ValDtls"]["IgstVal"] = Decimal("360.00")
    return document


def _party(gstin: str, state: str, *, pin: int) -> Document:
    return {
        "Gstin": gstin,
        "LglNm": "Deccan Instruments Private Limited",
        "Addr1": "14 Mahatma Gandhi Road",
        "Loc": "Camp",
        "Pin": pin,
        "Stcd": state,
    }


def _item(number: str, *, hsn: str, rate: int, cgst: str, sgst: str, total: str, service: bool = False) -> Document:
    return {
        "SlNo": number,
        "PrdDesc": "Line",
        "IsServc": "Y" if service else "N",
        "HsnCd": hsn,
        "Qty": Decimal("10.5"),
        "Unit": "NOS",
        "UnitPrice": Decimal("100"),
        "TotAmt": Decimal("1050.00"),
        "Discount": Decimal("50.00"),
        "AssAmt": Decimal("1000.00"),
        "GstRt": rate,
        "CgstAmt": Decimal(cgst),
        "SgstAmt": Decimal(sgst),
        "TotItemVal": Decimal(total),
    }
