"""Who is logged in: tokens and session keys, in memory. A restart logs everybody out.

A login while the token lives gives the same token with its SEK, wrapped anew under the new app key; it is renewed
early only when the client asks for it in the last ten minutes.
"""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Final

import msgspec

from irnflow.sandbox.limits import Limits

SESSIONS_MAX: Final = 20_000
_SEK_BYTES: Final = 32
_TOKEN_BYTES: Final = 18


class Session(msgspec.Struct, frozen=True, kw_only=True):
    """One login of a user for a taxpayer."""

    gstin: str
    username: str
    token: str
    sek: bytes  # 32 bytes, AES-256
    expires_at: datetime


class Sessions:
    """All that live; each found by its token, and by taxpayer and user."""

    def __init__(self, *, random_bytes: Callable[[int], bytes]) -> None:
        self._random_bytes = random_bytes
        self._by_user: dict[tuple[str, str], Session] = {}
        self._by_token: dict[str, Session] = {}

    def log_in(self, gstin: str, username: str, *, refresh: bool, now: datetime, limits: Limits) -> Session:
        """The session that lives, or a new one."""
        session = self._by_user.get((gstin, username))
        early = timedelta(seconds=limits.token_early_s)
        if session and session.expires_at > now and not (refresh and session.expires_at - now <= early):
            return session
        self._make_room(now)
        return self._open(gstin, username, expires_at=now + timedelta(seconds=limits.token_life_s))

    def find(self, token: str, *, now: datetime) -> Session | None:
        """The session of a token that was not revoked and did not run out."""
        session = self._by_token.get(token)
        return session if session and session.expires_at > now else None

    def revoke_all(self) -> None:
        self._by_user.clear()
        self._by_token.clear()

    def _open(self, gstin: str, username: str, *, expires_at: datetime) -> Session:
        replaced = self._by_user.get((gstin, username))
        if replaced:
            del self._by_token[replaced.token]
        session = Session(
            gstin=gstin,
            username=username,
            token=self._random_bytes(_TOKEN_BYTES).hex(),
            sek=self._random_bytes(_SEK_BYTES),
            expires_at=expires_at.replace(microsecond=0),  # TokenExpiry tells whole seconds
        )
        self._by_user[gstin, username] = self._by_token[session.token] = session
        return session

    def _make_room(self, now: datetime) -> None:
        if len(self._by_token) < SESSIONS_MAX:
            return
        alive = [session for session in self._by_token.values() if session.expires_at > now]
        self.revoke_all()
        for session in alive[-SESSIONS_MAX // 2 :]:
            self._by_user[session.gstin, session.username] = self._by_token[session.token] = session
