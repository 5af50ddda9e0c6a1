"""The event that asks for a shard's scores."""

from dataclasses import dataclass
from typing import Any

from scoring.errors import InvalidInput


@dataclass(frozen=True, kw_only=True)
class Request:
    """A scoring event.

    Attributes:
        index: The shard's number.
        bucket: The bucket of all keys.
        key: The object with the rows.
        start: The shard's first byte in the object.
        end: The byte behind the shard's last one.
        output: Where the scores are written.
        models: The names of the models whose responses are scored.
        metrics: For each metric its name and options.
        evaluation_key: The normalised evaluation set, whose references the inverse document frequencies come from.
    """

    index: int
    bucket: str
    key: str
    start: int
    end: int
    output: str
    models: list[str]
    metrics: list[dict[str, Any]]
    evaluation_key: str

    @classmethod
    def from_event(cls, event: dict[str, Any]) -> "Request":
        """Read an event.

        Args:
            event: `{"shard": {"index", "key", "start", "end"}, "bucket", "output", "models": [...], "metrics":
                [{"name", ...}], "evaluationKey"?}`. The evaluation set lies beside the folder of `output` by default:
                `runs/<id>/evaluation.jsonl` for `runs/<id>/scores/00003.json`.

        Returns:
            The request.

        Raises:
            InvalidInput: a field is missing or has a wrong value.
        """
        shard = _field(event, "shard", dict)
        output = _field(event, "output", str)
        request = cls(
            index=_field(shard, "index", int, "shard."),
            bucket=_field(event, "bucket", str),
            key=_field(shard, "key", str, "shard."),
            start=_field(shard, "start", int, "shard."),
            end=_field(shard, "end", int, "shard."),
            output=output,
            models=_field(event, "models", list),
            metrics=_field(event, "metrics", list),
            evaluation_key=event.get("evaluationKey") or "/".join([*output.split("/")[:-2], "evaluation.jsonl"]),
        )
        if not 0 <= request.start <= request.end:
            raise InvalidInput(
                f"shard: got start {request.start} and end {request.end}; allowed is 0 <= start <= end, in bytes."
            )
        if not request.models or not all(isinstance(model, str) for model in request.models):
            raise InvalidInput(f"models: got {request.models!r}; give the names of at least one model.")
        if not request.metrics or not all(isinstance(metric, dict) for metric in request.metrics):
            raise InvalidInput(f"metrics: got {request.metrics!r}; give at least one metric as {{'name': ...}}.")
        return request


def _field(container: dict[str, Any], name: str, kind: type, prefix: str = "") -> Any:
    value = container.get(name)
    if not isinstance(value, kind) or isinstance(value, bool):
        raise InvalidInput(f"{prefix}{name}: got {value!r}; a value of type {kind.__name__} is required.")
    return value
