"""Triples of a reference and the answers of two systems, made from the sample data."""

import json
import random
from dataclasses import dataclass
from pathlib import Path

WORDS_OF_SUMMARIES = (3.05, 0.39)
"""Mean and standard deviation of the logarithm of their number."""
SAMPLES = Path(__file__).parent.parent / "samples"


@dataclass(frozen=True)
class Data:
    """The same number of references and of answers of each system."""

    references: list[str]
    base: list[str]
    custom: list[str]


def dialogue_summaries(triples: int) -> Data:
    """Make triples as an evaluation has them; all texts differ.

    Summaries are as long as those of DialogSum's test set: 30 tokens on average, and one in twenty has more than 52.
    The custom system answers with a summary, the base system with a preamble, a summary and some of the dialogue.

    Args:
        triples: How many.

    Returns:
        The triples.
    """
    records = [
        json.loads(line)
        for file in ("train", "evaluation")
        for line in (SAMPLES / f"{file}.prompt-completion.jsonl").read_text(encoding="utf-8").splitlines()
    ]
    chooser = random.Random(2026)
    words = [word for record in records for word in record["completion"].split()]

    def summary(record: dict[str, str]) -> str:
        length = max(3, round(chooser.lognormvariate(*WORDS_OF_SUMMARIES)))
        kept = record["completion"].split()
        while len(kept) < length:
            kept += chooser.choice(records)["completion"].split()
        del kept[length:]
        for _ in range(4):
            kept[chooser.randrange(len(kept))] = chooser.choice(words)
        return " ".join(kept)

    data = Data([], [], [])
    for _ in range(triples):
        record = chooser.choice(records)
        dialogue = record["prompt"].split()
        start = chooser.randrange(max(1, len(dialogue) - 10))
        excerpt = " ".join(dialogue[start : start + 10])
        data.references.append(summary(record))
        data.custom.append(summary(record))
        data.base.append(f"Here is a summary of the conversation: {summary(record)} {excerpt}")
    return data
