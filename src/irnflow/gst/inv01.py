"""INV-01 version 1.1, the portal's JSON: read strictly, written always in the same way.

Read: no digit is lost (numbers become `Decimal`); a field that INV-01 does not have is refused, and `loose` reads what
is written in another way; `null` counts as absent. Written: the same invoice gives the same bytes, with its fields in
the order of `invoice.py`, without nulls, numbers as `normalise` wrote them: 2 or 3 decimals, never an exponent.
"""

import re
from collections.abc import Iterator
from decimal import Decimal
from typing import Any, Final

import msgspec

from irnflow.errors import BadInput
from irnflow.gst import fields
from irnflow.gst.faults import Fault, Kind
from irnflow.gst.invoice import Invoice

BYTES_MAX: Final = 2_000_000  # the portal takes 2 MB, and answers 5002 beyond (ClearTax, Masters India)
TOO_LARGE: Final = Kind(
    code="document.too_large",
    says="The document has {found} bytes; the portal takes {most}.",
    fix="Shorten descriptions and attached documents, or divide the supply among several documents.",
    fix_hi="विवरण और संलग्न दस्तावेज़ छोटे करें, या आपूर्ति को कई दस्तावेज़ों में बाँटें।",
    portal_code="5002",
)
_decoder: Final = msgspec.json.Decoder(Invoice)
_any_decoder: Final = msgspec.json.Decoder(float_hook=Decimal)
_NAN: Final = re.compile(rb'nan\d*\s*"')
_INFINITY: Final = re.compile(rb'inf(?:inity)?\s*"')
_ESCAPED_LETTER: Final = re.compile(rb"\\u00[46]")  # of such a text
_encoder: Final = msgspec.json.Encoder(decimal_format="number")


def decode(document: bytes) -> Invoice:
    """Read one INV-01 document. Raises BadInput, saying which place is not INV-01."""
    try:
        invoice = _decoder.decode(document)
    except (msgspec.MsgspecError, UnicodeDecodeError) as error:
        raise BadInput(f"not an INV-01 document: {error}") from error
    if _may_hold_no_number(document) and (places := list(_no_numbers(_any_decoder.decode(document), ""))):
        raise BadInput(f"not an INV-01 document: a number belongs at {', '.join(places[:9])}")
    return invoice


def encode(invoice: Invoice) -> bytes:
    """The document to send, of an invoice that has been normalised and has passed the rules."""
    return _encoder.encode(invoice)


def too_large(document: bytes) -> Fault:
    """The fault of a document beyond BYTES_MAX; no rule finds it, for it shows only when all is written."""
    return TOO_LARGE.fault("", found=len(document), most=BYTES_MAX)


def _may_hold_no_number(document: bytes) -> bool:
    """Whether NaN or Infinity in quotes may stand for a number, which the typed decoder takes."""
    written = document.lower()
    return bool(_NAN.search(written) or _INFINITY.search(written) or _ESCAPED_LETTER.search(written))


def _no_numbers(section: dict[str, Any], path: str) -> Iterator[str]:
    """Paths of numbers whose text is none."""
    for name, value in section.items():
        for inside in value if isinstance(value, list) else (value,):
            if isinstance(inside, dict):
                yield from _no_numbers(inside, f"{path}{name}{'[]' if isinstance(value, list) else ''}.")
            elif isinstance(inside, str) and _is_number(path + name) and not Decimal(inside).is_finite():
                yield path + name


def _is_number(path: str) -> bool:
    field = fields.table().get(path)  # the model holds places that the table does not have, all of them texts
    return field is not None and not field.is_text
