"""Whether an invoice gives every number that can be calculated: a quick look that spares the long one.

Invoices that come as INV-01 nearly always do.
"""

from decimal import Decimal
from operator import attrgetter
from typing import Final

from irnflow.gst.invoice import Invoice, Item, Totals
from irnflow.gst.money import PAISA, ZERO

_MILL: Final = Decimal("0.001")
_AMOUNTS: Final = attrgetter(
    "tot_amt", "discount", "pre_tax_val", "ass_amt", "igst_amt", "cgst_amt", "sgst_amt", "ces_amt",
    "ces_non_advl_amt", "state_ces_amt", "state_ces_non_advl_amt", "oth_chrg", "tot_item_val",
)  # fmt: skip
_SUMS: Final = attrgetter("ass_val", "cgst_val", "sgst_val", "igst_val", "ces_val", "st_ces_val", "tot_inv_val")
_OTHER_TOTALS: Final = attrgetter("discount", "oth_chrg", "tot_inv_val_fc")
_NEEDED: Final = attrgetter("sl_no", "is_servc", "hsn_cd", "unit_price", "tot_amt", "ass_amt", "tot_item_val")


def is_complete(invoice: Invoice) -> bool:
    """True only if `calculate` leaves the invoice as it is: no amount is missing, too fine or below zero.

    False also for some that it leaves alone after a closer look.
    """
    totals = invoice.val_dtls
    if totals is None or not invoice.item_list or not _has_totals(totals):
        return False
    return all(map(_is_full_line, invoice.item_list)) and not _may_lack_round_off(invoice, totals)


def _has_totals(totals: Totals) -> bool:
    return None not in _SUMS(totals) and _are_plain(_SUMS(totals)) and _are_plain(_OTHER_TOTALS(totals))


def _may_lack_round_off(invoice: Invoice, totals: Totals) -> bool:
    """Whether the value is one of whole rupees, which is not what the lines add up to."""
    value, round_off = totals.tot_inv_val, totals.rnd_off_amt
    if value is None or round_off is not None:
        return round_off is None or not round_off.same_quantum(PAISA)
    lines = sum([item.tot_item_val or ZERO for item in invoice.item_list], ZERO)
    due = lines - (totals.discount or ZERO) + (totals.oth_chrg or ZERO)
    return value != due and value == value.to_integral_value()


def _is_full_line(item: Item) -> bool:
    if None in _NEEDED(item):
        return False
    if (item.ces_rt is not None and item.ces_amt is None) or (
        item.state_ces_rt is not None and item.state_ces_amt is None
    ):
        return False
    igst, cgst, sgst = item.igst_amt, item.cgst_amt, item.sgst_amt
    if not igst and not (cgst and sgst) and (igst is None or cgst is None or sgst is None):
        return False
    return _are_plain(_AMOUNTS(item)) and _are_plain((item.unit_price, item.qty), _MILL)


def _are_plain(amounts: tuple[Decimal | None, ...], step: Decimal = PAISA) -> bool:
    """Whether none has other decimals than the step, or is below zero."""
    fine = [amount is None or (amount.same_quantum(step) and not amount.is_signed()) for amount in amounts]
    return False not in fine
