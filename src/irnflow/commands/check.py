"""`irnflow check`: what the portal would say of documents, before anything is sent."""

import os
import sys
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime
from decimal import Decimal, InvalidOperation
from io import BufferedReader, FileIO
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO, Final, Literal

import click

from irnflow.commands.environment import settings, variables

if TYPE_CHECKING:
    from rich.console import Console

    from irnflow.files.checking import Judged
    from irnflow.files.reading import Opener
    from irnflow.gst.facts import Facts

CLEAN, FAULTS, UNREADABLE = 0, 1, 2  # exit codes
SHOWN_MOST: Final = 20  # findings of one document that the table shows; --json has them all
_BY_TURNOVER: Final = ("hsn.digits", "document.too_late")  # rules that bind by the supplier's turnover
_WIDTH_PIPED: Final = 120
_BAR_FROM_BYTES: Final = 1_000_000
_STDIN: Final = "-"
_STYLES: Final = {
    "clean": "green", "with warnings": "yellow", "warning": "yellow", "refused": "red", "unreadable": "bold red",
}  # fmt: skip


class Crore(click.ParamType[Decimal]):
    """An amount in crore rupees."""

    name = "crore"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Decimal:
        try:
            amount = Decimal(value)
        except InvalidOperation:
            amount = Decimal(-1)
        if not (amount.is_finite() and amount >= 0):
            self.fail(f"{value!r} is no amount in crore rupees: 10, 0.75", param, ctx)
        return amount


@click.command()
@click.argument("files", nargs=-1, metavar="[FILE]...")
@click.option("--books", help="Check vouchers of these books (of the books file), not files.")
@click.option("--voucher", "voucher_ids", multiple=True, metavar="ID", help="Id of a voucher; may be given again.")
@click.option("--turnover", type=Crore(), help="The supplier's yearly turnover in crore rupees.  [default: 10 or more]")
@click.option("--day", type=click.DateTime(["%Y-%m-%d"]), help="The day of sending, as 2026-11-22.  [default: today]")
@click.option(
    "--sez",
    multiple=True,
    metavar="GSTIN",
    help="A unit or developer in a special economic zone; may be "
    "given again. When one is, all others count as outside.",
)
@click.option(
    "--sez-developer",
    "sez_developers",
    multiple=True,
    metavar="GSTIN",
    help="A developer of a special economic zone, who may supply from it; may be given again.",
)
@click.option("--operator", metavar="GSTIN", help="The e-commerce operator that sends them.  [default: the supplier]")
@click.option("--lines-max", type=click.IntRange(1, 5000), default=1000, show_default=True,
              help="Lines that the portal allows in a document of the supplier.")  # fmt: skip
@click.option("--sandbox-gstins", is_flag=True, help="Let GSTINs of the portals' sandboxes pass.")
@click.option("--lang", type=click.Choice(["en", "hi"]), default="en", help="What to do in English or Hindi.")
@click.option("--json", "as_json", is_flag=True, help="A JSON list of what was found, for programs.")
def check(
    files: tuple[str, ...], books: str | None, voucher_ids: tuple[str, ...], turnover: Decimal | None,
    day: datetime | None, sez: tuple[str, ...], sez_developers: tuple[str, ...], operator: str | None,
    lines_max: int, sandbox_gstins: bool, lang: str, as_json: bool,
) -> int:  # fmt: skip
    """Check documents as irnflow checks them before it sends them. Nothing is sent.

    FILE is INV-01 JSON (one document, a list of them, or an object around such lists), or a table as irnflow import
    reads it, CSV or XLSX; - reads the standard input. Or name --books and --voucher.

    \b
    Ends with 0 when nothing is refused (warnings may stand), 1 when some document is refused,
    2 when a file, a document or a voucher can't be read.
    """
    if bool(files) == bool(voucher_ids) or bool(voucher_ids) != bool(books):
        raise click.UsageError("name either files, or vouchers with --books NAME --voucher ID")
    from irnflow.files import checking
    from irnflow.gst import dates
    from irnflow.gst.facts import TURNOVER_NOT_SAID, Facts

    facts = Facts(
        day=day.date() if day else dates.in_india(datetime.now(UTC)),
        turnover_crore=TURNOVER_NOT_SAID if turnover is None else turnover,
        lines_max=lines_max,
        accept_sandbox_gstins=sandbox_gstins,
        sez_gstins=_gstins(sez) or None,
        sez_developers=_gstins(sez_developers),
        sent_by=operator and operator.strip().upper(),
    )
    judged = _vouchers(books, voucher_ids, facts) if books else _files(files, facts)
    if lang == "hi":
        judged = checking.in_hindi(judged)
    return _tell_programs(judged) if as_json else _tell_people(judged, facts)


