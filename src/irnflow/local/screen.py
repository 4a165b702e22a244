"""What `irnflow up` shows on the terminal; plain lines where the output is no terminal."""

import contextlib
import time
from collections.abc import Iterator, Mapping, Sequence

import msgspec
from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskID, TextColumn, TimeElapsedColumn
from rich.table import Table

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
def step(console: Console, doing: str) -> Iterator[None]:
    """Say what is being done while it is done, and afterwards how long it took."""
    started = time.monotonic()
    if console.is_terminal:
        with console.status(escape(doing)):
            yield
    else:
        console.print(f"... {escape(doing)}")
        yield
    console.print(f"[green]ok[/]  {escape(doing)} [dim]{time.monotonic() - started:.1f} s[/]")


class Following:
    """A progress bar with the counts by state beneath its name."""

    def __init__(self, console: Console, size: int) -> None:
        self._console = console
        self._progress = Progress(
            BarColumn(30),
            MofNCompleteColumn(),
            TimeElapsedColumn(),
            TextColumn("{task.fields[counts]}"),
            console=console,
        )
        self._task: TaskID = self._progress.add_task("", total=size, counts="")
        self._said = ""

    def __enter__(self) -> "Following":
        self._progress.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._progress.stop()

    def show(self, counts: Mapping[State, int]) -> None:
        words = "  ".join(f"{_coloured(state)} {n}" for state, n in counts.items() if n)
        self._progress.update(self._task, completed=at_rest(counts), counts=words)
        if not self._console.is_terminal and words != self._said:
            self._console.print(f"    {words}")
        self._said = words


def at_rest(counts: Mapping[State, int]) -> int:
    """How many have come to rest."""
    return sum(n for state, n in counts.items() if state in AT_REST)


def summary(console: Console, outcomes: Sequence[Outcome]) -> None:
    """A table of all vouchers, those that surprise last, and one sentence."""
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0))
    for heading in ("voucher", "state", "", "IRN, or what is wrong"):
        table.add_column(heading, overflow="fold")
    for row in sorted(outcomes, key=lambda row: (not row.as_expected, row.state, row.voucher_id)):
        mark = "" if row.as_expected else f"[red]expected {WORDS[row.expected]}[/]"
        table.add_row(escape(row.voucher_id), _coloured(row.state), mark, escape(row.says))
    console.print()
    console.print(table)
    console.print()
    registered = sum(row.state is State.REGISTERED for row in outcomes)
    surprises = sum(not row.as_expected for row in outcomes)
    rest = len(outcomes) - registered
    verdict = (
        f"[red]{surprises} fared otherwise than the samples expect.[/]" if surprises else "each as the samples expect."
    )
    console.print(f"[bold]{registered} registered, {rest} not[/] (wrong on purpose): {verdict}")


def _coloured(state: State) -> str:
    colour = "green" if state in _GREEN else "red" if state in AT_REST else "yellow"
    return f"[{colour}]{WORDS[state]}[/]"
