"""One document before both judges: irnflow's rules, and the sandbox portal's, which were written apart."""

from decimal import Decimal
from typing import Any, Final

import msgspec

from irnflow.gst import inv01, rules
from irnflow.gst.examine import examine
from irnflow.gst.facts import Facts
from irnflow.gst.faults import Fault, Severity
from irnflow.gst.invoice import Invoice
from irnflow.sandbox.law import breaches, case_of
from irnflow.sandbox.shape import misshapes
from irnflow.sandbox.taxpayers import SEZ_DEVELOPER, SEZ_UNIT, UNREGISTERED, Taxpayer, Taxpayers
from irnflow.sandbox.transport import journey_of, troubles

Document = dict[str, Any]

# Faults of ours by which a different answer of the sandbox is explained: what it may say besides, and why.
EXPLAINED: Final[dict[str, tuple[frozenset[str], str]]] = {
    "document.too_old": (
        frozenset({"2140"}),
        "The code with which the portal refuses old documents is not published; the sandbox says 2140.",
    ),
    "tax.retail_price": (
        frozenset(),
        "Nothing tells the portal that a tax is missing where it can't be reckoned: it takes what is given. We don't.",
    ),
    "line.gross": (frozenset(), "A warning: the portal is reported to have withdrawn the check."),
    "igst_on_intra.reverse_charge": (frozenset(), "A warning: some sources say so, the sandbox follows the others."),
    "hsn.dropped": (
        frozenset(),
        "A warning: whether the portal's list still has lines that left the tariff is not published; ours both have.",
    ),
    "unit.unlisted_service": (
        frozenset(),
        "A warning: the published rules on units speak of goods; how the portal answers for a service is not known.",
    ),
    "ship_to.gstin_missing": (
        frozenset(),
        "A warning: with which code the portal then makes no e-way bill is not published; the sandbox makes one.",
    ),
    "supplier.casual": (
        frozenset(),
        "A warning: whether the portal takes casual taxpayers as suppliers is not certain; the sandbox does.",
    ),
    "supplier.cancelled_later": (
        frozenset(),
        "A warning: sources differ; the sandbox follows release notes that let it register what is dated before.",
    ),
    "supplier.not_yet_registered": (
        frozenset(),
        "A warning: 3079 names no party and is known of recipients only; the sandbox asks it of them alone.",
    ),
    "reverse_charge.recipient": (
        frozenset(),
        "A warning: the check is published without a code, so the sandbox has none.",
    ),
    "deemed_export.recipient": (
        frozenset(),
        "A warning: the check is published without a code, so the sandbox has none.",
    ),
    "eway_bill.gold": (
        frozenset(),
        "A warning: the code with which the portal refuses e-way bills for chapter 71 is not published.",
    ),
    "eway_bill.distance_far": (
        frozenset({"4013"}),
        "A warning: two published codes fit, and which one the portal uses is not known; the sandbox says 4013.",
    ),
}

# Refusals from which others follow: we tell a fault once, where it is; the portal also tells what it makes wrong.
FOLLOWS: Final[dict[str, tuple[frozenset[str], str]]] = {
    "2259": (frozenset({"2174", "2235"}), "in no state, so between states"),
    "2258": (frozenset({"2172", "2174", "2235", "2241"}), "in another state, so the other tax"),
    "2243": (frozenset({"2174", "2235"}), "supplied nowhere, so between states"),
    "2240": (frozenset({"2234", "2235", "2241"}), "another rate, so another amount"),
    "2172": (frozenset({"2241"}), "IGST in place of the halves, so these are missing"),
    "2174": (frozenset({"2227", "2235"}), "halves in place of IGST, so that is missing; one half alone, so unequal"),
    "2180": (frozenset({"2227"}), "one half alone, so unequal"),
    "2237": (frozenset({"2227"}), "one half alone, so unequal"),
    "2227": (frozenset({"2234"}), "unequal halves, so one of them is not half of the tax"),
}

_decoder: Final = msgspec.json.Decoder(dict[str, Any], float_hook=Decimal)


