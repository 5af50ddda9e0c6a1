"""How control flows through states: entering and leaving them, variables, Retry and Catch."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

import trio

from bedrock_customization.rehearsal.interpreter import errors, limits, retry
from bedrock_customization.rehearsal.interpreter.definition import Block, Field
from bedrock_customization.rehearsal.interpreter.execution import Execution
from bedrock_customization.rehearsal.interpreter.jsonata_values import encode
from bedrock_customization.rehearsal.interpreter.jsonpath.result import place
from bedrock_customization.rehearsal.interpreter.services import StatesError
from bedrock_customization.rehearsal.interpreter.visit import NOTHING, Outcome, Visit, too_large

if TYPE_CHECKING:
    from bedrock_customization.rehearsal.interpreter.engine import Interpreter

_RECORDS_ABORT = ("Map", "Parallel", "Task", "Wait")
# A state that failed so is redriven as a whole.
_STARTS_OVER = (errors.DATA_LIMIT_EXCEEDED,)
_STARTS_MAP_RUN = (*_STARTS_OVER, errors.INTRINSIC_FAILURE, errors.QUERY_EVALUATION_ERROR, errors.RUNTIME)


@dataclass
class Flow:
    """One thread of control in an execution: the machine itself, a branch of a Parallel, an iteration of a Map.

    Attributes:
        interpreter: Runs nested things.
        execution: The execution that it belongs to.
        cursor: The id of its last event, which the next event names as its previous one.
        variables: Every variable that can be read here, encoded for JSONata.
        sizes: The bytes of each variable.
        map_item: `Map.Item` of the context object, in an iteration.
        visit: The state that it is in; a redrive goes on there.
        output: The output of its last state, once it has ended.
    """

    interpreter: Interpreter
    execution: Execution
    cursor: int = 0
    variables: dict[str, Any] = field(default_factory=dict)
    sizes: dict[str, int] = field(default_factory=dict)
    map_item: dict[str, Any] | None = None
    visit: Visit | None = None
    output: Any = NOTHING

    def inner(self, cursor: int, map_item: dict[str, Any] | None = None) -> Flow:
        """Start an inner scope: it reads these variables; what it assigns stays inside."""
        return replace(
            self,
            cursor=cursor,
            variables=dict(self.variables),
            sizes=dict(self.sizes),
            map_item=self.map_item if map_item is None else map_item,
            visit=None,
        )

    @property
    def ended(self) -> bool:
        """Whether it has come to its end, so that a redrive leaves it alone."""
        return self.output is not NOTHING

    def record(self, event: str, **details: Any) -> int:
        """Add the next event of this flow to the history."""
        self.cursor = self.execution.record(event, self.cursor, **details)
        return self.cursor

    def record_abort(self, previous: int) -> None:
        """Record that a sibling's failure, or its own, ended this flow in the middle of a state."""
        if self.visit is not None and self.visit.state.type in _RECORDS_ABORT:
            self.execution.record(f"{self.visit.state.type}StateAborted", previous)


Runner = Callable[[Visit], Awaitable[Outcome]]


async def run_block(flow: Flow, block: Block, input: Any, input_text: str) -> tuple[Any, str]:
    """Run states one after another until one of them ends.

    A flow that was stopped in a state goes on with that state.

    Returns:
        The output of the last state, and its JSON text.

    Raises:
        StatesError: A state failed and nothing caught it.
    """
    visit = flow.visit
    if visit is None:
        visit = Visit(flow, block.states[block.start_at], input, input_text)
    else:
        visit.came_from = flow.cursor
    while True:
        output, output_text, name = await _perform(visit)
        if name is None:
            flow.output = output
            return output, output_text
        visit = Visit(flow, block.states[name], output, output_text)


async def _perform(visit: Visit) -> tuple[Any, str, str | None]:
    flow, state = visit.flow, visit.state
    visit.retries = 0
    if state.type != "Task":
        # Concurrent branches advance in turns, as in the service: each enters its state before any leaves one. A Task
        # takes its turn when its call is scheduled.
        await trio.lowlevel.checkpoint()
    attempts = [0] * len(state.retry)
    while True:
        try:
            outcome = await flow.interpreter.runners[state.type](visit)
            if flow.execution.status != "RUNNING":
                # Stopped at the moment at which the state ended: the history does not say that it was left.
                await trio.lowlevel.checkpoint_if_cancelled()
            return _leave(visit, visit.output(outcome), outcome.assign, outcome.next, result=outcome.result)
        except StatesError as error:
            failure = visit.report(error)
            if failure.error in (_STARTS_MAP_RUN if state.distributed else _STARTS_OVER):
                visit.progress = None
            delay = retry.next_delay(state.retry, attempts, failure, flow.execution.chance)
            if delay is None:
                return _catch(visit, failure)
            visit.retries += 1
            await trio.sleep(delay)
            visit.progress = None


def _catch(visit: Visit, failure: StatesError) -> tuple[Any, str, str | None]:
    for catcher in visit.state.catch:
        if errors.matches(catcher.error_equals, failure.error, failure.of_result):
            error_output = {"Error": failure.error, "Cause": failure.cause}
            try:
                output = visit.render(catcher.output, error_output, errorOutput=error_output)
                if visit.state.json_path:
                    output = place(visit.input, catcher.result_path, error_output)
                return _leave(visit, output, catcher.assign, catcher.next, errorOutput=error_output)
            except StatesError as error:
                raise visit.report(error) from failure
    raise failure


def _leave(
    visit: Visit, output: Any, assign: Field | None, following: str | None, **states: Any
) -> tuple[Any, str, str | None]:
    """Leave a state: its variables were evaluated against the values at its entry, and become visible now."""
    flow = visit.flow
    details: dict[str, Any] = {"name": visit.state.name}
    if assign is not None and assign.value:
        assigned = visit.render(assign, **states)
        texts = {name: limits.dump(value) for name, value in assigned.items()}
        sizes = {name: limits.size(text) for name, text in texts.items()}
        flow_sizes = {**flow.sizes, **sizes}
        if sum(sizes.values()) > limits.MAX_PAYLOAD_BYTES or sum(flow_sizes.values()) > limits.MAX_VARIABLES_BYTES:
            raise too_large(visit.state.name)
        text = visit.limited(output)
        flow.variables.update({name: encode(value) for name, value in assigned.items()})
        flow.sizes = flow_sizes
        details |= {"assignedVariables": texts, "assignedVariablesDetails": {"truncated": False}}
    else:
        text = visit.input_text if output is visit.input else visit.limited(output)
    details |= {"output": text, "outputDetails": {"truncated": False}}
    flow.record(f"{visit.state.type}StateExited", stateExitedEventDetails=details)
    flow.visit = None
    return output, text, following
