"""Shifted answers are found, and answers that are only bad are not."""

import random

import pytest

from dataset.alignment import MINIMUM_PAIRS, Alignment

WORDS = [
    "river",
    "stone",
    "lamp",
    "cloud",
    "bread",
    "door",
    "music",
    "green",
    "seven",
    "letter",
    "road",
    "winter",
    "sun",
    "sea",
]


def texts(count: int, seed: int) -> list[str]:
    chance = random.Random(seed)
    return [" ".join(chance.choices(WORDS, k=12)) for _ in range(count)]


def shifted(references: list[str], answers: list[str]) -> dict[str, str]:
    alignment = Alignment()
    for reference, answer in zip(references, answers, strict=True):
        alignment.add([reference], {"model": answer})
    return alignment.shifted()


@pytest.mark.parametrize(("shift", "side"), [(1, "after"), (-1, "before")])
@pytest.mark.parametrize("seed", range(5))
def test_answers_of_the_record_beside_are_found(shift: int, side: str, seed: int) -> None:
    references, noise = texts(60, seed), texts(60, seed + 100)
    answers = [f"{references[(n + shift) % 60]} {noise[n]}" for n in range(60)]
    assert shifted(references, answers) == {"model": side}


@pytest.mark.parametrize("seed", range(200))
def test_answers_that_fit_no_reference_are_no_shift(seed: int) -> None:
    assert shifted(texts(50, seed), texts(50, seed + 1000)) == {}


def test_equal_references_and_answers_that_say_nothing_are_no_shift() -> None:
    assert shifted(["yes"] * 50, ["yes"] * 50) == {}
    assert shifted(["yes", "no"] * 25, ["\u2026"] * 50) == {}


def test_too_few_answers_tell_nothing() -> None:
    references = texts(MINIMUM_PAIRS, 1)
    assert shifted(references, [*references[1:], references[0]]) == {}
