"""One connection to RabbitMQ and its channels, on aiormq.

aiormq does what is seldom and delicate: transport, TLS, login, tuning, heartbeats, closing. The frames of our
channels are taken out of the stream before it sees them: it takes three reads, a queue and a task for each delivery.
What this leans on: `Connection(transport_factory=...)`, and that aiormq reads channel 0 from the reader it is given.
"""

import asyncio
import contextlib
import logging
from collections.abc import AsyncIterator, Callable
from typing import Any, Final, TypeVar

import pamqp.frame
from aiormq.connection import Connection, TransportFactory
from aiormq.exceptions import AMQPError, AuthenticationError, ConnectionNotAllowed, ProbableAuthenticationError
from pamqp import commands as spec
from pamqp.base import Frame
from pamqp.heartbeat import Heartbeat
from yarl import URL

from irnflow.bus import frames
from irnflow.errors import BadInput, Unavailable

CONNECT_S: Final = 20.0
REPLY_S: Final = 30.0  # the broker answers each question within milliseconds, but for a quorum queue without leader
# With wait_for: before Python 3.11.4 `asyncio.timeout` in a task that is being cancelled raises CancelledError.
GOODBYE_S: Final = 5.0  # then it is left without: what is unsettled goes back all the same
HEARTBEAT_S: Final = 20
_BLOCKED: Final = b"\x00\x0a\x00\x3c"  # connection.blocked
_UNBLOCKED: Final = b"\x00\x0a\x00\x3d"
C = TypeVar("C", bound="Channel")


class Wire:
    """A connection that is open. `lost` is done, with the reason, when it no longer is."""

    def __init__(self, connection: Connection, reader: "_Reader", writer: asyncio.StreamWriter) -> None:
        self.lost: asyncio.Future[str] = asyncio.get_running_loop().create_future()
        self.frame_bytes_max = int(connection.connection_tune.frame_max or 131072)
        self._reader = reader
        self._writer = writer
        connection.closing.add_done_callback(self._on_closing)

    @property
    def blocked(self) -> bool:
        """Whether the broker takes no publishes now, for want of memory or disk."""
        return self._reader.blocked

    def write(self, data: bytes) -> None:
        """Queue bytes for sending. Raises Unavailable when the connection is gone."""
        if self.lost.done() or self._writer.is_closing():
            raise Unavailable("the connection to the broker is gone")
        self._writer.write(data)

    async def drain(self) -> None:
        """Wait until the peer has taken most of what was written."""
        try:
            await self._writer.drain()
        except OSError as error:
            raise Unavailable(f"the connection to the broker is gone: {error}") from error

    @contextlib.asynccontextmanager
    async def channel(self, kind: Callable[["Wire", int], C]) -> AsyncIterator[C]:
        """An open channel of that class; what is unsettled goes back when the context ends."""
        number = next(n for n in range(1, 65536) if n not in self._reader.channels)
        channel = kind(self, number)
        self._reader.channels[number] = channel
        try:
            await channel.ask(spec.Channel.Open())
            yield channel
        finally:
            if await channel.close():
                self._reader.channels.pop(number, None)

    def _on_closing(self, closing: "asyncio.Future[Any]") -> None:
        reason = None if closing.cancelled() else closing.exception()
        if not self.lost.done():
            self.lost.set_result(str(reason or "closed"))
        for channel in list(self._reader.channels.values()):
            channel.lose(self.lost.result())


class Channel:
    """A channel as far as all have it in common: questions with one answer each, and its end."""

    def __init__(self, wire: Wire, number: int) -> None:
        self.wire = wire
        self.number = number
        self.gone: str | None = None  # why the channel can't be used any more
        self._closed = False  # by the broker
        self._reply: asyncio.Future[Frame] | None = None
        self._answers: list[str] = []  # names of the frames that answer the question asked last
        self._asking = asyncio.Lock()

    async def ask(self, question: Frame) -> Frame:
        """The broker's answer. Raises Unavailable: no answer, or it closed the channel over the question."""
        async with self._asking:
            if self.gone is not None:
                raise Unavailable(self.gone)
            self.wire.write(pamqp.frame.marshal(question, self.number))
            self._reply = asyncio.get_running_loop().create_future()
            self._answers = question.valid_responses
            try:
                async with asyncio.timeout(REPLY_S):
                    return await self._reply
            except TimeoutError as error:
                self.lose(f"no answer to {question.name} in {REPLY_S} s")
                raise Unavailable(self.gone or "") from error
            finally:
                self._reply = None

    async def close(self) -> bool:
        """Say good-bye, unless there is nobody to hear it; gives whether the number is free again."""
        try:
            if self.gone is None:
                await asyncio.wait_for(self.ask(spec.Channel.Close(200, "done", 0, 0)), GOODBYE_S)
        except (Unavailable, TimeoutError):
            return self._closed
        finally:
            self.lose("closed")
        return True

    def lose(self, reason: str) -> None:
        """It can't be used any more: whoever waits on it is told."""
        if self.gone is None:
            self.gone = reason
        if self._reply is not None and not self._reply.done():
            self._reply.set_exception(Unavailable(reason))

    def on_frame(self, kind: int, payload: bytes) -> None:
        """A frame that came for this channel."""
        if kind == frames.METHOD:
            self.on_method(payload)

    def on_method(self, payload: bytes) -> None:
        """A method that is none of the many."""
        frame = _method(payload)
        if isinstance(frame, spec.Channel.Close):
            with contextlib.suppress(Unavailable):
                self.wire.write(pamqp.frame.marshal(spec.Channel.CloseOk(), self.number))
            self._closed = True
            self.lose(f"{frame.reply_text} ({frame.reply_code})")
        elif isinstance(frame, spec.Basic.Cancel):
            self.lose("the broker has cancelled the consumer: its queue is gone or has no leader")
        elif self._reply is not None and not self._reply.done() and frame.name in self._answers:
            self._reply.set_result(frame)


