"""What the models of an evaluation are, and what they need of every record."""

import json
from dataclasses import dataclass
from typing import Any

from dataset.invoke_model import (
    COMPLETE_STOP_REASONS,
    compile_path,
    compile_template,
    placeholders,
    problems_with_template,
)

MAXIMUM_STATE_BYTES = 250_000
"""A record's answers travel in states of at most 256 KiB (262,144 bytes); the rest is for the frame around them."""
MAXIMUM_RECORD_BYTES = 200_000
MAXIMUM_MODELS_BYTES = 30_000
BYTES_PER_TOKEN = 4
"""AWS's rule of thumb is six characters a token for English; this much room is kept for every token of an answer."""


@dataclass(frozen=True)
class RecordNeeds:
    """What the models need of every record.

    Args:
        asked: How many models are asked.
        given: The names of the models whose answers are in the data.
        single_turn: Names of models whose body template takes one turn only.
        no_system: Names of models whose body template takes no system text.
        max_tokens: The longest answer in tokens.
    """

    asked: int = 0
    given: tuple[str, ...] = ()
    single_turn: tuple[str, ...] = ()
    no_system: tuple[str, ...] = ()
    max_tokens: int = 0

    @property
    def prompt(self) -> bool:
        """Whether a record needs a prompt; it does unless all answers are given."""
        return bool(self.asked) or not self.given

    @property
    def record_bytes(self) -> int:
        """The most bytes of a record, so that as long answers as are asked for fit beside it in one state."""
        answers = self.asked * self.max_tokens * BYTES_PER_TOKEN
        return min(MAXIMUM_RECORD_BYTES, MAXIMUM_STATE_BYTES - answers)

    def answer_bytes(self, record_bytes: int) -> int:
        """Return the most bytes that one model's answer may have beside a record.

        Args:
            record_bytes: The record's size.
        """
        return (MAXIMUM_STATE_BYTES - record_bytes) // max(self.asked, 1)


def plan(models: list[dict[str, Any]], inference: dict[str, Any]) -> tuple[list[dict[str, Any]], RecordNeeds]:
    """Work out how each model is asked.

    Args:
        models: `models` of the execution input.
        inference: `{"maxTokens", "temperature", "topP"?}`, how they are asked.

    Returns:
        The models, `invokeModel` compiled to `{"parts", "answer": steps, "stopReason": steps, "completeStopReasons"}`;
        and what they need of every record.
    """
    planned, single_turn, no_system = [], [], []
    for model in models:
        if "invokeModel" not in model:
            planned.append(model)
            continue
        calling = model["invokeModel"]
        found = placeholders(calling["bodyTemplate"])
        single_turn += [model["name"]] if "messages" not in found else []
        no_system += [model["name"]] if "system" not in found else []
        compiled = {
            "parts": compile_template(calling["bodyTemplate"]),
            "answer": compile_path(calling["answerPath"]),
            "stopReason": compile_path(calling["stopReasonPath"]),
            "completeStopReasons": calling.get("completeStopReasons", list(COMPLETE_STOP_REASONS)),
        }
        planned.append(model | {"invokeModel": compiled})
    needs = RecordNeeds(
        asked=sum("modelId" in model for model in models),
        given=tuple(model["name"] for model in models if "modelId" not in model),
        single_turn=tuple(single_turn),
        no_system=tuple(no_system),
        max_tokens=inference.get("maxTokens", 0),
    )
    return planned, needs


def problems_with_models(execution_input: dict[str, Any], inference: dict[str, Any]) -> list[str]:
    """Say what is wrong with the models, which a schema cannot check.

    Args:
        execution_input: The execution input; `models` and `baseline` may be missing.
        inference: How they are asked.

    Returns:
        One sentence or two for each problem, the field's name first.
    """
    models = execution_input.get("models", [])
    names = [model["name"] for model in models]
    problems = [
        f"models[{index}].name: {name!r} is there twice. Give each model a name of its own."
        for index, name in enumerate(names)
        if name in names[:index]
    ]
    baselines = execution_input.get("baseline", [])
    for baseline in [baselines] if isinstance(baselines, str) else baselines:
        if baseline not in names:
            allowed = ", ".join(dict.fromkeys(names))
            problems.append(f"baseline: must be the name of one of the models, {allowed}, got {baseline!r}.")
    for index, model in enumerate(models):
        if "invokeModel" in model:
            template = model["invokeModel"]["bodyTemplate"]
            top_p = inference.get("topP") is not None
            problems += [
                f"models[{index}].invokeModel.bodyTemplate: {problem}"
                for problem in problems_with_template(template, top_p=top_p)
            ]
    if not problems:
        size = len(json.dumps(plan(models, inference)[0], ensure_ascii=False).encode("utf-8", "replace"))
        if size > MAXIMUM_MODELS_BYTES:
            problems.append(
                f"models: {size} bytes with their body templates, at most {MAXIMUM_MODELS_BYTES}. Shorten the "
                "templates, or compare fewer models at once."
            )
    return problems


def problem_with_time(records: int, inference: dict[str, Any], timeout: int | None) -> str | None:
    """Say whether asking takes longer than an execution may.

    Args:
        records: How many records there are.
        inference: `{"requestsPerMinute"?}`.
        timeout: The execution's time-out in seconds, or None.

    Returns:
        A sentence, or None if there is time enough.
    """
    pace = inference.get("requestsPerMinute")
    if pace is None or timeout is None or records * 60 / pace <= timeout:
        return None
    return (
        f"evaluationDataKey: {records} records at {pace} requests a minute take {records / pace / 60:.0f} hours, "
        f"longer than the time-out of {timeout / 3600:.0f} hours. Use fewer records, or raise the workflow's "
        "requests_per_minute or timeout."
    )
