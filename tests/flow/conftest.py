"""A whole irnflow with each service a process of its own, on a real RabbitMQ and PostgreSQL, against the sandbox."""

import asyncio
import os
import shutil
import signal
import sqlite3
import tempfile
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import aiohttp
import asyncpg
import msgspec
import pytest_asyncio

from irnflow.books import sample
from irnflow.books.sql import CANCELLED
from irnflow.bus import topology
from irnflow.local import deployment
from irnflow.local.demo import ACCOUNT, BOOKS, BOOKS_FILE
from irnflow.local.deployment import Deployment
from irnflow.store import accounting, accounts, database

DEADLINE_S = 150  # a broker may take half a minute to come back, and what it lost is told again after another
UNSETTLED = ("PROCESSING", "DATA_FETCHED", "VALIDATION_SUCCESS", "IN_DOUBT", "GENERATION_SUCCESS")

# Books of another layout, with a user's own queries, in a SQLite file (docs/books.md).
OWN_BOOKS = "acme"
OWN_LAYOUT = Path(__file__).parents[1] / "books" / "other_layout.sql"
OWN_QUERIES = OWN_LAYOUT.with_suffix(".toml")

COUNTED = set(topology.QUEUES) - {topology.DEAD_LETTER_QUEUE}

# A lost answer is looked up within seconds, not minutes.
QUICK = {
    "IRNFLOW_PORTAL_DEADLINE_S": "3",
    "IRNFLOW_PORTAL_SLACK_S": "2",
    "IRNFLOW_LOOKUP_SETTLE_S": "0.5",
    "IRNFLOW_LOOKUP_GAP_S": "0.5",
}


