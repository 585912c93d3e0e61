"""The server's OpenAPI document: a path for every tool, whose request is the schema that models are shown."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from wheretaken import __version__
from wheretaken.server import paper
from wheretaken.server.replies import JSON, KINDS

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from wheretaken.messages import ToolSpec
    from wheretaken.server.limits import Limits
    from wheretaken.tools import Toolset

Schema = dict[str, Any]

_SHA256 = {"type": "string", "pattern": "^[0-9a-f]{64}$"}
_IMAGE: Schema = {
    "type": "object",
    "properties": {
        "mime": {"type": "string"},
        "sha256": _SHA256,
        "width": {"type": "integer"},
        "height": {"type": "integer"},
        "url": {"type": "string", "description": "Where the picture is, relative to this server."},
    },
    "required": ["mime", "sha256", "width", "height", "url"],
}
_SCHEMAS: dict[str, Schema] = {
    "Image": _IMAGE,
    "Answer": {
        "type": "object",
        "properties": {
            "text": {"type": "string", "description": "What the model reads."},
            "images": {"type": "array", "items": {"$ref": "#/components/schemas/Image"}},
            "source": {"type": "string", "description": "Who the data are from, as their licence wants it."},
            "cached": {"type": "boolean", "description": "Whether no service had to be asked for it."},
            "age": {"type": "number", "description": "Seconds since the service answered."},
            "seconds": {"type": "number", "description": "What this request took."},
        },
        "required": ["text", "images", "source", "cached", "age", "seconds"],
    },
    "Error": {
        "type": "object",
        "properties": {
            "error": {"type": "string", "description": "A sentence for the model (4xx) or the operator."},
            "kind": {"type": "string"},
            "service": {"type": "string"},
            "retry_after": {"type": "number", "description": "Seconds."},
        },
        "required": ["error", "kind"],
    },
}
_ERROR = {JSON: {"schema": {"$ref": "#/components/schemas/Error"}}}


def document(toolset: Toolset, limits: Limits, *, guarded: bool) -> Schema:
    """Return the document for a toolset; `guarded` is whether a token is needed."""
    paths = _service_paths(limits)
    for spec in toolset.specs:
        paths[f"/tools/{spec.name}"] = {"post": _tool(spec, limits)}
        if spec.name in paper.TOOLS:
            paths[f"/{spec.name}"] = {"post": _paper_tool(spec)}
    components: Schema = {"schemas": _SCHEMAS}
    if guarded:
        components["securitySchemes"] = {"token": {"type": "http", "scheme": "bearer"}}
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "wheretaken tool server",
            "version": __version__,
            "description": f"Maps and clues as tools for models. Positions are {toolset.datum} degrees.",
        },
        "paths": paths,
        "components": components,
        "security": [{"token": []}] if guarded else [],
    }


def _tool(spec: ToolSpec, limits: Limits) -> Schema:
    named = {
        "name": "picture",
        "in": "query",
        "description": "SHA-256 of the pictures of the run, in the order in which the model saw them, "
        "the photo first; for tools that look at pictures.",
        "schema": {"type": "array", "items": _SHA256, "maxItems": limits.pictures},
    }
    return {
        "operationId": spec.name,
        "summary": spec.description.partition("\n")[0],
        "description": spec.description,
        "parameters": [named],
        "requestBody": {"required": True, "content": {JSON: {"schema": spec.parameters}}},
        "responses": _answers({JSON: {"schema": {"$ref": "#/components/schemas/Answer"}}}),
    }


def _paper_tool(spec: ToolSpec) -> Schema:
    kind = paper.TOOLS[spec.name]
    query: Schema = {"type": "string", "minLength": 1}
    if kind != "text":
        query["description"] = f"`{kind}`, degrees."
    body = {"type": "object", "properties": {"query": query}, "required": ["query"]}
    content = {"text/plain": {"schema": {"type": "string"}}, "image/png": {}, "image/jpeg": {}}
    return {
        "operationId": f"paper_{spec.name}",
        "summary": f"{spec.name} in the form of the paper's tool server",
        "requestBody": {"required": True, "content": {JSON: {"schema": body}}},
        "responses": _answers(content),
    }


def _service_paths(limits: Limits) -> dict[str, Schema]:
    anything = {JSON: {"schema": {"type": "object"}}}
    image = {"schema": {"$ref": "#/components/schemas/Image"}}
    upload = f"Upload a photo of at most {limits.picture_bytes:,} bytes for tools that look at pictures"
    binary = {"image/*": {"schema": {"type": "string", "format": "binary"}}}
    sha256 = {"name": "sha256", "in": "path", "required": True, "schema": _SHA256}
    return {
        "/tools": {"get": _get("tools", "The tools, as chat models are told about them", anything)},
        "/media": {
            "post": {
                "operationId": "upload",
                "summary": upload,
                "requestBody": {"required": True, "content": binary},
                "responses": {
                    "201": {"description": "It is here for a while.", "content": {JSON: image}},
                    **_errors((400, 401, 408, 413, 415, 421, 422)),
                },
            }
        },
        "/media/{sha256}": {
            "get": {
                **_get("media", "A picture of an answer, or one that was uploaded", binary, 304, 404),
                "parameters": [sha256],
            }
        },
        "/healthz": {"get": {**_get("healthz", "Whether the server runs", anything), "security": []}},
        "/readyz": {"get": {**_get("readyz", "Which provider works", anything, 503), "security": []}},
        "/metrics": {"get": _get("metrics", "Numbers for Prometheus", {"text/plain": {}})},
    }


def _get(name: str, summary: str, content: Mapping[str, Any], *more: int) -> Schema:
    responses = {"200": {"description": "OK", "content": content}, **_errors((401, 421, *more))}
    return {"operationId": name, "summary": summary, "responses": responses}


def _answers(content: Mapping[str, Any]) -> Schema:
    statuses = {400, 401, 408, 413, 415, 421, *(status for _, status, _ in KINDS)}
    return {"200": {"description": "The answer", "content": content}, **_errors(sorted(statuses))}


def _errors(statuses: Iterable[int]) -> Schema:
    return {str(status): {"description": "See `error`.", "content": _ERROR} for status in statuses}
