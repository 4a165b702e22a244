"""Batches over HTTP: taken in whole or not at all, and shown page by page."""

import asyncio
import io
from pathlib import Path
from typing import Any

import msgspec
import pytest
from structlog.testing import capture_logs

from irnflow.messages import State
from irnflow.store import accounts, batches
from irnflow.store.database import Database
from tests.api.conftest import Answer, Client, Woken
from tests.tenant import Tenant, events, make_batch, make_tenant

BATCHES = "/api/v1/batches"
LARGE = 100_000


def problem(answer: Answer) -> tuple[int, str]:
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.body["status"] == answer.status
    return answer.status, answer.body["type"].removeprefix("/problems/")


async def nothing_was_taken_in(store: Database) -> bool:
    return await store.fetch("select from irnflow.batch") == []


async def test_vouchers_are_accepted_in_the_words_of_the_seed(client: Client, woken: Woken) -> None:
    answer = await client.post(BATCHES, json={"voucher_ids": ["V/1", "V 2"], "batch_no": "B-1"})

    assert (answer.status, answer.body) == (
        202,
        {"status": "Request Accepted", "batch_no": "B-1", "transaction_ids": ["V/1", "V 2"]},
    )
    assert woken.times == 1


async def test_a_line_names_a_batch_that_was_taken_in_and_how_many_not_each_voucher(
    client: Client, tenant: Tenant
) -> None:
    with capture_logs() as lines:
        await client.post(BATCHES, json={"voucher_ids": [f"V/{n}" for n in range(1_000)], "batch_no": "B-1"})

    assert lines == [{
        "event": "taken in", "log_level": "info", "service": "irn_service", "batch": f"{tenant.account_id}/B-1",
        "outcome": "ACCEPTED", "size": 1_000,
    }]  # fmt: skip


async def test_what_was_answered_is_committed(client: Client, store: Database, tenant: Tenant) -> None:
    answer = await client.post(BATCHES, json={"voucher_ids": ["V/1"]})

    assert await batches.one(store, tenant.account_id, answer.body["batch_no"])


async def test_the_same_request_with_its_key_gives_the_same_batch(client: Client) -> None:
    asked: dict[str, Any] = {"json": {"voucher_ids": ["V/1"]}, "headers": {"Idempotency-Key": "one"}}

    first, second = await client.post(BATCHES, **asked), await client.post(BATCHES, **asked)

    assert (second.status, second.body) == (202, first.body)


async def test_another_request_with_the_key_is_refused(client: Client) -> None:
    key = {"Idempotency-Key": "one"}
    await client.post(BATCHES, json={"voucher_ids": ["V/1"]}, headers=key)

    answer = await client.post(BATCHES, json={"voucher_ids": ["V/2"]}, headers=key)

    assert problem(answer) == (409, "idempotency-key-used")


FIRST = b'{"voucher_ids": ["V/1", "V/2"], "batch_no": "B-1"}'


@pytest.mark.parametrize(
    "again",
    [
        b'{"voucher_ids":["V/1","V/2"],"batch_no":"B-1"}',
        b'\n{ "batch_no" : "B-1",\r\n  "voucher_ids" : [ "V/1", "\\u0056/2" ] }\n',
        b'{"voucher_ids": ["V/1", "V/2"], "batch_no": "B-1", "books": null}',
        b'{"voucher_ids": ["V/1", "V/2"], "batch_no": "B-1", "books": "surya"}',
        b'{"voucher_ids": ["V/2", "V/1"], "batch_no": "B-1"}',
        b'{"voucher_ids": ["V/1", "V/2"]}',
    ],
    ids=[
        "no white space",
        "other white space, order and escapes",
        "null",
        "the only books",
        "other order",
        "no number",
    ],
)
async def test_what_asks_for_the_same_is_the_same_request_however_it_is_written(
    client: Client, store: Database, again: bytes
) -> None:
    headers = {"Idempotency-Key": "one", "Content-Type": "application/json"}
    await client.post(BATCHES, data=FIRST, headers=headers)

    answer = await client.post(BATCHES, data=again, headers=headers)

    assert (answer.status, answer.body["batch_no"]) == (202, "B-1")
    assert len(await store.fetch("select from irnflow.batch")) == 1


