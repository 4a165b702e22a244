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
LOGIN = {"portal": "NIC1", "username": "surya_api", "client_id": "CL1", "stopped": None}
SHOWN = {"gstin": GSTIN, "stopped": None, "logins": [LOGIN], "turnover": None, "lines_max": None}


async def stop(store: Postgres) -> None:
    await store.fetch("update irnflow.credentials set stopped = '1019 Incorrect user id/password'")


async def test_credentials_are_sealed_and_no_answer_holds_them(client: Client, store: Postgres) -> None:
    set_ = await client.ask("PUT", f"{PATH}/credentials", json=GIVEN)
    listed = await client.get("/api/v1/gstins")

    assert (set_.status, set_.body) == (200, SHOWN)
    assert listed.body == {"items": [SHOWN], "next": None}
    assert (await accounts.credentials_of(store, KEY, GSTIN, "NIC1")).password == "pa55word"


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
    await store.fetch("insert into irnflow.portal_session (portal, gstin) values ('NIC1', $1)", GSTIN)

    await client.ask("PUT", f"{PATH}/credentials", json=GIVEN)

    assert await store.fetch("select 1 from irnflow.portal_session") == []


async def test_new_credentials_leave_portal_turnover_and_kind_as_they_are(
    client: Client, store: Postgres, tenant: Tenant
) -> None:
    await client.ask("PUT", f"{PATH}/credentials", json=GIVEN | {"portal": "IRIS"})
    await store.fetch("update irnflow.gstin set turnover_crore = 12, kind = 'sez'")

    await client.ask("PUT", f"{PATH}/credentials", json=GIVEN)

    [row] = await store.fetch(
        "select family, turnover_crore::text, kind from irnflow.gstin join irnflow.credentials using (gstin)"
    )
    assert tuple(row.values()) == ("IRIS", "12.00", "sez")


async def test_turnover_and_lines_are_set_each_without_the_other(client: Client) -> None:
    await client.ask("PUT", f"{PATH}/credentials", json=GIVEN)

    crore = await client.ask("PUT", f"{PATH}/terms", json={"turnover": "12.5"})
    lines = await client.ask("PUT", f"{PATH}/terms", json={"lines_max": 5000})

    assert (crore.body["turnover"], crore.body["lines_max"]) == ("12.50", None)
    assert lines.body == SHOWN | {"turnover": "12.50", "lines_max": 5000}


@pytest.mark.parametrize(
    "terms", [{"lines_max": 5001}, {"lines_max": 0}, {"lines_max": 10.5}, {"turnover": "-1"}, {"lines": 5}]
)
async def test_terms_that_no_gstin_has_are_refused(client: Client, terms: dict[str, object]) -> None:
    await client.ask("PUT", f"{PATH}/credentials", json=GIVEN)

    assert (await client.ask("PUT", f"{PATH}/terms", json=terms)).status == 422


async def test_terms_of_an_unknown_gstin_are_refused(client: Client) -> None:
    assert (await client.ask("PUT", f"{PATH}/terms", json={"lines_max": 5000})).status == 404


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
    theirs = accounts.Credentials(family="NIC1", username="t", client_id="c", client_secret="s", password="p")
    await accounts.add_gstin(store, KEY, GSTIN, account_id=other.account_id, credentials=theirs)

    refused = await client.ask("PUT", f"{PATH}/credentials", json=GIVEN)
    resumed = await client.post(f"{PATH}/resume")

    assert (refused.status, refused.body["type"]) == (409, "/problems/gstin-of-another")
    assert (resumed.status, resumed.body["type"]) == (404, "/problems/unknown-gstin")
    assert await accounts.credentials_of(store, KEY, GSTIN, "NIC1") == theirs


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


IRIS = LOGIN | {"portal": "IRIS", "username": "surya_iris"}


async def with_two(client: Client) -> None:
    await client.ask("PUT", f"{PATH}/credentials", json=GIVEN)
    await client.ask("PUT", f"{PATH}/credentials", json=GIVEN | {"portal": "IRIS", "username": "surya_iris"})


async def test_credentials_for_a_second_portal_leave_the_first_as_they_are_and_both_are_listed(client: Client) -> None:
    await with_two(client)

    assert (await client.get("/api/v1/gstins")).body["items"] == [SHOWN | {"logins": [IRIS, LOGIN]}]


async def test_credentials_for_nobody_knows_which_portal_are_refused(client: Client) -> None:
    await with_two(client)

    refused = await client.ask("PUT", f"{PATH}/credentials", json=GIVEN)

    assert (refused.status, refused.body["type"]) == (422, "/problems/portal-not-named")
    assert refused.body["detail"] == f"{GSTIN}: it has credentials for IRIS and NIC1: say for which portal."


async def test_a_login_that_one_portal_refuses_is_shown_and_stands_still_while_the_gstin_goes_on(
    client: Client, store: Postgres
) -> None:
    await with_two(client)
    await store.fetch("update irnflow.credentials set stopped = '1019' where family = 'IRIS'")

    shown = (await client.get("/api/v1/gstins")).body["items"][0]
    standing = (await client.get("/api/v1/standing")).body["items"]
    resumed = await client.post(f"{PATH}/resume", params={"portal": "IRIS"})

    assert (shown["stopped"], [login["stopped"] for login in shown["logins"]]) == (None, ["1019", None])
    assert [(each["key"], each["reason"]) for each in standing] == [(GSTIN, "IRIS: 1019")]
    assert [login["stopped"] for login in resumed.body["logins"]] == [None, None]


async def test_credentials_for_one_of_several_portals_are_removed_and_the_last_stay(client: Client) -> None:
    await with_two(client)

    removed = await client.ask("DELETE", f"{PATH}/credentials", params={"portal": "IRIS"})
    again = await client.ask("DELETE", f"{PATH}/credentials", params={"portal": "IRIS"})
    last = await client.ask("DELETE", f"{PATH}/credentials", params={"portal": "NIC1"})

    assert (removed.status, removed.body) == (200, SHOWN)
    assert (again.status, again.body["type"]) == (404, "/problems/unknown-login")
    assert (last.status, last.body["type"]) == (409, "/problems/login-needed")


async def test_nobody_removes_the_credentials_of_a_gstin_that_is_another_accounts(client: Client) -> None:
    refused = await client.ask("DELETE", f"{PATH}/credentials", params={"portal": "IRIS"})

    assert (refused.status, refused.body["type"]) == (404, "/problems/unknown-gstin")
