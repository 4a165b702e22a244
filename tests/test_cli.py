"""The commands of cli.py as processes, on a real RabbitMQ and PostgreSQL: what they print and how they end."""

import asyncio
import json
import os
from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest

from irnflow.messages import State
from irnflow.store import accounts, database, failures
from irnflow.store.database import Postgres
from irnflow.store.failures import Failure
from tests.commands.running import Ran, process
from tests.tenant import AT, make_batch, make_tenant

Command = Callable[..., Awaitable[Ran]]
LONG = "SALES-2026-11-MUMBAI-0000000000000000001"  # as long as a batch number may be


@pytest.fixture
def irnflow(database_url: str, tmp_path: Path) -> Command:
    """Runs a command that knows this test's database, on a terminal of 80 columns."""
    known = {"IRNFLOW_DATABASE_URL": database_url, "IRNFLOW_DATA": str(tmp_path), "COLUMNS": "80"}

    async def command(*words: str, **more: str) -> Ran:
        return await asyncio.to_thread(process, *words, environment=os.environ | known | more)

    return command


@pytest.fixture
async def store(database_url: str) -> AsyncIterator[Postgres]:
    async with database.connect(database_url) as opened:
        yield opened


@pytest.fixture
async def failed(store: Postgres) -> None:
    """Of a batch a and b failed validation, of a later one a again, and c in the books."""
    tenant = await make_tenant(store)
    first = await make_batch(store, tenant, "a", "b", "d", batch_no="B-1")
    second = await make_batch(store, tenant, "a", "c", batch_no=LONG)
    for batch, id_, stage, cause in (
        (first, "a", "validation", "supplier.gstin"),
        (first, "b", "validation", "supplier.gstin"),
        (second, "a", "validation", "supplier.gstin"),
        (second, "c", "data_fetch", "books.not_found"),
    ):
        failure = Failure(
            batch_id=batch["batch_id"], transaction_id=id_, account_id=tenant.account_id, stage=stage, cause=cause,
            says=f"The words of {cause}.", fix="What to do.", faults=(), attempts=1, message=b"{}", at=AT,
            failing=State.VALIDATION_FAILED,
        )  # fmt: skip
        await failures.record(store, [failure])


# -- topology ----------------------------------------------------------------------------------------------------------


async def test_topology_prints_what_a_broker_imports_for_the_vhost_that_is_set(irnflow: Command) -> None:
    ran = await irnflow("topology", IRNFLOW_AMQP_URL="amqp://127.0.0.1/einvoices")

    definitions = json.loads(ran.out)
    assert ran.code == 0
    assert definitions["vhosts"] == [{"name": "einvoices"}]
    assert {"direct_exchange", "status_exchange"} <= {exchange["name"] for exchange in definitions["exchanges"]}
    assert {user["password_hash"] for user in definitions["users"]} == {""}


async def test_a_broker_with_our_topology_is_as_it_should_be(
    irnflow: Command, amqp_url: str, management_url: str
) -> None:
    ran = await irnflow("topology", "--check", IRNFLOW_AMQP_URL=amqp_url, IRNFLOW_MANAGEMENT_URL=management_url)

    assert ran == Ran(0, "the broker is as it should be\n")


async def test_a_broker_without_it_is_told_difference_by_difference_and_ends_with_1(
    irnflow: Command, empty_amqp_url: str, management_url: str
) -> None:
    ran = await irnflow("topology", "--check", IRNFLOW_AMQP_URL=empty_amqp_url, IRNFLOW_MANAGEMENT_URL=management_url)

    assert ran.code == 1
    assert "direct_exchange" in ran.out.splitlines()[0]
    assert "data_queue" in ran.out


@pytest.mark.parametrize(
    ("given", "says"),
    [
        ({}, "irnflow: IRNFLOW_AMQP_URL is not set, and no `irnflow up` runs on "),
        ({"IRNFLOW_AMQP_URL": "amqp://127.0.0.1:1/x"}, "irnflow: IRNFLOW_MANAGEMENT_URL is not set"),
        (
            {"IRNFLOW_AMQP_URL": "amqp://127.0.0.1:1/x", "IRNFLOW_MANAGEMENT_URL": "http://127.0.0.1:1"},
            "irnflow: RabbitMQ's management API does not answer",
        ),
    ],
)
async def test_a_broker_that_cannot_be_asked_is_told_in_a_sentence(
    irnflow: Command, given: dict[str, str], says: str
) -> None:
    ran = await irnflow("topology", "--check", **given)

    assert (ran.code, ran.out) == (1, "")
    assert ran.err.startswith(says)


async def test_a_password_that_breaks_its_address_is_not_quoted(irnflow: Command) -> None:
    ran = await irnflow("migrate", IRNFLOW_DATABASE_URL="postgresql://u:secretA/partB@h/db")

    assert "a password with / ? # [ ] @ or : percent-encoded" in ran.err
    assert "secret" not in ran.err


# -- failures, retry, accounting ---------------------------------------------------------------------------------------


@pytest.mark.usefixtures("failed")
async def test_failures_are_listed_by_stage_and_cause_with_what_to_do_and_whole_batch_numbers(irnflow: Command) -> None:
    ran = await irnflow("failures")

    assert ran.code == 0
    assert [line.rstrip() for line in ran.out.splitlines()] == [
        "",
        "data_fetch",
        "  1 voucher  books.not_found",
        "             The words of books.not_found.",
        "             What to do.",
        f"             c in {LONG}",
        "",
        "validation",
        "  2 vouchers  supplier.gstin",
        "              The words of supplier.gstin.",
        "              What to do.",
        f"              a in {LONG}, a in B-1, b in B-1",
    ]


