"""`./run bench law [--count N]`: what it costs to judge an invoice on one core, and whether memory stays flat.

Medians of the rules alone and of all four passes, in CPU time, for an invoice of five lines and one of a thousand; the
rules' budgets are 150 us and 20 ms. Then N invoices (a million), all different, through all passes: memory is told ten
times.
"""

import os
from collections.abc import Callable
from datetime import date, timedelta
from pathlib import Path
from typing import Any, Final

import pytest
from msgspec.structs import replace

from bench.processes import memory_mb
from irnflow.gst import dates, rules
from irnflow.gst.examine import examine
from irnflow.gst.facts import Facts
from irnflow.gst.invoice import Invoice
from tests.gst import documents

_FACTS: Final = Facts(day=documents.DAY)
_SIZES: Final = [5, 1000]
_COLUMNS: Final = "min,median,iqr,rounds"

Benchmark = Callable[..., Any]  # what pytest-benchmark hands to a test


def as_given(lines: int) -> Invoice:
    """As books give it: what follows from the rest is left out."""
    chairs = [{**documents.GOODS, "PrdDesc": f"Chair {number}", "Qty": number} for number in range(1, lines + 1)]
    whole = documents.document(documents.party(documents.CUSTOMER, Pos="27"), documents.GOODS)
    return documents.read(documents.changed(whole, {"ItemList": chairs, "ValDtls": None}))


@pytest.mark.parametrize("lines", _SIZES)
def test_rules(benchmark: Benchmark, lines: int) -> None:
    invoice = examine(as_given(lines), _FACTS).invoice

    assert benchmark(rules.check, invoice, _FACTS) == []


@pytest.mark.parametrize("lines", _SIZES)
def test_all_passes(benchmark: Benchmark, lines: int) -> None:
    given = as_given(lines)

    assert benchmark(examine, given, _FACTS).refusals == []


def main(count: int) -> None:
    """Measure and print."""
    plugins = ["-p", "no:xdist", "-p", "pytest_benchmark.plugin"]
    ended = pytest.main(
        [
            *plugins,
            f"--benchmark-columns={_COLUMNS}",
            "--benchmark-timer=time.process_time",
            "--rootdir=.",
            str(Path(__file__)),
        ]
    )
    assert ended == pytest.ExitCode.OK
    _print_memory(count)


def _print_memory(count: int) -> None:
    given = as_given(5)
    for number in range(1, count + 1):
        assert not examine(_another(given, number), _FACTS).refusals
        if number % max(1, count // 10) == 0:
            print(f"{number:>9} invoices judged: {memory_mb([os.getpid()]):.1f} MB (PSS)")


def _another(given: Invoice, number: int) -> Invoice:
    assert given.doc_dtls
    assert given.buyer_dtls
    dated = dates.write(date(2026, 11, 22) - timedelta(days=number % 30))
    return replace(
        given,
        doc_dtls=replace(given.doc_dtls, no=f"X/{number}", dt=dated),
        buyer_dtls=replace(given.buyer_dtls, lgl_nm=f"Customer {number}"),
    )
