"""Checks everything that a customization is given, before a job is created."""

import json
from dataclasses import replace
from typing import Any

from dataset.candidates import base_models, describe, plan_candidates, problems_with_serving, trained
from dataset.catalogue import find_entry
from dataset.check import Report, check_files
from dataset.conversion import TARGETS, convert_lines
from dataset.customization_types import problems_with_types
from dataset.errors import InvalidData, InvalidInput
from dataset.input_check import problems_with_input
from dataset.jobs import job_arguments
from dataset.models import cautions, problems_with_models, unknown_models
from dataset.objects import S3Object
from dataset.rules import ModelRules
from dataset.teachers import teachers, unknown_pairs

FIELDS = {"training": "trainingDataKey", "validation": "validationDataKey", "evaluation": "evaluationDataKey"}
# With fewer records the comparison function gives no interval, and the verdict can only be INCONCLUSIVE.
LEAST_TO_COMPARE = 10
READ_BY_BEDROCK = ("training", "validation")


def check_customization(event: dict[str, Any], client: Any) -> dict[str, Any]:
    """Check the execution input and all files that it names; the report goes to the results bucket.

    Args:
        event: `{"input", "inputSchema", "models", "trainingBucket", "validationBucket", "resultsBucket", "prefix",
            "minCoverage", "serving", "region"?, "teacherModels"?, "graders"?, "invocationLogsBucket"?}`; `models` is
            the catalogue, `serving` is `on-demand`, `provisioned` or `automatic`.
        client: A boto3 S3 client.

    Returns:
        `{"trainingRecords", "validationRecords", "evaluationRecords", "warnings", "warningTexts", "report",
        "candidates", "baseModels", "teachers", "data"}`; a count is None if the input names no such file, and
        `warnings` is a count, too. A candidate is `{"name", "description", "baseModelIdentifier", "serving",
        "customModelArn", "job"}`: `job` has the arguments of its training and is None for a model that exists already.
        `teachers` are ids of foundation models. `data` tells each file's URI, version and ETag.

    Raises:
        InvalidInput: A field is unknown, missing or wrong, a model cannot be used so, or an object cannot be read.
        InvalidData: The files have errors; the message has the first lines of each kind, the report all of them.
    """
    execution_input, models = event["input"], event["models"]
    if problems := problems_with_input(execution_input, event["inputSchema"]):
        raise InvalidInput(problems)
    candidates = plan_candidates(execution_input, models, event["serving"])
    files = _checked_files(event, candidates, client)
    rules = _rules(execution_input, candidates, models)
    convert = execution_input.get("convertData", False)
    report = check_files(
        training=files.get("training"),
        validation=files.get("validation"),
        evaluation=files.get("evaluation"),
        rules=replace(rules, schemas=(), convert_to=rules.schemas) if convert else rules,
        minimum_coverage=event["minCoverage"],
    )
    for sentence in unknown_models(candidates, models):
        report.findings.add("input", "unknownModel", detail=sentence)
    for sentence in cautions(candidates, models):
        report.findings.add("input", "uncertainModel", detail=sentence)
    for sentence in dict.fromkeys(unknown_pairs(candidates, models)):
        report.findings.add("input", "unknownTeacher", detail=sentence)
    if (usable := report.records("evaluation") or 0) < LEAST_TO_COMPARE:
        detail = f"{usable} records can be asked, and no interval is computed for fewer than {LEAST_TO_COMPARE}"
        report.findings.add("evaluation", "tooFewToCompare", detail=detail, severity="warning")
    key = f"{event['prefix']}dataset-report.json"
    locations = {name: file.uri for name, file in files.items()}
    write_report(report, locations, S3Object(client, event["resultsBucket"], key), FIELDS)
    converted = _convert(event, files, rules.schemas, rules.answer_required) if convert else {}
    return {
        "trainingRecords": report.records("training"),
        "validationRecords": report.records("validation"),
        "evaluationRecords": report.records("evaluation"),
        "warnings": len(report.findings.warnings),
        "warningTexts": [warning.headline(FIELDS) for warning in report.findings.warnings],
        "report": key,
        "candidates": [_described(candidate, execution_input, models, files, converted) for candidate in candidates],
        "baseModels": base_models(candidates),
        "teachers": teachers(candidates),
        "data": {name: file.version() for name, file in files.items()},
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


def _checked_files(event: dict[str, Any], candidates: list[dict[str, Any]], client: Any) -> dict[str, S3Object]:
    """Return the files that the input names, once everything but their contents is known to be right."""
    execution_input, models = event["input"], event["models"]
    problems = problems_with_models(execution_input, candidates, models, event.get("region"))
    problems += problems_with_serving(candidates, models)
    problems += problems_with_types(event, candidates, client)
    if execution_input.get("convertData"):
        problems += _problems_with_conversion(execution_input, candidates, models)
    files = {}
    for name, field in FIELDS.items():
        if key := execution_input.get(field):
            bucket = event["trainingBucket" if name == "training" else "validationBucket"]
            files[name] = S3Object(client, bucket, key)
            problem = files[name].problem_with_key(field, for_bedrock=name in READ_BY_BEDROCK)
            problem = problem or files[name].problem_with_existence(field)
            problems += [problem] if problem else []
    if problems:
        raise InvalidInput(list(dict.fromkeys(problems)))
    return files


def _rules(execution_input: dict[str, Any], candidates: list[dict[str, Any]], models: dict[str, Any]) -> ModelRules:
    """Return the rules of all models that are trained; without any, training data are only compared with the rest."""
    found = (find_entry(models, candidate["baseModelIdentifier"]) for candidate in trained(candidates))
    entries = [entry for entry in found if entry is not None]
    if not trained(candidates):
        return ModelRules()
    return ModelRules.from_catalogue(entries, execution_input.get("customizationType", "FINE_TUNING"))


def _wanted_schema(candidate: dict[str, Any], execution_input: dict[str, Any], models: dict[str, Any]) -> str | None:
    schemas = _rules(execution_input, [candidate], models).schemas
    return schemas[0] if schemas else None


def _problems_with_conversion(
    execution_input: dict[str, Any], candidates: list[dict[str, Any]], models: dict[str, Any]
) -> list[str]:
    problems = []
    for candidate in trained(candidates):
        schema = _wanted_schema(candidate, execution_input, models)
        if schema is None:
            base = candidate["baseModelIdentifier"]
            problems.append(
                f"convertData: {base!r} is not in the catalogue, so it is not known what its data are converted to. "
                "Remove the field and give data in the schema that the model wants."
            )
        elif schema not in TARGETS:
            problems.append(
                f"convertData: data are converted to {', '.join(TARGETS)}, and {candidate['customizationType']} wants "
                f"{schema}. Remove the field and give data in that schema."
            )
    return problems


def _convert(
    event: dict[str, Any], files: dict[str, S3Object], schemas: tuple[str, ...], answer_required: bool
) -> dict[tuple[str, str], S3Object]:
    """Write training and validation data in every schema that is wanted; return the objects by name and schema."""
    converted = {}
    for name in READ_BY_BEDROCK:
        for schema in schemas if name in files else ():
            # Below the folder of the job's artefacts, because the service role may read that.
            key = f"{event['prefix']}training/data/{schema}/{name}.jsonl"
            target = S3Object(files[name].client, event["resultsBucket"], key)
            lines = convert_lines(files[name].open("rb"), schema, answer_required=answer_required)
            target.write_lines(lines)
            converted[name, schema] = target
    return converted


def _described(
    candidate: dict[str, Any],
    execution_input: dict[str, Any],
    models: dict[str, Any],
    files: dict[str, S3Object],
    converted: dict[tuple[str, str], S3Object],
) -> dict[str, Any]:
    described = {name: candidate[name] for name in ("name", "baseModelIdentifier", "serving", "customModelArn")}
    described["description"] = describe(candidate)
    if candidate["customModelArn"] is not None:
        return {**described, "job": None}
    schema = _wanted_schema(candidate, execution_input, models) or ""
    uris = {name: converted.get((name, schema), file).uri for name, file in files.items()}
    job = job_arguments(
        candidate,
        training=uris.get("training"),
        validation=uris.get("validation"),
        logs=execution_input.get("invocationLogsConfig"),
    )
    return {**described, "job": job}
