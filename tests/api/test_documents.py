"""Documents over HTTP: judged as the pipeline judges them, and nothing is sent."""

from io import BytesIO
from typing import Any

import msgspec
import pytest

from irnflow.api import documents
from irnflow.api.endpoint import BODY_BYTES_MAX
from irnflow.files import template
from irnflow.files.reading import Kind
from irnflow.gst.facts import Facts
from irnflow.store import accounts
from irnflow.store.database import Postgres
from tests.api.conftest import Answer, Client
from tests.books.examples import TODAY
from tests.files.invoices import row, table
from tests.gst.documents import BETWEEN, DAY, OPERATOR, SELLER, SEZ_PAID, WITHIN, changed
from tests.tenant import Tenant

LATE = changed(BETWEEN, {"DocDtls.Dt": "01/10/2026"})
ENCODER = msgspec.json.Encoder(decimal_format="number")


async def check(client: Client, whole: Any, query: str = "") -> Answer:
    data = whole if isinstance(whole, bytes | BytesIO) else ENCODER.encode(whole)
    return await client.post(f"/api/v1/check{query}", data=data, headers={"content-type": "application/json"})


async def test_sound_documents_have_no_findings(client: Client) -> None:
    answer = await check(client, [BETWEEN, WITHIN])

    assert (answer.status, answer.body) == (200, {"documents": 2, "refused": 0, "findings": [], "left_out": 0})


async def test_a_finding_is_what_the_command_prints(client: Client) -> None:
    answer = await check(client, [BETWEEN, LATE])

    (finding,) = answer.body["findings"]
    assert answer.body["refused"] == 1
    assert {key: finding[key] for key in ("file", "code", "portal_code", "path", "severity")} == {
        "file": "body", "code": "document.too_late", "portal_code": "2305", "path": "[1].DocDtls.Dt",
        "severity": "refused",
    }  # fmt: skip
    assert list(finding) == ["file", "code", "portal_code", "path", "says", "fix", "severity"]


@pytest.mark.parametrize(
    ("document", "query", "refused"),
    [
        (LATE, "?turnover=9.5", 0),
        (LATE, "?day=2026-10-02", 0),
        (SEZ_PAID, f"?sez={SEZ_PAID['BuyerDtls']['Gstin']}", 0),
        (SEZ_PAID, "?sez=29ZZZCS1111A1ZD", 1),
        (WITHIN, f"?sez_developer={SELLER}", 1),
        (changed(WITHIN, {"SellerDtls.Gstin": "29AABCT1332L000"}), "?sandbox_gstins=true", 0),
    ],
)
async def test_the_facts_may_be_said(client: Client, document: Any, query: str, refused: int) -> None:
    assert (await check(client, document, query)).body["refused"] == refused


async def test_an_operator_may_be_said_to_send_it(client: Client) -> None:
    document = changed(WITHIN, {"TranDtls.EcmGstin": OPERATOR})

    assert len((await check(client, document)).body["findings"]) == 1
    assert (await check(client, document, f"?operator={OPERATOR.lower()}")).body["findings"] == []


async def test_what_to_do_is_told_in_hindi(client: Client) -> None:
    answer = await check(client, LATE, "?lang=hi")

    assert "।" in answer.body["findings"][0]["fix"]


async def test_what_is_no_json_is_refused_with_its_place(client: Client) -> None:
    answer = await check(client, b'[{"DocDtls":\n 1,,}]')

    assert (answer.status, answer.body["type"]) == (400, "/problems/malformed-json")
    assert "line 2, column 4" in answer.body["detail"]


async def test_a_day_that_no_calendar_has_is_refused(client: Client) -> None:
    answer = await check(client, LATE, "?day=2026-02-30")

    assert (answer.status, answer.body["errors"][0]["pointer"]) == (422, "?day")


async def test_another_media_type_is_refused(client: Client) -> None:
    answer = await client.post("/api/v1/check", data=b"a,b", headers={"content-type": "text/html"})

    assert (answer.status, answer.body["type"]) == (415, "/problems/media-type")


@pytest.mark.parametrize("media_type", ["text/csv", "application/vnd.ms-excel", "text/tab-separated-values"])
async def test_a_table_is_checked_too(client: Client, media_type: str) -> None:
    content = table([row(gst_rate="19"), row(document_number="BLR/118", buyer_pin="4OOOO1")], delimiter="\t")

    answer = await client.post("/api/v1/check?day=2026-11-28", data=content, headers={"content-type": media_type})

    assert (answer.status, answer.body["documents"], answer.body["refused"]) == (200, 2, 2)
    assert [(each["code"], each["path"]) for each in answer.body["findings"]][1:] == [
        ("file.unreadable_row", "line 3, buyer_pin")
    ]
    assert answer.body["findings"][0]["path"] == "line 2, gst_rate"


