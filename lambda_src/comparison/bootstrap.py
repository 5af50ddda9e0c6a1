"""Confidence intervals of means by the bootstrap.

Records are drawn with replacement, all models' values of a record together. The expanded percentile bootstrap lies
between two percentiles of the resampled means: those that make the interval of normal data as wide as Student's t for
small sets, and the plain ones for large sets (T. Hesterberg, "What Teachers Should Know About the Bootstrap", The
American Statistician 69, 2015, section 5.3). It is too sure where a few records lose much and many gain little, which
the studentized bootstrap notices: it divides each resampled mean's deviation by the resample's own standard error (B.
Efron and R. J. Tibshirani, "An Introduction to the Bootstrap", 1993, section 12.5). Up to `STUDENTIZED_RECORDS` the
interval reaches as far as either; beyond, both agree. The seed is fixed, so the same scores give the same intervals.

No method sees losses that are so rare that the sample has none of them.

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
STUDENTIZED_RECORDS = 1000
MAXIMUM_GROUPS = 10_000
DRAWS_AT_ONCE = 1_000_000
ROUNDING = 1e-9
DECIMALS = 12
"""Means are rounded, so that no error of summation makes a difference of zero look like a gain."""


def mean_intervals(values: npt.NDArray[np.float64], confidence: float) -> npt.NDArray[np.float64]:
    """Return the confidence interval of the mean of each column.

    Args:
        values: One row for each record, finite numbers.
        confidence: The share of repetitions in which an interval holds the true mean, for example 0.95.

    Returns:
        One row for each column of `values`: low and high; NaN if there are fewer than `MINIMUM_RECORDS` records, or so
        few different values that resamples without any spread are common.
    """
    records, columns = values.shape
    if records < MINIMUM_RECORDS:
        return np.full((columns, 2), np.nan)
    tail = expanded_tail(records, confidence)
    centre = values.mean(axis=0)
    deviations, ratios = _resampled(values - centre, studentized=records <= STUDENTIZED_RECORDS)
    low, high = np.quantile(deviations, [tail, 1 - tail], axis=0)
    if ratios is not None:
        error = values.std(axis=0, ddof=1) / math.sqrt(records)
        lowest = np.quantile(ratios, (1 - confidence) / 2, axis=0, method="lower")
        highest = np.quantile(ratios, (1 + confidence) / 2, axis=0, method="higher")
        bounded = np.isfinite(lowest) & np.isfinite(highest)
        low = np.where(bounded, np.minimum(low, -highest * error), np.nan)
        high = np.where(bounded, np.maximum(high, -lowest * error), np.nan)
    return np.column_stack([centre + low, centre + high]).round(DECIMALS)


def expanded_tail(records: int, confidence: float) -> float:
    """Return the share of resampled means that lies below an interval, and as much above it.

    Args:
        records: The number of records.
        confidence: The interval's confidence.
    """
    width = stats.t.ppf((1 + confidence) / 2, records - 1)
    return float(stats.norm.cdf(-math.sqrt(records / (records - 1)) * width))


def _resampled(
    deviations: npt.NDArray[np.float64], *, studentized: bool
) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64] | None]:
    """Return the resampled means of deviations from the mean and, if asked for, each over its own standard error."""
    generator = np.random.default_rng(SEED)
    sums, sizes = _groups(deviations, generator)
    groups, columns = sums.shape
    means = np.empty((RESAMPLES, columns))
    ratios = np.empty((RESAMPLES, columns)) if studentized else None
    batch = max(1, DRAWS_AT_ONCE // groups)
    offsets = np.arange(batch)[:, None] * groups
    for start in range(0, RESAMPLES, batch):
        size = min(batch, RESAMPLES - start)
        drawn = generator.integers(0, groups, size=(size, groups)) + offsets[:size]
        weights = np.bincount(drawn.ravel(), minlength=size * groups).reshape(size, groups).astype(np.float64)
        found = (weights @ sums) / (weights @ sizes)[:, None]
        means[start : start + size] = found
        if ratios is not None:
            variances = weights @ sums**2 / groups - found**2
            ratios[start : start + size] = _ratios(found, variances / (groups - 1))
    return means, ratios


def _ratios(means: npt.NDArray[np.float64], squared_errors: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """Divide means by their standard errors: infinite where a resample has no spread, but not the mean of the whole."""
    errors = np.sqrt(np.maximum(squared_errors, 0))
    no_spread = errors <= ROUNDING
    ratios = means / np.where(no_spread, 1, errors)
    return np.where(no_spread, np.where(np.abs(means) <= ROUNDING, 0, np.copysign(np.inf, means)), ratios)


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
