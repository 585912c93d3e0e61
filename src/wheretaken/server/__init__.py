"""The tool server: every tool over HTTP and MCP, and a cache before them. Only `cli` imports it."""
