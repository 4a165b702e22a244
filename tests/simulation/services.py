"""Each service as `main` builds it, but of the parts that a process of the simulation has."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from datetime import timedelta
from typing import Final

from irnflow.books.shelf import Shelf
from irnflow.portal.several import Line, Portals
from irnflow.services import data_fetch, database_update, error_desk, irn_service, registration, validation, websocket
from irnflow.services.registration.parts import Budget, Parts
from irnflow.services.registration.sessions import Sessions
from irnflow.settings import Settings
from irnflow.store.secrets import KeyRing
from tests.simulation import network
from tests.simulation.process import BooksRunner, Bus, Process, Store

KEY: Final = KeyRing([bytes(32)])  # of the secrets at rest
FAMILY: Final = "NIC"
PORTALS: Final = ("NIC1", "NIC2")
_DEFAULTS: Final = Settings()


async def serve_irn_service(process: Process, bus: Bus) -> None:
    """Its two loops, each in its turn with the other processes."""
    world, store, woken = process.world, Store(process), asyncio.Event()
    world.took_in[process.number] = woken.set

    async def dispatch() -> None:
        log, pace = world.log(process), irn_service.Pace(idle_s=world.faults.idle_s)
        await irn_service.dispatch(bus=bus, store=store, now=world.now, woken=woken, log=log, pace=pace)

    async def watch() -> None:
        await irn_service.watch(bus=bus, store=store, now=world.now, log=world.log(process))

    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(_in_turn(process, "dispatcher", dispatch))
        tasks.create_task(_in_turn(process, "watchdog", watch))


async def _in_turn(process: Process, name: str, work: Callable[[], Awaitable[None]]) -> None:
    """As store.turn.in_turn, whose lock is a connection of asyncpg; some seeds let two hold it for ever."""
    turns = process.world.turns
    while not process.world.faults.turns_shared and (holder := turns.get(name)) and holder.alive:  # noqa: ASYNC110 (so does the real one)
        await asyncio.sleep(1.0)
    turns[name] = process
    await work()


async def serve_data_fetch(process: Process, bus: Bus) -> None:
    world = process.world
    await data_fetch.run(bus=bus, books=_shelf(process), store=Store(process), now=world.now, log=world.log(process))


async def serve_validation(process: Process, bus: Bus) -> None:
    world = process.world
    await validation.run(bus=bus, accept_sandbox_gstins=False, now=world.now, log=world.log(process))


async def serve_registration(process: Process, bus: Bus) -> None:
    world, store = process.world, Store(process)
    errors_most = world.faults.errors_most
    lines = [_line(process, name) for name in PORTALS[: world.faults.portals]]
    sessions = Sessions(
        lines[0].portal, store, name=FAMILY, key=KEY, now=world.now, random_bytes=process.draw.randbytes
    )  # fmt: skip
    await registration.run(
        Parts(
            bus=bus, database=store, portals=Portals(lines), sessions={FAMILY: sessions},
            now=world.now, log=world.log(process), concurrency=4, deadline=timedelta(seconds=network.DEADLINE_S),
            settle=timedelta(seconds=_DEFAULTS.lookup_settle_s), gap=timedelta(seconds=_DEFAULTS.lookup_gap_s),
            idle_s=world.faults.idle_s, budget=Budget(of_gstin=errors_most * 2 // 3, of_client=errors_most),
        )
    )  # fmt: skip


def _line(process: Process, name: str) -> Line:
    world = process.world
    portal = network.Portal(world.wire.sends(process, name), world.ground.auth_key)
    known = world.faults.per_minute if world.faults.per_minute_known else None
    return Line(name=name, family=FAMILY, portal=portal, keys=world.keys, per_minute=known)


async def serve_database_update(process: Process, bus: Bus) -> None:
    world = process.world
    await database_update.run(bus=bus, books=_shelf(process), now=world.now, log=world.log(process))


async def serve_error_desk(process: Process, bus: Bus) -> None:
    world = process.world
    await error_desk.run(bus=bus, store=Store(process), now=world.now, log=world.log(process))


async def serve_websocket(process: Process, bus: Bus) -> None:
    world = process.world
    await websocket.run(bus=bus, store=Store(process), now=world.now, log=world.log(process))


def _shelf(process: Process) -> Shelf:
    """It is closed with the world: a killed process closes nothing."""
    world = process.world
    shelf = Shelf([world.books.source], runner=BooksRunner(process), log=world.log(process))
    world.to_close.append(shelf.close)
    return shelf


SERVICES: Final[Mapping[str, Callable[[Process, Bus], Awaitable[None]]]] = {
    irn_service.NAME: serve_irn_service,
    data_fetch.NAME: serve_data_fetch,
    validation.NAME: serve_validation,
    registration.NAME: serve_registration,
    database_update.NAME: serve_database_update,
    error_desk.NAME: serve_error_desk,
    websocket.NAME: serve_websocket,
}
