"""Map in DISTRIBUTED mode: a Map Run, whose child executions each process an item or a batch of items."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from typing import Any

import trio

from bedrock_customization.rehearsal.interpreter import errors, limits
from bedrock_customization.rehearsal.interpreter.definition import Definition
from bedrock_customization.rehearsal.interpreter.execution import Execution
from bedrock_customization.rehearsal.interpreter.item_batcher import ChildInput, child_inputs
from bedrock_customization.rehearsal.interpreter.item_reader import read_items
from bedrock_customization.rehearsal.interpreter.map_items import MapItem, listed_items
from bedrock_customization.rehearsal.interpreter.result_writer import write_results
from bedrock_customization.rehearsal.interpreter.services import StatesError
from bedrock_customization.rehearsal.interpreter.visit import Outcome, Visit

KEPT_HISTORIES = 100
"""So many children of a Map Run keep their history, and as many more that did not succeed."""

_EXCEEDED = "The specified tolerated failure threshold was exceeded"


async def run_distributed_map(visit: Visit) -> Outcome:
    """Run a child execution for every item or batch; the result is their outputs or where they were written.

    Without a ResultWriter the result holds the outputs of the children that succeeded, in the order of the items.
    A redrive goes on with a Map Run that knows its items: of the children that did not succeed, STANDARD ones go on
    where they were and EXPRESS ones begin again.

    Raises:
        StatesError: The items cannot be read, more items failed than are tolerated, or the results cannot be written.
    """
    state, flow = visit.state, visit.flow
    concurrency = visit.number("MaxConcurrency", 0, 0) or limits.DISTRIBUTED_CONCURRENCY
    run: _MapRun | None = visit.progress
    redriven = run is not None
    items: list[MapItem] = []
    if run is None:
        reads = "ItemReader" in state.definition
        items = [] if reads else listed_items(visit)
        flow.record("MapStateStarted", mapStateStartedEventDetails={"length": len(items)})
        run = _MapRun(visit, _Tolerance(visit))
        flow.record("MapRunStarted", mapRunStartedEventDetails={"mapRunArn": run.arn})
    else:
        run.redrives += 1
        counted = {"mapRunArn": run.arn, "redriveCount": run.redrives}
        flow.record("MapRunRedriven", mapRunRedrivenEventDetails=counted)
    try:
        if redriven:
            run.redrive()
        else:
            flow.interpreter.services.start_map_run(visit.caller)
            if reads:
                items = await read_items(visit)
            run.inputs, run.total = child_inputs(visit, items), len(items)
            visit.progress = run
        await run.run(min(concurrency, limits.DISTRIBUTED_CONCURRENCY))
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
        self.inputs: Iterator[ChildInput] = iter(())
        self.total = 0
        self.children: list[Execution] = []
        self.items: list[int] = []
        self.again: list[int] = []
        self.pending: list[str] = []
        self.failure: StatesError | None = None
        self.redrives = 0
        self.unsuccessful = 0
        assert visit.state.processor is not None
        self.definition = Definition(visit.state.processor, None)
        self.express = visit.state.express_children

    def _prefix(self, kind: str) -> str:
        parts = self.parent.machine.arn.split(":")
        parts[5] = kind
        return f"{':'.join(parts)}/{self.label}"

    def redrive(self) -> None:
        """Take up the children that did not succeed; the others keep their results.

        Raises:
            StatesError: The state machine may not redrive them.
        """
        self.pending = []
        self.failure = None
        self.again = [
            index
            for index, child in enumerate(self.children)
            if child.status != "SUCCEEDED" and (self.express or child.not_redrivable is None)
        ]
        services, caller = self.interpreter.services, self.visit.caller
        if self.express:
            services.start_map_run(caller)
        else:
            services.redrive_map_run(caller, [self.children[index].arn for index in self.again])

    async def run(self, concurrency: int) -> None:
        """Run the children; stop at the first moment at which too many items have failed."""
        waiting = self._waiting()
        failed = sum(
            items
            for index, (child, items) in enumerate(zip(self.children, self.items, strict=True))
            if child.status != "SUCCEEDED" and index not in self.again
        )
        async with trio.open_nursery() as nursery:

            async def work() -> None:
                nonlocal failed
                try:
                    for index in waiting:
                        child = await self._run_child(index)
                        if child.status != "SUCCEEDED":
                            failed += self.items[index]
                            if self.tolerance.exceeded(failed, self.total):
                                raise StatesError(errors.EXCEED_TOLERATED_FAILURE_THRESHOLD, _EXCEEDED)
                except StatesError as failure:
                    self.failure = self.failure or failure
                    nursery.cancel_scope.cancel()

            for _ in range(min(concurrency, self.total)):
                nursery.start_soon(work)
        if self.failure is not None and self.failure.error == errors.EXCEED_TOLERATED_FAILURE_THRESHOLD:
            rest = list(self.inputs)
            self.inputs = iter(rest)
            self.pending = [child_input.text for child_input in rest]

    def _waiting(self) -> Iterator[int]:
        """The children to run, those that are redriven first; the others are made when it is their turn."""
        yield from self.again
        for child_input in self.inputs:
            child = self._execution(child_input.value, self.interpreter.identifier())
            self.children.append(child)
            self.items.append(child_input.items)
            self.parent.children.append(child)
            yield len(self.children) - 1

    def _execution(self, input: Any, name: str) -> Execution:
        kind = "express" if self.express else "execution"
        return Execution(
            self.parent.machine,
            input,
            arn=":".join([self._prefix(kind), *([self.identifier] if self.express else []), name]),
            name=name,
            seed=self.interpreter.seed,
            observer=self.interpreter.observer,
            parent=self.parent,
            express=self.express,
            label=self.label,
        )

    async def _run_child(self, index: int) -> Execution:
        child = self.children[index]
        if child.status != "RUNNING" and self.express:
            fresh = self._execution(child.input, child.name)
            self.parent.children[self.parent.children.index(child)] = self.children[index] = fresh
            child = fresh
        elif child.status != "RUNNING":
            child.redrive()
        await self.interpreter.run_states(child, limits.dump(child.input), self.definition)
        if child.status != "SUCCEEDED":
            self.unsuccessful += 1
        if index >= KEPT_HISTORIES and (child.status == "SUCCEEDED" or self.unsuccessful > KEPT_HISTORIES):
            child.forget()
        return child
