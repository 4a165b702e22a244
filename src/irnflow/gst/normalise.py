"""The first of four passes: write an invoice the way INV-01 wants it written, and say what was changed.

Only the writing changes, never the meaning: spaces around and between words, capitals of numbers and codes, spellings
of units, dates of another order, a leading zero of a state code, dots in an HSN, quotes and backslashes. Empty texts
count as absent. Numbers get the decimals of their field, 2
for amounts, 3 for quantities, prices and rates: the value stays, and nothing is said.

What INV-01 doesn't take in an optional field is corrected or left out (`mend`), and a name or an address that is too
long is cut. What it must have, what identifies a document or a party, and what changes a sum stays as it is, for the
rules to name.
"""

import re
from collections.abc import Callable, Mapping
from decimal import ROUND_HALF_UP, Decimal, InvalidOperation
from functools import cache, lru_cache, partial
from typing import Any, Final, TypeVar

import msgspec
from msgspec.structs import asdict, astuple, replace

from irnflow.gst import fields, hsn, mend, units
from irnflow.gst.faults import FOUND_CHARACTERS_MAX, Fault, Kind, Severity, in_words
from irnflow.gst.fields import Field, Shape
from irnflow.gst.invoice import Invoice, Item
from irnflow.gst.money import PAISA
from irnflow.gst.supply import NO_DOCUMENT
from irnflow.gst.supply import NOTES as CREDIT_AND_DEBIT_NOTES

S = TypeVar("S", bound=msgspec.Struct)
Tidy = Callable[[str], str]

CHANGED: Final = Kind(
    code="normalised",
    says="{found} is sent as {written}.",
    fix="Nothing need be done; write it so in the books to be rid of this note.",
    fix_hi="कुछ करने की ज़रूरत नहीं; यह सूचना न आए इसके लिए बहीखाते में ऐसे ही लिखें।",
    severity=Severity.WARNING,
)
LEFT_OUT: Final = Kind(
    code="normalised.left_out",
    says="{what} is left out: it is optional, and the portal does not take {found}.",
    fix="Nothing need be done, unless the recipient needs it: then correct it in the books.",
    fix_hi="कुछ करने की ज़रूरत नहीं; अगर प्राप्तकर्ता को यह चाहिए, तो बहीखाते में ठीक करें।",
    severity=Severity.WARNING,
)
CUT: Final = Kind(
    code="normalised.cut",
    says="{what} has {characters} characters; the portal takes {most}, and the rest is left out.",
    fix="Nothing need be done; shorten it in the books to choose what is left out.",
    fix_hi="कुछ करने की ज़रूरत नहीं; क्या छोड़ा जाए यह चुनने के लिए इसे बहीखाते में छोटा करें।",
    severity=Severity.WARNING,
)
ADDRESS: Final = Kind(
    code="normalised.address",
    says="The address of {found} characters is sent in lines of {written}; the portal takes 1 to 100 and 3 to 100.",
    fix="Nothing need be done; divide it so in the books to be rid of this note.",
    fix_hi="कुछ करने की ज़रूरत नहीं; यह सूचना न आए इसके लिए बहीखाते में पते को ऐसे ही बाँटें।",
    severity=Severity.WARNING,
)
NOTES: Final = (CHANGED, LEFT_OUT, CUT, ADDRESS)
_INVISIBLE: Final = dict.fromkeys(
    [code for code in range(0xA0) if not chr(code).isprintable() and not chr(code).isspace()]
    + [0xAD, 0x180E, 0x200B, 0x200E, 0x200F, 0x2060, 0xFEFF, *range(0x202A, 0x202F), *range(0x2066, 0x206A)]
)
_TEXTS_REMEMBERED: Final = 1024  # of a field: names and descriptions come again and again
_YEAR_FIRST: Final = re.compile(r"([0-9]{4})-([0-9]{2})-([0-9]{2})")
_DAY_FIRST: Final = re.compile(r"([0-9]{2})[-.]([0-9]{2})[-.]([0-9]{4})")


class _Plan(msgspec.Struct, frozen=True):
    """What to tidy in one section; places by position, and by name in Python."""

    # With what stands as it is, which is nearly always so and costs one call, and how to tidy the rest.
    texts: tuple[tuple[int, str, Field, fields.Fits, Tidy], ...]
    numbers: tuple[tuple[int, str, Decimal], ...]  # with the step of the field's decimals
    idle: tuple[tuple[int, str, Field, fields.Fits], ...]
    sections: tuple[tuple[int, str, str, "_Plan"], ...]  # with the name in INV-01
    required: tuple[tuple[int, str, fields.Fits], ...]  # what an optional section is left out without


