"""`./run bench check [--against REV]`: 10,000 invoices of five lines, checked and imported by the commands people use.

Prints seconds, seconds of CPU and the peak memory of each command. With REV both versions run alternately on the same
files, and the medians of the ratios are printed: below 1 means that this version needs less.
"""

import contextlib
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from statistics import median
from typing import Any, Final, NamedTuple

import msgspec

from tests.gst import documents

_INVOICES: Final = 10_000
_WORKBOOK_INVOICES: Final = 12_500  # makes a workbook of 5 MB
_ROUNDS: Final = 5
# A child's peak memory counts from its parent's, so a bare interpreter starts and measures it.
_LAUNCHER: Final = """
import json, os, sys, time
with open(os.devnull, "w") as nowhere:
    began = time.monotonic()
    quiet = [(os.POSIX_SPAWN_DUP2, nowhere.fileno(), 1)]
    child = os.posix_spawn(sys.argv[1], sys.argv[1:], os.environ, file_actions=quiet)
    _, status, used = os.wait4(child, 0)
    took = time.monotonic() - began
print(json.dumps([os.waitstatus_to_exitcode(status), took, used.ru_utime + used.ru_stime, used.ru_maxrss / 1024]))
"""


class Used(NamedTuple):
    """What one run of a command took."""

    wall_s: float
    cpu_s: float
    peak_mib: float


def main(against: str | None) -> None:
    """Measure and print."""
    with tempfile.TemporaryDirectory(prefix="irnflow-bench-") as name:
        folder = Path(name)
        files = _files(folder)
        with _source_of(against) as other:
            sources = [Path("src").resolve(), *([other] if other else [])]
            for title, words in _commands(files):
                runs = [_alternately(folder, sources, words) for _ in range(_ROUNDS if other else 1)]
                _print(title, runs)


def _commands(files: dict[str, Path]) -> Iterator[tuple[str, list[str]]]:
    day = documents.DAY.isoformat()
    yield "check, INV-01", ["check", str(files["json"]), "--day", day]
    for kind in ("json", "csv", "xlsx"):
        yield f"import, {kind}", ["import", str(files[kind]), "--books", "main"]


def _alternately(folder: Path, sources: list[Path], words: list[str]) -> list[Used]:
    """The command once in each version, into empty books."""
    used = []
    for source in sources:
        books = folder / "books.db"
        books.unlink(missing_ok=True)
        (folder / "books.toml").write_text(f'[books.main]\nurl = "sqlite:///{books}"\n', encoding="utf-8")
        used.append(_run(source, folder, words))
    return used


def _run(source: Path, folder: Path, words: list[str]) -> Used:
    environment = {**os.environ, "IRNFLOW_DATA": str(folder), "PYTHONPATH": str(source)}
    command = [sys.executable, "-I", "-S", "-c", _LAUNCHER, sys.executable, "-m", "irnflow", *words]
    printed = subprocess.run(command, env=environment, cwd=folder, check=True, stdout=subprocess.PIPE).stdout
    code, *figures = msgspec.json.decode(printed)
    assert code == 0, f"{' '.join(words)} ended with {code}"
    return Used(*figures)


def _print(title: str, runs: list[list[Used]]) -> None:
    ours = [run[0] for run in runs]
    print(f"{title:<16}{_middle(ours, 0):6.1f} s, {_middle(ours, 1):5.1f} s of CPU, {_middle(ours, 2):4.0f} MiB")
    if len(runs[0]) > 1:
        ratios = [Used(*(a / b for a, b in zip(*run, strict=True))) for run in runs]
        spread = ", ".join(
            f"{name} {_middle(ratios, at):.2f} ({min(each[at] for each in ratios):.2f} to "
            f"{max(each[at] for each in ratios):.2f})"
            for at, name in enumerate(("time", "CPU", "memory"))
        )
        print(f"{'':<16}ratio of {spread}")


def _middle(used: list[Used], at: int) -> float:
    return median(each[at] for each in used)


@contextlib.contextmanager
def _source_of(revision: str | None) -> Iterator[Path | None]:
    """The source of a revision, checked out beside; none when none is asked for."""
    if revision is None:
        yield None
        return
    with tempfile.TemporaryDirectory(prefix="irnflow-bench-") as folder:
        git, tree = shutil.which("git") or "git", str(Path(folder, "tree"))
        subprocess.run([git, "worktree", "add", "--quiet", "--detach", tree, revision], check=True)
        try:
            yield Path(tree, "src")
        finally:
            subprocess.run([git, "worktree", "remove", "--force", tree], check=True)


# -- the files -------------------------------------------------------------------------------------------------------


def _files(folder: Path) -> dict[str, Path]:
    files = {kind: folder / f"invoices.{kind}" for kind in ("json", "csv", "xlsx")}
    _write_json(files["json"])
    _write_csv(files["csv"])
    _write_xlsx(files["xlsx"])
    for kind, file in files.items():
        print(f"{kind}: {file.stat().st_size / 1e6:.1f} MB")
    return files


def _write_json(file: Path) -> None:
    """INV-01 of invoices that differ in their numbers."""
    lines = [{**documents.GOODS, "SlNo": str(number)} for number in range(1, 6)]
    whole = documents.document(documents.party(documents.CUSTOMER, Pos="27"), *lines)
    text = msgspec.json.Encoder(decimal_format="number").encode(documents.changed(whole, {"DocDtls.No": "N/1"}))
    with file.open("wb") as stream:
        for number in range(1, _INVOICES + 1):
            stream.write((b"[" if number == 1 else b",\n") + text.replace(b'"N/1"', b'"N/%d"' % number))
        stream.write(b"]")


_ROW: Final[dict[str, Any]] = {
    "document_type": "INV", "document_number": "", "document_date": "20/11/2026", "supply_type": "B2B",
    "seller_gstin": documents.SELLER, "seller_legal_name": "Sound Traders", "seller_address_1": "1 Main Road",
    "seller_place": "Bengaluru", "seller_pin": 560001, "seller_state": "29",
    "buyer_gstin": documents.CUSTOMER, "buyer_legal_name": "Quiet Offices", "buyer_address_1": "7 Market Street",
    "buyer_place": "Mumbai", "buyer_pin": 400001, "buyer_state": "27", "place_of_supply": "27",
    "description": "Office chair", "hsn": "94036000", "quantity": 10, "unit": "NOS", "unit_price": 1000.5,
    "gst_rate": 18,
}  # fmt: skip


def _rows(invoices: int) -> Iterator[list[Any]]:
    for number in range(1, invoices + 1):
        yield from [list({**_ROW, "document_number": f"N/{number}"}.values())] * 5


def _write_csv(file: Path) -> None:
    import csv

    with file.open("w", newline="", encoding="utf-8") as stream:
        table = csv.writer(stream)
        table.writerow(_ROW)
        table.writerows(_rows(_INVOICES))


def _write_xlsx(file: Path) -> None:
    import xlsxwriter

    with xlsxwriter.Workbook(file, {"constant_memory": True}) as book:
        sheet = book.add_worksheet("Invoices")
        sheet.write_row(0, 0, list(_ROW))
        for at, row in enumerate(_rows(_WORKBOOK_INVOICES), 1):
            sheet.write_row(at, 0, row)
