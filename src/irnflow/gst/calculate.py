"""The second of four passes: fill in what follows from what the books give. What they give is not overwritten.

    TotAmt = Qty * UnitPrice            IGST = AssAmt * GstRt / 100             between states
    AssAmt = TotAmt - Discount          CGST = SGST = AssAmt * GstRt / 200      within a state
    TotItemVal = AssAmt + taxes + cesses + OthChrg      without what the recipient doesn't pay to the supplier
    AssVal, CgstVal ... = sums of the lines
    TotInvVal = sum of TotItemVal - Discount + OthChrg + RndOffAmt

Lines add up to the document, whatever the books give. Of amounts with more than two decimals each column is rounded
progressively, so that it keeps its sum. Where the document's total is given and its lines aren't, the paise that
rounding made of it go to the lines that rounding changed most; a note says where a sum changes. What is negative
becomes what INV-01 has for it (`fold`), with a note. A given invoice value of whole rupees makes the round-off.
Under reverse charge and of exports with payment the line totals leave the tax out, unless the books' totals have it.
Where something needed is absent or senseless, nothing is filled in, and the rules name what is missing.
Source: NIC's validations of items and totals, in the copies of ClearTax and Masters India (section 13).
"""

from collections.abc import Callable, Mapping
from contextlib import suppress
from datetime import date
from decimal import ROUND_HALF_UP, Decimal, DecimalException
from functools import partial
from typing import Final

from msgspec.structs import asdict, replace

from irnflow.gst import dates, fold, hsn, supply
from irnflow.gst.complete import is_complete
from irnflow.gst.facts import Facts
from irnflow.gst.faults import Fault, Kind, Severity
from irnflow.gst.fold import Line
from irnflow.gst.invoice import Invoice, Item, Totals
from irnflow.gst.money import NOTHING, ONE, PAISA, PERCENT, ZERO, agrees, progressively, rounded, written
from irnflow.gst.supply import Tax

ROUNDED: Final = Kind(
    code="calculated.rounded",
    says="Amounts finer than a paisa are rounded: {path} is {found} in the books and is sent as {written}.",
    fix="Nothing need be done; round them in the books to be rid of this note.",
    fix_hi="कुछ करने की ज़रूरत नहीं; यह सूचना न आए इसके लिए बहीखाते में पैसे तक पूर्णांकित करें।",
    severity=Severity.WARNING,
)
QUANTITY: Final = Kind(
    code="calculated.quantity",
    says="A quantity of {found} is sent as {sent}: the portal takes three decimals.",
    fix="Nothing need be done; the line's amount is that of the exact quantity.",
    fix_hi="कुछ करने की ज़रूरत नहीं; मद की राशि पूरी मात्रा से ही निकाली गई है।",
    severity=Severity.WARNING,
)
NOTES: Final = (ROUNDED, QUANTITY, *fold.NOTES)

# What each total of the document adds up, line by line.
SUMS: Final[Mapping[str, tuple[str, ...]]] = {
    "ass_val": ("ass_amt",),
    "cgst_val": ("cgst_amt",),
    "sgst_val": ("sgst_amt",),
    "igst_val": ("igst_amt",),
    "ces_val": ("ces_amt", "ces_non_advl_amt"),
    "st_ces_val": ("state_ces_amt", "state_ces_non_advl_amt"),
}
# The total of the document that a column of the lines makes or goes into.
_TOTAL_OF: Final = {part: total for total, parts in SUMS.items() for part in parts} | {
    "tot_amt": "ass_val", "discount": "ass_val", "oth_chrg": "tot_inv_val", "tot_item_val": "tot_inv_val",
}  # fmt: skip
_ON_EVERY_LINE: Final = frozenset({"ass_amt", "tot_item_val"})
# What a line total adds up: all of it, or without taxes that the recipient pays to the government, cesses among them
# or not (no source says which).
_UNTAXED: Final = ("ass_amt", "oth_chrg")
_WITH_CESSES: Final = (*_UNTAXED, "ces_amt", "ces_non_advl_amt", "state_ces_amt", "state_ces_non_advl_amt")
_WITH_TAXES: Final = (*_WITH_CESSES, "igst_amt", "cgst_amt", "sgst_amt")
_AMOUNTS: Final = ("tot_amt", "discount", "pre_tax_val", *_WITH_TAXES, "tot_item_val")
_NO_HSN: Final = "99"  # a discount or a charge, written as a line
_HALF_PERCENT: Final = PERCENT / 2
_MILL: Final = Decimal("0.001")
_DUST: Final = Decimal("0.000001")  # what binary numbers leave of an exact sum


