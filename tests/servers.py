"""The servers of a test run, a PostgreSQL and a RabbitMQ, each started when the first test asks for it.

The process that started pytest owns them, in a thread, and they die with it; its xdist workers ask over a socket.
"""

import asyncio
import contextlib
import os
import shutil
import socket
import tempfile
import threading
from pathlib import Path
from typing import Any

import asyncpg
import msgspec

from irnflow.local import home, postgres, rabbitmq
from irnflow.local.child import Child
from irnflow.store.migrate import migrate

ADDRESS = "IRNFLOW_TEST_SERVERS"
TEMPLATE = "migrated"  # a database to copy
CACHE = home.cache()


def ask(server: str) -> dict[str, Any]:
    """The addresses of a server of this run, which is started if need be.

    "rabbitmq", "postgres", or one more PostgreSQL, as "postgres of gw0".
    """
    with socket.socket(socket.AF_UNIX) as connection:
        connection.connect(os.environ[ADDRESS])
        connection.sendall(server.encode() + b"\n")
        answer: dict[str, Any] = msgspec.json.decode(connection.makefile("rb").read())
    if "error" in answer:
        raise RuntimeError(answer["error"])
    return answer


class Servers:
    """The owner's side of `ask`. Costs nothing until somebody asks."""

    def __init__(self) -> None:
        self._folder = Path(tempfile.mkdtemp(prefix="irnflow-test-"))
        self._folder.chmod(0o711)  # PostgreSQL may run as another user
        os.environ[ADDRESS] = str(self._folder / "ask")
        self._open = threading.Event()
        self._thread = threading.Thread(target=lambda: asyncio.run(self._serve()), daemon=True, name="servers")
        self._thread.start()
        self._open.wait()

    def close(self) -> None:
        self._loop.call_soon_threadsafe(self._over.set)
        self._thread.join()
        shutil.rmtree(self._folder)

    async def _serve(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._over = asyncio.Event()
        self._started: dict[str, asyncio.Task[dict[str, Any]]] = {}
        async with contextlib.AsyncExitStack() as self._stack:
            self._children: list[Child] = []
            door = await asyncio.start_unix_server(self._answer, os.environ[ADDRESS])
            self._open.set()
            await self._over.wait()
            door.close()
            for child in self._children:  # nobody will read what they hold: don't wait for them to close in order
                child.kill()

    async def _answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        server = (await reader.readline()).decode().strip()
        start = {"postgres": self._postgres, "rabbitmq": self._rabbitmq}[server.partition(" ")[0]]
        if server not in self._started:
            self._started[server] = asyncio.create_task(start(self._folder / server.replace(" ", "-")))
        try:
            answer = await self._started[server]
        except Exception as error:  # the asking test tells it
            answer = {"error": f"{type(error).__name__}: {error}"}
        writer.write(msgspec.json.encode(answer))
        await writer.drain()
        writer.close()

    async def _postgres(self, folder: Path) -> dict[str, Any]:
        chosen = os.environ.get("IRNFLOW_PG_BIN")  # /usr/lib/postgresql/15/bin, say
        server = await self._stack.enter_async_context(
            postgres.running(folder, durable=False, binaries=Path(chosen) if chosen else None)
        )
        self._children.append(server.child)
        connection = await asyncpg.connect(server.url)
        await connection.execute(f"create database {TEMPLATE}")
        await connection.close()
        await migrate(server.url_of(TEMPLATE))
        return {"url": server.url}

    async def _rabbitmq(self, folder: Path) -> dict[str, Any]:
        server = await self._stack.enter_async_context(rabbitmq.running(folder, cache=CACHE, declared=False))
        self._children.append(server.child)
        passwords = dict(server.passwords)
        return {"port": server.port, "management_url": server.management_url, "passwords": passwords}
