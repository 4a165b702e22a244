"""The sample company: Sahyadri Pumps and Controls, Pune, with a branch in Bengaluru; its parties, products and sales.

Everybody in it is made up; the GSTINs have right check digits, PINs lie in their states, HSN and SAC codes exist.
Its turnover is below ten crore rupees, so that the limit of 30 days does not reach it and the sample stays good.
"""

from collections.abc import Callable
from decimal import Decimal
from typing import Any, Final

import msgspec

from irnflow.messages import State

HEAD_OFFICE: Final = "27ZZQCS4821M1ZM"
BRANCH: Final = "29ZZQCS4821M1ZI"
TURNOVER_CRORE: Final = Decimal("8.50")
ABROAD: Final = "96"


class Party(msgspec.Struct, frozen=True):
    """A row of books.party."""

    party_id: str
    gstin: str
    legal_name: str
    address_1: str
    address_2: str | None
    place: str
    pin: str
    state: str
    phone: str | None = None
    email: str | None = None
    trade_name: str | None = None


class Product(msgspec.Struct, frozen=True):
    """What is sold."""

    description: str
    hsn: str
    unit: str | None  # of a service: none
    unit_price: Decimal
    gst_rate: Decimal
    is_service: bool = False


class Line(msgspec.Struct, frozen=True):
    """So much of a product."""

    product: str
    quantity: Decimal
    discount: Decimal = Decimal("0.00")


Row = dict[str, Any]


class Sale(msgspec.Struct, frozen=True, kw_only=True):
    """One voucher; its amounts are calculated when it is loaded."""

    voucher_id: str
    buyer: str
    lines: tuple[Line, ...]
    days_ago: int = 3
    seller: str = "head_office"
    document_type: str = "INV"
    supply_type: str = "B2B"
    reverse_charge: bool = False
    dispatched_from: str | None = None
    shipped_to: str | None = None
    corrects: str | None = None  # voucher id that a note is about
    other_charges: Decimal = Decimal("0.00")  # freight and packing, on the whole invoice
    more: Row = {}  # further columns of books.voucher
    spoil: Callable[[Row, list[Row]], None] | None = None  # what is made wrong on purpose, in header and lines
    becomes: State = State.REGISTERED


def _lines(*lines: str) -> tuple[Line, ...]:
    """Lines from "product quantity [discount]"."""
    return tuple(Line(name, *map(Decimal, numbers)) for name, *numbers in (line.split() for line in lines))


def _products(*rows: str) -> dict[str, Product]:
    """Products from "name | description | HSN | unit, - for a service | price | rate"."""
    found = {}
    for row in rows:
        name, description, hsn, unit, price, rate = (part.strip() for part in row.split("|"))
        service = unit == "-"
        found[name] = Product(description, hsn, None if service else unit, Decimal(price), Decimal(rate), service)
    return found


PRODUCTS: Final = _products(
    "pump | Centrifugal pump, 5 HP, cast iron | 84137010 | NOS | 18450.00 | 18",
    "impeller | Bronze impeller, 180 mm | 84139190 | NOS | 2310.50 | 18",
    "valve | Butterfly valve, DN 100 | 84818030 | NOS | 3875.00 | 18",
    "starter | Motor starter panel, 7.5 kW | 85371090 | SET | 9640.00 | 18",
    "breaker | Miniature circuit breaker, 32 A | 85364900 | PCS | 412.75 | 18",
    "cable | Copper cable, 3 core, 4 sq mm | 85444999 | MTR | 186.425 | 18",
    "lugs | Cable lugs, tinned copper | 85369090 | PAC | 640.00 | 18",
    "bolt | Hex bolt M12 x 60, grade 8.8 | 73181500 | KGS | 148.335 | 18",
    "pipe | HDPE pipe, 90 mm | 39172390 | MTR | 214.60 | 18",
    "grease | Lithium grease | 27101980 | KGS | 395.00 | 18",
    "gasket | Rubber gasket, 100 mm | 40169330 | NOS | 84.00 | 18",
    "bearing | Ball bearing 6308 | 84821011 | NOS | 1125.00 | 18",
    "carton | Corrugated carton, 5 ply | 48191010 | NOS | 62.40 | 5",
    "softener | Water softener for the household | 84212120 | UNT | 27500.00 | 5",
    "tube | Copper tube, 15 mm | 74112100 | KGS | 912.18 | 18",
    "gauge | Pressure gauge, 0 to 10 bar | 90262000 | NOS | 1430.00 | 18",
    "rice | Basmati rice, loose, from the canteen's stock | 10063020 | KGS | 92.00 | 0",
    "tea | Black tea, in bulk | 09024010 | KGS | 310.00 | 5",
    "installing | Installation of pumping sets | 998732 | - | 22000.00 | 18",
    "upkeep | Upkeep of pumping sets, a quarter | 998717 | - | 36000.00 | 18",
    "advice | Advice on control software | 998313 | - | 54000.00 | 18",
    "haulage | Haulage of goods by road | 996511 | - | 14500.00 | 5",
)

