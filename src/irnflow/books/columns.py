"""The column names that a query of the books may give, and the INV-01 field that each one fills.

This table is the only place that knows: the readers are made from it, docs/books.md shows it, a test holds the two
together. A list of INV-01 (`[0]`) gets at most one entry from the books.
"""

from collections.abc import Callable
from typing import Final, NamedTuple

from irnflow.books.values import amount, day, flag, nearest, serial, state, text, whole


class Column(NamedTuple):
    """A column by its standard name."""

    name: str
    field: str  # INV-01 path
    read: Callable[[object], object | None]  # one of `values`


# Which voucher a row is of; both queries must give it.
VOUCHER_ID: Final = "voucher_id"
# What irnflow itself writes and reads back: no part of the invoice, nor of its digest. The headers must give `irn`.
IRN: Final = "irn"
EINVOICE_STATUS: Final = "einvoice_status"

HEADERS: Final = (
    Column("supply_type", "TranDtls.SupTyp", text),
    Column("reverse_charge", "TranDtls.RegRev", flag),
    Column("ecommerce_gstin", "TranDtls.EcmGstin", text),
    Column("igst_on_intra", "TranDtls.IgstOnIntra", flag),
    Column("document_type", "DocDtls.Typ", text),
    Column("document_number", "DocDtls.No", text),
    Column("document_date", "DocDtls.Dt", day),
    Column("seller_gstin", "SellerDtls.Gstin", text),
    Column("seller_legal_name", "SellerDtls.LglNm", text),
    Column("seller_trade_name", "SellerDtls.TrdNm", text),
    Column("seller_address_1", "SellerDtls.Addr1", text),
    Column("seller_address_2", "SellerDtls.Addr2", text),
    Column("seller_place", "SellerDtls.Loc", text),
    Column("seller_pin", "SellerDtls.Pin", whole),
    Column("seller_state", "SellerDtls.Stcd", state),
    Column("seller_phone", "SellerDtls.Ph", text),
    Column("seller_email", "SellerDtls.Em", text),
    Column("buyer_gstin", "BuyerDtls.Gstin", text),
    Column("buyer_legal_name", "BuyerDtls.LglNm", text),
    Column("buyer_trade_name", "BuyerDtls.TrdNm", text),
    Column("place_of_supply", "BuyerDtls.Pos", state),
    Column("buyer_address_1", "BuyerDtls.Addr1", text),
    Column("buyer_address_2", "BuyerDtls.Addr2", text),
    Column("buyer_place", "BuyerDtls.Loc", text),
    Column("buyer_pin", "BuyerDtls.Pin", whole),
    Column("buyer_state", "BuyerDtls.Stcd", state),
    Column("buyer_phone", "BuyerDtls.Ph", text),
    Column("buyer_email", "BuyerDtls.Em", text),
    Column("dispatch_name", "DispDtls.Nm", text),
    Column("dispatch_address_1", "DispDtls.Addr1", text),
    Column("dispatch_address_2", "DispDtls.Addr2", text),
    Column("dispatch_place", "DispDtls.Loc", text),
    Column("dispatch_pin", "DispDtls.Pin", whole),
    Column("dispatch_state", "DispDtls.Stcd", state),
    Column("ship_to_gstin", "ShipDtls.Gstin", text),
    Column("ship_to_legal_name", "ShipDtls.LglNm", text),
    Column("ship_to_trade_name", "ShipDtls.TrdNm", text),
    Column("ship_to_address_1", "ShipDtls.Addr1", text),
    Column("ship_to_address_2", "ShipDtls.Addr2", text),
    Column("ship_to_place", "ShipDtls.Loc", text),
    Column("ship_to_pin", "ShipDtls.Pin", whole),
    Column("ship_to_state", "ShipDtls.Stcd", state),
    Column("taxable_value", "ValDtls.AssVal", amount),
    Column("cgst", "ValDtls.CgstVal", amount),
    Column("sgst", "ValDtls.SgstVal", amount),
    Column("igst", "ValDtls.IgstVal", amount),
    Column("cess", "ValDtls.CesVal", amount),
    Column("state_cess", "ValDtls.StCesVal", amount),
    Column("discount", "ValDtls.Discount", amount),
    Column("other_charges", "ValDtls.OthChrg", amount),
    Column("round_off", "ValDtls.RndOffAmt", amount),
    Column("total_value", "ValDtls.TotInvVal", amount),
    Column("total_value_foreign", "ValDtls.TotInvValFc", amount),
    Column("payee_name", "PayDtls.Nm", text),
    Column("payee_account", "PayDtls.AccDet", text),
    Column("payment_mode", "PayDtls.Mode", text),
    Column("payee_ifsc", "PayDtls.FinInsBr", text),
    Column("payment_terms", "PayDtls.PayTerm", text),
    Column("payment_instruction", "PayDtls.PayInstr", text),
    Column("credit_transfer", "PayDtls.CrTrn", text),
    Column("direct_debit", "PayDtls.DirDr", text),
    Column("credit_days", "PayDtls.CrDay", nearest),
    Column("paid_amount", "PayDtls.PaidAmt", amount),
    Column("due_amount", "PayDtls.PaymtDue", amount),
    Column("remarks", "RefDtls.InvRm", text),
    Column("period_from", "RefDtls.DocPerdDtls.InvStDt", day),
    Column("period_to", "RefDtls.DocPerdDtls.InvEndDt", day),
    Column("preceding_number", "RefDtls.PrecDocDtls[0].InvNo", text),
    Column("preceding_date", "RefDtls.PrecDocDtls[0].InvDt", day),
    Column("preceding_reference", "RefDtls.PrecDocDtls[0].OthRefNo", text),
    Column("receipt_advice_number", "RefDtls.ContrDtls[0].RecAdvRefr", text),
    Column("receipt_advice_date", "RefDtls.ContrDtls[0].RecAdvDt", day),
    Column("tender_reference", "RefDtls.ContrDtls[0].TendRefr", text),
    Column("contract_reference", "RefDtls.ContrDtls[0].ContrRefr", text),
    Column("external_reference", "RefDtls.ContrDtls[0].ExtRefr", text),
    Column("project_reference", "RefDtls.ContrDtls[0].ProjRefr", text),
    Column("purchase_order_number", "RefDtls.ContrDtls[0].PORefr", text),
    Column("purchase_order_date", "RefDtls.ContrDtls[0].PORefDt", day),
    Column("document_url", "AddlDocDtls[0].Url", text),
    Column("document_information", "AddlDocDtls[0].Info", text),
    Column("shipping_bill_number", "ExpDtls.ShipBNo", text),
    Column("shipping_bill_date", "ExpDtls.ShipBDt", day),
    Column("port_code", "ExpDtls.Port", text),
    Column("refund_claimed", "ExpDtls.RefClm", flag),
    Column("currency", "ExpDtls.ForCur", text),
    Column("country", "ExpDtls.CntCode", text),
    Column("export_duty", "ExpDtls.ExpDuty", amount),
    Column("transporter_id", "EwbDtls.TransId", text),
    Column("transporter_name", "EwbDtls.TransName", text),
    Column("transport_mode", "EwbDtls.TransMode", text),
    Column("distance_km", "EwbDtls.Distance", nearest),
    Column("transport_document_number", "EwbDtls.TransDocNo", text),
    Column("transport_document_date", "EwbDtls.TransDocDt", day),
    Column("vehicle_number", "EwbDtls.VehNo", text),
    Column("vehicle_type", "EwbDtls.VehType", text),
)

