"""The sandbox portal over HTTP: a portal of our own to develop against.

serves     the portal's paths (`portal`), the desk for tests (`desk`), probes
keeps      keys, credentials and register in its folder; tokens and switches in memory
repeated   a document is registered once, also over a kill -9: no answer goes out before the register's commit,
           one commit for all that came together
"""

import asyncio
import contextlib
import errno
import os
import socket
import sqlite3
import struct
from collections.abc import AsyncIterator, Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from starlette.applications import Starlette
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.routing import Mount, Route
from starlette.types import Receive, Scope, Send
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from irnflow.api.server import probes, serving
from irnflow.errors import BadInput
from irnflow.log import logger
from irnflow.sandbox.desk import desk_of
from irnflow.sandbox.identity import open_identity
from irnflow.sandbox.introduction import introduction
from irnflow.sandbox.portal import Answer, Sandbox, too_large
from irnflow.sandbox.protocol import BODY_BYTES_MAX
from irnflow.sandbox.register import Register
from irnflow.sandbox.taxpayers import read_taxpayers
from irnflow.settings import Settings

NAME: Final = "sandbox"
_HANG_UP: Final = "irnflow.hang_up"
_RESET_AT_ONCE: Final = struct.pack("ii", 1, 0)  # SO_LINGER: on, for no time
_KEEP_ALIVE_S: Final = 75  # longer than clients keep idle connections, or their next call meets a closed one


async def main(settings: Settings, *, tell: Callable[[str], object]) -> None:
    """Serve until cancelled; `tell` prints what a client needs, secrets and all. Raises BadInput."""
    port = settings.port_of(NAME)
    place = running(
        settings.sandbox_dir,
        host=settings.host,
        port=port,
        any_check_digit=settings.accept_sandbox_gstins,
        clock_offset_s=settings.sandbox_clock_offset_s,
        tell=tell,
    )
    try:
        async with place:
            await asyncio.Event().wait()
    except OSError as cause:
        if cause.errno != errno.EADDRINUSE:
            raise
        raise BadInput(f"port {port} is taken; name another one in IRNFLOW_PORT_SANDBOX, or none") from cause


@contextlib.asynccontextmanager
async def running(
    folder: Path,
    *,
    host: str = "127.0.0.1",
    port: int = 0,
    any_check_digit: bool = False,
    clock: Callable[[], datetime] = lambda: datetime.now(UTC),
    clock_offset_s: float = 0,
    random_bytes: Callable[[int], bytes] = os.urandom,
    tell: Callable[[str], object] = lambda text: None,
) -> AsyncIterator[str]:
    """The sandbox of `folder`, serving; gives its base URL, which is NIC1's."""
    identity = open_identity(folder, now=clock(), random_bytes=random_bytes)
    taxpayers = read_taxpayers(folder / "taxpayers.json", any_check_digit=any_check_digit)
    with contextlib.closing(Register(folder / "register.sqlite")) as register:
        sandbox = Sandbox(
            identity=identity, register=register, taxpayers=taxpayers, random_bytes=random_bytes,
            clock_offset_s=clock_offset_s,
        )  # fmt: skip
        async with serving(
            app_of(sandbox, clock=clock), host=host, port=port, http=_HangingUp, timeout_keep_alive=_KEEP_ALIVE_S
        ) as open_port:
            address = f"http://{host}:{open_port}"
            logger(NAME).info("serving", address=address, folder=str(folder))
            tell(introduction(identity, address=address, folder=folder))
            yield address


def app_of(sandbox: Sandbox, *, clock: Callable[[], datetime]) -> Starlette:
    """The HTTP side of a sandbox."""
    commits = _Commits(sandbox.register)
    desk = desk_of(sandbox, durable=commits.durable, clock=clock)
    return Starlette(
        routes=[
            *probes(NAME, dict),
            Route("/sandbox/{path:path}", desk),
            Mount("/", app=_Portal(sandbox, commits, clock)),
        ]
    )


class _Commits:
    """One commit for all the requests that were handled in the same turn of the loop."""

    def __init__(self, register: Register) -> None:
        self._register = register
        self._next: asyncio.Future[None] | None = None

    async def durable(self) -> None:
        """Returns when everything written so far lasts. Raises sqlite3.Error when it cannot; then all is undone."""
        if not self._register.has_uncommitted:
            return
        if self._next is None:
            loop = asyncio.get_running_loop()
            self._next = loop.create_future()
            loop.call_soon(self._commit, self._next)
        await asyncio.shield(self._next)

    def _commit(self, done: asyncio.Future[None]) -> None:
        self._next = None
        try:
            self._register.commit()
        except sqlite3.Error as cause:
            done.set_exception(cause)
        else:
            done.set_result(None)


class _Portal:
    """The portal's paths."""

    def __init__(self, sandbox: Sandbox, commits: _Commits, clock: Callable[[], datetime]) -> None:
        self._sandbox = sandbox
        self._commits = commits
        self._clock = clock

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        with contextlib.suppress(ClientDisconnect):
            await self._send(await self._answer(Request(scope, receive)), scope, receive, send)

    async def _answer(self, request: Request) -> Answer:
        body = await _body_of(request)
        if body is None:
            return too_large()
        target = f"{request.url.path}?{request.url.query}"
        answer = self._sandbox.handle(request.method, target, request.headers, body, now=self._clock())
        await self._commits.durable()
        return answer

    async def _send(self, answer: Answer, scope: Scope, receive: Receive, send: Send) -> None:
        if answer.latency_s:
            await asyncio.sleep(answer.latency_s)
        if answer.lost:
            await _hang_up(scope, receive, reset=answer.reset)
        elif answer.bytes_promised is None:
            await Response(answer.body, answer.status, dict(answer.headers))(scope, receive, send)
        else:
            headers = dict(answer.headers) | {"content-length": str(answer.bytes_promised)}
            raw = [(name.encode(), value.encode()) for name, value in headers.items()]
            await send({"type": "http.response.start", "status": answer.status, "headers": raw})
            await send({"type": "http.response.body", "body": answer.body, "more_body": True})
            await _hang_up(scope, receive, reset=False)


async def _hang_up(scope: Scope, receive: Receive, *, reset: bool) -> None:
    scope["extensions"][_HANG_UP]["now"](reset)
    while (await receive())["type"] != "http.disconnect":
        pass


async def _body_of(request: Request) -> bytes | None:
    """None when it is longer than any call may be."""
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > BODY_BYTES_MAX:
            return None
    return bytes(body)


class _HangingUp(HttpToolsProtocol):
    """uvicorn's HTTP, with a way to close the connection without an answer, which ASGI has not."""

    def on_message_begin(self) -> None:
        super().on_message_begin()
        self.scope["extensions"] = {_HANG_UP: {"now": self._hang_up}}

    def _hang_up(self, reset: bool) -> None:
        if reset:
            self.transport.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET_AT_ONCE)
            self.transport.abort()
        else:
            self.transport.close()  # after what was written
