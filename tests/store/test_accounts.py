"""Tenants and keys, on a real PostgreSQL."""

import asyncio
from datetime import datetime

import msgspec
import pytest

from irnflow.errors import BadInput, Permanent
from irnflow.store import accounts
from irnflow.store.accounts import Account, Credentials, Gstin, Keys, Login
from irnflow.store.database import Database
from irnflow.store.secrets import KeyRing
from tests.tenant import AT, Tenant, later, make_tenant

KEY = KeyRing([b"k" * 32])
GSTIN = "29AABCT1332L1ZU"
CREDENTIALS = Credentials(family="NIC1", username="surya_api", client_id="CL1", client_secret="s3cret", password="pa55")


class Clock:
    """A time that the test moves."""

    def __init__(self) -> None:
        self.at = AT

    def __call__(self) -> datetime:
        return self.at


@pytest.fixture
def clock() -> Clock:
    return Clock()


async def test_an_account_made_twice_is_one(store: Database) -> None:
    first = await accounts.create_account(store, "Surya Traders", at=AT)
    second = await accounts.create_account(store, "Surya Traders", at=AT)

    assert first == second


async def test_books_of_an_account_are_its_own(store: Database, tenant: Tenant) -> None:
    other = await make_tenant(store, "Others", "theirs")
    await accounts.add_books(store, tenant.account_id, "branch")
    await accounts.add_books(store, tenant.account_id, "branch")

    assert await accounts.books_of(store, tenant.account_id) == ["branch", "surya"]
    assert await accounts.books_of(store, other.account_id) == ["theirs"]


async def test_the_only_account_needs_no_name(store: Database, tenant: Tenant) -> None:
    account = await accounts.named(store, None)

    assert account == Account(account_id=tenant.account_id, name="Surya Traders")


async def test_with_two_accounts_the_name_must_be_said(store: Database, tenant: Tenant) -> None:
    await make_tenant(store, "Others", "theirs")

    with pytest.raises(BadInput, match="Others, Surya Traders"):
        await accounts.named(store, None)


async def test_credentials_are_read_back_as_they_were_given(store: Database, tenant: Tenant) -> None:
    await accounts.add_gstin(store, KEY, GSTIN, account_id=tenant.account_id, credentials=CREDENTIALS)

    assert await accounts.credentials_of(store, KEY, GSTIN, "NIC1") == CREDENTIALS


async def test_the_store_holds_no_secret_in_the_clear(store: Database, tenant: Tenant) -> None:
    await accounts.add_gstin(store, KEY, GSTIN, account_id=tenant.account_id, credentials=CREDENTIALS)

    [row] = await store.fetch("select sealed_secret || sealed_password as sealed from irnflow.credentials")

    assert b"s3cret" not in row["sealed"]
    assert b"pa55" not in row["sealed"]


async def test_new_credentials_take_the_place_of_the_old_and_let_the_gstin_run_again(
    store: Database, tenant: Tenant
) -> None:
    await accounts.add_gstin(store, KEY, GSTIN, account_id=tenant.account_id, credentials=CREDENTIALS)
    await store.fetch("update irnflow.credentials set stopped = 'wrong password'")
    renewed = msgspec.structs.replace(CREDENTIALS, password="new")

    await accounts.add_gstin(store, KEY, GSTIN, account_id=tenant.account_id, credentials=renewed)

    assert await accounts.credentials_of(store, KEY, GSTIN, "NIC1") == renewed
    assert [row["stopped"] for row in await store.fetch("select stopped from irnflow.credentials")] == [None]


