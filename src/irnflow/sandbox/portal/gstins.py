"""Taxpayers: what the portals' master says of a GSTIN, and what it says once it has asked the common portal."""

from datetime import datetime
from typing import Any

from irnflow.sandbox.codes import refused
from irnflow.sandbox.portal.exchange import Request
from irnflow.sandbox.portal.office import Office
from irnflow.sandbox.protocol import accepted, encrypt, to_json
from irnflow.sandbox.taxpayers import Taxpayer


def details(office: Office, request: Request) -> bytes:
    """What the master says; of a stale one that it doesn't know it."""
    session = office.session_of(request)
    gstin = request.path["gstin"]
    stale = office.switches.state.stale_gstins.get(gstin)
    if stale:
        raise refused(stale, gstin)
    told = _told(office, _known(office, gstin), request.now)
    if request.path["version"] == "1.03":
        del told["DtReg"], told["DtDReg"]
    return accepted(encrypt(session.sek, to_json(told)))


def sync(office: Office, request: Request) -> bytes:
    """Ask the common portal: from now on the master knows what that knows."""
    session = office.session_of(request)
    taxpayer = _known(office, request.path["gstin"])
    office.switches.synced(taxpayer.gstin)
    return accepted(encrypt(session.sek, to_json(_told(office, taxpayer, request.now))))


def _known(office: Office, gstin: str) -> Taxpayer:
    if not office.taxpayers.is_sound(gstin):
        raise refused("3028", gstin)
    taxpayer: Taxpayer | None = office.taxpayers.find(gstin)
    if not taxpayer:
        raise refused("3001")
    return taxpayer


def _told(office: Office, taxpayer: Taxpayer, now: datetime) -> dict[str, Any]:
    blocked = taxpayer.blocked or office.is_blocked(taxpayer.gstin, now=now)
    return taxpayer.details() | {"BlkStatus": "B" if blocked else "U"}
