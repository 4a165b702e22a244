"""local/postgres.py."""

import asyncio
import os
import signal
import sys
from contextlib import AsyncExitStack, suppress
from pathlib import Path

import asyncpg
import pytest

from irnflow.local import postgres
from irnflow.local.child import NotStarted
from irnflow.store import database
from tests.waiting import until


async def test_a_second_start_finds_the_data_of_the_first(folder: Path) -> None:
    async with postgres.running(folder, durable=False) as server:
        await _run(server.url, "create table kept as select 7 as n")

    async with postgres.running(folder, durable=False) as server:
        kept = await _run(server.url, "select n from kept")

    assert kept == 7


async def test_it_comes_back_with_its_rows_at_the_same_address_when_it_is_killed(folder: Path) -> None:
    async with postgres.running(folder) as server:
        await _run(server.url, "create table kept as select 7 as n")

        os.kill(server.child.pid, signal.SIGKILL)

        assert await until(lambda: _run(server.url, "select n from kept")) == 7


async def test_its_password_is_for_us_alone(folder: Path) -> None:
    async with postgres.running(folder, durable=False) as server:
        wrong = server.url.replace(":" + (folder / "password").read_text() + "@", ":guess@")

        with pytest.raises(asyncpg.InvalidPasswordError):
            await asyncpg.connect(wrong)

    assert (folder / "password").stat().st_mode & 0o777 == 0o600


async def test_a_start_that_fails_says_why_and_where_to_read_on(folder: Path) -> None:
    (folder / "data").mkdir()
    (folder / "data" / "PG_VERSION").write_text("9")

    with pytest.raises(
        NotStarted, match=r"(?s)PostgreSQL ended with .*postgres\.log.*Mend what it complains of"
    ) as caught:
        async with postgres.running(folder):
            pass

    assert f"where nothing in it is worth keeping, delete {folder}:" in str(caught.value)


async def test_who_heeds_the_store_is_told_that_it_is_away_though_nobody_asks(folder: Path) -> None:
    async with AsyncExitStack() as own:
        server = await own.enter_async_context(postgres.running(folder, durable=False))
        async with database.connect(server.url) as store, database.heeding(store):
            before = store.missing

            await own.aclose()

            assert await until(lambda: store.missing.get("postgresql"))
    assert before == {}


STARTS = """
import asyncio, sys
from pathlib import Path
from irnflow.local import postgres
asyncio.run(postgres.running(Path(sys.argv[1]), durable=False).__aenter__())
"""


async def test_a_first_start_that_was_killed_leaves_no_process_and_the_next_one_begins_anew(folder: Path) -> None:
    killed = await asyncio.create_subprocess_exec(sys.executable, "-c", STARTS, folder)
    await until((folder / "data" / "unfinished" / "base").exists)

    killed.kill()
    await killed.wait()

    data = str((folder / "data").resolve())
    await until(lambda: not _processes_with(data))
    assert not (folder / "data" / "unfinished" / "base" / "5").exists()  # what initdb makes last
    async with postgres.running(folder, durable=False) as server:
        assert await _run(server.url, "select 7") == 7
    assert not (folder / "data" / "secret").exists()


async def test_a_database_that_has_lost_only_its_pg_version_is_not_touched(folder: Path) -> None:
    async with postgres.running(folder, durable=False) as server:
        await _run(server.url, "create table kept as select 7 as n")
    version = folder / "data/PG_VERSION"
    lost = version.rename(folder / "lost")

    with pytest.raises(NotStarted, match=r"has lost its file PG_VERSION\. Nothing in it was touched\. Put .* back"):
        async with postgres.running(folder, durable=False):
            pass

    lost.rename(version)
    async with postgres.running(folder, durable=False) as server:
        assert await _run(server.url, "select n from kept") == 7


async def test_a_first_start_that_was_killed_while_its_files_came_to_their_place_is_begun_anew(folder: Path) -> None:
    async with postgres.running(folder, durable=False):
        pass
    (folder / "data/unfinished").mkdir()
    (folder / "data/PG_VERSION").rename(folder / "data/unfinished/PG_VERSION")

    async with postgres.running(folder, durable=False) as server:
        assert await _run(server.url, "select 7") == 7


def _processes_with(word: str) -> list[int]:
    """Those that have it in their command line."""
    found = []
    for file in Path("/proc").glob("[0-9]*/cmdline"):
        with suppress(OSError):  # it has ended
            if word in file.read_text(errors="replace"):
                found.append(int(file.parent.name))
    return found


async def test_two_cannot_use_one_folder(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("irnflow.local.private.LEFTOVERS_S", 0.1)
    async with postgres.running(folder, durable=False):
        with pytest.raises(Exception, match="in use by another irnflow"):
            async with postgres.running(folder, durable=False):
                pass


async def _run(url: str, sql: str) -> object:
    connection = await asyncpg.connect(url)
    try:
        return await connection.fetchval(sql)
    finally:
        await connection.close()
