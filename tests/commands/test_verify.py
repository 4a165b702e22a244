"""`irnflow verify`, on what the sandbox signs: texts, the portal's JSON, pictures and a PDF."""

import json
import os
from collections.abc import Callable
from hashlib import sha256
from pathlib import Path
from typing import Any

import msgspec
import pytest
import zxingcpp
from PIL import Image

from irnflow.errors import BadInput
from irnflow.gst.irn import irn
from irnflow.sandbox.identity import Identity, open_identity
from irnflow.sandbox.signing import invoice_data, qr_data
from tests.commands.running import Ran, run
from tests.gst.documents import BETWEEN
from tests.tenant import AT

PLAIN: dict[str, Any] = msgspec.json.decode(msgspec.json.Encoder(decimal_format="number").encode(BETWEEN))
GSTIN, NO = PLAIN["SellerDtls"]["Gstin"], PLAIN["DocDtls"]["No"]
IRN = irn(GSTIN, "2026-27", "INV", NO)
ACK = {"ack_no": 112610000000001, "ack_dt": "2026-11-22 12:00:17"}


@pytest.fixture(scope="session")
def portal(tmp_path_factory: pytest.TempPathFactory) -> tuple[Identity, Path]:
    """A portal, and its folder of certificates."""
    folder = tmp_path_factory.mktemp("sandbox")
    return open_identity(folder, now=AT, random_bytes=os.urandom), folder / "signing_keys"


@pytest.fixture
def invoice(portal: tuple[Identity, Path]) -> str:
    return portal[0].signer.sign(invoice_data(PLAIN, irn=IRN, **ACK))


@pytest.fixture
def qr(portal: tuple[Identity, Path]) -> str:
    return portal[0].signer.sign(qr_data(PLAIN, irn=IRN, irn_dt=ACK["ack_dt"]))


@pytest.fixture
def verify(portal: tuple[Identity, Path]) -> Callable[..., Ran]:
    return lambda *words: run("verify", *map(str, words), "--keys", str(portal[1]))


def written(tmp_path: Path, content: Any, name: str = "a") -> Path:
    file = tmp_path / name
    file.write_text(content if isinstance(content, str) else json.dumps(content))
    return file


def picture_of(text: str) -> Image.Image:
    code = zxingcpp.create_barcode(text, zxingcpp.BarcodeFormat.QRCode).to_image(scale=4)
    return Image.frombuffer("L", code.shape[::-1], bytes(code))  # type: ignore[arg-type]


def test_a_signed_invoice_holds_and_says_what_is_signed_and_by_which_key(
    tmp_path: Path, invoice: str, portal: tuple[Identity, Path], verify: Callable[..., Ran]
) -> None:
    ran = verify(written(tmp_path, invoice))

    assert ran.code == 0
    for part in ("✔ holds", f"Invoice {NO} of 20/11/2026", "₹17,700.00", IRN, portal[0].signer.kid,
                 "CN=irnflow sandbox portal"):  # fmt: skip
        assert part in ran.out


def test_the_portals_answer_is_taken_apart_and_its_two_texts_agree(
    tmp_path: Path, invoice: str, qr: str, verify: Callable[..., Ran]
) -> None:
    answer = {"Status": 1, "Data": json.dumps({"SignedInvoice": invoice, "SignedQRCode": qr})}

    ran = verify(written(tmp_path, answer))

    assert (ran.code, ran.out.count("✔ holds")) == (0, 2)
    assert "agrees with the signed invoice beside it" in ran.out


def sent_as_others_write_it() -> dict[str, Any]:
    """PLAIN with numbers in quotes, names in other cases, members that hold nothing, and a number in small letters."""
    seller = {("GSTIN" if name == "Gstin" else name): value for name, value in PLAIN["SellerDtls"].items()}
    buyer = {("POS" if name == "Pos" else name): value for name, value in PLAIN["BuyerDtls"].items()}
    lines = [
        line | {"GstRt": str(line["GstRt"]), "AttribDtls": [{"Nm": None, "Val": None}]} for line in PLAIN["ItemList"]
    ]
    return PLAIN | {
        "SellerDtls": seller | {"Pin": str(seller["Pin"])},
        "BuyerDtls": buyer | {"Ph": None},
        "DocDtls": PLAIN["DocDtls"] | {"No": NO.lower()},
        "itemlist": lines,
        "ExpDtls": {"ShipBNo": None},
        "RefDtls": {"PrecDocDtls": [], "ContrDtls": None},
    }


def test_how_a_document_was_written_makes_no_difference(
    tmp_path: Path, invoice: str, qr: str, verify: Callable[..., Ran]
) -> None:
    sent = sent_as_others_write_it()
    del sent["ItemList"]

    ran = verify(
        written(tmp_path, invoice), written(tmp_path, qr, "qr"), "--sent", written(tmp_path, sent, "sent.json")
    )

    assert (ran.code, ran.out.count("agrees with what was sent in every field.")) == (0, 2)


