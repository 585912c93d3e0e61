"""A fake SearXNG server over a handful of pages.

```
fake = FakeService(searxng([{"title": "Café Kafka", "url": "https://example.org", "content": "Oulu"}]))
```
Pages are given as SearXNG writes them. A query finds those whose words it is a part of.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from wheretaken.testing.services.fake import Reply

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from wheretaken.testing.services.fake import Asked


def searxng(
    pages: Sequence[Mapping[str, Any]] = (),
    silent: Mapping[str, str] | None = None,
    *,
    json_listed: bool = True,
) -> Callable[[Asked], Reply]:
    """Answer `/search`.

    Args:
        pages: What its engines know.
        silent: Engines that do not answer, and why.
        json_listed: Whether `settings.yml` lists `json` among `search.formats`.
    """

    def answer(asked: Asked) -> Reply:
        if asked.path != "/search":
            return Reply(b"<h1>Page not found</h1>", "text/html", 404)
        if asked.params.get("format") != "json" or not json_listed:
            return Reply(b"<h1>Forbidden</h1>", "text/html", 403)
        query = asked.params.get("q", "")
        if not query:
            return Reply(b"No query", "text/plain", 400)
        found = [one for one in pages if query.casefold() in json.dumps(one, ensure_ascii=False).casefold()]
        reply = {
            "query": query,
            "number_of_results": 0,
            "results": found,
            "answers": [],
            "corrections": [],
            "infoboxes": [],
            "suggestions": [],
            "unresponsive_engines": list((silent or {}).items()),
        }
        return Reply.json(reply)

    return answer
