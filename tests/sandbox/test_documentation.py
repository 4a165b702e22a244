"""docs/sandbox.md says what the code does, and its walk-through walks."""

import asyncio
import re
import shutil
from asyncio.subprocess import PIPE
from pathlib import Path
from typing import get_args

import pytest

from irnflow.sandbox.app import running
from irnflow.sandbox.identity import open_identity
from irnflow.sandbox.limits import Limits
from irnflow.sandbox.switches import Call, Failure, Forge, Latency, Order
from tests.sandbox.conftest import NOW, counted

PAGE = (Path(__file__).parents[2] / "docs/sandbox.md").read_text(encoding="utf-8")


def fields_in_table(after: str) -> set[str]:
    """What the first column of the table that follows these words names."""
    table = PAGE[PAGE.index(after) :].split("\n\n")[1]
    return {name for row in table.splitlines()[2:] for name in re.findall(r"`(\w+)`", row.split("|")[1])}


def test_every_field_of_an_order_has_its_row() -> None:
    assert fields_in_table("An order (`POST /sandbox/switches`) may hold:") == set(Order.__struct_fields__)


def test_every_field_of_a_failure_has_its_row() -> None:
    assert fields_in_table("One of `fail_next`") == set(Failure.__struct_fields__)


def test_every_limit_has_its_row() -> None:
    assert fields_in_table("`limits` in `sandbox.json` are") == set(Limits.__struct_fields__)


@pytest.mark.parametrize("word", [*get_args(Call), *get_args(Forge), *Latency.__struct_fields__])
def test_every_word_of_the_switches_is_told(word: str) -> None:
    assert re.search(rf"[`\"]{word}[`\"]", PAGE)


@pytest.mark.skipif(not (shutil.which("curl") and shutil.which("openssl")), reason="it is about curl and openssl")
async def test_the_walk_through_registers_gets_and_cancels(identity_folder: Path, tmp_path: Path) -> None:
    folder = Path(shutil.copytree(identity_folder, tmp_path / "sandbox"))
    known = open_identity(folder, now=NOW, random_bytes=counted()).credentials
    _, with_curl = PAGE.split("### With curl and openssl")
    printed, login, calls = re.findall(r"```sh\n(.*?)```", with_curl, re.DOTALL)

    async with running(folder) as address:
        values = {
            "address": address,
            "client_id": known.client_id,
            "client_secret": known.client_secret,
            "user": known.username,
            "password": known.password,
            "public_key": str(folder / "auth_public.pem"),
        }
        told = "\n".join(f"{name}='{value}'" for name, value in values.items())
        shell = await asyncio.create_subprocess_exec("sh", "-eu", "-c", f"{printed}{told}\n{login}{calls}", stdout=PIPE)
        output, _ = await shell.communicate()

    got, cancelled = output.decode().splitlines()
    assert shell.returncode == 0
    assert '"Status":"ACT"' in got
    assert re.search(r'"CancelDate":"\d{4}-', cancelled)
