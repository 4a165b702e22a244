"""The verifier: checks the signatures of registered documents whose key was unknown, when the key has come.

A key comes by being laid into the portal's folder of keys (portal/signing_keys.py). What holds is told once more, with
the acknowledgement's signed time; what does not is in doubt from then on, and told as that.
"""

import asyncio
from collections.abc import Sequence
from typing import Final

from irnflow import metrics
from irnflow.portal.client import Document
from irnflow.portal.several import Line
from irnflow.services.registration import meaning
from irnflow.services.registration.parts import Parts
from irnflow.services.registration.result import Leased, Result
from irnflow.services.registration.sender import SIGNATURES
from irnflow.store.database import Row, queries

_SQL: Final = queries("registration")
_LOOK_S: Final = 30.0
_MOST: Final = 100


async def verify_forever(parts: Parts) -> None:
    """Look now and then whether there is something to verify, and a key for it."""
    while True:
        if not await verify(parts):
            await asyncio.sleep(_LOOK_S)


async def verify(parts: Parts) -> bool:
    """Verify what can be, a batch of each portal; whether there may be more."""
    counts = (await parts.database.fetch(_SQL["signatures"]))[0]
    metrics.unverified.set(counts["waiting"])
    metrics.distrusted.set(counts["distrusted"])
    if not counts["waiting"]:
        return False
    found = [await _verify_of(parts, line) for line in parts.portals.values()]
    return any(n == _MOST for n in found)


async def _verify_of(parts: Parts, line: Line) -> int:
    rows = await parts.database.fetch(_SQL["unverified"], line.name, list(line.keys), _MOST)
    results = [_checked(line, row) for row in rows]
    sure = [(row, result) for row, result in zip(rows, results, strict=True) if result.verified is not None]
    if sure:
        await _settle(parts, line, sure)
    return len(sure)


async def _settle(parts: Parts, line: Line, sure: Sequence[tuple[Row, Result]]) -> None:
    told = await parts.database.fetch(
        _SQL["verify"],
        [row["irn"] for row, _ in sure],
        [result.verified for _, result in sure],
        [result.document.ack_dt if result.verified and result.document else None for _, result in sure],
        [result.says for _, result in sure],
        parts.now(),
    )
    if told[0]["to_tell"]:
        parts.to_tell.set()
    for row, result in sure:
        metrics.signatures.labels(SIGNATURES[result.verified]).inc()
        if not result.verified:
            parts.log.error("not to be trusted", irn=row["irn"], gstin=row["gstin"], says=result.says)
    parts.log.info("verified later", portal=line.name, n=len(sure))


def _checked(line: Line, row: Row) -> Result:
    leased = Leased(
        irn=row["irn"], gstin=row["gstin"], doc_typ=row["doc_typ"], doc_no=row["doc_no"], doc_dt="", portal=line.name,
        attempt=0, send=0, payload=bytes(row["payload"]),
    )  # fmt: skip
    document = Document(
        irn=row["irn"], ack_no=row["ack_no"] or "", ack_dt=row["ack_dt"] or "", signed_invoice=row["signed_invoice"],
        signed_q_r_code=row["signed_qr"],
    )  # fmt: skip
    with metrics.cpu("signature"):
        return meaning.of_registered(leased, document, line.keys, what="verify")
