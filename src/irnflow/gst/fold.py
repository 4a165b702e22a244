"""Negative lines, which INV-01 does not take, become discounts on lines of the same HSN and the same rates.

Books write a discount, a returned item or an adjustment as a line of its own. Its amounts are divided among the lines
that bear the same tax, in proportion to their taxable values and with progressive rounding, so that every sum of the
document stays as it was. Lines of that kind that together are worth less can't take it; then it stays, and is refused.
"""

from collections.abc import Sequence
from contextlib import suppress
from decimal import Decimal, DecimalException
from typing import Any, Final, TypeAlias

from irnflow.gst.faults import Fault, Kind, Severity
from irnflow.gst.money import PAISA, ZERO, progressively, written

Line: TypeAlias = dict[str, Any]  # a line at work, by the names of `Item`

FOLDED: Final = Kind(
    code="calculated.folded",
    says="This negative line, of {found}, is sent as a discount on the {count} of HSN {hsn} at {rate} %.",
    fix="Look whether the discount belongs there; write it with those lines in the books to be rid of this note.",
    fix_hi="देखें कि यह छूट उन्हीं मदों की है; यह सूचना न आए इसके लिए बहीखाते में छूट उन्हीं मदों में लिखें।",
    severity=Severity.WARNING,
)
_ALIKE: Final = ("hsn_cd", "is_servc", "gst_rt", "ces_rt", "state_ces_rt")
_MOVED: Final = (
    "ass_amt", "igst_amt", "cgst_amt", "sgst_amt", "ces_amt", "ces_non_advl_amt",
    "state_ces_amt", "state_ces_non_advl_amt", "oth_chrg", "tot_item_val",
)  # fmt: skip


def fold(lines: list[Line], notes: list[Fault]) -> list[Line]:
    """The lines that remain; a note for each that went into others."""
    folded = set()
    with suppress(DecimalException):  # an amount that no invoice has: the rules will name it
        for at, line in enumerate(lines):
            if line["ass_amt"] is not None and line["ass_amt"] < 0:
                taking = [other for other in lines if _takes(other, line)]
                if sum([other["ass_amt"] for other in taking], ZERO) + line["ass_amt"] >= 0:
                    _divide(line, taking)
                    folded.add(at)
                    notes.append(_note(at, line, len(taking)))
    return [line for at, line in enumerate(lines) if at not in folded]


def _takes(other: Line, line: Line) -> bool:
    alike = all(other[name] == line[name] for name in _ALIKE)
    return alike and other["tot_amt"] is not None and other["ass_amt"] is not None and other["ass_amt"] > 0


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
        count="line" if count == 1 else f"{count} lines",
        hsn=line["hsn_cd"],
        rate=None if line["gst_rt"] is None else written(line["gst_rt"], 0),
    )
