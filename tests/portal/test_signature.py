import base64
import json
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.hashes import SHA256

from irnflow.errors import BadInput
from irnflow.portal.signature import BadSignature, UnknownKey, differences, verified
from irnflow.portal.signing_keys import read_keys

KEY = rsa.generate_private_key(public_exponent=65537, key_size=2048)
KEYS = {"AB12": KEY.public_key()}


def base64url(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def signed(data: Any, *, kid: str = "AB12", alg: str = "RS256") -> str:
    head = base64url(json.dumps({"alg": alg, "kid": kid, "typ": "JWT"}).encode())
    payload = base64url(json.dumps({"data": json.dumps(data), "iss": "NIC Sandbox"}).encode())
    signature = KEY.sign(f"{head}.{payload}".encode(), PKCS1v15(), SHA256())
    return f"{head}.{payload}.{base64url(signature)}"


def test_a_text_signed_by_a_known_key_gives_its_data() -> None:
    assert json.loads(verified(signed({"Irn": "x"}), KEYS)) == {"Irn": "x"}


def test_a_changed_text_is_refused() -> None:
    head, _, signature = signed({"Irn": "x"}).split(".")
    other = signed({"Irn": "y"}).split(".")[1]

    with pytest.raises(BadSignature, match="does not match"):
        verified(f"{head}.{other}.{signature}", KEYS)


def test_a_key_that_the_folder_lacks_is_named() -> None:
    with pytest.raises(UnknownKey, match="CD34"):
        verified(signed({}, kid="CD34"), KEYS)


@pytest.mark.parametrize("text", ["", "a.b", "a.b.c", "é.b.c"])
def test_a_text_that_is_no_jws_is_refused(text: str) -> None:
    with pytest.raises(BadSignature, match="no signed text"):
        verified(text, KEYS)


def test_the_text_may_not_choose_another_algorithm() -> None:
    with pytest.raises(BadSignature, match="none, not RS256"):
        verified(signed({}, alg="none"), KEYS)


def test_a_file_that_is_no_certificate_is_named(tmp_path: Path) -> None:
    (tmp_path / "AB12.pem").write_text("no certificate")

    with pytest.raises(BadInput, match=r"AB12\.pem"):
        read_keys(tmp_path)


@pytest.mark.parametrize(
    ("sent", "registered", "places"),
    [
        (b'{"a":1}', b'{"a":1.0}', []),
        (b'{"a":0.1}', b'{"a":0.10}', []),
        (b'{"a":1.01}', b'{"a":1.010000000000000001}', ["a"]),
        (b'{"a":{"b":[{"c":"x"}]}}', b'{"a":{"b":[{"c":"y"}]}}', ["a.b[0].c"]),
        (b'{"a":1}', b'{"AckNo":1,"AckDt":"t","Irn":"i","a":1}', []),
        (b'{"l":[{"a":1}]}', b'{"l":[{"a":1,"ItemNo":0}]}', []),
        (b'{"a":1}', b'{"a":1,"b":null}', []),
        (b'{"a":1}', b'{"a":1,"b":"new"}', ["b"]),
        (b'{"a":1,"b":"x"}', b'{"a":1}', ["b"]),
        (b'{"l":[1,2]}', b'{"l":[1]}', ["l"]),
        (b'{"a":"1"}', b'{"a":1}', ["a"]),
    ],
)
def test_differences_are_of_what_is_said_not_of_how_it_is_written(
    sent: bytes, registered: bytes, places: list[str]
) -> None:
    assert [place.path for place in differences(sent, registered)] == places


def test_a_difference_shows_both_values_as_json_has_them() -> None:
    sent, registered = b'{"a":"1","l":[1,2],"b":1.50}', b'{"a":1,"l":[1],"c":"new"}'

    assert differences(sent, registered) == [
        ("a", '"1"', "1"),
        ("l", "a list of 2", "a list of 1"),
        ("b", "1.50", ""),
        ("c", "", '"new"'),
    ]


def test_what_was_signed_and_is_no_document_is_a_bad_signature() -> None:
    with pytest.raises(BadSignature, match="no invoice"):
        differences(b"{}", b"<html>")
