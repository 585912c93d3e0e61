"""What the web application answers below `/api`, path by path.

| request | answer |
|---|---|
| `GET /setup` | models, toolsets, limits: what the page needs to know at first |
| `GET /stream?job=ID` | server-sent events (`stream`) |
| `POST /jobs?name=&model=&toolset=&n=&hint=&seed=` | takes in the photo that is the body, and queues a job |
| `GET`, `DELETE /jobs/{id}` | a job; deletes it with its photo and runs |
| `POST /jobs/{id}/again`, `/cancel`, `/correction` | locates it again; stops it; where a person says it is |
| `GET /runs/{id}` | what a run belongs to, and what a recorded one rests on |
| `GET /runs/{id}/log` | its events, or its trajectory, one JSON a line |
| `GET /media/{sha256}?side=N` | a picture, or a smaller copy |
| `GET /tiles...` | vector tiles and their style (`server.tiles`), where there are offline maps |
| `GET /world/{land,countries,cities}` | the built-in world map as GeoJSON |
| `GET /evaluations/{name}` | the results of a directory that was named at the start |
"""

from __future__ import annotations

import asyncio
import io
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError
from starlette.responses import Response, StreamingResponse
from starlette.routing import Route

from wheretaken import __version__
from wheretaken.errors import DataError
from wheretaken.server import replies
from wheretaken.server.bodies import read_body
from wheretaken.server.replies import Refused
from wheretaken.web import stream, world
from wheretaken.web.desk import read_log
from wheretaken.web.jobs import Correction
from wheretaken.web.records import SHA256

if TYPE_CHECKING:
    from collections.abc import Mapping

    from starlette.requests import Request

    from wheretaken.web.desk import JobDesk
    from wheretaken.web.jobs import Job
    from wheretaken.web.records import Recorded
    from wheretaken.web.settings import WebSettings

_FOR_EVER = "private, max-age=31536000, immutable"
_MIMES = {".jpg": "image/jpeg", ".png": "image/png", ".webp": "image/webp"}
_OBJECT: TypeAdapter[dict[str, Any]] = TypeAdapter(dict[str, Any])
_SIDES = {96, 320}
"""Longer sides of smaller copies, in pixels: a few, so that they can be kept."""


class Wanted(BaseModel):
    """How a photo is to be located."""

    model_config = ConfigDict(extra="forbid")

    model: str = ""
    toolset: str = ""
    n: int = 1
    hint: str = ""
    seed: int = Field(default=0, ge=0, le=2**31)


class Corrected(BaseModel):
    """What a person says; without a position it is taken back."""

    position: Correction | None = None


