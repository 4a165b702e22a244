"""One action, asked of the portal or looked up, and what it came to. Never raises Transient.

The care is that of a registration: nothing is asked again after a lost answer until two look-ups in a row, some time
apart, have said that it is not done.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Final

import msgspec

from irnflow import metrics
from irnflow.errors import Permanent, Transient
from irnflow.gst.portal_codes import PortalClass, PortalCode, invoice_code, portal_code
from irnflow.portal.client import IST, Answer, Credentials, Lost, NotDone, NotSent, Portal, Session
from irnflow.portal.envelope import Said
from irnflow.portal.several import issuer_of
from irnflow.services.registration.lifecycle.action import Kind, Leased, Outcome, Result
from irnflow.services.registration.lifecycle.portal import NO_BILL, TALKS, Given, Stands
from irnflow.services.registration.pace import NotBegun, heard, heard_of, retry_after_s_of
from irnflow.services.registration.parts import Parts
from irnflow.services.registration.result import Heard
from irnflow.services.registration.sessions import LoginPutOff, LoginRefused

_NOT_DONE_ENOUGH: Final = 2  # look-ups in a row
_SENDS_MAX: Final = 3  # of what the portal may only be unable to take (RETRY_LIMITED)
_NOT_HERE: Final = frozenset({"301", "312", "344", "418", "656", "4007"})  # said of a bill that another one has
_BACK_OFF_S: Final = (2, 5, 15, 30, 60)  # before READY is asked again, by how often it was
# Between look-ups of what stays in doubt: one that errs counts against the GSTIN.
_LOOK_MOST: Final = timedelta(hours=1)


async def perform(parts: Parts, leased: Leased) -> Result:
    """Ask for it, or look it up."""
    kind = leased.kind.lower()
    with metrics.portal_seconds.labels(kind if leased.what == "send" else "lookup").time():
        result = await (_ask(parts, leased) if leased.what == "send" else _look_up(parts, leased))
    metrics.portal_calls.labels(kind, result.recorded or result.outcome).inc()
    return result


# -- asking ----------------------------------------------------------------------------------------------------------


async def _ask(parts: Parts, leased: Leased) -> Result:
    if too_late := _too_late(parts, leased):
        return too_late

    async def call(portal: Portal, credentials: Credentials, session: Session) -> Answer:
        if leased.begin_by and parts.now() > leased.begin_by:
            raise NotBegun("the lease has no time left for a call")
        if leased.kind is Kind.EWAY_BILL_CANCEL:
            portal = parts.line(leased).of_bill(leased.ewb_no or "")
        return await TALKS[leased.kind].ask(portal, credentials, session, leased)

    try:
        answer, credentials, session = await parts.call(leased, call)
        if answer.ok:
            return _done(leased, TALKS[leased.kind].read(leased, answer))
    except LoginRefused as error:  # it is stopped already; by now it may have been mended
        return _fared(_not_done(leased, str(error)), error)
    except Permanent as error:  # no credentials, or none that open
        return _fared(_not_done(leased, str(error), stop=str(error)), error)
    except (LoginPutOff, NotDone, NotSent) as error:
        return _fared(_not_done(leased, str(error), wait_s=retry_after_s_of(error)), error)
    except Lost as error:
        return _fared(_in_doubt(parts, leased, str(error)), error)
    result = await _refused(parts, leased, answer, credentials, session)
    return msgspec.structs.replace(result, heard=heard(answer), refusals=result.refusals + 1)


def _too_late(parts: Parts, leased: Leased) -> Result | None:
    """Refuse ourselves what the portal would: its time may have gone by while the action waited."""
    window = {Kind.CANCEL: parts.windows.cancel, Kind.EWAY_BILL_CANCEL: parts.windows.eway_bill_cancel}.get(leased.kind)
    if window is None or leased.began is None or not _is_over(leased.began, window, parts.now()):
        return None
    code = "2270" if leased.kind is Kind.CANCEL else "315"
    entry = portal_code(code)
    hours = window / timedelta(hours=1)
    says = f"It was not asked for: the {hours:g} h since {leased.began} (IST) are over."
    return Result(
        leased=leased, outcome=Outcome.FAILED, recorded="NOT_ASKED", cause=f"portal.{code}", says=says,
        heard=Heard.NOTHING, fix=entry.fix if entry else "",
    )  # fmt: skip


def _is_over(began: str, window: timedelta, now: datetime) -> bool:
    try:
        return now > datetime.strptime(began, "%Y-%m-%d %H:%M:%S").replace(tzinfo=IST) + window
    except ValueError:  # not a time we know: the portal decides
        return False


async def _refused(parts: Parts, leased: Leased, answer: Answer, credentials: Credentials, session: Session) -> Result:
    """What a readable refusal comes to."""
    codes = {said.code for said in answer.errors}
    if leased.kind is Kind.EWAY_BILL_FETCH and codes and codes <= NO_BILL:
        return _done(leased, {}, says="The portal has no e-way bill for this IRN.")
    if codes & TALKS[leased.kind].perhaps_done or _unlisted(leased, answer.errors):
        return await _looked_at_once(parts, leased, answer, credentials, session)
    classes = {entry.klass for code in codes if (entry := _entry(leased, code))}
    says = _words(answer.errors)
    if classes & {PortalClass.CONFIG, PortalClass.CRYPTO}:
        return _not_done(leased, says, stop=f"{says}. To go on: irnflow resume gstin {leased.gstin}")
    if PortalClass.RETRY in classes or (PortalClass.RETRY_LIMITED in classes and leased.send < _SENDS_MAX):
        return _in_doubt(parts, leased, says, tuple(codes))
    return _failed(parts, leased, answer.errors)


async def _looked_at_once(
    parts: Parts, leased: Leased, answer: Answer, credentials: Credentials, session: Session
) -> Result:
    """A refusal that may mean "done already", or one that nobody knows: how do things stand?"""
    try:
        found = await TALKS[leased.kind].look(parts.line(leased).portal, credentials, session, leased)
        result = _as_it_stands(parts, leased, answer, found)
    except Transient as error:
        return _in_doubt(parts, leased, f"{_words(answer.errors)}; the look-up failed: {error}", _codes(answer.errors))
    return msgspec.structs.replace(result, refusals=0 if found.ok else 1)


def _as_it_stands(parts: Parts, leased: Leased, answer: Answer, found: Answer) -> Result:
    """What a refusal comes to, by the look-up that followed. Raises Lost when that can't be read."""
    stands, given = TALKS[leased.kind].stands(leased, found)
    if stands is Stands.DONE:
        return _done(leased, given, says="It was done before.", codes=_codes(answer.errors))
    if stands is Stands.UNSAID and "9999" in _codes(answer.errors):  # 9999 on cancel: done, and too old to be shown
        return _done(leased, {}, says="It was done before, says the portal.", codes=("9999",))
    if stands is Stands.NOT_DONE and "9999" in _codes(answer.errors):  # the portal contradicts itself
        return _in_doubt(parts, leased, "the portal says not active, and shows it active", ("9999",))
    if stands is Stands.UNSAID and _unlisted(leased, answer.errors):
        return _in_doubt(parts, leased, f"an unknown refusal, and the look-up decides nothing: {_words(answer.errors)}")
    return _failed(parts, leased, answer.errors)


