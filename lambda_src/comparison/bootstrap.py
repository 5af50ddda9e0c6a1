"""Confidence intervals of means by the bootstrap.

The method is the expanded percentile bootstrap: records are drawn with replacement, all models' values of a record
together, and the interval lies between two percentiles of the resampled means. The percentiles are those that make the
interval of normal data as wide as Student's t for small sets; for large sets they are the plain ones (T. Hesterberg,
"What Teachers Should Know About the Bootstrap", The American Statistician 69, 2015, section 5.3). The seed is fixed, so
the same scores give the same intervals.

All means of a set of records are resampled with the same draws, as one matrix product; `scipy.stats.bootstrap` gives
the same percentiles for one column at a time. Above 10,000 records, the records are first dealt at random into 10,000
groups and the groups are drawn: a mean's spread and skew show in them as well, and time and memory stop growing.
"""

import math

import numpy as np
import numpy.typing as npt
from scipy import stats

RESAMPLES = 9999
SEED = 20240617
MINIMUM_RECORDS = 10
"""Fewer records have no interval: whatever their differences are, they may be chance."""
MAXIMUM_GROUPS = 10_000
DRAWS_AT_ONCE = 1_000_000
DECIMALS = 12
"""Means are rounded, so that no error of summation makes a difference of zero look like a gain."""


def mean_intervals(values: npt.NDArray[np.float64], confidence: float) -> npt.NDArray[np.float64]:
    """Return the confidence interval of the mean of each column.

    Args:
        values: One row for each record, finite numbers.
        confidence: The share of repetitions in which an interval holds the true mean, for example 0.95.

    Returns:
        One row for each column of `values`: low and high; NaN if there are fewer than `MINIMUM_RECORDS` records.
    """
    records, columns = values.shape
    if records < MINIMUM_RECORDS:
        return np.full((columns, 2), np.nan)
    tail = expanded_tail(records, confidence)
    means = _resampled_means(values)
    low, high = np.quantile(means, [tail, 1 - tail], axis=0).round(DECIMALS)
    return np.column_stack([low, high])


def expanded_tail(records: int, confidence: float) -> float:
    """Return the share of resampled means that lies below an interval, and as much above it.

    Args:
        records: The number of records.
        confidence: The interval's confidence.
    """
    width = stats.t.ppf((1 + confidence) / 2, records - 1)
    return float(stats.norm.cdf(-math.sqrt(records / (records - 1)) * width))


def _resampled_means(values: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    generator = np.random.default_rng(SEED)
    sums, sizes = _groups(values, generator)
    groups, columns = sums.shape
    means = np.empty((RESAMPLES, columns))
    batch = max(1, DRAWS_AT_ONCE // groups)
    offsets = np.arange(batch)[:, None] * groups
    for start in range(0, RESAMPLES, batch):
        size = min(batch, RESAMPLES - start)
        drawn = generator.integers(0, groups, size=(size, groups)) + offsets[:size]
        weights = np.bincount(drawn.ravel(), minlength=size * groups).reshape(size, groups).astype(np.float64)
        means[start : start + size] = (weights @ sums) / (weights @ sizes)[:, None]
    return means


def _groups(
    values: npt.NDArray[np.float64], generator: np.random.Generator
) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
    """Return the sums and sizes of what is drawn: single records, or groups of them if there are many."""
    records = len(values)
    if records <= MAXIMUM_GROUPS:
        return values, np.ones(records)
    starts = np.linspace(0, records, MAXIMUM_GROUPS, endpoint=False, dtype=np.intp)
    sums = np.add.reduceat(values[generator.permutation(records)], starts, axis=0)
    return sums, np.diff(starts, append=records).astype(np.float64)
