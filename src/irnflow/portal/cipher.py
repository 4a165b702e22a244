"""The portal's ciphers, as its developer pages prescribe them: RSA for the login, AES in ECB mode for the rest.

ECB has no IV and hides no repetition; it is the portal's choice, inside TLS. We use it for nothing else.
"""

import base64
import binascii
from pathlib import Path
from typing import Final

from cryptography.hazmat.primitives import padding as block_padding
from cryptography.hazmat.primitives.asymmetric import padding
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from cryptography.hazmat.primitives.serialization import load_pem_public_key

from irnflow.errors import BadInput, Transient

_BLOCK_BITS: Final = 128
_KEY_BITS: Final = 2048  # of the portal's login key


class Undecryptable(Transient):
    """What the portal sent does not open with the session's key."""


def read_auth_key(path: Path) -> RSAPublicKey:
    """The portal's public key for logins, PEM. Raises BadInput."""
    try:
        key = load_pem_public_key(path.read_bytes())
    except (OSError, ValueError) as error:
        raise BadInput(f"the portal's login key {path} (IRNFLOW_PORTAL_AUTH_KEY) can't be read: {error}") from error
    if not isinstance(key, RSAPublicKey):
        raise BadInput(f"the portal's login key {path} (IRNFLOW_PORTAL_AUTH_KEY) is not an RSA key")
    return key


def seal_login(key: RSAPublicKey, plain: bytes) -> str:
    """`Data` of a login: base64(RSA_PKCS1v15(key, base64(plain))). Raises BadInput above what the key takes."""
    check_room(plain, key.key_size)
    return base64.b64encode(key.encrypt(base64.b64encode(plain), padding.PKCS1v15())).decode()


def check_room(plain: bytes, key_bits: int = _KEY_BITS) -> None:
    """Raises BadInput for a login that is longer than a key of so many bits takes."""
    size, room = len(base64.b64encode(plain)), key_bits // 8 - 11  # PKCS#1 v1.5 takes 11 bytes: 245 of 256
    if size > room:
        raise BadInput(f"user name and password are too long for a login: {size} bytes, room for {room}")


def encrypt(key: bytes, plain: bytes) -> str:
    """base64(AES-256-ECB-PKCS7(key, plain))."""
    pad = block_padding.PKCS7(_BLOCK_BITS).padder()
    encryptor = Cipher(algorithms.AES(key), modes.ECB()).encryptor()  # noqa: S305 (the portal's protocol)
    return base64.b64encode(encryptor.update(pad.update(plain) + pad.finalize()) + encryptor.finalize()).decode()


def decrypt(key: bytes, text: str) -> bytes:
    """The inverse of `encrypt`. Raises Undecryptable."""
    decryptor = Cipher(algorithms.AES(key), modes.ECB()).decryptor()  # noqa: S305
    unpad = block_padding.PKCS7(_BLOCK_BITS).unpadder()
    try:
        padded = decryptor.update(base64.b64decode(text, validate=True)) + decryptor.finalize()
        return unpad.update(padded) + unpad.finalize()
    except (ValueError, binascii.Error) as error:
        raise Undecryptable("the portal's answer does not open with the session's key") from error