async def test_credentials_for_a_second_family_leave_the_first_as_they_are(store: Database, tenant: Tenant) -> None:
    await accounts.add_gstin(store, KEY, GSTIN, account_id=tenant.account_id, credentials=CREDENTIALS)
    await store.fetch("update irnflow.credentials set stopped = 'wrong password'")
    await store.fetch("insert into irnflow.portal_session (portal, gstin) values ('NIC1', $1)", GSTIN)
    second = msgspec.structs.replace(CREDENTIALS, family="IRIS", username="surya_iris", password="other")

    await accounts.add_gstin(store, KEY, GSTIN, account_id=tenant.account_id, credentials=second)

    assert await accounts.credentials_of(store, KEY, GSTIN, "NIC1") == CREDENTIALS
    assert await accounts.credentials_of(store, KEY, GSTIN, "IRIS") == second
    assert await store.fetch("select 1 from irnflow.portal_session where portal = 'NIC1'")
    assert await accounts.gstin_of(store, tenant.account_id, GSTIN) == Gstin(
        gstin=GSTIN,
        stopped=None,
        logins=(
            Login(family="IRIS", username="surya_iris", client_id="CL1", stopped=None),
            Login(family="NIC1", username="surya_api", client_id="CL1", stopped="wrong password"),
        ),
    )


async def test_a_secret_of_one_family_does_not_open_as_another_familys(store: Database, tenant: Tenant) -> None:
    await accounts.add_gstin(store, KEY, GSTIN, account_id=tenant.account_id, credentials=CREDENTIALS)
    await store.fetch("update irnflow.credentials set family = 'IRIS'")

    with pytest.raises(Permanent, match="can't be opened"):
        await accounts.credentials_of(store, KEY, GSTIN, "IRIS")


async def with_two(store: Database, tenant: Tenant) -> None:
    for family in ("NIC1", "IRIS"):
        credentials = msgspec.structs.replace(CREDENTIALS, family=family)
        await accounts.add_gstin(store, KEY, GSTIN, account_id=tenant.account_id, credentials=credentials)


async def removed(store: Database, account_id: int, family: str) -> str:
    return await accounts.remove_credentials(store, account_id, GSTIN, family, portals=[family])


async def test_credentials_of_one_family_are_removed_with_their_session_and_the_last_stay(
    store: Database, tenant: Tenant
) -> None:
    await with_two(store, tenant)
    await store.fetch("insert into irnflow.portal_session (portal, gstin) values ('NIC1', $1), ('IRIS', $1)", GSTIN)

    outcomes = [await removed(store, tenant.account_id, family) for family in ("IRIS", "IRIS", "NIC1")]

    assert outcomes == ["REMOVED", "NONE", "ONLY"]
    assert await accounts.credentials_of(store, KEY, GSTIN, "NIC1") == CREDENTIALS
    assert [row["portal"] for row in await store.fetch("select portal from irnflow.portal_session")] == ["NIC1"]


async def test_nobody_removes_what_is_another_accounts(store: Database, tenant: Tenant) -> None:
    await with_two(store, tenant)
    other = await make_tenant(store, "Others", "theirs")

    assert await removed(store, other.account_id, "IRIS") == "NONE"
    assert await accounts.credentials_of(store, KEY, GSTIN, "IRIS")


async def test_a_gstin_of_one_account_is_refused_to_another(store: Database, tenant: Tenant) -> None:
    other = await make_tenant(store, "Others", "theirs")
    await accounts.add_gstin(store, KEY, GSTIN, account_id=tenant.account_id, credentials=CREDENTIALS)

    with pytest.raises(BadInput, match="belongs to another account"):
        await accounts.add_gstin(store, KEY, GSTIN, account_id=other.account_id, credentials=CREDENTIALS)


async def test_a_gstin_without_credentials_is_told_so(store: Database) -> None:
    with pytest.raises(Permanent, match="has no credentials for NIC1"):
        await accounts.credentials_of(store, KEY, GSTIN, "NIC1")


async def test_a_key_speaks_for_its_account(store: Database, tenant: Tenant, clock: Clock) -> None:
    key = await accounts.issue_key(store, tenant.account_id, name="ERP", at=AT)

    account = await Keys(store, clock).account(key)

    assert account == Account(account_id=tenant.account_id, name="Surya Traders", speaker="ERP")


