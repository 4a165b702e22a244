"""The way to the portals and back: what is sent travels by itself, and may arrive after its sender has died.

A call arrives at most `LATE_S` after its sender's deadline. On that rests how long registration waits before it asks
what became of a lost one; nothing here ever arrives later.

`Wire` knows everything, so it can tell what no service could: that something is asked for while an earlier call for it
is still on its way, or when a portal has done it already, or before the store knows of it.
"""

import asyncio
import base64
from collections import Counter
from collections.abc import Mapping
from contextvars import ContextVar
from random import Random
from typing import TYPE_CHECKING, Any, Final, NamedTuple

import msgspec

from irnflow.portal import client
from irnflow.portal.client import Answer, Credentials, Lost, NotSent, Reply, Request, Session
from irnflow.sandbox.portal import Sandbox, irn_of
from irnflow.sandbox.switches import Failure, Order
from tests.simulation.ground import NOON
from tests.simulation.story import REFUSAL

if TYPE_CHECKING:
    from tests.simulation.process import Process
    from tests.simulation.world import World

DEADLINE_S: Final = 30.0
LATE_S: Final = 59.0
_QUICK_S: Final = 2.0  # one way, when all is well
# Codes of the portal that say "again, later", by call; of look-ups also those that decide nothing.
_UNDECIDED: Final = ("5001", "GEN5008", "2143", "2145", "2226")
_TROUBLE: Final = {
    "auth": ("3020", "3043", "5001"),
    "generate": ("2146", "2147", "5001", "GEN5008"),
    "by_irn": _UNDECIDED,
    "by_document": _UNDECIDED,
}
_TROUBLE_ELSEWHERE: Final = ("5001", "GEN5008")
_MISFIT: Final = ("3059", "1010")  # this address, this client id may not call
# What a task is about to ask for that must not be done twice: of which IRN, or which e-way bill.
_ASKING: ContextVar[str] = ContextVar("_ASKING", default="")
# Calls by what is in their paths, as the sandbox names them; the first that fits.
_KINDS: Final = {
    "/eivital/v1.04/auth": "auth",
    "/Invoice/Cancel": "cancel",
    "/Invoice/irnbydocdetails": "by_document",
    "/Invoice/irn/": "by_irn",
    "/rejectedirns": "rejected",
    "/eicore/v1.03/Invoice": "generate",
    "/ewaybill/irn/": "eway_bill_by_irn",
    "/ewayapi": "cancel_eway_bill",
    "/ewaybill": "eway_bill",
    "/syncgstin/": "sync_gstin",
    "/Master/gstin/": "gstin",
}
# Calls that do something, as the sandbox names them, and what they are in the ledger.
_DOING: Final = {
    "generate": "send",
    "cancel": "cancel",
    "eway_bill": "eway_bill",
    "cancel_eway_bill": "eway_bill_cancel",
}

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
_KNOWN_ACTION: Final = """
    select a.irn, a.state::text, a.sends,
           exists (select from irnflow.attempt t where t.irn = a.irn and t.send = a.sends and t.outcome = 'INTENT'
                                                   and t.what = lower(a.kind::text)) as on_record
      from irnflow.action a
     where lower(a.kind::text) = $1::text and (a.irn = $2::text or a.ewb_no = $2::text)
     order by a.action_id desc limit 1
"""


class Portal(client.Portal):
    """The client as it is, but that the wire hears what it asks for."""

    async def generate(self, credentials: Credentials, session: Session, payload: bytes) -> Answer:
        _ASKING.set(irn_of(msgspec.json.decode(payload)))
        return await super().generate(credentials, session, payload)

    async def cancel(self, credentials: Credentials, session: Session, *, irn: str, **why: Any) -> Answer:
        _ASKING.set(irn)
        return await super().cancel(credentials, session, irn=irn, **why)

    async def eway_bill(
        self, credentials: Credentials, session: Session, irn: str, details: Mapping[str, Any], **options: Any
    ) -> Answer:
        _ASKING.set(irn)
        return await super().eway_bill(credentials, session, irn, details, **options)

    async def cancel_eway_bill(self, credentials: Credentials, session: Session, *, ewb_no: str, **why: Any) -> Answer:
        _ASKING.set(ewb_no)
        return await super().cancel_eway_bill(credentials, session, ewb_no=ewb_no, **why)


class Call(NamedTuple):
    """One call that does something."""

    irn: str
    what: str  # in the ledger
    send: int  # which of its kind
    process: "Process"


