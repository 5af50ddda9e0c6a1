import json

import pytest
from botocore.exceptions import ClientError

from dataset.errors import MAXIMUM_MESSAGE_BYTES, InvalidData, InvalidInput
from dataset.handler import handler

SCHEMA = {
    "type": "object",
    "required": ["baseModelIdentifier", "trainingDataKey", "evaluationDataKey"],
    "properties": {
        "baseModelIdentifier": {"type": "string"},
        "trainingDataKey": {"type": "string", "minLength": 1},
        "validationDataKey": {"type": "string"},
        "evaluationDataKey": {"type": "string"},
    },
}
MODEL = {
    "inferenceId": "model",
    "schema": "prompt-completion",
    "records": {"min": 2, "max": 100},
    "tokensPerRecord": 100,
    "reservedWords": ["User:"],
}


def lines(start, count, **fields):
    records = [{"prompt": f"Question {n}", "completion": f"Answer {n}", **fields} for n in range(start, start + count)]
    return "".join(json.dumps(record) + "\n" for record in records)


def event(**execution_input):
    return {
        "operation": "checkCustomization",
        "input": {
            "baseModelIdentifier": "model",
            "trainingDataKey": "train.jsonl",
            "evaluationDataKey": "evaluation.jsonl",
            **execution_input,
        },
        "inputSchema": SCHEMA,
        "models": {"model": MODEL},
        "trainingBucket": "training",
        "validationBucket": "validation",
        "resultsBucket": "results",
        "prefix": "runs/0123456789abcdef/",
        "minCoverage": 0.99,
        "serving": "on-demand",
        "region": "us-east-1",
    }


@pytest.fixture
def data(s3):
    s3.put_object(Bucket="training", Key="train.jsonl", Body=lines(0, 10))
    s3.put_object(Bucket="validation", Key="validation.jsonl", Body=lines(100, 4))
    s3.put_object(Bucket="validation", Key="evaluation.jsonl", Body=lines(200, 10))
    return s3


def etag(s3, bucket, key):
    return s3.head_object(Bucket=bucket, Key=key)["ETag"].strip('"')


def report(s3):
    body = s3.get_object(Bucket="results", Key="runs/0123456789abcdef/dataset-report.json")["Body"].read()
    return json.loads(body)


def test_good_data(data):
    assert handler(event(validationDataKey="validation.jsonl"), None) == {
        "trainingRecords": 10,
        "validationRecords": 4,
        "evaluationRecords": 10,
        "warnings": 0,
        "warningTexts": [],
        "report": "runs/0123456789abcdef/dataset-report.json",
        "candidates": [
            {
                "name": "custom",
                "description": "model",
                "baseModelIdentifier": "model",
                "serving": "on-demand",
                "customModelArn": None,
                "job": {
                    "BaseModelIdentifier": "model",
                    "CustomizationType": "FINE_TUNING",
                    "TrainingDataConfig": {"S3Uri": "s3://training/train.jsonl"},
                    "ValidationDataConfig": {"Validators": [{"S3Uri": "s3://validation/validation.jsonl"}]},
                },
            }
        ],
        "baseModels": [{"name": "base", "modelId": "model"}],
        "teachers": [],
        "data": {
            name: {"uri": f"s3://{bucket}/{key}", "eTag": etag(data, bucket, key)}
            for name, bucket, key in (
                ("training", "training", "train.jsonl"),
                ("validation", "validation", "validation.jsonl"),
                ("evaluation", "validation", "evaluation.jsonl"),
            )
        },
    }
    written = report(data)
    assert written["findings"] == []
    assert written["locations"]["training"] == "s3://training/train.jsonl"
    assert written["files"]["training"]["records"] == 10


def test_without_validation_data_its_count_is_null(data):
    assert handler(event(), None)["validationRecords"] is None


def test_warnings_do_not_stop_the_run(data):
    data.put_object(Bucket="training", Key="train.jsonl", Body=lines(0, 5) + lines(0, 1) + lines(9, 1, note="x"))
    assert handler(event(), None)["warnings"] == 2
    assert [finding["kind"] for finding in report(data)["findings"]] == ["duplicateRecord", "unknownField"]


