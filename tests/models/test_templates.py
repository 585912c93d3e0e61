"""Which tokens of a conversation the assistant wrote."""

from dataclasses import dataclass, field

import pytest

from wheretaken.models.templates import by_assistant

MARKS = ("<|im_start|>", "<|im_end|>")


@dataclass
class Tokenizer:
    """Has the marks and some texts as one token each, and otherwise a token for each character."""

    whole: tuple[str, ...] = ()
    known: list[str] = field(default_factory=list)

    def convert_tokens_to_ids(self, token: str) -> int:
        if token not in self.known:
            self.known.append(token)
        return self.known.index(token)

    def __call__(self, text: str, *, add_special_tokens: bool = True):
        assert not add_special_tokens
        ids: list[int] = []
        while text:
            taken = next((t for t in (*MARKS, *self.whole) if text.startswith(t)), text[0])
            ids.append(self.convert_tokens_to_ids(taken))
            text = text.removeprefix(taken)
        return type("Encoded", (), {"input_ids": ids})

    def read(self, ids: list[int]) -> str:
        return "".join(self.known[id_] for id_ in ids)


def taught(text: str, tokenizer: Tokenizer) -> str:
    ids = tokenizer(text, add_special_tokens=False).input_ids
    (told,) = by_assistant(tokenizer, [ids])
    assert len(told) == len(ids)
    return tokenizer.read([id_ for id_, is_its in zip(ids, told, strict=True) if is_its])


@pytest.mark.parametrize(
    "whole",
    [(), ("assistant", "\n"), ("assistant\n",), ("assistant", "\n\n", "\n")],
    ids=["characters", "words", "role and line break in one", "line breaks in one"],
)
def test_its_turns_are_taught_with_what_ends_them(whole):
    text = (
        "PAD<|im_start|>system\nassistant\nbe brief<|im_end|>\n<|im_start|>user\nwhere?<|im_end|>\n"
        "<|im_start|>assistant\nlook<|im_end|>\n<|im_start|>user\na map<|im_end|>\n"
        "<|im_start|>assistant\nthere<|im_end|>\n"
    )
    assert taught(text, Tokenizer(whole)) == "look<|im_end|>there<|im_end|>"


def test_a_line_break_at_the_beginning_of_a_turn_may_be_one_token_with_that_of_the_role():
    text = "<|im_start|>assistant\n\nlook<|im_end|>"
    assert taught(text, Tokenizer(("assistant", "\n\n", "\n"))) == "look<|im_end|>"


def test_a_turn_that_was_cut_off_is_taught_as_far_as_it_goes():
    assert taught("<|im_start|>assistant\nloo", Tokenizer()) == "loo"


def test_without_such_turns_nothing_is_taught():
    assert taught("[INST] where? [/INST] there", Tokenizer()) == ""


def test_conversations_are_told_apart():
    tokenizer = Tokenizer()
    rows = [
        tokenizer(text, add_special_tokens=False).input_ids
        for text in ("<|im_start|>assistant\nno end", "<|im_start|>user\nhello")
    ]
    assert [sum(told) for told in by_assistant(tokenizer, rows)] == [len("no end"), 0]
