"""What all calls share: who the portals are, what is registered, who is logged in, how the switches stand."""

import hmac
from collections.abc import Callable
from datetime import datetime, timedelta

from irnflow.sandbox.blocking import Blocking
from irnflow.sandbox.codes import refused
from irnflow.sandbox.identity import Identity
from irnflow.sandbox.limits import Limits
from irnflow.sandbox.portal.exchange import Request
from irnflow.sandbox.register import Entry, Register
from irnflow.sandbox.sessions import Session, Sessions
from irnflow.sandbox.signing import content_of
from irnflow.sandbox.switches import Switches
from irnflow.sandbox.taxpayers import Taxpayers


class Office:
    """Behind both portals."""

    def __init__(
        self,
        *,
        identity: Identity,
        register: Register,
        taxpayers: Taxpayers,
        random_bytes: Callable[[int], bytes],
        clock_offset_s: float = 0,
    ) -> None:
        self.identity = identity
        self.register = register
        self.taxpayers = taxpayers
        self.sessions = Sessions(random_bytes=random_bytes)
        self._random_bytes = random_bytes
        self._clock_offset_s = clock_offset_s
        self.put_back()

    def put_back(self) -> None:
        """Switches as at the start, and nobody shut out."""
        limits = self.identity.credentials.limits
        self.switches = Switches(limits, clock_offset_s=self._clock_offset_s)
        self.blocking = Blocking()

    @property
    def limits(self) -> Limits:
        return self.switches.state.limits

    def draw(self) -> float:
        """A number from 0 to 1, by chance."""
        return int.from_bytes(self._random_bytes(4)) / 2**32

    # -- who calls ---------------------------------------------------------------------------------------------------

    def check_client(self, request: Request) -> None:
        """Client id and secret, and that a GSTIN is named."""
        if not request.header("client_id"):
            raise refused("1011")
        if not request.header("client_secret"):
            raise refused("1012")
        known = self.identity.credentials
        if not same(request.header("client_id"), known.client_id) or not same(
            request.header("client_secret"), known.client_secret
        ):
            raise refused("1010")
        if not request.header("gstin"):
            raise refused("1004")

    def session_of(self, request: Request) -> Session:
        """Who calls. A token belongs to one GSTIN and user, at both portals; a wrong mix is 1005 or 1015."""
        self.check_client(request)
        session = self.sessions.find(request.header("authtoken"), now=request.now)
        if not session or session.username != request.header("user_name"):
            raise refused("1005")
        if session.gstin != request.header("gstin"):
            raise refused("1015")
        return session

    def is_blocked(self, gstin: str, client_id: str = "", *, now: datetime) -> bool:
        """Whether this taxpayer, or the client that calls for it, has made too many errors, or a switch says so."""
        switched = gstin in self.switches.state.blocked_gstins
        return switched or self.blocking.blocks(gstin, client_id, now=now, limits=self.limits)

    # -- two portals -------------------------------------------------------------------------------------------------

    def hears_of(self, entry: Entry, request: Request) -> bool:
        """Whether the de-duplication tells a portal what the other has registered."""
        state = self.switches.state
        return not state.dedup_outage and request.now - entry.made_at >= timedelta(seconds=state.dedup_lag_s)

    def settle_contested(self, request: Request) -> None:
        """Once the portals hear of each other again, of two with one IRN the later loses, unless it was cancelled."""
        for entry in self.register.contested():
            if self.hears_of(entry, request):
                lost = entry.cancelled_at is None
                self.register.settle(entry.ack_no, rejected_at=request.now if lost else None)


def is_theirs(entry: Entry, session: Session, request: Request) -> bool:
    """Whether the caller sold it, or is the e-commerce operator that sold it for the supplier it names."""
    if entry.gstin == session.gstin:
        return True
    return (
        entry.gstin == request.header("sup_gstin")
        and content_of(entry.signed_invoice)["TranDtls"].get("EcmGstin") == session.gstin
    )


def same(given: str, known: str) -> bool:
    """Whether a secret is right."""
    return hmac.compare_digest(given.encode(), known.encode())