PARTIES: Final = (
    Party("head_office", HEAD_OFFICE, "Sahyadri Pumps and Controls Private Limited", "Plot 14, Bhosari Industrial Area",
          "Near Landewadi", "Pune", "411026", "27", "02027110144", "accounts@sahyadri.example", "Sahyadri Pumps"),
    Party("branch", BRANCH, "Sahyadri Pumps and Controls Private Limited", "41, Peenya Industrial Area, Phase II",
          None, "Bengaluru", "560058", "29", "08028390077", "bengaluru@sahyadri.example", "Sahyadri Pumps"),
    Party("godown", HEAD_OFFICE, "Sahyadri Pumps and Controls Private Limited", "Gat 208, Chakan Godowns",
          "Nashik Road", "Chakan", "410501", "27"),
    Party("deccan", "27ZZKFD1290C1ZL", "Deccan Irrigation Systems LLP", "Survey 77, Baner Road", None,
          "Pune", "411045", "27", "9822012345", "purchase@deccan.example"),
    Party("konkan", "27ZZBCK7741R1ZQ", "Konkan Infra Projects Private Limited", "6th floor, Andheri-Kurla Road",
          "Chakala", "Mumbai", "400093", "27", "02228311900"),
    Party("nandi", "29ZZNCN3364H1ZX", "Nandi Water Solutions Private Limited", "112, Hosur Road", "Bommasandra",
          "Bengaluru", "560099", "29"),
    Party("coromandel", "33ZZCPC8812L1ZR", "Coromandel Foundry Works", "23, SIDCO Estate", "Ambattur",
          "Chennai", "600098", "33", "04426251188", "stores@coromandel.example"),
    Party("palar", "33ZZDPM4471K1ZJ", "Palar Machine Works", "Shed 9, Irungattukottai", None,
          "Sriperumbudur", "602117", "33"),
    Party("yamuna", "07ZZYFE5093Q1Z6", "Yamuna Electricals", "B-57, Okhla Industrial Area, Phase I", None,
          "New Delhi", "110020", "07"),
    Party("sabarmati", "24ZZSCP6627D1Z4", "Sabarmati Process Plants Limited", "GIDC Vatva, Phase IV", None,
          "Ahmedabad", "382445", "24", "07925831020", "ap@sabarmati.example"),
    Party("charminar", "36ZZHFA2045J1ZI", "Charminar Agro Equipments", "8-3, Balanagar", None,
          "Hyderabad", "500037", "36"),
    Party("hooghly", "19ZZJCH9318N1ZP", "Hooghly Jute Mills Limited", "14, Strand Road", "2nd floor",
          "Kolkata", "700001", "19"),
    Party("hinjewadi_sez", "27ZZTCH4450E1ZA", "Hinjewadi Turbines Private Limited (SEZ unit)", "Plot 3, Phase III",
          "Rajiv Gandhi Infotech Park", "Pune", "411057", "27"),
    Party("mundra_sez", "24ZZMCG7183B1ZI", "Gulf Desalination India Limited (SEZ unit)", "Sector 12, Mundra SEZ", None,
          "Mundra", "370421", "24"),
    Party("eou", "33ZZSCC1926F1ZM", "Sriperumbudur Castings Limited (EOU)", "F-31, SIPCOT Industrial Park", None,
          "Sriperumbudur", "602105", "33"),
    Party("mahanadi", "21ZZUCM5571G1Z4", "Mahanadi Minerals Limited", "Bomikhal", None, "Bhubaneswar", "751010", "21"),
    Party("dubai", "URP", "Al Noor Irrigation Trading LLC", "Warehouse 18, Al Quoz 3", None, "Dubai", "999999", ABROAD),
    Party("nairobi", "URP", "Rift Valley Borehole Services Ltd", "Enterprise Road", None, "Nairobi", "999999", ABROAD),
    Party("jnpt", "URP", "Jawaharlal Nehru Port", "Nhava Sheva", None, "Navi Mumbai", "400707", "27"),
    # Wrong on purpose
    Party("miskeyed", "09ZZGFB6142T1ZX", "Ganga Fabricators and Boilers", "Site 4, Sahibabad", None,
          "Ghaziabad", "201010", "09"),
    Party("typed_badly", "27ZZKFD1290C1ZL", "Deccan Irrigation Systems LLP", "Survey 77, Baner Road", None,
          "Pune", "4110O1", "27"),
    Party("neighbour", "27ZZWCP3308K1ZR", "Westerly Pumps Private Limited", "Plot 15, Bhosari Industrial Area", None,
          "Pune", "411026", "27"),
)  # fmt: skip


