"""What exists at the broker and who may use it: one table of each, from which everything else is made.

`definitions` gives RabbitMQ's definitions.json, `declare` imports it into one vhost, `check` compares a
running broker with it; `route` says where a message goes (the memory bus), `used_by` what a service needs to start.

Queues are quorum everywhere, also on one node: they fsync before the confirm, classic queues don't.
What may change later is a policy, one a queue, for policies don't merge; RabbitMQ 3.10 to 4.x take all of it.
"""

import base64
import hashlib
import os
import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final, TypeAlias
from urllib.parse import quote, unquote, urlsplit

import aiohttp
import msgspec

from irnflow.errors import BadInput, Unavailable
from irnflow.settings import Settings

_Row: TypeAlias = Mapping[str, Any]  # of definitions.json

DIRECT: Final = "direct_exchange"
STATUS: Final = "status_exchange"
DEAD_LETTER_EXCHANGE: Final = "dead_letter_exchange"
DEAD_LETTER_QUEUE: Final = "dead_letter_queue"

# The retry ladder: exchange and queue of the same name, and the seconds a message waits there.
LADDER: Final[Mapping[str, int]] = {"retry.5s": 5, "retry.30s": 30, "retry.2m": 120}

EXCHANGES: Final[Mapping[str, str]] = {  # name -> type
    DIRECT: "direct",
    STATUS: "topic",
    DEAD_LETTER_EXCHANGE: "fanout",
    **dict.fromkeys(LADDER, "fanout"),
}

# queue -> (exchange, routing key)
WORK: Final[Mapping[str, tuple[str, str]]] = {
    "fetch_data_queue": (DIRECT, "fetch.data"),
    "data_queue": (DIRECT, "process.data"),
    "validation_success_queue": (DIRECT, "generate.einvoice"),
    "register_success_queue": (DIRECT, "db.update.success"),
    "fetch_error_queue": (DIRECT, "handle.fetch_error"),
    "validation_error_queue": (DIRECT, "handle.validation_error"),
    "invalid_generation_queue": (DIRECT, "handle.generation_error"),
    "update_error_queue": (DIRECT, "handle.update_error"),
    "status_queue": (STATUS, "#"),
}
QUEUES: Final[Mapping[str, tuple[str, str]]] = {
    **WORK,
    DEAD_LETTER_QUEUE: (DEAD_LETTER_EXCHANGE, ""),
    **{step: (step, "") for step in LADDER},
}

_TROUBLE: Final = (*LADDER, DEAD_LETTER_EXCHANGE)  # where every consumer may send what it could not handle

# service -> (queues it reads, exchanges it writes)
ACCESS: Final[Mapping[str, tuple[Sequence[str], Sequence[str]]]] = {
    "irn_service": ((), (DIRECT, STATUS, DEAD_LETTER_EXCHANGE)),
    "data_fetch": (("fetch_data_queue",), (DIRECT, STATUS, *_TROUBLE)),
    "validation": (("data_queue",), (DIRECT, STATUS, *_TROUBLE)),
    "registration": (("validation_success_queue",), (DIRECT, STATUS, *_TROUBLE)),
    "database_update": (("register_success_queue",), (DIRECT, STATUS, *_TROUBLE)),
    "error_desk": (
        ("fetch_error_queue", "validation_error_queue", "invalid_generation_queue", "update_error_queue",
         DEAD_LETTER_QUEUE),
        (STATUS, *_TROUBLE),
    ),
    "websocket": (("status_queue",), _TROUBLE),
}  # fmt: skip
OPERATOR: Final = "irnflow"  # the administrator of a broker of ours: the management API, and work by hand

DELIVERY_LIMIT: Final = 50
NO_LIMIT: Final = 1_000_000_000  # RabbitMQ 4 limits to 20 unless told; 3.10 refuses -1, its word for "none"
QUEUE_BYTES_MAX: Final = 4 * 1024**3  # generous: 400,000 vouchers of 10 kB; alarm at half

# Without reject-publish, at-least-once silently falls back to at-most-once (RabbitMQ docs, quorum queues).
_SAFE_DEAD_LETTERS: Final[Mapping[str, object]] = {
    "dead-letter-strategy": "at-least-once",
    "overflow": "reject-publish",
    "max-length-bytes": QUEUE_BYTES_MAX,
}


