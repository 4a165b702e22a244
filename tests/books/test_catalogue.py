import re
from pathlib import Path

import pytest

from irnflow.books import catalogue
from irnflow.errors import BadInput

OWN = """
[books.acme]
url_env = "ACME"
headers = "select id as voucher_id, irn from doc where id in :ids"
lines = "select doc as voucher_id, n as line_no from doc_line where doc in :ids"
registered = "update doc set irn = :irn where id = :voucher_id"
cancelled = "update doc set state = :status where id = :voucher_id and irn = :irn"
"""


def written(folder: Path, text: str) -> Path:
    path = folder / "books.toml"
    path.write_text(text)
    return path


def test_books_without_sql_are_laid_out_as_ours(tmp_path: Path) -> None:
    path = written(tmp_path, '[books.main]\nurl = "postgresql://reader:secret@localhost/books"')

    (source,) = catalogue.read(path)

    assert source.name == "main"
    assert "from books.voucher" in source.statements.headers
    assert "secret" not in repr(source)


def test_sqlite_has_no_schemas(tmp_path: Path) -> None:
    (source,) = catalogue.read(written(tmp_path, '[books.main]\nurl = "sqlite:///books.db"'))

    assert "from voucher" in source.statements.headers


def test_books_with_sql_of_their_own_and_a_url_from_the_environment(tmp_path: Path) -> None:
    (source,) = catalogue.read(written(tmp_path, OWN), environment={"ACME": "sqlite:///acme.db"})

    assert source.url.database == "acme.db"
    assert source.statements.registered == "update doc set irn = :irn where id = :voucher_id"


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("books = 3", "Expected `object`, got `int` - at `$.books`"),
        ("[books", "books.toml: "),
        ('[books.main]\nurl = "sqlite://"\ncolour = "red"', "unknown field `colour`"),
        ("[books.main]", "[books.main]: give either `url` or `url_env`"),
        ('[books.main]\nurl = "sqlite://"\nurl_env = "X"', "[books.main]: give either `url` or `url_env`"),
        ('[books.main]\nurl_env = "NOT_SET"', "url_env names NOT_SET, which the environment doesn't have"),
        ('[books."a b"]\nurl = "sqlite://"', "[books.a b]: a name is 1 to 64 of"),
        (
            '[books.main]\nurl = "sqlite://"\nheaders = "select :ids"',
            "so it must give lines, registered, cancelled too",
        ),
        (OWN.replace("where id in :ids", ""), "[books.acme] headers: does not use :ids"),
        (OWN.replace("irn = :irn where", "irn = :irm where"), "[books.acme] registered: does not use :irn"),
        (
            OWN.replace("set irn = :irn", "set irn = :irn, qr = :qr"),
            "registered: uses :qr; there is :ack_dt, :ack_no, :irn",
        ),
    ],
)
def test_a_wrong_file_is_refused_with_the_place(tmp_path: Path, text: str, says: str) -> None:
    path = written(tmp_path, text)

    with pytest.raises(BadInput, match=re.escape(says)) as error:
        catalogue.read(path, environment={"ACME": "sqlite:///acme.db"})

    assert str(path) in str(error.value)


def test_a_wrong_url_is_refused_without_repeating_its_password(tmp_path: Path) -> None:
    path = written(tmp_path, '[books.main]\nurl = "reader:secret@localhost"')

    with pytest.raises(BadInput, match="isn't of the form") as error:
        catalogue.read(path)

    assert "secret" not in str(error.value)


def test_a_missing_file_says_what_to_write(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match=r"there is no books file .*docs/books\.md shows one"):
        catalogue.read(tmp_path / "books.toml")
