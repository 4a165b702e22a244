"""Migrations, on a real PostgreSQL."""

import asyncio
from pathlib import Path

import asyncpg
import pytest

from irnflow.errors import BadInput, Unavailable
from irnflow.store.migrate import MIGRATIONS, migrate, read


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "0001_first.sql").write_text("create schema irnflow; create table irnflow.one (n int);")
    (tmp_path / "0002_second.sql").write_text("create table irnflow.two (n int);")
    return tmp_path


async def table_names(url: str) -> set[str]:
    connection = await asyncpg.connect(url)
    rows = await connection.fetch("select table_name from information_schema.tables where table_schema = 'irnflow'")
    await connection.close()
    return {row["table_name"] for row in rows}


async def test_an_empty_database_gets_every_file_in_order(empty_database_url: str, folder: Path) -> None:
    applied = await migrate(empty_database_url, folder=folder)

    assert applied == ["0001_first", "0002_second"]
    assert await table_names(empty_database_url) == {"one", "two", "migration"}


async def test_our_own_migrations_apply_to_an_empty_database(empty_database_url: str) -> None:
    applied = await migrate(empty_database_url)

    assert applied == [migration.name for migration in read(MIGRATIONS)]
    assert {"batch", "transaction", "registration"} <= await table_names(empty_database_url)


async def test_a_second_run_finds_nothing_to_do(empty_database_url: str, folder: Path) -> None:
    await migrate(empty_database_url, folder=folder)

    applied = await migrate(empty_database_url, folder=folder)

    assert applied == []


async def test_a_new_file_is_all_that_the_next_version_applies(empty_database_url: str, folder: Path) -> None:
    await migrate(empty_database_url, folder=folder)
    (folder / "0003_third.sql").write_text("create table irnflow.three (n int);")

    applied = await migrate(empty_database_url, folder=folder)

    assert applied == ["0003_third"]


async def test_a_file_that_changed_after_it_was_applied_is_refused(empty_database_url: str, folder: Path) -> None:
    await migrate(empty_database_url, folder=folder)
    (folder / "0001_first.sql").write_text("create schema irnflow; create table irnflow.one (n bigint);")

    with pytest.raises(BadInput, match="0001_first has changed since it was applied"):
        await migrate(empty_database_url, folder=folder)


async def test_a_database_of_a_newer_version_is_refused(empty_database_url: str, folder: Path) -> None:
    await migrate(empty_database_url, folder=folder)
    (folder / "0002_second.sql").unlink()

    with pytest.raises(BadInput, match="0002_second, which this version doesn't know"):
        await migrate(empty_database_url, folder=folder)


async def test_a_file_that_fails_leaves_nothing_of_itself(empty_database_url: str, folder: Path) -> None:
    (folder / "0002_second.sql").write_text("create table irnflow.two (n int); select 1 / 0;")

    with pytest.raises(AssertionError, match="0002_second fails: division by zero"):
        await migrate(empty_database_url, folder=folder)

    assert await table_names(empty_database_url) == {"one", "migration"}


async def test_of_many_processes_that_migrate_at_once_one_does(empty_database_url: str, folder: Path) -> None:
    applied = await asyncio.gather(*(migrate(empty_database_url, folder=folder) for _ in range(5)))

    assert sorted(applied) == [[], [], [], [], ["0001_first", "0002_second"]]


def test_two_files_with_one_number_are_a_mistake_of_ours(folder: Path) -> None:
    (folder / "0002_other.sql").write_text("select 1;")

    with pytest.raises(AssertionError, match="same number"):
        read(folder)


async def test_a_server_that_is_not_there_is_told_with_the_setting_to_look_at(folder: Path) -> None:
    with pytest.raises(Unavailable, match="IRNFLOW_DATABASE_URL"):
        await migrate("postgresql://irnflow@127.0.0.1:1/irnflow", folder=folder)
