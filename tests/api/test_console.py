"""The built console and the headers around it."""

from pathlib import Path

import aiohttp
import pytest
from starlette.applications import Starlette

from irnflow.api import console
from irnflow.api.server import serving
from tests.api.conftest import Client


@pytest.mark.parametrize("path", ["/", "/batches/B-1", "/failures"])
async def test_addresses_of_the_console_are_its_page(stranger: Client, path: str) -> None:
    answer = await stranger.get(path)

    assert (answer.status, answer.headers["cache-control"]) == (200, "no-cache")
    assert "<title>irnflow</title>" in answer.body


async def test_what_the_bundler_named_by_content_is_kept_for_ever(stranger: Client) -> None:
    answer = await stranger.get("/assets/main-1a2b.js")

    assert (answer.status, answer.headers["cache-control"]) == (200, "public, max-age=31536000, immutable")


@pytest.mark.parametrize("path", ["/assets/other.js", "/favicon.ico", "/api/v1/nothing", "/../pyproject.toml"])
async def test_files_that_are_not_there_are_not_the_page(stranger: Client, path: str) -> None:
    answer = await stranger.get(path)

    assert (answer.status, answer.headers["content-type"]) == (404, "application/problem+json")


@pytest.mark.parametrize("path", ["/", "/api/openapi.json", "/api/v1/batches", "/nothing.txt"])
async def test_every_response_tells_browsers_to_trust_nothing_else(stranger: Client, path: str) -> None:
    headers = (await stranger.get(path)).headers

    policy = headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "script-src 'self';" in policy
    assert "connect-src 'self' ws://127.0.0.1:7001;" in policy
    assert "frame-ancestors 'none'" in policy
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["referrer-policy"] == "no-referrer"


async def test_answers_of_the_api_are_never_stored(client: Client) -> None:
    answer = await client.get("/api/v1/batches")

    assert answer.headers["cache-control"] == "no-store"


async def test_without_a_built_console_a_page_says_what_to_do(tmp_path: Path) -> None:
    app = Starlette(routes=console.routes(tmp_path))
    async with (
        serving(app, host="127.0.0.1", port=0) as port,
        aiohttp.ClientSession() as session,
        session.get(f"http://127.0.0.1:{port}/") as answer,
    ):
        assert answer.status == 200
        assert "./run" in await answer.text()
