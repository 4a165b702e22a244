"""How publishing is cut into windows."""

from irnflow.bus.window import windows
from tests.bus.examples import messages, numbered, with_body

MEBIBYTE = b" " * (1 << 20)


def test_a_window_has_at_most_a_thousand_messages() -> None:
    assert [len(window) for window in windows(messages(*numbered(2500)))] == [1000, 1000, 500]


def test_a_window_has_at_most_eight_mebibytes() -> None:
    large = [with_body(message, MEBIBYTE * 3) for message in messages("V1", "V2", "V3")]

    assert [[m.correlation_id for m in window] for window in windows(large)] == [["V1", "V2"], ["V3"]]


def test_a_message_larger_than_a_window_stands_alone() -> None:
    small, large, last = messages("V1", "V2", "V3")

    cut = list(windows([small, with_body(large, MEBIBYTE * 9), last]))

    assert [[m.correlation_id for m in window] for window in cut] == [["V1"], ["V2"], ["V3"]]


def test_nothing_gives_no_window() -> None:
    assert list(windows([])) == []
