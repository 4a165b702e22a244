"""A signed document that a person brings, as the portals' pages and interfaces give it out."""

from collections.abc import Iterator
from typing import Any, Final, NamedTuple

import msgspec

from irnflow.errors import BadInput
from irnflow.portal.envelope import NO_JSON
from irnflow.portal.signature import BadSignature, compact, looks_signed, signed_data

BYTES_MAX: Final = 16 * 1024 * 1024  # a signed thousand-line invoice is about 3 MiB
_DEPTH_MAX: Final = 6  # of the JSON around the signed texts


class Texts(NamedTuple):
    """The signed texts (JWS), not verified yet."""

    invoice: str
    qr: str | None


def read_texts(content: bytes, irn: str) -> Texts:
    """The signed texts of an IRN in a file: the signed invoice alone, or JSON with SignedInvoice and SignedQRCode, by
    itself, in a list of several documents, or in the portal's envelope. Raises BadInput.
    """
    if len(content) > BYTES_MAX:
        raise BadInput(f"the signed document is larger than {BYTES_MAX} bytes")
    text = content.removeprefix(b"\xef\xbb\xbf").strip()
    if looks_signed(whole := compact(text.decode("utf-8", "replace"))):
        return Texts(whole, None)
    try:
        value = msgspec.json.decode(text)
    except NO_JSON as error:
        raise BadInput(f"the signed document is neither JSON nor a signed text (JWS): {error}") from error
    found = list(_texts(value, 0))
    if not found:
        raise BadInput("the JSON has no SignedInvoice: take the signed JSON that the portal gives out for this IRN")
    of_irn = [texts for texts in found if irn in _signed(texts.invoice)]
    return [*of_irn, *found][0]


def _texts(value: Any, depth: int) -> Iterator[Texts]:
    if depth > _DEPTH_MAX:
        return
    if isinstance(value, str) and looks_signed(whole := compact(value)):
        yield Texts(whole, None)
    elif isinstance(value, dict):
        named = {str(name).lower(): each for name, each in value.items()}
        invoice, qr = named.get("signedinvoice"), named.get("signedqrcode")
        if isinstance(invoice, str):
            yield Texts(compact(invoice), compact(qr) if isinstance(qr, str) else None)
            return
        for each in value.values():
            if isinstance(each, dict | list):
                yield from _texts(each, depth + 1)
    elif isinstance(value, list):
        for each in value:
            yield from _texts(each, depth + 1)


def _signed(jws: str) -> str:
    try:
        return signed_data(jws).decode().lower()
    except BadSignature:
        return ""