def normalise(invoice: Invoice) -> tuple[Invoice, list[Fault]]:
    """The invoice as INV-01 writes it, and a warning for each text that was changed or left out."""
    if _stands_already()(invoice):
        return invoice, []
    return _normalised(invoice)


def _normalised(invoice: Invoice) -> tuple[Invoice, list[Fault]]:
    notes: list[Fault] = []
    kind = ((invoice.doc_dtls or NO_DOCUMENT).typ or "").strip().upper()
    tidied = _tidied(invoice, "", _plan(), kind in CREDIT_AND_DEBIT_NOTES, notes)
    return _with_constants(_with_distance(tidied, notes)), notes


def _tidied(section: S, path: str, plan: _Plan, is_note: bool, notes: list[Fault]) -> S:
    """The section itself when nothing in it changes."""
    values = astuple(section)
    changes: dict[str, Any] = {}
    for index, name, field, stands, tidy in plan.texts:
        text = values[index]
        if text is not None and not stands(text):
            changes[name] = _mended(text, path, field, tidy, notes)
    if changes:
        _mend_together(section, changes, path, notes)
    for index, name, step in plan.numbers:
        number = values[index]
        if number is not None and not number.same_quantum(step):
            changes[name] = _written_out(number, step)
    for index, name, field, fits in plan.idle:
        number = values[index]
        if number is not None and not fits(number):
            changes[name] = _idle_mended(number, path, field, is_note, notes)
    for index, name, inv01_name, inner in plan.sections:
        inside = values[index]
        if isinstance(inside, tuple):
            tidied = [
                _tidied(one, f"{path}{inv01_name}[{at}].", inner, is_note, notes) for at, one in enumerate(inside)
            ]
            if inner.required:
                whole = [_is_whole(one, f"{path}{inv01_name}[{at}]", inner, notes) for at, one in enumerate(tidied)]
                tidied = [one for one, is_whole in zip(tidied, whole, strict=True) if is_whole]
            changes[name] = tuple(tidied) if tidied or not inner.required else None
        elif inside is not None:
            one = _tidied(inside, f"{path}{inv01_name}.", inner, is_note, notes)
            if inv01_name in _MAY_BE_BLANK and _is_blank(one):
                changes[name] = None
                continue
            lacks = inner.required and not _is_whole(one, path + inv01_name, inner, notes)
            if lacks or one is not inside:
                changes[name] = None if lacks else one
    return replace(section, **changes) if changes else section


def _mended(text: str, path: str, field: Field, tidy: Tidy, notes: list[Fault]) -> str | None:
    """The text as INV-01 takes it, if it can be had without a guess; None where it is left out."""
    tidied: str | None = tidy(text)
    if not tidied:
        return None
    place = path + _last(field.path)
    if field.fits and not field.fits(tidied):
        mended = mend.mended(tidied, field)
        if mended is None:
            notes.append(LEFT_OUT.fault(place, what=in_words(place), found=_quoted(text)))
        elif field.pattern == fields.FREE_TEXT and len(mended) < len(tidied):
            notes.append(CUT.fault(place, what=in_words(place), characters=len(tidied), most=int(field.high or 0)))
            return mended
        tidied = mended
    if tidied is not None and tidied != text:
        notes.append(CHANGED.fault(place, found=_quoted(text), written=_quoted(tidied)))
    return tidied


def _quoted(text: str) -> str:
    """As it stands, for a person; with codes for what nobody could see."""
    shown = text[:FOUND_CHARACTERS_MAX]
    return f"'{shown}'" if shown.isprintable() else repr(shown)


def _mend_together(section: msgspec.Struct, changes: dict[str, Any], path: str, notes: list[Fault]) -> None:
    """What is mended by what stands beside it: the two lines of an address, the unit of a service."""
    if isinstance(section, Item):
        unit = changes.get("unit")
        if unit and not units.is_listed(unit) and (hsn.is_service(section.hsn_cd or "") or section.is_servc == "Y"):
            _replace_unit(section, changes, path, notes)
    elif "addr1" in changes or "addr2" in changes:
        _divide_address(section, changes, path, notes)


