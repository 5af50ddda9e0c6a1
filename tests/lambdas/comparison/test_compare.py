import json
import math
from pathlib import Path

import numpy as np
import pytest
from jsonschema import Draft202012Validator
from scipy import stats

import comparison
from comparison.errors import InvalidData, InvalidInput
from comparison.handler import handler

RESULTS_SCHEMA = json.loads((Path(comparison.__file__).parent / "results.schema.json").read_text())


def numbers(count, seed=1):
    return np.random.default_rng(seed).random(count).round(3).tolist()


def test_means_differences_and_counts(run, score):
    base, gain = numbers(30), [0.1] * 18 + [0.0] * 5 + [-0.05] * 7
    rows = [score(n, base=b, custom=b + g) for n, (b, g) in enumerate(zip(base, gain, strict=True), 1)]
    run.add_shard(rows[:13])
    run.add_shard(rows[13:])
    result = handler(run.compare_event(), None)
    (candidate,) = result["candidates"]
    assert (result["records"], result["counted"], result["coverage"]) == (30, 30, 1.0)
    assert result["problems"] == {}
    assert result["means"]["base"]["bertscore_f1"] == pytest.approx(np.mean(base))
    assert result["means"]["custom"]["bertscore_f1"] == pytest.approx(np.mean(base) + np.mean(gain))
    assert (candidate["name"], candidate["metric"]) == ("custom", "bertscore_f1")
    assert (candidate["wins"], candidate["ties"], candidate["losses"]) == (18, 5, 7)
    assert candidate["difference"]["mean"] == pytest.approx(np.mean(gain))
    assert candidate["difference"]["low"] < np.mean(gain) < candidate["difference"]["high"]
    assert not candidate["tooSmall"]
    assert result["results"] == "runs/0123456789abcdef/results.json"


def test_equal_answers_are_ties_in_spite_of_rounding(run, score):
    noise = np.random.default_rng(1).normal(0, 3e-7, 50)
    run.add_shard(
        [score(n, base=b, custom=b + abs(e)) for n, (b, e) in enumerate(zip(numbers(50), noise, strict=True))]
    )
    (candidate,) = handler(run.compare_event(), None)["candidates"]
    assert (candidate["wins"], candidate["ties"], candidate["losses"]) == (0, 50, 0)
    assert candidate["difference"] == {"mean": 0.0, "low": 0.0, "high": 0.0}
    assert not candidate["tooSmall"]


def test_records_that_do_not_count_are_in_no_mean(run, score):
    rows = [score(n, base=0.5, custom=0.6) for n in range(1, 99)]
    rows.append(score(99, base=0.0, custom=0.0) | {"counted": False, "problems": {"custom": "max_tokens"}})
    run.add_shard(rows)
    result = handler(run.compare_event(records=100), None)
    assert (result["records"], result["counted"], result["coverage"]) == (100, 98, 0.98)
    assert result["problems"] == {"custom": {"max_tokens": 1}}
    assert result["means"]["base"]["bertscore_f1"] == pytest.approx(0.5)
    assert run.results()["scored"] == 99


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf, None, "0.9"])
def test_a_value_that_is_no_finite_number_does_not_count(run, score, value):
    run.add_shard([score(n, base=0.5, custom=0.6) for n in range(1, 50)] + [score(50, base=value, custom=0.9)])
    result = handler(run.compare_event(), None)
    assert result["counted"] == 49
    assert result["problems"] == {"base": {"not_a_number": 1}}
    assert result["means"]["custom"]["bertscore_f1"] == pytest.approx(0.6)


def test_a_missing_value_of_another_metric_leaves_the_pair_out_of_that_metric(run, score):
    rows = [
        score(n, base={"bertscore_f1": 0.5, "rouge_1": 0.2}, custom={"bertscore_f1": 0.6, "rouge_1": 0.4})
        for n in range(1, 20)
    ]
    rows.append(
        score(20, base={"bertscore_f1": 0.5, "rouge_1": math.nan}, custom={"bertscore_f1": 0.6, "rouge_1": 1.0})
    )
    run.add_shard(rows)
    result = handler(run.compare_event(), None)
    assert result["counted"] == 20
    assert result["means"]["custom"] == {"bertscore_f1": pytest.approx(0.6), "rouge_1": pytest.approx(0.4)}
    assert run.results()["metrics"]["rouge_1"]["records"] == 19


