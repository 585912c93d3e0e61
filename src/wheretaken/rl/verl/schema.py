"""What a model is told of a tool, whole.

verl's own schema knows a type and a description of each argument and drops the rest: what the items of a list
are and how many there must be, ranges, lengths, alternatives.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from wheretaken.models.openai.wire import tools_of
from wheretaken.rl.verl.libraries import imported

if TYPE_CHECKING:
    from wheretaken.messages import ToolSpec

schemas: Any = imported("verl.tools.schemas")


class WholeSchema(schemas.OpenAIFunctionToolSchema):
    """A tool's schema that is written as it was read."""

    whole: dict[str, Any]
    """As servers are sent it."""

    @classmethod
    def of(cls, spec: ToolSpec) -> Any:
        """Return the schema of a tool."""
        (whole,) = tools_of([spec])
        parameters = spec.parameters
        # What parsers of verl's look up: names and types. An argument with alternatives has no one type.
        known: dict[str, dict[str, Any]] = parameters.get("properties", {})
        types = {name: {"type": told.get("type", "string")} for name, told in known.items()}
        function = {
            "name": spec.name,
            "description": spec.description,
            "parameters": {
                "type": "object",
                "properties": types,
                "required": parameters.get("required", []),
            },
        }
        return cls(type="function", function=function, whole=whole)

    def model_dump(self, **_options: Any) -> dict[str, Any]:
        """Return it whole, whatever verl would leave out."""
        return self.whole
