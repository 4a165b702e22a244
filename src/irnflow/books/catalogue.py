"""The books file: which books there are, where, and the SQL that reads and marks their vouchers.

Written by the user as TOML, one table `[books.NAME]` for each; docs/books.md shows it whole.
"""

import os
import re
from collections.abc import Mapping
from importlib.resources import files
from pathlib import Path
from typing import Final

import msgspec
import sqlalchemy as sa

from irnflow.errors import BadInput

_NAME: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}\Z")
# The parameters that each statement must use, and those it may.
PARAMETERS: Final[Mapping[str, tuple[set[str], set[str]]]] = {
    "headers": ({"ids"}, set()),
    "lines": ({"ids"}, set()),
    "registered": ({"voucher_id", "irn"}, {"status", "ack_no", "ack_dt", "signed_qr"}),
    "cancelled": ({"voucher_id", "irn"}, {"status"}),
}


class Statements(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The SQL of one's books: two queries and two updates."""

    headers: str
    lines: str
    registered: str
    cancelled: str


class Source(msgspec.Struct, frozen=True, kw_only=True):
    """Books that can be opened."""

    name: str
    url: sa.URL  # its password is a secret; printing an sa.URL hides it
    statements: Statements


class _Table(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    url: str | None = None
    url_env: str | None = None  # the environment variable that holds the URL
    headers: str | None = None
    lines: str | None = None
    registered: str | None = None
    cancelled: str | None = None


class _File(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    books: dict[str, _Table] = {}


def read(path: Path, *, environment: Mapping[str, str] = os.environ) -> tuple[Source, ...]:
    """The books that a file names. Raises BadInput saying what is wrong in it, and where."""
    try:
        tables = msgspec.toml.decode(path.read_bytes(), type=_File).books
    except FileNotFoundError:
        raise BadInput(f"there is no books file {path} (IRNFLOW_BOOKS); docs/books.md shows one") from None
    except (OSError, UnicodeDecodeError, msgspec.DecodeError) as error:
        raise BadInput(f"{path}: {error}") from error
    try:
        return tuple(_source(name, table, environment) for name, table in tables.items())
    except BadInput as error:
        raise BadInput(f"{path}: {error}") from error


def named(path: Path, name: str, *, environment: Mapping[str, str] = os.environ) -> Source:
    """The books of this name in a file. Raises BadInput naming those there are."""
    there = {each.name: each for each in read(path, environment=environment)}
    if name not in there:
        raise BadInput(f"{path} names no books {name!r}; it has: {', '.join(there) or 'none'}")
    return there[name]


def source(name: str, url: str, statements: Statements | None = None) -> Source:
    """Books at a URL; without statements, laid out as our own schema. Raises BadInput."""
    try:
        parsed = sa.make_url(url)
    except sa.exc.ArgumentError:  # its text may hold the password
        raise BadInput(f"books {name}: the URL isn't of the form dialect://user:password@host:port/database") from None
    return Source(name=name, url=parsed, statements=statements or default_statements(parsed))


def default_statements(url: sa.URL) -> Statements:
    """The statements for books laid out as schema.sql."""
    text = (files("irnflow.books") / "default.toml").read_text(encoding="utf-8")
    return msgspec.toml.decode(own_sql(text, url), type=Statements)


def own_sql(sql: str, url: sa.URL) -> str:
    """SQL on our own schema `books`, for the database at this URL: SQLite has no schemas."""
    return sql.replace("books.", "") if url.get_backend_name() == "sqlite" else sql


def _source(name: str, table: _Table, environment: Mapping[str, str]) -> Source:
    if not _NAME.match(name):
        raise BadInput(f"[books.{name}]: a name is 1 to 64 of A-Z a-z 0-9 . _ -, the first a letter or digit")
    return source(name, _url(name, table, environment), _statements(name, table))


def _url(name: str, table: _Table, environment: Mapping[str, str]) -> str:
    if (table.url is None) == (table.url_env is None):
        raise BadInput(f"[books.{name}]: give either `url` or `url_env`")
    if table.url is not None:
        return table.url
    if not (url := environment.get(table.url_env or "")):
        raise BadInput(f"[books.{name}]: url_env names {table.url_env}, which the environment doesn't have")
    return url


def _statements(name: str, table: _Table) -> Statements | None:
    given = {key: getattr(table, key) for key in PARAMETERS if getattr(table, key) is not None}
    if not given:
        return None
    if missing := [key for key in PARAMETERS if key not in given]:
        raise BadInput(f"[books.{name}]: gives {', '.join(given)}, so it must give {', '.join(missing)} too")
    for key, sql in given.items():
        _check_parameters(f"[books.{name}] {key}", sql, *PARAMETERS[key])
    return Statements(**given)


def _check_parameters(where: str, sql: str, needed: set[str], optional: set[str]) -> None:
    used = set(sa.text(sql).compile().params)
    if missing := needed - used:
        raise BadInput(f"{where}: does not use :{', :'.join(sorted(missing))}")
    if unknown := used - needed - optional:
        known = ", ".join(f":{each}" for each in sorted(needed | optional))
        raise BadInput(f"{where}: uses :{', :'.join(sorted(unknown))}; there is {known}. Write a colon of SQL as \\:")
