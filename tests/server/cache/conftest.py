"""Stores of every kind, and a service that counts how often it is called."""

import asyncio

import pytest

from wheretaken.messages import Picture
from wheretaken.server.cache import CacheKey, Policy
from wheretaken.tools import ToolResult

PNG = b"\x89PNG\r\n\x1a\n"


class Service:
    """Answers after a while, or fails; counts its calls."""

    def __init__(self, seconds: float = 0.0, error: Exception | None = None) -> None:
        self.calls = 0
        self.seconds = seconds
        self.error = error
        self.asked = asyncio.Event()

    async def __call__(self) -> ToolResult:
        self.calls += 1
        self.asked.set()
        await asyncio.sleep(self.seconds)
        if self.error:
            raise self.error
        return Made.result(f"call {self.calls}")


class Made:
    """What the tests make again and again."""

    Service = Service
    policy = Policy({"test": lambda _: None, "forbidding": lambda _: 0.0})

    @staticmethod
    def key(query: str = "Louvre", tool: str = "search_places", provider: str = "test") -> CacheKey:
        return CacheKey.of(tool, {"query": query}, provider, "1")

    @staticmethod
    def result(name: str = "Louvre", *, pictures: int = 0, size: int = 1000) -> ToolResult:
        shown = (Picture.wrap(PNG + bytes([n]) * size, "image/png", 5, 4) for n in range(pictures))
        return ToolResult({"results": [{"name": name}]}, tuple(shown), "© test")


@pytest.fixture
def made() -> type[Made]:
    return Made
