"""`irnflow account`: who may send vouchers, of which books, and the API keys that speak for them."""

import asyncio
import shlex
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from typing import Final, TypeVar

import click

from irnflow.commands.environment import settings, variables
from irnflow.errors import BadInput
from irnflow.gst.dates import time_in_india
from irnflow.store.accounts import Summary
from irnflow.store.database import Database

T = TypeVar("T")
_NAME_MOST: Final = 100


@click.group()
def account() -> None:
    """Accounts, the books that each may read, and the API keys that speak for it."""


@account.command()
@click.argument("name")
@click.option(
    "--books", multiple=True, metavar="NAME", help="Books that it may read (of the books file); several times."
)
def add(name: str, books: tuple[str, ...]) -> None:
    """Make an account, or give one that is there more books. Again changes nothing."""
    from irnflow.books import catalogue
    from irnflow.store import accounts

    _short(name)
    for each in books:
        catalogue.named(settings().books, each, environment=variables())

    async def work(store: Database) -> tuple[bool, list[str]]:
        at = datetime.now(UTC)
        there = {each.name for each in await accounts.summaries(store, at=at)}
        account_id = await accounts.create_account(store, name, at=at)
        for each in books:
            await accounts.add_books(store, account_id, each)
        return name in there, await accounts.books_of(store, account_id)

    was_there, has = _do(work)
    reads = f"may read {', '.join(has)}" if has else "may read no books yet: irnflow account add NAME --books BOOKS"
    click.echo(f"Account {name} {'was there' if was_there else 'is made'}, and {reads}.")
    whose = shlex.quote(name)
    click.echo(f"What it needs next: irnflow gstin credentials GSTIN --account {whose}, irnflow account key {whose}")


@account.command("list")
def list_() -> None:
    """List all accounts, with their books, GSTINs and keys that are good."""
    from rich.console import Console
    from rich.markup import escape
    from rich.table import Table

    from irnflow.store import accounts

    found: list[Summary] = _do(lambda store: accounts.summaries(store, at=datetime.now(UTC)))
    if not found:
        click.echo("There is no account yet: irnflow account add NAME --books BOOKS")
        return
    table = Table(expand=True)
    for title in ("account", "books", "GSTINs", "keys"):
        table.add_column(title, overflow="fold")
    for each in found:
        table.add_row(*map(escape, (each.name, ", ".join(each.books), f"{each.gstins:,}", ", ".join(each.keys))))
    Console().print(table)


@account.command()
@click.argument("account_name", metavar="ACCOUNT")
@click.option(
    "--for", "purpose", default="api", show_default=True, metavar="WHAT", help="Its name: whose, or what for."
)
@click.option("--days", type=click.IntRange(1, 3650), help="How long it is good.  [default: until it is revoked]")
@click.option("--admin", is_flag=True, help="It may decide what no look-up can: irnflow doubts.")
def key(account_name: str, purpose: str, days: int | None, admin: bool) -> None:
    """Print a new API key of an account. Nobody can read it again later: the store keeps its hash."""
    from irnflow.store import accounts

    _short(purpose)
    at = datetime.now(UTC)
    until = at + timedelta(days=days) if days else None

    async def work(store: Database) -> str:
        whose = await accounts.named(store, account_name)
        return await accounts.issue_key(store, whose.account_id, name=purpose, at=at, expires_at=until, admin=admin)

    click.echo(_do(work))
    ends = f"irnflow account revoke {shlex.quote(account_name)} --for {shlex.quote(purpose)}"
    till = f"until {time_in_india(until)}" if until else f"until: {ends}"
    click.echo(f"Keep it as a password. It speaks for {account_name}, {till}.", err=True)


@account.command()
@click.argument("account_name", metavar="ACCOUNT")
@click.option("--for", "purpose", required=True, metavar="WHAT", help="The name that the key was given.")
def revoke(account_name: str, purpose: str) -> None:
    """Make an account's keys of one name worthless, ten seconds from now at the latest."""
    from irnflow.store import accounts

    async def work(store: Database) -> int:
        whose = await accounts.named(store, account_name)
        return await accounts.revoke_keys(store, whose.account_id, purpose, at=datetime.now(UTC))

    revoked = _do(work)
    if not revoked:
        raise BadInput(
            f"account {account_name} has no key named {purpose!r} that is good; `irnflow account list` shows them"
        )
    click.echo(f"{revoked} key{'' if revoked == 1 else 's'} of {account_name} revoked.")


def _short(name: str) -> None:
    if not 0 < len(name.strip()) == len(name) <= _NAME_MOST or not name.isprintable():
        raise click.BadParameter(
            f"a name has 1 to {_NAME_MOST} printable characters and no blank at its ends: {name[:_NAME_MOST]!r}"
        )


def _do(work: Callable[[Database], Awaitable[T]]) -> T:
    """What some work with the store comes to."""
    from irnflow.store import database

    url = settings("database_url").database_url

    async def connected() -> T:
        async with database.connect(url, connections=1) as store:
            return await work(store)

    return asyncio.run(connected())
