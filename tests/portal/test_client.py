"""How surely a call arrived: told apart on real sockets."""

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from datetime import UTC, datetime
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import rsa
from hypothesis import given, settings
from hypothesis import strategies as st

from irnflow.local.child import choose_port
from irnflow.portal import client
from irnflow.portal.cipher import encrypt
from irnflow.portal.client import (
    Credentials,
    Lost,
    NotDone,
    NotSent,
    Portal,
    Reply,
    Request,
    Session,
    http,
    read_document,
)

KEY = rsa.generate_private_key(public_exponent=65537, key_size=2048).public_key()
CREDENTIALS = Credentials(gstin="29A", client_id="c", client_secret="cs", username="u", password="pw")
SESSION = Session(token="tk", sek=bytes(32), expires_at=datetime.max.replace(tzinfo=UTC))
POST = Request(method="POST", path="/x", headers={}, body=b"{}")

Serve = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


@asynccontextmanager
async def served(serve: Serve) -> AsyncIterator[str]:
    async def connected(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await serve(reader, writer)
        writer.close()

    async with await asyncio.start_server(connected, "127.0.0.1", 0) as server:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"


def answering(text: bytes) -> Serve:
    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(text)
        await writer.drain()

    return serve


def response(status: str, body: bytes, headers: bytes = b"") -> bytes:
    return b"HTTP/1.1 %s\r\ncontent-length: %d\r\n%s\r\n%s" % (status.encode(), len(body), headers, body)


async def generate(url: str, *, deadline_s: float = 5) -> client.Answer:
    async with http(url, deadline_s=deadline_s, connections=2) as send:
        return await Portal(send, KEY).generate(CREDENTIALS, SESSION, b"{}")


async def test_nobody_listening_is_known_not_sent() -> None:
    with pytest.raises(NotSent):
        await generate(f"http://127.0.0.1:{choose_port()}")


async def test_a_name_that_does_not_resolve_is_known_not_sent() -> None:
    with pytest.raises(NotSent):
        await generate("http://portal.invalid")


async def test_a_connection_that_ends_without_an_answer_is_lost() -> None:
    async with served(answering(b"")) as url:
        with pytest.raises(Lost, match="broke"):
            await generate(url)


async def test_an_answer_that_does_not_come_in_time_is_lost() -> None:
    silent = asyncio.Event()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await silent.wait()

    async with served(serve) as url:
        with pytest.raises(Lost, match=r"within 0\.2 s"):
            await generate(url, deadline_s=0.2)
        silent.set()


async def test_a_body_that_is_cut_is_lost() -> None:
    async with served(answering(b"HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\n{")) as url:
        with pytest.raises(Lost):
            await generate(url)


@pytest.mark.parametrize("status", ["500 Oops", "502 Bad Gateway", "504 Timeout", "404 Not Found", "302 Found"])
async def test_any_status_that_a_portal_behind_may_have_seen_is_lost(status: str) -> None:
    async with served(answering(response(status, b"<html>"))) as url:
        with pytest.raises(Lost, match=status[:3]):
            await generate(url)


@pytest.mark.parametrize("status", ["401 Unauthorized", "403 Forbidden", "429 Too Many Requests"])
async def test_what_the_gateway_turns_away_is_known_not_done(status: str) -> None:
    async with served(answering(response(status, b"", b"retry-after: 7\r\n"))) as url:
        with pytest.raises(NotDone) as caught:
            await generate(url)

    assert (caught.value.status, caught.value.retry_after_s) == (int(status[:3]), 7)


async def test_data_that_does_not_decrypt_is_lost() -> None:
    async with served(answering(response("200 OK", b'{"Status":1,"Data":"AAAA"}'))) as url:
        with pytest.raises(Lost, match="does not open"):
            await generate(url)


_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
)
_FIELDS = dict.fromkeys(("Data", "ErrorDetails", "InfoDtls"), _JSON)
_BODIES = st.binary() | st.fixed_dictionaries({"Status": st.sampled_from((0, 1, "0", "1"))}, optional=_FIELDS).map(
    lambda fields: json.dumps(fields).encode()
)


@settings(deadline=None)
@given(body=_BODIES)
def test_whatever_body_comes_is_an_answer_or_lost(body: bytes) -> None:
    async def send(request: Request) -> Reply:
        return Reply(status=200, headers={}, body=body)

    with suppress(Lost):
        answer = asyncio.run(Portal(send, KEY).generate(CREDENTIALS, SESSION, b"{}"))
        read_document(answer.data)


@pytest.mark.parametrize(
    "changes",
    [
        {"AuthToken": None},
        {"AuthToken": "two\nlines"},
        {"AuthToken": ""},
        {"Sek": encrypt(bytes(32), bytes(31))},
        {"Sek": encrypt(bytes([1]) * 32, bytes(32))},
        {"TokenExpiry": "tomorrow"},
    ],
    ids=["no token", "a token of two lines", "an empty token", "a short key", "a key for another", "no time"],
)
async def test_a_login_that_no_call_could_use_is_lost(changes: dict[str, Any]) -> None:
    sound = {"AuthToken": "t", "Sek": encrypt(bytes(32), bytes(32)), "TokenExpiry": "2026-11-22 18:00:00"}

    async def send(request: Request) -> Reply:
        return Reply(status=200, headers={}, body=json.dumps({"Status": 1, "Data": sound | changes}).encode())

    with pytest.raises(Lost, match="login"):
        await Portal(send, KEY).login(CREDENTIALS, app_key=bytes(32))


@pytest.mark.parametrize(("said", "waits_s"), [("7", 7), ("9" * 400, 3600), ("Wed, 21 Oct 2026 07:28:00 GMT", None)])
async def test_a_gateway_may_ask_to_wait_for_an_hour_at_most(said: str, waits_s: float | None) -> None:
    async def send(request: Request) -> Reply:
        return Reply(status=429, headers={"retry-after": said}, body=b"")

    with pytest.raises(NotDone) as raised:
        await Portal(send, KEY).generate(CREDENTIALS, SESSION, b"{}")

    assert raised.value.retry_after_s == waits_s


async def test_an_answer_without_end_is_lost_and_not_kept_in_memory() -> None:
    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 200 OK\r\n\r\n")
        try:
            while True:
                writer.write(bytes(1 << 20))
                await writer.drain()
        except ConnectionError:
            return

    async with served(serve) as url, http(url, deadline_s=20, connections=1) as send:
        with pytest.raises(Lost, match="larger than"):
            await send(POST)


def test_secrets_are_not_in_what_is_printed() -> None:
    printed = f"{CREDENTIALS!r} {SESSION!r} {CREDENTIALS} {SESSION}"

    assert not any(secret in printed for secret in ("'cs'", "'pw'", "'tk'", "\\x00"))
