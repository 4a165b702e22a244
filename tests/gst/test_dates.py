"""Days in India, written dd/mm/yyyy."""

from datetime import UTC, date, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from irnflow.gst import dates


@given(day=st.dates(date(2010, 1, 1), date(2029, 12, 31)))
def test_a_written_day_is_read_back(day: date) -> None:
    assert dates.parse(dates.write(day)) == day


@pytest.mark.parametrize(
    "written",
    ["39/19/2020", "31/02/2026", "29/02/2026", "1/4/2026", "01-04-2026", "01/04/26", "01/04/2030", "01/04/2009",
     "2026-04-01", "01/04/2026\n", "", "٠١/٠٤/2026"],
)  # fmt: skip
def test_what_is_no_day_of_inv_01_is_none(written: str) -> None:
    assert dates.parse(written) is None


@pytest.mark.parametrize(
    ("moment", "day"),
    [
        (datetime(2026, 11, 21, 18, 29, 59, tzinfo=UTC), date(2026, 11, 21)),
        (datetime(2026, 11, 21, 18, 30, tzinfo=UTC), date(2026, 11, 22)),
    ],
)
def test_the_day_turns_at_midnight_in_india(moment: datetime, day: date) -> None:
    assert dates.in_india(moment) == day


def test_the_last_day_to_report_is_that_of_the_advisorys_example() -> None:
    assert dates.last_day_to_report(date(2025, 4, 1)) == date(2025, 4, 30)
