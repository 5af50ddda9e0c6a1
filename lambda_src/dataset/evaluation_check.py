"""Checks what an evaluation is given and writes the normalised evaluation set."""

import json
from collections.abc import Iterator
from typing import Any

from dataset.check import Report
from dataset.customization import FIELDS, write_report
from dataset.errors import InvalidInput
from dataset.evaluation import EvaluationSet
from dataset.evaluation_models import plan, problem_with_time, problems_with_models
from dataset.input_check import problems_with_input
from dataset.normalisation import encode
from dataset.objects import S3Object
from dataset.rules import ModelRules


def check_evaluation(event: dict[str, Any], client: Any) -> dict[str, Any]:
    """Check the execution input, normalise its evaluation set, and write it and a report to the results bucket.

    When every model's answers are in the data, the normalised set is a file of response rows at the same time, and a
    manifest like that of a Distributed Map's results names it.

    Args:
        event: `{"input", "inputSchema", "dataBucket", "resultsBucket", "prefix", "minCoverage", "inference":
            {"maxTokens", "topP"?, "requestsPerMinute"?}, "timeout": seconds}`; the last two may be missing.
        client: A boto3 S3 client.

    Returns:
        `{"records": all records, "usable": those that were kept, "key": the normalised set, "report", "models":
        [{"name", "modelId"?, "invokeModel"?}], "manifest": a key, or None if a model has to be asked}`.

    Raises:
        InvalidInput: A field is unknown, missing or wrong, or the object cannot be read.
        InvalidData: Too few records are usable; the report and the normalised set are already written.
    """
    if problems := problems_with_input(event["input"], event["inputSchema"]):
        raise InvalidInput(problems)
    inference = event.get("inference", {})
    problems = problems_with_models(event["input"], inference)
    source = S3Object(client, event["dataBucket"], event["input"]["evaluationDataKey"])
    problem = source.problem_with_key(FIELDS["evaluation"], for_bedrock=False)
    if problem := problem or source.problem_with_existence(FIELDS["evaluation"]):
        problems.append(problem)
    if problems:
        raise InvalidInput(problems)
    models, needs = plan(event["input"].get("models", []), inference)
    report = Report(ModelRules())
    evaluation_set = EvaluationSet(report.findings, needs=needs)
    normalised = S3Object(client, event["resultsBucket"], f"{event['prefix']}evaluation.jsonl")
    size = 0

    def lines() -> Iterator[bytes]:
        nonlocal size
        for record in evaluation_set.records(source.open("rb")):
            line = encode(record)
            size += len(line) + 1
            yield line

    normalised.write_lines(lines())
    evaluation_set.finish(event["minCoverage"])
    report.files["evaluation"] = {"records": evaluation_set.count, "usable": evaluation_set.usable}
    key = f"{event['prefix']}evaluation-report.json"
    location = {"evaluation": f"s3://{source.bucket}/{source.key}"}
    write_report(report, location, S3Object(client, event["resultsBucket"], key), FIELDS)
    if problem := problem_with_time(evaluation_set.usable, inference, event.get("timeout")):
        raise InvalidInput([problem])
    return {
        "records": evaluation_set.count,
        "usable": evaluation_set.usable,
        "key": normalised.key,
        "report": key,
        "models": models,
        "manifest": None if needs.prompt else _write_manifest(normalised, size, event["prefix"]),
    }


def _write_manifest(rows: S3Object, size: int, prefix: str) -> str:
    """Write the manifest of response rows that nobody had to be asked for."""
    manifest = {"ResultFiles": {"SUCCEEDED": [{"Key": rows.key, "Size": size}], "FAILED": [], "PENDING": []}}
    key = f"{prefix}responses/manifest.json"
    rows.client.put_object(
        Bucket=rows.bucket, Key=key, Body=json.dumps(manifest).encode(), ContentType="application/json"
    )
    return key
