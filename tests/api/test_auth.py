"""Who may ask, and from where."""

import pytest

from irnflow.store import accounts
from irnflow.store.database import Database
from tests.api.conftest import Answer, Client
from tests.tenant import AT, Tenant

BATCHES, SESSION = "/api/v1/batches", "/api/v1/session"
BODY = {"voucher_ids": ["a"]}


async def sign_in(stranger: Client, store: Database, tenant: Tenant) -> Answer:
    token = await accounts.issue_key(store, tenant.account_id, name="console", at=AT, once=True)
    return await stranger.post(SESSION, json={"token": token})


@pytest.fixture
async def browser(stranger: Client, store: Database, tenant: Tenant) -> Client:
    """A client with a session cookie."""
    answer = await sign_in(stranger, store, tenant)
    cookie = answer.headers["set-cookie"].partition(";")[0]
    return Client(stranger._session, stranger.url, {"Cookie": cookie})


@pytest.mark.parametrize(
    "headers",
    [{}, {"Authorization": "Bearer nonsense"}, {"Authorization": "Basic dTpw"}, {"Cookie": "irnflow_session=nonsense"}],
)
@pytest.mark.parametrize(
    "path", [BATCHES, f"{BATCHES}/B-1", "/api/v1/failures", "/api/v1/codes", "/api/v1/codes/2150", SESSION]
)
async def test_who_is_not_known_gets_nothing(stranger: Client, path: str, headers: dict[str, str]) -> None:
    answer = await stranger.get(path, headers=headers)

    assert (answer.status, answer.body["type"]) == (401, "/problems/unauthenticated")
    assert answer.headers["www-authenticate"] == "Bearer"


async def test_who_is_not_known_is_refused_before_the_body_is_read(stranger: Client) -> None:
    answer = await stranger.post(BATCHES, data=b"not JSON")

    assert answer.status == 401


async def test_a_one_time_token_opens_a_session_once(stranger: Client, store: Database, tenant: Tenant) -> None:
    token = await accounts.issue_key(store, tenant.account_id, name="console", at=AT, once=True)

    first = await stranger.post(SESSION, json={"token": token})
    second = await stranger.post(SESSION, json={"token": token})

    assert first.body == {"account": "Surya Traders", "websocket_url": "ws://127.0.0.1:7001/api/v1/ws"}
    assert (second.status, second.body["type"]) == (401, "/problems/unauthenticated")


async def test_the_session_cookie_is_out_of_reach_of_scripts_and_other_sites(
    stranger: Client, store: Database, tenant: Tenant
) -> None:
    answer = await sign_in(stranger, store, tenant)

    cookie = answer.headers["set-cookie"].lower()
    assert "httponly" in cookie
    assert "samesite=strict" in cookie
    assert "max-age=43200" in cookie
    assert "path=/" in cookie


async def test_a_session_may_look_and_change_from_its_own_page(browser: Client) -> None:
    origin = {"Origin": browser.url, "Sec-Fetch-Site": "same-origin"}

    assert (await browser.get(SESSION)).body["account"] == "Surya Traders"
    assert (await browser.post(BATCHES, json=BODY, headers=origin)).status == 202


@pytest.mark.parametrize(
    "headers",
    [
        {"Origin": "https://elsewhere.example"},
        {"Origin": "null"},
        {"Origin": "http://127.0.0.1:1"},
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
    ],
)
async def test_a_page_of_another_site_changes_nothing(browser: Client, headers: dict[str, str]) -> None:
    answer = await browser.post(BATCHES, json=BODY, headers=headers)

    assert (answer.status, answer.body["type"]) == (403, "/problems/cross-site")


async def test_a_page_of_another_site_signs_nobody_in(stranger: Client, store: Database, tenant: Tenant) -> None:
    token = await accounts.issue_key(store, tenant.account_id, name="console", at=AT, once=True)

    answer = await stranger.post(SESSION, json={"token": token}, headers={"Sec-Fetch-Site": "cross-site"})

    assert answer.status == 403


async def test_a_program_with_a_key_has_no_site(client: Client) -> None:
    answer = await client.post(BATCHES, json=BODY, headers={"Origin": "https://erp.example"})

    assert answer.status == 202
