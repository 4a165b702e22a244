"""The portal itself: what each call answers. No HTTP server, no wall clock, no randomness of its own.

`Sandbox.call` takes a request and the time and gives the answer, synchronously, so a simulation on virtual time can
drive it in process. A server that handles many requests at once uses `handle` and commits the register before it
sends any of the answers. Paths, headers and answers are those of NIC's e-invoice API: authentication 1.04,
e-invoice 1.03.
"""

import hashlib
import hmac
import re
from collections import Counter
from collections.abc import Callable, Mapping
from datetime import date, datetime, timedelta
from typing import Any, Final
from urllib.parse import parse_qs, urlsplit

import msgspec

from irnflow.sandbox.codes import Refused, error, refused
from irnflow.sandbox.identity import Identity
from irnflow.sandbox.law import breaches, case_of
from irnflow.sandbox.protocol import (
    IST,
    accepted,
    declined,
    encrypt,
    from_base64,
    ist,
    login_in,
    payload_in,
    to_json,
)
from irnflow.sandbox.register import Entry, Register
from irnflow.sandbox.sessions import Session, Sessions
from irnflow.sandbox.shape import calendar_date, misshapes
from irnflow.sandbox.signing import invoice_data, qr_data
from irnflow.sandbox.switches import Failure, Order, Switches
from irnflow.sandbox.taxpayers import Taxpayer, Taxpayers

_APP_KEY_BYTES: Final = 32
_IRN: Final = re.compile(r"[0-9a-f]{64}")
_CANCEL_REASONS: Final = {"1", "2", "3", "4"}  # duplicate, data entry mistake, order cancelled, others
_REMARK_LENGTH_MAX: Final = 100
_JSON: Final = {"content-type": "application/json; charset=utf-8"}


class Answer(msgspec.Struct, frozen=True, kw_only=True):
    """What goes back, and how: after `latency_s`, or, when it is `lost`, not at all."""

    status: int
    headers: Mapping[str, str] = msgspec.field(default_factory=lambda: _JSON)
    body: bytes
    latency_s: float = 0
    lost: bool = False  # close the connection instead


class Request(msgspec.Struct, frozen=True, kw_only=True):
    """A call as the handlers below see it."""

    path: Mapping[str, str]  # the variable parts of the path
    query: Mapping[str, list[str]]
    headers: Mapping[str, str]  # names in lower case, with underscores
    body: bytes
    now: datetime

    def header(self, name: str) -> str:
        return self.headers.get(name, "")


