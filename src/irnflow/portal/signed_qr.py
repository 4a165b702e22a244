"""The QR code's text, held against the document that it stands for: all of its ten fields (domain.md section 4.7)."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any, Final

import msgspec

from irnflow.portal.envelope import NO_JSON
from irnflow.portal.values import is_absent, member, same

FIELDS: Final = (
    "SellerGstin", "BuyerGstin", "DocNo", "DocTyp", "DocDt", "TotInvVal", "ItemCnt", "MainHsnCode", "Irn", "IrnDt",
)  # fmt: skip
_TOLERANCE: Final = timedelta(minutes=1)  # IrnDt and AckDt are one moment, which some portals cut to the minute
_exact = msgspec.json.Decoder(dict[str, Any], float_hook=Decimal)


class NoQr(Exception):
    """The text is not what a QR code of the portal says."""


def read_qr(data: bytes) -> dict[str, Any]:
    """The fields of a QR code's `data`. Raises NoQr."""
    try:
        fields = _exact.decode(data)
    except NO_JSON as error:
        raise NoQr(f"its signed text is no QR code: {error}") from error
    if missing := [name for name in FIELDS if name not in fields]:
        raise NoQr(f"its QR code does not say {', '.join(missing)}")
    return fields


def qr_differences(document: Any, qr: dict[str, Any]) -> Iterator[tuple[str, Any, Any]]:
    """Fields that say something else than an INV-01 document: (field, the document's, the QR code's).

    `Irn` and `IrnDt` only where the document has been registered. MainHsnCode should be the HSN of the line with the
    highest taxable value; as no source says so for sure, the HSN of any line will do.
    """
    listed = member(document, "ItemList")
    lines = [line for line in listed if not is_absent(line)] if isinstance(listed, list) else []
    details = member(document, "DocDtls")
    said = {
        "SellerGstin": member(member(document, "SellerDtls"), "Gstin"),
        "BuyerGstin": member(member(document, "BuyerDtls"), "Gstin"),
        "DocNo": member(details, "No"),
        "DocTyp": member(details, "Typ"),
        "DocDt": member(details, "Dt"),
        "TotInvVal": member(member(document, "ValDtls"), "TotInvVal"),
        "ItemCnt": len(lines),
    }
    for name, ours in said.items():
        if not _same(ours, qr[name]):
            yield name, ours, qr[name]
    codes = [member(line, "HsnCd") for line in lines]
    if not any(_same(code, qr["MainHsnCode"]) for code in codes):
        yield "MainHsnCode", " or ".join(dict.fromkeys(map(str, codes))), qr["MainHsnCode"]
    if "Irn" in document and not _same(document["Irn"], qr["Irn"]):
        yield "Irn", document["Irn"], qr["Irn"]
    if "AckDt" in document and not _same_moment(document["AckDt"], qr["IrnDt"]):
        yield "IrnDt", document["AckDt"], qr["IrnDt"]


def _same(ours: Any, theirs: Any) -> bool:
    """Texts in any case, for the portal turns document numbers to upper case."""
    if isinstance(ours, str) and isinstance(theirs, str):
        return ours.upper() == theirs.upper()
    return same(ours, theirs)


def _same_moment(ours: Any, theirs: Any) -> bool:
    try:
        apart = datetime.fromisoformat(ours) - datetime.fromisoformat(theirs)
    except (TypeError, ValueError):
        return bool(ours == theirs)
    return abs(apart) <= _TOLERANCE
