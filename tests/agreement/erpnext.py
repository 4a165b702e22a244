"""Sales invoices of a real ERPNext: what its e-invoicing app made of each, and what irnflow makes of the same voucher.

`erpnext.json` was taken on 30 November 2026 from ERPNext 15.71.1 on MariaDB 10.11.19, with the app India Compliance
15.13.5: `app` is the INV-01 that the app built (null: it builds none), `books` what irnflow's reader of books gave for
the same voucher, before anything was calculated. All names and numbers are invented.
"""

from collections.abc import Iterator
from datetime import date
from decimal import Decimal
from functools import cache
from pathlib import Path
from typing import Any, Final

import msgspec

from irnflow.gst import loose
from irnflow.gst.examine import Examined, examine
from irnflow.gst.facts import Facts
from irnflow.gst.invoice import Invoice

DAY: Final = date(2026, 11, 30)
_decoder: Final = msgspec.json.Decoder(float_hook=Decimal)

# Why irnflow's verdict, by the code of each finding.
DECIDED: Final = {}

# Why what irnflow sends differs from what the app built, by the field, in the vouchers named (or in any).
DIFFERS: Final = {}


class Sale(msgspec.Struct, frozen=True, kw_only=True):
    """One sales invoice of ERPNext."""

    name: str
    voucher_id: str
    shows: str  # what is special about it
    app: dict[str, Any] | None
    books: dict[str, Any]

    @property
    def document(self) -> dict[str, Any]:
        """The app's INV-01, written as irnflow writes it."""
        written = msgspec.json.Encoder(decimal_format="number").encode(loose.read(_written(self.app))[0])
        document: dict[str, Any] = _decoder.decode(written)
        return document

    @property
    def of_the_app(self) -> Examined | None:
        """What irnflow says of the app's own INV-01."""
        return examine(loose.read(_written(self.app))[0], Facts(day=DAY)) if self.app else None

    @property
    def of_the_books(self) -> Examined:
        """What irnflow says of the voucher as the books have it."""
        return examine(msgspec.convert(self.books, Invoice, strict=False), Facts(day=DAY))

    @property
    def differences(self) -> list[str]:
        """Fields of INV-01 in which the document that irnflow sends is not the app's; absent, 0 and "" are one."""
        sent = self.of_the_books
        if self.app is None or not sent.payload:
            return []
        ours, theirs = dict(_leaves(_decoder.decode(sent.payload))), dict(_leaves(self.app))
        return [path for path in sorted(ours.keys() | theirs.keys()) if ours.get(path) != theirs.get(path)]


@cache
def sales() -> tuple[Sale, ...]:
    text = (Path(__file__).parent / "erpnext.json").read_bytes()
    return tuple(msgspec.convert(_decoder.decode(text), list[Sale], strict=False))


def codes(examined: Examined) -> list[str]:
    """The codes of what was found, refusals first."""
    return list(dict.fromkeys(fault.code for fault in [*examined.refusals, *examined.warnings]))


def _written(document: dict[str, Any] | None) -> bytes:
    return msgspec.json.Encoder(decimal_format="number").encode(document)


def _leaves(value: Any, path: str = "") -> Iterator[tuple[str, Any]]:
    """Each text and number that says something, with its path."""
    if isinstance(value, dict):
        for name, member in value.items():
            yield from _leaves(member, f"{path}.{name}" if path else name)
    elif isinstance(value, list):
        for at, member in enumerate(value):
            yield from _leaves(member, f"{path}[{at}]")
    elif value not in (None, "", 0):
        yield path, value
