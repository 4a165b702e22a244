"""Processes that others have started, found by what they were given."""

import contextlib
from pathlib import Path

import psutil


def with_path(folder: Path) -> list[psutil.Process]:
    """Those whose PATH names this folder."""
    found = []
    for process in psutil.process_iter():
        with contextlib.suppress(psutil.Error):
            if str(folder) in process.environ().get("PATH", ""):
                found.append(process)
    return found
