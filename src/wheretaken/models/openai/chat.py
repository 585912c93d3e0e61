"""The model: one request to an OpenAI-compatible server is one turn.

`Server` is what the runs of a model share: settings, connections, pictures that were written. `OpenAIChat` is
one run's model, with its seed. A request goes to the address in the settings only: redirects are not
followed, nothing of the environment but proxies is heeded, and no header says more about us than name and
version.
"""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING, Any, TypeVar, cast

# Without it, the SDK would complain only when a client is made.
import aiohttp  # noqa: F401  # pyright: ignore[reportUnusedImport]
import httpx2
import openai
from pydantic_core import from_json

from wheretaken import __version__
from wheretaken.errors import ModelError
from wheretaken.models.openai import budget
from wheretaken.models.openai.encoding import ConversationEncoder, ToolsEncoder, request
from wheretaken.models.openai.faults import model_error
from wheretaken.models.openai.pictures import Pictures
from wheretaken.models.openai.reading import Pieces, as_object, message_of
from wheretaken.origins import origin_of
from wheretaken.scrub import Scrubber

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping, Sequence

    from wheretaken.messages import Message, ToolSpec
    from wheretaken.models.base import Piece
    from wheretaken.models.settings import ModelSettings

_Step = TypeVar("_Step")
_CONNECTIONS = 256


class _Client(openai.AsyncOpenAI):
    """The SDK's client with our headers only: its own tell of the machine, or come from the environment."""

    @property
    def default_headers(self) -> dict[str, str | openai.Omit]:
        return {
            "Accept": "application/json",
            "Content-Type": "application/json",
            "User-Agent": f"wheretaken/{__version__}",
        }


class Server:
    """What all runs of one model share."""

    def __init__(self, name: str, settings: ModelSettings) -> None:
        """Know a server by its settings; nothing is sent yet."""
        self.name = name
        self.settings = settings
        self.pictures = Pictures(settings.min_pixels, settings.max_pixels)
        self.tools = ToolsEncoder()
        self.scrubber = Scrubber([settings.key] if settings.key else [])
        self._client: _Client | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._keeper: AsyncGenerator[None] | None = None
        self._model = settings.model
        self.turns = f"{settings.base_url.rstrip('/')}/chat/completions"
        """Where turns are asked for; whole, as the SDK would otherwise put it together every time."""
        withheld = ["x-stainless-retry-count", "x-stainless-read-timeout"]
        withheld += [] if settings.key else ["Authorization"]
        headers: dict[str, str | openai.Omit] = {name: openai.Omit() for name in withheld}
        self.options: openai.RequestOptions = {"headers": headers}
        """Of every request: what the SDK would add is not sent."""

    def chat(self, seed: int | None = None) -> OpenAIChat:
        """Return the model of one run."""
        return OpenAIChat(self, seed)

    async def client(self) -> openai.AsyncOpenAI:
        """Return the client of the running event loop; it is closed when the loop ends."""
        loop = asyncio.get_running_loop()
        if self._client is None or self._loop is not loop:
            self._client, self._loop = _client(self.settings), loop
            # A loop that ends closes the generators that are still open, and thereby the connections.
            self._keeper = _closing(self._client)
            await anext(self._keeper)
        return self._client

    async def model(self) -> str:
        """Return what the server calls the model: the only one that it serves, where none was named.

        Raises:
            ModelError: it cannot be asked, or it serves several.
        """
        if not self._model:
            served = await self.served()
            if len(served) != 1:
                listed = ", ".join(served[:10]) or "none"
                raise ModelError(
                    f"{self.name} at {self.settings.base_url} serves {listed}; name one of them",
                    reason="model",
                )
            self._model = served[0]
        return self._model

    async def served(self) -> list[str]:
        """Return the names of the models that the server lists.

        Raises:
            ModelError: it cannot be asked.
        """
        client = await self.client()
        response = await self.ask(
            lambda: client.get("/models", cast_to=httpx2.Response, options=self.options)
        )
        listed: Any = as_object(self.read(response)).get("data")
        entries = cast("list[Any]", listed) if isinstance(listed, list) else []
        return [str(entry["id"]) for entry in map(as_object, entries) if entry.get("id")]

    async def ask(self, request: Callable[[], Awaitable[httpx2.Response]]) -> httpx2.Response:
        """Send a request and return the reply.

        Raises:
            ModelError: there is none, or it says that something is wrong.
        """
        try:
            async with asyncio.timeout(self.settings.timeouts.total):
                return await request()
        except TimeoutError:
            raise self.late() from None
        except openai.APIError as error:
            raise model_error(error, self.name, self.settings, self.scrubber) from None

    def read(self, response: httpx2.Response) -> Any:
        """Read a reply's JSON.

        Raises:
            ModelError: it is none.
        """
        try:
            return from_json(response.content)
        except ValueError:
            kind = response.headers.get("Content-Type", "").partition(";")[0]
            what = "a web page" if kind == "text/html" else "no JSON"
            raise self.failure(
                f"replied with {what}; check base_url (it usually ends in /v1)", "reply"
            ) from None

    def late(self) -> ModelError:
        """Say that the time is over."""
        return self.failure(
            f"no whole reply within {self.settings.timeouts.total:g} s; raise timeouts.total to wait longer",
            "late",
        )

    def failure(self, what: str, reason: str) -> ModelError:
        """Say what is wrong with it."""
        text = f"{self.name} at {self.settings.base_url}: {what}"
        return ModelError(self.scrubber.text(text), reason=reason)


