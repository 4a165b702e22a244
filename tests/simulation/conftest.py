"""One ground for all runs of a worker."""

from collections.abc import Iterator
from urllib.parse import urlsplit

import pytest

from tests.servers import TEMPLATE, ask
from tests.simulation.ground import Ground


@pytest.fixture(scope="session")
def ground(worker_id: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Ground]:
    """On a PostgreSQL of its own.

    In which order rows are found that are due at once depends on where they lie, and that on the oldest transaction of
    all databases of a server: beside other tests a seed would not always take the same steps.
    """
    server = str(ask(f"postgres of {worker_id}")["url"])
    ground = Ground(urlsplit(server)._replace(path=f"/{TEMPLATE}").geturl(), tmp_path_factory.mktemp("portal"))
    yield ground
    ground.close()