async def test_a_table_that_names_no_columns_is_refused(client: Client) -> None:
    answer = await client.post("/api/v1/check", data=b"a,b", headers={"content-type": "text/csv"})

    assert (answer.status, answer.body["type"]) == (422, "/problems/unreadable-file")


async def test_a_body_beyond_the_limit_is_refused(client: Client) -> None:
    answer = await check(client, BytesIO(b" " * (BODY_BYTES_MAX + 1)))

    assert answer.status == 413


def test_so_many_findings_are_told_and_the_others_counted() -> None:
    found = documents.checked(ENCODER.encode([LATE, LATE, LATE]), Facts(day=DAY), "en", most=2)

    assert (found.refused, len(found.findings), found.left_out) == (3, 2, 1)


async def test_nothing_is_kept(client: Client, store: Postgres) -> None:
    await check(client, LATE)

    assert await store.fetch("select 1 from irnflow.batch") == []


async def test_a_stranger_is_refused(stranger: Client) -> None:
    assert (await check(stranger, BETWEEN)).status == 401


# -- into the books --------------------------------------------------------------------------------------------------

CSV = template.write_csv(TODAY, names=template.usual())


async def import_(client: Client, content: bytes, kind: Kind = Kind.CSV, query: str = "") -> Answer:
    return await client.post(f"/api/v1/imports{query}", data=content, headers={"content-type": kind.value})


@pytest.mark.parametrize("query", ["", "?books=surya"])
async def test_a_file_is_taken_into_the_books_of_the_account(client: Client, query: str) -> None:
    first, again = await import_(client, CSV, query=query), await import_(client, CSV, query=query)

    assert (first.status, first.body["added"]) == (200, ["EXAMPLE-1", "EXAMPLE-2"])
    assert (again.status, again.body["unchanged"]) == (200, ["EXAMPLE-1", "EXAMPLE-2"])


async def test_a_workbook_and_inv01_are_taken_too(client: Client) -> None:
    stream = BytesIO()
    template.write_xlsx(TODAY, stream)

    empty = await import_(client, stream.getvalue(), Kind.XLSX)
    inv01 = await import_(client, ENCODER.encode(BETWEEN), Kind.JSON)

    assert (empty.status, empty.body["added"]) == (200, [])
    assert inv01.body["added"] == ["29ZZZCS1111A1ZD/2026-27/INV/BLR/2026/117"]


async def test_csv_that_a_browser_calls_excel_is_taken(client: Client) -> None:
    answer = await client.post(
        "/api/v1/imports", data=CSV, headers={"content-type": "application/vnd.ms-excel; charset=utf-8"}
    )

    assert answer.body["added"] == ["EXAMPLE-1", "EXAMPLE-2"]


async def test_corrections_are_notes(client: Client) -> None:
    answer = await import_(client, CSV.replace(b"Quiet Offices", "Quiet\u200b Offices".encode()))

    assert [(each["row"], each["column"]) for each in answer.body["notes"]] == [(2, "buyer_legal_name")]


async def test_bad_rows_are_told_and_the_others_taken(client: Client) -> None:
    answer = await import_(client, CSV.replace(b"INBOM4", b"INBOM4,x"))

    assert (answer.body["added"], answer.body["refused"]) == (["EXAMPLE-1"], 1)
    assert answer.body["troubles"] == [
        {"file": "body", "sheet": "", "row": 4, "column": "",
         "says": "the row has more cells than the header: a comma in a text or number without quotes?"}
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("content", "query", "problem"),
    [
        (b"a,b\n1,2\n", "", "unreadable-file"),
        (CSV, "?books=others", "unknown-books"),
        (CSV, "?books=other-layout", "unknown-books"),  # not the account's
    ],
)
async def test_what_can_not_be_taken_is_refused(client: Client, content: bytes, query: str, problem: str) -> None:
    answer = await import_(client, content, query=query)

    assert (answer.status, answer.body["type"]) == (422, f"/problems/{problem}")


async def test_books_of_another_layout_are_not_written(client: Client, store: Postgres, tenant: Tenant) -> None:
    await accounts.add_books(store, tenant.account_id, "other-layout")

    answer = await import_(client, CSV, query="?books=other-layout")

    assert (answer.status, answer.body["type"]) == (422, "/problems/books-not-ours")
    assert "have a layout of their own" in answer.body["detail"]


async def test_a_file_of_another_kind_is_refused(client: Client) -> None:
    answer = await client.post("/api/v1/imports", data=b"%PDF", headers={"content-type": "application/pdf"})

    assert (answer.status, answer.body["type"]) == (415, "/problems/media-type")
