"""The command `irnflow`: which words start what. Each command's work lives in its own room, imported when asked."""

import os
import signal
import sys
from collections.abc import Coroutine, Iterator
from importlib import import_module
from typing import Any, Final, TypeVar

import click

from irnflow import __version__
from irnflow.commands.environment import settings
from irnflow.errors import Permanent, Transient
from irnflow.settings import SERVICES

_T = TypeVar("_T")

# Commands with a module of their own: it is imported when the command is called or its help is asked for, so that
# `irnflow check` does not load what `irnflow account` needs.
_ELSEWHERE: Final = {
    "account": "account:account",
    "cancel": "lifecycle:cancel",
    "check": "check:check",
    "doubts": "doubts:doubts",
    "ewaybill": "lifecycle:ewaybill",
    "gstin": "gstin:gstin",
    "import": "import_:import_",
    "irn": "irn:irn",
    "keys": "keys:keys",
    "pause": "steering:pause",
    "resume": "steering:resume",
    "standing": "steering:standing",
    "template": "template:template",
    "verify": "verify:verify",
    "withdraw": "steering:withdraw",
}


def main() -> None:
    """Run the command that the arguments name; what a person must mend is said in a sentence, without a traceback."""
    try:
        code = irnflow(standalone_mode=False)
    except click.ClickException as misuse:
        misuse.show()
        code = misuse.exit_code
    except (click.Abort, KeyboardInterrupt):
        code = 130
    except Exception as error:
        troubles = list(_leaves(error))
        if not all(isinstance(trouble, Permanent | Transient) for trouble in troubles):
            raise
        click.echo("\n".join(f"irnflow: {trouble}" for trouble in troubles), err=True)
        code = 1
    sys.exit(code)


def _leaves(error: Exception) -> Iterator[Exception]:
    """The exceptions of a group of groups, or the one."""
    if not isinstance(error, ExceptionGroup):
        yield error
        return
    for each in error.exceptions:
        yield from _leaves(each)


class _Commands(click.Group):
    """The commands of this file, and those of `_ELSEWHERE`."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return sorted([*self.commands, *_ELSEWHERE])

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in _ELSEWHERE:
            return super().get_command(ctx, cmd_name)
        module, _, name = _ELSEWHERE[cmd_name].partition(":")
        command: click.Command = getattr(import_module(f"irnflow.commands.{module}"), name)
        return command


@click.group(cls=_Commands, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="irnflow")
def irnflow() -> None:
    """Turns voucher ids into registered GST e-invoices: each exactly once, each step visible."""


@irnflow.command()
@click.option("--exit", "leave", is_flag=True, help="End after the summary; 0 when every voucher fared as expected.")
def up(leave: bool) -> int:
    """Start everything on this machine and register the vouchers of the sample company."""
    from irnflow.local import up as room

    return _serve(room.up(dict(os.environ), leave=leave))


@irnflow.command()
@click.argument("name", type=click.Choice([*SERVICES, "sandbox"]))
@click.option("--quiet", is_flag=True, help="Print no secrets of the sandbox: for output that goes to a file.")
def serve(name: str, quiet: bool) -> int:
    """Serve one service, or the sandbox portal, until SIGTERM."""
    from irnflow import log
    from irnflow.local.services import main_of

    log.set_up()
    if name == "sandbox":
        from irnflow.sandbox.app import main

        return _serve(main(settings(), tell=(lambda text: None) if quiet else click.echo))
    return _serve(main_of(name)(settings("database_url", "amqp_url")))


@irnflow.command()
def token() -> None:
    """Print a link that opens the console once, for the account that `irnflow up` made."""
    from irnflow.local.demo import another_token
    from irnflow.local.home import link

    found = settings("database_url")
    click.echo(link(found.port_of("irn_service"), _run(another_token(found))))


@irnflow.command()
def migrate() -> None:
    """Bring the database up to this version."""
    from irnflow.store.migrate import migrate as bring_up

    applied = _run(bring_up(settings("database_url").database_url))
    click.echo("\n".join(f"applied {name}" for name in applied) or "nothing to do")


@irnflow.command()
@click.option("--check", is_flag=True, help="Compare the running broker with it; 1 when something differs.")
def topology(check: bool) -> int:
    """Print RabbitMQ's definitions.json: exchanges, queues, policies, users and what they may do."""
    import msgspec

    from irnflow.bus import topology as room

    if not check:
        definitions = room.definitions(room.vhost_of(settings().amqp_url), {})
        click.echo(msgspec.json.format(msgspec.json.encode(definitions)))
        return 0
    differences = _run(room.check(settings("amqp_url", "management_url")))
    click.echo("\n".join(differences) or "the broker is as it should be")
    return 1 if differences else 0


