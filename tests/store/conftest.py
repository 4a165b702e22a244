"""The store, empty, and a tenant in it."""

from collections.abc import AsyncIterator

import pytest

from irnflow.store import database
from irnflow.store.database import Postgres
from tests.tenant import Tenant, make_tenant


@pytest.fixture
async def store(database_url: str) -> AsyncIterator[Postgres]:
    async with database.connect(database_url) as opened:
        yield opened


@pytest.fixture
async def tenant(store: Postgres) -> Tenant:
    return await make_tenant(store)
