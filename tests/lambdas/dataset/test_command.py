"""The commands that check and convert local files."""

import json

import pytest

from bedrock_customization import data
from dataset.__main__ import main

MODEL = {
    "schema": "prompt-completion",
    "records": {"min": 1, "max": 10},
    "tokensPerRecord": 10,
    "reservedWords": [],
    "inferenceId": "model",
    "serving": ["on-demand"],
}
RETIRED = MODEL | {"lifecycle": "END_OF_LIFE", "replacement": "model"}


def pair(number):
    return {"prompt": f"Question {number}", "completion": "Answer"}


@pytest.fixture
def check(write, capsys):
    """Runs the check with a catalogue; returns status and output."""
    entries = {"model": MODEL, "old": RETIRED, "new": MODEL | {"caution": "nobody has tried it"}}
    catalogue = write(entries, name="catalogue.json")

    def run(*arguments):
        status = main(["--catalogue", str(catalogue), *map(str, arguments)])
        return status, capsys.readouterr().out

    return run


def test_good_files(write, check):
    training, evaluation = write(pair(1), name="t.jsonl"), write(pair(2), name="e.jsonl")
    assert check("--model", "model", "--training", training, "--evaluation", evaluation) == (
        0,
        f"{training}: 1 record, about 3 tokens, prompt-completion\n"
        f"{evaluation}: 1 of 1 records are usable; 0 prompts are in the training data, 0 nearly\n"
        "0 errors, 0 warnings\n",
    )


def test_errors_are_printed_by_file_and_the_status_is_one(write, check, tmp_path):
    training, report = write(pair(1), pair(1), *[{"prompt": ""}] * 7, name="t.jsonl"), tmp_path / "report.json"
    status, output = check("--model", "model", "--training", training, "--report", report)
    assert status == 1
    assert output.startswith(f"{training}: 9 records, about 6 tokens, prompt-completion\n  error: emptyText, 7 times\n")
    assert "    line 3: prompt is blank\n" in output
    assert "    line 7: prompt is blank\n    and so on\n    Fill in the text, or remove the record.\n" in output
    assert "  warning: duplicateRecord, 7 times\n    line 2: the same as line 1\n" in output
    assert output.endswith("2 errors, 1 warning\n")
    assert json.loads(report.read_text())["errors"] == 2


def test_without_a_model_only_general_rules_hold(write, check):
    status, output = check("--training", write(*map(pair, range(20))))
    assert status == 0
    assert output.startswith("warning: no --model was given")


def test_what_is_not_certain_about_a_model_is_told(write, check):
    status, output = check("--model", "new", "--training", write(pair(1)))
    assert status == 0
    assert output.startswith("warning: 'new': nobody has tried it\n")


def test_a_model_that_cannot_be_customized_is_refused_and_an_unknown_one_is_warned_of(write, check):
    training = write(pair(1))
    status, output = check("--model", "old", "--training", training)
    assert status == 1
    assert output == (
        "error: baseModelIdentifier: 'old' is END_OF_LIFE, Bedrock does not customize it any more. "
        "Use 'model' instead.\n"
    )
    status, output = check("--model", "modle", "--training", training)
    assert status == 0
    assert output.startswith("warning: 'modle' is not in the catalogue; did you mean 'model'\n")


def test_what_is_converted_is_checked_as_what_it_becomes(write, check):
    training = write({"question": "Question", "answer": "Answer"})
    assert check("--model", "model", "--training", training)[0] == 1
    assert check("--model", "model", "--training", training, "--convert")[0] == 0


def test_a_file_that_does_not_exist_is_named(capsys):
    with pytest.raises(SystemExit):
        main(["--training", "missing.jsonl"])
    assert "no such file: missing.jsonl" in capsys.readouterr().err


def test_the_library_runs_both_commands_with_its_own_catalogue(write, tmp_path, capsys):
    training = write(*map(pair, range(100)))
    micro = ["check", "--model", "amazon.nova-micro-v1:0:128k", "--training"]
    assert data.main([*micro, str(training)]) == 1
    assert 'this is {"prompt", "completion"}, not bedrock-conversation-2024' in capsys.readouterr().out
    converted = tmp_path / "converted.jsonl"
    assert data.main(["convert", "--to", "bedrock-conversation-2024", str(training), str(converted)]) == 0
    assert data.main([*micro, str(converted)]) == 0


@pytest.mark.parametrize(("arguments", "status"), [([], 2), (["chek"], 2), (["--help"], 0)])
def test_the_library_tells_how_it_is_used(arguments, status, capsys):
    assert data.main(arguments) == status
    printed = capsys.readouterr()
    assert "usage: python -m bedrock_customization.data check" in printed.out + printed.err
