"""GSTIN: kinds, check character, what stands inside."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from irnflow.gst.gstin import Kind, check_character, is_sound, kind, pan, state

SANDBOX = ["29AABCT1332L000", "02AMBPG7773M002", "09AAAPG7885R002", "01AMBPG7773M002"]
ALPHABET = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"


@pytest.mark.parametrize(
    "gstin",
    [
        "29AAFCC9980M1ZR",
        "27AAPFU0939F1ZV",
        "29ZZZCS1111A1ZD",
        "38ZZZCS1111A1ZE",  # Ladakh
        "97ZZZCS1111A1ZA",  # Other Territory
        "99ZZZCS1111A1Z6",  # Centre Jurisdiction
        "29ZZZCO6666F1DM",
        "29ZZZCO6666F1CO",
    ],
)
def test_a_sound_number_is_sound(gstin: str) -> None:
    assert is_sound(gstin)


@pytest.mark.parametrize(
    "gstin",
    [
        "29AAFCC9980M1ZS",  # another check character
        "29AAFCC9890M1ZR",  # two digits exchanged
        "92AAFCC9980M1ZR",
        "29AAFCC9980M0ZR",  # no registration is numbered 0
        "29AAFCC9980MZR",
        "29aafcc9980m1zr",
        "29AAFCC9980M1ZR\n",
        "",
        "URP",
    ],
)
def test_a_number_that_is_not_sound_is_not(gstin: str) -> None:
    assert not is_sound(gstin)


@pytest.mark.parametrize(
    ("gstin", "expected"),
    [
        ("29AAFCC9980M1ZR", Kind.REGULAR),
        ("29BLRE12345A1Z5", Kind.GOVERNMENT),
        ("2917ABC00012NRP", Kind.NON_RESIDENT),
        ("9917ABC00012OSA", Kind.ONLINE_SERVICES),
        ("2917USA00012UNO", Kind.UN_BODY),
        ("29BLRE12345A1DJ", Kind.TDS),
        ("29ZZZCO6666F1CO", Kind.TCS),
        ("29AABCT1332L000", None),
    ],
)
def test_the_pattern_tells_the_kind(gstin: str, expected: Kind | None) -> None:
    assert kind(gstin) is expected


@pytest.mark.parametrize("gstin", ["29BLRE12345A1Z5", "2917ABC00012NRP", "9917ABC00012OSA", "2917USA00012UNO"])
def test_kinds_whose_check_character_is_not_known_pass_without(gstin: str) -> None:
    assert is_sound(gstin)


@pytest.mark.parametrize("gstin", SANDBOX)
def test_sandbox_numbers_pass_only_when_asked_for(gstin: str) -> None:
    assert is_sound(gstin, accept_sandbox_numbers=True)
    assert not is_sound(gstin)


def test_not_everything_passes_as_a_sandbox_number() -> None:
    assert not is_sound("29AABCT1332L00", accept_sandbox_numbers=True)


def test_state_and_pan_stand_inside() -> None:
    assert state("29AAFCC9980M1ZR") == "29"
    assert pan("29AAFCC9980M1ZR") == "AAFCC9980M"


@pytest.mark.parametrize(
    ("gstin", "inside"),
    [
        ("29ZZZCO6666F1CO", "ZZZCO6666F"),
        ("29ZZZCO6666F1DM", "ZZZCO6666F"),
        ("29BLRE12345A1DJ", None),  # by its TAN
        ("29BLRE12345A1Z5", None),
    ],
)
def test_who_deducts_or_collects_tax_may_have_a_pan_or_not(gstin: str, inside: str | None) -> None:
    assert pan(gstin) == inside


def test_numbers_that_hold_no_pan_have_none() -> None:
    assert pan("2917USA00012UNO") is None


@given(first_14=st.text(alphabet=ALPHABET, min_size=14, max_size=14), at=st.integers(0, 13), by=st.integers(1, 35))
def test_the_check_character_tells_any_single_wrong_character(first_14: str, at: int, by: int) -> None:
    wrong = ALPHABET[(ALPHABET.index(first_14[at]) + by) % 36]

    mistyped = first_14[:at] + wrong + first_14[at + 1 :]

    assert check_character(mistyped) != check_character(first_14)
