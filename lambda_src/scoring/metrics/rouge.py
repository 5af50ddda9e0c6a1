"""ROUGE-1, ROUGE-2 and ROUGE-L as rouge-score computes them."""

from collections.abc import Callable, Sequence

from rapidfuzz.distance import LCSseq
from rouge_score.rouge_scorer import RougeScorer
from rouge_score.scoring import fmeasure
from rouge_score.tokenizers import DefaultTokenizer


def rouge(*, stemmer: bool) -> Callable[[str, Sequence[str]], dict[str, float | None]]:
    """Make the metric.

    rouge-score splits texts at everything but a-z and 0-9, so that ROUGE says nothing of texts in other scripts: where
    most letters and digits of every reference are others, the values are None instead of 0. Its longest common
    subsequence takes time and memory in the product of the texts' lengths; rapidfuzz finds the same length in bits.

    Args:
        stemmer: Whether words longer than three letters are reduced to their stems (Porter).

    Returns:
        A function of a candidate and its references that gives the F measures `rouge_1`, `rouge_2` and `rouge_l`, each
        the best over the references.
    """
    tokenizer = DefaultTokenizer(stemmer)
    ngrams = RougeScorer(["rouge1", "rouge2"], tokenizer=tokenizer)

    def score(candidate: str, references: Sequence[str]) -> dict[str, float | None]:
        if not any(map(_is_readable, references)):
            return dict.fromkeys(("rouge_1", "rouge_2", "rouge_l"))
        scores = ngrams.score_multi(references, candidate)
        words = tokenizer.tokenize(candidate)
        return {
            "rouge_1": float(scores["rouge1"].fmeasure),
            "rouge_2": float(scores["rouge2"].fmeasure),
            "rouge_l": max(_rouge_l(words, tokenizer.tokenize(reference)) for reference in references),
        }

    return score


def _is_readable(text: str) -> bool:
    """Whether at least half of a text's letters and digits are a-z and 0-9."""
    characters = [character for character in text.lower() if character.isalnum()]
    return 2 * sum(map(str.isascii, characters)) >= len(characters) > 0


def _rouge_l(candidate: list[str], reference: list[str]) -> float:
    if not candidate or not reference:
        return 0.0
    common = LCSseq.similarity(reference, candidate)
    return float(fmeasure(common / len(candidate), common / len(reference)))
