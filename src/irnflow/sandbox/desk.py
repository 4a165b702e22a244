"""The desk beside the portal, for tests: `/sandbox/...`, with the token of sandbox.json, from loopback only.

GET  /sandbox/switches    how they stand
POST /sandbox/switches    `switches.Order`: what to change
GET  /sandbox/clock       the portal's hour
POST /sandbox/clock       {"offset_s": n}, {"advance_s": n} or {"at": "2026-11-22T10:00:00+05:30"}: move it
GET  /sandbox/register    counts, and entries by AckNo: ?after=ACK_NO&limit=N
GET  /sandbox/eway_bills  e-way bills by number: ?after=EWB_NO&limit=N
POST /sandbox/signing_key {"publish": true}: sign with a new key, whose certificate clients have at once, or not
POST /sandbox/reset       as at the first start
"""

import hmac
from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta
from typing import Annotated, Any, Final

import msgspec
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route
from starlette.types import ASGIApp, Receive, Scope, Send

from irnflow.sandbox.portal import Sandbox
from irnflow.sandbox.protocol import IST
from irnflow.sandbox.register import Entry, EwayBill
from irnflow.sandbox.switches import Order

_LOOPBACK: Final = {"127.0.0.1", "::1"}
_PAGE_MAX: Final = 10_000
_CENTURY_S: Final = 3_155_760_000


class Clock(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The body of `POST /sandbox/clock`: one of the three."""

    offset_s: Annotated[float, msgspec.Meta(ge=-_CENTURY_S, le=_CENTURY_S)] | None = None  # from the real hour
    advance_s: Annotated[float, msgspec.Meta(ge=-_CENTURY_S, le=_CENTURY_S)] | None = None  # from where it stands
    at: Annotated[datetime, msgspec.Meta(tz=True)] | None = None  # from now on it goes on from there

    def offset_from(self, real: datetime, offset_s: float) -> float:
        """Seconds from the real hour. Raises ValidationError unless one of the three is given."""
        match (self.offset_s, self.advance_s, self.at):
            case (float() as offset, None, None):
                return offset
            case (None, float() as step, None):
                return offset_s + step
            case (None, None, datetime() as at):
                return (at - real).total_seconds()
        raise msgspec.ValidationError("give one of offset_s, advance_s and at")


class Rotation(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The body of `POST /sandbox/signing_key`."""

    publish: bool = True  # False: its certificate waits in `unpublished/` until somebody moves it to `signing_keys/`


class Page(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The query of `GET /sandbox/register` and `GET /sandbox/eway_bills`."""

    after: Annotated[int, msgspec.Meta(ge=0)] = 0  # an AckNo, or the number of an e-way bill
    limit: Annotated[int, msgspec.Meta(ge=0, le=_PAGE_MAX)] = 1000


def desk_of(
    sandbox: Sandbox, *, durable: Callable[[], Awaitable[None]], clock: Callable[[], datetime]
) -> ASGIApp:  # fmt: skip
    """The desk, guarded; `durable` returns when what was written lasts, `clock` tells the real hour."""

    async def show_switches(request: Request) -> Response:
        return _json(sandbox.switches.state)

    async def turn_switches(request: Request) -> Response:
        sandbox.obey(msgspec.json.decode(await request.body(), type=Order))
        return _json(sandbox.switches.state)

    async def show_clock(request: Request) -> Response:
        return _json(_hour(sandbox, clock()))

    async def move_clock(request: Request) -> Response:
        order = msgspec.json.decode(await request.body(), type=Clock)
        real = clock()
        sandbox.switches.move_clock(order.offset_from(real, sandbox.switches.state.clock_offset_s))
        return _json(_hour(sandbox, real))

    async def show_register(request: Request) -> Response:
        page = msgspec.convert(dict(request.query_params), Page, strict=False)
        await durable()
        entries = sandbox.register.page(after=page.after, limit=page.limit)
        return _json(_counts(sandbox) | {"items": [_item(entry) for entry in entries]})

    async def show_eway_bills(request: Request) -> Response:
        page = msgspec.convert(dict(request.query_params), Page, strict=False)
        await durable()
        return _json(
            {"items": [_item(bill) for bill in sandbox.register.bill_page(after=page.after, limit=page.limit)]}
        )

    async def rotate_signing_key(request: Request) -> Response:
        order = msgspec.json.decode(await request.body(), type=Rotation)
        return _json({"kid": sandbox.rotate_signing_key(publish=order.publish, now=clock())})

    async def reset(request: Request) -> Response:
        sandbox.reset()
        await durable()
        return _json(_counts(sandbox))

    routes = [
        Route("/sandbox/switches", show_switches, methods=["GET"]),
        Route("/sandbox/switches", turn_switches, methods=["POST"]),
        Route("/sandbox/clock", show_clock, methods=["GET"]),
        Route("/sandbox/clock", move_clock, methods=["POST"]),
        Route("/sandbox/register", show_register, methods=["GET"]),
        Route("/sandbox/eway_bills", show_eway_bills, methods=["GET"]),
        Route("/sandbox/signing_key", rotate_signing_key, methods=["POST"]),
        Route("/sandbox/reset", reset, methods=["POST"]),
    ]
    app = Starlette(routes=routes, exception_handlers={msgspec.MsgspecError: _explain})
    return _Guard(app, token=sandbox.identity.credentials.switches_token)


class _Guard:
    """Lets in who comes from this machine and has the token."""

    def __init__(self, app: ASGIApp, *, token: str) -> None:
        self._app = app
        self._authorization = f"Bearer {token}".encode()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await self._door(Request(scope))(scope, receive, send)

    def _door(self, request: Request) -> ASGIApp:
        if not request.client or request.client.host not in _LOOPBACK:
            return _json({"detail": "the desk of the sandbox answers on loopback only"}, 403)
        if not hmac.compare_digest(request.headers.get("authorization", "").encode(), self._authorization):
            return _json({"detail": "send Authorization: Bearer and the switches_token of sandbox.json"}, 401)
        return self._app


async def _explain(request: Request, error: Exception) -> Response:
    return _json({"detail": f"the request is wrong: {error}"}, 400)


def _hour(sandbox: Sandbox, real: datetime) -> dict[str, Any]:
    offset_s = sandbox.switches.state.clock_offset_s
    return {"clock_offset_s": offset_s, "now": (real + timedelta(seconds=offset_s)).astimezone(IST)}


def _counts(sandbox: Sandbox) -> dict[str, Any]:
    """Of IRNs, from the register; of calls by kind and refusals by code, since the start."""
    return {
        "counts": sandbox.register.counts(),
        "calls": sandbox.calls,
        "calls_at": sandbox.calls_at,
        "refusals": sandbox.refusals,
        "errors": sandbox.errors,
    }


def _item(value: Entry | EwayBill) -> dict[str, Any]:
    item = msgspec.structs.asdict(value) | {"status": value.status}
    return {name: told for name, told in item.items() if not name.startswith("signed_")}


def _json(value: object, status: int = 200) -> Response:
    return Response(msgspec.json.encode(value), status, media_type="application/json")
