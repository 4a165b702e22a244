"""Negative amounts, which INV-01 does not take, become what it has for them; every sum of the document stays.

A note whose lines are negative in all is one of a program that writes returns so: its signs are turned. Negative
other charges are a discount of the document, and a negative discount is other charges; of a line's price it is a
higher gross amount. A negative line (a discount, a returned item, an adjustment) becomes a discount on lines of the
same HSN and rates, or of the same rates where it has no HSN, divided in proportion to their taxable values with
progressive rounding. One that bears no tax becomes a discount of the document. Whatever else is negative stays, and
is refused.
"""

from collections.abc import Sequence
from contextlib import suppress
from decimal import Decimal, DecimalException
from typing import Any, Final, TypeAlias

from irnflow.gst.faults import Fault, Kind, Severity
from irnflow.gst.money import ONE, PAISA, ZERO, agrees, progressively, written

Line: TypeAlias = dict[str, Any]  # a line, or the totals, at work: by the names of `Item` and `Totals`

FOLDED: Final = Kind(
    code="calculated.folded",
    says="This negative line, of {found}, is sent as a discount on the {lines} at {rate} %.",
    fix="Look whether the discount belongs there; write it with those lines in the books to be rid of this note.",
    fix_hi="देखें कि यह छूट उन्हीं मदों की है; यह सूचना न आए इसके लिए बहीखाते में छूट उन्हीं मदों में लिखें।",
    severity=Severity.WARNING,
)
DISCOUNT_LINE: Final = Kind(
    code="calculated.discount_line",
    says="This negative line, of {found}, bears no tax and is sent as a discount on the whole document.",
    fix="Look whether it may leave the tax as it is; a discount that lowers the tax belongs to the taxed lines.",
    fix_hi="देखें कि इससे कर नहीं बदलना चाहिए; जो छूट कर घटाती है उसे कर वाली मदों में लिखें।",
    severity=Severity.WARNING,
)
SWAPPED: Final = Kind(
    code="calculated.swapped",
    says="{what} of {found} is negative and is sent as {instead} of {written}.",
    fix="Nothing need be done; write it so in the books to be rid of this note.",
    fix_hi="कुछ करने की ज़रूरत नहीं; यह सूचना न आए इसके लिए बहीखाते में ऐसे ही लिखें।",
    severity=Severity.WARNING,
)
TURNED: Final = Kind(
    code="calculated.turned",
    says="The note is written with negative {what} and is sent with positive ones.",
    fix="Nothing need be done; a credit note itself says that it takes back.",
    fix_hi="कुछ करने की ज़रूरत नहीं; राशि वापस लेना क्रेडिट नोट से ही स्पष्ट है।",
    severity=Severity.WARNING,
)
NOTES: Final = (FOLDED, DISCOUNT_LINE, SWAPPED, TURNED)

_RATES: Final = ("gst_rt", "ces_rt", "state_ces_rt")
_ALIKE: Final = ("hsn_cd", "is_servc", *_RATES)
_TAXES: Final = (
    "igst_amt", "cgst_amt", "sgst_amt", "ces_amt", "ces_non_advl_amt", "state_ces_amt", "state_ces_non_advl_amt",
)  # fmt: skip
_MOVED: Final = ("ass_amt", *_TAXES, "oth_chrg", "tot_item_val")
_SIGNED: Final = ("tot_amt", "pre_tax_val", *_MOVED)  # what is below zero on a line that is
_UNSIGNED: Final = ("qty", "free_qty", "unit_price", "discount")  # what is written either way
_DIGITS: Final = 15
_NEITHER: Final = frozenset({"oth_chrg", "rnd_off_amt"})  # of the totals: may have either sign in either way of writing


# -- a note written with negative amounts ----------------------------------------------------------------------------


