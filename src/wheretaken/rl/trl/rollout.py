"""One rollout as TRL's trainer has it, and what a turn of it says."""

from __future__ import annotations

from collections import deque
from itertools import pairwise
from typing import TYPE_CHECKING, Any

from wheretaken.messages import Message
from wheretaken.models.templates import conversation
from wheretaken.rl.episode import Episode, calls_in

if TYPE_CHECKING:
    from collections.abc import Sequence

    from wheretaken.messages import Picture
    from wheretaken.rl.episode import Reply
    from wheretaken.rl.reward import Outcome
    from wheretaken.rl.settings import ToolSettings
    from wheretaken.rl.toolbox import Toolbox


def parsed(text: str) -> dict[str, Any]:
    """Return a turn as TRL wants it: its whole text, and its calls.

    Arguments stay the text that the model wrote: what is wrong with them is for the tool to say.
    """
    calls = [
        {"type": "function", "function": {"name": call.name, "arguments": {"arguments": call.arguments}}}
        for call in calls_in(text)
    ]
    return {"role": "assistant", "content": text} | ({"tool_calls": calls} if calls else {})


def blocks(reply: Reply) -> list[dict[str, Any]]:
    """Return what a call gave as parts of a message, with the pictures in them."""
    (written,), pictures = conversation([Message.of("tool", reply.text, *reply.pictures)])
    content: Any = written["content"]
    if isinstance(content, str):
        return [{"type": "text", "text": content}]
    shown = iter(pictures)
    return [part | ({"image": next(shown).open()} if part["type"] == "image" else {}) for part in content]


class Rollout:
    """What TRL calls an environment: there is one for each rollout of a batch, and each is used again.

    The trainer has run a turn's calls when TRL asks for their results here, one after another.
    """

    photo: Picture
    episode: Episode

    def __init__(self, toolbox: Toolbox, settings: ToolSettings) -> None:
        """Wait for a photo."""
        self._toolbox = toolbox
        self._settings = settings
        self.said: list[str] = []
        """The model's turns."""
        self.replies: deque[Reply] = deque()
        """To the calls of its last one, until TRL has taken them."""
        self.ids: list[int] = []
        """All tokens up to the last one that the model wrote."""
        self.prompt_length = 0
        """How many of them it was given before it wrote any."""
        self.tokens = 0
        """How many it wrote."""
        self.asked = 0
        """After how many turns it was told that it has to answer; 0 if it was not."""

    def reset(self, *, photo: Picture, **_row: Any) -> None:
        """Begin with a photo; the truth, which a row holds as well, is not looked at.

        Args:
            photo: Of the row.
        """
        self.photo = photo
        self.episode = Episode(self._toolbox, photo, self._settings)
        self.said.clear()
        self.replies.clear()
        self.ids, self.prompt_length, self.tokens, self.asked = [], 0, 0, 0

    def call(self, name: str, arguments: str) -> list[dict[str, Any]]:
        """Return what a call gave.

        Args:
            name: Of the tool.
            arguments: What the model wrote.
        """
        del name, arguments
        return blocks(self.replies.popleft())


def one_token_each(prompts: Sequence[Sequence[int]], token: int) -> list[list[int]]:
    """Return prompts in which each picture is one token: vLLM puts as many there as it has features.

    It does so where all of them are there already, too, and then there are too many.
    """
    return [
        [one for before, one in pairwise([-1, *prompt]) if one != token or before != token]
        for prompt in prompts
    ]


def pending(rollouts: Sequence[Rollout], prompts: Sequence[Sequence[int]]) -> list[Rollout]:
    """Return whose turn it is: of the rollouts with calls, those whose tokens go on in these prompts.

    TRL keeps their order, and leaves out those that have become too long.
    """
    left = (rollout for rollout in rollouts if rollout.said and calls_in(rollout.said[-1]))
    return [next(r for r in left if list(prompt[: len(r.ids)]) == r.ids) for prompt in prompts]


def outcome(rollout: Rollout, *, finished: bool, turns: int) -> Outcome:
    """Say how a rollout ended.

    Args:
        rollout: Which.
        finished: Whether the model came to the end of its last turn.
        turns: That it had at most.
    """
    last = rollout.said[-1] if rollout.said else ""
    stop = "length" if not finished else "turns" if len(rollout.said) >= turns else "finished"
    return rollout.episode.outcome(last, stop, tokens=rollout.tokens, turns=len(rollout.said))
