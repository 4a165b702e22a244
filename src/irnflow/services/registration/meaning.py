"""What an answer of the portal means. Pure: the table of design.md section 6, step 4, in code.

The class of each code stands in gst/codes/portal_codes.csv; here is only what each class obliges us to.
"""

from collections.abc import Sequence
from datetime import date, timedelta
from typing import Final

import msgspec

from irnflow.errors import Transient
from irnflow.gst import inv01
from irnflow.gst.facts import TURNOVER_NOT_SAID, Facts
from irnflow.gst.faults import Fault, Severity
from irnflow.gst.portal_codes import PortalClass, invoice_code
from irnflow.gst.rules import pack_for
from irnflow.portal.client import Answer, Document, read_document
from irnflow.portal.envelope import Said
from irnflow.portal.several import Line, Portals
from irnflow.portal.signature import BadSignature, Difference, differences, examined, signed_data
from irnflow.portal.signing_keys import KeySet
from irnflow.services.registration.pace import heard_of, retry_after_s_of
from irnflow.services.registration.parts import Addressed
from irnflow.services.registration.result import Found, Heard, Leased, Nowhere, Outcome, Result, There, TooOld, Verdict

DUPLICATE: Final = "2150"
ELSEWHERE: Final = "2295"  # registered, by another portal
_NOT_THERE: Final = frozenset({"2148", "2154"})  # nothing else proves that the portal has not registered it
_TOO_OLD: Final = "2283"  # registered, but past the look-back window
# Cancelled; or struck off later, for another portal had it first (GSTN's look-up was down when both registered it).
_STRUCK_OFF: Final = "REJ"
_GONE: Final = {"CNL": ("portal.2278", "2278"), _STRUCK_OFF: ("registration.struck_off", "2295")}
_OF_THE_CALLER: Final = frozenset({PortalClass.CONFIG, PortalClass.CRYPTO, PortalClass.TOKEN})
_DIFFERENCES_MOST: Final = 100  # that one failure names
_LISTED_MOST: Final = 5  # that one sentence names
_LIMITED_MOST: Final = 2  # RETRY_LIMITED: so many more, each after a look-up
_BACK_OFF_S: Final = (2, 5, 15, 30, 60)  # before READY is sent again, by how often it was sent
_WITHOUT_A_TEXT: Final = "the portal gave this code without a text"
_NOBODY_KNOWS_IT: Final = "No list we know has this code: look into the portal's own list, or ask its help desk."
_KEPT_IN_DOUBT: Final = timedelta(hours=1)  # a person is told; look again so often meanwhile


def of_refusal(leased: Leased, errors: Sequence[Said]) -> Result:
    """What a readable refusal of `generate` comes to; duplicates and tokens are for the caller to follow up first."""
    says = "; ".join(f"{said.code} {said.text}" for said in errors) or "the portal refused it without a code"
    classes = {_klass(said.code) for said in errors} or {None}
    result = _Refused(leased=leased, codes=tuple(said.code for said in errors), says=says)
    if classes & _OF_THE_CALLER:  # its login is stopped already
        return result.gives(Outcome.NOT_DONE, next_in=back_off(leased))
    if PortalClass.RETRY in classes:
        return result.gives(Outcome.UNKNOWN)
    if PortalClass.RETRY_LIMITED in classes and leased.limited < _LIMITED_MOST:
        return result.gives(Outcome.UNKNOWN, answer="LIMITED")
    verdict = refused(leased, [_fault(said) for said in errors])
    if classes <= {PortalClass.DATA, PortalClass.NUMBER_SPENT}:
        return result.gives(Outcome.REJECTED, verdict=verdict)
    return result.gives(Outcome.UNLISTED, verdict=verdict)


def why_to_stop(leased: Addressed, errors: Sequence[Said]) -> str:
    """What a person reads of an answer that refuses the caller and not the document; empty for any other."""
    entries = [entry for said in errors if (entry := invoice_code(said.code)) and entry.klass in _OF_THE_CALLER]
    if not entries:
        return ""
    says = "; ".join(f"{said.code} {said.text}".strip() for said in errors)
    return f"{says}. {entries[0].fix} To go on: irnflow resume gstin {leased.gstin}"


class _Refused(msgspec.Struct, frozen=True, kw_only=True):
    leased: Leased
    codes: tuple[str, ...]
    says: str

    def gives(
        self, outcome: Outcome, *, answer: str = "", verdict: Verdict | None = None, next_in: timedelta = timedelta(0)
    ) -> Result:  # fmt: skip
        return Result(
            leased=self.leased, what="send", outcome=outcome, answer=answer, codes=self.codes, says=self.says,
            verdict=verdict, next_in=next_in,
        )  # fmt: skip


