"""Map in INLINE mode: iterations inside the execution."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import trio

from bedrock_customization.rehearsal.interpreter import errors, limits
from bedrock_customization.rehearsal.interpreter.flow import Flow, run_block
from bedrock_customization.rehearsal.interpreter.map_items import MapItem, listed_items, select
from bedrock_customization.rehearsal.interpreter.services import StatesError
from bedrock_customization.rehearsal.interpreter.visit import NOTHING, Outcome, Visit


async def run_inline_map(visit: Visit) -> Outcome:
    """Run the processor on every item; the result is the array of the outputs, in the order of the items.

    At most 40 iterations run at a time. `ToleratedFailureCount` and `ToleratedFailurePercentage` have no effect here.

    Raises:
        StatesError: An iteration failed; the others are cancelled at once.
    """
    state, flow = visit.state, visit.flow
    assert state.processor is not None
    processor = state.processor
    concurrency = visit.number("MaxConcurrency", 0, 0) or limits.INLINE_CONCURRENCY
    items = listed_items(visit)
    started = flow.record("MapStateStarted", mapStateStartedEventDetails={"length": len(items)})
    outputs: list[Any] = [NOTHING] * len(items)
    waiting: Iterator[MapItem] = iter(items)
    active: dict[int, Flow] = {}
    failures: dict[int, StatesError] = {}

    def record_iteration(event: str, index: int, previous: int) -> int:
        key = f"mapIteration{event}EventDetails"
        return flow.execution.record(f"MapIteration{event}", previous, **{key: {"name": state.name, "index": index}})

    def begin(item: MapItem, previous: int) -> None:
        cursor = record_iteration("Started", item.index, previous)
        active[item.index] = flow.inner(cursor, item.context)

    async def iterate(item: MapItem | None) -> None:
        while item is not None:
            inner = active[item.index]
            try:
                input = select(visit, item)
                outputs[item.index], _ = await run_block(inner, processor, input, visit.limited(input))
            except StatesError as failure:
                if not failures:
                    flow.cursor = inner.cursor
                failures[item.index] = visit.report(failure)
                nursery.cancel_scope.cancel()
                return
            flow.cursor = record_iteration("Succeeded", item.index, inner.cursor)
            del active[item.index]
            item = next(waiting, None)
            if item is not None:
                begin(item, inner.cursor)

    async with trio.open_nursery() as nursery:
        for _ in range(min(concurrency, limits.INLINE_CONCURRENCY, len(items))):
            item = next(waiting)
            begin(item, started)
            nursery.start_soon(iterate, item)
    if failures:
        first = next(iter(failures.values()))
        if first.error == errors.RUNTIME:
            # It ends the execution at once: nothing says that the iterations and this state were aborted.
            raise first
        for index, inner in sorted(active.items()):
            record_iteration("Failed" if index in failures else "Aborted", index, flow.cursor)
            inner.record_abort(flow.cursor)
        flow.record("MapStateFailed")
        raise first
    flow.execution.record("MapStateSucceeded", flow.cursor)
    return Outcome(outputs, state.next, state.templates.get("Assign"), state.templates.get("Output"))
