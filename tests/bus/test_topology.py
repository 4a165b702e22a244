"""The tables, and a real broker held to them."""

import base64
import hashlib
import json
from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import urlsplit

import aiohttp
import msgspec
import pytest
from pamqp import commands as spec

from irnflow.bus import rabbit, topology
from irnflow.bus.wire import Channel, connected
from irnflow.errors import BadInput, PublishFailed, Unavailable
from irnflow.messages import STATUS_KEY, FetchData, Message, publication
from irnflow.settings import SERVICES, Settings
from tests.bus.examples import fetch, messages


@pytest.fixture
def settings(amqp_url: str, management_url: str) -> Settings:
    return Settings(amqp_url=amqp_url, management_url=management_url)


async def change(settings: Settings, method: str, path: str, body: object = None) -> None:
    """One call of the management API, below /api; VHOST stands for the vhost."""
    path = path.replace("VHOST", topology.vhost_of(settings.amqp_url))
    url = urlsplit(settings.management_url)
    auth = {"Authorization": aiohttp.encode_basic_auth(url.username or "", url.password or "")}
    async with aiohttp.ClientSession(headers=auth, raise_for_status=True) as api:
        await api.request(method, f"http://{url.hostname}:{url.port}/api{path}", json=body)


def found_of(definitions: Mapping[str, Any]) -> dict[str, list[dict[str, Any]]]:
    """Definitions as the broker would give them of one vhost."""
    kinds = ("exchanges", "queues", "bindings", "policies", "permissions")
    return {kind: [{key: row[key] for key in row if key != "vhost"} for row in definitions[kind]] for kind in kinds}


def test_every_queue_is_durable_quorum_and_has_one_policy_of_its_own() -> None:
    definitions = topology.definitions("irnflow", {})

    queues = definitions["queues"]
    patterns = [policy["pattern"] for policy in definitions["policies"]]
    assert {queue["arguments"]["x-queue-type"] for queue in queues} == {"quorum"}
    assert all(queue["durable"] for queue in queues)
    assert patterns == [f"^({queue['name'].replace('.', chr(92) + '.')})$" for queue in queues]


def test_what_the_design_names_is_there() -> None:
    assert topology.QUEUES["validation_error_queue"] == ("direct_exchange", "handle.validation_error")
    assert topology.QUEUES["status_queue"] == ("status_exchange", "#")
    assert topology.LADDER == {"retry.5s": 5, "retry.30s": 30, "retry.2m": 120}
    assert topology.policy("fetch_data_queue")["delivery-limit"] == 50
    assert topology.policy("retry.5s")["message-ttl"] == 5000


def test_every_message_of_ours_has_a_queue() -> None:
    kinds = [kind for kind in Message.__subclasses__() if hasattr(kind, "key")]

    assert kinds
    assert all(topology.route("direct_exchange", kind.key) for kind in kinds)
    assert all(topology.route("status_exchange", key) == ["status_queue"] for key in STATUS_KEY.values())


def test_every_service_has_a_user_and_every_queue_but_the_ladder_a_reader() -> None:
    read = [queue for reads, _ in topology.ACCESS.values() for queue in reads]

    assert set(topology.ACCESS) == set(SERVICES)
    assert sorted(read) == sorted(set(topology.QUEUES) - set(topology.LADDER))


def test_services_may_configure_nothing_and_only_a_given_password_lets_one_in() -> None:
    definitions = topology.definitions("irnflow", {"validation": "secret"})

    users = {user["name"]: user for user in definitions["users"]}
    assert {permission["configure"] for permission in definitions["permissions"]} == {"^$"}
    assert users["validation"]["password_hash"] != ""
    assert users["websocket"]["password_hash"] == ""
    assert topology.OPERATOR not in users
    assert "secret" not in json.dumps(definitions)


def test_the_operator_is_an_administrator_once_it_has_a_password() -> None:
    definitions = topology.definitions("irnflow", {topology.OPERATOR: "secret"})

    assert definitions["users"][-1]["tags"] == ["administrator"]
    assert definitions["permissions"][-1]["configure"] == ".*"


