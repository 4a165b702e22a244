"""The console in a real Chromium, served as in production: the API at one port, the WebSocket at another.

What the pipeline would tell, a test tells itself, so that it decides what is seen when.
"""

import asyncio
import os
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path

import pytest
import pytest_asyncio
from playwright.async_api import Browser, BrowserContext, Page, async_playwright, expect

from irnflow.api.app import application
from irnflow.api.console import BUILT
from irnflow.api.endpoints import Api
from irnflow.api.server import serving
from irnflow.local.child import choose_port
from irnflow.messages import Detail, State, StatusChanged
from irnflow.services import websocket
from irnflow.services.websocket.endpoint import LIMITS, Endpoint
from irnflow.services.websocket.feed import Feed, listen
from irnflow.store import accounts, database
from irnflow.store.database import Postgres
from tests.tenant import Tenant, make_batch, make_tenant

CHROMIUM = Path(os.environ.get("IRNFLOW_CHROMIUM", "/usr/bin/chromium"))
DEADLINE_MS = 20_000

expect.set_options(timeout=DEADLINE_MS)


def now() -> datetime:
    return datetime.now(UTC)


class Console:
    """What a person at the console sees, and what a test makes happen behind it."""

    def __init__(self, store: Postgres, url: str, tenant: Tenant) -> None:
        self.store = store
        self.tenant = tenant
        self.port = choose_port()
        self.websocket_port = choose_port()
        self.address = f"http://127.0.0.1:{self.port}"
        self.feed = Feed(store)
        self._keys = accounts.Keys(store, now)
        self._url = url
        self._batches: dict[str, int] = {}

    @asynccontextmanager
    async def serving(self) -> AsyncIterator[None]:
        """The API with the console, and the feed."""
        websocket_url = f"ws://127.0.0.1:{self.websocket_port}/api/v1/ws"
        api = Api(self.store, now=now, took_in=lambda: None, websocket_url=websocket_url)
        app = application(api, self._keys, websocket_url=websocket_url)
        async with serving(app, host="127.0.0.1", port=self.port), AsyncExitStack() as stack:
            for work in (self.feed.tail(), listen(self._url, self.feed)):
                stack.callback(asyncio.ensure_future(work).cancel)
            yield

    @asynccontextmanager
    async def websocket(self) -> AsyncIterator[None]:
        """The WebSocket, which a test may let go and come back."""
        endpoint = Endpoint(self.feed, self._keys, console_port=self.port)
        async with serving([endpoint.route], host="127.0.0.1", port=self.websocket_port, **LIMITS):
            yield

    def forget_keys(self) -> None:
        """As if the seconds had gone by that a key is remembered for."""
        self._keys.__init__(self.store, now)  # type: ignore[misc]

    async def token(self) -> str:
        return await accounts.issue_key(self.store, self.tenant.account_id, name="link", at=now(), once=True)

    async def key(self) -> str:
        return await accounts.issue_key(self.store, self.tenant.account_id, name="test", at=now())

    async def batch(self, batch_no: str, *ids: str) -> None:
        row = await make_batch(self.store, self.tenant, *ids, batch_no=batch_no, at=now())
        self._batches[batch_no] = row["batch_id"]

    async def tell(self, batch_no: str, state: State, *ids: str, detail: Detail = Detail()) -> None:  # noqa: B008
        """What a service would tell of these vouchers."""
        told = [
            StatusChanged(
                batch_id=self._batches[batch_no], batch_no=batch_no, transaction_id=each, books=self.tenant.books,
                account_id=self.tenant.account_id, status=state, at=now(), detail=detail,
            )
            for each in ids
        ]  # fmt: skip
        await websocket.handle(told, store=self.store)

    async def sign_in(self, page: Page, place: str = "") -> None:
        """By a one-time link, and on to a place within the console."""
        await page.goto(f"{self.address}/#token={await self.token()}")
        await page.get_by_role("heading", name="Batches").wait_for()
        if place:
            await page.evaluate("place => { location.hash = place }", place)


@pytest_asyncio.fixture(loop_scope="session")
async def console(database_url: str) -> AsyncIterator[Console]:
    """A console with nothing in it."""
    if not (BUILT / "index.html").exists():
        pytest.fail("the console is not built: python hatch_build.py")
    async with database.connect(database_url) as store:
        console = Console(store, database_url, await make_tenant(store))
        async with console.serving():
            yield console


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def browser() -> AsyncIterator[Browser]:
    if not CHROMIUM.exists():
        pytest.fail(f"there is no Chromium at {CHROMIUM}: apt-get install chromium, or set IRNFLOW_CHROMIUM")
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield browser
        await browser.close()


@pytest_asyncio.fixture(loop_scope="session")
async def context(browser: Browser) -> AsyncIterator[BrowserContext]:
    """A visitor whose page must not say anything wrong in its log."""
    context = await browser.new_context(viewport={"width": 1280, "height": 800}, reduced_motion="reduce")
    context.set_default_timeout(DEADLINE_MS)
    yield context
    await context.close()


@pytest_asyncio.fixture(loop_scope="session")
async def page(context: BrowserContext) -> AsyncIterator[Page]:
    page = await context.new_page()
    wrong: list[str] = []
    page.on("pageerror", lambda error: wrong.append(str(error)))
    yield page
    assert wrong == []
