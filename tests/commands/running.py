"""Commands run in this process, as `irnflow` runs them; and one as a process of its own."""

import os
import subprocess
import sys
from collections.abc import Mapping
from typing import NamedTuple

import click
from click.testing import CliRunner

from irnflow.cli import irnflow


class Ran(NamedTuple):
    """What became of a command."""

    code: int
    out: str
    err: str = ""  # what was wrong


def run(*words: str, given: bytes = b"") -> Ran:
    result = CliRunner().invoke(irnflow, words, input=given, standalone_mode=False)
    if isinstance(result.exception, click.ClickException):
        return Ran(result.exception.exit_code, result.stdout, result.exception.format_message())
    if result.exception:
        raise result.exception
    return Ran(result.return_value or 0, result.stdout, result.stderr)


def process(*words: str, given: bytes = b"", environment: Mapping[str, str] = os.environ) -> Ran:
    done = subprocess.run(
        [sys.executable, "-m", "irnflow", *words], input=given, capture_output=True, check=False, env=environment
    )
    return Ran(done.returncode, done.stdout.decode(), done.stderr.decode())
