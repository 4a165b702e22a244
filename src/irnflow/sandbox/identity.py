"""Who this portal is: its key pairs, its certificate, and the one client and user it knows. Made at the first start.

In its folder: `sandbox.json` (credentials and limits), `auth_private.pem`, `signing_private.pem` (mode 0600, ours
alone); `auth_public.pem` and `signing_keys/<kid>.pem` are for clients, `unpublished/<kid>.pem` not yet. What is there
is kept, so two that start at once agree.
"""

import base64
import os
from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path
from typing import Final

import msgspec
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.x509.oid import NameOID

from irnflow.errors import BadInput
from irnflow.sandbox.limits import Limits
from irnflow.sandbox.signing import Signer, kid_of

_PRIVATE: Final = 0o600
_PUBLIC: Final = 0o644


class Credentials(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """`sandbox.json`."""

    client_id: str
    client_secret: str
    username: str
    password: str
    gstins: list[str] | None = None  # taxpayers that the user serves; null: every active one
    switches_token: str  # opens /sandbox/...
    limits: Limits = Limits()


class Identity(msgspec.Struct, frozen=True, kw_only=True):
    """All of it, opened."""

    credentials: Credentials
    auth_key: rsa.RSAPrivateKey
    signer: Signer
    auth_public_file: Path


def open_identity(folder: Path, *, now: datetime, random_bytes: Callable[[int], bytes]) -> Identity:
    """The identity kept in `folder`, made there if it isn't yet. Raises BadInput when `sandbox.json` is not one."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    (folder / "signing_keys").mkdir(exist_ok=True)
    auth_key = _kept_key(folder / "auth_private.pem", lambda: _pem_of(_new_key()))
    signing_file = folder / "signing_private.pem"
    signing_key = _kept_key(signing_file, lambda: _new_signing_pair(now))
    certificate = x509.load_pem_x509_certificate(signing_file.read_bytes())

    _keep(folder / "auth_public.pem", lambda: _public_pem_of(auth_key), mode=_PUBLIC)
    certificate_file = folder / "signing_keys" / f"{kid_of(certificate)}.pem"
    if not (folder / "unpublished" / certificate_file.name).exists():
        _keep(certificate_file, lambda: certificate.public_bytes(serialization.Encoding.PEM), mode=_PUBLIC)
    return Identity(
        credentials=_kept_credentials(folder / "sandbox.json", random_bytes),
        auth_key=auth_key,
        signer=Signer(signing_key, certificate),
        auth_public_file=folder / "auth_public.pem",
    )


def rotated(identity: Identity, *, publish: bool, now: datetime) -> Identity:
    """The same with a new signing key. Its certificate waits in `unpublished` unless clients may have it at once."""
    folder = identity.auth_public_file.parent
    pair = _new_signing_pair(now)
    signer = _signer_of(pair)
    certificate = x509.load_pem_x509_certificate(pair).public_bytes(serialization.Encoding.PEM)
    shelf = folder / ("signing_keys" if publish else "unpublished")
    shelf.mkdir(exist_ok=True)
    _keep(shelf / f"{signer.kid}.pem", lambda: certificate, mode=_PUBLIC)
    _keep(folder / "signing_private.next", lambda: pair, mode=_PRIVATE)
    (folder / "signing_private.next").replace(folder / "signing_private.pem")
    return msgspec.structs.replace(identity, signer=signer)


def new_signer(now: datetime) -> Signer:
    """One that is kept nowhere."""
    return _signer_of(_new_signing_pair(now))


def _signer_of(pair: bytes) -> Signer:
    key = serialization.load_pem_private_key(pair, password=None)
    assert isinstance(key, rsa.RSAPrivateKey)
    return Signer(key, x509.load_pem_x509_certificate(pair))


def _kept_credentials(file: Path, random_bytes: Callable[[int], bytes]) -> Credentials:
    _keep(file, lambda: msgspec.json.format(msgspec.json.encode(_new_credentials(random_bytes))), mode=_PRIVATE)
    try:
        return msgspec.json.decode(file.read_bytes(), type=Credentials)
    except msgspec.MsgspecError as cause:
        raise BadInput(f"{file} is wrong: {cause}; mend it, or take it away to get a new one") from cause


def _new_credentials(random_bytes: Callable[[int], bytes]) -> Credentials:
    """Short ones: the login has 183 bytes of JSON in all, or RSA cannot take it."""

    def word(size: int) -> str:
        return base64.b32encode(random_bytes(size)).decode().rstrip("=")

    return Credentials(
        client_id=f"SANDBOX{word(5)}",
        client_secret=word(15),
        username="sandbox_api",
        password=f"{word(10)}@a1",
        switches_token=word(20),
    )


def _new_key() -> rsa.RSAPrivateKey:
    return rsa.generate_private_key(public_exponent=65537, key_size=2048)


def _kept_key(file: Path, make: Callable[[], bytes]) -> rsa.RSAPrivateKey:
    _keep(file, make, mode=_PRIVATE)
    key = serialization.load_pem_private_key(file.read_bytes(), password=None)
    if not isinstance(key, rsa.RSAPrivateKey):
        raise BadInput(f"{file} holds no RSA key; take it away to get a new one")
    return key


def _new_signing_pair(now: datetime) -> bytes:
    """A private key and its self-made certificate, in one file so that neither can be there without the other."""
    key = _new_key()
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "irnflow sandbox portal")])
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=3650))
        .sign(key, hashes.SHA256())
    )
    return _pem_of(key) + certificate.public_bytes(serialization.Encoding.PEM)


def _pem_of(key: rsa.RSAPrivateKey) -> bytes:
    return key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )  # fmt: skip


def _public_pem_of(key: rsa.RSAPrivateKey) -> bytes:
    return key.public_key().public_bytes(
        serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
    )  # fmt: skip


def _keep(file: Path, make: Callable[[], bytes], *, mode: int) -> None:
    """Write the file unless it is there; whole or not at all, and never over another process's."""
    if file.exists():
        return
    draft = file.with_name(f".{file.name}.{os.getpid()}")
    draft.unlink(missing_ok=True)
    with open(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode), "wb") as handle:  # noqa: PTH123
        handle.write(make())
        handle.flush()
        os.fsync(handle.fileno())
    try:
        os.link(draft, file)
    except FileExistsError:
        pass  # somebody was quicker: theirs stands
    finally:
        draft.unlink()
