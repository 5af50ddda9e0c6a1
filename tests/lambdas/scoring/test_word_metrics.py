"""The metrics on words, against their reference libraries where there is one."""

import json
from pathlib import Path

import pytest
from rouge_score.rouge_scorer import RougeScorer
from transformers.data.metrics.squad_metrics import compute_exact, compute_f1

from scoring.metrics.rouge import rouge
from scoring.metrics.words import answer_length, exact_match, normalised, quasi_exact_match, token_f1
from tests.lambdas.scoring.conftest import random_texts

SAMPLE = [
    json.loads(line)
    for line in (Path(__file__).parents[3] / "samples/evaluation.prompt-completion.jsonl").read_text().splitlines()
]
ODD = [
    "",
    "!!!",
    "東京",
    "the the the",
    "Running runners ran quickly",
    "naïve café",
    "😀 yes",
    "x " * 3000,
    "\u200b",
    "ﬁne",
]
CANDIDATES = [*random_texts(60, seed=11), *ODD, *(record["prompt"].partition(". ")[0] for record in SAMPLE)]
REFERENCES = [
    *random_texts(60, seed=12),
    "a",
    "?",
    "東京",
    "a the",
    "The runner runs quick",
    "naive cafe",
    "😀 no",
    "x y",
]
REFERENCES += ["\u200b a", "ﬁne fine", *(record["completion"] for record in SAMPLE)]


@pytest.mark.parametrize("stemmer", (False, True))
def test_rouge_is_that_of_rouge_score(stemmer):
    reference_scorer = RougeScorer(["rouge1", "rouge2", "rougeL"], use_stemmer=stemmer)
    score = rouge(stemmer=stemmer)
    for number, candidate in enumerate(CANDIDATES):
        references = REFERENCES[number : number + 3]
        expected = reference_scorer.score_multi(references, candidate)
        assert score(candidate, references) == pytest.approx(
            {f"rouge_{name}": expected[f"rouge{name.upper()}"].fmeasure for name in ("1", "2", "l")}
        )


@pytest.mark.parametrize(
    ("references", "defined"),
    [
        (["東京の天気は晴れです。"], False),
        (["Привет, как дела?"], False),
        (["مرحبا بالعالم 2024"], False),
        (["!!!"], False),
        (["東京の天気", "The weather in Tokyo"], True),
        (["Größe überprüfen"], True),
        (["42"], True),
    ],
)
def test_rouge_of_a_script_that_it_cannot_read_is_undefined_and_not_zero(references, defined):
    values = rouge(stemmer=False)(references[-1], references).values()
    assert [value is not None for value in values] == [defined] * 3
    assert not defined or max(values) == 1


def test_quasi_exact_match_and_token_f1_are_those_of_squad():
    for number, candidate in enumerate(CANDIDATES):
        references = REFERENCES[number : number + 3]
        f1 = max(compute_f1(reference, candidate) for reference in references)
        exact = max(compute_exact(reference, candidate) for reference in references)
        assert token_f1(candidate, references)["token_f1"] == pytest.approx(f1)
        assert quasi_exact_match(candidate, references)["quasi_exact_match"] == exact


def test_normalisation_ignores_case_punctuation_articles_and_spaces():
    assert normalised("  The quick,\tbrown (fox) an' A dog. ") == "quick brown fox dog"


def test_exact_match_ignores_only_surrounding_space():
    assert exact_match(" Yes.\n", ["No.", "Yes."]) == {"exact_match": 1.0}
    assert exact_match("yes.", ["Yes."]) == {"exact_match": 0.0}


def test_answer_length_counts_words():
    assert answer_length("two  words\n", ["unused"]) == {"answer_length": 2.0}
