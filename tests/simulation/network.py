"""The way to the portal and back: what is sent travels by itself, and may arrive after its sender has died.

A call arrives at most `LATE_S` after its sender's deadline. On that rests how long registration waits before it asks
what became of a lost one; nothing here ever arrives later.

`Wire` knows everything, so it can tell what no service could: that a document is sent while an earlier call of it is
still on its way, or when the portal has it already, or before the store knows of it.
"""

import asyncio
import base64
from collections import Counter
from contextvars import ContextVar
from datetime import timedelta
from random import Random
from typing import TYPE_CHECKING, Final, NamedTuple
from urllib.parse import parse_qs, urlsplit

import msgspec

from irnflow.portal import client
from irnflow.portal.client import Answer, Credentials, Lost, NotSent, Reply, Request, Session
from irnflow.sandbox.codes import refused
from irnflow.sandbox.portal import Answer as Answered
from irnflow.sandbox.portal import Sandbox, irn_of
from irnflow.sandbox.protocol import declined
from irnflow.sandbox.switches import Failure, Order
from tests.simulation.ground import NOON
from tests.simulation.story import REFUSAL

if TYPE_CHECKING:
    from tests.simulation.process import Process
    from tests.simulation.world import World

DEADLINE_S: Final = 30.0
LATE_S: Final = 59.0
_QUICK_S: Final = 2.0  # one way, when all is well
# Codes of the portal that say "again, later", by call.
_TROUBLE: Final = {
    "auth": ("3020", "3043", "5001"),
    "generate": ("2146", "2147", "5001", "GEN5008"),
    "by_irn": ("5001", "GEN5008"),
    "by_document": ("5001", "GEN5008"),
    "rejected": ("5001", "GEN5008"),
}
_SENDING: ContextVar[str] = ContextVar("_SENDING", default="")  # the IRN that a task is about to send

_KNOWN: Final = """
    select r.state::text, r.sends,
           exists (select from irnflow.attempt a where a.irn = r.irn and a.send = r.sends and a.what = 'send'
                                                    and a.outcome = 'INTENT') as on_record,
           exists (select from irnflow.attempt a where a.irn = r.irn and a.digest = r.digest
                                                    and a.outcome = 'REJECTED') as refused_before,
           r.sends = 1
           or exists (select from irnflow.attempt a where a.irn = r.irn and a.send = r.sends - 1
                       and (a.attempt < r.attempt or a.what = 'send' and a.outcome = 'NOT_DONE'))
           or (select count(*) = 2 and bool_and(last.outcome = 'NOT_THERE')
                      and max(last.at) - min(last.at) >= interval '60 s'
                      and min(last.at) >= r.sent_before + interval '90 s'
                 from (select a.outcome, a.at from irnflow.attempt a
                        where a.irn = r.irn and a.send = r.sends - 1 and a.what = 'lookup'
                        order by a.at desc limit 2) last) as cleared
      from (select r.*, (select max(a.at) from irnflow.attempt a
                          where a.irn = r.irn and a.send = r.sends - 1 and a.outcome = 'INTENT') as sent_before
              from irnflow.registration r where r.irn = $1::text) r
"""


class Portal(client.Portal):
    """The client as it is, but that the wire hears which document it sends."""

    async def generate(self, credentials: Credentials, session: Session, payload: bytes) -> Answer:
        _SENDING.set(irn_of(msgspec.json.decode(payload)))
        return await super().generate(credentials, session, payload)


class Call(NamedTuple):
    """One call to register a document."""

    irn: str
    send: int  # which of this document's
    process: "Process"


