"""A fake Serper over a handful of places and pages.

```
fake = FakeService(serper([{"title": "Café Kafka", "latitude": 60.17, "longitude": 24.94}], key="secret"))
fake.fail(refusal("Not enough credits", 400))
```
Places and pages are given as Serper writes them. A query finds those whose words it is a part of.
"""

from __future__ import annotations

import dataclasses
import json
from typing import TYPE_CHECKING, Any

from wheretaken.testing.services.fake import Reply

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from wheretaken.testing.services.fake import Asked
    from wheretaken.testing.services.mishaps import Mishap

    Records = Sequence[Mapping[str, Any]]


def serper(places: Records = (), pages: Records = (), key: str = "") -> Callable[[Asked], Reply]:
    """Answer `/maps` and `/search`; with a key, only to those who send it."""

    def answer(asked: Asked) -> Reply:
        if key and asked.headers.get("x-api-key") != key:
            return _refused("Unauthorized.", 403)
        if asked.method != "POST" or asked.path not in {"/maps", "/search"}:
            return _refused("Not Found", 404)
        if not asked.json.get("q"):
            return _refused("Missing query parameter", 400)
        name, records = ("places", places) if asked.path == "/maps" else ("organic", pages)
        found = [one for one in records if asked.json["q"].casefold() in _words(one)]
        positioned = [{"position": at, **one} for at, one in enumerate(found, 1)]
        return Reply.json({"searchParameters": asked.json, name: positioned, "credits": 1})

    return answer


def refusal(message: str, http: int) -> Mishap:
    """Serper refuses."""
    return lambda delivery: dataclasses.replace(delivery, reply=_refused(message, http))


def _refused(message: str, http: int) -> Reply:
    return Reply.json({"message": message, "statusCode": http}, http)


def _words(record: Mapping[str, Any]) -> str:
    return json.dumps(list(record.values()), ensure_ascii=False).casefold()