def calculate(invoice: Invoice, facts: Facts) -> tuple[Invoice, list[Fault]]:
    """The invoice with its lines and totals filled in, and a warning for what was reckoned otherwise than given."""
    if is_complete(invoice):
        return invoice, []
    return _calculated(invoice, facts)


def _calculated(invoice: Invoice, facts: Facts) -> tuple[Invoice, list[Fault]]:
    notes: list[Fault] = []
    lines = [asdict(item) for item in invoice.item_list]
    totals = asdict(invoice.val_dtls or Totals())
    transaction, document = invoice.tran_dtls or supply.NO_TRANSACTION, invoice.doc_dtls or supply.NO_DOCUMENT
    if document.typ in supply.NOTES:
        fold.turn(lines, totals, notes)
    fold.swap_charges(lines, totals, notes)
    if not (_round_totals(totals, notes) and _round_amounts(lines, totals, notes)):
        return invoice, []
    dated = dates.parse(document.dt or "") or facts.day
    _tell_services(lines)
    _fill_values(lines, totals)
    fold.raise_gross(lines, notes)
    _round_quantities(lines, notes)
    if transaction.sup_typ in supply.WITHOUT_PAYMENT:
        _fill(lines, "igst_amt", lambda line: NOTHING if _bears_igst(line, dated) else None)
    else:
        _fill_taxes(lines, totals, supply.tax_of(invoice, facts), dated)
    _fill_cesses(lines, totals)
    parts = _parts_billed(lines, totals) if supply.may_leave_out_tax(transaction) else _WITH_TAXES
    _fill(lines, "tot_item_val", partial(_line_total, parts=parts))
    fold.swap(lines, totals, notes)
    lines = fold.fold(lines, totals, notes)
    _number(lines)
    _fill_totals(lines, totals)
    items = tuple([Item(**line) for line in lines])
    return replace(invoice, item_list=items, val_dtls=Totals(**totals)), notes


# -- what is finer than a paisa --------------------------------------------------------------------------------------


def _round_totals(totals: Line, notes: list[Fault]) -> bool:
    """Whether all of them are numbers; else the rules will name what isn't."""
    for name, given in totals.items():
        if given is not None and not given.same_quantum(PAISA):
            if not given.is_finite():
                return False
            with suppress(DecimalException):
                totals[name] = rounded(given)
                _note_rounding(f"ValDtls.{_inv01_name(name)}", given, totals[name], notes)
    return True


def _round_amounts(lines: list[Line], totals: Line, notes: list[Fault]) -> bool:
    """The same of the lines."""
    for name in _AMOUNTS:
        fine = [line for line in lines if (given := line[name]) is not None and not given.same_quantum(PAISA)]
        if fine:
            if not all(line[name].is_finite() for line in fine):
                return False
            with suppress(DecimalException):
                _round_column(lines, fine, name, totals, notes)
    return True


def _round_column(lines: list[Line], fine: list[Line], name: str, totals: Line, notes: list[Fault]) -> None:
    given = _total(lines, name)
    for line, amount in zip(fine, progressively([line[name] for line in fine]), strict=True):
        line[name] = amount
    if name in _TOTAL_OF and totals[_TOTAL_OF[name]] is None:  # else that is the sum that the books show
        _note_rounding(f"the sum of {_inv01_name(name)}", given, _total(lines, name), notes)


def _round_quantities(lines: list[Line], notes: list[Fault]) -> None:
    """Prices and quantities to three decimals, after the exact ones have made the gross amount."""
    for at, line in enumerate(lines):
        for name in ("unit_price", "qty"):
            given = line[name]
            if given is not None and not given.same_quantum(_MILL) and given.is_finite():
                with suppress(DecimalException):
                    line[name] = given.quantize(_MILL, ROUND_HALF_UP)
                    if name == "qty" and abs(line[name] - given) > _DUST:
                        shown = {"found": written(given, 0), "sent": written(line[name], 0)}
                        notes.append(QUANTITY.fault(f"ItemList[{at}].Qty", **shown))


def _note_rounding(path: str, given: Decimal, sent: Decimal, notes: list[Fault]) -> None:
    """Once for a document: the others are of the same kind."""
    if abs(given - sent) > _DUST and not any(note.code == ROUNDED.code for note in notes):
        notes.append(ROUNDED.fault("", found=given, written=sent, path=path))


