"""The sandbox over HTTP: a real server, a real client."""

import asyncio
import base64
import io
import json
import shutil
import socket
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from irnflow.errors import BadInput
from irnflow.sandbox.app import main, running
from irnflow.sandbox.identity import open_identity
from irnflow.sandbox.portal import Sandbox
from irnflow.sandbox.register import Register
from irnflow.sandbox.taxpayers import Taxpayers
from irnflow.settings import Settings
from tests.sandbox.client import Client, codes, to_json
from tests.sandbox.conftest import NOW, counted
from tests.sandbox.documents import intra_state

DOCUMENT = "/eicore/v1.03/Invoice"


class Remote:
    """The small client, its sealed bodies sent over HTTP."""

    def __init__(self, http: aiohttp.ClientSession, folder: Path, address: str) -> None:
        identity = open_identity(folder, now=NOW, random_bytes=counted())
        register = Register()
        sandbox = Sandbox(identity=identity, register=register, taxpayers=Taxpayers(), random_bytes=counted())
        register.close()
        self.client = Client(sandbox, now=NOW)  # for its ciphers: its own sandbox is never called
        self.desk = {"Authorization": f"Bearer {identity.credentials.switches_token}"}
        self.http = http
        self.address = address

    async def log_in(self) -> None:
        envelope = await self.post("/eivital/v1.04/auth", self.client.sealed_login())
        self.client.envelope = lambda *_: envelope  # type: ignore[method-assign]
        self.client.log_in()

    async def generate(self, number: str) -> dict[str, Any]:
        envelope = await self.post(DOCUMENT, self.client.sealed(to_json(intra_state(number))))
        return self.client.opened(envelope)

    async def post(self, path: str, data: str) -> dict[str, Any]:
        async with self.http.post(self.address + path, json={"Data": data}, headers=self.client.headers) as answer:
            envelope = await answer.json()
        assert isinstance(envelope, dict)
        return envelope

    async def order(self, path: str, body: object, *, status: int = 200) -> dict[str, Any]:
        async with self.http.post(f"{self.address}/sandbox/{path}", json=body, headers=self.desk) as answer:
            assert answer.status == status
            told = await answer.json()
        assert isinstance(told, dict)
        return told

    async def register(self, query: str = "") -> dict[str, Any]:
        async with self.http.get(f"{self.address}/sandbox/register{query}", headers=self.desk) as answer:
            told = await answer.json()
        assert isinstance(told, dict)
        return told


@pytest.fixture
def folder(identity_folder: Path, tmp_path: Path) -> Path:
    """A sandbox's folder whose keys are made already."""
    return Path(shutil.copytree(identity_folder, tmp_path / "sandbox"))


@pytest.fixture
async def http() -> AsyncIterator[aiohttp.ClientSession]:
    async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=20)) as session:
        yield session


@pytest.fixture
async def remote(folder: Path, http: aiohttp.ClientSession) -> AsyncIterator[Remote]:
    async with running(folder, clock=lambda: NOW) as address:
        remote = Remote(http, folder, address)
        await remote.log_in()
        yield remote


async def test_a_document_is_registered_over_http(remote: Remote) -> None:
    envelope = await remote.generate("INV-1")

    assert envelope["Data"]["Status"] == "ACT"


async def test_many_at_once_are_each_registered_once(remote: Remote) -> None:
    numbers = [f"INV-{n % 20}" for n in range(40)]

    envelopes = await asyncio.gather(*(remote.generate(number) for number in numbers))

    told = await remote.register()
    assert sum(envelope["Status"] for envelope in envelopes) == 20
    assert told["counts"] == {"active": 20, "cancelled": 0, "rejected": 0, "documents": 20, "duplicates": 20}
    assert told["calls"]["generate"] == 40
    assert told["refusals"] == {"2150": 20}


