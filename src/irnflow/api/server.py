"""Every service's HTTP side: probes and metrics, and the routes that some add to them."""

import asyncio
import contextlib
import socket
from collections.abc import AsyncIterator, Callable, Sequence
from typing import Any

import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute, Route

from irnflow import metrics

Ready = Callable[[], dict[str, str]]  # what is missing, by dependency: {} when ready


def probes(name: str, missing: Ready) -> list[BaseRoute]:
    """`/healthz` (the process runs), `/readyz` (all it needs answers), `/metrics`."""

    async def healthz(request: Request) -> Response:
        return JSONResponse({"service": name, "status": "alive"})

    async def readyz(request: Request) -> Response:
        lacks = missing()
        return JSONResponse({"service": name, "ready": not lacks, "missing": lacks}, status_code=503 if lacks else 200)

    async def exposition(request: Request) -> Response:
        return Response(metrics.exposition(), media_type="text/plain; version=0.0.4")

    return [Route("/healthz", healthz), Route("/readyz", readyz), Route("/metrics", exposition)]


@contextlib.asynccontextmanager
async def serving(
    routes: Sequence[BaseRoute] | Starlette, *, host: str, port: int, **options: Any
) -> AsyncIterator[int]:
    """Serve while the context is open; gives the port (a free one for 0). Raises OSError when it is taken.

    `options` are uvicorn's, where a server needs other ones.
    """
    app = routes if isinstance(routes, Starlette) else Starlette(routes=list(routes))
    listener = socket.create_server((host, port), backlog=1024)
    # asyncio sets it only on sockets that name their protocol; without it each answer waits 40 ms for an ack.
    listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    config = uvicorn.Config(app, log_config=None, access_log=False, lifespan="off", ws="websockets-sansio",
                            timeout_graceful_shutdown=2, **options)  # fmt: skip
    server = _Server(config)
    task = asyncio.create_task(server.serve(sockets=[listener]), name="http")
    try:
        yield listener.getsockname()[1]
    finally:
        server.should_exit = True
        await task
        listener.close()


class _Server(uvicorn.Server):
    """uvicorn without its signal handlers: whoever starts the service decides when it stops."""

    @contextlib.contextmanager
    def capture_signals(self):  # type: ignore[no-untyped-def]
        yield