def _client(settings: ModelSettings) -> _Client:
    waits = httpx2.Timeout(settings.timeouts.read, connect=settings.timeouts.connect)
    return _Client(
        api_key=settings.key.get_secret_value() if settings.key else "none",
        base_url=settings.base_url,
        max_retries=settings.retries,
        timeout=waits,
        # Over aiohttp: with 64 requests at once it takes half the processor time, as httpx2's pool looks at
        # every connection for every request.
        http_client=openai.DefaultAioHttpClient(
            timeout=waits,
            limits=httpx2.Limits(max_connections=_CONNECTIONS, max_keepalive_connections=_CONNECTIONS),
            follow_redirects=False,
            # Other machines are asked as the platform says; what stays in this network passes no proxy.
            trust_env=not origin_of(settings.base_url).private,
        ),
    )


async def _closing(client: openai.AsyncOpenAI) -> AsyncGenerator[None]:
    try:
        yield
    finally:
        await client.close()


class OpenAIChat:
    """The model of one run."""

    def __init__(self, server: Server, seed: int | None = None) -> None:
        """Use a server, with a seed where it takes one."""
        self._server = server
        self._conversation = ConversationEncoder(server.settings)
        self._seed = seed if server.settings.takes_seed else None
        self.name = server.name
        self.pictures_in_tool_results = server.settings.pictures_in_tool_results

    async def complete(self, messages: Sequence[Message], tools: Sequence[ToolSpec]) -> Message:
        """Continue the conversation; with `tools` empty the model has to answer in text.

        Raises:
            ModelError: the server failed for good; the SDK has retried what may pass.
        """
        server, client = self._server, await self._server.client()
        content, note = await self._request(messages, tools)
        response = await server.ask(
            lambda: client.post(
                server.turns, cast_to=httpx2.Response, content=content, options=server.options
            )
        )
        return self._message(server.read(response), note)

    async def stream(
        self, messages: Sequence[Message], tools: Sequence[ToolSpec]
    ) -> AsyncGenerator[Piece | Message]:
        """Continue the conversation: yield what is written as it comes, then the whole message.

        Raises:
            ModelError: as `complete`, and when the stream is cut: nobody retries what was half shown.
        """
        server, client = self._server, await self._server.client()
        streaming: dict[str, Any] = {"stream": True}
        if server.settings.stream_usage:
            streaming["stream_options"] = {"include_usage": True}
        content, note = await self._request(messages, tools, streaming)
        until = time.monotonic() + server.settings.timeouts.total
        pieces = Pieces()
        chunks = await self._in_time(
            client.post(
                server.turns,
                cast_to=object,
                content=content,
                stream=True,
                stream_cls=openai.AsyncStream[object],
                options=server.options,
            ),
            until,
        )
        try:
            while (chunk := await self._in_time(anext(chunks, None), until)) is not None:
                try:
                    added = list(pieces.add(chunk))
                except ModelError as error:
                    raise server.failure(str(error), error.reason) from None
                for piece in added:
                    yield piece
        finally:
            await chunks.close()
        if not pieces.ended:
            raise server.failure("the stream ended before the turn did; ask again", "network")
        yield self._message(pieces.whole, note)

    async def _in_time(self, step: Awaitable[_Step], until: float) -> _Step:
        """Wait for a step of the stream; the time is for all of them together.

        Raises:
            ModelError: it failed or came too late.
        """
        server = self._server
        try:
            async with asyncio.timeout(until - time.monotonic()):
                return await step
        except TimeoutError:
            raise server.late() from None
        except openai.APIError as error:
            raise model_error(error, server.name, server.settings, server.scrubber) from None
        except ValueError:  # a chunk that is no JSON
            raise server.failure("sent a broken stream; ask again", "reply") from None

    async def _request(
        self, messages: Sequence[Message], tools: Sequence[ToolSpec], more: Mapping[str, Any] | None = None
    ) -> tuple[bytes, str]:
        """Return the request, and what it leaves out of the conversation."""
        server, settings = self._server, self._server.settings
        dropped = budget.left_out(messages, tools, settings)
        urls = await server.pictures.urls(picture for m in messages for picture in m.pictures)
        sampling = {
            "temperature": settings.temperature,
            "top_p": settings.top_p,
            "top_k": settings.top_k,
            settings.max_tokens_name: settings.max_tokens,
            "seed": self._seed,
        }
        fields: dict[str, Any] = {"model": await server.model()}
        fields |= {name: value for name, value in sampling.items() if value is not None}
        written = {"messages": self._conversation.written(messages, tools, urls, dropped)}
        if tools and settings.calls == "native":
            written["tools"] = server.tools.written(tools)
            if settings.parallel_calls is not None:
                fields["parallel_tool_calls"] = settings.parallel_calls
        return request(fields | settings.extra | dict(more or {}), **written), budget.note(messages, dropped)

    def _message(self, reply: Any, note: str) -> Message:
        try:
            message = message_of(reply, self._server.settings.price)
        except ModelError as error:
            raise self._server.failure(str(error), error.reason) from None
        return message.model_copy(update={"note": note}) if note else message