def test_errors_stop_the_run_after_the_report_is_written(data):
    body = lines(0, 3) + "broken\n" + lines(3, 1, completion="") + lines(4, 1, completion="User: no")
    data.put_object(Bucket="training", Key="train.jsonl", Body=body)
    with pytest.raises(InvalidData) as raised:
        handler(event(), None)
    message = str(raised.value)
    assert message.startswith("trainingDataKey: notJson, 1 time: line 4: ")
    assert "trainingDataKey: emptyText, 1 time: line 5: completion is blank. Fix: " in message
    assert "trainingDataKey: reservedWord, 1 time: line 6: 'User:'. Fix: " in message
    assert message.endswith("s3://results/runs/0123456789abcdef/dataset-report.json")
    assert report(data)["errors"] == 3


def test_an_evaluation_set_copied_from_training_stops_the_run(data):
    data.put_object(Bucket="validation", Key="evaluation.jsonl", Body=lines(3, 5))
    with pytest.raises(
        InvalidData, match="evaluationDataKey: exactOverlap, 5 times: line 1: the prompt of training line 4"
    ):
        handler(event(), None)


def test_an_evaluation_set_with_too_few_usable_records_stops_the_run(data):
    data.put_object(Bucket="validation", Key="evaluation.jsonl", Body=lines(200, 5) + '{"prompt": "Question"}\n')
    with pytest.raises(InvalidData, match="evaluationDataKey: noReference, 1 time: line 6"):
        handler(event(), None)


def test_the_input_is_checked_before_the_data(data):
    with pytest.raises(InvalidInput, match=r"^trainingDataKey: must be a text, got 3\."):
        handler(event(trainingDataKey=3), None)


def test_all_objects_that_do_not_exist_are_named_with_the_closest_key(data):
    with pytest.raises(InvalidInput) as raised:
        handler(event(trainingDataKey="trian.jsonl", evaluationDataKey="nothing/like/it.csv"), None)
    first, second = str(raised.value).split("\n")
    assert first == (
        "trainingDataKey: there is no object 'trian.jsonl' in the bucket 'training'. Did you mean 'train.jsonl'? "
        "Else upload the file there, or give the key of one that exists."
    )
    assert second == (
        "evaluationDataKey: there is no object 'nothing/like/it.csv' in the bucket 'validation'. "
        "Upload the file there, or give the key of one that exists."
    )


@pytest.mark.parametrize(
    ("key", "reason"),
    [
        ("my data.jsonl", "the characters ' '"),
        ("a=b:c+d@e.jsonl", "the characters '=' ':' '+' '@'"),
        ("a//b.jsonl", "a '/' at its beginning or two in a row"),
        ("/a.jsonl", "a '/' at its beginning or two in a row"),
    ],
)
@pytest.mark.parametrize("field", ["trainingDataKey", "validationDataKey"])
def test_keys_that_bedrock_refuses_are_named(data, field, key, reason):
    for bucket in ("training", "validation"):
        data.put_object(Bucket=bucket, Key=key, Body=lines(0, 10))
    with pytest.raises(InvalidInput) as raised:
        handler(event(**{field: key}), None)
    assert str(raised.value).startswith(f"{field}: Bedrock does not take the key {key!r} because of {reason}.")


def test_the_evaluation_set_may_have_any_key(data):
    data.copy_object(Bucket="validation", Key="my data:1.jsonl", CopySource="validation/evaluation.jsonl")
    assert handler(event(evaluationDataKey="my data:1.jsonl"), None)["evaluationRecords"] == 10


def test_a_uri_instead_of_a_key_is_refused(data):
    with pytest.raises(
        InvalidInput, match=r"evaluationDataKey: 's3://validation/e.jsonl' is a URI\. Give the key only"
    ):
        handler(event(evaluationDataKey="s3://validation/e.jsonl"), None)


def test_hyperparameters_are_checked_before_objects_are_read(data):
    faulty = event(hyperParameters={"epochCount": "9"}, trainingDataKey="missing.jsonl")
    faulty["models"]["model"] = MODEL | {"hyperParameters": {"epochCount": {"type": "integer", "min": 1, "max": 5}}}
    with pytest.raises(InvalidInput) as raised:
        handler(faulty, None)
    assert [line.split(":")[0] for line in str(raised.value).split("\n")] == [
        "hyperParameters.epochCount",
        "trainingDataKey",
    ]


