"""Reports of people who do this job, by the names of their files: what is sent, and what is said."""

from decimal import Decimal
from io import BytesIO

import pytest

from irnflow.books import own
from irnflow.files import tables
from irnflow.gst.examine import Examined, examine
from irnflow.gst.facts import Facts
from irnflow.gst.invoice import EwayBill
from tests.agreement.judges import judge_sent
from tests.gst.documents import DAY, Document, changed, json, read

FACTS = Facts(day=DAY)
INVOICE = {
    "document_type": "INV", "document_number": "BLR/117", "document_date": "20/11/2026", "supply_type": "B2B",
    "seller_gstin": "29ZZZCS1111A1ZD", "seller_legal_name": "Sound Traders", "seller_address_1": "1 Main Road",
    "seller_place": "Bengaluru", "seller_pin": "560001", "seller_state": "29",
    "buyer_gstin": "27ZZZCR3333C1Z2", "buyer_legal_name": "Quiet Offices", "buyer_address_1": "7 Market Street",
    "buyer_place": "Mumbai", "buyer_pin": "400001", "buyer_state": "27", "place_of_supply": "27",
    "description": "Office chair", "hsn": "94036000", "quantity": "10", "unit": "NOS", "unit_price": "1000.50",
    "gst_rate": "18",
}  # fmt: skip
NOTE = {**INVOICE, "document_type": "CRN", "document_number": "CN/1", "preceding_number": "BLR/100",
        "preceding_date": "01/11/2026"}  # fmt: skip
DISCOUNT = {"description": "Discount", "hsn": "", "quantity": "1", "unit": "", "unit_price": "-100", "gst_rate": "0"}


def examined(*rows: dict[str, str]) -> Examined:
    """What becomes of the only document of a CSV file."""
    text = "\n".join(
        ",".join(row[name] for name in rows[0]) for row in (dict(zip(rows[0], rows[0], strict=True)), *rows)
    )
    (taken,) = tables.csv_documents("report.csv", BytesIO(text.encode()))
    assert taken.document, taken.troubles
    (invoice,) = own.as_read([taken.document]).values()
    found = examine(invoice, FACTS)
    assert found.refusals == []
    judged = judge_sent(json(found.invoice), FACTS)
    assert judged is not None
    assert judged.codes == set()
    return found


def sums(found: Examined) -> dict[str, Decimal | None]:
    totals = found.invoice.val_dtls
    assert totals
    names = ("ass_val", "igst_val", "discount", "oth_chrg", "rnd_off_amt", "tot_inv_val")
    return {name: amount for name in names if (amount := getattr(totals, name))}


def said(found: Examined) -> list[tuple[str, str]]:
    return [(fault.code, fault.path) for fault in found.warnings]


def amounts(**named: str) -> dict[str, Decimal]:
    return {name: Decimal(amount) for name, amount in named.items()}


def test_rcm_no_total() -> None:
    found = examined({**INVOICE, "reverse_charge": "Y"})

    assert sums(found) == amounts(ass_val="10005", igst_val="1800.90", tot_inv_val="10005")
    assert found.invoice.item_list[0].tot_item_val == Decimal(10005)
    assert found.warnings == []


def test_rcm_total_without_tax() -> None:
    total = {"document_igst": "1800.90", "document_total_value": "10005"}

    found = examined({**INVOICE, "reverse_charge": "Y", **total})

    assert sums(found) == amounts(ass_val="10005", igst_val="1800.90", tot_inv_val="10005")
    assert found.warnings == []


def test_rcm_total_with_tax() -> None:
    found = examined({**INVOICE, "reverse_charge": "Y", "document_total_value": "11806"})

    assert sums(found) == amounts(ass_val="10005", igst_val="1800.90", rnd_off_amt="0.10", tot_inv_val="11806")


