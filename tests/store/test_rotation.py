"""Rotation of the keys that seal secrets at rest, on a real PostgreSQL, stopped at every statement."""

import asyncio
from collections.abc import Sequence
from datetime import timedelta
from pathlib import Path

import msgspec
import pytest

from irnflow.errors import BadInput, Permanent
from irnflow.store import accounts, rotation
from irnflow.store.accounts import Credentials
from irnflow.store.database import Postgres, Row
from irnflow.store.secrets import KeyRing, context_of, key_ring, new_key, read_keys, write_keys
from tests.tenant import AT, Tenant

GSTINS = [f"29AABCT{number:04}L1ZU" for number in range(6)]
CREDENTIALS = Credentials(family="NIC1", username="surya_api", client_id="CL1", client_secret="s3cret", password="pa55")


class Killed(BaseException):
    """As kill -9 would: nothing more is done."""


class Stops:
    """A store that is killed before a statement, or after it."""

    def __init__(self, store: Postgres, at: int) -> None:
        self._store = store
        self.left = at

    async def fetch(self, sql: str, *args: object) -> Sequence[Row]:
        self._count()
        rows = await self._store.fetch(sql, *args)
        self._count()
        return rows

    def _count(self) -> None:
        if self.left == 0:
            raise Killed
        self.left -= 1


async def at_once() -> None:
    """Nobody else writes."""


@pytest.fixture
async def file(store: Postgres, tenant: Tenant, tmp_path: Path) -> Path:
    """A key, and six GSTINs and a session that are sealed with it."""
    file = tmp_path / "irnflow.key"
    write_keys(file, [new_key()])
    ring = key_ring("", file)
    for gstin in GSTINS:
        await accounts.add_gstin(store, ring, gstin, account_id=tenant.account_id, credentials=CREDENTIALS)
    await keep_session(store, ring)
    return file


async def keep_session(store: Postgres, ring: KeyRing) -> None:
    sql = "insert into irnflow.portal_session (portal, gstin, sealed, expires_at) values ('NIC', $1, $2, $3)"
    sealed = ring.seal(b"token", context=context_of(GSTINS[0], "NIC"))
    await store.fetch(sql, GSTINS[0], sealed, AT + timedelta(hours=6))


async def opened(store: Postgres, ring: KeyRing) -> list[object]:
    """All that is sealed, in the clear. Raises Permanent when something doesn't open."""
    sessions = await store.fetch("select gstin, sealed from irnflow.portal_session")
    return [
        *[await accounts.credentials_of(store, ring, gstin, "NIC1") for gstin in GSTINS],
        *[ring.unseal(bytes(row["sealed"]), context=context_of(row["gstin"], "NIC")) for row in sessions],
    ]


ALL = [CREDENTIALS] * len(GSTINS) + [b"token"]


async def test_everything_is_sealed_anew_and_the_old_key_is_gone(store: Postgres, file: Path) -> None:
    old = read_keys(file)

    done = await rotation.rotate(store, file, settle=at_once)

    assert (done.resealed, done.lost) == (7, ())
    assert len(read_keys(file)) == 1
    assert read_keys(file) != old
    assert await opened(store, KeyRing(read_keys(file))) == ALL
    with pytest.raises(Permanent):
        await opened(store, KeyRing(old))


async def test_credentials_for_every_family_are_sealed_anew(store: Postgres, tenant: Tenant, file: Path) -> None:
    second = msgspec.structs.replace(CREDENTIALS, family="IRIS", password="other")
    await accounts.add_gstin(store, key_ring("", file), GSTINS[0], account_id=tenant.account_id, credentials=second)

    done = await rotation.rotate(store, file, settle=at_once)

    ring = KeyRing(read_keys(file))
    assert (done.resealed, done.lost) == (8, ())
    assert await accounts.credentials_of(store, ring, GSTINS[0], "IRIS") == second
    assert await opened(store, ring) == ALL


@pytest.mark.parametrize("at", range(20))
async def test_killed_at_any_statement_everything_opens_and_the_next_run_ends_it(
    store: Postgres, file: Path, at: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rotation, "_PAGE", 2)
    running = key_ring("", file)
    with pytest.raises(Killed):
        await rotation.rotate(Stops(store, at), file, settle=at_once)
    in_the_middle = await opened(store, running)

    await rotation.rotate(store, file, settle=at_once)

    assert in_the_middle == ALL
    assert len(read_keys(file)) == 1
    assert await opened(store, running) == ALL


async def test_what_a_service_seals_meanwhile_with_the_old_key_is_sealed_anew_too(store: Postgres, file: Path) -> None:
    late = KeyRing(read_keys(file))  # of a service in the middle of a login

    async def settle() -> None:
        await store.fetch("truncate irnflow.portal_session")
        await keep_session(store, late)

    await rotation.rotate(store, file, settle=settle)

    assert await opened(store, KeyRing(read_keys(file))) == ALL


async def test_credentials_that_are_set_meanwhile_are_not_put_back(store: Postgres, tenant: Tenant, file: Path) -> None:
    ring = key_ring("", file)
    renewed = Credentials(family="NIC1", username="u", client_id="c", client_secret="s", password="newest")
    rows = await store.fetch(accounts.SQL["sealed_credentials"], "", "", 10)
    await accounts.add_gstin(store, ring, GSTINS[0], account_id=tenant.account_id, credentials=renewed)
    write_keys(file, [new_key(), *read_keys(file)])

    done, _ = await rotation._reseal_credentials(store, ring, rows)

    assert done == len(GSTINS) - 1
    assert await accounts.credentials_of(store, ring, GSTINS[0], "NIC1") == renewed


async def test_what_no_key_opens_is_named_and_the_earlier_key_stays(store: Postgres, file: Path) -> None:
    await store.fetch("update irnflow.credentials set sealed_password = 'of a lost key' where gstin = $1", GSTINS[3])

    done = await rotation.rotate(store, file, settle=at_once)

    assert done.lost == (f"{GSTINS[3]} (NIC1)",)
    assert len(read_keys(file)) == 2


async def test_two_rotations_never_run_at_once(database_url: str) -> None:
    async with rotation.alone(database_url):
        with pytest.raises(BadInput, match="another rotation"):
            async with rotation.alone(database_url):
                pass


async def test_a_rotation_after_another_finds_the_lock_free(database_url: str) -> None:
    async with rotation.alone(database_url):
        pass

    async with asyncio.timeout(10), rotation.alone(database_url):
        pass