def test_messages_stay_small_whatever_the_data(data):
    bad = "".join(f'{{"prompt": "{"y" * 50}{n}", "{"x" * 5000}": 1}}\n' for n in range(50))
    data.put_object(Bucket="training", Key="train.jsonl", Body=bad)
    data.put_object(Bucket="validation", Key="evaluation.jsonl", Body=bad)
    with pytest.raises(InvalidData) as raised:
        handler(event(validationDataKey="evaluation.jsonl"), None)
    assert len(str(raised.value).encode()) <= MAXIMUM_MESSAGE_BYTES
    many = {f"unknown{n}": 1 for n in range(10_000)}
    with pytest.raises(InvalidInput) as raised:
        handler(event(**many) | {"inputSchema": SCHEMA | {"additionalProperties": False}}, None)
    assert len(str(raised.value).encode()) <= MAXIMUM_MESSAGE_BYTES


class DeniesListing:
    """An S3 client whose caller may read objects but not list the bucket: S3 then answers 403 for a missing object."""

    def __init__(self, client):
        self._client = client

    def __getattr__(self, name):
        return getattr(self._client, name)

    def head_object(self, **arguments):
        try:
            return self._client.head_object(**arguments)
        except ClientError:
            raise self._denied("HeadObject") from None

    def list_objects_v2(self, **arguments):
        raise self._denied("ListObjectsV2")

    def _denied(self, operation):
        response = {"Error": {"Code": "AccessDenied"}, "ResponseMetadata": {"HTTPStatusCode": 403}}
        return ClientError(response, operation)


def test_a_missing_object_is_named_without_permission_to_list(data, monkeypatch):
    monkeypatch.setattr("dataset.handler.boto3.client", lambda name: DeniesListing(data))
    with pytest.raises(
        InvalidInput, match=r"trainingDataKey: the object 'trian.jsonl' in the bucket 'training' is missing"
    ):
        handler(event(trainingDataKey="trian.jsonl"), None)


def test_an_unknown_operation_is_refused():
    with pytest.raises(InvalidInput, match="operation: must be one of checkCustomization, checkEvaluation, got 'x'"):
        handler({"operation": "x"}, None)


def test_too_few_records_to_compare_are_told(data):
    data.put_object(Bucket="validation", Key="evaluation.jsonl", Body=lines(200, 9))
    assert handler(event(), None)["warnings"] == 1
    report = json.loads(
        data.get_object(Bucket="results", Key="runs/0123456789abcdef/dataset-report.json")["Body"].read()
    )
    assert [finding["kind"] for finding in report["findings"]] == ["tooFewToCompare"]


def distillation(teacher, *allowed):
    """An event for a distillation by a teacher, where the catalogue allows some."""
    config = {"distillationConfig": {"teacherModelConfig": {"teacherModelIdentifier": teacher}}}
    asked = event(customizationType="DISTILLATION", customizationConfig=config)
    own = MODEL | {"schema": "bedrock-conversation-2024", "teachers": {name: ["on-demand"] for name in allowed}}
    return asked | {"models": {"model": own}, "teacherModels": [teacher]}


@pytest.fixture
def prompts(data):
    turns = [{"role": "user", "content": [{"text": f"Question {n}"}]} for n in range(100)]
    records = [{"schemaVersion": "bedrock-conversation-2024", "messages": [turn]} for turn in turns]
    body = "".join(json.dumps(record) + "\n" for record in records)
    data.put_object(Bucket="training", Key="train.jsonl", Body=body)
    return data


def test_a_teacher_that_cannot_teach_the_model_is_refused(prompts):
    with pytest.raises(InvalidInput, match=r"teacherModelIdentifier: 'other\.large' cannot teach 'model'\."):
        handler(distillation("other.large", "model.large"), None)


def test_a_teacher_that_may_teach_is_checked_later_and_an_unknown_one_is_warned_of(prompts):
    known = handler(distillation("model.large", "model.large"), None)
    assert (known["teachers"], known["warnings"]) == (["model.large"], 0)
    unknown = handler(distillation("model.new", "model.large"), None)
    assert unknown["teachers"] == ["model.new"]
    (warning,) = unknown["warningTexts"]
    assert warning.startswith("input: unknownTeacher: it is not known whether 'model.new' can teach 'model'")


def test_what_is_not_certain_about_a_model_is_a_warning(data):
    asked = event()
    asked["models"] = {"model": MODEL | {"caution": "nobody has tried it"}}
    (warning,) = handler(asked, None)["warningTexts"]
    assert warning.startswith("input: uncertainModel: 'model': nobody has tried it.")
