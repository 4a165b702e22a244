"""The code lists of irnflow and of the sandbox are two snapshots: one renewed without the other is seen here."""

import csv
from collections.abc import Iterable, Mapping
from datetime import date
from decimal import Decimal
from importlib.resources import files

import pytest

from irnflow.gst import codes
from irnflow.sandbox.law import items, masters


@pytest.mark.parametrize(
    ("ours", "theirs"),
    [
        ([code for digits in (4, 6, 8) for code in codes.lines(f"hsn{digits}.txt")], masters.HSN),
        (codes.column("units.csv"), masters.UNITS),
        (codes.column("states.csv"), masters.STATES),
        (codes.column("ports.csv"), masters.PORTS),
        (codes.column("countries.csv"), masters.COUNTRIES),
        (codes.column("currencies.csv"), masters.CURRENCIES),
    ],
    ids=["HSN", "units", "states", "ports", "countries", "currencies"],
)
def test_both_have_the_same_codes(ours: Iterable[str], theirs: frozenset[str]) -> None:
    assert set(ours) ^ theirs == set()


def test_both_have_the_same_pins() -> None:
    ours = {int(row["pin3"]): set(row["state_codes"].split()) for row in codes.rows("pin_prefixes.csv")}

    assert ours == masters.STATES_BY_PIN3


def test_both_have_the_same_rates_since_the_same_days() -> None:
    first = date(2017, 7, 1)  # of GST
    ours = {
        Decimal(row["percent"]): date.fromisoformat(row["since"] or first.isoformat())
        for row in codes.rows("rates.csv")
    }

    assert ours == items.RATES


def test_both_have_the_same_fields_with_the_same_limits() -> None:
    theirs = files("irnflow.sandbox").joinpath("data/inv01_fields.csv").read_text(encoding="utf-8").splitlines()

    assert limits(codes.rows("inv01_fields.csv")) ^ limits(csv.DictReader(theirs)) == set()


def limits(rows: Iterable[Mapping[str, str]]) -> set[tuple[str, ...]]:
    """Of texts and numbers; a date's are in its form."""
    return {
        (row["path"], row["min"], row["max"], row["decimals"])
        for row in rows
        if row["type"] in {"string", "number"} and not row["path"].endswith("Dt")
    }
