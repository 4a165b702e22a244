"""Documents that come as they are: judged without being sent."""

import asyncio
from collections.abc import Callable
from datetime import datetime
from decimal import Decimal
from io import BytesIO
from typing import Final

from irnflow.api import resources
from irnflow.api.endpoint import Call, Endpoint, Raw
from irnflow.api.problem import Refused
from irnflow.files import checking
from irnflow.files.checking import Finding
from irnflow.gst import dates
from irnflow.gst.facts import TURNOVER_NOT_SAID, Facts

FINDINGS_MAX: Final = 10_000  # that one answer tells
_BODY: Final = "body"  # the file's name in a finding
_INV01: Final = {"oneOf": [{"type": "object"}, {"type": "array"}]}  # what lies below is told as findings


class Documents:
    """The endpoints that take documents."""

    def __init__(self, *, now: Callable[[], datetime]) -> None:
        self._now = now

    def endpoints(self) -> list[Endpoint]:
        return [
            Endpoint(
                method="POST", path="/api/v1/check", name="check",
                says="What the portal would say of documents; nothing is sent",
                handle=self.check, query=resources.CheckFacts, raw={"application/json": _INV01},
                gives=resources.Checked, problems=("malformed-json",),
            ),
        ]  # fmt: skip

    async def check(self, call: Call) -> resources.Checked:
        asked: resources.CheckFacts = call.query
        sent: Raw = call.body
        facts = Facts(
            day=asked.day or dates.in_india(self._now()),
            turnover_crore=TURNOVER_NOT_SAID if asked.turnover is None else Decimal(asked.turnover),
            sez_gstins=frozenset(asked.sez.upper().split(",")) if asked.sez else None,
            accept_sandbox_gstins=asked.sandbox_gstins,
        )
        return await asyncio.to_thread(checked, sent.content, facts, asked.lang)


def checked(content: bytes, facts: Facts, lang: str, *, most: int = FINDINGS_MAX) -> resources.Checked:
    """What is found in a body, at most so many findings told. Raises Refused when a document can't be read."""
    documents = refused = found = 0
    told: list[Finding] = []
    judged = checking.judge_file(_BODY, BytesIO(content), facts)
    for one in checking.in_hindi(judged) if lang == "hi" else judged:
        if one.unreadable:
            raise Refused("malformed-json", f"The body can't be read as JSON: {one.findings[0].says}.")
        documents += 1
        refused += one.refused
        found += len(one.findings)
        told += one.findings[: most - len(told)]
    return resources.Checked(documents=documents, refused=refused, findings=told, left_out=found - len(told))