@pytest.mark.parametrize("rows", [0, 1, 9])
def test_too_few_records_have_no_interval_and_are_too_small(run, score, rows):
    run.add_shard([score(n, base=0.1, custom=0.9) for n in range(rows)])
    (candidate,) = handler(run.compare_event(records=max(rows, 1)), None)["candidates"]
    assert candidate["difference"]["mean"] == (pytest.approx(0.8) if rows else None)
    assert candidate["difference"]["low"] is None
    assert candidate["tooSmall"]


def test_no_record_and_no_shard_at_all(run):
    result = handler(run.compare_event(records=0), None)
    assert (result["counted"], result["coverage"], result["means"]) == (0, 0.0, {"base": {}, "custom": {}})
    assert result["candidates"][0]["difference"] == {"mean": None, "low": None, "high": None}


@pytest.mark.parametrize(("differing", "has_interval"), [(0, True), (5, False), (6, True)])
def test_a_handful_of_records_that_differ_is_too_small(run, score, differing, has_interval):
    run.add_shard([score(n, base=0.5, custom=0.9 if n < differing else 0.5) for n in range(100)])
    (candidate,) = handler(run.compare_event(), None)["candidates"]
    assert (candidate["difference"]["low"] is not None) == has_interval
    assert candidate["tooSmall"] == (not has_interval)


@pytest.mark.parametrize(("least", "too_small"), [(0.0, False), (0.05, True), (0.2, False)])
def test_too_small_means_that_the_minimum_improvement_is_inside_the_interval(run, score, least, too_small):
    gains = np.random.default_rng(5).normal(0.05, 0.05, 60)
    run.add_shard([score(n, base=0.5, custom=0.5 + gain) for n, gain in enumerate(gains)])
    event = run.compare_event()
    event["gate"] = event["gate"] | {"minImprovement": least}
    (candidate,) = handler(event, None)["candidates"]
    assert candidate["tooSmall"] == too_small


def test_the_records_needed_would_decide(run, score):
    gains = np.random.default_rng(5).normal(0.01, 0.1, 100)
    run.add_shard([score(n, base=0.5, custom=0.5 + gain) for n, gain in enumerate(gains)])
    handler(run.compare_event(), None)
    needed = run.results()["candidates"][0]["recordsNeeded"]
    effect = gains.mean() / gains.std(ddof=1)
    power = stats.norm.sf(1.96 - abs(effect) * math.sqrt(needed))
    assert power == pytest.approx(0.8, abs=0.01)


def test_several_candidates_have_wider_intervals(run, score):
    gains = np.random.default_rng(5).normal(0.05, 0.05, 60)
    rows = [score(n, base=0.5, a=0.5 + gain, b=0.4, c=0.3) for n, gain in enumerate(gains)]
    run.add_shard(rows)
    (alone,) = handler(run.compare_event(models=["base", "a"]), None)["candidates"]
    among = handler(run.compare_event(models=["base", "a", "b", "c"]), None)["candidates"]
    assert [candidate["name"] for candidate in among] == ["a", "b", "c"]
    assert among[0]["difference"]["low"] < alone["difference"]["low"]
    assert among[0]["difference"]["high"] > alone["difference"]["high"]
    assert run.results()["interval"]["confidence"] == pytest.approx(1 - 0.05 / 3)


