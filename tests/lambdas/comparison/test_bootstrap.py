"""The intervals, checked against SciPy's own bootstrap and by what they promise."""

import numpy as np
import pytest
from scipy import stats

from comparison import bootstrap
from comparison.bootstrap import MINIMUM_RECORDS, expanded_tail, mean_intervals
from comparison.statistics import metric_statistics


def differences(shape, seed=1):
    return np.random.default_rng(seed).gamma(2, 0.05, shape) - 0.08


@pytest.mark.parametrize("records", [12, 40, 300])
@pytest.mark.parametrize("confidence", [0.9, 0.95, 0.99])
def test_intervals_agree_with_scipy(records, confidence):
    values = differences((records, 3))
    intervals = mean_intervals(values, confidence)
    independent = stats.bootstrap(
        (values,),
        np.mean,
        axis=0,
        n_resamples=20_000,
        confidence_level=1 - 2 * expanded_tail(records, confidence),
        method="percentile",
        rng=np.random.default_rng(7),
    ).confidence_interval
    width = independent.high - independent.low
    assert np.abs(intervals[:, 0] - independent.low).max() < 0.06 * width.max()
    assert np.abs(intervals[:, 1] - independent.high).max() < 0.06 * width.max()


def test_normal_data_get_the_interval_of_students_t():
    values = np.random.default_rng(3).normal(0.02, 0.1, 25)
    low, high = mean_intervals(values[:, None], 0.95)[0]
    expected = stats.t.interval(0.95, 24, loc=values.mean(), scale=values.std(ddof=1) / 5)
    assert (low, high) == pytest.approx(expected, abs=0.004)


@pytest.mark.parametrize("records", [1001, 2500])
def test_groups_of_many_records_give_the_same_interval(records, monkeypatch):
    monkeypatch.setattr(bootstrap, "MAXIMUM_GROUPS", 1000)
    values = differences((records, 2))
    intervals = mean_intervals(values, 0.95)
    error = values.std(axis=0, ddof=1) / np.sqrt(records)
    expected = values.mean(axis=0)[:, None] + 1.96 * error[:, None] * np.array([-1, 1])
    assert np.abs(intervals - expected).max() < 0.12 * error.max()


def test_groups_of_unequal_size_keep_the_mean(monkeypatch):
    monkeypatch.setattr(bootstrap, "MAXIMUM_GROUPS", 10)
    values = np.where(np.arange(15) < 5, 1.0, 0.0)[:, None]
    low, high = mean_intervals(values, 0.95)[0]
    assert low < 1 / 3 < high
    assert mean_intervals(np.full((15, 1), 0.25), 0.95)[0].tolist() == [0.25, 0.25]


def test_the_same_scores_give_the_same_interval():
    values = differences((50, 2))
    assert mean_intervals(values, 0.95).tolist() == mean_intervals(values, 0.95).tolist()


def test_too_few_records_have_no_interval():
    assert np.isnan(mean_intervals(np.ones((MINIMUM_RECORDS - 1, 1)), 0.95)).all()
    assert not np.isnan(mean_intervals(np.ones((MINIMUM_RECORDS, 1)), 0.95)).any()


class OneMetric:
    """Scores of one metric, made from two arrays."""

    models = ("base", "custom")
    metrics = ("bertscore_f1",)

    def __init__(self, base, custom):
        self._values = np.array([base, custom])

    def values(self, metric):
        return self._values


NULLS = {
    "noise": lambda generator, n: generator.normal(0.8, 0.1, (2, n)),
    "bounded and skewed": lambda generator, n: generator.beta(8, 1, (2, n)),
    "right or wrong": lambda generator, n: generator.choice([0.0, 1.0], p=[0.2, 0.8], size=(2, n)),
    "mostly ties": lambda generator, n: np.where(generator.random(n) < 0.85, 0.5, generator.normal(0.5, 0.2, (2, n))),
}


@pytest.mark.parametrize("null", NULLS)
@pytest.mark.parametrize("records", [10, 20, 100])
def test_a_model_compared_with_itself_is_better_in_at_most_five_percent_of_trials(null, records, monkeypatch):
    monkeypatch.setattr(bootstrap, "RESAMPLES", 999)
    generator = np.random.default_rng(11)
    trials = 400
    better = 0
    for _ in range(trials):
        scores = OneMetric(*NULLS[null](generator, records))
        low = metric_statistics(scores, ["base"], 0.95)["bertscore_f1"]["differences"]["custom"]["base"]["low"]
        better += low is not None and low > 0
    assert better / trials <= 0.05


def test_a_real_improvement_is_found(monkeypatch):
    monkeypatch.setattr(bootstrap, "RESAMPLES", 999)
    generator = np.random.default_rng(11)
    found = 0
    for _ in range(50):
        base = generator.normal(0.8, 0.1, 100)
        scores = OneMetric(base, base + generator.normal(0.03, 0.05, 100))
        found += metric_statistics(scores, ["base"], 0.95)["bertscore_f1"]["differences"]["custom"]["base"]["low"] > 0
    assert found == 50
