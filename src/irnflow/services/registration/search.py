"""Searches for a document at the portals that may have it: each is asked by itself, for none knows what another has.

A portal of the same family is asked through the one that the document went to, with the `irp` header; a portal of
another family at its own address, with a login of its own. What one has struck off (REJ) has lost to another's: then
that one is looked for at all there are.
"""

from collections.abc import Iterable
from functools import partial

from irnflow.errors import Permanent, Transient
from irnflow.portal.client import Answer, read_document
from irnflow.portal.several import Line
from irnflow.services.registration import meaning
from irnflow.services.registration.pace import heard_of
from irnflow.services.registration.parts import Parts
from irnflow.services.registration.result import Found, Heard, Leased, Nowhere, There, TooOld, Unclear


async def search(parts: Parts, leased: Leased, lines: Iterable[Line], *, by_document: bool = False) -> Found:
    """Ask each of these portals by IRN, and before that by type, number and date. Never raises Transient."""
    unclear: list[str] = []
    unasked: list[str] = []
    old: TooOld | None = None
    struck_off: There | None = None
    heard = Heard.ANSWERED
    asked = list(lines)
    for line in asked:  # it grows when one has been struck off
        try:
            answers = await _ask(parts, leased, line, by_document=by_document)
            if answers[-1].ok:
                there = There(line, read_document(answers[-1].data))
                if not meaning.is_struck_off(there.document):
                    return there
                struck_off = struck_off or there
                asked += [each for each in parts.portals.values() if each not in asked]
                continue
        except Transient as error:
            unclear.append(str(error))
            heard = heard_of(error)
            continue
        except Permanent as error:  # a login that another family refuses says nothing of the own one's documents
            if line.family == parts.line(leased).family:
                unclear.append(str(error))
            else:
                unasked.append(line.name)
            continue
        if any(meaning.too_old(answer) for answer in answers):
            old = old or TooOld(line)
        if not all(meaning.not_there(answer) for answer in answers):
            codes = ", ".join(dict.fromkeys(said.code for answer in answers for said in answer.errors))
            unclear.append(f"the look-up at {line.name} decides nothing: {codes or 'no code'}")
    if struck_off and unclear:  # who gave no answer may be the one that had it first
        return Unclear(f"struck off at {struck_off.line.name}; {'; '.join(unclear)}", heard)
    return struck_off or old or (Unclear("; ".join(unclear), heard) if unclear else Nowhere(tuple(unasked)))


async def _ask(parts: Parts, leased: Leased, line: Line, *, by_document: bool) -> list[Answer]:
    """What one portal answers; the last answer is the document, if it has it."""
    own = parts.line(leased)
    portal, irp = (own.portal, line.name) if line.family == own.family and line is not own else (line.portal, "")
    asks = [partial(portal.by_irn, irn=leased.irn, irp=irp)]
    if by_document:
        asks.insert(0, partial(portal.by_document, typ=leased.doc_typ, no=leased.doc_no, dt=leased.doc_dt, irp=irp))
    answers: list[Answer] = []
    for ask in asks:
        answer, _, _ = await parts.sessions[line.family].use(leased.gstin, ask)
        answers.append(answer)
        if answer.ok:
            break
    return answers
