"""`irnflow gstin`: what GSTINs log in to the portal with, and why one stands still."""

import asyncio
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, BinaryIO, Final

import click
import msgspec

from irnflow.commands.check import Crore
from irnflow.commands.environment import settings
from irnflow.errors import BadInput
from irnflow.settings import Settings
from irnflow.store.accounts import Account, Gstin
from irnflow.store.database import Database

if TYPE_CHECKING:
    from irnflow.portal.several import Families

_FILE_BYTES_MAX: Final = 16 * 1024 * 1024
_PAGE: Final = 500
_POLL_S: Final = 0.5
_CRORE_END: Final = Decimal(10) ** 9
_ASKED_MOST: Final = 20  # ten seconds for the portal's answer
# What the portal tells of a GSTIN, in the order in which a person looks for it.
_NAMES: Final = {
    "Gstin": "GSTIN", "LegalName": "legal name", "TradeName": "trade name", "Status": "status", "DtReg": "registered",
    "DtDReg": "until", "TxpType": "kind", "BlkStatus": "blocked", "StateCode": "state",
}  # fmt: skip
_ADDRESS: Final = ("AddrBno", "AddrBnm", "AddrFlno", "AddrSt", "AddrLoc", "AddrPncd")
_MEANS: Final = {
    "ACT": "active", "CNL": "cancelled", "INA": "inactive", "SUS": "suspended", "PRO": "provisional",
    "REG": "regular", "SEZ": "unit in a special economic zone", "U": "no", "B": "yes",
}  # fmt: skip