@pytest.mark.parametrize(
    ("first", "then"),
    [
        ({"batch_no": "B-1"}, {"batch_no": "B-2"}),
        ({}, {"batch_no": "B-2"}),
        ({}, {"voucher_ids": ["V/1"]}),
        ({}, {"voucher_ids": ["V/1", "V/2", "V/3"]}),
        ({}, {"voucher_ids": ["V/1", "v/2"]}),
    ],
)
async def test_what_asks_for_something_else_is_another_request(
    client: Client, store: Database, first: dict[str, object], then: dict[str, object]
) -> None:
    key = {"Idempotency-Key": "one"}
    await client.post(BATCHES, json={"voucher_ids": ["V/1", "V/2"]} | first, headers=key)

    answer = await client.post(BATCHES, json={"voucher_ids": ["V/1", "V/2"]} | then, headers=key)

    assert problem(answer) == (409, "idempotency-key-used")
    assert len(await store.fetch("select from irnflow.batch")) == 1


async def test_a_number_that_has_other_vouchers_is_refused(client: Client) -> None:
    await client.post(BATCHES, json={"voucher_ids": ["V/1"], "batch_no": "B-1"})

    answer = await client.post(BATCHES, json={"voucher_ids": ["V/2"], "batch_no": "B-1"})

    assert problem(answer) == (409, "batch-no-taken")
    assert answer.body["errors"][0]["pointer"] == "/batch_no"


async def test_ids_that_stand_twice_are_named_with_their_places(client: Client, store: Database) -> None:
    answer = await client.post(BATCHES, json={"voucher_ids": ["a", "b", "a", "c", "a", "b"]})

    assert problem(answer) == (422, "duplicate-ids")
    assert "'a', 'b'" in answer.body["detail"]
    assert [place["pointer"] for place in answer.body["errors"]] == [
        "/voucher_ids/2", "/voucher_ids/4", "/voucher_ids/5",
    ]  # fmt: skip
    assert await nothing_was_taken_in(store)


@pytest.mark.parametrize(
    ("body", "pointer"),
    [
        ({}, ""),
        ([], ""),
        ({"voucher_ids": []}, "/voucher_ids"),
        ({"voucher_ids": "V/1"}, "/voucher_ids"),
        ({"voucher_ids": ["V/1", 2]}, "/voucher_ids/1"),
        ({"voucher_ids": [""]}, "/voucher_ids/0"),
        ({"voucher_ids": ["a" * 101]}, "/voucher_ids/0"),
        ({"voucher_ids": ["a\nb"]}, "/voucher_ids/0"),
        ({"voucher_ids": ["ends\n"]}, "/voucher_ids/0"),
        ({"voucher_ids": ["a\u0000"]}, "/voucher_ids/0"),
        ({"voucher_ids": ["a\u2028b"]}, "/voucher_ids/0"),
        ({"voucher_ids": ["a"], "batch_no": "-1"}, "/batch_no"),
        ({"voucher_ids": ["a"], "batch_no": "B-1\n"}, "/batch_no"),
        ({"voucher_ids": ["a"], "batch_no": "b" * 65}, "/batch_no"),
        ({"voucher_ids": ["a"], "books": 3}, "/books"),
        ({"voucher_ids": ["a"], "voucher": "typing error"}, ""),
        ({"voucher_ids": ["a"] * (LARGE + 1)}, "/voucher_ids"),
    ],
)
async def test_a_body_that_does_not_fit_is_told_where(client: Client, store: Database, body: Any, pointer: str) -> None:
    answer = await client.post(BATCHES, data=msgspec.json.encode(body), headers={"content-type": "application/json"})

    assert problem(answer) == (422, "invalid-body")
    assert answer.body["errors"][0]["pointer"] == pointer
    assert await nothing_was_taken_in(store)


async def test_devanagari_and_slashes_are_sound_voucher_ids(client: Client) -> None:
    ids = ["बीजक/२०२६/१", "A/B 1", "₹", "x" * 100]

    answer = await client.post(BATCHES, json={"voucher_ids": ids})

    assert (answer.status, answer.body["transaction_ids"]) == (202, ids)


@pytest.mark.parametrize(
    "body", [b"", b"{", b'{"voucher_ids":["\xff"]}', b'{"voucher_ids":["\\ud800"]}', b"[" * 100_000]
)
async def test_what_is_not_json_is_told_so(client: Client, body: bytes) -> None:
    answer = await client.post(BATCHES, data=body, headers={"content-type": "application/json"})

    assert answer.status in (400, 422)
    assert "problem+json" in answer.headers["content-type"]


@pytest.mark.parametrize("media_type", ["text/plain", "application/x-www-form-urlencoded", "application/jsonp"])
async def test_another_content_type_is_refused(client: Client, media_type: str) -> None:
    answer = await client.post(BATCHES, data=b"{}", headers={"content-type": media_type})

    assert problem(answer) == (415, "not-json")


