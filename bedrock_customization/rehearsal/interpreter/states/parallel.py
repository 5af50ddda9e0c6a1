"""Parallel: branches that run side by side, and fail together."""

from __future__ import annotations

import trio

from bedrock_customization.rehearsal.interpreter import errors
from bedrock_customization.rehearsal.interpreter.definition import Block
from bedrock_customization.rehearsal.interpreter.flow import Flow, run_block
from bedrock_customization.rehearsal.interpreter.services import StatesError
from bedrock_customization.rehearsal.interpreter.visit import Outcome, Visit


async def run_parallel(visit: Visit) -> Outcome:
    """Run every branch on the same input; the result is the array of their outputs.

    A redrive goes on with the branches that have not ended.

    Raises:
        StatesError: A branch failed; the others are cancelled at once.
    """
    state, flow = visit.state, visit.flow
    input = visit.payload
    input_text = visit.limited(input)
    if visit.progress is None:
        started = flow.record("ParallelStateStarted")
        visit.progress = [flow.inner(started) for _ in state.branches]
    branches: list[Flow] = visit.progress
    unfinished = [(block, inner) for block, inner in zip(state.branches, branches, strict=True) if not inner.ended]
    began = flow.cursor
    failures: list[StatesError] = []

    async def run_branch(block: Block, inner: Flow) -> None:
        inner.cursor = began
        try:
            await run_block(inner, block, input, input_text)
            flow.cursor = max(flow.cursor, inner.cursor)
        except StatesError as failure:
            if not failures:
                flow.cursor = inner.cursor
            failures.append(failure)
            nursery.cancel_scope.cancel()

    async with trio.open_nursery() as nursery:
        for block, inner in unfinished:
            nursery.start_soon(run_branch, block, inner)
    if failures:
        if failures[0].error == errors.RUNTIME:
            # It ends the execution at once: nothing says that the branches and this state were aborted.
            raise failures[0]
        for _, inner in unfinished:
            inner.record_abort(flow.cursor)
        flow.record("ParallelStateFailed")
        raise failures[0]
    flow.execution.record("ParallelStateSucceeded", flow.cursor)
    outputs = [inner.output for inner in branches]
    return Outcome(outputs, state.next, state.templates.get("Assign"), state.templates.get("Output"))
