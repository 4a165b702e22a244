"""Every field of INV-01 is there when it must be, and has its form."""

from collections.abc import Callable, Iterator
from decimal import Decimal
from typing import Final

from irnflow.gst.faults import in_words
from irnflow.gst.fields import Ill, Misfit
from irnflow.gst.gstin import UNREGISTERED
from irnflow.gst.money import written
from irnflow.gst.rules.case import Case, is_negative
from irnflow.gst.rules.row import Finder, Place, Rule, at

_SCHEMA: Final = "NIC, INV-01 schema 1.1"
_NOT_AS_PER_SCHEMA: Final = "2140"  # "Error while validating invoice"

# Places whose ills have a row, and a code of the portal, of their own: when absent, and when ill-formed.
_MISSING_APART: Final = frozenset({"SellerDtls.Gstin", "SellerDtls.Pin", "BuyerDtls.Pin"})
_ILL_APART: Final = frozenset(
    {
        "TranDtls.RegRev",
        "TranDtls.IgstOnIntra",
        "DocDtls.Typ",
        "DocDtls.No",
        "DocDtls.Dt",
        "ItemList[].HsnCd",
        "ItemList[].Unit",
    }
)


def concerns(case: Case) -> bool:
    """Whether these rules can find anything: some place does not fit, or the number of lines."""
    return bool(case.misfits) or not 1 <= len(case.invoice.item_list) <= case.facts.lines_max


def _is_apart(misfit: Misfit) -> bool:
    path = misfit.field.path
    if misfit.ill is Ill.MISSING:
        return path in _MISSING_APART
    return path in _ILL_APART or _is_unregistered_supplier(misfit)


def _is_unregistered_supplier(misfit: Misfit) -> bool:
    return misfit.field.path == "SellerDtls.Gstin" and misfit.value == UNREGISTERED


def _place(misfit: Misfit) -> Place:
    field = misfit.field
    places = 2 if field.decimals == 2 else 0  # amounts have paise, quantities and rates what they need
    value, low, high = [
        written(each, places) if isinstance(each, Decimal) else each for each in (misfit.value, field.low, field.high)
    ]
    return at(
        misfit.path,
        path=in_words(misfit.path),
        found=value,
        low=low,
        high=high,
        limits=f"{low}" if low == high else f"{low} to {high}",
        decimals=field.decimals,
        pattern=field.pattern,
        choices=", ".join(field.choices),
        characters=len(str(misfit.value)),
    )


def _misfits(wanted: Callable[[Misfit], bool]) -> Finder:
    def finds(case: Case) -> Iterator[Place]:
        for misfit in case.misfits:
            if wanted(misfit):
                yield _place(misfit)

    return finds


def _all(ill: Ill) -> Finder:
    """Every place with this ill that has no row of its own."""
    return _misfits(lambda misfit: misfit.ill is ill and not _is_apart(misfit))


def _out_of_range(case: Case) -> Iterator[Place]:
    """Apart from all that is below zero because a line is, which is told once."""
    for misfit in case.misfits:
        if misfit.ill is Ill.RANGE and not (is_negative(misfit) and _follows_a_negative_line(misfit.path, case)):
            yield _place(misfit)


def _follows_a_negative_line(path: str, case: Case) -> bool:
    section = path.rpartition(".")[0]
    return section in case.negative or (section == "ValDtls" and bool(case.negative))


def _negative_line(case: Case) -> Iterator[Place]:
    for number, item in enumerate(case.invoice.item_list if case.negative else ()):
        path = f"ItemList[{number}]"
        if path in case.negative:
            rate = None if item.gst_rt is None else written(item.gst_rt, 0)
            yield at(path, found=item.ass_amt, hsn=item.hsn_cd, rate=rate)


def _absent(path: str) -> Finder:
    return _misfits(lambda misfit: misfit.ill is Ill.MISSING and misfit.field.path == path)


def _ill(path: str) -> Finder:
    return _misfits(lambda misfit: misfit.ill is not Ill.MISSING and misfit.field.path == path)


def _too_many(case: Case) -> Iterator[Place]:
    lines, most = len(case.invoice.item_list), case.facts.lines_max
    if lines > most:
        yield at("ItemList", found=lines, most=most)


def _none(case: Case) -> Iterator[Place]:
    if not case.invoice.item_list:
        yield at("ItemList")


