import base64
import json

import pytest

from irnflow.sandbox.codes import Refused, refused
from irnflow.sandbox.protocol import (
    BODY_BYTES_MAX,
    ErrorsAs,
    declined,
    decrypt,
    encrypt,
    from_json,
    payload_in,
    to_json,
)
from tests.sandbox.client import aes

KEY = bytes(range(32))


@pytest.mark.parametrize("digits", ["2.50", "0.1", "100.345", "99999999999999.99", "12908", "-0.30"])
def test_numbers_keep_their_digits(digits: str) -> None:
    text = f'{{"Amount":{digits}}}'.encode()

    assert to_json(from_json(text)) == text


@pytest.mark.parametrize("size", [0, 1, 15, 16, 17, 1000])
def test_the_cipher_is_aes_256_ecb_with_pkcs7(size: int) -> None:
    plain = b"x" * size

    sealed = encrypt(KEY, plain)

    assert base64.b64decode(sealed) == aes(KEY, plain)
    assert decrypt(KEY, sealed) == plain


def test_what_another_key_made_is_refused() -> None:
    sealed = base64.b64encode(aes(bytes(32), b'{"Irn": "1"}')).decode()

    with pytest.raises(ValueError, match="padding"):
        decrypt(KEY, sealed)


@pytest.mark.parametrize(
    ("body", "code"),
    [
        (b"", "5003"),
        (b"{}", "5003"),
        (b'{"Data": null}', "5003"),
        (b'{"Data": ""}', "5003"),
        (b'{"Data": 7}', "5003"),
        (b"[]", "5003"),
        (b"[" * 100_000, "5003"),
        (b'{"Data": "garbage"}', "1020"),
        (b'{"Data": "Z2FyYmFnZQ=="}', "1020"),
        (json.dumps({"Data": base64.b64encode(aes(KEY, b" ")).decode()}).encode(), "2255"),
        (json.dumps({"Data": base64.b64encode(aes(KEY, b"no JSON")).decode()}).encode(), "2140"),
        (json.dumps({"Data": base64.b64encode(aes(KEY, b'"text"')).decode()}).encode(), "2140"),
        (json.dumps({"Data": base64.b64encode(aes(KEY, b" " * 2_097_153)).decode()}).encode(), "5002"),
        (b" " * (BODY_BYTES_MAX + 1), "5002"),
    ],
    ids=lambda value: str(value)[:40],
)
def test_a_body_that_cannot_be_read_is_refused_with_its_code(body: bytes, code: str) -> None:
    with pytest.raises(Refused, match=f"^{code}$"):
        payload_in(body, KEY)


@pytest.mark.parametrize(
    ("errors_as", "status", "details"),
    [
        ("list", 0, [{"ErrorCode": "1005", "ErrorMessage": "Invalid Token"}]),
        ("text", "0", '[{"ErrorCode":"1005","ErrorMessage":"Invalid Token"}]'),
        ("base64", "0", "W3siRXJyb3JDb2RlIjoiMTAwNSIsIkVycm9yTWVzc2FnZSI6IkludmFsaWQgVG9rZW4ifV0="),
    ],
)
def test_errors_are_written_in_each_way_that_portals_do(errors_as: ErrorsAs, status: object, details: object) -> None:
    envelope = from_json(declined(refused("1005"), errors_as=errors_as))

    assert (envelope["Status"], envelope["ErrorDetails"]) == (status, details)
