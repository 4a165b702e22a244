"""`irnflow pause`, `resume`, `withdraw`, `standing`: what people stop, let go on, and take back."""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from getpass import getuser
from typing import Final, TypeVar

import click

from irnflow.commands.environment import settings
from irnflow.errors import BadInput
from irnflow.store.accounts import Account
from irnflow.store.database import Database

T = TypeVar("T")
_WHAT: Final = click.argument("what", type=click.Choice(["batch", "gstin", "portal"]))
_ACCOUNT: Final = click.option("--account", help="Name of the account; may be left out where there is one.")


@click.command()
@_WHAT
@click.argument("key", metavar="NAME")
@click.option("--reason", required=True, help="Why; whoever finds it standing still reads this.")
@_ACCOUNT
def pause(what: str, key: str, reason: str, account: str | None) -> None:
    """Send nothing of a batch, of a GSTIN, or to a portal, until it is resumed.

    NAME is a batch number, a GSTIN, or a portal's name. Look-ups of what is in doubt go on; new documents go to
    another portal while one is paused, if there is another.
    """
    from irnflow.store import steering

    key = _key(what, key)

    async def work(store: Database, whose: Account) -> bool:
        by, at = getuser(), datetime.now(UTC)
        match what:
            case "batch":
                return await steering.pause_batch(store, whose.account_id, key, reason=reason, by=by, at=at)
            case "gstin":
                return await steering.pause_gstin(store, whose.account_id, key, reason=reason, by=by, at=at)
            case _:
                await steering.pause_portal(store, key, reason=reason, by=by, at=at)
                return True

    if not _with_store(account, work):
        raise BadInput(f"the account has no {_words(what)} {key}")
    click.echo(f"Nothing of {_words(what)} {key} is sent until: irnflow resume {what} {key}"
               if what != "portal" else f"Nothing is sent to {key} until: irnflow resume portal {key}")  # fmt: skip


@click.command()
@_WHAT
@click.argument("key", metavar="NAME")
@_ACCOUNT
def resume(what: str, key: str, account: str | None) -> None:
    """Let go on what was paused, or a GSTIN that stopped by itself."""
    from irnflow.store import steering

    key = _key(what, key, there=False)

    async def work(store: Database, whose: Account) -> tuple[bool, bool]:
        stood = await steering.stands(store, whose.account_id, what, key)
        match what:
            case "batch":
                return stood, await steering.resume_batch(store, whose.account_id, key)
            case "gstin":
                return stood, await steering.resume_gstin(store, whose.account_id, key)
            case _:
                return stood, await steering.resume_portal(store, key)

    stood, known = _with_store(account, work)
    if not known:
        raise BadInput(f"{key} is no paused portal" if what == "portal" else f"the account has no {_words(what)} {key}")
    name = f"{_words(what).capitalize() if what != 'gstin' else 'GSTIN'} {key}"
    click.echo(f"{name} goes on." if stood else f"{name} was not stopped: it goes on as before.")


@click.command()
@click.argument("batch_no", metavar="BATCH")
@_ACCOUNT
def withdraw(batch_no: str, account: str | None) -> None:
    """Take back of a batch what is not sent; what the portal has, or may have, stays.

    To register a withdrawn voucher after all, send it in a new batch.
    """
    from irnflow.store import steering

    async def work(store: Database, whose: Account) -> int | None:
        return await steering.withdraw(store, whose.account_id, batch_no, at=datetime.now(UTC))

    taken_back = _with_store(account, work)
    if taken_back is None:
        raise BadInput(f"the account has no batch {batch_no}")
    click.echo(f"Batch {batch_no} is withdrawn: {taken_back} vouchers were certainly not sent. The others are told "
               "withdrawn as they come by, or are registered already.")  # fmt: skip


@click.command()
@_ACCOUNT
def standing(account: str | None) -> int:
    """List what stands still, and why; 1 when something does."""
    from rich.console import Console
    from rich.markup import escape
    from rich.table import Table

    from irnflow.gst import dates
    from irnflow.store import steering

    rows = _with_store(account, lambda store, whose: steering.standing(store, whose.account_id))
    if not rows:
        click.echo("Nothing stands still.")
        return 0
    table = Table(expand=True)
    for title in ("what", "which", "by", "since"):
        table.add_column(title, overflow="fold")
    table.add_column("why", ratio=1, overflow="fold")
    for row in rows:
        since = dates.time_in_india(row["at"]) if row["at"] else ""
        table.add_row(*map(escape, (row["what"], row["key"], row["by"], since, row["reason"])))
    Console().print(table)
    return 1


def _key(what: str, said: str, *, there: bool = True) -> str:
    """As the store knows it. Raises BadInput when it must be there and there is no such portal."""
    from irnflow.portal.several import portal_named

    if what == "portal":
        return portal_named(settings(), said, there=there)
    return said.upper() if what == "gstin" else said


def _words(what: str) -> str:
    return "GSTIN" if what == "gstin" else what


def _with_store(account: str | None, work: Callable[[Database, Account], Awaitable[T]]) -> T:
    from irnflow.store import accounts, database

    async def run() -> T:
        async with database.connect(settings("database_url").database_url, connections=1) as store:
            return await work(store, await accounts.named(store, account))

    return asyncio.run(run())
