"""Tools: what one is (`base`), and the sets of them that a run may offer, one module a set."""

from wheretaken.tools.base import Tool, ToolContext, ToolResult, Toolset

__all__ = ["Tool", "ToolContext", "ToolResult", "Toolset"]
