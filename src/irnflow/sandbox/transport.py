"""May goods travel so? The rules of the e-way bill, as rows: code, sentence, the function that finds a breach. Pure.

Written from NIC's validations as Masters India and ClearTax copy them, and from the published texts of the codes.
Distances between PIN codes are the portal's own; ours are made up unless a table is given.
"""

import math
import re
from collections.abc import Callable, Mapping
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from typing import Any, Final, TypeGuard

import msgspec

from irnflow.sandbox.codes import error
from irnflow.sandbox.protocol import IST
from irnflow.sandbox.shape import calendar_date
from irnflow.sandbox.taxpayers import UNREGISTERED, Taxpayers

Section = dict[str, Any]

ROAD, RAIL, AIR, SHIP = "1", "2", "3", "4"
REGULAR, OVER_DIMENSIONAL = "R", "O"
ABROAD: Final = "96"
PIN_ABROAD: Final = 999999
DISTANCE_MAX: Final = 4000  # km
_SAME_PIN_DISTANCE_MAX: Final = 100
_SHORT: Final = 100  # below it a distance may be anything from 1
_OLDEST: Final = timedelta(days=180)  # of a document: GSTN advisory of 17 December 2024
_VEHICLE: Final = re.compile(r"[A-Za-z0-9]{4,20}")
# General master of the IRIS portal, 28 March 2023: the first two letters are a state's, in most forms.
_OF_A_STATE: Final = re.compile(r"([A-Z]{2})(\d{2}[A-Z]{0,3}|\d{3}[A-Z])\d{4}", re.ASCII)
_OF_NO_STATE: Final = re.compile(r"[A-Z]{3}\d{4}|\d{2}BH\d{4}[A-Z]{1,2}|(DF|TM|TR|BP|NP)[A-Z0-9]{5,13}", re.ASCII)
_STATES_ON_PLATES: Final = (  # searched for two letters, which no space divides
    "AN AP AR AS BR CG CH DD DL DN GA GJ HP HR JH JK KA KL LA LD MH ML MN MP MZ NL OD OR PB PY RJ SK TG TN TR TS UA UK "
    "UP WB"
)
# NIC's additional validations of 17 December 2024: parcel way bill, railway receipt, leased wagon.
_RAILWAY: Final = re.compile(r"P[A-Z]{1,5}\d{4}-?\d{6}|F[A-Z]{1,5}\d{9}|L\d{9}", re.ASCII)
_KM_A_DAY: Final = {REGULAR: 200, OVER_DIMENSIONAL: 20}  # a bill is valid for so long (from memory, unverified)


class Journey(msgspec.Struct, frozen=True, kw_only=True):
    """Goods of a document, and how they are to travel."""

    details: Section  # EwbDtls, or the request for a bill by IRN
    document: Section
    ship_to: Section | None
    dispatch: Section  # where the goods leave: the supplier's place unless said otherwise
    today: date  # in India
    taxpayers: Taxpayers
    distances: Mapping[str, int] | None  # {"411001-560001": 840}; None: all are made up

    @property
    def mode(self) -> str:
        return str(self.details.get("TransMode") or "")

    @property
    def vehicle_type(self) -> str:
        return str(self.details.get("VehType") or "").upper()

    @property
    def from_pin(self) -> int:
        return int(self.dispatch.get("Pin") or PIN_ABROAD)

    @property
    def to_pin(self) -> int:
        return int((self.ship_to or self.document["BuyerDtls"]).get("Pin") or PIN_ABROAD)

    @property
    def distance_given(self) -> int:
        """0 where none is, or what stands there is none; what is too far is just too far."""
        distance = self.details.get("Distance")
        return int(min(distance, DISTANCE_MAX + 1)) if _is_distance(distance) else 0

    @property
    def distance_known(self) -> int | None:
        """The portal's own figure, where it has one."""
        if self.distances is None:
            return _made_up(self.from_pin, self.to_pin) if not self.distance_given else None
        pair = f"{self.from_pin}-{self.to_pin}"
        return self.distances.get(pair) or self.distances.get("-".join(reversed(pair.split("-"))))

    @property
    def distance(self) -> int:
        return self.distance_given or self.distance_known or 0

    @property
    def has_part_b(self) -> bool:
        """Whether it says what carries the goods; a transporter alone is Part A."""
        return bool(self.mode)

    def valid_till(self, made_at: datetime) -> datetime | None:
        """Midnight after so many days as the distance takes; None for Part A alone."""
        if not self.has_part_b:
            return None
        days = max(1, math.ceil(self.distance / _KM_A_DAY.get(self.vehicle_type, _KM_A_DAY[REGULAR])))
        last = made_at.astimezone(IST).date() + timedelta(days=days)
        return datetime.combine(last, time(23, 59), IST)


