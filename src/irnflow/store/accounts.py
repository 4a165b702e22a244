"""Tenants: accounts with their books and GSTINs, and the keys that speak for them.

A key is 256 random bits; the store keeps only its sha256, so reading the store gives nobody a key. A one-time
token is a key that can only be exchanged, once, for a session key.
"""

import hashlib
import secrets
from collections import OrderedDict
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Final

import msgspec

from irnflow.errors import BadInput, Permanent
from irnflow.store.database import Database, Row, queries
from irnflow.store.secrets import KeyRing, context_of

SESSION_LIFETIME: Final = timedelta(hours=12)  # a working day
_KEY_PREFIX: Final = "irnflow_"  # lets secret scanners find a key that has leaked
_REMEMBERED_FOR: Final = timedelta(seconds=10)  # so long a revoked key may still work
_REMEMBERED_MOST: Final = 1_000

SQL: Final = queries("accounts")

# Why credentials are not removed.
KEPT: Final = {
    "ONLY": "they are all that it can log in with; set others in their place",
    "IN_DOUBT": "documents may have arrived there, and to find out needs them (`irnflow doubts`); remove them later",
}


class Account(msgspec.Struct, frozen=True, kw_only=True):
    """A tenant; everything below it is seen by nobody else."""

    account_id: int
    name: str
    speaker: str = ""  # name of the key that speaks for it
    admin: bool = False  # whether that key may decide what no look-up can


class Summary(msgspec.Struct, frozen=True, kw_only=True):
    """An account, and what it has."""

    name: str
    books: list[str]
    gstins: int
    keys: list[str]  # names of those that are good


class Credentials(msgspec.Struct, frozen=True, kw_only=True):
    """What a GSTIN logs in to a family of portals with."""

    family: str
    username: str
    client_id: str
    client_secret: str
    password: str

    def __repr__(self) -> str:
        return f"Credentials(family={self.family!r}, username={self.username!r}, ...)"


class Login(msgspec.Struct, frozen=True, kw_only=True):
    """Credentials without what is secret of them."""

    family: str
    username: str
    client_id: str
    stopped: str | None  # why nobody logs in with them; None: they are good


class Gstin(msgspec.Struct, frozen=True, kw_only=True):
    """A GSTIN of an account."""

    gstin: str
    stopped: str | None  # why its queue stands still; None: it runs, with one login at least
    logins: tuple[Login, ...]
    turnover_crore: Decimal | None = None  # None: not said
    lines_max: int | None = None  # of a document; None: what the portal allows everybody

    @property
    def families(self) -> list[str]:
        """Of portals that it has credentials for."""
        return [login.family for login in self.logins]


async def create_account(database: Database, name: str, *, at: datetime) -> int:
    """The id of the account of this name, which is made if it isn't there."""
    rows = await database.fetch(SQL["create_account"], name, at)
    return int(rows[0]["account_id"])


async def named(database: Database, name: str | None) -> Account:
    """The account of this name, or for None the only one. Raises BadInput naming those there are."""
    found = [Account(**row) for row in await database.fetch(SQL["accounts"])]
    meant = [account for account in found if name in (None, account.name)]
    if len(meant) == 1:
        return meant[0]
    names = ", ".join(account.name for account in found) or "none yet"
    wrong = f"there is no account {name!r}" if name else "say which account with --account"
    raise BadInput(f"{wrong}; there are: {names}")


async def summaries(database: Database, *, at: datetime) -> list[Summary]:
    """All accounts by name, with what they have at a time."""
    return [Summary(**row) for row in await database.fetch(SQL["summaries"], at)]


async def add_books(database: Database, account_id: int, books: str) -> None:
    """Let an account use these books; `books` is a name in the books file."""
    await database.fetch(SQL["add_books"], account_id, books)


async def books_of(database: Database, account_id: int) -> list[str]:
    """The names of an account's books."""
    return [row["books"] for row in await database.fetch(SQL["books_of"], account_id)]


async def add_gstin(
    database: Database,
    key: KeyRing,
    gstin: str,
    *,
    account_id: int,
    credentials: Credentials,
    turnover_crore: Decimal | None = None,  # None: as it stands
    kind: str | None = None,  # None: as it stands, and regular at first
) -> None:
    """A GSTIN of an account, or credentials of it for one more family of portals, or new ones, which let it go on.
    What it has for other families stays as it is. Raises BadInput when it is another's."""
    secret, password = contexts_of(gstin, credentials.family)
    rows = await database.fetch(
        SQL["add_gstin"],
        gstin,
        account_id,
        credentials.family,
        credentials.username,
        credentials.client_id,
        key.seal(credentials.client_secret.encode(), context=secret),
        key.seal(credentials.password.encode(), context=password),
        turnover_crore,
        kind,
    )
    if not rows:
        raise BadInput(f"GSTIN {gstin} belongs to another account: a GSTIN is of one only")


async def set_gstin(
    database: Database, account_id: int, gstin: str, *, turnover_crore: Decimal | None, lines_max: int | None
) -> bool:
    """Set what the rules must know of a GSTIN, None as it stands; whether the account has it."""
    return bool(await database.fetch(SQL["set_gstin"], account_id, gstin, turnover_crore, lines_max))


