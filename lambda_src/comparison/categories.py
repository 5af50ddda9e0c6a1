"""Results by category, for records that have one."""

from typing import Any

import numpy as np

from comparison.baselines import against
from comparison.scores import Scores
from comparison.statistics import metric_statistics

MAXIMUM_CATEGORIES = 50
"""The largest ones are reported; more would be no categories."""


def by_category(scores: Scores, deciding: dict[str, str], confidence: float) -> list[dict[str, Any]]:
    """Return the statistics of each category, the largest first.

    Args:
        scores: All scores.
        deciding: The baseline that each candidate is compared with.
        confidence: The confidence of each interval.

    Returns:
        `[{"name", "records", "counted", "metrics": as for all records}]`.
    """
    categories = np.array(scores.categories, dtype=object)
    baselines = list(dict.fromkeys(deciding.values()))
    described = []
    for name, rows in scores.rows_by_category.most_common(MAXIMUM_CATEGORIES):
        chosen = categories == name
        metrics = metric_statistics(scores, baselines, confidence, chosen)
        described.append(
            {
                "name": name,
                "records": rows,
                "counted": int(chosen.sum()),
                "metrics": against(metrics, deciding),
            }
        )
    return described
