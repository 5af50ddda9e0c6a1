import json

import pytest

from dataset.conversion import convert_record, main
from dataset.errors import InvalidData, InvalidInput
from dataset.handler import handler

PAIR = {"prompt": "Question", "completion": "Answer", "category": "billing"}
CONVERSATION = {
    "schemaVersion": "bedrock-conversation-2024",
    "messages": [
        {"role": "user", "content": [{"text": "Question"}]},
        {"role": "assistant", "content": [{"text": "Answer"}]},
    ],
    "category": "billing",
}


@pytest.mark.parametrize("record", [PAIR, CONVERSATION])
@pytest.mark.parametrize(
    ("schema", "expected"), [("prompt-completion", PAIR), ("bedrock-conversation-2024", CONVERSATION)]
)
def test_each_schema_becomes_the_other(record, schema, expected):
    assert convert_record(record, schema) == expected


@pytest.mark.parametrize(
    "record",
    [
        CONVERSATION | {"system": [{"text": "Be brief."}]},
        CONVERSATION | {"messages": CONVERSATION["messages"] * 2},
        CONVERSATION | {"messages": CONVERSATION["messages"][:1]},
        {"input": "Text"},
    ],
)
def test_what_a_pair_cannot_hold_is_refused(record):
    with pytest.raises(ValueError, match=r"cannot hold|last turn|neither"):
        convert_record(record, "prompt-completion")


def event(**changes):
    return {
        "operation": "convert",
        "bucket": "training",
        "key": "train.jsonl",
        "schema": "bedrock-conversation-2024",
        "resultsBucket": "results",
        "outputKey": "runs/1/train.jsonl",
    } | changes


def test_an_object_is_converted(s3):
    s3.put_object(Bucket="training", Key="train.jsonl", Body=json.dumps(PAIR) + "\n\n" + json.dumps(CONVERSATION))
    assert handler(event(), None) == {"key": "runs/1/train.jsonl"}
    body = s3.get_object(Bucket="results", Key="runs/1/train.jsonl")["Body"].read().decode()
    assert [json.loads(line) for line in body.splitlines()] == [CONVERSATION, CONVERSATION]


def test_a_line_that_cannot_be_converted_is_named(s3):
    s3.put_object(Bucket="training", Key="train.jsonl", Body=json.dumps(PAIR) + '\n{"prompt": ""}\n')
    with pytest.raises(InvalidData, match="line 2: prompt is blank; completion is missing"):
        handler(event(), None)


def test_an_unknown_schema_is_refused(s3):
    with pytest.raises(
        InvalidInput, match="schema: must be one of prompt-completion, bedrock-conversation-2024, got 'csv'"
    ):
        handler(event(schema="csv"), None)


def test_the_command_converts_local_files(write, tmp_path, capsys):
    target = tmp_path / "out.jsonl"
    assert main(["--to", "bedrock-conversation-2024", str(write(PAIR)), str(target)]) == 0
    assert json.loads(target.read_text()) == CONVERSATION
    assert main(["--to", "prompt-completion", str(write(b"broken")), str(target)]) == 1
    assert "line 1: " in capsys.readouterr().err
