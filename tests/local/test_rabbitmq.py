"""local/rabbitmq.py."""

import asyncio
import os
import signal
import sys
import tempfile
from asyncio.subprocess import PIPE
from collections.abc import AsyncIterator
from pathlib import Path

import aiormq
import psutil
import pytest
import pytest_asyncio

from irnflow.bus import topology
from irnflow.local import rabbitmq
from irnflow.settings import Settings
from tests.processes import with_path
from tests.waiting import until

pytestmark = pytest.mark.asyncio(loop_scope="module")


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def node(broker_cache: Path) -> AsyncIterator[rabbitmq.Server]:
    with tempfile.TemporaryDirectory(prefix="irnflow-test-") as folder:
        async with rabbitmq.running(Path(folder), cache=broker_cache) as server:
            yield server


async def test_a_node_starts_with_our_topology(node: rabbitmq.Server) -> None:
    settings = Settings(amqp_url=node.amqp_url, management_url=node.management_url)

    differences = await topology.check(settings)

    assert differences == []


async def test_it_listens_on_loopback_alone(node: rabbitmq.Server) -> None:
    addresses = _listening(node.child.pid)

    assert addresses == {"127.0.0.1"}


async def test_a_service_may_not_do_what_is_not_its_work(node: rabbitmq.Server) -> None:
    connection = await aiormq.connect(node.amqp_url_of("validation"))
    channel = await connection.channel()

    with pytest.raises(aiormq.exceptions.ChannelAccessRefused):
        await channel.basic_get("register_success_queue")

    await connection.close()


async def test_it_comes_back_with_its_messages_at_the_same_address_when_it_is_killed(node: rabbitmq.Server) -> None:
    connection = await aiormq.connect(node.amqp_url)
    channel = await connection.channel()
    await channel.basic_publish(b"kept", exchange=topology.DIRECT, routing_key="fetch.data", mandatory=True)

    os.killpg(node.child.pid, signal.SIGKILL)

    assert await until(lambda: _first(node.amqp_url, "fetch_data_queue"), within_s=60) == b"kept"


def _listening(pid: int) -> set[str]:
    """The addresses at which a process and its children listen."""
    process = psutil.Process(pid)
    return {
        connection.laddr.ip
        for each in (process, *process.children(recursive=True))
        for connection in each.net_connections("tcp")
        if connection.status == psutil.CONN_LISTEN
    }


async def _first(url: str, queue: str) -> bytes:
    connection = await aiormq.connect(url)
    channel = await connection.channel()
    message = await channel.basic_get(queue, no_ack=True)
    await connection.close()
    return message.body


FETCHES = """
import asyncio, sys
from pathlib import Path
from irnflow.local import rabbitmq
asyncio.run(rabbitmq.find(Path(sys.argv[1]), lambda doing: print(doing, flush=True)))
"""
APT = """#!/bin/sh
case $1 in
install) echo "Inst rabbitmq-server (3.10.8 Debian)" ;;
*) touch here; sleep 1000 & sleep 1000 ;;
esac
"""


@pytest.mark.skipif(
    (rabbitmq.INSTALLED / "rabbitmq-server").exists(), reason="nothing is fetched where it is installed"
)
async def test_fetching_it_is_said_and_ends_with_who_is_killed_meanwhile(folder: Path) -> None:
    apt = folder / "apt-get"
    apt.write_text(APT)
    apt.chmod(0o755)
    path = {"PATH": f"{folder}:/usr/bin:/bin"}
    fetching = await asyncio.create_subprocess_exec(sys.executable, "-c", FETCHES, folder, stdout=PIPE, env=path)
    await until(lambda: list(folder.glob("unpacking-*/here")))
    before = with_path(folder)

    fetching.kill()
    said, _ = await fetching.communicate()

    await until(lambda: not with_path(folder))
    assert len(before) > 3
    assert said.decode() == f"Fetching RabbitMQ from Debian and unpacking it into {folder} (60 MB, once)\n"