def test_a_number_in_quotes_that_differs_does_not_hold(
    tmp_path: Path, invoice: str, verify: Callable[..., Ran]
) -> None:
    sent = PLAIN | {"SellerDtls": PLAIN["SellerDtls"] | {"Pin": "560002"}}

    ran = verify(written(tmp_path, invoice), "--sent", written(tmp_path, sent, "sent.json"))

    assert ran.code == 1
    assert 'SellerDtls.Pin "560002" 560001' in " ".join(ran.out.split())


def test_a_field_that_the_portal_dropped_is_said_and_holds(
    tmp_path: Path, invoice: str, verify: Callable[..., Ran]
) -> None:
    file, sent = written(tmp_path, invoice), PLAIN | {"ValDtls": PLAIN["ValDtls"] | {"Colour": "red"}}

    ran = verify(file, "--sent", written(tmp_path, sent, "sent.json"))
    told = json.loads(verify(file, "--sent", tmp_path / "sent.json", "--json").out)

    assert ran.code == 0
    assert "agrees with what was sent in every field of INV-01." in ran.out
    assert "ValDtls.Colour: sent, but not in INV-01" in ran.out
    assert (told[0]["dropped"], told[0]["differences"]) == (["ValDtls.Colour"], [])


@pytest.mark.parametrize(
    ("dated", "ack_dt", "number", "code"),
    [
        ("10/05/2025", "2025-05-10 12:00:17", "blr/117", 0),
        ("10/05/2025", "2025-05-10 12:00:17", "BLR/117", 1),  # then its IRN would be of small letters
        ("10/05/2025", "2025-06-01 00:00:01", "BLR/117", 0),
        ("10/05/2025", "", "blr/117", 0),
        ("10/05/2025", "", "BLR/117", 0),
        ("10/06/2025", "2025-06-10 12:00:17", "blr/117", 1),
        ("10/06/2025", "", "blr/117", 1),
        ("10/06/2024", "2024-06-10 12:00:17", "blr/117", 0),
    ],
)
def test_small_letters_count_until_31_may_2025(
    tmp_path: Path, portal: tuple[Identity, Path], verify: Callable[..., Ran],
    dated: str, ack_dt: str, number: str, code: int,
) -> None:  # fmt: skip
    document = PLAIN | {"DocDtls": PLAIN["DocDtls"] | {"No": "blr/117", "Dt": dated}}
    year = "2024-25" if dated.endswith("2024") else "2025-26"
    of_number = sha256(f"{GSTIN}{year}INV{number}".encode()).hexdigest()
    signer = portal[0].signer
    invoice = signer.sign(invoice_data(document, irn=of_number, ack_no=1, ack_dt=ack_dt))
    qr = signer.sign(qr_data(document, irn=of_number, irn_dt=ack_dt))

    ran = verify(written(tmp_path, {"SignedInvoice": invoice, "SignedQRCode": qr}))

    assert ran.code == code


def test_a_missing_field_of_the_qr_code_keeps_its_capitals(
    tmp_path: Path, invoice: str, portal: tuple[Identity, Path], verify: Callable[..., Ran]
) -> None:
    data = qr_data(PLAIN, irn=IRN, irn_dt=ACK["ack_dt"])
    del data["IrnDt"]

    ran = verify(written(tmp_path, {"SignedInvoice": invoice, "SignedQRCode": portal[0].signer.sign(data)}))

    assert ran.code == 1
    assert "Its QR code does not say IrnDt." in ran.out


def test_of_two_types_with_one_number_the_one_of_its_type_is_taken(
    tmp_path: Path, invoice: str, verify: Callable[..., Ran]
) -> None:
    note = PLAIN | {"DocDtls": PLAIN["DocDtls"] | {"Typ": "CRN"}}

    ran = verify(written(tmp_path, invoice), "--sent", written(tmp_path, [note, PLAIN], "sent.json"))

    assert ran.code == 0


@pytest.mark.parametrize("sent", [[1, 2], ["text"], 1, "text"])
def test_what_was_sent_and_is_not_a_document_is_named(
    tmp_path: Path, invoice: str, verify: Callable[..., Ran], sent: Any
) -> None:
    with pytest.raises(BadInput, match=r"sent\.json is no INV-01 JSON"):
        verify(written(tmp_path, invoice), "--sent", written(tmp_path, json.dumps(sent), "sent.json"))


@pytest.mark.parametrize("name", ["qr.png", "qr.jpg", "page.pdf"])
def test_a_qr_code_is_read_from_a_picture_and_from_a_page(
    tmp_path: Path, qr: str, verify: Callable[..., Ran], name: str
) -> None:
    page = Image.new("L", (1654, 2339), 255)
    page.paste(picture_of(qr), (900, 300))
    page.save(tmp_path / name)

    ran = verify(tmp_path / name, "--sent", written(tmp_path, PLAIN, "sent.json"))

    assert ran.code == 0
    assert "agrees with what was sent in every field" in ran.out


