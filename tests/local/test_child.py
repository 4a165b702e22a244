"""local/child.py: ports; the processes themselves are seen in test_postgres, test_rabbitmq and test_up."""

import multiprocessing
import socket

from irnflow.local.child import choose_port


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