def _wrong_total(header: Row, lines: list[Row]) -> None:
    header["total_value"] += Decimal("500.00")


def _no_hsn(header: Row, lines: list[Row]) -> None:
    lines[1]["hsn"] = None


def _cgst_across_states(header: Row, lines: list[Row]) -> None:
    for row in (header, *lines):
        row["cgst"] = row["sgst"] = row["igst"] / 2
        row["igst"] = Decimal("0.00")


_AED: Final[Row] = {"currency": "AED", "country": "AE", "port_code": "INNSA1", "shipping_bill_number": "4418207"}
_USD: Final[Row] = {"currency": "USD", "country": "KE", "port_code": "INNSA1"}
_EACH_PRODUCT_TWICE: Final = tuple(
    Line(name, Decimal(3 + i % 7), Decimal("25.00") if i % 5 == 0 else Decimal("0.00"))
    for i, name in enumerate([name for name, product in PRODUCTS.items() if not product.is_service] * 3)
)[:40]

SALES: Final = (
    # Within the state
    Sale(voucher_id="SAL/1001", buyer="deccan", days_ago=4,
         lines=_lines("pump 2", "starter 2", "cable 85.5", "bolt 12.25", "gasket 40")),
    Sale(voucher_id="SAL/1002", buyer="konkan", days_ago=6, lines=_lines("valve 12 1500", "gasket 24")),
    Sale(voucher_id="SAL/1003", buyer="deccan", days_ago=9, lines=_lines("pipe 600 2575.20"),
         other_charges=Decimal("1800.00")),
    Sale(voucher_id="SAL/1004", buyer="konkan", days_ago=11, lines=_lines("carton 500", "grease 18.4")),
    Sale(voucher_id="SAL/1005", buyer="konkan", days_ago=2, lines=_lines("installing 1", "upkeep 1")),
    Sale(voucher_id="SAL/1006", buyer="deccan", days_ago=14, lines=_lines("rice 150", "tea 12.5")),
    Sale(voucher_id="SAL/1007", buyer="konkan", days_ago=1, lines=_EACH_PRODUCT_TWICE),
    Sale(voucher_id="SAL/1008", buyer="deccan", days_ago=20, lines=_lines("tube 33.333", "gauge 7")),
    Sale(voucher_id="SAL/1009", buyer="nandi", seller="branch", days_ago=5, lines=_lines("pump 1", "installing 1")),
    Sale(voucher_id="SAL/1010", buyer="nandi", seller="branch", days_ago=8, lines=_lines("softener 3", "bearing 16")),
    # Between states
    Sale(voucher_id="SAL/1011", buyer="coromandel", days_ago=3, lines=_lines("impeller 20 462.10", "bearing 40")),
    Sale(voucher_id="SAL/1012", buyer="yamuna", days_ago=7, lines=_lines("breaker 250", "lugs 60", "cable 1200")),
    Sale(voucher_id="SAL/1013", buyer="sabarmati", days_ago=10, lines=_lines("valve 30", "gauge 30"),
         other_charges=Decimal("4250.00")),
    Sale(voucher_id="SAL/1014", buyer="charminar", days_ago=12, lines=_lines("pump 6 2214.00")),
    Sale(voucher_id="SAL/1015", buyer="hooghly", days_ago=16, lines=_lines("bolt 340.125", "grease 50")),
    Sale(voucher_id="SAL/1016", buyer="mahanadi", days_ago=18, lines=_lines("advice 1")),
    Sale(voucher_id="SAL/1017", buyer="coromandel", days_ago=2, lines=_lines("pump 4", "starter 4"),
         dispatched_from="godown", shipped_to="palar"),
    Sale(voucher_id="SAL/1018", buyer="sabarmati", seller="branch", days_ago=22, lines=_lines("softener 10 5500.00")),
    Sale(voucher_id="SAL/1019", buyer="yamuna", days_ago=27, lines=_lines("carton 1000 1240.00", "tea 25")),
    Sale(voucher_id="SAL/1020", buyer="deccan", seller="branch", days_ago=13, lines=_lines("impeller 2", "gasket 8")),
    # The recipient pays the tax
    Sale(voucher_id="SAL/1021", buyer="konkan", days_ago=6, reverse_charge=True, lines=_lines("haulage 1")),
    Sale(voucher_id="SAL/1022", buyer="hooghly", days_ago=15, reverse_charge=True, lines=_lines("haulage 3")),
    # Special economic zones, with IGST paid and without; IGST within the state too
    Sale(voucher_id="SAL/1023", buyer="hinjewadi_sez", supply_type="SEZWP", days_ago=4,
         lines=_lines("valve 8", "bolt 20")),
    Sale(voucher_id="SAL/1024", buyer="mundra_sez", supply_type="SEZWOP", days_ago=9,
         lines=_lines("pump 10", "pipe 900")),
    Sale(voucher_id="SAL/1025", buyer="hinjewadi_sez", supply_type="SEZWOP", days_ago=17, lines=_lines("upkeep 1")),
    # Exports, with IGST paid and without; deemed export
    Sale(voucher_id="SAL/1026", buyer="dubai", supply_type="EXPWP", days_ago=8, lines=_lines("pump 15", "impeller 30"),
         shipped_to="jnpt", more=_AED),
    Sale(voucher_id="SAL/1027", buyer="nairobi", supply_type="EXPWOP", days_ago=19,
         lines=_lines("pump 8", "cable 2500"), more=_USD),
    Sale(voucher_id="SAL/1028", buyer="dubai", supply_type="EXPWOP", days_ago=21, lines=_lines("advice 2"),
         more={"currency": "AED", "country": "AE"}),
    Sale(voucher_id="SAL/1029", buyer="eou", supply_type="DEXP", days_ago=5, lines=_lines("bearing 100", "grease 60")),
    # Notes
    Sale(voucher_id="CRN/2001", buyer="konkan", document_type="CRN", days_ago=3, corrects="SAL/1002",
         lines=_lines("valve 2"), more={"remarks": "Two valves returned, seats leaking"}),
    Sale(voucher_id="CRN/2002", buyer="sabarmati", document_type="CRN", days_ago=6, corrects="SAL/1013",
         lines=_lines("gauge 5")),
    Sale(voucher_id="DBN/3001", buyer="coromandel", document_type="DBN", days_ago=1, corrects="SAL/1011",
         lines=_lines("bearing 2"), more={"remarks": "Two bearings more than billed"}),
    # Wrong on purpose
    Sale(voucher_id="SAL/1051", buyer="miskeyed", lines=_lines("pump 1"), becomes=State.VALIDATION_FAILED),
    Sale(voucher_id="SAL/1052", buyer="deccan", lines=_lines("starter 1", "lugs 3"), spoil=_wrong_total,
         becomes=State.VALIDATION_FAILED),
    Sale(voucher_id="SAL/1053", buyer="konkan", lines=_lines("breaker 10", "cable 100"), spoil=_no_hsn,
         becomes=State.VALIDATION_FAILED),
    Sale(voucher_id="SAL/1054", buyer="coromandel", lines=_lines("valve 4"), spoil=_cgst_across_states,
         becomes=State.VALIDATION_FAILED),
    Sale(voucher_id="SAL/1055", buyer="yamuna", lines=_lines("bearing 8"), days_ago=-400,
         becomes=State.VALIDATION_FAILED),
    Sale(voucher_id="SAL/1056", buyer="deccan", lines=(), becomes=State.VALIDATION_FAILED),
    Sale(voucher_id="SAL/1057", buyer="typed_badly", lines=_lines("gasket 100"), becomes=State.DATA_FETCH_FAILED),
    Sale(voucher_id="SAL/1058", buyer="konkan", seller="neighbour", lines=_lines("pump 1"),
         becomes=State.DATA_FETCH_FAILED),
)  # fmt: skip

NO_SUCH_VOUCHER: Final = "SAL/9999"  # asked for all the same
