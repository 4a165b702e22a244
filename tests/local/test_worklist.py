"""What `irnflow failures`, `irnflow retry` and `irnflow accounting` print, on a real PostgreSQL."""

import io
from collections.abc import AsyncIterator

import pytest
from rich.console import Console

from irnflow.errors import BadInput
from irnflow.local import worklist
from irnflow.messages import State
from irnflow.store import database, failures
from irnflow.store.database import Postgres, Row
from irnflow.store.failures import Choice, Failure
from tests.tenant import AT, Tenant, make_batch, make_tenant


@pytest.fixture
async def store(database_url: str) -> AsyncIterator[Postgres]:
    async with database.connect(database_url) as opened:
        yield opened


@pytest.fixture
async def tenant(store: Postgres) -> Tenant:
    return await make_tenant(store)


@pytest.fixture
async def batch(store: Postgres, tenant: Tenant) -> Row:
    """A batch of which a and b failed."""
    made = await make_batch(store, tenant, "a", "b", "c", batch_no="B-1")
    told = [
        Failure(
            batch_id=made["batch_id"], transaction_id=id_, account_id=tenant.account_id, stage="validation",
            cause="parties.gstin", says="[29AAB] is no GSTIN.", fix="Correct it.", faults=(), attempts=1,
            message=b"{}", at=AT, failing=State.VALIDATION_FAILED,
        )
        for id_ in "ab"
    ]  # fmt: skip
    await failures.record(store, told)
    return made


@pytest.fixture
def console() -> Console:
    return Console(file=io.StringIO(), width=160)


def printed(console: Console) -> str:
    assert isinstance(console.file, io.StringIO)
    return console.file.getvalue()


async def test_failures_are_listed_with_their_cause_and_what_to_do(
    database_url: str, batch: Row, console: Console
) -> None:
    await worklist.show(database_url, console, account=None, batch_no=None)

    shown = printed(console)
    assert "validation" in shown
    assert "parties.gstin" in shown
    assert "[29AAB] is no GSTIN." in shown
    assert "Correct it." in shown
    assert "a in B-1" in shown


async def test_where_nothing_is_open_it_says_so(
    database_url: str, store: Postgres, tenant: Tenant, batch: Row, console: Console
) -> None:
    await make_batch(store, tenant, "a", batch_no="B-2")

    await worklist.show(database_url, console, account="Surya Traders", batch_no="B-2")

    assert printed(console) == "No open failures.\n"


async def test_a_batch_that_is_not_there_is_told_so(database_url: str, batch: Row, console: Console) -> None:
    with pytest.raises(BadInput, match="no batch B-9"):
        await worklist.show(database_url, console, account=None, batch_no="B-9")


async def test_a_retry_tells_the_new_batch(database_url: str, batch: Row, console: Console) -> None:
    await worklist.retry(database_url, console, account=None, choice=Choice(cause="parties.gstin"))

    assert "2 vouchers sent again, from batch B-1." in printed(console)


async def test_a_retry_of_nothing_says_what_to_do(database_url: str, batch: Row, console: Console) -> None:
    with pytest.raises(BadInput, match="irnflow failures"):
        await worklist.retry(database_url, console, account=None, choice=Choice(cause="another"))


async def test_the_accounting_tells_work_in_flight_from_what_is_wrong(
    database_url: str, store: Postgres, batch: Row, console: Console
) -> None:
    before = await worklist.account_for(database_url, console)
    await store.fetch("update irnflow.batch_count set n = 4")

    after = await worklist.account_for(database_url, console)

    assert (before, after) == (True, False)
    assert "in flight  released B-1: 0 of 3 vouchers" in printed(console)
    assert "WRONG  counts B-1: 3 vouchers, the counts of their states add up to 4" in printed(console)
