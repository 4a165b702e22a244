"""Read an INV-01 document as the portal does: names in any case, numbers also in quotes, unknown members left out.

A document written exactly as INV-01 has it takes the fast way of `inv01.decode`. In any other, each place that is not
INV-01 is a fault: a warning where the value can be left out, a refusal where it can't be read.
"""

from collections.abc import Mapping
from contextlib import suppress
from decimal import ROUND_HALF_UP, Decimal, InvalidOperation
from functools import cache
from typing import Any, Final

import msgspec
from msgspec.structs import replace

from irnflow.errors import BadInput
from irnflow.gst import fields, inv01
from irnflow.gst.faults import Fault, Kind, Severity, sentence, shorten
from irnflow.gst.fields import Field, Shape
from irnflow.gst.invoice import Invoice
from irnflow.gst.money import written
from irnflow.gst.normalise import CHANGED

NOT_INV01: Final = Kind(
    code="document.not_inv01",
    says="{found}",
    fix="Write it as INV-01 has it: texts in quotes, numbers as plain digits, each member once.",
    fix_hi="इसे INV-01 के अनुसार लिखें: टेक्स्ट उद्धरण चिह्नों में, संख्याएँ केवल अंकों में, हर फ़ील्ड एक ही बार।",
    portal_code="5002",  # what the portal answers to a body that is not of its schema
)
# The portal's JSON reader overlooks such members: Odoo sends Ph and POS where INV-01 has none, and gets IRNs.
UNKNOWN: Final = Kind(
    code="document.unknown_field",
    says="{found}",
    fix="Leave it out, or correct its name: the portal does not register it.",
    fix_hi="इसे हटाएँ, या इसका नाम ठीक करें: पोर्टल इसे दर्ज नहीं करता।",
    severity=Severity.WARNING,
)
KINDS: Final = (NOT_INV01, UNKNOWN)

_decoder: Final = msgspec.json.Decoder(float_hook=Decimal)
_DIGITS_MOST: Final = 30  # of a whole number
_ABOUT: Final = frozenset({"EwbDtls.Distance", "PayDtls.CrDay"})  # whole numbers that may be rounded
_KINDS: Final = {dict: "an object {...}", list: "a list [...]", str: "a text", bool: "true or false",
                 int: "a number", Decimal: "a number"}  # fmt: skip


def read(document: bytes) -> tuple[Invoice, list[Fault]]:
    """What of it is INV-01, and every place that is not. Raises msgspec.DecodeError when it is not JSON at all."""
    with suppress(BadInput):
        invoice = inv01.decode(document)
        if not _is_wide(invoice):
            return invoice, []
    return tolerantly(document)


def tolerantly(document: bytes) -> tuple[Invoice, list[Fault]]:
    """The same without the fast way."""
    found: list[Fault] = []
    try:
        whole = _decoder.decode(document)
    except RecursionError as error:
        raise msgspec.DecodeError("JSON is nested too deep") from error
    if not isinstance(whole, dict):
        return Invoice(), [_fault("", f"An invoice is an object {{...}}; this is {_kind(whole)}.")]
    return msgspec.convert(_section(whole, "", _names(), found), Invoice), found


def _is_wide(invoice: Invoice) -> bool:
    """Whether a party has what the model holds of some party only: POS of the buyer, Ph and Em of all but ship-to."""
    seller, ship_to = invoice.seller_dtls, invoice.ship_dtls
    if seller is not None and seller.pos is not None:
        return True
    return ship_to is not None and not (ship_to.pos is None and ship_to.ph is None and ship_to.em is None)


class _Member(msgspec.Struct, frozen=True):
    """One member of a section."""

    name: str  # as INV-01 spells it
    field: Field
    inside: Mapping[str, "_Member"] | None = None  # of a section, by name in small letters
    is_list: bool = False  # of sections


@cache
def _names() -> Mapping[str, _Member]:
    return _members(fields.shape())


def _members(shape: Shape) -> Mapping[str, _Member]:
    below = {name: inner for _, name, inner in shape.sections}
    known = (field for field in shape.fields if field.path in fields.table())
    return {member.name.lower(): member for member in (_member(field, below) for field in known)}


