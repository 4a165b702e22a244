"""The portal's times and counts, in seconds where they are times; NIC's sandbox figures are the defaults. Pure."""

from typing import Annotated

import msgspec

_Count = Annotated[int, msgspec.Meta(ge=0, le=3_155_760_000)]


class Limits(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """`limits` in `sandbox.json`; a switch changes them while it runs."""

    token_life_s: _Count = 60 * 60  # 360 minutes in production
    token_early_s: _Count = 10 * 60  # ForceRefreshAccessToken works only in the last ten minutes
    lookback_s: _Count = 48 * 60 * 60  # 2283 to a look-up of what is older
    cancel_s: _Count = 24 * 60 * 60  # 2270 after it
    eway_bill_cancel_s: _Count = 24 * 60 * 60  # 315 after it

    # Repeated bad logins lock the user (unverified: how many, and for how long).
    wrong_passwords_max: _Count = 5  # in a row; 0: never locked
    locked_s: _Count = 30 * 60

    # More than 20,000 errors for a GSTIN or 1 lakh for a client id: a mail, two days' grace, then all calls are
    # blocked (einvoice6.gst.gov.in). In which time they are counted, and what the portal then says, is not told.
    gstin_errors_max: _Count = 20_000
    client_errors_max: _Count = 100_000
    errors_counted_s: _Count = 24 * 60 * 60
    block_grace_s: _Count = 2 * 24 * 60 * 60
    blocked_s: _Count = 24 * 60 * 60
    blocked_code: str = "3065"  # You are not allowed to use this feature.