def _gstins(said: Sequence[str]) -> frozenset[str]:
    return frozenset(gstin.strip().upper() for gstin in said)


# -- where documents come from ---------------------------------------------------------------------------------------


def _files(names: Sequence[str], facts: "Facts") -> Iterator["Judged"]:
    from irnflow.files import checking

    with _progress(names) as opened, ExitStack() as closing:
        files = [(_shown(name), _standard_input(closing) if name == _STDIN else opened(name)) for name in names]
        yield from checking.judge_files(files, facts)


def _shown(name: str) -> str:
    return "standard input" if name == _STDIN else name


def _standard_input(closing: ExitStack) -> "Opener":
    """A copy of it, for a file is read from its beginning more than once."""
    import shutil
    from tempfile import TemporaryFile

    copy = closing.enter_context(TemporaryFile())  # noqa: SIM115 (closed by `closing`)
    shutil.copyfileobj(sys.stdin.buffer, copy)
    copy.flush()

    def open_it(mode: Literal["rb"]) -> BinaryIO:
        copy.seek(0)
        return os.fdopen(copy.fileno(), mode, closefd=False)

    return open_it


def _vouchers(name: str, voucher_ids: Sequence[str], facts: "Facts") -> Iterator["Judged"]:
    from irnflow.books import catalogue
    from irnflow.books.sql import SqlBooks
    from irnflow.files import checking

    books = SqlBooks(catalogue.named(settings().books, name, environment=variables()))
    try:
        with books.reading() as open_books:
            found = open_books.read(voucher_ids)
    finally:
        books.close()
    wanted = dict.fromkeys(voucher_ids)
    yield from checking.judge_vouchers(name, ((each, found.get(each)) for each in wanted), facts)


class _Counted(FileIO):
    """A file that tells how far it has been read."""

    def __init__(self, name: str, advance: Callable[[int], None]) -> None:
        super().__init__(name, "rb")
        self._advance = advance

    def readinto(self, buffer: Any) -> int:
        count = super().readinto(buffer) or 0
        self._advance(count)
        return count


@contextmanager
def _progress(names: Sequence[str]) -> Iterator[Callable[[str], "Opener"]]:
    """Opens files by name; while they are read a bar stands on the terminal, if there is one and they are large."""
    total = sum(Path(name).stat().st_size for name in names if Path(name).is_file())
    if total < _BAR_FROM_BYTES or not sys.stderr.isatty():
        yield lambda name: Path(name).open
        return
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeRemainingColumn

    columns = TextColumn("Checking"), BarColumn(), TaskProgressColumn(), TimeRemainingColumn()
    on_screen = sys.stdout.isatty()  # what is printed meanwhile must pass by the bar
    with Progress(*columns, console=Console(stderr=True), transient=True, redirect_stdout=on_screen) as progress:
        task = progress.add_task("", total=total)

        def advance(count: int) -> None:
            progress.advance(task, count)

        yield lambda name: lambda mode: BufferedReader(_Counted(name, advance))


# -- what is told ------------------------------------------------------------------------------------------------------


def _tell_programs(judged: Iterable["Judged"]) -> int:
    """A JSON list, a line a finding, as they are found."""
    import msgspec

    code, between = CLEAN, "["
    for one in judged:
        code = max(code, _exit_code(one))
        for finding in one.findings:
            click.echo(between + "\n" + msgspec.json.encode(finding).decode(), nl=False)
            between = ","
    click.echo("[]" if between == "[" else "\n]")
    return code


