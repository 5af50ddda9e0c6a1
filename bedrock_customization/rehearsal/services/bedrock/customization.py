"""Model customization jobs: their rules, their life cycle, and what they write."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from bedrock_customization.rehearsal.services.api_error import ApiError
from bedrock_customization.rehearsal.services.bedrock.foundation_models import FoundationModel
from bedrock_customization.rehearsal.services.bedrock.resources import CustomizationJob, CustomModel
from bedrock_customization.rehearsal.services.bedrock.stand_in import Example, Summarizer

_FAILS_AFTER = 120.0
_CHECKED_AFTER = 300.0
_PROCESSED_AFTER = 900.0


@dataclass(frozen=True)
class TrainingData:
    """A data file: its examples, or why it is no use."""

    examples: list[Example]
    problem: str | None = None


def read_training_data(text: str, base: FoundationModel, minimum: int, maximum: int) -> TrainingData:
    """Read a JSONL data file in either schema.

    Args:
        text: The file.
        base: The model to be customized.
        minimum: The fewest records.
        maximum: The most records.
    """
    examples: list[Example] = []
    for number, line in enumerate(text.split("\n"), 1):
        if not line.strip():
            continue
        try:
            examples.append(_example(json.loads(line)))
        except (ValueError, KeyError, TypeError, IndexError) as error:
            return TrainingData(examples, f"The training data is invalid. Line {number}: {error}")
    if not minimum <= len(examples) <= maximum:
        allowed = f"the allowed range of {minimum} to {maximum} for {base.id}"
        problem = f"The number of records {len(examples)} is outside {allowed}."
        return TrainingData(examples, problem)
    return TrainingData(examples)


def read_prompts(text: str) -> list[Example]:
    """The records of a data file that has completions for some prompts at most; the others are left out."""
    examples = []
    for line in text.split("\n"):
        try:
            examples.append(_example(json.loads(line)))
        except (ValueError, KeyError, TypeError, IndexError):
            continue
    return examples


def _example(record: dict[str, Any]) -> Example:
    if "messages" in record:
        *before, last = record["messages"]
        if last["role"] != "assistant":
            raise ValueError("the last message must have the role assistant")
        return Example(last_user_text(before), _text(last["content"]))
    if "completion" in record:
        return Example(str(record["prompt"]), str(record["completion"]))
    if "input" in record:
        return Example(str(record["input"]), str(record["input"]))
    raise ValueError("the record has none of the fields messages, completion and input")


def last_user_text(messages: list[dict[str, Any]]) -> str:
    """The text of the last message of the user."""
    for message in reversed(messages):
        if message["role"] == "user":
            return _text(message["content"])
    raise ValueError("there is no message with the role user")


def _text(content: Any) -> str:
    return content if isinstance(content, str) else "\n".join(part["text"] for part in content if "text" in part)


def check_hyper_parameters(given: dict[str, str], base: FoundationModel) -> None:
    """Refuse a hyperparameter that the model does not know or whose value is out of range.

    Raises:
        ApiError: ValidationException, naming the hyperparameter.
    """
    for name, value in given.items():
        if name not in base.hyper_parameters:
            known = ", ".join(base.hyper_parameters)
            raise ApiError(
                "ValidationException", f"The hyperparameter {name} is not supported for {base.id}. Supported: {known}."
            )
        low, high = base.hyper_parameters[name]
        try:
            inside = low <= float(value) <= high
        except ValueError:
            inside = False
        if not inside:
            raise ApiError(
                "ValidationException", f"The hyperparameter {name} must be between {low:g} and {high:g}, got {value}."
            )


def advance(job: CustomizationJob, now: float, complete: Callable[[CustomizationJob], None]) -> None:
    """Let a job do what it would have done by now.

    Args:
        job: The job.
        now: The time, in seconds.
        complete: Makes the model of a job that is done.
    """
    if job.status == "Stopping" and now >= job.ends:
        _end(job, "Stopped", job.ends)
    if job.status != "InProgress" or job.stalled:
        return
    fails_at = job.created + _FAILS_AFTER
    if job.failure is not None:
        if now >= min(fails_at, job.ends):
            _end(job, "Failed", min(fails_at, job.ends))
    elif now >= job.ends:
        _end(job, "Completed", job.ends)
        complete(job)


def _end(job: CustomizationJob, status: str, when: float) -> None:
    job.status, job.changed, job.ended = status, when, when


def stages(job: CustomizationJob, now: float, date: Callable[[float], datetime]) -> dict[str, Any]:
    """The job's `statusDetails`."""
    begins = (0.0, _CHECKED_AFTER, _PROCESSED_AFTER)
    ends = (_CHECKED_AFTER, _PROCESSED_AFTER, max(job.ends - job.created, _PROCESSED_AFTER))
    names = ("validationDetails", "dataProcessingDetails", "trainingDetails")
    elapsed = (job.ended if job.ended is not None else now) - job.created
    details = {}
    for name, begin, end in zip(names, begins, ends, strict=True):
        stalled = job.stalled and name == "trainingDetails"
        if job.status == "Completed" or (elapsed >= end and not stalled):
            status, changed = "Completed", min(end, elapsed)
        elif elapsed < begin or stalled:
            status, changed = "NotStarted", 0.0
        else:
            status, changed = job.status if job.status != "Completed" else "Completed", begin
        begun = {} if status == "NotStarted" else {"creationTime": date(job.created + begin)}
        details[name] = {"status": status, **begun, "lastModifiedTime": date(job.created + changed)}
    return details


