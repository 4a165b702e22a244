"""The built console: static files, and the headers that keep other pages out of it."""

from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

from starlette.datastructures import MutableHeaders
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import BaseRoute, Mount, Route
from starlette.staticfiles import StaticFiles
from starlette.types import ASGIApp, Message, Receive, Scope, Send

BUILT: Final = Path(__file__).parent.parent / "console"

NOT_BUILT: Final = (
    "irnflow runs, but its console is not built here.\n"
    "Start it with ./run, which builds the console, or see /api/openapi.json for the API.\n"
)


def routes(folder: Path = BUILT) -> list[BaseRoute]:
    """`/` and all that the built console is made of."""
    if not (folder / "index.html").is_file():
        return [Route("/", _not_built)]
    return [Mount("/", _Console(directory=folder, html=True))]


async def _not_built(request: Request) -> Response:
    return PlainTextResponse(NOT_BUILT, status_code=200)


class _Console(StaticFiles):
    """Addresses within the console are its page; what the bundler has named by content may be kept for ever."""

    async def get_response(self, path: str, scope: Scope) -> Response:
        try:
            response = await super().get_response(path, scope)
        except HTTPException as error:
            if error.status_code != 404 or "." in Path(path).name or path.startswith("api"):
                raise
            response = await super().get_response("index.html", scope)
        for_ever = path.startswith("assets")
        response.headers["cache-control"] = "public, max-age=31536000, immutable" if for_ever else "no-cache"
        return response


class Guarded:
    """An application whose every response tells browsers to trust nothing else."""

    def __init__(self, app: ASGIApp, *, websocket_url: str = "") -> None:
        self._app = app
        address = urlsplit(websocket_url)
        elsewhere = f" {address.scheme}://{address.netloc}" if websocket_url else ""
        # Mantine sets styles from script; no script of others ever runs, inline or not.
        self._headers = {
            "content-security-policy": (
                "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; "
                f"font-src 'self'; connect-src 'self'{elsewhere}; base-uri 'none'; form-action 'none'; "
                "frame-ancestors 'none'"
            ),
            "x-content-type-options": "nosniff",
            "referrer-policy": "no-referrer",
            "cross-origin-opener-policy": "same-origin",
            "cross-origin-resource-policy": "same-origin",
        }

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return

        async def guarded(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in self._headers.items():
                    headers[name] = value
                headers.setdefault("cache-control", "no-store")
            await send(message)

        await self._app(scope, receive, guarded)
