"""docs/codes.md, made from the catalogue: `python -m irnflow.gst.codes_page > docs/codes.md`."""

import sys
from collections.abc import Iterator, Sequence

from irnflow.gst.portal_codes import ClassWords, PortalCode, catalogue, chapters

_HEAD = """\
# The portal's codes

Made from the catalogue by `python -m irnflow.gst.codes_page > docs/codes.md`; a test holds it to the catalogue.

{n} codes that the portal, or a service provider in front of it, may answer with, by class: what is to be done about
them. Above each table stands what irnflow does, and what a person does, in English and Hindi, where a code has no words
of its own. `irnflow explain 2150` tells the same of one code, `GET /api/v1/codes/2150` tells it to programs.

- *List* is the portal's list that has the code: VITAL (login, account, master data), INV (invoice), EWB (e-way bill
  with or by an IRN), EWBSYS (the e-way bill system itself, which answers when a bill is cancelled; its numbers mean
  nothing in an answer about an invoice), SYS (the portal's system). Codes of GSP are those of service providers.
- *Portal's text* is literal, `{{0}}` standing for what the portal fills in. ≈ stands before a text that is known nearly
  or in part; text in parentheses tells what is known of a code whose own words are not. All else is in our words.

What irnflow finds before it sends anything, and the portal's code for it, stands in [law.md](law.md). Sources:
`src/irnflow/gst/codes/README.md`.
"""


def page() -> str:
    """The whole page."""
    return "\n".join(_lines()) + "\n"


def _lines() -> Iterator[str]:
    yield _HEAD.format(n=len(catalogue())).rstrip()
    for words, entries in chapters():
        yield from _chapter(words, entries)


def _chapter(words: ClassWords, entries: Sequence[PortalCode]) -> Iterator[str]:
    yield from ("", f"## {words.title}", "", words.means, "")
    yield f"- irnflow: {words.does}"
    yield f"- What to do: {words.fix}"
    yield f"- {words.fix_hi}"
    yield from ("", "| code | list | portal's text | what it means | what to do |", "|---|---|---|---|---|")
    for entry in entries:
        yield _row(entry, words)


def _row(entry: PortalCode, words: ClassWords) -> str:
    does = "" if entry.does == words.does else f"irnflow: {entry.does}"
    fix = "" if entry.fix == words.fix else entry.fix
    hindi = "" if entry.fix_hi == words.fix_hi else entry.fix_hi
    own = "<br>".join(filter(None, (does, fix, hindi)))
    cells = (f"`{entry.code}`", entry.group, _portal_text(entry), entry.means, own)
    return f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in cells)} |"


def _portal_text(entry: PortalCode) -> str:
    return f"≈ {entry.portal_text}" if entry.text_is in ("near-exact", "partial") else entry.portal_text


if __name__ == "__main__":
    sys.stdout.write(page())
