"""Invoices made up at random: sound ones of each supply, as books would give them."""

from datetime import date
from decimal import Decimal
from typing import Any

from hypothesis import strategies as st

from irnflow.gst import gstin
from irnflow.gst.facts import Facts
from irnflow.sandbox.law.masters import NO_PIN, STATES_BY_PIN3
from tests.agreement.judges import Document

DAY = date(2026, 11, 22)
PINS = {state: prefix * 1000 + 1 for prefix, states in sorted(STATES_BY_PIN3.items()) for state in states}
GOODS = ("84137010", "85444999", "73181500", "30049099", "22021010", "94036000")
SERVICES = ("998314", "998717", "996511")
ABROAD = {"Gstin": "URP", "LglNm": "Far Imports", "Pos": "96", "Addr1": "5 Quay", "Loc": "Abroad", "Pin": NO_PIN,
          "Stcd": "96"}  # fmt: skip

texts = st.text(st.characters(categories=["L", "N"]), min_size=3, max_size=40)
amounts = st.decimals("0.01", "99999.99", places=2)
states = st.sampled_from(sorted(PINS))


@st.composite
def parties(draw: st.DrawFn) -> Document:
    """A registered one, with a sound GSTIN and a PIN of its state."""
    state, pan = draw(states), draw(st.from_regex(r"[A-Z]{3}[CFHP][A-Z][0-9]{4}[A-Z]", fullmatch=True))
    first = f"{state}{pan}{draw(st.sampled_from('123A'))}Z"
    return {
        "Gstin": first + gstin.check_character(first), "LglNm": "Some Traders",
        "Addr1": draw(texts), "Loc": "Somewhere", "Pin": PINS[state], "Stcd": state,
    }  # fmt: skip


@st.composite
def lines(draw: st.DrawFn) -> Document:
    """Goods by quantity, or a service; the tax is left to be reckoned."""
    line: dict[str, Any] = {
        "PrdDesc": draw(texts),
        "GstRt": Decimal(draw(st.sampled_from(["0", "0.25", "3", "5", "12", "18", "28", "40"]))),
        "UnitPrice": draw(st.decimals("0.01", "9999.999", places=3)),
    }
    if draw(st.booleans()):
        quantity = draw(st.decimals("0.001", "999.999", places=3))
        line |= {"IsServc": "N", "HsnCd": draw(st.sampled_from(GOODS)), "Qty": quantity, "Unit": "NOS"}
    else:
        line |= {"IsServc": "Y", "HsnCd": draw(st.sampled_from(SERVICES))}
    if draw(st.booleans()):
        line["CesRt"], line["CesNonAdvlAmt"] = Decimal(draw(st.integers(0, 60))), draw(amounts)
    if draw(st.booleans()):
        line["OthChrg"], line["StateCesRt"] = draw(amounts), Decimal(draw(st.integers(0, 5)))
    return line


@st.composite
def invoices(draw: st.DrawFn) -> tuple[Document, Facts]:
    """A sound document, and what is known when it is sent."""
    supply = draw(st.sampled_from(["B2B", "B2B", "SEZWP", "SEZWOP", "EXPWP", "EXPWOP", "DEXP"]))
    seller = draw(parties())
    buyer = draw(parties().filter(lambda party: party["Gstin"] != seller["Gstin"]))
    place = draw(st.one_of(st.just(seller["Stcd"]), st.just(buyer["Stcd"]), states))
    export = supply.startswith("EXP")
    document: Document = {
        "TranDtls": {"SupTyp": supply},
        "DocDtls": {"Typ": draw(st.sampled_from(["INV", "CRN", "DBN"])), "No": "MADE/UP/1", "Dt": "20/11/2026"},
        "SellerDtls": seller,
        "BuyerDtls": ABROAD if export else buyer | {"Pos": place},
        "ItemList": draw(st.lists(lines(), min_size=1, max_size=4)),
        "ValDtls": {
            "OthChrg": draw(st.decimals(1, 99999, places=2)),
            "RndOffAmt": draw(st.decimals("-0.99", "0.99", places=2)),
        },
    }
    if supply in {"B2B", "SEZWP", "SEZWOP"} and draw(st.booleans()):
        document["TranDtls"]["RegRev"] = "Y"
    if export:
        document["ExpDtls"] = {"CntCode": draw(st.sampled_from(["AE", "US", "KE"]))}
    zones = frozenset({buyer["Gstin"]}) if supply.startswith("SEZ") else frozenset[str]()
    return document, Facts(day=DAY, turnover_crore=draw(st.decimals(6, 500, places=1)), sez_gstins=zones)
