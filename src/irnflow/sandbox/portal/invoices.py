"""Documents: register one, look it up, cancel it, list those that another portal had first."""

import hashlib
import re
from datetime import UTC, date, datetime, time, timedelta
from typing import Any, Final

from irnflow.sandbox.codes import Refused, error, refuse_any, refused
from irnflow.sandbox.law import breaches, case_of
from irnflow.sandbox.portal import eway_bills
from irnflow.sandbox.portal.exchange import Request
from irnflow.sandbox.portal.forgery import forged
from irnflow.sandbox.portal.office import Office, is_theirs
from irnflow.sandbox.protocol import IST, accepted, encrypt, ist, members, payload_in, to_json
from irnflow.sandbox.register import Entry
from irnflow.sandbox.sessions import Session
from irnflow.sandbox.shape import as_inv01, calendar_date, misshapes
from irnflow.sandbox.signing import invoice_data, qr_data

_IRN: Final = re.compile(r"[0-9a-f]{64}")
_CANCEL_REASONS: Final = {"1", "2", "3", "4"}  # duplicate, data entry mistake, order cancelled, others
_REMARK_LENGTH_MAX: Final = 100

# -- generate --------------------------------------------------------------------------------------------------------


def generate(office: Office, request: Request) -> bytes:
    """Register a document, once at this portal, and make its e-way bill when it asks for one."""
    session = office.session_of(request)
    document = as_inv01(payload_in(request.body, session.sek))
    refuse_any(misshapes(document, items_max=office.taxpayers.lines_max(_supplier_of(document))))
    if session.gstin not in {document["SellerDtls"]["Gstin"], document["TranDtls"].get("EcmGstin")}:
        raise refused("2169")
    # From 1 June 2025 numbers are case-insensitive: upper case before the IRN is computed.
    document["DocDtls"]["No"] = document["DocDtls"]["No"].upper()
    document["DocDtls"]["Typ"] = document["DocDtls"]["Typ"].upper()
    irn = irn_of(document)
    contested = _refuse_registered(office, request, irn)
    _refuse_stale(office, document)
    today = request.now.astimezone(IST).date()
    case = case_of(document, today=today, taxpayers=office.taxpayers, caller=session.gstin)
    refuse_any(breaches(case, held_rules=office.switches.state.held_rules))

    entry = _registered(office, request, document, irn, contested=contested)
    infos = eway_bills.make_with_invoice(office, request, entry, document)
    return accepted(encrypt(session.sek, to_json(_told(office, request, entry))), infos)


def _supplier_of(document: dict[str, Any]) -> str:
    """Its GSTIN, in a document of any shape."""
    seller = document.get("SellerDtls")
    return str(seller.get("Gstin")) if isinstance(seller, dict) else ""


def _refuse_registered(office: Office, request: Request, irn: str) -> bool:
    """Whether the other portal has it all the same, and the de-duplication doesn't say so."""
    entries = office.register.all_of_irn(irn)
    ours = next((entry for entry in entries if entry.portal == request.portal), None)
    theirs = next((entry for entry in entries if entry.portal != request.portal), None)
    known = ours or (theirs if theirs and office.hears_of(theirs, request) else None)
    if not known:
        return theirs is not None
    office.register.count_duplicate(irn, known.portal)
    if known.cancelled_at:
        raise refused("2278")  # a cancelled number can never be used again
    if known is theirs or known.rejected_at:
        raise refused("2295")
    desc = {"AckNo": known.ack_no, "AckDt": _ack_dt_told(known.made_at), "Irn": irn}
    raise Refused([error("2150")], [{"InfCd": "DUPIRN", "Desc": desc}])


def _refuse_stale(office: Office, document: dict[str, Any]) -> None:
    """3028, 3029, 3001: the portal's master doesn't know a party as the common portal does, until it is synced."""
    sections = ("SellerDtls", "BuyerDtls", "ShipDtls")
    parties = dict.fromkeys((document.get(section) or {}).get("Gstin") for section in sections)
    stale = office.switches.state.stale_gstins
    refuse_any([error(stale[gstin], gstin) for gstin in parties if gstin in stale])


def _registered(office: Office, request: Request, document: dict[str, Any], irn: str, *, contested: bool) -> Entry:
    made_at = request.now.replace(microsecond=0)
    ack_no, ack_dt = office.register.next_ack_no(), ist(made_at)
    signer = office.identity.signer
    entry = Entry(
        ack_no=ack_no,
        portal=request.portal,
        irn=irn,
        gstin=document["SellerDtls"]["Gstin"],
        doc_type=document["DocDtls"]["Typ"],
        doc_no=document["DocDtls"]["No"],
        doc_dt=document["DocDtls"]["Dt"],
        made_at=made_at,
        signed_invoice=signer.sign(invoice_data(document, ack_no=ack_no, ack_dt=ack_dt, irn=irn)),
        signed_qr=signer.sign(qr_data(document, irn=irn, irn_dt=ack_dt)),
        contested=contested,
    )
    office.register.add(entry)
    return entry


def irn_of(document: dict[str, Any]) -> str:
    """SHA-256 of supplier GSTIN, financial year as 2023-24, type and number (in upper case), without separators."""
    dated = calendar_date(document["DocDtls"]["Dt"])
    details = document["DocDtls"]
    parts = (document["SellerDtls"]["Gstin"], _financial_year(dated), details["Typ"], details["No"])
    return hashlib.sha256("".join(parts).encode()).hexdigest()


