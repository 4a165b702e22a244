"""`irnflow irn`: the IRN of a document, and how it comes about."""

import re
from datetime import timedelta
from typing import Final

import click

_DOC_TYPES: Final = {"INV": "invoice", "CRN": "credit note", "DBN": "debit note"}
_YEAR: Final = re.compile(r"(20\d\d)-(\d\d)")
_GSTIN: Final = re.compile(r"[0-9]{2}[0-9A-Z]{13}")  # INV-01's own pattern: sandbox numbers fit it too


def _gstin(context: click.Context, parameter: click.Parameter, value: str) -> str:
    from irnflow.gst import gstin

    number = value.strip().upper()
    if not _GSTIN.fullmatch(number):
        raise click.BadParameter(
            f"{value!r} is no GSTIN: it has 15 characters, the first two digits: 29AAFCC9980M1ZR. "
            "(An IRN is made of what the invoice says; that of a voucher id is found in its batch and in the books.)"
        )
    if gstin.kind(number) and not gstin.is_sound(number):
        last = gstin.check_character(number[:14])
        raise click.BadParameter(f"{value!r} has a slip of the pen: after {number[:14]} comes {last}, not {number[14]}")
    return number


def _financial_year(context: click.Context, parameter: click.Parameter, value: str) -> str:
    said = _YEAR.fullmatch(value.strip())
    if not said:
        raise click.BadParameter(f"{value!r} is no financial year: April to March, written 2026-27")
    following = f"{(int(said[1]) + 1) % 100:02}"
    if said[2] != following:
        raise click.BadParameter(f"{value!r} is no financial year: {said[1]} is followed by {following}")
    return value.strip()


def _doc_typ(context: click.Context, parameter: click.Parameter, value: str) -> str:
    if value.upper() not in _DOC_TYPES:
        raise click.BadParameter(
            f"{value!r} is no type of document: INV (invoice), CRN (credit note), DBN (debit note)"
        )
    return value.upper()


def _number(context: click.Context, parameter: click.Parameter, value: str) -> str:
    from irnflow.gst import document_number

    if not document_number.is_sound(value):
        raise click.BadParameter(f"{value!r} is no document number: 1 to 16 letters, digits, / and -, "
                                 "and the first is neither 0, / nor -")  # fmt: skip
    return value


@click.command()
@click.argument("gstin", callback=_gstin)
@click.argument("financial_year", callback=_financial_year)
@click.argument("doc_typ", metavar="TYPE", callback=_doc_typ)
@click.argument("number", callback=_number)
@click.option("--json", "as_json", is_flag=True, help="As JSON, for programs.")
def irn(gstin: str, financial_year: str, doc_typ: str, number: str, as_json: bool) -> None:
    """Print the IRN of a document, and how it comes about.

    \b
    GSTIN           the supplier's
    FINANCIAL_YEAR  of the document's date, as 2026-27
    TYPE            INV, CRN or DBN
    NUMBER          the document's, as it is printed

    Numbers of financial years up to 2024-25 are hashed as given, later ones in upper case, as the portals do since
    1 June 2025. (What irnflow registers is in upper case always.) A number with small letters that was registered in
    April or May 2025 was still hashed as given; its IRN is printed as well.
    """
    from irnflow.gst import dates, document_number
    from irnflow.gst import irn as law

    hashed = law.hashed(gstin, financial_year, doc_typ, number)
    computed = law.irn(gstin, financial_year, doc_typ, number)
    upper = financial_year >= document_number.UPPER_CASE_SINCE
    if as_json:
        import msgspec

        parts = {"gstin": gstin, "financial_year": financial_year, "doc_typ": doc_typ, "number": number}
        whole = {"irn": computed, **parts, "hashed": hashed, "upper_cased": upper}
        click.echo(msgspec.json.encode(whole))
        return
    if not upper:
        why = f"as given: upper case counts from financial year {document_number.UPPER_CASE_SINCE} on"
    elif number == number.upper():
        why = "in upper case"
    else:
        why = f"{number} in upper case, as the portals do from financial year {document_number.UPPER_CASE_SINCE} on"
    for name, value, note in (
        ("supplier GSTIN", gstin, ""),
        ("financial year", financial_year, "April to March, of the document's date"),
        ("type", doc_typ, _DOC_TYPES[doc_typ]),
        ("number", hashed[-len(number) :], why),
    ):
        click.echo(_dim(name) + (f"{value:<17}{click.style(note, dim=True)}" if note else value))
    click.echo(f"\n{_dim('SHA-256 of')}{hashed}\n{_dim('IRN')}{click.style(computed, bold=True)}")
    last = document_number.UPPER_CASE_FROM - timedelta(days=1)
    if dates.financial_year(last) == financial_year and number != number.upper():
        (as_given,) = law.registered_as(gstin, last, doc_typ, number, registered=last)
        click.echo(f"\n{_dim('until May 2025')}{as_given}")


def _dim(name: str) -> str:
    return click.style(f"{name:<16}", dim=True)
