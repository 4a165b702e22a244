"""What the portal knows of GSTINs: asked for people, and synchronised when a refusal says that it knows too little.

A portal's master lags behind the common portal. 3028, 3029, or 3001 of a registration may mean just that: the parties
of the document are synchronised, and if all are fit for it, it is sent once more; else the fault says how they stand.
"""

import asyncio
import re
from collections.abc import Sequence
from datetime import timedelta
from typing import Any, Final

import msgspec

from irnflow.errors import Permanent, Transient
from irnflow.gst.facts import Status
from irnflow.gst.faults import Fault
from irnflow.portal.client import Answer, Credentials, Lost, Portal, Session
from irnflow.portal.envelope import Said
from irnflow.services.registration import heeding
from irnflow.services.registration.heeding import Asker
from irnflow.services.registration.pace import ways
from irnflow.services.registration.parts import Addressed, Parts
from irnflow.services.registration.result import Leased, Outcome, Result, Verdict
from irnflow.store.database import Row, queries

STALE: Final = frozenset({"3028", "3029", "3001"})
_SQL: Final = queries("lifecycle")
_LEASE: Final = timedelta(minutes=2)  # longer than a login and a call
_MOST: Final = 10
_GSTIN: Final = re.compile(r"[0-9]{2}[0-9A-Z]{13}")
_WORDS: Final = {"CNL": "cancelled", "INA": "inactive", "PRO": "provisional", "SUS": "suspended"}


# -- for people ------------------------------------------------------------------------------------------------------


async def ask_forever(parts: Parts) -> None:
    """Ask the portal for the GSTINs that somebody wants to know of."""
    while True:
        if not await ask(parts):
            await asyncio.sleep(parts.idle_s)


async def ask(parts: Parts) -> int:
    """One round; gives how many."""
    now = parts.now()
    rows = await parts.database.fetch(_SQL["gstin_lease"], now, now + _LEASE, _MOST, *ways(parts.portals))
    await asyncio.gather(*(_ask_one(parts, row) for row in rows))
    return len(rows)


async def _ask_one(parts: Parts, row: Row) -> None:
    details, says = None, "The account has no GSTIN that can log in to a portal."
    if row["asker"] is not None:
        asker = Asker(row["portal"], row["asker"])
        details, says = await _details(parts, asker, row["gstin"], sync=row["sync"])
    kept = msgspec.json.encode(details).decode() if details is not None else None
    await parts.database.fetch(_SQL["gstin_keep"], row["gstin"], kept, says, parts.now())


async def _details(parts: Parts, asker: Asker, gstin: str, *, sync: bool) -> tuple[dict[str, Any] | None, str]:
    """The portal's words, or why it gives none."""
    try:
        return await _told(parts, asker, gstin, sync=sync)
    except (Transient, Permanent) as error:
        return None, str(error)


async def _told(parts: Parts, asker: Addressed, gstin: str, *, sync: bool) -> tuple[dict[str, Any] | None, str]:
    """The portal's words, or its refusal."""

    async def ask(portal: Portal, credentials: Credentials, session: Session) -> Answer:
        call = portal.sync_gstin if sync else portal.gstin_details
        return await call(credentials, session, gstin)

    answer = await heeding.ask(parts, asker, ask)
    if not answer.ok:
        return None, "; ".join(f"{said.code} {said.text}".strip() for said in answer.errors)
    return _read(answer), ""


def _read(answer: Answer) -> dict[str, Any]:
    try:
        return msgspec.json.decode(answer.data, type=dict[str, Any])
    except msgspec.MsgspecError as error:
        raise Lost(f"the portal's answer can't be read: {error}") from error


# -- for a registration ----------------------------------------------------------------------------------------------


class _Party(msgspec.Struct, frozen=True, rename="pascal"):
    gstin: str = ""


class _Transaction(msgspec.Struct, frozen=True, rename="pascal"):
    ecm_gstin: str = ""


