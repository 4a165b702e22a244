"""`irnflow verify`: whether a signed invoice or QR code is what a portal signed, and says what was sent. Offline."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import click

from irnflow.commands.environment import settings
from irnflow.errors import BadInput

if TYPE_CHECKING:
    from rich.console import Console

    from irnflow.files.proof import Proof
    from irnflow.portal.signing_keys import SigningKey

HOLDS, DOES_NOT, UNREADABLE = 0, 1, 2  # exit codes
_SHOWN_MOST: Final = 20  # differences that the table shows; --json has them all
_WIDTH_PIPED: Final = 120
_STYLES: Final = {"holds": "green", "does not hold": "red", "key unknown": "yellow"}
_MARKS: Final = {"holds": "✔", "does not hold": "✘", "key unknown": "?"}


@click.command()
@click.argument("files", nargs=-1, required=True, metavar="FILE...", type=click.Path(path_type=Path))
@click.option("--sent", type=click.Path(path_type=Path), metavar="FILE",
              help="INV-01 JSON as it was sent, one document or a list: what is signed must say the same.")  # fmt: skip
@click.option("--keys", "folders", multiple=True, type=click.Path(path_type=Path), metavar="FOLDER",
              help="The portal's certificates; may be given again.  [default: those in the settings]")  # fmt: skip
@click.option("--json", "as_json", is_flag=True, help="A JSON list, for programs.")
def verify(files: tuple[Path, ...], sent: Path | None, folders: tuple[Path, ...], as_json: bool) -> int:
    """Verify signed invoices and QR codes offline, with the portal's certificates.

    FILE is a signed text (JWS), the portal's JSON answer, a picture of the QR code (PNG, JPEG, WebP and others), or the
    invoice's PDF.

    Exits with 0 if all hold, with 1 if one does not or its key is not there, with 2 if a file can't be read.
    """
    from irnflow.files import signed

    keys = _keys(folders)
    documents = _documents(sent)
    proofs: list[tuple[str, Proof]] = []
    unreadable: list[str] = []
    for file in files:
        try:
            texts = signed.read(file)
        except BadInput as error:
            unreadable.append(str(error))
            continue
        named = [f"{file}, {text.place}" if text.place else str(file) for text in texts]
        proofs += zip(named, _proofs([text.jws for text in texts], keys, documents), strict=True)
    _tell_programs(proofs, unreadable) if as_json else _tell_people(proofs, unreadable)
    if unreadable:
        return UNREADABLE
    return HOLDS if all(proof.verdict == "holds" for _, proof in proofs) else DOES_NOT


def _keys(folders: Sequence[Path]) -> "list[SigningKey]":
    """Raises BadInput when there is no key."""
    from irnflow.portal.several import described
    from irnflow.portal.signing_keys import look_through

    known = folders or tuple(dict.fromkeys(portal.signing_keys for portal in described(settings()).values()))
    keys = [key for folder in known for key in look_through(folder)]
    if not keys:
        names = ", ".join(map(str, known))
        raise BadInput(f"there is no key of a portal in {names}: lay its certificates there, or say --keys FOLDER")
    return keys


def _documents(sent: Path | None) -> list[bytes]:
    """What was sent, a document each. Raises BadInput."""
    import msgspec

    if sent is None:
        return []
    try:
        content = sent.read_bytes().removeprefix(b"\xef\xbb\xbf")
        whole = msgspec.json.decode(content, type=list[dict[str, msgspec.Raw]] | dict[str, msgspec.Raw])
    except OSError as error:
        raise BadInput(f"{sent} can't be read: {error.strerror}") from error
    except (msgspec.MsgspecError, UnicodeDecodeError) as error:
        raise BadInput(f"{sent} is no INV-01 JSON: {error}") from error
    documents = [msgspec.json.encode(each) for each in (whole if isinstance(whole, list) else [whole])]
    if not documents:
        raise BadInput(f"{sent} holds no document")
    return documents


def _proofs(texts: Sequence[str], keys: "Sequence[SigningKey]", sent: Sequence[bytes]) -> "list[Proof]":
    """Each text's; a QR code is held against the signed invoice of its file that has the same IRN, too."""
    from irnflow.files.proof import examine

    first = [examine(text, keys, sent=sent) for text in texts]
    invoices = {irn: proof.data for proof in first if proof.what == "signed invoice" and (irn := _irn(proof))}
    return [
        examine(text, keys, sent=sent, beside=invoices.get(_irn(proof), b""))
        if proof.what == "QR code" and not sent
        else proof
        for text, proof in zip(texts, first, strict=True)
    ]