class Rule(msgspec.Struct, frozen=True):
    """One row."""

    code: str
    says: str
    is_broken: Callable[[Journey], object]  # what is true counts as broken; strings fill the code's text
    on_hold: bool = False  # announced for 1 August 2026, on hold since 29 July: tried only by the switch held_rules


def journey_of(
    document: Section, details: Section, *, today: date, taxpayers: Taxpayers, distances: Mapping[str, int] | None
) -> Journey:
    """A request by IRN may name other places than the document: ExpShipDtls, DispDtls."""
    return Journey(
        details=details,
        document=document,
        ship_to=details.get("ExpShipDtls") or document.get("ShipDtls"),
        dispatch=details.get("DispDtls") or document.get("DispDtls") or document["SellerDtls"],
        today=today,
        taxpayers=taxpayers,
        distances=distances,
    )


def troubles(journey: Journey, *, held_rules: bool = False) -> list[dict[str, str]]:
    """Every breach, as ErrorDetails has it; empty when the goods may travel so.

    The rules that are on hold are tried only when `held_rules` says so.
    """
    found = []
    for rule in RULES:
        broken = (held_rules or not rule.on_hold) and rule.is_broken(journey)
        if broken:
            found.append(error(rule.code, *(broken if isinstance(broken, tuple) else ())))
    return found


# -- what finds them -------------------------------------------------------------------------------------------------


def _is_note(journey: Journey) -> bool:
    return journey.document["DocDtls"]["Typ"].upper() in {"CRN", "DBN"}


def _has_no_goods(journey: Journey) -> bool:
    return all(item.get("IsServc") == "Y" for item in journey.document["ItemList"])


def _is_export(journey: Journey) -> bool:
    return journey.document["TranDtls"]["SupTyp"].upper() in {"EXPWP", "EXPWOP"}


def _has_carrier_without_mode(journey: Journey) -> bool:
    return not journey.mode and bool(journey.details.get("VehNo") or journey.details.get("TransDocNo"))


def _lacks(field: str, *modes: str) -> Callable[[Journey], bool]:
    return lambda journey: journey.mode in modes and not journey.details.get(field)


def _names_nobody(journey: Journey) -> bool:
    return not journey.mode and not journey.details.get("TransId") and not _has_carrier_without_mode(journey)


def _vehicle_is_wrong(journey: Journey) -> bool:
    number = str(journey.details.get("VehNo") or "").upper()
    if not number or journey.mode not in {"", ROAD}:
        return bool(number) and not _VEHICLE.fullmatch(number)
    of_a_state = _OF_A_STATE.fullmatch(number)
    return not (of_a_state and of_a_state[1] in _STATES_ON_PLATES) and not _OF_NO_STATE.fullmatch(number)


def _transporter_is_wrong(journey: Journey) -> bool:
    transporter = journey.details.get("TransId")
    return bool(transporter) and not journey.taxpayers.has_form(str(transporter))


def _transporter_is_gone(journey: Journey) -> tuple[str, ...] | None:
    transporter = str(journey.details.get("TransId") or "")
    if not transporter or not journey.taxpayers.has_form(transporter):
        return None
    return None if journey.taxpayers.may_carry(transporter) else (transporter,)