class _Parties(msgspec.Struct, frozen=True, rename="pascal"):
    tran_dtls: _Transaction = _Transaction()
    seller_dtls: _Party = _Party()
    buyer_dtls: _Party = _Party()
    ship_dtls: _Party = _Party()

    def by_path(self) -> dict[str, str]:
        """Each GSTIN once, at the place that asks most of it."""
        places = {
            "ShipDtls.Gstin": self.ship_dtls.gstin, "BuyerDtls.Gstin": self.buyer_dtls.gstin,
            "TranDtls.EcmGstin": self.tran_dtls.ecm_gstin, "SellerDtls.Gstin": self.seller_dtls.gstin,
        }  # fmt: skip
        once = {gstin: path for path, gstin in places.items() if _GSTIN.fullmatch(gstin)}
        return {path: gstin for gstin, path in once.items()}


_SUPPLIER: Final = "SellerDtls.Gstin"
# Whose GSTIN it is, and what a person does; the portal says 3029 of any of them.
_WHOSE: Final = {
    _SUPPLIER: ("the supplier's", "Have the supplier's registration restored on the GST portal."),
    "BuyerDtls.Gstin": (
        "the recipient's",
        "Correct the GSTIN in the books; if it is right, ask the recipient to have the registration restored.",
    ),
    "ShipDtls.Gstin": (
        "the ship-to party's",
        "Correct the ship-to GSTIN or leave it out; if it is right, ask that party to have its registration restored.",
    ),
    "TranDtls.EcmGstin": (
        "the e-commerce operator's",
        "Correct the GSTIN in the books; if it is right, ask the operator to have the registration restored.",
    ),
}


def says_stale(errors: Sequence[Said]) -> bool:
    """Whether the portal refuses only because of what it knows of a GSTIN."""
    return bool(errors) and all(said.code in STALE for said in errors)


async def inactive_after_sync(parts: Parts, leased: Leased, errors: Sequence[Said]) -> dict[str, str]:
    """Synchronise those that the refusal may mean; gives how each stands, by path, that is not fit even then.

    Raises Transient, Permanent.
    """
    meant = parties_meant(leased.payload, errors)
    answers = await asyncio.gather(*(_told(parts, leased, gstin, sync=True) for gstin in meant.values()))
    found = {}
    for (path, gstin), (details, says) in zip(meant.items(), answers, strict=True):
        status = str(details.get("Status", "")) if details else ""
        if not is_fit(path, status):
            word = _WORDS.get(status, status)
            stands = f"it is {word} there" if word else f"there is no word of it there: {says}"
            whose = _WHOSE[path][0]
            found[path] = f"GSTIN {gstin}, {whose}, was synchronised with the common portal; {stands}"
    return found


def is_fit(path: str, status: str) -> bool:
    """Whether a party that stands so may be in a document: one that is suspended may still receive."""
    return status == Status.ACTIVE or (status == Status.SUSPENDED and path != _SUPPLIER)


def parties_meant(payload: bytes, errors: Sequence[Said]) -> dict[str, str]:
    """Parties by path: those that the refusal names, or all."""
    places = msgspec.json.decode(payload, type=_Parties).by_path()
    text = " ".join(said.text for said in errors)
    return {path: gstin for path, gstin in places.items() if gstin in text} or places


def of_inactive(leased: Leased, errors: Sequence[Said], inactive: dict[str, str]) -> Result:
    """A fault in the data, in clear words. The same document may come again: a registration can be restored."""
    code = errors[0].code
    faults = tuple(
        Fault(
            code=f"portal.{code}", path=path, says=says, portal_code=code,
            fix=_WHOSE[path][1],
        )
        for path, says in inactive.items()
    )  # fmt: skip
    return Result(
        leased=leased, what="send", outcome=Outcome.UNLISTED, codes=tuple(said.code for said in errors),
        says="; ".join(fault.says for fault in faults), verdict=Verdict(cause=f"portal.{code}", faults=faults),
    )  # fmt: skip
