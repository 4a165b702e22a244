"""The words of the WebSocket protocol, version 1. One frame is one JSON object; `type` says which.

A client says `subscribe` with the last seq it has of a batch (0: none), and gets one `snapshot`, or the one `delta`
that it misses; then deltas, each beginning where the last frame ended. A snapshot that comes later means: more has
happened than is worth telling one by one; ask over HTTP for the transactions you show. `counts` always stands for
the whole batch at `seq`, and leaves out states that nobody is in.
"""

from typing import Annotated, Final, TypeAlias

import msgspec
from msgspec import UNSET, Meta, Raw, UnsetType

BatchNo = Annotated[str, Meta(max_length=64)]
CLOSE_SIGN_IN: Final = 4401  # our close code: no key, or one that is no longer good


class Auth(msgspec.Struct, frozen=True, kw_only=True, tag="auth"):
    """The first frame of a client without the console's cookie."""

    key: Annotated[str, Meta(max_length=200)]


class Subscribe(msgspec.Struct, frozen=True, kw_only=True, tag="subscribe"):
    """Show me this batch from after this seq."""

    batch_no: BatchNo
    after: Annotated[int, Meta(ge=0)] = 0


class Unsubscribe(msgspec.Struct, frozen=True, kw_only=True, tag="unsubscribe"):
    """I don't look at this batch any more."""

    batch_no: BatchNo


class Snapshot(msgspec.Struct, frozen=True, kw_only=True, tag="snapshot"):
    """How a batch stands."""

    batch_no: str
    seq: int
    size: int
    counts: Raw  # state -> how many


class Delta(msgspec.Struct, frozen=True, kw_only=True, tag="delta", rename={"first": "from"}):
    """What happened in a batch, each event with the state its transaction is in now."""

    batch_no: str
    first: int  # seq of the first event; one more than `seq` when there is none
    seq: int  # of the last
    counts: Raw
    events: Raw  # [{seq, transaction_id, status, state, at, detail}]


class Error(msgspec.Struct, frozen=True, kw_only=True, tag="error"):
    """What was asked for can't be done; the connection goes on."""

    detail: str
    batch_no: str | UnsetType = UNSET


Said: TypeAlias = Auth | Subscribe | Unsubscribe
_said: Final[msgspec.json.Decoder[Said]] = msgspec.json.Decoder(Said)


def read(text: str) -> Said:
    """A client's frame. Raises msgspec.ValidationError, saying what doesn't fit."""
    try:
        return _said.decode(text)
    except msgspec.ValidationError:
        raise
    except msgspec.DecodeError as error:
        raise msgspec.ValidationError(f"not JSON: {error}") from error


def encode(frame: Snapshot | Delta | Error) -> str:
    return msgspec.json.encode(frame).decode()
