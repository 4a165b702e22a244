"""GSTINs of an account: why one stands still, new credentials, and letting it go on. No answer holds a secret."""

from decimal import Decimal
from typing import Final

from irnflow.api import cursor, resources
from irnflow.api.endpoint import Call, Endpoint
from irnflow.api.problem import Place, Refused
from irnflow.errors import BadInput
from irnflow.portal.client import check_login
from irnflow.portal.several import Families
from irnflow.store import accounts, steering
from irnflow.store.accounts import Account
from irnflow.store.database import Database
from irnflow.store.secrets import KeyRing

_PATH: Final = "/api/v1/gstins/{gstin}"
_WHICH: Final = ("unknown-portal", "portal-not-named")


class GstinDesk:
    """The endpoints over one store."""

    def __init__(self, store: Database, *, key: KeyRing | None, families: Families) -> None:
        self._store = store
        self._key = key  # None: this process has none, and takes no credentials
        self._families = families

    def endpoints(self) -> list[Endpoint]:
        return [
            Endpoint(
                method="GET", path="/api/v1/gstins", name="listGstins",
                says="GSTINs of the account, and why one stands still",
                handle=self.gstins, query=resources.Page, gives=resources.GstinPage,
            ),
            Endpoint(
                method="PUT", path=f"{_PATH}/credentials", name="setCredentials",
                says="Set what a GSTIN logs in with; its queue goes on",
                handle=self.set_credentials, body=resources.GstinCredentials, gives=resources.Gstin,
                problems=("unknown-gstin", "gstin-of-another", *_WHICH, "login-too-long", "no-key"),
            ),
            Endpoint(
                method="DELETE", path=f"{_PATH}/credentials", name="removeCredentials",
                says="Forget what a GSTIN logs in to one of several portals with",
                handle=self.remove_credentials, query=resources.WhichLogin, gives=resources.Gstin,
                problems=("unknown-gstin", "unknown-portal", "unknown-login", "login-needed"),
            ),
            Endpoint(
                method="PUT", path=f"{_PATH}/terms", name="setTerms",
                says="Set what the rules must know of a GSTIN: its turnover, and how many lines the portal allows it",
                handle=self.set_terms, body=resources.GstinTerms, gives=resources.Gstin, problems=("unknown-gstin",),
            ),
            Endpoint(
                method="POST", path=f"{_PATH}/resume", name="resumeGstin",
                says="Let a stopped GSTIN go on with the credentials that it has",
                handle=self.resume, query=resources.WhichLogins, gives=resources.Gstin,
                problems=("unknown-gstin", "unknown-portal", "unknown-login"),
            ),
        ]  # fmt: skip

    async def gstins(self, call: Call) -> resources.GstinPage:
        page: resources.Page = call.query
        after = cursor.read(page.cursor, cursor.Named).name if page.cursor else ""
        found = await accounts.gstins(self._store, _account(call).account_id, after=after, most=page.limit + 1)
        shown = found[: page.limit]
        more = len(found) > len(shown)
        return resources.GstinPage(
            items=[_shown(each) for each in shown], next=cursor.write(cursor.Named(shown[-1].gstin)) if more else None
        )

    async def set_credentials(self, call: Call) -> resources.Gstin:
        asked: resources.GstinCredentials = call.body
        account_id, gstin = _account(call).account_id, gstin_of_path(call)
        if self._key is None:
            raise Refused("no-key", "This server has no key to seal secrets with (IRNFLOW_KEY_FILE): set it there.")
        try:
            check_login(asked.username, asked.password)
        except BadInput as error:
            raise Refused("login-too-long", f"The portal's login can't carry them: {error}.") from error
        credentials = accounts.Credentials(
            family=await self._family(account_id, gstin, asked.portal),
            username=asked.username,
            client_id=asked.client_id,
            client_secret=asked.client_secret,
            password=asked.password,
        )
        try:
            await accounts.add_gstin(self._store, self._key, gstin, account_id=account_id, credentials=credentials)
        except BadInput as error:
            raise Refused("gstin-of-another", f"{error}.", [Place(pointer="", detail=str(error))]) from error
        return await self._one(account_id, gstin)

    async def set_terms(self, call: Call) -> resources.Gstin:
        asked: resources.GstinTerms = call.body
        account_id, gstin = _account(call).account_id, gstin_of_path(call)
        await accounts.set_gstin(
            self._store, account_id, gstin,
            turnover_crore=None if asked.turnover is None else Decimal(asked.turnover),
            lines_max=None if asked.lines_max is None else int(asked.lines_max),
        )  # fmt: skip
        return await self._one(account_id, gstin)

    async def resume(self, call: Call) -> resources.Gstin:
        asked: resources.WhichLogins = call.query
        account_id, gstin = _account(call).account_id, gstin_of_path(call)
        family = await self._family_of_login(account_id, gstin, asked.portal) if asked.portal else None
        await steering.resume_gstin(self._store, account_id, gstin, family=family)
        return await self._one(account_id, gstin)

    async def remove_credentials(self, call: Call) -> resources.Gstin:
        asked: resources.WhichLogin = call.query
        account_id, gstin = _account(call).account_id, gstin_of_path(call)
        family = await self._family_of_login(account_id, gstin, asked.portal)
        outcome = await accounts.remove_credentials(
            self._store, account_id, gstin, family, portals=self._families.portals(family)
        )
        if outcome in accounts.KEPT:
            raise Refused("login-needed", f"{gstin}, {family}: {accounts.KEPT[outcome]}.")
        return await self._one(account_id, gstin)

    async def _one(self, account_id: int, gstin: str) -> resources.Gstin:
        return _shown(await self._found(account_id, gstin))

    async def _found(self, account_id: int, gstin: str) -> accounts.Gstin:
        found = await accounts.gstin_of(self._store, account_id, gstin)
        if found is None:
            raise Refused("unknown-gstin", f"The account has no GSTIN {gstin!r}; set its credentials, and it has.")
        return found

    async def _family(self, account_id: int, gstin: str, portal: str | None) -> str:
        """Whose credentials are meant, by the name of a portal or a family. Raises Refused."""
        found = await accounts.gstin_of(self._store, account_id, gstin)
        try:
            return self._families.named(portal, found.families if found else ())
        except BadInput as error:
            kind = "unknown-portal" if portal else "portal-not-named"
            raise Refused(kind, f"{gstin}: {error}.", [Place(pointer="/portal", detail=str(error))]) from error

    async def _family_of_login(self, account_id: int, gstin: str, portal: str) -> str:
        """One that the GSTIN has credentials for. Raises Refused."""
        found, family = await self._found(account_id, gstin), await self._family(account_id, gstin, portal)
        if family not in found.families:
            raise Refused("unknown-login", f"{gstin} has no credentials for {family}; it has: "
                                           f"{', '.join(found.families)}.")  # fmt: skip
        return family


def _account(call: Call) -> Account:
    assert call.account is not None  # no public endpoint asks
    return call.account


def gstin_of_path(call: Call) -> str:
    """Raises Refused for a path that names none."""
    gstin = str(call.path["gstin"]).upper()
    if not resources.is_gstin(gstin):
        raise Refused("unknown-gstin", f"{gstin[:50]!r} is no GSTIN: it has 15 digits and letters, as 29AAFCC9980M1ZR.")
    return gstin


def _shown(found: accounts.Gstin) -> resources.Gstin:
    return resources.Gstin(
        gstin=found.gstin,
        stopped=found.stopped,
        logins=[
            resources.Login(
                portal=login.family, username=login.username, client_id=login.client_id, stopped=login.stopped
            )
            for login in found.logins
        ],
        turnover=None if found.turnover_crore is None else f"{found.turnover_crore:f}",
        lines_max=found.lines_max,
    )