def _member(field: Field, below: Mapping[str, Shape]) -> _Member:
    name = field.path.rpartition(".")[2]
    if name not in below:
        return _Member(name, field)
    return _Member(name, field, _members(below[name]), below[name].is_list)


def _section(given: dict[str, Any], path: str, names: Mapping[str, _Member], found: list[Fault]) -> dict[str, Any]:
    kept: dict[str, Any] = {}
    first: dict[str, str] = {}  # how a member was written that came
    for name, value in given.items():
        member = names.get(name.lower())
        if value is None:
            continue
        if member is None:
            found.append(_unknown(path, name))
        elif member.name in first:
            if given[first[member.name]] != value:
                says = f"{first[member.name]} and {name} are one member of INV-01, and differ: only one may stand here."
                found.append(_fault(path + member.name, says))
        else:
            first[member.name] = name
            kept[member.name] = _read(value, path + member.name, member, found)
    return {name: value for name, value in kept.items() if value is not None}


def _read(value: Any, place: str, member: _Member, found: list[Fault]) -> Any:
    """The value as the model holds it; None where it can't be read, with a fault, and for an empty number."""
    if member.inside is not None:
        return _inside(value, place, member, member.inside, found)
    try:
        if member.field.is_text:
            return _text(value)
        number = _number(value)
        return number if member.field.decimals or number is None else _whole(number, place, member.field, found)
    except ValueError as error:
        found.append(_fault(place, str(error)))
        return None


def _inside(value: Any, place: str, member: _Member, names: Mapping[str, _Member], found: list[Fault]) -> Any:
    """A section or a list of sections, as INV-01 wants it in this place; None when the other was given."""
    if member.is_list and isinstance(value, list):
        return [_one(each, f"{place}[{at}]", names, found) for at, each in enumerate(value)]
    if not member.is_list and isinstance(value, dict):
        return _one(value, place, names, found)
    wanted = "A list [...]" if member.is_list else "An object {...}"
    found.append(_fault(place, f"{wanted} belongs here, and not {_kind(value)}."))
    return None


def _one(value: Any, place: str, names: Mapping[str, _Member], found: list[Fault]) -> dict[str, Any]:
    if isinstance(value, dict):
        return _section(value, place + ".", names, found)
    found.append(_fault(place, f"An object {{...}} belongs here, and not {_kind(value)}."))
    return {}


def _text(value: Any) -> str:
    """Also a whole number, as its digits: programs write codes, numbers and telephones so."""
    if isinstance(value, int) and not isinstance(value, bool):
        return str(value)
    if not isinstance(value, str):
        raise ValueError(f"A text belongs here, and not {_kind(value)}.")
    return value


def _number(value: Any) -> Decimal | None:
    """Also one in quotes, whose quotes may be empty. Raises ValueError for anything else."""
    if isinstance(value, str):
        if not value.strip():
            return None
        value = _of_text(value)
    if isinstance(value, bool) or not isinstance(value, int | Decimal):
        raise ValueError(f"A number belongs here, and not {_kind(value)}.")
    return Decimal(value)


def _whole(number: Decimal, place: str, field: Field, found: list[Fault]) -> int:
    """A distance or days of credit to the next whole one. Raises ValueError for a PIN with a fraction."""
    # An exponent without end would be written out digit by digit.
    if number.adjusted() > _DIGITS_MOST or (field.path not in _ABOUT and number != number.to_integral_value()):
        raise ValueError(sentence(f"{written(number, 0)} is not a whole number that can stand here"))
    whole = int(number.to_integral_value(ROUND_HALF_UP))
    if whole != number:
        found.append(CHANGED.fault(place, found=written(number, 0), written=whole))
    return whole


def _of_text(text: str) -> Decimal:
    with suppress(InvalidOperation):
        if (number := Decimal(text)).is_finite():
            return number
    raise ValueError(f"The text {shorten(text)!r} is not a number.")


def _unknown(path: str, name: str) -> Fault:
    return UNKNOWN.fault(path + shorten(name), found=f"INV-01 has no field {name[:40]} here; it is left out.")


def _kind(value: Any) -> str:
    return _KINDS.get(type(value), "null")


def _fault(path: str, says: str) -> Fault:
    return replace(NOT_INV01.fault(path, found=""), says=says)
