"""The folder of the portal's keys, which rotate while we run; made of the sandbox's own certificates."""

import os
import shutil
from datetime import UTC, datetime
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from structlog.testing import capture_logs

from irnflow import log
from irnflow.errors import BadInput
from irnflow.portal.signing_keys import KeyFolder, look_through, read_keys
from irnflow.sandbox.identity import open_identity

AT = datetime(2026, 11, 22, tzinfo=UTC)
SPKI = serialization.PublicFormat.SubjectPublicKeyInfo


@pytest.fixture(scope="module")
def certificates(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """Two certificates of a portal, each named by its kid."""
    folders = [tmp_path_factory.mktemp("sandbox") for _ in range(2)]
    for folder in folders:
        open_identity(folder, now=AT, random_bytes=os.urandom)
    return [next((folder / "signing_keys").iterdir()) for folder in folders]


class Clock:
    """Seconds that the test counts."""

    def __init__(self) -> None:
        self.at = 0.0

    def __call__(self) -> float:
        return self.at


@pytest.fixture
def clock() -> Clock:
    return Clock()


def folder_of(tmp_path: Path, clock: Clock) -> KeyFolder:
    return KeyFolder(tmp_path, log=log.logger("test"), clock=clock)


def der(certificate: Path) -> bytes:
    return x509.load_pem_x509_certificate(certificate.read_bytes()).public_bytes(serialization.Encoding.DER)


def test_a_certificate_is_known_by_its_thumbprint_and_by_its_file(tmp_path: Path, certificates: list[Path]) -> None:
    shutil.copy(certificates[0], tmp_path / "nic-2026.pem")

    assert set(read_keys(tmp_path)) == {certificates[0].stem, "NIC-2026"}


def test_certificates_come_in_der_too_and_several_in_a_file(tmp_path: Path, certificates: list[Path]) -> None:
    (tmp_path / "one.cer").write_bytes(der(certificates[0]))
    (tmp_path / "chain.pem").write_bytes(b"".join(each.read_bytes() for each in certificates))

    assert {each.stem for each in certificates} <= set(read_keys(tmp_path))


def test_a_public_key_is_known_by_its_file(tmp_path: Path) -> None:
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048).public_key()
    (tmp_path / "ab12.pem").write_bytes(key.public_bytes(serialization.Encoding.PEM, SPKI))

    assert read_keys(tmp_path)["AB12"].public_numbers() == key.public_numbers()


def test_a_certificate_says_whose_it_is_and_how_long(tmp_path: Path, certificates: list[Path]) -> None:
    shutil.copy(certificates[0], tmp_path)

    [found] = look_through(tmp_path)

    assert found.owner == "CN=irnflow sandbox portal"
    assert found.valid_from == datetime(2026, 11, 21, tzinfo=UTC)


def test_other_files_of_the_folder_are_left_alone(tmp_path: Path) -> None:
    (tmp_path / "README").write_text("where they are from")

    assert read_keys(tmp_path) == {}


def test_a_certificate_under_the_name_of_another_is_refused(tmp_path: Path, certificates: list[Path]) -> None:
    shutil.copy(certificates[0], tmp_path / certificates[1].name)

    with pytest.raises(BadInput, match=f"is the certificate {certificates[0].stem}"):
        read_keys(tmp_path)


@pytest.mark.parametrize("name", ["x.pem", "x.cer"])
def test_a_file_that_is_no_certificate_is_named(tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_text("no certificate")

    with pytest.raises(BadInput, match=r"x\.(pem|cer) is no certificate"):
        read_keys(tmp_path)


def test_a_key_that_is_not_rsa_is_refused(tmp_path: Path) -> None:
    key = ec.generate_private_key(ec.SECP256R1()).public_key()
    (tmp_path / "x.pem").write_bytes(key.public_bytes(serialization.Encoding.PEM, SPKI))

    with pytest.raises(BadInput, match="no RSA key"):
        read_keys(tmp_path)


def test_a_new_key_is_found_when_it_is_asked_for(tmp_path: Path, certificates: list[Path], clock: Clock) -> None:
    shutil.copy(certificates[0], tmp_path)
    folder = folder_of(tmp_path, clock)
    clock.at = 11
    shutil.copy(certificates[1], tmp_path)

    assert folder[certificates[1].stem]
    assert folder[certificates[0].stem]


def test_a_new_key_is_found_when_all_are_looked_through(tmp_path: Path, certificates: list[Path], clock: Clock) -> None:
    folder = folder_of(tmp_path, clock)
    clock.at = 11
    shutil.copy(certificates[1], tmp_path)

    assert list(folder) == [certificates[1].stem]


def test_the_folder_is_not_read_for_every_unknown_key(tmp_path: Path, certificates: list[Path], clock: Clock) -> None:
    folder = folder_of(tmp_path, clock)
    clock.at = 11
    assert "ANOTHER" not in folder
    shutil.copy(certificates[0], tmp_path)

    soon = certificates[0].stem in folder
    clock.at = 22

    assert (soon, certificates[0].stem in folder) == (False, True)


def test_a_key_that_is_taken_away_stays_while_we_run(tmp_path: Path, certificates: list[Path], clock: Clock) -> None:
    old = shutil.copy(certificates[0], tmp_path)
    folder = folder_of(tmp_path, clock)
    clock.at = 11
    Path(old).unlink()

    assert "ANOTHER" not in folder
    assert certificates[0].stem in folder


def test_a_bad_file_that_comes_later_is_told_and_keeps_no_other_out(
    tmp_path: Path, certificates: list[Path], clock: Clock
) -> None:
    folder = folder_of(tmp_path, clock)
    clock.at = 11
    (tmp_path / "a-cut.pem").write_text("-----BEGIN CERT")
    shutil.copy(certificates[0], tmp_path)

    with capture_logs() as said:
        found = certificates[0].stem in folder

    assert found
    assert "a-cut.pem" in next(line["error"] for line in said if line["log_level"] == "error")
