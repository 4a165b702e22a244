import base64
import stat
from pathlib import Path

import pytest

from irnflow.errors import BadInput, Permanent
from irnflow.store.secrets import KeyRing, key_ring, make_key, new_key, read_keys, write_keys

KEY, OTHER = bytes(range(32)), bytes(32)
RING = KeyRing([KEY])


def test_what_is_sealed_opens_with_the_same_key_and_context() -> None:
    assert RING.unseal(RING.seal(b"secret", context="29A"), context="29A") == b"secret"


def test_the_same_secret_is_sealed_differently_each_time() -> None:
    assert RING.seal(b"secret", context="29A") != RING.seal(b"secret", context="29A")


@pytest.mark.parametrize(
    ("ring", "context"), [(KeyRing([OTHER]), "29A"), (RING, "27B")], ids=["another key", "another context"]
)
def test_it_does_not_open_with_anything_else(ring: KeyRing, context: str) -> None:
    sealed = RING.seal(b"secret", context="29A")

    with pytest.raises(Permanent, match=f"the secret of {context} can't be opened"):
        ring.unseal(sealed, context=context)


def test_a_cut_secret_does_not_open() -> None:
    with pytest.raises(Permanent):
        RING.unseal(RING.seal(b"secret", context="29A")[:10], context="29A")


def test_an_earlier_key_still_opens_and_the_current_one_seals() -> None:
    both = KeyRing([OTHER, KEY])

    sealed = both.seal(b"new", context="29A")

    assert both.unseal(RING.seal(b"old", context="29A"), context="29A") == b"old"
    assert KeyRing([OTHER]).unseal(sealed, context="29A") == b"new"
    assert both.is_current(sealed, context="29A")
    assert not both.is_current(RING.seal(b"old", context="29A"), context="29A")


def test_a_ring_never_shows_its_keys() -> None:
    shown = repr(KeyRing([b"A" * 32]))

    assert "AAAA" not in shown


def test_a_file_that_changes_is_read_again_without_a_restart(tmp_path: Path) -> None:
    file = tmp_path / "irnflow.key"
    write_keys(file, [KEY])
    ring = key_ring("", file)

    write_keys(file, [OTHER, KEY])

    assert KeyRing([OTHER]).unseal(ring.seal(b"secret", context="29A"), context="29A") == b"secret"


def test_a_key_is_made_once_and_only_its_owner_reads_it(tmp_path: Path) -> None:
    file = tmp_path / "irnflow.key"
    make_key(file)
    first = read_keys(file)

    make_key(file)

    assert read_keys(file) == first
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert [each.name for each in tmp_path.iterdir()] == ["irnflow.key"]


def test_the_environment_goes_before_the_file(tmp_path: Path) -> None:
    words = f"{base64.b64encode(OTHER).decode()} {base64.b64encode(KEY).decode()}"

    assert key_ring(words, tmp_path / "none").keys == (OTHER, KEY)


@pytest.mark.parametrize(
    ("content", "says"),
    [(b"", "holds no key"), (b"c2hvcnQ=", "key 1 has 5 bytes"), (b"%%%", "not base64"), (b"\xff\xfe", "not base64")],
    ids=["empty", "short", "not base64", "not text"],
)
def test_a_file_that_is_no_key_is_refused_naming_it(tmp_path: Path, content: bytes, says: str) -> None:
    file = tmp_path / "irnflow.key"
    file.write_bytes(content)

    with pytest.raises(BadInput, match=rf"irnflow\.key \(IRNFLOW_KEY_FILE\).*{says}"):
        read_keys(file)


def test_the_second_key_of_two_is_named_when_it_is_none() -> None:
    words = f"{base64.b64encode(new_key()).decode()} c2hvcnQ="

    with pytest.raises(BadInput, match="IRNFLOW_KEY: key 2 has 5 bytes"):
        key_ring(words, Path("none"))


def test_what_is_wrong_with_a_key_is_said_without_it(tmp_path: Path) -> None:
    with pytest.raises(BadInput) as caught:
        key_ring("c2VjcmV0LXNlY3JldA==", tmp_path)

    assert "c2VjcmV0" not in f"{caught.value!r}{caught.value.__cause__!r}"


def test_a_missing_key_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="IRNFLOW_KEY_FILE"):
        read_keys(tmp_path / "none")
