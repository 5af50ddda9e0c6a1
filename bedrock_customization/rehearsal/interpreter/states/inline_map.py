"""Map in INLINE mode: iterations inside the execution."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import islice

import trio

from bedrock_customization.rehearsal.interpreter import errors, limits
from bedrock_customization.rehearsal.interpreter.flow import Flow, run_block
from bedrock_customization.rehearsal.interpreter.map_items import MapItem, listed_items, select
from bedrock_customization.rehearsal.interpreter.services import StatesError
from bedrock_customization.rehearsal.interpreter.visit import Outcome, Visit


@dataclass
class _Iterations:
    """The items of a Map, and the iterations that have begun, by the indices of their items."""

    items: list[MapItem]
    begun: dict[int, Flow] = field(default_factory=dict)

    def unfinished(self) -> list[MapItem]:
        return [item for item in self.items if item.index not in self.begun or not self.begun[item.index].ended]


async def run_inline_map(visit: Visit) -> Outcome:
    """Run the processor on every item; the result is the array of the outputs, in the order of the items.

    At most 40 iterations run at a time. `ToleratedFailureCount` and `ToleratedFailurePercentage` have no effect here.
    A redrive goes on with the iterations that have not ended, and those that have not begun.

    Raises:
        StatesError: An iteration failed; the others are cancelled at once.
    """
    state, flow = visit.state, visit.flow
    assert state.processor is not None
    processor = state.processor
    concurrency = visit.number("MaxConcurrency", 0, 0) or limits.INLINE_CONCURRENCY
    if visit.progress is None:
        items = listed_items(visit)
        flow.record("MapStateStarted", mapStateStartedEventDetails={"length": len(items)})
        visit.progress = _Iterations(items)
    iterations: _Iterations = visit.progress
    begun = iterations.begun
    waiting: Iterator[MapItem] = iter(iterations.unfinished())
    failures: dict[int, StatesError] = {}

    def record_iteration(event: str, index: int, previous: int) -> int:
        key = f"mapIteration{event}EventDetails"
        return flow.execution.record(f"MapIteration{event}", previous, **{key: {"name": state.name, "index": index}})

    def begin(item: MapItem, previous: int) -> None:
        if item.index in begun:
            begun[item.index].cursor = previous
        else:
            begun[item.index] = flow.inner(record_iteration("Started", item.index, previous), item.context)

    async def iterate(item: MapItem | None) -> None:
        while item is not None:
            inner = begun[item.index]
            try:
                input = select(visit, item)
                await run_block(inner, processor, input, visit.limited(input))
            except StatesError as failure:
                if not failures:
                    flow.cursor = inner.cursor
                failures[item.index] = visit.report(failure)
                nursery.cancel_scope.cancel()
                return
            flow.cursor = record_iteration("Succeeded", item.index, inner.cursor)
            item = next(waiting, None)
            if item is not None:
                begin(item, inner.cursor)

    entered = flow.cursor
    async with trio.open_nursery() as nursery:
        for item in islice(waiting, min(concurrency, limits.INLINE_CONCURRENCY)):
            begin(item, entered)
            nursery.start_soon(iterate, item)
    if failures:
        first = next(iter(failures.values()))
        if first.error == errors.RUNTIME:
            # It ends the execution at once: nothing says that the iterations and this state were aborted.
            raise first
        for item in iterations.unfinished():
            if item.index in begun:
                record_iteration("Failed" if item.index in failures else "Aborted", item.index, flow.cursor)
                begun[item.index].record_abort(flow.cursor)
        flow.record("MapStateFailed")
        raise first
    flow.execution.record("MapStateSucceeded", flow.cursor)
    outputs = [begun[item.index].output for item in iterations.items]
    return Outcome(outputs, state.next, state.templates.get("Assign"), state.templates.get("Output"))
