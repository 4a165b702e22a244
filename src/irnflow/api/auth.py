"""Who asks: an API key in `Authorization: Bearer`, or the console's session cookie.

A browser sends the cookie with whatever page makes it ask; so what changes something must come from a page of ours.
SameSite=Strict is the first wall, the check of `Sec-Fetch-Site` and `Origin` the second.
"""

from datetime import timedelta
from typing import Final
from urllib.parse import urlsplit

from starlette.requests import HTTPConnection
from starlette.responses import Response

from irnflow.api.problem import Refused
from irnflow.store.accounts import Account, Keys

COOKIE: Final = "irnflow_session"
_SAFE: Final = ("GET", "HEAD", "OPTIONS")  # RFC 9110, 9.2.1
_SIGN_IN: Final = "Send `Authorization: Bearer KEY` with an API key, or open the console by its one-time link."


async def account_of(request: HTTPConnection, keys: Keys) -> Account:
    """The account that the request speaks for. Raises Refused when it speaks for none, or for another site."""
    scheme, _, key = request.headers.get("authorization", "").partition(" ")
    if scheme and scheme.lower() != "bearer":
        raise Refused("unauthenticated", _SIGN_IN)
    if not key:
        key = request.cookies.get(COOKIE, "")
        check_origin(request)
    account = await keys.account(key.strip()) if key else None
    if account is None:
        raise Refused("unauthenticated", _SIGN_IN)
    return account


def check_origin(request: HTTPConnection) -> None:
    """Raises Refused when a page of another site makes the browser ask for a change."""
    if request.scope["method"] in _SAFE or _is_ours(request):
        return
    raise Refused("cross-site", "A change must come from the console's own page; programs send an API key.")


def _is_ours(request: HTTPConnection) -> bool:
    # Fetch Metadata (W3C): the browser itself says from where; pages can't set it.
    site = request.headers.get("sec-fetch-site")
    if site is not None:
        return site in ("same-origin", "none")
    origin = request.headers.get("origin")
    return origin is None or urlsplit(origin).netloc == request.headers.get("host")


def set_cookie(response: Response, key: str, *, lifetime: timedelta, secure: bool) -> None:
    """Give the browser a session key that no script can read and no other site can use."""
    response.set_cookie(
        COOKIE,
        key,
        max_age=int(lifetime.total_seconds()),
        path="/",
        secure=secure,
        httponly=True,
        samesite="strict",
    )
