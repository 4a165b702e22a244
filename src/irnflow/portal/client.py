"""Calls to the portal: what is asked, what came back, and how surely it did or did not arrive.

One exception for each thing the caller can do:
  NotSent   DNS, connect or TLS failed: the portal has not seen it
  NotDone   HTTP 401, 403, 429: a gateway turned it away
  Lost      anything else without a readable answer: the portal may have done it
"""

import base64
import re
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Mapping
from contextlib import asynccontextmanager
from datetime import datetime, timedelta, timezone
from typing import Any, Final
from urllib.parse import quote, urlencode

import aiohttp
import msgspec
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey

from irnflow import metrics
from irnflow.errors import Transient
from irnflow.portal.cipher import Undecryptable, check_room, decrypt, encrypt, seal_login
from irnflow.portal.envelope import NO_JSON, Envelope, Info, Said, Unreadable, open_envelope

IST: Final = timezone(timedelta(hours=5, minutes=30), "IST")
_SEK_BYTES: Final = 32
_TOKEN: Final = re.compile(r"[\x21-\x7e]+")
_WAIT_S_MAX: Final = 3600.0  # a gateway that asks for more is asked again
# The number of a reason for an IRN: that of the e-way bill system, where order cancelled is 2 (the sample of [NIC]
# cancel-eway-bill) and data entry mistake 3. domain.md is silent on these.
_BILL_REASONS: Final = {"1": 1, "2": 3, "3": 2, "4": 4}
_BODY_BYTES_MAX: Final = 16 * 1024 * 1024  # a signed thousand-line invoice is about 3 MiB


class NotSent(Transient):
    """The call certainly did not reach the portal."""


class NotDone(Transient):
    """The portal's gateway refused the call before it did anything."""

    def __init__(self, status: int, retry_after_s: float | None) -> None:
        super().__init__(f"the portal's gateway answered HTTP {status}")
        self.status = status
        self.retry_after_s = retry_after_s


class Lost(Transient):
    """No readable answer came: the call may have been done."""


class Request(msgspec.Struct, frozen=True, kw_only=True):
    """One HTTP request; `path` is below the portal's base URL and carries the query."""

    method: str
    path: str
    headers: Mapping[str, str]
    body: bytes = b""


class Reply(msgspec.Struct, frozen=True, kw_only=True):
    """One HTTP answer."""

    status: int
    headers: Mapping[str, str]
    body: bytes


Send = Callable[[Request], Awaitable[Reply]]  # raises NotSent or Lost


class Credentials(msgspec.Struct, frozen=True, kw_only=True):
    """What logs a GSTIN in. Never printed."""

    gstin: str
    client_id: str
    client_secret: str
    username: str
    password: str

    def __repr__(self) -> str:
        return f"Credentials(gstin={self.gstin!r}, ...)"


class Session(msgspec.Struct, frozen=True, kw_only=True):
    """A login that lives: token and session key (SEK, 32 bytes). Never printed."""

    token: str
    sek: bytes
    expires_at: datetime

    def __repr__(self) -> str:
        return f"Session(expires_at={self.expires_at!r}, ...)"


class Answer(msgspec.Struct, frozen=True, kw_only=True):
    """A readable answer of the portal. `data`: the decrypted JSON when `ok`."""

    ok: bool
    data: bytes = b""
    errors: tuple[Said, ...] = ()
    infos: tuple[Info, ...] = ()

    def info(self, code: str) -> Any:
        return Envelope(ok=self.ok, infos=self.infos).info(code)


class Document(msgspec.Struct, frozen=True, kw_only=True, rename="pascal"):
    """A registered document, as generate and the look-ups give it (domain.md section 4.4)."""

    irn: str
    ack_no: int | str
    ack_dt: str
    signed_invoice: str | None = None
    signed_q_r_code: str | None = msgspec.field(default=None, name="SignedQRCode")
    status: str | None = None  # ACT, CNL, REJ
    ewb_no: int | str | None = None  # of the e-way bill that was made with it
    ewb_dt: str | None = None
    ewb_valid_till: str | None = None


