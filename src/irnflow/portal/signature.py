"""What the portal signed, checked offline: compact JWS, RS256, key by `kid` (domain.md section 4.7)."""

import base64
import re
from collections.abc import Iterator
from decimal import Decimal
from functools import cache
from typing import Any, Final, NamedTuple

import msgspec
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.hashes import SHA256

from irnflow.gst import fields
from irnflow.gst.faults import shorten
from irnflow.portal.client import Document
from irnflow.portal.envelope import NO_JSON
from irnflow.portal.signed_qr import NoQr, qr_differences, read_qr
from irnflow.portal.signing_keys import KeySet
from irnflow.portal.values import is_absent, same


class BadSignature(Exception):
    """The text is not what the portal signed, or is no JWS at all."""


class UnknownKey(Exception):
    """Signed with a key that our folder lacks: it may be new."""


class Difference(NamedTuple):
    """A place where two documents say different things; "" for what one of them does not say."""

    path: str  # INV-01 JSON path
    ours: str
    theirs: str


_WRAPPING: Final = re.compile(r"=\r?\n|\\[rnt]")  # line breaks as quoted-printable mail and JSON write them
_INVISIBLE: Final = dict.fromkeys(map(ord, "\u00ad\u180e\u200b\u200c\u200d\u2060\ufeff"))  # no white space to Python


class _Header(msgspec.Struct, frozen=True):
    alg: str
    kid: str


class _Payload(msgspec.Struct, frozen=True):
    data: str


def compact(text: str) -> str:
    """A signed text without the white space that mail, editors and viewers of JSON put into it."""
    if text.isascii() and not any(space in text for space in " \t\r\n\v\f\\"):  # as nearly always
        return text
    return "".join(_WRAPPING.sub("", text).translate(_INVISIBLE).split())


def looks_signed(text: str) -> bool:
    """Whether a compact text has the shape of a JWS."""
    return text.count(".") == 2 and text.startswith("eyJ") and "\\" not in text  # eyJ: {" in base64; \\: JSON around it


def verified(jws: str, keys: KeySet) -> bytes:
    """The signed `data`, JSON bytes. Raises BadSignature, UnknownKey."""
    jws = compact(jws)
    header, data = _opened(jws)
    if header.alg != "RS256":  # never let the text choose a weaker algorithm
        raise BadSignature(f"signed with {header.alg}, not RS256")
    text, _, signature = jws.encode().rpartition(b".")
    try:
        key = keys[header.kid.upper()]
    except KeyError:
        raise UnknownKey(header.kid) from None
    try:
        key.verify(_unbase64(signature), text, PKCS1v15(), SHA256())
    except (InvalidSignature, ValueError) as error:  # ValueError: it is no base64
        raise BadSignature(f"the signature does not match key {header.kid}") from error
    return data


def kid_of(jws: str) -> str:
    """By which key it says it is signed. Raises BadSignature when it is no JWS."""
    return _opened(compact(jws))[0].kid.upper()


def signed_data(jws: str) -> bytes:
    """The `data` of a text whose signature is checked elsewhere, or can't be. Raises BadSignature when it is no JWS."""
    return _opened(compact(jws))[1]


def examined(document: Document, keys: KeySet, *, irn: str, gstin: str, typ: str, no: str) -> Document | None:
    """The document with the AckNo and AckDt that were signed, when its signed texts hold, are about this IRN, and agree
    with each other in every field of the QR code.

    None: there are none, or their key is unknown. Raises BadSignature.
    """
    if document.irn.lower() != irn:
        raise BadSignature(f"it is about IRN {document.irn}")
    if document.signed_invoice is None or document.signed_q_r_code is None:
        return None
    sure, known = _proved(
        document.signed_invoice, document.signed_q_r_code, keys, irn=irn, gstin=gstin, typ=typ, no=no
    )  # fmt: skip
    if document.ack_no and str(sure.ack_no) != str(document.ack_no):
        raise BadSignature(f"its signed text has the AckNo {sure.ack_no}, and its answer {document.ack_no}")
    if not known:
        return None
    return msgspec.structs.replace(document, ack_no=sure.ack_no, ack_dt=sure.ack_dt)  # its e-way bill is not signed


