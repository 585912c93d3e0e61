"""The settings file, `wheretaken.toml`, and what all settings have in common.

Each part of the program owns one table of the file: `[maps.…]` the map services, `[models.…]` the models,
`[cache.…]` and `[server.…]` the tool server. This module finds the file and hands out one table of it.
"""

from __future__ import annotations

import os
import tomllib
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, cast

from pydantic import AfterValidator, Field, SecretStr

from wheretaken.errors import UserError
from wheretaken.origins import check_base

if TYPE_CHECKING:
    from pydantic import ValidationError

FILE_VARIABLE = "WHERETAKEN_SETTINGS"
"""Names the settings file; without it, `wheretaken.toml` in the working directory is read if it is there."""


def _clean_key(key: SecretStr) -> SecretStr:
    text = key.get_secret_value().strip()
    if not text or not text.isascii() or not text.isprintable() or " " in text:
        raise ValueError("a key consists of visible ASCII characters")
    return SecretStr(text)


Key = Annotated[SecretStr, AfterValidator(_clean_key)]
ServiceUrl = Annotated[str, AfterValidator(check_base)]
Positive = Annotated[float, Field(gt=0)]
Count = Annotated[int, Field(ge=1)]


def settings_file(file: Path | None = None) -> Path:
    """Return the file that settings are read from: this one, the named one, or the usual one."""
    return file or Path(os.environ.get(FILE_VARIABLE) or "wheretaken.toml")


def section(name: str, file: Path | None = None) -> dict[str, Any]:
    """Read one table of the settings file; empty where there is no file and none was named.

    Args:
        name: The table, such as `maps` or `cache.days`.
        file: Read instead of the usual one.

    Raises:
        UserError: a file that was named is missing, it is not TOML, the name is no table in it, or a setting
            stands in no table.
    """
    path = settings_file(file)
    if file is None and not os.environ.get(FILE_VARIABLE) and not path.is_file():
        return {}
    try:
        table: Any = tomllib.loads(path.read_text("utf-8"))
    except OSError as error:
        raise UserError(f"{path}: cannot be read ({error.strerror}); check {FILE_VARIABLE}") from None
    except ValueError as error:
        raise UserError(f"{path}: {error}; it must be TOML in UTF-8") from None
    steps = name.split(".")
    alone = [key for key, value in table.items() if not isinstance(value, dict) and key != steps[0]]
    if alone:  # nobody would read it
        raise UserError(f"{path}: {alone[0]} is in no table; write it below one, such as [maps]")
    for step in steps:
        table = cast("dict[str, Any]", table).get(step, {})
        if not isinstance(table, dict):
            whole = f"[{name}]" if len(steps) > 1 else f"[{name}.NAME]"
            raise UserError(f"{path}: {step} must be a table, as in {whole}")
    return cast("dict[str, Any]", table)


def complaint(error: ValidationError) -> tuple[tuple[str, ...], str]:
    """Return where the first wrong setting is, and why; its value, which may be a key, is not repeated."""
    first = error.errors(include_input=False, include_url=False)[0]
    return tuple(map(str, first["loc"])), first["msg"].removeprefix("Value error, ")