def refused(leased: Leased, faults: Sequence[Fault]) -> Verdict:
    """The failure that gives the portal's own words. It is grouped by the first code, but a spent number goes before
    all that could be mended."""
    spent = [fault.code for fault in faults if _klass(fault.portal_code or "") is PortalClass.NUMBER_SPENT]
    cause = [*spent, faults[0].code][0] if faults else "portal.no_code"
    return Verdict(cause=cause, faults=tuple(faults), irn=leased.irn, number=leased.doc_no)


def has(errors: Sequence[Said], klass: PortalClass) -> bool:
    """Whether any of the errors is of this class."""
    return any(_klass(said.code) is klass for said in errors)


def not_there(answer: Answer) -> bool:
    """Whether a look-up says that the portal has no such document."""
    return not answer.ok and bool(answer.errors) and all(said.code in _NOT_THERE for said in answer.errors)


def is_struck_off(document: Document) -> bool:
    """Whether a portal has it no more, for another had it first."""
    return (document.status or "").upper() == _STRUCK_OFF


def too_old(answer: Answer) -> bool:
    """Whether a look-up says that the portal has it, and gives it no more."""
    return any(said.code == _TOO_OLD for said in answer.errors)


def who_may_have(leased: Leased, portals: Portals, duplicate: str) -> list[Line]:
    """The portals that a look-up asks: the document's own family, and all others when one of them must have it."""
    family = portals.family(leased.portal)
    if duplicate != ELSEWHERE:
        return family
    return [*family, *(line for line in portals.values() if line.family != family[0].family)]


def of_not_done(leased: Leased, error: Transient) -> Result:
    """The call certainly did nothing: send it again later."""
    asked_s = retry_after_s_of(error)
    return Result(
        leased=leased, what="send", outcome=Outcome.NOT_DONE, says=str(error), heard=heard_of(error),
        retry_after_s=asked_s, next_in=timedelta(seconds=asked_s) if asked_s else back_off(leased),
    )  # fmt: skip


def of_waiting(leased: Leased, day: date) -> Result | None:
    """What becomes of a document that was found valid on an earlier day and is sent on this one; None: it still is."""
    if leased.valid_on is None or day <= leased.valid_on:
        return None
    turnover = TURNOVER_NOT_SAID if leased.turnover_crore is None else leased.turnover_crore
    facts = Facts(day=day, turnover_crore=turnover)
    invoice = inv01.decode(leased.payload)
    found = pack_for(invoice, facts).check_again(invoice, facts)
    faults = tuple(fault for fault in found if fault.severity is Severity.REFUSED)
    if not faults:
        return None
    return Result(
        leased=leased, what="send", outcome=Outcome.UNLISTED, heard=Heard.NOTHING, says=faults[0].says,
        verdict=Verdict(cause=faults[0].code, faults=faults),
    )  # fmt: skip


def back_off(leased: Leased) -> timedelta:
    """How long a document waits that is READY again."""
    return timedelta(seconds=_BACK_OFF_S[min(leased.send, len(_BACK_OFF_S)) - 1])


def of_generated(leased: Leased, data: bytes, keys: KeySet) -> Result:
    """What a success of `generate` comes to. Raises Lost when it can't be read."""
    return of_registered(leased, read_document(data), keys, what="send")


def of_registered(leased: Leased, document: Document, keys: KeySet, *, what: str) -> Result:
    """What a document comes to that is registered as ours: verified, not to be verified yet, or not to be trusted."""
    result = _accepted(leased, document, keys, what=what)
    if result.outcome is not Outcome.ACCEPTED or document.signed_invoice is None:
        return result
    try:
        places = differences(leased.payload, signed_data(document.signed_invoice))
        if places:
            raise BadSignature(f"it is about a document with other contents than ours: {_listed(places)}")
    except BadSignature as error:
        return _untrusted(leased, document, error, what=what)
    return result


def of_found(leased: Leased, there: There, *, what: str) -> Result:
    """What a document comes to that a portal already has: ours, our number with other contents, or a spent one."""
    document = there.document
    result = _accepted(leased, document, there.line.keys, what=what)
    if result.outcome is not Outcome.ACCEPTED:
        return result
    status = (document.status or "").upper()
    if status in _GONE:
        cause, code = _GONE[status]
        says = f"the portal has {leased.doc_typ} {leased.doc_no} with status {status}"
        verdict = Verdict(cause=cause, irn=leased.irn, number=leased.doc_no)
        return _contradicted(leased, verdict, says, code=code, what=what)
    if document.signed_invoice is not None:
        try:
            places = differences(leased.payload, signed_data(document.signed_invoice))
        except BadSignature as error:  # its key is unknown, and it is no document either
            return _untrusted(leased, document, error, what=what)
        if places:
            says = f"the portal has {leased.doc_typ} {leased.doc_no} with other contents"
            verdict = differing(places, irn=leased.irn, number=leased.doc_no)
            return _contradicted(leased, verdict, says, code=DUPLICATE, what=what)
    return msgspec.structs.replace(result, issuer=there.line.name)