# -- looking up ------------------------------------------------------------------------------------------------------


async def _look_up(parts: Parts, leased: Leased) -> Result:
    async def look(portal: Portal, credentials: Credentials, session: Session) -> Answer:
        return await TALKS[leased.kind].look(portal, credentials, session, leased)

    try:
        answer, _, _ = await parts.call(leased, look)
        result = _shown(parts, leased, answer)
    except (Permanent, Transient) as error:
        return _fared(_undecided(parts, leased, str(error)), error)
    return msgspec.structs.replace(result, heard=heard(answer), refusals=0 if answer.ok else 1)


def _shown(parts: Parts, leased: Leased, answer: Answer) -> Result:
    """What a look-up comes to. Raises Lost when it can't be read."""
    stands, given = TALKS[leased.kind].stands(leased, answer)
    match stands:
        case Stands.DONE:
            return msgspec.structs.replace(_done(leased, given), recorded="DONE")
        case Stands.NOT_DONE:
            return _still_not_done(parts, leased)
        case Stands.REJECTED:
            says = "The IRN has lost to another portal's; there is nothing to cancel."
            return Result(leased=leased, outcome=Outcome.FAILED, cause="lifecycle.rejected", says=says)
    return _undecided(parts, leased, f"the look-up decides nothing: {_words(answer.errors) or 'no status'}")


