"""NIC1 and NIC2: one login, each its own documents, and what comes of it when they don't hear of each other."""

from datetime import timedelta

import pytest

from irnflow.sandbox.switches import Order
from tests.sandbox.client import Client, codes
from tests.sandbox.documents import intra_state


def both_registered(client: Client) -> str:
    """The IRN of a document that both have, because neither heard of the other's; NIC1's is the first."""
    client.sandbox.obey(Order(dedup_outage=True))
    irn: str = client.at("NIC1").generate(intra_state())["Data"]["Irn"]
    client.wait(seconds=1)
    assert client.at("NIC2").generate(intra_state())["Data"]["Irn"] == irn
    return irn


def test_a_token_is_good_at_both_portals(client: Client) -> None:
    assert client.at("NIC1").generate(intra_state("INV-1"))["Status"] == 1
    assert client.at("NIC2").generate(intra_state("INV-2"))["Status"] == 1


def test_without_a_name_nic1_is_called(client: Client) -> None:
    irn = client.generate(intra_state())["Data"]["Irn"]

    assert client.at("nic1").by_irn(irn)["Status"] == 1
    assert client.sandbox.calls_at["NIC1"]["by_irn"] == 1


def test_what_the_other_portal_registered_is_2295(client: Client) -> None:
    client.at("NIC1").generate(intra_state())

    assert codes(client.at("NIC2").generate(intra_state())) == ["2295"]
    assert client.sandbox.register.counts()["duplicates"] == 1


def test_a_number_cancelled_at_the_other_portal_is_spent_too(client: Client) -> None:
    irn = client.at("NIC1").generate(intra_state())["Data"]["Irn"]
    client.at("NIC1").cancel(irn)

    assert codes(client.at("NIC2").generate(intra_state())) == ["2278"]


def test_look_ups_search_where_they_are_asked_unless_the_header_names_the_other(client: Client) -> None:
    irn = client.at("NIC1").generate(intra_state("INV-1"))["Data"]["Irn"]

    assert codes(client.at("NIC2").by_irn(irn)) == ["2148"]
    assert codes(client.at("NIC2").by_document("INV-1")) == ["2154"]
    assert client.at("NIC2", irp="NIC1").by_irn(irn)["Data"]["Irn"] == irn
    assert client.at("NIC2", irp="nic1").by_document("INV-1")["Data"]["Irn"] == irn


def test_cancelling_needs_the_header_at_the_other_portal(client: Client) -> None:
    irn = client.at("NIC2").generate(intra_state())["Data"]["Irn"]

    assert codes(client.at("NIC1").cancel(irn)) == ["2148"]
    assert client.at("NIC1", irp="NIC2").cancel(irn)["Status"] == 1
    assert client.at("NIC2").by_irn(irn)["Data"]["Status"] == "CNL"


def test_a_header_that_names_no_portal_is_refused(client: Client) -> None:
    assert codes(client.at("NIC1", irp="NIC3").by_irn("0" * 64)) == ["2142"]


def test_within_the_lag_the_portals_do_not_hear_of_each_other(client: Client) -> None:
    client.sandbox.obey(Order(dedup_lag_s=60))
    client.at("NIC1").generate(intra_state("INV-1"))
    client.at("NIC1").generate(intra_state("INV-2"))

    client.wait(seconds=59)
    assert client.at("NIC2").generate(intra_state("INV-1"))["Status"] == 1

    client.wait(seconds=1)
    assert codes(client.at("NIC2").generate(intra_state("INV-2"))) == ["2295"]


def test_in_an_outage_both_succeed_and_afterwards_the_later_is_rejected(client: Client) -> None:
    irn = both_registered(client)
    assert client.at("NIC2").by_irn(irn)["Data"]["Status"] == "ACT"

    client.sandbox.obey(Order(dedup_outage=False))

    assert client.at("NIC1").by_irn(irn)["Data"]["Status"] == "ACT"
    assert client.at("NIC2").by_irn(irn)["Data"]["Status"] == "REJ"
    assert client.sandbox.register.counts() == {
        "active": 1, "cancelled": 0, "rejected": 1, "documents": 1, "duplicates": 0,
    }  # fmt: skip


def test_a_rejected_irn_is_listed_on_the_day_it_was_rejected(client: Client) -> None:
    irn = both_registered(client)
    client.wait(hours=12)  # 03:08 of the next day in India
    client.log_in()
    client.sandbox.obey(Order(dedup_outage=False))

    assert client.at("NIC2").rejected("23/11/2026")["Data"] == [irn]
    assert codes(client.at("NIC2").rejected("22/11/2026")) == ["2154"]
    assert codes(client.at("NIC1").rejected("23/11/2026")) == ["2154"]
    assert client.at("NIC1", irp="NIC2").rejected("23/11/2026")["Data"] == [irn]


def test_rejected_irns_are_asked_for_by_a_day(client: Client) -> None:
    assert codes(client.rejected("2026-11-22")) == ["2144"]


def test_a_rejected_irn_is_not_active_and_belongs_to_the_other_portal(client: Client) -> None:
    irn = both_registered(client)
    client.sandbox.obey(Order(dedup_outage=False))

    assert codes(client.at("NIC2").cancel(irn)) == ["9999"]
    assert codes(client.at("NIC2").generate(intra_state())) == ["2295"]
    assert codes(client.at("NIC1").generate(intra_state())) == ["2150"]


def test_one_that_was_cancelled_meanwhile_is_not_rejected(client: Client) -> None:
    irn = both_registered(client)
    client.at("NIC2").cancel(irn)

    client.sandbox.obey(Order(dedup_outage=False))

    assert client.at("NIC2").by_irn(irn)["Data"]["Status"] == "CNL"


@pytest.mark.parametrize("how", ["by_irn", "by_document"])
def test_look_ups_may_lag_behind(client: Client, how: str) -> None:
    client.sandbox.obey(Order(lookup_lag_s=30))
    irn = client.generate(intra_state("INV-1"))["Data"]["Irn"]
    look_up = {"by_irn": lambda: client.by_irn(irn), "by_document": lambda: client.by_document("INV-1")}[how]

    assert codes(look_up()) in (["2148"], ["2154"])
    client.now += timedelta(seconds=30)
    assert look_up()["Status"] == 1