class Sandbox:
    """A portal with its register, sessions and switches."""

    def __init__(
        self, *, identity: Identity, register: Register, taxpayers: Taxpayers, random_bytes: Callable[[int], bytes]
    ) -> None:
        self.identity = identity
        self.register = register
        self.switches = Switches()
        self.refusals: Counter[str] = Counter()  # by code, since the start
        self.calls: Counter[str] = Counter()  # by kind, since the start
        self._taxpayers = taxpayers
        self._limits = identity.credentials.limits
        self._sessions = Sessions(
            life=timedelta(seconds=self._limits.token_life_s),
            early=timedelta(seconds=self._limits.token_early_s),
            random_bytes=random_bytes,
        )

    def call(self, method: str, target: str, headers: Mapping[str, str], body: bytes = b"", *, now: datetime) -> Answer:
        """Answer one request, committed. `target` is the path with its query."""
        answer = self.handle(method, target, headers, body, now=now)
        self.register.commit()
        return answer

    def handle(self, method: str, target: str, headers: Mapping[str, str], body: bytes, *, now: datetime) -> Answer:
        """Answer one request; the answer may be told only after `register.commit()`."""
        url = urlsplit(target)
        found = _route(method, url.path)
        if not found:
            return Answer(status=404, body=to_json({"message": f"no such call of the portal: {method} {url.path}"}))
        kind, handler, path = found
        request = Request(
            path=path,
            query=parse_qs(url.query),
            headers={name.lower().replace("-", "_"): value for name, value in headers.items()},
            body=body,
            now=now + timedelta(seconds=self.switches.state.clock_offset_s),
        )
        self.calls[kind] += 1
        return self._limited(request) or self._failed(kind) or self._answer(kind, handler, request)

    def obey(self, order: Order) -> None:
        """Turn switches."""
        self.switches.obey(order)
        if order.revoke_tokens:
            self._sessions.revoke_all()

    def reset(self) -> None:
        """As at the first start: nobody logged in, nothing registered, all switches back. Not committed yet."""
        self.register.clear()
        self.switches = Switches()
        self._sessions.revoke_all()
        self.refusals.clear()
        self.calls.clear()

    # -- answering ---------------------------------------------------------------------------------------------------

    def _limited(self, request: Request) -> Answer | None:
        wait_s = self.switches.retry_after_s(request.header("gstin"), request.now)
        if not wait_s:
            return None
        return Answer(
            status=429, headers=_JSON | {"retry-after": str(wait_s)}, body=to_json({"message": "Too many requests"})
        )

    def _failed(self, kind: str) -> Answer | None:
        failure = self.switches.next_failure(kind)
        if not failure:
            return None
        return msgspec.structs.replace(_failure_answer(failure), latency_s=self._latency_s)

    def _answer(self, kind: str, handler: "Handler", request: Request) -> Answer:
        try:
            body = handler(self, request)
        except Refused as refusal:
            self.refusals.update(each["ErrorCode"] for each in refusal.errors)
            return Answer(status=200, body=declined(refusal), latency_s=self._latency_s)
        lost = kind in {"generate", "cancel"} and self.switches.drops_answer()
        return Answer(status=200, body=body, latency_s=self._latency_s, lost=lost)

    @property
    def _latency_s(self) -> float:
        return self.switches.state.latency_ms / 1000

    # -- login -------------------------------------------------------------------------------------------------------

    def log_in(self, request: Request) -> bytes:
        """Give the token, and the session key wrapped under the client's app key."""
        self._check_client(request)
        gstin = request.header("gstin")
        self._check_served(gstin)
        plain = login_in(request.body, self.identity.auth_key)
        username = self._checked_user(plain)
        app_key = _app_key_in(plain)
        refresh = plain.get("ForceRefreshAccessToken") in {True, "true"}

        session = self._sessions.log_in(gstin, username, refresh=refresh, now=request.now)
        data = {
            "ClientId": self.identity.credentials.client_id,
            "UserName": username,
            "AuthToken": session.token,
            "Sek": encrypt(app_key, session.sek),
            "TokenExpiry": ist(session.expires_at),
        }
        return accepted(data)

    def _check_client(self, request: Request) -> None:
        if not request.header("client_id"):
            raise refused("1011")
        if not request.header("client_secret"):
            raise refused("1012")
        known = self.identity.credentials
        if not _same(request.header("client_id"), known.client_id) or not _same(
            request.header("client_secret"), known.client_secret
        ):
            raise refused("1010")
        if not request.header("gstin"):
            raise refused("1004")

    def _check_served(self, gstin: str) -> None:
        taxpayer = self._taxpayers.find(gstin)
        if not taxpayer:
            raise refused("3030")
        if taxpayer.status != "ACT":
            raise refused("1014")
        served = self.identity.credentials.gstins
        if served is not None and gstin not in served:
            raise refused("1015")

    def _checked_user(self, plain: dict[str, Any]) -> str:
        username, password = str(plain.get("UserName") or ""), str(plain.get("Password") or "")
        if not username:
            raise refused("1006")
        if not _same(username, self.identity.credentials.username):
            raise refused("1017")
        if not _same(password, self.identity.credentials.password):
            raise refused("1019")
        return username

    def _session_of(self, request: Request) -> Session:
        """Who calls. A token belongs to one GSTIN and user; a wrong mix is 1005 or 1015."""
        self._check_client(request)
        session = self._sessions.find(request.header("authtoken"), now=request.now)
        if not session or session.username != request.header("user_name"):
            raise refused("1005")
        if session.gstin != request.header("gstin"):
            raise refused("1015")
        return session

    # -- generate ----------------------------------------------------------------------------------------------------

    def generate(self, request: Request) -> bytes:
        """Register a document, once."""
        session = self._session_of(request)
        document = payload_in(request.body, session.sek)
        _refuse_any(misshapes(document))
        if session.gstin not in {document["SellerDtls"]["Gstin"], document["TranDtls"].get("EcmGstin")}:
            raise refused("2169")
        # From 1 June 2025 numbers are case-insensitive: upper case before the IRN is computed.
        document["DocDtls"]["No"] = document["DocDtls"]["No"].upper()
        document["DocDtls"]["Typ"] = document["DocDtls"]["Typ"].upper()
        irn = irn_of(document)
        self._refuse_registered(irn)
        today = request.now.astimezone(IST).date()
        _refuse_any(breaches(case_of(document, today=today, taxpayers=self._taxpayers, caller=session.gstin)))

        entry = self._registered(document, irn, request.now)
        return accepted(encrypt(session.sek, to_json(_told(entry))), _about_eway_bill(document))

    def _refuse_registered(self, irn: str) -> None:
        entry = self.register.by_irn(irn)
        if not entry:
            return
        self.register.count_duplicate(irn)
        if entry.cancelled_at:
            raise refused("2278")  # a cancelled number can never be used again
        desc = {"AckNo": entry.ack_no, "AckDt": _ack_dt_told(entry.made_at), "Irn": irn}
        raise Refused([error("2150")], [{"InfCd": "DUPIRN", "Desc": desc}])

    def _registered(self, document: dict[str, Any], irn: str, now: datetime) -> Entry:
        made_at = now.replace(microsecond=0)
        ack_no, ack_dt = self.register.next_ack_no(), ist(made_at)
        entry = Entry(
            ack_no=ack_no,
            irn=irn,
            gstin=document["SellerDtls"]["Gstin"],
            doc_type=document["DocDtls"]["Typ"],
            doc_no=document["DocDtls"]["No"],
            doc_dt=document["DocDtls"]["Dt"],
            made_at=made_at,
            signed_invoice=self.identity.signer.sign(invoice_data(document, ack_no=ack_no, ack_dt=ack_dt, irn=irn)),
            signed_qr=self.identity.signer.sign(qr_data(document, irn=irn, irn_dt=ack_dt)),
        )
        self.register.add(entry)
        return entry

    # -- look-ups ----------------------------------------------------------------------------------------------------

    def by_irn(self, request: Request) -> bytes:
        """The document of an IRN: 2148 when it isn't here."""
        session = self._session_of(request)
        irn = _irn_in(request.path["irn"])
        return self._shown(self.register.by_irn(irn), session, request.now, absent="2148")

    def by_document(self, request: Request) -> bytes:
        """The IRN of a document of the caller's: 2154 when there is none."""
        session = self._session_of(request)
        doc_type, doc_no, doc_dt = (request.query.get(name, [""])[0] for name in ("doctype", "docnum", "docdate"))
        if not (doc_type and doc_no and doc_dt):
            raise refused("2142", "- doctype, docnum and docdate are needed")
        if doc_type.upper() not in {"INV", "CRN", "DBN"}:
            raise refused("2161")
        try:
            calendar_date(doc_dt)
        except ValueError as cause:
            raise refused("2144") from cause
        entry = self.register.by_document(session.gstin, doc_type.upper(), doc_no.upper(), doc_dt)
        return self._shown(entry, session, request.now, absent="2154")

    def _shown(self, entry: Entry | None, session: Session, now: datetime, *, absent: str) -> bytes:
        if not entry:
            raise refused(absent)
        if entry.gstin != session.gstin:
            raise refused("2226")
        if now - entry.made_at > timedelta(seconds=self._limits.lookback_s):
            raise refused("2283")
        return accepted(encrypt(session.sek, to_json(_told(entry))))

    # -- cancel ------------------------------------------------------------------------------------------------------

    def cancel(self, request: Request) -> bytes:
        """Cancel a whole document within its 24 hours."""
        session = self._session_of(request)
        plain = payload_in(request.body, session.sek)
        irn, reason, remark = _cancellation_in(plain)
        entry = self.register.by_irn(irn)
        if not entry:
            raise refused("2148")
        if entry.gstin != session.gstin:
            raise refused("2143")
        if entry.cancelled_at:
            raise refused("9999")
        if request.now - entry.made_at > timedelta(seconds=self._limits.cancel_s):
            raise refused("2270")

        self.register.cancel(irn, at=request.now, reason=reason, remark=remark)
        return accepted(encrypt(session.sek, to_json({"Irn": irn, "CancelDate": ist(request.now)})))

    # -- taxpayers ---------------------------------------------------------------------------------------------------

    def gstin(self, request: Request) -> bytes:
        """What the master says of a GSTIN; to sync it is to ask again, for nothing here lags behind."""
        session = self._session_of(request)
        gstin = request.path["gstin"]
        if not self._taxpayers.is_sound(gstin):
            raise refused("3028", gstin)
        taxpayer: Taxpayer | None = self._taxpayers.find(gstin)
        if not taxpayer:
            raise refused("3001")
        return accepted(encrypt(session.sek, to_json(taxpayer.details())))


