"""The document is held to the code: schemathesis sends what fits it and what doesn't, and compares the answers."""

import asyncio
import secrets
import threading
from collections.abc import Iterator
from typing import NamedTuple
from urllib.parse import urlsplit

import asyncpg
import msgspec
import pytest
import schemathesis
from hypothesis import HealthCheck, settings
from schemathesis.specs.openapi.checks import positive_data_acceptance

from irnflow.api.app import application
from irnflow.api.endpoints import Api
from irnflow.api.openapi import document
from irnflow.api.server import serving
from irnflow.files.reading import Kind
from irnflow.messages import State
from irnflow.store import accounts, database, failures
from irnflow.store.accounts import Keys
from irnflow.store.failures import Failure
from irnflow.store.secrets import KeyRing
from tests.servers import TEMPLATE
from tests.tenant import AT, events, make_batch, make_tenant

DOCUMENT = msgspec.json.decode(
    document(Api(None, now=lambda: AT, took_in=lambda: None).endpoints())  # type: ignore[arg-type]
)
SCHEMA = schemathesis.openapi.from_dict(DOCUMENT)
# What fits the document and is refused all the same, because the account doesn't have it.


@schemathesis.serializer(Kind.XLSX.value, "application/vnd.ms-excel")
def as_workbook(context: schemathesis.SerializationContext, value: object) -> bytes:
    """What it makes up is no workbook, and is refused as none."""
    return value if isinstance(value, bytes) else str(value).encode()


REFUSALS = {
    "unknown-books", "unreadable-file", "books-not-named", "invalid-query", "login-too-long", "unknown-portal",
    "portal-not-named", "bill-number",
}  # fmt: skip


class Served(NamedTuple):
    """An application in a thread of its own, for a client that blocks."""

    url: str
    key: str


@pytest.fixture(scope="module")
def served(postgres: str) -> Iterator[Served]:
    ready = threading.Event()
    found: list[Served] = []
    loop = asyncio.new_event_loop()
    over = asyncio.Event()

    async def serve() -> None:
        name = f"test_{secrets.token_hex(6)}"
        admin = await asyncpg.connect(postgres)
        await admin.execute(f"create database {name} template {TEMPLATE}")
        async with database.connect(urlsplit(postgres)._replace(path=f"/{name}").geturl()) as store:
            key = await furnish(store)
            app = application(
                Api(store, now=lambda: AT, took_in=lambda: None, key=KeyRing([bytes(32)])), Keys(store, lambda: AT)
            )
            async with serving(app, host="127.0.0.1", port=0) as port:
                found.append(Served(f"http://127.0.0.1:{port}", key))
                ready.set()
                await over.wait()
        await admin.execute(f"drop database {name} with (force)")
        await admin.close()

    thread = threading.Thread(target=lambda: loop.run_until_complete(serve()))
    thread.start()
    assert ready.wait(60)
    yield found[0]
    loop.call_soon_threadsafe(over.set)
    thread.join()
    loop.close()


async def furnish(store: database.Postgres) -> str:
    """An account with a batch that has failures; its key."""
    tenant = await make_tenant(store)
    batch = await make_batch(store, tenant, *map(str, range(20)), batch_no="B-1")
    await events(store, batch["batch_id"], {str(n): State.VALIDATION_FAILED for n in range(10)})
    await failures.record(
        store,
        [
            Failure(
                batch_id=batch["batch_id"], transaction_id=str(n), account_id=tenant.account_id, stage="validation",
                cause=f"cause {n}", says="", fix="", faults=(), attempts=1, message=b"{}", at=AT,
                failing=State.VALIDATION_FAILED,
            )
            for n in range(10)
        ],
    )  # fmt: skip
    return await accounts.issue_key(store, tenant.account_id, name="test", at=AT)


@SCHEMA.parametrize()
@settings(max_examples=40, deadline=None, suppress_health_check=list(HealthCheck))
def test_the_code_keeps_to_its_document(case: schemathesis.Case, served: Served) -> None:
    headers = {"Authorization": f"Bearer {served.key}"}

    response = case.call(base_url=served.url, headers=headers)

    case.validate_response(response, headers=headers, excluded_checks=[positive_data_acceptance])
    assert fits(case, response) or kind(response) in REFUSALS


def fits(case: schemathesis.Case, response: schemathesis.Response) -> bool:
    """Whether the answer to something that fits is no refusal of its shape."""
    return case.meta is None or case.meta.generation.mode.is_negative or response.status_code not in (400, 422)


def kind(response: schemathesis.Response) -> str:
    return str(response.json()["type"]).removeprefix("/problems/")


def test_the_document_is_openapi_3_1() -> None:
    assert DOCUMENT["openapi"] == "3.1.0"
    SCHEMA.validate()


def test_each_operation_has_a_name_and_tells_its_problems() -> None:
    operations = [operation for path in DOCUMENT["paths"].values() for operation in path.values()]

    names = [operation["operationId"] for operation in operations]

    assert len(set(names)) == len(names) == 38
    assert all("503" in operation["responses"] for operation in operations)


def test_patterns_are_written_as_ecma_262_has_them() -> None:
    assert "\\\\Z" not in msgspec.json.encode(DOCUMENT).decode()
