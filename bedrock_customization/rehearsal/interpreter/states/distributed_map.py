"""Map in DISTRIBUTED mode: a Map Run, whose child executions each process an item or a batch of items."""

from __future__ import annotations

import uuid
from collections.abc import Iterator

import trio

from bedrock_customization.rehearsal.interpreter import errors, limits
from bedrock_customization.rehearsal.interpreter.definition import Definition
from bedrock_customization.rehearsal.interpreter.execution import Execution
from bedrock_customization.rehearsal.interpreter.item_batcher import ChildInput, child_inputs
from bedrock_customization.rehearsal.interpreter.item_reader import read_items
from bedrock_customization.rehearsal.interpreter.map_items import listed_items
from bedrock_customization.rehearsal.interpreter.result_writer import write_results
from bedrock_customization.rehearsal.interpreter.services import StatesError
from bedrock_customization.rehearsal.interpreter.visit import Outcome, Visit

KEPT_HISTORIES = 100
"""So many children of a Map Run keep their history, and as many more that did not succeed."""

_EXCEEDED = "The specified tolerated failure threshold was exceeded"


async def run_distributed_map(visit: Visit) -> Outcome:
    """Run a child execution for every item or batch; the result is their outputs or where they were written.

    Without a ResultWriter the result holds the outputs of the children that succeeded, in the order of the items.

    Raises:
        StatesError: The items cannot be read, more items failed than are tolerated, or the results cannot be written.
    """
    state, flow = visit.state, visit.flow
    concurrency = visit.number("MaxConcurrency", 0, 0) or limits.DISTRIBUTED_CONCURRENCY
    reads = "ItemReader" in state.definition
    items = [] if reads else listed_items(visit)
    flow.record("MapStateStarted", mapStateStartedEventDetails={"length": len(items)})
    tolerance = _Tolerance(visit)
    run = _MapRun(visit, tolerance)
    flow.record("MapRunStarted", mapRunStartedEventDetails={"mapRunArn": run.arn})
    try:
        flow.interpreter.services.start_map_run(visit.caller)
        if reads:
            items = await read_items(visit)
        await run.run(child_inputs(visit, items), len(items), min(concurrency, limits.DISTRIBUTED_CONCURRENCY))
        result = await write_results(visit, run.arn, run.children, run.pending, run.label)
        if run.failure is not None:
            raise run.failure
        visit.limited(result)
    except StatesError as error:
        failure = visit.report(error)
        details = {"error": failure.error, **({"cause": failure.cause} if failure.cause else {})}
        flow.record("MapRunFailed", mapRunFailedEventDetails=details)
        flow.record("MapStateFailed")
        raise failure from error
    # The events of a success do not advance the flow, as executions recorded since December 2024 show.
    succeeded = flow.execution.record("MapRunSucceeded", flow.cursor)
    flow.execution.record("MapStateSucceeded", succeeded)
    return Outcome(result, state.next, state.templates.get("Assign"), state.templates.get("Output"))


class _Tolerance:
    """How many items may fail: none, unless `ToleratedFailureCount` or `ToleratedFailurePercentage` says otherwise."""

    def __init__(self, visit: Visit) -> None:
        self.count = visit.number("ToleratedFailureCount", None, 0)
        self.percentage = visit.number("ToleratedFailurePercentage", None, 0, 100)

    def exceeded(self, failed: int, total: int) -> bool:
        if self.count is None and self.percentage is None:
            return failed > 0
        if self.count is not None and failed > self.count:
            return True
        return self.percentage is not None and failed * 100 > self.percentage * total


class _MapRun:
    def __init__(self, visit: Visit, tolerance: _Tolerance) -> None:
        self.visit = visit
        self.tolerance = tolerance
        self.interpreter = visit.flow.interpreter
        parent = visit.flow.execution
        self.parent = parent
        self.label = visit.state.definition.get("Label") or str(uuid.uuid5(uuid.NAMESPACE_URL, visit.state.path))
        self.identifier = self.interpreter.identifier()
        self.arn = f"{self._prefix('mapRun')}:{self.identifier}"
        self.children: list[Execution] = []
        self.pending: list[str] = []
        self.failure: StatesError | None = None
        self.failed_items = 0
        self.unsuccessful = 0
        assert visit.state.processor is not None
        self.definition = Definition(visit.state.processor, None)
        self.express = visit.state.express_children

    def _prefix(self, kind: str) -> str:
        parts = self.parent.machine.arn.split(":")
        parts[5] = kind
        return f"{':'.join(parts)}/{self.label}"

    async def run(self, inputs: Iterator[ChildInput], total: int, concurrency: int) -> None:
        """Run the children; stop at the first moment at which too many items have failed."""
        async with trio.open_nursery() as nursery:

            async def work() -> None:
                try:
                    for child_input in inputs:
                        child = await self._child(child_input)
                        if child.status != "SUCCEEDED":
                            self.failed_items += child_input.items
                            if self.tolerance.exceeded(self.failed_items, total):
                                raise StatesError(errors.EXCEED_TOLERATED_FAILURE_THRESHOLD, _EXCEEDED)
                except StatesError as failure:
                    self.failure = self.failure or failure
                    nursery.cancel_scope.cancel()

            for _ in range(min(concurrency, total)):
                nursery.start_soon(work)
        if self.failure is not None and self.failure.error == errors.EXCEED_TOLERATED_FAILURE_THRESHOLD:
            self.pending = [child_input.text for child_input in inputs]

    async def _child(self, child_input: ChildInput) -> Execution:
        name = self.interpreter.identifier()
        kind = "express" if self.express else "execution"
        arn = ":".join([self._prefix(kind), *([self.identifier] if self.express else []), name])
        index = len(self.children)
        child = Execution(
            self.parent.machine,
            child_input.value,
            arn=arn,
            name=name,
            seed=self.interpreter.seed,
            observer=self.interpreter.observer,
            parent=self.parent,
            express=self.express,
            label=self.label,
        )
        self.children.append(child)
        self.parent.children.append(child)
        await self.interpreter.run_states(child, child_input.text, self.definition)
        if child.status != "SUCCEEDED":
            self.unsuccessful += 1
        if index >= KEPT_HISTORIES and (child.status == "SUCCEEDED" or self.unsuccessful > KEPT_HISTORIES):
            child.forget()
        return child
