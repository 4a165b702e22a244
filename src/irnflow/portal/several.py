"""The portals there are: how each is reached, which keys it signs with, and which of them are one family.

Portals of a family (NIC1 and NIC2) share logins, and each finds what another has registered when the `irp` header
names that one; portals of different families know nothing of each other (domain.md section 4.9). `portals.toml` names
them, the preferred first; docs/portals.md shows it.
"""

from collections.abc import Iterator, Mapping
from pathlib import Path

import msgspec

from irnflow.errors import BadInput
from irnflow.portal.client import Portal
from irnflow.portal.signing_keys import KeySet, read_keys
from irnflow.settings import Settings


class Described(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One portal as `portals.toml` describes it; paths are relative to that file."""

    url: str  # base of its API
    auth_key: Path  # its public key for logins, PEM
    signing_keys: Path  # folder of the certificates that it signs with
    family: str = ""  # NIC, say; empty: it is alone
    per_minute: int | None = None  # calls it takes of a GSTIN; absent: not known, found out by its 429s


class Line(msgspec.Struct, frozen=True, kw_only=True):
    """One portal, ready to be called."""

    name: str  # stored with each document: who issued its IRN
    family: str
    portal: Portal
    keys: KeySet
    per_minute: int | None = None


class Portals(Mapping[str, Line]):
    """The portals by name, in the order of preference; at least one."""

    def __init__(self, lines: list[Line]) -> None:
        if not lines:
            raise AssertionError("there is no portal")
        self._lines = {line.name: line for line in lines}

    def __getitem__(self, name: str) -> Line:
        """Raises AssertionError for a portal that has documents in the store and is in the settings no more."""
        try:
            return self._lines[name]
        except KeyError:
            known = ", ".join(self._lines)
            raise AssertionError(f"portal {name} has documents in the store: put it back (there are {known})") from None

    def __contains__(self, name: object) -> bool:
        return name in self._lines

    def __iter__(self) -> Iterator[str]:
        return iter(self._lines)

    def __len__(self) -> int:
        return len(self._lines)

    @property
    def preferred(self) -> Line:
        return next(iter(self._lines.values()))

    def of_login(self, name: str) -> Line:
        """Where a GSTIN's login is good, which names a portal or a family; the preferred one when there is no such."""
        return next((line for line in self._lines.values() if name in (line.name, line.family)), self.preferred)

    def family(self, name: str) -> list[Line]:
        """The portal itself first, then those that can be asked for what it has."""
        own = self[name]
        return [own, *(line for line in self._lines.values() if line.family == own.family and line is not own)]


def described(settings: Settings) -> Mapping[str, Described]:
    """The portals of the portals file, or the one that the settings themselves describe. Raises BadInput."""
    if not settings.portal_url:
        return read(settings.portals)
    one = Described(
        url=settings.portal_url,
        auth_key=settings.portal_auth_key,
        signing_keys=settings.portal_signing_keys,
        family=settings.portal_name,
        per_minute=settings.portal_per_minute or None,
    )
    return {settings.portal_name: one}


def signing_keys(settings: Settings) -> KeySet:
    """What any of the portals signs with. Raises BadInput."""
    folders = {portal.signing_keys for portal in described(settings).values()}
    return {kid: key for folder in folders for kid, key in read_keys(folder).items()}


def read(path: Path) -> dict[str, Described]:
    """The portals of a file, by name, in its order. Raises BadInput saying what is wrong in it."""
    try:
        portals = msgspec.toml.decode(path.read_bytes(), type=dict[str, Described], dec_hook=_path)
    except OSError as error:
        raise BadInput(f"the portals file {path} can't be read: {error.strerror}") from error
    except msgspec.MsgspecError as error:
        raise BadInput(f"the portals file {path} is wrong: {error}") from error
    if not portals:
        raise BadInput(f"the portals file {path} names no portal; docs/portals.md shows one")
    return {
        name: msgspec.structs.replace(
            portal,
            family=portal.family or name,
            auth_key=path.parent / portal.auth_key,
            signing_keys=path.parent / portal.signing_keys,
        )
        for name, portal in portals.items()
    }


def _path(kind: type, value: object) -> object:
    if kind is Path:
        return Path(str(value)).expanduser()
    raise NotImplementedError(kind)
