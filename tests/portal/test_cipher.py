import base64
import os
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from irnflow.errors import BadInput
from irnflow.portal.cipher import Undecryptable, decrypt, encrypt, read_auth_key, seal_login

KEY = rsa.generate_private_key(public_exponent=65537, key_size=2048)


def test_what_is_encrypted_decrypts_with_the_same_key() -> None:
    key = os.urandom(32)

    assert decrypt(key, encrypt(key, b'{"Irn":"x"}')) == b'{"Irn":"x"}'


@pytest.mark.parametrize("text", ["", "%%%", "AAAA", base64.b64encode(bytes(32)).decode()])
def test_text_of_another_key_or_none_is_undecryptable(text: str) -> None:
    with pytest.raises(Undecryptable):
        decrypt(bytes(range(32)), text)


def test_a_login_opens_with_the_portals_private_key() -> None:
    sealed = seal_login(KEY.public_key(), b'{"UserName":"u"}')

    text = KEY.decrypt(base64.b64decode(sealed), padding.PKCS1v15())
    assert base64.b64decode(text) == b'{"UserName":"u"}'


def test_a_login_too_long_for_the_key_says_so() -> None:
    with pytest.raises(BadInput, match="too long for a login"):
        seal_login(KEY.public_key(), b"x" * 200)


def test_the_login_key_is_read_from_a_pem_file(tmp_path: Path) -> None:
    file = tmp_path / "auth.pem"
    file.write_bytes(KEY.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo))

    assert read_auth_key(file).public_numbers() == KEY.public_key().public_numbers()


def test_a_missing_login_key_says_which_setting_names_it(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="IRNFLOW_PORTAL_AUTH_KEY"):
        read_auth_key(tmp_path / "none.pem")