async def test_the_charset_may_be_said(client: Client) -> None:
    answer = await client.post(
        BATCHES, data=b'{"voucher_ids":["a"]}', headers={"content-type": "application/json; charset=utf-8"}
    )

    assert answer.status == 202


async def test_a_body_that_says_it_is_too_large_is_not_read(client: Client) -> None:
    host, port = client.url.removeprefix("http://").split(":")
    reader, writer = await asyncio.open_connection(host, int(port))
    key = client.headers["Authorization"]
    writer.write(
        f"POST {BATCHES} HTTP/1.1\r\nHost: {host}\r\nAuthorization: {key}\r\nContent-Type: application/json\r\n"
        f"Content-Length: {2**40}\r\n\r\n".encode()
    )

    answer = await asyncio.wait_for(reader.readuntil(b"\r\n"), 20)

    assert b" 413 " in answer
    writer.close()


async def test_a_body_without_end_is_cut_off(client: Client) -> None:
    sent = 0

    async def endless() -> Any:
        nonlocal sent
        while sent < 2**30:
            sent += 2**16
            yield b" " * 2**16

    answer = await client.post(BATCHES, data=endless(), headers={"content-type": "application/json"})

    assert problem(answer) == (413, "body-too-large")
    assert sent < 64 * 2**20


async def test_books_that_are_not_the_accounts_are_refused(client: Client, store: Database) -> None:
    answer = await client.post(BATCHES, json={"voucher_ids": ["a"], "books": "theirs"})

    assert problem(answer) == (422, "unknown-books")
    assert await nothing_was_taken_in(store)


async def test_an_account_with_two_books_must_say_which(client: Client, store: Database, tenant: Tenant) -> None:
    await accounts.add_books(store, tenant.account_id, "branch")

    answer = await client.post(BATCHES, json={"voucher_ids": ["a"]})

    assert problem(answer) == (422, "books-not-named")


@pytest.mark.parametrize("key", ["", "with space", "x" * 256, "ümlaut"])
async def test_an_idempotency_key_that_is_none_is_refused(client: Client, key: str) -> None:
    answer = await client.post(BATCHES, json={"voucher_ids": ["a"]}, headers={"Idempotency-Key": key})

    assert problem(answer) == (422, "invalid-header")


async def test_a_hundred_thousand_vouchers_are_one_request(client: Client) -> None:
    ids = [f"INV/2026-27/{n:08}" for n in range(LARGE)]

    answer = await client.post(BATCHES, **large(ids))

    assert (answer.status, answer.body["transaction_ids"]) == (202, ids)
    assert (await client.get(f"{BATCHES}/large")).body["counts"] == {"PROCESSING": LARGE}


async def test_memory_stays_flat_over_many_large_requests(client: Client) -> None:
    ids = [f"INV/2026-27/{n:08}" for n in range(LARGE)]
    for _ in range(2):
        await client.post(BATCHES, **large(ids))
    before = resident_mib()

    answers = await asyncio.gather(*(client.post(BATCHES, **large(ids)) for _ in range(6)))

    assert [answer.status for answer in answers] == [202] * 6
    assert resident_mib() - before < 150  # the client in this process holds six answers of 2 MB


def large(ids: list[str]) -> dict[str, Any]:
    body = msgspec.json.encode({"voucher_ids": ids, "batch_no": "large"})
    return {"data": io.BytesIO(body), "headers": {"content-type": "application/json"}}


def resident_mib() -> float:
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * 4096 / 2**20


async def test_batches_come_newest_first_in_pages(client: Client) -> None:
    for n in range(5):
        await client.post(BATCHES, json={"voucher_ids": ["a"], "batch_no": f"B-{n}"})

    pages = []
    cursor = ""
    for _ in range(3):
        page = (await client.get(f"{BATCHES}?limit=2{cursor}")).body
        pages.append([batch["batch_no"] for batch in page["items"]])
        cursor = f"&cursor={page['next']}"

    assert pages == [["B-4", "B-3"], ["B-2", "B-1"], ["B-0"]]
    assert page["next"] is None


async def test_a_batch_tells_where_its_vouchers_stand(client: Client, store: Database, tenant: Tenant) -> None:
    batch = await make_batch(store, tenant, "a", "b", "c", batch_no="B-1")
    await events(store, batch["batch_id"], {"a": State.REGISTERED, "b": State.REGISTERED})

    answer = await client.get(f"{BATCHES}/B-1")

    assert answer.body == {
        "batch_no": "B-1",
        "books": "surya",
        "size": 3,
        "counts": {"PROCESSING": 1, "REGISTERED": 2},
        "last_seq": 2,
        "created_at": "2026-11-22T10:00:00Z",
        "retry_of": None,
        "paused": None,
        "withdrawn_at": None,
    }


