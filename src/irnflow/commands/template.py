"""`irnflow template`: the table that `irnflow import` reads."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Final

import click

_KINDS: Final = {".xlsx": "xlsx", ".csv": "csv"}


@click.command()
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False))
@click.option("--xlsx", "kind", flag_value="xlsx", help="A workbook, whatever the file is called.")
@click.option("--csv", "kind", flag_value="csv", help="CSV, whatever the file is called.")
@click.option("--all", "everything", is_flag=True, help="CSV with all columns, not only the usual ones.")
@click.option("--force", is_flag=True, help="Write over a file that is there.")
def template(file: Path, kind: str | None, everything: bool, force: bool) -> None:
    """Write an empty table of invoices: FILE.xlsx with lists to choose from, an example and instructions, or FILE.csv
    with an example to replace.
    """
    kind = kind or _KINDS.get(file.suffix.lower())
    if kind is None:
        raise click.UsageError(f"{file} ends neither in .xlsx nor .csv: say --xlsx or --csv")
    if file.exists() and not force:
        raise click.UsageError(f"{file} is there already: name another file, or say --force to write over it")
    from irnflow.files import template as room
    from irnflow.gst import dates

    today = dates.in_india(datetime.now(UTC))
    try:
        if kind == "xlsx":
            with file.open("wb") as stream:
                room.write_xlsx(today, stream)
        else:
            file.write_bytes(room.write_csv(today, names=room.columns() if everything else room.usual()))
    except OSError as error:
        raise click.ClickException(f"{file} can't be written: {error.strerror}") from error
    click.echo(f"{file} is ready. Fill it in, then: irnflow import {file} --books NAME")
