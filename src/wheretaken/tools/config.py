"""Tool definitions of others: files in verl's tool-config format, read and written.

Weights call best what they were trained with. Such a file says what they were told; each tool in it keeps our
implementation and shows exactly that name, description and schema. Only the tools of the file are offered, in
its order. What a model may leave out or write is still decided by our tool, whose complaints use the names of
the file.

    tools:
      - class_name: any.Class            # verl's business, not ours
        config:
          type: native
          tool: road_map                 # ours, where it has another name
          arguments: {latitude: lat}     # names in the schema: ours, where they differ
        tool_schema:
          type: function
          function: {name: show_map, description: ..., parameters: {type: object, properties: {...}}}

Source of the format: verl, `verl/tools/utils/tool_registry.py` and `verl/tools/schemas.py`.
"""

from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Literal, cast

import yaml
from pydantic import BaseModel, ConfigDict, Field, JsonValue, ValidationError

from wheretaken.errors import ToolError, UserError
from wheretaken.messages import ToolSpec

if TYPE_CHECKING:
    from pathlib import Path

    from wheretaken.tools.base import Tool, Toolset

_LINE_BREAKS = "\x85\u2028\u2029"
"""PyYAML writes these as they are, and then reads them as any line break; escaped, they survive."""
_NUMBERS = frozenset({"number", "integer", "string"})
"""Types that our tools read a number from: models write them as texts where their schema says so."""


class _Function(BaseModel):
    # What is not known here could not be told to a model, and would be missed.
    model_config = ConfigDict(extra="forbid", strict=True)

    name: str = Field(min_length=1)
    description: str
    parameters: dict[str, JsonValue]


class _Schema(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True)

    type: Literal["function"] = "function"
    function: _Function


class _Config(BaseModel):
    model_config = ConfigDict(extra="ignore", strict=True)

    tool: str = ""
    arguments: dict[str, str] = Field(default_factory=dict[str, str])


class _Entry(BaseModel):
    model_config = ConfigDict(extra="ignore", strict=True)

    config: _Config = Field(default_factory=_Config)
    tool_schema: _Schema


class _File(BaseModel):
    model_config = ConfigDict(extra="ignore", strict=True)

    tools: list[_Entry] = Field(min_length=1)


def configured(toolset: Toolset, path: Path) -> Toolset:
    """Return the tools that a tool-config file names, as the file describes them.

    Raises:
        UserError: the file cannot be read or is no such file, or a tool or an argument in it is not ours.
    """
    tools: dict[str, Tool] = {}
    for number, entry in enumerate(_read(path).tools):
        try:
            tool = _told(toolset, entry)
        except ToolError as error:
            raise UserError(f"{path}: tools[{number}]: {error}") from None
        if tool.name in tools:
            raise UserError(f"{path}: tools[{number}]: {tool.name} is there twice")
        tools[tool.name] = tool
    return replace(toolset, tools=tuple(tools.values()))


def tools_config(toolset: Toolset, class_name: str) -> str:
    """Write a tool-config file, from which training tells a model the same as we do.

    Args:
        toolset: The tools.
        class_name: The class of verl's that runs them all; `config.tool` tells it which one it is.
    """
    entries = [
        {
            "class_name": class_name,
            "config": {"type": "native", "tool": tool.own_name} | _renamed(tool),
            "tool_schema": {"type": "function", "function": tool.spec.model_dump(mode="json")},
        }
        for tool in toolset.tools
    ]
    # Through JSON, as objects that are there twice would be written as references.
    text = json.dumps({"tools": entries}, ensure_ascii=False)
    readable = not any(character in text for character in _LINE_BREAKS)
    return yaml.safe_dump(json.loads(text), sort_keys=False, allow_unicode=readable, width=110)


def _renamed(tool: Tool) -> dict[str, Any]:
    return {"arguments": dict(tool.names)} if tool.names else {}


def _read(path: Path) -> _File:
    try:
        content: Any = yaml.safe_load(path.read_text("utf-8"))
    except OSError as error:
        raise UserError(f"{path}: {error.strerror}") from None
    except UnicodeDecodeError:
        raise UserError(f"{path}: not in UTF-8; save it as such") from None
    except yaml.YAMLError as error:
        raise UserError(f"{path}: no YAML: {' '.join(str(error).split())}") from None
    try:
        return _File.model_validate(content)
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        place = "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in first["loc"])
        raise UserError(
            f"{path}: {place.lstrip('.') or 'the file'}: {first['msg']}; "
            "it must be a verl tool-config in which each tool has its tool_schema"
        ) from None


def _told(toolset: Toolset, entry: _Entry) -> Tool:
    """Return our tool with the specification of an entry.

    Raises:
        ToolError: it does not fit; the text says why.
    """
    function = entry.tool_schema.function
    names = {theirs: ours for theirs, ours in entry.config.arguments.items() if theirs != ours}
    tool = toolset.find(entry.config.tool or function.name)
    ours, theirs = tool.spec.parameters, cast("dict[str, Any]", function.parameters)
    known = _properties(ours)
    if function.parameters.get("type") != "object":
        raise ToolError(f"{function.name}: parameters must be of the type object")
    told = _properties(theirs)
    for wrong in names.keys() - told.keys():
        raise ToolError(f"{function.name}: config.arguments names {wrong!r}, which its schema has not")
    meant = {name: names.get(name, name) for name in told}
    for name, mine in meant.items():
        if mine not in known or (name in known and name != mine):
            raise ToolError(
                f"{function.name}: its argument {name!r} cannot be {mine!r}: {tool.name} has "
                f"{', '.join(known)}; name one of them in config.arguments"
            )
        _check_type(function.name, name, told[name], known[mine])
    if len(set(meant.values())) < len(meant):
        raise ToolError(f"{function.name}: two of its arguments are the same one of {tool.name}")
    if missing := set(ours.get("required", [])) - set(meant.values()):
        raise ToolError(f"{function.name}: {tool.name} also needs {', '.join(sorted(missing))}")
    spec = ToolSpec(name=function.name, description=function.description, parameters=theirs)
    return tool.told_as(spec, names)


def _properties(schema: dict[str, Any]) -> dict[str, Any]:
    found = schema.get("properties", {})
    if not isinstance(found, dict):
        raise ToolError("properties must be an object")
    return cast("dict[str, Any]", found)


def _check_type(function: str, name: str, theirs: Any, ours: Any) -> None:
    """Compare types where both sides name one.

    Raises:
        ToolError: what a model would give cannot be what our tool takes.
    """
    given = cast("dict[str, Any]", theirs).get("type") if isinstance(theirs, dict) else None
    needed = ours.get("type")
    if not isinstance(given, str) or needed in {None, given}:
        return
    if needed not in {"number", "integer"} or given not in _NUMBERS:
        raise ToolError(
            f"{function}: its argument {name!r} is of the type {given}, ours of the type {needed}"
        )
