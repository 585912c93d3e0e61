"""Write docs/cli.md from the commands and options as the program declares them.

python scripts/write_cli_reference.py           # writes the page
python scripts/write_cli_reference.py --check   # exit code 1 when the page is not what would be written
"""

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from typer.main import get_command

from wheretaken.cli.main import app

PAGE = Path(__file__).resolve().parents[1] / "docs" / "cli.md"
HEAD = """\
# Command line

This page is written by `scripts/write_cli_reference.py` from the program itself.

Answers go to stdout, progress and complaints to stderr. Exit codes:

| code | meaning |
|---|---|
| 0 | all is well; `locate`: every photo has an answer |
| 2 | bad usage, unreadable input, or something that has to be installed |
| 3 | a photo without an answer; `maps`: nothing was found |
| 4 | a service or a model failed |
| 130 | stopped by Ctrl-C; the record is closed with stop reason `cancelled` |
| 141 | whoever read the output went away |

`WHERETAKEN_CACHE_DIR` and `WHERETAKEN_DATA_DIR` say where built indexes and your own regions are kept;
`wheretaken doctor` shows where that is. `NO_COLOR` is honoured.

## What `locate --json` prints

One object a photo, on one line each, with always the same keys:

| key | value |
|---|---|
| `photo` | the path as it was given |
| `status` | `answered`, `refused`, `unparsed` or `failed` |
| `answer` | `lat`, `lon` (WGS-84 degrees), `city`, `country`, `radius_km` (holds the place with 80 % \
probability), `confidence` (0 to 1, that the city is right); null without an answer |
| `candidates` | the places that were considered: `lat`, `lon`, `city`, `country`, `weight` |
| `evidence` | what was read and what it speaks for: `reads`, `place`, `lat`, `lon`, `call`, `distance_km` |
| `stop_reason` | why the run ended; null when the photo could not be read |
| `detail` | why there is no answer, for people |
| `trajectory` | with `--out`: `file`, `id` and `map`, a \
picture of the last map that was looked at; else null |
| `seconds` | how long the run took |
"""


def main() -> None:
    text = page()
    if sys.argv[1:] == ["--check"]:
        sys.exit(0 if PAGE.exists() and PAGE.read_text("utf-8") == text else 1)
    PAGE.parent.mkdir(exist_ok=True)
    PAGE.write_text(text, "utf-8")


def page() -> str:
    parts = [HEAD]
    for name, command in commands(get_command(app), "wheretaken"):
        if getattr(command, "commands", None):
            continue
        parts.append(f"\n## `{name}`\n\n{command.help.strip()}\n")
        parts.append("\n| argument or option | default | meaning |\n|---|---|---|\n")
        parts += [f"{row(parameter)}\n" for parameter in command.params]
    return "".join(parts)


def commands(command: Any, name: str) -> Iterator[tuple[str, Any]]:
    """Yield a command's name as it is typed and the command, then those below it."""
    yield name, command
    for sub, below in getattr(command, "commands", {}).items():
        yield from commands(below, f"{name} {sub}")


def row(parameter: Any) -> str:
    """A line of the table: `--zoom`, 15, what it means."""
    is_option = parameter.param_type_name == "option"
    metavar = parameter.metavar or ("" if is_option else parameter.name.upper())
    names = ", ".join(parameter.opts) if is_option else ""
    takes_value = metavar and not getattr(parameter, "is_flag", False)
    shown = " ".join(filter(None, (names, metavar if takes_value else "")))
    default = parameter.default
    known = "" if parameter.required or default in {None, "", False} else f"`{default}`"
    needed = "needed" if parameter.required else known
    return f"| `{shown}` | {needed} | {parameter.help} |"


if __name__ == "__main__":
    main()
