"""verl's agent loop with tools, with our episode behind the calls and the end of the rollout for the reward.

What verl's own loop does stays verl's: tokens, masks, probabilities, the order of turns. Here

- calls are read and answered as in `wheretaken locate`, all of a turn at the same time;
- before the last turn the model is told that it has to answer, as there;
- the model cannot write the token that stands for a picture, and every picture that a tool returned is shown
  to have come through: as many tokens stand for pictures as the pictures have;
- the reward gets the last words, the calls and why the rollout ended, and nothing else of it;
- rollouts are kept as trajectories: all of a validation, some of each step.

Unlike `locate`, an answer that cannot be read is not asked for again: the rollout ends with it and earns 0.
"""

from __future__ import annotations

import asyncio
import math
import time
import zlib
from typing import TYPE_CHECKING, Any, cast

from pydantic import TypeAdapter

from wheretaken.agent import prompts
from wheretaken.agent.events import Limits
from wheretaken.geo import LatLon
from wheretaken.models import hermes
from wheretaken.rl import records
from wheretaken.rl.episode import calls_in
from wheretaken.rl.reward import Outcome, spoilt
from wheretaken.rl.verl import dataset, shared, tool
from wheretaken.rl.verl.libraries import imported

if TYPE_CHECKING:
    from collections.abc import Sequence

    from wheretaken.messages import Picture
    from wheretaken.rl.episode import Episode

tool_agent_loop: Any = imported("verl.experimental.agent_loop.tool_agent_loop")
FunctionCall: Any = imported("verl.experimental.agent_loop.tool_parser").FunctionCall
States: Any = tool_agent_loop.AgentState

ROLLOUT = "wheretaken"
"""What the reward finds the rollout under."""
OUTCOMES = TypeAdapter(Outcome)
_NEVER = -100.0
"""The strongest bias that servers take against a token."""
_NO_LIMIT = 1 << 30


class CallReader:
    """Reads the calls in a turn as the agent loop does; stands where verl's parsers do."""

    stop_token_ids: Sequence[int] = ()

    def __init__(self, tokenizer: Any) -> None:
        """Decode with this tokenizer."""
        self._tokenizer = tokenizer

    async def extract_tool_calls(
        self, responses_ids: Sequence[int], tools: Any = None
    ) -> tuple[str, list[Any]]:
        """Return a turn's text without its calls, and its calls; broken ones have no name."""
        del tools
        text = await asyncio.to_thread(self._tokenizer.decode, responses_ids, skip_special_tokens=True)
        made = [FunctionCall(name=call.name, arguments=call.arguments) for call in calls_in(text)]
        return hermes.without_calls(text), made


