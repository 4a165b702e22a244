"""The OpenAPI 3.1 document, made from the endpoints themselves: what is checked is what is documented."""

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

import msgspec

from irnflow import __version__
from irnflow.api import auth
from irnflow.api.endpoint import Endpoint
from irnflow.api.problem import KINDS, MEDIA_TYPE, Problem
from irnflow.api.resources import IN_PATH

_REF: Final = "#/components/schemas/{name}"

Json = dict[str, Any]


def document(endpoints: Sequence[Endpoint]) -> bytes:
    """The document as JSON."""
    paths: dict[str, Json] = {}
    for endpoint in endpoints:
        paths.setdefault(endpoint.path, {})[endpoint.method.lower()] = _operation(endpoint)
    _, components = msgspec.json.schema_components(_types(endpoints), ref_template=_REF)
    whole = {
        "openapi": "3.1.0",
        "info": {
            "title": "irnflow",
            "version": __version__,
            "summary": "Voucher ids in, registered GST e-invoices out",
            "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"},
        },
        "paths": paths,
        "components": {
            "schemas": components,
            "securitySchemes": {
                "key": {"type": "http", "scheme": "bearer", "description": "An API key of an account."},
                "session": {"type": "apiKey", "in": "cookie", "name": auth.COOKIE},
            },
        },
        "security": [{"key": []}, {"session": []}],
    }
    # ECMA 262 has no \Z; its $ is the very end.
    return msgspec.json.encode(whole).replace(rb"\\Z", b"$")


def _types(endpoints: Sequence[Endpoint]) -> list[Any]:
    bodies = [endpoint.body for endpoint in endpoints if endpoint.body]
    return [*bodies, *(endpoint.gives for endpoint in endpoints), Problem]


def _operation(endpoint: Endpoint) -> Json:
    operation: Json = {
        "operationId": endpoint.name,
        "summary": endpoint.says,
        "parameters": [*_path_parameters(endpoint), *_query_parameters(endpoint), *_header_parameters(endpoint)],
        "responses": {
            str(int(endpoint.status)): {
                "description": (endpoint.gives.__doc__ or "").strip(),
                "content": {"application/json": {"schema": _ref(endpoint.gives)}},
            },
            **_problems(endpoint),
        },
    }
    if endpoint.body:
        operation["requestBody"] = {"required": True, "content": {"application/json": {"schema": _ref(endpoint.body)}}}
    if endpoint.raw:
        content = {media_type: {"schema": schema} for media_type, schema in endpoint.raw.items()}
        operation["requestBody"] = {"required": True, "content": content}
    if endpoint.public:
        operation["security"] = []
    return operation


def _path_parameters(endpoint: Endpoint) -> Iterable[Json]:
    for name in re.findall(r"{(\w+)}", endpoint.path):
        yield {"name": name, "in": "path", "required": True, "schema": msgspec.json.schema(IN_PATH[name])}


def _query_parameters(endpoint: Endpoint) -> Iterable[Json]:
    for field in msgspec.structs.fields(endpoint.query):
        (schema,), components = msgspec.json.schema_components([field.type], ref_template=_REF)
        yield {
            "name": field.encode_name,
            "in": "query",
            "required": field.required,
            "schema": _inline(schema, components),
        }


def _inline(schema: Json, components: Mapping[str, Json]) -> Json:
    """A parameter's schema without references, and without null: a parameter is left out instead."""
    choices = [choice for choice in schema.get("anyOf", [schema]) if choice != {"type": "null"}]
    choice = choices[0]
    return components[choice["$ref"].rpartition("/")[2]] if "$ref" in choice else choice


def _header_parameters(endpoint: Endpoint) -> Iterable[Json]:
    if endpoint.idempotent:
        yield {
            "name": "Idempotency-Key",
            "in": "header",
            "required": False,
            "schema": {"type": "string", "pattern": "^[!-~]{1,255}$"},
            "description": (
                "The same key with the same request gives the same batch, however often it is sent; with another "
                "request it is refused (409). What is asked for counts, not its bytes: white space and the order of "
                "names and of ids don't matter, a field left out is its default, and a request without `batch_no` "
                "asks for no number in particular."
            ),
        }


def _problems(endpoint: Endpoint) -> Json:
    kinds = [
        *endpoint.problems,
        *([] if endpoint.public else ["unauthenticated"]),
        *(["cross-site"] if endpoint.method != "GET" else []),
        *_body_problems(endpoint),
        *(["invalid-header", "idempotency-key-used"] if endpoint.idempotent else []),
        "invalid-query",
        "unavailable",
    ]
    by_status: dict[int, list[str]] = {}
    for kind in kinds:
        by_status.setdefault(KINDS[kind].status, []).append(KINDS[kind].title)
    return {
        str(status): {
            "description": "; ".join(titles),
            "content": {MEDIA_TYPE: {"schema": _ref(Problem)}},
        }
        for status, titles in sorted(by_status.items())
    }


def _body_problems(endpoint: Endpoint) -> tuple[str, ...]:
    if endpoint.body:
        return "malformed-json", "body-too-large", "slow-body", "not-json", "invalid-body"
    if endpoint.raw:
        return "body-too-large", "slow-body", "media-type" if len(endpoint.raw) > 1 else "not-json"
    return ()


def _ref(kind: type[msgspec.Struct]) -> Json:
    return {"$ref": _REF.format(name=kind.__name__)}
