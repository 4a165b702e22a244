"""Cursors: where a page begins. Opaque to clients, so that what they hold may change."""

import base64
from datetime import datetime
from typing import Annotated, TypeVar

import msgspec
from msgspec import Meta

from irnflow.api.problem import Place, Refused
from irnflow.api.resources import Name


class Number(msgspec.Struct, frozen=True, array_like=True):
    """Behind a number."""

    number: Annotated[int, Meta(ge=0, le=2**63 - 1)]


class Group(msgspec.Struct, frozen=True, array_like=True):
    """Behind a group of failures."""

    stage: Name
    cause: Name


class Named(msgspec.Struct, frozen=True, array_like=True):
    """Behind a name."""

    name: Name


class Doubt(msgspec.Struct, frozen=True, array_like=True):
    """Behind a document in doubt."""

    sent_at: datetime
    irn: str


Position = TypeVar("Position", Number, Group, Named, Doubt)


def write(position: Number | Group | Named | Doubt) -> str:
    """The cursor of the page that begins behind a position."""
    return base64.urlsafe_b64encode(msgspec.json.encode(position)).decode()


def read(cursor: str, kind: type[Position]) -> Position:
    """The position that a cursor stands for. Raises Refused when it is not one of this list."""
    try:
        return msgspec.json.decode(base64.b64decode(cursor, altchars=b"-_", validate=True), type=kind)
    except (ValueError, msgspec.DecodeError) as error:
        says = "cursor is not the `next` of a page of this list; leave it out to begin at the start."
        raise Refused("invalid-query", says, [Place(pointer="?cursor", detail=says)]) from error
