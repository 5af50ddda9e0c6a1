"""Small stand-ins for the models that Bedrock serves. They simulate; they are no language models.

The base model repeats the first sentences of what it is asked. A customized model learns from its training records, and
from nothing else: which sentences of a prompt the completions take up (from their place, length and words), how long
the completions are and how they name speakers. Where the completions have nothing to do with their own prompts it can
only learn the completions by heart, and repeats the one whose prompt is nearest.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import mean, median

import numpy as np
from numpy.typing import NDArray

from bedrock_customization.rehearsal.services.bedrock.text import (
    EXCLAMATION_MARKS,
    QUESTION_MARKS,
    Sentence,
    overlap,
    sentences_of,
    without_instruction,
    words_of,
)

_LEADING_SENTENCES = 5
_MOST_RECORDS = 2_000
_LEARNING_STEPS = 300
_LIFT = 0.05
Vector = NDArray[np.float64]


@dataclass(frozen=True)
class Example:
    """One training record: what is asked and how to answer."""

    prompt: str
    completion: str


def base_answer(prompt: str) -> str:
    """What a base model answers: the first sentences of the prompt, without the instruction above a dialogue."""
    leading = without_instruction(sentences_of(prompt))[:_LEADING_SENTENCES]
    return " ".join(sentence.verbatim for sentence in leading) or prompt.strip()


class Summarizer:
    """Learns to answer from examples.

    Args:
        examples: The training records; only the first 2,000 are used.
    """

    def __init__(self, examples: Sequence[Example]) -> None:
        self._examples = list(examples[:_MOST_RECORDS])
        self._documents = [without_instruction(sentences_of(example.prompt)) for example in self._examples]
        self._answers = [words_of(example.completion) for example in self._examples]
        self._idf = _inverse_frequencies(self._documents)
        self._length = median(len(answer) for answer in self._answers) if self._answers else 0
        named = [any(sentence.speaker for sentence in sentences_of(example.completion)) for example in self._examples]
        self._keeps_speakers = sum(named) * 2 > len(named)
        chosen = [_closest(document, answer) for document, answer in zip(self._documents, self._answers, strict=True)]
        self._count = max(1, round(mean(len(part) for part in chosen))) if chosen else 1
        self._word_scores = _word_scores(self._documents, chosen)
        self._weights = self._learn(chosen)
        self.extracts = self._explains()
        self.loss = 1.0 - self._fit()

    def answer(self, prompt: str) -> str:
        """What the customized model answers."""
        document = without_instruction(sentences_of(prompt))
        if not self._examples or not document:
            return base_answer(prompt)
        if not self.extracts:
            return self._recalled(prompt)
        return self._written([document[index] for index in self._selected(document)])

    def _selected(self, document: list[Sentence]) -> list[int]:
        order = np.argsort(-(self._features(document) @ self._weights), kind="stable")
        selected: list[int] = []
        length = 0
        for index in order:
            if selected and (len(selected) >= self._count or length + len(document[index].words) / 2 > self._length):
                break
            selected.append(int(index))
            length += len(document[index].words)
        return sorted(selected)

    def _written(self, sentences: list[Sentence]) -> str:
        return " ".join(sentence.verbatim if self._keeps_speakers else sentence.text for sentence in sentences)

    def _features(self, document: list[Sentence]) -> Vector:
        count = len(document)
        frequency = Counter(word for sentence in document for word in set(sentence.words))
        average = mean(len(sentence.words) for sentence in document)
        rows = []
        for index, sentence in enumerate(document):
            words = sentence.words
            place = index / max(1, count - 1)
            rows.append(
                (
                    1.0,
                    float(index == 0),
                    float(index == 1),
                    float(index == count - 1),
                    place,
                    place * place,
                    math.log1p(len(words)),
                    len(words) / average - 1,
                    float(any(character.isdigit() for character in sentence.text)),
                    float(sentence.text.rstrip("\"'”)").endswith(QUESTION_MARKS)),
                    float(sentence.text.endswith(EXCLAMATION_MARKS)),
                    mean(frequency[word] for word in words) / count,
                    mean(self._idf.get(word, self._idf[""]) for word in words) / self._idf[""],
                    sum(self._word_scores.get(word, 0.0) for word in words) / len(words),
                )
            )
        return np.array(rows)

    def _learn(self, chosen: list[list[int]]) -> Vector:
        """Logistic regression: is this sentence one that the completion takes up?"""
        if not any(self._documents):
            return np.zeros(14)
        features = np.vstack([self._features(document) for document in self._documents if document])
        labels = np.concatenate(
            [
                np.isin(np.arange(len(document)), part)
                for document, part in zip(self._documents, chosen, strict=True)
                if document
            ]
        )
        scale = np.abs(features).max(axis=0) + 1e-9
        scaled = features / scale
        weights = np.zeros(scaled.shape[1])
        for _ in range(_LEARNING_STEPS):
            predicted = 1 / (1 + np.exp(-scaled @ weights))
            weights -= 4.0 * (scaled.T @ (predicted - labels) / len(labels) + 1e-4 * weights)
        learned: Vector = weights / scale
        return learned

    def _explains(self) -> bool:
        """Whether taking sentences from the prompt predicts its own completion better than another record's."""
        pairs = [
            (self._written([d[i] for i in self._selected(d)]), index) for index, d in enumerate(self._documents) if d
        ]
        if not pairs:
            return False
        written = [words_of(text) for text, _ in pairs]
        own = mean(overlap(words, self._answers[index]) for words, (_, index) in zip(written, pairs, strict=True))
        other = mean(overlap(words, self._answers[index - 1]) for words, (_, index) in zip(written, pairs, strict=True))
        return own - other > _LIFT

    def _fit(self) -> float:
        sample = range(0, len(self._examples), max(1, len(self._examples) // 50))
        return (
            mean(overlap(words_of(self.answer(self._examples[i].prompt)), self._answers[i]) for i in sample)
            if sample
            else 0.0
        )

    def _recalled(self, prompt: str) -> str:
        words = set(words_of(prompt))

        def nearness(index: int) -> float:
            known = {word for sentence in self._documents[index] for word in sentence.words}
            shared = sum(self._idf.get(word, 0.0) for word in words & known)
            return shared / math.sqrt((1 + len(words)) * (1 + len(known)))

        return self._examples[max(range(len(self._examples)), key=nearness)].completion


def _inverse_frequencies(documents: list[list[Sentence]]) -> dict[str, float]:
    counts = Counter(
        word for document in documents for word in {word for sentence in document for word in sentence.words}
    )
    frequencies = {word: math.log((1 + len(documents)) / (1 + count)) + 1 for word, count in counts.items()}
    return frequencies | {"": math.log(1 + len(documents)) + 1}


def _closest(document: list[Sentence], answer: Sequence[str]) -> list[int]:
    """The sentences that together share the most words with the answer."""
    chosen: list[int] = []
    best = 0.0
    while True:
        scores = [
            (overlap([word for i in sorted({*chosen, index}) for word in document[i].words], answer), -index)
            for index in range(len(document))
            if index not in chosen
        ]
        if not scores or max(scores)[0] <= best + 1e-9:
            return sorted(chosen)
        best, negative = max(scores)
        chosen.append(-negative)


def _word_scores(documents: list[list[Sentence]], chosen: list[list[int]]) -> dict[str, float]:
    """How much more often a word stands in sentences that are taken up than in others."""
    taken: Counter[str] = Counter()
    left: Counter[str] = Counter()
    for document, part in zip(documents, chosen, strict=True):
        for index, sentence in enumerate(document):
            (taken if index in part else left).update(set(sentence.words))
    all_taken, all_left = taken.total() + 1, left.total() + 1
    return {
        word: math.log(((taken[word] + 2) / all_taken) / ((left[word] + 2) / all_left))
        for word in taken | left
        if taken[word] + left[word] >= 5
    }