def _still_not_done(parts: Parts, leased: Leased) -> Result:
    times = leased.not_done + 1
    enough = times >= _NOT_DONE_ENOUGH
    return Result(
        leased=leased, recorded="NOT_DONE", not_done=times, says=f"not done, {times} in a row",
        outcome=Outcome.NOT_DONE if enough else Outcome.UNKNOWN, next_in=timedelta(0) if enough else parts.gap,
    )  # fmt: skip


def _undecided(parts: Parts, leased: Leased, says: str) -> Result:
    """Again later, and ever less often; "not done" counts from the start."""
    age = parts.now() - leased.sent_at if leased.sent_at else timedelta(0)
    wait = max(parts.gap, min(age / 8, _LOOK_MOST))
    return Result(leased=leased, outcome=Outcome.UNKNOWN, recorded="NO_ANSWER", says=says, next_in=wait)


# -- results ---------------------------------------------------------------------------------------------------------


def _fared(result: Result, error: Exception) -> Result:
    """What a call came to that got no answer, but this."""
    return msgspec.structs.replace(result, heard=heard_of(error), retry_after_s=retry_after_s_of(error))


def _done(leased: Leased, given: Given, *, says: str = "", codes: tuple[str, ...] = ()) -> Result:
    return Result(leased=leased, outcome=Outcome.DONE, answer=given, says=says, codes=codes)


def _failed(parts: Parts, leased: Leased, errors: Sequence[Said]) -> Result:
    codes = _codes(errors)
    entry = _entry(leased, codes[0]) if codes else None
    fix = " ".join(filter(None, (entry.fix if entry else "", _where_to(parts, leased, codes))))
    cause = f"portal.{codes[0]}" if codes else "portal.no_code"
    return Result(leased=leased, outcome=Outcome.FAILED, codes=codes, cause=cause, says=_words(errors), fix=fix)


def _where_to(parts: Parts, leased: Leased, codes: Sequence[str]) -> str:
    """Which portal to go to with a bill that was not found here, for the second portal issued it and has no address."""
    if leased.kind is not Kind.EWAY_BILL_CANCEL or not _NOT_HERE.intersection(codes):
        return ""
    if issuer_of(leased.ewb_no or "") == 1 or 2 in parts.line(leased).eway_bills:
        return ""
    return (
        "Its number was issued by the second e-way bill portal (ewaybill2.gst.gov.in), which alone cancels it: cancel "
        f"it there, or give eway_bill_2_url for {leased.portal} in portals.toml and ask again."
    )


def _not_done(leased: Leased, says: str, *, wait_s: float | None = None, stop: str = "") -> Result:
    """The call certainly did nothing."""
    wait_s = wait_s or _BACK_OFF_S[min(leased.send, len(_BACK_OFF_S)) - 1]
    return Result(leased=leased, outcome=Outcome.NOT_DONE, says=says, stop=stop, next_in=timedelta(seconds=wait_s))


def _in_doubt(parts: Parts, leased: Leased, says: str, codes: tuple[str, ...] = ()) -> Result:
    """The portal may have done it. A question may be asked again: it changes nothing there."""
    if leased.kind is Kind.EWAY_BILL_FETCH:
        return _not_done(leased, says)
    wait = parts.deadline + parts.settle
    return Result(leased=leased, outcome=Outcome.UNKNOWN, says=says, codes=codes, next_in=wait)


def _unlisted(leased: Leased, errors: Sequence[Said]) -> bool:
    """Whether the portal gave a code that no list we know has, or none at all."""
    return not errors or any(_entry(leased, said.code) is None for said in errors)


def _entry(leased: Leased, code: str) -> PortalCode | None:
    """What a code means to who asked: the numbers of the e-way bill system are about bills alone."""
    return invoice_code(code) if leased.kind is Kind.CANCEL else portal_code(code)


def _codes(errors: Sequence[Said]) -> tuple[str, ...]:
    return tuple(said.code for said in errors)


def _words(errors: Sequence[Said]) -> str:
    return "; ".join(f"{said.code} {said.text}" for said in errors)
