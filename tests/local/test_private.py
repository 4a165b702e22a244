"""local/private.py."""

from pathlib import Path

import pytest

from irnflow.local.private import Taken, taken


async def test_who_waits_for_a_folder_says_so_and_says_at_the_end_what_to_do(folder: Path) -> None:
    said: list[str] = []

    async with taken(folder):
        with pytest.raises(Taken, match="in use by another irnflow: stop that one, then start again"):
            async with taken(folder, patience_s=0.1, tell=said.append):
                pass

    assert [sentence.partition(" for ")[0] for sentence in said] == ["Waiting up to 0 s"]
    assert str(folder) in said[0]


async def test_who_finds_a_folder_free_says_nothing(folder: Path) -> None:
    said: list[str] = []

    async with taken(folder, patience_s=1, tell=said.append):
        pass

    assert said == []
