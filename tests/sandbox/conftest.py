"""A sandbox in process: its keys are made once, its register is in memory, its randomness is a count."""

from collections.abc import Callable, Iterator
from contextlib import closing
from datetime import UTC, datetime
from itertools import count
from pathlib import Path

import pytest

from irnflow.sandbox.identity import Identity, open_identity
from irnflow.sandbox.portal import Sandbox
from irnflow.sandbox.register import Register
from irnflow.sandbox.taxpayers import Taxpayers
from tests.sandbox.client import Client

NOW = datetime(2026, 11, 22, 9, 38, 39, tzinfo=UTC)  # 15:08:39 in India


def counted() -> Callable[[int], bytes]:
    """Bytes like random ones, never the same twice, the same in each run."""
    numbers = count(1)
    return lambda size: next(numbers).to_bytes(size, "big")


@pytest.fixture(scope="session")
def identity_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder in which an identity was made."""
    folder = tmp_path_factory.mktemp("sandbox")
    open_identity(folder, now=NOW, random_bytes=counted())
    return folder


@pytest.fixture(scope="session")
def identity(identity_folder: Path) -> Identity:
    return open_identity(identity_folder, now=NOW, random_bytes=counted())


@pytest.fixture
def register() -> Iterator[Register]:
    with closing(Register()) as opened:
        yield opened


@pytest.fixture
def sandbox(identity: Identity, register: Register) -> Sandbox:
    return Sandbox(identity=identity, register=register, taxpayers=Taxpayers(), random_bytes=counted())


@pytest.fixture
def stranger(sandbox: Sandbox) -> Client:
    """A client that did not log in yet."""
    return Client(sandbox, now=NOW)


@pytest.fixture
def client(stranger: Client) -> Client:
    """A client that is logged in."""
    stranger.log_in()
    return stranger