def _inv01_name(name: str) -> str:
    return "".join(part.capitalize() for part in name.split("_"))


# -- lines -----------------------------------------------------------------------------------------------------------


def _tell_services(lines: list[Line]) -> None:
    for line in lines:
        if line["is_servc"] is None and line["hsn_cd"]:
            line["is_servc"] = "Y" if hsn.is_service(line["hsn_cd"]) else "N"


def _fill_values(lines: list[Line], totals: Line) -> None:
    """Gross amount, taxable value and price; a total of taxable values binds the gross amounts that make it up.

    A taxable value that is given stands, whatever quantity times price is: a charge may be in it.
    """
    for line in lines:
        if line["tot_amt"] is None and line["ass_amt"] is not None:
            with suppress(DecimalException):
                line["tot_amt"] = _gross_of_value(line)
    total = None
    if totals["ass_val"] is not None and all(line["ass_amt"] is None for line in lines):
        total = totals["ass_val"] + _total(lines, "discount")
    _fill(lines, "tot_amt", _gross, total)
    _fill(lines, "ass_amt", _taxable_value)
    for line in lines:
        if line["unit_price"] is None and line["tot_amt"] is not None:
            with suppress(DecimalException):
                line["unit_price"] = _price(line)


def _fill_taxes(lines: list[Line], totals: Line, tax: Tax | None, dated: date) -> None:
    if tax is Tax.IGST:
        _fill(
            lines,
            "igst_amt",
            lambda line: _times(line, "gst_rt") if _bears_igst(line, dated) else None,
            totals["igst_val"],
        )
    elif tax is Tax.CGST_SGST:
        halves = [line for line in lines if _bears_halves(line, dated)]
        given = {total for total in (totals["cgst_val"], totals["sgst_val"]) if total is not None}
        untold = all(line["cgst_amt"] is None and line["sgst_amt"] is None for line in lines)
        total = given.pop() if untold and len(given) == 1 else None  # both halves of a line are alike, or refused
        for name in ("cgst_amt", "sgst_amt"):
            _fill(halves, name, lambda line: _times(line, "gst_rt", _HALF_PERCENT), total)


def _bears_igst(line: Line, dated: date) -> bool:
    return _has_a_base(line, dated) and not line["cgst_amt"] and not line["sgst_amt"]


def _bears_halves(line: Line, dated: date) -> bool:
    return _has_a_base(line, dated) and not line["igst_amt"] and not (line["cgst_amt"] and line["sgst_amt"])


def _has_a_base(line: Line, dated: date) -> bool:
    """Its tax is its taxable value times its rate."""
    return (
        line["gst_rt"] is not None
        and line["ass_amt"] is not None
        and not hsn.is_retail_priced(line["hsn_cd"] or "", dated)
    )


def _fill_cesses(lines: list[Line], totals: Line) -> None:
    for name, total in (("ces", totals["ces_val"]), ("state_ces", totals["st_ces_val"])):
        by_rate = None if total is None else total - _total(lines, f"{name}_non_advl_amt")
        _fill(lines, f"{name}_amt", partial(_times, rate=f"{name}_rt"), by_rate)


def _gross(line: Line) -> Decimal | None:
    """Quantity times price."""
    qty = _quantity(line)
    return None if qty is None or line["unit_price"] is None else qty * line["unit_price"]


def _quantity(line: Line) -> Decimal | None:
    """A service, or a line of no HSN at all, is one where it has no quantity."""
    return ONE if line["qty"] is None and hsn.is_service(line["hsn_cd"] or _NO_HSN) else line["qty"]


def _gross_of_value(line: Line) -> Decimal | None:
    """What the taxable value was before the discount, where it is not what quantity and price make; else None."""
    discount, gross = line["discount"] or ZERO, _gross(line)
    value: Decimal = line["ass_amt"]
    if gross is not None and (agrees(value, gross - discount) or agrees(value, gross + discount)):
        return None
    return value + discount


def _price(line: Line) -> Decimal | None:
    """Gross amount by quantity; a service without quantity is one."""
    qty = _quantity(line)
    price: Decimal | None = line["tot_amt"] / qty if qty else None
    return price


def _taxable_value(line: Line) -> Decimal | None:
    return None if line["tot_amt"] is None else line["tot_amt"] - (line["discount"] or ZERO)