def test_a_password_is_hashed_by_rabbitmqs_scheme() -> None:
    # The example of RabbitMQ's documentation, "Computing Password Hash".
    assert topology.password_hash("test12", salt=bytes.fromhex("908DC60A")) == (
        "kI3GCqW5JLMJa4iX1lo7X4D6XbYqlLgxIs30+P6tENUV2POR"
    )


def test_a_password_hash_begins_with_its_salt() -> None:
    raw = base64.b64decode(topology.password_hash("secret"))

    assert raw[4:] == hashlib.sha256(raw[:4] + b"secret").digest()


@pytest.mark.parametrize(
    ("url", "vhost"),
    [
        ("amqp://u:p@h:5672/irnflow", "irnflow"),
        ("amqp://u:p@h:5672/a%2Fb", "a/b"),
        ("amqp://u:p@h:5672/", "/"),
        ("amqp://u:p@h", "/"),
    ],
)
def test_the_vhost_is_read_from_the_url(url: str, vhost: str) -> None:
    assert topology.vhost_of(url) == vhost


def test_our_own_definitions_differ_in_nothing() -> None:
    assert topology.differences(found_of(topology.definitions("irnflow", {}))) == []


async def test_a_declared_vhost_differs_in_nothing_and_declaring_again_changes_nothing(
    settings: Settings, rabbitmq: dict[str, Any]
) -> None:
    vhost = topology.vhost_of(settings.amqp_url)

    first = await topology.check(settings)
    await topology.declare(settings.management_url, vhost, rabbitmq["passwords"])
    second = await topology.check(settings)

    assert (first, second) == ([], [])


@pytest.mark.parametrize(
    ("method", "path", "body", "says"),
    [
        ("DELETE", "/queues/VHOST/data_queue", None, "queue data_queue is missing"),
        ("DELETE", "/exchanges/VHOST/status_exchange", None, "exchange status_exchange is missing"),
        (
            "DELETE",
            "/bindings/VHOST/e/direct_exchange/q/data_queue/process.data",
            None,
            "binding direct_exchange -> data_queue ('process.data') is missing",
        ),
        ("DELETE", "/policies/VHOST/data_queue", None, "policy data_queue is missing"),
        ("DELETE", "/permissions/VHOST/validation", None, "permission of user validation is missing"),
        (
            "PUT",
            "/policies/VHOST/data_queue",
            {"pattern": "^(data_queue)$", "apply-to": "queues", "definition": {"delivery-limit": 5}},
            "policy data_queue: definition is {'delivery-limit': 5}, should be {'delivery-limit': 50, ",
        ),
        (
            "PUT",
            "/permissions/VHOST/validation",
            {"configure": ".*", "write": ".*", "read": ".*"},
            "permission of user validation: configure is '.*', should be '^$'",
        ),
        ("PUT", "/queues/VHOST/foreign", {"durable": True}, "queue foreign is not ours"),
        ("PUT", "/exchanges/VHOST/foreign", {"type": "fanout"}, "exchange foreign is not ours"),
        (
            "POST",
            "/bindings/VHOST/e/direct_exchange/q/data_queue",
            {"routing_key": "other"},
            "binding direct_exchange -> data_queue ('other') is not ours",
        ),
        (
            "PUT",
            "/policies/VHOST/foreign",
            {"pattern": ".*", "apply-to": "queues", "priority": 9, "definition": {"max-length": 1}},
            "policy foreign is not ours",
        ),
        (
            "PUT",
            "/operator-policies/VHOST/foreign",
            {"pattern": "^status_queue$", "apply-to": "queues", "definition": {"max-length": 1}},
            "operator policy foreign overrules the policy of status_queue: {'max-length': 1}",
        ),
    ],
)
async def test_check_says_each_difference(settings: Settings, method: str, path: str, body: object, says: str) -> None:
    await change(settings, method, path, body)

    differences = await topology.check(settings)

    assert any(difference.startswith(says) for difference in differences), differences


