"""No password, token or key is in what registration writes: not in logs, messages, error texts or rows.

The portal here is a chatty one: whatever it refuses, it repeats all that it was told.
"""

import base64
import io
import json
from typing import Any

import msgspec
import pytest
import structlog

from irnflow.errors import Permanent, Transient
from irnflow.portal.cipher import read_auth_key
from irnflow.portal.client import Credentials, Portal, Reply, Request, Session
from irnflow.sandbox.protocol import login_in
from irnflow.sandbox.switches import Order
from irnflow.services.registration.sessions import Sessions
from irnflow.store import accounts, steering
from irnflow.store.secrets import KeyRing
from tests.services.registration.conftest import GSTIN, NOON, Room, invoice, next_fails

KEY = bytes(range(100, 132))


class Chatty:
    """A portal that repeats headers and password in each refusal; and what it was told and gave, in the clear."""

    def __init__(self, room: Room) -> None:
        self._sandbox = room.sandbox
        self._desk = room.desk
        self.told: set[str] = set()

    async def __call__(self, request: Request) -> Reply:
        told = [request.headers.get(name, "") for name in ("client_secret", "AuthToken")]
        if request.path.endswith("/auth"):
            told.append(str(login_in(request.body, self._sandbox.identity.auth_key)["Password"]))
        self.told |= {each for each in told if each}
        said = self._sandbox.call(request.method, request.path, request.headers, request.body, now=self._desk.at)
        body = msgspec.json.decode(said.body) if said.status == 200 else None
        if body and str(body["Status"]) == "0":
            for each in body["ErrorDetails"]:
                each["ErrorMessage"] += f" (you said {' '.join(told)})"
            return Reply(status=200, headers=said.headers, body=json.dumps(body).encode())
        return Reply(status=said.status, headers=said.headers, body=said.body)


@pytest.fixture
def log() -> io.StringIO:
    return io.StringIO()


@pytest.fixture
def chatty(room: Room, log: io.StringIO) -> Chatty:
    portal = Chatty(room)
    line = room.parts.portals["NIC1"]
    ring = KeyRing([KEY])
    client = Portal(portal, read_auth_key(room.sandbox.identity.auth_public_file))
    sessions = Sessions(client, room.desk.store, name="NIC", key=ring, now=lambda: room.desk.at, random_bytes=_random)
    lines = type(room.parts.portals)([msgspec.structs.replace(line, portal=client)])
    logger = structlog.wrap_logger(
        structlog.WriteLogger(log),
        processors=[structlog.processors.format_exc_info, structlog.processors.JSONRenderer(default=repr)],
    )
    room.parts = msgspec.structs.replace(room.parts, portals=lines, sessions={"NIC": sessions}, log=logger)
    return portal


def _random(size: int) -> bytes:
    return bytes(range(size))


async def set_credentials(room: Room, **changes: str) -> None:
    known = room.sandbox.identity.credentials
    credentials = accounts.Credentials(
        family="NIC", username=known.username, client_id=known.client_id, client_secret=known.client_secret,
        password=known.password,
    )  # fmt: skip
    await accounts.add_gstin(
        room.desk.store,
        KeyRing([KEY]),
        GSTIN,
        account_id=1,
        credentials=msgspec.structs.replace(credentials, **changes),
    )


async def held(room: Room) -> Session:
    return (await room.parts.sessions["NIC"].get(GSTIN))[1]


async def rows(room: Room) -> bytes:
    """Everything in the database, as text."""
    tables = await room.desk.store.fetch(
        "select format('%I.%I', schemaname, tablename) as name from pg_tables where schemaname = 'irnflow'"
    )
    every = "select row_to_json(t)::text as row from {} t"
    found = [await room.desk.store.fetch(every.format(each["name"])) for each in tables]
    return "\n".join(row["row"] for rows in found for row in rows).encode()


def messages(room: Room) -> bytes:
    queues = ("register_success_queue", "invalid_generation_queue", "status_queue", "dead_letter_queue")
    deliveries = [delivery for queue in queues for delivery in room.broker.ready(queue)]
    return b"\n".join(delivery.body + repr(delivery.headers).encode() for delivery in deliveries)


def shapes(secret: bytes) -> set[bytes]:
    """As it is, in base64, and in hex, which is how the database shows bytes."""
    return {secret, base64.b64encode(secret), base64.urlsafe_b64encode(secret), secret.hex().encode()}


async def test_nothing_that_registration_writes_holds_a_secret(room: Room, chatty: Chatty, log: io.StringIO) -> None:
    await set_credentials(room, password="the-wrong-password")
    await room.arrive("A/1")
    await room.send()  # refused: the GSTIN stops
    await set_credentials(room, client_secret="the-wrong-secret")
    room.desk.later(61)
    await room.send()  # and again
    await set_credentials(room)
    room.desk.later(61)
    await room.send()  # registered
    session = await held(room)
    await room.arrive("A/2", invoice("A/2", GstRt=17))
    await room.send()  # refused for what it says
    for number, failure in enumerate(({"code": "5001"}, {"http_status": 502}, {"code": "1013"}, {"code": "7777"})):
        await room.arrive(f"B/{number}")
        next_fails(room, **failure)
        await room.send()
        room.desk.later(91)
        await room.resolve()
        await steering.resume_gstin(room.desk.store, 1, GSTIN)
    room.sandbox.obey(Order(revoke_tokens=True))
    next_fails(room, n=2, code="1005")
    await room.arrive("C/1")
    room.desk.later(61)
    await room.send()  # a token refused twice

    written = b"\n".join((log.getvalue().encode(), messages(room), await rows(room)))
    secrets = {each.encode() for each in chatty.told} | {session.sek, KEY, _random(32)}
    found = [secret for secret in secrets for shape in shapes(secret) if shape in written]
    assert {"the-wrong-password", "the-wrong-secret", session.token} <= chatty.told
    assert b"***" in written
    assert b"1005" in written
    assert found == []


@pytest.mark.parametrize("given", [{"code": "1019"}, {"code": "UNLISTED"}, {"http_status": 500}])
async def test_no_error_of_a_login_holds_a_secret(room: Room, chatty: Chatty, given: dict[str, Any]) -> None:
    await set_credentials(room, password="the-wrong-password")
    next_fails(room, call="auth", **given)

    with pytest.raises((Permanent, Transient)) as caught:
        await room.parts.sessions["NIC"].get(GSTIN)

    told = f"{caught.value!r} {caught.value.__cause__!r} {caught.value.__context__!r}"
    assert "the-wrong-password" not in told
    assert room.sandbox.identity.credentials.client_secret not in told


def test_values_that_hold_secrets_never_show_them() -> None:
    shown = repr([
        Credentials(gstin=GSTIN, client_id="c", client_secret="hush", username="u", password="hush"),
        accounts.Credentials(family="NIC", username="u", client_id="c", client_secret="hush", password="hush"),
        Session(token="hush", sek=b"hush", expires_at=NOON),
        KeyRing([b"hush" * 8]),
    ])  # fmt: skip

    assert "hush" not in shown
