"""What all runs of one process stand on, made once: a database to empty, books to copy, the keys of the portal."""

import itertools
import os
import sqlite3
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final

import msgspec
import psycopg
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from psycopg import sql

from irnflow.books import catalogue, sample
from irnflow.books.catalogue import Source
from irnflow.portal.cipher import read_auth_key
from irnflow.portal.signing_keys import KeySet, read_keys
from irnflow.sandbox.identity import Identity, open_identity
from irnflow.sandbox.limits import Limits
from irnflow.sandbox.portal import Sandbox
from irnflow.sandbox.register import Register
from irnflow.sandbox.switches import Order
from irnflow.sandbox.taxpayers import Taxpayers
from tests.simulation.faults import Faults

NOON: Final = datetime(2026, 11, 22, 6, 30, tzinfo=UTC)  # in India; where a run begins
MIDNIGHT: Final = NOON + timedelta(hours=12)  # or some time before this
BOOKS: Final = "main"


class Ground:
    """Use it for one run after the other."""

    def __init__(self, database_url: str, folder: Path) -> None:
        self.database_url = database_url
        _leave_alone(database_url)
        self.identity: Identity = open_identity(folder, now=NOON, random_bytes=os.urandom)
        self.auth_key: RSAPublicKey = read_auth_key(folder / "auth_public.pem")
        self.keys: KeySet = read_keys(folder / "signing_keys")
        self._names = itertools.count()
        name = self._name()
        self._template = _open(name)
        sample.load(_url(name), NOON.date())

    def close(self) -> None:
        self._template.close()

    def sandbox(self, faults: Faults) -> Sandbox:
        """Two portals of a family with nothing registered."""
        limits = Limits(token_life_s=faults.token_life_s)
        credentials = msgspec.structs.replace(self.identity.credentials, limits=limits)
        sandbox = Sandbox(
            identity=msgspec.structs.replace(self.identity, credentials=credentials),
            register=Register(),
            taxpayers=Taxpayers(),
            random_bytes=faults.stream("portal").randbytes,
        )
        sandbox.obey(Order(lookup_lag_s=faults.lag_s, dedup_lag_s=faults.dedup_lag_s, dedup_outage=faults.dedup_outage))
        return sandbox

    def books(self) -> "Books":
        """The sample company's books, as on the first day."""
        return Books(self._template, self._name())

    def _name(self) -> str:
        return f"/simulation-{os.getpid()}-{next(self._names)}"


class Books:
    """Books in memory, which any number of connections of this process share; close them after use."""

    def __init__(self, template: sqlite3.Connection, name: str) -> None:
        self.source: Source = catalogue.source(BOOKS, _url(name))
        self._connection = _open(name)  # they last as long as somebody has them open
        template.backup(self._connection)

    def close(self) -> None:
        self._connection.close()

    def change(self, voucher_id: str, column: str, value: str) -> None:
        """As the company's people would."""
        self._connection.execute(f"update voucher set {column} = ? where voucher_id = ?", (value, voucher_id))  # noqa: S608

    def lose(self, voucher_id: str) -> None:
        """As nobody should."""
        self._connection.execute("delete from voucher where voucher_id = ?", (voucher_id,))

    def marks(self) -> list[tuple[str, str | None, str | None]]:
        """Id, IRN and status of each voucher."""
        with closing(self._connection.execute("select voucher_id, irn, einvoice_status from voucher")) as rows:
            return rows.fetchall()


def _leave_alone(database_url: str) -> None:
    """What the server finds out about our tables beside the runs would make it read them in another order."""
    ours = "select relname from pg_class where relnamespace = 'irnflow'::regnamespace and relkind = 'r'"
    alone = sql.SQL("alter table irnflow.{} set (autovacuum_enabled = off)")
    with psycopg.connect(database_url, autocommit=True) as server:
        for (table,) in server.execute(ours).fetchall():
            server.execute(alone.format(sql.Identifier(table)))


def _open(name: str) -> sqlite3.Connection:
    return sqlite3.connect(f"file:{name}?vfs=memdb", uri=True, isolation_level=None)


def _url(name: str) -> str:
    return f"sqlite:///file:{name}?vfs=memdb&uri=true"