async def test_check_says_what_to_set_when_there_is_no_management_api() -> None:
    with pytest.raises(BadInput, match="IRNFLOW_MANAGEMENT_URL"):
        await topology.check(Settings())


async def test_check_says_that_nobody_answers(settings: Settings) -> None:
    nobody = msgspec.structs.replace(settings, management_url="http://u:p@127.0.0.1:1")

    with pytest.raises(Unavailable, match="does not answer"):
        await topology.check(nobody)


async def test_check_says_that_the_user_is_refused_and_keeps_the_password_to_itself(settings: Settings) -> None:
    port = urlsplit(settings.management_url).port
    stranger = msgspec.structs.replace(settings, management_url=f"http://stranger:hidden@127.0.0.1:{port}")

    with pytest.raises(BadInput, match="401") as raised:
        await topology.check(stranger)

    assert "hidden" not in str(raised.value)


async def test_a_service_refuses_to_start_saying_what_is_missing(settings: Settings) -> None:
    await change(settings, "DELETE", "/queues/VHOST/data_queue")
    await change(settings, "DELETE", "/exchanges/VHOST/status_exchange")

    with pytest.raises(BadInput, match="RabbitMQ lacks exchange status_exchange, queue data_queue: import"):
        async with rabbit.connect(settings.amqp_url, "validation"):
            pass


async def test_a_service_starts_though_what_others_use_is_missing(settings: Settings) -> None:
    await change(settings, "DELETE", "/queues/VHOST/status_queue")

    async with rabbit.connect(settings.amqp_url, "validation") as bus:
        connected = bus.connected

    assert connected


async def test_a_service_refuses_to_start_with_a_wrong_password(settings: Settings) -> None:
    url = urlsplit(settings.amqp_url)
    wrong = f"amqp://validation:wrong@127.0.0.1:{url.port}{url.path}"

    with pytest.raises(BadInput, match="refuses the user"):
        async with rabbit.connect(wrong, "validation"):
            pass


@pytest.mark.parametrize("service", SERVICES)
async def test_each_service_may_read_and_write_what_it_needs(amqp_url_of: Callable[[str], str], service: str) -> None:
    reads, writes = topology.ACCESS[service]

    async with connected(amqp_url_of(service), "test") as wire:
        lacks = await rabbit.missing(wire, service)
        refused = [queue for queue in reads if await refusal(wire, spec.Basic.Consume(queue=queue))]
    async with rabbit.connect(amqp_url_of(service), service) as bus:
        for exchange in writes:
            await bus.publish([routed(exchange)])

    assert (lacks, refused) == ([], [])


async def test_a_service_may_do_nothing_else(amqp_url_of: Callable[[str], str]) -> None:
    async with connected(amqp_url_of("validation"), "test") as wire:
        answers = [
            await refusal(wire, spec.Basic.Consume(queue="fetch_data_queue")),
            await refusal(wire, spec.Queue.Declare(queue="mine")),
            await refusal(wire, spec.Queue.Delete(queue="data_queue")),
            await refusal(wire, spec.Queue.Purge(queue="status_queue")),
            await refusal(wire, spec.Queue.Bind(queue="data_queue", exchange="status_exchange", routing_key="#")),
        ]

    assert all("ACCESS_REFUSED" in answer for answer in answers), answers


async def test_a_service_may_not_publish_where_it_has_nothing_to_say(amqp_url_of: Callable[[str], str]) -> None:
    async with rabbit.connect(amqp_url_of("websocket"), "websocket") as bus:
        with pytest.raises((Unavailable, PublishFailed), match="ACCESS_REFUSED"):
            await bus.publish(messages("V1"))


async def refusal(wire: Any, question: Any) -> str:
    """The broker's words when it refuses; empty when it doesn't."""
    try:
        async with wire.channel(Channel) as channel:
            await channel.ask(question)
    except Unavailable as error:
        return str(error)
    return ""


def routed(exchange: str) -> Any:
    """A message that the exchange has a queue for."""
    key = {"direct_exchange": FetchData.key}.get(exchange, "data_queue")
    return msgspec.structs.replace(publication(fetch("V1")), exchange=exchange, routing_key=key)