@irnflow.command()
@click.option("--account", help="Name of the account; may be left out where there is one.")
@click.option("--batch", "batch_no", help="Only of this batch.")
def failures(account: str | None, batch_no: str | None) -> None:
    """List open failures by cause: what is wrong, and what to do."""
    from rich.console import Console

    from irnflow.local import worklist

    url = settings("database_url").database_url
    _run(worklist.show(url, Console(), account=account, batch_no=batch_no))


@irnflow.command()
@click.option("--account", help="Name of the account; may be left out where there is one.")
@click.option("--stage", help="Only failures of this service.")
@click.option("--cause", help="Only failures of this cause.")
@click.option("--batch", "batch_no", help="Only failures of this batch.")
@click.option("--transaction", "transaction_ids", multiple=True, help="Only this voucher; may be given again.")
@click.option("--all", "everything", is_flag=True, help="All open failures.")
def retry(
    account: str | None, stage: str | None, cause: str | None, batch_no: str | None,
    transaction_ids: tuple[str, ...], everything: bool,
) -> None:  # fmt: skip
    """Send open failures again as a new batch: those that meet all that is said."""
    from rich.console import Console

    from irnflow.local import worklist
    from irnflow.store.failures import Choice

    if not (everything or stage or cause or batch_no or transaction_ids):
        raise click.UsageError("say which: --cause, --stage, --batch, --transaction, or --all")
    ids = list(transaction_ids) or None
    choice = Choice(stage=stage, cause=cause, batch_no=batch_no, transaction_ids=ids)
    url = settings("database_url").database_url
    _run(worklist.retry(url, Console(), account=account, choice=choice))


@irnflow.command()
def accounting() -> int:
    """Compare what independent tables say of the same vouchers; 1 when two disagree that never may."""
    from rich.console import Console

    from irnflow.local import worklist

    agree = _run(worklist.account_for(settings("database_url").database_url, Console()))
    return 0 if agree else 1


@irnflow.command()
@click.argument("codes", metavar="[CODE]...", nargs=-1)
@click.option("--json", "as_json", is_flag=True, help="For programs: a list of objects.")
def explain(codes: tuple[str, ...], as_json: bool) -> int:
    """Tell what a code means, and what to do about it.

    CODE is one of the portal (2150), one of irnflow (totals.taxable_value), what several of irnflow begin with (hsn),
    or a class of the portal's codes (DATA); the last two list their codes. Without one: the classes there are.

    Of a rule it also says since when it is in force, by the day of sending or by the date of the document, and why.

    Ends with 2 when a code is in no list.
    """
    from rich.console import Console

    from irnflow.gst.portal_codes import PortalClass
    from irnflow.local import explain as room

    found = {code: room.found(code) for code in codes}
    known = [one for one in found.values() if one] if codes else list(PortalClass)
    if as_json:
        click.echo(room.as_json(known))
    elif codes:
        room.show(Console(), known)
    else:
        room.show_classes(Console())
    unknown = [room.unknown(code) for code, one in found.items() if one is None]
    click.echo("".join(f"irnflow: {sentence}\n" for sentence in unknown), err=True, nl=False)
    return 2 if unknown else 0


def _run(work: Coroutine[Any, Any, _T]) -> _T:
    import asyncio

    return asyncio.run(work)


def _serve(work: Coroutine[Any, Any, int | None]) -> int:
    """Run until it ends by itself, or SIGTERM or Ctrl-C ask it to."""
    import asyncio

    import uvloop

    async def stoppable() -> int:
        task = asyncio.ensure_future(work)
        for number in (signal.SIGTERM, signal.SIGINT):
            asyncio.get_running_loop().add_signal_handler(number, task.cancel)
        try:
            return await task or 0
        except asyncio.CancelledError:
            return 0

    return uvloop.run(stoppable())
