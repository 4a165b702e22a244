"""Exceptions, in three kinds, because there are three things to do.

Transient        again, later
  Unavailable    a dependency is down for all: hold the deliveries, count no attempt
  SomeUnavailable  only some need it (one company's books): theirs wait aside, the others pass
  PublishFailed  a publish was returned, nacked or never confirmed
Permanent        to a person
  BadInput       the caller's request or file is wrong; says what, where and what to do
  BadMessage     a message that no version of us wrote, or that is cut: to the dead letters
  DataError      the store refused a value: the bus loop halves the batch until it stands alone
AssertionError   mend the code

A wrong invoice is no exception: it is a list of `gst.faults.Fault`.
"""


class Transient(Exception):
    """This piece of work failed and may succeed unchanged later."""


class Unavailable(Transient):
    """What everybody needs (database, books, broker) does not answer; nothing is wrong with the work itself."""


class SomeUnavailable(Unavailable):
    """What only some of the work needs does not answer: it waits on the ladder, uncounted, and the rest passes."""


class PublishFailed(Transient):
    """The broker did not take responsibility for at least one message of the window."""


class Permanent(Exception):
    """Repeating it unchanged will fail again: a person has to mend something first."""


class BadInput(Permanent):
    """What the caller gave is wrong. The text says what, where, and what to do."""


class BadMessage(Permanent):
    """A body or header that does not decode to the message its queue carries."""


class DataError(Permanent):
    """PostgreSQL refused a value (class 22 or 23): some row of the batch is bad. Halve it until it stands alone."""
