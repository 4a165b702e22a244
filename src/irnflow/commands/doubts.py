"""`irnflow doubts`: documents and actions whose answer was lost, and what a person decides of them."""

import asyncio
import getpass
import re
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Final

import click

from irnflow.commands.environment import settings
from irnflow.commands.lifecycle import WHAT
from irnflow.errors import BadInput

if TYPE_CHECKING:
    from rich.console import Console
    from rich.table import Table

    from irnflow.api.doubts import Doubts
    from irnflow.store.accounts import Account
    from irnflow.store.doubts import Decision

_SHOWN_MOST: Final = 500
_PATTERNS: Final = {"IRN": re.compile("[0-9a-f]{64}"), "ACTION": re.compile("[0-9]{1,18}")}
_NAMES: Final = {"IRN": "IRN (64 hexadecimal digits)", "ACTION": "number of an action"}
_ACCOUNT: Final = click.option("--account", help="Name of the account; may be left out where there is one.")


def _said(context: click.Context, parameter: click.Parameter, value: str) -> str:
    if not value.strip():
        raise click.BadParameter("say why: it is kept for the record")
    return value.strip()


_REASON: Final = click.option(
    "--reason", required=True, callback=_said, help="Why; kept for the record, with your name."
)  # fmt: skip


def _bill_number(context: click.Context, parameter: click.Parameter, value: str | None) -> str | None:
    if value is not None and not re.fullmatch("[0-9]{12}", value):
        raise click.BadParameter("an e-way bill's number has 12 digits")
    return value


def _named(*kinds: str) -> Callable[[click.Context, click.Parameter, str], str]:
    """Refuses what can be neither an IRN nor an action's number, whichever of them is wanted."""

    def check(context: click.Context, parameter: click.Parameter, value: str) -> str:
        said = value.strip().lower()
        if not any(_PATTERNS[kind].fullmatch(said) for kind in kinds):
            names = " or ".join(_NAMES[kind] for kind in kinds)
            raise click.BadParameter(f"{value!r} is no {names}; `irnflow doubts` lists what is in doubt")
        return said

    return check


Work = Callable[["Doubts", "Account"], Awaitable[str]]


@click.group(invoke_without_command=True)
@_ACCOUNT
@click.pass_context
def doubts(context: click.Context, account: str | None) -> None:
    """List what is in doubt: for how long, why, and what comes next.

    Documents, and what was asked of the portal about their IRNs: cancellations and e-way bills, each an action with a
    number.
    """
    context.obj = account
    if context.invoked_subcommand is None:
        from rich.console import Console

        asyncio.run(show(Console(), account))


@doubts.command()
@click.argument("what", metavar="IRN|ACTION", callback=_named("IRN", "ACTION"))
@click.pass_obj
def look(account: str | None, what: str) -> None:
    """Have the portal asked now.

    Never before a late call can no longer arrive: it is no shortcut to sending again.
    """

    async def work(room: "Doubts", whose: "Account") -> str:
        wanted = _wanted(whose, what, "")
        decided = await (room.look_at_action(wanted) if wanted.action_id else room.look_at(wanted))
        return f"The portal is asked at {_time(decided.at)}; `irnflow doubts` then shows what it has."

    click.echo(asyncio.run(_deciding(account, work)))


@doubts.command()
@click.argument("irn", callback=_named("IRN"))
@_REASON
@click.pass_obj
def resend(account: str | None, irn: str, reason: str) -> None:
    """Send the document once more.

    The identical one, to the same portal, and only after the portal's memory: 40 hours after the call.
    """

    async def work(room: "Doubts", whose: "Account") -> str:
        await room.resend(_wanted(whose, irn, reason))
        return "It is sent once more; what the portal has already is adopted, not registered twice."

    click.echo(asyncio.run(_deciding(account, work)))


@doubts.command()
@click.argument("irn", callback=_named("IRN"))
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@_REASON
@click.pass_obj
def accept(account: str | None, irn: str, file: Path, reason: str) -> None:
    """Accept it by the signed document in FILE.

    The portal's signed JSON, or the signed invoice (JWS) alone. Its signature is verified, and it must say what was
    sent. Only after the portal's memory: 40 hours after the call.
    """

    async def work(room: "Doubts", whose: "Account") -> str:
        await room.accept(_wanted(whose, irn, reason), file.read_bytes())
        return "It is the portal's, and says what was sent: registered."

    click.echo(asyncio.run(_deciding(account, work)))


@doubts.command()
@click.argument("action", callback=_named("ACTION"))
@click.option("--ewb-no", callback=_bill_number, help="The number of the e-way bill that was made.")
@_REASON
@click.pass_obj
def done(account: str | None, action: str, ewb_no: str | None, reason: str) -> None:
    """Say that an action is done.

    As if the portal had said so: the books and the vouchers' histories are told. Only after the portal's memory: 40
    hours after the call.
    """

    async def work(room: "Doubts", whose: "Account") -> str:
        await room.end_action(_wanted(whose, action, reason), done=True, ewb_no=ewb_no)
        return "It counts as done, and is told so."

    click.echo(asyncio.run(_deciding(account, work)))


