"""`irnflow up`: everything on this machine, with the sample company's vouchers on their way through it.

A private RabbitMQ and PostgreSQL (or those that IRNFLOW_AMQP_URL and IRNFLOW_DATABASE_URL name), the sandbox portal
as a process of its own, all services in this one. With IRNFLOW_PORTAL_URL there is no sandbox, and no sample either:
samples have no business at a portal of the government.
"""

import asyncio
import contextlib
import os
import sys
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

import aiohttp
import msgspec
from rich.console import Console
from rich.markup import escape

from irnflow import log
from irnflow.bus import rabbit, topology
from irnflow.errors import Unavailable
from irnflow.local import demo, home, postgres, private, rabbitmq, screen
from irnflow.local.child import Child, answers
from irnflow.local.services import kept_up, main_of
from irnflow.settings import SERVICES, Settings, from_environment
from irnflow.store import database
from irnflow.store.migrate import migrate

READY_S: Final = 60.0
_SERVERS: Final = {  # what we start unless the environment says where there is one
    "RabbitMQ": "IRNFLOW_AMQP_URL",
    "PostgreSQL": "IRNFLOW_DATABASE_URL",
    "the sandbox portal": "IRNFLOW_PORTAL_URL",
}
_PORTS: Final = (*SERVICES, "sandbox", "postgres", "rabbitmq", "management")


async def up(environment: Mapping[str, str], *, leave: bool) -> int:
    """Run until cancelled, or with `leave` until the samples are done: 0 when each fared as expected."""
    console = Console(highlight=False, width=None if sys.stdout.isatty() else 120)
    data = from_environment(environment).data.resolve()
    data.mkdir(parents=True, exist_ok=True)
    async with contextlib.AsyncExitStack() as stack:
        await _take(data, stack)
        stack.callback(console.print, f"Stopped. The data stay in {escape(str(data))}.", soft_wrap=True)
        log.set_up(file=stack.enter_context((data / "irnflow.log").open("a", buffering=1)))
        place = _Place(data, environment, stack)
        try:
            return await _run(place, console, leave=leave)
        finally:
            home.forget(data)
            console.print("Stopping ...")


async def _take(data: Path, stack: contextlib.AsyncExitStack) -> None:
    try:
        await stack.enter_async_context(private.taken(data))
    except private.Taken as taken:
        running = home.remembered(data)
        raise private.Taken(
            f"it is already running on {data} (process {running.get('IRNFLOW_UP_PID', '?')}, "
            f"console at {running.get('IRNFLOW_CONSOLE_URL', '?')}).\n"
            "Stop it with Ctrl-C where it runs, or give this one a data folder of its own: IRNFLOW_DATA=/some/folder"
        ) from taken


async def _run(place: "_Place", console: Console, *, leave: bool) -> int:
    if place.has_given:
        with screen.step(console, "Looking at the servers that are given"):
            await place.check_given()
    missing = ", ".join(name for name, url in _SERVERS.items() if url not in place.environment)
    with screen.step(console, f"Starting {missing}") as tell:
        await place.start_servers(tell)
    with screen.step(console, "Bringing the database up to date"):
        await migrate(place.environment["IRNFLOW_DATABASE_URL"])
    settings = place.settings()
    access = None
    if place.has_sandbox:
        with screen.step(console, "Loading the sample company"):
            access = await demo.seed(settings, at=datetime.now(UTC))
    with screen.step(console, "Starting the services"):
        await place.start_services(settings)
    code = 0
    if access:
        code = await _show(settings, console, key=access.key)
    if not leave:
        _invite(place, console, access)
        console.print("Ctrl-C stops everything; ./run starts it again with all its data.")
        await asyncio.Event().wait()
    return code