async def test_a_restart_keeps_the_register(folder: Path, http: aiohttp.ClientSession) -> None:
    async with running(folder, clock=lambda: NOW) as address:
        remote = Remote(http, folder, address)
        await remote.log_in()
        await remote.generate("INV-1")

    async with running(folder, clock=lambda: NOW) as address:
        remote = Remote(http, folder, address)
        await remote.log_in()
        assert codes(await remote.generate("INV-1")) == ["2150"]


async def test_a_dropped_answer_closes_the_connection_after_the_commit(remote: Remote) -> None:
    await remote.order("switches", {"drop_answer_after_commit": 1})

    with pytest.raises(aiohttp.ServerDisconnectedError):
        await remote.generate("INV-1")

    assert codes(await remote.generate("INV-1")) == ["2150"]


async def test_hanging_up_closes_the_connection_with_nothing_done(remote: Remote) -> None:
    await remote.order("switches", {"fail_next": {"hang_up": True}})

    with pytest.raises(aiohttp.ServerDisconnectedError):
        await remote.generate("INV-1")

    assert (await remote.generate("INV-1"))["Status"] == 1


async def test_latency_delays_the_answer_but_not_the_registration(remote: Remote) -> None:
    await remote.order("switches", {"latency_ms": 3_600_000})

    waiting = asyncio.create_task(remote.generate("INV-1"))
    async with asyncio.timeout(10):
        while not (await remote.register())["items"]:
            assert not waiting.done()

    waiting.cancel()
    await remote.order("switches", {"latency_ms": 0})
    assert codes(await remote.generate("INV-1")) == ["2150"]


async def test_the_register_is_listed_in_pages_without_signatures(remote: Remote) -> None:
    for number in ("INV-1", "INV-2"):
        await remote.generate(number)

    (first,) = (await remote.register("?limit=1"))["items"]
    (second,) = (await remote.register(f"?after={first['ack_no']}"))["items"]

    assert [first["doc_no"], second["doc_no"]] == ["INV-1", "INV-2"]
    assert (first["status"], first["duplicates"]) == ("ACT", 0)
    assert not {name for name in first if "signed" in name}


async def test_a_reset_forgets_and_a_moved_clock_counts(remote: Remote) -> None:
    await remote.generate("INV-1")

    told = await remote.order("reset", None)
    await remote.order("clock", {"offset_s": -3 * 86_400})
    await remote.log_in()

    assert told["counts"]["documents"] == 0
    assert codes(await remote.generate("INV-1")) == ["2163"]


async def test_an_order_that_is_wrong_is_told_why(remote: Remote) -> None:
    told = await remote.order("switches", {"latency": 5}, status=400)

    assert "latency" in told["detail"]


async def test_the_desk_wants_its_token(remote: Remote) -> None:
    remote.desk = {"Authorization": "Bearer guessed"}

    told = await remote.order("reset", None, status=401)

    assert "switches_token" in told["detail"]


async def test_a_body_too_large_is_refused_without_being_read(remote: Remote) -> None:
    endless = io.BytesIO(b" " * 4_000_000)

    async with remote.http.post(remote.address + DOCUMENT, data=endless) as answer:
        envelope = await answer.json()

    assert codes(envelope) == ["5002"]


async def test_probes_answer(remote: Remote) -> None:
    async with remote.http.get(remote.address + "/healthz") as answer:
        alive = json.loads(await answer.text())

    assert alive == {"service": "sandbox", "status": "alive"}


async def test_what_is_no_call_of_the_portal_is_404(remote: Remote) -> None:
    async with remote.http.get(remote.address + "/eicore/v9.99/Invoice") as answer:
        assert answer.status == 404


async def test_a_reset_breaks_the_connection_and_the_document_may_be_registered(remote: Remote) -> None:
    await remote.order("switches", {"fail_next": {"reset": True, "after_commit": True}})

    with pytest.raises(aiohttp.ClientOSError, match="reset"):
        await remote.generate("INV-1")

    assert codes(await remote.generate("INV-1")) == ["2150"]


