"""Collects the scores of all shards in arrays, and refuses what does not fit together."""

import math
from array import array
from collections import Counter
from typing import Any

import numpy as np
import numpy.typing as npt

from comparison.errors import InvalidData, InvalidInput
from comparison.signatures import merged

PROBLEM_KINDS_KEPT = 20
"""Per model; further kinds are counted as `other`, so that a state's size does not grow with the data."""
PROBLEM_CHARACTERS = 100
"""A stop reason that came with the data can be any text."""
NOT_A_NUMBER = "not_a_number"


class Scores:
    """The values of every metric and model for every record that counts.

    A record counts if the scoring function counted it and every model's value of the deciding metric is a finite
    number. A value of another metric that is none is left out of that metric, together with the other models' values.

    Args:
        models: The names of all models.
        deciding_metric: The metric of the quality gate.
    """

    def __init__(self, models: list[str], deciding_metric: str) -> None:
        self.models = models
        self.deciding_metric = deciding_metric
        self.rows = 0
        self.ids: list[str] = []
        """The ids of the records that count."""
        self.categories: list[str | None] = []
        """Their categories."""
        self.rows_by_category: Counter[str] = Counter()
        """All rows by category, counted or not."""
        self.problems: dict[str, Counter[str]] = {model: Counter() for model in models}
        self.signatures: dict[str, str] = {}
        self.truncated: Counter[str] = Counter()
        self._values: dict[str, dict[str, array[float]]] = {}
        self._names: dict[str, None] = {}
        self._seen: set[str] = set()

    def add(self, shard: dict[str, Any]) -> None:
        """Add the scores of one shard.

        Args:
            shard: What the scoring function wrote.

        Raises:
            InvalidData: An id is there twice, or the shard was scored with other settings than those before.
        """
        for metric, signature in shard["signatures"].items():
            both = merged(self.signatures.get(metric, signature), signature)
            if both is None:
                raise InvalidData(
                    f"signatures: shard {shard['index']} has {signature!r} for {metric}, shards before it have "
                    f"{self.signatures[metric]!r}. Score all shards with the same image and settings."
                )
            self.signatures[metric] = both
        self.truncated.update(shard.get("truncated", {}))
        for row in shard["scores"]:
            self._add_row(row)

    def check_against(self, records: int) -> None:
        """Refuse scores that cannot stem from the evaluation set.

        Args:
            records: How many records the evaluation set has.

        Raises:
            InvalidData: There are more rows than records.
            InvalidInput: No record has the deciding metric although some were scored.
        """
        if self.rows > records:
            raise InvalidData(
                f"records: {self.rows} rows were scored, but the evaluation set has only {records} records. "
                "Start a new execution; the results of this one are mixed with others."
            )
        if self._names and self.deciding_metric not in self._names:
            raise InvalidInput(
                f"gate.metric: {self.deciding_metric!r} was not scored. Scored: {', '.join(self._names)}."
            )

    @property
    def metrics(self) -> list[str]:
        """The names of all metrics, the deciding one first."""
        return sorted(self._values, key=lambda metric: metric != self.deciding_metric)

    def values(self, metric: str) -> npt.NDArray[np.float64]:
        """Return a metric's values: one row for each model, one column for each record, NaN where there is none."""
        return np.array([self._values[metric][model] for model in self.models])

    def problem_counts(self) -> dict[str, dict[str, int]]:
        """Return for each model that had any how often each kind of problem was met, the most frequent first."""
        counts = {}
        for model, kinds in self.problems.items():
            kept = dict(kinds.most_common(PROBLEM_KINDS_KEPT))
            if rest := kinds.total() - sum(kept.values()):
                kept["other"] = kept.get("other", 0) + rest
            if kept:
                counts[model] = kept
        return counts

    def _add_row(self, row: dict[str, Any]) -> None:
        identifier = row["id"]
        if identifier in self._seen:
            raise InvalidData(
                f"scores: the record {identifier!r} was scored twice. Start a new execution; a result that counts a "
                "record more than once cannot be trusted."
            )
        self._seen.add(identifier)
        self.rows += 1
        category = row.get("category")
        if category is not None:
            self.rows_by_category[category] += 1
        for model, kind in row.get("problems", {}).items():
            self.problems.setdefault(model, Counter())[kind[:PROBLEM_CHARACTERS]] += 1
        if not row["counted"]:
            return
        values = row["values"]
        self._names |= dict.fromkeys(name for model in self.models for name in values.get(model, {}))
        without = [model for model in self.models if math.isnan(_number(values, model, self.deciding_metric))]
        for model in without:
            self.problems[model][NOT_A_NUMBER] += 1
        if not without:
            self._keep(values)
            self.ids.append(identifier)
            self.categories.append(category)

    def _keep(self, values: dict[str, dict[str, Any]]) -> None:
        for metric in self._names:
            if metric not in self._values:
                blank = [math.nan] * len(self.ids)
                self._values[metric] = {model: array("d", blank) for model in self.models}
            for model in self.models:
                self._values[metric][model].append(_number(values, model, metric))


def _number(values: dict[str, dict[str, Any]], model: str, metric: str) -> float:
    value = values.get(model, {}).get(metric)
    return float(value) if isinstance(value, int | float) and math.isfinite(value) else math.nan
