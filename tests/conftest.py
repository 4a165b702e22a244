"""Real servers for tests: `database_url` is a fresh, migrated database, `amqp_url` a fresh vhost with our topology."""

import os
import secrets
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import aiohttp
import asyncpg
import pytest

from irnflow.bus import topology
from tests.servers import ADDRESS, CACHE, TEMPLATE, Servers, ask

SERVERS = pytest.StashKey[Servers]()


def pytest_configure(config: pytest.Config) -> None:
    if ADDRESS not in os.environ:  # a worker finds its owner's
        config.stash[SERVERS] = Servers()


def pytest_unconfigure(config: pytest.Config) -> None:
    if servers := config.stash.get(SERVERS, None):
        servers.close()
        del os.environ[ADDRESS]


@pytest.fixture(scope="session")
def postgres() -> str:
    """URL of a database on this run's PostgreSQL, as a superuser. Tests want `database_url`."""
    return str(ask("postgres")["url"])


@pytest.fixture(scope="session")
def rabbitmq() -> dict[str, Any]:
    """`port`, `management_url` and `passwords` (by user) of this run's RabbitMQ. Tests want `amqp_url`."""
    return ask("rabbitmq")


@pytest.fixture(scope="session")
def broker_cache() -> Path:
    """Where an unpacked RabbitMQ lies, for tests that run a node of their own (`local.rabbitmq.running`)."""
    return CACHE


@pytest.fixture
async def database_url(postgres: str) -> AsyncIterator[str]:
    """A migrated, empty database of this test's own."""
    name = f"test_{secrets.token_hex(6)}"
    await _execute(postgres, f"create database {name} template {TEMPLATE}")
    yield urlsplit(postgres)._replace(path=f"/{name}").geturl()
    await _execute(postgres, f"drop database {name} with (force)")


@pytest.fixture
async def empty_database_url(postgres: str) -> AsyncIterator[str]:
    """A database of this test's own with nothing in it."""
    name = f"test_{secrets.token_hex(6)}"
    await _execute(postgres, f"create database {name}")
    yield urlsplit(postgres)._replace(path=f"/{name}").geturl()
    await _execute(postgres, f"drop database {name} with (force)")


async def _execute(url: str, sql: str) -> None:
    connection = await asyncpg.connect(url)
    try:
        await connection.execute(sql)
    finally:
        await connection.close()


@pytest.fixture
async def management_url(rabbitmq: dict[str, Any]) -> str:
    """The management API of this run's RabbitMQ, as administrator."""
    return str(rabbitmq["management_url"])


@pytest.fixture
async def empty_amqp_url(rabbitmq: dict[str, Any], management_url: str) -> AsyncIterator[str]:
    """A vhost of this test's own with nothing declared, as administrator."""
    vhost = f"test-{secrets.token_hex(6)}"
    url = urlsplit(management_url)
    authorization = {"Authorization": aiohttp.encode_basic_auth(url.username or "", url.password or "")}
    address = f"http://{url.hostname}:{url.port}/api/vhosts/{vhost}"
    async with aiohttp.ClientSession(headers=authorization, raise_for_status=True) as api:
        await api.put(address, json={})
        yield f"amqp://{url.username}:{url.password}@127.0.0.1:{rabbitmq['port']}/{vhost}"
        await api.delete(address)


@pytest.fixture
async def amqp_url(empty_amqp_url: str, management_url: str, rabbitmq: dict[str, Any]) -> str:
    """A vhost of this test's own with our topology, as administrator; `amqp_url_of` gives a service's view."""
    await topology.declare(management_url, topology.vhost_of(empty_amqp_url), rabbitmq["passwords"])
    return empty_amqp_url


@pytest.fixture
async def amqp_url_of(amqp_url: str, rabbitmq: dict[str, Any]) -> Callable[[str], str]:
    """The URL of this test's vhost as a service has it, with that service's permissions."""
    url = urlsplit(amqp_url)
    return lambda service: f"amqp://{service}:{rabbitmq['passwords'][service]}@{url.hostname}:{url.port}{url.path}"