class Portal:
    """The calls, over any transport. Holds no session: whoever calls gives it."""

    def __init__(self, send: Send, auth_key: RSAPublicKey) -> None:
        self._send = send
        self._auth_key = auth_key

    async def login(self, credentials: Credentials, *, app_key: bytes, renew: bool = False) -> Session | Answer:
        """A session, or the Answer that refuses it. `app_key`: 32 fresh random bytes.

        While a token lives, a login gives it again; in its last ten minutes `renew` gives a new one.
        """
        plain = _login(credentials.username, credentials.password, app_key, renew=renew)
        body = msgspec.json.encode({"Data": seal_login(self._auth_key, plain)})
        headers = {
            "client_id": credentials.client_id,
            "client_secret": credentials.client_secret,
            "Gstin": credentials.gstin,
            "Content-Type": "application/json",
        }
        envelope = await self._exchange(Request(method="POST", path="/eivital/v1.04/auth", headers=headers, body=body))
        if not envelope.ok:
            return _refusal(envelope, credentials.password, credentials.client_secret)
        return _session(envelope.data, app_key)

    async def generate(self, credentials: Credentials, session: Session, payload: bytes) -> Answer:
        """Register one document; `payload` is the INV-01 JSON, sent unaltered."""
        with metrics.cpu("cipher"):
            sealed = encrypt(session.sek, payload)
        body = msgspec.json.encode({"Data": sealed})
        return await self._call(credentials, session, "POST", "/eicore/v1.03/Invoice", body)

    async def by_irn(self, credentials: Credentials, session: Session, irn: str, *, irp: str = "") -> Answer:
        """The registered document of an IRN, for about two days after its registration.

        `irp`: the portal of the family whose documents are meant; without it only the asked one's own are searched.
        """
        return await self._call(credentials, session, "GET", f"/eicore/v1.03/Invoice/irn/{irn}", irp=irp)

    async def by_document(
        self, credentials: Credentials, session: Session, typ: str, no: str, dt: str, *, irp: str = ""
    ) -> Answer:
        """The registered document of a type, number and date (dd/mm/yyyy); `irp` as for `by_irn`."""
        query = urlencode({"doctype": typ, "docnum": no, "docdate": dt})
        return await self._call(credentials, session, "GET", f"/eicore/v1.03/Invoice/irnbydocdetails?{query}", irp=irp)

    async def cancel(
        self, credentials: Credentials, session: Session, *, irn: str, reason: str, remark: str, irp: str = ""
    ) -> Answer:
        """Cancel an IRN. `reason`: 1 duplicate, 2 data entry mistake, 3 order cancelled, 4 others."""
        body = {"Irn": irn, "CnlRsn": reason, "CnlRem": remark}
        return await self._post(credentials, session, "/eicore/v1.03/Invoice/Cancel", body, irp=irp)

    async def rejected_irns(self, credentials: Credentials, session: Session, day: str, *, irp: str = "") -> Answer:
        """The IRNs of a day (dd/mm/yyyy) that lost to another portal's; 2154 when there are none."""
        query = urlencode({"date": day})
        return await self._call(credentials, session, "GET", f"/api/invoice/rejectedirns?{query}", irp=irp)

    async def eway_bill(
        self, credentials: Credentials, session: Session, irn: str, details: Mapping[str, Any], *, irp: str = ""
    ) -> Answer:
        """Make the e-way bill of an IRN; `details` in the words of EwbDtls, ExpShipDtls and DispDtls."""
        return await self._post(credentials, session, "/eiewb/v1.03/ewaybill", {"Irn": irn, **details}, irp=irp)

    async def eway_bill_of(self, credentials: Credentials, session: Session, irn: str, *, irp: str = "") -> Answer:
        """The newest e-way bill of an IRN, also a cancelled one."""
        return await self._call(credentials, session, "GET", f"/eiewb/v1.03/ewaybill/irn/{irn}", irp=irp)

    async def cancel_eway_bill(
        self, credentials: Credentials, session: Session, *, ewb_no: str, reason: str, remark: str
    ) -> Answer:
        """Cancel an e-way bill, in that system's own words (domain.md section 4.2); `reason` as for an IRN."""
        plain = {"ewbNo": int(ewb_no), "cancelRsnCode": _BILL_REASONS[reason], "cancelRmrk": remark}
        body = msgspec.json.encode({"action": "CANEWB", "Data": encrypt(session.sek, msgspec.json.encode(plain))})
        names = {
            "client-id": credentials.client_id,
            "client-secret": credentials.client_secret,
        }  # as that system has them
        return await self._call(credentials, session, "POST", "/ewaybillapi/v1.03/ewayapi", body, more=names)

    async def gstin_details(self, credentials: Credentials, session: Session, gstin: str) -> Answer:
        """What the portal's master says of a GSTIN."""
        return await self._call(credentials, session, "GET", f"/eivital/v1.04/Master/gstin/{quote(gstin)}")

    async def sync_gstin(self, credentials: Credentials, session: Session, gstin: str) -> Answer:
        """The same, after the portal has asked the common portal for it."""
        return await self._call(credentials, session, "GET", f"/eivital/v1.04/Master/syncgstin/{quote(gstin)}")

    async def _post(
        self, credentials: Credentials, session: Session, path: str, plain: Mapping[str, Any], *, irp: str
    ) -> Answer:
        body = msgspec.json.encode({"Data": encrypt(session.sek, msgspec.json.encode(plain))})
        return await self._call(credentials, session, "POST", path, body, irp=irp)

    async def _call(
        self,
        credentials: Credentials,
        session: Session,
        method: str,
        path: str,
        body: bytes = b"",
        *,
        irp: str = "",
        more: Mapping[str, str] = {},
    ) -> Answer:
        headers = (
            {
                "client_id": credentials.client_id,
                "client_secret": credentials.client_secret,
                "Gstin": credentials.gstin,
                "user_name": credentials.username,
                "AuthToken": session.token,
                "Content-Type": "application/json",
            }
            | ({"irp": irp} if irp else {})
            | dict(more)
        )
        envelope = await self._exchange(Request(method=method, path=path, headers=headers, body=body))
        if not envelope.ok:
            return _refusal(envelope, credentials.password, credentials.client_secret, session.token)
        try:
            with metrics.cpu("cipher"):
                data = decrypt(session.sek, str(envelope.data))
        except Undecryptable as error:
            raise Lost(str(error)) from error
        return Answer(ok=True, data=data, infos=envelope.infos)

    async def _exchange(self, request: Request) -> Envelope:
        reply = await self._send(request)
        if reply.status in (401, 403, 429):
            raise NotDone(reply.status, _seconds(reply.headers.get("retry-after")))
        if reply.status != 200:  # business failures come with 200: anything else is transport or gateway
            raise Lost(f"the portal answered HTTP {reply.status}")
        try:
            return open_envelope(reply.body)
        except Unreadable as error:
            raise Lost(str(error)) from error


