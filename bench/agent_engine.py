"""What the agent costs beyond its model and its tools: many runs at once over HTTP.

    python bench/agent_engine.py [--runs 256] [--concurrency 64] [--turns 6]

A server in a process of its own takes 50 ms for a turn and answers any number of requests at once; every turn
but the last calls two tools, each of which takes 20 ms. The ideal is the waiting alone. The baseline in the
same run is a plain loop with the bare SDK (`chat.completions.create`, the same tools, gathered). "Requests
alone" is the least that a client on the SDK can take on this machine: requests of the same length, over the
same connections as ours, written beforehand, their replies not read; for tools it only waits. Processor time
is that of this process, clients and tools together; that of the server shows that it is not the one who is
waited for. Memory is what the running conversations hold, measured half way. Then: what four runs of a photo
take, compared with one.
"""

from __future__ import annotations

import argparse
import asyncio
import gc
import json
import math
import multiprocessing
import resource
import socket
import statistics
import time
import tracemalloc
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import httpx2
import openai
import uvicorn
from PIL import Image

from wheretaken.agent import Case, Limits, PhotoInfo, Status, prompts, record
from wheretaken.maps import Place
from wheretaken.messages import Message, Picture
from wheretaken.models.openai.chat import Server
from wheretaken.models.opening import open_models
from wheretaken.models.settings import ModelSettings, ModelsSettings
from wheretaken.sampling.parallel import Attempt, sample
from wheretaken.testing.maps import FewPlaces
from wheretaken.testing.scripted import call, say
from wheretaken.testing.services.chat import completion
from wheretaken.tools import ToolContext
from wheretaken.tools.worldwide import WORLDWIDE

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterator

TURN_SECONDS, TOOL_SECONDS = 0.05, 0.02
ANSWER = '{"lat": 60.17, "lon": 24.94, "city": "Helsinki", "country": "Finland"}'
PLACES = [Place(id="t:1", name="Helsinki", kind="city", lat=60.17, lon=24.94, population=650_000)]


class SlowMaps(FewPlaces):
    """Maps that take their time."""

    async def search(self, query: str, **rest: Any) -> list[Place]:
        """Wait, then search."""
        await asyncio.sleep(TOOL_SECONDS)
        return list(await super().search(query, **rest))

    async def details(self, place_id: str) -> Place | None:
        """Wait, then look up."""
        await asyncio.sleep(TOOL_SECONDS)
        return await super().details(place_id)


def serve(port: int, turns: int) -> None:
    """Answer each conversation by how many turns it has: two calls, or at the end the answer."""
    calls = call(("search_places", {"query": "Helsinki"}), ("place_details", {"id": "t:1"}), text="Look.")
    replies = [json.dumps(completion(m)).encode() for m in (calls, say(ANSWER))]

    async def app(scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] == "lifespan":
            return
        body, more = b"", True
        while more:
            event = await receive()
            body, more = body + event.get("body", b""), event.get("more_body", False)
        await asyncio.sleep(TURN_SECONDS)
        reply = replies[body.count(b'"role":"assistant"') >= turns - 1]
        headers = [(b"content-type", b"application/json"), (b"content-length", str(len(reply)).encode())]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": reply})

    uvicorn.run(app, port=port, log_level="error", lifespan="off", access_log=False)


