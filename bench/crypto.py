"""What the portal's cryptography costs of a five-line voucher, apart from the pipeline: CPU microseconds by piece.

The request under AES-256, the answer out of it, and the signed invoice and QR code: RS256, and every field held against
what was sent. A portal's own signing is no cost of ours.
"""

import os
import tempfile
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

import msgspec

from bench.law import as_given
from irnflow.gst import dates
from irnflow.gst.dates import financial_year
from irnflow.gst.examine import examine
from irnflow.gst.facts import Facts
from irnflow.gst.irn import irn
from irnflow.portal.cipher import decrypt, encrypt
from irnflow.portal.signing_keys import read_keys
from irnflow.sandbox.identity import open_identity
from irnflow.sandbox.signing import invoice_data, qr_data
from irnflow.services.registration import meaning
from irnflow.services.registration.result import Leased, Outcome

_TIMES: Final = 300
_NOW: Final = datetime(2026, 11, 22, 6, 30, tzinfo=UTC)
_ACK_DT: Final = "2026-11-22 12:00:00"


def costs() -> dict[str, float]:
    """CPU milliseconds of each piece, and of all together."""
    invoice = as_given(5)
    payload = examine(invoice, Facts(day=dates.in_india(_NOW))).payload
    document = msgspec.json.decode(payload)
    about = document["DocDtls"]
    gstin, day = document["SellerDtls"]["Gstin"], dates.parse(about["Dt"])
    assert day is not None
    ours = irn(gstin, financial_year(day), about["Typ"], about["No"])
    sek = os.urandom(32)
    with tempfile.TemporaryDirectory() as folder:
        signer = open_identity(Path(folder), now=_NOW, random_bytes=os.urandom).signer
        keys = read_keys(Path(folder) / "signing_keys")
        answer = msgspec.json.encode({
            "Irn": ours, "AckNo": 1, "AckDt": _ACK_DT, "Status": "ACT",
            "SignedInvoice": signer.sign(invoice_data(document, ack_no=1, ack_dt=_ACK_DT, irn=ours)),
            "SignedQRCode": signer.sign(qr_data(document, irn=ours, irn_dt=_ACK_DT)),
        })  # fmt: skip
    leased = Leased(
        irn=ours, gstin=gstin, doc_typ=about["Typ"], doc_no=about["No"], doc_dt=about["Dt"], portal="NIC1", attempt=1,
        send=1, payload=payload,
    )  # fmt: skip
    assert meaning.of_generated(leased, answer, keys).outcome is Outcome.ACCEPTED
    sealed = encrypt(sek, answer)
    pieces = {
        "request sealed": _cpu_ms(lambda: encrypt(sek, payload)),
        "answer opened": _cpu_ms(lambda: decrypt(sek, sealed)),
        "signatures and fields": _cpu_ms(lambda: meaning.of_generated(leased, answer, keys)),
    }
    return pieces | {"cryptography": sum(pieces.values())}


def _cpu_ms(work: Callable[[], object]) -> float:
    began = time.process_time()
    for _ in range(_TIMES):
        work()
    return (time.process_time() - began) * 1000 / _TIMES