def _irn(proof: "Proof") -> str:
    return dict(proof.fields).get("IRN", "")


# -- what is told ----------------------------------------------------------------------------------------------------


def _tell_people(proofs: "Sequence[tuple[str, Proof]]", unreadable: Sequence[str]) -> None:
    from rich.console import Console
    from rich.markup import escape

    console = Console()
    if not console.is_terminal:
        console.width = max(console.width, _WIDTH_PIPED)
    for place, proof in proofs:
        _tell_one(console, place, proof)
    for says in unreadable:
        console.print(f"[bold red]✘ unreadable[/]  {escape(says)}.", highlight=False)


def _tell_one(console: "Console", place: str, proof: "Proof") -> None:
    from rich.markup import escape
    from rich.padding import Padding
    from rich.table import Table

    from irnflow.gst.faults import in_words

    style = _STYLES[proof.verdict]
    title = f"{_MARKS[proof.verdict]} {proof.verdict}"
    console.print(f"[bold {style}]{title}[/]  {proof.what} [dim]({escape(place)})[/]", highlight=False)
    console.print(Padding(escape(proof.says), (0, 0, 0, 2)), highlight=False)
    facts = Table.grid(padding=(0, 2))
    facts.add_column(style="dim")
    facts.add_column(overflow="fold")
    for name, value in proof.fields:
        facts.add_row(f"  {name}", escape(value))
    if proof.kid:
        facts.add_row("  key", escape(_key_text(proof)))
    if proof.dropped:
        names = ", ".join(map(in_words, proof.dropped[:_SHOWN_MOST])) + ", ..." * (len(proof.dropped) > _SHOWN_MOST)
        facts.add_row("  dropped", escape(f"{names}: sent, but not in INV-01, so the portal registered it without"))
    console.print(facts, highlight=False)
    if proof.differences:
        console.print()
        console.print(_table(proof), highlight=False)
    console.print()


def _table(proof: "Proof") -> Any:
    from rich.markup import escape
    from rich.table import Table

    from irnflow.gst.faults import in_words

    table = Table(box=None, padding=(0, 2, 0, 2))
    table.add_column("differs", style="bold")
    table.add_column(proof.against or "must be", overflow="fold")
    table.add_column("what is signed", style="red", overflow="fold")
    for each in proof.differences[:_SHOWN_MOST]:
        table.add_row(escape(in_words(each.path)), escape(each.ours) or "-", escape(each.theirs) or "-")
    if len(proof.differences) > _SHOWN_MOST:
        table.add_row(f"and {len(proof.differences) - _SHOWN_MOST} more", "", "")
    return table


def _key_text(proof: "Proof") -> str:
    key = proof.key
    if key is None:
        return f"{proof.kid}, which is not there"
    if key.valid_from is None or key.valid_until is None:
        return proof.kid
    return f"{proof.kid} of {key.owner}, valid {key.valid_from:%d/%m/%Y} to {key.valid_until:%d/%m/%Y}"


def _tell_programs(proofs: "Sequence[tuple[str, Proof]]", unreadable: Sequence[str]) -> None:
    import msgspec

    told: list[dict[str, Any]] = [
        {
            "file": place, "what": proof.what, "verdict": proof.verdict, "says": proof.says, "kid": proof.kid,
            "key_owner": proof.key.owner if proof.key else None, "signed": msgspec.Raw(proof.data or b"null"),
            "against": proof.against, "dropped": proof.dropped,
            "differences": [dict(zip(("path", "expected", "signed"), each, strict=True)) for each in proof.differences],
        }
        for place, proof in proofs
    ]  # fmt: skip
    told += [{"file": None, "what": "unreadable", "verdict": "unreadable", "says": says} for says in unreadable]
    click.echo(msgspec.json.format(msgspec.json.encode(told)).decode())