# -- calls -----------------------------------------------------------------------------------------------------------

Handler = Callable[[Sandbox, Request], bytes]

_ROUTES: Final[tuple[tuple[str, str, re.Pattern[str], Handler], ...]] = tuple(
    (kind, method, re.compile(path, re.IGNORECASE), handler)
    for kind, method, path, handler in (
        ("auth", "POST", r"/eivital/v1\.04/auth", Sandbox.log_in),
        ("generate", "POST", r"/eicore/v1\.03/Invoice", Sandbox.generate),
        ("cancel", "POST", r"/eicore/v1\.03/Invoice/Cancel", Sandbox.cancel),
        ("by_irn", "GET", r"/eicore/v1\.03/Invoice/irn/(?P<irn>[^/]+)", Sandbox.by_irn),
        ("by_document", "GET", r"/eicore/v1\.03/Invoice/irnbydocdetails", Sandbox.by_document),
        ("gstin", "GET", r"/eivital/v1\.0[34]/Master/gstin/(?P<gstin>[^/]+)", Sandbox.gstin),
        ("sync_gstin", "GET", r"/eivital/v1\.04/Master/syncgstin/(?P<gstin>[^/]+)", Sandbox.gstin),
    )
)


def _route(method: str, path: str) -> tuple[str, Handler, dict[str, str]] | None:
    for kind, wanted, pattern, handler in _ROUTES:
        match = pattern.fullmatch(path)
        if match and method == wanted:
            return kind, handler, match.groupdict()
    return None