class Given(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One GSTIN's credentials in a file."""

    gstin: str
    username: str
    password: str
    client_id: str
    client_secret: str
    portal: str | None = None

    def __repr__(self) -> str:
        return f"Given(gstin={self.gstin!r}, ...)"


class _OrNumber(click.Group):
    """`irnflow gstin 29AAFCC9980M1ZR` is `irnflow gstin show 29AAFCC9980M1ZR`."""

    def resolve_command(
        self, context: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        looks_so = len(args[0]) == 15 and args[0][:2].isdigit()
        return super().resolve_command(context, ["show", *args] if looks_so else args)


@click.group(cls=_OrNumber)
def gstin() -> None:
    """GSTINs: what they log in with, why one stands still, and what the portal knows of any (irnflow gstin GSTIN)."""


@gstin.command()
@click.argument("number", metavar="GSTIN")
@click.option("--account", help="Name of the account whose login asks; may be left out where there is one.")
@click.option("--max-age", "max_age_h", type=click.FloatRange(0), default=24.0, show_default=True, metavar="HOURS",
              help="How old an answer may be.")  # fmt: skip
@click.option("--sync", is_flag=True, help="Have the portal ask the common portal first.")
def show(number: str, account: str | None, max_age_h: float, sync: bool) -> int:
    """Show what the portal knows of a GSTIN, and how old that is; 1 when it isn't active."""
    from irnflow.api.resources import is_gstin

    if not is_gstin(number):
        raise click.BadParameter(f"{number!r} is no GSTIN: it has 15 digits and letters, as 29AAFCC9980M1ZR")
    return asyncio.run(_show(settings("database_url"), account, number.upper(), timedelta(hours=max_age_h), sync))


@gstin.command("list")
@click.option("--account", help="Name of the account; may be left out where there is one.")
@click.option("--stopped", is_flag=True, help="Only those that stand still; 1 when there is one.")
def list_(account: str | None, stopped: bool) -> int:
    """List the account's GSTINs: user, portal, and why one stands still. One with logins to several portals has a line
    for each."""
    from rich.console import Console
    from rich.markup import escape
    from rich.table import Table

    found = [
        (each.gstin, login, login.stopped or each.stopped)
        for each in asyncio.run(_all(settings("database_url"), account))
        for login in each.logins
        if login.stopped or each.stopped or not stopped
    ]
    if not found:
        click.echo("No GSTIN stands still." if stopped else "The account has no GSTIN yet: irnflow gstin credentials.")
        return 0
    table = Table(expand=True)
    for title in ("GSTIN", "portal", "user", "client id"):
        table.add_column(title, overflow="fold")
    table.add_column("state", ratio=1, overflow="fold")
    for number, login, why in found:
        state = f"[red]stopped:[/] {escape(why)}" if why else "[green]runs[/]"
        table.add_row(number, *map(escape, (login.family, login.username, login.client_id)), state)
    console = Console()
    console.print(table)
    if any(why for _, _, why in found):
        console.print(
            "Nothing of a stopped GSTIN is sent there, and nobody logs it in: repeated bad logins lock its user. "
            "Mend what is said, then: irnflow gstin credentials GSTIN, or irnflow gstin resume GSTIN."
        )
    return 1 if stopped else 0


@gstin.command()
@click.argument("number", metavar="[GSTIN]", required=False)
@click.option("--account", help="Name of the account; may be left out where there is one.")
@click.option("--username", help="The API user's name; asked for, if not said.")
@click.option("--client-id", help="Asked for, if not said.")
@click.option("--portal", help="Where it registers; one more to what it has.  [default: as it is]")
@click.option("--from", "source", type=click.File("rb"), metavar="FILE",
              help='A JSON file (- for standard input) with many: [{"gstin", "username", "password", "client_id", '
                   '"client_secret"}, ...].')  # fmt: skip
def credentials(
    number: str | None, account: str | None, username: str | None, client_id: str | None, portal: str | None,
    source: BinaryIO | None,
) -> None:  # fmt: skip
    """Set what a GSTIN logs in with, and let its queue go on.

    Portals of a family, as NIC1 and NIC2, share a login; for each further family it has credentials of its own, and new
    documents go there while the first doesn't answer.

    Client secret and password are asked for, or come from a file: never in arguments, which others on the machine see.
    """
    if (number is None) == (source is None):
        raise click.UsageError("name one GSTIN, or a file with --from")
    if source is not None:
        given = _in_file(source.read(_FILE_BYTES_MAX + 1), "the file")
    else:
        assert number is not None
        given = [
            Given(
                gstin=number,
                username=username or click.prompt("User name"),
                password=click.prompt("Password", hide_input=True),
                client_id=client_id or click.prompt("Client id"),
                client_secret=click.prompt("Client secret", hide_input=True),
                portal=portal,
            )
        ]
    asyncio.run(_set(settings("database_url"), account, given))
    names = given[0].gstin.upper() if len(given) == 1 else f"{len(given)} GSTINs"
    click.echo(f"Credentials of {names} are set, and sealed. What waited is sent now.")


@gstin.command("set")
@click.argument("number", metavar="GSTIN")
@click.option("--account", help="Name of the account; may be left out where there is one.")
@click.option("--turnover", type=Crore(), help="Its yearly turnover in crore rupees.")
@click.option("--lines-max", type=click.IntRange(1, 5000), metavar="N",
              help="How many lines the portal allows a document: 1000, or more by request.")  # fmt: skip
def set_(number: str, account: str | None, turnover: Decimal | None, lines_max: int | None) -> None:
    """Set what the rules must know of a GSTIN. What is not given stays as it is."""
    if turnover is None and lines_max is None:
        raise click.UsageError("give --turnover or --lines-max")
    if turnover is not None and turnover >= _CRORE_END:
        raise click.BadParameter(f"{turnover} crore is more than any turnover", param_hint="--turnover")
    click.echo(asyncio.run(_set_terms(settings("database_url"), account, number.upper(), turnover, lines_max)))


@gstin.command()
@click.argument("number", metavar="GSTIN")
@click.option("--account", help="Name of the account; may be left out where there is one.")
@click.option("--portal", help="Only its login there.  [default: all]")
def resume(number: str, account: str | None, portal: str | None) -> None:
    """Let a stopped GSTIN go on with the credentials that it has, when what was wrong is mended elsewhere."""
    stood = asyncio.run(_resume(settings("database_url"), account, number.upper(), portal))
    click.echo(
        f"{number.upper()} goes on. If the portal refuses it again, it stops again."
        if stood else f"{number.upper()} was not stopped: it goes on as before."
    )  # fmt: skip


@gstin.command()
@click.argument("number", metavar="GSTIN")
@click.option("--portal", required=True, help="Which; irnflow gstin list shows them.")
@click.option("--account", help="Name of the account; may be left out where there is one.")
def remove(number: str, portal: str, account: str | None) -> None:
    """Forget what a GSTIN logs in to one of several portals with.

    What that portal has registered can then be neither looked up nor cancelled from here.
    """
    family = asyncio.run(_remove(settings("database_url"), account, number.upper(), portal))
    click.echo(f"Credentials of {number.upper()} for {family} are gone.")


def _in_file(content: bytes, name: str) -> list[Given]:
    """Raises BadInput, in words that show nothing of the file."""
    if len(content) > _FILE_BYTES_MAX:
        raise BadInput(f"{name} has more than {_FILE_BYTES_MAX} bytes")
    try:
        given = msgspec.json.decode(content, type=list[Given])
    except (msgspec.MsgspecError, UnicodeDecodeError) as error:
        raise BadInput(
            f"{name} holds no credentials as `irnflow gstin credentials --help` shows them: {error}"
        ) from None
    if not given:
        raise BadInput(f"{name} names no GSTIN")
    return given


async def _show(found: Settings, account: str | None, number: str, max_age: timedelta, sync: bool) -> int:
    from irnflow.gst.dates import time_in_india
    from irnflow.store import accounts, database, lifecycle

    async with database.connect(found.database_url, connections=1) as store:
        whose = await accounts.named(store, account)
        now = datetime.now(UTC)
        row = await lifecycle.want_gstin(store, whose.account_id, number, sync=sync, max_age=max_age, at=now)
        for _ in range(_ASKED_MOST):
            if row["wanted_at"] is None:
                break
            await asyncio.sleep(_POLL_S)
            row = await lifecycle.gstin(store, number)
    details: dict[str, object] = msgspec.json.decode(row["details"]) if row["details"] else {}
    if row["wanted_at"] is not None:
        click.echo("The portal has not answered yet; registration asks it. Look again in some seconds.", err=True)
    elif row["says"]:
        click.echo(f"The last question got no details: {row['says']}", err=True)
    if not details:
        return 1
    for name, value in (*_words(details), ("as of", time_in_india(row["fetched_at"]))):
        click.echo(f"{name:<12} {value}")
    return 0 if details.get("Status") == "ACT" else 1


def _words(details: Mapping[str, object]) -> Iterator[tuple[str, object]]:
    """What the portal said, line by line, in the order in which a person looks for it; nothing of it is left out."""
    left = {name: value for name, value in details.items() if value not in (None, "")}
    address = ", ".join(str(left.pop(name)) for name in _ADDRESS if name in left)
    for name, word in _NAMES.items():
        if name in left:
            value = left.pop(name)
            yield word, f"{_MEANS[value]} ({value})" if isinstance(value, str) and value in _MEANS else value
    if address:
        yield "address", address
    yield from left.items()


async def _all(found: Settings, account: str | None) -> list[Gstin]:
    from irnflow.store import accounts, database

    async with database.connect(found.database_url, connections=1) as store:
        whose = await accounts.named(store, account)
        all_: list[Gstin] = []
        while page := await accounts.gstins(store, whose.account_id, after=all_[-1].gstin if all_ else "", most=_PAGE):
            all_ += page
        return all_


async def _set(found: Settings, account: str | None, given: list[Given]) -> None:
    """Each is checked before the first is set."""
    from irnflow.api.resources import is_gstin
    from irnflow.portal.client import check_login
    from irnflow.portal.several import families
    from irnflow.store import accounts, database
    from irnflow.store.secrets import key_ring

    key, known_portals = key_ring(found.key, found.key_file), families(found)
    for each in given:
        if not is_gstin(each.gstin):
            raise BadInput(f"{each.gstin!r} is no GSTIN: it has 15 digits and letters, as 29AAFCC9980M1ZR")
        if not all((each.username, each.password, each.client_id, each.client_secret)):
            raise BadInput(f"of {each.gstin} something is empty: user name, password, client id or client secret")
        check_login(each.username, each.password)
    async with database.connect(found.database_url, connections=1) as store:
        whose = await accounts.named(store, account)
        meant = [await _family(store, whose, each.gstin.upper(), each.portal, known_portals) for each in given]
        for each, family in zip(given, meant, strict=True):
            await accounts.add_gstin(
                store, key, each.gstin.upper(), account_id=whose.account_id,
                credentials=accounts.Credentials(
                    family=family, username=each.username, client_id=each.client_id,
                    client_secret=each.client_secret, password=each.password,
                ),
            )  # fmt: skip


async def _family(store: Database, whose: Account, number: str, portal: str | None, known_portals: "Families") -> str:
    """Whose credentials are meant. Raises BadInput."""
    from irnflow.store import accounts

    known = await accounts.gstin_of(store, whose.account_id, number)
    try:
        return known_portals.named(portal, known.families if known else ())
    except BadInput as error:
        raise BadInput(f"{number}: {error}") from error


async def _resume(found: Settings, account: str | None, number: str, portal: str | None) -> bool:
    """Whether anything of it stood still."""
    from irnflow.portal.several import families
    from irnflow.store import accounts, database, steering

    async with database.connect(found.database_url, connections=1) as store:
        whose = await accounts.named(store, account)
        family = await _family(store, whose, number, portal, families(found)) if portal else None
        known = await accounts.gstin_of(store, whose.account_id, number)
        if not await steering.resume_gstin(store, whose.account_id, number, family=family):
            there = f" with credentials for {family}" if family else ""
            raise BadInput(f"account {whose.name} has no GSTIN {number}{there}; `irnflow gstin list` shows them")
        logins = known.logins if known else ()
        return bool(known and known.stopped) or any(each.stopped for each in logins if family in (None, each.family))


async def _set_terms(
    found: Settings, account: str | None, number: str, turnover: Decimal | None, lines_max: int | None
) -> str:
    """What is set now, in words. Raises BadInput."""
    from irnflow.gst.facts import LINES_MAX
    from irnflow.store import accounts, database

    async with database.connect(found.database_url, connections=1) as store:
        whose = await accounts.named(store, account)
        await accounts.set_gstin(store, whose.account_id, number, turnover_crore=turnover, lines_max=lines_max)
        known = await accounts.gstin_of(store, whose.account_id, number)
    if known is None:
        raise BadInput(f"account {whose.name} has no GSTIN {number}; `irnflow gstin list` shows them")
    crore = "10 crore or more" if known.turnover_crore is None else f"{known.turnover_crore:f} crore"
    return f"{number}: a turnover of {crore}, at most {known.lines_max or LINES_MAX} lines in a document."


async def _remove(found: Settings, account: str | None, number: str, portal: str) -> str:
    from irnflow.portal.several import families
    from irnflow.store import accounts, database

    known_portals = families(found)
    async with database.connect(found.database_url, connections=1) as store:
        whose = await accounts.named(store, account)
        family = await _family(store, whose, number, portal, known_portals)
        portals = known_portals.portals(family)
        outcome = await accounts.remove_credentials(store, whose.account_id, number, family, portals=portals)
    if outcome == "NONE":
        raise BadInput(
            f"account {whose.name} has no credentials of {number} for {family}; `irnflow gstin list` shows them"
        )
    if outcome in accounts.KEPT:
        raise BadInput(f"the credentials of {number} for {family} stay: {accounts.KEPT[outcome]}")
    return family
