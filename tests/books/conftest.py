"""Books on each database that the tests have: `books_url` is an empty one, `sample_url` has the sample company."""

from pathlib import Path

import pytest

from irnflow.books import sample
from tests.books.examples import TODAY


@pytest.fixture(params=["sqlite", "postgresql"])
def books_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path}/books.db"
    return str(request.getfixturevalue("empty_database_url"))


@pytest.fixture
def sample_url(books_url: str) -> str:
    sample.load(books_url, TODAY)
    return books_url
