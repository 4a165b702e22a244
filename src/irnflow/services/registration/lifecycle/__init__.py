"""The life of an IRN after its registration: cancelled; its e-way bill made, fetched, cancelled.

Actions are put on record by whoever wants them (`store.lifecycle`); here they are asked of the portal that issued the
IRN. INTENT is committed before the call; a lost answer makes it UNKNOWN, and a look-up tells what happened before
anything is asked again (store/migrations/0006_lifecycle.sql). `acting` leases and settles, `asking` makes calls and
look-ups, `portal` has the words of each kind, `telling` says what came of it.
"""