def _tell_people(judged: Iterable["Judged"], facts: "Facts") -> int:
    from rich.console import Console

    from irnflow.gst.facts import TURNOVER_NOT_SAID

    console = Console(highlight=False, width=None if sys.stdout.isatty() else _WIDTH_PIPED)
    tally: Counter[str] = Counter()
    by_turnover = False
    code, file = CLEAN, ""
    for one in judged:
        code = max(code, _exit_code(one))
        tally[_fate(one)] += 1
        by_turnover |= any(finding.code in _BY_TURNOVER for finding in one.findings)
        if one.findings:
            _print(console, one, heading=one.file != file)
            file = one.file
    _print_summary(console, tally, facts)
    if by_turnover and facts.turnover_crore == TURNOVER_NOT_SAID:
        console.print("Is the turnover less? How many digits an HSN needs, and whether 30 days bind, hangs on it: say "
                      "--turnover CRORE.", style="yellow")  # fmt: skip
    return code


def _exit_code(judged: "Judged") -> int:
    if judged.unreadable:
        return UNREADABLE
    return FAULTS if judged.refused else CLEAN


def _fate(judged: "Judged") -> str:
    if judged.unreadable:
        return "unreadable"
    if judged.refused:
        return "refused"
    return "with warnings" if judged.findings else "clean"


def _print(console: "Console", judged: "Judged", *, heading: bool) -> None:
    """One document: a line that names it, and a row a finding."""
    from rich.padding import Padding
    from rich.table import Table
    from rich.text import Text

    if heading:
        console.print(Text(f"\n{judged.file}", style="bold underline"))
    place = f"  ({judged.place})" if judged.place else ""
    console.print(Text.assemble("\n", (judged.title, "bold"), (place, "dim")))
    table = Table.grid(padding=(0, 2, 0, 0), expand=True)
    table.add_column(no_wrap=True)
    table.add_column(ratio=3, overflow="fold")
    table.add_column(ratio=8)
    for finding in judged.findings[:SHOWN_MOST]:
        mark = "unreadable" if judged.unreadable else finding.severity
        portal = (f"  [{finding.portal_code}]", "dim") if finding.portal_code else ""
        says = Text.assemble(finding.says, portal, *([("\n" + finding.fix, "green")] if finding.fix else []))
        table.add_row(Text(mark, style=_STYLES[mark]), Text(_below(judged, finding.path) or "the whole"), says)
    console.print(Padding(table, (0, 0, 0, 2)))
    if len(judged.findings) > SHOWN_MOST:
        console.print(Text(f"  ... and {len(judged.findings) - SHOWN_MOST} more; --json has them all", style="dim"))


def _below(judged: "Judged", path: str) -> str:
    """The path within its document, which of a table is a row and a column."""
    top, is_json, _ = judged.place.partition(", line ")
    return path.removeprefix(top).removeprefix(".") if is_json else path


def _print_summary(console: "Console", tally: Counter[str], facts: "Facts") -> None:
    from rich.text import Text

    from irnflow.gst import dates
    from irnflow.gst.facts import TURNOVER_NOT_SAID

    console.print()
    total = tally.total() - tally["unreadable"]
    counts = [(f"{tally[fate]:,} {fate}", style) for fate, style in _STYLES.items() if tally[fate]]
    parts = [part for count in counts for part in (", ", count)][1:] or ["nothing to check"]
    console.print(Text.assemble((f"{total:,} document{'' if total == 1 else 's'}: ", "bold"), *parts))
    turnover = f"{facts.turnover_crore:f} crore" if facts.turnover_crore != TURNOVER_NOT_SAID else "10 crore or more"
    console.print(Text(f"Checked as sent on {dates.write(facts.day)} by a supplier with a yearly turnover of "
                       f"{turnover}. Nothing was sent.", style="dim"))  # fmt: skip
