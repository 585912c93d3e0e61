"""The documents are true: commands run, options are listed, links lead somewhere, sources are named."""

import contextlib
import os
import re
import shlex
import shutil
import socket
import subprocess
import sys
import time
import tomllib
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest

from wheretaken import __version__
from wheretaken.maps.web import WebSettings
from wheretaken.server.cache import Policy
from wheretaken.server.limits import Limits
from wheretaken.testing.services import serve
from wheretaken.testing.services.able import able
from wheretaken.testing.services.chat import ChatService

ROOT = Path(__file__).resolve().parents[2]
PACKAGE = ROOT / "src" / "wheretaken"
PAGES = sorted([*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md")])
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
OTHER_PEOPLES = {"git", "cd", "apt", "sudo"}
"""Commands that prepare a machine; they are not ours to test."""


def name(page: Path) -> str:
    return str(page.relative_to(ROOT))


def fences(page: Path) -> list[tuple[str, str]]:
    """The fenced blocks of a page, each with its language."""
    return re.findall(r"^```(\w*)\n(.*?)^```$", page.read_text("utf-8"), re.MULTILINE | re.DOTALL)


def commands() -> list[tuple[str, str]]:
    """Every command in a block of shell, with its page."""
    found = []
    for page in PAGES:
        for language, block in fences(page):
            if language == "sh":
                lines = block.replace("\\\n", " ").splitlines()
                found += [(name(page), line) for line in lines if shlex.split(line, comments=True)]
    return found


@pytest.mark.parametrize("page", PAGES, ids=name)
def test_shell_is_fenced_in_the_one_way_that_is_tested(page):
    languages = {language for language, _ in fences(page)}
    assert not languages & {"bash", "shell", "console", "zsh", "shellsession"}


def test_there_are_commands_to_test():
    assert ("CONTRIBUTING.md", "make") in {(page, line.split()[0]) for page, line in commands()}


@pytest.mark.parametrize(
    ("page", "line"), [c for c in commands() if c[1].split()[0] not in {"wheretaken", "curl"}]
)
def test_every_command_names_what_exists(page, line):
    first, *rest = shlex.split(line, comments=True)
    if first == "make":
        targets = re.findall(r"^([\w.-]+):", (ROOT / "Makefile").read_text("utf-8"), re.MULTILINE)
        assert {word for word in rest if "=" not in word} <= set(targets)
    elif first == "pip":
        extras = re.findall(r"wheretaken\[([\w,-]+)\]", line)
        assert {part for extra in extras for part in extra.split(",")} <= set(
            PROJECT["optional-dependencies"]
        )
    elif first in {"python", "python3"} or first.startswith((".venv/", "scripts/", "bench/", ".ci/")):
        scripts = [word for word in (first, *rest) if word.endswith(".py") or word.startswith(".ci/")]
        assert all((ROOT / script).is_file() for script in scripts)
    else:
        assert first in OTHER_PEOPLES, f"{page}: nothing here knows how to test {line!r}"


@pytest.mark.parametrize("page", PAGES, ids=name)
def test_settings_on_a_page_are_settings(page, tmp_path):
    for kind, text in fences(page):
        if kind == "toml":
            file = tmp_path / "wheretaken.toml"
            file.write_text(text)
            WebSettings.load(file)
            Policy.load({}, file)
            Limits.load(file)


@pytest.fixture(scope="session")
def evaluated() -> dict[str, Path]:
    """Directories of evaluations, by the command that made them: each takes a quarter of a minute."""
    return {}


@pytest.mark.enable_socket
@pytest.mark.allow_hosts(["127.0.0.1"])
@pytest.mark.parametrize(
    "page", sorted({page for page, line in commands() if line.startswith("wheretaken ")})
)
def test_our_commands_work_in_the_order_of_their_page(page, tmp_path, evaluated):
    """A page is a session in one directory: a later command may use what an earlier one wrote.

    What ends in `&` goes on beside the commands after it, on a free port. A model's server, on port 8000 in
    the pages, is a scripted one. An evaluation that another page had, word for word, is taken over.
    """
    if (ROOT / "examples").is_dir():
        (tmp_path / "examples").symlink_to(ROOT / "examples")
    port = free_port()
    with ExitStack() as servers:
        model = servers.enter_context(serve(ChatService([able], repeat_last=True)))
        for source, line in commands():
            if source == page and line.startswith(("wheretaken ", "curl ")):
                here = re.sub(r"\b(8001|8080)\b", str(port), line)
                here = here.replace("http://127.0.0.1:8000", model)
                run = re.match(r"wheretaken eval run .*--out (\S+)$", here)
                if here.endswith("&"):
                    servers.enter_context(server(here.removesuffix("&"), tmp_path, port))
                elif run and here in evaluated:
                    shutil.copytree(evaluated[here], tmp_path / run[1])
                else:
                    works(here, tmp_path)
                    if run:
                        evaluated[here] = tmp_path / run[1]


def free_port() -> int:
    """A port that nobody listens on."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        return listening.getsockname()[1]


@contextmanager
def server(line: str, directory: Path, port: int) -> Iterator[None]:
    """Run a command that serves until it is told to end."""
    with subprocess.Popen(
        shlex.split(line), cwd=directory, env=environment(directory), stderr=subprocess.PIPE
    ) as process:
        try:
            for _ in range(600):
                with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port)):
                    break
                assert process.poll() is None, process.stderr.read().decode()
                time.sleep(0.1)
            yield
        finally:
            process.terminate()


def environment(directory: Path) -> dict[str, str]:
    """That of the tests, with our program found first, and regions that are added kept to the page's own."""
    return os.environ | {
        "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
        "WHERETAKEN_DATA_DIR": str(directory / "data"),
    }


def works(line: str, directory: Path) -> None:
    """Run a command where the example picture lies under every name that the command gives to a photo."""
    for word in shlex.split(line, comments=True):
        photo = directory / word
        if word.lower().endswith((".jpg", ".jpeg")) and not photo.exists():
            photo.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(next((ROOT / "examples").glob("*.jpg")), photo)
    before = set(directory.rglob("*"))
    done = subprocess.run(
        ["sh", "-c", line],
        cwd=directory,
        env=environment(directory),
        capture_output=True,
        encoding="utf-8",
        timeout=300,
        check=False,
    )
    assert done.returncode == 0, f"{line}\n{done.stderr}"
    assert done.stdout or set(directory.rglob("*")) > before, line


def test_the_command_line_page_is_what_the_program_says():
    script = ROOT / "scripts" / "write_cli_reference.py"
    done = subprocess.run([sys.executable, script, "--check"], check=False)
    assert done.returncode == 0, f"run  python {script.relative_to(ROOT)}"


@pytest.mark.parametrize(
    "command",
    ["locate", "maps search", "maps reverse", "maps render", "maps list", "doctor"]
    + [f"eval {name}" for name in ("score", "split", "compare", "vote", "run", "report")]
    + [f"data {name}" for name in ("info", "prepare", "download")]
    + ["serve", "mcp", "web"]
    + [f"train {name}" for name in ("export", "inspect")]
    + [f"models {name}" for name in ("list", "check")]
    + [f"cache {name}" for name in ("stats", "export", "import", "merge", "prune", "clear")],
)
def test_every_option_in_the_help_is_in_the_command_line_page(command):
    shown = subprocess.run(
        [sys.executable, "-m", "wheretaken", *command.split(), "--help"],
        env=os.environ | {"COLUMNS": "200", "NO_COLOR": "1"},
        capture_output=True,
        encoding="utf-8",
        check=True,
    ).stdout
    page = (ROOT / "docs" / "cli.md").read_text("utf-8")
    (section,) = re.findall(rf"^## `wheretaken {command}`\n(.*?)(?=^## |\Z)", page, re.MULTILINE | re.DOTALL)
    options = set(re.findall(r"(?<![\w-])--[a-z][a-z-]+", shown)) - {"--help"}
    assert options or command == "doctor"
    assert options == set(re.findall(r"`(?:[^`]*\s)?(--[a-z][a-z-]+)", section))


def anchors(page: Path) -> set[str]:
    """The anchors that the headings of a page make."""
    headings = re.findall(r"^#+ (.+)$", page.read_text("utf-8"), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


@pytest.mark.parametrize("page", PAGES, ids=name)
def test_every_link_leads_somewhere(page):
    text = re.sub(r"```.*?```", "", page.read_text("utf-8"), flags=re.DOTALL)
    for target in re.findall(r"\]\(([^)\s]+)[^)]*\)|<img[^>]+src=\"([^\"]+)\"", text):
        link = "".join(target)
        if re.match(r"[a-z]+:", link):
            continue
        file, _, anchor = link.partition("#")
        aim = page.parent / file if file else page
        assert aim.exists(), f"{name(page)} links to {link}"
        assert not anchor or anchor in anchors(aim), f"{name(page)} links to {link}"


@pytest.mark.parametrize("page", PAGES, ids=name)
def test_every_file_of_ours_that_is_named_exists(page):
    named = re.findall(r"`((?:src|tests|scripts|bench|docs|examples)/[\w./*-]+)`", page.read_text("utf-8"))
    assert [path for path in named if not list(ROOT.glob(path.rstrip("/")))] == []


def test_the_changelog_begins_with_this_version():
    versions = re.findall(r"^## (\S+)", (ROOT / "CHANGELOG.md").read_text("utf-8"), re.MULTILINE)
    assert versions[0] == __version__


def test_the_architecture_names_every_part():
    page = (ROOT / "ARCHITECTURE.md").read_text("utf-8")
    parts = {
        path.stem for path in PACKAGE.iterdir() if path.suffix == ".py" or (path / "__init__.py").exists()
    }
    assert sorted(part for part in parts - {"__init__", "__main__"} if f"`{part}`" not in page) == []
    assert len(page.splitlines()) <= 100, "it is meant to be one page"


def test_every_shipped_data_file_is_named_with_its_source():
    page = (ROOT / "THIRD_PARTY.md").read_text("utf-8")
    code = {".py", ".pyc", ".typed", ".pyi", ".css", ".j2", ".js"}
    files = [path for path in PACKAGE.rglob("*") if path.is_file() and path.suffix not in code]
    assert len(files) > 30
    # A folder is named once (`folder/file`, `other-file`); a pattern stands for all files that it fits.
    listed = re.findall(r"`([\w./*-]+)`", page)
    for path in files:
        relative = path.relative_to(PACKAGE)
        assert any(relative.match(entry) for entry in listed), f"{relative} is not in THIRD_PARTY.md"


def test_every_dependency_is_named():
    page = (ROOT / "THIRD_PARTY.md").read_text("utf-8").lower()
    extras = [line for extra in PROJECT["optional-dependencies"].values() for line in extra]
    wanted = [line for line in PROJECT["dependencies"] + extras if not line.startswith("wheretaken")]
    names = [re.split(r"[\[<>=!~; ]", requirement)[0].lower() for requirement in wanted]
    assert [package for package in names if not re.search(rf"\b{package}\b", page)] == []
