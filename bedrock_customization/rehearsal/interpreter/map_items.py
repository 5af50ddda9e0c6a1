"""The items of a Map: where they come from and what each iteration gets."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from bedrock_customization.rehearsal.interpreter import errors, limits
from bedrock_customization.rehearsal.interpreter.jsonata import EvaluationError
from bedrock_customization.rehearsal.interpreter.jsonata_values import encode
from bedrock_customization.rehearsal.interpreter.services import StatesError
from bedrock_customization.rehearsal.interpreter.visit import NOTHING, Visit, unexpected


@dataclass(frozen=True)
class MapItem:
    """One item: what an iteration gets unless `ItemSelector` makes something else of it.

    An item of a JSON object has its key; its value is then `{"Key": ..., "Value": ...}`.
    """

    index: int
    value: Any
    key: str | None = None
    source: str | None = None

    @property
    def context(self) -> dict[str, Any]:
        """`Map.Item` of the context object, encoded for JSONata."""
        value = self.value["Value"] if self.key is not None else self.value
        context = {"Index": self.index, "Value": encode(value)}
        if self.key is not None:
            context["Key"] = self.key
        if self.source is not None:
            context["Source"] = self.source
        return context


def listed_items(visit: Visit) -> list[MapItem]:
    """Give the items of the state's `Items`, or of its input; a Map in DISTRIBUTED mode also takes an object.

    Raises:
        StatesError: They are of another type. The failure is in the history.
    """
    try:
        return _listed_items(visit)
    except StatesError as error:
        if error.error == errors.RUNTIME:
            raise
        failure = visit.report(error, visit.came_from)
        visit.flow.record("MapStateFailed")
        raise failure from error


def _listed_items(visit: Visit) -> list[MapItem]:
    template = visit.state.templates.get("Items")
    value = visit.render(template, visit.data)
    source = "STATE_DATA" if visit.state.distributed else None
    if isinstance(value, list) or (isinstance(value, dict) and visit.state.distributed):
        return from_json(value, source)
    if visit.state.json_path:
        path = "$" if template is None else str(template.value).replace("$$", "$", 1)
        raise visit.failure(errors.RUNTIME, f'Reference path "{path}" must point to array.')
    if template is not None:
        raise unexpected(template, value, "array")
    raise EvaluationError(f"Map state input must be an array but was: {limits.dump(value)}", "")


def from_json(value: list[Any] | dict[str, Any], source: str | None) -> list[MapItem]:
    """Give the elements of an array, or the entries of an object."""
    if isinstance(value, dict):
        entries = enumerate(value.items())
        return [MapItem(index, {"Key": key, "Value": item}, key, source) for index, (key, item) in entries]
    return [MapItem(index, item, source=source) for index, item in enumerate(value)]


def select(visit: Visit, item: MapItem) -> Any:
    """Apply the state's `ItemSelector` to an item."""
    template = visit.state.templates.get("ItemSelector")
    return item.value if template is None else visit.render(template, NOTHING, map_item=item.context)
