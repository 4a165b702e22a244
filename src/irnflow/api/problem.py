"""What the API says when it refuses: application/problem+json (RFC 9457), one row a kind of problem."""

from collections.abc import Mapping, Sequence
from http import HTTPStatus
from typing import Final, NamedTuple

import msgspec
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

MEDIA_TYPE: Final = "application/problem+json"
ERRORS_MOST: Final = 100  # places that one answer names


class Place(msgspec.Struct, frozen=True, kw_only=True):
    """One place in the request that is wrong."""

    pointer: str  # JSON pointer (RFC 6901) into the body; "" for the whole; "?name" for a query parameter
    detail: str


class Problem(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A refused request."""

    type: str  # "/problems/" and the kind: stable, for programs
    title: str
    status: int
    detail: str  # what, where, and what to do: for people
    errors: tuple[Place, ...] = ()  # the first hundred places


class Kind(NamedTuple):
    """A kind of problem."""

    status: HTTPStatus
    title: str


KINDS: Final[Mapping[str, Kind]] = {
    "malformed-json": Kind(HTTPStatus.BAD_REQUEST, "The body is not JSON"),
    "unauthenticated": Kind(HTTPStatus.UNAUTHORIZED, "Who is asking is not known"),
    "cross-site": Kind(HTTPStatus.FORBIDDEN, "The request comes from another site's page"),
    "not-found": Kind(HTTPStatus.NOT_FOUND, "There is nothing at this address"),
    "admin-only": Kind(HTTPStatus.FORBIDDEN, "Only an admin may do that"),
    "unknown-irn": Kind(HTTPStatus.NOT_FOUND, "There is no such document"),
    "unknown-batch": Kind(HTTPStatus.NOT_FOUND, "There is no such batch"),
    "unknown-transaction": Kind(HTTPStatus.NOT_FOUND, "There is no such transaction in the batch"),
    "unknown-code": Kind(HTTPStatus.NOT_FOUND, "No list we know has that code"),
    "unknown-gstin": Kind(HTTPStatus.NOT_FOUND, "The account has no such GSTIN"),
    "unknown-login": Kind(HTTPStatus.NOT_FOUND, "The GSTIN has no credentials for that portal"),
    "unknown-action": Kind(HTTPStatus.NOT_FOUND, "The account has no such action"),
    "nothing-to-retry": Kind(HTTPStatus.NOT_FOUND, "No open failure is meant"),
    "method-not-allowed": Kind(HTTPStatus.METHOD_NOT_ALLOWED, "This address does not take that method"),
    "slow-body": Kind(HTTPStatus.REQUEST_TIMEOUT, "The body took too long to arrive"),
    "not-registered": Kind(HTTPStatus.CONFLICT, "The portal has not registered it"),
    "cancelled": Kind(HTTPStatus.CONFLICT, "The IRN is cancelled"),
    "other-request": Kind(HTTPStatus.CONFLICT, "Something else is asked for it already"),
    "too-late": Kind(HTTPStatus.CONFLICT, "The portal's time for it is over"),
    "bill-active": Kind(HTTPStatus.CONFLICT, "It has an active e-way bill"),
    "bill-under-way": Kind(HTTPStatus.CONFLICT, "Its e-way bill is being made"),
    "no-bill": Kind(HTTPStatus.CONFLICT, "It has no active e-way bill"),
    "no-goods": Kind(HTTPStatus.CONFLICT, "Nothing of it travels"),
    "batch-no-taken": Kind(HTTPStatus.CONFLICT, "The batch number has other vouchers"),
    "gstin-of-another": Kind(HTTPStatus.CONFLICT, "The GSTIN belongs to another account"),
    "login-needed": Kind(HTTPStatus.CONFLICT, "The credentials are still needed"),
    "no-key": Kind(HTTPStatus.CONFLICT, "This server can seal no secrets"),
    "not-in-doubt": Kind(HTTPStatus.CONFLICT, "It is not in doubt"),
    "too-early": Kind(HTTPStatus.CONFLICT, "The portal still remembers: it is asked"),
    "document-differs": Kind(HTTPStatus.CONFLICT, "The signed document says something else than what was sent"),
    "idempotency-key-used": Kind(HTTPStatus.CONFLICT, "The Idempotency-Key was used for another request"),
    "body-too-large": Kind(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, "The body is too large"),
    "not-json": Kind(HTTPStatus.UNSUPPORTED_MEDIA_TYPE, "The body must be application/json"),
    "media-type": Kind(HTTPStatus.UNSUPPORTED_MEDIA_TYPE, "The body is of a type that this address does not take"),
    "invalid-body": Kind(HTTPStatus.UNPROCESSABLE_ENTITY, "The body does not fit"),
    "invalid-query": Kind(HTTPStatus.UNPROCESSABLE_ENTITY, "A query parameter does not fit"),
    "invalid-header": Kind(HTTPStatus.UNPROCESSABLE_ENTITY, "A header does not fit"),
    "unknown-portal": Kind(HTTPStatus.UNPROCESSABLE_ENTITY, "There is no such portal"),
    "portal-not-named": Kind(HTTPStatus.UNPROCESSABLE_ENTITY, "Which portal is not said"),
    "login-too-long": Kind(HTTPStatus.UNPROCESSABLE_ENTITY, "User name and password are too long together"),
    "bill-number": Kind(HTTPStatus.UNPROCESSABLE_ENTITY, "Of an e-way bill that was made its number is said"),
    "not-proved": Kind(HTTPStatus.UNPROCESSABLE_ENTITY, "The document does not prove that it is the portal's"),
    "duplicate-ids": Kind(HTTPStatus.UNPROCESSABLE_ENTITY, "Vouchers are named twice"),
    "unknown-books": Kind(HTTPStatus.UNPROCESSABLE_ENTITY, "The account has no such books"),
    "books-not-named": Kind(HTTPStatus.UNPROCESSABLE_ENTITY, "Which books is not said"),
    "books-not-ours": Kind(HTTPStatus.UNPROCESSABLE_ENTITY, "The books can't be written by irnflow"),
    "unreadable-file": Kind(HTTPStatus.UNPROCESSABLE_ENTITY, "The file can't be read"),
    "books-mixed": Kind(HTTPStatus.UNPROCESSABLE_ENTITY, "The failures are of several books"),
    "defect": Kind(HTTPStatus.INTERNAL_SERVER_ERROR, "irnflow has made a mistake"),
    "unavailable": Kind(HTTPStatus.SERVICE_UNAVAILABLE, "The store does not answer now"),
}


class Refused(Exception):
    """A request that is answered with a problem."""

    def __init__(self, kind: str, detail: str, errors: Sequence[Place] = ()) -> None:
        super().__init__(detail)
        status, title = KINDS[kind]
        self.problem = Problem(
            type=f"/problems/{kind}",
            title=title,
            status=status,
            detail=detail,
            errors=tuple(errors[:ERRORS_MOST]),
        )


def answer(refused: Refused, headers: Mapping[str, str] | None = None) -> Response:
    """The response that tells a problem."""
    problem = refused.problem
    if problem.status == HTTPStatus.UNAUTHORIZED:
        headers = {"WWW-Authenticate": "Bearer", **(headers or {})}  # RFC 9110, 11.6.1
    return Response(msgspec.json.encode(problem), problem.status, headers, MEDIA_TYPE)


async def on_refused(request: Request, error: Exception) -> Response:
    """Starlette's handler for `Refused`."""
    assert isinstance(error, Refused)
    return answer(error)


async def on_http(request: Request, error: Exception) -> Response:
    """Starlette's handler for what its router refuses: 404 and 405."""
    assert isinstance(error, HTTPException)
    if error.status_code == HTTPStatus.METHOD_NOT_ALLOWED:
        says = f"{request.url.path} takes {(error.headers or {}).get('Allow', 'other methods')}, not {request.method}."
        return answer(Refused("method-not-allowed", says), error.headers)
    return answer(
        Refused("not-found", f"{request.url.path} is no address of this API; /api/openapi.json has them all.")
    )


async def on_unavailable(request: Request, error: Exception) -> Response:
    """Starlette's handler for `Unavailable`: nothing was done; the client may simply ask again."""
    return answer(
        Refused("unavailable", "Nothing was done. Send the request again in some seconds."), {"Retry-After": "5"}
    )


async def on_defect(request: Request, error: Exception) -> Response:
    """Starlette's handler for all else; the log has the trace."""
    return answer(
        Refused("defect", "Nothing is known to be done. Tell the operator: the log of irn_service says more.")
    )