@pytest.mark.usefixtures("failed")
async def test_failures_of_one_batch_alone_are_listed(irnflow: Command) -> None:
    ran = await irnflow("failures", "--batch", "B-1")

    assert "2 vouchers  supplier.gstin" in ran.out
    assert "books.not_found" not in ran.out


@pytest.mark.usefixtures("failed")
@pytest.mark.parametrize(
    ("words", "says"),
    [
        (("failures", "--batch", "B-9"), "irnflow: account Surya Traders has no batch B-9\n"),
        (("failures", "--account", "Moon"), "irnflow: there is no account 'Moon'; there are: Surya Traders\n"),
        (("retry", "--cause", "x"), "irnflow: no open failure meets all of that; `irnflow failures` lists them\n"),
    ],
)
async def test_what_is_not_there_is_told_with_what_there_is(
    irnflow: Command, words: tuple[str, ...], says: str
) -> None:
    assert await irnflow(*words) == Ran(1, "", says)


@pytest.mark.usefixtures("failed")
async def test_chosen_failures_are_sent_again_and_are_open_no_more(irnflow: Command, store: Postgres) -> None:
    ran = await irnflow("retry", "--cause", "supplier.gstin", "--batch", "B-1", "--transaction", "b")

    [sent] = await store.fetch(
        "select array_agg(transaction_id order by 1)::text[] as ids from irnflow.transaction"
        " join irnflow.batch using (batch_id) where retry_of is not null"
    )
    assert ran.code == 0
    assert ran.out.endswith(": 1 voucher sent again, from batch B-1.\n")
    assert sent["ids"] == ["b"]
    assert "b in B-1" not in (await irnflow("failures")).out


@pytest.mark.usefixtures("failed")
async def test_all_failures_are_sent_again_a_voucher_once(irnflow: Command) -> None:
    ran = await irnflow("retry", "--all")

    assert ": 3 vouchers sent again" in ran.out
    assert (await irnflow("failures")).out == "No open failures.\n"


@pytest.mark.usefixtures("failed")
async def test_a_retry_that_does_not_say_which_sends_nothing(irnflow: Command, store: Postgres) -> None:
    ran = await irnflow("retry")

    assert ran.code == 2
    assert "say which: --cause, --stage, --batch, --transaction, or --all" in ran.err
    assert len(await store.fetch("select from irnflow.batch")) == 2


@pytest.mark.usefixtures("failed")
async def test_the_accounting_ends_with_0_while_all_agrees_and_with_1_when_it_does_not(
    irnflow: Command, store: Postgres
) -> None:
    before = await irnflow("accounting")
    await store.fetch("update irnflow.batch_count set n = n + 1")

    after = await irnflow("accounting")

    assert before.code == 0
    assert before.out.startswith("5 transactions, 0 registered IRNs, 4 open failures,")
    assert after.code == 1
    assert "WRONG  counts B-1: 3 vouchers, the counts of their states add up to 4\n" in after.out


# -- token, migrate ----------------------------------------------------------------------------------------------------


async def test_a_token_is_a_link_that_signs_in_once(irnflow: Command, store: Postgres) -> None:
    ran = await irnflow("token", IRNFLOW_PORT_IRN_SERVICE="8470")

    address, _, token = ran.out.strip().partition("#token=")
    at = datetime.now(UTC)
    assert (ran.code, address) == (0, "http://127.0.0.1:8470/")
    assert await accounts.exchange_token(store, token, at=at)
    assert await accounts.exchange_token(store, token, at=at) is None


async def test_without_a_store_the_token_says_what_to_start_or_to_set(irnflow: Command, tmp_path: Path) -> None:
    ran = await irnflow("token", IRNFLOW_DATABASE_URL="")

    says = f"irnflow: IRNFLOW_DATABASE_URL is not set, and no `irnflow up` runs on {tmp_path}: start that, or set it\n"
    assert ran == Ran(1, "", says)


async def test_an_empty_database_is_brought_up_to_this_version_and_then_there_is_nothing_to_do(
    irnflow: Command, empty_database_url: str
) -> None:
    first = await irnflow("migrate", IRNFLOW_DATABASE_URL=empty_database_url)
    second = await irnflow("migrate", IRNFLOW_DATABASE_URL=empty_database_url)

    assert first.code == 0
    assert first.out.startswith("applied 0001_tables\napplied 0002_")
    assert second == Ran(0, "nothing to do\n")


@pytest.mark.parametrize(
    ("url", "says"),
    [
        ("postgresql://127.0.0.1:1/x", "irnflow: PostgreSQL can't be reached"),
        ("localhost", "irnflow: IRNFLOW_DATABASE_URL is no address of a PostgreSQL"),
    ],
)
async def test_a_database_that_cannot_be_had_is_told_in_a_sentence(irnflow: Command, url: str, says: str) -> None:
    ran = await irnflow("migrate", IRNFLOW_DATABASE_URL=url)

    assert (ran.code, ran.out) == (1, "")
    assert ran.err.startswith(says)
