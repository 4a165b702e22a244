from datetime import UTC, date, datetime
from decimal import Decimal
from uuid import UUID

import pytest

from irnflow.books.values import amount, day, flag, nearest, serial, state, text, whole


@pytest.mark.parametrize(
    ("given", "read"),
    [
        (" Pune ", "Pune"),
        ("", None),
        ("   ", None),
        (84137010, "84137010"),
        (Decimal("84137010"), "84137010"),
        (84137010.0, "84137010"),
        (UUID("7c9e6679-7425-40de-944b-e07fc1f90ae7"), "7c9e6679-7425-40de-944b-e07fc1f90ae7"),
    ],
)
def test_text_is_trimmed_and_numbers_become_their_digits(given: object, read: str | None) -> None:
    assert text(given) == read


@pytest.mark.parametrize(
    ("given", "read"),
    [
        (Decimal("1.50"), "1.50"),
        (0.1, "0.1"),
        (2310.5, "2310.5"),
        (1e16, "1E+16"),
        (7, "7"),
        (" 12.25 ", "12.25"),
        ("-0.40", "-0.40"),
    ],
)
def test_an_amount_is_exactly_what_the_driver_shows(given: object, read: str) -> None:
    assert str(amount(given)) == read


def test_a_blank_amount_is_none_at_all() -> None:
    assert amount(" ") is None


@pytest.mark.parametrize(
    ("given", "read"), [(120, 120), (120.5, 121), ("120.4", 120), (Decimal("30.000000000"), 30), ("", None)]
)
def test_a_distance_is_read_to_the_nearest_whole_number(given: object, read: int | None) -> None:
    assert nearest(given) == read


@pytest.mark.parametrize(("given", "read"), [(411026, 411026), ("411026", 411026), (411026.0, 411026), (" ", None)])
def test_a_pin_is_a_whole_number(given: object, read: int | None) -> None:
    assert whole(given) == read


def test_a_line_number_is_digits() -> None:
    assert (serial(Decimal("3.000")), serial("07")) == ("3", "7")


@pytest.mark.parametrize(
    "given",
    [
        date(2026, 11, 2),
        datetime(2026, 11, 2, 23, 59),  # noqa: DTZ001 (a driver's)
        datetime(2026, 11, 1, 20, 0, tzinfo=UTC),  # half past one in the morning of the second, in India
        "2026-11-02",
        " 2026-11-02T10:00:00 ",
        "2026-11-02 10:00:00.000000",
    ],
)
def test_a_date_is_written_as_inv01_writes_it(given: object) -> None:
    assert day(given) == "02/11/2026"


@pytest.mark.parametrize("given", [True, 1, "Y", "y", "yes", "TRUE", "1", Decimal(1)])
def test_yes_is_y(given: object) -> None:
    assert flag(given) == "Y"


@pytest.mark.parametrize("given", [False, 0, "N", "no", "false", "0", 0.0])
def test_no_is_n(given: object) -> None:
    assert flag(given) == "N"


@pytest.mark.parametrize(("given", "read"), [(7, "07"), ("7", "07"), ("27", "27"), (96.0, "96"), ("", None)])
def test_a_state_code_has_two_digits(given: object, read: str | None) -> None:
    assert state(given) == read


@pytest.mark.parametrize(
    ("read", "given", "says"),
    [
        (amount, "1,250.00", "'1,250.00' is not a number"),
        (amount, float("nan"), "NaN is not a number that an invoice can hold"),
        (amount, Decimal("Infinity"), "Infinity is not a number that an invoice can hold"),
        (amount, "1e400", "1E+400 is not a number that an invoice can hold"),
        (amount, True, "True is not a number"),
        (amount, "9" * 200, "9" * 60 + " is not a number"),
        (whole, "4110O1", "'4110O1' is not a number"),
        (whole, 1.5, "1.5 is not a whole number"),
        (text, b"abc", "b'abc' is not text"),
        (text, True, "True is not text"),
        (day, "22/11/2026", "'22/11/2026' is not a date (2026-11-22 is)"),
        (day, 20261122, "20261122 is not a date"),
        (flag, "perhaps", "'perhaps' is neither yes nor no (Y, N, true, false, 1, 0)"),
    ],
)
def test_what_cannot_be_read_is_shown(read: object, given: object, says: str) -> None:
    with pytest.raises(ValueError, match="is ") as error:
        read(given)  # type: ignore[operator]

    assert str(error.value) == says


@pytest.mark.parametrize("read", [day, flag])
def test_blank_text_says_nothing(read: object) -> None:
    assert read("  ") is None  # type: ignore[operator]
