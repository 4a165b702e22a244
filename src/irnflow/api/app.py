"""The application that irn_service serves: API, its document, console, probes; every refusal as a problem."""

from collections.abc import Sequence
from pathlib import Path

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Mount, Route

from irnflow.api import console, problem
from irnflow.api.endpoint import routes
from irnflow.api.endpoints import Api
from irnflow.api.openapi import document
from irnflow.errors import Unavailable
from irnflow.store.accounts import Keys


def application(
    api: Api,
    keys: Keys,
    *,
    probes: Sequence[BaseRoute] = (),
    websocket_url: str = "",
    built_console: Path = console.BUILT,
) -> Starlette:
    """Everything at one port."""
    endpoints = api.endpoints()
    openapi = document(endpoints)

    async def describe(request: Request) -> Response:
        return Response(openapi, media_type="application/json")

    return Starlette(
        routes=[
            *probes,
            Mount("/api", routes=[Route("/openapi.json", describe), *routes(endpoints, keys, below="/api")]),
            *console.routes(built_console),
        ],
        middleware=[Middleware(console.Guarded, websocket_url=websocket_url)],
        exception_handlers={
            problem.Refused: problem.on_refused,
            HTTPException: problem.on_http,
            Unavailable: problem.on_unavailable,
            Exception: problem.on_defect,
        },
    )