@contextmanager
def server(turns: int) -> Iterator[str]:
    """Run the server in a process of its own; yields its base URL."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        port = listening.getsockname()[1]
    process = multiprocessing.get_context("spawn").Process(target=serve, args=(port, turns), daemon=True)
    process.start()
    for _ in range(200):
        try:
            socket.create_connection(("127.0.0.1", port)).close()
            break
        except OSError:
            time.sleep(0.05)
    try:
        yield f"http://127.0.0.1:{port}/v1"
    finally:
        process.terminate()
        process.join()


@dataclass(frozen=True)
class Cost:
    """What some runs took."""

    wall: float
    processor: float


async def measured(runs: int, concurrency: int, one: Callable[[int], Awaitable[None]]) -> Cost:
    """Make runs, so many at once, and measure them."""
    slots = asyncio.Semaphore(concurrency)

    async def slotted(number: int) -> None:
        async with slots:
            await one(number)

    used, began = resource.getrusage(resource.RUSAGE_SELF), time.perf_counter()
    await asyncio.gather(*map(slotted, range(runs)))
    wall, now = time.perf_counter() - began, resource.getrusage(resource.RUSAGE_SELF)
    return Cost(wall, now.ru_utime + now.ru_stime - used.ru_utime - used.ru_stime)


def case() -> Case:
    """Return a photo of a few kilobytes."""
    picture = Picture.encode(Image.new("RGB", (320, 240), (10, 120, 200)))
    return Case(picture, PhotoInfo(sha256="0" * 64, width=320, height=240))


def opened(url: str) -> Callable[[int], Any]:
    """Return what makes our model."""
    entry = ModelSettings.model_validate({"base_url": url, "model": "scripted"})
    return open_models("bench", ModelsSettings(models={"bench": entry}))


async def ours(url: str, runs: int, concurrency: int, turns: int) -> Cost:
    """Our loop and adapter; nothing is written."""
    make, photo, maps = opened(url), case(), SlowMaps(PLACES)

    async def one(seed: int) -> None:
        done = await record(photo, make(seed), WORLDWIDE, maps, limits=Limits(turns=turns + 1), seed=seed)
        assert done.status == Status.ANSWERED
        assert len(done.tools) == 4 * (turns - 1)

    await measured(concurrency, concurrency, one)  # opens the connections
    return await measured(runs, concurrency, one)


async def plain(url: str, runs: int, concurrency: int, turns: int) -> Cost:
    """The loop that one writes first: the bare SDK, dictionaries, and the same tools gathered."""
    client = openai.AsyncOpenAI(base_url=url, api_key="none")
    photo, maps = case(), SlowMaps(PLACES)
    tools: Any = [{"type": "function", "function": spec.model_dump()} for spec in WORLDWIDE.specs]

    async def one(seed: int) -> None:
        shown = {"type": "image_url", "image_url": {"url": photo.picture.data_url()}}
        asked = [shown, {"type": "text", "text": prompts.QUESTION}]
        messages: list[Any] = [
            {"role": "system", "content": prompts.SYSTEM},
            {"role": "user", "content": asked},
        ]
        context = ToolContext(maps, [photo.picture])
        for _ in range(turns):
            reply = await client.chat.completions.create(
                model="scripted", messages=messages, tools=tools, seed=seed
            )
            said = reply.choices[0].message
            messages.append(said.model_dump(exclude_none=True))
            if not said.tool_calls:
                return
            functions: list[Any] = [made.function for made in said.tool_calls]
            results = await asyncio.gather(
                *(WORLDWIDE.find(f.name).call(context, f.arguments) for f in functions)
            )
            for made, result in zip(said.tool_calls, results, strict=True):
                messages.append({"role": "tool", "tool_call_id": made.id, "content": result.text})

    await measured(concurrency, concurrency, one)
    cost = await measured(runs, concurrency, one)
    await client.close()
    return cost


async def alone(url: str, runs: int, concurrency: int, turns: int) -> Cost:
    """The SDK's requests and the waiting for tools, and nothing else."""
    server = Server("bench", ModelSettings.model_validate({"base_url": url, "model": "scripted"}))
    client = await server.client()
    tools = [{"type": "function", "function": spec.model_dump()} for spec in WORLDWIDE.specs]
    asked = {
        "role": "user",
        "content": [{"type": "image_url", "image_url": {"url": case().picture.data_url()}}],
    }
    said = call(("search_places", {"query": "Helsinki"}), ("place_details", {"id": "t:1"}), text="Look.")
    turn = [{"role": "assistant", "content": "Look.", "tool_calls": completion(said)["choices"]}]
    turn += [{"role": "tool", "tool_call_id": "1", "content": PLACES[0].model_dump_json()}] * 2
    system = {"role": "system", "content": prompts.SYSTEM}
    bodies = [
        json.dumps({"messages": [system, asked, *turn * n], "tools": tools}, separators=(",", ":")).encode()
        for n in range(turns)
    ]

    async def one(_seed: int) -> None:
        for n, body in enumerate(bodies):
            await client.post(server.turns, cast_to=httpx2.Response, content=body, options=server.options)
            if n + 1 < turns:
                await asyncio.sleep(TOOL_SECONDS)

    await measured(concurrency, concurrency, one)
    return await measured(runs, concurrency, one)


