"""What an answer of the portal means. Pure: the table of design.md section 6, step 4, in code.

The class of each code stands in gst/codes/portal_codes.csv; here is only what each class obliges us to.
"""

from collections.abc import Sequence
from datetime import timedelta
from typing import Final

import msgspec

from irnflow.errors import Transient
from irnflow.gst.faults import Fault
from irnflow.gst.portal_codes import PortalClass, portal_code
from irnflow.portal.client import Answer, Document, NotDone, read_document
from irnflow.portal.envelope import Said
from irnflow.portal.signature import BadSignature, KeySet, UnknownKey, differences, signed_data, verified
from irnflow.services.registration.result import Leased, Outcome, Result, Verdict

NOT_THERE: Final = frozenset({"2148", "2154"})  # nothing else proves that the portal has not registered it
TOO_OLD: Final = "2283"  # registered, but past the look-back window
_SENDS_MAX: Final = 3  # of RETRY_LIMITED: the first and two more, each after a look-up
_BACK_OFF_S: Final = (2, 5, 15, 30, 60)  # before READY is sent again, by how often it was sent
_WITHOUT_A_TEXT: Final = "the portal gave this code without a text"
_NOBODY_KNOWS_IT: Final = "No list we know has this code: look into the portal's own list, or ask its help desk."
_KEPT_IN_DOUBT: Final = timedelta(hours=1)  # a person is told; look again so often meanwhile


def of_refusal(leased: Leased, errors: Sequence[Said]) -> Result:
    """What a readable refusal of `generate` comes to; duplicates and tokens are for the caller to follow up first."""
    says = "; ".join(f"{said.code} {said.text}" for said in errors) or "the portal refused it without a code"
    classes = {_klass(said.code) for said in errors} or {None}
    result = _Refused(leased=leased, codes=tuple(said.code for said in errors), says=says)
    if classes & {PortalClass.CONFIG, PortalClass.CRYPTO, PortalClass.TOKEN}:
        return result.gives(Outcome.NOT_DONE, stop=says, next_in=back_off(leased))
    if PortalClass.RETRY in classes:
        return result.gives(Outcome.UNKNOWN)
    if PortalClass.RETRY_LIMITED in classes and leased.send < _SENDS_MAX:
        return result.gives(Outcome.UNKNOWN)
    faults = tuple(_fault(said) for said in errors)
    cause = f"portal.{errors[0].code}" if errors else "portal.no_code"
    verdict = Verdict(cause=cause, faults=faults, number=leased.doc_no)
    if classes <= {PortalClass.DATA, PortalClass.NUMBER_SPENT}:
        return result.gives(Outcome.REJECTED, verdict=verdict)
    return result.gives(Outcome.UNLISTED, verdict=verdict)


class _Refused(msgspec.Struct, frozen=True, kw_only=True):
    leased: Leased
    codes: tuple[str, ...]
    says: str

    def gives(
        self, outcome: Outcome, *, verdict: Verdict | None = None, stop: str = "", next_in: timedelta = timedelta(0)
    ) -> Result:
        return Result(
            leased=self.leased, what="send", outcome=outcome, codes=self.codes, says=self.says,
            verdict=verdict, stop=stop, next_in=next_in,
        )  # fmt: skip


def has(errors: Sequence[Said], klass: PortalClass) -> bool:
    """Whether any of the errors is of this class."""
    return any(_klass(said.code) is klass for said in errors)


def unlisted(errors: Sequence[Said]) -> bool:
    """Whether the portal gave a code that no list we know has, or none at all."""
    return not errors or any(portal_code(said.code) is None for said in errors)


def not_there(answer: Answer) -> bool:
    """Whether a look-up says that the portal has no such document."""
    return not answer.ok and bool(answer.errors) and all(said.code in NOT_THERE for said in answer.errors)


def of_not_done(leased: Leased, error: Transient) -> Result:
    """The call certainly did nothing: send it again later."""
    asked_s = error.retry_after_s if isinstance(error, NotDone) else None
    wait = timedelta(seconds=asked_s) if asked_s else back_off(leased)
    return Result(leased=leased, what="send", outcome=Outcome.NOT_DONE, says=str(error), next_in=wait)


