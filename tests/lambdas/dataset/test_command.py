import json

import pytest

from dataset.__main__ import main

MODEL = {"schema": "prompt-completion", "records": {"min": 1, "max": 10}, "tokensPerRecord": 10, "reservedWords": []}


def pair(number):
    return {"prompt": f"Question {number}", "completion": "Answer"}


def test_good_files(write, capsys):
    rules = write(MODEL, name="rules.json")
    training, evaluation = write(pair(1), name="t.jsonl"), write(pair(2), name="e.jsonl")
    assert main(["--model-rules", str(rules), "--training", str(training), "--evaluation", str(evaluation)]) == 0
    assert f"{training}: 1 records" in capsys.readouterr().out


def test_errors_are_printed_with_the_path_and_the_status_is_one(write, capsys, tmp_path):
    training, report = write(pair(1), {"prompt": ""}, name="t.jsonl"), tmp_path / "report.json"
    rules = write(MODEL, name="rules.json")
    assert main(["--model-rules", str(rules), "--training", str(training), "--report", str(report)]) == 1
    output = capsys.readouterr().out
    assert f"error: {training}: emptyText, 1 time: line 2: prompt is blank. Fix: " in output
    assert json.loads(report.read_text())["errors"] == 2


def test_a_file_that_does_not_exist_is_named(capsys):
    with pytest.raises(SystemExit):
        main(["--training", "missing.jsonl"])
    assert "no such file: missing.jsonl" in capsys.readouterr().err
