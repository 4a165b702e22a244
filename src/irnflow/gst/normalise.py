"""The first of four passes: write an invoice the way INV-01 wants it written, and say what was changed.

Only the writing changes, never the meaning: spaces around and between words, capitals of numbers and codes, spellings
of units, dates of another order, a leading zero of a state code, dots in an HSN. Empty texts count as absent. Numbers
get the decimals of their field, 2 for amounts, 3 for quantities, prices and rates: the value stays, and nothing is
said. What can't be read for certain, or would have to be rounded, stays as it is, for the rules to name.
"""

import re
import unicodedata
from collections.abc import Callable, Mapping
from decimal import Decimal, InvalidOperation
from functools import cache
from typing import Final, TypeVar

import msgspec
from msgspec.structs import astuple, replace

from irnflow.gst import fields, units
from irnflow.gst.faults import Fault, Kind, Severity
from irnflow.gst.fields import Shape
from irnflow.gst.invoice import Invoice

S = TypeVar("S", bound=msgspec.Struct)
Tidy = Callable[[str], str]

CHANGED: Final = Kind(
    code="normalised",
    says="{found} is sent as {written}.",
    fix="Nothing need be done; write it so in the books to be rid of this note.",
    fix_hi="कुछ करने की ज़रूरत नहीं; यह सूचना न आए इसके लिए बहीखाते में ऐसे ही लिखें।",
    severity=Severity.WARNING,
)
NOTES: Final = (CHANGED,)
_YEAR_FIRST: Final = re.compile(r"([0-9]{4})-([0-9]{2})-([0-9]{2})")
_DAY_FIRST: Final = re.compile(r"([0-9]{2})[-.]([0-9]{2})[-.]([0-9]{4})")


class _Plan(msgspec.Struct, frozen=True):
    """What to tidy in one section; places by position, name in Python, name in INV-01."""

    texts: tuple[tuple[int, str, str, Tidy], ...]
    numbers: tuple[tuple[int, str, Decimal], ...]  # with the step of the field's decimals
    sections: tuple[tuple[int, str, str, "_Plan"], ...]


def normalise(invoice: Invoice) -> tuple[Invoice, list[Fault]]:
    """The invoice as INV-01 writes it, and a warning for each text that was changed."""
    notes: list[Fault] = []
    return _with_constants(_tidied(invoice, "", _plan(), notes)), notes


def _tidied(section: S, path: str, plan: _Plan, notes: list[Fault]) -> S:
    """The section itself when nothing in it changes."""
    values = astuple(section)
    changes: dict[str, object] = {}
    for index, name, inv01_name, tidy in plan.texts:
        text = values[index]
        if text is not None and ((tidied := tidy(text)) != text or not tidied):
            changes[name] = tidied or None
            if tidied:
                notes.append(CHANGED.fault(path + inv01_name, found=repr(text[:60]), written=repr(tidied[:60])))
    for index, name, step in plan.numbers:
        number = values[index]
        if number is not None and not number.same_quantum(step):
            changes[name] = _written_out(number, step)
    for index, name, inv01_name, inner in plan.sections:
        inside = values[index]
        if isinstance(inside, tuple):
            changes[name] = tuple(
                [_tidied(one, f"{path}{inv01_name}[{at}].", inner, notes) for at, one in enumerate(inside)]
            )
        elif inside is not None:
            changes[name] = _tidied(inside, f"{path}{inv01_name}.", inner, notes)
    return replace(section, **changes) if changes else section


def _written_out(number: Decimal, step: Decimal) -> Decimal:
    try:
        written = number.quantize(step)
    except InvalidOperation:  # no number, or one far too long
        return number
    return written if written == number else number


def _with_constants(invoice: Invoice) -> Invoice:
    """Fill the two fields that can hold one value only."""
    transaction = invoice.tran_dtls
    if invoice.version is None:
        invoice = replace(invoice, version="1.1")
    if transaction is not None and transaction.tax_sch is None:
        invoice = replace(invoice, tran_dtls=replace(transaction, tax_sch="GST"))
    return invoice


# -- how each text is tidied -----------------------------------------------------------------------------------------


def _words(text: str) -> str:
    """Single spaces, none around, no control characters."""
    if text == text.strip() and "  " not in text and text.isprintable():  # nearly always so
        return text
    spaced = " ".join(text.split())
    return "".join(character for character in spaced if unicodedata.category(character) != "Cc")


def _capitals(text: str) -> str:
    return _words(text).upper()


def _code(text: str) -> str:
    """Capitals, and no spaces at all."""
    code = text.upper()
    return code if code.isalnum() else "".join(code.split())


def _state(text: str) -> str:
    code = _code(text)
    return code.zfill(2) if code.isdigit() else code


def _hsn(text: str) -> str:
    return text if text.isdigit() else _code(text).replace(".", "")


def _unit(text: str) -> str:
    return text if units.is_listed(text) else units.code_of(_words(text))


def _phone(text: str) -> str:
    return text if text.isdigit() else re.sub(r"[\s()+-]", "", text)


def _day(text: str) -> str:
    """dd/mm/yyyy from year-month-day, and from day and month divided otherwise; anything else as it is."""
    plain = _words(text)
    if match := _YEAR_FIRST.fullmatch(plain):
        year, month, day = match.groups()
    elif match := _DAY_FIRST.fullmatch(plain):
        day, month, year = match.groups()
    else:
        return plain
    return f"{day}/{month}/{year}"


_TIDIES: Final[Mapping[str, Tidy]] = {
    "TranDtls.TaxSch": _code,
    "TranDtls.SupTyp": _code,
    "TranDtls.RegRev": _code,
    "TranDtls.EcmGstin": _code,
    "TranDtls.IgstOnIntra": _code,
    "DocDtls.Typ": _code,
    "DocDtls.No": _capitals,  # the portal does so before it computes the IRN: GSTN advisory of 4 April 2025
    "SellerDtls.Gstin": _code,
    "SellerDtls.Stcd": _state,
    "SellerDtls.Ph": _phone,
    "BuyerDtls.Gstin": _code,
    "BuyerDtls.Pos": _state,
    "BuyerDtls.Stcd": _state,
    "BuyerDtls.Ph": _phone,
    "DispDtls.Stcd": _state,
    "ShipDtls.Gstin": _code,
    "ShipDtls.Stcd": _state,
    "ItemList[].IsServc": _code,
    "ItemList[].HsnCd": _hsn,
    "ItemList[].Unit": _unit,
    "ItemList[].OrgCntry": _code,
    "ExpDtls.Port": _code,
    "ExpDtls.RefClm": _code,
    "ExpDtls.ForCur": _code,
    "ExpDtls.CntCode": _code,
    "EwbDtls.TransId": _code,
    "EwbDtls.VehNo": _code,
    "EwbDtls.VehType": _code,
}


@cache
def _plan(shape: Shape | None = None) -> _Plan:
    shape = shape or fields.shape()
    places = list(enumerate(zip(shape.names, shape.fields, strict=True)))
    return _Plan(
        tuple((at, name, _last(field.path), _tidy_of(field)) for at, (name, field) in places if field.is_text),
        tuple((at, name, Decimal(1).scaleb(-field.decimals)) for at, (name, field) in places if field.decimals),
        tuple((at, shape.names[at], inv01_name, _plan(inner)) for at, inv01_name, inner in shape.sections),
    )


def _last(path: str) -> str:
    return path.rpartition(".")[2]


def _tidy_of(field: fields.Field) -> Tidy:
    return _TIDIES.get(field.path) or (_day if field.pattern == fields.DATE else _words)