def of_duplicate(leased: Leased, found: Found, *, code: str, what: str, known: Document | None = None) -> Result | None:
    """What a duplicate (2150, 2295) comes to when it was looked for; None when that decides nothing.

    `known`: what the portal told of the registered document when it refused ours.
    """
    match found:
        case There():
            return of_found(leased, found, what=what)
        case TooOld(line):
            return Result(
                leased=leased, what=what, outcome=Outcome.ACCEPTED, answer=_answer(what), codes=(code,),
                document=known or Document(irn=leased.irn, ack_no="", ack_dt=""), issuer=line.name,
                says="registered earlier; its signed document is too old to be fetched",
            )  # fmt: skip
        case Nowhere(unasked) if code == ELSEWHERE:
            unable = f"; not asked, for the GSTIN has no login there: {', '.join(unasked)}" if unasked else ""
            return Result(
                leased=leased, what=what, outcome=Outcome.UNLISTED, answer=_answer(what), codes=(code,),
                verdict=Verdict(cause="registration.elsewhere", irn=leased.irn, number=leased.doc_no),
                says=f"registered at another portal, and none of ours has it{unable}",
            )  # fmt: skip
    return None


def differing(places: Sequence[Difference], *, irn: str, number: str) -> Verdict:
    """The failure that lists where the registered document says something else than ours."""
    faults = tuple(
        Fault(
            code="registration.differs", path=path, portal_code=DUPLICATE,
            says=f"{ours or 'nothing'} here, {theirs or 'nothing'} at the portal",
        )
        for path, ours, theirs in places[:_DIFFERENCES_MOST]
    )  # fmt: skip
    return Verdict(cause="registration.differs", faults=faults, irn=irn, number=number)


def _contradicted(leased: Leased, verdict: Verdict, says: str, *, code: str, what: str) -> Result:
    """Registered, but not as ours: a person must act. `THERE` keeps it out of the ledger of what was refused."""
    return Result(
        leased=leased, what=what, outcome=Outcome.REJECTED, answer="THERE", says=says, verdict=verdict, codes=(code,)
    )


def _accepted(leased: Leased, document: Document, keys: KeySet, *, what: str) -> Result:
    try:
        sure = examined(
            document, keys, irn=leased.irn, gstin=leased.gstin, typ=leased.doc_typ, no=leased.doc_no
        )  # fmt: skip
    except BadSignature as error:
        return _untrusted(leased, document, error, what=what)
    return Result(
        leased=leased, what=what, outcome=Outcome.ACCEPTED, answer=_answer(what), document=sure or document,
        verified=True if sure else None,
        says="" if document.signed_invoice else "registered; its signed document is missing",
    )  # fmt: skip


def _listed(places: Sequence[Difference]) -> str:
    shown = [f"{path} ({theirs or 'nothing'}, not {ours or 'nothing'})" for path, ours, theirs in places[:_LISTED_MOST]]
    more = len(places) - len(shown)
    return ", ".join(shown) + (f" and {more} more" if more else "")


def _untrusted(leased: Leased, document: Document, error: BadSignature, *, what: str) -> Result:
    """Kept, in doubt, a person is told; never published as success."""
    return Result(
        leased=leased, what=what, outcome=Outcome.UNKNOWN, answer=_answer(what), document=document, verified=False,
        says=f"the portal's answer is not to be trusted: {error}", next_in=_KEPT_IN_DOUBT,
    )  # fmt: skip


def _answer(what: str) -> str:
    """What the ledger says of something found: of a look-up that it is there, of a call its outcome."""
    return "THERE" if what == "lookup" else ""


def _klass(code: str) -> PortalClass | None:
    entry = invoice_code(code)
    return entry.klass if entry else None


def _fault(said: Said) -> Fault:
    """The portal's own words, with what it filled in; what they mean and what a person does, in ours."""
    entry = invoice_code(said.code)
    return Fault(
        code=f"portal.{said.code}", path="", says=said.text or (entry.portal_text if entry else "") or _WITHOUT_A_TEXT,
        fix=f"{entry.means} {entry.fix}" if entry else _NOBODY_KNOWS_IT, portal_code=said.code,
    )  # fmt: skip
