import asyncio
import os
import re
import sys
from asyncio.subprocess import PIPE, STDOUT
from pathlib import Path

import msgspec
import pytest

from irnflow.sandbox.identity import Identity
from irnflow.sandbox.introduction import introduction


@pytest.fixture
def lines(identity: Identity, identity_folder: Path) -> dict[str, str]:
    """What is printed, by its label."""
    text = introduction(identity, address="http://127.0.0.1:8090", folder=identity_folder)
    return dict(re.findall(r"^  (\w+(?: \w+)*)  +(\S+)", text, re.MULTILINE))


def test_all_that_a_client_needs_is_printed(identity: Identity, lines: dict[str, str]) -> None:
    known = identity.credentials

    assert lines["address"] == "http://127.0.0.1:8090"
    assert (lines["client id"], lines["client secret"]) == (known.client_id, known.client_secret)
    assert (lines["user name"], lines["password"]) == (known.username, known.password)


def test_the_keys_are_where_it_says(identity: Identity, lines: dict[str, str]) -> None:
    assert Path(lines["public key"]).read_bytes().startswith(b"-----BEGIN PUBLIC KEY")
    assert Path(lines["certificate"]).read_bytes().startswith(b"-----BEGIN CERTIFICATE")
    assert Path(lines["certificate"]).stem == identity.signer.kid


def test_a_user_kept_to_some_taxpayers_is_told_which(identity: Identity, identity_folder: Path) -> None:
    kept = msgspec.structs.replace(identity.credentials, gstins=["27AAPFU0939F1ZV", "29AABCD1234E1Z4"])
    bound = msgspec.structs.replace(identity, credentials=kept)

    text = introduction(bound, address="http://127.0.0.1:8090", folder=identity_folder)

    assert "GSTIN          27AAPFU0939F1ZV, 29AABCD1234E1Z4\n" in text


async def test_quietly_it_prints_no_secret(tmp_path: Path) -> None:
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "irnflow", "serve", "sandbox", "--quiet",
        env=os.environ | {"IRNFLOW_DATA": str(tmp_path)}, stdout=PIPE, stderr=STDOUT,
    )  # fmt: skip
    assert process.stdout
    said = await process.stdout.readuntil(b"serving")
    process.terminate()
    said += await process.stdout.read()
    await process.wait()

    secrets = msgspec.json.decode((tmp_path / "sandbox" / "sandbox.json").read_bytes())
    assert secrets["client_secret"].encode() not in said
    assert secrets["password"].encode() not in said
