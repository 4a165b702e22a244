"""All four passes over one invoice, as whoever judges it takes them: normalise, calculate, check, encode."""

import msgspec

from irnflow.gst import inv01
from irnflow.gst.calculate import calculate
from irnflow.gst.facts import Facts
from irnflow.gst.faults import Fault, Severity
from irnflow.gst.invoice import Invoice
from irnflow.gst.normalise import normalise
from irnflow.gst.rules import pack_for


class Examined(msgspec.Struct, frozen=True, kw_only=True):
    """What the passes made of an invoice, and what they found."""

    invoice: Invoice  # normalised and calculated
    payload: bytes  # the exact INV-01 to send; b"" when it is refused
    refusals: list[Fault]
    warnings: list[Fault]
    rule_pack: str


def examine(invoice: Invoice, facts: Facts) -> Examined:
    """Write one invoice as INV-01 and check it against the rules of its date and of the day of sending."""
    tidied, rewritten = normalise(invoice)
    calculated, reckoned = calculate(tidied, facts)
    rules = pack_for(calculated, facts)
    found = rules.check(calculated, facts, tidy=tidied is invoice)
    refusals = [fault for fault in found if fault.severity is Severity.REFUSED]
    warnings = rewritten + reckoned + [fault for fault in found if fault.severity is Severity.WARNING]
    payload = b"" if refusals else inv01.encode(calculated)
    if len(payload) > inv01.BYTES_MAX:
        refusals, payload = [inv01.too_large(payload)], b""
    return Examined(
        invoice=calculated, payload=payload, refusals=refusals, warnings=warnings, rule_pack=rules.name
    )  # fmt: skip
