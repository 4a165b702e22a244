"""Read a foreign INV-01 document as far as it goes: each place that is not INV-01 is a fault, and is left out.

`inv01.decode` stops at the first such place; whoever has to mend a file wants to know them all.
"""

from decimal import Decimal
from typing import Any, Final

import msgspec
from msgspec.structs import replace

from irnflow.gst import fields
from irnflow.gst.faults import Fault, Kind
from irnflow.gst.fields import Field, Shape
from irnflow.gst.invoice import Invoice

NOT_INV01: Final = Kind(
    code="document.not_inv01",
    says="{found}",
    fix="Write it as INV-01 has it: texts in quotes, numbers without, and no field of another name.",
    fix_hi="इसे INV-01 के अनुसार लिखें: टेक्स्ट उद्धरण चिह्नों में, संख्याएँ बिना उनके, और किसी दूसरे नाम का फ़ील्ड नहीं।",
    portal_code="5002",  # what the portal answers to a body that is not of its schema
)
_decoder: Final = msgspec.json.Decoder(float_hook=Decimal)
_KINDS: Final = {dict: "an object {...}", list: "a list [...]", str: "a text", bool: "true or false",
                 int: "a number", Decimal: "a number"}  # fmt: skip


def read(document: bytes) -> tuple[Invoice, list[Fault]]:
    """What of it is INV-01, and every place that is not. Raises msgspec.DecodeError when it is no JSON at all."""
    found: list[Fault] = []
    whole = _decoder.decode(document)
    if not isinstance(whole, dict):
        return Invoice(), [_fault("", f"An invoice is an object {{...}}; this is {_kind(whole)}.")]
    return msgspec.convert(_section(whole, "", fields.shape(), found), Invoice), found


def _section(given: dict[str, Any], path: str, shape: Shape, found: list[Fault]) -> dict[str, Any]:
    known = {field.path.rpartition(".")[2]: field for field in shape.fields}
    below = {name: inner for _, name, inner in shape.sections}
    kept: dict[str, Any] = {}
    for name, value in given.items():
        place = path + name
        if value is None:
            continue
        if name not in known:
            found.append(_fault(place, f"INV-01 has no field {name[:40]} here."))
        elif name in below:
            kept[name] = _sections(value, place, below[name], found)
        elif (fitting := _fitting(value, known[name])) is not None:
            kept[name] = fitting
        else:
            found.append(_misfit(place, value, known[name]))
    return {name: value for name, value in kept.items() if value is not None}


def _sections(value: Any, place: str, shape: Shape, found: list[Fault]) -> Any:
    """A section or a list of sections, as INV-01 wants it in this place; None when the other was given."""
    is_list = shape.fields[0].path.rpartition(".")[0].endswith("[]")
    if is_list and isinstance(value, list):
        return [_one(each, f"{place}[{at}]", shape, found) for at, each in enumerate(value)]
    if not is_list and isinstance(value, dict):
        return _one(value, place, shape, found)
    wanted = "a list [...]" if is_list else "an object {...}"
    found.append(_fault(place, f"{wanted.capitalize()} belongs here, and not {_kind(value)}."))
    return None


def _one(value: Any, place: str, shape: Shape, found: list[Fault]) -> dict[str, Any]:
    if isinstance(value, dict):
        return _section(value, place + ".", shape, found)
    found.append(_fault(place, f"An object {{...}} belongs here, and not {_kind(value)}."))
    return {}


def _fitting(value: Any, field: Field) -> Any:
    """The value as the model holds it, or None when it is of another kind."""
    if field.is_text:
        return value if isinstance(value, str) else None
    if isinstance(value, bool) or not isinstance(value, int | Decimal):
        return None
    if field.decimals:
        return Decimal(value)
    return int(value) if value == int(value) else None


def _misfit(place: str, value: Any, field: Field) -> Fault:
    if field.is_text:
        return _fault(place, f"A text belongs here, and not {_kind(value)}.")
    if isinstance(value, str):
        return _fault(place, f"The number {value[:40]!r} is written as a text.")
    if isinstance(value, Decimal):
        return _fault(place, f"{value} is not a whole number.")
    return _fault(place, f"A number belongs here, and not {_kind(value)}.")


def _kind(value: Any) -> str:
    return _KINDS.get(type(value), "null")


def _fault(path: str, says: str) -> Fault:
    return replace(NOT_INV01.fault(path, found=""), says=says)