class Routes:
    """The handlers of all requests."""

    def __init__(
        self, desk: JobDesk, recorded: Mapping[str, Recorded], settings: WebSettings, *, vector: bool
    ) -> None:
        """Answer from this desk and these directories; `vector` is whether there are vector tiles beside."""
        self._desk = desk
        self._recorded = recorded
        self._settings = settings
        self._style = "/api/tiles/style.json" if vector and not settings.tiles else ""

    def all(self) -> list[Route]:
        """Return the routes."""
        return [
            Route("/setup", self.setup),
            Route("/stream", self.stream),
            Route("/jobs", self.submit, methods=["POST"]),
            Route("/jobs/{job}", self.job, methods=["GET"]),
            Route("/jobs/{job}", self.remove, methods=["DELETE"]),
            Route("/jobs/{job}/again", self.again, methods=["POST"]),
            Route("/jobs/{job}/cancel", self.cancel, methods=["POST"]),
            Route("/jobs/{job}/correction", self.correct, methods=["POST"]),
            Route("/runs/{run}", self.run),
            Route("/runs/{run}/log", self.log),
            Route("/media/{sha256}", self.media),
            Route("/world/{layer}", self.world),
            Route("/evaluations/{name}", self.evaluation),
        ]

    async def setup(self, _request: Request) -> Response:
        """Tell what there is."""
        limits, choices = self._desk.limits, self._desk.choices
        return replies.json(
            {
                "version": __version__,
                "models": list(choices.models),
                "toolsets": list(choices.toolsets),
                "limits": {"runs": limits.runs, "bytes": limits.picture_bytes, "hint": limits.hint_chars},
                "evaluations": list(self._recorded),
                "tiles": self._settings.tiles,
                "style": self._style,
                "attribution": self._settings.tiles_attribution or world.ATTRIBUTION,
            }
        )

    async def stream(self, request: Request) -> Response:
        """Send what happens."""
        last = request.headers.get("last-event-id") or request.query_params.get("after", "")
        frames = stream.frames(self._desk, request.query_params.get("job", ""), last)
        headers = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}
        return StreamingResponse(frames, media_type="text/event-stream", headers=headers)

    async def submit(self, request: Request) -> Response:
        """Take in a photo."""
        kind = request.headers.get("content-type", "")
        if not kind.startswith(("image/", "application/octet-stream")):
            raise Refused(415, "content_type", "send the file itself, with a Content-Type such as image/jpeg")
        query = dict(request.query_params)
        name = Path(query.pop("name", "")).name[:200]
        wanted = self._wanted(query)
        data = await read_body(request, self._desk.limits.picture_bytes, self._desk.limits.seconds)
        job = await self._desk.submit(data, name, **wanted)
        return self._told(job, 201)

    async def again(self, request: Request) -> Response:
        """Locate a photo once more."""
        return self._told(
            self._desk.again(self._find(request), **self._wanted(await self._json(request))), 201
        )

    async def job(self, request: Request) -> Response:
        """Tell about a job."""
        return self._told(self._find(request))

    async def cancel(self, request: Request) -> Response:
        """Stop a job."""
        return self._told(await self._desk.cancel(self._find(request)))

    async def correct(self, request: Request) -> Response:
        """Note where a person says that the photo was taken."""
        try:
            said = Corrected.model_validate(await self._json(request))
        except ValidationError as error:
            raise Refused(422, "position", _complaint(error)) from None
        return self._told(self._desk.correct(self._find(request), said.position))

    async def remove(self, request: Request) -> Response:
        """Delete a job."""
        await self._desk.remove(self._find(request))
        return Response(status_code=204)

    async def run(self, request: Request) -> Response:
        """Tell what a run belongs to; of one of a directory, what its answer rests on."""
        run = request.path_params["run"]
        if job := self._desk.owner(run):
            return replies.json({"job": job.id, "evaluation": None, "rested": None})
        for name, directory in self._recorded.items():
            if await asyncio.to_thread(directory.log, run):
                rested = await asyncio.to_thread(directory.rested, run)
                return replies.json({"job": None, "evaluation": name, "rested": rested})
        raise Refused(404, "run", "there is no such run, or not any more")

    async def log(self, request: Request) -> Response:
        """Give the events of a run."""
        lines = await self._lines(request.path_params["run"])
        return Response(b"\n".join(lines) + b"\n", media_type="application/x-ndjson")

    async def _lines(self, run: str) -> list[bytes]:
        if self._desk.owner(run):
            return self._desk.live(run) or await asyncio.to_thread(read_log, self._desk.directory, run)
        for directory in self._recorded.values():
            if lines := await asyncio.to_thread(directory.log, run):
                return lines
        raise Refused(404, "run", "there is no such run, or not any more")

    async def media(self, request: Request) -> Response:
        """Give a picture."""
        sha256, side = request.path_params["sha256"], request.query_params.get("side", "")
        headers = {"ETag": f'"{sha256}{side}"', "Cache-Control": _FOR_EVER}
        if request.headers.get("if-none-match") == headers["ETag"]:
            return Response(status_code=304, headers=headers)
        path = await asyncio.to_thread(self._picture, sha256)
        if path is None:
            raise Refused(404, "picture", "there is no such picture, or not any more")
        if side.isdecimal() and int(side) in _SIDES:
            data = await asyncio.to_thread(_smaller, path, int(side))
            return Response(data, media_type="image/jpeg", headers=headers)
        return Response(
            await asyncio.to_thread(path.read_bytes), media_type=_MIMES[path.suffix], headers=headers
        )

    def _picture(self, sha256: str) -> Path | None:
        if not SHA256.fullmatch(sha256):
            return None
        places = [self._desk.directory, *(one.directory for one in self._recorded.values())]
        tried = (place / "media" / f"{sha256}{end}" for place in places for end in _MIMES)
        return next((path for path in tried if path.is_file()), None)

    async def world(self, request: Request) -> Response:
        """Give a layer of the world map."""
        name = request.path_params["layer"]
        if name not in world.NAMES:
            raise Refused(404, "layer", f"there are the layers {', '.join(world.NAMES)}")
        data = await asyncio.to_thread(world.layer, name)
        return Response(data, media_type="application/geo+json", headers={"Cache-Control": "max-age=86400"})

    async def evaluation(self, request: Request) -> Response:
        """Give the results of a directory."""
        directory = self._recorded.get(request.path_params["name"])
        if directory is None:
            raise Refused(404, "evaluation", "no directory of this name was given at the start")
        try:
            return replies.json(await asyncio.to_thread(directory.table))
        except DataError as error:
            raise Refused(422, "data", str(error)) from error

    def _find(self, request: Request) -> Job:
        return self._desk.find(request.path_params["job"])

    def _told(self, job: Job, status: int = 200) -> Response:
        return replies.json(stream.job_data(self._desk, job), status)

    def _wanted(self, said: Mapping[str, Any]) -> dict[str, Any]:
        """Read how a photo is to be located; what is not said is the default."""
        try:
            wanted = Wanted.model_validate(said)
        except ValidationError as error:
            raise Refused(422, "settings", _complaint(error)) from None
        choices = self._desk.choices
        return wanted.model_dump() | {
            "model": wanted.model or next(iter(choices.models)),
            "toolset": wanted.toolset or next(iter(choices.toolsets)),
            "hint": " ".join(wanted.hint.split()),
        }

    async def _json(self, request: Request) -> dict[str, Any]:
        if not request.headers.get("content-type", "").startswith(replies.JSON):
            raise Refused(415, "content_type", f"send JSON, with  Content-Type: {replies.JSON}")
        body = await read_body(request, self._desk.limits.body_bytes, self._desk.limits.seconds)
        try:
            return _OBJECT.validate_json(body)
        except ValidationError:
            raise Refused(400, "json", "the request is not a JSON object") from None


@lru_cache(maxsize=512)
def _smaller(path: Path, side: int) -> bytes:
    """Return a picture as a JPEG whose longer side has so many pixels at most."""
    from PIL import Image  # noqa: PLC0415 - not needed to start

    with Image.open(path) as image:
        small = image.convert("RGB")
        small.thumbnail((side, side))
    buffer = io.BytesIO()
    small.save(buffer, "JPEG", quality=82)
    return buffer.getvalue()


def _complaint(error: ValidationError) -> str:
    problem = error.errors(include_url=False)[0]
    return f"{'.'.join(map(str, problem['loc'])) or 'the request'}: {problem['msg']}"