class _Place:
    """One data folder with what runs on it. What is started here ends with `stack`."""

    def __init__(self, data: Path, environment: Mapping[str, str], stack: contextlib.AsyncExitStack) -> None:
        self.data = data
        self.ports = home.ports(data, _PORTS)
        self.has_sandbox = "IRNFLOW_PORTAL_URL" not in environment
        self.has_given = bool(environment.get("IRNFLOW_DATABASE_URL") or environment.get("IRNFLOW_AMQP_URL"))
        self.environment = {
            **environment,
            "IRNFLOW_DATA": str(data),
            "IRNFLOW_UP_PID": str(os.getpid()),
            "IRNFLOW_CONSOLE_URL": home.console(self.ports["irn_service"]),
            "IRNFLOW_WEBSOCKET_URL": f"ws://127.0.0.1:{self.ports['websocket']}/api/v1/ws",
            **{f"IRNFLOW_PORT_{name.upper()}": str(self.ports[name]) for name in (*SERVICES, "sandbox")},
        }
        self._stack = stack
        self._broker: rabbitmq.Server | None = None

    async def check_given(self) -> None:
        """Raise at once what is wrong with servers that are given, not only when everything else has started."""
        if url := self.environment.get("IRNFLOW_DATABASE_URL"):
            async with database.connect(url, connections=1):
                pass
        if amqp_url := self.environment.get("IRNFLOW_AMQP_URL"):
            if url := self.environment.get("IRNFLOW_MANAGEMENT_URL"):
                await topology.declare(url, topology.vhost_of(amqp_url))
            await rabbit.check(amqp_url, SERVICES)

    async def start_servers(self, tell: private.Tell) -> None:
        """All at once: the broker takes longest."""
        given = dict(self.environment)
        async with asyncio.TaskGroup() as tasks:
            if "IRNFLOW_AMQP_URL" not in given:
                tasks.create_task(self._start_rabbitmq(tell))
            if "IRNFLOW_DATABASE_URL" not in given:
                tasks.create_task(self._start_postgres(tell))
            if self.has_sandbox:
                tasks.create_task(self._start_sandbox())

    async def _start_rabbitmq(self, tell: private.Tell) -> None:
        self._broker = await self._stack.enter_async_context(
            rabbitmq.running(
                self.data / "rabbitmq",
                cache=home.cache(),
                port=self.ports["rabbitmq"],
                management_port=self.ports["management"],
                tell=tell,
            )
        )
        self.environment["IRNFLOW_AMQP_URL"] = self._broker.amqp_url
        self.environment["IRNFLOW_MANAGEMENT_URL"] = self._broker.management_url

    async def _start_postgres(self, tell: private.Tell) -> None:
        server = await self._stack.enter_async_context(
            postgres.running(self.data / "postgres", port=self.ports["postgres"], tell=tell)
        )
        self.environment["IRNFLOW_DATABASE_URL"] = server.url

    async def _start_sandbox(self) -> None:
        port = self.ports["sandbox"]
        await self._stack.enter_async_context(
            Child(
                "the sandbox portal",
                [sys.executable, "-m", "irnflow", "serve", "sandbox", "--quiet"],
                ready=lambda: answers(port),
                output=self.data / "sandbox.log",
                environment=self.environment,
                folder=self.data,
            )
        )
        folder = self.data / "sandbox"
        self.environment |= {
            "IRNFLOW_PORTAL_URL": f"http://127.0.0.1:{port}",
            "IRNFLOW_PORTAL_AUTH_KEY": str(folder / "auth_public.pem"),
            "IRNFLOW_PORTAL_SIGNING_KEYS": str(folder / "signing_keys"),
        }

    def settings(self) -> Settings:
        """The settings of the services, which other commands find too while we run."""
        if self.has_sandbox:
            books = demo.books_url(self.environment["IRNFLOW_DATABASE_URL"])
            self.environment[demo.BOOKS_URL] = os.environ[demo.BOOKS_URL] = books  # the books file names the variable
        ours = {name: value for name, value in self.environment.items() if name.startswith("IRNFLOW_")}
        home.remember(self.data, ours)
        return from_environment(ours)

    async def start_services(self, settings: Settings) -> None:
        """All in this process; returns when each says that it is ready. Raises Unavailable."""
        for name in SERVICES:
            task = asyncio.create_task(kept_up(name, main_of(name), self._as_seen_by(name, settings)), name=name)
            self._stack.push_async_callback(_end, task)
        async with aiohttp.ClientSession() as session:
            await asyncio.gather(*(_until_ready(session, name, self.ports[name], self.data) for name in SERVICES))

    def _as_seen_by(self, name: str, settings: Settings) -> Settings:
        """At our own broker each service is its own user, who may do what it needs and no more."""
        if self._broker is None:
            return settings
        return msgspec.structs.replace(settings, amqp_url=self._broker.amqp_url_of(name))


async def _end(task: asyncio.Task[None]) -> None:
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)


async def _until_ready(session: aiohttp.ClientSession, name: str, port: int, data: Path) -> None:
    missing = "it does not answer"
    try:
        async with asyncio.timeout(READY_S):
            while missing:
                with contextlib.suppress(aiohttp.ClientError):
                    async with session.get(f"http://127.0.0.1:{port}/readyz") as answer:
                        missing = "; ".join(f"{k}: {v}" for k, v in (await answer.json())["missing"].items())
                await asyncio.sleep(0.05 if missing else 0)
    except TimeoutError:
        raise Unavailable(
            f"{name} is not ready after {READY_S:.0f} s ({missing}). If the machine was only busy, start again; "
            f"else mend what {data / 'irnflow.log'} says."
        ) from None


async def _show(settings: Settings, console: Console, *, key: str) -> int:
    """Send the sample's vouchers through, as any client would, and tell how each fared."""
    base = f"http://127.0.0.1:{settings.port_of('irn_service')}"
    async with aiohttp.ClientSession(base, headers={"Authorization": f"Bearer {key}"}) as session:
        client = demo.Client(session, websocket_url=settings.websocket_url, key=key)
        before = await client.batches()
        batch_no = await client.submit()
        console.print(f"\nBatch [bold]{batch_no}[/]: the vouchers of the sample company, sent over HTTP")
        with screen.Following(console, demo.size()) as following:
            async for counts in client.counts(batch_no):
                following.show(counts)
                if screen.at_rest(counts) == demo.size():
                    break
        outcomes = await client.outcomes(batch_no)
    screen.summary(console, outcomes)
    if before:
        console.print("They were sent before: what is registered kept its IRN, and nothing was registered twice.")
    return 0 if all(outcome.as_expected for outcome in outcomes) else 1


def _invite(place: _Place, console: Console, access: demo.Access | None) -> None:
    """Where to go on from here."""
    console.print()
    port = place.ports["irn_service"]
    if access:
        console.print(f"Console  {home.link(port, access.token)}", soft_wrap=True)
        console.print("         [dim](opens it once; ./run token prints another)[/]")
        console.print(f"API key  {escape(str(place.data / 'api_key'))}", soft_wrap=True)
    else:
        console.print(f"Console  {home.console(port)}")
    console.print(f"Log      {escape(str(place.data / 'irnflow.log'))}\n", soft_wrap=True)
