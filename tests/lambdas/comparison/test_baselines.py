"""Several baselines: a candidate has to be better than every one of them."""

import json
from pathlib import Path

import numpy as np
import pytest
from jsonschema import Draft202012Validator

import comparison
from comparison import bootstrap
from comparison.baselines import deciding_baselines
from comparison.handler import handler
from comparison.statistics import metric_statistics

MODELS = ["small", "large", "tuned-small", "tuned-large"]


@pytest.fixture
def compared(run, score):
    """Compares four models on 60 records; values are means, each record's own noise is the same for all."""

    def compare(**means):
        noise = np.random.default_rng(3).normal(0, 0.05, (len(MODELS), 60))
        values = {model: 0.5 + means.get(model, 0.0) + noise[n] for n, model in enumerate(MODELS)}
        run.add_shard([score(n, **{model: value[n] for model, value in values.items()}) for n in range(60)])
        result = handler(run.compare_event(models=MODELS, baseline=["small", "large"]), None)
        return {candidate["name"]: candidate for candidate in result["candidates"]}

    return compare


def test_baselines_are_no_candidates_and_each_candidate_is_compared_with_all(compared, run):
    assert list(compared()) == ["tuned-small", "tuned-large"]
    results = run.results()
    assert results["baselines"] == ["small", "large"]
    assert results["interval"]["comparisons"] == 2
    for candidate in results["candidates"]:
        assert list(candidate["comparisons"]) == ["small", "large"]
        own = candidate["comparisons"][candidate["baseline"]]
        assert candidate["difference"] == {bound: own[bound] for bound in ("mean", "low", "high")}
        assert results["metrics"]["bertscore_f1"]["differences"][candidate["name"]] == own
    schema = json.loads((Path(comparison.__file__).parent / "results.schema.json").read_text())
    Draft202012Validator(schema).validate(results)


def test_a_candidate_that_only_beats_the_weaker_baseline_does_not_pass(compared):
    candidate = compared(**{"large": 0.2, "tuned-small": 0.2})["tuned-small"]
    assert candidate["baseline"] == "large"
    assert candidate["difference"]["low"] < 0 < candidate["difference"]["high"]
    assert candidate["tooSmall"]


def test_a_candidate_passes_when_the_interval_against_every_baseline_lies_above(compared, run):
    candidates = compared(**{"large": 0.2, "tuned-small": 0.3, "tuned-large": 0.4})
    for candidate in run.results()["candidates"]:
        lows = [described["low"] for described in candidate["comparisons"].values()]
        assert candidate["difference"]["low"] == min(lows) > 0
    assert candidates["tuned-large"]["score"] == pytest.approx(0.9, abs=0.02)


def described(low, high):
    return {"mean": 0.0, "low": low, "high": high}


@pytest.mark.parametrize(
    ("differences", "decides"),
    [
        ({"a": described(0.1, 0.2), "b": described(0.05, 0.3)}, "b"),
        ({"a": described(-0.5, 0.5), "b": described(-0.2, -0.1)}, "b"),  # b is certainly lost, a is not
        ({"a": described(None, None), "b": described(-0.2, -0.1)}, "b"),
        ({"a": described(0.1, 0.2), "b": described(None, None)}, "b"),  # nothing is known against b
        ({"a": described(0.01, 0.04), "b": described(0.0, 0.3)}, "a"),  # a's whole interval is below the margin of 0.05
    ],
)
def test_the_baseline_that_decides(differences, decides):
    statistics = {"differences": {"custom": differences}}
    assert deciding_baselines(["custom"], ["a", "b"], statistics, 0.05) == {"custom": decides}


def test_without_scores_the_first_baseline_stands_for_all():
    assert deciding_baselines(["custom"], ["a", "b"], {}, 0.0) == {"custom": "a"}


def test_a_model_like_all_baselines_is_better_in_at_most_five_percent_of_trials(monkeypatch):
    class Same:
        models = ("a", "b", "custom")
        metrics = ("bertscore_f1",)

        def __init__(self, values):
            self._values = values

        def values(self, metric):
            return self._values

    monkeypatch.setattr(bootstrap, "RESAMPLES", 999)
    generator, trials, better = np.random.default_rng(12), 400, 0
    for _ in range(trials):
        # b is far below, so that a alone decides: the hardest case for the level.
        values = generator.normal(0.8, 0.1, (3, 50)) - [[0.0], [0.5], [0.0]]
        found = metric_statistics(Same(values), ["a", "b"], 0.95)["bertscore_f1"]["differences"]["custom"]
        better += all(difference["low"] > 0 for difference in found.values())
    assert 0 < better / trials <= 0.05


def test_a_baseline_that_is_no_model_is_refused(run):
    with pytest.raises(Exception, match=r"baseline: 'other' is none of the models\. Allowed: base, custom\."):
        handler(run.compare_event(baseline=["base", "other"]), None)
