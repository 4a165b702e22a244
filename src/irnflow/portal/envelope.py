"""The envelope around every answer, in all the variants that were seen (domain.md section 4.3)."""

import base64
from typing import Any, Final

import msgspec

from irnflow.errors import Transient

# What decoding raises for bytes that are no JSON of the expected shape: cut, not UTF-8, nested without end.
NO_JSON: Final = (msgspec.MsgspecError, UnicodeDecodeError, RecursionError)


class Unreadable(Transient):
    """A body that is no envelope: cut, HTML of a gateway, another protocol."""


class Said(msgspec.Struct, frozen=True, kw_only=True):
    """One error of the portal: match on the code, the text carries filled-in values."""

    code: str
    text: str


class Info(msgspec.Struct, frozen=True, kw_only=True):
    """One entry of InfoDtls; `desc` is an object (DUPIRN), a list (EWBERR) or a string (EWBPPD)."""

    code: str
    desc: Any


class Envelope(msgspec.Struct, frozen=True, kw_only=True):
    """An answer, opened: `data` is still encrypted, save in the answer to a login."""

    ok: bool
    data: Any = None
    errors: tuple[Said, ...] = ()
    infos: tuple[Info, ...] = ()

    def info(self, code: str) -> Any:
        """`desc` of the entry with this InfCd, or None. Several entries at once are possible: choose by code."""
        return next((info.desc for info in self.infos if info.code == code), None)


def open_envelope(body: bytes) -> Envelope:
    """Read an answer's body. Raises Unreadable."""
    fields = _object(_json(body))
    status = str(fields.get("status", ""))
    if status not in ("0", "1"):
        raise Unreadable("the portal's answer has no Status 0 or 1")
    return Envelope(
        ok=status == "1",
        data=_maybe_json(fields.get("data")),
        errors=tuple(_said(entry) for entry in _entries(fields.get("errordetails"))),
        infos=tuple(_info(entry) for entry in _entries(fields.get("infodtls"))),
    )


def _json(body: bytes | str) -> Any:
    try:
        return msgspec.json.decode(body)
    except NO_JSON as error:
        raise Unreadable(f"the portal's answer is not JSON: {error}") from error


def _object(value: Any) -> dict[str, Any]:
    """Keys in lower case, for the portal's vary."""
    if not isinstance(value, dict):
        raise Unreadable("the portal's answer is not a JSON object")
    return {key.lower(): entry for key, entry in value.items()}


def _maybe_json(data: Any) -> Any:
    """`Data` that is JSON in a string is opened; cipher text stays as it is."""
    return _json(data) if isinstance(data, str) and data.startswith(("{", "[")) else data


def _entries(value: Any) -> list[dict[str, Any]]:
    """A list, the same as a JSON string, or base64 of that; null is none."""
    if isinstance(value, str) and value.strip():
        value = _json(value) if value.lstrip().startswith(("[", "{")) else _json(_plain(value))
    if isinstance(value, dict):
        value = [value]
    if not isinstance(value or [], list):
        raise Unreadable("ErrorDetails or InfoDtls of the portal's answer is no list")
    return [_object(entry) for entry in value or []]


def _plain(text: str) -> bytes:
    try:
        return base64.b64decode(text, validate=True)
    except ValueError as error:  # binascii.Error, or not ASCII
        raise Unreadable("ErrorDetails is neither JSON nor base64") from error


def _said(entry: dict[str, Any]) -> Said:
    return Said(code=str(entry.get("errorcode", "")), text=str(entry.get("errormessage", "")))


def _info(entry: dict[str, Any]) -> Info:
    return Info(code=str(entry.get("infcd", "")), desc=entry.get("desc"))