def describe(job: CustomizationJob, now: float, date: Callable[[float], datetime], base_arn: str) -> dict[str, Any]:
    """A job as GetModelCustomizationJob gives it."""
    request = job.request
    described: dict[str, Any] = {
        "jobArn": job.arn,
        "jobName": job.name,
        "outputModelName": request["customModelName"],
        "roleArn": request["roleArn"],
        "status": job.status,
        "statusDetails": stages(job, now, date),
        "creationTime": date(job.created),
        "lastModifiedTime": date(job.changed or job.created),
        "baseModelArn": base_arn,
        "hyperParameters": request.get("hyperParameters", {}),
        "trainingDataConfig": request["trainingDataConfig"],
        "validationDataConfig": request.get("validationDataConfig", {"validators": []}),
        "outputDataConfig": request["outputDataConfig"],
        "customizationType": request.get("customizationType", "FINE_TUNING"),
        "clientRequestToken": job.token,
        "vpcConfig": request.get("vpcConfig"),
        "customizationConfig": request.get("customizationConfig"),
    }
    if job.ended is not None:
        described["endTime"] = date(job.ended)
    if job.status == "Failed":
        described["failureMessage"] = job.failure
    if job.model is not None:
        described |= metrics(job.model) | {"outputModelArn": job.model.arn}
    return {name: value for name, value in described.items() if value is not None}


def metrics(model: CustomModel) -> dict[str, Any]:
    """What training says of a model."""
    validators = model.job.request.get("validationDataConfig", {}).get("validators", [])
    return {
        "trainingMetrics": {"trainingLoss": round(model.loss, 4)},
        "validationMetrics": [{"validationLoss": round(model.loss, 4)} for _ in validators],
    }


def artefacts(job: CustomizationJob, examples: int, knowledge: Summarizer) -> Iterator[tuple[str, str]]:
    """The objects that a job writes below its output prefix: key and text."""
    folder = f"model-customization-job-{job.arn.rsplit('/', 1)[-1]}"
    columns = "fileName,totalProcessedRecordCount,acceptedRecordCount,partiallyAcceptedRecordCount,rejectedRecordCount"
    file = job.request["trainingDataConfig"].get("s3Uri", "invocation logs").rsplit("/", 1)[-1]
    yield f"{folder}/input_status/training/manifest.report.csv", f"{columns}\n{file},{examples},{examples},0,0\n"
    loss = f"step_number,epoch_number,training_loss\n1,1,1.0\n{examples},1,{knowledge.loss:.4f}\n"
    yield f"{folder}/training_artifacts/step_wise_training_metrics.csv", loss
