"""docs/law-calendar.md has each day on which a rule or a rate begins, ends, or was put on hold."""

import re
from datetime import date
from pathlib import Path

import pytest

from irnflow.gst.document_number import UPPER_CASE_FROM
from irnflow.gst.hindi import kinds
from irnflow.gst.rates import introduced
from irnflow.gst.rules import RULES
from irnflow.gst.rules.row import ALWAYS, FOR_EVER

PAGE = (Path(__file__).parents[2] / "docs" / "law-calendar.md").read_text(encoding="utf-8")
ROWS = [line for line in PAGE.splitlines() if line.startswith("| ")]

DAYS = [
    (f"`{rule.code}`", day)
    for rule in RULES
    for day in ((rule.on_hold,) if rule.on_hold else (rule.since, rule.until))
    if ALWAYS < day < FOR_EVER
]


def stands(what: str, day: date) -> bool:
    """Whether a row has both."""
    return any(what in row and day.isoformat() in row for row in ROWS)


def named(text: str) -> set[str]:
    """The codes of rules in it; `rates.csv` and its like are files."""
    return set(re.findall(r"`([a-z_]+\.(?!csv`)[a-z_0-9]+)`", text))


@pytest.mark.parametrize(("code", "day"), DAYS, ids=lambda each: str(each).strip("`"))
def test_each_day_of_a_rule_stands_beside_its_code(code: str, day: date) -> None:
    assert stands(code, day), f"docs/law-calendar.md lacks a row with {code} and {day}"


def test_the_day_of_each_new_rate_and_of_capitals_stands_there() -> None:
    assert all(stands(f"{rate} %", day) for day, rate in introduced())
    assert stands("capitals", UPPER_CASE_FROM)


def test_what_is_on_hold_is_not_listed_as_a_change() -> None:
    changes, held = PAGE.split("## On hold")
    codes = {rule.code for rule in RULES if rule.on_hold}

    assert codes.isdisjoint(named(changes))
    assert codes <= named(held)


def test_each_code_that_it_names_is_one_of_the_rules() -> None:
    assert named(PAGE) <= set(kinds())


def test_it_says_when_it_was_looked_through_last() -> None:
    assert re.search(r"\*\*Last looked through: \d{1,2} [A-Z][a-z]+ 20\d\d\*\*", PAGE)
