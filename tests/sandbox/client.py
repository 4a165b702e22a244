"""A small client of the portal, written from NIC's API pages and nothing of ours; drives the sandbox in process."""

import base64
import copy
import json
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from cryptography.hazmat.primitives.serialization import load_pem_public_key

from irnflow.sandbox.portal import Answer, Sandbox
from tests.sandbox.documents import BUYER_IN_KARNATAKA, SELLER

APP_KEY = bytes(range(32))
Envelope = dict[str, Any]


class Client:
    """Speaks to one sandbox, for one taxpayer, at the time that `now` says."""

    def __init__(self, sandbox: Sandbox, *, now: datetime, gstin: str = SELLER) -> None:
        self.sandbox = sandbox
        self.now = now
        known = sandbox.identity.credentials
        self.headers = {"client_id": known.client_id, "client_secret": known.client_secret, "Gstin": gstin}
        self.username, self.password = known.username, known.password
        self.sek = b""
        self.base = ""  # path of the portal that is called

    def at(self, portal: str, *, irp: str | None = None) -> "Client":
        """The same login at one of the portals; `irp`: whose IRN it asks about."""
        other = copy.copy(self)
        other.base = f"/{portal}"
        other.headers = self.headers | ({"irp": irp} if irp else {})
        return other

    def neighbour(self, gstin: str = BUYER_IN_KARNATAKA) -> "Client":
        """Another taxpayer at the same portal, logged in."""
        other = Client(self.sandbox, now=self.now, gstin=gstin)
        other.log_in()
        return other

    def log_in(self, **changes: Any) -> Envelope:
        """Log in and keep what is needed for calls."""
        envelope = self.ask_to_log_in(**changes)
        data = envelope["Data"]
        self.sek = aes(APP_KEY, base64.b64decode(data["Sek"]), decrypt=True)
        self.headers |= {"user_name": self.username, "AuthToken": data["AuthToken"]}
        return envelope

    def ask_to_log_in(self, *, key: RSAPublicKey | None = None, **changes: Any) -> Envelope:
        return self.envelope("POST", "/eivital/v1.04/auth", {"Data": self.sealed_login(key, **changes)})

    def sealed_login(self, key: RSAPublicKey | None = None, **changes: Any) -> str:
        plain = {
            "UserName": self.username,
            "Password": self.password,
            "AppKey": base64.b64encode(APP_KEY).decode(),
            "ForceRefreshAccessToken": False,
        }
        public_key = key or load_pem_public_key(self.sandbox.identity.auth_public_file.read_bytes())
        assert isinstance(public_key, RSAPublicKey)
        inner = base64.b64encode(json.dumps(plain | changes, separators=(",", ":")).encode())
        return base64.b64encode(public_key.encrypt(inner, PKCS1v15())).decode()

    def generate(self, document: dict[str, Any]) -> Envelope:
        return self.send("/eicore/v1.03/Invoice", document)

    def cancel(self, irn: str, *, reason: str = "2", remark: str = "wrong entry") -> Envelope:
        return self.send("/eicore/v1.03/Invoice/Cancel", {"Irn": irn, "CnlRsn": reason, "CnlRem": remark})

    def by_irn(self, irn: str) -> Envelope:
        return self.get(f"/eicore/v1.03/Invoice/irn/{irn}")

    def by_document(self, number: str, *, kind: str = "INV", dated: str = "20/11/2026") -> Envelope:
        return self.get(f"/eicore/v1.03/Invoice/irnbydocdetails?doctype={kind}&docnum={number}&docdate={dated}")

    def rejected(self, day: str) -> Envelope:
        return self.get(f"/api/invoice/rejectedirns?date={day}")

    def make_eway_bill(self, irn: str, **details: Any) -> Envelope:
        return self.send("/eiewb/v1.03/ewaybill", {"Irn": irn} | details)

    def eway_bill(self, irn: str) -> Envelope:
        return self.get(f"/eiewb/v1.03/ewaybill/irn/{irn}")

    def cancel_eway_bill(self, number: object, *, reason: object = 2, remark: object = "order cancelled") -> Envelope:
        plain = {"ewbNo": number, "cancelRsnCode": reason, "cancelRmrk": remark}
        body = {"action": "CANEWB", "Data": self.sealed(to_json(plain))}
        return self.opened(self.envelope("POST", "/ewaybillapi/v1.03/ewayapi", body))

    def send(self, path: str, plain: dict[str, Any]) -> Envelope:
        return self.opened(self.envelope("POST", path, {"Data": self.sealed(to_json(plain))}))

    def get(self, target: str) -> Envelope:
        return self.opened(self.envelope("GET", target))

    def sealed(self, plain: bytes) -> str:
        return base64.b64encode(aes(self.sek, plain)).decode()

    def opened(self, envelope: Envelope) -> Envelope:
        """The envelope with its Data in the clear."""
        if envelope["Data"] is None:
            return envelope
        plain = aes(self.sek, base64.b64decode(envelope["Data"]), decrypt=True)
        return envelope | {"Data": json.loads(plain, parse_float=Decimal)}

    def envelope(self, method: str, target: str, body: object = None) -> Envelope:
        answer = self.call(method, target, json.dumps(body).encode() if body is not None else b"")
        envelope = json.loads(answer.body)
        assert answer.status == 200
        assert isinstance(envelope, dict)
        return envelope

    def call(self, method: str, target: str, body: bytes = b"") -> Answer:
        return self.sandbox.call(method, self.base + target, self.headers, body, now=self.now)

    def wait(self, **span: float) -> None:
        self.now += timedelta(**span)


def codes(envelope: Envelope) -> list[str]:
    """The error codes of an answer."""
    return [error["ErrorCode"] for error in envelope["ErrorDetails"] or []]


def aes(key: bytes, data: bytes, *, decrypt: bool = False) -> bytes:
    """AES-256-ECB with PKCS7, written out."""
    cipher = Cipher(algorithms.AES(key), modes.ECB())  # noqa: S305 - the protocol's choice
    if decrypt:
        padded = cipher.decryptor().update(data)
        return padded[: -padded[-1]]
    filling = 16 - len(data) % 16
    return cipher.encryptor().update(data + bytes([filling]) * filling)


def to_json(value: Any) -> bytes:
    """JSON with the digits of each Decimal as they are."""
    marked = json.dumps(value, default=lambda number: f"<number>{number}</number>", ensure_ascii=False)
    return marked.replace('"<number>', "").replace('</number>"', "").encode()
