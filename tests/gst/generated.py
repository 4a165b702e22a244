"""Invoices of every kind, generated: sound ones as books give them, and ways to break just one place of one."""

from collections.abc import Callable
from datetime import date, timedelta
from decimal import Decimal
from fractions import Fraction
from typing import Any, NamedTuple

from hypothesis import strategies as st

from irnflow.gst import dates
from irnflow.gst.gstin import check_character
from tests.gst.documents import ABROAD, DAY, Document

PINS = {"07": 110001, "24": 380001, "26": 396210, "27": 400001, "29": 560001, "33": 600001, "34": 605001, "38": 194101}
THEN = date(2025, 9, 21)  # the last day of the rates and the cess of before
RATES_OF_TODAY = [Decimal(rate) for rate in ("0", "0.1", "0.25", "1", "1.5", "3", "5", "6", "7.5", "18", "40")]
RATES_OF_THEN = [Decimal(rate) for rate in ("0", "0.1", "0.25", "1", "1.5", "3", "5", "6", "7.5", "12", "18", "28")]
GOODS = ["94036000", "10063020", "84713010", "30049099", "87032291", "392690"]
SERVICES = ["998314", "996511", "997212"]
MAYBE = st.booleans()
STATES = st.sampled_from(sorted(PINS))


def amounts(most: int, places: int = 2) -> st.SearchStrategy[Decimal]:
    return st.decimals(0, most, places=places)


def gstin(state: str, pan: str) -> str:
    return (first := f"{state}{pan}1Z") + check_character(first)


@st.composite
def lines(draw: st.DrawFn, rates: list[Decimal], cess: bool) -> Document:
    service = draw(MAYBE)
    line: Document = {
        "HsnCd": draw(st.sampled_from(SERVICES if service else GOODS)),
        "PrdDesc": "Something sold",
        "Qty": draw(st.decimals(Decimal("0.001"), 9999, places=3)),
        "UnitPrice": draw(amounts(99999, 3)),
        "GstRt": draw(st.sampled_from(rates)),
    }
    if not service or draw(MAYBE):
        line["Unit"] = draw(st.sampled_from(["NOS", "KGS", "OTH", "LTR"]))
    gross = nearest(Fraction(line["Qty"]) * Fraction(line["UnitPrice"]))
    if draw(MAYBE):
        line["Discount"] = nearest(Fraction(gross) * draw(st.integers(0, 100)) / 100)
    for name, values in (("CesRt", st.sampled_from([Decimal(1), Decimal(12), Decimal("22.5")])),
                         ("StateCesRt", st.just(Decimal(1))), ("CesNonAdvlAmt", amounts(999)),
                         ("StateCesNonAdvlAmt", amounts(99)), ("OthChrg", amounts(999))):  # fmt: skip
        if draw(st.integers(0, 3)) == 0 and (cess or not name.startswith("Ces")):
            line[name] = draw(values)
    return line


@st.composite
def invoices(draw: st.DrawFn) -> Document:
    """What books give of a sound document of any kind; everything that follows from it is left out."""
    sup_typ = draw(st.sampled_from(["B2B", "B2B", "DEXP", "SEZWP", "SEZWOP", "EXPWP", "EXPWOP"]))
    then = draw(MAYBE)
    rates = RATES_OF_THEN if then else RATES_OF_TODAY
    others = rates[1:] if sup_typ in {"SEZWOP", "EXPWOP"} else rates  # at 0 % there is a warning, or when all are
    seller = _party(draw(STATES), "ZZZCS1111A")
    buyer = dict(ABROAD) if sup_typ.startswith("EXP") else _party(place := draw(STATES), "ZZZCR2222B", Pos=place)
    document = {
        "TranDtls": {"SupTyp": sup_typ},
        "DocDtls": {
            "Typ": draw(st.sampled_from(["INV", "CRN", "DBN"])),
            "No": f"BLR/{draw(st.integers(0, 99999))}",
            "Dt": dates.write((THEN if then else DAY) - timedelta(days=draw(st.integers(0, 29)))),
        },
        "SellerDtls": seller,
        "BuyerDtls": buyer,
        "ItemList": [draw(lines(rates[1:], then)), *draw(st.lists(lines(others, then), max_size=3))],
        "ValDtls": draw(st.fixed_dictionaries({"OthChrg": st.decimals(1, 99, places=2)}, optional={
            "RndOffAmt": st.decimals(Decimal("-0.50"), Decimal("0.50"), places=2)})),
    }  # fmt: skip
    if sup_typ.startswith("EXP"):
        listed = {"Port": st.just("INBOM4"), "ForCur": st.just("USD")}
        document["ExpDtls"] = draw(st.fixed_dictionaries({"CntCode": st.sampled_from(["AE", "US"])}, optional=listed))
    elif sup_typ != "DEXP" and draw(MAYBE):
        document["TranDtls"]["RegRev"] = "Y"
        if sup_typ == "B2B" and seller["Stcd"] == buyer["Pos"]:
            document["TranDtls"]["IgstOnIntra"] = draw(st.sampled_from("YN"))
    if sup_typ == "B2B" and draw(MAYBE):
        ship_to = _party(buyer["Pos"], "ZZZCT7777G")
        document["ShipDtls"] = ship_to
    if draw(MAYBE):
        document["DispDtls"] = {"Nm": "Yard", "Addr1": "1", "Loc": "Yard", "Pin": 570001, "Stcd": "29"}
    return document


