"""A request comes in: which call it is, whether a switch spoils it, who answers, how its answer goes out."""

import re
from collections import Counter
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from typing import Final
from urllib.parse import parse_qs, urlsplit

import msgspec

from irnflow.sandbox.codes import Refused, refused
from irnflow.sandbox.identity import Identity, rotated
from irnflow.sandbox.portal import eway_bills, gstins, invoices, login
from irnflow.sandbox.portal.exchange import JSON, Answer, Request
from irnflow.sandbox.portal.office import Office
from irnflow.sandbox.protocol import declined, garbled, to_json
from irnflow.sandbox.register import PORTALS, PortalName, Register
from irnflow.sandbox.switches import Failure, Order, Switches
from irnflow.sandbox.taxpayers import Taxpayers

Handler = Callable[[Office, Request], bytes]

_CALLS: Final[tuple[tuple[str, str, re.Pattern[str], Handler], ...]] = tuple(
    (kind, method, re.compile(path, re.IGNORECASE), handler)
    for kind, method, path, handler in (
        ("auth", "POST", r"/eivital/v1\.04/auth", login.log_in),
        ("generate", "POST", r"/eicore/v1\.03/Invoice", invoices.generate),
        ("cancel", "POST", r"/eicore/v1\.03/Invoice/Cancel|/api/Cancel", invoices.cancel),
        ("by_irn", "GET", r"/eicore/v1\.03/Invoice/irn/(?P<irn>[^/]+)", invoices.by_irn),
        ("by_document", "GET", r"/eicore/v1\.03/Invoice/irnbydocdetails", invoices.by_document),
        ("rejected", "GET", r"(/api/invoice|/eicore/v1\.03/Invoice)/rejectedirns", invoices.rejected),
        ("eway_bill", "POST", r"/eiewb/v1\.03/ewaybill", eway_bills.make),
        ("eway_bill_by_irn", "GET", r"/eiewb/v1\.03/ewaybill/irn/(?P<irn>[^/]+)", eway_bills.by_irn),
        ("cancel_eway_bill", "POST", r"/ewaybillapi/v1\.03/ewayapi/?", eway_bills.cancel),
        ("gstin", "GET", r"/eivital/v(?P<version>1\.0[34])/Master/gstin/(?P<gstin>[^/]+)", gstins.details),
        ("sync_gstin", "GET", r"/eivital/v1\.04/Master/syncgstin/(?P<gstin>[^/]+)", gstins.sync),
    )
)
_DROPPABLE: Final = {"generate", "cancel", "eway_bill", "cancel_eway_bill"}  # calls that do something
_GATEWAY_PAGE: Final = (
    b"<html>\r\n<head><title>%d</title></head>\r\n<body>\r\n<center><h1>%d</h1></center>\r\n</body>\r\n</html>\r\n"
)


