"""Logins: one for a GSTIN at a time over all workers, kept sealed in the store, shared until they expire.

A refused login is stopped, for repeated bad logins lock its user: nobody logs the GSTIN in to this family of portals
again, whoever asks, until a person has mended the credentials (`irnflow gstin credentials`) or lets it go on; other
families, for which it has credentials of their own, serve it meanwhile. One that the portal puts off is
tried again after a pause that doubles. In its last ten minutes a token is renewed by one worker, while the others
go on with the one that lives.
"""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta
from typing import Final

import msgspec

from irnflow.errors import Permanent, Transient
from irnflow.gst.portal_codes import PortalClass, portal_code
from irnflow.portal.client import Answer, Credentials, NotDone, Portal, Session
from irnflow.store.accounts import credentials_of
from irnflow.store.database import Database, queries
from irnflow.store.secrets import KeyRing, context_of

_SQL: Final = queries("registration")
LOGIN_LEASE: Final = timedelta(seconds=90)  # longer than a call may take; who died with it frees it by then
_RENEWED: Final = timedelta(minutes=10)  # ForceRefreshAccessToken works only in the last ten minutes
_MARGIN: Final = timedelta(minutes=1)  # a token is not used in its last minute
_BELIEVED: Final = timedelta(seconds=30)  # then the store is asked whether it still is the session
_RENEWAL_PAUSE: Final = timedelta(minutes=1)  # between two tries to renew a token
_POLL_S: Final = 0.2  # while another worker logs in; ever more slowly, for it may have died with its lease,
_POLL_S_MOST: Final = 3.0  # but never more so than this


class LoginRefused(Permanent):
    """The portal refused the login, or the token of a new one: a person must mend the credentials before anybody
    tries again."""


class LoginPutOff(Transient):
    """Nobody can be logged in now: again, later. The call that wanted it was not made."""


class _Kept(msgspec.Struct, frozen=True, kw_only=True):
    """What is sealed in the store. A token belongs to GSTIN, user and client id: with others it is none."""

    session: Session
    username: str
    client_id: str


class _Held(msgspec.Struct, frozen=True, kw_only=True):
    """A session as this process knows it."""

    credentials: Credentials
    session: Session
    sealed: bytes  # as it stands in the store
    believed_until: datetime