def proved(
    signed_invoice: str, signed_qr: str | None, keys: KeySet, *, irn: str, gstin: str, typ: str, no: str
) -> Document:
    """What the signed texts alone prove, when they hold and are about this IRN. Raises BadSignature, UnknownKey."""
    document, known = _proved(signed_invoice, signed_qr, keys, irn=irn, gstin=gstin, typ=typ, no=no)
    if not known:
        raise UnknownKey(kid_of(signed_invoice))
    return document


def _proved(
    signed_invoice: str, signed_qr: str | None, keys: KeySet, *, irn: str, gstin: str, typ: str, no: str
) -> tuple[Document, bool]:
    """What they say, and whether their keys are known and say that they hold. Raises BadSignature."""
    data, known = _read(signed_invoice, keys)
    invoice = _as_invoice(data)
    if invoice.irn.lower() != irn:
        raise BadSignature(f"its signed text is about IRN {invoice.irn}")
    if signed_qr is not None:
        qr, known_too = _read(signed_qr, keys)
        known = known and known_too
        if wrong := contradictions(data, qr):
            names = ", ".join(f"{each.path} ({each.theirs}, not {each.ours})" for each in wrong)
            raise BadSignature(f"its QR code is not about its signed document: {names}")
        about = read_qr(qr)
        if (about["SellerGstin"], str(about["DocNo"]).upper(), about["DocTyp"]) != (gstin, no.upper(), typ):
            raise BadSignature(f"its QR code is about {about['SellerGstin']} {about['DocTyp']} {about['DocNo']}")
    # The AckDt outside the signed text may be cut to the minute.
    document = Document(
        irn=irn, ack_no=invoice.ack_no, ack_dt=invoice.ack_dt, signed_invoice=signed_invoice, signed_q_r_code=signed_qr
    )
    return document, known


def contradictions(document: bytes, qr: bytes) -> list[Difference]:
    """Fields of the QR code's `data` that say something else than an INV-01 document, signed or as it was sent.

    Raises BadSignature when one of them is none.
    """
    try:
        return [Difference(*map(_text_of, each)) for each in qr_differences(_document(document), read_qr(qr))]
    except NoQr as error:
        raise BadSignature(str(error)) from error


def _read(jws: str, keys: KeySet) -> tuple[bytes, bool]:
    """What was signed, and whether its key is known and says so. Raises BadSignature."""
    try:
        return verified(jws, keys), True
    except UnknownKey:
        return signed_data(jws), False


def _as_invoice(data: bytes) -> "_SignedInvoice":
    try:
        return msgspec.json.decode(data, type=_SignedInvoice)
    except NO_JSON as error:
        raise BadSignature(f"its signed text is no invoice: {error}") from error


class _SignedInvoice(msgspec.Struct, frozen=True, rename="pascal"):
    irn: str
    ack_no: int | str
    ack_dt: str


def _opened(jws: str) -> tuple[_Header, bytes]:
    try:
        head, payload, _ = jws.encode("ascii").split(b".")
        data = msgspec.json.decode(_unbase64(payload), type=_Payload).data
        return msgspec.json.decode(_unbase64(head), type=_Header), data.encode()
    except (*NO_JSON, ValueError) as error:
        raise BadSignature(f"no signed text of the portal: {error}") from error


def _unbase64(text: bytes) -> bytes:
    return base64.urlsafe_b64decode(text + b"=" * (-len(text) % 4))


_exact = msgspec.json.Decoder(Any, float_hook=Decimal)
_shown = msgspec.json.Encoder(decimal_format="number")
_ADDED: Final = frozenset({"ackno", "ackdt", "irn", "itemno", "status"})  # what the portal adds to what was sent
_INDEX: Final = re.compile(r"\[[0-9]+\]")