class Sandbox:
    """Two portals with one register, one set of sessions and switches."""

    def __init__(
        self,
        *,
        identity: Identity,
        register: Register,
        taxpayers: Taxpayers,
        random_bytes: Callable[[int], bytes],
        clock_offset_s: float = 0,
    ) -> None:
        self.register = register
        self.refusals: Counter[str] = Counter()  # by code, since the start
        self.calls_at: dict[PortalName, Counter[str]] = {name: Counter() for name in PORTALS}  # by kind
        self._office = Office(
            identity=identity, register=register, taxpayers=taxpayers, random_bytes=random_bytes,
            clock_offset_s=clock_offset_s,
        )  # fmt: skip

    @property
    def identity(self) -> Identity:
        return self._office.identity

    @property
    def switches(self) -> Switches:
        return self._office.switches

    @property
    def calls(self) -> Counter[str]:
        """By kind, at both portals, since the start."""
        return self.calls_at["NIC1"] + self.calls_at["NIC2"]

    @property
    def errors(self) -> dict[str, int]:
        """By GSTIN, as counted towards its blocking."""
        return self._office.blocking.errors()

    def call(self, method: str, target: str, headers: Mapping[str, str], body: bytes = b"", *, now: datetime) -> Answer:
        """Answer one request, committed. `target` is the path with its query."""
        answer = self.handle(method, target, headers, body, now=now)
        self.register.commit()
        return answer

    def handle(self, method: str, target: str, headers: Mapping[str, str], body: bytes, *, now: datetime) -> Answer:
        """Answer one request; the answer may be told only after `register.commit()`."""
        url = urlsplit(target)
        portal, path = _portal_and_path(url.path)
        found = _call_of(method, path)
        if not found:
            return Answer(status=404, body=to_json({"message": f"no such call of the portal: {method} {url.path}"}))
        kind, handler, parts = found
        request = Request(
            kind=kind,
            portal=portal,
            path=parts,
            query={name.lower(): values for name, values in parse_qs(url.query).items()},
            headers={name.lower().replace("-", "_"): value for name, value in headers.items()},
            body=body,
            now=now + timedelta(seconds=self.switches.state.clock_offset_s),
        )
        self.calls_at[portal][kind] += 1
        self._office.settle_contested(request)
        return self._limited(request) or self._answered(handler, request)

    def obey(self, order: Order) -> None:
        """Turn switches."""
        self.switches.obey(order)
        if order.revoke_tokens:
            self._office.sessions.revoke_all()

    def rotate_signing_key(self, *, publish: bool, now: datetime) -> str:
        """Sign with a new key from now on; gives its kid. `publish`: its certificate is there for clients at once."""
        self._office.identity = rotated(self._office.identity, publish=publish, now=now)
        return self.identity.signer.kid

    def reset(self) -> None:
        """As at the first start: nobody logged in, nothing registered, all switches back. Not committed yet."""
        self.register.clear()
        self._office.put_back()
        self._office.sessions.revoke_all()
        self.refusals.clear()
        for calls in self.calls_at.values():
            calls.clear()

    # -- answering ---------------------------------------------------------------------------------------------------

    def _limited(self, request: Request) -> Answer | None:
        wait_s = self.switches.retry_after_s(request.header("gstin"), request.now)
        if not wait_s:
            return None
        return Answer(
            status=429, headers=JSON | {"retry-after": str(wait_s)}, body=to_json({"message": "Too many requests"})
        )

    def _answered(self, handler: Handler, request: Request) -> Answer:
        failure = self.switches.next_failure(request.kind, gstin=request.header("gstin"), portal=request.portal)
        latency_s = self.switches.latency_s(self._office.draw)
        if failure is None:
            answer = self._honest(handler, request)
        elif failure.is_done_first:
            forging = msgspec.structs.replace(request, forge=failure.forge)
            answer = self._spoilt(self._honest(handler, forging), failure)
        else:
            answer = self._undone(failure, request)
        delay_s = failure.delay_s if failure else 0
        return msgspec.structs.replace(answer, latency_s=latency_s + delay_s)

    def _honest(self, handler: Handler, request: Request) -> Answer:
        try:
            if self._office.is_blocked(request.header("gstin"), request.header("client_id"), now=request.now):
                raise refused(self._office.limits.blocked_code)
            body = handler(self._office, request)
        except Refused as refusal:
            self._count(refusal, request)
            return Answer(status=200, body=self._declined(refusal))
        lost = request.kind in _DROPPABLE and self.switches.drops_answer()
        return Answer(status=200, body=body, lost=lost)

    def _undone(self, failure: Failure, request: Request) -> Answer:
        """What the call meets with nothing done: a code of the portal counts as an error of the caller's."""
        if failure.http_status or failure.hang_up or failure.reset:
            return self._spoilt(Answer(status=200, body=b""), failure)
        refusal = refused(failure.code or "SYS_5001")
        self._count(refusal, request)
        return Answer(status=200, body=self._declined(refusal))

    def _spoilt(self, answer: Answer, failure: Failure) -> Answer:
        """The answer as the failure leaves it."""
        if failure.hang_up or failure.reset:
            return msgspec.structs.replace(answer, lost=True, reset=failure.reset)
        if failure.http_status:
            return _gateway_answer(failure.http_status, failure)
        if failure.code:
            return msgspec.structs.replace(answer, body=self._declined(refused(failure.code)))
        if failure.garble:
            return msgspec.structs.replace(answer, body=garbled(answer.body))
        if failure.cut:
            body = answer.body[: len(answer.body) // 2]
            return msgspec.structs.replace(answer, body=body, bytes_promised=len(answer.body))
        return answer

    def _declined(self, refusal: Refused) -> bytes:
        return declined(refusal, errors_as=self.switches.state.errors_as)

    def _count(self, refusal: Refused, request: Request) -> None:
        self.refusals.update(each["ErrorCode"] for each in refusal.errors)
        self._office.blocking.count(
            request.header("gstin"), request.header("client_id"), now=request.now, limits=self._office.limits
        )  # fmt: skip


def _portal_and_path(path: str) -> tuple[PortalName, str]:
    """`/NIC2/eicore/...` is a call to NIC2; without a name it is one to NIC1."""
    first, _, rest = path.removeprefix("/").partition("/")
    for portal in PORTALS:
        if first.upper() == portal:
            return portal, f"/{rest}"
    return "NIC1", path


def _call_of(method: str, path: str) -> tuple[str, Handler, dict[str, str]] | None:
    for kind, wanted, pattern, handler in _CALLS:
        match = pattern.fullmatch(path)
        if match and method == wanted:
            return kind, handler, match.groupdict()
    return None


def _gateway_answer(status: int, failure: Failure) -> Answer:
    headers = dict(JSON)
    body = to_json({"message": "as the sandbox was told to"})
    if failure.html:
        headers, body = {"content-type": "text/html"}, _GATEWAY_PAGE % (status, status)
    if failure.retry_after_s is not None:
        headers["retry-after"] = str(failure.retry_after_s)
    return Answer(status=status, headers=headers, body=body)


def too_large() -> Answer:
    """To a body that nobody reads to its end: over `protocol.BODY_BYTES_MAX`."""
    return Answer(status=200, body=declined(refused("5002")))
