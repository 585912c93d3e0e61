"""Takes keys out of text: what a service or a library says may repeat the request, and with it the key."""

from __future__ import annotations

import json
import logging
from typing import TYPE_CHECKING
from urllib.parse import quote, quote_plus
from weakref import WeakSet

if TYPE_CHECKING:
    from collections.abc import Iterable

    from pydantic import SecretStr

_MASK = "***"
# The HTTP libraries write headers and bodies to these logs, and a redirect's header may repeat the key.
_TALKATIVE = (
    *("httpcore2.connection", "httpcore2.http11", "httpcore2.http2", "httpcore2.proxy"),
    *("httpx2", "openai", "openai._base_client", "openai._streaming"),
)


class Scrubber:
    """Replaces secrets, as they are and as URLs and JSON write them."""

    def __init__(self, secrets: Iterable[SecretStr]) -> None:
        """Know these secrets, also for the logs of the HTTP library; empty ones are ignored."""
        plain = {secret.get_secret_value() for secret in secrets} - {""}
        forms = {form for text in plain for form in _forms(text)}
        # The longest first, lest a part of one form be replaced and the rest stay.
        self._forms = sorted(forms, key=len, reverse=True)
        if self._forms:
            _logs.add(self)

    def __repr__(self) -> str:
        return f"Scrubber({len(self._forms)} forms)"

    def text(self, text: str) -> str:
        """Return the text without secrets."""
        for form in self._forms:
            text = text.replace(form, _MASK)
        return text

    def data(self, data: bytes) -> bytes:
        """Return encoded text without secrets."""
        for form in self._forms:
            data = data.replace(form.encode(), _MASK.encode())
        return data


class _LogFilter(logging.Filter):
    """Scrubs records for as long as their scrubbers live."""

    def __init__(self) -> None:
        super().__init__()
        self._scrubbers: WeakSet[Scrubber] = WeakSet()

    def add(self, scrubber: Scrubber) -> None:
        self._scrubbers.add(scrubber)
        for name in _TALKATIVE:
            logging.getLogger(name).addFilter(self)  # a filter that is there already is not added again

    def filter(self, record: logging.LogRecord) -> bool:
        text = record.getMessage()
        for scrubber in self._scrubbers:
            text = scrubber.text(text)
        record.msg, record.args = text, None
        return True


_logs = _LogFilter()


def _forms(secret: str) -> tuple[str, ...]:
    return secret, quote(secret, safe=""), quote_plus(secret), json.dumps(secret)[1:-1]
