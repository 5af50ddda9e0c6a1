"""Whether answers that come with the data belong to their records, or to the ones beside them."""

import math
import re
from collections import Counter

MAXIMUM_CHARACTERS = 2000
MINIMUM_PAIRS = 20
SIGNIFICANT = 4.0
"""Standard errors: by chance this happens once in 30,000 evaluations."""

_WORD = re.compile(r"\w+")
Words = Counter[str]


class Alignment:
    """Compares each answer with its own record's references and with those of the records before and after it.

    Answers that fit their neighbours' references better than their own were shifted when the data were put together;
    every score of them would be wrong.
    """

    def __init__(self) -> None:
        self._before: tuple[list[Words], dict[str, Words]] | None = None
        self._gains: dict[tuple[str, str], _Gains] = {}

    def add(self, references: list[str], answers: dict[str, str]) -> None:
        """Look at the next record.

        Args:
            references: Its references.
            answers: The given answers by model.
        """
        expected = [_words(reference) for reference in references]
        given = {model: _words(answer) for model, answer in answers.items()}
        if self._before is not None:
            expected_before, given_before = self._before
            for model, answer in given.items():
                self._compare(model, "before", answer, expected, expected_before)
            for model, answer in given_before.items():
                self._compare(model, "after", answer, expected_before, expected)
        self._before = expected, given

    def shifted(self) -> dict[str, str]:
        """Return for each model whose answers fit their neighbours better where they fit: `before` or `after`."""
        return {model: side for (model, side), gains in self._gains.items() if gains.significant}

    def _compare(self, model: str, side: str, answer: Words, own: list[Words], other: list[Words]) -> None:
        gain = _best(answer, other) - _best(answer, own)
        self._gains.setdefault((model, side), _Gains()).add(gain)


class _Gains:
    """Mean and spread of numbers, kept up with Welford's method."""

    def __init__(self) -> None:
        self.count = 0
        self.mean = 0.0
        self._squares = 0.0

    def add(self, value: float) -> None:
        self.count += 1
        distance = value - self.mean
        self.mean += distance / self.count
        self._squares += distance * (value - self.mean)

    @property
    def significant(self) -> bool:
        if self.count < MINIMUM_PAIRS or self.mean <= 0:
            return False
        error = math.sqrt(self._squares / (self.count - 1) / self.count)
        return self.mean > SIGNIFICANT * error


def _words(text: str) -> Words:
    return Counter(_WORD.findall(text[:MAXIMUM_CHARACTERS].lower()))


def _best(answer: Words, references: list[Words]) -> float:
    """Return the best F1 of shared words over the references."""
    return max(
        (2 * (answer & words).total() / ((answer.total() + words.total()) or 1) for words in references), default=0
    )
