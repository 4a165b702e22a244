"""Answers that a client must not believe: the call was done, and what is told or signed is wrong."""

import functools
import hashlib
from datetime import UTC, datetime
from typing import Any, Final

from irnflow.sandbox.identity import new_signer
from irnflow.sandbox.signing import Signer, content_of
from irnflow.sandbox.switches import Forge

_SIGNED: Final = ("SignedInvoice", "SignedQRCode")


def forged(told: dict[str, Any], how: Forge, signer: Signer) -> dict[str, Any]:
    """Data of generate or of a look-up, wrong in one way."""
    invoice, code = (content_of(told[name]) for name in _SIGNED)
    match how:
        case "signature":
            return told | {name: _with_another_end(told[name]) for name in _SIGNED}
        case "key":
            return told | {name: _stranger().sign(content_of(told[name])) for name in _SIGNED}
        case "irn":
            return told | {"Irn": hashlib.sha256(told["Irn"].encode()).hexdigest()}
        case "document":
            totals = invoice["ValDtls"] | {"TotInvVal": invoice["ValDtls"]["TotInvVal"] + 1}
            return told | {"SignedInvoice": signer.sign(invoice | {"ValDtls": totals})}
        case "qr":
            return told | {"SignedQRCode": signer.sign(code | {"TotInvVal": code["TotInvVal"] + 1})}


def _with_another_end(token: str) -> str:
    """The same words, and a signature that is not theirs."""
    head, _, signature = token.rpartition(".")
    return f"{head}.{signature[1:]}{signature[0]}"


@functools.cache
def _stranger() -> Signer:
    """Whose certificate nobody has, so that its day doesn't matter."""
    return new_signer(datetime(2026, 1, 1, tzinfo=UTC))
