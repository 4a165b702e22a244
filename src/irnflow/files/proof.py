"""Whether what a portal signed holds, by which key, and where it says something else than what was sent."""

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from decimal import Decimal
from enum import StrEnum
from typing import Any, Final

import msgspec

from irnflow.gst import dates
from irnflow.gst.faults import sentence
from irnflow.gst.irn import registered_as
from irnflow.portal.envelope import NO_JSON
from irnflow.portal.signature import (
    BadSignature,
    Difference,
    UnknownKey,
    contradictions,
    differences,
    is_dropped,
    kid_of,
    signed_data,
    verified,
)
from irnflow.portal.signing_keys import SigningKey
from irnflow.portal.values import member

_exact = msgspec.json.Decoder(dict[str, Any], float_hook=Decimal)
_TYPES: Final = {"INV": "Invoice", "CRN": "Credit note", "DBN": "Debit note"}


class Verdict(StrEnum):
    """What can be said of a signed text."""

    HOLDS = "holds"
    FALSE = "does not hold"
    UNKNOWN_KEY = "key unknown"


class Proof(msgspec.Struct, frozen=True, kw_only=True):
    """What became of one signed text."""

    what: str  # signed invoice, QR code
    verdict: Verdict
    says: str  # why, in a sentence
    kid: str = ""
    key: SigningKey | None = None
    data: bytes = b""
    fields: tuple[tuple[str, str], ...] = ()  # what is signed, as a person reads it
    differences: tuple[Difference, ...] = ()  # where it says something else than what it is held against
    against: str = ""  # what that is
    dropped: tuple[str, ...] = ()  # places of what was sent that INV-01 does not have, and so the portal dropped


def examine(jws: str, keys: Sequence[SigningKey], *, sent: Sequence[bytes] = (), beside: bytes = b"") -> Proof:
    """Verify a signed text offline, and hold it against what was sent (`sent`: INV-01 documents, the one of the same
    number is taken), or else against the signed document beside it."""
    try:
        kid, data = kid_of(jws), signed_data(jws)
        fields = _exact.decode(data)
    except (BadSignature, *NO_JSON):
        says = "It is no text that a portal has signed, or it is cut."
        return Proof(what="signed text", verdict=Verdict.FALSE, says=says)
    is_qr = "ItemCnt" in fields
    proof = Proof(
        what="QR code" if is_qr else "signed invoice", verdict=Verdict.HOLDS, says="", kid=kid,
        key=next((key for key in keys if kid in key.kids), None), data=data,
        fields=tuple(_qr_fields(fields) if is_qr else _invoice_fields(fields)),
    )  # fmt: skip
    try:
        verified(jws, {kid: key.key for key in keys for kid in key.kids})
    except UnknownKey:
        says = (
            "Its key is not among those given: fetch the portal's certificate of this number, and lay it beside them."
        )
        proof = msgspec.structs.replace(proof, verdict=Verdict.UNKNOWN_KEY, says=says)
    except BadSignature as error:
        says = f"The portal has not signed this: {error}. Believe nothing that it says."
        return msgspec.structs.replace(proof, verdict=Verdict.FALSE, says=says)
    return _compared(proof, fields, is_qr, sent, beside)


def _compared(proof: Proof, fields: Mapping[str, Any], is_qr: bool, sent: Sequence[bytes], beside: bytes) -> Proof:
    ours = _same_number(fields, sent) if sent else None
    if sent and ours is None:
        says = f"What was sent has no document {_number(fields) or 'of its number'}."
        return msgspec.structs.replace(proof, verdict=Verdict.FALSE, says=says)
    against = "what was sent" if ours else "the signed invoice beside it" if is_qr and beside else ""
    other = ours or (beside if is_qr else b"")
    found: list[Difference] = []
    try:
        if other:
            found = contradictions(other, proof.data) if is_qr else differences(other, proof.data)
    except BadSignature as error:
        return msgspec.structs.replace(proof, verdict=Verdict.FALSE, says=sentence(str(error)))
    dropped = tuple(each.path for each in found if is_dropped(each)) if not is_qr else ()
    found = [each for each in found if each.path not in dropped] + _of_irn(fields, is_qr)
    proof = msgspec.structs.replace(proof, against=against, dropped=dropped)
    if found:
        places = "one place" if len(found) == 1 else f"{len(found)} places"
        says = f"It says something else than {against or 'it must'}, in {places}."
        return msgspec.structs.replace(proof, verdict=Verdict.FALSE, says=says, differences=tuple(found))
    if proof.verdict is Verdict.HOLDS:
        agrees = f", and it agrees with {against} in every field" if against else ""
        agrees += " of INV-01" if dropped else ""
        return msgspec.structs.replace(proof, says=f"The portal signed exactly this{agrees}.")
    return proof


