"""GSTINs over the API: listed, given credentials, let go on; and no answer holds a secret."""

import json

import pytest

from irnflow.store import accounts
from irnflow.store.database import Postgres
from tests.api.conftest import KEY, Client
from tests.tenant import Tenant, make_tenant

GSTIN = "29AABCT1332L1ZU"
PATH = f"/api/v1/gstins/{GSTIN}"
GIVEN = {"username": "surya_api", "password": "pa55word", "client_id": "CL1", "client_secret": "s3cret"}
SHOWN = {"gstin": GSTIN, "portal": "NIC1", "username": "surya_api", "client_id": "CL1", "stopped": None}


async def stop(store: Postgres) -> None:
    await store.fetch("update irnflow.gstin set stopped = '1019 Incorrect user id/password'")


async def test_credentials_are_sealed_and_no_answer_holds_them(client: Client, store: Postgres) -> None:
    set_ = await client.ask("PUT", f"{PATH}/credentials", json=GIVEN)
    listed = await client.get("/api/v1/gstins")

    assert (set_.status, set_.body) == (200, SHOWN)
    assert listed.body == {"items": [SHOWN], "next": None}
    assert (await accounts.credentials_of(store, KEY, GSTIN)).password == "pa55word"


async def test_a_stopped_gstin_says_why_and_new_credentials_let_it_go_on(client: Client, store: Postgres) -> None:
    await client.ask("PUT", f"{PATH}/credentials", json=GIVEN)
    await stop(store)

    before = (await client.get("/api/v1/gstins")).body["items"][0]["stopped"]
    after = await client.ask("PUT", f"{PATH}/credentials", json=GIVEN | {"password": "mended"})

    assert before == "1019 Incorrect user id/password"
    assert after.body["stopped"] is None


async def test_a_stopped_gstin_goes_on_with_the_credentials_it_has(client: Client, store: Postgres) -> None:
    await client.ask("PUT", f"{PATH}/credentials", json=GIVEN)
    await stop(store)

    resumed = await client.post(f"{PATH}/resume")

    assert (resumed.status, resumed.body) == (200, SHOWN)


async def test_new_credentials_end_the_sessions_of_the_old(client: Client, store: Postgres) -> None:
    await client.ask("PUT", f"{PATH}/credentials", json=GIVEN)
    await store.fetch("insert into irnflow.portal_session (portal, gstin) values ('NIC', $1)", GSTIN)

    await client.ask("PUT", f"{PATH}/credentials", json=GIVEN)

    assert await store.fetch("select 1 from irnflow.portal_session") == []


async def test_new_credentials_leave_portal_turnover_and_kind_as_they_are(
    client: Client, store: Postgres, tenant: Tenant
) -> None:
    await client.ask("PUT", f"{PATH}/credentials", json=GIVEN | {"portal": "IRIS"})
    await store.fetch("update irnflow.gstin set turnover_crore = 12, kind = 'sez'")

    await client.ask("PUT", f"{PATH}/credentials", json=GIVEN)

    [row] = await store.fetch("select portal, turnover_crore::text, kind from irnflow.gstin")
    assert tuple(row.values()) == ("IRIS", "12.00", "sez")


async def test_pages_go_on_behind_the_last(client: Client) -> None:
    numbers = [f"29AABCT{n:04}L1ZU" for n in range(3)]
    for number in numbers:
        await client.ask("PUT", f"/api/v1/gstins/{number}/credentials", json=GIVEN)

    first = (await client.get("/api/v1/gstins", params={"limit": 2})).body
    second = (await client.get("/api/v1/gstins", params={"limit": 2, "cursor": first["next"]})).body

    assert [item["gstin"] for item in first["items"] + second["items"]] == numbers
    assert second["next"] is None


async def test_a_gstin_of_another_account_is_refused_and_stays_as_it_was(client: Client, store: Postgres) -> None:
    other = await make_tenant(store, "Others", "theirs")
    theirs = accounts.Credentials(portal="NIC1", username="t", client_id="c", client_secret="s", password="p")
    await accounts.add_gstin(store, KEY, GSTIN, account_id=other.account_id, credentials=theirs)

    refused = await client.ask("PUT", f"{PATH}/credentials", json=GIVEN)
    resumed = await client.post(f"{PATH}/resume")

    assert (refused.status, refused.body["type"]) == (409, "/problems/gstin-of-another")
    assert (resumed.status, resumed.body["type"]) == (404, "/problems/unknown-gstin")
    assert await accounts.credentials_of(store, KEY, GSTIN) == theirs


@pytest.mark.parametrize("number", ["29AABCT1332L1Z", "XXAABCT1332L1ZU"])
async def test_what_is_no_gstin_is_told_so(client: Client, number: str) -> None:
    refused = await client.ask("PUT", f"/api/v1/gstins/{number}/credentials", json=GIVEN)

    assert (refused.status, refused.body["type"]) == (404, "/problems/unknown-gstin")


async def test_credentials_too_long_for_a_login_are_refused_when_they_are_set(client: Client, store: Postgres) -> None:
    refused = await client.ask("PUT", f"{PATH}/credentials", json=GIVEN | {"password": "p" * 120})

    assert (refused.status, refused.body["type"]) == (422, "/problems/login-too-long")
    assert await store.fetch("select 1 from irnflow.gstin") == []


async def test_what_is_wrong_with_credentials_is_said_without_them(client: Client) -> None:
    refused = await client.ask("PUT", f"{PATH}/credentials", json=GIVEN | {"password": "line\nbreak-pa55"})

    assert refused.status == 422
    assert "break-pa55" not in json.dumps(refused.body)


@pytest.mark.parametrize("key", [None])
async def test_a_server_without_a_key_takes_no_credentials(client: Client, key: None) -> None:
    refused = await client.ask("PUT", f"{PATH}/credentials", json=GIVEN)

    assert (refused.status, refused.body["type"]) == (409, "/problems/no-key")
