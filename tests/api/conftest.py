"""The application over a real store, served over HTTP."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any, NamedTuple

import aiohttp
import pytest

from irnflow.api.app import application
from irnflow.api.endpoints import Api
from irnflow.api.server import serving
from irnflow.books import catalogue
from irnflow.store import accounts, database
from irnflow.store.accounts import Keys
from irnflow.store.database import Postgres
from irnflow.store.secrets import KeyRing
from tests.books.examples import other_layout
from tests.tenant import AT, Tenant, make_tenant

KEY = KeyRing([bytes(32)])


class Answer(NamedTuple):
    """A response, read."""

    status: int
    headers: Any
    body: Any


class Client:
    """Speaks for one account."""

    def __init__(self, session: aiohttp.ClientSession, url: str, headers: dict[str, str]) -> None:
        self._session = session
        self.url = url
        self.headers = headers

    async def get(self, path: str, **said: Any) -> Answer:
        return await self.ask("GET", path, **said)

    async def post(self, path: str, **said: Any) -> Answer:
        return await self.ask("POST", path, **said)

    async def ask(self, method: str, path: str, headers: dict[str, str] | None = None, **said: Any) -> Answer:
        headers = self.headers if headers is None else self.headers | headers
        async with self._session.request(method, self.url + path, headers=headers, **said) as response:
            is_json = "json" in response.headers.get("content-type", "")
            body = await response.json(content_type=None) if is_json else await response.text()
            return Answer(response.status, response.headers, body)


class Woken:
    """Counts how often the dispatcher is woken."""

    def __init__(self) -> None:
        self.times = 0

    def __call__(self) -> None:
        self.times += 1


@pytest.fixture
async def store(database_url: str) -> AsyncIterator[Postgres]:
    async with database.connect(database_url) as opened:
        yield opened


@pytest.fixture
async def tenant(store: Postgres) -> Tenant:
    return await make_tenant(store)


@pytest.fixture
def woken() -> Woken:
    return Woken()


@pytest.fixture
def built_console(tmp_path: Path) -> Path:
    """A console as the bundler leaves it."""
    (tmp_path / "assets").mkdir()
    (tmp_path / "index.html").write_text("<!doctype html><title>irnflow</title>")
    (tmp_path / "assets" / "main-1a2b.js").write_text("console.log(1)")
    return tmp_path


@pytest.fixture
def key() -> KeyRing | None:
    """What this server seals secrets with."""
    return KEY


@pytest.fixture
async def stranger(
    store: Postgres, woken: Woken, built_console: Path, key: KeyRing | None, tmp_path: Path
) -> AsyncIterator[Client]:
    """A client that says nothing of who it is."""
    books = (
        catalogue.source("surya", f"sqlite:///{tmp_path}/surya.db"),
        other_layout(f"sqlite:///{tmp_path}/other.db", name="other-layout"),
    )
    api = Api(
        store,
        now=lambda: AT,
        took_in=woken,
        websocket_url="ws://127.0.0.1:7001/api/v1/ws",
        key=key,
        books=lambda: books,
    )
    app = application(
        api, Keys(store, lambda: AT), websocket_url="ws://127.0.0.1:7001/api/v1/ws", built_console=built_console
    )
    async with (
        serving(app, host="127.0.0.1", port=0) as port,
        aiohttp.ClientSession(cookie_jar=aiohttp.DummyCookieJar()) as session,
    ):
        yield Client(session, f"http://127.0.0.1:{port}", {})


@pytest.fixture
async def client(stranger: Client, store: Postgres, tenant: Tenant) -> Client:
    key = await accounts.issue_key(store, tenant.account_id, name="ERP", at=AT)
    return Client(stranger._session, stranger.url, {"Authorization": f"Bearer {key}"})
