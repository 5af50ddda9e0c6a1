"""BERTScore of rows."""

import os
from collections import Counter
from collections.abc import Callable, Sequence
from functools import cache
from math import isnan
from typing import Any

import torch

from scoring.bertscore.document_frequencies import DocumentFrequencies
from scoring.bertscore.encoder_folder import InvalidEncoder
from scoring.bertscore.scorer import BertScorer
from scoring.errors import InvalidInput
from scoring.rows import Row

DEFAULT_DIRECTORY = "/opt/encoder"


@cache
def open_scorer(directory: str, precision: str) -> BertScorer:
    """Load an encoder, once per process: a warm function keeps it.

    Args:
        directory: The encoder's folder.
        precision: `fp32` or `bf16`.

    Returns:
        The scorer, with the baseline of the file that the environment variable ENCODER_BASELINE names, if there is one,
        instead of the folder's; it uses all the processors that the process may use.
    """
    if "OMP_NUM_THREADS" not in os.environ and hasattr(os, "sched_getaffinity"):
        torch.set_num_threads(len(os.sched_getaffinity(0)))
    baseline = os.environ.get("ENCODER_BASELINE")
    return BertScorer(directory, precision=precision, baseline_path=baseline)  # type: ignore[arg-type]


class BertScoreMetric:
    """`bertscore_precision`, `bertscore_recall` and `bertscore_f1`."""

    def __init__(self, options: dict[str, Any], document_frequencies: Callable[[], DocumentFrequencies]) -> None:
        """Load the encoder in the folder that the environment variable ENCODER_DIRECTORY names.

        Args:
            options: `idf` and `rescale`, by default false; `precision`, `fp32` (default) or `bf16`; and, to be sure of
                the image, the `encoder` and `layer` that are expected in it.
            document_frequencies: Reads the document frequencies of all references; called if `idf` is true.

        Raises:
            InvalidInput: an unknown precision.
            InvalidEncoder: the encoder folder is incomplete, or not the expected one.
        """
        precision = options.get("precision", "fp32")
        if precision not in ("fp32", "bf16"):
            raise InvalidInput(f"metrics.precision: got {precision!r}; allowed are 'fp32' and 'bf16'.")
        self._scorer = open_scorer(os.environ.get("ENCODER_DIRECTORY", DEFAULT_DIRECTORY), precision)
        folder = self._scorer.folder
        for option, found in (("encoder", folder.name), ("layer", folder.layer)):
            if options.get(option, found) != found:
                raise InvalidEncoder(
                    f"metrics.{option}: expected {options[option]!r}, but {folder.path} holds {found!r}. "
                    "Build the image with the encoder and layer that you want."
                )
        self._rescale = options.get("rescale", False)
        self._frequencies: DocumentFrequencies | None = None
        if options.get("idf", False):
            self._frequencies = document_frequencies()
        self.signature = self._scorer.signature(idf=options.get("idf", False), rescale=self._rescale)
        self.truncated: Counter[str] = Counter()

    def score(self, rows: Sequence[Row]) -> None:
        """Add the metric's values to each row's answers, and count what was truncated by model and for `references`.

        An answer without any token, of control characters for example, scores 0 and is a problem, `empty`; one whose
        score is not defined has the value None and the problem `undefined_score`.

        Args:
            rows: The rows.
        """
        answers = [(row, model) for row in rows for model in row.answers]
        scores = self._scorer.score(
            [row.answers[model] for row, model in answers],
            [row.references for row, _ in answers],
            frequencies=self._frequencies,
            rescale=self._rescale,
            batch_size=None,
        )
        references = {row.id: count for (row, _), count in zip(answers, scores.truncated_references, strict=True)}
        self.truncated["references"] += sum(references.values())
        for number, (row, model) in enumerate(answers):
            self.truncated[model] += scores.truncated[number]
            values = (scores.precision[number], scores.recall[number], scores.f1[number])
            undefined = any(map(isnan, values))
            for part, value in zip(("precision", "recall", "f1"), values, strict=True):
                row.values.setdefault(model, {})[f"bertscore_{part}"] = None if undefined else value
            if undefined or scores.empty[number]:
                row.problems[model] = "undefined_score" if undefined else "empty"
