"""Compares all models over all score files and writes results.json."""

import json
from typing import Any

import numpy as np

from comparison.baselines import against, deciding_baselines
from comparison.bootstrap import MINIMUM_RECORDS, RESAMPLES, SEED
from comparison.categories import by_category
from comparison.differences import extremes, histogram
from comparison.errors import InvalidInput
from comparison.scores import Scores
from comparison.shards import read_shards
from comparison.statistics import (
    DESCRIPTIVE,
    Array,
    metric_statistics,
    number,
    paired_differences,
    records_needed,
    silent_metrics,
)


def compare(event: dict[str, Any], client: Any) -> dict[str, Any]:
    """Compare every model with every baseline; all statistics go to results.json in the results bucket.

    With several candidates each interval's confidence is raised by Bonferroni's rule, so that the chance that any of
    them passes by luck stays what the gate asks for. With several baselines, a candidate's figures are those against
    the baseline that it does worst against (`comparison.baselines`).

    Args:
        event: `{"bucket", "prefix", "shards", "records", "models", "baseline", "gate": {"metric", "minImprovement",
            "confidence", "minCoverage"}}`; `records` are all lines of the evaluation set, `baseline` is a name or a
            list of names.
        client: A boto3 S3 client.

    Returns:
        `{"records", "counted", "coverage", "problems", "means", "candidates": [{"name", "baseline", "metric", "score",
        "difference": {"mean", "low", "high"}, "wins", "ties", "losses", "tooSmall"}], "signatures", "results"}`. What
        cannot be computed is None.

    Raises:
        InvalidInput: The baseline or the gate's metric is none of those that there are.
        InvalidData: Score files are missing, repeat records or contradict one another.
    """
    models, gate = event["models"], event["gate"]
    baselines = [event["baseline"]] if isinstance(event["baseline"], str) else event["baseline"]
    _check_event(models, baselines, gate)
    scores = Scores(models, gate["metric"])
    for shard in read_shards(client, event["bucket"], event["prefix"], event["shards"]):
        scores.add(shard)
    scores.check_against(event["records"])

    names = [name for name in models if name not in baselines]
    comparisons = max(1, len(names))
    confidence = 1 - (1 - gate["confidence"]) / comparisons
    statistics = metric_statistics(scores, baselines, confidence)
    silent = silent_metrics(scores)
    decisive = {} if gate["metric"] in silent else statistics.get(gate["metric"], {})
    deciding = deciding_baselines(names, baselines, decisive, gate["minImprovement"])
    records, counted = event["records"], len(scores.ids)
    candidates = [_candidate(name, deciding[name], scores, decisive, gate, confidence) for name in names]
    results = {
        "models": models,
        "baselines": baselines,
        "gate": gate,
        "records": records,
        "scored": scores.rows,
        "counted": counted,
        "coverage": counted / records if records else 0.0,
        "problems": scores.problem_counts(),
        "truncated": dict(scores.truncated),
        "signatures": scores.signatures,
        "interval": {
            "method": "expanded percentile and studentized bootstrap of paired records, whichever reaches farther",
            "resamples": RESAMPLES,
            "seed": SEED,
            "confidence": confidence,
            "comparisons": comparisons,
            "minimumRecords": MINIMUM_RECORDS,
        },
        "metrics": against(statistics, deciding),
        "silentMetrics": silent,
        "candidates": candidates,
        "categories": by_category(scores, deciding, confidence),
    }
    key = f"{event['prefix']}results.json"
    write_results(client, event["bucket"], key, results)
    kept = ("name", "baseline", "metric", "score", "difference", "wins", "ties", "losses", "tooSmall")
    return {
        "records": records,
        "counted": counted,
        "coverage": results["coverage"],
        "problems": results["problems"],
        "means": {
            model: {metric: described["models"][model]["mean"] for metric, described in statistics.items()}
            for model in models
        },
        "candidates": [{name: candidate[name] for name in kept} for candidate in candidates],
        "signatures": scores.signatures,
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


def _check_event(models: list[str], baselines: list[str], gate: dict[str, Any]) -> None:
    for baseline in baselines:
        if baseline not in models:
            raise InvalidInput(f"baseline: {baseline!r} is none of the models. Allowed: {', '.join(models)}.")
    if len(set(models)) < len(models):
        raise InvalidInput(f"models: a name is there twice: {', '.join(models)}. Give each model a name of its own.")
    if gate["metric"] in DESCRIPTIVE:
        raise InvalidInput(
            f"gate.metric: {gate['metric']!r} only describes answers, more of it is not better. Choose another metric."
        )


def _candidate(
    name: str, baseline: str, scores: Scores, decisive: dict[str, Any], gate: dict[str, Any], confidence: float
) -> dict[str, Any]:
    metric, least = gate["metric"], gate["minImprovement"]
    if decisive:
        differences: Array = paired_differences(scores.values(metric), scores.models, name, baseline)
        by_baseline = decisive["differences"][name]
        score = decisive["models"][name]["mean"]
    else:
        differences = np.empty(0)
        by_baseline = {baseline: {"mean": None, "low": None, "high": None, "wins": 0, "ties": 0, "losses": 0}}
        score = None
    statistics = by_baseline[baseline]
    return {
        "name": name,
        "baseline": baseline,
        "metric": metric,
        "score": score,
        "difference": {bound: statistics[bound] for bound in ("mean", "low", "high")},
        "wins": statistics["wins"],
        "ties": statistics["ties"],
        "losses": statistics["losses"],
        "comparisons": by_baseline,
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
