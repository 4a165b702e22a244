"""The desk beside the portal, for tests: `/sandbox/...`, with the token of sandbox.json, from loopback only.

GET  /sandbox/switches   how they stand
POST /sandbox/switches   `switches.Order`: what to change
POST /sandbox/clock      {"offset_s": n}: the portal's hour is the real one and n seconds
GET  /sandbox/register   counts, and entries by AckNo: ?after=ACK_NO&limit=N
POST /sandbox/reset      as at the first start
"""

import hmac
from collections.abc import Awaitable, Callable
from typing import Annotated, Any, Final

import msgspec
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route
from starlette.types import ASGIApp, Receive, Scope, Send

from irnflow.sandbox.portal import Sandbox
from irnflow.sandbox.register import Entry
from irnflow.sandbox.switches import Order

_LOOPBACK: Final = {"127.0.0.1", "::1"}
_PAGE_MAX: Final = 10_000
_CENTURY_S: Final = 3_155_760_000


class Clock(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The body of `POST /sandbox/clock`."""

    offset_s: Annotated[float, msgspec.Meta(ge=-_CENTURY_S, le=_CENTURY_S)]


class Page(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The query of `GET /sandbox/register`."""

    after: Annotated[int, msgspec.Meta(ge=0)] = 0  # an AckNo
    limit: Annotated[int, msgspec.Meta(ge=0, le=_PAGE_MAX)] = 1000


def desk_of(sandbox: Sandbox, *, durable: Callable[[], Awaitable[None]]) -> ASGIApp:
    """The desk, guarded; `durable` returns when what was written lasts."""

    async def show_switches(request: Request) -> Response:
        return _json(sandbox.switches.state)

    async def turn_switches(request: Request) -> Response:
        sandbox.obey(msgspec.json.decode(await request.body(), type=Order))
        return _json(sandbox.switches.state)

    async def move_clock(request: Request) -> Response:
        sandbox.switches.move_clock(msgspec.json.decode(await request.body(), type=Clock).offset_s)
        return _json(sandbox.switches.state)

    async def show_register(request: Request) -> Response:
        page = msgspec.convert(dict(request.query_params), Page, strict=False)
        await durable()
        entries = sandbox.register.page(after=page.after, limit=page.limit)
        return _json(_counts(sandbox) | {"items": [_item(entry) for entry in entries]})

    async def reset(request: Request) -> Response:
        sandbox.reset()
        await durable()
        return _json(_counts(sandbox))

    routes = [
        Route("/sandbox/switches", show_switches, methods=["GET"]),
        Route("/sandbox/switches", turn_switches, methods=["POST"]),
        Route("/sandbox/clock", move_clock, methods=["POST"]),
        Route("/sandbox/register", show_register, methods=["GET"]),
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


def _counts(sandbox: Sandbox) -> dict[str, Any]:
    """Of IRNs, from the register; of calls by kind and refusals by code, since the start."""
    return {"counts": sandbox.register.counts(), "calls": sandbox.calls, "refusals": sandbox.refusals}


def _item(entry: Entry) -> dict[str, Any]:
    item = msgspec.structs.asdict(entry) | {"status": entry.status}
    return {name: value for name, value in item.items() if not name.startswith("signed_")}


def _json(value: object, status: int = 200) -> Response:
    return Response(msgspec.json.encode(value), status, media_type="application/json")