def back_off(leased: Leased) -> timedelta:
    """How long a document waits that is READY again."""
    return timedelta(seconds=_BACK_OFF_S[min(leased.send, len(_BACK_OFF_S)) - 1])


def of_generated(leased: Leased, data: bytes, keys: KeySet) -> Result:
    """What a success of `generate` comes to. Raises Lost when it can't be read."""
    return _accepted(leased, read_document(data), keys, what="send")


def of_found(leased: Leased, document: Document, keys: KeySet, *, what: str) -> Result:
    """What a document comes to that the portal already has: ours, or our number with other contents."""
    result = _accepted(leased, document, keys, what=what)
    if result.outcome is not Outcome.ACCEPTED or document.signed_invoice is None:
        return result
    places = differences(leased.payload, signed_data(document.signed_invoice))
    if not places:
        return result
    says = f"the portal has {leased.doc_typ} {leased.doc_no} with other contents: {', '.join(places[:20])}"
    faults = tuple(Fault(code="registration.differs", path=place, says=says, portal_code="2150") for place in places)
    verdict = Verdict(cause="registration.differs", faults=faults, irn=leased.irn)
    return Result(
        leased=leased, what=what, outcome=Outcome.REJECTED, answer="THERE", says=says, verdict=verdict, codes=("2150",)
    )


def _accepted(leased: Leased, document: Document, keys: KeySet, *, what: str) -> Result:
    answer = "THERE" if what == "lookup" else ""
    try:
        document, sure = _checked(leased, document, keys)
    except BadSignature as error:  # kept, in doubt, a person is told; never published as success
        return Result(
            leased=leased, what=what, outcome=Outcome.UNKNOWN, answer=answer, document=document,
            verified=False, says=f"the portal's answer is not to be trusted: {error}", next_in=_KEPT_IN_DOUBT,
        )  # fmt: skip
    return Result(
        leased=leased, what=what, outcome=Outcome.ACCEPTED, answer=answer, document=document, verified=sure,
        says="" if document.signed_invoice else "registered; its signed document is missing",
    )  # fmt: skip


def _checked(leased: Leased, document: Document, keys: KeySet) -> tuple[Document, bool | None]:
    """The document with the AckDt that was signed, and whether its signatures hold (None: key unknown, or no texts)."""
    if document.irn.lower() != leased.irn:
        raise BadSignature(f"it is about IRN {document.irn}")
    if document.signed_invoice is None or document.signed_q_r_code is None:
        return document, None
    try:
        invoice = msgspec.json.decode(verified(document.signed_invoice, keys), type=_SignedInvoice)
        qr = msgspec.json.decode(verified(document.signed_q_r_code, keys), type=_SignedQr)
    except UnknownKey:
        return document, None
    except msgspec.MsgspecError as error:
        raise BadSignature(f"its signed text is no invoice: {error}") from error
    for irn in (invoice.irn, qr.irn):
        if irn.lower() != leased.irn:
            raise BadSignature(f"its signed text is about IRN {irn}")
    if (qr.seller_gstin, qr.doc_no.upper(), qr.doc_typ) != (leased.gstin, leased.doc_no, leased.doc_typ):
        raise BadSignature(f"its QR code is about {qr.seller_gstin} {qr.doc_typ} {qr.doc_no}")
    return msgspec.structs.replace(document, ack_dt=invoice.ack_dt), True  # the unsigned AckDt may be cut to the minute


class _SignedInvoice(msgspec.Struct, frozen=True, rename="pascal"):
    irn: str
    ack_dt: str


class _SignedQr(msgspec.Struct, frozen=True, rename="pascal"):
    irn: str
    seller_gstin: str
    doc_no: str
    doc_typ: str


def _klass(code: str) -> PortalClass | None:
    entry = portal_code(code)
    return entry.klass if entry else None


def _fault(said: Said) -> Fault:
    """The portal's own words, with what it filled in; what they mean and what a person does, in ours."""
    entry = portal_code(said.code)
    return Fault(
        code=f"portal.{said.code}", path="", says=said.text or (entry.portal_text if entry else "") or _WITHOUT_A_TEXT,
        fix=f"{entry.means} {entry.fix}" if entry else _NOBODY_KNOWS_IT, portal_code=said.code,
    )  # fmt: skip
