"""Portals: read from their file, in the order of preference, each with its family."""

from pathlib import Path

import pytest

from irnflow.errors import BadInput
from irnflow.portal.client import Portal, Reply, Request
from irnflow.portal.several import Families, Line, Portals, families, issuer_of, read
from irnflow.settings import Settings

FILE = """
[NIC1]
url = "http://127.0.0.1:1"
family = "NIC"
auth_key = "auth.pem"
signing_keys = "/keys"
per_minute = 60
eway_bill_2_url = "http://127.0.0.1:3"

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


def test_a_portal_names_the_addresses_of_the_e_way_bill_portals(tmp_path: Path) -> None:
    (tmp_path / "portals.toml").write_text(FILE)

    portals = read(tmp_path / "portals.toml")

    assert portals["NIC1"].eway_bill_urls == {2: "http://127.0.0.1:3"}
    assert portals["Other"].eway_bill_urls == {}


@pytest.mark.parametrize(
    ("ewb_no", "which"),
    [("681008686014", 1), ("611008686014", 1), ("677008686014", 1), ("688008686014", 2), ("679008686014", 2), ("", 1)],
)
def test_the_third_digit_tells_which_e_way_bill_portal_issued_a_number(ewb_no: str, which: int) -> None:
    assert issuer_of(ewb_no) == which


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


def test_families_come_in_the_order_of_preference() -> None:
    portals = Portals([line("NIC1", "NIC"), line("Other", "Others"), line("NIC2", "NIC")])

    assert portals.families == ["NIC", "Others"]


FAMILIES = Families(of={"NIC1": "NIC", "NIC2": "NIC", "IRIS": "IRIS", "NIC": "NIC"}, preferred="NIC")


@pytest.mark.parametrize(
    ("name", "known", "meant"),
    [
        (None, [], "NIC"),  # the preferred one
        (None, ["IRIS"], "IRIS"),  # as it is
        ("NIC2", [], "NIC"),  # portals of a family share a login
        ("NIC", ["IRIS"], "NIC"),
        ("gone", ["gone"], "gone"),  # nobody but the GSTIN knows it
    ],
)
def test_a_family_is_meant_by_its_name_or_its_portals_or_as_it_is(
    name: str | None, known: list[str], meant: str
) -> None:
    assert FAMILIES.named(name, known) == meant


@pytest.mark.parametrize(
    ("name", "known", "says"),
    [
        (None, ["IRIS", "NIC"], "it has credentials for IRIS and NIC: say for which portal"),
        ("IRSI", [], "there is no portal IRSI; there are: NIC1, NIC2, IRIS, NIC"),
    ],
)
def test_a_family_that_is_not_clear_or_not_there_is_told(name: str | None, known: list[str], says: str) -> None:
    with pytest.raises(BadInput, match=says):
        FAMILIES.named(name, known)


def test_a_process_that_is_told_of_no_portal_takes_any_name(tmp_path: Path) -> None:
    found = families(Settings(portals=tmp_path / "none.toml", portal_name="IRIS"))

    assert (found.named(None, []), found.named("Cygnet", []), found.portals("IRIS")) == ("IRIS", "Cygnet", ["IRIS"])


def test_families_are_those_of_the_portals_file(tmp_path: Path) -> None:
    portal = 'url = "https://portal.example"\nauth_key = "a.pem"\nsigning_keys = "keys"\n'
    file = tmp_path / "portals.toml"
    file.write_text(f'[NIC1]\nfamily = "NIC"\n{portal}[IRIS]\n{portal}[NIC2]\nfamily = "NIC"\n{portal}')

    found = families(Settings(portals=file))

    assert (found.preferred, found.portals("NIC"), found.portals("IRIS")) == ("NIC", ["NIC1", "NIC2", "NIC"], ["IRIS"])


def test_a_portal_that_has_documents_and_is_gone_from_the_file_is_told() -> None:
    portals = Portals([line("NIC1", "NIC")])

    with pytest.raises(AssertionError, match="portal NIC2 has documents in the store: put it back"):
        portals["NIC2"]