async def test_transactions_come_in_pages_and_by_state(client: Client, store: Database, tenant: Tenant) -> None:
    batch = await make_batch(store, tenant, *"abcd", batch_no="B-1")
    await events(store, batch["batch_id"], {"b": State.VALIDATION_FAILED, "d": State.VALIDATION_FAILED})

    first = (await client.get(f"{BATCHES}/B-1/transactions?state=VALIDATION_FAILED&limit=1")).body
    second = (
        await client.get(f"{BATCHES}/B-1/transactions?state=VALIDATION_FAILED&limit=1&cursor={first['next']}")
    ).body

    assert [item["transaction_id"] for item in first["items"] + second["items"]] == ["b", "d"]
    assert second["next"] is None
    assert first["items"][0] == {
        "transaction_id": "b",
        "state": "VALIDATION_FAILED",
        "at": "2026-11-22T10:00:00Z",
        "detail": {"says": "so"},
    }


async def test_a_history_is_found_by_an_id_with_a_slash(client: Client, store: Database, tenant: Tenant) -> None:
    batch = await make_batch(store, tenant, "V/1&a=b", batch_no="B-1")
    await events(store, batch["batch_id"], {"V/1&a=b": State.DATA_FETCHED})

    answer = await client.get(f"{BATCHES}/B-1/history", params={"transaction_id": "V/1&a=b"})

    assert answer.body == {
        "transaction_id": "V/1&a=b",
        "state": "DATA_FETCHED",
        "events": [{"seq": 1, "status": "DATA_FETCHED", "at": "2026-11-22T10:00:00Z", "detail": {"says": "so"}}],
    }


async def test_a_voucher_that_is_not_in_the_batch_is_told_so(client: Client, store: Database, tenant: Tenant) -> None:
    await make_batch(store, tenant, "a", batch_no="B-1")

    answer = await client.get(f"{BATCHES}/B-1/history?transaction_id=b")

    assert problem(answer) == (404, "unknown-transaction")


@pytest.mark.parametrize("path", ["", "/transactions", "/history?transaction_id=a"])
@pytest.mark.parametrize("batch_no", ["no-such", "%00", "theirs"])
async def test_a_batch_that_is_not_the_accounts_is_not_there(
    client: Client, store: Database, tenant: Tenant, path: str, batch_no: str
) -> None:
    await make_batch(store, await make_tenant(store, "Others", "theirs"), "a", batch_no="theirs")

    answer = await client.get(f"{BATCHES}/{batch_no}{path}")

    assert problem(answer) == (404, "unknown-batch")


@pytest.mark.parametrize(
    "cursor", ["x", "%00", "WyJhIl0=", "Wy0xXQ==", "W10=", "WzFlOTld", "WzE4NDQ2NzQ0MDczNzA5NTUxNjE2XQ=="]
)
async def test_a_cursor_that_is_not_ours_is_refused(client: Client, cursor: str) -> None:
    answer = await client.get(f"{BATCHES}?cursor={cursor}")

    assert problem(answer) == (422, "invalid-query")
    assert answer.body["errors"][0]["pointer"] == "?cursor"


@pytest.mark.parametrize(
    "query", ["limit=0", "limit=501", "limit=many", "page=2", "state=DONE", "state=null", "limit=1&limit=2"]
)
async def test_a_query_that_does_not_fit_is_refused(
    client: Client, store: Database, tenant: Tenant, query: str
) -> None:
    await make_batch(store, tenant, "a", batch_no="B-1")

    answer = await client.get(f"{BATCHES}/B-1/transactions?{query}")

    assert problem(answer) == (422, "invalid-query")


async def test_a_method_that_an_address_does_not_take_is_told_with_those_it_does(client: Client) -> None:
    answer = await client.ask("DELETE", BATCHES)

    assert problem(answer) == (405, "method-not-allowed")
    assert set(answer.headers["allow"].split(", ")) == {"GET", "HEAD", "POST"}


async def test_an_address_that_is_none_is_told_where_they_are(client: Client) -> None:
    answer = await client.get("/api/v1/invoices")

    assert problem(answer) == (404, "not-found")
    assert "/api/openapi.json" in answer.body["detail"]


async def test_while_the_store_is_down_a_request_is_refused_and_may_come_again(client: Client, store: Any) -> None:
    await client.get(BATCHES)  # its key is known by now
    await store.pool.close()

    answer = await client.post(BATCHES, json={"voucher_ids": ["a"]})

    assert problem(answer) == (503, "unavailable")
    assert answer.headers["retry-after"] == "5"