class Judged(msgspec.Struct, frozen=True, kw_only=True):
    """What both say of one document."""

    faults: list[Fault]  # ours, refusals and warnings
    codes: frozenset[str]  # the sandbox's; empty when it registers the document
    at_schema: bool  # the sandbox stopped at the schema, before its rules
    no_bill: frozenset[str]  # the sandbox's reasons to register it without the e-way bill that it asks for

    @property
    def refusals(self) -> frozenset[str]:
        """Codes that we say the portal would refuse it with."""
        return self._said(Severity.REFUSED)

    @property
    def warnings(self) -> frozenset[str]:
        """Codes that we say the portal may refuse it with."""
        return self._said(Severity.WARNING)

    def _said(self, severity: Severity) -> frozenset[str]:
        return frozenset(fault.portal_code for fault in self.faults if fault.severity is severity and fault.portal_code)

    @property
    def differences(self) -> list[str]:
        """Where the two disagree beyond what is explained, in words; empty when they agree."""
        return [
            *(f"the sandbox refuses with {code}, of which we say nothing" for code in self.codes - self._foretold),
            *(f"there is no e-way bill for {code}, of which we say nothing" for code in self.no_bill - self._foretold),
            *(f"we warn of {code}, which the sandbox does not say" for code in self._warned_in_vain),
            *(f"we refuse with {code}, which the sandbox does not say" for code in self._owed - self.codes),
            *(f"we refuse for {code}, with no code of the portal and no reason here" for code in self._unnamed),
        ]

    @property
    def _foretold(self) -> frozenset[str]:
        """What the sandbox may say."""
        explained = [EXPLAINED[fault.code][0] for fault in self.faults if fault.code in EXPLAINED]
        following = [FOLLOWS[code][0] for code in self.refusals & FOLLOWS.keys()]
        return (self.refusals | self.warnings).union(*explained, *following)

    @property
    def _owed(self) -> frozenset[str]:
        """What it must say; when it stopped at the schema, any one of these."""
        return frozenset() if self.at_schema and self.codes & self.refusals else self.refusals

    @property
    def _warned_in_vain(self) -> frozenset[str]:
        """What we warned of, and yet the sandbox registered it, with its e-way bill."""
        if self.codes:
            return frozenset()
        warned = [fault for fault in self.faults if fault.code not in EXPLAINED]
        return frozenset(fault.portal_code for fault in warned if fault.portal_code) - self.no_bill

    @property
    def _unnamed(self) -> list[str]:
        refused = [fault for fault in self.faults if fault.severity is Severity.REFUSED]
        return [fault.code for fault in refused if not fault.portal_code and fault.code not in EXPLAINED]


def judge(document: Document, facts: Facts) -> Judged:
    """Lay a document before both as it is, neither normalised nor calculated.

    Raises msgspec.ValidationError for one that is no INV-01 at all.
    """
    invoice = msgspec.convert(document, Invoice)
    return _judged(inv01.encode(invoice), facts, rules.check(invoice, facts))


def judge_sent(document: Document, facts: Facts) -> Judged | None:
    """Let irnflow write a document as it sends it, and lay that before the sandbox; None where irnflow refuses it."""
    examined = examine(msgspec.convert(document, Invoice), facts)
    return None if examined.refusals else _judged(examined.payload, facts, examined.warnings)


def _judged(payload: bytes, facts: Facts, faults: list[Fault]) -> Judged:
    sent = _decoder.decode(payload)
    ill = misshapes(sent, items_max=facts.lines_max)
    case = None if ill else case_of(sent, today=facts.day, taxpayers=_master(sent, facts), caller=facts.sent_by)
    errors = breaches(case, held_rules=facts.held_rules) if case else ill
    return Judged(
        faults=faults,
        codes=_codes(errors),
        at_schema=bool(ill),
        no_bill=frozenset() if errors else _codes(_without_bill(sent, facts)),
    )


def _without_bill(document: Document, facts: Facts) -> list[dict[str, str]]:
    details = document.get("EwbDtls")
    if not details:
        return []
    journey = journey_of(document, details, today=facts.day, taxpayers=Taxpayers(), distances=None)
    return troubles(journey, held_rules=facts.held_rules)


def _codes(errors: list[dict[str, str]]) -> frozenset[str]:
    return frozenset(error["ErrorCode"] for error in errors)


def _master(document: Document, facts: Facts) -> Taxpayers:
    """The facts in the sandbox's words: what it knows of everybody in the document."""
    supplier, recipient = document["SellerDtls"]["Gstin"], document["BuyerDtls"]["Gstin"]
    others = (document["TranDtls"].get("EcmGstin"), document.get("ShipDtls", {}).get("Gstin"))
    kinds = dict.fromkeys(facts.sez_gstins or (), SEZ_UNIT) | dict.fromkeys(facts.sez_developers, SEZ_DEVELOPER)
    if facts.sez_gstins is None and document["TranDtls"]["SupTyp"].startswith("SEZ") and recipient != supplier:
        kinds[recipient] = SEZ_UNIT  # nobody knows otherwise
    told = {gstin: known.kind for gstin, known in facts.registrations.items() if known.kind}
    kinds |= told if facts.sez_gstins is None else {}
    listed = {
        gstin: Taxpayer(
            gstin=gstin,
            kind=kinds.get(gstin, "REG"),
            turnover_crore=facts.turnover_crore,
            **_standing(gstin, facts),
        )
        for gstin in (supplier, recipient, *others)
        if gstin and gstin != UNREGISTERED
    }
    return Taxpayers(listed=listed, any_check_digit=facts.accept_sandbox_gstins)


def _standing(gstin: str, facts: Facts) -> dict[str, Any]:
    known = facts.registrations.get(gstin)
    if not known or not known.status:
        return {}
    return {"status": known.status.value, "registered_on": known.since, "deregistered_on": known.until}
