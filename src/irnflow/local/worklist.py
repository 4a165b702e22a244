"""The worklist on the terminal: what failed and why, and sending it again."""

from datetime import UTC, datetime
from itertools import groupby
from typing import Final

import msgspec
from rich.console import Console
from rich.markup import escape
from rich.padding import Padding
from rich.table import Table

from irnflow.api.resources import VOUCHERS_MAX, Example
from irnflow.errors import BadInput
from irnflow.messages import WORDS
from irnflow.store import accounting, accounts, batches, database, failures
from irnflow.store.failures import Choice

GROUPS_MOST: Final = 1_000
_EXAMPLES: Final = 3

# What `retry` refuses, in words that say what to do.
REFUSALS: Final = {
    "NOTHING_OPEN": "no open failure meets all of that; `irnflow failures` lists them",
    "BOOKS_MIXED": "these failures are of several books, and a batch reads one: retry each batch with --batch",
}


async def show(url: str, console: Console, *, account: str | None, batch_no: str | None) -> None:
    """Print the open failures of an account, of one batch or of all, by stage and cause."""
    async with database.connect(url, connections=1) as store:
        whose = await accounts.named(store, account)
        batch_id = None
        if batch_no is not None:
            batch = await batches.one(store, whose.account_id, batch_no)
            if batch is None:
                raise BadInput(f"account {whose.name} has no batch {batch_no}")
            batch_id = batch["batch_id"]
        groups = await failures.open_by_cause(
            store, whose.account_id, batch_id=batch_id, after=("", ""), most=GROUPS_MOST
        )
    if not groups:
        console.print("No open failures.")
        return
    for stage, causes in groupby(groups, key=lambda group: group["stage"]):
        table = Table.grid(padding=(0, 2))
        table.add_column(justify="right", no_wrap=True)
        table.add_column(overflow="fold")
        for group in causes:
            table.add_row(_vouchers(group["vouchers"]), f"[bold]{escape(group['cause'])}[/]")
            table.add_row("", escape(group["says"]))
            if group["fix"]:
                table.add_row("", escape(group["fix"]))
            examples = msgspec.json.decode(group["examples"], type=list[Example])
            shown = ", ".join(f"{one.transaction_id} in {one.batch_no}" for one in examples[:_EXAMPLES])
            table.add_row("", f"[dim]{escape(shown)}{' ...' if group['count'] > _EXAMPLES else ''}[/]")
        console.print(f"\n[bold underline]{escape(stage)}[/]")
        console.print(Padding(table, (0, 0, 0, 2)))


async def retry(url: str, console: Console, *, account: str | None, choice: Choice) -> None:
    """Send chosen open failures again as a new batch, and print its number. Raises BadInput when none is meant."""
    async with database.connect(url, connections=1) as store:
        whose = await accounts.named(store, account)
        done = await failures.retry(
            store, whose.account_id, choice, most=VOUCHERS_MAX, idempotency_key=None, at=datetime.now(UTC)
        )
    if done["outcome"] in REFUSALS:
        raise BadInput(REFUSALS[done["outcome"]])
    origin = f", from batch {done['retry_of']}" if done["retry_of"] else ""
    console.print(f"Batch {done['batch_no']}: {_vouchers(len(done['transaction_ids']))} sent again{origin}.")


async def account_for(url: str, console: Console) -> bool:
    """Print the accounting; whether all that must agree at any time does."""
    async with database.connect(url, connections=1) as store:
        figures = await accounting.figures(store)
        found = await accounting.differences(store)
    console.print(
        f"{figures.transactions} transactions, {figures.accepted} registered IRNs, "
        f"{figures.open_failures} open failures, {figures.buried} dead letters that name nothing of ours"
    )
    for state, count in sorted(figures.by_state.items()):
        console.print(f"  {count:>9}  {WORDS[state]}")
    for difference in found:
        where = " ".join(filter(None, (difference.batch_no, difference.transaction_id)))
        mark = "in flight" if difference.at_rest else "[red]WRONG[/]"
        console.print(f"{mark}  {difference.what} {escape(where)}: {escape(difference.says)}")
    return all(difference.at_rest for difference in found)


def _vouchers(n: int) -> str:
    return f"{n} voucher{'' if n == 1 else 's'}"
