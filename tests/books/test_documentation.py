"""docs/books.md says what the code does."""

import re
import secrets
from collections.abc import Iterator
from pathlib import Path

import pytest
import sqlalchemy as sa

from irnflow.books.columns import HEADERS, LINES
from irnflow.services import data_fetch, database_update
from tests.books.examples import IRN, fill_other_layout, mark, opened, other_layout, run

PAGE = (Path(__file__).parents[2] / "docs/books.md").read_text(encoding="utf-8")
KINDS = {
    "text": "text",
    "amount": "amount",
    "whole": "whole number",
    "nearest": "whole number",
    "serial": "whole number",
    "day": "date",
    "flag": "yes or no",
    "state": "state code",
}


def test_every_column_stands_in_the_tables_with_its_field_and_kind() -> None:
    columns = [(column, column.field) for column in HEADERS] + [
        (column, f"ItemList[].{column.field}") for column in LINES
    ]

    shown = re.findall(r"^\| `(\w+)` \| (\w+\S*) \| ([a-z ]+) \|$", PAGE, re.MULTILINE)

    assert shown == [(column.name, field, KINDS[column.read.__name__]) for column, field in columns]


def test_the_file_shown_is_the_one_that_is_tested() -> None:
    tested = (Path(__file__).parent / "other_layout.toml").read_text(encoding="utf-8")

    (shown,) = re.findall(r"```toml\n(.*?)```", PAGE, re.DOTALL)

    assert re.sub(r" +# a variable.*", "", shown) == tested


def test_every_cause_is_explained() -> None:
    causes = {*data_fetch.FIX, *(failure.cause for failure in database_update.FAILURES.values())}
    causes |= {cause for cause, _ in database_update.REFUSALS.values()}

    assert {cause for cause in causes if f"`{cause}`" not in PAGE} == {"books.gave_up"}


@pytest.fixture
def role(empty_database_url: str) -> Iterator[str]:
    """A name for a role, which is gone after the test: roles are the server's, not the database's."""
    name = f"books_{secrets.token_hex(6)}"
    yield name
    run(empty_database_url, f"drop owned by {name}")
    run(empty_database_url, f"drop role {name}")


def test_the_rights_named_suffice(empty_database_url: str, role: str) -> None:
    fill_other_layout(empty_database_url)
    (grants,) = re.findall(r"```sql\n(.*?)```", PAGE, re.DOTALL)
    for statement in grants.replace("irnflow_books", role).split(";\n")[:-1]:
        run(empty_database_url, statement)
    url = sa.make_url(empty_database_url).set(username=role, password="...").render_as_string(hide_password=False)

    with opened(other_layout(url)) as books, books.writing() as open_books:
        unreached = open_books.registered([mark("501")])
        found = open_books.read(["501"])

    assert unreached == set()
    assert found["501"].irn == IRN
