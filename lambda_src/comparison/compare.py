"""Compares all models over all score files and writes results.json."""

import json
from typing import Any

import numpy as np

from comparison.bootstrap import MINIMUM_RECORDS, RESAMPLES, SEED
from comparison.categories import by_category
from comparison.differences import extremes, histogram
from comparison.errors import InvalidInput
from comparison.scores import Scores
from comparison.shards import read_shards
from comparison.statistics import DESCRIPTIVE, Array, metric_statistics, number, paired_differences, records_needed


def compare(event: dict[str, Any], client: Any) -> dict[str, Any]:
    """Compare every model with the baseline; all statistics go to results.json in the results bucket.

    With several candidates each interval's confidence is raised by Bonferroni's rule, so that the chance that any of
    them passes by luck stays what the gate asks for.

    Args:
        event: `{"bucket", "prefix", "shards", "records", "models", "baseline", "gate": {"metric", "minImprovement",
            "confidence", "minCoverage"}}`; `records` are all lines of the evaluation set.
        client: A boto3 S3 client.

    Returns:
        `{"records", "counted", "coverage", "problems", "means", "candidates": [{"name", "metric", "difference":
        {"mean", "low", "high"}, "wins", "ties", "losses", "tooSmall"}], "results"}`. What cannot be computed is None.

    Raises:
        InvalidInput: The baseline or the gate's metric is none of those that there are.
        InvalidData: Score files are missing, repeat records or contradict one another.
    """
    models, baseline, gate = event["models"], event["baseline"], event["gate"]
    _check_event(models, baseline, gate)
    scores = Scores(models, gate["metric"])
    for shard in read_shards(client, event["bucket"], event["prefix"], event["shards"]):
        scores.add(shard)
    scores.check_against(event["records"])

    comparisons = max(1, len(models) - 1)
    confidence = 1 - (1 - gate["confidence"]) / comparisons
    metrics = metric_statistics(scores, baseline, confidence)
    records, counted = event["records"], len(scores.ids)
    candidates = [_candidate(name, scores, metrics, gate, baseline, confidence) for name in models if name != baseline]
    results = {
        "models": models,
        "baseline": baseline,
        "gate": gate,
        "records": records,
        "scored": scores.rows,
        "counted": counted,
        "coverage": counted / records if records else 0.0,
        "problems": scores.problem_counts(),
        "truncated": dict(scores.truncated),
        "signatures": scores.signatures,
        "interval": {
            "method": "expanded percentile bootstrap of paired records",
            "resamples": RESAMPLES,
            "seed": SEED,
            "confidence": confidence,
            "comparisons": comparisons,
            "minimumRecords": MINIMUM_RECORDS,
        },
        "metrics": metrics,
        "candidates": candidates,
        "categories": by_category(scores, baseline, confidence),
    }
    key = f"{event['prefix']}results.json"
    write_results(client, event["bucket"], key, results)
    kept = ("name", "metric", "difference", "wins", "ties", "losses", "tooSmall")
    return {
        "records": records,
        "counted": counted,
        "coverage": results["coverage"],
        "problems": results["problems"],
        "means": {
            model: {metric: statistics["models"][model]["mean"] for metric, statistics in metrics.items()}
            for model in models
        },
        "candidates": [{name: candidate[name] for name in kept} for candidate in candidates],
        "results": key,
    }


def write_results(client: Any, bucket: str, key: str, results: dict[str, Any]) -> None:
    """Write results.json.

    Args:
        client: A boto3 S3 client.
        bucket: The results bucket.
        key: The object's key.
        results: As `results.schema.json` describes them.
    """
    body = json.dumps(results, indent=2, ensure_ascii=False, allow_nan=False).encode("utf-8", "replace")
    client.put_object(Bucket=bucket, Key=key, Body=body, ContentType="application/json")


def _check_event(models: list[str], baseline: str, gate: dict[str, Any]) -> None:
    if baseline not in models:
        raise InvalidInput(f"baseline: {baseline!r} is none of the models. Allowed: {', '.join(models)}.")
    if len(set(models)) < len(models):
        raise InvalidInput(f"models: a name is there twice: {', '.join(models)}. Give each model a name of its own.")
    if gate["metric"] in DESCRIPTIVE:
        raise InvalidInput(
            f"gate.metric: {gate['metric']!r} only describes answers, more of it is not better. Choose another metric."
        )


def _candidate(
    name: str, scores: Scores, metrics: dict[str, Any], gate: dict[str, Any], baseline: str, confidence: float
) -> dict[str, Any]:
    metric = gate["metric"]
    if metric in metrics:
        differences: Array = paired_differences(scores.values(metric), scores.models, baseline)[name]
        statistics = metrics[metric]["differences"][name]
    else:
        differences = np.empty(0)
        statistics = {"mean": None, "low": None, "high": None, "wins": 0, "ties": 0, "losses": 0}
    least = gate["minImprovement"]
    return {
        "name": name,
        "metric": metric,
        "difference": {bound: statistics[bound] for bound in ("mean", "low", "high")},
        "wins": statistics["wins"],
        "ties": statistics["ties"],
        "losses": statistics["losses"],
        "tooSmall": _too_small(statistics, least),
        "recordsNeeded": records_needed(differences, least, confidence),
        "spread": number(differences.std(ddof=1)) if len(differences) > 1 else None,
        "histogram": histogram(differences),
        **extremes(differences, scores.ids),
    }


def _too_small(statistics: dict[str, Any], minimum_improvement: float) -> bool:
    """Say whether the set is too small to decide: there is no interval, or it holds the minimum improvement inside."""
    low, high = statistics["low"], statistics["high"]
    if low is None or high is None:
        return True
    return bool(low < high and low <= minimum_improvement <= high)
