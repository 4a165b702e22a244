"""local/child.py: ports, and what it says of a server that doesn't come; those that come are seen in test_postgres,
test_rabbitmq and test_up."""

import multiprocessing
import socket
from pathlib import Path

import pytest

from irnflow.local.child import Child, NotStarted, choose_port


def test_a_wanted_port_is_given_again_to_whom_it_was_given() -> None:
    port = choose_port()

    assert choose_port(port) == port


def test_a_port_on_which_somebody_listens_is_not_given() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        taken = listener.getsockname()[1]

        assert choose_port(taken) != taken


def test_a_port_that_another_of_us_was_given_is_not_given_before_anybody_listens_there() -> None:
    port = choose_port()

    with multiprocessing.get_context("spawn").Pool(1) as other:
        assert other.apply(choose_port, (port,)) != port


async def test_a_server_that_is_not_ready_in_time_is_told_with_its_last_words_and_what_to_do(folder: Path) -> None:
    async def never() -> bool:
        return False

    server = Child(
        "The server", ["sh", "-c", "echo thinking; sleep 60"],
        ready=never, output=folder / "log", folder=folder, start_s=0.5,
    )  # fmt: skip

    with pytest.raises(NotStarted, match=r"(?s)The server was not ready within 0 s\..*  thinking\n") as caught:
        await server.__aenter__()

    assert "If the machine was only busy, start again; else mend what it complains of." in str(caught.value)
