"""`irnflow up` as a process, as people start and end it."""

import asyncio
import contextlib
import os
import re
import signal
import socket
import sys
from asyncio.subprocess import PIPE, STDOUT, Process
from collections.abc import AsyncIterator, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path

import aiohttp
import psutil
import pytest

from irnflow.books import sample
from irnflow.gst.dates import in_india
from irnflow.local import demo
from irnflow.store import database
from tests.waiting import until

pytestmark = pytest.mark.timeout(180)


IRNFLOW = (sys.executable, "-m", "irnflow", "up")
ON_A_TERMINAL = (sys.executable, "-c", "import pty, sys; sys.exit(pty.spawn(sys.argv[1:]) >> 8)", *IRNFLOW)


@contextlib.asynccontextmanager
async def _up(folder: Path, *options: str, command: Sequence[str] = IRNFLOW, **given: str) -> AsyncIterator[Process]:
    """`irnflow up`, killed at the end if it still runs."""
    process = await asyncio.create_subprocess_exec(
        *command, *options, env=os.environ | {"IRNFLOW_DATA": str(folder)} | given, stdout=PIPE, stderr=STDOUT
    )
    try:
        yield process
    finally:
        with contextlib.suppress(ProcessLookupError):
            process.kill()
        await process.wait()


@pytest.fixture
async def data(folder: Path) -> AsyncIterator[Path]:
    """A data folder; whatever the test left running on it has ended when it goes."""
    yield folder
    await until(lambda: not _alive(folder), within_s=60)


async def _told(process: Process, sentence: str) -> str:
    """What it says, until it has said this."""
    assert process.stdout
    said = b""
    while sentence not in said.decode():
        line = await process.stdout.readline()
        assert line, said.decode()
        said += line
    return said.decode()


async def _all_told(process: Process) -> str:
    """What it says until it ends."""
    said, _ = await process.communicate()
    return said.decode()


@pytest.fixture
def given(database_url: str, amqp_url: str) -> Mapping[str, str]:
    """Servers of one's own."""
    return {"IRNFLOW_DATABASE_URL": database_url, "IRNFLOW_AMQP_URL": amqp_url}


def _alive(folder: Path) -> list[str]:
    """The processes that have to do with a data folder."""
    return [found for process in psutil.process_iter() if (found := _of(process, str(folder)))]


def _of(process: psutil.Process, folder: str) -> str:
    """What it is, if its command line or environment names the folder."""
    with contextlib.suppress(psutil.Error):
        words = [*process.cmdline(), *process.environ().values()]
        if process.pid != os.getpid() and any(folder in word for word in words):
            return f"{process.pid} {process.name()}"
    return ""


async def test_the_sample_fares_as_expected_and_a_kill_then_leaves_no_process_behind(data: Path) -> None:
    async with _up(data) as process:
        await _told(process, "each as expected")
        names = " ".join(_alive(data))

        process.kill()

        assert "beam.smp" in names
        assert "epmd" in names
        assert "postgres" in names
        await until(lambda: not _alive(data), within_s=30)


async def test_a_second_one_on_the_same_folder_says_that_one_runs_and_what_to_do(data: Path) -> None:
    async with _up(data) as first:
        await _told(first, "Starting")

        async with _up(data) as second:
            said, _ = await second.communicate()

        assert second.returncode == 1
        assert said.decode().startswith(f"irnflow: it is already running on {data} (process ")
        assert "IRNFLOW_DATA" in said.decode()


async def test_after_sigterm_it_ends_in_order_and_the_next_start_registers_nothing_twice(data: Path) -> None:
    async with _up(data) as first:
        await _told(first, "Ctrl-C")
        first.send_signal(signal.SIGTERM)
        assert await first.wait() == 0
        await until(lambda: not _alive(data), within_s=2)  # less than the servers need when it forgets them

    async with _up(data, "--exit") as second:
        said, _ = await second.communicate()

    assert "nothing was registered twice" in said.decode()
    assert second.returncode == 0


async def test_with_servers_of_ones_own_none_is_started_and_the_link_opens_the_console_once(
    data: Path, given: Mapping[str, str]
) -> None:
    async with _up(data / "[x]", **given) as process:  # a name that could be taken for a colour
        said = await _told(process, "Ctrl-C")
        names = " ".join(_alive(data))
        console, _, token = next(line.split()[1] for line in said.splitlines() if "#token=" in line).partition(
            "/#token="
        )
        async with aiohttp.ClientSession(console, cookie_jar=aiohttp.CookieJar(unsafe=True)) as browser:
            answers = [(await browser.post("/api/v1/session", json={"token": token})).status for _ in range(2)]
            batches = await (await browser.get("/api/v1/batches")).json()

    assert "Starting the sandbox portal\n" in said
    assert f"API key  {data}/[x]/api_key\n" in said
    assert f"Log      {data}/[x]/irnflow.log\n" in said
    assert not {"beam.smp", "epmd", "postgres"} & set(names.split())
    assert answers == [200, 401]
    assert len(batches["items"]) == 1


