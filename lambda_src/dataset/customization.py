"""Checks everything that a customization is given, before a job is created."""

import json
from typing import Any

from dataset.candidates import base_models, plan_candidates, problems_with_serving
from dataset.check import Report, check_files
from dataset.errors import InvalidData, InvalidInput
from dataset.input_check import problems_with_input
from dataset.models import problems_with_models, trained_models
from dataset.objects import S3Object
from dataset.rules import ModelRules

FIELDS = {"training": "trainingDataKey", "validation": "validationDataKey", "evaluation": "evaluationDataKey"}
READ_BY_BEDROCK = ("training", "validation")


def check_customization(event: dict[str, Any], client: Any) -> dict[str, Any]:
    """Check the execution input and all files that it names; the report goes to the results bucket.

    Args:
        event: `{"input", "inputSchema", "models", "trainingBucket", "validationBucket", "resultsBucket", "prefix",
            "minCoverage", "serving", "region"?}`; `serving` is `on-demand`, `provisioned` or `automatic`.
        client: A boto3 S3 client.

    Returns:
        `{"trainingRecords", "validationRecords", "evaluationRecords", "warnings", "report", "candidates",
        "baseModels"}`; a count is None if the input names no such file. Candidates and base models are as
        `dataset.candidates` returns them.

    Raises:
        InvalidInput: A field is unknown, missing or wrong, a model cannot be used so, or an object cannot be read.
        InvalidData: The files have errors; the message has the first lines of each kind, the report all of them.
    """
    execution_input = event["input"]
    files = _checked_files(event, client)
    candidates = plan_candidates(execution_input, event["models"], event["serving"])
    entries = [event["models"][base] for base in trained_models(execution_input) if base in event["models"]]
    rules = ModelRules.from_catalogue(entries, execution_input.get("customizationType", "FINE_TUNING"))
    report = check_files(
        training=files.get("training"),
        validation=files.get("validation"),
        evaluation=files.get("evaluation"),
        rules=rules,
        minimum_coverage=event["minCoverage"],
    )
    key = f"{event['prefix']}dataset-report.json"
    locations = {name: f"s3://{file.bucket}/{file.key}" for name, file in files.items()}
    write_report(report, locations, S3Object(client, event["resultsBucket"], key), FIELDS)
    return {
        "trainingRecords": report.records("training"),
        "validationRecords": report.records("validation"),
        "evaluationRecords": report.records("evaluation"),
        "warnings": len(report.findings.warnings),
        "report": key,
        "candidates": candidates,
        "baseModels": base_models(candidates),
    }


def write_report(report: Report, locations: dict[str, str], target: S3Object, fields: dict[str, str]) -> None:
    """Write a report, then refuse data with errors.

    Args:
        report: What was found.
        locations: Where each file lies, by its name.
        target: The object that the report is written to.
        fields: What the message calls each file.

    Raises:
        InvalidData: There are errors.
    """
    body = json.dumps({"locations": locations, **report.to_json()}, indent=2)
    target.client.put_object(Bucket=target.bucket, Key=target.key, Body=body.encode(), ContentType="application/json")
    if errors := report.findings.errors:
        sentences = [finding.sentence(fields[finding.file]) for finding in errors]
        sentences.append(f"All findings: s3://{target.bucket}/{target.key}")
        raise InvalidData("\n".join(sentences))


def _checked_files(event: dict[str, Any], client: Any) -> dict[str, S3Object]:
    """Return the files that the input names, once everything but their contents is known to be right."""
    execution_input = event["input"]
    problems = problems_with_input(execution_input, event["inputSchema"])
    if problems:
        raise InvalidInput(problems)
    problems = problems_with_models(execution_input, event["models"], event.get("region"))
    candidates = plan_candidates(execution_input, event["models"], event["serving"])
    problems += problems_with_serving(candidates, event["models"])
    files = {}
    for name, field in FIELDS.items():
        if key := execution_input.get(field):
            bucket = event["trainingBucket" if name == "training" else "validationBucket"]
            files[name] = S3Object(client, bucket, key)
            problem = files[name].problem_with_key(field, for_bedrock=name in READ_BY_BEDROCK)
            problem = problem or files[name].problem_with_existence(field)
            problems += [problem] if problem else []
    if problems:
        raise InvalidInput(problems)
    return files
