import base64
import json
from typing import Any

import pytest

from irnflow.portal.envelope import Said, Unreadable, open_envelope

INVALID_TOKEN = [{"ErrorCode": "1005", "ErrorMessage": "Invalid Token"}]


def body(**fields: Any) -> bytes:
    return json.dumps(fields).encode()


@pytest.mark.parametrize(
    "details",
    [
        INVALID_TOKEN,
        json.dumps(INVALID_TOKEN),
        base64.b64encode(json.dumps(INVALID_TOKEN).encode()).decode(),
        [{"errorCode": 1005, "errorMessage": "Invalid Token"}],
    ],
    ids=["list", "JSON string", "base64 of JSON", "other case and a number"],
)
def test_errors_are_read_in_every_form_the_portal_gives_them(details: Any) -> None:
    envelope = open_envelope(body(Status=0, Data=None, ErrorDetails=details, InfoDtls=None))

    assert envelope.errors == (Said(code="1005", text="Invalid Token"),)


@pytest.mark.parametrize(("status", "ok"), [(1, True), ("1", True), (0, False), ("0", False)])
def test_status_is_a_number_or_a_string(status: Any, ok: bool) -> None:
    assert open_envelope(body(Status=status)).ok is ok


def test_an_info_entry_is_chosen_by_its_code() -> None:
    infos = [{"InfCd": "EWBPPD", "Desc": "Pin-Pin calc distance: 2467KM"}, {"InfCd": "DUPIRN", "Desc": {"AckNo": 1}}]

    envelope = open_envelope(body(Status=0, InfoDtls=infos))

    assert envelope.info("DUPIRN") == {"AckNo": 1}


def test_keys_are_read_in_any_case() -> None:
    assert open_envelope(body(status=1, data="x")).data == "x"


@pytest.mark.parametrize(
    "text",
    [
        b"",
        b"<html>Bad Gateway</html>",
        b'{"Status":1,"Da',
        b"[]",
        b"{}",
        b'{"Status":2}',
        b'{"Status":0,"ErrorDetails":"%"}',
        '{"Status":0,"ErrorDetails":"é"}'.encode(),
        b'{"Status":0,"ErrorDetails":5}',
        b'{"Status":0,"InfoDtls":["x"]}',
        b'{"Status":1,"Data":"\xff"}',
        b"[" * 100_000,
    ],
)
def test_a_body_that_is_no_envelope_is_unreadable(text: bytes) -> None:
    with pytest.raises(Unreadable):
        open_envelope(text)
