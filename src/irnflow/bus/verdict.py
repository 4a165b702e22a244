"""What becomes of a delivery: one pure function, for all consumers.

done    what it caused is published: ack
again   its own trouble, which may pass: one step up the retry ladder, with our own count of attempts
person  to a person, through the error queue of its stage
hold    a dependency is down for all: keep the delivery, try again, count no attempt
dead    nobody foresaw this: to the dead letters, with reason and trace
"""

from enum import StrEnum

from irnflow.bus.ladder import STEPS
from irnflow.errors import BadMessage, Permanent, PublishFailed, Transient, Unavailable


class Verdict(StrEnum):
    DONE = "done"
    AGAIN = "again"
    PERSON = "person"
    HOLD = "hold"
    DEAD = "dead"


def verdict(error: Exception | None, attempts: int) -> Verdict:
    """What becomes of a delivery that failed `attempts` times before and ended with `error`, or well (None)."""
    if error is None:
        return Verdict.DONE
    if isinstance(error, Unavailable | PublishFailed):
        return Verdict.HOLD
    if isinstance(error, Transient):
        return Verdict.AGAIN if attempts < len(STEPS) else Verdict.PERSON
    if isinstance(error, BadMessage) or not isinstance(error, Permanent):
        return Verdict.DEAD
    return Verdict.PERSON
