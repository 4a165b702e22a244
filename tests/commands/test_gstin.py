"""`irnflow gstin` and `irnflow keys`, on a real PostgreSQL."""

import asyncio
import json
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path

import pytest

from irnflow.errors import BadInput, Permanent
from irnflow.services.data_fetch import Terms, gstins
from irnflow.store import accounts, database, rotation
from irnflow.store.secrets import KeyRing, make_key, new_key, read_keys, write_keys
from tests.commands.running import Ran, run
from tests.tenant import make_tenant

GSTIN = "29AABCT1332L1ZU"
TYPED = b"surya_api\npa55word\nCL1\ns3cret\n"


@pytest.fixture
async def file(database_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The key file of an irnflow with one account."""
    monkeypatch.setenv("IRNFLOW_DATABASE_URL", database_url)
    monkeypatch.setenv("IRNFLOW_DATA", str(tmp_path))
    monkeypatch.setattr(rotation, "SETTLE_S", 0)
    async with database.connect(database_url) as store:
        await make_tenant(store)
    make_key(tmp_path / "irnflow.key")
    return tmp_path / "irnflow.key"


async def ran(*words: str, given: bytes = b"") -> Ran:
    return await asyncio.to_thread(run, *words, given=given)  # it has a loop of its own


async def password(url: str, file: Path) -> str:
    async with database.connect(url) as store:
        return (await accounts.credentials_of(store, KeyRing(read_keys(file)), GSTIN, "NIC1")).password


async def stop(url: str) -> None:
    async with database.connect(url) as store:
        await store.fetch("update irnflow.credentials set stopped = '1019 [Incorrect] user id/password'")


async def test_credentials_are_asked_for_sealed_and_not_shown(database_url: str, file: Path) -> None:
    set_ = await ran("gstin", "credentials", GSTIN.lower(), given=TYPED)

    assert f"Credentials of {GSTIN} are set" in set_.out
    assert "pa55word" not in set_.out
    assert "s3cret" not in set_.out
    assert await password(database_url, file) == "pa55word"


async def test_a_stopped_gstin_is_listed_with_its_reason_until_it_has_new_credentials(
    database_url: str, file: Path
) -> None:
    await ran("gstin", "credentials", GSTIN, given=TYPED)
    await stop(database_url)

    stopped = await ran("gstin", "list", "--stopped")
    await ran("gstin", "credentials", GSTIN, given=TYPED)
    mended = await ran("gstin", "list", "--stopped")

    assert stopped.code == 1
    assert "stopped: 1019 [Incorrect]" in stopped.out
    assert (mended.code, mended.out) == (0, "No GSTIN stands still.\n")


async def test_what_the_portal_knows_of_a_gstin_is_shown_in_words_and_whole(database_url: str, file: Path) -> None:
    details = {"DtReg": "2017-07-01", "Gstin": GSTIN, "AddrLoc": "PUNE", "Status": "SUS", "DtDReg": None, "New": 1,
               "AddrBno": "12", "LegalName": "Surya", "TxpType": "REG"}  # fmt: skip
    async with database.connect(database_url) as store:
        await store.fetch(
            "insert into irnflow.gstin_detail (gstin, details, fetched_at, asked_at)"
            " values ($1, $2::text::jsonb, $3, $3)",
            GSTIN, json.dumps(details), datetime.now(UTC),
        )  # fmt: skip

    shown = await ran("gstin", "show", GSTIN)

    assert shown.code == 1
    assert shown.out.splitlines()[:-1] == [
        f"GSTIN        {GSTIN}",
        "legal name   Surya",
        "status       suspended (SUS)",
        "registered   2017-07-01",
        "kind         regular (REG)",
        "address      12, PUNE",
        "New          1",
    ]
    assert shown.out.splitlines()[-1].endswith(" IST")


async def test_a_gstin_goes_on_with_the_credentials_that_it_has(database_url: str, file: Path) -> None:
    await ran("gstin", "credentials", GSTIN, given=TYPED)
    await stop(database_url)

    stopped = await ran("gstin", "resume", GSTIN)
    running = await ran("gstin", "resume", GSTIN)

    assert "runs" in (await ran("gstin", "list")).out
    assert stopped.out == f"{GSTIN} goes on. If the portal refuses it again, it stops again.\n"
    assert running.out == f"{GSTIN} was not stopped: it goes on as before.\n"


async def test_many_come_from_a_file(database_url: str, file: Path) -> None:
    given = [
        {"gstin": gstin, "username": "u", "password": "many", "client_id": "c", "client_secret": "s"}
        for gstin in (GSTIN, "27AABCT1332L1ZY")
    ]

    set_ = await ran("gstin", "credentials", "--from", "-", given=json.dumps(given).encode())

    assert "Credentials of 2 GSTINs are set" in set_.out
    assert await password(database_url, file) == "many"


WHOLE = {"gstin": GSTIN, "username": "u", "password": "hush", "client_id": "c", "client_secret": "s"}


@pytest.mark.parametrize(
    ("given", "says"),
    [
        (json.dumps([WHOLE | {"gstin": "29A"}]), "no GSTIN"),
        (json.dumps([WHOLE | {"username": ""}]), "something is empty"),
        (json.dumps([WHOLE | {"username": "u" * 120}]), "too long"),
        (json.dumps([{"gstin": GSTIN, "password": "hush"}]), "holds no credentials"),
        ('{"password": "hush', "holds no credentials"),
        ("[]", "names no GSTIN"),
    ],
)
async def test_a_file_that_is_wrong_is_told_so_without_its_secrets(file: Path, given: str, says: str) -> None:
    with pytest.raises(BadInput, match=says) as caught:
        await ran("gstin", "credentials", "--from", "-", given=given.encode())

    assert "hush" not in str(caught.value)


async def test_a_gstin_that_the_account_has_not_cannot_go_on(file: Path) -> None:
    with pytest.raises(BadInput, match="irnflow gstin list"):
        await ran("gstin", "resume", GSTIN)


@pytest.fixture
def portals(file: Path) -> None:
    """Two families of portals are described."""
    portal = 'url = "https://portal.example"\nauth_key = "a.pem"\nsigning_keys = "keys"\n'
    text = f'[NIC1]\nfamily = "NIC"\n{portal}[NIC2]\nfamily = "NIC"\n{portal}[IRIS]\n{portal}'
    (file.parent / "portals.toml").write_text(text)


async def listed() -> list[list[str]]:
    """The cells of the list, line by line."""
    lines = (await ran("gstin", "list")).out.splitlines()
    return [[cell.strip() for cell in line.split("│")[1:-1]] for line in lines if GSTIN in line]


@pytest.mark.usefixtures("portals")
async def test_a_gstin_has_credentials_for_each_family_of_portals_named_by_any_of_its_portals(file: Path) -> None:
    await ran("gstin", "credentials", GSTIN, given=TYPED)
    await ran("gstin", "credentials", GSTIN, "--portal", "IRIS", given=TYPED)
    await ran("gstin", "credentials", GSTIN, "--portal", "NIC2", given=b"nic_api\np\nCL2\ns\n")

    assert [cells[1:3] for cells in await listed()] == [["IRIS", "surya_api"], ["NIC", "nic_api"]]


@pytest.mark.usefixtures("portals")
async def test_with_credentials_for_two_families_it_must_be_said_which_are_meant(file: Path) -> None:
    await ran("gstin", "credentials", GSTIN, given=TYPED)
    await ran("gstin", "credentials", GSTIN, "--portal", "IRIS", given=TYPED)

    with pytest.raises(BadInput, match=f"{GSTIN}: it has credentials for IRIS and NIC: say for which portal"):
        await ran("gstin", "credentials", GSTIN, given=TYPED)


@pytest.mark.usefixtures("portals")
async def test_credentials_for_a_portal_that_is_not_there_are_refused_and_nothing_is_set(file: Path) -> None:
    given = [WHOLE, WHOLE | {"portal": "IRSI"}]

    with pytest.raises(BadInput, match="there is no portal IRSI; there are: NIC1, NIC2, IRIS, NIC"):
        await ran("gstin", "credentials", "--from", "-", given=json.dumps(given).encode())

    assert await listed() == []


@pytest.mark.usefixtures("portals")
async def test_only_the_login_that_is_stopped_is_listed_as_stopped_and_let_go_on(database_url: str, file: Path) -> None:
    await ran("gstin", "credentials", GSTIN, given=TYPED)
    await ran("gstin", "credentials", GSTIN, "--portal", "IRIS", given=TYPED)
    await stop(database_url)

    resumed = await ran("gstin", "resume", GSTIN, "--portal", "nic1")

    assert "goes on. If" in resumed.out
    assert [cells[1] for cells in await listed() if "runs" in cells[4]] == ["NIC"]
    assert (await ran("gstin", "list", "--stopped")).code == 1


@pytest.mark.usefixtures("portals")
async def test_credentials_of_one_family_are_removed_and_the_last_stay(file: Path) -> None:
    await ran("gstin", "credentials", GSTIN, given=TYPED)
    await ran("gstin", "credentials", GSTIN, "--portal", "IRIS", given=TYPED)

    gone = await ran("gstin", "remove", GSTIN, "--portal", "NIC1")

    assert gone.out == f"Credentials of {GSTIN} for NIC are gone.\n"
    assert [cells[1] for cells in await listed()] == ["IRIS"]
    with pytest.raises(BadInput, match="has no credentials of 29AABCT1332L1ZU for NIC"):
        await ran("gstin", "remove", GSTIN, "--portal", "NIC1")
    with pytest.raises(BadInput, match="for IRIS stay: they are all that it can log in with"):
        await ran("gstin", "remove", GSTIN, "--portal", "IRIS")


async def test_credentials_that_a_document_in_doubt_needs_stay(database_url: str, file: Path) -> None:
    await ran("gstin", "credentials", GSTIN, given=TYPED)
    await ran("gstin", "credentials", GSTIN, "--portal", "IRIS", given=TYPED)
    async with database.connect(database_url) as store:
        await store.fetch(
            "insert into irnflow.registration (irn, account_id, books, voucher_id, gstin, doc_typ, doc_no, doc_dt,"
            " state, attempt, digest, batch_id, transaction_id, portal, next_at, updated_at)"
            " values (repeat('a', 64), 1, 'b', 'v', $1, 'INV', '1', '', 'UNKNOWN', 1, '', 1, 't', 'NIC1', $2, $2)",
            GSTIN, datetime.now(UTC),
        )  # fmt: skip

    with pytest.raises(BadInput, match="for NIC1 stay: documents may have arrived there"):
        await ran("gstin", "remove", GSTIN, "--portal", "NIC1")

    assert (await ran("gstin", "remove", GSTIN, "--portal", "IRIS")).code == 0


async def test_the_lines_and_the_turnover_of_a_gstin_are_set(database_url: str, file: Path) -> None:
    await ran("gstin", "credentials", GSTIN, given=TYPED)

    lines = await ran("gstin", "set", GSTIN.lower(), "--lines-max", "5000")
    crore = await ran("gstin", "set", GSTIN, "--turnover", "7.5")

    assert lines.out == f"{GSTIN}: a turnover of 10 crore or more, at most 5000 lines in a document.\n"
    assert crore.out == f"{GSTIN}: a turnover of 7.50 crore, at most 5000 lines in a document.\n"
    async with database.connect(database_url) as store:
        (owned,) = (await gstins(store, {1})).values()
    assert owned == {GSTIN: Terms(turnover_crore=Decimal("7.50"), lines_max=5000)}


@pytest.mark.parametrize(
    "words", [(), ("--lines-max", "5001"), ("--lines-max", "0"), ("--turnover", "1e12")]
)  # fmt: skip
async def test_nothing_to_set_and_too_much_are_refused(file: Path, words: tuple[str, ...]) -> None:
    assert (await ran("gstin", "set", GSTIN, *words)).code == 2


async def test_nothing_is_set_of_a_gstin_that_the_account_lacks(file: Path) -> None:
    with pytest.raises(BadInput, match=f"has no GSTIN {GSTIN}"):
        await ran("gstin", "set", GSTIN, "--lines-max", "2000")


async def test_keys_are_rotated(database_url: str, file: Path) -> None:
    await ran("gstin", "credentials", GSTIN, given=TYPED)
    old = read_keys(file)

    rotated = await ran("keys", "rotate")

    assert rotated.code == 0
    assert "Sealed anew with the current key: 1" in rotated.out
    assert read_keys(file) != old
    assert await password(database_url, file) == "pa55word"


async def test_with_keys_in_the_environment_everything_is_sealed_with_the_first(
    database_url: str, file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    await ran("gstin", "credentials", GSTIN, given=TYPED)
    printed = (await ran("keys", "new")).out.strip()
    monkeypatch.setenv("IRNFLOW_KEY", f"{printed} {file.read_text()}")

    rotated = await ran("keys", "rotate")

    assert "from IRNFLOW_KEY all but the first key may go" in rotated.out
    with pytest.raises(Permanent):
        await password(database_url, file)
    write_keys(file, [*KeyRing([new_key()]).keys])
    monkeypatch.setenv("IRNFLOW_KEY", printed)
    assert "0 (credentials" in (await ran("keys", "rotate")).out


async def test_what_no_key_opens_is_named_and_ends_with_1(database_url: str, file: Path) -> None:
    await ran("gstin", "credentials", GSTIN, given=TYPED)
    write_keys(file, [new_key()])

    rotated = await ran("keys", "rotate")

    assert rotated.code == 1
    assert f"No key opens the credentials of {GSTIN}" in rotated.out
