"""With several baselines, against which one a candidate's fate is decided: it has to be better than every one of them.

Since it has to pass against all, several baselines need no wider intervals (R. L. Berger, "Multiparameter Hypothesis
Testing and Acceptance Sampling", Technometrics 24, 1982).
"""

from typing import Any


def deciding_baselines(
    candidates: list[str], baselines: list[str], statistics: dict[str, Any], minimum_improvement: float
) -> dict[str, str]:
    """Return for each candidate the baseline that it does worst against.

    That is one that it certainly does not improve on enough, else one whose difference has no interval, else the one
    with the lowest lower bound: if that bound lies above the improvement that is asked for, all others do.

    Args:
        candidates: The candidates' names.
        baselines: The baselines' names.
        statistics: The statistics of the gate's metric; empty if nothing was scored.
        minimum_improvement: The improvement that the gate asks for.
    """

    def standing(difference: dict[str, Any]) -> tuple[int, float]:
        low, high = difference["low"], difference["high"]
        if low is None or high is None:
            return 1, 0.0
        return (0 if high <= minimum_improvement else 2), low

    differences = statistics.get("differences", {})
    return {
        name: min(baselines, key=lambda baseline: standing(differences[name][baseline]))
        if name in differences
        else baselines[0]
        for name in candidates
    }


def against(metrics: dict[str, Any], deciding: dict[str, str]) -> dict[str, Any]:
    """Return statistics with each candidate's differences from one baseline only.

    Args:
        metrics: What `metric_statistics` returned.
        deciding: The baseline for each candidate.
    """
    return {
        metric: statistics
        | {"differences": {name: statistics["differences"][name][baseline] for name, baseline in deciding.items()}}
        for metric, statistics in metrics.items()
    }