def policy(queue: str) -> dict[str, object]:
    """The policy of one queue, as RabbitMQ spells it."""
    if queue == DEAD_LETTER_QUEUE:
        return {"delivery-limit": NO_LIMIT}
    if queue in LADDER:
        # The default exchange routes by queue name, and on the ladder a message's key is the queue it left.
        return {"message-ttl": LADDER[queue] * 1000, "dead-letter-exchange": "", **_SAFE_DEAD_LETTERS}
    return {
        "delivery-limit": DELIVERY_LIMIT,
        "dead-letter-exchange": DEAD_LETTER_EXCHANGE,
        **_SAFE_DEAD_LETTERS,
    }


def route(exchange: str, routing_key: str) -> list[str]:
    """The queues that a message comes to; none for an unroutable one."""
    if EXCHANGES[exchange] == "direct":
        return [queue for queue, binding in QUEUES.items() if binding == (exchange, routing_key)]
    return [queue for queue, (source, _) in QUEUES.items() if source == exchange]  # fanout, and the topic `#`


def used_by(service: str) -> tuple[list[str], list[str]]:
    """Exchanges and queues that a service needs; of a name that is no service, all there are."""
    if service not in ACCESS:
        return list(EXCHANGES), list(QUEUES)
    reads, writes = ACCESS[service]
    return list(writes), list(reads)


def definitions(vhost: str, passwords: Mapping[str, str]) -> dict[str, Any]:
    """RabbitMQ's definitions.json. A service without a password in `passwords` can't log in until given one.

    The operator is in it only with a password: on a broker of somebody else its administrator is theirs.
    """
    services = [_user(name, passwords.get(name)) for name in ACCESS]
    operator = [_user(OPERATOR, passwords[OPERATOR], "administrator")] if OPERATOR in passwords else []
    permissions = [*_permissions(), *({"user": user["name"], **_EVERYTHING} for user in operator)]
    return {
        "users": services + operator,
        "vhosts": [{"name": vhost}],
        "permissions": [{"vhost": vhost, **permission} for permission in permissions],
        **{kind: [{"vhost": vhost, **row} for row in rows] for kind, rows in _contents().items()},
    }


def vhost_of(amqp_url: str) -> str:
    """The vhost that an AMQP URL names (RFC of the scheme: no path, or `/`, is the vhost `/`)."""
    return unquote(urlsplit(amqp_url).path[1:]) or "/"


async def declare(management_url: str, vhost: str, passwords: Mapping[str, str] | None = None) -> None:
    """Make a vhost with everything in it, and with `passwords` the users too; repeating it changes nothing.

    Raises Unavailable when the management API doesn't answer, BadInput when it refuses.
    """
    admin = unquote(urlsplit(management_url).username or "")
    at = quote(vhost, safe="")
    async with aiohttp.ClientSession(raise_for_status=_refused) as api:
        await _call(api, "PUT", management_url, f"/api/vhosts/{at}", {})
        await _call(api, "PUT", management_url, f"/api/permissions/{at}/{quote(admin)}", _EVERYTHING)
        await _call(api, "POST", management_url, f"/api/definitions/{at}", _contents())
        if passwords:
            users = definitions(vhost, passwords)
            await _call(api, "POST", management_url, "/api/definitions",
                        {"users": users["users"], "permissions": users["permissions"]})  # fmt: skip


async def check(settings: Settings) -> list[str]:
    """Each difference between the running broker and these tables, as a sentence; none when all is well.

    Raises Unavailable when the management API doesn't answer, BadInput when it refuses or no URL is set.
    """
    if not settings.management_url:
        raise BadInput("no management API to ask: set IRNFLOW_MANAGEMENT_URL=http://user:password@host:15672")
    url, at = settings.management_url, quote(vhost_of(settings.amqp_url), safe="")
    async with aiohttp.ClientSession(raise_for_status=_refused) as api:
        found = await _call(api, "GET", url, f"/api/definitions/{at}")
        found["permissions"] = await _call(api, "GET", url, f"/api/vhosts/{at}/permissions")
        operator_policies = await _call(api, "GET", url, f"/api/operator-policies/{at}")
    return [*differences(found), *_overruled(operator_policies)]


def differences(found: Mapping[str, Sequence[_Row]]) -> list[str]:
    """Each difference between what a broker holds (by kind, as its API gives it) and these tables."""
    wanted: dict[str, list[dict[str, Any]]] = {**_contents(), "permissions": _permissions()}
    return [sentence for kind in wanted for sentence in _compared(kind, wanted[kind], found.get(kind, ()))]


_EVERYTHING: Final[Mapping[str, str]] = {"configure": ".*", "write": ".*", "read": ".*"}
_LASTING: Final[Mapping[str, object]] = {"durable": True, "auto_delete": False}