def _replace_unit(item: Item, changes: dict[str, Any], path: str, notes: list[Fault]) -> None:
    """A service needs no unit: one that the list doesn't have is OTH, and the word for none is none."""
    written = None if mend.is_placeholder(changes["unit"]) else units.OTHER
    changes["unit"] = written
    notes[:] = [note for note in notes if note.path != f"{path}Unit"]
    if written:
        notes.append(CHANGED.fault(f"{path}Unit", found=_quoted(item.unit or ""), written=_quoted(written)))
    else:
        notes.append(LEFT_OUT.fault(f"{path}Unit", what=in_words(f"{path}Unit"), found=_quoted(item.unit or "")))


def _divide_address(section: Any, changes: dict[str, Any], path: str, notes: list[Fault]) -> None:
    """An address whose first line is too long, or whose second is too short, is divided anew."""
    first, second = changes.get("addr1", section.addr1), changes.get("addr2", section.addr2)
    divided = mend.address(first, second)
    if divided != (first, second):
        changes["addr1"], changes["addr2"] = divided
        notes.append(ADDRESS.fault(f"{path}Addr1", found=_lengths(first, second), written=_lengths(*divided)))


def _lengths(*lines: str | None) -> str:
    return " and ".join([str(len(line)) for line in lines if line])


def _is_blank(section: msgspec.Struct) -> bool:
    """Whether nothing is filled in; a PIN of 0 is nothing, a distance of 0 is left to the e-way bill system."""
    return all(value is None or (value == 0 and name != "distance") for name, value in asdict(section).items())


def _is_whole(section: msgspec.Struct, path: str, plan: _Plan, notes: list[Fault]) -> bool:
    """Whether an optional section has what INV-01 asks of it; a note when it is left out for that."""
    for index, name, fits in plan.required:
        value = astuple(section)[index]
        if value is None or not fits(value):
            found = f"it without {name}" if value is None else f"its {name}, {_quoted(value)}"
            notes.append(LEFT_OUT.fault(path, what=in_words(path), found=found))
            return False
    return True


# -- numbers ---------------------------------------------------------------------------------------------------------


# Those that go into no sum and that the law does not ask for.
_IDLE: Final = frozenset(
    {
        "PayDtls.CrDay", "PayDtls.PaidAmt", "PayDtls.PaymtDue", "ValDtls.TotInvValFc", "ExpDtls.ExpDuty",
        "ItemList[].FreeQty", "ItemList[].PreTaxVal",
    }
)  # fmt: skip


def _idle_mended(given: Any, path: str, field: Field, is_note: bool, notes: list[Fault]) -> Any:
    """An idle number that INV-01 doesn't take, rounded, or else left out; a note may write it below zero."""
    place = path + _last(field.path)
    number = _number_mended(given, field, is_note)
    if number is None:
        notes.append(LEFT_OUT.fault(place, what=in_words(place), found=given))
    elif abs(number - given) >= PAISA:
        notes.append(CHANGED.fault(place, found=given, written=number))
    return number


def _number_mended(number: Any, field: Field, is_note: bool) -> Any:
    try:
        positive = abs(number) if is_note else number
        written = positive.quantize(fields.step(field.decimals), ROUND_HALF_UP) if field.decimals else positive
    except InvalidOperation:  # not a number, or one far too long
        return None
    return written if field.fits and field.fits(written) else None


def _written_out(number: Decimal, step: Decimal) -> Decimal:
    try:
        written = number.quantize(step)
    except InvalidOperation:  # no number, or one far too long
        return number
    return written if written == number else number


_FILLED: Final = frozenset({"Version", "TranDtls.TaxSch", "EwbDtls.Distance"})
# Optional sections of which INV-01 asks something: programs write them out with nothing in them.
_MAY_BE_BLANK: Final = frozenset({"DispDtls", "ShipDtls", "EwbDtls", "BchDtls", "DocPerdDtls"})


def _with_distance(invoice: Invoice, notes: list[Fault]) -> Invoice:
    """Leave a distance that nobody can travel, or none, to the e-way bill system, which takes that of the PINs."""
    details = invoice.ewb_dtls
    if details is None or (details.distance is not None and _distance_fits(details.distance)):
        return invoice
    found = "A blank distance" if details.distance is None else f"A distance of {details.distance} km"
    notes.append(CHANGED.fault("EwbDtls.Distance", found=found, written="0, for the system to find out"))
    return replace(invoice, ewb_dtls=replace(details, distance=0))


