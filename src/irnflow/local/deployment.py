"""Everything on this machine with each service a process of its own, as in production: for bench and flow tests.

`irnflow up` has all services in one process; here each can be killed, and comes back by itself.
"""

import asyncio
import contextlib
import os
import signal
import sys
from collections.abc import AsyncIterator, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import aiohttp
import msgspec

from irnflow.local import demo, home, postgres, rabbitmq
from irnflow.local.child import Child, choose_port
from irnflow.settings import SERVICES, Settings, from_environment
from irnflow.store.migrate import migrate


class Deployment(msgspec.Struct, frozen=True, kw_only=True):
    """What runs, and how it is reached."""

    folder: Path
    broker: rabbitmq.Server
    store: postgres.Server
    settings: Settings
    key: str  # an API key of the sample account
    processes: Mapping[str, Child]  # by service, and the sandbox

    @property
    def api_url(self) -> str:
        return f"http://127.0.0.1:{self.settings.port_of('irn_service')}"

    @property
    def books_url(self) -> str:
        return demo.books_url(self.store.url)

    def kill(self, name: str) -> None:
        """kill -9 of one process, which then comes back by itself."""
        os.kill(self.processes[name].pid, signal.SIGKILL)

    def kill_broker(self) -> None:
        """kill -9 of RabbitMQ, which then comes back by itself."""
        os.killpg(self.broker.child.pid, signal.SIGKILL)

    def kill_store(self) -> None:
        """kill -9 of PostgreSQL with all its backends, which then comes back by itself."""
        os.killpg(self.store.child.pid, signal.SIGKILL)

    def end(self, name: str) -> None:
        """SIGTERM for one process, which then comes back by itself."""
        os.kill(self.processes[name].pid, signal.SIGTERM)

    async def link(self) -> str:
        """The console's address, good for once."""
        return home.link(self.settings.port_of("irn_service"), await demo.another_token(self.settings))

    def call(self) -> aiohttp.ClientSession:
        """A client of the API, authorised."""
        return aiohttp.ClientSession(self.api_url, headers={"Authorization": f"Bearer {self.key}"})


@contextlib.asynccontextmanager
async def running(
    folder: Path,
    *,
    durable: bool = True,
    environment: Mapping[str, str] = {},  # IRNFLOW_... beside ours
    instead: Mapping[str, Sequence[str]] = {},  # service -> another program, as arguments of Python
    copies: Mapping[str, int] = {},  # service -> how many processes; one where it says nothing
) -> AsyncIterator[Deployment]:
    """Start it all in `folder`, with the sample company loaded, and stop it all. Raises NotStarted."""
    async with contextlib.AsyncExitStack() as stack:
        broker, store = await _servers(stack, folder, durable=durable)
        await migrate(store.url)
        ports = {name: choose_port() for name in (*SERVICES, "sandbox")}
        common = {**_environment(folder, broker, store, ports), **environment}
        starter = _Starter(stack, folder, ports, common, broker, instead)
        sandbox = await starter.start("sandbox")
        settings = from_environment(common)
        key = (await demo.seed(settings, at=datetime.now(UTC))).key
        names = [name for service in SERVICES for name in _copies(service, copies.get(service, 1))]
        started = await asyncio.gather(*(starter.start(name) for name in names))
        yield Deployment(
            folder=folder,
            broker=broker,
            store=store,
            settings=settings,
            key=key,
            processes=dict(zip(names, started, strict=True)) | {"sandbox": sandbox},
        )


def _copies(service: str, n: int) -> list[str]:
    return [service, *(f"{service}.{copy}" for copy in range(2, n + 1))]


async def _servers(
    stack: contextlib.AsyncExitStack, folder: Path, *, durable: bool
) -> tuple[rabbitmq.Server, postgres.Server]:
    """Both at once: RabbitMQ takes its time."""
    broker = asyncio.create_task(_entered(stack, rabbitmq.running(folder / "rabbitmq", cache=home.cache())))
    store = await stack.enter_async_context(postgres.running(folder / "postgres", durable=durable))
    return await broker, store


async def _entered(stack: contextlib.AsyncExitStack, server: Any) -> Any:
    return await stack.enter_async_context(server)


def _environment(
    folder: Path, broker: rabbitmq.Server, store: postgres.Server, ports: Mapping[str, int]
) -> dict[str, str]:
    return {
        "PATH": os.environ.get("PATH", ""),
        "PYTHONPATH": os.environ.get("PYTHONPATH", ""),
        "IRNFLOW_DATA": str(folder),
        "IRNFLOW_DATABASE_URL": store.url,
        "IRNFLOW_AMQP_URL": broker.amqp_url,
        "IRNFLOW_MANAGEMENT_URL": broker.management_url,
        "IRNFLOW_PORTAL_URL": f"http://127.0.0.1:{ports['sandbox']}",
        "IRNFLOW_PORTAL_AUTH_KEY": "sandbox/auth_public.pem",
        "IRNFLOW_PORTAL_SIGNING_KEYS": "sandbox/signing_keys",
        "IRNFLOW_WEBSOCKET_URL": f"ws://127.0.0.1:{ports['websocket']}/api/v1/ws",
        demo.BOOKS_URL: demo.books_url(store.url),
    } | {f"IRNFLOW_PORT_{name.upper()}": str(port) for name, port in ports.items()}


class _Starter:
    """Starts one process after the other, each with the rights of its service."""

    def __init__(
        self,
        stack: contextlib.AsyncExitStack,
        folder: Path,
        ports: Mapping[str, int],
        environment: Mapping[str, str],
        broker: rabbitmq.Server,
        instead: Mapping[str, Sequence[str]],
    ) -> None:
        self._stack = stack
        self._folder = folder
        self._ports = ports
        self._environment = environment
        self._broker = broker
        self._instead = instead

    async def start(self, name: str) -> Child:
        """`name` is a service, or one of its further copies: "validation.2"."""
        service = name.partition(".")[0]
        port = self._ports[service] if name == service else choose_port()
        own = {f"IRNFLOW_PORT_{service.upper()}": str(port)}
        if service in self._broker.passwords:
            own["IRNFLOW_AMQP_URL"] = self._broker.amqp_url_of(service)
        child = Child(
            name,
            [sys.executable, *self._instead.get(service, ("-m", "irnflow", "serve", service, "--quiet"))],
            ready=lambda: _ready(port),
            output=self._folder / f"{name}.log",
            environment={**self._environment, **own},
            folder=Path.cwd(),
        )
        return await self._stack.enter_async_context(child)


async def _ready(port: int) -> bool:
    """Whether a service has all it needs."""
    try:
        async with (
            aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=2)) as client,
            client.get(f"http://127.0.0.1:{port}/readyz") as answer,
        ):
            return answer.status == 200
    except (aiohttp.ClientError, TimeoutError):
        return False
