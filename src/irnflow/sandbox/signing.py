"""Signed invoice and signed QR: compact JWS, RS256, exactly as the portal makes them. Pure.

Header `{"alg":"RS256","kid":..,"typ":"JWT","x5t":..}`: kid is the signing certificate's SHA-1 thumbprint in
upper-case hex, x5t its base64url. Payload `{"data":"<JSON as a string>","iss":"NIC Sandbox"}`. No expiry.
"""

import base64
from decimal import Decimal
from typing import Any, Final

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey

from irnflow.sandbox.protocol import from_json, to_json

ISSUER: Final = "NIC Sandbox"


class Signer:
    """Signs with one key, named by its certificate."""

    def __init__(self, key: RSAPrivateKey, certificate: x509.Certificate) -> None:
        self._key = key
        self.kid = kid_of(certificate)
        header = {"alg": "RS256", "kid": self.kid, "typ": "JWT", "x5t": _base64url(bytes.fromhex(self.kid)).decode()}
        self._head = _base64url(to_json(header))

    def sign(self, data: dict[str, Any]) -> str:
        """The JWS over `data`, which stands in the payload as a string of JSON."""
        payload = to_json({"data": to_json(data).decode(), "iss": ISSUER})
        signing_input = self._head + b"." + _base64url(payload)
        signature = self._key.sign(signing_input, PKCS1v15(), hashes.SHA256())
        return (signing_input + b"." + _base64url(signature)).decode()


def kid_of(certificate: x509.Certificate) -> str:
    """Upper-case hex of the SHA-1 thumbprint: a name, not a protection."""
    return certificate.fingerprint(hashes.SHA1()).hex().upper()  # noqa: S303 - so the portal names its keys


def invoice_data(document: dict[str, Any], *, ack_no: int, ack_dt: str, irn: str) -> dict[str, Any]:
    """What SignedInvoice says: the acknowledgement, then the document as registered, each item with `ItemNo` 0."""
    items = [{"ItemNo": 0} | item for item in document["ItemList"]]
    return {"AckNo": ack_no, "AckDt": ack_dt, "Irn": irn} | document | {"ItemList": items}


def content_of(signed: str) -> dict[str, Any]:
    """What a SignedInvoice or SignedQRCode of ours says."""
    payload = signed.split(".")[1]
    claims = from_json(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))
    content: dict[str, Any] = from_json(claims["data"].encode())
    return content


def qr_data(document: dict[str, Any], *, irn: str, irn_dt: str) -> dict[str, Any]:
    """What SignedQRCode says, its keys in the portal's order."""
    return {
        "SellerGstin": document["SellerDtls"]["Gstin"],
        "BuyerGstin": document["BuyerDtls"]["Gstin"],
        "DocNo": document["DocDtls"]["No"],
        "DocTyp": document["DocDtls"]["Typ"],
        "DocDt": document["DocDtls"]["Dt"],
        "TotInvVal": document["ValDtls"]["TotInvVal"],
        "ItemCnt": len(document["ItemList"]),
        "MainHsnCode": max(document["ItemList"], key=_taxable_value)["HsnCd"],
        "Irn": irn,
        "IrnDt": irn_dt,
    }


def _taxable_value(item: dict[str, Any]) -> Decimal:
    return Decimal(item["AssAmt"])


def _base64url(raw: bytes) -> bytes:
    return base64.urlsafe_b64encode(raw).rstrip(b"=")
