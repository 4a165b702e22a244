import base64
import json
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.hashes import SHA256

from irnflow.errors import BadInput
from irnflow.portal.signature import BadSignature, UnknownKey, differences, is_dropped, signed_data, verified
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
        # numbers in quotes
        (b'{"a":"1"}', b'{"a":1}', []),
        (b'{"a":"560001"}', b'{"a":560001}', []),
        (b'{"a":"0.90"}', b'{"a":0.9}', []),
        (b'{"a":" 5 "}', b'{"a":5.00}', []),
        (b'{"a":7}', b'{"a":"7"}', []),
        (b'{"a":"+.5"}', b'{"a":0.50}', []),
        (b'{"a":"."}', b'{"a":0.50}', ["a"]),
        (b'{"a":"1"}', b'{"a":1.01}', ["a"]),
        (b'{"a":"one"}', b'{"a":1}', ["a"]),
        (b'{"a":"1,5"}', b'{"a":15}', ["a"]),
        (b'{"a":"07"}', b'{"a":"7"}', ["a"]),
        # members that hold only nulls
        (b'{"a":{"b":null}}', b"{}", []),
        (b'{"a":{"b":[],"c":null}}', b"{}", []),
        (b'{"a":[{"b":null,"c":null}]}', b"{}", []),
        (b'{"a":[[],{},null,{"b":{"c":[""]}}]}', b'{"a":[]}', []),
        (b"{}", b'{"a":{"b":null}}', []),
        (b"{}", b'{"a":{"b":[{"c":0}]}}', []),
        (b'{"a":[{"b":1},{"b":null}]}', b'{"a":[{"b":1}]}', []),
        (b'{"a":[{"b":null},{"b":1}]}', b'{"a":[{"b":2}]}', ["a[1].b"]),
        (b'{"a":[1,0]}', b'{"a":[1]}', ["a"]),
        (b'{"a":{"b":"x"}}', b"{}", ["a"]),
        (b"{}", b'{"a":[{"b":"x"}]}', ["a"]),
        # names in any case
        (b'{"GSTIN":"x","POS":"29"}', b'{"Gstin":"x","Pos":"29"}', []),
        (b'{"gstin":"x"}', b'{"Gstin":"y"}', ["Gstin"]),
        (b'{"irn":"x"}', b'{"Irn":"y"}', ["Irn"]),
        # the number of the document, which the portal writes in capitals, and no other text
        (b'{"DocDtls":{"No":"blr/1"}}', b'{"DocDtls":{"No":"BLR/1"}}', []),
        (b'{"BuyerDtls":{"LglNm":"a"}}', b'{"BuyerDtls":{"LglNm":"A"}}', ["BuyerDtls.LglNm"]),
    ],
)
def test_differences_are_of_what_is_said_not_of_how_it_is_written(
    sent: bytes, registered: bytes, places: list[str]
) -> None:
    assert [place.path for place in differences(sent, registered)] == places


def test_a_difference_shows_both_values_as_json_has_them() -> None:
    sent, registered = b'{"a":"1","l":[1,2],"b":1.50}', b'{"a":2,"l":[1],"c":"new"}'

    assert differences(sent, registered) == [
        ("a", '"1"', "2"),
        ("l", "a list of 2", "a list of 1"),
        ("b", "1.50", ""),
        ("c", "", '"new"'),
    ]


@pytest.mark.parametrize(
    ("sent", "registered", "dropped"),
    [
        (b'{"Extra":1}', b"{}", True),
        (b'{"ValDtls":{"x":1}}', b'{"ValDtls":{}}', True),
        (b'{"ItemList":[{"HsnCd":"1","Colour":"red"}]}', b'{"ItemList":[{"HsnCd":"1"}]}', True),
        (b'{"SELLERDTLS":{"lglnm":"x"}}', b'{"SellerDtls":{}}', False),
        (b'{"RefDtls":{"PrecDocDtls":[{"InvNo":"1"}]}}', b'{"RefDtls":{}}', False),
        (b'{"Extra":1}', b'{"Extra":2}', False),
        (b"{}", b'{"Extra":2}', False),
    ],
)
def test_a_field_that_inv_01_lacks_counts_as_dropped(sent: bytes, registered: bytes, dropped: bool) -> None:
    [difference] = differences(sent, registered)

    assert is_dropped(difference) is dropped


@pytest.mark.parametrize("space", [" ", "\r\n", "\n\t", "\u00a0", "\u2028", "\u3000", "\u200b", "\ufeff", "\u00ad"])
def test_white_space_inside_a_signed_text_is_dropped(space: str) -> None:
    text = signed({"Irn": "x"})

    assert json.loads(verified(space.join(text[at : at + 76] for at in range(0, len(text), 76)), KEYS)) == {"Irn": "x"}
    assert json.loads(signed_data(space + text.replace(".", f".{space}", 1))) == {"Irn": "x"}


def test_what_was_signed_and_is_no_document_is_a_bad_signature() -> None:
    with pytest.raises(BadSignature, match="no invoice"):
        differences(b"{}", b"<html>")