def _distance_fits(distance: int) -> bool:
    fits = fields.table()["EwbDtls.Distance"].fits
    return fits is None or bool(fits(distance))


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
    """Single spaces, none around, no invisible characters but those that join letters in Indian scripts."""
    return " ".join(text.translate(_INVISIBLE).split())


def _capitals(text: str) -> str:
    return _words(text).upper()


def _code(text: str) -> str:
    """Capitals, and no spaces at all."""
    code = text.upper()
    return code if code.isalnum() else "".join([each for each in code if each.isprintable() and each != " "])


def _state(text: str) -> str:
    code = _code(text)
    return code.zfill(2) if code.isdigit() else code


def _hsn(text: str) -> str:
    return text if text.isdigit() else _code(text).replace(".", "")


def _unit(text: str) -> str:
    return text if units.is_listed(text) else units.code_of(_words(text))


def _phone(text: str) -> str:
    return text if text.isdigit() else re.sub(r"[\s()+.-]", "", _words(text))


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
        tuple((at, name, field, _stands(field), _tidy_of(field)) for at, (name, field) in places if field.is_text),
        tuple((at, name, fields.step(field.decimals)) for at, (name, field) in places if field.decimals),
        tuple((at, name, field, field.fits) for at, (name, field) in places if field.path in _IDLE and field.fits),
        tuple((at, shape.names[at], inv01_name, _plan(inner)) for at, inv01_name, inner in shape.sections),
        tuple(
            (at, _last(field.path), field.fits)
            for at, (_, field) in places
            if field.fits and _is_left_out_without(field)
        ),
    )


@cache
def _stands_already() -> Callable[[Any], bool]:
    """Whether nothing in an invoice would be changed: nearly so in all that come as INV-01."""
    return fields.compiled(fields.shape(), _stand, needed=lambda field: field.path in _FILLED or _may_lack(field))


def _stand(index: int, field: Field, known: dict[str, object]) -> str:
    if field.is_text:
        stands: object = _stands(field)
    elif field.path in _IDLE or field.path in _FILLED or _is_left_out_without(field):
        stands = field.fits
    elif not field.decimals:
        return ""
    else:
        stands = fields.step(field.decimals).same_quantum
    known[f"stands_{index}"] = stands
    return f"stands_{index}(value)"


def _may_lack(field: Field) -> bool:
    """Whether its section is one that may be blank."""
    section = field.path.rpartition(".")[0].rpartition(".")[2]
    return field.required and (section in _MAY_BE_BLANK or _is_left_out_without(field))


def _is_left_out_without(field: Field) -> bool:
    """Whether its section is left out when it is absent or does not fit."""
    return field.required and field.path.rpartition(".")[0] in mend.LEFT_OUT_WHOLE


def _last(path: str) -> str:
    return path.rpartition(".")[2]


def _tidy_of(field: Field) -> Tidy:
    return _TIDIES.get(field.path) or (_day if field.pattern == fields.DATE else _words)


def _stands(field: Field) -> fields.Fits:
    """True for texts that are tidy and fit; some that are and do may be looked at again."""
    if field.path == "ItemList[].Unit":
        return units.is_listed
    if field.choices:
        return frozenset(field.choices).__contains__
    if field.pattern == fields.DATE:
        return field.fits or bool
    low, high = int(field.low or 1), int(field.high or 0)
    if field.pattern == fields.FREE_TEXT:
        return lru_cache(_TEXTS_REMEMBERED)(partial(_is_tidy, low, high))
    if _tidy_of(field) is _state:
        return re.compile("[0-9]{2}").fullmatch
    may_be_small = _tidy_of(field) is _words or "a-z" not in field.pattern
    return re.compile(rf"(?={'.' if may_be_small else '[^a-z]'}{{{low},{high}}}\Z)(?:{field.pattern})").fullmatch


def _is_tidy(low: int, high: int, text: str) -> bool:
    return (
        low <= len(text) <= high
        and text.isprintable()
        and text[0] != " "
        and text[-1] != " "
        and "  " not in text
        and '"' not in text
        and "\\" not in text
    )
