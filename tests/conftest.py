"""Real servers for tests: `database_url` is a fresh, migrated database, `amqp_url` a fresh vhost with our topology."""

import os
import secrets
from collections.abc import AsyncIterator
from pathlib import Path
from urllib.parse import urlsplit

import aiohttp
import asyncpg
import pytest

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
def rabbitmq() -> dict[str, str]:
    """`amqp_url` and `management_url` of this run's RabbitMQ, as administrator. Tests want `amqp_url`."""
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
async def vhost(rabbitmq: dict[str, str]) -> AsyncIterator[str]:
    """The name of an empty vhost of this test's own."""
    name = f"test-{secrets.token_hex(6)}"
    async with _management(rabbitmq) as api:
        await api.put(f"/api/vhosts/{name}", json={})
    yield name
    async with _management(rabbitmq) as api:
        await api.delete(f"/api/vhosts/{name}")


@pytest.fixture
async def empty_amqp_url(rabbitmq: dict[str, str], vhost: str) -> str:
    """The broker with nothing declared."""
    return rabbitmq["amqp_url"] + vhost


def _management(rabbitmq: dict[str, str]) -> aiohttp.ClientSession:
    url = urlsplit(rabbitmq["management_url"])
    authorization = aiohttp.encode_basic_auth(url.username or "", url.password or "")
    return aiohttp.ClientSession(
        f"http://127.0.0.1:{url.port}", headers={"Authorization": authorization}, raise_for_status=True
    )