async def test_a_key_that_nobody_issued_speaks_for_nobody(store: Database, clock: Clock) -> None:
    assert await Keys(store, clock).account("irnflow_guessed") is None


async def test_the_store_knows_only_the_digest_of_a_key(store: Database, tenant: Tenant) -> None:
    key = await accounts.issue_key(store, tenant.account_id, name="ERP", at=AT)

    [row] = await store.fetch("select row_to_json(k)::text as whole, digest from irnflow.api_key k")

    assert key not in row["whole"]
    assert row["digest"] == accounts.digest(key)


async def test_a_key_is_good_until_it_expires_also_when_it_is_remembered(
    store: Database, tenant: Tenant, clock: Clock
) -> None:
    key = await accounts.issue_key(store, tenant.account_id, name="ERP", at=AT, expires_at=later(seconds=5))
    keys = Keys(store, clock)
    assert await keys.account(key)

    clock.at = later(seconds=5)

    assert await keys.account(key) is None


async def test_a_revoked_key_is_forgotten_within_ten_seconds(store: Database, tenant: Tenant, clock: Clock) -> None:
    key = await accounts.issue_key(store, tenant.account_id, name="ERP", at=AT)
    keys = Keys(store, clock)
    assert await keys.account(key)
    await accounts.revoke_key(store, key, at=AT)

    clock.at = later(seconds=10)

    assert await keys.account(key) is None


async def test_a_remembered_key_is_not_asked_for_again(store: Database, tenant: Tenant, clock: Clock) -> None:
    key = await accounts.issue_key(store, tenant.account_id, name="ERP", at=AT)
    keys = Keys(store, clock)
    first = await keys.account(key)
    await store.fetch("truncate irnflow.api_key")

    clock.at = later(seconds=9)

    assert await keys.account(key) == first


async def test_a_one_time_token_is_no_key(store: Database, tenant: Tenant, clock: Clock) -> None:
    token = await accounts.issue_key(store, tenant.account_id, name="console", at=AT, once=True)

    assert await Keys(store, clock).account(token) is None


async def test_a_one_time_token_opens_one_session(store: Database, tenant: Tenant, clock: Clock) -> None:
    token = await accounts.issue_key(store, tenant.account_id, name="console", at=AT, once=True)

    opened = await asyncio.gather(*(accounts.exchange_token(store, token, at=AT) for _ in range(5)))

    [session] = [key for key in opened if key]
    assert await Keys(store, clock).account(session) == Account(
        account_id=tenant.account_id, name="Surya Traders", speaker="session of console"
    )  # fmt: skip


async def test_a_session_ends(store: Database, tenant: Tenant, clock: Clock) -> None:
    token = await accounts.issue_key(store, tenant.account_id, name="console", at=AT, once=True)
    session = await accounts.exchange_token(store, token, at=AT) or ""

    clock.at = AT + accounts.SESSION_LIFETIME

    assert await Keys(store, clock).account(session) is None


async def test_an_expired_token_opens_nothing(store: Database, tenant: Tenant) -> None:
    token = await accounts.issue_key(
        store, tenant.account_id, name="console", at=AT, once=True, expires_at=later(minutes=1)
    )

    assert await accounts.exchange_token(store, token, at=later(minutes=1)) is None


async def test_a_key_is_no_token(store: Database, tenant: Tenant) -> None:
    key = await accounts.issue_key(store, tenant.account_id, name="ERP", at=AT)

    assert await accounts.exchange_token(store, key, at=AT) is None


async def test_a_session_has_the_rights_of_its_token(store: Database, tenant: Tenant, clock: Clock) -> None:
    token = await accounts.issue_key(store, tenant.account_id, name="console", at=AT, once=True, admin=True)

    session = await accounts.exchange_token(store, token, at=AT)

    assert session
    account = await Keys(store, clock).account(session)
    assert account
    assert account.admin