def test_a_reverse_charge_invoice_with_a_round_off() -> None:  # as ERPNext has it
    haulage = {"quantity": "1", "unit_price": "18450.50", "gst_rate": "5", "document_total_value": "18450.00"}

    found = examined({**INVOICE, **haulage, "reverse_charge": "Y", "round_off": "-0.50"})

    assert sums(found) == amounts(ass_val="18450.50", igst_val="922.53", rnd_off_amt="-0.50", tot_inv_val="18450")
    assert found.warnings == []


def test_unit_as_gst_portal_writes_it() -> None:
    found = examined({**INVOICE, "unit": "KGS-KILOGRAMS"})

    assert found.invoice.item_list[0].unit == "KGS"
    assert said(found) == [("normalised", "ItemList[0].Unit")]


@pytest.mark.parametrize(("unit", "sent"), [("Hrs", "OTH"), ("MON", "OTH"), ("NA", None), ("N/A", None), ("-", None)])
def test_service_unit_hours(unit: str, sent: str | None) -> None:
    found = examined({**INVOICE, "hsn": "998314", "description": "Consulting", "unit": unit})

    assert found.invoice.item_list[0].unit == sent
    assert sums(found) == amounts(ass_val="10005", igst_val="1800.90", tot_inv_val="11805.90")


def test_credit_note_negative() -> None:
    found = examined({**NOTE, "quantity": "-10"})

    assert found.invoice.item_list[0].qty == Decimal(10)
    assert sums(found) == amounts(ass_val="10005", igst_val="1800.90", tot_inv_val="11805.90")
    assert said(found) == [("calculated.turned", "")]


def test_credit_note_negative_with_its_totals() -> None:
    totals = {"document_taxable_value": "-10005", "document_igst": "-1800.90", "document_total_value": "-11806"}

    found = examined({**NOTE, "quantity": "-10", **totals, "round_off": "-0.10"})

    assert sums(found) == amounts(ass_val="10005", igst_val="1800.90", rnd_off_amt="0.10", tot_inv_val="11806")


def test_negative_other_charges() -> None:
    found = examined({**INVOICE, "document_other_charges": "-20.40", "document_total_value": "11785.50"})

    assert sums(found) == amounts(ass_val="10005", igst_val="1800.90", discount="20.40", tot_inv_val="11785.50")
    assert said(found) == [("calculated.swapped", "ValDtls.OthChrg")]
    assert found.warnings[0].says == "A charge of -20.40 is negative and is sent as a discount of 20.40."


def test_global_discount_line_without_tax() -> None:
    found = examined(INVOICE, INVOICE | DISCOUNT)

    assert len(found.invoice.item_list) == 1
    assert sums(found) == amounts(ass_val="10005", igst_val="1800.90", discount="100", tot_inv_val="11705.90")
    assert said(found) == [("calculated.discount_line", "ItemList[1]")]


def test_credit_note_zero_quantity_price_only() -> None:
    found = examined({**NOTE, "quantity": "0", "unit_price": "500"})

    assert sums(found) == {}
    assert said(found) == [("totals.nothing", "ValDtls.TotInvVal")]


AS_JSON = json(examined(INVOICE).invoice)


def sent(document: Document) -> Examined:
    found = examine(read(document), FACTS)
    assert found.refusals == []
    return found


def test_buyer_two_phones() -> None:
    found = sent(changed(AS_JSON, {"BuyerDtls.Ph": "9876543210, 9876543211"}))

    assert found.invoice.buyer_dtls
    assert found.invoice.buyer_dtls.ph == "9876543210"
    assert said(found) == [("normalised", "BuyerDtls.Ph")]


def test_vehicle_number_with_dashes() -> None:
    bill = {"TransMode": "1", "Distance": 0, "VehNo": "KA-01-AB-1234", "VehType": "R"}

    found = sent(changed(AS_JSON, {"EwbDtls": bill}))

    assert found.invoice.ewb_dtls == EwayBill(trans_mode="1", distance=0, veh_no="KA01AB1234", veh_type="R")
    assert said(found) == [("normalised", "EwbDtls.VehNo")]