async def memory(url: str, runs: int) -> float:
    """Return the bytes that a running trajectory holds on its last turn, the photo apart."""
    make, photo, maps = opened(url), case(), SlowMaps(PLACES)
    waiting, go = 0, asyncio.Event()

    class Held:
        """Our model, stopped before the last turn."""

        name, pictures_in_tool_results = "held", False

        def __init__(self, seed: int) -> None:
            self._model = make(seed)
            self._turns = 0

        async def complete(self, messages: Any, tools: Any) -> Message:
            nonlocal waiting
            self._turns += 1
            if self._turns == 6:
                waiting += 1
                await go.wait()
            return await self._model.complete(messages, tools)

    async def batch(number: int) -> float:
        nonlocal waiting
        waiting = 0
        go.clear()
        gc.collect()
        before = tracemalloc.get_traced_memory()[0]
        tasks = [asyncio.create_task(record(photo, Held(seed), WORLDWIDE, maps)) for seed in range(number)]
        while waiting < number:  # noqa: ASYNC110 - a few polls, in no measured time
            await asyncio.sleep(0.01)
        gc.collect()
        held = tracemalloc.get_traced_memory()[0] - before
        go.set()
        await asyncio.gather(*tasks)
        return held / number

    await batch(runs)  # fills caches and opens connections
    tracemalloc.start()
    try:
        return await batch(runs)
    finally:
        tracemalloc.stop()


async def four_and_one(url: str, rounds: int) -> tuple[float, float]:
    """Return the median seconds of one run of a photo, and of four at once."""
    make, photo, maps = opened(url), case(), SlowMaps(PLACES)

    async def took(number: int) -> float:
        began = time.perf_counter()
        await sample(photo, [Attempt(seed, make(seed), WORLDWIDE) for seed in range(number)], maps)
        return time.perf_counter() - began

    await took(4)
    pairs = [(await took(1), await took(4)) for _ in range(rounds)]
    return statistics.median(p[0] for p in pairs), statistics.median(p[1] for p in pairs)


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--runs", type=int, default=256)
    parser.add_argument("--concurrency", type=int, default=64)
    parser.add_argument("--turns", type=int, default=6)
    parser.add_argument("--rounds", type=int, default=7)
    asked = parser.parse_args()
    shape = (asked.runs, asked.concurrency, asked.turns)
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    a_run = asked.turns * TURN_SECONDS + (asked.turns - 1) * TOOL_SECONDS
    ideal = math.ceil(asked.runs / asked.concurrency) * a_run
    with server(asked.turns) as url:
        simple = asyncio.run(plain(url, *shape))
        cost = asyncio.run(ours(url, *shape))
        least = asyncio.run(alone(url, *shape))
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    served = used.ru_utime + used.ru_stime - before.ru_utime - before.ru_stime
    asked_for = 3 * (asked.runs + asked.concurrency) * asked.turns
    with server(asked.turns) as url:
        held = asyncio.run(memory(url, asked.concurrency))
        one, four = asyncio.run(four_and_one(url, asked.rounds))
    turns = asked.runs * asked.turns
    print(f"{asked.runs} runs, {asked.concurrency} at once, {asked.turns} turns, two tool calls a turn")
    print(f"{'':34}{'ours':>10}{'bare SDK':>12}{'ratio':>8}{'requests alone':>17}{'ratio':>8}")
    costs = (cost, simple, least)
    rows = {
        "wall, s": [one.wall for one in costs],
        f"wall / ideal of {ideal:.2f} s": [one.wall / ideal for one in costs],
        "processor time a turn, ms": [one.processor / turns * 1e3 for one in costs],
    }
    for name, (mine, theirs, floor) in rows.items():
        print(f"{name:34}{mine:>10.2f}{theirs:>12.2f}{mine / theirs:>8.2f}{floor:>17.2f}{mine / floor:>8.2f}")
    print(f"server: at most {served / asked_for * 1e3:.2f} ms of its processor a turn, its start included")
    print(f"memory of a running trajectory: {held / 2**20:.3f} MiB")
    print(f"four runs of a photo: {four:.3f} s, one: {one:.3f} s, ratio {four / one:.2f}")


if __name__ == "__main__":
    main()
