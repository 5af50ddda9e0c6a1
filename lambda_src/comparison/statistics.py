"""What the scores say about each metric: means, paired differences from the baseline, wins, ties and losses."""

import math
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy import stats

from comparison.bootstrap import DECIMALS, mean_intervals
from comparison.scores import Scores

DESCRIPTIVE = frozenset({"answer_length"})
"""Metrics of which more is not better: they describe the answers, nobody wins by them."""
TIE = 1e-6
"""Smaller differences count as none: scores of equal answers may differ by the rounding of 32-bit arithmetic."""
POWER = 0.8

Array = npt.NDArray[np.float64]


def metric_statistics(
    scores: Scores, baselines: list[str], confidence: float, chosen: npt.NDArray[np.bool_] | None = None
) -> dict[str, Any]:
    """Return the statistics of every metric.

    Args:
        scores: All scores.
        baselines: The models that each of the others is compared with.
        confidence: The confidence of each interval.
        chosen: Which of the records that count are looked at; by default all.

    Returns:
        For each metric `{"higherIsBetter", "records", "models": {name: {"mean", "low", "high"}}, "differences": {name:
        {baseline: {"mean", "low", "high", "wins", "ties", "losses"}}}}`. What cannot be computed is None; a metric of
        which more is not better has no wins, ties and losses.
    """
    groups: dict[bytes, tuple[npt.NDArray[np.bool_], dict[str, Array]]] = {}
    for metric in scores.metrics:
        values = scores.values(metric)
        complete = np.asarray(np.isfinite(values).all(axis=0))
        if chosen is not None:
            complete &= chosen
        groups.setdefault(complete.tobytes(), (complete, {}))[1][metric] = values[:, complete]
    statistics: dict[str, Any] = {}
    for _, by_metric in groups.values():
        statistics |= _group_statistics(by_metric, scores.models, baselines, confidence)
    return {metric: statistics[metric] for metric in scores.metrics}


def silent_metrics(scores: Scores) -> list[str]:
    """Return the metrics that say nothing of these answers: 0 or no value for every answer of every model.

    Words that are told apart by spaces are an example, in texts that have none; nothing is decided on such a metric.

    Args:
        scores: All scores.
    """
    judging = [metric for metric in scores.metrics if metric not in DESCRIPTIVE]
    return [metric for metric in judging if not np.nan_to_num(scores.values(metric)).any()]


def paired_differences(values: Array, models: list[str], model: str, baseline: str) -> Array:
    """Return a model's value minus the baseline's, record by record; tiny differences are zero.

    Args:
        values: One row for each model, one column for each record.
        models: The models' names, in the rows' order.
        model: The name of the model.
        baseline: The name of the model that is subtracted.
    """
    differences = values[models.index(model)] - values[models.index(baseline)]
    return np.where(np.abs(differences) <= TIE, 0.0, differences)


def records_needed(differences: Array, minimum_improvement: float, confidence: float) -> int | None:
    """Estimate how many records would decide, if the mean and spread of the differences stayed as they are.

    Args:
        differences: The paired differences.
        minimum_improvement: The improvement that the mean difference is compared with.
        confidence: The confidence of the interval.

    Returns:
        The number of records with which a set would decide in four of five repetitions (normal approximation), or None
        if it cannot be told.
    """
    if len(differences) < 2:
        return None
    distance = abs(differences.mean() - minimum_improvement)
    spread = differences.std(ddof=1)
    if not distance or not spread:
        return None
    quantiles = stats.norm.ppf((1 + confidence) / 2) + stats.norm.ppf(POWER)
    return math.ceil(min(float(quantiles * spread / distance) ** 2, 1e9))


def number(value: float) -> float | None:
    """Return a number as JSON can hold it: rounded, or None if it is not finite."""
    return round(float(value), DECIMALS) + 0.0 if math.isfinite(value) else None


def _group_statistics(
    by_metric: dict[str, Array], models: list[str], baselines: list[str], confidence: float
) -> dict[str, Any]:
    """Return the statistics of metrics that have values for the same records, with one bootstrap for all of them."""
    pairs = [(model, baseline) for model in models if model not in baselines for baseline in baselines]
    differences = {
        (metric, *pair): paired_differences(values, models, *pair)
        for metric, values in by_metric.items()
        for pair in pairs
    }
    columns = [row for values in by_metric.values() for row in values] + list(differences.values())
    records = len(columns[0])
    intervals = iter(mean_intervals(np.stack(columns, axis=1), confidence))
    statistics: dict[str, Any] = {}
    for metric, values in by_metric.items():
        means = {model: _mean(row, next(intervals)) for model, row in zip(models, values, strict=True)}
        statistics[metric] = {
            "higherIsBetter": metric not in DESCRIPTIVE,
            "records": records,
            "models": means,
            "differences": {model: {} for model, _ in pairs},
        }
    for (metric, model, baseline), row in differences.items():
        interval = next(intervals)
        if not _enough_differ(row, confidence):
            interval = np.full(2, np.nan)
        described = {**_mean(row, interval), **_outcomes(row, metric)}
        statistics[metric]["differences"][model][baseline] = described
    return statistics


def _enough_differ(differences: Array, confidence: float) -> bool:
    """Say whether the differences that are not zero could be significant at all, were they all of the same sign.

    Where nearly all records tie, the bootstrap is too sure of the few that do not; a sign test's bound is kept besides.
    """
    differing = int(np.count_nonzero(differences))
    return differing == 0 or bool(2.0 ** (1 - differing) <= 1 - confidence)


def _mean(values: Array, interval: Array) -> dict[str, float | None]:
    mean = values.mean() if len(values) else math.nan
    return {"mean": number(mean), "low": number(interval[0]), "high": number(interval[1])}


def _outcomes(differences: Array, metric: str) -> dict[str, int | None]:
    if metric in DESCRIPTIVE:
        return {"wins": None, "ties": None, "losses": None}
    wins, losses = int((differences > 0).sum()), int((differences < 0).sum())
    return {"wins": wins, "ties": len(differences) - wins - losses, "losses": losses}
