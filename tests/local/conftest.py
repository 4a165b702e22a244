"""Folders that a server run as another user can reach."""

import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest


@pytest.fixture
def folder() -> Iterator[Path]:
    """An empty folder that everybody may enter; pytest's own are for their owner alone."""
    with tempfile.TemporaryDirectory(prefix="irnflow-test-") as name:
        Path(name).chmod(0o711)
        yield Path(name)