def irn_of(document: dict[str, Any]) -> str:
    """SHA-256 of supplier GSTIN, financial year as 2023-24, type and number (in upper case), without separators."""
    dated = calendar_date(document["DocDtls"]["Dt"])
    details = document["DocDtls"]
    parts = (document["SellerDtls"]["Gstin"], _financial_year(dated), details["Typ"], details["No"])
    return hashlib.sha256("".join(parts).encode()).hexdigest()


def _financial_year(dated: date) -> str:
    start = dated.year if dated.month >= 4 else dated.year - 1
    return f"{start}-{(start + 1) % 100:02}"


def _told(entry: Entry) -> dict[str, Any]:
    """Data of generate and of the look-ups."""
    return {
        "AckNo": entry.ack_no,
        "AckDt": _ack_dt_told(entry.made_at),
        "Irn": entry.irn,
        "SignedInvoice": entry.signed_invoice,
        "SignedQRCode": entry.signed_qr,
        "Status": entry.status,
        "EwbNo": None,
        "EwbDt": None,
        "EwbValidTill": None,
        "Remarks": entry.cancel_remark,
    }


def _ack_dt_told(made_at: datetime) -> str:
    """To the minute, as NIC's sandbox of 2023 tells it; what is signed has the seconds."""
    return ist((made_at + timedelta(seconds=30)).replace(second=0))


def _about_eway_bill(document: dict[str, Any]) -> list[dict[str, Any]] | None:
    """An IRN whose e-way bill fails still succeeds. No e-way bill is made here yet, and the answer says so."""
    if not document.get("EwbDtls"):
        return None
    return [{"InfCd": "EWBERR", "Desc": [error("4001")]}]


def _app_key_in(plain: dict[str, Any]) -> bytes:
    try:
        key = from_base64(str(plain.get("AppKey") or ""))
    except ValueError as cause:
        raise refused("1016") from cause
    if len(key) != _APP_KEY_BYTES:
        raise refused("1016")
    return key


def _irn_in(value: Any) -> str:
    if not isinstance(value, str) or not _IRN.fullmatch(value.lower()):
        raise refused("2145")
    return value.lower()


def _cancellation_in(plain: dict[str, Any]) -> tuple[str, str, str | None]:
    if not plain.get("Irn"):
        raise refused("2142", "- Irn is needed")
    reason, remark = str(plain.get("CnlRsn") or ""), plain.get("CnlRem")
    if reason not in _CANCEL_REASONS:
        raise refused("2142", "- CnlRsn must be 1, 2, 3 or 4")
    if remark is not None and (not isinstance(remark, str) or len(remark) > _REMARK_LENGTH_MAX):
        raise refused("2142", f"- CnlRem must be a text of at most {_REMARK_LENGTH_MAX} characters")
    return _irn_in(plain["Irn"]), reason, remark


def _failure_answer(failure: Failure) -> Answer:
    if failure.hang_up:
        return Answer(status=0, body=b"", lost=True)
    if failure.http_status:
        return Answer(status=failure.http_status, body=to_json({"message": "as the sandbox was told to"}))
    return Answer(status=200, body=declined(refused(failure.code or "SYS_5001")))


def _refuse_any(errors: list[dict[str, str]]) -> None:
    if errors:
        raise Refused(errors)


def _same(given: str, known: str) -> bool:
    return hmac.compare_digest(given.encode(), known.encode())


def too_large() -> Answer:
    """To a body that nobody reads to its end: over `protocol.BODY_BYTES_MAX`."""
    return Answer(status=200, body=declined(refused("5002")))
