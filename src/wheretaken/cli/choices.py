"""Options that take one of a few words."""

from __future__ import annotations

from enum import StrEnum


class Reading(StrEnum):
    """How answers are read from text."""

    TOLERANT = "tolerant"
    """What a careful person would read."""
    STRICT = "strict"
    """The published metric: the first strict JSON object with lat, lon, city and country."""


class ReportFormat(StrEnum):
    """What a report is written as."""

    HTML = "html"
    MD = "md"


class Purpose(StrEnum):
    """Who reads a prepared data set."""

    TABLE = "table"
    """Anybody: one row a photo, truth in columns."""
    VERL = "verl"
    """verl's `RLHFDataset`."""
    TRL = "trl"
    """TRL's trainers."""


class Engine(StrEnum):
    """Who trains."""

    TRL = "trl"
    """On one machine."""
    VERL = "verl"
    """On a cluster."""


class Source(StrEnum):
    """Where a data set is downloaded from."""

    HUGGINGFACE = "huggingface"
    MODELSCOPE = "modelscope"
    ZENODO = "zenodo"


class CacheFormat(StrEnum):
    """How a cache is written to a file."""

    JSONL = "jsonl"
    """One answer a line, with pictures and times."""
    FLAT = "flat"
    """The published warm-start file: one object, `api:query` to text."""
    GROUPED = "grouped"
    """The same by api."""


class ServedTools(StrEnum):
    """Which tools are served."""

    WORLDWIDE = "worldwide"
    """Six tools that work on any map."""
    AMAP = "amap"
    """The paper's tools for China."""
    GOOGLE = "google"
    """The paper's tools for the rest of the world."""
    ALL = "all"
    """All of them."""
