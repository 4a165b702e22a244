"""The portal's wire, seen from its side: numbers kept exactly, ciphers, envelopes. Pure.

A login arrives as RSA (PKCS#1 v1.5) of base64 of JSON; every other body as AES-256-ECB-PKCS7 under the session key
(SEK), and so goes every answer's Data. Source: NIC's API pages, authentication 1.04 and e-invoice 1.03.
"""

import base64
import binascii
from collections.abc import Mapping
from datetime import datetime, timedelta, timezone
from decimal import Decimal
from typing import Any, Final, Literal

import msgspec
from cryptography.hazmat.primitives import padding
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

from irnflow.sandbox.codes import Refused, refused

IST: Final = timezone(timedelta(hours=5, minutes=30), "IST")
ErrorsAs = Literal["list", "text", "base64"]
PAYLOAD_BYTES_MAX: Final = 2 * 1024 * 1024  # Masters India and ClearTax: at most 2 MB; 5002 above
BODY_BYTES_MAX: Final = 3 * 1024 * 1024  # the same in base64, with its envelope
_AES_BLOCK_BITS: Final = 128

_decoder = msgspec.json.Decoder(float_hook=Decimal)
_encoder = msgspec.json.Encoder(decimal_format="number")


def to_json(value: Any) -> bytes:
    """JSON whose numbers are the digits that came in: a Decimal becomes a number, never a float."""
    return _encoder.encode(value)


def from_json(text: bytes) -> Any:
    """Raises ValueError for what is not JSON, or is nested too deep to read."""
    try:
        return _decoder.decode(text)
    except (msgspec.MsgspecError, RecursionError) as cause:
        raise ValueError("not JSON") from cause


def ist(moment: datetime) -> str:
    """How the portal writes a time: Indian Standard Time, without saying so."""
    return moment.astimezone(IST).strftime("%Y-%m-%d %H:%M:%S")


# -- ciphers ---------------------------------------------------------------------------------------------------------


def encrypt(key: bytes, plain: bytes) -> str:
    """base64 of AES-256-ECB-PKCS7, as the portal's protocol has it."""
    padder = padding.PKCS7(_AES_BLOCK_BITS).padder()
    encryptor = Cipher(algorithms.AES(key), modes.ECB()).encryptor()  # noqa: S305 - the protocol's choice
    padded = padder.update(plain) + padder.finalize()
    return base64.b64encode(encryptor.update(padded) + encryptor.finalize()).decode()


def decrypt(key: bytes, text: str) -> bytes:
    """Raises ValueError when it is no base64, no whole blocks, or was made under another key."""
    unpadder = padding.PKCS7(_AES_BLOCK_BITS).unpadder()
    decryptor = Cipher(algorithms.AES(key), modes.ECB()).decryptor()  # noqa: S305 - the protocol's choice
    padded = decryptor.update(from_base64(text)) + decryptor.finalize()
    return unpadder.update(padded) + unpadder.finalize()


def from_base64(text: str) -> bytes:
    """Strict base64. Raises ValueError."""
    try:
        return base64.b64decode(text, validate=True)
    except binascii.Error as cause:
        raise ValueError("not base64") from cause


# -- requests --------------------------------------------------------------------------------------------------------


def login_in(body: bytes, key: RSAPrivateKey) -> dict[str, Any]:
    """What a login says: UserName, Password, AppKey, ForceRefreshAccessToken."""
    try:
        # What was made with another public key decrypts to noise, which is then no base64.
        plain = from_base64(key.decrypt(from_base64(_data_in(body)), PKCS1v15()).decode("ascii"))
    except ValueError as cause:
        raise refused("1020") from cause
    return _object_in(plain, otherwise=refused("1007"))


def payload_in(body: bytes, sek: bytes) -> dict[str, Any]:
    """What a call's body says. Refused: 5003 no Data, 1020 not decryptable, 5002 too large, 2255, 2140."""
    return _payload_of(_plain_in(body, sek))


def wrapped_payload_in(body: bytes, sek: bytes) -> tuple[dict[str, Any], bool]:
    """The same, and whether it came as base64 inside the cipher, which the e-way bill system takes."""
    plain = _plain_in(body, sek)
    if plain.lstrip().startswith(b"{"):
        return _payload_of(plain), False
    try:
        return _payload_of(from_base64(plain.decode("ascii").strip())), True
    except ValueError as cause:
        raise refused("1020") from cause


def action_in(body: bytes) -> str:
    """What a call to the e-way bill system wants done; it stands beside the sealed part."""
    (action,) = members(_object_in(body, otherwise=refused("5003")), "action")
    return str(action or "")


def members(sent: Mapping[str, Any], *names: str) -> list[Any]:
    """What stands under these names, written in any case; None where nothing does. Of two the last one counts."""
    known = {name.lower(): value for name, value in sent.items()}
    return [known.get(name.lower()) for name in names]


def _plain_in(body: bytes, sek: bytes) -> bytes:
    try:
        plain = decrypt(sek, _data_in(body))
    except ValueError as cause:
        raise refused("1020") from cause
    if len(plain) > PAYLOAD_BYTES_MAX:
        raise refused("5002")
    if not plain.strip():
        raise refused("2255")
    return plain


def _payload_of(plain: bytes) -> dict[str, Any]:
    return _object_in(plain, otherwise=refused("2140", "- the payload is not a JSON object"))


def _data_in(body: bytes) -> str:
    if len(body) > BODY_BYTES_MAX:
        raise refused("5002")
    sent = _object_in(body, otherwise=refused("5003"))
    (data,) = members(sent, "Data")
    if not data or not isinstance(data, str):
        raise refused("5003")  # Data cannot be null or empty: what the live portal says to `{}`
    return data


def _object_in(text: bytes, *, otherwise: Refused) -> dict[str, Any]:
    try:
        value = from_json(text)
    except ValueError as cause:
        raise otherwise from cause
    if not isinstance(value, dict):
        raise otherwise
    return value


# -- answers ---------------------------------------------------------------------------------------------------------


def accepted(data: Any, infos: list[dict[str, Any]] | None = None) -> bytes:
    """The envelope of a success; `data` is encrypted text, at login an object."""
    return to_json({"Status": 1, "Data": data, "ErrorDetails": None, "InfoDtls": infos or None})


def declined(refusal: Refused, *, errors_as: ErrorsAs = "list") -> bytes:
    """The envelope of a business failure, which comes with HTTP 200; Status is a string where its errors are text."""
    text = to_json(refusal.errors).decode()
    details = {"list": refusal.errors, "text": text, "base64": base64.b64encode(text.encode()).decode()}[errors_as]
    status = 0 if errors_as == "list" else "0"
    return to_json({"Status": status, "Data": None, "ErrorDetails": details, "InfoDtls": refusal.infos or None})


def garbled(body: bytes) -> bytes:
    """The same success with Data that no key opens: it is no whole number of blocks."""
    envelope = from_json(body)
    if envelope["Data"] is None:
        return body
    return to_json(envelope | {"Data": base64.b64encode(b"not a number of blocks").decode()})
