"""The routes of the paper's own tool server, for weights and clients that were made for it.

`POST /{tool}` takes `{"query": TEXT}` and answers the text that the model reads, or the picture itself. Map
tools take a position as `query`: AMap's longitude first, Google's latitude first, as the web services behind
them do. Its clients try again after 500, 502, 503 and 504 only, so here a full queue is a 503 and no 429.
Source: the released client and server (repository AMAP-ML/Thinking-with-Map).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

import orjson
from pydantic import BaseModel, ConfigDict, ValidationError
from starlette.responses import Response

from wheretaken.errors import BusyError, ToolError
from wheretaken.server import replies

if TYPE_CHECKING:
    from collections.abc import Mapping

    from wheretaken.server.desk import Served

Query = Literal["text", "longitude,latitude", "latitude,longitude"]

TOOLS: Mapping[str, Query] = {
    "amap_input_tips": "text",
    "amap_keyword_search": "text",
    "amap_poi_detail": "text",
    "amap_static_map": "longitude,latitude",
    "amap_satellite_map": "longitude,latitude",
    "google_search": "text",
    "google_map_search": "text",
    "google_static_map": "latitude,longitude",
}
"""What `query` is for each of its tools. It has no route for zooming, which its clients do themselves."""


class _Asked(BaseModel):
    model_config = ConfigDict(extra="ignore")

    query: str


def arguments(tool: str, body: str) -> str:
    """Turn a request's body into the tool's arguments, both JSON.

    Raises:
        ToolError: it is not of the form that the tool takes.
    """
    try:
        query = _Asked.model_validate_json(body).query.strip()
    except ValidationError as error:
        raise ToolError('the body must be {"query": TEXT}') from error
    if not query:
        raise ToolError("the query is empty; give a name, an id or a position")
    kind = TOOLS[tool]
    if kind == "text":
        return orjson.dumps({"query": query}).decode()
    names = kind.split(",")
    try:
        values = [float(part) for part in query.split(",")]
    except ValueError:
        values = []
    if len(values) != len(names):
        example = "116.3974,39.9093" if names[0] == "longitude" else "39.9093,116.3974"
        raise ToolError(f'the query must be "{kind}" in degrees, such as "{example}"')
    return orjson.dumps(dict(zip(names, values, strict=True))).decode()


def reply(served: Served) -> Response:
    """Reply with the picture, where there is one, else with the text."""
    result = served.cached.result
    headers = {"X-Cache": "hit" if served.cached.cached else "miss"}
    if result.pictures:
        return Response(result.pictures[0].data, media_type=result.pictures[0].mime, headers=headers)
    return Response(served.cached.text, media_type="text/plain", headers=headers)


def busy(error: BusyError) -> Response:
    """Reply that too many wait, so that its clients try again."""
    refused = replies.failed(error)
    refused.status_code = 503
    return refused
