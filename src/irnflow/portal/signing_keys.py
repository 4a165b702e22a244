"""The keys that a portal signs with: certificates or public keys in a folder, found by `kid` (domain.md section 4.7).

A portal's `kid` is the SHA-1 thumbprint of its certificate. Keys rotate: a new one is laid beside the old ones, which
stay, for what they have signed is verified for years; nothing is restarted for it. Neither is a certificate's last day
looked at: it ends the signing, not what was signed.
"""

import re
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Final

import msgspec
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from cryptography.hazmat.primitives.hashes import SHA1
from cryptography.hazmat.primitives.serialization import load_pem_public_key
from structlog.typing import FilteringBoundLogger

from irnflow.errors import BadInput

KeySet = Mapping[str, RSAPublicKey]  # by kid, upper case

_SUFFIXES: Final = {".pem", ".cer", ".crt", ".der", ".pub"}
_THUMBPRINT: Final = re.compile(r"[0-9A-F]{40}")
_FILE_BYTES_MAX: Final = 1024 * 1024
_PATIENCE_S: Final = 10.0  # a folder is read again at most so often


class SigningKey(msgspec.Struct, frozen=True, kw_only=True):
    """One key, and what its file says of it."""

    kids: tuple[str, ...]  # by which it is found
    key: RSAPublicKey
    file: Path
    owner: str = ""  # of a certificate: its subject
    valid_from: datetime | None = None  # of a certificate
    valid_until: datetime | None = None


class KeyFolder(Mapping[str, RSAPublicKey]):
    """The keys in a folder. It is read again when a key is asked for that it lacked, and when all are looked through;
    keys that were there stay. Raises BadInput at first for a file that is none; later such a file is told and left."""

    def __init__(self, folder: Path, *, log: FilteringBoundLogger, clock: Callable[[], float] = time.monotonic) -> None:
        self._folder = folder
        self._log = log
        self._clock = clock
        self._keys = read_keys(folder)
        self._again_at = clock() + _PATIENCE_S
        if not self._keys:
            log.error("no signing key of the portal: nothing that it signs can be verified", folder=str(folder))

    def __getitem__(self, kid: str) -> RSAPublicKey:
        if kid not in self._keys:
            self._look_again()
        return self._keys[kid]

    def __iter__(self) -> Iterator[str]:
        self._look_again()
        return iter(dict(self._keys))

    def __len__(self) -> int:
        return len(self._keys)

    def _look_again(self) -> None:
        if self._clock() < self._again_at:
            return
        self._again_at = self._clock() + _PATIENCE_S
        for file in _files(self._folder):
            try:
                new = {kid: found.key for found in keys_in(file) for kid in found.kids if kid not in self._keys}
            except BadInput as error:
                self._log.error("a signing key can't be read", error=str(error))
                continue
            if new:
                self._log.info("new signing keys", kids=sorted(new), file=str(file))
            self._keys |= new


def read_keys(folder: Path) -> dict[str, RSAPublicKey]:
    """The keys in a folder, by kid. Raises BadInput for a file that is none."""
    return {kid: found.key for found in look_through(folder) for kid in found.kids}


def look_through(folder: Path) -> list[SigningKey]:
    """The keys in a folder, with what their files say. Raises BadInput for a file that is none."""
    return [found for file in _files(folder) for found in keys_in(file)]


def keys_in(file: Path) -> Sequence[SigningKey]:
    """The certificates in a file (PEM or DER), or the public key (PEM), which is named by its file. Raises BadInput."""
    try:
        with file.open("rb") as opened:
            content = opened.read(_FILE_BYTES_MAX)
        if b"PUBLIC KEY-----" in content:
            return [SigningKey(kids=(file.stem.upper(),), key=_rsa(load_pem_public_key(content), file), file=file)]
        if b"-----BEGIN" in content:
            certificates = x509.load_pem_x509_certificates(content)
        else:
            certificates = [x509.load_der_x509_certificate(content)]
    except (OSError, ValueError) as error:
        raise BadInput(f"the signing key {file} is no certificate and no public key: {error}") from error
    return [_of_certificate(certificate, file, alone=len(certificates) == 1) for certificate in certificates]


def _of_certificate(certificate: x509.Certificate, file: Path, *, alone: bool) -> SigningKey:
    thumbprint = certificate.fingerprint(SHA1()).hex().upper()  # noqa: S303 (a name, not a protection)
    name = file.stem.upper()
    if alone and _THUMBPRINT.fullmatch(name) and name != thumbprint:
        raise BadInput(f"the signing key {file} is the certificate {thumbprint}: name it so, or fetch the right one")
    return SigningKey(
        kids=(thumbprint, name) if alone and name != thumbprint else (thumbprint,),
        key=_rsa(certificate.public_key(), file),
        file=file,
        owner=certificate.subject.rfc4514_string(),
        valid_from=certificate.not_valid_before_utc,
        valid_until=certificate.not_valid_after_utc,
    )


def _rsa(key: object, file: Path) -> RSAPublicKey:
    if not isinstance(key, RSAPublicKey):
        raise BadInput(f"the signing key {file} is no RSA key, and portals sign with RS256")
    return key


def _files(folder: Path) -> list[Path]:
    return sorted(file for file in folder.glob("*") if file.suffix.lower() in _SUFFIXES)
