"""The golden invoices of `examples/`: each with what its index says of it, and with what is known of those in it.

Each is judged on the day of its own date, so that none grows old.
"""

import re
from collections.abc import Iterator
from copy import deepcopy
from datetime import date
from decimal import Decimal
from functools import cache
from pathlib import Path
from typing import Any

import msgspec

from irnflow.gst.facts import Facts

FOLDER = Path(__file__).parent.parent / "examples"
_ROW = re.compile(r"\| \[([\w-]+)\]\(\1\.json\) \| (\w+) \| (\w+) \| (\S*) \| (.+) \|")
_decoder = msgspec.json.Decoder(float_hook=Decimal)

Document = dict[str, Any]


class Golden(msgspec.Struct, frozen=True, kw_only=True):
    """A row of the index, and its file."""

    name: str
    supply: str  # SupTyp
    kind: str  # Typ
    voucher_id: str  # of the sample books; "" for one that isn't in them
    shows: str

    def read(self) -> bytes:
        return (FOLDER / f"{self.name}.json").read_bytes()

    @property
    def document(self) -> Document:
        document: Document = _decoder.decode(self.read())
        return document

    @property
    def facts(self) -> Facts:
        """What is known when it is sent: on its own day, by the supplier or by the operator that it names."""
        return facts_of(self.document)


def facts_of(document: Document) -> Facts:
    """What is known of one like the golden ones, sent on the day of its date."""
    day, month, year = (int(part) for part in document["DocDtls"]["Dt"].split("/"))
    known = taxpayers()
    in_zones = {gstin: row["kind"] for gstin, row in known.items() if row.get("kind", "") in {"SEZ", "SED"}}
    return Facts(
        day=date(year, month, day),
        turnover_crore=Decimal(known[document["SellerDtls"]["Gstin"]].get("turnover_crore", 8)),
        sent_by=document["TranDtls"].get("EcmGstin"),
        sez_gstins=frozenset(in_zones),
        sez_developers=frozenset(gstin for gstin, kind in in_zones.items() if kind == "SED"),
    )


@cache
def taxpayers() -> dict[str, dict[str, Any]]:
    """Everybody in the golden invoices, by GSTIN, as the sandbox portal lists them."""
    return {row["gstin"]: row for row in _decoder.decode((FOLDER / "taxpayers.json").read_bytes())}


def a_thousand_lines() -> Document:
    """One too long to be stored: the first of them with as many lines as the portal takes."""
    document = deepcopy(GOLDEN[0].document)
    line = document["ItemList"][0]
    document["ItemList"] = [line | {"SlNo": str(number)} for number in range(1, 1001)]
    sums = {"AssVal": "AssAmt", "CgstVal": "CgstAmt", "SgstVal": "SgstAmt", "TotInvVal": "TotItemVal"}
    document["ValDtls"] = {total: line[part] * 1000 for total, part in sums.items()}
    return document


def _index() -> Iterator[Golden]:
    for name, supply, kind, voucher_id, shows in _ROW.findall((FOLDER / "README.md").read_text(encoding="utf-8")):
        yield Golden(name=name, supply=supply, kind=kind, voucher_id=voucher_id, shows=shows)


GOLDEN = tuple(_index())