def _contents() -> dict[str, list[dict[str, Any]]]:
    """Everything in a vhost, in the rows of definitions.json."""
    return {
        "exchanges": [
            {"name": name, "type": kind, "internal": False, **_LASTING, "arguments": {}}
            for name, kind in EXCHANGES.items()
        ],
        "queues": [
            {"name": name, **_LASTING, "arguments": {"x-queue-type": "quorum"}}
            for name in QUEUES
        ],
        "bindings": [
            {"source": exchange, "destination": queue, "routing_key": key, "destination_type": "queue",
             "arguments": {}}
            for queue, (exchange, key) in QUEUES.items()
        ],
        "policies": [
            {"name": queue, "pattern": _exactly([queue]), "apply-to": "queues", "priority": 0,
             "definition": policy(queue)}
            for queue in QUEUES
        ],
    }  # fmt: skip


def _permissions() -> list[dict[str, Any]]:
    return [
        {"user": service, "configure": "^$", "write": _exactly(writes), "read": _exactly(reads)}
        for service, (reads, writes) in ACCESS.items()
    ]


def _exactly(names: Iterable[str]) -> str:
    """A regular expression for these names and no other; for none, one that fits only the empty name."""
    alternatives = "|".join(re.escape(name) for name in names)
    return f"^({alternatives})$" if alternatives else "^$"


def _user(name: str, password: str | None, *tags: str) -> dict[str, Any]:
    return {
        "name": name,
        "password_hash": password_hash(password) if password else "",
        "hashing_algorithm": "rabbit_password_hashing_sha256",
        "tags": list(tags),
    }


def password_hash(password: str, *, salt: bytes | None = None) -> str:
    """By RabbitMQ's sha256 scheme: base64 of salt, 4 bytes, and sha256 of salt and password (docs, passwords)."""
    salt = os.urandom(4) if salt is None else salt
    return base64.b64encode(salt + hashlib.sha256(salt + password.encode()).digest()).decode()


def _compared(kind: str, wanted: Sequence[_Row], found: Sequence[_Row]) -> list[str]:
    here = {_named(kind, row): row for row in wanted}
    there = {_named(kind, row): row for row in found}
    missing = [f"{name} is missing" for name in here if name not in there]
    foreign = [f"{name} is not ours" for name, row in there.items() if name not in here and _matters(kind, row)]
    other = [
        f"{name}: {field} is {there[name].get(field)!r}, should be {value!r}"
        for name in here if name in there
        for field, value in here[name].items() if there[name].get(field) != value
    ]  # fmt: skip
    return missing + other + foreign


def _named(kind: str, row: _Row) -> str:
    """What makes a row of its kind the same row, in words."""
    match kind:
        case "bindings":
            return f"binding {row['source']} -> {row['destination']} ({row['routing_key']!r})"
        case "permissions":
            return f"permission of user {row['user']}"
        case "policies":
            return f"policy {row['name']}"
    return f"{kind.removesuffix('s')} {row['name']}"


def _matters(kind: str, row: _Row) -> bool:
    """Whether something that isn't ours is a difference: others' users are none, nor RabbitMQ's own exchanges."""
    return kind != "permissions" and not str(row.get("name", "")).startswith("amq.")


def _overruled(operator_policies: Sequence[_Row]) -> list[str]:
    return [
        f"operator policy {row['name']} overrules the policy of {queue}: {row['definition']}"
        for row in operator_policies
        for queue in QUEUES if re.search(row["pattern"], queue)
    ]  # fmt: skip


async def _call(api: aiohttp.ClientSession, method: str, base: str, path: str, body: object = None) -> Any:
    data = None if body is None else msgspec.json.encode(body)
    headers = {"content-type": "application/json"}
    try:
        async with api.request(method, base.rstrip("/") + path, data=data, headers=headers) as response:
            text = await response.read()
    except aiohttp.InvalidURL as error:
        raise BadInput(
            "IRNFLOW_MANAGEMENT_URL is no address of RabbitMQ's management API: http://USER:PASSWORD@HOST:15672"
        ) from error
    except (aiohttp.ClientConnectionError, TimeoutError) as error:
        says = f"RabbitMQ's management API does not answer: {error or 'no answer'}"
        raise Unavailable(
            f"{says}. Start its plugin rabbitmq_management, or correct IRNFLOW_MANAGEMENT_URL."
        ) from error
    return msgspec.json.decode(text) if text else None


async def _refused(response: aiohttp.ClientResponse) -> None:
    """Turn a refusal of the management API into our words."""
    if response.status < 400:
        return
    says = (await response.text())[:500]
    what = f"{response.method} {response.url.path}"
    raise BadInput(f"RabbitMQ's management API refuses {what}: {response.status} {says}")
