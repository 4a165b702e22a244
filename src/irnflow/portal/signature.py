"""What the portal signed, checked offline: compact JWS, RS256, key by `kid` (domain.md section 4.7)."""

import base64
import binascii
from collections.abc import Mapping
from decimal import Decimal
from pathlib import Path
from typing import Any

import msgspec
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.x509 import load_pem_x509_certificate

from irnflow.errors import BadInput

KeySet = Mapping[str, RSAPublicKey]  # by kid: upper-case hex of the SHA-1 thumbprint of the certificate


class BadSignature(Exception):
    """The text is not what the portal signed, or is no JWS at all."""


class UnknownKey(Exception):
    """Signed with a key that our folder lacks: it may be new."""


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


def _opened(jws: str) -> tuple[_Header, bytes]:
    try:
        head, payload, _ = jws.encode("ascii").split(b".")
        data = msgspec.json.decode(_unbase64(payload), type=_Payload).data
        return msgspec.json.decode(_unbase64(head), type=_Header), data.encode()
    except (ValueError, msgspec.MsgspecError, binascii.Error) as error:
        raise BadSignature(f"no signed text of the portal: {error}") from error


def _unbase64(text: bytes) -> bytes:
    return base64.urlsafe_b64decode(text + b"=" * (-len(text) % 4))


_exact = msgspec.json.Decoder(Any, float_hook=Decimal)
_ADDED = frozenset({"AckNo", "AckDt", "Irn", "ItemNo", "Status"})  # what the portal adds to what was sent


def differences(sent: bytes, signed: bytes) -> list[str]:
    """Paths where the signed document says something else than ours; numbers compare by value, 1 is 1.0."""
    return list(_differ("", _exact.decode(sent), _exact.decode(signed)))


def _differ(path: str, ours: Any, theirs: Any) -> list[str]:
    if isinstance(ours, dict) and isinstance(theirs, dict):
        names = [name for name in ours | theirs if name in ours or name not in _ADDED]
        return [
            place
            for name in names
            for place in _differ(f"{path}.{name}" if path else name, ours.get(name), theirs.get(name))
        ]
    if isinstance(ours, list) and isinstance(theirs, list) and len(ours) == len(theirs):
        pairs = enumerate(zip(ours, theirs, strict=True))
        return [place for at, (one, other) in pairs for place in _differ(f"{path}[{at}]", one, other)]
    if ours == theirs or (_absent(ours) and _absent(theirs)):
        return []
    return [path]


def _absent(value: Any) -> bool:
    """What the portal may drop or add without saying anything else: null and nothing, a zero where we sent none."""
    return value is None or value == "" or value == 0 or value == [] or value == {}
