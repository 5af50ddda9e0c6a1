"""Metrics of the user's own: Lambda functions that get rows and return a number for each answer."""

import json
import math
from collections.abc import Sequence
from typing import Any

import boto3
from botocore.config import Config

from scoring.errors import EvaluatorFailed, InvalidEvaluation, InvalidInput
from scoring.rows import Row

# A function may run for 15 minutes, and a call that is still running must not be made again.
_LAMBDA = Config(read_timeout=900, tcp_keepalive=True, retries={"mode": "standard", "max_attempts": 5})


class EvaluatorMetric:
    """Asks a Lambda function for the values of one metric.

    The function's event is `{"name", "models": [...], "rows": [{"id", "category"?, "system"?, "messages"?,
    "references": [...], "responses": {"<model>": "<text>"}}]}`; only complete answers are in it. It returns
    `{"values": {"<id>": {"<model>": number or null}}}` with every row and model of the event and nothing else. Null
    says that an answer cannot be judged; the record then does not count if the gate decides on this metric.
    """

    def __init__(self, name: str, function: str, models: Sequence[str], client: Any) -> None:
        """Name the function; nothing is called yet.

        Args:
            name: The metric's name.
            function: The function's ARN.
            models: The names of all models.
            client: A Lambda client.
        """
        self.signature = f"{name}|evaluator:{function}"
        self._name, self._function, self._models, self._client = name, function, list(models), client

    def score(self, rows: Sequence[Row]) -> None:
        """Add the function's values to each row's answers.

        Args:
            rows: The rows.

        Raises:
            EvaluatorFailed: the function failed.
            InvalidEvaluation: it returned something else than a number for each answer.
        """
        answered = [row for row in rows if row.answers]
        if not answered:
            return
        values = self._values([_event_row(row) for row in answered])
        if unknown := sorted(values.keys() - {row.id for row in answered}):
            raise self._invalid(f"row {unknown[0]!r}, which was not in the event")
        for row in answered:
            of_row = values.get(row.id)
            if not isinstance(of_row, dict) or of_row.keys() != row.answers.keys():
                raise self._invalid(f"{_short(of_row)} for row {row.id!r}, whose models are {', '.join(row.answers)}")
            for model, value in of_row.items():
                if not _is_number(value):
                    raise self._invalid(f"{_short(value)} for row {row.id!r} and model {model!r}")
                row.values.setdefault(model, {})[self._name] = None if value is None else float(value)

    def _values(self, rows: list[dict[str, Any]]) -> dict[str, Any]:
        event = {"name": self._name, "models": self._models, "rows": rows}
        response = self._client.invoke(
            FunctionName=self._function, Payload=json.dumps(event, ensure_ascii=False).encode()
        )
        body = response["Payload"].read()
        if "FunctionError" in response:
            raise EvaluatorFailed(
                f"evaluators.{self._name}: the function {self._function} failed: {body.decode()[:2000]}. "
                "Repair it and redrive the execution."
            )
        result = json.loads(body)
        values = result.get("values") if isinstance(result, dict) else None
        if not isinstance(values, dict):
            raise self._invalid(_short(result))
        return values

    def _invalid(self, got: str) -> InvalidEvaluation:
        return InvalidEvaluation(
            f"evaluators.{self._name}: the function {self._function} returned {got}. Allowed is "
            '{"values": {"<id>": {"<model>": <finite number or null>}}} with every row and model of the event. '
            "Repair it and redrive the execution."
        )


def open_evaluators(selected: Any, models: Sequence[str]) -> dict[str, EvaluatorMetric]:
    """Open the evaluators that an event selects.

    Args:
        selected: `[{"name", "function"}]`.
        models: The names of all models.

    Returns:
        The evaluators by name.

    Raises:
        InvalidInput: an evaluator without name or function.
    """
    if not selected:
        return {}
    client = boto3.client("lambda", config=_LAMBDA)
    evaluators = {}
    for number, evaluator in enumerate(selected):
        name, function = evaluator.get("name"), evaluator.get("function")
        if not isinstance(name, str) or not isinstance(function, str):
            raise InvalidInput(f"evaluators[{number}]: got {evaluator!r}; allowed is {{'name': ..., 'function': ARN}}.")
        evaluators[name] = EvaluatorMetric(name, function, models, client)
    return evaluators


def _event_row(row: Row) -> dict[str, Any]:
    category = {"category": row.category} if row.category is not None else {}
    return {"id": row.id, **category, **row.prompt, "references": row.references, "responses": row.answers}


def _is_number(value: Any) -> bool:
    if value is None:
        return True
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)


def _short(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= 200 else f"{text[:200]}..."