def day_of(document: Document) -> date:
    """On which it is sent."""
    return THEN if document["DocDtls"]["Dt"].endswith("2025") else DAY


def _party(state: str, pan: str, **others: str) -> Document:
    named = {"Gstin": gstin(state, pan), "LglNm": "Sound Traders", "Addr1": "1 Main Road", "Loc": "Town"}
    return {**named, "Pin": PINS[state], "Stcd": state, **others}


# -- the arithmetic, apart from ours: fractions, and whole paise -----------------------------------------------------


def nearest(exact: Fraction) -> Decimal:
    """To the paisa, halves up, reckoned in whole paise and so apart from our decimals."""
    return Decimal((exact * 200 + 1).__floor__() // 2) / 100


def bears_igst(given: Document) -> bool:
    within = given["SellerDtls"]["Stcd"] == given["BuyerDtls"]["Pos"]
    domestic = given["TranDtls"]["SupTyp"] in {"B2B", "DEXP"}
    return not (domestic and within) or given["TranDtls"].get("IgstOnIntra") == "Y"


def reckoned_line(given: Document, line: Document) -> dict[str, Decimal]:
    """Amounts that a line must come to."""
    value = nearest(Fraction(line["Qty"]) * Fraction(line["UnitPrice"])) - line.get("Discount", 0)
    exact = Fraction(value)
    untaxed = given["TranDtls"]["SupTyp"] in {"SEZWOP", "EXPWOP"}
    rate = Fraction(0) if untaxed else Fraction(line["GstRt"]) / 100
    whole = bears_igst(given)
    found = {
        "AssAmt": value,
        "IgstAmt": nearest(exact * rate) if whole else Decimal(0),
        "CgstAmt": Decimal(0) if whole else nearest(exact * rate / 2),
        "SgstAmt": Decimal(0) if whole else nearest(exact * rate / 2),
        "CesAmt": nearest(exact * Fraction(line.get("CesRt", 0)) / 100),
        "StateCesAmt": nearest(exact * Fraction(line.get("StateCesRt", 0)) / 100),
    }
    if leaves_out_tax(given):
        return {**found, "TotItemVal": value + line.get("OthChrg", 0)}
    others = (line.get(name, Decimal(0)) for name in ("CesNonAdvlAmt", "StateCesNonAdvlAmt", "OthChrg"))
    return {**found, "TotItemVal": sum(found.values(), Decimal(0)) + sum(others)}


def leaves_out_tax(document: Document) -> bool:
    """Whether the recipient does not pay the tax to the supplier."""
    transaction = document["TranDtls"]
    return bool(transaction.get("RegRev") == "Y" or transaction["SupTyp"] == "EXPWP")


def reckoned_totals(given: Document) -> dict[str, Decimal]:
    """Amounts that the document must come to."""
    reckoned = [reckoned_line(given, line) for line in given["ItemList"]]

    def total(name: str) -> Decimal:
        return sum((line[name] for line in reckoned), Decimal(0))

    def besides(name: str) -> Decimal:
        return sum((line.get(name, Decimal(0)) for line in given["ItemList"]), Decimal(0))

    own = given["ValDtls"]
    return {
        "AssVal": total("AssAmt"),
        "IgstVal": total("IgstAmt"), "CgstVal": total("CgstAmt"), "SgstVal": total("SgstAmt"),
        "CesVal": total("CesAmt") + besides("CesNonAdvlAmt"),
        "StCesVal": total("StateCesAmt") + besides("StateCesNonAdvlAmt"),
        "TotInvVal": total("TotItemVal") + own.get("OthChrg", 0) + own.get("RndOffAmt", 0),
    }  # fmt: skip


# -- one place broken ------------------------------------------------------------------------------------------------


class Mutation(NamedTuple):
    """What to change in a whole document, where it can be, and what is then found."""

    code: str
    path: str
    applies: Callable[[Document], bool]
    changes: Callable[[Document], dict[str, Any]]


def always(document: Document) -> bool:
    return True


def is_export(document: Document) -> bool:
    return bool(document["TranDtls"]["SupTyp"].startswith("EXP"))


def is_registered(document: Document) -> bool:
    return not is_export(document)


def is_domestic_unshipped(document: Document) -> bool:
    return is_registered(document) and "ShipDtls" not in document


def is_b2b(document: Document) -> bool:
    return bool(document["TranDtls"]["SupTyp"] == "B2B")


def is_of_today(document: Document) -> bool:
    return day_of(document) == DAY


def has_service_first(document: Document) -> bool:
    return not has_goods_first(document)


def has_goods_first(document: Document) -> bool:
    return bool(document["ItemList"][0]["IsServc"] == "N")


def has_two_lines(document: Document) -> bool:
    return len(document["ItemList"]) > 1


def has_halves(document: Document) -> bool:
    return "CgstAmt" in document["ItemList"][0]


def has_igst(document: Document) -> bool:
    return bool(document["ItemList"][0].get("IgstAmt"))


def is_taxed_by_rate(document: Document) -> bool:
    return has_igst(document) and document["DocDtls"]["Typ"] == "INV" and not leaves_out_tax(document)


def may_not_reverse(document: Document) -> bool:
    return is_export(document) or document["TranDtls"]["SupTyp"] == "DEXP"


def mistyped(number: str) -> str:
    return number[:-1] + ("A" if number[-1] != "A" else "B")


def put(**values: Any) -> Callable[[Document], dict[str, Any]]:
    """The same values in any document; `__` stands for a dot, and `line__` for the first line."""
    paths = {name.replace("line__", "ItemList[0].").replace("__", "."): value for name, value in values.items()}
    return lambda document: paths


def more(*paths: str, by: str = "3") -> Callable[[Document], dict[str, Any]]:
    """These amounts greater by as much."""

    def changes(document: Document) -> dict[str, Any]:
        return {path: _at(document, path) + Decimal(by) for path in paths}

    return changes


def _at(document: Document, path: str) -> Decimal:
    section, name = path.rsplit(".", 1)
    inside: Document = document["ItemList"][0] if section == "ItemList[0]" else document[section]
    return Decimal(inside.get(name, 0))


def elsewhere(document: Document) -> str:
    """A state that is neither the supplier's nor the recipient's."""
    taken = {document["SellerDtls"]["Stcd"], document["BuyerDtls"]["Stcd"], "33", "34", "24", "26"}
    return min(set(PINS) - taken)


ONE = "ItemList[0]."
MUTATIONS = [
    Mutation("supplier.gstin", "SellerDtls.Gstin", always, lambda document: {
        "SellerDtls.Gstin": mistyped(document["SellerDtls"]["Gstin"])}),
    Mutation("recipient.gstin", "BuyerDtls.Gstin", is_registered, lambda document: {
        "BuyerDtls.Gstin": mistyped(document["BuyerDtls"]["Gstin"])}),
    Mutation("supplier.state_of_gstin", "SellerDtls.Stcd", is_registered, lambda document: {
        "SellerDtls.Stcd": elsewhere(document), "SellerDtls.Pin": PINS[elsewhere(document)],
        "TranDtls.IgstOnIntra": "N"}),
    Mutation("recipient.state_of_gstin", "BuyerDtls.Stcd", is_registered, lambda document: {
        "BuyerDtls.Stcd": elsewhere(document), "BuyerDtls.Pin": PINS[elsewhere(document)]}),
    Mutation("supplier.pin", "SellerDtls.Pin", always, lambda document: {"SellerDtls.Pin": PINS[elsewhere(document)]}),
    Mutation("recipient.pin", "BuyerDtls.Pin", is_registered, lambda document: {
        "BuyerDtls.Pin": PINS[elsewhere(document)]}),
    Mutation("supplier.pin_unlisted", "SellerDtls.Pin", always, put(SellerDtls__Pin=900001)),
    Mutation("recipient.is_supplier", "BuyerDtls.Gstin", lambda document: (
        is_registered(document) and document["SellerDtls"]["Stcd"] == document["BuyerDtls"]["Stcd"]),
        lambda document: {"BuyerDtls.Gstin": document["SellerDtls"]["Gstin"]}),
    Mutation("recipient.unregistered", "BuyerDtls.Gstin", is_b2b, put(BuyerDtls__Gstin="URP")),
    Mutation("export.recipient", "BuyerDtls.Gstin", is_export, put(BuyerDtls__Gstin="24ZZZCE4444D1ZD")),
    Mutation("export.pos", "BuyerDtls.Pos", is_export, put(BuyerDtls__Pos="29")),
    Mutation("export.state", "BuyerDtls.Stcd", is_export, put(BuyerDtls__Stcd="97")),
    Mutation("export.pin", "BuyerDtls.Pin", is_export, put(BuyerDtls__Pin=560001)),
    Mutation("export.country", "ExpDtls.CntCode", is_export, put(ExpDtls__CntCode=None)),
    Mutation("export.country_unlisted", "ExpDtls.CntCode", is_export, put(ExpDtls__CntCode="QQ")),
    Mutation("export.port_unlisted", "ExpDtls.Port", is_export, put(ExpDtls__Port="QQQQQ9")),
    Mutation("pos.abroad", "BuyerDtls.Pos", is_domestic_unshipped, put(
        BuyerDtls__Pos="96", TranDtls__IgstOnIntra="N")),
    Mutation("pos.unknown", "BuyerDtls.Pos", is_domestic_unshipped, put(
        BuyerDtls__Pos="25", TranDtls__IgstOnIntra="N")),
    Mutation("reverse_charge.supply", "TranDtls.RegRev", may_not_reverse, put(TranDtls__RegRev="Y")),
    Mutation("reverse_charge.value", "TranDtls.RegRev", lambda document: (
        "RegRev" not in document["TranDtls"]), put(TranDtls__RegRev="|")),
    Mutation("document.type", "DocDtls.Typ", lambda document: document["DocDtls"]["Typ"] == "INV",
        put(DocDtls__Typ="BIL")),
    Mutation("document.number", "DocDtls.No", always, put(DocDtls__No="017")),
    Mutation("document.date_form", "DocDtls.Dt", always, put(DocDtls__Dt="31/11/2026")),
    Mutation("document.future", "DocDtls.Dt", is_of_today, put(DocDtls__Dt="23/11/2026")),
    Mutation("document.too_late", "DocDtls.Dt", is_of_today, put(DocDtls__Dt="23/10/2026")),
    Mutation("field.characters", ONE + "PrdDesc", always, put(line__PrdDesc='Pipe 12"')),
    Mutation("field.length", "SellerDtls.LglNm", always, put(SellerDtls__LglNm="AB")),
    Mutation("field.missing", "BuyerDtls.Loc", always, put(BuyerDtls__Loc=None)),
    Mutation("hsn.digits", ONE + "HsnCd", has_goods_first, put(line__HsnCd="9403")),
    Mutation("hsn.unlisted", ONE + "HsnCd", has_goods_first, put(line__HsnCd="94039999")),
    Mutation("hsn.service", ONE + "IsServc", has_goods_first, put(line__IsServc="Y")),
    Mutation("quantity.missing", ONE + "Qty", has_goods_first, put(line__Qty=None)),
    Mutation("unit.missing", ONE + "Unit", has_goods_first, put(line__Unit=None)),
    Mutation("unit.unlisted", ONE + "Unit", has_goods_first, put(line__Unit="KNOTS")),
    Mutation("unit.unlisted_service", ONE + "Unit", has_service_first, put(line__Unit="KNOTS")),
    Mutation("rate.unknown", ONE + "GstRt", always, put(line__GstRt=Decimal(17))),
    Mutation("line.number_repeated", "ItemList[1].SlNo", has_two_lines, lambda document: {
        "ItemList[1].SlNo": document["ItemList"][0]["SlNo"]}),
    Mutation("tax.igst_amount", ONE + "IgstAmt", is_taxed_by_rate, more(
        ONE + "IgstAmt", ONE + "TotItemVal", "ValDtls.IgstVal", "ValDtls.TotInvVal")),
    Mutation("tax.halves_unequal", ONE + "SgstAmt", has_halves, more(ONE + "SgstAmt", by="0.01")),
    Mutation("tax.halves_on_export", ONE + "CgstAmt", is_export, more(
        ONE + "CgstAmt", ONE + "SgstAmt", ONE + "TotItemVal", by="0.4")),
    Mutation("line.total", ONE + "TotItemVal", lambda document: not leaves_out_tax(document), more(
        ONE + "TotItemVal", "ValDtls.TotInvVal")),
    Mutation("line.gross", ONE + "TotAmt", always, more(ONE + "TotAmt", ONE + "AssAmt", ONE + "TotItemVal",
        "ValDtls.AssVal", "ValDtls.TotInvVal", by="2.5")),
    Mutation("line.taxable_value", ONE + "AssAmt", always, more(ONE + "Discount")),
    Mutation("totals.taxable_value", "ValDtls.AssVal", always, more("ValDtls.AssVal")),
    Mutation("totals.igst", "ValDtls.IgstVal", always, more("ValDtls.IgstVal")),
    Mutation("totals.cgst", "ValDtls.CgstVal", always, more("ValDtls.CgstVal")),
    Mutation("totals.sgst", "ValDtls.SgstVal", always, more("ValDtls.SgstVal")),
    Mutation("totals.cess", "ValDtls.CesVal", always, more("ValDtls.CesVal")),
    Mutation("totals.state_cess", "ValDtls.StCesVal", always, more("ValDtls.StCesVal")),
    Mutation("totals.invoice_value", "ValDtls.TotInvVal", always, more("ValDtls.TotInvVal")),
]  # fmt: skip
