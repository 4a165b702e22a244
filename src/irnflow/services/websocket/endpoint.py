"""One client of /api/v1/ws: who it is, which batches it watches, and what it has seen of each.

A browser signs in with the console's cookie, which counts only when the page is of this host: a page elsewhere
could use a visitor's cookie. Everybody else says `auth` with a key in the first frame.
"""

import asyncio
from typing import Any, Final
from urllib.parse import urlsplit

import msgspec
from starlette.datastructures import Headers
from starlette.routing import WebSocketRoute
from starlette.websockets import WebSocket, WebSocketDisconnect

from irnflow.services.websocket import frames
from irnflow.services.websocket.feed import Channel, Feed, patiently
from irnflow.services.websocket.frames import CLOSE_SIGN_IN, Auth, Error, Subscribe, Unsubscribe
from irnflow.store.accounts import Keys

PATH: Final = "/api/v1/ws"
COOKIE: Final = "irnflow_session"
SIGN_IN_S: Final = 10.0  # so long a client may take to say who it is
CHECK_S: Final = 30.0  # so long a key that was revoked goes on seeing
WATCHED_MOST: Final = 100  # batches of one client
# For the server: nobody has much to say to us, and a shared frame is not compressed for each client anew.
LIMITS: Final[dict[str, Any]] = {"ws_max_size": 16 * 1024, "ws_per_message_deflate": False}


class Endpoint:
    """Where clients come in."""

    def __init__(self, feed: Feed, keys: Keys, *, console_port: int, check_s: float = CHECK_S) -> None:
        self._feed = feed
        self._keys = keys
        self._console_port = console_port
        self._check_s = check_s
        self.route = WebSocketRoute(PATH, self.serve)

    async def serve(self, socket: WebSocket) -> None:
        """Speak with one client until it goes, or its key is no longer good."""
        await socket.accept()
        try:
            key = self._cookie(socket) or await _first_word(socket)
            account = await patiently(lambda: self._keys.account(key))
            if account is None:
                raise _Stranger("This key is not known here, or no longer good.")
            client = Client(socket, self._feed, account.account_id)
            async with asyncio.TaskGroup() as tasks:
                tasks.create_task(client.hear())
                tasks.create_task(client.tell())
                tasks.create_task(self._watch(key))
        except* _Stranger as strangers:
            await socket.close(CLOSE_SIGN_IN, str(strangers.exceptions[0]))
        except* WebSocketDisconnect:
            pass

    def _cookie(self, socket: WebSocket) -> str:
        return socket.cookies.get(COOKIE, "") if is_ours(socket.headers, self._console_port) else ""

    async def _watch(self, key: str) -> None:
        """Ends the connection when its key is no longer good."""
        while await patiently(lambda: self._keys.account(key)):  # noqa: ASYNC110 (nobody tells us when it is revoked)
            await asyncio.sleep(self._check_s)
        raise _Stranger("This key is no longer good. Sign in again.")


class _Stranger(Exception):
    """A client without a good key; the text tells it what to do."""


async def _first_word(socket: WebSocket) -> str:
    try:
        said = frames.read(await asyncio.wait_for(socket.receive_text(), SIGN_IN_S))
    except (TimeoutError, msgspec.ValidationError, KeyError):
        said = None
    if isinstance(said, Auth):
        return said.key
    raise _Stranger('Sign in first: {"type": "auth", "key": ...}, or open the console.')


def is_ours(headers: Headers, console_port: int) -> bool:
    """Whether the page that connects is served by this host: by us, or by `irn_service` at its port (0: at any).

    Only browsers send an Origin, and they always do.
    """
    if "origin" not in headers:
        return True
    try:
        origin, host = urlsplit(headers["origin"]), urlsplit(f"//{headers.get('host', '')}")
        default = {"http": 80, "https": 443}[origin.scheme]
        ports = (host.port or default, console_port)
        return origin.hostname == host.hostname and (not console_port or (origin.port or default) in ports)
    except (KeyError, ValueError):  # "null", or no address at all
        return False


class Client:
    """The two directions of one connection."""

    def __init__(self, socket: WebSocket, feed: Feed, account_id: int) -> None:
        self._socket = socket
        self._feed = feed
        self._account_id = account_id
        self._stirred = asyncio.Event()
        self._seen: dict[
            Channel, int | None
        ] = {}  # the last seq told of each batch; None: the first frame is under way

    async def hear(self) -> None:
        """Do what the client says until it goes."""
        try:
            while True:
                try:
                    await self._answer(frames.read(await self._socket.receive_text()))
                except (msgspec.ValidationError, KeyError) as error:  # KeyError: a binary frame
                    await self._say(Error(detail=f"This frame can't be read: {error}"))
        finally:
            for channel in self._seen:
                self._feed.leave(channel, self._stirred)

    async def tell(self) -> None:
        """Send what is new, one frame of each batch in turn. A send waits while the client doesn't read."""
        while True:
            await self._stirred.wait()
            self._stirred.clear()
            for channel, seq in list(self._seen.items()):
                frame = None if seq is None else channel.after(seq)
                if frame is None:
                    continue
                self._stirred.set()  # there may be more
                await self._socket.send_text(frame.text)
                if self._seen.get(channel) == seq:  # and it was not subscribed anew meanwhile
                    self._seen[channel] = frame.seq

    async def _answer(self, said: frames.Said) -> None:
        match said:
            case Subscribe():
                await self._subscribe(said.batch_no, said.after)
            case Unsubscribe():
                self._unsubscribe(said.batch_no)
            case Auth():
                await self._say(Error(detail="You are signed in already."))

    async def _subscribe(self, batch_no: str, after: int) -> None:
        self._unsubscribe(batch_no)
        if len(self._seen) >= WATCHED_MOST:
            words = f"One connection watches at most {WATCHED_MOST} batches; unsubscribe from some."
            await self._say(Error(batch_no=batch_no, detail=words))
            return
        channel = await self._feed.join(self._account_id, batch_no, self._stirred)
        if channel is None:
            await self._say(Error(batch_no=batch_no, detail=f"There is no batch {batch_no} in this account."))
            return
        self._seen[channel] = None
        frame = await self._feed.missed(channel, after) or channel.standing()
        await self._socket.send_text(frame.text)
        self._seen[channel] = frame.seq
        self._stirred.set()

    def _unsubscribe(self, batch_no: str) -> None:
        for channel in [channel for channel in self._seen if channel.batch_no == batch_no]:
            del self._seen[channel]
            self._feed.leave(channel, self._stirred)

    async def _say(self, error: Error) -> None:
        await self._socket.send_text(frames.encode(error))
