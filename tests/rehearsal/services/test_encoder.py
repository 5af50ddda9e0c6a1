"""The baseline of the encoder that stands in is what unrelated texts score with it."""

import json
from pathlib import Path

import pytest

from bedrock_customization.rehearsal.services.encoder import BASELINE, stand_in_encoder
from scoring.bertscore.encoder_folder import open_encoder_folder
from scoring.bertscore.scorer import BertScorer

SAMPLES = Path(__file__).parents[3] / "samples"


def test_the_baseline_is_what_unrelated_texts_score() -> None:
    """Each of the samples' completions with the one that follows it: a part of the pairs that were measured."""
    text = (SAMPLES / "train.prompt-completion.jsonl").read_text(encoding="utf-8")
    completions = [json.loads(line)["completion"] for line in text.split("\n")[:100]]
    folder = stand_in_encoder("scoring", {}, image=True)["ENCODER_DIRECTORY"]

    scores = BertScorer(folder).score(completions, [*completions[1:], completions[0]])

    means = [sum(values) / len(values) for values in (scores.precision, scores.recall, scores.f1)]
    assert open_encoder_folder(folder, baseline_path=BASELINE).baseline == pytest.approx(means, abs=0.01)