# Paths below ItemList[]. The lines must give `line_no`: lines are put in its order.
LINE_NO: Final = "line_no"

LINES: Final = (
    Column(LINE_NO, "SlNo", serial),
    Column("description", "PrdDesc", text),
    Column("is_service", "IsServc", flag),
    Column("hsn", "HsnCd", text),
    Column("barcode", "Barcde", text),
    Column("batch_number", "BchDtls.Nm", text),
    Column("batch_expiry", "BchDtls.ExpDt", day),
    Column("batch_warranty", "BchDtls.WrDt", day),
    Column("quantity", "Qty", amount),
    Column("free_quantity", "FreeQty", amount),
    Column("unit", "Unit", text),
    Column("unit_price", "UnitPrice", amount),
    Column("gross_amount", "TotAmt", amount),
    Column("discount", "Discount", amount),
    Column("pre_tax_value", "PreTaxVal", amount),
    Column("taxable_value", "AssAmt", amount),
    Column("gst_rate", "GstRt", amount),
    Column("igst", "IgstAmt", amount),
    Column("cgst", "CgstAmt", amount),
    Column("sgst", "SgstAmt", amount),
    Column("cess_rate", "CesRt", amount),
    Column("cess", "CesAmt", amount),
    Column("cess_non_advalorem", "CesNonAdvlAmt", amount),
    Column("state_cess_rate", "StateCesRt", amount),
    Column("state_cess", "StateCesAmt", amount),
    Column("state_cess_non_advalorem", "StateCesNonAdvlAmt", amount),
    Column("other_charges", "OthChrg", amount),
    Column("total_value", "TotItemVal", amount),
    Column("order_line", "OrdLineRef", text),
    Column("origin_country", "OrgCntry", text),
    Column("serial_number", "PrdSlNo", text),
    Column("attribute_name", "AttribDtls[0].Nm", text),
    Column("attribute_value", "AttribDtls[0].Val", text),
)
