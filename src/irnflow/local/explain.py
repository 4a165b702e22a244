"""Codes explained on the terminal: the portal's, those of our own rules and notes, and the classes of the portal's."""

import csv
import difflib
import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from importlib.resources import files
from typing import Any, Final, NamedTuple, TypeAlias

import msgspec
from rich.console import Console
from rich.rule import Rule as Heading
from rich.table import Table
from rich.text import Text

from irnflow.gst import rules
from irnflow.gst.faults import Kind, Severity
from irnflow.gst.hindi import kinds
from irnflow.gst.portal_codes import PortalClass, PortalCode, catalogue, class_words, portal_code
from irnflow.gst.rules import Rule
from irnflow.gst.rules.row import ALWAYS, FOR_EVER, Clock


class Family(NamedTuple):
    """The codes of ours that begin alike: ship_to.pin, ship_to.state."""

    name: str
    kinds: tuple[Kind, ...]


Explained: TypeAlias = PortalCode | Kind | PortalClass | Family

_WIDTH_MOST: Final = 100  # longer lines are hard to read
_LABEL_WIDTH: Final = 13
_NEAR_MOST: Final = 5
_PORTAL_SAYS: Final = {
    "exact": "“{text}”",
    "near-exact": "“{text}” (or nearly so)",
    "partial": "“{text}”",
    "paraphrase": "{text}; its own words are not known",
}


def found(code: str) -> Explained | None:
    """What a code names, as people paste it: "2150", "portal.2150" as in the worklist, one of ours or what several of
    ours begin with, or a class."""
    name = code.strip().lower().removeprefix("portal.")
    return portal_code(name) or kinds().get(name) or PortalClass.__members__.get(name.upper()) or _family(name)


def _family(name: str) -> Family | None:
    name = name.removesuffix(".*").rstrip(".")
    alike = tuple(kind for code, kind in kinds().items() if code.startswith(f"{name}."))
    return Family(name, alike) if alike else None


def unknown(code: str) -> str:
    """The sentence about a code that nothing has: it names those that have it in them, or look like it."""
    known = {name.lower(): name for name in (*catalogue(), *kinds(), *PortalClass)}
    wanted = code.strip().lower()
    holding = [name for name in known if wanted and wanted in name]
    alike = difflib.get_close_matches(wanted, known, n=_NEAR_MOST)
    near = list(dict.fromkeys([*sorted(holding, key=lambda name: name.index(wanted)), *alike]))[:_NEAR_MOST]
    names = f"near it: {', '.join(known[name] for name in near)}" if near else "`irnflow explain` lists the classes"
    return f"no list we know has the code {code!r}; {names}"


def show(console: Console, explained: Sequence[Explained]) -> None:
    """Print each, one below the other."""
    console.width = min(console.width, _WIDTH_MOST)
    for one in explained:
        title, lines = _told(one)
        console.print(Heading(Text(title, "bold"), align="left", characters="─"))
        table = Table.grid(padding=(0, 1))
        table.add_column(style="dim", width=_LABEL_WIDTH)
        table.add_column(overflow="fold")
        for label, text in lines:
            table.add_row(label, Text(text))
        console.print(table)
        if isinstance(one, PortalClass | Family):
            console.print(_codes_of(one))
        console.print()


def show_classes(console: Console) -> None:
    """Print the classes of the portal's codes, and how many codes each has."""
    console.width = min(console.width, _WIDTH_MOST)
    counts = Counter(entry.klass for entry in catalogue().values())
    table = Table(title=f"{len(catalogue())} codes of the portal, by what is to be done", title_justify="left")
    table.add_column("class", no_wrap=True)
    table.add_column("codes", justify="right")
    table.add_column("what it means")
    for klass in PortalClass:
        table.add_row(klass, str(counts[klass]), class_words(klass).means)
    console.print(table)
    console.print("`irnflow explain CODE` tells of one code, `irnflow explain CLASS` lists the codes of a class.")


def as_json(explained: Sequence[Explained]) -> bytes:
    """A list of objects; `kind` tells what each is: portal, rule, fault (of ours, by no rule), class, family."""
    return msgspec.json.format(msgspec.json.encode([_plain(one) for one in explained]))


def _told(one: Explained) -> tuple[str, Iterator[tuple[str, str]]]:
    if isinstance(one, PortalCode):
        return f"{one.code} · {one.klass}", _lines_of_code(one)
    if isinstance(one, Kind):
        return f"{one.code} · code of irnflow", _lines_of_kind(one)
    if isinstance(one, Family):
        return f"{one.name} · {len(one.kinds)} codes of irnflow", iter(())
    return f"{one} · class of the portal's codes", _lines_of_class(one)


