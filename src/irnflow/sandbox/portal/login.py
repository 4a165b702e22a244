"""Log in: a token for an hour or so, and the session key under the client's app key."""

from typing import Any, Final

from irnflow.sandbox.codes import refused
from irnflow.sandbox.portal.exchange import Request
from irnflow.sandbox.portal.office import Office, same
from irnflow.sandbox.protocol import accepted, encrypt, from_base64, ist, login_in, members

_APP_KEY_BYTES: Final = 32
_MAY_LOG_IN: Final = {"ACT", "SUS"}  # a suspended taxpayer may still cancel


def log_in(office: Office, request: Request) -> bytes:
    """Give the token, the same one while it lives."""
    office.check_client(request)
    gstin = request.header("gstin")
    _check_served(office, gstin)
    plain = login_in(request.body, office.identity.auth_key)
    username = _checked_user(office, request, plain)
    app_key = _app_key_in(plain)
    (force,) = members(plain, "ForceRefreshAccessToken")
    refresh = force is True or str(force).lower() == "true"

    session = office.sessions.log_in(gstin, username, refresh=refresh, now=request.now, limits=office.limits)
    data = {
        "ClientId": office.identity.credentials.client_id,
        "UserName": username,
        "AuthToken": session.token,
        "Sek": encrypt(app_key, session.sek),
        "TokenExpiry": ist(session.expires_at),
    }
    return accepted(data)


def _check_served(office: Office, gstin: str) -> None:
    taxpayer = office.taxpayers.find(gstin)
    if not taxpayer:
        raise refused("3030")
    if taxpayer.status not in _MAY_LOG_IN:
        raise refused("1014")
    served = office.identity.credentials.gstins
    if served is not None and gstin not in served:
        raise refused("1015")


def _checked_user(office: Office, request: Request, plain: dict[str, Any]) -> str:
    username, password = (str(each or "") for each in members(plain, "UserName", "Password"))
    gstin = request.header("gstin")
    if not username:
        raise refused("1006")
    if not same(username, office.identity.credentials.username):
        raise refused("1017")
    if office.blocking.is_locked(gstin, username, now=request.now, limits=office.limits):
        raise refused("3025")
    if not same(password, office.identity.credentials.password):
        office.blocking.count_wrong_password(gstin, username, now=request.now)
        raise refused("1019")
    office.blocking.forget_wrong_passwords(gstin, username)
    return username


def _app_key_in(plain: dict[str, Any]) -> bytes:
    (app_key,) = members(plain, "AppKey")
    try:
        key = from_base64(str(app_key or ""))
    except ValueError as cause:
        raise refused("1016") from cause
    if len(key) != _APP_KEY_BYTES:
        raise refused("1016")
    return key
