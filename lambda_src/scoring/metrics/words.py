"""Exact match, quasi-exact match, token F1 and answer length."""

import re
import string
from collections import Counter
from collections.abc import Sequence

_ARTICLES = re.compile(r"\b(a|an|the)\b")
_WITHOUT_PUNCTUATION = str.maketrans("", "", string.punctuation)


def normalised(text: str) -> str:
    """Normalise an answer as the SQuAD evaluation does.

    Args:
        text: The answer.

    Returns:
        The text in lower case without ASCII punctuation, without the articles a, an and the, and with single spaces.
    """
    return " ".join(_ARTICLES.sub(" ", text.lower().translate(_WITHOUT_PUNCTUATION)).split())


def exact_match(candidate: str, references: Sequence[str]) -> dict[str, float]:
    """Return 1 if the candidate equals a reference, save for white space around them, else 0."""
    return {"exact_match": float(any(candidate.strip() == reference.strip() for reference in references))}


def quasi_exact_match(candidate: str, references: Sequence[str]) -> dict[str, float]:
    """Return 1 if the candidate equals a reference after normalisation, else 0."""
    words = normalised(candidate)
    return {"quasi_exact_match": float(any(words == normalised(reference) for reference in references))}


def token_f1(candidate: str, references: Sequence[str]) -> dict[str, float]:
    """Return the best F1 of the candidate's and a reference's normalised words, as SQuAD 2.0 defines it."""
    words = Counter(normalised(candidate).split())
    return {"token_f1": max(_f1(words, Counter(normalised(reference).split())) for reference in references)}


def answer_length(candidate: str, references: Sequence[str]) -> dict[str, float]:
    """Return the candidate's number of words, separated by white space."""
    return {"answer_length": float(len(candidate.split()))}


def _f1(candidate: Counter[str], reference: Counter[str]) -> float:
    if not candidate or not reference:
        return float(candidate == reference)
    return 2 * (candidate & reference).total() / (candidate.total() + reference.total())