def turn(lines: list[Line], totals: Line, notes: list[Fault]) -> None:
    """Write a credit or debit note with positive amounts, when its lines or its totals are negative."""
    with suppress(DecimalException):
        values = [_value(line) for line in lines]
        whole = sum(values, ZERO)
        below = next((total for name in ("tot_inv_val", "ass_val") if (total := totals[name])), whole) < 0
        if whole < 0:
            for line, value in zip(lines, values, strict=True):
                _turn_line(line, value)
        if whole < 0 or below:
            _turn_totals(totals, below)
            notes.append(TURNED.fault("", what="amounts"))
            return
        returned = [line for line in lines if line["qty"] is not None and line["qty"] < 0 <= _value(line)]
        for line in returned:  # the amounts of which are positive already
            line |= {name: abs(line[name]) for name in ("qty", "unit_price") if line[name] is not None}
        if returned:
            notes.append(TURNED.fault("", what="quantities"))


def _value(line: Line) -> Decimal:
    for name in ("ass_amt", "tot_amt"):
        if line[name]:
            return Decimal(line[name])
    qty = ONE if line["qty"] is None else line["qty"]
    return ZERO if line["unit_price"] is None else qty * line["unit_price"]


def _turn_line(line: Line, value: Decimal) -> None:
    for name in (*_SIGNED, *_UNSIGNED):
        amount = line[name]
        if amount:
            if value > 0 or name == "oth_chrg":
                line[name] = abs(amount) if name in {"qty", "free_qty"} else -amount
            else:
                line[name] = abs(amount)


def _turn_totals(totals: Line, below: bool) -> None:
    for name, amount in totals.items():
        if amount:
            totals[name] = abs(amount) if name not in _NEITHER else -amount if below else amount


# -- charges and discounts below zero --------------------------------------------------------------------------------


def swap_charges(lines: list[Line], totals: Line, notes: list[Fault]) -> None:
    """Negative other charges of a line become a discount of the document."""
    for at, line in enumerate(lines):
        if line["oth_chrg"] and (charges := _below_zero(line["oth_chrg"])):
            line["oth_chrg"] = None
            if line["tot_item_val"] is not None:
                line["tot_item_val"] -= charges
            totals["discount"] = (totals["discount"] or ZERO) - charges
            notes.append(_swapped(f"ItemList[{at}].OthChrg", "A charge", charges, "a discount on the document"))


def swap(lines: list[Line], totals: Line, notes: list[Fault]) -> None:
    """Negative other charges of the document become a discount of it, a negative discount other charges.

    The invoice value decides whether a negative discount is one that is written so by habit.
    """
    if _is_habit(lines, totals):
        notes.append(_swapped("ValDtls.Discount", "A discount", totals["discount"], "one"))
        totals["discount"] = -totals["discount"]
    discount, charges = _below_zero(totals["discount"]), _below_zero(totals["oth_chrg"])
    if discount:
        totals["discount"] = None
        notes.append(_swapped("ValDtls.Discount", "A discount", discount, "other charges"))
    if charges:
        totals["oth_chrg"] = None
        notes.append(_swapped("ValDtls.OthChrg", "A charge", charges, "a discount"))
    if discount:
        totals["oth_chrg"] = (totals["oth_chrg"] or ZERO) - discount
    if charges:
        totals["discount"] = (totals["discount"] or ZERO) - charges


def _is_habit(lines: list[Line], totals: Line) -> bool:
    """Whether the invoice value has a negative discount taken off, and not added."""
    discount, value = _below_zero(totals["discount"]), totals["tot_inv_val"]
    amounts = [line["tot_item_val"] for line in lines]
    if discount is None or value is None or None in amounts:
        return False
    with suppress(DecimalException):
        due = sum(amounts, ZERO) + (totals["oth_chrg"] or ZERO) + (totals["rnd_off_amt"] or ZERO)
        return agrees(value, due + discount) and not agrees(value, due - discount)
    return False


def raise_gross(lines: list[Line], notes: list[Fault]) -> None:
    """A negative discount on a line is a higher gross amount, unless the taxable value has it taken off."""
    for at, line in enumerate(lines):
        discount = line["discount"] and _below_zero(line["discount"])
        if discount and line["tot_amt"] is not None and line["tot_amt"].is_finite() and line["tot_amt"] >= 0:
            gross, value = line["tot_amt"], line["ass_amt"]
            if value is not None and agrees(value, gross + discount) and not agrees(value, gross - discount):
                line["discount"] = -discount
                notes.append(_swapped(f"ItemList[{at}].Discount", "A discount", discount, "one"))
                continue
            line["tot_amt"], line["discount"] = gross - discount, None
            notes.append(
                _swapped(f"ItemList[{at}].Discount", "A discount", discount, "an addition to the gross amount")
            )


