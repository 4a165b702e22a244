from pathlib import Path

import pytest
from cryptography.hazmat.primitives.serialization import load_pem_public_key

from irnflow.errors import BadInput
from irnflow.sandbox.identity import Identity, open_identity
from tests.sandbox.conftest import NOW, counted


def modes(folder: Path) -> dict[str, str]:
    return {file.name: f"{file.stat().st_mode & 0o777:o}" for file in folder.iterdir() if file.is_file()}


def test_secrets_are_for_their_owner_alone(identity_folder: Path) -> None:
    assert modes(identity_folder) == {
        "sandbox.json": "600",
        "auth_private.pem": "600",
        "signing_private.pem": "600",
        "auth_public.pem": "644",
    }


def test_what_was_made_at_the_first_start_is_kept(identity_folder: Path, identity: Identity) -> None:
    again = open_identity(identity_folder, now=NOW, random_bytes=counted())

    assert again.credentials == identity.credentials
    assert again.signer.kid == identity.signer.kid
    assert again.auth_key.private_numbers() == identity.auth_key.private_numbers()


def test_the_public_key_for_logins_belongs_to_the_private_one(identity: Identity) -> None:
    published = load_pem_public_key(identity.auth_public_file.read_bytes())

    assert published == identity.auth_key.public_key()


def test_public_files_come_back_when_they_were_taken_away(identity: Identity, identity_folder: Path) -> None:
    published = identity.auth_public_file.read_bytes()
    identity.auth_public_file.unlink()

    open_identity(identity_folder, now=NOW, random_bytes=counted())

    assert identity.auth_public_file.read_bytes() == published


def test_a_file_of_credentials_that_is_wrong_says_where_and_why(identity_folder: Path, tmp_path: Path) -> None:
    for name in ("auth_private.pem", "signing_private.pem"):
        (tmp_path / name).write_bytes((identity_folder / name).read_bytes())
    (tmp_path / "sandbox.json").write_text('{"client_id": 1}')

    with pytest.raises(BadInput, match=r"sandbox\.json is wrong: .*client_id"):
        open_identity(tmp_path, now=NOW, random_bytes=counted())
