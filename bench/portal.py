"""Registration with a portal that costs nothing: no network, no cryptography, an answer at once.

Started by the bench in place of `irnflow serve registration`, so that what is measured is ours alone.
"""

import asyncio
import base64
import hashlib
import os
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from functools import partial
from typing import Any, Final

import msgspec

from irnflow import log
from irnflow.api.server import probes, serving
from irnflow.bus import rabbit
from irnflow.portal.client import Answer, Credentials, Session
from irnflow.portal.several import Line, Portals
from irnflow.services import registration
from irnflow.services.registration.parts import Parts
from irnflow.settings import Settings, from_environment
from irnflow.store import database

_KID: Final = "0" * 40  # a key that nobody has: no signature is checked
_SESSION: Final = Session(token="", sek=bytes(32), expires_at=datetime.max.replace(tzinfo=UTC))
_FIELDS: Final = msgspec.json.Decoder(dict[str, Any], float_hook=Decimal)
_DIGITS: Final = msgspec.json.Encoder(decimal_format="number")
_ACK_DT: Final = "2026-11-22 12:00:00"


class FreePortal:
    """Registers whatever it is sent."""

    def __init__(self) -> None:
        self._count = 0

    async def generate(self, credentials: Credentials, session: Session, payload: bytes) -> Answer:
        fields = _FIELDS.decode(payload)
        document = fields["DocDtls"]
        day = document["Dt"]
        year = int(day[6:]) - (int(day[3:5]) < 4)
        number = f"{fields['SellerDtls']['Gstin']}{year}-{(year + 1) % 100:02}{document['Typ']}{document['No']}"
        irn = hashlib.sha256(number.encode()).hexdigest()
        self._count += 1
        ack = {"AckNo": 100_000_000_000_000 + self._count, "AckDt": _ACK_DT, "Irn": irn}
        qr = {
            "SellerGstin": fields["SellerDtls"]["Gstin"], "BuyerGstin": fields["BuyerDtls"]["Gstin"],
            "DocNo": document["No"], "DocTyp": document["Typ"], "DocDt": day,
            "TotInvVal": fields["ValDtls"]["TotInvVal"], "ItemCnt": len(fields["ItemList"]),
            "MainHsnCode": max(fields["ItemList"], key=lambda item: item["AssAmt"])["HsnCd"], "Irn": irn,
            "IrnDt": _ACK_DT,
        }  # fmt: skip
        signed = msgspec.json.encode(ack)[:-1] + b"," + payload[1:]
        return Answer(
            ok=True,
            data=msgspec.json.encode(
                ack | {"SignedInvoice": _signed(signed), "SignedQRCode": _signed(_DIGITS.encode(qr)), "Status": "ACT"}
            ),
        )

    async def rejected_irns(self, credentials: Credentials, session: Session, *, day: str) -> Answer:
        """Nothing was struck off."""
        return Answer(ok=True, data=b"[]")


def _signed(data: bytes) -> str:
    """As a portal signs it, under a key that nobody has: all is held against what was sent, but its signature."""
    head = _base64url(msgspec.json.encode({"alg": "RS256", "kid": _KID, "typ": "JWT"}))
    return f"{head}.{_base64url(msgspec.json.encode({'data': data.decode()}))}.{_SIGNATURE}"


def _base64url(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).decode().rstrip("=")


_SIGNATURE: Final = _base64url(os.urandom(256))


class FreeSessions:
    """Nobody has to log in."""

    async def use(
        self, gstin: str, call: Callable[[Credentials, Session], Awaitable[Answer]]
    ) -> tuple[Answer, Credentials, Session]:
        credentials = Credentials(gstin=gstin, client_id="", client_secret="", username="", password="")
        return await call(credentials, _SESSION), credentials, _SESSION


async def main(settings: Settings) -> None:
    """Serve as `registration` does, until cancelled."""
    now: Callable[[], datetime] = partial(datetime.now, UTC)
    async with AsyncExitStack() as stack:
        store = await stack.enter_async_context(database.connect(settings.database_url))
        bus = await stack.enter_async_context(rabbit.connect(settings.amqp_url, registration.NAME))
        routes = probes(registration.NAME, lambda: {} if bus.connected else {"rabbitmq": "not connected"})
        port = settings.port_of(registration.NAME)
        await stack.enter_async_context(serving(routes, host=settings.host, port=port))
        name = settings.portal_name  # what the sample company has credentials for
        await registration.run(
            Parts(
                bus=bus,
                database=store,
                portals=Portals([Line(name=name, family=name, portal=FreePortal(), keys={})]),  # type: ignore[arg-type]
                sessions={name: FreeSessions()},  # type: ignore[dict-item]
                now=now,
                log=log.logger(registration.NAME),
                concurrency=settings.portal_concurrency,
                deadline=timedelta(seconds=30),
                settle=timedelta(seconds=60),
                gap=timedelta(seconds=60),
            )
        )


if __name__ == "__main__":
    log.set_up()
    asyncio.run(main(from_environment()))
