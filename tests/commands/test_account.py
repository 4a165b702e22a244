"""`irnflow account`, on a real PostgreSQL."""

import asyncio
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from irnflow.errors import BadInput
from irnflow.store import accounts, database
from irnflow.store.accounts import Account
from tests.commands.running import Ran, run


@pytest.fixture(autouse=True)
def irnflow(database_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """An irnflow without an account, whose books file has two companies."""
    monkeypatch.setenv("IRNFLOW_DATABASE_URL", database_url)
    monkeypatch.setenv("IRNFLOW_DATA", str(tmp_path))
    monkeypatch.setenv("COLUMNS", "100")
    (tmp_path / "books.toml").write_text('[books.pune]\nurl = "sqlite://"\n[books.delhi]\nurl = "sqlite://"\n')


async def ran(*words: str) -> Ran:
    return await asyncio.to_thread(run, *words)  # it has a loop of its own


async def speaks_for(url: str, key: str, *, later: timedelta = timedelta()) -> Account | None:
    async with database.connect(url, connections=1) as store:
        return await accounts.Keys(store, lambda: datetime.now(UTC) + later).account(key)


async def test_an_account_is_made_once_and_may_get_more_books(database_url: str) -> None:
    first = await ran("account", "add", "surya", "--books", "pune")
    again = await ran("account", "add", "surya", "--books", "delhi")

    listed = await ran("account", "list")
    assert first.out.startswith("Account surya is made, and may read pune.\n")
    assert again.out.startswith("Account surya was there, and may read delhi, pune.\n")
    assert listed.out.count("surya") == 1
    assert "delhi, pune" in listed.out


async def test_books_that_the_file_does_not_have_are_refused_and_no_account_is_made() -> None:
    with pytest.raises(BadInput, match=r"names no books 'puna'; it has: .*pune"):
        await ran("account", "add", "surya", "--books", "puna")

    assert (await ran("account", "list")).out == "There is no account yet: irnflow account add NAME --books BOOKS\n"


async def test_a_key_speaks_for_its_account_and_stands_alone_on_the_output(database_url: str) -> None:
    await ran("account", "add", "surya")

    made = await ran("account", "key", "surya", "--for", "erp", "--admin")

    whose = await speaks_for(database_url, made.out.removesuffix("\n"))
    assert whose is not None
    assert (whose.name, whose.speaker, whose.admin) == ("surya", "erp", True)
    assert "Keep it as a password." in made.err


async def test_a_key_for_some_days_is_good_no_longer(database_url: str) -> None:
    await ran("account", "add", "surya")

    made = await ran("account", "key", "surya", "--days", "2")

    key = made.out.removesuffix("\n")
    assert await speaks_for(database_url, key, later=timedelta(hours=47)) is not None
    assert await speaks_for(database_url, key, later=timedelta(hours=49)) is None
    assert " IST." in made.err


async def test_keys_are_revoked_by_their_name_and_others_stay(database_url: str) -> None:
    await ran("account", "add", "surya")
    gone = (await ran("account", "key", "surya", "--for", "erp")).out.removesuffix("\n")
    stays = (await ran("account", "key", "surya", "--for", "console")).out.removesuffix("\n")

    revoked = await ran("account", "revoke", "surya", "--for", "erp")

    assert revoked.out == "1 key of surya revoked.\n"
    assert await speaks_for(database_url, gone) is None
    assert await speaks_for(database_url, stays) is not None
    assert "erp" not in (await ran("account", "list")).out
    with pytest.raises(BadInput, match="no key named 'erp' that is good"):
        await ran("account", "revoke", "surya", "--for", "erp")


@pytest.mark.parametrize("words", [("key", "moon"), ("revoke", "moon", "--for", "erp")])
async def test_an_account_that_is_not_there_is_said_to_be_none(words: tuple[str, ...]) -> None:
    await ran("account", "add", "surya")

    with pytest.raises(BadInput, match="there is no account 'moon'; there are: surya"):
        await ran("account", *words)


@pytest.mark.parametrize("name", ["", "x" * 101, "a\nb", " "])
async def test_a_name_that_nobody_could_type_is_refused(name: str) -> None:
    refused = await ran("account", "add", name)

    assert (refused.code, "1 to 100 printable characters" in refused.err) == (2, True)