def _of_irn(fields: Mapping[str, Any], is_qr: bool) -> list[Difference]:
    """The IRN is the hash of supplier, year, type and number: it can be computed again."""
    gstin, typ, no, dt = _identity(fields, is_qr)
    dated = dates.parse(dt)
    if dated is None:
        return []
    right = registered_as(gstin, dated, typ, no, _day(fields.get("IrnDt" if is_qr else "AckDt")))
    signed = str(fields.get("Irn", ""))
    return [] if signed.lower() in right else [Difference("Irn", right[0], signed)]


def _day(moment: Any) -> date | None:
    """The day of "2026-11-22 12:00:17"."""
    try:
        return datetime.fromisoformat(moment).date()
    except (TypeError, ValueError):
        return None


def _identity(fields: Mapping[str, Any], is_qr: bool) -> list[str]:
    """Supplier, type, number and date."""
    if is_qr:
        return [str(fields.get(name, "")) for name in ("SellerGstin", "DocTyp", "DocNo", "DocDt")]
    details = _part(fields, "DocDtls")
    said = [str(details.get(name, "")) for name in ("Typ", "No", "Dt")]
    return [str(_part(fields, "SellerDtls").get("Gstin", "")), *said]


def _same_number(fields: Mapping[str, Any], sent: Sequence[bytes]) -> bytes | None:
    """The one document that was sent, or of several the one with this number; of those the one of this type."""
    if len(sent) == 1:
        return sent[0]
    wanted, typ = _number(fields), _type(fields)
    documents = [(each, _exact.decode(each)) for each in sent]
    found = [(each, document) for each, document in documents if _number(document) == wanted]
    of_type = (each for each, document in found if _type(document) == typ)
    return next(of_type, found[0][0] if found else None)


def _number(fields: Mapping[str, Any]) -> str:
    return str(fields.get("DocNo") or member(member(fields, "DocDtls"), "No") or "").upper()


def _type(fields: Mapping[str, Any]) -> str:
    return str(fields.get("DocTyp") or member(member(fields, "DocDtls"), "Typ") or "").upper()


def _part(fields: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    part = fields.get(name)
    return part if isinstance(part, dict) else {}


# -- what a person reads ---------------------------------------------------------------------------------------------


def _invoice_fields(fields: Mapping[str, Any]) -> list[tuple[str, str]]:
    details, lines = _part(fields, "DocDtls"), fields.get("ItemList")
    return _told([
        ("document", _document(details.get("Typ"), details.get("No"), details.get("Dt"))),
        ("supplier", _party(_part(fields, "SellerDtls"))),
        ("recipient", _party(_part(fields, "BuyerDtls"))),
        ("value", rupees(_part(fields, "ValDtls").get("TotInvVal"))),
        ("lines", len(lines) if isinstance(lines, list) else None),
        ("IRN", fields.get("Irn")),
        ("acknowledged", _acknowledged(fields.get("AckNo"), fields.get("AckDt"))),
    ])  # fmt: skip


def _qr_fields(fields: Mapping[str, Any]) -> list[tuple[str, str]]:
    return _told([
        ("document", _document(fields.get("DocTyp"), fields.get("DocNo"), fields.get("DocDt"))),
        ("supplier", fields.get("SellerGstin")),
        ("recipient", fields.get("BuyerGstin")),
        ("value", rupees(fields.get("TotInvVal"))),
        ("lines", fields.get("ItemCnt")),
        ("main HSN", fields.get("MainHsnCode")),
        ("IRN", fields.get("Irn")),
        ("registered", fields.get("IrnDt")),
    ])  # fmt: skip


def _told(pairs: Sequence[tuple[str, Any]]) -> list[tuple[str, str]]:
    return [(name, str(value)) for name, value in pairs if value not in (None, "")]


def _document(typ: Any, no: Any, dt: Any) -> str:
    return f"{_TYPES.get(str(typ), typ)} {no} of {dt}"


def _party(party: Mapping[str, Any]) -> str:
    return ", ".join(str(party[name]) for name in ("LglNm", "Gstin") if party.get(name))


def _acknowledged(ack_no: Any, ack_dt: Any) -> str:
    return f"No. {ack_no} on {ack_dt}" if ack_no else ""


def rupees(amount: Any) -> str:
    """An amount as Indians write it: ₹12,34,567.80."""
    if not isinstance(amount, int | Decimal):
        return str(amount or "")
    whole, _, rest = f"{Decimal(amount):.2f}".partition(".")
    sign, whole = ("-", whole[1:]) if whole.startswith("-") else ("", whole)
    head, tail = whole[:-3], whole[-3:]
    groups: list[str] = []
    while head:
        head, group = head[:-2], head[-2:]
        groups.insert(0, group)
    return f"{sign}₹{','.join([*groups, tail])}.{rest}"