class Wire:
    """Between all processes and one portal."""

    def __init__(self, world: "World", sandbox: Sandbox) -> None:
        self.world = world
        self.sandbox = sandbox
        self.ended: list[Call] = []  # of whose end its process knows
        self.travelling: Counter[str] = Counter()  # calls that may still arrive, by IRN

    def sends(self, process: "Process") -> client.Send:
        """The transport of a process."""

        async def send(request: Request) -> Reply:
            kind = kind_of(request)
            await process.point(f"before {kind}")
            if kind == "generate":
                call = Call(irn=_SENDING.get(), send=self._check(_SENDING.get()), process=process)
            try:
                reply = await self._carry(process, kind, request)
                await process.point(f"after {kind}")
            finally:
                if kind == "generate" and process.alive:
                    self.ended.append(call)
            return reply

        return send

    async def _carry(self, process: "Process", kind: str, request: Request) -> Reply:
        draw = process.draw
        fate = "refused" if self.world.away("portal") else self.world.trouble(self.world.faults.calls, draw)
        process.say(f"calls {kind} {_SENDING.get()[:8] if kind == 'generate' else ''} {fate or ''}".rstrip())
        if fate == "refused":
            raise NotSent("the connection was refused (simulated)")
        if fate == "reset":
            raise Lost("the connection broke (simulated)")
        answer: asyncio.Future[Reply] = asyncio.get_running_loop().create_future()
        self._depart(kind, request, fate, answer, draw)
        try:
            return await asyncio.wait_for(answer, DEADLINE_S)
        except TimeoutError:
            raise Lost("no answer in time (simulated)") from None

    def _depart(self, kind: str, request: Request, fate: str | None, answer: "asyncio.Future[Reply]",
                draw: Random) -> None:  # fmt: skip
        """Let the call travel, or come back at once, as its fate is."""
        loop = asyncio.get_running_loop()
        there_s, back_s = draw.uniform(0, _QUICK_S), draw.uniform(0, _QUICK_S)
        if fate == "late":
            there_s = draw.uniform(0, DEADLINE_S + LATE_S)
        if fate in ("limited", "forbidden") or (fate == "gateway" and draw.random() < 0.5):
            loop.call_later(there_s, _answered, answer, _turned_away(fate, draw))
            return
        if fate == "lost":
            return
        irn = _SENDING.get() if kind == "generate" else ""
        self.travelling[irn] += 1
        status = draw.choice((500, 502, 503, 504))
        loop.call_later(there_s, self._arrive, kind, request, irn, fate, answer, back_s, status, draw)

    def _arrive(self, kind: str, request: Request, irn: str, fate: str | None, answer: "asyncio.Future[Reply]",
                back_s: float, status: int, draw: Random) -> None:  # fmt: skip
        self.travelling[irn] -= 1
        if irn in self.world.refused:
            self.sandbox.obey(Order(fail_next=Failure(call="generate", code=REFUSAL)))
        if fate == "trouble" or self._is_lookup_away(kind):
            self.sandbox.obey(Order(fail_next=Failure(call=kind, code=draw.choice(_TROUBLE[kind]))))  # type: ignore[arg-type]
        said = self._unseen(request) or self.sandbox.call(
            request.method, request.path, request.headers, request.body, now=self.world.now()
        )
        self.world.trace.say("portal", f"{kind} {irn[:8]} {fate or ''} {said.status}")
        reply: Reply | None = Reply(status=said.status, headers=said.headers, body=said.body)
        match fate:
            case "silent":
                return
            case "cut":
                reply = None
            case "garbled":
                reply = Reply(status=200, headers={}, body=_garbled(said.body, draw))
            case "gateway":
                reply = Reply(status=status, headers={}, body=b"")
        asyncio.get_running_loop().call_later(back_s, _answered, answer, reply)

    def _is_lookup_away(self, kind: str) -> bool:
        return kind in ("by_irn", "by_document") and self.world.away("look-ups")

    def _unseen(self, request: Request) -> Answered | None:
        """What a look-up gets while the portal has registered the document, and doesn't show it yet."""
        url = urlsplit(request.path)
        asked = {name: values[0] for name, values in parse_qs(url.query).items()}
        lag = timedelta(seconds=self.world.faults.lag_s)
        for entry in self.sandbox.register.page():
            named = url.path.endswith(entry.irn) or entry.doc_no == asked.get("docnum", "").upper()
            if named and self.world.now() - entry.made_at < lag:
                return Answered(status=200, body=declined(refused("2148")))
        return None

    def _check(self, irn: str) -> int:
        """Whether this document may be sent now; gives which call of it that is."""
        if self.travelling[irn]:
            self.world.breach(f"{irn[:8]} is sent while an earlier call of it is still on its way")
        entry = self.sandbox.register.by_irn(irn)
        if entry and entry.made_at >= NOON:
            self.world.breach(f"{irn[:8]} is sent, and the portal has it already")
        known = self.world.store.ask(_KNOWN, irn)[0]
        if [known["state"], known["on_record"], known["refused_before"], known["cleared"]] != [
            "INTENT",
            True,
            False,
            True,
        ]:
            self.world.breach(f"{irn[:8]} is sent, and the store says of it: {known}")
        return int(known["sends"])


def kind_of(request: Request) -> str:
    """auth, generate, by_irn, by_document or rejected."""
    if request.path.endswith("/auth"):
        return "auth"
    if "/irn/" in request.path:
        return "by_irn"
    if "rejectedirns" in request.path:
        return "rejected"
    return "by_document" if "irnbydocdetails" in request.path else "generate"


def _turned_away(fate: str, draw: Random) -> Reply:
    """A gateway's answer, which the portal never heard of."""
    match fate:
        case "limited":
            headers = draw.choice(({}, {"retry-after": str(draw.randrange(1, 30))}))
            return Reply(status=429, headers=headers, body=b"")
        case "forbidden":
            return Reply(status=draw.choice((401, 403)), headers={}, body=b"")
    return Reply(status=draw.choice((500, 502, 503, 504)), headers={}, body=b"")


def _garbled(body: bytes, draw: Random) -> bytes:
    """An answer that can't be read."""
    return draw.choice(
        (
            b"",
            body[: draw.randrange(1, len(body))],
            b"<html><body>502 Bad Gateway</body></html>",
            b'{"Status":1,"Data":"' + base64.b64encode(draw.randbytes(64)) + b'"}',
            b'{"Status":1,"Data":"\xff"}',
            b'{"Status":0,"ErrorDetails":7}',
        )
    )


def _answered(answer: "asyncio.Future[Reply]", reply: Reply | None) -> None:
    """What comes back, if its caller still waits; None: the connection breaks."""
    if answer.done():
        return
    if reply is None:
        answer.set_exception(Lost("the connection broke (simulated)"))
    else:
        answer.set_result(reply)
