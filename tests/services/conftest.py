"""What the tests of several services stand on."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing

import pytest

from irnflow.books.catalogue import Source
from irnflow.books.shelf import Shelf, inline
from irnflow.log import logger

Open = Callable[..., Shelf]


@pytest.fixture
def shelf() -> Iterator[Open]:
    """Opens shelves of these books, which are closed with the test."""
    with ExitStack() as stack:

        def opened(*sources: Source) -> Shelf:
            return stack.enter_context(closing(Shelf(sources, runner=inline, log=logger("books"))))

        yield opened