def _refusal(envelope: Envelope, *secrets: str) -> Answer:
    """A refusal in the portal's words, which people and logs read: should it repeat our secrets, without them."""
    errors = tuple(Said(code=said.code, text=_without(said.text, secrets)) for said in envelope.errors)
    return Answer(ok=False, errors=errors, infos=envelope.infos)


def _without(text: str, secrets: Iterable[str]) -> str:
    for secret in secrets:
        text = text.replace(secret, "***") if secret else text
    return text


def check_login(username: str, password: str) -> None:
    """Raises BadInput for credentials that no login can carry: better when they are set than when they are used."""
    check_room(_login(username, password, bytes(32), renew=False))


def _login(username: str, password: str, app_key: bytes, *, renew: bool) -> bytes:
    plain = {
        "UserName": username,
        "Password": password,
        "AppKey": base64.b64encode(app_key).decode(),
        "ForceRefreshAccessToken": renew,
    }
    return msgspec.json.encode(plain)


def read_document(data: bytes) -> Document:
    """The document in a successful answer. Raises Lost when it is not one: what was done is not known."""
    try:
        return msgspec.json.decode(data, type=Document)
    except NO_JSON as error:
        raise Lost(f"the portal's answer is no registered document: {error}") from error


def _session(data: Any, app_key: bytes) -> Session:
    """Data of a login: AuthToken, Sek (wrapped under our app key), TokenExpiry (IST)."""
    try:
        expires_at = datetime.strptime(data["TokenExpiry"], "%Y-%m-%d %H:%M:%S").replace(tzinfo=IST)
        token, sek = data["AuthToken"], decrypt(app_key, data["Sek"])
        if not _TOKEN.fullmatch(token) or len(sek) != _SEK_BYTES:
            raise ValueError  # no header could carry it, no cipher take it: every call would break
        return Session(token=token, sek=sek, expires_at=expires_at)
    except (KeyError, TypeError, ValueError, Undecryptable) as error:
        raise Lost(f"the portal's login answer can't be read: {type(error).__name__}") from None


def _seconds(retry_after: str | None) -> float | None:
    """Retry-After in seconds, an hour at most; its date form is left to the caller's own back-off."""
    if not retry_after or not (retry_after.isascii() and retry_after.isdigit()):
        return None
    return min(float(retry_after), _WAIT_S_MAX)


@asynccontextmanager
async def http(base_url: str, *, deadline_s: float, connections: int) -> AsyncIterator[Send]:
    """A transport over HTTP with keep-alive. It never repeats a request by itself (aiohttp does so for GETs only)."""
    # Shorter than servers keep idle connections (5 s and up): a POST into a closing one would count as lost.
    connector = aiohttp.TCPConnector(limit=connections, keepalive_timeout=3)
    timeout = aiohttp.ClientTimeout(total=deadline_s)
    async with aiohttp.ClientSession(connector=connector, timeout=timeout, auto_decompress=True) as client:

        async def send(request: Request) -> Reply:
            try:
                async with client.request(
                    request.method,
                    base_url.rstrip("/") + request.path,
                    headers=request.headers,
                    data=request.body or None,
                    allow_redirects=False,
                ) as response:
                    body = await response.content.read(_BODY_BYTES_MAX + 1)
                    while chunk := await response.content.read(_BODY_BYTES_MAX + 1 - len(body)):
                        body += chunk
                    if len(body) > _BODY_BYTES_MAX:
                        raise Lost(f"the portal's answer is larger than {_BODY_BYTES_MAX} bytes")
                    headers = {name.lower(): value for name, value in response.headers.items()}
                    return Reply(status=response.status, headers=headers, body=body)
            except (aiohttp.ClientConnectorError, aiohttp.ConnectionTimeoutError) as error:
                raise NotSent(f"the portal can't be reached: {error}") from error
            except TimeoutError as error:
                raise Lost(f"the portal did not answer within {deadline_s:g} s") from error
            except (aiohttp.ClientError, OSError) as error:
                raise Lost(f"the connection to the portal broke: {error or type(error).__name__}") from error

        yield send