def _times(line: Line, rate: str, percent: Decimal = PERCENT) -> Decimal | None:
    if line["ass_amt"] is None or line[rate] is None:
        return None
    due: Decimal = line["ass_amt"] * line[rate] * percent
    return due


def _parts_billed(lines: list[Line], totals: Line) -> tuple[str, ...]:
    """What the line totals add up where they may leave out tax: what comes nearest to the totals that are given."""

    def off(parts: tuple[str, ...]) -> Decimal:
        due = [_line_total(line, parts) or ZERO for line in lines]
        given = [
            amount if line["tot_item_val"] is None else line["tot_item_val"]
            for line, amount in zip(lines, due, strict=True)
        ]
        off_lines = sum([abs(one - other) for one, other in zip(given, due, strict=True)], ZERO)
        value = totals["tot_inv_val"]
        return off_lines if value is None else off_lines + abs(value - _due(sum(given, ZERO), totals))

    with suppress(DecimalException):
        return min((_UNTAXED, _WITH_CESSES, _WITH_TAXES), key=off)
    return _UNTAXED


def _line_total(line: Line, parts: tuple[str, ...]) -> Decimal | None:
    if line["ass_amt"] is None:
        return None
    return sum([amount for name in parts if (amount := line[name]) is not None], ZERO)


def _fill(
    lines: list[Line], name: str, exact_of: Callable[[Line], Decimal | None], total: Decimal | None = None
) -> None:
    """One column where the books leave it out, to the paisa, and as a whole to the total that they give."""
    exact: list[tuple[Line, Decimal]] = []
    for line in lines:
        if line[name] is None:
            with suppress(DecimalException):  # an amount that no invoice has: the rules will name it
                amount = exact_of(line)
                if amount is not None:
                    line[name] = rounded(amount)
                    exact.append((line, amount))
    if total is not None:
        with suppress(DecimalException):
            _settle(lines, name, exact, total)


def _settle(lines: list[Line], name: str, exact: list[tuple[Line, Decimal]], total: Decimal) -> None:
    """Let the lines add up to a given total, where rounding alone can have made the difference.

    At most a paisa a line, first of those whose own rounding went furthest the other way.
    """
    off = total - _total(lines, name)
    paise, step = abs(int(off / PAISA)), PAISA.copy_sign(off)
    movable = [(line, amount) for line, amount in exact if amount]
    if 0 < paise <= len(movable):
        movable.sort(key=lambda pair: (pair[0][name] - pair[1]) * step)
        for line, _ in movable[:paise]:
            line[name] += step


def _total(lines: list[Line], name: str) -> Decimal:
    return sum([amount for line in lines if (amount := line[name]) is not None], ZERO)


def _number(lines: list[Line]) -> None:
    """Serial numbers 1, 2, 3 ... when the books number no line."""
    if all(line["sl_no"] is None for line in lines):
        for number, line in enumerate(lines, 1):
            line["sl_no"] = str(number)


# -- the document ----------------------------------------------------------------------------------------------------


def _fill_totals(lines: list[Line], totals: Line) -> None:
    with suppress(DecimalException):
        for name, parts in SUMS.items():
            if totals[name] is None:
                totals[name] = _sum(lines, parts)
        items = _sum(lines, ("tot_item_val",))
        if items is not None:
            _fill_value_or_round_off(totals, _due(items, totals))


def _due(items: Decimal, totals: Line) -> Decimal:
    """The invoice value of lines that add up to so much."""
    due: Decimal = items - (totals["discount"] or ZERO) + (totals["oth_chrg"] or ZERO) + (totals["rnd_off_amt"] or ZERO)
    return due


def _fill_value_or_round_off(totals: Line, due: Decimal) -> None:
    """The invoice value; or, of a given one in whole rupees, the round-off that led to it."""
    value = totals["tot_inv_val"]
    if value is None:
        totals["tot_inv_val"] = due
    elif totals["rnd_off_amt"] is None and value == value.to_integral_value() and 0 < abs(value - due) < ONE:
        totals["rnd_off_amt"] = value - due


def _sum(lines: list[Line], parts: tuple[str, ...]) -> Decimal | None:
    """What the lines add up to; None when a line lacks an amount that every line must have."""
    amounts = [line[part] for line in lines for part in parts]
    if parts[0] in _ON_EVERY_LINE and None in amounts:
        return None
    return NOTHING + sum([amount for amount in amounts if amount is not None], ZERO)