def differences(sent: bytes, signed: bytes) -> list[Difference]:
    """Where the signed document says something else than ours (`values.same`), at its places in INV-01.

    Raises BadSignature when what was signed is no document.
    """
    ours, theirs = _exact.decode(sent), _document(signed)
    if _without_what_is_added(theirs, ours) == ours:  # as nearly always, and quickly said
        return []
    return list(_differ("", ours, theirs))


def is_dropped(found: Difference) -> bool:
    """Whether a field was sent that INV-01 does not have: the portal registers the document without it."""
    return found.theirs == "" and _INDEX.sub("", found.path).lower() not in _known()


@cache
def _known() -> frozenset[str]:
    """Every place of INV-01 in small letters, sections and lists too: "itemlist", "itemlist.hsncd"."""
    paths = [path.replace("[]", "").lower().split(".") for path in fields.table()]
    return frozenset(".".join(path[:end]) for path in paths for end in range(1, len(path) + 1))


def _document(data: bytes) -> Any:
    try:
        document = _exact.decode(data)
    except NO_JSON as error:
        raise BadSignature(f"its signed text is no invoice: {error}") from error
    if not isinstance(document, dict):
        raise BadSignature("its signed text is no invoice")
    return document


def _without_what_is_added(theirs: Any, ours: Any) -> Any:
    """The signed document as it was sent, if nothing but the portal's own fields came to it."""
    if not isinstance(ours, dict):
        return theirs
    lines = theirs.get("ItemList")
    if isinstance(lines, list):
        lines = [
            {name: line[name] for name in line if name != "ItemNo"} if isinstance(line, dict) else line
            for line in lines
        ]
    plain = {name: value for name, value in theirs.items() if name in ours or name.lower() not in _ADDED}
    return plain | {"ItemList": lines} if "ItemList" in plain else plain


def _differ(path: str, ours: Any, theirs: Any) -> Iterator[Difference]:
    if isinstance(ours, dict) and isinstance(theirs, dict):
        yield from _differ_in_sections(f"{path}." if path else "", ours, theirs)
    elif isinstance(ours, list) and isinstance(theirs, list):
        yield from _differ_in_lists(path, ours, theirs)
    elif not (same(ours, theirs) or (is_absent(ours) and is_absent(theirs)) or _same_number(path, ours, theirs)):
        yield Difference(path, _text(ours), _text(theirs))


def _differ_in_sections(path: str, ours: dict[str, Any], theirs: dict[str, Any]) -> Iterator[Difference]:
    """The portal reads names in any case, and signs them as INV-01 writes them."""
    signed = {name.lower(): name for name in theirs}
    for name, value in ours.items():
        registered = signed.get(name.lower(), name)
        yield from _differ(path + registered, value, theirs.get(registered))
    sent = {name.lower() for name in ours}
    for name, value in theirs.items():
        if name.lower() not in sent | _ADDED:
            yield from _differ(path + name, None, value)


def _differ_in_lists(path: str, ours: list[Any], theirs: list[Any]) -> Iterator[Difference]:
    said, signed = _said(ours), _said(theirs)
    if len(said) != len(signed):
        yield Difference(path, _text(ours), _text(theirs))
        return
    for (at, one), (_, other) in zip(said, signed, strict=True):
        yield from _differ(f"{path}[{at}]", one, other)


def _said(values: list[Any]) -> list[tuple[int, Any]]:
    """The entries of a list that say something, and their places."""
    return [(at, value) for at, value in enumerate(values) if value == 0 or not is_absent(value)]


def _same_number(path: str, ours: Any, theirs: Any) -> bool:
    """The portal writes a document's number in capitals."""
    return path == "DocDtls.No" and isinstance(ours, str) and isinstance(theirs, str) and ours.upper() == theirs.upper()


def _text_of(value: Any) -> str:
    return value if isinstance(value, str) else _text(value)


def _text(value: Any) -> str:
    """A value as a person reads it."""
    if isinstance(value, list):
        return f"a list of {len(value)}"
    return "" if value is None else shorten(_shown.encode(value).decode())
