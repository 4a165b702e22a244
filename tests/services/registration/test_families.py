"""Two families of portals over HTTP, each a sandbox with keys, logins and a register of its own: one goes away."""

import os
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from datetime import timedelta
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import aiohttp
import pytest

from irnflow import log
from irnflow.bus import memory
from irnflow.portal import client
from irnflow.portal.cipher import read_auth_key
from irnflow.portal.several import Line, Portals
from irnflow.portal.signing_keys import read_keys
from irnflow.sandbox.app import running
from irnflow.sandbox.identity import open_identity
from irnflow.services import registration
from irnflow.services.registration.pace import OPEN_AFTER, ways
from irnflow.services.registration.parts import Parts
from irnflow.services.registration.resolver import look_up
from irnflow.services.registration.sender import generate, leased_of, settle
from irnflow.services.registration.sessions import Sessions
from irnflow.store import lifecycle
from irnflow.store.lifecycle import Cancellation, Windows
from tests.services.registration.conftest import KEY, NOON, Desk, act, invoice, irn_of, set_credentials, validated


class Place:
    """A sandbox that comes and goes, at the same address."""

    def __init__(self, desk: Desk, folder: Path) -> None:
        self.desk = desk
        self.folder = folder
        self.identity = open_identity(folder, now=NOON, random_bytes=os.urandom)
        self.url = ""
        self._open = AsyncExitStack()

    async def comes(self) -> None:
        port = urlsplit(self.url).port or 0
        self.url = await self._open.enter_async_context(
            running(self.folder, port=port, any_check_digit=True, clock=lambda: self.desk.at)
        )

    async def goes(self) -> None:
        await self._open.aclose()

    async def ask(self, method: str, path: str, **said: Any) -> Any:
        headers = {"Authorization": f"Bearer {self.identity.credentials.switches_token}"}
        async with aiohttp.request(method, f"{self.url}/sandbox/{path}", headers=headers, **said) as answer:
            return await answer.json()

    async def irns(self) -> list[tuple[str, str]]:
        """What it has registered, and how that stands."""
        return [(each["irn"], each["status"]) for each in (await self.ask("GET", "register"))["items"]]


class Country:
    """Registration between two portals of different families."""

    def __init__(self, desk: Desk, first: Place, second: Place, parts: Parts) -> None:
        self.desk = desk
        self.first = first
        self.second = second
        self.parts = parts

    async def arrive(self, number: str) -> None:
        await registration.handle([validated(number, invoice(number))], parts=self.parts)

    async def send(self) -> None:
        for row in await self.desk.lease(ways=ways(self.parts.portals)):
            await settle(self.parts, [await generate(self.parts, leased_of(row))])

    async def resolve(self) -> None:
        for row in await self.desk.due(ways=ways(self.parts.portals)):
            await settle(self.parts, [await look_up(self.parts, leased_of(row))])

    async def where(self) -> dict[str, tuple[str, str]]:
        """Each document's portal and state."""
        rows = await self.desk.store.fetch("select doc_no, portal, state::text from irnflow.registration")
        return {row["doc_no"]: (row["portal"], row["state"]) for row in rows}


@pytest.fixture
async def country(desk: Desk, tmp_path: Path) -> AsyncIterator[Country]:
    async with AsyncExitStack() as stack:
        places = {"NIC": Place(desk, tmp_path / "nic"), "IRIS": Place(desk, tmp_path / "iris")}
        lines, sessions = [], {}
        for family, place in places.items():
            await place.comes()
            stack.push_async_callback(place.goes)
            await set_credentials(desk, place.identity, family)
            send = await stack.enter_async_context(client.http(place.url, deadline_s=10, connections=4))
            portal = client.Portal(send, read_auth_key(place.identity.auth_public_file))
            keys = read_keys(place.folder / "signing_keys")
            lines.append(Line(name=f"{family}1", family=family, portal=portal, keys=keys))
            sessions[family] = Sessions(
                portal, desk.store, name=family, key=KEY, now=lambda: desk.at, random_bytes=os.urandom
            )
        bus = await stack.enter_async_context(memory.Broker().connect("registration"))
        parts = Parts(
            bus=bus, database=desk.store, portals=Portals(lines), sessions=sessions, now=lambda: desk.at,
            log=log.logger("registration"), concurrency=8, deadline=timedelta(seconds=30),
            settle=timedelta(seconds=60), gap=timedelta(seconds=60),
        )  # fmt: skip
        yield Country(desk, places["NIC"], places["IRIS"], parts)


async def test_while_a_family_is_away_new_documents_go_to_another_and_what_may_have_arrived_is_found_where_it_went(
    country: Country,
) -> None:
    await country.first.ask("POST", "switches", json={"drop_answer_after_commit": 1})
    await country.arrive("A/1")
    await country.send()
    await country.first.goes()
    for number in range(2, 2 + OPEN_AFTER):
        await country.arrive(f"A/{number}")
    await country.send()  # in vain: the breaker opens
    country.desk.later(2)

    await country.send()
    away = await country.where()
    await country.first.comes()
    country.desk.later(200)
    await country.resolve()

    assert away.pop("A/1") == ("NIC1", "UNKNOWN")
    assert set(away.values()) == {("IRIS1", "ACCEPTED")}
    assert (await country.where())["A/1"] == ("NIC1", "ACCEPTED")
    assert [irn for irn, _ in await country.first.irns()] == [irn_of("A/1")]
    assert len(await country.second.irns()) == OPEN_AFTER


async def test_what_another_family_has_registered_is_cancelled_there(country: Country) -> None:
    await country.desk.store.fetch("insert into irnflow.pause values ('portal', 'NIC1', 'audit', 'us', $1)", NOON)
    await country.arrive("A/1")
    await country.send()

    await lifecycle.cancel(
        country.desk.store, 1, [irn_of("A/1")], Cancellation(reason=2, remark="wrong price"), eway_bill=False,
        windows=Windows(), by="us", at=country.desk.at,
    )  # fmt: skip
    await act(country.parts)

    assert await country.where() == {"A/1": ("IRIS1", "CANCELLED")}
    assert await country.second.irns() == [(irn_of("A/1"), "CNL")]
    assert await country.first.irns() == []


async def test_where_the_password_is_wrong_nobody_tries_twice_and_documents_go_to_the_other_family(
    country: Country,
) -> None:
    await set_credentials(country.desk, country.first.identity, "NIC", password="wrong")
    await country.arrive("A/1")
    await country.send()
    country.desk.later(60)
    await country.arrive("A/2")

    await country.send()

    assert await country.where() == {"A/1": ("IRIS1", "ACCEPTED"), "A/2": ("IRIS1", "ACCEPTED")}
    assert (await country.first.ask("GET", "register"))["calls"]["auth"] == 1
    assert await country.desk.stopped() is None