async def test_a_cut_answer_breaks_off_in_the_middle(remote: Remote) -> None:
    await remote.order("switches", {"fail_next": {"cut": True}})

    with pytest.raises(aiohttp.ClientPayloadError, match="not completed"):
        await remote.generate("INV-1")

    assert codes(await remote.generate("INV-1")) == ["2150"]


async def test_a_gateway_may_answer_with_a_page(remote: Remote) -> None:
    failure = {"http_status": 504, "html": True, "retry_after_s": 7}
    await remote.order("switches", {"fail_next": [failure]})

    sealed = remote.client.sealed(to_json(intra_state("INV-1")))
    async with remote.http.post(
        remote.address + DOCUMENT, json={"Data": sealed}, headers=remote.client.headers
    ) as answer:
        page = await answer.text()

    assert (answer.status, answer.content_type, answer.headers["retry-after"]) == (504, "text/html", "7")
    assert "<h1>504</h1>" in page


async def test_the_second_portal_is_below_its_name(remote: Remote) -> None:
    remote.address += "/NIC2"
    await remote.generate("INV-1")

    remote.address = remote.address.removesuffix("/NIC2")
    told = await remote.register()
    assert [item["portal"] for item in told["items"]] == ["NIC2"]
    assert told["calls_at"] == {"NIC1": {"auth": 1}, "NIC2": {"generate": 1}}


async def test_e_way_bills_are_listed(remote: Remote) -> None:
    lorry = {"Distance": 90, "TransMode": "1", "VehNo": "MH12AB1234", "VehType": "R"}
    sealed = remote.client.sealed(to_json(intra_state("INV-1") | {"EwbDtls": lorry}))
    await remote.post(DOCUMENT, sealed)

    async with remote.http.get(f"{remote.address}/sandbox/eway_bills", headers=remote.desk) as answer:
        (bill,) = (await answer.json())["items"]

    assert (bill["ewb_no"], bill["status"]) == (681000000001, "ACT")


@pytest.mark.parametrize(
    ("order", "offset_s"),
    [
        ({"offset_s": 3600}, 3600),
        ({"advance_s": 60}, 160),
        ({"at": "2026-11-22T15:08:49+05:30"}, 10),
    ],
)
async def test_the_clock_is_moved(remote: Remote, order: dict[str, object], offset_s: float) -> None:
    await remote.order("clock", {"offset_s": 100})

    told = await remote.order("clock", order)

    async with remote.http.get(f"{remote.address}/sandbox/clock", headers=remote.desk) as answer:
        assert await answer.json() == told
    assert told["clock_offset_s"] == offset_s


@pytest.mark.parametrize("order", [{}, {"offset_s": 1, "advance_s": 1}, {"at": "2026-11-22T15:08:49"}, {"hour": 9}])
async def test_a_clock_is_moved_in_one_way(remote: Remote, order: dict[str, object]) -> None:
    told = await remote.order("clock", order, status=400)

    assert told["detail"].startswith("the request is wrong: ")


async def test_it_can_start_at_another_hour(folder: Path, http: aiohttp.ClientSession) -> None:
    async with running(folder, clock=lambda: NOW, clock_offset_s=-86_400 * 3) as address:
        remote = Remote(http, folder, address)
        await remote.log_in()

        assert codes(await remote.generate("INV-1")) == ["2163"]


async def test_the_signing_key_is_changed_at_the_desk(remote: Remote, folder: Path) -> None:
    told = await remote.order("signing_key", {"publish": True})

    data = (await remote.generate("INV-1"))["Data"]
    head = json.loads(base64.urlsafe_b64decode(data["SignedInvoice"].split(".")[0] + "=="))
    assert head["kid"] == told["kid"]
    assert (folder / "signing_keys" / f"{told['kid']}.pem").exists()


async def test_a_port_that_is_taken_is_said_in_a_sentence(folder: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
        settings = Settings(sandbox_dir=folder, ports={"sandbox": port})

        with pytest.raises(BadInput, match=f"port {port} is taken; .* IRNFLOW_PORT_SANDBOX"):
            await main(settings, tell=print)
