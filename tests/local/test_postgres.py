"""local/postgres.py."""

import os
import signal
from pathlib import Path

import asyncpg
import pytest

from irnflow.local import postgres
from irnflow.local.child import NotStarted
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

    with pytest.raises(NotStarted, match=r"(?s)PostgreSQL ended with .*postgres\.log"):
        async with postgres.running(folder):
            pass


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