def _document_is_old(journey: Journey) -> bool:
    return journey.today - calendar_date(journey.document["DocDtls"]["Dt"]) > _OLDEST


def _railway_number_is_wrong(journey: Journey) -> bool:
    number = str(journey.details.get("TransDocNo") or "").upper()
    return journey.mode == RAIL and bool(number) and not _RAILWAY.fullmatch(number)


def _transport_day(journey: Journey) -> date | None:
    try:
        return calendar_date(journey.details["TransDocDt"])
    except (KeyError, TypeError, ValueError):
        return None


def _transport_day_is_wrong(journey: Journey) -> bool:
    return bool(journey.details.get("TransDocDt")) and _transport_day(journey) is None


def _transport_day_is_to_come(journey: Journey) -> bool:
    day = _transport_day(journey)
    return day is not None and day > journey.today


def _transport_day_is_before_the_document(journey: Journey) -> bool:
    day = _transport_day(journey)
    return day is not None and day < calendar_date(journey.document["DocDtls"]["Dt"])


def _supplier_is_blocked(journey: Journey) -> tuple[str, ...] | None:
    gstin = journey.document["SellerDtls"]["Gstin"]
    taxpayer = journey.taxpayers.find(gstin)
    return (gstin,) if taxpayer and taxpayer.blocked else None


def _ship_to(field: str, value: object) -> Callable[[Journey], bool]:
    return lambda journey: journey.ship_to is not None and journey.ship_to.get(field) == value


def _dispatch(field: str, value: object) -> Callable[[Journey], bool]:
    return lambda journey: journey.dispatch.get(field) == value


def _ship_to_state_is_another(journey: Journey) -> bool:
    place = journey.ship_to or {}
    gstin = place.get("Gstin") or UNREGISTERED
    return gstin != UNREGISTERED and gstin[:2] != str(place.get("Stcd") or "").zfill(2)


def _ship_to_is_another(journey: Journey) -> bool:
    named, registered = (journey.details.get("ExpShipDtls") or {}), (journey.document.get("ShipDtls") or {})
    given = named.get("Gstin")
    return bool(given) and not _is_export(journey) and given != registered.get("Gstin", given)


def _distance_is_no_number(journey: Journey) -> bool:
    distance = journey.details.get("Distance")
    return distance is not None and not _is_distance(distance)


def _is_distance(value: Any) -> TypeGuard[int | Decimal]:
    """Whole kilometres, which some write as 90.0."""
    if isinstance(value, bool) or not isinstance(value, int | Decimal) or value < 0:
        return False
    return value > DISTANCE_MAX or value % 1 == 0


def _same_pin_without_distance(journey: Journey) -> bool:
    return journey.from_pin == journey.to_pin != PIN_ABROAD and not journey.distance_given


def _abroad_without_distance(journey: Journey) -> bool:
    places = (journey.document["SellerDtls"], journey.document["BuyerDtls"], journey.dispatch, journey.ship_to or {})
    return PIN_ABROAD in [place.get("Pin") for place in places] and not journey.distance_given


def _distance_is_not_known(journey: Journey) -> tuple[str, ...] | None:
    if journey.distance or _same_pin_without_distance(journey) or _abroad_without_distance(journey):
        return None
    return (str(journey.from_pin), str(journey.to_pin))


def _distance_is_off(journey: Journey) -> bool:
    """Given within 10% of the known figure; from 1 where that is below 100; for one PIN at most 100."""
    given, known = journey.distance_given, journey.distance_known
    if not given or given > DISTANCE_MAX:
        return False
    if journey.from_pin == journey.to_pin:
        return given > _SAME_PIN_DISTANCE_MAX
    if known is None:
        return False
    least = 1 if known < _SHORT else math.ceil(known * 9 / 10)
    return not least <= given <= known * 11 // 10


