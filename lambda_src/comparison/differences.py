"""How the paired differences are distributed, and which records gained and lost most."""

from typing import Any

import numpy as np

from comparison.statistics import Array, number

BINS = 21
EXTREMES = 5


def histogram(differences: Array) -> dict[str, list[float | None] | list[int]]:
    """Count differences in bins of equal width around zero.

    Args:
        differences: The paired differences.

    Returns:
        `{"edges": 22 numbers, "counts": 21 numbers}`; both empty if there is no difference.
    """
    if not len(differences):
        return {"edges": [], "counts": []}
    reach = float(np.abs(differences).max()) or 1.0
    counts, edges = np.histogram(differences, bins=BINS, range=(-reach, reach))
    return {"edges": [number(edge) for edge in edges], "counts": [int(count) for count in counts]}


def extremes(differences: Array, ids: list[str]) -> dict[str, list[dict[str, Any]]]:
    """Return the records that gained and lost most.

    Args:
        differences: The paired differences.
        ids: The records' ids, in the same order.

    Returns:
        `{"gained": [{"id", "difference"}], "lost": [...]}`, at most five each, the largest change first.
    """
    order = np.argsort(differences, kind="stable")
    lost = [index for index in order[:EXTREMES] if differences[index] < 0]
    gained = [index for index in order[::-1][:EXTREMES] if differences[index] > 0]
    return {
        name: [{"id": ids[index], "difference": number(differences[index])} for index in chosen]
        for name, chosen in (("gained", gained), ("lost", lost))
    }
