"""One class for every tool of every toolset, as verl makes it from its tool-config file.

tools:
  - class_name: wheretaken.rl.verl.tool.MapTool
    config: {type: native, tool: road_map, settings: /where/the/config.yaml/is}

The name is the one that the model is told. The file has no `tool_schema`: verl would refuse some, and drop
parts of others.
"""

from __future__ import annotations

import contextlib
import io
from typing import TYPE_CHECKING, Any
from weakref import WeakKeyDictionary

from wheretaken.errors import UserError
from wheretaken.messages import Message
from wheretaken.models.templates import conversation
from wheretaken.rl.episode import Episode
from wheretaken.rl.verl import shared
from wheretaken.rl.verl.libraries import imported
from wheretaken.rl.verl.schema import WholeSchema

if TYPE_CHECKING:
    from wheretaken.messages import Picture
    from wheretaken.rl.episode import Reply

base: Any = imported("verl.tools.base_tool")
schemas: Any = imported("verl.tools.schemas")

_episodes: WeakKeyDictionary[Any, Episode] = WeakKeyDictionary()
"""By verl's record of a rollout, which lives as long as the rollout does."""


def begin(agent_data: Any, photo: Picture, settings: str) -> Episode:
    """Begin the episode of a rollout.

    Args:
        agent_data: verl's record of it.
        photo: That it is about.
        settings: Where they are.
    """
    episode = Episode(shared.toolbox(settings), photo, shared.settings(settings).tools)
    _episodes[agent_data] = episode
    return episode


def response(reply: Reply) -> Any:
    """Return what a call gave as verl has it; the text is the one that a server would be sent."""
    (written,), _ = conversation([Message.of("tool", reply.text)])
    pictures = [picture.open() for picture in reply.pictures]
    shown = {"image": pictures} if pictures else {}  # it takes no None
    return schemas.ToolResponse(text=written["content"], **shown)


class MapTool(base.BaseTool):
    """A tool of the settings' toolset."""

    def __init__(self, config: dict[str, Any], tool_schema: Any = None) -> None:
        """Take the place of a tool.

        Args:
            config: `tool` is its name, `settings` where the settings are.
            tool_schema: Not read; see above.

        Raises:
            UserError: there is no such tool.
        """
        del tool_schema
        name, path = str(config["tool"]), str(config["settings"])
        known = shared.specs(path)
        if name not in known:
            raise UserError(f"{path} offers no tool {name!r}; it offers {', '.join(known) or 'none'}")
        self._settings = path
        above: Any = super()
        # verl prints every schema in every process.
        with contextlib.redirect_stdout(io.StringIO()):
            above.__init__(config, WholeSchema.of(known[name]))

    async def execute(
        self, instance_id: str, parameters: dict[str, Any], **rest: Any
    ) -> tuple[Any, float, dict[str, Any]]:
        """Run a call in the rollout's episode.

        Args:
            instance_id: Of this call; it has no state of its own.
            parameters: Its arguments.
            rest: `agent_data`, verl's record of the rollout.
        """
        del instance_id
        episode = _episodes[rest["agent_data"]]
        reply = await episode.call(str(self.name), parameters)
        use = reply.use
        return response(reply), 0.0, {"ok": float(use.ok), "fault": float(use.fault)}
