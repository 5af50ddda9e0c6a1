import json

import pytest

from dataset.errors import InvalidData, InvalidInput
from dataset.handler import handler

SCHEMA = {
    "type": "object",
    "required": ["evaluationDataKey"],
    "properties": {
        "evaluationDataKey": {"type": "string"},
        "models": {"type": "array"},
        "baseline": {"type": "string"},
    },
    "additionalProperties": False,
}
PREFIX = "runs/0123456789abcdef/"


def event(**execution_input):
    return {
        "operation": "checkEvaluation",
        "input": {"evaluationDataKey": "evaluation.jsonl", **execution_input},
        "inputSchema": SCHEMA,
        "dataBucket": "validation",
        "resultsBucket": "results",
        "prefix": PREFIX,
        "minCoverage": 0.9,
    }


def put(s3, *records):
    body = "".join((record if isinstance(record, str) else json.dumps(record)) + "\n" for record in records)
    s3.put_object(Bucket="validation", Key="evaluation.jsonl", Body=body)


def get(s3, name):
    return s3.get_object(Bucket="results", Key=PREFIX + name)["Body"].read().decode()


def record(number):
    return {"prompt": f"Question {number}", "completion": f"Ant\u00f3n's answer {number}"}


def test_the_normalised_set_has_the_usable_records_with_their_line_as_id(s3):
    put(s3, *map(record, range(5)), "broken", *map(record, range(5, 15)))
    assert handler(event(), None) == {
        "records": 16,
        "usable": 15,
        "key": f"{PREFIX}evaluation.jsonl",
        "report": f"{PREFIX}evaluation-report.json",
        "models": [],
        "manifest": None,
    }
    rows = [json.loads(line) for line in get(s3, "evaluation.jsonl").splitlines()]
    assert [row["id"] for row in rows] == [str(number) for number in [*range(1, 6), *range(7, 17)]]
    assert rows[5] == {
        "id": "7",
        "messages": [{"role": "user", "content": [{"text": "Question 5"}]}],
        "references": ["Ant\u00f3n's answer 5"],
    }
    report = json.loads(get(s3, "evaluation-report.json"))
    assert [(finding["kind"], finding["lines"]) for finding in report["findings"]] == [("notJson", [6])]


def test_too_few_usable_records_stop_the_run_and_leave_the_report(s3):
    put(s3, *map(record, range(8)), "broken", {"prompt": "Question"})
    with pytest.raises(InvalidData) as raised:
        handler(event(), None)
    message = str(raised.value)
    assert "evaluationDataKey: notJson, 1 time: line 9: " in message
    assert "evaluationDataKey: noReference, 1 time: line 10: " in message
    assert "8 of 10 records are usable, the least share is 0.9" in message
    assert json.loads(get(s3, "evaluation-report.json"))["errors"] == 3
    assert len(get(s3, "evaluation.jsonl").splitlines()) == 8


def test_an_empty_set_is_refused(s3):
    put(s3)
    with pytest.raises(InvalidData, match="evaluationDataKey: emptyFile"):
        handler(event(), None)


def test_a_missing_object_and_an_unknown_field_are_refused(s3):
    put(s3, record(1))
    with pytest.raises(InvalidInput, match=r"evaluationDataKey: there is no object .* Did you mean 'evaluation.jsonl'"):
        handler(event(evaluationDataKey="evaluation.json"), None)
    with pytest.raises(InvalidInput, match="modls: unknown field"):
        handler(event(modls=[]), None)


def test_names_of_models_are_checked_before_a_model_is_asked(s3):
    put(s3, record(1))
    models = [{"name": "base", "modelId": "a"}, {"name": "custom", "modelId": "b"}, {"name": "base", "modelId": "c"}]
    with pytest.raises(InvalidInput) as raised:
        handler(event(models=models, baseline="bse"), None)
    assert str(raised.value).split("\n") == [
        "models[2].name: 'base' is there twice. Give each model a name of its own.",
        "baseline: must be the name of one of the models, base, custom, got 'bse'.",
    ]


def test_a_set_larger_than_one_part_is_written_completely(s3):
    put(s3, *({"prompt": f"{number} " + "x" * 150_000, "completion": "Answer"} for number in range(80)))
    assert handler(event(), None)["usable"] == 80
    rows = [json.loads(line) for line in get(s3, "evaluation.jsonl").splitlines()]
    assert [row["id"] for row in rows] == [str(number) for number in range(1, 81)]
    assert all(len(row["messages"][0]["content"][0]["text"]) > 150_000 for row in rows)
