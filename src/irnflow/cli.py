"""The command `irnflow`: which words start what. Each command's work lives in its own room, imported when asked."""

import asyncio
import os
import signal
import sys
from collections.abc import Coroutine
from pathlib import Path
from typing import Any

import click

from irnflow import __version__
from irnflow.errors import Permanent, Transient
from irnflow.settings import SERVICES, Settings, from_environment


def main() -> None:
    """Run the command that the arguments name; what a person must mend is said in a sentence, without a traceback."""
    try:
        code = irnflow(standalone_mode=False)
    except (Permanent, Transient) as trouble:
        click.echo(f"irnflow: {trouble}", err=True)
        code = 1
    except click.ClickException as misuse:
        misuse.show()
        code = misuse.exit_code
    except (click.Abort, KeyboardInterrupt):
        code = 130
    sys.exit(code)


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
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
def serve(name: str) -> int:
    """Serve one service, or the sandbox portal, until SIGTERM."""
    from irnflow import log
    from irnflow.local.services import main_of

    log.set_up()
    return _serve(main_of(name)(_settings()))


@irnflow.command()
def token() -> None:
    """Print a link that opens the console once, for the account that `irnflow up` made."""
    from irnflow.local.demo import another_token

    click.echo(f"{os.environ.get('IRNFLOW_CONSOLE_URL', '')}/#token={asyncio.run(another_token(_settings()))}")


@irnflow.command()
def migrate() -> None:
    """Bring the database up to this version."""
    from irnflow.store.migrate import migrate as bring_up

    applied = asyncio.run(bring_up(_settings().database_url))
    click.echo("\n".join(f"applied {name}" for name in applied) or "nothing to do")


@irnflow.command()
@click.option("--check", is_flag=True, help="Compare the running broker with it; 1 when something differs.")
def topology(check: bool) -> int:
    """Print RabbitMQ's definitions.json: exchanges, queues, policies, users and what they may do."""
    import msgspec

    from irnflow.bus import topology as room

    if not check:
        definitions = room.definitions(room.vhost_of(_settings().amqp_url), {})
        click.echo(msgspec.json.format(msgspec.json.encode(definitions)))
        return 0
    differences = asyncio.run(room.check(_settings()))
    click.echo("\n".join(differences) or "the broker is as it should be")
    return 1 if differences else 0


def _settings() -> Settings:
    """The environment's settings, and for what it doesn't say those of the running `irnflow up`."""
    from irnflow.local.home import remembered

    data = Path(os.environ.get("IRNFLOW_DATA", Settings().data))
    return from_environment(remembered(data) | os.environ)


def _serve(work: Coroutine[Any, Any, int | None]) -> int:
    """Run until it ends by itself, or SIGTERM or Ctrl-C ask it to."""
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
