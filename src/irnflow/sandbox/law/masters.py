"""The portal's masters: the codes that exist, as of the snapshot in `sandbox/data`."""

import csv
from collections.abc import Iterator
from pathlib import Path
from typing import Final

_DATA: Final = Path(__file__).parent.parent / "data"


def _codes_in(name: str) -> frozenset[str]:
    return frozenset((_DATA / name).read_text(encoding="ascii").split())


def _states_by_prefix() -> Iterator[tuple[int, frozenset[str]]]:
    with (_DATA / "pin_prefixes.csv").open(newline="", encoding="ascii") as file:
        for row in csv.DictReader(file):
            yield int(row["pin3"]), frozenset(row["state_codes"].split())


STATES: Final = _codes_in("states.txt")
UNITS: Final = _codes_in("units.txt")
HSN: Final = _codes_in("hsn.txt")
PORTS: Final = _codes_in("ports.txt")
COUNTRIES: Final = _codes_in("countries.txt")
CURRENCIES: Final = _codes_in("currencies.txt")
STATES_BY_PIN3: Final = dict(_states_by_prefix())

OTHER_COUNTRIES: Final = "96"
# 25 was merged into 26 and is withdrawn as POS, 28 is in no list of today, 99 is an office.
NO_PLACE_OF_SUPPLY: Final = frozenset({"25", "28", "96", "99"})
NO_PIN: Final = 999999  # stands for abroad, and may for Other Territory
