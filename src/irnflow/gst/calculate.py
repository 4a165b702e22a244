"""The second of four passes: fill in what follows from what the books give. What they give is not overwritten.

    TotAmt = Qty * UnitPrice            IGST = AssAmt * GstRt / 100             between states
    AssAmt = TotAmt - Discount          CGST = SGST = AssAmt * GstRt / 200      within a state
    TotItemVal = AssAmt + taxes + cesses + OthChrg
    AssVal, CgstVal ... = sums of the lines
    TotInvVal = sum of TotItemVal - Discount + OthChrg + RndOffAmt

Lines add up to the document, whatever the books give. Of amounts with more than two decimals each column is rounded
progressively, so that it keeps its sum. Where the document's total is given and its lines aren't, the paise that
rounding made of it go to the lines that rounding changed most. What is negative becomes a discount (`fold`). Both are
said in a note. A given invoice value of whole rupees makes the round-off.
Where something needed is absent or senseless, nothing is filled in, and the rules name what is missing.
Source: NIC's validations of items and totals, in the copies of ClearTax and Masters India (section 13).
"""

from collections.abc import Callable, Mapping
from contextlib import suppress
from datetime import date
from decimal import ROUND_HALF_UP, Decimal, DecimalException
from functools import partial
from typing import Any, Final

from msgspec.structs import asdict, replace

from irnflow.gst import dates, fold, hsn, supply
from irnflow.gst.facts import Facts
from irnflow.gst.faults import Fault, Kind, Severity
from irnflow.gst.fold import Line
from irnflow.gst.invoice import Invoice, Item, Totals
from irnflow.gst.money import NOTHING, ONE, PAISA, PERCENT, ZERO, progressively, rounded
from irnflow.gst.supply import Tax

ROUNDED: Final = Kind(
    code="calculated.rounded",
    says="Amounts finer than a paisa are rounded so that their sums stay, as {path} of {found} to {written}.",
    fix="Nothing need be done; round them in the books to be rid of this note.",
    fix_hi="कुछ करने की ज़रूरत नहीं; यह सूचना न आए इसके लिए बहीखाते में पैसे तक पूर्णांकित करें।",
    severity=Severity.WARNING,
)
NOTES: Final = (ROUNDED, fold.FOLDED)

# What each total of the document adds up, line by line.
SUMS: Final[Mapping[str, tuple[str, ...]]] = {
    "ass_val": ("ass_amt",),
    "cgst_val": ("cgst_amt",),
    "sgst_val": ("sgst_amt",),
    "igst_val": ("igst_amt",),
    "ces_val": ("ces_amt", "ces_non_advl_amt"),
    "st_ces_val": ("state_ces_amt", "state_ces_non_advl_amt"),
}
_ON_EVERY_LINE: Final = frozenset({"ass_amt", "tot_item_val"})
_ADDED: Final = (
    "ass_amt", "igst_amt", "cgst_amt", "sgst_amt", "ces_amt", "ces_non_advl_amt",
    "state_ces_amt", "state_ces_non_advl_amt", "oth_chrg",
)  # fmt: skip
_AMOUNTS: Final = ("tot_amt", "discount", "pre_tax_val", *_ADDED, "tot_item_val")
_HALF_PERCENT: Final = PERCENT / 2
_MILL: Final = Decimal("0.001")


def calculate(invoice: Invoice, facts: Facts) -> tuple[Invoice, list[Fault]]:
    """The invoice with its lines and totals filled in, and a warning for what was reckoned otherwise than given."""
    notes: list[Fault] = []
    lines = [asdict(item) for item in invoice.item_list]
    totals = _rounded_totals(invoice.val_dtls or Totals(), notes)
    dated = dates.parse((invoice.doc_dtls or supply.NO_DOCUMENT).dt or "") or facts.day
    _round_amounts(lines, notes)
    _tell_services(lines)
    _fill_values(lines, totals)
    _round_prices(lines, notes)
    if (invoice.tran_dtls or supply.NO_TRANSACTION).sup_typ in supply.WITHOUT_PAYMENT:
        _fill(lines, "igst_amt", lambda line: NOTHING if _bears_igst(line, dated) else None)
    else:
        _fill_taxes(lines, totals, supply.tax_of(invoice, facts), dated)
    _fill_cesses(lines, totals)
    _fill(lines, "tot_item_val", _line_total)
    lines = fold.fold(lines, notes)
    _number(lines)
    items = tuple([Item(**line) for line in lines])
    return replace(invoice, item_list=items, val_dtls=_filled_totals(totals, items)), notes


# -- what is finer than a paisa --------------------------------------------------------------------------------------


def _round_amounts(lines: list[Line], notes: list[Fault]) -> None:
    for name in _AMOUNTS:
        fine = [line for line in lines if (given := line[name]) is not None and not given.same_quantum(PAISA)]
        if fine:
            _round(fine, name, progressively, notes)


def _round_prices(lines: list[Line], notes: list[Fault]) -> None:
    """To three decimals, after the exact price has made the gross amount."""
    fine = [line for line in lines if (given := line["unit_price"]) is not None and not given.same_quantum(_MILL)]
    if fine:
        _round(fine, "unit_price", lambda prices: [price.quantize(_MILL, ROUND_HALF_UP) for price in prices], notes)


