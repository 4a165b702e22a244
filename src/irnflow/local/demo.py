"""The sample company: its account, its books, and one batch of all its vouchers, followed to the end.

Loading it again changes nothing; sending its vouchers again gives the same IRNs, and registers nothing twice.
"""

import asyncio
from collections.abc import AsyncIterator, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

import aiohttp
import msgspec

from irnflow.books import sample
from irnflow.errors import Unavailable
from irnflow.local import private
from irnflow.local.screen import Outcome
from irnflow.messages import State
from irnflow.settings import Settings
from irnflow.store import accounts, database, secrets

ACCOUNT: Final = "sample"
BOOKS: Final = "sample"
BOOKS_URL: Final = "IRNFLOW_SAMPLE_BOOKS_URL"
BOOKS_FILE: Final = f"""\
# The books that irnflow reads. docs/books.md tells how to add your own.

[books.{BOOKS}]
url_env = "{BOOKS_URL}"
"""
_INDIA: Final = ZoneInfo("Asia/Kolkata")
_SILENCE_S: Final = 120.0  # so long without any news, and we say so and give up


class SandboxLogin(msgspec.Struct, frozen=True):
    """What `sandbox.json` tells a client of the sandbox portal."""

    client_id: str
    client_secret: str
    username: str
    password: str


def books_url(database_url: str) -> str:
    """Where the sample books are: schema `books` of our own database, read through a driver for threads."""
    return urlsplit(database_url)._replace(scheme="postgresql+psycopg").geturl()


class Access(msgspec.Struct, frozen=True, kw_only=True):
    """What opens the sample account."""

    key: str  # for the API
    token: str  # for the console, once


def size() -> int:
    """How many vouchers the sample sends."""
    return len(sample.IDS)


async def seed(settings: Settings, *, at: datetime) -> Access:
    """Make what isn't there yet: books and account."""
    if not settings.books.exists():
        settings.books.write_text(BOOKS_FILE)
    await asyncio.to_thread(sample.load, books_url(settings.database_url), at.astimezone(_INDIA).date())
    login = msgspec.json.decode((settings.sandbox_dir / "sandbox.json").read_bytes(), type=SandboxLogin)
    credentials = accounts.Credentials(
        family=settings.portal_name,
        username=login.username,
        client_id=login.client_id,
        client_secret=login.client_secret,
        password=login.password,
    )
    if not settings.key:
        secrets.make_key(settings.key_file)
    key = secrets.key_ring(settings.key, settings.key_file)
    async with database.connect(settings.database_url, connections=1) as store:
        account_id = await accounts.create_account(store, ACCOUNT, at=at)
        await accounts.add_books(store, account_id, BOOKS)
        for gstin in sample.GSTINS:
            await accounts.add_gstin(
                store,
                key,
                gstin,
                account_id=account_id,
                credentials=credentials,
                turnover_crore=sample.TURNOVER_CRORE,
            )
        api_key = await _api_key(store, settings.data / "api_key", account_id, at)
        token = await _token(store, account_id, at)
    return Access(key=api_key, token=token)


async def another_token(settings: Settings) -> str:
    """One more one-time token for the console, of the sample account."""
    at = datetime.now(UTC)
    async with database.connect(settings.database_url, connections=1) as store:
        return await _token(store, await accounts.create_account(store, ACCOUNT, at=at), at)


async def _token(store: database.Database, account_id: int, at: datetime) -> str:
    expires_at = at + accounts.SESSION_LIFETIME
    return await accounts.issue_key(
        store, account_id, name="console", at=at, expires_at=expires_at, once=True, admin=True
    )


async def _api_key(store: database.Database, file: Path, account_id: int, at: datetime) -> str:
    """The key in the file, while it is good; else a new one."""
    if file.exists() and await accounts.Keys(store, lambda: at).account(file.read_text()):
        return file.read_text()
    key = await accounts.issue_key(store, account_id, name="irnflow up", at=at, admin=True)
    private.write(file, key.encode())
    return key


class Client:
    """The HTTP API and the WebSocket, as any integrator uses them."""

    def __init__(self, session: aiohttp.ClientSession, *, websocket_url: str, key: str) -> None:
        self._session = session
        self._websocket_url = websocket_url
        self._key = key

    async def batches(self) -> int:
        """How many batches were sent before; more than one count as one."""
        return len((await self._call("GET", "/api/v1/batches", params={"limit": 1}))["items"])

    async def submit(self) -> str:
        """One batch of all vouchers of the sample; gives its number."""
        answer = await self._call("POST", "/api/v1/batches", json={"voucher_ids": sample.IDS, "books": BOOKS})
        return str(answer["batch_no"])

    async def counts(self, batch_no: str) -> AsyncIterator[Mapping[State, int]]:
        """How many are in each state, whenever that changes. Raises Unavailable when nothing comes any more."""
        async with self._session.ws_connect(self._websocket_url, max_msg_size=0) as socket:
            await socket.send_json({"type": "auth", "key": self._key})
            await socket.send_json({"type": "subscribe", "batch_no": batch_no, "after": 0})
            while True:
                try:
                    frame = await socket.receive_json(timeout=_SILENCE_S)
                except (TimeoutError, TypeError) as silence:  # TypeError: the socket was closed
                    raise Unavailable(
                        f"no news of batch {batch_no} for {_SILENCE_S:.0f} s. What is sent is safe: start again and it "
                        "goes on; irnflow.log says what was wrong."
                    ) from silence
                if frame["type"] == "error":
                    raise Unavailable(f"batch {batch_no} can't be followed: {frame['detail']}")
                yield {State(state): n for state, n in frame["counts"].items()}

    async def outcomes(self, batch_no: str) -> list[Outcome]:
        """What became of each voucher, beside what the sample expects."""
        expected = sample.expected()
        rows = await self._call("GET", f"/api/v1/batches/{batch_no}/transactions", params={"limit": 500})
        return [
            Outcome(
                voucher_id=row["transaction_id"],
                state=State(row["state"]),
                expected=expected[row["transaction_id"]],
                says=_says(row["state"], row["detail"] or {}),
            )
            for row in rows["items"]
        ]

    async def _call(self, method: str, path: str, **options: Any) -> Any:
        async with self._session.request(method, path, **options) as answer:
            if answer.status >= 400:
                raise Unavailable(f"{method} {path} answers {answer.status}: {await answer.text()}")
            return await answer.json()


def _says(state: str, detail: Mapping[str, Any]) -> str:
    """A line on one voucher: its IRN, or why it has none: the first fault and how many more there are."""
    if state == State.REGISTERED:
        return str(detail["irn"])
    faults = detail.get("faults") or []
    if not faults:
        return str(detail.get("says", ""))
    more = f" (and {len(faults) - 1} more)" if len(faults) > 1 else ""
    return f"{faults[0]['says']}{more}"