class Sessions:
    """The sessions of one family of portals, by GSTIN."""

    def __init__(
        self,
        portal: Portal,
        database: Database,
        *,
        name: str,  # of the family
        key: KeyRing,
        now: Callable[[], datetime],
        random_bytes: Callable[[int], bytes],
        login_lease: timedelta = LOGIN_LEASE,
    ) -> None:
        self._portal = portal
        self._database = database
        self._name = name
        self._key = key
        self._now = now
        self._random_bytes = random_bytes
        self._login_lease = login_lease
        self._held: dict[str, _Held] = {}
        self._turns: dict[str, asyncio.Lock] = {}  # one look into the store for a GSTIN at a time

    async def use(
        self, gstin: str, call: Callable[[Credentials, Session], Awaitable[Answer]]
    ) -> tuple[Answer, Credentials, Session]:
        """A call's answer, and with what it was made. 1005: log in once more, repeat once, never loop.

        Raises Permanent (login refused, no credentials, token refused twice), LoginPutOff: the call was not done; and
        what the call itself raises.
        """
        credentials, session = await self._put_off_or(gstin)
        answer = await call(credentials, session)
        if not _is_about_token(answer):
            return answer, credentials, session
        await self._forget_or(gstin, session)
        credentials, session = await self._put_off_or(gstin)
        answer = await call(credentials, session)
        if not _is_about_token(answer):
            return answer, credentials, session
        says = f"a new token is refused too: {_words(answer)}"
        if await self._forget_or(gstin, session, stop=says):
            raise LoginRefused(says)
        raise LoginPutOff("the session was replaced while it was used")

    async def get(self, gstin: str) -> tuple[Credentials, Session]:
        """Credentials and a session that lives. Raises Permanent (login refused, no credentials), Transient."""
        held, turn = self._held.get(gstin), self._turns.setdefault(gstin, asyncio.Lock())
        if held and self._serves(held, being_renewed=turn.locked()):
            return held.credentials, held.session
        async with turn:
            held = self._held.get(gstin)
            if held is None or not self._serves(held, being_renewed=False):
                held = self._held[gstin] = await self._found_or_new(gstin)
            return held.credentials, held.session

    async def forget(self, gstin: str, session: Session, *, stop: str | None = None) -> bool:
        """This session was refused (1005): nobody uses it again. Gives whether it still was everybody's; only then
        does `stop` stop its login, with that reason."""
        held = self._held.get(gstin)
        if held is None or held.session != session:
            return False
        del self._held[gstin]
        rows = await self._database.fetch(_SQL["session_forget"], self._name, gstin, held.sealed, stop)
        return bool(rows[0]["forgotten"])

    async def _forget_or(self, gstin: str, session: Session, *, stop: str | None = None) -> bool:
        """As `forget`: that the call was refused is known, even when the store is away."""
        try:
            return await self.forget(gstin, session, stop=stop)
        except Transient as error:
            raise LoginPutOff(str(error)) from error

    def _serves(self, held: _Held, *, being_renewed: bool) -> bool:
        now = self._now()
        return self._lives(held.session) and (being_renewed or now < held.believed_until)

    def _lives(self, session: Session) -> bool:
        return session.expires_at - _MARGIN > self._now()

    async def _put_off_or(self, gstin: str) -> tuple[Credentials, Session]:
        """As `get`, but no trouble of a login can be taken for one of the call."""
        try:
            return await self.get(gstin)
        except Transient as error:
            raise LoginPutOff(str(error)) from error

    async def _found_or_new(self, gstin: str) -> _Held:
        """The session in the store, or one that we log in for while all others wait."""
        poll_s = _POLL_S
        while True:
            credentials = await self._credentials(gstin)
            now = self._now()
            lease = now + self._login_lease
            row = (await self._database.fetch(
                _SQL["session_take"], self._name, gstin, now, now + _MARGIN, now + _RENEWED, lease))[0]  # fmt: skip
            sealed = bytes(row["sealed"]) if row["sealed"] is not None else None
            living = self._opened(credentials, sealed) if sealed else None
            if row["claimed"]:
                return await self._logged_in(credentials, living, lease)
            if living:
                return living
            if sealed:  # of other credentials, or sealed with a key that is gone
                await self._database.fetch(_SQL["session_forget"], self._name, gstin, sealed, None)
                continue
            if row["stopped"] is not None:
                raise LoginRefused(f"GSTIN {gstin} is stopped: {row['stopped']}")
            if row["put_off"] is not None:
                raise LoginPutOff(row["put_off"])
            await asyncio.sleep(poll_s)
            poll_s = min(2 * poll_s, _POLL_S_MOST)

    async def _logged_in(self, credentials: Credentials, living: _Held | None, lease: datetime) -> _Held:
        try:
            given = await self._portal.login(credentials, app_key=self._random_bytes(32), renew=living is not None)
            if isinstance(given, Answer):
                raise _refusal(given)
        except Permanent as error:
            await self._database.fetch(_SQL["session_refused"], self._name, credentials.gstin, lease, str(error))
            raise
        except Transient as error:
            await self._put_off(credentials.gstin, lease, error)
            if living:
                return living
            raise
        except BaseException:  # stopped in the middle: let the next one try
            await self._database.fetch(_SQL["session_give_up"], self._name, credentials.gstin, lease)
            raise
        return await self._keep(credentials, given, lease)

    async def _keep(self, credentials: Credentials, session: Session, lease: datetime) -> _Held:
        kept = _Kept(session=session, username=credentials.username, client_id=credentials.client_id)
        sealed = self._key.seal(msgspec.json.encode(kept), context=context_of(credentials.gstin, self._name))
        now = self._now()
        again = now + _RENEWAL_PAUSE if session.expires_at <= now + _RENEWED else None
        # No row: the credentials were renewed meanwhile, and the next one logs in with those.
        await self._database.fetch(
            _SQL["session_keep"], self._name, credentials.gstin, sealed, session.expires_at, lease, again
        )
        return self._as_held(credentials, session, sealed)

    async def _put_off(self, gstin: str, lease: datetime, error: Transient) -> None:
        asked_s = error.retry_after_s or 0.0 if isinstance(error, NotDone) else 0.0
        wait = timedelta(seconds=asked_s)
        await self._database.fetch(_SQL["session_put_off"], self._name, gstin, lease, str(error), self._now(), wait)

    def _opened(self, credentials: Credentials, sealed: bytes) -> _Held | None:
        try:
            plain = self._key.unseal(sealed, context=context_of(credentials.gstin, self._name))
            kept = msgspec.json.decode(plain, type=_Kept)
        except (Permanent, msgspec.MsgspecError):
            return None
        if (kept.username, kept.client_id) != (credentials.username, credentials.client_id):
            return None
        return self._as_held(credentials, kept.session, sealed)

    def _as_held(self, credentials: Credentials, session: Session, sealed: bytes) -> _Held:
        believed_until = self._now() + _BELIEVED
        return _Held(credentials=credentials, session=session, sealed=sealed, believed_until=believed_until)

    async def _credentials(self, gstin: str) -> Credentials:
        kept = await credentials_of(self._database, self._key, gstin, self._name)
        return Credentials(
            gstin=gstin,
            client_id=kept.client_id,
            client_secret=kept.client_secret,
            username=kept.username,
            password=kept.password,
        )


def _is_about_token(answer: Answer) -> bool:
    return any((entry := portal_code(said.code)) and entry.klass is PortalClass.TOKEN for said in answer.errors)


def _refusal(answer: Answer) -> LoginRefused | LoginPutOff:
    entries = [portal_code(said.code) for said in answer.errors]
    passes = bool(entries) and all(entry and entry.klass is PortalClass.RETRY for entry in entries)
    says = f"the portal refuses the login: {_words(answer)}"
    return LoginPutOff(says) if passes else LoginRefused(says)


def _words(answer: Answer) -> str:
    return "; ".join(f"{said.code} {said.text}" for said in answer.errors) or "without a reason"
