"""Sales invoices of a real ERPNext: what its e-invoicing app made of each, and what irnflow makes of the same "
"voucher.

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

# Why irnflow says so, by the code of the finding.
DECIDED: Final = {
    "cess.ended": "The voucher bears the compensation cess of before September 2025. Old supplies may, so it is "
    "a warning.",
    "document.too_late": "Dated 20 October: from 10 crore on it had to be reported within 30 days (2305). With "
    "--turnover 8 "
    "it passes.",
    "ecommerce.by_supplier": "The supplier registers it itself, so EcmGstin should be blank. The portal may "
    "refuse it "
    "(2224), and the sandbox does: the app sends it whenever its e-commerce feature is on, so irnflow only warns.",
    "eway_bill.distance_abroad": "The app asks for an e-way bill with a distance and nothing else (next line), "
    "here to a "
    "buyer abroad.",
    "eway_bill.export_ship_to": "As the line above: an e-way bill of an export needs the port that the goods "
    "leave from.",
    "eway_bill.part_a": "From 50,000 rupees on the app sends EwbDtls with distance 0 and nothing else. The "
    "invoice is "
    "registered, and no e-way bill is made; the app ignores that, and so irnflow only warns.",
    "eway_bill.services": "As above; and services need no e-way bill.",
    "field.choice": "A buyer without GSTIN: business to consumer is not registered. The app builds nothing for "
    "it either.",
    "field.missing": "As above: the buyer has no GSTIN.",
    "normalised": "A number in small letters is sent in capitals, as the portal reads it since June 2025; two "
    "blanks in a "
    "row, which the app leaves where it drops a sign, and double quotes are written as INV-01 takes them.",
    "rate.ended": "28 % ended for motor cars on 22 September 2025. Old supplies may bear it, so it is a warning.",
    "rate.nil_without_payment": "ERPNext has no tax rows for a supply under LUT, so the rate is 0 in its tables "
    "and in the "
    "app's document. The portal registers it; the law wants the rate that the goods bear, so irnflow warns.",
    "rate.wholly_exempt": "Only nil-rated goods: a bill of supply, which the app does not register. The portal "
    "would take "
    "it, so irnflow warns.",
}

# Why irnflow sends of the voucher something else than the app built, by voucher.
DIFFERS: Final = {
    "credit_note_intra": "The app drops the sign × and leaves two blanks; irnflow keeps it.",
    "debit_note": "irnflow names the invoice that the note is about; the app does not.",
    "export_with_payment_usd": "The app computes the tax anew from the rate and forgets that ERPNext rounded it "
    "in dollars; "
    "irnflow sends the amounts of ERPNext's tables, which is what the customer was charged.",
    "export_without_payment_eur": "The app drops letters outside ASCII from the place (Ålgård); irnflow keeps them.",
    "intra": "The sign ×, as above.",
    "lower_case_number": "Capitals, which the portal makes of it anyway: both give the same IRN.",
    "multi_uom": "The sign ×, as above.",
    "nil_rated_line": "The app leaves the nil-rated line out and sends its value as other charges; irnflow "
    "sends the line "
    "at 0 %, as the app of 2026 does. The invoice value is the same.",
    "no_rounding": "The sign ×, as above.",
    "odd_names": "The app keeps double quotes, which the portal refuses (2140), and drops Devanagari; irnflow "
    "does neither.",
    "rounding": "The sign ×, as above.",
    "same_item_many_lines": "Two lines share a paisa the other way round: progressive rounding in another "
    "order. The sums "
    "are the same.",
}


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
