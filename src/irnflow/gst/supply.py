"""What kind of supply an invoice is about, and so which tax it bears."""

from enum import StrEnum
from typing import Final

from irnflow.gst import pos
from irnflow.gst.facts import Facts
from irnflow.gst.invoice import Document, Invoice, Party, Transaction

EXPORTS: Final = frozenset({"EXPWP", "EXPWOP"})
TO_SEZ: Final = frozenset({"SEZWP", "SEZWOP"})
WITHOUT_PAYMENT: Final = frozenset({"EXPWOP", "SEZWOP"})  # under bond or LUT: the IGST may be 0
DOMESTIC: Final = frozenset({"B2B", "DEXP"})  # a deemed export is taxed as B2B
NOTES: Final = frozenset({"CRN", "DBN"})

# What stands for a section that isn't there, so that a reader of fields needs no guard.
NO_TRANSACTION: Final = Transaction()
NO_DOCUMENT: Final = Document()
NO_PARTY: Final = Party()


class Tax(StrEnum):
    """Which tax a supply bears."""

    IGST = "IGST"
    CGST_SGST = "CGST and SGST"


def tax_of(invoice: Invoice, facts: Facts) -> Tax | None:
    """IGST between states, abroad, to SEZs and from their developers; CGST and SGST within a state; None if untold.

    The supplier's state is that of its GSTIN. IGST on intra makes it IGST within a state as well.
    """
    transaction = invoice.tran_dtls or NO_TRANSACTION
    if transaction.sup_typ in EXPORTS or transaction.sup_typ in TO_SEZ:
        return Tax.IGST
    if transaction.sup_typ not in DOMESTIC:
        return None
    seller = invoice.seller_dtls or NO_PARTY
    place = (invoice.buyer_dtls or NO_PARTY).pos
    if not seller.gstin or seller.stcd != seller.gstin[:2] or not place or not pos.is_in_india(place):
        return None
    if facts.develops_zone(seller.gstin):
        return Tax.IGST
    within = seller.stcd == place
    return Tax.CGST_SGST if within and transaction.igst_on_intra != "Y" else Tax.IGST


def may_leave_out_tax(transaction: Transaction) -> bool:
    """Whether totals may leave out the tax: the recipient doesn't pay it to the supplier.

    Under reverse charge it goes to the government, and an exporter with payment claims it back.
    """
    return transaction.reg_rev == "Y" or transaction.sup_typ == "EXPWP"
