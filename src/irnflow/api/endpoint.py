"""An endpoint as one value, from which come its route, its checks and its page in the OpenAPI document.

Whoever handles it gets a `Call` whose parts have been read strictly; what is wrong with a request has been said
by then.
"""

import asyncio
import re
from collections import Counter
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import nullcontext
from http import HTTPStatus
from typing import Any, Final

import msgspec
from msgspec.structs import fields
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from irnflow.api.auth import account_of, check_origin
from irnflow.api.problem import Place, Refused
from irnflow.api.resources import WORDS, NoQuery
from irnflow.store.accounts import Account, Keys

BODY_BYTES_MAX: Final = 16 * 1024 * 1024  # 100,000 ids of 100 characters, and to spare
_LARGE_BYTES: Final = 1024 * 1024
_LARGE_AT_ONCE: Final = 2  # large bodies in memory: what bounds it
_BODY_S: Final = 60.0
_IDEMPOTENCY_KEY: Final = re.compile(r"[\x21-\x7e]{1,255}\Z")


class Raw(msgspec.Struct, frozen=True, kw_only=True):
    """A body that the endpoint reads by itself."""

    media_type: str
    content: bytes


class Call(msgspec.Struct, frozen=True, kw_only=True):
    """A request whose parts fit."""

    account: Account | None  # None: the endpoint is public
    path: Mapping[str, str]
    query: Any  # the endpoint's `query`
    body: Any  # the endpoint's `body`, or `Raw`
    idempotency_key: str | None
    request: Request


class Endpoint(msgspec.Struct, frozen=True, kw_only=True):
    """One method at one address."""

    method: str
    path: str
    name: str  # operationId
    says: str  # the summary
    handle: Callable[[Call], Awaitable[msgspec.Struct | Response]]
    gives: type[msgspec.Struct]
    status: HTTPStatus = HTTPStatus.OK
    query: type[msgspec.Struct] = NoQuery
    body: type[msgspec.Struct] | None = None
    raw: Mapping[str, Mapping[str, Any]] = {}  # instead of `body`: media types, each with the schema of its content
    idempotent: bool = False  # takes an Idempotency-Key
    public: bool = False
    problems: Sequence[str] = ()  # kinds of its own, beside those that follow from the rest


def routes(endpoints: Sequence[Endpoint], keys: Keys, *, below: str = "") -> list[Route]:
    """One route an address, relative to `below`, which takes the methods that its endpoints have."""
    large = asyncio.Semaphore(_LARGE_AT_ONCE)
    by_path: dict[str, dict[str, Endpoint]] = {}
    for endpoint in endpoints:
        by_path.setdefault(endpoint.path, {})[endpoint.method] = endpoint
    return [
        Route(path.removeprefix(below), _serve(methods, keys, large), methods=list(methods))
        for path, methods in by_path.items()
    ]


def _serve(
    methods: Mapping[str, Endpoint], keys: Keys, large: asyncio.Semaphore
) -> Callable[[Request], Awaitable[Response]]:
    async def serve(request: Request) -> Response:
        endpoint = methods["GET" if request.method == "HEAD" else request.method]
        if endpoint.public:
            check_origin(request)
            return await _answer(endpoint, None, request, large)
        return await _answer(endpoint, await account_of(request, keys), request, large)

    return serve


async def _answer(endpoint: Endpoint, account: Account | None, request: Request, large: asyncio.Semaphore) -> Response:
    async with large if (endpoint.body or endpoint.raw) and _is_large(request) else nullcontext():
        call = Call(
            account=account,
            path=request.path_params,
            query=_query(request, endpoint.query),
            idempotency_key=_idempotency_key(request) if endpoint.idempotent else None,
            body=await _body(request, endpoint),
            request=request,
        )
        given = await endpoint.handle(call)
    if isinstance(given, Response):
        return given
    return Response(msgspec.json.encode(given), endpoint.status, media_type="application/json")


def _is_large(request: Request) -> bool:
    """Whether a body may be large: it says so, or doesn't say."""
    length = request.headers.get("content-length", "")
    return not length.isdecimal() or int(length) > _LARGE_BYTES


def _query(request: Request, kind: type[msgspec.Struct]) -> Any:
    times = Counter(name for name, _ in request.query_params.multi_items())
    for name in (name for name in times if times[name] > 1):
        raise _bad_query(name, f"Give {name} once, not {times[name]} times.")
    try:
        query = msgspec.convert(dict(request.query_params), kind, strict=False)
    except msgspec.ValidationError as error:
        place = _place(error)
        raise _bad_query(place.pointer[1:], place.detail) from error
    for field in fields(kind):
        if field.encode_name in times and getattr(query, field.name) is None:  # ?state=null would be: of any state
            raise _bad_query(field.encode_name, f"Leave {field.encode_name} out, or give a value.")
    return query


def _bad_query(name: str, detail: str) -> Refused:
    return Refused("invalid-query", detail, [Place(pointer=f"?{name}", detail=detail)])


def _idempotency_key(request: Request) -> str | None:
    key = request.headers.get("idempotency-key")
    if key is not None and not _IDEMPOTENCY_KEY.match(key):
        raise Refused("invalid-header", "Idempotency-Key takes 1 to 255 visible ASCII characters.")
    return key


async def _body(request: Request, endpoint: Endpoint) -> Any:
    if not (endpoint.body or endpoint.raw):
        return None
    media_type = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    taken = endpoint.raw or ("application/json",)
    if media_type not in taken:
        kind = "media-type" if len(taken) > 1 else "not-json"
        raise Refused(kind, f"Send Content-Type: {' or '.join(taken)}, not {media_type or 'none'}.")
    if endpoint.body:
        return await _decoded(request, endpoint.body)
    return Raw(media_type=media_type, content=await _read(request))


async def _decoded(request: Request, kind: type[msgspec.Struct]) -> Any:
    try:
        return msgspec.json.decode(await _read(request), type=kind)
    except msgspec.ValidationError as error:
        place = _place(error)
        raise Refused("invalid-body", place.detail, [place]) from error
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise Refused("malformed-json", f"The body can't be read as JSON: {error}.") from error


async def _read(request: Request) -> bytes:
    """The body, refused as soon as it is too large: what more of it comes is never kept."""
    too_large = Refused("body-too-large", f"A body has at most {BODY_BYTES_MAX} bytes; send several.")
    length = request.headers.get("content-length", "")
    if length.isdecimal() and int(length) > BODY_BYTES_MAX:
        raise too_large
    body = bytearray()
    try:
        async with asyncio.timeout(_BODY_S):
            async for chunk in request.stream():
                body += chunk
                if len(body) > BODY_BYTES_MAX:
                    raise too_large
    except TimeoutError as error:
        raise Refused("slow-body", f"The body was not here after {_BODY_S:.0f} s.") from error
    return bytes(body)


def _place(error: msgspec.ValidationError) -> Place:
    """Where msgspec found the error, as a JSON pointer, and its words without code."""
    says, _, path = str(error).partition(" - at `")
    pointer = re.sub(r"\.([^.\[]+)|\[(\d+|\.\.\.)\]", r"/\1\2", path.removeprefix("$").removesuffix("`"))
    for pattern, words in WORDS.items():
        if repr(pattern) in says:
            says = f"Expected {words}"
    where = f" at {pointer}" if pointer else ""
    return Place(pointer=pointer, detail=f"{says.replace('`', '')}{where}.")