def _lines_of_code(entry: PortalCode) -> Iterator[tuple[str, str]]:
    yield "portal says", _PORTAL_SAYS[entry.text_is].format(text=entry.portal_text.strip("()"))
    yield "it means", entry.means
    yield "irnflow", entry.does
    yield "what to do", entry.fix
    yield "in Hindi", entry.fix_hi
    if entry.rules:
        yield "our rules", f"find it before anything is sent: {', '.join(entry.rules)}"


def _lines_of_kind(kind: Kind) -> Iterator[tuple[str, str]]:
    yield "what is wrong", _sentence(kind)
    if example := _examples().get(kind.code):
        yield "for example", example
    yield "what to do", kind.fix
    yield "in Hindi", kind.fix_hi
    if isinstance(kind, Rule) and kind.on_hold:
        yield "irnflow", "does not apply this rule today"
    elif kind.severity is Severity.WARNING:
        yield "irnflow", "only warns: the invoice is sent all the same"
    else:
        yield "irnflow", "fails the voucher before anything is sent to the portal"
    if kind.portal_code:
        yield "the portal", f"would answer {kind.portal_code}: `irnflow explain {kind.portal_code}`"
    if isinstance(kind, Rule):
        yield "in force", _in_force(kind)
        yield "why", kind.source
        if kind.on_hold or (kind.since, kind.until) != (ALWAYS, FOR_EVER):
            yield "see also", "docs/law-calendar.md: what changed when, what is on hold"


def _sentence(kind: Kind) -> str:
    """Its sentence; <found> is what a fault quotes of the invoice."""
    return re.sub(r"{(\w+)}", r"<\1>", kind.says)


@cache
def _examples() -> Mapping[str, str]:
    """What each rule says of a document that breaks it, and of which place of it (tests/gst/rule_examples.py)."""
    with files(rules).joinpath("examples.csv").open(encoding="utf-8") as file:
        return {row["code"]: f"{row['place'] or 'the document'}: {row['says']}" for row in csv.DictReader(file)}


def _in_force(rule: Rule) -> str:
    if rule.on_hold is not None:
        planned = f"; it was to hold {_days(rule)}" if rule.since > ALWAYS else ""
        return f"not at present: on hold since {rule.on_hold.isoformat()}, and not applied{planned}"
    return _days(rule)


def _days(rule: Rule) -> str:
    if rule.since == ALWAYS and rule.until == FOR_EVER:
        return "for every document"
    since = "" if rule.since == ALWAYS else f" from {rule.since.isoformat()} on"
    until = "" if rule.until == FOR_EVER else f" until {rule.until.isoformat()}"
    return f"for documents {'dated' if rule.clock is Clock.DATED else 'sent'}{since}{until}"


def _lines_of_class(klass: PortalClass) -> Iterator[tuple[str, str]]:
    words = class_words(klass)
    yield "it means", words.means
    yield "irnflow", words.does
    yield "what to do", words.fix
    yield "in Hindi", words.fix_hi


def _codes_of(one: PortalClass | Family) -> Table:
    table = Table.grid(padding=(0, 1))
    table.add_column(style="bold", no_wrap=True, min_width=_LABEL_WIDTH)
    table.add_column(overflow="fold")
    if isinstance(one, Family):
        for kind in one.kinds:
            table.add_row(kind.code, Text(_sentence(kind)))
    else:
        for entry in _entries_of(one):
            table.add_row(entry.code, Text(entry.means))
    return table


def _entries_of(klass: PortalClass) -> list[PortalCode]:
    return [entry for entry in catalogue().values() if entry.klass is klass]


def _plain(one: Explained) -> dict[str, Any]:
    if isinstance(one, PortalCode):
        return {"kind": "portal", **msgspec.to_builtins(one)}
    if isinstance(one, PortalClass):
        names = [entry.code for entry in _entries_of(one)]
        return {"kind": "class", "class": one, **msgspec.to_builtins(class_words(one)), "codes": names}
    if isinstance(one, Family):
        return {"kind": "family", "name": one.name, "codes": [kind.code for kind in one.kinds]}
    words = {
        "code": one.code,
        "portal_code": one.portal_code,
        "severity": one.severity,
        "says": one.says,
        "example": _examples().get(one.code),
        "fix": one.fix,
        "fix_hi": one.fix_hi,
    }
    if not isinstance(one, Rule):
        return {"kind": "fault", **words}
    since, until = None if one.since == ALWAYS else one.since, None if one.until == FOR_EVER else one.until
    return {
        "kind": "rule", **words, "source": one.source, "since": since, "until": until, "clock": one.clock,
        "on_hold": one.on_hold,
    }  # fmt: skip
