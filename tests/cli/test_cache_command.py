"""`wheretaken cache` as a user meets it."""

import json
from pathlib import Path

PUBLISHED = {
    "amap_keyword_search:天安门": "id: B000A60DA1",
    "google_search:Louvre": "```\n[1]Louvre\n```",
    "google_search:nothing": "",
}


def published(tmp_path: Path) -> Path:
    file = tmp_path / "api_cache.json"
    file.write_text(json.dumps(PUBLISHED, ensure_ascii=False), "utf-8")
    return file


def test_a_published_cache_goes_in_and_out(wheretaken, tmp_path: Path) -> None:
    cache = ("--cache", "sqlite:a.sqlite")
    done = wheretaken("cache", "import", published(tmp_path), *cache)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.endswith("api_cache.json: 2 answers taken\n")
    again = wheretaken("cache", "import", published(tmp_path), "--cache", "sqlite:a.sqlite")
    assert "2 answers taken" in again.stdout, "the file is newer"
    third = wheretaken("cache", "import", "api_cache.json", *cache)
    assert "0 answers taken, 2 have expired or are older" in third.stdout
    stats = json.loads(wheretaken("cache", "stats", *cache, "--json").stdout)
    assert (stats["entries"], [tool["provider"] for tool in stats["tools"]]) == (2, ["amap", "serper"])
    kept = {name: text for name, text in PUBLISHED.items() if text}
    assert json.loads(wheretaken("cache", "export", "-", "--format", "flat", *cache).stdout) == kept
    grouped = json.loads(wheretaken("cache", "export", "-", "--format", "grouped", *cache).stdout)
    assert grouped["amap_keyword_search"] == {"天安门": "id: B000A60DA1"}


def test_caches_are_moved_merged_pruned_and_cleared(wheretaken, tmp_path: Path) -> None:
    wheretaken("cache", "import", published(tmp_path), "--cache", "sqlite:a.sqlite")
    done = wheretaken("cache", "export", "a.jsonl", "--cache", "sqlite:a.sqlite")
    assert (done.returncode, done.stderr) == (0, "2 answers written\n")
    assert len((tmp_path / "a.jsonl").read_text("utf-8").splitlines()) == 2
    assert "2 answers taken" in wheretaken("cache", "import", "a.jsonl", "--cache", "sqlite:b.sqlite").stdout
    done = wheretaken("cache", "prune", "--provider", "amap", "--cache", "sqlite:b.sqlite")
    assert done.stdout == "1 answers removed, 1 left (0.0 MB)\n"
    done = wheretaken("cache", "merge", "sqlite:a.sqlite", "--cache", "sqlite:b.sqlite")
    assert done.stdout == "sqlite:a.sqlite: 1 answers taken, 1 have expired or are older than what is there\n"
    done = wheretaken("cache", "clear", "--cache", "sqlite:b.sqlite")
    assert done.returncode == 2
    assert done.stderr.endswith("add --yes\n")
    assert "2 answers removed" in wheretaken("cache", "clear", "--yes", "--cache", "sqlite:b.sqlite").stdout
    assert "0 answers" in wheretaken("cache", "stats", "--cache", "sqlite:b.sqlite").stdout


def test_without_a_name_it_is_the_usual_file(wheretaken, tmp_path: Path) -> None:
    place = {"WHERETAKEN_CACHE_DIR": str(tmp_path / "cache")}
    done = wheretaken("cache", "stats", **place)
    assert done.returncode == 2
    assert done.stderr.startswith(f"wheretaken: there is no cache at {tmp_path / 'cache' / 'tools.sqlite'}")
    assert wheretaken("cache", "import", published(tmp_path), **place).returncode == 0
    assert "2 answers, 0 pictures" in wheretaken("cache", "stats", **place).stdout


def test_mistakes_are_told_in_one_line(wheretaken, tmp_path: Path) -> None:
    wheretaken("cache", "import", published(tmp_path), "--cache", "sqlite:a.sqlite")
    mistakes = {
        ("stats", "--cache", "file:x"): (2, "use sqlite:PATH, redis://HOST:PORT or memory"),
        ("stats", "--cache", "memory"): (2, "a cache in memory ends with its process"),
        ("stats", "--cache", "redis://:canary@127.0.0.1:1/0"): (4, "redis://127.0.0.1:1/0"),
        ("prune", "--older-than", "old", "--cache", "sqlite:a.sqlite"): (2, "--older-than old: write it as"),
        ("prune", "--max-size", "5 apples", "--cache", "sqlite:a.sqlite"): (2, "--max-size 5 apples"),
        ("merge", "sqlite:a.sqlite", "--cache", "sqlite:a.sqlite"): (2, "is the cache itself"),
        ("merge", "sqlite:none.sqlite", "--cache", "sqlite:a.sqlite"): (
            2,
            "there is no cache at none.sqlite",
        ),
        ("import", "none.json", "--cache", "sqlite:a.sqlite"): (2, "none.json: cannot be read"),
    }
    for arguments, (code, text) in mistakes.items():
        done = wheretaken("cache", *arguments)
        assert (done.returncode, done.stdout) == (code, ""), arguments
        assert text in done.stderr
        assert len(done.stderr.splitlines()) == 1
        assert "canary" not in done.stderr
