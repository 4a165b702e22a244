"""Documents over HTTP: judged as the pipeline judges them, and nothing is sent."""

from io import BytesIO
from typing import Any

import msgspec
import pytest

from irnflow.api import documents
from irnflow.api.endpoint import BODY_BYTES_MAX
from irnflow.gst.facts import Facts
from irnflow.store.database import Postgres
from tests.api.conftest import Answer, Client
from tests.gst.documents import BETWEEN, DAY, SEZ_PAID, WITHIN, changed

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
        (changed(WITHIN, {"SellerDtls.Gstin": "29AABCT1332L000"}), "?sandbox_gstins=true", 0),
    ],
)
async def test_the_facts_may_be_said(client: Client, document: Any, query: str, refused: int) -> None:
    assert (await check(client, document, query)).body["refused"] == refused


async def test_what_to_do_is_told_in_hindi(client: Client) -> None:
    answer = await check(client, LATE, "?lang=hi")

    assert "।" in answer.body["findings"][0]["fix"]


async def test_what_is_no_json_is_refused_with_its_place(client: Client) -> None:
    answer = await check(client, b'[{"DocDtls":\n 1,,}]')

    assert (answer.status, answer.body["type"]) == (400, "/problems/malformed-json")
    assert "line 2, column 4" in answer.body["detail"]


async def test_another_media_type_is_refused(client: Client) -> None:
    answer = await client.post("/api/v1/check", data=b"a,b", headers={"content-type": "text/csv"})

    assert (answer.status, answer.body["type"]) == (415, "/problems/not-json")


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
