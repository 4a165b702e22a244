"""Portals: read from their file, in the order of preference, each with its family."""

from pathlib import Path

import pytest

from irnflow.errors import BadInput
from irnflow.portal.client import Portal, Reply, Request
from irnflow.portal.several import Line, Portals, read

FILE = """
[NIC1]
url = "http://127.0.0.1:1"
family = "NIC"
auth_key = "auth.pem"
signing_keys = "/keys"
per_minute = 60

[Other]
url = "http://127.0.0.1:2"
auth_key = "other.pem"
signing_keys = "other"
"""


async def _nowhere(request: Request) -> Reply:
    raise AssertionError(request)


def line(name: str, family: str) -> Line:
    return Line(name=name, family=family, portal=Portal(_nowhere, None), keys={})  # type: ignore[arg-type]


def test_a_file_names_portals_in_the_order_of_preference(tmp_path: Path) -> None:
    (tmp_path / "portals.toml").write_text(FILE)

    portals = read(tmp_path / "portals.toml")

    assert [(name, each.family, each.per_minute) for name, each in portals.items()] == [
        ("NIC1", "NIC", 60),
        ("Other", "Other", None),
    ]


def test_paths_are_relative_to_the_file(tmp_path: Path) -> None:
    (tmp_path / "portals.toml").write_text(FILE)

    portal = read(tmp_path / "portals.toml")["NIC1"]

    assert (portal.auth_key, portal.signing_keys) == (tmp_path / "auth.pem", Path("/keys"))


@pytest.mark.parametrize(
    ("written", "says"),
    [
        ("", "names no portal"),
        ("[NIC1]\nurl = 3", "is wrong: Expected `str`"),
        ("[NIC1]\nurl = 'x'\nauth_key = 'a'\nsigning_keys = 'b'\nspeed = 3", "unknown field `speed`"),
        ("[NIC1", "is wrong"),
    ],
)
def test_what_is_wrong_in_the_file_is_said(tmp_path: Path, written: str, says: str) -> None:
    (tmp_path / "portals.toml").write_text(written)

    with pytest.raises(BadInput, match=says):
        read(tmp_path / "portals.toml")


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match=r"portals\.toml can't be read"):
        read(tmp_path / "portals.toml")


def test_a_family_is_the_portal_itself_and_then_its_kin() -> None:
    portals = Portals([line("NIC1", "NIC"), line("Other", "Other"), line("NIC2", "NIC")])

    assert [each.name for each in portals.family("NIC2")] == ["NIC2", "NIC1"]
    assert [each.name for each in portals.family("Other")] == ["Other"]
    assert portals.preferred.name == "NIC1"


def test_a_portal_that_is_not_there_is_not_in_it() -> None:
    portals = Portals([line("NIC1", "NIC")])

    assert "NIC1" in portals
    assert "NIC" not in portals


@pytest.mark.parametrize(
    ("login", "where"), [("NIC2", "NIC2"), ("NIC", "NIC1"), ("Other", "Other"), ("that is gone", "NIC1")]
)
def test_a_login_names_a_portal_or_a_family_and_else_the_preferred_one_is_meant(login: str, where: str) -> None:
    portals = Portals([line("NIC1", "NIC"), line("Other", "Others"), line("NIC2", "NIC")])

    assert portals.of_login(login).name == where


def test_a_portal_that_has_documents_and_is_gone_from_the_file_is_told() -> None:
    portals = Portals([line("NIC1", "NIC")])

    with pytest.raises(AssertionError, match="portal NIC2 has documents in the store: put it back"):
        portals["NIC2"]