class Wire:
    """Between all processes and the portals."""

    def __init__(self, world: "World", sandbox: Sandbox) -> None:
        self.world = world
        self.sandbox = sandbox
        self.ended: list[Call] = []  # of whose end its process knows
        self.travelling: Counter[str] = Counter()  # calls that may still arrive, by what they ask for

    def sends(self, process: "Process", portal: str) -> client.Send:
        """The transport of a process to one of the portals."""

        async def send(request: Request) -> Reply:
            kind = kind_of(request)
            await process.point(f"before {kind}")
            call = self._check(kind, _ASKING.get(), process) if kind in _DOING else None
            try:
                reply = await self._carry(process, portal, kind, request)
                await process.point(f"after {kind}")
            finally:
                if call and process.alive:
                    self.ended.append(call)
            return reply

        return send

    async def _carry(self, process: "Process", portal: str, kind: str, request: Request) -> Reply:
        draw, world = process.draw, self.world
        fate = (
            "refused" if world.away("portal") or world.away(portal) else world.trouble(world.faults.of_call(kind), draw)
        )
        asking = _ASKING.get()[:8] if kind in _DOING else ""
        process.say(" ".join(word for word in ("calls", portal, kind, asking, fate) if word))
        request = msgspec.structs.replace(request, path=f"/{portal}{request.path}")
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
        asking = _ASKING.get() if kind in _DOING else ""
        self.travelling[f"{kind} {asking}"] += 1
        status = draw.choice((500, 502, 503, 504))
        loop.call_later(there_s, self._arrive, kind, request, asking, fate, answer, back_s, status, draw)

    def _arrive(self, kind: str, request: Request, asking: str, fate: str | None, answer: "asyncio.Future[Reply]",
                back_s: float, status: int, draw: Random) -> None:  # fmt: skip
        self.travelling[f"{kind} {asking}"] -= 1
        if kind == "generate" and asking in self.world.refused:
            self._fail(kind, REFUSAL)
        if fate == "misfit":
            self._fail(kind, draw.choice(_MISFIT))
        if fate == "trouble" or self._is_lookup_away(kind):
            self._fail(kind, draw.choice(_TROUBLE.get(kind, _TROUBLE_ELSEWHERE)))
        said = self.sandbox.call(request.method, request.path, request.headers, request.body, now=self.world.now())
        self.sandbox.obey(Order(fail_next=None))  # who came too often met nothing else
        self.world.trace.say("portal", f"{kind} {asking[:8]} {fate or ''} {said.status}")
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

    def _fail(self, kind: str, code: str) -> None:
        self.sandbox.obey(Order(fail_next=Failure(call=kind, code=code)))  # type: ignore[arg-type]

    def _check(self, kind: str, asking: str, process: "Process") -> Call:
        """Whether this may be asked for now."""
        if self.travelling[f"{kind} {asking}"]:
            self.world.breach(f"{kind} {asking[:8]} is called while an earlier call of it is still on its way")
        if self._is_done(kind, asking):
            self.world.breach(f"{kind} {asking[:8]} is called, and the portal has done it already")
        if kind == "generate":
            known = self.world.store.ask(_KNOWN, asking)[0]
            sound = known["cleared"] and not known["refused_before"]
        else:
            known = self.world.store.ask(_KNOWN_ACTION, _DOING[kind], asking)[0]
            sound = True
        if [known["state"], known["on_record"], sound] != ["INTENT", True, True]:
            self.world.breach(f"{kind} {asking[:8]} is called, and the store says of it: {known}")
        return Call(irn=known.get("irn", asking), what=_DOING[kind], send=int(known["sends"]), process=process)

    def _is_done(self, kind: str, asking: str) -> bool:
        register = self.sandbox.register
        match kind:
            case "generate":
                return any(entry.made_at >= NOON and not entry.rejected_at for entry in register.all_of_irn(asking))
            case "cancel":
                return any(entry.status == "CNL" for entry in register.all_of_irn(asking))
            case "eway_bill":
                return register.active_bill_of(asking) is not None
        bill = register.bill(int(asking))
        return bill is not None and bill.status == "CNL"


def kind_of(request: Request) -> str:
    """The call, as the sandbox names it."""
    path = request.path.partition("?")[0]
    for part, kind in _KINDS.items():
        if part in path:
            return kind
    raise AssertionError(f"no call that we know: {path}")


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