class Flow:
    """What a test does to it, and what it asks afterwards."""

    def __init__(self, deployed: Deployment) -> None:
        self.deployed = deployed
        self.vouchers = 0

    def synthetic(self, n: int) -> list[str]:
        """New vouchers that nobody has sent yet."""
        ids = sample.synthetic(self.deployed.books_url, n, first=self.vouchers + 1)
        self.vouchers += n
        return ids

    async def submit(self, ids: Sequence[str], *, books: str = BOOKS) -> str:
        answer = await self.api("POST", "/api/v1/batches", json={"voucher_ids": ids, "books": books})
        return str(answer["batch_no"])

    async def stopped_at(self, point: str, ids: Sequence[str]) -> str:
        """Submit vouchers, and give their batch when registration has killed itself at this point (`stopping`)."""
        file = self.deployed.folder / "stop_at"
        file.write_text(point)
        batch_no = await self.submit(ids)
        await self.until(self._is_there, file, lambda there: not there)
        return batch_no

    @contextmanager
    def stumbling(self, trouble: str) -> Iterator[None]:
        """Validation stumbles over a voucher meanwhile: "passing SYN-7", "defect SYN-7" (`stumbling`)."""
        file = self.deployed.folder / "stumble_over"
        file.write_text(trouble)
        try:
            yield
        finally:
            file.unlink(missing_ok=True)

    async def taken_at_once(self, service: str, ids: Sequence[str], *, came_to: str) -> str:
        """Submit vouchers, and give their batch, of which a service found all waiting that had come to a state."""
        pid = self.deployed.processes[service].pid
        os.kill(pid, signal.SIGSTOP)
        try:
            batch_no = await self.submit(ids)
            await self.until(self.counts, batch_no, lambda counts: counts == {came_to: len(ids)})
        finally:
            os.kill(pid, signal.SIGCONT)
        return batch_no

    def lines(self, service: str) -> list[dict[str, Any]]:
        """What it logged; a trace that somebody printed is no line."""
        written = (self.deployed.folder / f"{service}.log").read_text()
        return [msgspec.json.decode(line) for line in written.splitlines() if line.startswith("{")]

    async def _is_there(self, file: Path) -> bool:
        return file.exists()

    async def api(self, method: str, path: str, **options: Any) -> Any:
        async with self.deployed.call() as api, api.request(method, path, **options) as answer:
            body = await answer.json()
            assert answer.status < 300, body
            return body

    async def counts(self, batch_no: str) -> dict[str, int]:
        try:
            counts = (await self.api("GET", f"/api/v1/batches/{batch_no}"))["counts"]
        except (aiohttp.ClientError, AssertionError):  # the API is one of the processes that are killed
            return {"PROCESSING": -1}
        return {state: n for state, n in counts.items() if n}

    async def settled(self, batch_no: str) -> dict[str, int]:
        """The counts when every voucher of the batch has come to an end."""
        return await self.until(self.counts, batch_no, lambda counts: not set(counts) & set(UNSETTLED))

    async def until(self, ask: Callable[..., Awaitable[Any]], *args: Any) -> Any:
        """Ask again and again until the last argument, a condition, holds of the answer; gives it."""
        *args, holds = args  # type: ignore[assignment]
        last: Any = None
        try:
            async with asyncio.timeout(DEADLINE_S):
                while not holds(last := await ask(*args)):  # noqa: ASYNC110 (another process's doing)
                    await asyncio.sleep(0.1)
        except TimeoutError:
            raise AssertionError(f"still {last} after {DEADLINE_S} s; logs in {self.deployed.folder}") from None
        return last

    async def states(self, batch_no: str) -> dict[str, str]:
        page = await self.api("GET", f"/api/v1/batches/{batch_no}/transactions", params={"limit": 500})
        return {row["transaction_id"]: row["state"] for row in page["items"]}

    async def rows(self, sql: str, *args: object) -> list[Mapping[str, Any]]:
        connection = await asyncpg.connect(self.deployed.store.url)
        try:
            return list(await connection.fetch(sql, *args))
        finally:
            await connection.close()

    def own_rows(self, sql: str) -> list[Mapping[str, Any]]:
        """Of the books of another layout."""
        with closing(sqlite3.connect(_own_books(self.deployed.folder))) as connection:
            connection.row_factory = sqlite3.Row
            return [dict(row) for row in connection.execute(sql)]

    async def desk(self, method: str, path: str, **options: Any) -> Any:
        """The sandbox's desk for tests."""
        secrets = msgspec.json.decode((self.deployed.settings.sandbox_dir / "sandbox.json").read_bytes())
        headers = {"Authorization": f"Bearer {secrets['switches_token']}"}
        async with (
            aiohttp.ClientSession(self.deployed.settings.portal_url, headers=headers) as client,
            client.request(method, f"/sandbox/{path}", **options) as answer,
        ):
            assert answer.status == 200, await answer.text()
            return await answer.json()

    async def probe(self, service: str, path: str) -> tuple[int, str]:
        """Status and text of a service's /healthz, /readyz or /metrics."""
        address = f"http://127.0.0.1:{self.deployed.settings.port_of(service)}/{path}"
        async with aiohttp.ClientSession() as client, client.get(address) as answer:
            return answer.status, await answer.text()

    async def at_portal(self) -> dict[tuple[str, str, str], int]:
        """How many IRNs the portal has for each document: (GSTIN, type, number)."""
        items = (await self.desk("GET", "register", params={"limit": "10000"}))["items"]
        return Counter((item["gstin"], item["doc_type"], item["doc_no"]) for item in items)

    async def quiet(self) -> None:
        """Wait until no message waits or is being worked on, apart from dead letters, and all outcomes are told."""
        await self.until(self._in_flight, lambda n: n == 0)
        await self.until(
            self.rows, "select 1 from irnflow.action where tell_at is not null", lambda rows: not rows
        )  # fmt: skip
        await self.until(
            self.rows, "select 1 from irnflow.registration_request where tell_at is not null", lambda rows: not rows
        )
        await self.until(self._in_flight, lambda n: n == 0)

    async def _in_flight(self) -> int:
        async with (
            aiohttp.ClientSession() as client,
            client.get(
                f"{self.deployed.broker.management_url}/api/queues?disable_stats=true&enable_queue_totals=true"
            ) as answer,
        ):
            queues = await answer.json()
        return sum(queue.get("messages", 1) for queue in queues if queue["name"] in COUNTED)

    async def agrees(self) -> None:
        """The accounting: one IRN a document at the portal, and registrations, books and states agree with it."""
        await self.quiet()
        assert set((await self.at_portal()).values()) <= {1}
        registered = await self.rows(
            "select irn, ack_no, state = 'CANCELLED' as cancelled from irnflow.registration"
            " where state in ('ACCEPTED', 'CANCELLED')"
        )
        ours = {row["irn"]: (row["ack_no"], row["cancelled"]) for row in registered}
        items = (await self.desk("GET", "register", params={"limit": "10000"}))["items"]
        assert ours == {item["irn"]: (str(item["ack_no"]), item["status"] == "CNL") for item in items}
        in_books = await self.rows("select irn, ack_no, einvoice_status from books.voucher where irn is not null")
        in_own = self.own_rows(
            "select gst_hash as irn, cast(gst_ack as text) as ack_no, gst_state as einvoice_status from document"
            " where gst_hash is not null"
        )
        in_all = [*in_books, *in_own]
        assert ours == {row["irn"]: (row["ack_no"], row["einvoice_status"] == CANCELLED) for row in in_all}
        async with database.connect(self.deployed.store.url, connections=1) as store:
            assert await accounting.differences(store) == []
        gaps = await self.rows(
            "select batch_id from irnflow.event group by batch_id having max(seq) <> count(*) or min(seq) <> 1"
        )
        assert gaps == []


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def deployed() -> AsyncIterator[Deployment]:
    folder = Path(tempfile.mkdtemp(prefix="irnflow-flow-"))
    folder.chmod(0o711)  # PostgreSQL may run as another user
    environment = QUICK | {
        "STOP_AT": str(folder / "stop_at"),
        "STUMBLE_OVER": str(folder / "stumble_over"),
        "ACME_BOOKS_URL": f"sqlite:///{_own_books(folder)}",
    }
    _make_own_books(folder)
    instead = {"registration": ("-m", "tests.flow.stopping"), "validation": ("-m", "tests.flow.stumbling")}
    async with deployment.running(folder, environment=environment, instead=instead) as running:
        async with database.connect(running.store.url, connections=1) as store:
            await accounts.add_books(store, (await accounts.named(store, ACCOUNT)).account_id, OWN_BOOKS)
        yield running
    shutil.rmtree(folder)


def _own_books(folder: Path) -> Path:
    return folder / "acme.db"


def _make_own_books(folder: Path) -> None:
    """The file with the queries beside the sample's, and the books themselves, of yesterday."""
    (folder / "books.toml").write_text(BOOKS_FILE + OWN_QUERIES.read_text())
    yesterday = (datetime.now(UTC) - timedelta(days=1)).strftime("%Y-%m-%d %H:%M:%S")
    with closing(sqlite3.connect(_own_books(folder))) as connection:
        connection.executescript(OWN_LAYOUT.read_text())
        connection.execute("update document set made_on = ?", (yesterday,))
        connection.commit()


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def flow(deployed: Deployment) -> Flow:
    return Flow(deployed)
