"""Locating photos from Python: `locate`, `locate_sync`, and what they share with the command line.

```python
from wheretaken import locate_sync

found = locate_sync("photo.jpg", "openai:NAME", n=4)
if found.answer:
    print(found.answer.lat, found.answer.lon, found.answer.radius_km)
```
"""

from __future__ import annotations

import asyncio
import functools
import importlib.util
import io
import os
from pathlib import Path
from typing import TYPE_CHECKING, ParamSpec, TypeVar

from wheretaken.agent import Case
from wheretaken.errors import MissingExtraError, UserError
from wheretaken.maps import MapProvider
from wheretaken.models.opening import READER, open_models
from wheretaken.sampling.early import EarlyStop
from wheretaken.sampling.parallel import DIRECT, Vote
from wheretaken.sampling.solving import attempts, solve
from wheretaken.sampling.verifiers import open_verifier
from wheretaken.tools import Toolset
from wheretaken.tools.worldwide import WORLDWIDE

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine

    from PIL import Image

    from wheretaken.agent import Delta, Event, Limits
    from wheretaken.models.base import ChatModel
    from wheretaken.sampling.parallel import Verifier
    from wheretaken.sampling.solution import Solution

    Photo = str | os.PathLike[str] | bytes | Image.Image
    """A file, the bytes of one, or a picture that is open."""
    Models = Callable[[int], ChatModel]
    """Makes the model of a run from the run's seed."""

_P = ParamSpec("_P")
_R = TypeVar("_R")

TOOLSETS = (WORLDWIDE.name, "amap", "google", DIRECT.name)


async def locate(
    photo: Photo,
    model: str | ChatModel = READER,
    *,
    base_url: str = "",
    n: int = 1,
    direct: int = 0,
    toolset: str | Toolset = WORLDWIDE.name,
    maps: MapProvider | None = None,
    verifier: str | Verifier = Vote.name,
    early_stop: bool | EarlyStop = False,
    hint: str = "",
    seed: int = 0,
    limits: Limits | None = None,
    out: str | os.PathLike[str] | None = None,
    watch: Callable[[Event], None] | None = None,
    on_delta: Callable[[Delta], None] | None = None,
) -> Solution:
    """Find where a photo was taken; `wheretaken locate` with the same options does the same.

    Args:
        photo: A file, the bytes of one, or a picture of Pillow. Its metadata stays behind.
        model: `reader`, a name as `wheretaken models list` has it, or an object that is used for every run.
        base_url: The model server's API, up to /v1, if not the usual.
        n: Runs with tools.
        direct: Further runs without tools.
        toolset: `worldwide`, `amap`, `google`, `direct`, or tools of your own.
        maps: What the tools ask; by default the offline maps, and the services that the settings switch on.
        verifier: Who decides: `vote`, `model`, `model:NAME`, or an object.
        early_stop: End the other runs when enough agree; an object says what is enough.
        hint: What you know already, such as "it is in Portugal".
        seed: Of the first run; the others count up.
        limits: What each run may spend.
        out: A directory that keeps trajectories, pictures and solutions.
        watch: Called with every event of every run as it happens.
        on_delta: Called with what the models are writing, as far as they can tell.

    Returns:
        The answer (WGS-84 degrees, radius in kilometres), or why there is none, and the runs behind it.

    Raises:
        PhotoError: The photo cannot be used.
        UserError: There is no such model, toolset or verifier, or the settings are wrong.
        MissingExtraError: Something needs libraries that are not installed.
    """
    counted(n, direct)
    make, called = models(model, base_url=base_url)
    decides = open_verifier(verifier, called, make, seed=seed) if isinstance(verifier, str) else verifier
    case = await asyncio.to_thread(read_case, photo, hint)
    if isinstance(toolset, Toolset):
        asked, tools = maps or await asyncio.to_thread(_offline), toolset
    else:
        asked, tools = await asyncio.to_thread(offered, toolset if n else DIRECT.name, maps=maps)
    if early_stop is True:
        early_stop = EarlyStop()
    try:
        return await solve(
            case,
            attempts(make, tools, n=n, direct=direct, seed=seed),
            asked,
            verifier=decides,
            early_stop=early_stop or None,
            limits=limits,
            out=Path(out) if out is not None else None,
            watch=watch,
            on_delta=on_delta,
        )
    finally:
        if asked is not maps:
            await asked.aclose()


