"""irnflow broken on purpose where the simulation doesn't come: a passage of its source, and the test that must fail.

The test runs by itself, on a copy of the source with the passage changed.
"""

import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Final, NamedTuple

from tests.servers import ADDRESS

_ROOT: Final = Path(__file__).parents[2]
_SOURCE: Final = "src/irnflow"
_FAILED: Final = 1  # what pytest gives when a test failed, and not when it could not be run
_ROOM: Final = "services/registration"
_REGISTRATION: Final = "store/migrations/0005_registration.sql"
_PACE: Final = "store/migrations/0008_pace.sql"


class Passage(NamedTuple):
    """What is changed, and which test sees it."""

    file: str  # below src/irnflow
    right: str
    wrong: str
    test: str  # below tests


BROKEN: Final[Mapping[str, Passage]] = {
    "an open breaker is ignored": Passage(
        _PACE, "where not f.broken", "where true",
        f"{_ROOM}/test_pace.py::test_the_breaker_opens_after_calls_in_a_row_without_an_answer_and_then_lets_one_probe",
    ),
    "a document that may have arrived changes its portal": Passage(
        _REGISTRATION, "bound = r.bound or x.outcome = 'UNKNOWN',", "bound = r.bound,",
        f"{_ROOM}/test_pace.py::test_a_document_that_may_have_arrived_never_changes_portal",
    ),
    "a lease needs no token": Passage(
        _PACE, "k.irn is not null and k.of_gstin <= w.room and", "k.irn is not null and",
        f"{_ROOM}/test_pace.py::test_a_limit_of_60_a_minute_is_nearly_used_and_never_passed",
    ),
    "Retry-After is not obeyed": Passage(
        _PACE, "then greatest(c.held_until, p_at + j.retry_after_s * interval '1 second')", "then c.held_until",
        f"{_ROOM}/test_pace.py::test_retry_after_is_obeyed",
    ),
    "a look-up without the irp header counts": Passage(
        f"{_ROOM}/search.py", "(own.portal, line.name) if", '(own.portal, "") if',
        f"{_ROOM}/test_duplicates.py::test_a_look_up_finds_what_the_other_portal_of_the_family_has",
    ),
    "the first entry of InfoDtls is the duplicate": Passage(
        "portal/envelope.py", "for info in self.infos if info.code == code)", "for info in self.infos)",
        "portal/test_envelope.py::test_an_info_entry_is_chosen_by_its_code",
    ),
    "unverified is told as verified": Passage(
        f"{_ROOM}/teller.py", 'says = "" if row["verified"] else', 'says = "" if True else',
        f"{_ROOM}/test_against_sandbox.py::test_a_document_signed_with_an_unknown_key_is_accepted_and_marked",
    ),
    "a bad signature is told as success": Passage(
        f"{_ROOM}/meaning.py", "what=what, outcome=Outcome.UNKNOWN, answer=_answer(what), document=document",
        "what=what, outcome=Outcome.ACCEPTED, answer=_answer(what), document=document",
        f"{_ROOM}/test_against_sandbox.py::test_a_bad_signature_is_kept_in_doubt_and_never_told_as_success",
    ),
    "a registration that was struck off (REJ) is adopted": Passage(
        f"{_ROOM}/meaning.py", ', _STRUCK_OFF: ("registration.struck_off", "2295")}', "}",
        f"{_ROOM}/test_duplicates.py::test_a_registration_that_was_struck_off_is_not_adopted",
    ),
    "what was refused with a code that decides nothing is sent again": Passage(
        f"{_ROOM}/resolver.py", "if leased.refused is not None:", "if False:",
        f"{_ROOM}/test_ledger.py::"
        "test_after_three_5002_nothing_is_sent_again_though_only_a_later_look_up_says_not_there",
    ),
    "one that was struck off ends the search": Passage(
        f"{_ROOM}/search.py", "if not meaning.is_struck_off(there.document):", "if True:",
        f"{_ROOM}/test_duplicates.py::test_where_ours_was_struck_off_the_one_that_another_of_our_portals_had_first_is_adopted",
    ),
    "a cancellation is overwritten by a late success": Passage(
        "services/database_update.py", "if voucher.irn not in (None, told.irn) or cancelled:",
        "if voucher.irn not in (None, told.irn):",
        "services/test_database_update.py::test_a_cancelled_voucher_whose_irn_was_cleared_is_for_a_person",
    ),
    "the ledger of refused payloads is ignored": Passage(
        _REGISTRATION, "before := irnflow.rejected_before(q.irn, q.digest);", "before := null;",
        f"{_ROOM}/test_arrival.py::test_a_refused_payload_is_never_sent_again",
    ),
    "a revoked token is used again": Passage(
        f"{_ROOM}/sessions.py", "await self._forget_or(gstin, session)\n", "await asyncio.sleep(0)\n",
        f"{_ROOM}/test_against_sandbox.py::test_a_revoked_token_costs_one_login_and_one_repetition",
    ),
    "1005 of a new token is tried for ever": Passage(
        f"{_ROOM}/sessions.py", "if await self._forget_or(gstin, session, stop=says):",
        "if await self._forget_or(gstin, session):",
        f"{_ROOM}/test_sessions.py::test_a_token_refused_twice_stops_the_gstin_and_is_never_tried_a_third_time",
    ),
    "the error budget is ignored": Passage(
        f"{_ROOM}/budget.py", "if n >= budget.stop * most:", "if False:",
        f"{_ROOM}/test_budget.py::test_a_gstin_stops_when_its_refusals_come_near_the_portals_limit",
    ),
    "a failure whose status got lost is left alone": Passage(
        "services/irn_service.py", "all_is_said = not await ready(bus, STATUSES)", "all_is_said = False",
        "services/test_irn_service.py::"
        "test_a_transaction_whose_failure_is_kept_and_whose_status_got_lost_is_sent_again",
    ),
}  # fmt: skip


def is_seen(passage: Passage) -> bool:
    """Whether the test fails with the passage changed. Raises AssertionError when the source no longer has it."""
    with _changed(passage) as source:
        environment = os.environ | {"PYTHONPATH": str(source)}
        environment.pop(ADDRESS, None)  # its servers' tables would be made by the right source
        words = [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", f"tests/{passage.test}"]
        run = subprocess.run(words, cwd=_ROOT, env=environment, capture_output=True, check=False)
    return run.returncode == _FAILED and f"FAILED tests/{passage.test}".encode() in run.stdout


def text_with(passage: Passage) -> str:
    """The source that has the passage, once. Raises AssertionError when it no longer has."""
    text = (_ROOT / _SOURCE / passage.file).read_text(encoding="utf-8")
    assert text.count(passage.right) == 1, f"{passage.file} no longer says {passage.right!r} once"
    return text


@contextmanager
def _changed(passage: Passage) -> Iterator[Path]:
    """A folder with a copy of the package that has the wrong words."""
    with tempfile.TemporaryDirectory() as folder:
        package = Path(folder) / "irnflow"
        shutil.copytree(_ROOT / _SOURCE, package, ignore=shutil.ignore_patterns("__pycache__"))
        file = package / passage.file
        text = text_with(passage)
        file.write_text(text.replace(passage.right, passage.wrong), encoding="utf-8")
        yield Path(folder)
