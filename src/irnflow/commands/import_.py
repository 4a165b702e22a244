"""`irnflow import`: invoices in CSV, XLSX and INV-01 JSON, into the books."""

import sys
from collections import Counter
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Final

import click

from irnflow.commands.environment import settings, variables

if TYPE_CHECKING:
    from rich.console import Console

    from irnflow.files.documents import Trouble
    from irnflow.files.importing import Result

IMPORTED, REFUSED, UNREADABLE = 0, 1, 2  # exit codes
SHOWN_MOST: Final = 200  # documents left out that are shown; --json has them all
NOTED_MOST: Final = 20  # documents with notes that are shown
_WIDTH_PIPED: Final = 120
_STYLES: Final = {"added": "green", "updated": "green", "unchanged": "dim", "left out": "red"}


@click.command("import")
@click.argument("files", nargs=-1, required=True, metavar="FILE...")
@click.option("--books", required=True, help="Into these books (of the books file).")
@click.option("--json", "as_json", is_flag=True, help="As JSON, for programs.")
def import_(files: tuple[str, ...], books: str, as_json: bool) -> int:
    """Bring invoices of files into books that are laid out as irnflow's own.

    FILE is CSV or XLSX, a row a line (irnflow template writes such a table), or INV-01 JSON. A document that can't be
    read for certain is left out whole and reported with its rows and columns; all others are imported. The same file
    again changes nothing; what changed is taken over while it has no IRN.

    \b
    Ends with 0 when all is imported, 1 when some document is left out, 2 when a file can't be read.
    """
    from irnflow.books import catalogue
    from irnflow.books.sql import SqlBooks
    from irnflow.files import importing, reading

    into = SqlBooks(catalogue.named(settings().books, books, environment=variables()))
    try:
        importing.prepare(into)
        taken = reading.read_all([(name, Path(name).open) for name in files])
        results = importing.take_in(into, taken)
        return _tell_programs(results) if as_json else _tell_people(results, books)
    finally:
        into.close()


def _tell_programs(results: Iterable["Result"]) -> int:
    import msgspec

    from irnflow.files.importing import Imported

    done = Imported.of(results)
    click.echo(msgspec.json.encode(done))
    return UNREADABLE if done.unreadable else REFUSED if done.refused else IMPORTED


def _tell_people(results: Iterable["Result"], books: str) -> int:
    from rich.console import Console

    console = Console(highlight=False, width=None if sys.stdout.isatty() else _WIDTH_PIPED)
    tally: Counter[str] = Counter()
    code, file, example, noted = IMPORTED, "", "", 0
    for one in results:
        if one.outcome:
            tally[one.outcome] += 1
            example = example or one.voucher_id
            noted += bool(one.notes)
            if one.notes and noted <= NOTED_MOST:
                _print(console, one, heading=one.place.file != file)
                file = one.place.file
            continue
        code = max(code, UNREADABLE if one.unreadable else REFUSED)
        tally["left out"] += not one.unreadable
        if tally["left out"] <= SHOWN_MOST:
            _print(console, one, heading=one.place.file != file)
            file = one.place.file
    if tally["left out"] > SHOWN_MOST:
        console.print(f"\n... and {tally['left out'] - SHOWN_MOST} more; --json has them all", style="dim")
    if noted > NOTED_MOST:
        console.print(f"\n... and notes on {noted - NOTED_MOST} more; --json has them all", style="dim")
    _print_summary(console, tally, books, example)
    return code


def _print(console: "Console", one: "Result", *, heading: bool) -> None:
    """One document that was left out, or corrected: what it is, and a row a trouble or a note."""
    from rich.padding import Padding
    from rich.table import Table
    from rich.text import Text

    if heading:
        console.print(Text(f"\n{one.place.file}", style="bold underline"))
    if one.unreadable:
        console.print(Text.assemble(("unreadable  ", "bold red"), *(trouble.says for trouble in one.troubles)))
        return
    table = Table.grid(padding=(0, 2, 0, 0))
    table.add_column(no_wrap=True, style="dim")
    table.add_column(no_wrap=True)
    table.add_column()
    for trouble in one.troubles or one.notes:
        table.add_row(Text(_where(trouble, one.place.file)), Text(trouble.column), Text(trouble.says))
    fate = ("corrected  ", "yellow") if one.outcome else ("left out  ", "red")
    console.print(Text.assemble(fate, (one.title, "bold")))
    console.print(Padding(table, (0, 0, 0, 2)))


def _where(trouble: "Trouble", file: str) -> str:
    """The place of a trouble; rows of another file than the document's first one are named with theirs."""
    place = f"{trouble.sheet}, row {trouble.row}" if trouble.sheet else f"line {trouble.row}"
    return place if trouble.file == file else f"{Path(trouble.file).name}, {place}"


def _print_summary(console: "Console", tally: Counter[str], books: str, example: str) -> None:
    from rich.text import Text

    total = tally.total()
    counts = [(f"{tally[fate]:,} {fate}", style) for fate, style in _STYLES.items() if tally[fate]]
    parts = [part for count in counts for part in (", ", count)][1:] or ["nothing to import"]
    console.print()
    console.print(Text.assemble((f"{total:,} document{'' if total == 1 else 's'}: ", "bold"), *parts))
    if example:
        console.print(Text(f"Into books {books}. Next: irnflow check --books {books} --voucher {example}", "dim"))