def _round(
    lines: list[Line], name: str, rounding: Callable[[list[Decimal]], list[Decimal]], notes: list[Fault]
) -> None:
    given: list[Decimal] = [line[name] for line in lines]
    if not all(amount.is_finite() for amount in given):
        return
    with suppress(DecimalException):
        for line, amount, written in zip(lines, given, rounding(given), strict=True):
            line[name] = written
            _note_rounding(name, amount, written, notes)


def _rounded_totals(given: Totals, notes: list[Fault]) -> Totals:
    changes: dict[str, Any] = {}
    for name, amount in asdict(given).items():
        if amount is not None and not amount.same_quantum(PAISA) and amount.is_finite():
            with suppress(DecimalException):
                changes[name] = rounded(amount)
                _note_rounding(name, amount, changes[name], notes)
    return replace(given, **changes) if changes else given


def _note_rounding(name: str, given: Decimal, written: Decimal, notes: list[Fault]) -> None:
    """Once for a document: the others are of the same kind."""
    if given != written and not any(note.code == ROUNDED.code for note in notes):
        notes.append(ROUNDED.fault("", found=given, written=written, path=_inv01_name(name)))


def _inv01_name(name: str) -> str:
    return "".join(part.capitalize() for part in name.split("_"))


# -- lines -----------------------------------------------------------------------------------------------------------


def _tell_services(lines: list[Line]) -> None:
    for line in lines:
        if line["is_servc"] is None and line["hsn_cd"]:
            line["is_servc"] = "Y" if hsn.is_service(line["hsn_cd"]) else "N"


def _fill_values(lines: list[Line], totals: Totals) -> None:
    """Gross amount and taxable value; a total of taxable values binds the gross amounts that make it up."""
    total = None
    if totals.ass_val is not None and all(line["ass_amt"] is None for line in lines):
        total = totals.ass_val + _total(lines, "discount")
    _fill(lines, "tot_amt", _gross, total)
    _fill(lines, "ass_amt", _taxable_value)


def _fill_taxes(lines: list[Line], totals: Totals, tax: Tax | None, dated: date) -> None:
    if tax is Tax.IGST:
        _fill(
            lines,
            "igst_amt",
            lambda line: _times(line, "gst_rt") if _bears_igst(line, dated) else None,
            totals.igst_val,
        )
    elif tax is Tax.CGST_SGST:
        halves = [line for line in lines if _bears_halves(line, dated)]
        given = {total for total in (totals.cgst_val, totals.sgst_val) if total is not None}
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


def _fill_cesses(lines: list[Line], totals: Totals) -> None:
    for name, total in (("ces", totals.ces_val), ("state_ces", totals.st_ces_val)):
        by_rate = None if total is None else total - _total(lines, f"{name}_non_advl_amt")
        _fill(lines, f"{name}_amt", partial(_times, rate=f"{name}_rt"), by_rate)


def _gross(line: Line) -> Decimal | None:
    """Quantity times price; a service without a quantity is one."""
    qty = ONE if line["qty"] is None and hsn.is_service(line["hsn_cd"] or "") else line["qty"]
    return None if qty is None or line["unit_price"] is None else qty * line["unit_price"]


def _taxable_value(line: Line) -> Decimal | None:
    return None if line["tot_amt"] is None else line["tot_amt"] - (line["discount"] or ZERO)


def _times(line: Line, rate: str, percent: Decimal = PERCENT) -> Decimal | None:
    if line["ass_amt"] is None or line[rate] is None:
        return None
    due: Decimal = line["ass_amt"] * line[rate] * percent
    return due


def _line_total(line: Line) -> Decimal | None:
    if line["ass_amt"] is None:
        return None
    return sum([amount for name in _ADDED if (amount := line[name]) is not None], ZERO)


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


def _filled_totals(given: Totals, lines: tuple[Item, ...]) -> Totals:
    filled: dict[str, Any] = {}
    with suppress(DecimalException):
        for name, parts in SUMS.items():
            if getattr(given, name) is None and (total := _sum(lines, parts)) is not None:
                filled[name] = total
        items = _sum(lines, ("tot_item_val",))
        if items is not None:
            due = items - (given.discount or ZERO) + (given.oth_chrg or ZERO) + (given.rnd_off_amt or ZERO)
            filled |= _value_or_round_off(given, due)
    return replace(given, **filled) if filled else given


def _value_or_round_off(given: Totals, due: Decimal) -> dict[str, Any]:
    """The invoice value; or, of a given one in whole rupees, the round-off that led to it."""
    value = given.tot_inv_val
    if value is None:
        return {"tot_inv_val": due}
    if given.rnd_off_amt is None and value == value.to_integral_value() and 0 < abs(value - due) < ONE:
        return {"rnd_off_amt": value - due}
    return {}


def _sum(lines: tuple[Item, ...], parts: tuple[str, ...]) -> Decimal | None:
    """What the lines add up to; None when a line lacks an amount that every line must have."""
    amounts = [getattr(line, part) for line in lines for part in parts]
    if parts[0] in _ON_EVERY_LINE and None in amounts:
        return None
    return NOTHING + sum([amount for amount in amounts if amount is not None], ZERO)
