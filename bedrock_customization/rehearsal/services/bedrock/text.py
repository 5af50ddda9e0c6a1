"""Sentences and words of a text in any language, as the stand-in models see them."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

_WORD = re.compile(r"[\u3040-\u30ff\u3400-\u9fff]|[^\W_]+(?:['\u2019][^\W_]+)*")
QUESTION_MARKS = ("?", "\uff1f")
EXCLAMATION_MARKS = ("!", "\uff01")
_END = re.compile(r"(?<=[.!?…])[\"'”»)]*\s+|(?<=[\u3002\uff01\uff1f])")
_SPEAKER = re.compile(r"(?P<name>[^\W\d_][\w.'\u2019 -]{0,30}):\s+(?P<words>\S.*)")


@dataclass(frozen=True)
class Sentence:
    """A sentence of a text.

    Args:
        text: The sentence, without the speaker's name.
        speaker: Who says it, in a dialogue.
        words: Its words, in small letters.
    """

    text: str
    speaker: str | None
    words: tuple[str, ...]

    @property
    def verbatim(self) -> str:
        """The sentence as it stands in the text, with its speaker's name."""
        return f"{self.speaker}: {self.text}" if self.speaker else self.text


def words_of(text: str) -> tuple[str, ...]:
    """The words of a text, in small letters; each Chinese or Japanese character is one."""
    return tuple(_WORD.findall(text.lower()))


def sentences_of(text: str) -> list[Sentence]:
    """The sentences of a text, in their order; lines end sentences, and `Name: words` is a turn of a dialogue."""
    sentences = []
    for line in text.splitlines():
        turn = _SPEAKER.fullmatch(line.strip())
        speaker, words = (turn["name"], turn["words"]) if turn else (None, line.strip())
        for part in _END.split(words):
            if words_of(part):
                sentences.append(Sentence(part.strip(), speaker, words_of(part)))
    return sentences


def overlap(one: Sequence[str], other: Sequence[str]) -> float:
    """How many words two texts share, as an F1 score from 0 to 1."""
    shared = (Counter(one) & Counter(other)).total()
    return 2 * shared / (len(one) + len(other)) if one and other else 0.0


def without_instruction(sentences: list[Sentence]) -> list[Sentence]:
    """A prompt's sentences without the line that says what to do, if a dialogue follows it."""
    spoken = [sentence for sentence in sentences if sentence.speaker]
    return spoken if len(spoken) >= 2 else sentences
