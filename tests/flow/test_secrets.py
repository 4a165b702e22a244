"""Nothing that a whole irnflow writes holds a password, token or key: its logs, its broker's and database's files, its
rows, what its API answers."""

import base64
from pathlib import Path

import msgspec
import pytest

from irnflow.books import sample
from irnflow.store.secrets import KeyRing, context_of, read_keys
from tests.flow.conftest import Flow

pytestmark = [
    pytest.mark.xdist_group("flow"),
    pytest.mark.asyncio(loop_scope="session"),
    pytest.mark.timeout(400),
]

KEPT = {"irnflow.key", "sandbox", "sandbox.log"}  # the key itself; and the portal's own side


async def test_nothing_that_was_written_holds_a_secret(flow: Flow) -> None:
    known = msgspec.json.decode((flow.deployed.settings.sandbox_dir / "sandbox.json").read_bytes())
    right = {name: known[name] for name in ("username", "password", "client_id", "client_secret")}
    gstins = (await flow.api("GET", "/api/v1/gstins"))["items"]
    paths = [f"/api/v1/gstins/{each['gstin']}/credentials" for each in gstins]
    wrong = right | {"password": "Wr0ng-and-told"}
    answers = [await flow.api("PUT", path, json=wrong) for path in paths]
    await flow.desk("POST", "switches", json={"revoke_tokens": True})  # or who is logged in would not log in anew
    batch_no = await flow.submit(flow.synthetic(5))
    await flow.until(flow.rows, "select 1 from irnflow.credentials where stopped is not null", lambda rows: rows)
    answers += [await flow.api("PUT", path, json=right) for path in paths]
    again = await flow.submit(sample.IDS)
    await flow.settled(batch_no)
    await flow.settled(again)
    await flow.agrees()

    secrets = {known["password"], known["client_secret"], "Wr0ng-and-told"} | await sessions_of(flow)
    key = (flow.deployed.folder / "irnflow.key").read_bytes().strip()
    needles = {shape for secret in secrets for shape in shapes(secret.encode())} | {key, base64.b64decode(key)}

    files = [file for file in flow.deployed.folder.rglob("*") if is_ours(file.relative_to(flow.deployed.folder))]
    holding = [file.name for file in files if any(needle in read(file) for needle in needles)]
    assert any(file.name == "registration.log" for file in files)
    assert len(files) > 100
    assert holding == []
    written = (await everything_in(flow)) + msgspec.json.encode(answers)
    assert [needle for needle in needles if needle in written] == []


async def sessions_of(flow: Flow) -> set[str]:
    """Tokens and session keys that are in use, opened."""
    ring = KeyRing(read_keys(flow.deployed.folder / "irnflow.key"))
    rows = await flow.rows("select portal, gstin, sealed from irnflow.portal_session where sealed is not null")
    plain = [ring.unseal(bytes(row["sealed"]), context=context_of(row["gstin"], row["portal"])) for row in rows]
    opened = [msgspec.json.decode(each)["session"] for each in plain]
    assert opened
    return {session[name] for session in opened for name in ("token", "sek")}


def shapes(secret: bytes) -> set[bytes]:
    return {secret, base64.b64encode(secret), secret.hex().encode()}


def is_ours(file: Path) -> bool:
    return file.parts[0] not in KEPT


def read(file: Path) -> bytes:
    return file.read_bytes() if file.is_file() and not file.is_symlink() else b""


async def everything_in(flow: Flow) -> bytes:
    tables = await flow.rows("select tablename from pg_tables where schemaname = 'irnflow'")
    every = "select row_to_json(t)::text as row from irnflow.{} t"
    found = [await flow.rows(every.format(each["tablename"])) for each in tables]
    return "\n".join(row["row"] for rows in found for row in rows).encode()