def _blocking(function: Callable[_P, Coroutine[None, None, _R]]) -> Callable[_P, _R]:
    """Return the function, with the same arguments, for where no event loop runs."""

    @functools.wraps(function)
    def waited(*args: _P.args, **options: _P.kwargs) -> _R:
        try:
            asyncio.get_running_loop()
        except RuntimeError:
            return asyncio.run(function(*args, **options))
        raise UserError("an event loop is running here, as in a notebook: write  await locate(...)  instead")

    waited.__name__ = waited.__qualname__ = f"{function.__name__}_sync"
    return waited


locate_sync = _blocking(locate)
"""`locate`, with its arguments, where no event loop runs; where one does, as in a notebook, a `UserError`."""


def counted(n: int, direct: int) -> None:
    """Refuse a number of runs that is none."""
    if min(n, direct) < 0 or n + direct < 1:
        raise UserError("nothing is to be run: give -n or --direct at least 1")


def models(model: str | ChatModel, *, base_url: str = "") -> tuple[Models, str]:
    """Return what makes the model of a run, and what it is called; an object is used for every run."""
    if isinstance(model, str):
        return open_models(model, base_url=base_url), model
    return (lambda _seed: model), model.name


def read_case(photo: Photo, hint: str = "") -> Case:
    """Read a photo; the name of its file goes into the record only.

    Raises:
        PhotoError: It cannot be used.
    """
    told = " ".join(hint.split())
    if isinstance(photo, bytes):
        return Case.of(photo, hint=told)
    if isinstance(photo, (str, os.PathLike)):
        return Case.of(photo, named(photo), hint=told)
    return Case.of(_encoded(photo), hint=told)


def named(path: str | os.PathLike[str]) -> str:
    """Return a path as text; bytes that are not UTF-8, which neither JSON nor a record can hold, as codes."""
    return os.fsencode(path).decode("utf-8", "backslashreplace")


def _encoded(picture: Image.Image) -> bytes:
    """Write an open picture as a file, the right way up."""
    from PIL import ImageOps  # noqa: PLC0415 - only for pictures that are open

    upright = ImageOps.exif_transpose(picture)
    buffer = io.BytesIO()
    (upright if upright.mode in {"L", "LA", "RGB", "RGBA"} else upright.convert("RGB")).save(buffer, "PNG")
    return buffer.getvalue()


def _offline() -> MapProvider:
    from wheretaken.maps.offline.provider import offline_provider  # noqa: PLC0415 - loads map libraries

    return offline_provider()


def offered(
    name: str,
    tools_config: Path | None = None,
    *,
    maps: MapProvider | None = None,
    offline: Callable[[], MapProvider] = _offline,
) -> tuple[MapProvider, Toolset]:
    """Return the maps and the tools of a toolset.

    Args:
        name: One of `TOOLSETS`; `direct` has no tools, and nobody opens maps for it.
        tools_config: A verl tool-config file whose descriptions the model is told instead.
        maps: Used instead of the offline maps.
        offline: Opens the offline maps.

    Raises:
        UserError: There is no such toolset, or the settings or the file are wrong.
        MissingExtraError: It needs libraries that are not installed.
    """
    named_toolset(name)
    if name == DIRECT.name:
        if tools_config is not None:
            raise UserError("runs without tools have none to describe: leave out --tools-config")
        return maps or MapProvider(), DIRECT
    provider = _with_services(maps or offline(), needed=name != WORLDWIDE.name)
    from wheretaken.server.toolsets import toolset  # noqa: PLC0415 - needed for tools alone

    tools = toolset(name, provider)
    if tools_config is not None:
        from wheretaken.tools.config import configured  # noqa: PLC0415 - needs the extra

        tools = configured(tools, tools_config)
    return provider, tools


def named_toolset(name: str) -> None:
    """Refuse a name that no toolset has."""
    if name not in TOOLSETS:
        raise UserError(f"no toolset named {name!r}; there are: {', '.join(TOOLSETS)}")


def _with_services(local: MapProvider, *, needed: bool) -> MapProvider:
    """Put the services of the settings before the offline maps; without any, those alone."""
    if importlib.util.find_spec("pydantic_settings") is None or importlib.util.find_spec("httpx2") is None:
        if needed:
            raise MissingExtraError("asking map services", "services", "pydantic_settings and httpx2")
        return local
    from wheretaken.maps.web import WebSettings  # noqa: PLC0415 - needs the extra
    from wheretaken.server.providers import connect  # noqa: PLC0415 - as above

    router = connect(WebSettings.load(), [local])
    return router if needed or len(router.providers) > 1 else local