async def credentials_of(database: Database, key: KeyRing, gstin: str, family: str) -> Credentials:
    """A GSTIN's credentials, opened. Raises Permanent when it has none there, or they were sealed with another key."""
    rows = await database.fetch(SQL["credentials"], gstin, family)
    if not rows:
        raise Permanent(f"GSTIN {gstin} has no credentials for {family}; set them with `irnflow gstin credentials`")
    secret, password = contexts_of(gstin, family)
    return Credentials(
        family=rows[0]["family"],
        username=rows[0]["username"],
        client_id=rows[0]["client_id"],
        client_secret=key.unseal(rows[0]["sealed_secret"], context=secret).decode(),
        password=key.unseal(rows[0]["sealed_password"], context=password).decode(),
    )


def contexts_of(gstin: str, family: str) -> tuple[str, str]:
    """What client secret and password of a GSTIN's credentials are sealed for."""
    return context_of(gstin, f"{family} sealed_secret"), context_of(gstin, f"{family} sealed_password")


async def remove_credentials(
    database: Database, account_id: int, gstin: str, family: str, *, portals: Sequence[str]
) -> str:
    """Forget a GSTIN's credentials for a family, which has these portals; what it has for others stays. Gives REMOVED,
    NONE when there are none, or a key of KEPT."""
    rows = await database.fetch(SQL["remove_credentials"], account_id, gstin, family, list(portals))
    return str(rows[0]["outcome"])


async def gstins(database: Database, account_id: int, *, after: str = "", most: int) -> list[Gstin]:
    """An account's GSTINs in their order, after one of them."""
    return [_gstin(row) for row in await database.fetch(SQL["gstins"], account_id, after, most)]


async def gstin_of(database: Database, account_id: int, gstin: str) -> Gstin | None:
    """One GSTIN of an account; None when it has no such."""
    rows = await database.fetch(SQL["gstin"], account_id, gstin)
    return _gstin(rows[0]) if rows else None


def _gstin(row: Row) -> Gstin:
    logins = msgspec.json.decode(row["logins"], type=tuple[Login, ...])
    return Gstin(
        gstin=row["gstin"], stopped=row["stopped"], logins=logins, turnover_crore=row["turnover_crore"],
        lines_max=row["lines_max"],
    )  # fmt: skip


async def issue_key(
    database: Database,
    account_id: int,
    *,
    name: str,  # whose, or what for
    at: datetime,
    expires_at: datetime | None = None,
    once: bool = False,  # a one-time token
    admin: bool = False,
) -> str:
    """A new key; nobody can read it again later."""
    key = _new_key()
    await database.fetch(SQL["issue_key"], account_id, digest(key), name, at, expires_at, once, admin)
    return key


async def exchange_token(
    database: Database, token: str, *, at: datetime, lifetime: timedelta = SESSION_LIFETIME
) -> str | None:
    """The session key that a one-time token opens; None when it was used before, has expired, or is none."""
    key = _new_key()
    rows = await database.fetch(SQL["exchange_token"], digest(token), digest(key), at, at + lifetime)
    return key if rows else None


async def revoke_key(database: Database, key: str, *, at: datetime) -> None:
    """A key that is no longer good, within the time that `Keys` remembers it."""
    await database.fetch(SQL["revoke_key"], digest(key), at)


async def revoke_keys(database: Database, account_id: int, name: str, *, at: datetime) -> int:
    """Revoke an account's good keys of this name, within the time that `Keys` remembers them; gives how many."""
    rows = await database.fetch(SQL["revoke_keys"], account_id, name, at)
    return int(rows[0]["revoked"])


class Keys:
    """Tells whose a key is, and remembers it for some seconds, so that not every request asks the store."""

    def __init__(self, database: Database, now: Callable[[], datetime]) -> None:
        self._database = database
        self._now = now
        self._remembered: OrderedDict[bytes, tuple[Account, datetime]] = OrderedDict()

    async def account(self, key: str) -> Account | None:
        """The account that a key speaks for; None when it speaks for nobody (any more)."""
        at, sha256 = self._now(), digest(key)
        account, until = self._remembered.get(sha256, (None, at))
        if account and at < until:
            return account
        self._remembered.pop(sha256, None)
        rows = await self._database.fetch(SQL["account_of_key"], sha256, at, at + _REMEMBERED_FOR)
        if not rows:
            return None
        row = rows[0]
        account = Account(
            account_id=row["account_id"], name=row["name"], speaker=row["speaker"], admin=row["admin"]
        )  # fmt: skip
        self._remember(sha256, account, rows[0]["good_until"])
        return account

    def _remember(self, sha256: bytes, account: Account, until: datetime) -> None:
        self._remembered[sha256] = (account, until)
        if len(self._remembered) > _REMEMBERED_MOST:
            self._remembered.popitem(last=False)


def digest(key: str) -> bytes:
    """What the store keeps of a key. A plain hash does: nobody guesses 256 random bits."""
    return hashlib.sha256(key.encode()).digest()


def _new_key() -> str:
    return _KEY_PREFIX + secrets.token_urlsafe(32)
