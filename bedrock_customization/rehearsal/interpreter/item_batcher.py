"""ItemBatcher: the items of a distributed Map, grouped into the inputs of its child executions."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from bedrock_customization.rehearsal.interpreter import limits
from bedrock_customization.rehearsal.interpreter.map_items import MapItem, select
from bedrock_customization.rehearsal.interpreter.visit import Visit, too_large


@dataclass(frozen=True)
class ChildInput:
    """The input of one child execution, its JSON text, and how many items are in it."""

    value: Any
    text: str
    items: int


def child_inputs(visit: Visit, items: Iterable[MapItem]) -> Iterator[ChildInput]:
    """Make the inputs of the child executions, one at a time.

    Raises:
        StatesError: An expression failed, or an item alone exceeds the size of a batch.
    """
    if "ItemBatcher" not in visit.state.definition:
        for item in items:
            value = select(visit, item)
            yield ChildInput(value, visit.limited(value), 1)
        return
    shared: dict[str, Any] = {}
    template = visit.state.templates.get("ItemBatcher/BatchInput")
    if template is not None:
        shared["BatchInput"] = visit.render(template)
    most = visit.number("ItemBatcher/MaxItemsPerBatch", None, 1)
    most_bytes = visit.number(
        "ItemBatcher/MaxInputBytesPerBatch", limits.MAX_PAYLOAD_BYTES, 1, limits.MAX_PAYLOAD_BYTES
    )
    empty = limits.size(limits.dump({**shared, "Items": []}))
    batch: list[Any] = []
    size = empty
    for item in items:
        value = select(visit, item)
        added = limits.size(limits.dump(value)) + (1 if batch else 0)
        if batch and (len(batch) == most or size + added > most_bytes):
            yield _batch(shared, batch)
            batch, size = [], empty
            added = limits.size(limits.dump(value))
        if size + added > most_bytes:
            raise too_large(visit.state.name)
        batch.append(value)
        size += added
    if batch:
        yield _batch(shared, batch)


def _batch(shared: dict[str, Any], batch: list[Any]) -> ChildInput:
    value = {**shared, "Items": batch}
    return ChildInput(value, limits.dump(value), len(batch))
