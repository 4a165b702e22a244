"""`./run bench check`: 10,000 invoices of five lines in one file, checked and imported by the commands that people use.

The budget of checking is 10 s. Prints seconds, CPU seconds and the most memory that the command ever held.
"""

import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Final

import msgspec

from tests.gst import documents

_INVOICES: Final = 10_000


def main() -> None:
    """Measure and print."""
    with tempfile.TemporaryDirectory(prefix="irnflow-bench-") as folder:
        file, books = Path(folder, "invoices.json"), Path(folder, "books.toml")
        _write(file)
        books.write_text(f'[books.main]\nurl = "sqlite:///{folder}/books.db"\n', encoding="utf-8")
        print(f"{_INVOICES:,} invoices of five lines, {file.stat().st_size / 1e6:.0f} MB of INV-01")
        _measure("check", "check", str(file), "--day", documents.DAY.isoformat(), folder=folder)
        _measure("import", "import", str(file), "--books", "main", folder=folder)
        _measure("import again", "import", str(file), "--books", "main", folder=folder)


def _write(file: Path) -> None:
    """Invoices that differ in their numbers, one at a time: what a child holds is counted from what we hold."""
    lines = [{**documents.GOODS, "SlNo": str(number)} for number in range(1, 6)]
    whole = documents.document(documents.party(documents.CUSTOMER, Pos="27"), *lines)
    text = msgspec.json.Encoder(decimal_format="number").encode(documents.changed(whole, {"DocDtls.No": "N/1"}))
    with file.open("wb") as stream:
        for number in range(1, _INVOICES + 1):
            stream.write((b"[" if number == 1 else b",\n") + text.replace(b'"N/1"', b'"N/%d"' % number))
        stream.write(b"]")


def _measure(name: str, *words: str, folder: str) -> None:
    began = time.monotonic()
    child = subprocess.Popen(
        [sys.executable, "-m", "irnflow", *words], env={**os.environ, "IRNFLOW_DATA": folder}, stdout=subprocess.DEVNULL
    )
    _, status, used = os.wait4(child.pid, 0)
    took_s = time.monotonic() - began
    assert status == 0, f"{name} ended with {status}"
    print(
        f"  {name:<14}{took_s:6.1f} s, {used.ru_utime + used.ru_stime:5.1f} s of CPU, {used.ru_maxrss / 1024:4.0f} MB"
    )
