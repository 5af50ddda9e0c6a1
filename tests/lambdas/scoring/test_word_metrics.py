"""The metrics on words, against their reference libraries where there is one."""

import pytest
from rouge_score.rouge_scorer import RougeScorer
from transformers.data.metrics.squad_metrics import compute_exact, compute_f1

from scoring.metrics.rouge import rouge
from scoring.metrics.words import answer_length, exact_match, normalised, quasi_exact_match, token_f1
from tests.lambdas.scoring.conftest import random_texts

CANDIDATES = [*random_texts(60, seed=11), "", "!!!", "東京", "the the the", "Running runners ran quickly"]
REFERENCES = [*random_texts(60, seed=12), "a", "?", "東京", "a the", "The runner runs quick"]


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