class MapAgentLoop(tool_agent_loop.ToolAgentLoop):
    """One rollout; verl makes one of these for each."""

    def __init__(self, *arguments: Any, config: str, attempt: int = 0, **options: Any) -> None:
        """Prepare for a rollout.

        Args:
            arguments: verl's.
            config: Where the settings of the training are.
            attempt: Which start of the training this is.
            options: verl's.
        """
        above: Any = super()
        above.__init__(*arguments, **options)
        self._config, self._attempt = config, attempt
        self._settings = shared.settings(config)
        # The episode has the limits, and says so to the model.
        self.max_parallel_calls = self.max_tool_response_length = _NO_LIMIT
        self.tool_parser = CallReader(self.tokenizer)
        self._photo: Picture
        self._episode: Episode
        self._data: Any = None
        self._said: list[list[int]] = []
        self._asked = 0
        """After how many turns the model was told to answer; 0 if it was not."""
        self._stop = "finished"

    async def run(self, sampling_params: dict[str, Any], **row: Any) -> Any:
        """Run the rollout of a row."""
        began = time.monotonic()
        above: Any = super()
        output = await above.run(sampling_params | {"logit_bias": self._never_pictures()}, **row)
        self._assert_pictures(output)
        said = [self.tokenizer.decode(ids, skip_special_tokens=True) for ids in self._said]
        outcome = self._outcome(said, tokens=sum(output.response_mask))
        if spoilt(outcome, self._settings.reward):
            output.response_mask = [0] * len(output.response_mask)
        identity = f"{row.get('uid', output.extra_fields.get('request_id', ''))}-{row.get('session_id', 0)}"
        step = int(row.get("global_steps", 0))
        await self._keep(said, outcome, row, identity, step, time.monotonic() - began)
        told = {"id": identity, "step": step, "outcome": OUTCOMES.dump_json(outcome).decode()}
        output.extra_fields[ROLLOUT] = told
        return output

    async def _handle_pending_state(self, agent_data: Any, sampling_params: dict[str, Any]) -> Any:
        self._photo = await asyncio.to_thread(dataset.photo, agent_data.messages)
        self._episode = tool.begin(agent_data, self._photo, self._config)
        self._data = agent_data
        above: Any = super()
        return await above._handle_pending_state(agent_data, sampling_params)  # noqa: SLF001 - our own

    async def _handle_generating_state(
        self, agent_data: Any, sampling_params: dict[str, Any], **options: Any
    ) -> Any:
        room = self.response_length - len(agent_data.response_mask)
        above: Any = super()
        state = await above._handle_generating_state(  # noqa: SLF001 - our own
            agent_data, sampling_params | {"max_tokens": room}, **options
        )
        # What is beyond the room is cut off, and was never said.
        said = agent_data.response_ids[:room]
        self._said.append(said)
        full = len(agent_data.response_mask) >= self.response_length
        # What just fits is whole.
        if full and said[-1:] != [self.tokenizer.eos_token_id]:
            self._stop = "length"
        elif self._turns_left() <= 0:
            self._stop = "turns"
        return state

    async def _handle_processing_tools_state(self, agent_data: Any) -> Any:
        above: Any = super()
        state = await above._handle_processing_tools_state(agent_data)  # noqa: SLF001 - our own
        if state is States.TERMINATED:
            self._stop, self._asked = "length", 0
        return state

    async def _call_tool(self, tool_call: Any, tools_kwargs: Any, agent_data: Any) -> tuple[Any, float, Any]:
        known = self.tools.get(tool_call.name)
        if known is not None and not isinstance(known, tool.MapTool):
            above: Any = super()
            return await above._call_tool(tool_call, tools_kwargs, agent_data)  # noqa: SLF001 - our own
        # Also what no tool is called, or is no JSON: the episode says what the agent loop would.
        reply = await self._episode.call(tool_call.name, tool_call.arguments)
        return tool.response(reply), 0.0, {}

    async def ct_merge_context_msg(
        self, previous_messages: Any, updated_messages: list[dict[str, Any]], *rest: Any, **options: Any
    ) -> Any:
        """Add what tools returned to the tokens, and before the last turn the demand for an answer."""
        for message in updated_messages[len(previous_messages) :]:
            content: Any = message["content"]
            if isinstance(content, list):
                # The text goes before the pictures, as servers are sent it.
                parts = cast("list[dict[str, Any]]", content)
                message["content"] = sorted(parts, key=lambda part: part["type"] != "text")
        if self._turns_left() == 1:
            updated_messages.append({"role": "user", "content": prompts.ANSWER_NOW})
            self._asked = len(self._said)
        above: Any = super()
        return await above.ct_merge_context_msg(previous_messages, updated_messages, *rest, **options)

    def _turns_left(self) -> int:
        return (self.max_assistant_turns or _NO_LIMIT) - self._data.assistant_turns

    def _never_pictures(self) -> dict[Any, float]:
        """Return the bias against tokens that stand for pictures: one more, and none could be trained on."""
        never = [
            token
            for name in ("image_token_id", "video_token_id")
            if (token := getattr(self.processor, name, None)) is not None
        ]
        key = str if self.rollout_config.name == "sglang" else int
        return {key(token): _NEVER for token in never}

    def _assert_pictures(self, output: Any) -> None:
        """Show that every picture came through.

        Raises:
            AssertionError: it did not; verl leaves this photo's rollouts out, and goes on.
        """
        token = self.processor.image_token_id
        tokens = sum(one == token for one in (*output.prompt_ids, *output.response_ids))
        pictures = output.multi_modal_data["images"]
        options = dict(self.mm_processor_kwargs or {})
        reader = self.processor.image_processor
        patches = (reader.get_number_of_image_patches(p.height, p.width, options) for p in pictures)
        features = sum(count // reader.merge_size**2 for count in patches)
        if tokens != features:
            raise AssertionError(
                f"{tokens} tokens stand for {len(pictures)} pictures, which have {features} features"
            )

    def _outcome(self, said: Sequence[str], *, tokens: int) -> Outcome:
        last = said[-1] if said else ""
        return self._episode.outcome(last, self._stop, tokens=tokens, turns=len(said))

    async def _keep(
        self,
        said: Sequence[str],
        outcome: Outcome,
        row: dict[str, Any],
        identity: str,
        step: int,
        seconds: float,
    ) -> None:
        recipe, split = self._settings.recipe, row["extra_info"]["split"]
        share = 1.0 if split == "val" else recipe.samples / (recipe.batch * recipe.group)
        # Each process decides alone, and the same again for the same rollout.
        if zlib.crc32(identity.encode()) >= math.ceil(share * 2**32):
            return
        trajectory = records.trajectory(
            shared.toolbox(self._config),
            self._photo,
            said,
            self._episode.log,
            outcome,
            id=identity,
            model=f"{self._settings.model.path}/step-{step}",
            asked=self._asked,
            limits=Limits(turns=self.max_assistant_turns, calls_per_turn=self._settings.tools.calls_per_turn),
            seconds=seconds,
        )
        truth = row["reward_model"]["ground_truth"]
        recorder = shared.recorder(self._config, self._attempt)
        place = LatLon(truth["lat"], truth["lon"])
        await asyncio.to_thread(recorder.sample, trajectory, step, split, truth=place)
