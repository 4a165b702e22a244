import stat
from pathlib import Path

import pytest

from irnflow.errors import BadInput, Permanent
from irnflow.store.secrets import make_key, read_key, seal, unseal

KEY = bytes(range(32))


def test_what_is_sealed_opens_with_the_same_key_and_context() -> None:
    assert unseal(KEY, seal(KEY, b"secret", context="29A"), context="29A") == b"secret"


def test_the_same_secret_is_sealed_differently_each_time() -> None:
    assert seal(KEY, b"secret", context="29A") != seal(KEY, b"secret", context="29A")


@pytest.mark.parametrize(("key", "context"), [(bytes(32), "29A"), (KEY, "27B")], ids=["another key", "another context"])
def test_it_does_not_open_with_anything_else(key: bytes, context: str) -> None:
    sealed = seal(KEY, b"secret", context="29A")

    with pytest.raises(Permanent, match=f"the secret of {context} can't be opened"):
        unseal(key, sealed, context=context)


def test_a_cut_secret_does_not_open() -> None:
    with pytest.raises(Permanent):
        unseal(KEY, seal(KEY, b"secret", context="29A")[:10], context="29A")


def test_a_key_is_made_once_and_only_its_owner_reads_it(tmp_path: Path) -> None:
    file = tmp_path / "irnflow.key"

    first, second = make_key(file), make_key(file)

    assert first == second == read_key(file)
    assert stat.S_IMODE(file.stat().st_mode) == 0o600


@pytest.mark.parametrize("content", [b"", b"c2hvcnQ=", b"%%%"], ids=["empty", "short", "not base64"])
def test_a_file_that_is_no_key_is_refused_naming_it(tmp_path: Path, content: bytes) -> None:
    file = tmp_path / "irnflow.key"
    file.write_bytes(content)

    with pytest.raises(BadInput, match=r"irnflow\.key \(IRNFLOW_KEY_FILE\)"):
        read_key(file)


def test_a_missing_key_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="IRNFLOW_KEY_FILE"):
        read_key(tmp_path / "none")