@contextlib.asynccontextmanager
async def connected(url: str, name: str) -> AsyncIterator[Wire]:
    """A connection, closed with the context.

    Raises Unavailable when the broker can't be reached, BadInput when it knows neither the user nor the vhost, or the
    address is none.
    """
    factory = _Transport()
    logging.getLogger("aiormq").setLevel(logging.CRITICAL)  # what it says goes into our exceptions
    address = _address(url)
    ours = {"name": name, "heartbeat": str(HEARTBEAT_S)}
    connection = Connection(address.update_query(ours | dict(address.query)), transport_factory=factory)
    try:
        async with asyncio.timeout(CONNECT_S):
            await connection.connect()
    except (AuthenticationError, ProbableAuthenticationError, ConnectionNotAllowed) as error:
        raise BadInput(f"RabbitMQ refuses the user or the vhost of IRNFLOW_AMQP_URL: {error}") from error
    except (AMQPError, OSError, TimeoutError) as error:
        raise Unavailable(
            f"RabbitMQ can't be reached: {error or 'no answer'}. Start it, or correct IRNFLOW_AMQP_URL."
        ) from error
    try:
        yield Wire(connection, factory.reader, factory.writer)
    finally:
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(connection.close(), GOODBYE_S)
        factory.writer.transport.abort()


def _address(url: str) -> URL:
    with contextlib.suppress(ValueError):
        if (address := URL(url)).scheme in ("amqp", "amqps"):
            return address
    raise BadInput("IRNFLOW_AMQP_URL is no address of a RabbitMQ: amqp://USER:PASSWORD@HOST:5672/VHOST")


class _Transport(TransportFactory):
    """Gives aiormq the stream, and us both of its ends."""

    reader: "_Reader"
    writer: asyncio.StreamWriter

    async def create(self, url: URL, **kwargs: Any) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        loop = asyncio.get_running_loop()
        context = await kwargs["ssl_context_provider"].get_context() if url.scheme == "amqps" else None
        self.reader = _Reader(loop=loop)
        protocol = asyncio.StreamReaderProtocol(self.reader, loop=loop)
        transport, _ = await loop.create_connection(lambda: protocol, url.host or "", url.port or 0, ssl=context)
        self.writer = asyncio.StreamWriter(transport, protocol, self.reader, loop)
        return self.reader, self.writer


class _Reader(asyncio.StreamReader):
    """The stream as aiormq reads it: channel 0 alone. Frames of our channels go to them as soon as they come."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        super().__init__(loop=loop)
        self.channels: dict[int, Channel] = {}
        self.blocked = False
        self._rest = b""

    def feed_data(self, data: Any) -> None:
        data = self._rest + data if self._rest else data
        at, passing = 0, False
        while len(data) - at >= frames.ENVELOPE:
            kind, number, size = frames.head(data, at)
            if kind == 0x41:  # "AMQP...": it refuses our version of the protocol, and closes
                break
            end = at + frames.ENVELOPE + size
            if len(data) < end:
                break
            if number:
                self._pass(number, kind, data[at + 7 : end - 1])
                passing = True
            else:
                self._note(data[at + 7 : at + 11])
                super().feed_data(data[at:end])
            at = end
        self._rest = data[at:]
        if passing:  # aiormq closes a connection on which it hears nothing, and it doesn't hear these
            super().feed_data(_HEARTBEAT)

    def _pass(self, number: int, kind: int, payload: bytes) -> None:
        channel = self.channels.get(number)
        if channel is not None:
            channel.on_frame(kind, payload)

    def _note(self, method: bytes) -> None:
        if method in (_BLOCKED, _UNBLOCKED):
            self.blocked = method == _BLOCKED


_HEARTBEAT: Final = pamqp.frame.marshal(Heartbeat(), 0)


def _method(payload: bytes) -> Frame:
    """A method frame by its payload, in the words of pamqp."""
    frame: Frame = spec.INDEX_MAPPING[int.from_bytes(payload[:4], "big")]()
    frame.unmarshal(payload[4:])
    return frame
