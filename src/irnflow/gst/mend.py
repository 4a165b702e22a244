"""Texts that INV-01 doesn't take, in fields that it doesn't need: corrected where that is certain, else left out.

An optional field must not cost the invoice. Fields on which the tax, the sums or the kind of supply hang stay as they
are, and so do those that INV-01 must have; of these only names, places and addresses are cut, which mislead nobody when
shortened: a party is known by its GSTIN, a place by its PIN.
"""

import re
from collections.abc import Callable, Mapping
from typing import Final

from irnflow.gst.fields import FREE_TEXT, Field

# Optional sections that are left out as a whole, when something that INV-01 asks of them is missing.
LEFT_OUT_WHOLE: Final = frozenset({"ItemList[].BchDtls", "RefDtls.DocPerdDtls", "RefDtls.PrecDocDtls[]"})
# Optional, but the meaning hangs on them.
_KEPT: Final = frozenset(
    {
        "TranDtls.RegRev",
        "TranDtls.EcmGstin",
        "TranDtls.IgstOnIntra",
        "ItemList[].Unit",
        "ShipDtls.Gstin",
        "ExpDtls.CntCode",
    }
)
_GSTINS: Final = frozenset({"TranDtls.EcmGstin", "ShipDtls.Gstin"})
# Texts for people, which may end early. Of the others half is worth nothing.
_CUT: Final = frozenset(
    {"LglNm", "TrdNm", "Loc", "PrdDesc", "PayTerm", "PayInstr", "InvRm", "Info", "TransName", "Val"}
)
_CUT_TOO: Final = frozenset({"DispDtls.Nm", "PayDtls.Nm", "ItemList[].AttribDtls[].Nm"})
_ADDRESS_CHARACTERS: Final = 100
_SECOND_LINE_LEAST: Final = 3
_VEHICLE_LEAST: Final = 6  # characters of a whole number
_PLACEHOLDERS: Final = frozenset({"", "NA", "NIL", "NULL", "NONE", "NOTAPPLICABLE", "0"})
_OPENING: Final = re.compile(r'(?<![^\s(\[,;:/-])"([^"]+)"')
_ROUNDED: Final = re.compile(r"[0-9]E\+?[0-9]", re.IGNORECASE)  # what a sheet makes of a long number
_INCHES: Final = re.compile(r'(?<=[0-9])"')


def mended(text: str, field: Field) -> str | None:
    """A tidy text that does not fit, as one that does; None to leave it out; itself where it must be refused."""
    if is_placeholder(text) and not field.required and field.path not in _KEPT - _GSTINS:
        return None
    written: str | None
    if field.pattern == FREE_TEXT:
        written = _shortened(_unquoted(text), field)
    else:
        written = _MENDS.get(field.path, _as_it_is)(text)
    if written is not None and field.fits and field.fits(written):
        return written
    return text if field.required or field.path in _KEPT or field.path.endswith((".Addr1", ".Addr2")) else None


def is_placeholder(text: str) -> bool:
    """Whether it is one of the words for nothing: NA, N/A, nil, a dash.

    >>> is_placeholder("n/a"), is_placeholder("--"), is_placeholder("HRS")
    (True, True, False)
    """
    return _letters_and_digits(text) in _PLACEHOLDERS


def cut(text: str, field: Field) -> str:
    """The beginning of a text, as long as the field takes it, if possible up to the end of a word."""
    return _cut(text, int(field.high or 0))


def address(first: str | None, second: str | None) -> tuple[str | None, str | None]:
    """Both lines of an address as INV-01 takes them; as they are where nothing is wrong with them.

    >>> address("1 Main Road", "5A")
    ('1 Main Road, 5A', None)
    """
    fits = second is None or _SECOND_LINE_LEAST <= len(second) <= _ADDRESS_CHARACTERS
    if not first or (len(first) <= _ADDRESS_CHARACTERS and fits):
        return first, second
    whole = first if not second else f"{first}, {second}"
    if len(whole) <= _ADDRESS_CHARACTERS:
        return whole, None
    begin = _cut(whole, _ADDRESS_CHARACTERS)
    rest = whole[len(begin) :].strip(" ,")
    return begin.rstrip(" ,"), _cut(rest, _ADDRESS_CHARACTERS) if len(rest) >= _SECOND_LINE_LEAST else None


