import json
import re
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pytest
from jsonschema import Draft202012Validator

import comparison
from comparison.handler import handler

HOSTILE = '<script>alert("x")</script> & \'quoted\' "text" <img src=x onerror=alert(1)> {{ 7*7 }} </blockquote>'
RTL = "\u0645\u0631\u062d\u0628\u0627 \u05e9\u05dc\u05d5\u05dd"
EMOJI = "\U0001f469\u200d\U0001f680"


class Page(HTMLParser):
    """Collects a page's tags, attributes and text."""

    VOID = frozenset({"meta", "line", "rect"})

    def __init__(self, source):
        super().__init__()
        self.tags = []
        self.open = []
        self.text = ""
        self.feed(source)
        self.close()

    def handle_starttag(self, tag, attributes):
        self.tags.append((tag, dict(attributes)))
        if tag not in self.VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag, attributes):
        self.tags.append((tag, dict(attributes)))

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        self.text += data

    def names(self):
        return [name for name, _ in self.tags]


@pytest.fixture
def evaluated(run, score):
    """A run with scores, records and answers; record 3 gained most, record 4 lost most."""

    def evaluate(prompt=lambda n: f"Prompt {n}", answer=lambda n, model: f"{model} answers {n}", count=40, **options):
        models = options.get("models", ["base", "custom"])
        category = options.get("category")
        gains = np.random.default_rng(1).normal(options.get("gain", 0.05), 0.02, count)
        gains[2], gains[3] = 0.3, -0.3
        rows = []
        for n, gain in enumerate(gains, 1):
            values = dict.fromkeys(models, 0.5 + gain) | {models[0]: 0.5}
            rows.append(score(n, category, **{m: {"bertscore_f1": v, "rouge_1": v / 2} for m, v in values.items()}))
        run.add_shard(rows)
        records = [
            {
                "id": str(n),
                "system": [{"text": "Be brief."}],
                "messages": [{"role": "user", "content": [{"text": prompt(n)}]}],
                "references": [f"Reference {n}"],
            }
            for n in range(1, count + 1)
        ]
        answers = [
            {"id": str(n), "responses": {m: {"text": answer(n, m), "stopReason": "end_turn"} for m in models}}
            for n in range(1, count + 1)
        ]
        run.put("evaluation.jsonl", "".join(json.dumps(record) + "\n" for record in records))
        run.put("responses/map/SUCCEEDED_0.json", "".join(json.dumps(row) + "\n" for row in answers))
        handler(run.compare_event(**({"models": models, "baseline": models[0]} | options.get("compare", {}))), None)
        handler(run.report_event(**options.get("report", {})), None)
        return run.get("report.html")

    return evaluate


def test_the_verdict_comes_first_in_words(evaluated):
    page = Page(evaluated())
    assert page.text.index("custom is better than base") < page.text.index("Scores")
    assert "Over 40 records, the BERTScore F1 of custom is on average" in page.text
    assert [name for name in page.names() if name in ("h1", "h2")].index("h1") == 0


def test_results_get_the_verdict_and_still_follow_their_schema(evaluated, run):
    evaluated()
    results = run.results()
    assert (results["verdict"], results["winner"]) == ("BETTER", "custom")
    schema = json.loads((Path(comparison.__file__).parent / "results.schema.json").read_text())
    Draft202012Validator(schema).validate(results)


def test_the_event_names_both_files(evaluated, run):
    evaluated()
    assert handler(run.report_event(), None) == {
        "report": "runs/0123456789abcdef/report.html",
        "results": "runs/0123456789abcdef/results.json",
    }


def test_records_that_changed_most_are_shown_side_by_side(evaluated, run):
    page = Page(evaluated())
    assert page.text.index("Record 3, +0.300") < page.text.index("Record 4, \N{MINUS SIGN}0.300")
    for text in ("Be brief.", "Prompt 3", "Reference 3", "base answers 3", "custom answers 3", "custom answers 4"):
        assert text in page.text
    (candidate,) = run.results()["candidates"]
    assert page.names().count("details") == len(candidate["gained"]) + len(candidate["lost"]) > 5


@pytest.mark.parametrize("text", [HOSTILE, RTL, EMOJI, "a\0b", "\ud800", "x" * 400])
def test_texts_of_data_and_models_are_escaped(evaluated, text):
    source = evaluated(
        prompt=lambda n: text,
        answer=lambda n, model: text,
        models=["base", "custom"],
        category=text,
    )
    page = Page(source)
    shown = text.replace("\0", "\ufffd").replace("\ud800", "?")
    assert page.text.count(shown) >= 4
    assert not {"script", "img"} & set(page.names())
    assert not [name for _, attributes in page.tags for name in attributes if name.startswith("on")]
    assert page.open == []


