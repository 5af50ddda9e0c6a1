"""Checks what an evaluation is given and writes the normalised evaluation set."""

from typing import Any

from dataset.check import Report
from dataset.customization import FIELDS, write_report
from dataset.errors import InvalidInput
from dataset.evaluation import EvaluationSet, encode
from dataset.input_check import problems_with_input
from dataset.objects import S3Object
from dataset.rules import ModelRules


def check_evaluation(event: dict[str, Any], client: Any) -> dict[str, Any]:
    """Check the execution input, normalise its evaluation set, and write it and a report to the results bucket.

    Args:
        event: `{"input", "inputSchema", "dataBucket", "resultsBucket", "prefix", "minCoverage"}`.
        client: A boto3 S3 client.

    Returns:
        `{"records": all records, "usable": those that were kept, "key": the normalised set, "report"}`.

    Raises:
        InvalidInput: A field is unknown, missing or wrong, or the object cannot be read.
        InvalidData: Too few records are usable; the report and the normalised set are already written.
    """
    if problems := problems_with_input(event["input"], event["inputSchema"]):
        raise InvalidInput(problems)
    problems = problems_with_names(event["input"])
    source = S3Object(client, event["dataBucket"], event["input"]["evaluationDataKey"])
    problem = source.problem_with_key(FIELDS["evaluation"], for_bedrock=False)
    if problem := problem or source.problem_with_existence(FIELDS["evaluation"]):
        problems.append(problem)
    if problems:
        raise InvalidInput(problems)
    report = Report(ModelRules())
    evaluation_set = EvaluationSet(report.findings)
    normalised = S3Object(client, event["resultsBucket"], f"{event['prefix']}evaluation.jsonl")
    normalised.write_lines(encode(record) for record in evaluation_set.records(source.open("rb")))
    evaluation_set.finish(event["minCoverage"])
    report.files["evaluation"] = {"records": evaluation_set.count, "usable": evaluation_set.usable}
    key = f"{event['prefix']}evaluation-report.json"
    location = {"evaluation": f"s3://{source.bucket}/{source.key}"}
    write_report(report, location, S3Object(client, event["resultsBucket"], key), FIELDS)
    return {"records": evaluation_set.count, "usable": evaluation_set.usable, "key": normalised.key, "report": key}


def problems_with_names(execution_input: dict[str, Any]) -> list[str]:
    """Say what is wrong with the models' names, which a schema cannot check.

    Args:
        execution_input: The execution input; `models` and `baseline` may be missing.

    Returns:
        One sentence or two for each problem, the field's name first.
    """
    names = [model["name"] for model in execution_input.get("models", [])]
    problems = [
        f"models[{index}].name: {name!r} is there twice. Give each model a name of its own."
        for index, name in enumerate(names)
        if name in names[:index]
    ]
    baseline = execution_input.get("baseline")
    if baseline is not None and baseline not in names:
        problems.append(f"baseline: must be the name of one of the models, {', '.join(names)}, got {baseline!r}.")
    return problems
