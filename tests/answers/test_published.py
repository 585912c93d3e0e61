"""Both readings of the published answers of real models, against the numbers that they must give."""

import json
from collections import Counter
from collections.abc import Callable, Sequence
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from wheretaken.answers import Answer, NoAnswer, Repair, fields, objects, parse, parse_strict
from wheretaken.geo import distances_km
from wheretaken.scoring import ACC_KM, reward

FILES = {
    "amap_v1_gpt5.jsonl": {"answered": 2500},
    "amap_v1_o3.jsonl": {"answered": 2299, "refused": 157, "unparsed": 44},
    "amap_v1_qwen3vl235b.jsonl": {"answered": 2493, "refused": 7},
    "geobenchwocn_gpt5.jsonl": {"answered": 934},
    "geobenchwocn_o3.jsonl": {"answered": 766, "refused": 132, "unparsed": 36},
    "geobenchwocn_qwen3vl235b.jsonl": {"answered": 934},
    "geobenchwocn_test_qwen3vl30b.jsonl": {"answered": 934},
}
"""The tolerant reading."""
every_file = pytest.mark.parametrize("name", FILES)


@cache
def _lines(path: Path) -> Sequence[dict[str, Any]]:
    return [json.loads(line) for line in path.read_bytes().splitlines()]  # text would split at U+2028


@cache
def _texts(shared: Path, name: str) -> Sequence[str]:
    return [line["solution_str"] for line in _lines(shared / "published" / name)]


def _expected(shared: Path, reading: str, name: str) -> dict[str, Any]:
    return json.loads((shared / "published" / "expected.json").read_text("utf-8"))[reading].get(name, {})


def _distances(shared: Path, name: str, read: Callable[[str], Answer | NoAnswer]) -> np.ndarray:
    truths = [line["ground_truth"] for line in _lines(shared / "published" / name)]
    answers = [read(text) for text in _texts(shared, name)]
    found = np.array([isinstance(answer, Answer) for answer in answers])
    positions = [(answer.lat, answer.lon) if isinstance(answer, Answer) else (0, 0) for answer in answers]
    lats, lons = zip(*positions, strict=True)
    km = distances_km(lats, lons, [truth["lat"] for truth in truths], [truth["lon"] for truth in truths])
    return np.where(found, km, np.inf)


def _status(result: Answer | NoAnswer) -> str:
    return "answered" if isinstance(result, Answer) else result.reason


@every_file
def test_the_strict_reading_is_the_published_metric(shared: Path, name: str):
    expected = _expected(shared, "strict", name)
    km = _distances(shared, name, parse_strict)
    assert len(km) == expected["n"]
    assert int(np.isinf(km).sum()) == expected["unparsed"]
    assert [round(float((km < limit).mean()), 4) for limit in ACC_KM] == expected["acc"]
    assert round(float(np.mean([reward(float(distance)) for distance in km])), 4) == expected["score"]


@every_file
def test_the_tolerant_reading_reads_what_can_be_read(shared: Path, name: str):
    expected = _expected(shared, "tolerant", name)
    counts = Counter(_status(parse(text)) for text in _texts(shared, name))
    assert counts == FILES[name]
    assert counts["answered"] >= expected.get("read", expected.get("read_at_least", 0))
    # Where a hedge ends and a refusal begins is a matter of judgement in a few lines.
    assert counts["refused"] == pytest.approx(expected.get("refused", counts["refused"]), abs=2)


def test_the_tolerant_reading_is_right(shared: Path):
    name = "geobenchwocn_gpt5.jsonl"
    expected = _expected(shared, "tolerant", name)
    km = _distances(shared, name, parse)
    rates = {f"acc_{label}": round(float((km < limit).mean()), 4) for label, limit in
             {"500m": 0.5, "10km": 10, "750km": 750}.items()}  # fmt: skip
    assert rates == {key: expected[key] for key in rates}


@every_file
def test_where_the_strict_reading_reads_the_tolerant_one_agrees(shared: Path, name: str):
    for text in _texts(shared, name):
        strict, tolerant = parse_strict(text), parse(text)
        if isinstance(strict, Answer) and (strict.lat, strict.lon) != (0, 0):
            assert tolerant == strict
        elif isinstance(tolerant, Answer):
            assert tolerant.repairs
        if isinstance(strict, Answer) and not isinstance(tolerant, Answer):
            assert tolerant.reason == "refused"  # 0, 0 in an unknown place


@every_file
def test_the_plain_shape_is_read_as_any_other(shared: Path, name: str):
    plain = 0
    for text in _texts(shared, name):
        start = text.find("{")
        found = objects._strictly(text, start) or objects._leniently(text, start) if start >= 0 else None
        answer = objects._plain(found, text) if found else None
        if found and answer:
            plain += 1
            assert answer == objects._read(found, fields.named(found.content), text)
    assert plain > len(_texts(shared, name)) / 2


def test_every_repair_is_named(shared: Path):
    found = Counter[Repair]()
    for name in FILES:
        for text in _texts(shared, name):
            answer = parse(text)
            found.update(answer.repairs if isinstance(answer, Answer) else ())
    assert found == {Repair.SYNTAX: 316, Repair.PROSE: 51, Repair.SIGN: 7}
