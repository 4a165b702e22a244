"""One call and what comes of it, as the handlers see them."""

from collections.abc import Mapping
from datetime import datetime
from typing import Final

import msgspec

from irnflow.sandbox.codes import refused
from irnflow.sandbox.register import PORTALS, PortalName
from irnflow.sandbox.switches import Forge

JSON: Final = {"content-type": "application/json; charset=utf-8"}


class Answer(msgspec.Struct, frozen=True, kw_only=True):
    """What goes back, and how: after `latency_s`, or, when it is `lost`, not at all."""

    status: int
    headers: Mapping[str, str] = msgspec.field(default_factory=lambda: JSON)
    body: bytes
    latency_s: float = 0
    lost: bool = False  # close the connection instead
    reset: bool = False  # with a TCP reset
    bytes_promised: int | None = None  # more than the body has: the connection closes after it


class Request(msgspec.Struct, frozen=True, kw_only=True):
    """A call as the handlers see it."""

    kind: str
    portal: PortalName  # which of the two was called
    path: Mapping[str, str]  # the variable parts of the path
    query: Mapping[str, list[str]]  # names in lower case
    headers: Mapping[str, str]  # names in lower case, with underscores
    body: bytes
    now: datetime
    forge: Forge | None = None  # what is to be wrong with the signed answer

    def header(self, name: str) -> str:
        return self.headers.get(name, "")

    def asked(self, name: str) -> str:
        """A parameter of the query."""
        return self.query.get(name, [""])[0]

    @property
    def portal_meant(self) -> PortalName:
        """Whose IRN it is about: the other portal's only with the header `irp`. Raises Refused."""
        named = self.header("irp").upper()
        if not named:
            return self.portal
        for portal in PORTALS:
            if portal == named:
                return portal
        raise refused("2142", "- the header irp must be NIC1 or NIC2")
