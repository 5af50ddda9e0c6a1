"""Parallel: branches that run side by side, and fail together."""

from __future__ import annotations

from typing import Any

import trio

from bedrock_customization.rehearsal.interpreter import errors
from bedrock_customization.rehearsal.interpreter.definition import Block
from bedrock_customization.rehearsal.interpreter.flow import Flow, run_block
from bedrock_customization.rehearsal.interpreter.services import StatesError
from bedrock_customization.rehearsal.interpreter.visit import NOTHING, Outcome, Visit


async def run_parallel(visit: Visit) -> Outcome:
    """Run every branch on the same input; the result is the array of their outputs.

    Raises:
        StatesError: A branch failed; the others are cancelled at once.
    """
    state, flow = visit.state, visit.flow
    input = visit.payload
    input_text = visit.limited(input)
    started = flow.record("ParallelStateStarted")
    outputs: list[Any] = [NOTHING] * len(state.branches)
    branches = [flow.inner(started) for _ in state.branches]
    failures: list[StatesError] = []

    async def run_branch(index: int, block: Block, inner: Flow) -> None:
        try:
            outputs[index], _ = await run_block(inner, block, input, input_text)
            flow.cursor = max(flow.cursor, inner.cursor)
        except StatesError as failure:
            if not failures:
                flow.cursor = inner.cursor
            failures.append(failure)
            nursery.cancel_scope.cancel()

    async with trio.open_nursery() as nursery:
        for index, (block, inner) in enumerate(zip(state.branches, branches, strict=True)):
            nursery.start_soon(run_branch, index, block, inner)
    if failures:
        if failures[0].error == errors.RUNTIME:
            # It ends the execution at once: nothing says that the branches and this state were aborted.
            raise failures[0]
        for inner in branches:
            inner.record_abort(flow.cursor)
        flow.record("ParallelStateFailed")
        raise failures[0]
    flow.execution.record("ParallelStateSucceeded", flow.cursor)
    return Outcome(outputs, state.next, state.templates.get("Assign"), state.templates.get("Output"))