def _financial_year(dated: date) -> str:
    start = dated.year if dated.month >= 4 else dated.year - 1
    return f"{start}-{(start + 1) % 100:02}"


# -- look-ups --------------------------------------------------------------------------------------------------------


def by_irn(office: Office, request: Request) -> bytes:
    """The document of an IRN: 2148 when it isn't here."""
    session = office.session_of(request)
    irn = irn_in(request.path["irn"])
    entry = office.register.by_irn(irn, request.portal_meant)
    return _shown(office, request, session, entry, absent="2148")


def by_document(office: Office, request: Request) -> bytes:
    """The IRN of a document of the caller's: 2154 when there is none."""
    session = office.session_of(request)
    doc_type, doc_no, doc_dt = (request.asked(name) for name in ("doctype", "docnum", "docdate"))
    if not (doc_type and doc_no and doc_dt):
        raise refused("2142", "- doctype, docnum and docdate are needed")
    if doc_type.upper() not in {"INV", "CRN", "DBN"}:
        raise refused("2161")
    day_in(doc_dt)
    supplier = request.header("sup_gstin") or session.gstin
    entry = office.register.by_document(supplier, doc_type.upper(), doc_no.upper(), doc_dt, request.portal_meant)
    return _shown(office, request, session, entry, absent="2154")


def _shown(office: Office, request: Request, session: Session, entry: Entry | None, *, absent: str) -> bytes:
    lag = timedelta(seconds=office.switches.state.lookup_lag_s)
    if not entry or request.now - entry.made_at < lag:
        raise refused(absent)
    if not is_theirs(entry, session, request):
        raise refused("2226")
    if request.now - entry.made_at > timedelta(seconds=office.limits.lookback_s):
        raise refused("2283")
    return accepted(encrypt(session.sek, to_json(_told(office, request, entry))))


def rejected(office: Office, request: Request) -> bytes:
    """The caller's IRNs that lost to another portal's on a day."""
    session = office.session_of(request)
    day = day_in(request.asked("date"))
    since = datetime.combine(day, time(), IST).astimezone(UTC)
    before = since + timedelta(days=1)
    entries = office.register.rejected(session.gstin, request.portal_meant, since=since, before=before)
    if not entries:
        raise refused("2154")
    return accepted(encrypt(session.sek, to_json([entry.irn for entry in entries])))


# -- cancel ----------------------------------------------------------------------------------------------------------


def cancel(office: Office, request: Request) -> bytes:
    """Cancel a whole document within its 24 hours."""
    session = office.session_of(request)
    plain = payload_in(request.body, session.sek)
    irn, reason, remark = _cancellation_in(plain)
    portal = request.portal_meant
    entry = office.register.by_irn(irn, portal)
    if not entry:
        raise refused("2148")
    if not is_theirs(entry, session, request):
        raise refused("2143")
    if entry.status != "ACT":
        raise refused("9999")
    if request.now - entry.made_at > timedelta(seconds=office.limits.cancel_s):
        raise refused("2270")
    if office.register.active_bill_of(irn):
        raise refused("2230")

    office.register.cancel(irn, at=request.now, reason=reason, remark=remark, portal=portal)
    return accepted(encrypt(session.sek, to_json({"Irn": irn, "CancelDate": ist(request.now)})))


def _cancellation_in(plain: dict[str, Any]) -> tuple[str, str, str | None]:
    irn, given, remark = members(plain, "Irn", "CnlRsn", "CnlRem")
    if not irn:
        raise refused("2142", "- Irn is needed")
    reason = str(given or "")
    if reason not in _CANCEL_REASONS:
        raise refused("2142", "- CnlRsn must be 1, 2, 3 or 4")
    if remark is not None and (not isinstance(remark, str) or len(remark) > _REMARK_LENGTH_MAX):
        raise refused("2142", f"- CnlRem must be a text of at most {_REMARK_LENGTH_MAX} characters")
    return irn_in(irn), reason, remark


# -- words -----------------------------------------------------------------------------------------------------------


def irn_in(value: Any) -> str:
    """Raises Refused for what cannot be an IRN."""
    if not isinstance(value, str) or not _IRN.fullmatch(value.lower()):
        raise refused("2145")
    return value.lower()


def day_in(text: str) -> date:
    """Raises Refused for what is no dd/mm/yyyy."""
    try:
        return calendar_date(text)
    except ValueError as cause:
        raise refused("2144") from cause


def _told(office: Office, request: Request, entry: Entry) -> dict[str, Any]:
    """Data of generate and of the look-ups."""
    bill = office.register.active_bill_of(entry.irn)
    told = {
        "AckNo": entry.ack_no,
        "AckDt": _ack_dt_told(entry.made_at),
        "Irn": entry.irn,
        "SignedInvoice": entry.signed_invoice,
        "SignedQRCode": entry.signed_qr,
        "Status": entry.status,
        **eway_bills.told(bill),
        "Remarks": entry.cancel_remark,
    }
    return forged(told, request.forge, office.identity.signer) if request.forge else told


def _ack_dt_told(made_at: datetime) -> str:
    """To the minute, as NIC's sandbox of 2023 tells it; what is signed has the seconds."""
    return ist((made_at + timedelta(seconds=30)).replace(second=0))
