"""Secrets at rest: AES-256-GCM under a key that lies outside the database (`settings.key_file`)."""

import base64
import binascii
import os
from pathlib import Path
from typing import Final

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from irnflow.errors import BadInput, Permanent

_KEY_BYTES: Final = 32
_NONCE_BYTES: Final = 12  # what NIST SP 800-38D recommends for GCM


def make_key(path: Path) -> bytes:
    """A new key in a file that only its owner reads; the one already there, if it is."""
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        return read_key(path)
    key = os.urandom(_KEY_BYTES)
    with os.fdopen(descriptor, "wb") as file:
        file.write(base64.b64encode(key) + b"\n")
    return key


def read_key(path: Path) -> bytes:
    """The key in a file: 32 bytes in base64. Raises BadInput saying what is wrong with it."""
    try:
        key = base64.b64decode(path.read_bytes(), validate=False)
    except OSError as error:
        raise BadInput(f"the key file {path} (IRNFLOW_KEY_FILE) can't be read: {error.strerror}") from error
    except binascii.Error as error:
        raise BadInput(f"the key file {path} (IRNFLOW_KEY_FILE) is not base64") from error
    if len(key) != _KEY_BYTES:
        raise BadInput(f"the key file {path} (IRNFLOW_KEY_FILE) holds {len(key)} bytes, not {_KEY_BYTES}")
    return key


def seal(key: bytes, plain: bytes, *, context: str) -> bytes:
    """Nonce and cipher text. `context` (whose secret, which column) must be given again to unseal."""
    nonce = os.urandom(_NONCE_BYTES)
    return nonce + AESGCM(key).encrypt(nonce, plain, context.encode())


def unseal(key: bytes, sealed: bytes, *, context: str) -> bytes:
    """The plain secret. Raises Permanent when the key or the context is not the one it was sealed with."""
    try:
        return AESGCM(key).decrypt(sealed[:_NONCE_BYTES], sealed[_NONCE_BYTES:], context.encode())
    except (InvalidTag, ValueError) as error:
        raise Permanent(f"the secret of {context} can't be opened: it was sealed with another key") from error
