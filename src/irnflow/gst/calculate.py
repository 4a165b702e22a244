"""The second of four passes: fill in what follows from what the books give. What they give is never overwritten.

    TotAmt = Qty * UnitPrice            IGST = AssAmt * GstRt / 100             between states
    AssAmt = TotAmt - Discount          CGST = SGST = AssAmt * GstRt / 200      within a state
    TotItemVal = AssAmt + taxes + cesses + OthChrg
    AssVal, CgstVal ... = sums of the lines
    TotInvVal = sum of TotItemVal - Discount + OthChrg + RndOffAmt

Each line is rounded to the paisa, and the document adds up rounded lines, so the totals always agree with them.
Where something needed is absent or senseless, nothing is filled in, and the rules name what is missing.
Source: NIC's validations of items and totals, in the copies of ClearTax and Masters India (section 13).
"""

from collections.abc import Mapping
from contextlib import suppress
from datetime import date
from decimal import Decimal, DecimalException
from typing import Final, NamedTuple

from msgspec.structs import replace

from irnflow.gst import dates, hsn, supply
from irnflow.gst.facts import Facts
from irnflow.gst.faults import Fault, Kind
from irnflow.gst.invoice import Invoice, Item, Totals
from irnflow.gst.money import NOTHING, ONE, PERCENT, ZERO, rounded
from irnflow.gst.supply import Tax

# What each total of the document adds up, line by line.
SUMS: Final[Mapping[str, tuple[str, ...]]] = {
    "ass_val": ("ass_amt",),
    "cgst_val": ("cgst_amt",),
    "sgst_val": ("sgst_amt",),
    "igst_val": ("igst_amt",),
    "ces_val": ("ces_amt", "ces_non_advl_amt"),
    "st_ces_val": ("state_ces_amt", "state_ces_non_advl_amt"),
}
NOTES: Final[tuple[Kind, ...]] = ()
_ON_EVERY_LINE: Final = frozenset({"ass_amt", "tot_item_val"})
_HALF_PERCENT: Final = PERCENT / 2


class _Taxed(NamedTuple):
    """How the lines of a document are taxed."""

    tax: Tax | None
    with_payment: bool
    dated: date


def calculate(invoice: Invoice, facts: Facts) -> tuple[Invoice, list[Fault]]:
    """The invoice with its lines and totals filled in, and a warning for what was reckoned otherwise than given."""
    notes: list[Fault] = []
    tax = supply.tax_of(invoice, facts)
    with_payment = (invoice.tran_dtls or supply.NO_TRANSACTION).sup_typ not in supply.WITHOUT_PAYMENT
    dated = dates.parse((invoice.doc_dtls or supply.NO_DOCUMENT).dt or "") or facts.day
    taxed = _Taxed(tax, with_payment, dated)
    lines = tuple([_line(item, taxed) for item in _numbered(invoice.item_list)])
    return replace(invoice, item_list=lines, val_dtls=_totals(invoice.val_dtls or Totals(), lines)), notes


def _numbered(items: tuple[Item, ...]) -> tuple[Item, ...]:
    """Serial numbers 1, 2, 3 ... when the books number no line."""
    if any(item.sl_no is not None for item in items):
        return items
    return tuple([replace(item, sl_no=str(number)) for number, item in enumerate(items, 1)])


def _line(item: Item, taxed: _Taxed) -> Item:
    filled: dict[str, object] = {}
    if item.is_servc is None and item.hsn_cd:
        filled["is_servc"] = "Y" if hsn.is_service(item.hsn_cd) else "N"
    with suppress(DecimalException):  # an amount that no invoice has: the rules will name it
        _fill_amounts(item, filled, taxed)
    return replace(item, **filled) if filled else item


def _fill_amounts(item: Item, filled: dict[str, object], taxed: _Taxed) -> None:
    tot_amt, ass_amt = item.tot_amt, item.ass_amt
    if tot_amt is None:
        tot_amt = filled["tot_amt"] = _gross(item)
    if ass_amt is None and tot_amt is not None:
        ass_amt = filled["ass_amt"] = tot_amt - (item.discount or ZERO)
    if ass_amt is None:
        return
    igst, cgst, sgst = item.igst_amt, item.cgst_amt, item.sgst_amt
    if item.gst_rt is not None and not hsn.is_retail_priced(
        item.hsn_cd or "", taxed.dated
    ):  # there the tax has another base
        if taxed.tax is Tax.IGST and igst is None and not cgst and not sgst:
            igst = filled["igst_amt"] = rounded(ass_amt * item.gst_rt * PERCENT) if taxed.with_payment else NOTHING
        elif taxed.tax is Tax.CGST_SGST and not igst and not (cgst and sgst):
            half = rounded(ass_amt * item.gst_rt * _HALF_PERCENT)
            if cgst is None:
                cgst = filled["cgst_amt"] = half
            if sgst is None:
                sgst = filled["sgst_amt"] = half
    cess, state_cess = item.ces_amt, item.state_ces_amt
    if cess is None and item.ces_rt is not None:
        cess = filled["ces_amt"] = rounded(ass_amt * item.ces_rt * PERCENT)
    if state_cess is None and item.state_ces_rt is not None:
        state_cess = filled["state_ces_amt"] = rounded(ass_amt * item.state_ces_rt * PERCENT)
    if item.tot_item_val is None:
        added = (igst, cgst, sgst, cess, item.ces_non_advl_amt, state_cess, item.state_ces_non_advl_amt, item.oth_chrg)
        filled["tot_item_val"] = ass_amt + sum([amount for amount in added if amount is not None], ZERO)


def _gross(item: Item) -> Decimal | None:
    """Quantity times price; a service without a quantity is one."""
    qty = ONE if item.qty is None and hsn.is_service(item.hsn_cd or "") else item.qty
    return None if qty is None or item.unit_price is None else rounded(qty * item.unit_price)


def _totals(given: Totals, lines: tuple[Item, ...]) -> Totals:
    filled: dict[str, object] = {}
    with suppress(DecimalException):
        for name, parts in SUMS.items():
            if getattr(given, name) is None and (total := _sum(lines, parts)) is not None:
                filled[name] = total
        items = _sum(lines, ("tot_item_val",)) if given.tot_inv_val is None else None
        if items is not None:
            filled["tot_inv_val"] = (
                items - (given.discount or ZERO) + (given.oth_chrg or ZERO) + (given.rnd_off_amt or ZERO)
            )
    return replace(given, **filled) if filled else given


def _sum(lines: tuple[Item, ...], parts: tuple[str, ...]) -> Decimal | None:
    """What the lines add up to; None when a line lacks an amount that every line must have."""
    amounts = [getattr(line, part) for line in lines for part in parts]
    if parts[0] in _ON_EVERY_LINE and None in amounts:
        return None
    return NOTHING + sum([amount for amount in amounts if amount is not None], ZERO)