@pytest.mark.parametrize("value", [0.0, None])
def test_nothing_is_decided_on_a_metric_that_says_nothing(run, score, value):
    silent = {"rouge_l": value, "bertscore_f1": 0.5}
    run.add_shard([score(n, base=silent, custom=silent | {"bertscore_f1": 0.7}) for n in range(30)])
    event = run.compare_event()
    (candidate,) = handler(event, None)["candidates"]
    assert candidate["difference"]["mean"] == pytest.approx(0.2)
    assert run.results()["silentMetrics"] == ["rouge_l"]
    event["gate"] = event["gate"] | {"metric": "rouge_l"}
    (candidate,) = handler(event, None)["candidates"]
    assert candidate["difference"] == {"mean": None, "low": None, "high": None}
    handler(run.report_event(verdict="INCONCLUSIVE", winner=None, gate=event["gate"]), None)
    page = run.get("report.html")
    assert "ROUGE-L is 0 or undefined for every answer of every model" in page or value is None
    assert "have no record in common that could be scored" in page or value == 0


def test_one_model_alone_is_scored_without_candidates(run, score):
    run.add_shard([score(n, base=0.5) for n in range(20)])
    result = handler(run.compare_event(models=["base"]), None)
    assert result["candidates"] == []
    assert result["means"] == {"base": {"bertscore_f1": 0.5}}


def test_answer_length_only_describes(run, score):
    rows = [
        score(n, base={"bertscore_f1": 0.5, "answer_length": 10}, custom={"bertscore_f1": 0.6, "answer_length": 30})
        for n in range(20)
    ]
    run.add_shard(rows)
    handler(run.compare_event(), None)
    described = run.results()["metrics"]["answer_length"]
    assert described["higherIsBetter"] is False
    assert described["differences"]["custom"] == {
        "mean": 20.0, "low": 20.0, "high": 20.0, "wins": None, "ties": None, "losses": None,
    }  # fmt: skip
    event = run.compare_event()
    event["gate"] = event["gate"] | {"metric": "answer_length"}
    with pytest.raises(InvalidInput, match=r"gate\.metric: 'answer_length' only describes answers"):
        handler(event, None)


def test_categories(run, score):
    rows = [score(n, "short", base=0.5, custom=0.6) for n in range(12)]
    rows += [score(n, "long", base=0.5, custom=0.3) for n in range(12, 42)]
    rows += [score(42, "long", base=0.5, custom=0.3) | {"counted": False, "problems": {"base": "max_tokens"}}]
    rows += [score(43, base=0.0, custom=0.0)]
    run.add_shard(rows)
    handler(run.compare_event(), None)
    found = {
        category["name"]: (
            category["records"],
            category["counted"],
            category["metrics"]["bertscore_f1"]["differences"]["custom"]["mean"],
        )
        for category in run.results()["categories"]
    }
    assert found == {"long": (31, 30, pytest.approx(-0.2)), "short": (12, 12, pytest.approx(0.1))}


def test_the_records_that_changed_most(run, score):
    gains = [0.0, 0.3, -0.2, 0.1, 0.2, -0.4, 0.4, 0.5, 0.6]
    run.add_shard([score(n, base=0.5, custom=0.5 + gain) for n, gain in enumerate(gains)])
    handler(run.compare_event(), None)
    (candidate,) = run.results()["candidates"]
    assert [item["id"] for item in candidate["gained"]] == ["8", "7", "6", "1", "4"]
    assert [item["id"] for item in candidate["lost"]] == ["5", "2"]
    assert sum(candidate["histogram"]["counts"]) == len(gains)
    assert candidate["histogram"]["edges"][0] == -candidate["histogram"]["edges"][-1] == pytest.approx(-0.6)


def test_missing_shards_are_named(run, score):
    for shard in range(3):
        run.add_shard([score(shard, base=0.5, custom=0.6)])
    for index in (0, 2):
        run.client.delete_object(Bucket="results", Key=f"runs/0123456789abcdef/scores/{index:05d}.json")
    with pytest.raises(
        InvalidData, match=r"2 of 3 score files are missing in results: \S+/00000\.json, \S+/00002\.json"
    ):
        handler(run.compare_event(), None)


def test_a_record_that_is_scored_twice_is_refused(run, score):
    run.add_shard([score(1, base=0.5, custom=0.6)])
    run.add_shard([score(1, base=0.5, custom=0.6)])
    with pytest.raises(InvalidData, match="the record '1' was scored twice"):
        handler(run.compare_event(), None)


