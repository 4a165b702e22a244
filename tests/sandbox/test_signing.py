import base64
import hashlib
import json
from decimal import Decimal
from pathlib import Path

from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509 import load_pem_x509_certificate
from joserfc import jws
from joserfc.jwk import RSAKey

from irnflow.sandbox.identity import Identity
from irnflow.sandbox.signing import invoice_data, qr_data
from tests.sandbox.documents import changed, intra_state


def test_a_signature_verifies_with_the_published_certificate(identity: Identity, identity_folder: Path) -> None:
    certificate = next((identity_folder / "signing_keys").glob("*.pem"))
    key = RSAKey.import_key(certificate.read_bytes())

    signed = identity.signer.sign({"Irn": "1", "TotInvVal": Decimal("12908.00")})

    payload = json.loads(jws.deserialize_compact(signed, key, algorithms=["RS256"]).payload)
    assert payload == {"data": '{"Irn":"1","TotInvVal":12908.00}', "iss": "NIC Sandbox"}


def test_kid_and_x5t_are_the_thumbprint_of_the_certificate(identity: Identity, identity_folder: Path) -> None:
    file = next((identity_folder / "signing_keys").glob("*.pem"))
    der = load_pem_x509_certificate(file.read_bytes()).public_bytes(Encoding.DER)
    thumbprint = hashlib.sha1(der).digest()  # noqa: S324 - so the portal names its keys

    header = json.loads(base64.urlsafe_b64decode(identity.signer.sign({}).split(".")[0] + "=="))

    assert header == {
        "alg": "RS256",
        "kid": thumbprint.hex().upper(),
        "typ": "JWT",
        "x5t": base64.urlsafe_b64encode(thumbprint).decode().rstrip("="),
    }
    assert file.stem == header["kid"]


def test_the_qr_has_its_keys_in_the_portals_order_and_the_hsn_of_the_greatest_value() -> None:
    document = changed(intra_state(), {"ItemList[1].AssAmt": Decimal("1000.01")})

    data = qr_data(document, irn="ab", irn_dt="2026-11-22 15:08:39")

    assert " ".join(data) == "SellerGstin BuyerGstin DocNo DocTyp DocDt TotInvVal ItemCnt MainHsnCode Irn IrnDt"
    assert data["MainHsnCode"] == "998313"
    assert data["ItemCnt"] == 2


def test_the_signed_invoice_is_the_document_with_its_acknowledgement_before_it() -> None:
    data = invoice_data(intra_state(), ack_no=1, ack_dt="2026-11-22 15:08:39", irn="ab")

    assert list(data)[:4] == ["AckNo", "AckDt", "Irn", "Version"]
    assert [item["ItemNo"] for item in data["ItemList"]] == [0, 0]
    assert data["ValDtls"] == intra_state()["ValDtls"]