def _cut(text: str, most: int) -> str:
    if len(text) <= most:
        return text
    begin = text[:most]
    at_word = begin if text[most] == " " else begin.rpartition(" ")[0]
    return (at_word if len(at_word) > most // 2 else begin).rstrip()


def _shortened(text: str, field: Field) -> str:
    may_be_cut = field.path.rpartition(".")[2] in _CUT or field.path in _CUT_TOO
    return cut(text, field) if may_be_cut and field.high is not None and len(text) > field.high else text


def _unquoted(text: str) -> str:
    """Without the two characters that the portal takes in no text. A quote after a figure means inches.

    >>> _unquoted('The "Best" 3" pipe')
    "The 'Best' 3'' pipe"
    """
    quoted = _INCHES.sub("''", _OPENING.sub(r"'\1'", text))
    return quoted.replace('"', "'").replace("\\", "/")


# -- texts of a form -------------------------------------------------------------------------------------------------


def _as_it_is(text: str) -> str | None:
    return text


def _phone(text: str) -> str | None:
    """The first of several numbers, without the zeros of a call from abroad or an extension."""
    if _ROUNDED.search(text):
        return None
    for digits in re.findall(r"[0-9]+", text):
        number: str = digits.removeprefix("00")
        if len(number) > 12:
            number = number[:10] if len(number) == 20 else number.removeprefix("91")
        if 6 <= len(number) <= 12:
            return number
    return None


def _mail(text: str) -> str | None:
    """The first of several addresses, without the name before it."""
    for part in re.split(r"[\s,;:/<>()\[\]]+", text):
        if re.fullmatch(r"[a-zA-Z0-9+_.-]+@[a-zA-Z0-9.-]+", part):
            return part
    return None


def _vehicle(text: str) -> str | None:
    """The first of several, without dashes, dots and slashes."""
    first = _letters_and_digits(re.split(r"[,;&|/]", text)[0])
    return first if len(first) >= _VEHICLE_LEAST else _letters_and_digits(text)


def _letters_and_digits(text: str) -> str:
    return re.sub(r"[^A-Z0-9]", "", text.upper())


def _transport_number(text: str) -> str | None:
    return re.sub(r"[\s.#]", "", text)


def _one_of(**words: str) -> Callable[[str], str | None]:
    return lambda text: words.get(_letters_and_digits(text))


_YES_OR_NO: Final = {"YES": "Y", "TRUE": "Y", "Y": "Y", "NO": "N", "FALSE": "N", "N": "N"}
_flag: Final = _one_of(**_YES_OR_NO, NA="N", NOTAPPLICABLE="N")
_MENDS: Final[Mapping[str, Callable[[str], str | None]]] = {
    "TranDtls.RegRev": _flag,
    "TranDtls.IgstOnIntra": _flag,
    "ItemList[].IsServc": _one_of(**_YES_OR_NO, SERVICE="Y", SERVICES="Y", GOODS="N"),
    "ExpDtls.RefClm": _flag,
    "SellerDtls.Ph": _phone,
    "BuyerDtls.Ph": _phone,
    "SellerDtls.Em": _mail,
    "BuyerDtls.Em": _mail,
    "EwbDtls.VehNo": _vehicle,
    "EwbDtls.TransDocNo": _transport_number,
    "EwbDtls.TransMode": _one_of(
        ROAD="1",
        BYROAD="1",
        RAIL="2",
        BYRAIL="2",
        AIR="3",
        BYAIR="3",
        SHIP="4",
        SEA="4",
        **{"01": "1", "02": "2", "03": "3", "04": "4"},
    ),
    "EwbDtls.VehType": _one_of(REGULAR="R", NORMAL="R", ODC="O", OVERDIMENSIONALCARGO="O"),
}
