"""One ground for all runs of a worker."""

import secrets
from collections.abc import Iterator
from urllib.parse import urlsplit

import psycopg
import pytest

from tests.servers import TEMPLATE
from tests.simulation.ground import Ground


@pytest.fixture(scope="session")
def ground(postgres: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Ground]:
    name = f"simulation_{secrets.token_hex(6)}"
    with psycopg.connect(postgres, autocommit=True) as server:
        server.execute(f"create database {name} template {TEMPLATE}")
    ground = Ground(urlsplit(postgres)._replace(path=f"/{name}").geturl(), tmp_path_factory.mktemp("portal"))
    yield ground
    ground.close()