def test_more_rows_than_records_are_refused(run, score):
    run.add_shard([score(n, base=0.5, custom=0.6) for n in range(5)])
    with pytest.raises(InvalidData, match="5 rows were scored, but the evaluation set has only 4 records"):
        handler(run.compare_event(records=4), None)


def test_shards_of_different_signatures_are_refused(run, score):
    run.add_shard([score(1, base=0.5, custom=0.6)])
    run.add_shard([score(2, base=0.5, custom=0.6)], {"signatures": {"bertscore": "bertscore|encoder:other"}})
    with pytest.raises(InvalidData, match=r"signatures: shard 1 has 'bertscore|encoder:other' for bertscore"):
        handler(run.compare_event(), None)


def test_shards_of_different_precisions_are_compared_and_the_results_say_so(run, score):
    signature = "bertscore|encoder:test|precision:{}|definition:bert-score-0.3.13"
    precisions = ("fp32", "bf16(deviation<=0.01)", "fp32")
    for number, precision in enumerate(precisions):
        shard = {"signatures": {"bertscore": signature.format(precision)}}
        run.add_shard([score(number, base=0.5, custom=0.6)], shard)

    handler(run.compare_event(), None)

    assert run.results()["signatures"]["bertscore"] == signature.format("bf16(deviation<=0.01)+fp32")
    other = signature.format("fp32").replace("test", "other")
    run.add_shard([score(9, base=0.5, custom=0.6)], {"signatures": {"bertscore": other}})
    with pytest.raises(InvalidData, match=r"signatures: shard 3 has 'bertscore\|encoder:other"):
        handler(run.compare_event(), None)


@pytest.mark.parametrize("changes", [{"index": 7}, {"rows": 9}])
def test_a_shard_that_is_not_what_it_says_is_refused(run, score, changes):
    run.add_shard([score(1, base=0.5, custom=0.6)], changes)
    with pytest.raises(InvalidData, match=r"scores/00000\.json: says that it is shard"):
        handler(run.compare_event(), None)


def test_a_shard_that_was_cut_is_refused(run):
    run.put("scores/00000.json", '{"index": 0, "rows": 2, "sco')
    with pytest.raises(InvalidData, match=r"scores/00000\.json: not JSON"):
        handler(run.compare_event(shards=1), None)


def test_a_metric_that_was_not_scored_is_refused(run, score):
    run.add_shard([score(1, base={"rouge_1": 0.5}, custom={"rouge_1": 0.5})])
    with pytest.raises(InvalidInput, match=r"gate\.metric: 'bertscore_f1' was not scored\. Scored: rouge_1\."):
        handler(run.compare_event(), None)


def test_a_baseline_that_is_no_model_is_refused(run):
    with pytest.raises(InvalidInput, match=r"baseline: 'other' is none of the models\. Allowed: base, custom\."):
        handler(run.compare_event(baseline="other"), None)


def test_the_result_stays_small_whatever_the_data(run, score):
    models = [f"model-{n}" for n in range(10)]
    metrics = {f"metric_{n}": 0.5 for n in range(20)} | {"bertscore_f1": 0.5}
    good = [score(n, f"category {n}", **dict.fromkeys(models, metrics)) for n in range(100)]
    bad = [
        score(n) | {"counted": False, "problems": dict.fromkeys(models, f"Service.Error{n}")} for n in range(100, 400)
    ]
    run.add_shard(good + bad)
    result = handler(run.compare_event(models=models, baseline="model-0"), None)
    assert len(json.dumps(result)) < 64_000
    assert sum(result["problems"]["model-3"].values()) == 300
    assert result["problems"]["model-3"]["other"] == 280
    assert len(run.results()["categories"]) == 50


@pytest.mark.parametrize("rows", [0, 3, 40])
def test_results_follow_their_schema(run, score, rows):
    Draft202012Validator.check_schema(RESULTS_SCHEMA)
    run.add_shard([score(n, "a", base=0.5, custom=0.5 + n / 100) for n in range(rows)])
    handler(run.compare_event(), None)
    Draft202012Validator(RESULTS_SCHEMA).validate(run.results())
