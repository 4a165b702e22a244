"""Settings: read once from the environment by whoever starts a service, then handed on frozen."""

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Final

import msgspec

from irnflow.errors import BadInput

SERVICES: Final = (
    "irn_service", "data_fetch", "validation", "registration", "database_update", "error_desk", "websocket",
)  # fmt: skip


class Settings(msgspec.Struct, frozen=True, kw_only=True):
    """What a process needs to know. Environment names are IRNFLOW_ and the field in upper case."""

    data: Path = Path(".irnflow")  # everything private of ours lies below it
    database_url: str = ""  # postgresql://user:password@host:port/irnflow
    amqp_url: str = ""  # amqp://user:password@host:port/vhost
    management_url: str = ""  # http://user:password@host:port of RabbitMQ's management API
    books: Path = Path("books.toml")  # which books there are and how to read them: docs/books.md
    key_file: Path = Path("irnflow.key")  # encrypts secrets at rest: 32 bytes in base64; earlier keys in further lines
    key: str = ""  # the same, instead of that file: keys with spaces between, the current one first
    host: str = "127.0.0.1"  # what our servers listen on
    ports: dict[str, int] = msgspec.field(default_factory=dict)  # service name -> port; absent or 0: a free one
    websocket_url: str = ""  # where browsers find the websocket service; empty: same origin
    portals: Path = Path("portals.toml")  # the Invoice Registration Portals: docs/portals.md
    portal_url: str = ""  # a single portal, described by these variables instead of that file: base URL of its API
    portal_name: str = "NIC1"  # stored with each IRN: who issued it
    portal_auth_key: Path = Path("auth_public.pem")  # the portal's public key for logins
    portal_signing_keys: Path = Path("signing_keys")  # folder of certificates, <kid>.pem
    portal_per_minute: int = 0  # calls that it takes of a GSTIN in a minute; 0: not known, found out by its 429s
    portal_deadline_s: float = 30.0  # a call without answer by then is in doubt; gateways cut at about 29 to 30 s
    portal_slack_s: float = 60.0  # a call counts as lost when its answer isn't on record so long after the deadline
    portal_concurrency: int = 64  # calls in flight from one process
    portal_concurrency_gstin: int = 48  # of these, for one GSTIN at the most: the rest is there when it is in trouble
    error_limit_gstin: int = 20_000  # refusals after which the portal blocks a GSTIN ...
    error_limit_client: int = 100_000  # ... and a client id
    error_days: int = 30  # it does not say in what time; counted together here
    error_warn: float = 0.5  # share of the limit at which we warn
    error_stop: float = 0.9  # and stop
    lookup_settle_s: float = 60.0  # the first look-up, at least so long after the call's deadline
    lookup_gap_s: float = 60.0  # between the two look-ups that must both say "not there"
    lookup_window_s: float = 40 * 3600.0  # after the send; portals forget after about 48 h: later a person decides
    cancel_window_s: float = 24 * 3600.0  # since its acknowledgement an IRN may be cancelled so long (2270) ...
    eway_bill_cancel_window_s: float = 24 * 3600.0  # ... and an e-way bill since it was made; unverified
    doubt_alarm_s: float = 3600.0  # a document that is in doubt for so long is an alarm,
    doubt_page_s: float = 12 * 3600.0  # and so long, one that wakes somebody
    sandbox_dir: Path = Path("sandbox")  # keys, credentials and register of the sandbox portal
    sandbox_clock_offset_s: float = 0  # its hour is the real one and so many seconds
    accept_sandbox_gstins: bool = False  # let GSTINs through whose check digit is wrong, as the portals' sandboxes use

    def __repr__(self) -> str:
        return f"Settings(data={str(self.data)!r}, ...)"  # addresses hold passwords

    def port_of(self, service: str) -> int:
        return self.ports.get(service, 0)


def from_environment(environment: Mapping[str, str] = os.environ) -> Settings:
    """The settings that IRNFLOW_... variables give. Raises BadInput naming the variable that is wrong.

    IRNFLOW_PORT_<SERVICE> fills `ports`; relative paths of private files are below IRNFLOW_DATA.
    """
    values: dict[str, object] = {}
    ports: dict[str, str] = {}
    names = set(Settings.__struct_fields__)
    for variable, value in environment.items():
        name = variable.removeprefix("IRNFLOW_").lower()
        if not variable.startswith("IRNFLOW_"):
            continue
        if name.startswith("port_"):
            ports[name.removeprefix("port_")] = value
        elif name in names:
            values[name] = value
    try:
        settings = msgspec.convert(values | {"ports": ports}, Settings, strict=False, dec_hook=_path)
    except msgspec.ValidationError as error:
        raise BadInput(f"a setting in the environment (IRNFLOW_...) is wrong: {error}") from error
    return _below_data(settings)


def _path(kind: type, value: object) -> object:
    if kind is Path:
        return Path(str(value)).expanduser()
    raise NotImplementedError(kind)


def _below_data(settings: Settings) -> Settings:
    fields = ("books", "key_file", "portals", "portal_auth_key", "portal_signing_keys", "sandbox_dir")
    paths = {name: settings.data / getattr(settings, name) for name in fields}  # an absolute path stays itself
    return msgspec.structs.replace(settings, **paths)
