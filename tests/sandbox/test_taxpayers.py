from pathlib import Path

import pytest

from irnflow.errors import BadInput
from irnflow.sandbox.taxpayers import Taxpayers, check_digit, read_taxpayers

SOUND = "27AAPFU0939F1ZV"
OF_A_PORTAL_SANDBOX = "29AABCT1332L000"  # its check digit is wrong


def test_the_check_digit_is_luhn_modulo_36() -> None:
    assert check_digit(SOUND) == "V"


def test_without_a_list_every_sound_gstin_is_an_active_taxpayer() -> None:
    taxpayer = Taxpayers().find(SOUND)

    assert taxpayer
    assert (taxpayer.status, taxpayer.kind) == ("ACT", "")  # who is in a zone, the documents say


@pytest.mark.parametrize("gstin", ["27AAPFU0939F1ZW", "27aapfu0939f1zv", "27AAPFU0939F1Z", "URP", "", SOUND + "\n"])
def test_what_is_no_gstin_is_nobody(gstin: str) -> None:
    assert Taxpayers().find(gstin) is None


def test_a_wrong_check_digit_passes_only_where_it_is_allowed() -> None:
    assert Taxpayers().find(OF_A_PORTAL_SANDBOX) is None
    assert Taxpayers(any_check_digit=True).find(OF_A_PORTAL_SANDBOX)


def test_a_list_leaves_only_those_in_it(tmp_path: Path) -> None:
    file = tmp_path / "taxpayers.json"
    file.write_text('[{"gstin": "27AAPFU0939F1ZV", "status": "CNL"}]')

    taxpayers = read_taxpayers(file, any_check_digit=False)

    assert taxpayers.find("27AABCD1234E1Z" + check_digit("27AABCD1234E1Z")) is None
    assert [taxpayer.status for taxpayer in [taxpayers.find(SOUND)] if taxpayer] == ["CNL"]


def test_a_list_tells_who_may_send_more_items(tmp_path: Path) -> None:
    file = tmp_path / "taxpayers.json"
    file.write_text('[{"gstin": "27AAPFU0939F1ZV", "lines_max": 5000}]')

    taxpayers = read_taxpayers(file, any_check_digit=False)

    assert (taxpayers.lines_max(SOUND), taxpayers.lines_max("27AABCD1234E1Z8"), Taxpayers().lines_max(SOUND)) == (
        5000, 1000, 1000,
    )  # fmt: skip


def test_a_list_that_is_none_says_where_and_why(tmp_path: Path) -> None:
    file = tmp_path / "taxpayers.json"
    file.write_text('[{"gstin": "27AAPFU0939F1ZV", "state": "27"}]')

    with pytest.raises(BadInput, match=r"taxpayers\.json .* `state`"):
        read_taxpayers(file, any_check_digit=False)
