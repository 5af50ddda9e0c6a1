"""Results by category, for records that have one."""

from typing import Any

import numpy as np

from comparison.scores import Scores
from comparison.statistics import metric_statistics

MAXIMUM_CATEGORIES = 50
"""The largest ones are reported; more would be no categories."""


def by_category(scores: Scores, baseline: str, confidence: float) -> list[dict[str, Any]]:
    """Return the statistics of each category, the largest first.

    Args:
        scores: All scores.
        baseline: The model that the others are compared with.
        confidence: The confidence of each interval.

    Returns:
        `[{"name", "records", "counted", "metrics": as for all records}]`.
    """
    categories = np.array(scores.categories, dtype=object)
    described = []
    for name, rows in scores.rows_by_category.most_common(MAXIMUM_CATEGORIES):
        chosen = categories == name
        described.append(
            {
                "name": name,
                "records": rows,
                "counted": int(chosen.sum()),
                "metrics": metric_statistics(scores, baseline, confidence, chosen),
            }
        )
    return described
