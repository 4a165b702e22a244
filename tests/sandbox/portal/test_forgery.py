"""Answers that a client must not believe, seen with the verification that the portal publishes."""

import base64
import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey

from irnflow.sandbox.identity import open_identity
from irnflow.sandbox.portal import Sandbox, irn_of
from irnflow.sandbox.register import Register
from irnflow.sandbox.switches import Failure, Forge, Order
from irnflow.sandbox.taxpayers import Taxpayers
from tests.sandbox.client import Client
from tests.sandbox.conftest import NOW, counted
from tests.sandbox.documents import intra_state


def verified(token: str, folder: Path) -> dict[str, Any]:
    """What it says. Raises InvalidSignature, or FileNotFoundError where nobody published its key."""
    head, payload, signature = (base64.urlsafe_b64decode(part + "=" * (-len(part) % 4)) for part in token.split("."))
    certificate = x509.load_pem_x509_certificate(
        (folder / "signing_keys" / f"{json.loads(head)['kid']}.pem").read_bytes()
    )
    key = certificate.public_key()
    assert isinstance(key, RSAPublicKey)
    key.verify(signature, token.rpartition(".")[0].encode(), PKCS1v15(), hashes.SHA256())
    content = json.loads(json.loads(payload)["data"])
    assert isinstance(content, dict)
    return content


@pytest.fixture
def client(identity_folder: Path, tmp_path: Path, register: Register) -> Client:
    """A client of a sandbox whose keys may change."""
    folder = Path(shutil.copytree(identity_folder, tmp_path / "sandbox"))
    identity = open_identity(folder, now=NOW, random_bytes=counted())
    sandbox = Sandbox(identity=identity, register=register, taxpayers=Taxpayers(), random_bytes=counted())
    client = Client(sandbox, now=NOW)
    client.log_in()
    return client


@pytest.fixture
def folder(client: Client) -> Path:
    return client.sandbox.identity.auth_public_file.parent


@pytest.fixture
def told(client: Client) -> Callable[[Forge], dict[str, Any]]:
    """The data of a document that was registered, forged in one way."""

    def tell(how: Forge) -> dict[str, Any]:
        client.sandbox.obey(Order(fail_next=Failure(forge=how)))
        data = client.generate(intra_state())["Data"]
        assert isinstance(data, dict)
        return data

    return tell


def test_an_honest_answer_verifies(client: Client, folder: Path) -> None:
    data = client.generate(intra_state())["Data"]

    assert (
        verified(data["SignedInvoice"], folder)["Irn"] == verified(data["SignedQRCode"], folder)["Irn"] == data["Irn"]
    )


@pytest.mark.parametrize("name", ["SignedInvoice", "SignedQRCode"])
def test_a_signature_may_be_another(told: Callable[[Forge], dict[str, Any]], folder: Path, name: str) -> None:
    with pytest.raises(InvalidSignature):
        verified(told("signature")[name], folder)


@pytest.mark.parametrize("name", ["SignedInvoice", "SignedQRCode"])
def test_a_key_may_be_nobodys(told: Callable[[Forge], dict[str, Any]], folder: Path, name: str) -> None:
    with pytest.raises(FileNotFoundError):
        verified(told("key")[name], folder)


def test_the_irn_may_be_another(told: Callable[[Forge], dict[str, Any]]) -> None:
    assert told("irn")["Irn"] != irn_of(intra_state())


def test_the_signed_document_may_be_another(told: Callable[[Forge], dict[str, Any]], folder: Path) -> None:
    data = told("document")

    assert verified(data["SignedInvoice"], folder)["ValDtls"]["TotInvVal"] == 2361
    assert verified(data["SignedQRCode"], folder)["TotInvVal"] == 2360


def test_the_signed_qr_may_be_another(told: Callable[[Forge], dict[str, Any]], folder: Path) -> None:
    data = told("qr")

    assert verified(data["SignedInvoice"], folder)["ValDtls"]["TotInvVal"] == 2360
    assert verified(data["SignedQRCode"], folder)["TotInvVal"] == 2361


def test_a_look_up_afterwards_is_honest(client: Client, told: Callable[[Forge], dict[str, Any]], folder: Path) -> None:
    told("signature")

    assert verified(client.by_irn(irn_of(intra_state()))["Data"]["SignedInvoice"], folder)


# -- rotation --------------------------------------------------------------------------------------------------------


def test_after_a_rotation_old_and_new_signatures_verify(client: Client, folder: Path) -> None:
    old = client.generate(intra_state("INV-1"))["Data"]

    kid = client.sandbox.rotate_signing_key(publish=True, now=NOW)

    new = client.generate(intra_state("INV-2"))["Data"]
    assert verified(old["SignedInvoice"], folder)["Irn"] == old["Irn"]
    assert verified(new["SignedInvoice"], folder)["Irn"] == new["Irn"]
    assert open_identity(folder, now=NOW, random_bytes=counted()).signer.kid == kid


def test_a_certificate_can_come_later_than_its_signatures(client: Client, folder: Path) -> None:
    kid = client.sandbox.rotate_signing_key(publish=False, now=NOW)
    data = client.generate(intra_state())["Data"]
    open_identity(folder, now=NOW, random_bytes=counted())  # as a restart would

    with pytest.raises(FileNotFoundError):
        verified(data["SignedInvoice"], folder)

    (folder / "unpublished" / f"{kid}.pem").rename(folder / "signing_keys" / f"{kid}.pem")
    assert verified(data["SignedInvoice"], folder)["Irn"] == data["Irn"]