def test_names_of_models_are_escaped_too(evaluated):
    source = evaluated(models=["base", "<b>x</b>\"'"], report={"winner": "<b>x</b>\"'"})
    page = Page(source)
    assert "b" not in page.names()
    assert "<b>x</b>\"' is better than base" in page.text


def test_huge_texts_are_cut_with_a_note(evaluated):
    source = evaluated(prompt=lambda n: "y" * 150_000)
    assert "The first 1,500 of 150,000 characters are shown." in Page(source).text
    assert len(source) < 200_000


def test_the_page_needs_no_other_file(evaluated):
    source = evaluated()
    page = Page(source)
    assert not {"link", "script", "img", "iframe", "object"} & set(page.names())
    assert not [a for _, attributes in page.tags for a in attributes if a in ("src", "href", "xlink:href")]
    assert "url(" not in source
    assert "@import" not in source
    assert "http" not in source.replace("http-equiv", "")


def test_the_page_is_accessible(evaluated):
    page = Page(evaluated())
    assert ("html", {"lang": "en"}) in page.tags
    assert ("meta", {"name": "viewport", "content": "width=device-width, initial-scale=1"}) in page.tags
    images = [attributes for name, attributes in page.tags if name == "svg"]
    assert images
    assert all(attributes.get("role") == "img" and attributes.get("aria-label") for attributes in images)
    levels = [int(name[1]) for name in page.names() if name in ("h1", "h2", "h3", "h4")]
    assert levels.count(1) == 1
    assert page.open == []


@pytest.mark.parametrize(
    ("gain", "report", "sentences"),
    [
        (-0.05, {"verdict": "NOT_BETTER", "winner": None}, ["custom is worse than base", "lower than that of base"]),
        (0.001, {"verdict": "NOT_BETTER", "winner": None}, ["custom is not better than base", "too small to decide"]),
        (0.05, {"verdict": "INCONCLUSIVE", "winner": None}, ["No verdict can be given"]),
    ],
)
def test_every_verdict_has_its_words(evaluated, gain, report, sentences):
    text = Page(evaluated(gain=gain, report=report)).text
    assert all(sentence in text for sentence in sentences)


def test_too_little_coverage_is_the_first_reason(evaluated):
    source = evaluated(compare={"records": 50}, report={"verdict": "INCONCLUSIVE", "winner": None})
    assert "Only 80% of the records could be compared (40 of 50); at least 99% are asked for." in Page(source).text
    assert "10 records could not be asked or got lost." in Page(source).text


def test_coverage_is_never_rounded_up(evaluated):
    source = evaluated(count=1999, compare={"records": 2000})
    assert "1,999 of 2,000 records (99.9%) count" in Page(source).text


def test_several_candidates(evaluated):
    text = Page(evaluated(models=["base", "first", "second"], report={"winner": "second"})).text
    assert "second is better than base" in text
    assert "97.5% interval" in text
    assert "Bonferroni" in text


def test_one_model_alone(evaluated):
    text = Page(evaluated(models=["base"], report={"verdict": "NOT_BETTER", "winner": None})).text
    assert "base was scored alone" in text


def test_a_run_in_which_nothing_counts_still_has_a_report(run, score):
    run.add_shard([score(n) | {"counted": False, "problems": {"custom": "ThrottlingException"}} for n in range(1, 6)])
    run.put("evaluation.jsonl", "")
    handler(run.compare_event(), None)
    handler(run.report_event(verdict="INCONCLUSIVE", winner=None, responses=[]), None)
    page = Page(run.get("report.html"))
    assert "custom and base have no record in common that could be scored." in page.text
    assert "ThrottlingException: 5" in page.text


def test_records_and_answers_that_are_not_found_are_said_so(run, score):
    run.add_shard([score(n, base=0.5, custom=0.6 + n / 100) for n in range(1, 21)])
    run.put("evaluation.jsonl", "")
    handler(run.compare_event(), None)
    handler(run.report_event(responses=[]), None)
    assert "(not found)" in Page(run.get("report.html")).text


def test_several_baselines_are_told_apart(evaluated):
    models = ["small", "large", "custom"]
    page = Page(
        evaluated(
            models=models,
            compare={"models": models, "baseline": ["small", "large"]},
            report={"verdict": "BETTER", "winner": "custom"},
        )
    )
    assert "custom is better than small and large" in page.text
    assert "custom against every baseline" in page.text
    assert "higher than that of every baseline" in page.text


def test_models_are_named_by_what_was_asked(evaluated):
    page = Page(evaluated())
    assert re.search(r"Model base\s+amazon\.nova-micro-v1:0\s+Model custom\s+its answers came with the data", page.text)