def _below_zero(amount: Decimal | None) -> Decimal | None:
    """The amount, if it is a negative one that an invoice could have were it positive."""
    return amount if amount is not None and amount.is_finite() and amount < 0 and amount.adjusted() < _DIGITS else None


def _swapped(path: str, what: str, amount: Decimal, instead: str) -> Fault:
    return SWAPPED.fault(path, what=what, found=amount, instead=instead, written=-amount)


# -- negative lines --------------------------------------------------------------------------------------------------


def fold(lines: list[Line], totals: Line, notes: list[Fault]) -> list[Line]:
    """The lines that remain; a note for each that became a discount."""
    folded = set()
    with suppress(DecimalException):  # an amount that no invoice has: the rules will name it
        for at, line in enumerate(lines):
            if line["ass_amt"] is not None and line["ass_amt"] < 0:
                taking = [other for other in lines if _takes(other, line)]
                if sum([other["ass_amt"] for other in taking], ZERO) + line["ass_amt"] >= 0:
                    _divide(line, taking)
                    notes.append(_note(at, line, len(taking)))
                elif _is_untaxed(line) and any((other["ass_amt"] or ZERO) > 0 for other in lines):
                    notes.append(DISCOUNT_LINE.fault(f"ItemList[{at}]", found=line["ass_amt"]))
                    _discount_document(lines, line, totals)
                else:
                    continue
                folded.add(at)
    return [line for at, line in enumerate(lines) if at not in folded]


def _takes(other: Line, line: Line) -> bool:
    """Whether this line can give a part of a negative one: it has the same HSN, if that has one, and the same rates."""
    if line["hsn_cd"] is None and _is_untaxed(line):
        return False
    alike = all(other[name] == line[name] for name in (_ALIKE if line["hsn_cd"] else _RATES))
    return alike and other["tot_amt"] is not None and other["ass_amt"] is not None and other["ass_amt"] > 0


def _is_untaxed(line: Line) -> bool:
    return not any(line[name] for name in (*_RATES, *_TAXES))


def _discount_document(lines: list[Line], line: Line, totals: Line) -> None:
    """Let the document give the discount, and take it out of a given taxable value that has it in."""
    given, value = totals["ass_val"], line["ass_amt"]
    totals["discount"] = (totals["discount"] or ZERO) - (line["tot_item_val"] or value)
    if given is not None:
        others = sum([other["ass_amt"] or ZERO for other in lines if other is not line], ZERO)
        if abs(given - value - others) < abs(given - others):
            totals["ass_val"] = given - value
    line["ass_amt"] = ZERO


def _divide(line: Line, taking: Sequence[Line]) -> None:
    values = [other["ass_amt"] for other in taking]
    for other, share in zip(taking, _shares(-line["ass_amt"], values), strict=True):
        other["discount"] = (other["discount"] or ZERO) + share
    for name in _MOVED:
        column = [other[name] or ZERO for other in taking]
        shares = _shares(_no_more(line[name] or ZERO, column), column if any(column) else values)
        for other, share in zip(taking, shares, strict=True):
            if share:
                other[name] = (other[name] or ZERO) + share


def _shares(amount: Decimal, weights: Sequence[Decimal]) -> list[Decimal]:
    """By weight, so that no line gives more than it has of what the weights are."""
    whole = sum(weights, ZERO)
    return progressively([amount * weight / whole for weight in weights])


def _no_more(amount: Decimal, column: Sequence[Decimal]) -> Decimal:
    """The amount without the paise, at most one a line, by which rounding made it more than the lines have."""
    left = sum(column, ZERO) + amount
    return amount - left if -PAISA * len(column) <= left < 0 else amount


def _note(at: int, line: Line, count: int) -> Fault:
    return FOLDED.fault(
        f"ItemList[{at}]",
        found=line["ass_amt"],
        lines=("line" if count == 1 else f"{count} lines")
        + (f" of HSN {line['hsn_cd'][:8]}" if line["hsn_cd"] else ""),
        rate=None if line["gst_rt"] is None else written(line["gst_rt"], 0),
    )
