"""The e-way bill that an invoice asks for in its own EwbDtls: what the answer to its registration says of it.

It is an action like any other, but born with its outcome. A bad EwbDtls leaves the IRN standing: EWBERR is success
without a bill. Where the answer was lost and the document found later, the bill is looked for by itself.
"""

from collections.abc import Sequence
from typing import Any, Final

import msgspec

from irnflow.services.registration.lifecycle.portal import Bill, given, in_our_words
from irnflow.services.registration.parts import Parts
from irnflow.services.registration.result import Outcome, Result
from irnflow.store.database import queries

KEEP: Final = queries("lifecycle")["with_invoice"]


class _Asks(msgspec.Struct, frozen=True, rename="pascal"):
    ewb_dtls: dict[str, Any] | None = None


def columns(parts: Parts, results: Sequence[Result]) -> tuple[object, ...] | None:
    """Parameters of `with_invoice`, for those results that have a word of an e-way bill; None when none has."""
    kept = [(result.leased.irn, what) for result in results if (what := said(result)) is not None]
    if not kept:
        return None
    now = parts.now()
    return [irn for irn, _ in kept], [msgspec.json.encode(what).decode() for _, what in kept], now + parts.settle, now


def said(result: Result) -> dict[str, Any] | None:
    """State, request, and the bill or why there is none; None where no bill was asked for."""
    if result.outcome is not Outcome.ACCEPTED or result.document is None or b'"EwbDtls"' not in result.leased.payload:
        return None
    asked = msgspec.json.decode(result.leased.payload, type=_Asks).ewb_dtls
    if asked is None:
        return None
    request, document = in_our_words(asked), result.document
    if document.ewb_no:
        bill = Bill(document.ewb_no, document.ewb_dt, document.ewb_valid_till)
        return {"state": "DONE", "request": request, "bill": given(bill, result.infos)}
    errors = next((info.desc for info in result.infos if info.code == "EWBERR"), None)
    if errors is None:
        return {"state": "UNKNOWN", "request": request, "says": "The answer to the registration said nothing of it."}
    return {"state": "FAILED", "request": request} | _refusal(errors)


def _refusal(desc: Any) -> dict[str, str]:
    """EWBERR's list of {ErrorCode, ErrorMessage}; whatever else it is, its own words."""
    entries = [entry for entry in desc if isinstance(entry, dict)] if isinstance(desc, list) else []
    fields = [{name.lower(): str(value) for name, value in entry.items()} for entry in entries]
    codes = [entry.get("errorcode", "") for entry in fields]
    words = "; ".join(f"{entry.get('errorcode', '')} {entry.get('errormessage', '')}".strip() for entry in fields)
    cause = f"portal.{codes[0]}" if codes and codes[0] else "portal.no_code"
    return {"codes": ",".join(codes), "cause": cause, "says": words or str(desc)}
