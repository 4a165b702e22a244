"""Logins: one for a GSTIN at a time over all workers, kept sealed in the store, shared until they expire."""

import asyncio
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Final

import msgspec

from irnflow.errors import Permanent, Transient
from irnflow.gst.portal_codes import PortalClass, portal_code
from irnflow.portal.client import Answer, Credentials, Portal, Session
from irnflow.store.accounts import credentials_of
from irnflow.store.database import Database, queries
from irnflow.store.secrets import seal, unseal

_SQL: Final = queries("registration")
_LOGIN_LEASE: Final = timedelta(seconds=60)  # a login takes a second or two; who died with it frees it by then
_MARGIN: Final = timedelta(minutes=1)  # a token is not used in its last minute
_POLL_S: Final = 0.2  # while another worker logs in


class LoginRefused(Permanent):
    """The portal refused the login: a person must mend the credentials before anybody tries again."""


class LoginPutOff(Transient):
    """The portal can't log anybody in now: again, later."""


class Sessions:
    """The sessions of one portal, by GSTIN."""

    def __init__(
        self,
        portal: Portal,
        database: Database,
        *,
        name: str,
        key: bytes,
        now: Callable[[], datetime],
        random_bytes: Callable[[int], bytes],
    ) -> None:
        self._portal = portal
        self._database = database
        self._name = name
        self._key = key
        self._now = now
        self._random_bytes = random_bytes
        self._alive: dict[str, tuple[Credentials, Session]] = {}
        self._turns: dict[str, asyncio.Lock] = {}  # one look into the store for a GSTIN at a time

    async def get(self, gstin: str) -> tuple[Credentials, Session]:
        """Credentials and a session that lives. Raises Permanent (login refused, no credentials), Transient."""
        found = self._alive.get(gstin)
        if found and found[1].expires_at - _MARGIN > self._now():
            return found
        async with self._turns.setdefault(gstin, asyncio.Lock()):
            found = self._alive.get(gstin)
            if found and found[1].expires_at - _MARGIN > self._now():
                return found
            credentials = await self._credentials(gstin)
            self._alive[gstin] = credentials, await self._session(credentials)
            return self._alive[gstin]

    async def forget(self, gstin: str, session: Session) -> None:
        """This session was refused (1005): nobody uses it again."""
        if self._alive.get(gstin, (None, None))[1] == session:
            del self._alive[gstin]
            await self._database.fetch(_SQL["session_keep"], self._name, gstin, None, None)

    async def _session(self, credentials: Credentials) -> Session:
        """The one in the store, or one that we log in for while all others wait."""
        while True:
            now = self._now()
            row = (await self._database.fetch(
                _SQL["session_take"], self._name, credentials.gstin, now + _MARGIN, now + _LOGIN_LEASE))[0]  # fmt: skip
            if row["claimed"]:
                return await self._login(credentials)
            if row["sealed"] is not None and row["expires_at"] > now + _MARGIN:
                return _opened(unseal(self._key, bytes(row["sealed"]), context=_context(credentials.gstin)))
            await asyncio.sleep(_POLL_S)

    async def _login(self, credentials: Credentials) -> Session:
        try:
            session = await self._portal.login(credentials, app_key=self._random_bytes(32))
        except BaseException:
            await self._keep(credentials.gstin, None)  # let the next one try
            raise
        if isinstance(session, Answer):
            await self._keep(credentials.gstin, None)
            raise _refusal(session)
        await self._keep(credentials.gstin, session)
        return session

    async def _keep(self, gstin: str, session: Session | None) -> None:
        sealed = seal(self._key, msgspec.json.encode(session), context=_context(gstin)) if session else None
        expires_at = session.expires_at if session else None
        await self._database.fetch(_SQL["session_keep"], self._name, gstin, sealed, expires_at)

    async def _credentials(self, gstin: str) -> Credentials:
        kept = await credentials_of(self._database, self._key, gstin)
        return Credentials(
            gstin=gstin,
            client_id=kept.client_id,
            client_secret=kept.client_secret,
            username=kept.username,
            password=kept.password,
        )


def _refusal(answer: Answer) -> LoginRefused | LoginPutOff:
    says = "; ".join(f"{said.code} {said.text}" for said in answer.errors) or "login refused"
    entries = [portal_code(said.code) for said in answer.errors]
    passes = bool(entries) and all(entry and entry.klass is PortalClass.RETRY for entry in entries)
    return LoginPutOff(says) if passes else LoginRefused(says)


def _context(gstin: str) -> str:
    return f"session of {gstin}"


def _opened(plain: bytes) -> Session:
    return msgspec.json.decode(plain, type=Session)
