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
        evaluators: For each metric of the user's own its name and function.
        document_frequencies: The object with the document frequencies of all references, for metrics with IDF.
    """

    index: int
    bucket: str
    key: str
    start: int
    end: int
    output: str
    models: list[str]
    metrics: list[dict[str, Any]]
    evaluators: list[dict[str, Any]]
    document_frequencies: str | None

    @classmethod
    def from_event(cls, event: dict[str, Any]) -> "Request":
        """Read an event.

        Args:
            event: `{"shard": {"index", "key", "start", "end"}, "bucket", "output", "models": [...], "metrics":
                [{"name", ...}], "evaluators"?: [{"name", "function"}], "documentFrequencies"?: key}`.

        Returns:
            The request.

        Raises:
            InvalidInput: a field is missing or has a wrong value.
        """
        shard = _field(event, "shard", dict)
        request = cls(
            index=_field(shard, "index", int, "shard."),
            bucket=_field(event, "bucket", str),
            key=_field(shard, "key", str, "shard."),
            start=_field(shard, "start", int, "shard."),
            end=_field(shard, "end", int, "shard."),
            output=_field(event, "output", str),
            models=_field(event, "models", list),
            metrics=_field(event, "metrics", list),
            evaluators=event.get("evaluators") or [],
            document_frequencies=event.get("documentFrequencies"),
        )
        if not 0 <= request.start <= request.end:
            raise InvalidInput(
                f"shard: got start {request.start} and end {request.end}; allowed is 0 <= start <= end, in bytes."
            )
        if not request.models or not all(isinstance(model, str) for model in request.models):
            raise InvalidInput(f"models: got {request.models!r}; give the names of at least one model.")
        if not (request.metrics or request.evaluators) or not all(isinstance(each, dict) for each in request.metrics):
            raise InvalidInput(f"metrics: got {request.metrics!r}; give at least one metric as {{'name': ...}}.")
        return request


def _field(container: dict[str, Any], name: str, kind: type, prefix: str = "") -> Any:
    value = container.get(name)
    if not isinstance(value, kind) or isinstance(value, bool):
        raise InvalidInput(f"{prefix}{name}: got {value!r}; a value of type {kind.__name__} is required.")
    return value
