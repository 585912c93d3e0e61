"""A tool is a typed async function; everything a model is told about it is derived from the function, once.

The signature gives types, defaults and limits (`Annotated[..., Field(ge=...)]`), the Google docstring gives
the descriptions. The same definition serves native tool calls, HTTP, MCP and training configs.

Who owns what: a tool raises `ToolError` with a text written for the model when the model can mend its call;
wrong arguments are turned into one here. A `ServiceError` passes through. Nothing else is caught.
"""

from __future__ import annotations

import inspect
import json
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Annotated, Any, get_type_hints

import docstring_parser
from pydantic import BaseModel, ConfigDict, Field, ValidationError, create_model

from wheretaken.errors import ToolError
from wheretaken.geo import Datum
from wheretaken.messages import Picture, ToolSpec

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping, Sequence

    from pydantic_core import ErrorDetails

    from wheretaken.maps import MapProvider


@dataclass
class ToolContext:
    """What tools of one run work on. Truth is not here, nor anything derived from it."""

    maps: MapProvider
    pictures: list[Picture] = field(default_factory=list[Picture])
    """Every picture of the run in the order the model saw them; 0 is the photo."""


@dataclass(frozen=True)
class ToolResult:
    """What a tool found: data for the model to read, and pictures for it to see."""

    data: dict[str, Any]
    """JSON-compatible."""
    pictures: tuple[Picture, ...] = ()
    source: str = ""
    """Who the data are from, as their licence wants it said."""
    keep_seconds: float | None = None
    """For how long others may be given it; 0 for those who wait for it now, None for as long as is usual."""

    @property
    def text(self) -> str:
        """The data as compact JSON, in the scripts they are in."""
        return json.dumps(self.data, ensure_ascii=False, separators=(",", ":"))

    def numbered(self, number: int) -> ToolResult:
        """Return the result with this number for its picture, where it found another place in its run."""
        if not self.pictures or self.data.get("image", number) == number:
            return self
        return replace(self, data=self.data | {"image": number})


class _Arguments(BaseModel):
    """Base of every derived arguments model: unknown names are told to the model, not dropped."""

    # Completed arguments have our names, whatever they are called for the model.
    model_config = ConfigDict(extra="forbid", validate_by_name=True, validate_by_alias=True)


class Tool:
    """A tool function with its specification and argument check."""

    def __init__(
        self,
        function: Callable[..., Awaitable[ToolResult]],
        spec: ToolSpec | None = None,
        names: Mapping[str, str] | None = None,
    ) -> None:
        """Derive the specification from `function(context, **arguments)`; `spec` and `names`: see `told_as`.

        Raises:
            TypeError: a parameter has no description in the docstring.
        """
        self._function = function
        self.names: Mapping[str, str] = names or {}
        """What models call arguments, and what the function does, where these differ."""
        theirs = {ours: name for name, ours in self.names.items()}
        documentation = docstring_parser.parse(inspect.getdoc(function) or "")
        described = {parameter.arg_name: parameter.description or "" for parameter in documentation.params}
        hints = get_type_hints(function, include_extras=True)
        fields: dict[str, Any] = {}
        for name, parameter in list(inspect.signature(function).parameters.items())[1:]:
            if name not in described:
                raise TypeError(f"{function.__name__}: parameter {name!r} has no description")
            default = ... if parameter.default is inspect.Parameter.empty else parameter.default
            alias = Field(validation_alias=theirs.get(name, name))
            info = Field(default, description=" ".join(described[name].split()))
            fields[name] = (Annotated[hints[name], alias], info)
        self._arguments = create_model(function.__name__, __base__=_Arguments, **fields)
        text = "\n".join(filter(None, (documentation.short_description, documentation.long_description)))
        own = ToolSpec(name=function.__name__, description=text, parameters=self._schema())
        self.spec = spec or own

    @property
    def name(self) -> str:
        """The name that models call."""
        return self.spec.name

    @property
    def own_name(self) -> str:
        """The name of the function, whatever models call it."""
        return self._function.__name__

    def told_as(self, spec: ToolSpec, names: Mapping[str, str]) -> Tool:
        """Return this tool under another specification, for models that were trained with that one.

        Args:
            spec: What a model is told instead.
            names: What arguments are called there, and here; those that are not among them keep their name.
        """
        return Tool(self._function, spec, names)

    async def call(self, context: ToolContext, arguments: str) -> ToolResult:
        """Check the JSON text of the arguments and run the tool.

        Raises:
            ToolError: the arguments are not JSON or do not fit, or the tool cannot serve them.
            ServiceError: a service that the tool needs failed.
        """
        checked = self._check(arguments)
        values = {name: getattr(checked, name) for name in type(checked).model_fields}
        return await self._function(context, **values)

    def complete(self, arguments: str) -> dict[str, Any]:
        """Check the JSON text of the arguments and return them with defaults filled in, JSON-compatible.

        Raises:
            ToolError: the arguments are not JSON or do not fit.
        """
        return self._check(arguments).model_dump(mode="json")

    def _check(self, arguments: str) -> BaseModel:
        try:
            return self._arguments.model_validate_json(arguments or "{}")
        except ValidationError as error:
            complaints = "; ".join(map(_complaint, error.errors(include_url=False)))
            raise ToolError(f"{self.name}: {complaints}") from error

    def _schema(self) -> dict[str, Any]:
        """JSON Schema without pydantic's titles, which only repeat the names."""
        schema = self._arguments.model_json_schema()
        schema.pop("title", None)
        schema.pop("description", None)
        for entry in schema.get("properties", {}).values():
            entry.pop("title", None)
        return schema


def _complaint(error: ErrorDetails) -> str:
    """Say what is wrong with an argument, in words that help a model to mend it."""
    name = ".".join(map(str, error["loc"])) or "arguments"
    limits = error.get("ctx", {})
    for most, hint in ((90, "; did you swap the arguments?"), (180, "")):
        if limits.get("le") == most or limits.get("ge") == -most:
            return f"{name} must be between -{most} and {most}{hint}"
    return f"{name}: {error['msg']}"


@dataclass(frozen=True)
class Toolset:
    """The tools that one run offers, under a name that trajectories record."""

    name: str
    tools: tuple[Tool, ...]
    datum: Datum = Datum.WGS84
    """In which its tools take and give positions, and a model that uses them therefore answers."""

    @property
    def specs(self) -> Sequence[ToolSpec]:
        """What the model is told."""
        return [tool.spec for tool in self.tools]

    def find(self, name: str) -> Tool:
        """Return the tool of this name.

        Raises:
            ToolError: there is none; the text lists those there are.
        """
        for tool in self.tools:
            if tool.name == name:
                return tool
        raise ToolError(f"no tool named {name!r}; there are: {', '.join(t.name for t in self.tools)}")
