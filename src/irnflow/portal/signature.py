"""What the portal signed, checked offline: compact JWS, RS256, key by `kid` (domain.md section 4.7)."""

import base64
from collections.abc import Iterator, Mapping
from decimal import Decimal
from pathlib import Path
from typing import Any, Final, NamedTuple, TypeVar

import msgspec
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.x509 import load_pem_x509_certificate

from irnflow.errors import BadInput
from irnflow.gst.faults import shorten
from irnflow.portal.client import Document
from irnflow.portal.envelope import NO_JSON

T = TypeVar("T")
KeySet = Mapping[str, RSAPublicKey]  # by kid: upper-case hex of the SHA-1 thumbprint of the certificate


class BadSignature(Exception):
    """The text is not what the portal signed, or is no JWS at all."""


class UnknownKey(Exception):
    """Signed with a key that our folder lacks: it may be new."""


class Difference(NamedTuple):
    """A place where two documents say different things; "" for what one of them does not say."""

    path: str  # INV-01 JSON path
    ours: str
    theirs: str


class _Header(msgspec.Struct, frozen=True):
    alg: str
    kid: str


class _Payload(msgspec.Struct, frozen=True):
    data: str


def read_keys(folder: Path) -> dict[str, RSAPublicKey]:
    """The certificates `<kid>.pem` in a folder; keys rotate, so old ones stay. Raises BadInput for one that is none."""
    keys = {}
    for path in sorted(folder.glob("*.pem")):
        try:
            key = load_pem_x509_certificate(path.read_bytes()).public_key()
        except ValueError as error:
            raise BadInput(f"{path} in IRNFLOW_PORTAL_SIGNING_KEYS is no certificate in PEM: {error}") from error
        if not isinstance(key, RSAPublicKey):
            raise BadInput(f"{path} in IRNFLOW_PORTAL_SIGNING_KEYS holds no RSA key")
        keys[path.stem.upper()] = key
    return keys


def verified(jws: str, keys: KeySet) -> bytes:
    """The signed `data`, JSON bytes. Raises BadSignature, UnknownKey."""
    header, data = _opened(jws)
    if header.alg != "RS256":  # never let the text choose a weaker algorithm
        raise BadSignature(f"signed with {header.alg}, not RS256")
    if header.kid.upper() not in keys:
        raise UnknownKey(header.kid)
    text, _, signature = jws.encode().rpartition(b".")
    try:
        keys[header.kid.upper()].verify(_unbase64(signature), text, PKCS1v15(), SHA256())
    except InvalidSignature as error:
        raise BadSignature(f"the signature does not match key {header.kid}") from error
    return data


def signed_data(jws: str) -> bytes:
    """The `data` of a text whose signature is checked elsewhere, or can't be. Raises BadSignature when it is no JWS."""
    return _opened(jws)[1]


def examined(document: Document, keys: KeySet, *, irn: str, gstin: str, typ: str, no: str) -> Document | None:
    """The document with the AckDt that was signed, when its signed texts hold and are about this IRN.

    None: there are none, or their key is unknown. Raises BadSignature.
    """
    if document.irn.lower() != irn:
        raise BadSignature(f"it is about IRN {document.irn}")
    if document.signed_invoice is None or document.signed_q_r_code is None:
        return None
    try:
        return proved(
            document.signed_invoice, document.signed_q_r_code, keys, irn=irn, gstin=gstin, typ=typ, no=no
        )  # fmt: skip
    except UnknownKey:
        return None


def proved(
    signed_invoice: str, signed_qr: str | None, keys: KeySet, *, irn: str, gstin: str, typ: str, no: str
) -> Document:
    """What the signed texts alone prove, when they hold and are about this IRN. Raises BadSignature, UnknownKey."""
    invoice = _said(signed_invoice, keys, _SignedInvoice)
    if invoice.irn.lower() != irn:
        raise BadSignature(f"its signed text is about IRN {invoice.irn}")
    if signed_qr is not None:
        qr = _said(signed_qr, keys, _SignedQr)
        if qr.irn.lower() != irn:
            raise BadSignature(f"its signed text is about IRN {qr.irn}")
        if (qr.seller_gstin, qr.doc_no.upper(), qr.doc_typ) != (gstin, no, typ):
            raise BadSignature(f"its QR code is about {qr.seller_gstin} {qr.doc_typ} {qr.doc_no}")
    # The AckDt outside the signed text may be cut to the minute.
    return Document(
        irn=irn, ack_no=invoice.ack_no, ack_dt=invoice.ack_dt, signed_invoice=signed_invoice, signed_q_r_code=signed_qr
    )


def _said(jws: str, keys: KeySet, kind: type[T]) -> T:
    try:
        return msgspec.json.decode(verified(jws, keys), type=kind)
    except NO_JSON as error:
        raise BadSignature(f"its signed text is no invoice: {error}") from error


class _SignedInvoice(msgspec.Struct, frozen=True, rename="pascal"):
    irn: str
    ack_no: int | str
    ack_dt: str


class _SignedQr(msgspec.Struct, frozen=True, rename="pascal"):
    irn: str
    seller_gstin: str
    doc_no: str
    doc_typ: str


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
_ADDED: Final = frozenset({"AckNo", "AckDt", "Irn", "ItemNo", "Status"})  # what the portal adds to what was sent


def differences(sent: bytes, signed: bytes) -> list[Difference]:
    """Where the signed document says something else than ours; numbers compare by value, 1 is 1.0.

    Raises BadSignature when what was signed is no document.
    """
    try:
        theirs = _exact.decode(signed)
    except NO_JSON as error:
        raise BadSignature(f"its signed text is no invoice: {error}") from error
    return list(_differ("", _exact.decode(sent), theirs))


def _differ(path: str, ours: Any, theirs: Any) -> Iterator[Difference]:
    if isinstance(ours, dict) and isinstance(theirs, dict):
        for name in ours | theirs:
            if name in ours or name not in _ADDED:
                yield from _differ(f"{path}.{name}" if path else name, ours.get(name), theirs.get(name))
    elif isinstance(ours, list) and isinstance(theirs, list) and len(ours) == len(theirs):
        for at, (one, other) in enumerate(zip(ours, theirs, strict=True)):
            yield from _differ(f"{path}[{at}]", one, other)
    elif ours != theirs and not (_absent(ours) and _absent(theirs)):
        yield Difference(path, _text(ours), _text(theirs))


def _absent(value: Any) -> bool:
    """What the portal may drop or add without saying anything else: null and nothing, a zero where we sent none."""
    return value is None or value == "" or value == 0 or value == [] or value == {}


def _text(value: Any) -> str:
    """A value as a person reads it."""
    if isinstance(value, list):
        return f"a list of {len(value)}"
    return "" if value is None else shorten(_shown.encode(value).decode())
