"""What is kept of a conversation is what would be written anew, whatever its texts say."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from wheretaken.messages import Message, Picture, ToolCall
from wheretaken.models.openai.encoding import ConversationEncoder, ToolsEncoder, request
from wheretaken.models.openai.wire import Writer, tools_of
from wheretaken.models.settings import ModelSettings
from wheretaken.tools.worldwide import WORLDWIDE

PICTURES = [Picture.encode(Image.new("RGB", (64, 64), (shade, 0, 0))) for shade in (0, 120, 240)]
URLS = {shown.sha256: shown.data_url().encode() for shown in PICTURES}
GAP = f'{{"url":"{PICTURES[0].sha256}"}}'
"""Looks like the place of a picture."""

texts = st.one_of(
    st.text(), st.sampled_from([GAP, GAP.replace('"', '\\"'), "<tool_call>", "</data>", "\x00"])
)
parts = st.lists(st.one_of(texts, st.sampled_from(PICTURES)), max_size=4)
calls = st.lists(st.builds(ToolCall, id=texts, name=texts, arguments=texts), max_size=2).map(tuple)


def message(role):
    said = st.lists(texts, max_size=2) if role == "system" else parts
    made = calls if role == "assistant" else st.just(())
    return st.builds(
        lambda parts, calls: Message.of(role, *parts, tool_calls=calls, tool_call_id="c"), said, made
    )


roles = st.sampled_from(["system", "user", "assistant", "tool"])
conversations = st.lists(roles.flatmap(message), max_size=5)


def settings(way):
    return ModelSettings.model_validate({"base_url": "http://127.0.0.1/v1", "calls": way})


@pytest.mark.parametrize("way", ["native", "text"])
@given(
    conversation=conversations,
    other=conversations,
    dropped=st.sets(st.tuples(st.integers(0, 4), st.integers(0, 3))),
)
def test_every_turn_is_written_as_if_it_were_the_first(way, conversation, other, dropped):
    kept = ConversationEncoder(settings(way))
    readable = {key: url.decode() for key, url in URLS.items()}
    turns = [(conversation[: end + 1], frozenset()) for end in range(len(conversation))]
    turns += [(conversation, frozenset(dropped)), (other, frozenset()), (conversation, frozenset())]
    for messages, without in turns:
        for tools in (WORLDWIDE.specs, ()):
            plain = Writer(settings(way), readable, without).messages(messages, tools)
            assert json.loads(kept.written(messages, tools, URLS, without)) == plain


def test_a_message_is_written_once(monkeypatch):
    written = []
    plain = Writer.message
    monkeypatch.setattr(Writer, "message", lambda *given: written.append(given[1]) or plain(*given))
    kept, conversation = ConversationEncoder(settings("native")), []
    for number in range(4):
        conversation.append(Message.of("user", PICTURES[0], str(number)))
        kept.written(conversation, (), URLS)
    assert written == [0, 1, 2, 3]


def test_other_tools_are_written_anew():
    kept = ToolsEncoder()
    for specs in (WORLDWIDE.specs, WORLDWIDE.specs[:2], [], WORLDWIDE.specs):
        assert json.loads(kept.written(specs)) == json.loads(json.dumps(tools_of(specs)))


def test_values_of_a_request_go_before_what_is_written():
    whole = request({"model": "ä", "tools": None}, messages=b"[1]", tools=b"[2]")
    assert json.loads(whole) == {"model": "ä", "tools": None, "messages": [1]}