def _made_up(from_pin: int, to_pin: int) -> int | None:
    """Kilometres that look like some; nothing for what is abroad or next door."""
    if from_pin == to_pin or PIN_ABROAD in {from_pin, to_pin}:
        return None
    return min(max(abs(from_pin - to_pin) // 100, 10), 3500)


RULES: Final = (
    Rule("4010", "Credit and debit notes have no e-way bill.", _is_note),
    Rule("4009", "At least one item is goods.", _has_no_goods),
    Rule("4015", "The supplier is not blocked.", _supplier_is_blocked),
    Rule("4043", "The document is at most 180 days old.", _document_is_old),
    Rule("4019", "Part A alone names a transporter.", _names_nobody),
    Rule("4028", "A vehicle or transport document comes with its mode.", _has_carrier_without_mode),
    Rule("4011", "By road: a vehicle.", _lacks("VehNo", ROAD)),
    Rule("4022", "By road: its type.", _lacks("VehType", ROAD)),
    Rule("4012", "By rail and air: a transport document.", _lacks("TransDocNo", RAIL, AIR)),
    Rule("4023", "By rail and air: its date.", _lacks("TransDocDt", RAIL, AIR)),
    Rule("4040", "By ship: a vehicle or a transport document.",
         lambda journey: _lacks("VehNo", SHIP)(journey) and _lacks("TransDocNo", SHIP)(journey)),
    Rule("4039", "By ship: no regular vehicle.", lambda it: it.mode == SHIP and it.vehicle_type == REGULAR),
    Rule("4024", "Over-dimensional cargo goes by road or ship.",
         lambda it: it.mode in {RAIL, AIR} and it.vehicle_type == OVER_DIMENSIONAL),
    Rule("4020", "A vehicle's type is R or O.", lambda it: it.vehicle_type not in {"", REGULAR, OVER_DIMENSIONAL}),
    Rule("4042", "By rail: the transport document has a number of the railways.", _railway_number_is_wrong),
    Rule("4014", "A vehicle's number has one of the set forms.", _vehicle_is_wrong),
    Rule("4018", "A transporter's id can be one.", _transporter_is_wrong),
    Rule("3052", "A transporter is active.", _transporter_is_gone),
    Rule("4017", "Dates are dd/mm/yyyy.", _transport_day_is_wrong),
    Rule("4016", "The transport document is not of a day to come.", _transport_day_is_to_come),
    Rule("4021", "The transport document is not older than the invoice.", _transport_day_is_before_the_document),
    Rule("4031", "Exports say where they are shipped to.", lambda it: _is_export(it) and not it.ship_to),
    Rule("4032", "Goods are shipped to a state of India.", _ship_to("Stcd", ABROAD)),
    Rule("4033", "Goods are shipped to a PIN of India.", _ship_to("Pin", PIN_ABROAD)),
    Rule("4035", "Goods leave from a state of India.", _dispatch("Stcd", ABROAD)),
    Rule("4036", "Goods leave from a PIN of India.", _dispatch("Pin", PIN_ABROAD)),
    Rule("4074", "The ship-to GSTIN belongs to its state.", _ship_to_state_is_another, on_hold=True),
    Rule("2324", "The ship-to GSTIN of the IRN stays.", _ship_to_is_another, on_hold=True),
    Rule("4006", "The distance is a number.", _distance_is_no_number),
    Rule("4038", "The distance is at most 4000 km.",
         lambda it: not _distance_is_no_number(it) and it.distance_given > DISTANCE_MAX),
    Rule("4029", "Within one PIN the distance is given.",
         lambda it: not _distance_is_no_number(it) and _same_pin_without_distance(it)),
    Rule("4034", "Where any address has 999999 the distance is given.",
         lambda it: not _distance_is_no_number(it) and _abroad_without_distance(it)),
    Rule("4030", "Where no distance is known it is given.",
         lambda it: not _distance_is_no_number(it) and _distance_is_not_known(it)),
    Rule("4013", "The distance is near the known one.",
         lambda it: not _distance_is_no_number(it) and _distance_is_off(it)),
)  # fmt: skip
