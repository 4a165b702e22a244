"""What a line looks like, and how it names transactions."""

import io
import json
from collections.abc import Iterator

import pytest
import structlog

from irnflow import log


@pytest.fixture
def file() -> Iterator[io.StringIO]:
    """Where the lines go."""
    before = structlog.get_config()
    written = io.StringIO()
    log.set_up(file=written)
    yield written
    structlog.configure(**before)


def test_a_line_is_one_object_that_says_when_who_and_what(file: io.StringIO) -> None:
    log.logger("validation").info("batch", size=2)

    said = json.loads(file.getvalue())
    assert said.pop("at").endswith("Z")
    assert said == {"level": "info", "service": "validation", "event": "batch", "size": 2}
    assert file.getvalue().count("\n") == 1


def test_transactions_are_named_by_what_became_of_them_and_by_batch() -> None:
    named = log.transactions([
        ("REGISTERED", 1, "B-1", "V/1"),
        ("again", 1, "B-1", "V/2"),
        ("REGISTERED", 1, "B-2", "V/1"),
        ("REGISTERED", 1, "B-1", "V/3"),
    ])  # fmt: skip

    assert named == {"REGISTERED": {"1/B-1": ["V/1", "V/3"], "1/B-2": ["V/1"]}, "again": {"1/B-1": ["V/2"]}}


def test_batches_of_two_accounts_with_the_same_number_are_two() -> None:
    named = log.transactions([("REGISTERED", 1, "B-1", "V/1"), ("REGISTERED", 2, "B-1", "V/1")])

    assert named == {"REGISTERED": {"1/B-1": ["V/1"], "2/B-1": ["V/1"]}}