async def test_on_a_terminal_a_bar_fills_beside_the_counts_and_what_failed_is_listed_with_its_reason(
    data: Path, given: Mapping[str, str]
) -> None:
    async with _up(
        data, "--exit", command=ON_A_TERMINAL, TERM="xterm", COLUMNS="100", NO_COLOR="1", **given
    ) as process:
        said = await _all_told(process)

    assert process.returncode == 0
    assert re.search(r"━{30} 41/41\s+Data Fetch Failed 3 +Validation Failed 6 +E-Invoice Registered 32", said)
    assert re.search(r"Validation Failed 6\s+SAL/1051 +09ZZGFB6142T1ZX can't be the recipient's GSTIN", said)
    assert re.search(r"SAL/9999 +There is no voucher SAL/9999 in sample", said)
    assert re.search(r"SAL/1001 +[0-9a-f]{64}", said)
    assert "32 registered, 9 not" in said
    assert "each as expected" in said


async def test_it_ends_with_1_when_a_voucher_fares_otherwise_than_expected(
    data: Path, given: Mapping[str, str], database_url: str
) -> None:
    books = demo.books_url(database_url)
    sample.load(books, in_india(datetime.now(UTC)))
    async with database.connect(database_url) as store:
        await store.fetch("update books.voucher set seller = buyer where voucher_id = 'SAL/1002'")

    async with _up(data, "--exit", **given) as process:
        said = await _all_told(process)

    assert process.returncode == 1
    assert "Data Fetch Failed where E-Invoice Registered was expected\n  SAL/1002 " in said
    assert "31 registered, 10 not; some vouchers of the sample are wrong on purpose: 1 not as expected." in said


NOBODY = "127.0.0.1:1"


@pytest.mark.parametrize(
    ("given", "says"),
    [
        ({"DATABASE_URL": f"postgresql://{NOBODY}/x"}, "PostgreSQL can't be reached"),
        ({"DATABASE_URL": f"postgresql://{NOBODY}/x"}, "Start it, or correct IRNFLOW_DATABASE_URL."),
        ({"DATABASE_URL": "localhost"}, "IRNFLOW_DATABASE_URL is no address of a PostgreSQL"),
        ({"DATABASE_URL": "localhost"}, "postgresql://USER:PASSWORD@HOST:5432/DATABASE"),
        ({"AMQP_URL": f"amqp://{NOBODY}/x"}, "RabbitMQ can't be reached"),
        ({"AMQP_URL": f"amqp://{NOBODY}/x"}, "Start it, or correct IRNFLOW_AMQP_URL."),
        (
            {"AMQP_URL": "localhost"},
            "IRNFLOW_AMQP_URL is no address of a RabbitMQ: amqp://USER:PASSWORD@HOST:5672/VHOST",
        ),
        ({"AMQP_URL": f"amqp://{NOBODY}/x", "MANAGEMENT_URL": f"http://{NOBODY}"}, "correct IRNFLOW_MANAGEMENT_URL."),
        ({"AMQP_URL": f"amqp://{NOBODY}/x", "MANAGEMENT_URL": "here"}, "IRNFLOW_MANAGEMENT_URL is no address"),
    ],
)
async def test_a_server_that_is_not_where_it_is_said_to_be_is_told_before_anything_starts(
    data: Path, given: Mapping[str, str], says: str
) -> None:
    async with _up(data, **{f"IRNFLOW_{name}": url for name, url in given.items()}) as process:
        said = await _all_told(process)

    assert process.returncode == 1
    assert says in said
    assert "Starting" not in said


async def test_while_a_server_that_is_given_keeps_silent_it_says_what_it_looks_at(data: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        url = f"postgresql://127.0.0.1:{silent.getsockname()[1]}/x"
        async with _up(data, IRNFLOW_DATABASE_URL=url) as process:
            said = await _told(process, "Looking at the servers that are given")

    assert said == "... Looking at the servers that are given\n"


async def test_the_name_of_its_folder_is_shown_as_it_is(data: Path) -> None:
    async with _up(data / "[x]", IRNFLOW_DATABASE_URL="localhost") as process:
        said = await _all_told(process)

    assert f"Stopped. The data stay in {data}/[x]." in said


async def test_a_broker_that_lacks_the_topology_is_told_so_with_what_to_do(data: Path, empty_amqp_url: str) -> None:
    async with _up(data, IRNFLOW_AMQP_URL=empty_amqp_url) as process:
        said = await _all_told(process)

    assert process.returncode == 1
    assert "RabbitMQ lacks exchange direct_exchange" in said
    assert "import what `irnflow topology` prints" in said


async def test_where_no_rabbitmq_can_be_had_it_says_how_to_give_one(data: Path) -> None:
    async with _up(data, PATH=str(data), XDG_CACHE_HOME=str(data)) as process:
        said = await _all_told(process)

    assert process.returncode == 1
    assert "There is no RabbitMQ here, and Debian's packages can't be fetched." in said
    assert "export IRNFLOW_AMQP_URL=amqp://USER:PASSWORD@HOST:5672/VHOST" in said
