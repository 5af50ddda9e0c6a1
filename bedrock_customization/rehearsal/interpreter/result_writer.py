"""ResultWriter: the results of a Map Run, as the state's result or as files in Amazon S3."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from typing import Any

from bedrock_customization.rehearsal.clock import BEGINNING
from bedrock_customization.rehearsal.interpreter import errors, limits
from bedrock_customization.rehearsal.interpreter.execution import Execution, timestamp
from bedrock_customization.rehearsal.interpreter.services import StatesError
from bedrock_customization.rehearsal.interpreter.visit import Visit, unexpected


async def write_results(
    visit: Visit, map_run_arn: str, children: Sequence[Execution], pending: Sequence[str], label: str
) -> Any:
    """Write the files of a Map Run, if the state asks for them, and give the state's result.

    Args:
        visit: The Map state.
        map_run_arn: The Map Run.
        children: Its child executions.
        pending: The inputs of child executions that never started, as JSON texts.
        label: The Map Run's label.

    Raises:
        StatesError: `States.ResultWriterFailed`: a file cannot be written.
    """
    writer = visit.state.definition.get("ResultWriter", {})
    config = writer.get("WriterConfig", {})
    succeeded = [child for child in children if child.status == "SUCCEEDED"]
    transformation = config.get("Transformation", "NONE" if "Resource" in writer else "COMPACT")
    results = _transformed(succeeded, transformation, label)
    if "Resource" not in writer:
        return results
    template = visit.state.templates["ResultWriter/Arguments"]
    arguments = visit.render(template)
    if not isinstance(arguments, dict) or not isinstance(arguments.get("Bucket"), str):
        raise unexpected(template, arguments, "object")
    files = {
        "FAILED": [_record(child, label) for child in children if child.status in ("FAILED", "TIMED_OUT")],
        "PENDING": [
            *(_record(child, label) for child in children if child.status == "ABORTED"),
            *({"Input": text, "InputDetails": {"Included": True}, "Status": "PENDING"} for text in pending),
        ],
        "SUCCEEDED": results,
    }
    prefix = str(arguments.get("Prefix") or "").strip("/")
    folder = "/".join(part for part in (prefix, map_run_arn.rsplit(":", 1)[-1]) if part)
    lines = config.get("OutputType") == "JSONL"
    listed: dict[str, list[dict[str, Any]]] = {}
    for status, rows in files.items():
        listed[status] = []
        if rows:
            key = f"{folder}/{status}_0.{'jsonl' if lines else 'json'}"
            body = "".join(f"{limits.dump(row)}\n" for row in rows) if lines else limits.dump(rows)
            size = await _put(visit, writer["Resource"], arguments["Bucket"], key, body)
            listed[status].append({"Key": key, "Size": size})
    manifest = {"DestinationBucket": arguments["Bucket"], "MapRunArn": map_run_arn, "ResultFiles": listed}
    key = f"{folder}/manifest.json"
    await _put(visit, writer["Resource"], arguments["Bucket"], key, limits.dump(manifest))
    return {"MapRunArn": map_run_arn, "ResultWriterDetails": {"Bucket": arguments["Bucket"], "Key": key}}


def _transformed(children: Sequence[Execution], transformation: str, label: str) -> list[Any]:
    if transformation == "NONE":
        return [_record(child, label) for child in children]
    if transformation == "COMPACT":
        return [child.output for child in children]
    results: list[Any] = []
    for child in children:
        results.extend(child.output if isinstance(child.output, list) else [child.output])
    return results


def _record(child: Execution, label: str) -> dict[str, Any]:
    """Describe a child execution as DescribeExecution does."""
    included = {"Included": True}
    record: dict[str, Any] = {
        "ExecutionArn": child.arn,
        "Input": limits.dump(child.input),
        "InputDetails": included,
        "Name": child.name,
    }
    if child.status == "SUCCEEDED":
        record |= {"Output": child.output_text, "OutputDetails": included}
    record |= {key: value for key, value in (("Error", child.error), ("Cause", child.cause)) if value is not None}
    if child.express or child.status == "SUCCEEDED":
        reason = f"Execution is {child.status} and cannot be redriven"
        redrive = {"RedriveStatus": "NOT_REDRIVABLE", "RedriveStatusReason": reason}
    else:
        redrive = {"RedriveStatus": "REDRIVABLE_BY_MAP_RUN"}
    record |= {"RedriveCount": child.redrives, **redrive, "StartDate": _moment(child.started)}
    if child.redriven is not None:
        record["RedriveDate"] = _moment(child.redriven)
    record |= {"StateMachineArn": f"{child.machine.arn}/{label}", "Status": child.status}
    if child.stopped is not None:
        record["StopDate"] = _moment(child.stopped)
    return record


def _moment(seconds: float) -> str:
    return timestamp(BEGINNING + timedelta(seconds=seconds))


async def _put(visit: Visit, resource: str, bucket: str, key: str, body: str) -> int:
    data = body.encode("utf-8", "surrogatepass")
    arguments = {"Bucket": bucket, "Key": key, "Body": data, "ContentType": "application/json"}
    try:
        await visit.flow.interpreter.services.call(resource, arguments, visit.caller)
    except StatesError as error:
        raise StatesError(errors.RESULT_WRITER_FAILED, error.cause or error.error) from error
    return len(data)