@doubts.command("not-done")
@click.argument("action", callback=_named("ACTION"))
@_REASON
@click.pass_obj
def not_done(account: str | None, action: str, reason: str) -> None:
    """Say that an action is not done.

    It has failed, and is told so; whoever still wants it asks for it anew. Only after the portal's memory: 40 hours
    after the call.
    """

    async def work(room: "Doubts", whose: "Account") -> str:
        await room.end_action(_wanted(whose, action, reason), done=False, ewb_no=None)
        return "It counts as failed, and is told so; it may be asked for anew."

    click.echo(asyncio.run(_deciding(account, work)))


async def _deciding(account: str | None, work: Work) -> str:
    """What `work` says of it. Raises BadInput with the words of a refusal."""
    from irnflow.api.doubts import Doubts
    from irnflow.api.problem import Refused
    from irnflow.portal.several import signing_keys
    from irnflow.store import accounts, database
    from irnflow.store.doubts import times_of

    known = settings("database_url")
    async with database.connect(known.database_url, connections=1) as store:
        whose = await accounts.named(store, account)
        room = Doubts(store, now=_now, times=times_of(known), keys=partial(signing_keys, known))
        try:
            return await work(room, whose)
        except Refused as refused:
            lines = [refused.problem.detail, *(f"  {place.detail}" for place in refused.problem.errors)]
            raise BadInput("\n".join(lines)) from refused


async def show(console: "Console", account: str | None) -> None:
    """Print what is in doubt, the oldest first."""
    from rich.markup import escape
    from rich.padding import Padding

    from irnflow.api.doubts import BEGINNING, doubt, next_of_action
    from irnflow.store import accounts, database
    from irnflow.store.doubts import actions, still_open, times_of

    known = settings("database_url")
    times = times_of(known)
    async with database.connect(known.database_url, connections=1) as store:
        whose = await accounts.named(store, account)
        rows = await still_open(
            store, whose.account_id, after=(BEGINNING.sent_at, BEGINNING.irn), most=_SHOWN_MOST + 1
        )  # fmt: skip
        acting = await actions(store, whose.account_id, most=_SHOWN_MOST)
    if not rows and not acting:
        console.print("Nothing is in doubt.")
        return
    for item in (doubt(row, _now(), times) for row in rows[:_SHOWN_MOST]):
        color = {"": "bold", "alarm": "bold yellow", "page": "bold red"}[item.level]
        name = escape(f"{item.doc_typ} {item.doc_no} of {item.doc_dt}, {item.gstin} at {item.portal}")
        grid = _grid(item.irn)
        grid.add_row("why", escape(item.why))
        if item.looked_at:
            grid.add_row("found", f"{escape(item.found)} ({_time(item.looked_at)})")
        grid.add_row("next", f"{item.next} The next look-up: {_time(item.next_look_at)}.")
        console.print(f"[{color}]{_age(item.age_s)}[/]  {name}", highlight=False)
        console.print(Padding(grid, (0, 0, 1, 4)))
    if len(rows) > _SHOWN_MOST:
        console.print(f"These are the oldest {_SHOWN_MOST}; there are more.")
    for row in acting:
        age = _now() - row["sent_at"]
        color = "bold red" if age >= times.page else "bold yellow" if age >= times.alarm else "bold"
        of = f"{row['doc_typ']} {row['doc_no']} of {row['doc_dt']}, {row['gstin']} at {row['portal']}"
        grid = _grid(row["irn"])
        grid.add_row("why", escape(row["says"]))
        grid.add_row("next", f"{next_of_action(row, _now(), times)} The next look-up: {_time(row['next_at'])}.")
        name = f"action {row['action_id']}, {WHAT[row['kind']]}: {escape(of)}"
        console.print(f"[{color}]{_age(int(age.total_seconds()))}[/]  {name}", highlight=False)
        console.print(Padding(grid, (0, 0, 1, 4)))


def _grid(irn: str) -> "Table":
    from rich.table import Table

    grid = Table.grid(padding=(0, 2))
    grid.add_column(style="dim")
    grid.add_column(overflow="fold")
    grid.add_row("IRN", irn)
    return grid


def _wanted(whose: "Account", what: str, reason: str) -> "Decision":
    """About a document, by its IRN, or an action, by its number."""
    from irnflow.api.doubts import action_number
    from irnflow.store.doubts import Decision

    return Decision(
        account_id=whose.account_id, irn=what, action_id=action_number(what), by=f"user {getpass.getuser()}",
        reason=reason, at=_now(),
    )  # fmt: skip


def _age(age_s: int) -> str:
    """In the two largest units: 2 days 3 hours."""
    units = (("days", 86_400), ("hours", 3_600), ("minutes", 60), ("seconds", 1))
    parts, left = [], age_s
    for name, unit_s in units:
        count, left = divmod(left, unit_s)
        if count:
            parts.append(f"{count} {name.removesuffix('s') if count == 1 else name}")
    return " ".join(parts[:2]) or "just now"


def _now() -> datetime:
    return datetime.now(UTC)


def _time(at: datetime) -> str:
    from irnflow.gst import dates

    return dates.time_in_india(at)
