"""Frames by hand against pamqp: both write and read the same."""

import pamqp.frame
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pamqp import commands as spec
from pamqp.base import Frame
from pamqp.body import ContentBody
from pamqp.header import ContentHeader

from irnflow.bus import frames
from irnflow.messages import Publication

SHORT = st.text(max_size=60)
NAME = st.text(alphabet="abcXYZ019._:-", max_size=60)
KEYS = st.text(min_size=1, max_size=40).filter(lambda key: not key.startswith("x-"))
HEADERS = st.dictionaries(KEYS, st.text(max_size=300) | st.integers(-(2**63), 2**63 - 1), max_size=8)
PUBLICATIONS = st.builds(
    Publication,
    exchange=SHORT,
    routing_key=SHORT,
    body=st.binary(max_size=300),
    message_id=SHORT,
    correlation_id=SHORT,
    headers=HEADERS,
    type=SHORT,
)


def parsed(data: bytes) -> list[tuple[int, object]]:
    """Channel and frame of each, as pamqp reads them."""
    found: list[tuple[int, object]] = []
    while data:
        size, channel, frame = pamqp.frame.unmarshal(data)
        found.append((channel, frame))
        data = data[size:]
    return found


def payload(frame: Frame | ContentHeader) -> bytes:
    """What a channel is given of a frame that pamqp wrote."""
    return pamqp.frame.marshal(frame, 7)[7:-1]


@given(PUBLICATIONS)
def test_pamqp_reads_what_we_publish(message: Publication) -> None:
    (channel, method), (_, header), *bodies = parsed(frames.publish(7, message, "data_fetch", 100))

    assert channel == 7
    assert isinstance(method, spec.Basic.Publish)
    assert (method.exchange, method.routing_key, method.mandatory) == (message.exchange, message.routing_key, True)
    assert isinstance(header, ContentHeader)
    properties = header.properties
    assert properties.headers == message.headers
    assert properties.delivery_mode == 2
    assert properties.content_type == "application/json"
    assert (properties.message_id or "") == message.message_id
    assert (properties.correlation_id or "") == message.correlation_id
    assert (properties.message_type or "") == (message.type or message.routing_key)
    assert properties.app_id == "data_fetch"
    assert b"".join(body.value for _, body in bodies if isinstance(body, ContentBody)) == message.body


@given(HEADERS, SHORT, SHORT, SHORT, SHORT, st.integers(0, 2**63 - 1))
def test_we_read_what_pamqp_writes(
    headers: dict[str, str | int], message_id: str, correlation_id: str, kind: str, app_id: str, size: int
) -> None:
    properties = spec.Basic.Properties(
        content_type="text/plain",
        content_encoding="gzip",
        headers=dict(headers),
        delivery_mode=2,
        priority=3,
        correlation_id=correlation_id,
        reply_to="somebody",
        expiration="1000",
        message_id=message_id,
        message_type=kind,
        user_id="guest",
        app_id=app_id,
    )

    read = frames.read_properties(payload(ContentHeader(body_size=size, properties=properties)))

    assert read == frames.Properties(size, headers, correlation_id, message_id, kind, app_id)


def test_headers_that_only_the_broker_writes_are_read_too() -> None:
    headers = {"x-death": [{"queue": "retry.5s", "count": 1}], "x-delivery-count": 3, "flag": True, "nothing": None}
    properties = spec.Basic.Properties(headers=headers, message_id="M1")

    read = frames.read_properties(payload(ContentHeader(body_size=1, properties=properties)))

    assert read.headers == headers
    assert read.message_id == "M1"


@given(st.integers(1, 2**63 - 1), SHORT, NAME, SHORT)
def test_a_delivery_is_read(tag: int, consumer_tag: str, exchange: str, key: str) -> None:
    frame = spec.Basic.Deliver(consumer_tag, tag, True, exchange, key)

    assert frames.read_deliver(payload(frame)) == (tag, key)


@pytest.mark.parametrize("multiple", [True, False])
@pytest.mark.parametrize("kind", [spec.Basic.Ack, spec.Basic.Nack])
def test_a_confirm_is_read(kind: type[spec.Basic.Ack] | type[spec.Basic.Nack], multiple: bool) -> None:
    frame = kind(delivery_tag=12, multiple=multiple)

    assert frames.read_confirm(payload(frame)) == (12, multiple)
    assert payload(frame)[:4] in (frames.ACK, frames.NACK)


@pytest.mark.parametrize("multiple", [True, False])
def test_pamqp_reads_our_ack(multiple: bool) -> None:
    [(channel, frame)] = parsed(frames.ack(3, 99, multiple=multiple))

    assert channel == 3
    assert isinstance(frame, spec.Basic.Ack)
    assert (frame.delivery_tag, frame.multiple) == (99, multiple)


def test_a_transaction_id_too_long_for_a_property_is_cut_between_characters() -> None:
    assert frames.short("ரூ" * 100) == bytes((255,)) + ("ரூ" * 100).encode()[:255]
    assert frames.short("x" + "ரூ" * 100) == bytes((253,)) + ("x" + "ரூ" * 100).encode()[:253]
