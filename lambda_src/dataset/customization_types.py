"""Checks what a customization type needs beside data: a teacher, a grader, invocation logs."""

from collections.abc import Iterator
from typing import Any

from dataset.candidates import trained
from dataset.jobs import DISTILLATION, REINFORCEMENT
from dataset.teachers import FIELD, problems_with_teachers


def problems_with_types(event: dict[str, Any], candidates: list[dict[str, Any]], client: Any) -> Iterator[str]:
    """Yield a sentence for each teacher that cannot teach, and each teacher, grader or log that may not be used.

    Bedrock asks the teacher, invokes the grader and reads the logs with the workflow's service role, which may do so
    only where the workflow was given them.

    Args:
        event: The event, with `models` (the catalogue), `teacherModels` (ids or ARNs), `graders` (ARNs) and
            `invocationLogsBucket` (or None).
        candidates: What `dataset.candidates` planned.
        client: A boto3 S3 client.
    """
    yield from problems_with_teachers(candidates, event["models"])
    for candidate in trained(candidates):
        config = candidate["customizationConfig"]
        if candidate["customizationType"] == DISTILLATION:
            teacher = config["distillationConfig"]["teacherModelConfig"]["teacherModelIdentifier"]
            yield from _problem_unless_deployed(FIELD, teacher, event.get("teacherModels", []), "teacher_models")
        if candidate["customizationType"] == REINFORCEMENT:
            grader = config["rftConfig"]["graderConfig"]["lambdaGrader"]["lambdaArn"]
            yield from _problem_unless_deployed(
                "customizationConfig.rftConfig.graderConfig.lambdaGrader.lambdaArn",
                grader,
                event.get("graders", []),
                "graders",
            )
    if logs := event["input"].get("invocationLogsConfig"):
        yield from _problem_with_logs(logs["invocationLogSource"]["s3Uri"], event.get("invocationLogsBucket"), client)


def _problem_unless_deployed(field: str, value: str, deployed: list[str], prop: str) -> Iterator[str]:
    if value not in deployed:
        allowed = f"Allowed: {', '.join(deployed)}. " if deployed else ""
        yield (
            f"{field}: the service role may not use {value!r}. {allowed}"
            f"Deploy the workflow with {prop} that include it."
        )


def _problem_with_logs(uri: str, bucket: str | None, client: Any) -> Iterator[str]:
    field = "invocationLogsConfig.invocationLogSource.s3Uri"
    named, _, prefix = uri.removeprefix("s3://").partition("/")
    if bucket is None:
        yield f"{field}: the service role may not read {uri!r}. Deploy the workflow with invocation_logs_bucket."
    elif named != bucket:
        yield f"{field}: must be in the bucket {bucket!r}, got {uri!r}. Or deploy the workflow with another one."
    elif not client.list_objects_v2(Bucket=bucket, Prefix=prefix, MaxKeys=1).get("KeyCount"):
        yield f"{field}: there is no object under {uri!r}. Give the prefix that Bedrock writes invocation logs to."