def test_a_changed_text_does_not_hold(
    tmp_path: Path, invoice: str, portal: tuple[Identity, Path], verify: Callable[..., Ran]
) -> None:
    head, _, signature = invoice.split(".")
    other = portal[0].signer.sign(invoice_data(PLAIN | {"ValDtls": {"TotInvVal": 1}}, irn=IRN, **ACK)).split(".")[1]

    ran = verify(written(tmp_path, f"{head}.{other}.{signature}"))

    assert ran.code == 1
    assert "✘ does not hold" in ran.out
    assert "The portal has not signed this" in ran.out


def test_what_differs_from_what_was_sent_is_shown_beside_it(
    tmp_path: Path, invoice: str, qr: str, verify: Callable[..., Ran]
) -> None:
    other = PLAIN | {"BuyerDtls": PLAIN["BuyerDtls"] | {"Gstin": "27AAAAA0000A1Z5"}}
    files = written(tmp_path, invoice, "invoice"), written(tmp_path, qr, "qr")

    ran = verify(*files, "--sent", written(tmp_path, other, "sent.json"), "--json")

    found = json.loads(ran.out)
    assert ran.code == 1
    assert [each["verdict"] for each in found] == ["does not hold"] * 2
    assert [each["differences"][0]["path"] for each in found] == ["BuyerDtls.Gstin", "BuyerGstin"]
    assert found[1]["differences"][0]["expected"] == "27AAAAA0000A1Z5"


def test_of_several_that_were_sent_the_one_of_its_number_is_taken(
    tmp_path: Path, invoice: str, verify: Callable[..., Ran]
) -> None:
    another = PLAIN | {"DocDtls": PLAIN["DocDtls"] | {"No": "BLR/OTHER"}}
    file = written(tmp_path, invoice)

    both = verify(file, "--sent", written(tmp_path, [another, PLAIN], "both.json"))
    neither = verify(file, "--sent", written(tmp_path, [another, another], "neither.json"))

    assert (both.code, neither.code) == (0, 1)
    assert f"What was sent has no document {NO}" in neither.out


def test_an_irn_that_is_not_of_this_document_does_not_hold(
    tmp_path: Path, portal: tuple[Identity, Path], verify: Callable[..., Ran]
) -> None:
    wrong = portal[0].signer.sign(invoice_data(PLAIN, irn="f" * 64, **ACK))

    ran = verify(written(tmp_path, wrong))

    assert ran.code == 1
    assert IRN[:40] in ran.out  # of what it must be


def test_a_key_that_is_not_there_is_named_and_ends_with_1(tmp_path: Path, invoice: str, portal: Any) -> None:
    other = tmp_path / "other"
    open_identity(other, now=AT, random_bytes=os.urandom)

    ran = run("verify", str(written(tmp_path, invoice)), "--keys", str(other / "signing_keys"))

    assert ran.code == 1
    assert "? key unknown" in ran.out
    assert f"{portal[0].signer.kid}, which is not there" in ran.out


def test_without_any_key_it_says_where_they_belong(tmp_path: Path, invoice: str) -> None:
    with pytest.raises(BadInput, match="no key of a portal"):
        run("verify", str(written(tmp_path, invoice)), "--keys", str(tmp_path / "none"))


@pytest.mark.parametrize(
    ("content", "says"),
    [
        ("no text of a portal", "neither a signed text"),
        ({"Status": 1, "Data": "c2VhbGVk"}, "still encrypted"),
        ({"Status": 0}, "nothing in it is signed"),
        ("%PDF-1.7 cut", "no PDF that can be opened"),
    ],
)
def test_what_cannot_be_read_is_said_and_ends_with_2(
    tmp_path: Path, verify: Callable[..., Ran], content: Any, says: str
) -> None:
    ran = verify(written(tmp_path, content))

    assert ran.code == 2
    assert says in " ".join(ran.out.split())


def test_a_payment_code_is_not_taken_for_the_portals(tmp_path: Path, verify: Callable[..., Ran]) -> None:
    picture_of("upi://pay?pa=shop@bank").save(tmp_path / "upi.png")

    ran = verify(tmp_path / "upi.png")

    assert ran.code == 2
    assert "is not a portal's" in " ".join(ran.out.split())


def test_a_picture_without_a_code_and_one_that_is_none_are_told_apart(
    tmp_path: Path, verify: Callable[..., Ran]
) -> None:
    Image.new("L", (200, 200), 255).save(tmp_path / "white.png")
    (tmp_path / "cut.png").write_bytes(b"\x89PNG\r\n cut")

    ran = verify(tmp_path / "white.png", tmp_path / "cut.png", tmp_path / "missing.png")

    said = " ".join(ran.out.split())
    assert ran.code == 2
    assert "no QR code can be read in" in said
    assert "is not a picture that can be opened" in said
    assert "can't be read: No such file" in said


def test_a_file_that_cannot_be_read_hides_none_that_can(
    tmp_path: Path, invoice: str, verify: Callable[..., Ran]
) -> None:
    ran = verify(tmp_path / "missing", written(tmp_path, invoice))

    assert ran.code == 2
    assert "✔ holds" in ran.out
