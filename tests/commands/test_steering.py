"""`irnflow pause`, `resume`, `standing`, on a real PostgreSQL."""

import asyncio
import re
from pathlib import Path

import pytest

from irnflow.errors import BadInput
from irnflow.store import database
from tests.commands.running import Ran, run
from tests.tenant import make_batch, make_tenant

GSTIN = "29AABCT1332L1ZU"
WHY = ("--reason", "month end")


@pytest.fixture(autouse=True)
async def steered(database_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Commands that know an account with a batch and a GSTIN, and a portal."""
    monkeypatch.setenv("IRNFLOW_DATABASE_URL", database_url)
    monkeypatch.setenv("IRNFLOW_DATA", str(tmp_path))
    monkeypatch.setenv("IRNFLOW_PORTAL_URL", "http://127.0.0.1:1")
    async with database.connect(database_url) as store:
        tenant = await make_tenant(store)
        await make_batch(store, tenant, "V/1", batch_no="B-1")
        await store.fetch(
            "with g as (insert into irnflow.gstin (gstin, account_id) values ($1::text, $2::bigint))"
            " insert into irnflow.credentials values ($1::text, 'NIC1', 'u', 'c', '', '')",
            GSTIN, tenant.account_id,
        )  # fmt: skip


async def irnflow(*words: str) -> Ran:
    return await asyncio.to_thread(run, *words)


@pytest.mark.parametrize(
    ("what", "said", "name", "words"),
    [
        ("batch", "B-1", "B-1", "Batch"),
        ("gstin", GSTIN.lower(), GSTIN, "GSTIN"),
        ("portal", "nic1", "NIC1", "Portal"),
    ],
)
async def test_what_is_paused_stands_until_it_is_resumed_and_a_running_one_is_said_to_run(
    what: str, said: str, name: str, words: str
) -> None:
    paused = await irnflow("pause", what, said, *WHY)
    standing = await irnflow("standing")
    resumed = await irnflow("resume", what, said)

    assert f"until: irnflow resume {what} {name}" in paused.out
    assert (standing.code, name in standing.out, "month end" in standing.out) == (1, True, True)
    assert resumed.out == f"{words} {name} goes on.\n"
    assert await irnflow("standing") == Ran(0, "Nothing stands still.\n")


@pytest.mark.parametrize(("what", "name"), [("batch", "B-1"), ("gstin", GSTIN)])
async def test_what_was_not_stopped_is_said_to_go_on_as_before(what: str, name: str) -> None:
    resumed = await irnflow("resume", what, name)

    assert resumed.out.endswith(f"{name} was not stopped: it goes on as before.\n")


async def test_a_paused_portal_that_is_described_no_longer_is_resumed_all_the_same(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    await irnflow("pause", "portal", "NIC1", *WHY)
    monkeypatch.setenv("IRNFLOW_PORTAL_NAME", "NIC2")

    resumed = await irnflow("resume", "portal", "NIC1")

    assert resumed.out == "Portal NIC1 goes on.\n"


async def test_since_when_is_told_in_the_time_of_india() -> None:
    await irnflow("pause", "portal", "NIC1", *WHY)

    standing = await irnflow("standing")

    assert re.search(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d IST", " ".join(standing.out.split()))


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (("pause", "portal", "NIC2", *WHY), "there is no portal NIC2; there are: NIC1"),
        (("resume", "portal", "NIC2"), "NIC2 is no paused portal"),
        (("resume", "portal", "NIC1"), "NIC1 is no paused portal"),
        (("pause", "batch", "B-2", *WHY), "the account has no batch B-2"),
        (("resume", "gstin", "29AABCT1332L1ZX"), "the account has no GSTIN 29AABCT1332L1ZX"),
    ],
)
async def test_what_is_not_there_is_neither_paused_nor_resumed(words: tuple[str, ...], says: str) -> None:
    with pytest.raises(BadInput, match=re.escape(says)):
        await irnflow(*words)

    assert (await irnflow("standing")).code == 0
