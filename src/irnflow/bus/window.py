"""Windows of publishing: how many messages wait for their confirms at once."""

from collections.abc import Iterator, Sequence
from typing import Final

from irnflow.bus.topology import DIRECT, STATUS
from irnflow.errors import BadMessage, PublishFailed
from irnflow.messages import BODY_BYTES_MAX, Publication

MESSAGES_MAX: Final = 1000
BYTES_MAX: Final = 8 * 1024 * 1024


def check_size(publication: Publication) -> None:
    """Raises BadMessage for a body over the limit. Copies of what others sent may be larger: they must go somewhere."""
    size = len(publication.body)
    if size > BODY_BYTES_MAX and publication.exchange in (DIRECT, STATUS):
        what = f"{publication.routing_key} of {publication.correlation_id}"
        raise BadMessage(f"{what} has {size} bytes, the most is {BODY_BYTES_MAX}")


def windows(publications: Sequence[Publication]) -> Iterator[list[Publication]]:
    """Cut into windows of at most 1,000 messages or 8 MiB; a larger message stands alone."""
    window: list[Publication] = []
    size = 0
    for publication in publications:
        if window and (len(window) == MESSAGES_MAX or size + len(publication.body) > BYTES_MAX):
            yield window
            window, size = [], 0
        window.append(publication)
        size += len(publication.body)
    if window:
        yield window


def unroutable(returned: Sequence[Publication]) -> PublishFailed:
    """What to raise when the broker had no queue for some."""
    first = returned[0]
    where = f"{first.exchange} {first.routing_key}"
    return PublishFailed(f"{len(returned)} messages were returned, the first because no queue is for {where}")
