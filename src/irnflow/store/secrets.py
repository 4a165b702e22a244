"""Secrets at rest: AES-256-GCM under keys that lie outside the database, in a file or in the environment.

The first key seals; the earlier ones behind it still open what they have sealed, until `irnflow keys rotate` has sealed
all of it anew (store/rotation.py). A file that changes is read again at the next use, so nothing is restarted for it.
"""

import base64
import binascii
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from irnflow.errors import BadInput, Permanent

KEY_BYTES: Final = 32
_NONCE_BYTES: Final = 12  # what NIST SP 800-38D recommends for GCM


class KeyRing:
    """The keys, the current one first. Never printed."""

    def __init__(self, keys: Sequence[bytes], *, file: Path | None = None) -> None:
        self._keys = tuple(keys)
        self._file = file  # None: from the environment, which never changes
        self._seen = _stamp(file)

    @property
    def keys(self) -> tuple[bytes, ...]:
        """As they stand now. Raises BadInput when the file is no longer one of keys."""
        if self._file and (stamp := _stamp(self._file)) != self._seen:
            self._keys, self._seen = read_keys(self._file), stamp
        return self._keys

    def seal(self, plain: bytes, *, context: str) -> bytes:
        """Nonce and cipher text. `context` (whose secret, which column) must be given again to unseal."""
        nonce = os.urandom(_NONCE_BYTES)
        return nonce + AESGCM(self.keys[0]).encrypt(nonce, plain, context.encode())

    def unseal(self, sealed: bytes, *, context: str) -> bytes:
        """The plain secret. Raises Permanent when no key, or another context, is what it was sealed with."""
        for key in self.keys:
            if (plain := _opened(key, sealed, context)) is not None:
                return plain
        raise Permanent(f"the secret of {context} can't be opened: it was sealed with another key")

    def is_current(self, sealed: bytes, *, context: str) -> bool:
        """Whether the current key sealed it."""
        return _opened(self.keys[0], sealed, context) is not None


def context_of(gstin: str, what: str) -> str:
    """Whose secret it is: a GSTIN's client secret or password for a family of portals, or its session there."""
    return f"{gstin} {what}"


def key_ring(text: str, file: Path) -> KeyRing:
    """The keys in IRNFLOW_KEY, the current one first, or else in the file. Raises BadInput saying what is wrong."""
    if text:
        return KeyRing(_keys_in(text.split(), "IRNFLOW_KEY"))
    return KeyRing(read_keys(file), file=file)


def read_keys(file: Path) -> tuple[bytes, ...]:
    """The keys in a file, a line each, the current one first. Raises BadInput saying what is wrong with it."""
    try:
        lines = file.read_text("ascii").split()
    except OSError as error:
        raise BadInput(f"the key file {file} (IRNFLOW_KEY_FILE) can't be read: {error.strerror}") from error
    except UnicodeDecodeError:  # its words would show the bytes
        raise BadInput(f"the key file {file} (IRNFLOW_KEY_FILE) is not base64") from None
    return _keys_in(lines, f"the key file {file} (IRNFLOW_KEY_FILE)")


def write_keys(file: Path, keys: Sequence[bytes]) -> None:
    """Put these keys in the place of what the file held, whole or not at all; only its owner reads it."""
    draft = file.with_name(f".{file.name}.{os.getpid()}")
    draft.unlink(missing_ok=True)
    with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as out:
        out.write(b"".join(base64.b64encode(key) + b"\n" for key in keys))
        out.flush()
        os.fsync(out.fileno())
    if file.exists():  # services that run as another user go on reading it
        owner = file.stat()
        if (owner.st_uid, owner.st_gid) != (os.getuid(), os.getgid()):
            os.chown(draft, owner.st_uid, owner.st_gid)
    draft.replace(file)
    folder = os.open(file.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)


def make_key(file: Path) -> None:
    """A file with a new key, unless there is one."""
    if file.exists():
        return
    draft = file.with_name(f".{file.name}.new.{os.getpid()}")
    write_keys(draft, [new_key()])
    try:
        os.link(draft, file)
    except FileExistsError:
        pass  # somebody was quicker: theirs stands
    finally:
        draft.unlink()


def new_key() -> bytes:
    """32 random bytes."""
    return os.urandom(KEY_BYTES)


def _keys_in(words: Sequence[str], where: str) -> tuple[bytes, ...]:
    keys = []
    for number, word in enumerate(words, start=1):
        try:
            key = base64.b64decode(word, validate=True)
        except binascii.Error:
            raise BadInput(f"{where}: key {number} is not base64") from None
        if len(key) != KEY_BYTES:
            raise BadInput(f"{where}: key {number} has {len(key)} bytes, not {KEY_BYTES}")
        keys.append(key)
    if not keys:
        raise BadInput(f"{where} holds no key: 32 bytes in base64")
    return tuple(keys)


def _opened(key: bytes, sealed: bytes, context: str) -> bytes | None:
    try:
        return AESGCM(key).decrypt(sealed[:_NONCE_BYTES], sealed[_NONCE_BYTES:], context.encode())
    except (InvalidTag, ValueError):
        return None


def _stamp(file: Path | None) -> tuple[int, int, int] | None:
    """Tells whether a file is still the one that was read; a file that is gone is not one that changed."""
    try:
        found = file.stat() if file else None
    except FileNotFoundError:
        return None
    return (found.st_ino, found.st_mtime_ns, found.st_size) if found else None
