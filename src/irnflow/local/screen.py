"""What `irnflow up` shows on the terminal; plain lines where the output is no terminal."""

import contextlib
import time
from collections.abc import Iterator, Mapping, Sequence
from typing import Self

import msgspec
from rich.columns import Columns
from rich.console import Console, RenderableType
from rich.markup import escape
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskID
from rich.table import Table

from irnflow.local.private import Tell
from irnflow.messages import WORDS, State

# Where a transaction comes to rest; from IN_DOUBT it still moves by itself.
AT_REST = frozenset(
    {
        State.DATA_FETCH_FAILED,
        State.VALIDATION_FAILED,
        State.WITHDRAWN,
        State.DEAD_LETTERED,
        State.GENERATION_FAILED,
        State.BOOKS_FAILED,
        State.REGISTERED,
        State.CANCELLED,
    }
)
_GREEN = frozenset({State.REGISTERED, State.GENERATION_SUCCESS})


class Outcome(msgspec.Struct, frozen=True, kw_only=True):
    """One row of the summary."""

    voucher_id: str
    state: State
    expected: State
    says: str  # IRN, or why it failed

    @property
    def as_expected(self) -> bool:
        return self.state == self.expected


@contextlib.contextmanager
def step(console: Console, doing: str) -> Iterator[Tell]:
    """Say what is being done while it is done, and afterwards how long it took; gives what tells of a part of it."""
    started = time.monotonic()

    def tell(part: str) -> None:
        console.print(f"... {escape(part)}", soft_wrap=True)

    if console.is_terminal:
        with console.status(escape(doing)):
            yield tell
    else:
        tell(doing)
        yield tell
    console.print(f"[green]ok[/]  {escape(doing)} [dim]{time.monotonic() - started:.1f} s[/]")


class Following:
    """A progress bar with the counts by state below it; where that can't be drawn, a line for each change."""

    def __init__(self, console: Console, size: int) -> None:
        self._console = console
        self._bar = _Bar(BarColumn(30), MofNCompleteColumn(), console=console, disable=not console.is_terminal)
        self._task: TaskID = self._bar.add_task("", total=size)

    def __enter__(self) -> Self:
        self._bar.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._bar.stop()

    def show(self, counts: Mapping[State, int]) -> None:
        self._bar.counts = [f"{_coloured(state)} {counts[state]}" for state in State if counts.get(state)]
        self._bar.update(self._task, completed=at_rest(counts))
        if not self._console.is_terminal:
            self._console.print(f"    {'  '.join(self._bar.counts)}", soft_wrap=True)


class _Bar(Progress):
    """With the counts below, which go on in the next line where the terminal is narrow."""

    counts: Sequence[str] = ()

    def get_renderables(self) -> Iterator[RenderableType]:
        yield from super().get_renderables()
        yield Columns(self.counts, padding=(0, 2))


def at_rest(counts: Mapping[State, int]) -> int:
    """How many have come to rest."""
    return sum(n for state, n in counts.items() if state in AT_REST)


def summary(console: Console, outcomes: Sequence[Outcome]) -> None:
    """All vouchers under their states, those that surprise last, and one sentence."""
    as_expected = [row for row in outcomes if row.as_expected]
    surprises = [row for row in outcomes if not row.as_expected]
    for state in sorted({row.state for row in as_expected}, key=list(State).index, reverse=True):
        rows = [row for row in as_expected if row.state == state]
        _list(console, f"{_coloured(state)} {len(rows)}", rows)
    for row in surprises:
        _list(console, f"{_coloured(row.state)} [bold red]where {WORDS[row.expected]} was expected[/]", [row])
    registered = sum(row.state is State.REGISTERED for row in outcomes)
    verdict = f"[bold red]{len(surprises)} not as expected[/]" if surprises else "each as expected"
    console.print(
        f"\n[bold]{registered} registered, {len(outcomes) - registered} not[/]; "
        f"some vouchers of the sample are wrong on purpose: {verdict}."
    )


def _list(console: Console, heading: str, rows: Sequence[Outcome]) -> None:
    """Rows below a heading: voucher, then IRN or reason. An IRN of 64 characters fits on a line of 80."""
    table = Table.grid(padding=(0, 2, 0, 0))
    table.add_column(no_wrap=True)
    table.add_column(overflow="fold")
    for row in rows:
        table.add_row(f"  {escape(row.voucher_id)}", escape(row.says))
    console.print(f"\n{heading}")
    console.print(table)


def _coloured(state: State) -> str:
    colour = "green" if state in _GREEN else "red" if state in AT_REST else "yellow"
    return f"[{colour}]{WORDS[state]}[/]"
