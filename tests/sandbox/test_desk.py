from collections.abc import MutableMapping
from typing import Any

import pytest

from irnflow.sandbox.desk import desk_of
from irnflow.sandbox.portal import Sandbox
from tests.sandbox.conftest import NOW

Message = MutableMapping[str, Any]


async def status_for(sandbox: Sandbox, address: str) -> int:
    """What the desk says to somebody at that address who has the token."""
    token = sandbox.identity.credentials.switches_token
    scope = {
        "type": "http",
        "method": "GET",
        "path": "/sandbox/register",
        "query_string": b"",
        "headers": [(b"authorization", f"Bearer {token}".encode())],
        "client": (address, 50_000),
    }
    sent: list[Message] = []

    async def receive() -> Message:
        return {"type": "http.request", "body": b"", "more_body": False}

    async def send(message: Message) -> None:
        sent.append(message)

    async def durable() -> None:
        sandbox.register.commit()

    await desk_of(sandbox, durable=durable, clock=lambda: NOW)(scope, receive, send)
    return int(sent[0]["status"])


@pytest.mark.parametrize("address", ["127.0.0.1", "::1"])
async def test_the_desk_answers_on_loopback(sandbox: Sandbox, address: str) -> None:
    assert await status_for(sandbox, address) == 200


@pytest.mark.parametrize("address", ["192.0.2.7", "::ffff:192.0.2.7"])
async def test_the_desk_answers_to_nobody_else(sandbox: Sandbox, address: str) -> None:
    assert await status_for(sandbox, address) == 403
