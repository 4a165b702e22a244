"""The portals there are: how each is reached, which keys it signs with, and which of them are one family.

Portals of a family (NIC1 and NIC2) share logins, and each finds what another has registered when the `irp` header
names that one; portals of different families know nothing of each other (domain.md section 4.9). `portals.toml` names
them, the preferred first; docs/portals.md shows it.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
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
    eway_bill_url: str = ""  # base of the API of the first e-way bill portal, and
    eway_bill_2_url: str = ""  # of the second; empty: `url` serves for both

    @property
    def eway_bill_urls(self) -> Mapping[int, str]:
        """The addresses of e-way bill portals that are described."""
        return {which: url for which, url in ((1, self.eway_bill_url), (2, self.eway_bill_2_url)) if url}


class Line(msgspec.Struct, frozen=True, kw_only=True):
    """One portal, ready to be called."""

    name: str  # stored with each document: who issued its IRN
    family: str
    portal: Portal
    keys: KeySet
    per_minute: int | None = None
    eway_bills: Mapping[int, Portal] = {}  # by the e-way bill portal, where that has an address of its own

    def of_bill(self, ewb_no: str) -> Portal:
        """Where an e-way bill is cancelled: the portal that issued its number, as far as there is an address for it."""
        return self.eway_bills.get(issuer_of(ewb_no), self.portal)


def issuer_of(ewb_no: str) -> int:
    """Which e-way bill portal issued a number: 2 (since 1 July 2025) where the third digit is 8 or 9, else 1."""
    return 2 if ewb_no[2:3] in ("8", "9") else 1


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

    @property
    def families(self) -> list[str]:
        """Each by its name, in the order of preference."""
        return list(dict.fromkeys(line.family for line in self._lines.values()))

    def family(self, name: str) -> list[Line]:
        """The portal itself first, then those that can be asked for what it has."""
        own = self[name]
        return [own, *(line for line in self._lines.values() if line.family == own.family and line is not own)]


class Families(msgspec.Struct, frozen=True, kw_only=True):
    """Which family of portals people mean, who may name it or one of its portals."""

    of: Mapping[str, str]  # the family by each such name; empty: no portal is described here, and any name is good
    preferred: str

    def named(self, name: str | None, known: Sequence[str]) -> str:
        """The family meant, of a GSTIN that has credentials for the known ones. Raises BadInput."""
        if name is None and len(known) > 1:
            raise BadInput(f"it has credentials for {' and '.join(known)}: say for which portal")
        if name is None:
            return known[0] if known else self.preferred
        name = _spelt(name, (*self.of, *known))
        if name in self.of:
            return self.of[name]
        if self.of and name not in known:
            raise BadInput(f"there is no portal {name}; there are: {', '.join(self.of)}")
        return name

    def portals(self, family: str) -> list[str]:
        """The names of its portals, its own among them, as far as they are described here."""
        return [name for name, of in self.of.items() if of == family] or [family]


def portal_named(settings: Settings, name: str, *, there: bool = True) -> str:
    """A portal as its description spells it, in whatever case it is said. Raises BadInput when there is none; one that
    need not be there (any more) is as it is said."""
    if not settings.portal_url and not settings.portals.exists():  # not known to this process
        return name
    known = [*described(settings)]
    if (spelt := _spelt(name, known)) not in known and there:
        raise BadInput(f"there is no portal {name}; there are: {', '.join(known)}")
    return spelt


def _spelt(name: str, known: Iterable[str]) -> str:
    return next((each for each in known if each.casefold() == name.strip().casefold()), name)


def families(settings: Settings) -> Families:
    """Those of the portals that are described here. Raises BadInput."""
    if not settings.portal_url and not settings.portals.exists():  # this process calls none
        return Families(of={}, preferred=settings.portal_name)
    of = {name: portal.family for name, portal in described(settings).items()}
    return Families(of=of | {family: family for family in of.values()}, preferred=next(iter(of.values())))


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
