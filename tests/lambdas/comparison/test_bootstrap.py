"""The intervals, checked against SciPy's own bootstrap and by what they promise."""

import numpy as np
import pytest
from scipy import stats

from comparison import bootstrap
from comparison.bootstrap import MINIMUM_RECORDS, mean_intervals
from comparison.statistics import metric_statistics


def differences(shape, seed=1):
    return np.random.default_rng(seed).gamma(2, 0.05, shape) - 0.08


def hesterberg_tail(records, confidence):
    return stats.norm.cdf(-np.sqrt(records / (records - 1)) * stats.t.ppf((1 + confidence) / 2, records - 1))


@pytest.mark.parametrize("confidence", [0.9, 0.95, 0.99])
def test_intervals_of_many_records_agree_with_scipy(confidence):
    values = differences((1200, 3))
    intervals = mean_intervals(values, confidence)
    independent = stats.bootstrap(
        (values,),
        np.mean,
        axis=0,
        n_resamples=20_000,
        confidence_level=1 - 2 * hesterberg_tail(1200, confidence),
        method="percentile",
        rng=np.random.default_rng(7),
    ).confidence_interval
    width = (independent.high - independent.low).max()
    assert np.abs(intervals[:, 0] - independent.low).max() < 0.06 * width
    assert np.abs(intervals[:, 1] - independent.high).max() < 0.06 * width


def test_intervals_of_shares_are_those_of_the_exact_bootstrap_distribution():
    """The resampled mean of ones and zeros is binomial, so its percentiles need no resampling."""
    wins = 130
    values = np.concatenate([np.ones(wins), np.zeros(2000 - wins)])[:, None]
    tail = hesterberg_tail(2000, 0.95)
    exact = stats.binom.ppf([tail, 1 - tail], 2000, wins / 2000) / 2000
    assert mean_intervals(values, 0.95)[0] == pytest.approx(exact, abs=1.5 / 2000)


@pytest.mark.parametrize("records", [12, 40, 300])
@pytest.mark.parametrize("confidence", [0.9, 0.99])
def test_intervals_of_few_records_reach_as_far_as_the_farther_of_two_bootstraps(records, confidence):
    values = differences((records, 1))[:, 0]
    drawn = np.random.default_rng(8).choice(values, (20_000, records))
    means = drawn.mean(axis=1)
    ratios = (means - values.mean()) / stats.sem(drawn, axis=1)
    tail = hesterberg_tail(records, confidence)
    low, high = np.quantile(means, [tail, 1 - tail])
    smallest, largest = np.quantile(ratios, [(1 - confidence) / 2, (1 + confidence) / 2])
    expected = (
        min(low, values.mean() - largest * stats.sem(values)),
        max(high, values.mean() - smallest * stats.sem(values)),
    )
    width = expected[1] - expected[0]
    assert mean_intervals(values[:, None], confidence)[0] == pytest.approx(expected, abs=0.08 * width)


def test_normal_data_get_about_the_interval_of_students_t():
    values = np.random.default_rng(3).normal(0.02, 0.1, (25, 40))
    widths = np.diff(mean_intervals(values, 0.95), axis=1)[:, 0]
    students = 2 * stats.t.ppf(0.975, 24) * values.std(axis=0, ddof=1) / 5
    assert 1 <= np.median(widths / students) < 1.12


def test_values_whose_resamples_often_have_no_spread_have_no_interval():
    values = np.full((20, 2), 0.1)
    values[0, 0] = -0.9
    intervals = mean_intervals(values, 0.95)
    assert np.isnan(intervals[0]).all(), "a third of the resamples has only gains"
    assert intervals[1].tolist() == [0.1, 0.1]


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
    """Scores of one metric, an array for each model."""

    models = ("base", "custom")
    metrics = ("bertscore_f1",)

    def __init__(self, *by_model):
        self._values = np.array(by_model)

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


SKEWED = {
    "many gain little, few lose much": lambda generator, shape: generator.beta(8, 1, shape) - 8 / 9,
    "exponential losses": lambda generator, shape: 1 - generator.exponential(1, shape),
    "lognormal losses": lambda generator, shape: np.exp(0.125) - np.exp(generator.normal(0, 0.5, shape)),
    "lognormal gains": lambda generator, shape: np.exp(generator.normal(0, 0.5, shape)) - np.exp(0.125),
    "heavy tails": lambda generator, shape: generator.standard_t(3, shape),
}


@pytest.mark.parametrize("skew", SKEWED)
@pytest.mark.parametrize("records", [10, 20, 50])
def test_skewed_differences_around_zero_are_an_improvement_in_at_most_five_percent_of_trials(
    skew, records, monkeypatch
):
    monkeypatch.setattr(bootstrap, "RESAMPLES", 999)
    trials = SKEWED[skew](np.random.default_rng(13), (records, 2000))
    assert (mean_intervals(trials, 0.95)[:, 0] > 0).mean() <= 0.05


def test_rare_large_losses_are_noticed(monkeypatch):
    monkeypatch.setattr(bootstrap, "RESAMPLES", 999)
    trials = np.where(np.random.default_rng(13).random((100, 2000)) < 0.1, -0.9, 0.1)
    assert (mean_intervals(trials, 0.95)[:, 0] > 0).mean() <= 0.05


def test_of_several_candidates_that_are_the_baseline_again_any_is_better_in_at_most_five_percent(monkeypatch):
    monkeypatch.setattr(bootstrap, "RESAMPLES", 1999)
    generator = np.random.default_rng(17)
    names, trials, better = [f"m{number}" for number in range(5)], 200, 0
    for _ in range(trials):
        scores = OneMetric(*generator.beta(8, 2, (5, 40)))
        scores.models = names
        found = metric_statistics(scores, names[:1], 1 - 0.05 / 4)["bertscore_f1"]["differences"]
        better += any(found[name]["m0"]["low"] > 0 for name in names[1:])
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
