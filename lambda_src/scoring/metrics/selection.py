"""The metrics that an event selects, opened and ready to score rows."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Protocol

from scoring.bertscore.document_frequencies import DocumentFrequencies
from scoring.errors import InvalidInput
from scoring.metrics import words
from scoring.rows import Row

OPTIONS: dict[str, dict[str, type]] = {
    "bertscore": {"idf": bool, "rescale": bool, "precision": str, "encoder": str, "layer": int},
    "rouge": {"stemmer": bool},
    "exact_match": {},
    "quasi_exact_match": {},
    "token_f1": {},
    "answer_length": {},
}
"""The metrics and their options; `bertscore` is described in `BertScoreMetric`, and `stemmer` is true by default."""


class Metric(Protocol):
    """Scores rows in place."""

    signature: str

    def score(self, rows: Sequence[Row]) -> None:
        """Add the metric's values to each row's answers."""
        ...


class RowMetric:
    """A metric that looks at one answer at a time."""

    def __init__(self, signature: str, function: Callable[[str, Sequence[str]], Mapping[str, float | None]]) -> None:
        """Take the function.

        Args:
            signature: How the values are made.
            function: From an answer and its references to values by name.
        """
        self.signature = signature
        self._function = function

    def score(self, rows: Sequence[Row]) -> None:
        """Add the metric's values to each row's answers.

        Args:
            rows: The rows.
        """
        for row in rows:
            for model, answer in row.answers.items():
                row.values.setdefault(model, {}).update(self._function(answer, row.references))


def open_metrics(
    selected: Sequence[dict[str, Any]], document_frequencies: Callable[[], DocumentFrequencies]
) -> dict[str, Metric]:
    """Open the selected metrics.

    Args:
        selected: For each metric its `name` and options, see `OPTIONS`.
        document_frequencies: Reads the document frequencies of all references; called if a metric uses IDF.

    Returns:
        The metrics by name.

    Raises:
        InvalidInput: an unknown metric or option, or a metric twice.
    """
    metrics: dict[str, Metric] = {}
    for number, selection in enumerate(selected):
        options = dict(selection)
        name = options.pop("name", None)
        allowed = OPTIONS.get(name) if isinstance(name, str) else None
        if allowed is None or name in metrics:
            raise InvalidInput(f"metrics[{number}].name: got {name!r}; allowed is each of {', '.join(OPTIONS)} once.")
        for option, value in options.items():
            if option not in allowed or type(value) is not allowed[option]:
                expected = ", ".join(f"{key} ({kind.__name__})" for key, kind in allowed.items()) or "none"
                raise InvalidInput(f"metrics[{number}].{option}: got {value!r}; the options of {name} are: {expected}.")
        metrics[name] = _open(name, options, document_frequencies)
    return metrics


def _open(name: str, options: dict[str, Any], document_frequencies: Callable[[], DocumentFrequencies]) -> Metric:
    if name == "bertscore":
        from scoring.metrics.bertscore import BertScoreMetric  # torch takes a second to import

        return BertScoreMetric(options, document_frequencies)
    if name == "rouge":
        from scoring.metrics.rouge import rouge  # nltk too

        stemmer = options.get("stemmer", True)
        signature = (
            f"rouge|stemmer:{'yes' if stemmer else 'no'}|alphabet:a-z,0-9|value:fmeasure|references:best|"
            "definition:rouge-score-0.1.2"
        )
        return RowMetric(signature, rouge(stemmer=stemmer))
    signature, function = {
        "exact_match": ("exact_match|surrounding-space:ignored|references:best", words.exact_match),
        "quasi_exact_match": ("quasi_exact_match|normalisation:squad|references:best", words.quasi_exact_match),
        "token_f1": ("token_f1|normalisation:squad|references:best|definition:squad-2.0", words.token_f1),
        "answer_length": ("answer_length|unit:words", words.answer_length),
    }[name]
    return RowMetric(signature, function)
