"""What is new in the batches that somebody watches, read from the tables and encoded once for all who watch.

Nobody has a queue of frames. A batch keeps its last deltas; each client knows the seq it has seen, and is given the
delta that goes on from there, or, when that is gone by now, a snapshot. So a client that is slow costs nothing.
"""

import asyncio
import contextlib
from collections import deque
from collections.abc import Awaitable, Callable
from typing import Final, NamedTuple, TypeVar

import asyncpg
from msgspec import Raw

from irnflow.errors import Unavailable
from irnflow.patience import until
from irnflow.services.websocket.frames import Delta, Snapshot, encode
from irnflow.store.database import Database, Row, queries

T = TypeVar("T")

# More than these, or longer ones, are told by a snapshot, after which a page asks for all rows.
EVENTS_MOST: Final = 5_000
EVENTS_CHARACTERS_MOST: Final = 900_000  # many clients take no frame of more than 1 MiB
KEPT_BYTES: Final = 4 * 1024 * 1024  # of the last deltas of a batch; at least one is kept
FRAME_GAP_S: Final = 0.1  # at most 10 frames a second a batch
POLL_S: Final = 1.0  # a notification may be lost with its connection
RETRY_S: Final = 0.5  # while PostgreSQL is away
NOTIFIED: Final = "irnflow_event"  # the channel that record_events tells

_SQL: Final = queries("events")


class Frame(NamedTuple):
    """What one client is told next."""

    seq: int  # the client has seen so much with it
    text: str


class Channel:
    """One batch that somebody watches."""

    def __init__(self, batch_no: str, row: Row) -> None:
        self.batch_id: int = row["batch_id"]
        self.batch_no = batch_no
        self.size: int = row["size"]
        self.seq: int = row["last_seq"]
        self.counts: str = row["counts"]
        self.watchers: set[asyncio.Event] = set()  # each is set when there is something to see
        self._deltas: deque[tuple[int, Frame]] = deque()  # by the seq they go on from
        self._kept_bytes = 0
        self._snapshot: Frame | None = None

    def after(self, seq: int) -> Frame | None:
        """The next frame for who has seen so much; None: there is nothing new."""
        if seq == self.seq:
            return None
        return next((frame for start, frame in self._deltas if start == seq), None) or self.standing()

    def move(self, row: Row) -> None:
        """Take in a row of `news`, and wake who watches."""
        start, self.seq, self.counts, self._snapshot = self.seq, row["last_seq"], row["counts"], None
        if row["events"] is not None and len(row["events"]) <= EVENTS_CHARACTERS_MOST:
            self._keep(start, delta(self.batch_no, start, self.seq, self.counts, row["events"]))
        for watcher in self.watchers:
            watcher.set()

    def standing(self) -> Frame:
        """A snapshot."""
        if self._snapshot is None:
            counts = Raw(self.counts.encode())
            snapshot = Snapshot(batch_no=self.batch_no, seq=self.seq, size=self.size, counts=counts)
            self._snapshot = Frame(self.seq, encode(snapshot))
        return self._snapshot

    def _keep(self, start: int, frame: Frame) -> None:
        self._deltas.append((start, frame))
        self._kept_bytes += len(frame.text)
        while self._kept_bytes > KEPT_BYTES and len(self._deltas) > 1:
            _, gone = self._deltas.popleft()
            self._kept_bytes -= len(gone.text)


def delta(batch_no: str, start: int, upto: int, counts: str, events: str) -> Frame:
    """The events after a seq and up to another, as a frame; the counts are those at its end."""
    frame = Delta(
        batch_no=batch_no, first=start + 1, seq=upto, counts=Raw(counts.encode()), events=Raw(events.encode())
    )
    return Frame(upto, encode(frame))


class Feed:
    """All batches that are watched on this node."""

    def __init__(self, store: Database) -> None:
        self.trouble: dict[str, str] = {}  # why nothing new can be read, by dependency
        self._store = store
        self._channels: dict[int, Channel] = {}
        self._stirred = asyncio.Event()

    async def join(self, account_id: int, batch_no: str, watcher: asyncio.Event) -> Channel | None:
        """Watch a batch of an account; None when it has none of this number."""
        rows = await patiently(lambda: self._store.fetch(_SQL["standing"], account_id, batch_no))
        if not rows:
            return None
        channel = self._channels.setdefault(rows[0]["batch_id"], Channel(batch_no, rows[0]))
        channel.watchers.add(watcher)
        return channel

    def leave(self, channel: Channel, watcher: asyncio.Event) -> None:
        channel.watchers.discard(watcher)
        if not channel.watchers:
            self._channels.pop(channel.batch_id, None)

    async def missed(self, channel: Channel, seq: int) -> Frame | None:
        """What happened since a seq, for who comes back; None when that is unknown here, or too much."""
        if not 0 < seq <= channel.seq <= seq + EVENTS_MOST:
            return None
        upto, counts = channel.seq, channel.counts  # it may move on while we read
        rows = await patiently(lambda: self._store.fetch(_SQL["events"], channel.batch_id, seq, upto))
        events = rows[0]["events"]
        return delta(channel.batch_no, seq, upto, counts, events) if len(events) <= EVENTS_CHARACTERS_MOST else None

    def stir(self, told: str) -> None:
        """Hear a notification of `record_events`: "batch:seq,batch:seq", or "*" for all."""
        if told == "*" or any(int(each.partition(":")[0]) in self._channels for each in told.split(",")):
            self._stirred.set()

    async def tail(self) -> None:
        """Read what is new, when notified and once a second, for ever."""
        while True:
            await until(self._stirred, POLL_S)
            self._stirred.clear()
            if await self._read():
                await asyncio.sleep(FRAME_GAP_S)

    async def _read(self) -> bool:
        """Move the channels on; tells whether any has moved."""
        seen = list(self._channels.values())
        ids, seqs = [channel.batch_id for channel in seen], [channel.seq for channel in seen]
        try:
            rows = await self._store.fetch(_SQL["news"], ids, seqs, EVENTS_MOST)
        except Unavailable as error:
            self.trouble = {"postgresql": str(error)}
            return False
        self.trouble = {}
        news = {row["batch_id"]: row for row in rows}
        for channel in seen:
            if row := news.get(channel.batch_id):
                channel.move(row)
        return bool(rows)


async def listen(url: str, feed: Feed) -> None:
    """Hand notifications to the feed, on a connection of its own, which is made anew for ever."""
    while True:
        with contextlib.suppress(OSError, asyncpg.PostgresError, asyncpg.InterfaceError, TimeoutError):
            await _listen(url, feed)
        await asyncio.sleep(RETRY_S)


async def _listen(url: str, feed: Feed) -> None:
    connection = await asyncpg.connect(url, timeout=10)
    gone = asyncio.Event()
    try:
        connection.add_termination_listener(lambda _: gone.set())
        await connection.add_listener(NOTIFIED, lambda *told: feed.stir(told[3]))
        await gone.wait()
    finally:
        connection.terminate()


async def patiently(ask: Callable[[], Awaitable[T]]) -> T:
    """The answer, however long PostgreSQL is away: a client sees nothing of it but the wait."""
    while True:
        try:
            return await ask()
        except Unavailable:
            await asyncio.sleep(RETRY_S)
