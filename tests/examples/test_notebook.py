"""The notebook of the examples runs from top to bottom, offline, and shows what it says."""

import json
import os
import shutil
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import pytest

EXAMPLES = Path(__file__).resolve().parents[2] / "examples"
NOTEBOOK = EXAMPLES / "thinking_with_map.ipynb"
EXECUTE = """
import sys
import nbclient, nbformat
notebook = nbformat.read("thinking_with_map.ipynb", 4)
nbclient.NotebookClient(notebook, timeout=300, kernel_name="python3").execute()
nbformat.write(notebook, "executed.ipynb")
"""


@pytest.fixture
def executed(tmp_path):
    """The cells of code with their outputs."""
    missing = [name for name in ("nbclient", "ipykernel") if find_spec(name) is None]
    if missing:
        reason = f"{' and '.join(missing)} of the development dependencies is not installed"
        (pytest.fail if os.environ.get("WHERETAKEN_REQUIRE_ALL") == "1" else pytest.skip)(reason)
    for name in ("thinking_with_map.ipynb", "helsinki-corner.jpg"):
        shutil.copy(EXAMPLES / name, tmp_path)
    home = {"HOME": str(tmp_path), "JUPYTER_RUNTIME_DIR": str(tmp_path / "jupyter")}
    done = subprocess.run(
        [sys.executable, "-c", EXECUTE],
        cwd=tmp_path,
        env=os.environ | home,
        capture_output=True,
        encoding="utf-8",
        timeout=400,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    cells = json.loads((tmp_path / "executed.ipynb").read_text("utf-8"))["cells"]
    return [cell for cell in cells if cell["cell_type"] == "code"]


def text_of(cell):
    return "".join(
        "".join(output["text"])
        for output in cell["outputs"]
        if output["output_type"] == "stream" and output["name"] == "stdout"
    )


def test_it_runs_and_shows_steps_map_vote_and_record(executed):
    photo, steps, answer, drawn, vote, record = executed
    assert "image/jpeg" in photo["outputs"][0]["data"]
    assert "search_places" in text_of(steps)
    assert text_of(answer).startswith("Helsinki, Finland: 60.1")
    assert "told by" in text_of(answer)
    assert "image/png" in drawn["outputs"][0]["data"]
    assert "Helsinki: 2 of 3 agree, 160 tokens" in text_of(vote)
    assert "told by search_places" in text_of(vote)
    assert "or Turku: 1 run" in text_of(vote)
    assert text_of(record).count("answered") == 4
    assert "3 runs: Helsinki" in text_of(record)


def test_it_is_kept_without_outputs():
    assert NOTEBOOK.stat().st_size < 20_000
    cells = json.loads(NOTEBOOK.read_text("utf-8"))["cells"]
    assert all(not cell.get("outputs") and cell.get("execution_count") is None for cell in cells)