ROWS: Final = (
    Rule(
        code="field.missing",
        says="{path} is missing.",
        fix="Fill it in; every invoice must have it.",
        fix_hi="इसे भरें; हर इनवॉइस में यह होना ज़रूरी है।",
        source=_SCHEMA,
        finds=_all(Ill.MISSING),
        portal_code=_NOT_AS_PER_SCHEMA,
    ),
    Rule(
        code="field.length",
        says="{path} has {characters} characters; it takes {limits}.",
        fix="Shorten or complete it.",
        fix_hi="इसे छोटा या पूरा करें।",
        source=_SCHEMA,
        finds=_all(Ill.LENGTH),
        portal_code=_NOT_AS_PER_SCHEMA,
    ),
    Rule(
        code="field.characters",
        says="{path} holds a double quote or a backslash, which the portal refuses: {found}",
        fix="Write it without these two characters.",
        fix_hi="इसे इन दो चिह्नों के बिना लिखें।",
        source=_SCHEMA,
        finds=_all(Ill.CHARACTERS),
        portal_code=_NOT_AS_PER_SCHEMA,
    ),
    Rule(
        code="field.pattern",
        says="{path} does not have the form that the portal asks for ({pattern}): {found}",
        fix="Write it in that form.",
        fix_hi="इसे उसी रूप में लिखें।",
        source=_SCHEMA,
        finds=_all(Ill.PATTERN),
        portal_code=_NOT_AS_PER_SCHEMA,
    ),
    Rule(
        code="field.choice",
        says="{path} is {found}; it can be {choices}.",
        fix="Choose one of these.",
        fix_hi="इनमें से एक चुनें।",
        source=_SCHEMA,
        finds=_all(Ill.CHOICE),
        portal_code=_NOT_AS_PER_SCHEMA,
    ),
    Rule(
        code="field.date",
        says="{path} is no day of the calendar between 2010 and 2029 written dd/mm/yyyy: {found}",
        fix="Write the day as dd/mm/yyyy.",
        fix_hi="तारीख dd/mm/yyyy के रूप में लिखें।",
        source=_SCHEMA,
        finds=_all(Ill.DATE),
        portal_code=_NOT_AS_PER_SCHEMA,
    ),
    Rule(
        code="field.range",
        says="{path} is {found}; it can be {low} to {high}.",
        fix="Correct the number; amounts are never negative.",
        fix_hi="संख्या ठीक करें; राशि कभी ऋणात्मक नहीं होती।",
        source=_SCHEMA,
        finds=_out_of_range,
        portal_code=_NOT_AS_PER_SCHEMA,
    ),
    Rule(
        code="line.negative",
        says="The line is negative ({found}), and no lines of HSN {hsn} at {rate} % are worth as much.",
        fix="Give the discount with the lines it belongs to; what is taken back goes into a credit note (CRN).",
        fix_hi="छूट उन्हीं मदों में दें जिनकी वह है; वापस लिए गए माल के लिए क्रेडिट नोट (CRN) बनाएँ।",
        source=_SCHEMA + "; negative lines that others can take are folded into discounts",
        finds=_negative_line,
        portal_code=_NOT_AS_PER_SCHEMA,
    ),
    Rule(
        code="field.decimals",
        says="{path} is {found}; it takes at most {decimals} decimals.",
        fix="Round it in the books.",
        fix_hi="इसे बहीखाते में पूर्णांकित करें।",
        source=_SCHEMA + r"; the portal answers `^\d+\.?\d{0,2}$` when it refuses an amount",
        finds=_all(Ill.DECIMALS),
        portal_code=_NOT_AS_PER_SCHEMA,
    ),
    Rule(
        code="supplier.gstin_missing",
        says="The supplier has no GSTIN.",
        fix="Fill in the GSTIN of the branch that supplies.",
        fix_hi="आपूर्ति करने वाली शाखा का GSTIN भरें।",
        source=_SCHEMA,
        finds=_absent("SellerDtls.Gstin"),
        portal_code="2155",
    ),
    Rule(
        code="supplier.unregistered",
        says="The supplier is given as unregistered (URP).",
        fix="Only a registered supplier makes e-invoices: fill in its GSTIN.",
        fix_hi="ई-इनवॉइस केवल पंजीकृत आपूर्तिकर्ता बनाता है: उसका GSTIN भरें।",
        source="NIC business validations",
        finds=_misfits(_is_unregistered_supplier),
        portal_code="2213",
    ),
    Rule(
        code="supplier.pin_missing",
        says="The supplier's address has no PIN.",
        fix="Fill in the PIN.",
        fix_hi="PIN भरें।",
        source=_SCHEMA,
        finds=_absent("SellerDtls.Pin"),
        portal_code="2276",
    ),
    Rule(
        code="recipient.pin_missing",
        says="The recipient's address has no PIN.",
        fix="Fill in the PIN; 999999 for a recipient abroad.",
        fix_hi="PIN भरें; विदेशी प्राप्तकर्ता के लिए 999999।",
        source="NIC business validations; optional in the schema",
        finds=_absent("BuyerDtls.Pin"),
        portal_code="2244",
    ),
    Rule(
        code="document.type",
        says="The document type is {found}; it can be INV, CRN or DBN.",
        fix="Choose invoice (INV), credit note (CRN) or debit note (DBN).",
        fix_hi="इनवॉइस (INV), क्रेडिट नोट (CRN) या डेबिट नोट (DBN) में से एक चुनें।",
        source=_SCHEMA,
        finds=_ill("DocDtls.Typ"),
        portal_code="2161",
    ),
    Rule(
        code="document.number",
        says="{found} can't be a document number: 1 to 16 letters, digits, / and -, not starting with 0, / or -.",
        fix="Give the document a number of that form.",
        fix_hi="दस्तावेज़ को इस रूप का नंबर दें।",
        source=_SCHEMA,
        finds=_ill("DocDtls.No"),
        portal_code=_NOT_AS_PER_SCHEMA,
    ),
    Rule(
        code="document.date_form",
        says="{found} is no document date: a day of the calendar, written dd/mm/yyyy.",
        fix="Correct the date of the document.",
        fix_hi="दस्तावेज़ की तारीख ठीक करें।",
        source=_SCHEMA + "; the calendar by ourselves",
        finds=_ill("DocDtls.Dt"),
        portal_code="2144",
    ),
    Rule(
        code="reverse_charge.value",
        says="Reverse charge is {found}; it can be Y or N.",
        fix="Choose Y or N.",
        fix_hi="Y या N चुनें।",
        source=_SCHEMA,
        finds=_ill("TranDtls.RegRev"),
        portal_code="2159",
    ),
    Rule(
        code="igst_on_intra.value",
        says="IGST on intra is {found}; it can be Y or N.",
        fix="Choose Y or N.",
        fix_hi="Y या N चुनें।",
        source=_SCHEMA,
        finds=_ill("TranDtls.IgstOnIntra"),
        portal_code="2263",
    ),
    Rule(
        code="hsn.form",
        says="{found} can't be an HSN: 4, 6 or 8 digits.",
        fix="Give the HSN (or SAC) of the goods or service with 4, 6 or 8 digits.",
        fix_hi="माल या सेवा का HSN (या SAC) 4, 6 या 8 अंकों में दें।",
        source=_SCHEMA,
        finds=_ill("ItemList[].HsnCd"),
        portal_code="2176",
    ),
    Rule(
        code="unit.form",
        says="{found} can't be a unit: 3 to 8 letters.",
        fix="Use a unit quantity code, as NOS or KGS; OTH for units that have none.",
        fix_hi="मानक इकाई कोड लिखें, जैसे NOS या KGS; जिस इकाई का कोड नहीं है उसके लिए OTH।",
        source=_SCHEMA,
        finds=_ill("ItemList[].Unit"),
        portal_code="2177",
    ),
    Rule(
        code="lines.none",
        says="There is no line.",
        fix="An invoice has at least one line.",
        fix_hi="इनवॉइस में कम से कम एक मद जोड़ें।",
        source="NIC business validations",
        finds=_none,
        portal_code="2228",
    ),
    Rule(
        code="lines.too_many",
        says="There are {found} lines; the portal takes {most}.",
        fix="Divide the supply among several documents. If the portal allows this GSTIN more, set it: irnflow gstin "
        "set GSTIN --lines-max N.",
        fix_hi="आपूर्ति को कई दस्तावेज़ों में बाँटें। यदि पोर्टल ने इस GSTIN को अधिक की अनुमति दी है, तो उसे सेट करें: irnflow gstin set "
        "GSTIN --lines-max N।",
        source="NIC business validations; up to 5,000 on request",
        finds=_too_many,
        portal_code="2173",
    ),
)
