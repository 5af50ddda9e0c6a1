"""The interpreter: checks state machines and runs them."""

from __future__ import annotations

import json
import random
import uuid
from functools import lru_cache, partial
from typing import Any, ClassVar

from bedrock_customization.rehearsal.interpreter import limits
from bedrock_customization.rehearsal.interpreter.checks.machine import check
from bedrock_customization.rehearsal.interpreter.definition import Definition
from bedrock_customization.rehearsal.interpreter.execution import Execution, Observer
from bedrock_customization.rehearsal.interpreter.flow import Flow, Runner, run_block
from bedrock_customization.rehearsal.interpreter.jsonata import Expression
from bedrock_customization.rehearsal.interpreter.services import Services, StateMachine
from bedrock_customization.rehearsal.interpreter.states.map import run_map
from bedrock_customization.rehearsal.interpreter.states.parallel import run_parallel
from bedrock_customization.rehearsal.interpreter.states.simple import run_choice, run_fail, run_pass, run_wait
from bedrock_customization.rehearsal.interpreter.states.task import run_task


class Interpreter:
    """Runs state machines in JSONata and JSONPath, STANDARD and EXPRESS, in the current trio run.

    All waiting is `trio.sleep`: under `trio.testing.MockClock(autojump_threshold=0)` hours pass in moments. Several
    executions can run at once, and a service can start another execution while a state waits for it.

    Args:
        services: What Task states, item readers and result writers call.
        seed: Seeds names, identifiers, `$random`, `$uuid` and the jitter of retries.
        observer: Is told every history event, with its execution, as it happens.
    """

    runners: ClassVar[dict[str, Runner]] = {
        "Choice": run_choice,
        "Fail": run_fail,
        "Map": run_map,
        "Parallel": run_parallel,
        "Pass": run_pass,
        "Succeed": run_pass,
        "Task": run_task,
        "Wait": run_wait,
    }

    def __init__(self, services: Services, *, seed: int = 0, observer: Observer | None = None) -> None:
        self.services = services
        self.seed = seed
        self.observer = observer
        self.executions: dict[str, Execution] = {}
        self._chance = random.Random(seed)
        self._definitions: dict[str, tuple[StateMachine, Definition]] = {}

    def check(self, machine: StateMachine) -> Definition:
        """Check a state machine before anything runs.

        Raises:
            UnsupportedDefinitionError: Step Functions would refuse the definition, or it uses what cannot be rehearsed.
                The message lists every problem by field and state path.
        """
        known = self._definitions.get(machine.arn)
        if known is None or known[0] is not machine:
            known = (machine, check(machine, self.services, _expression))
            self._definitions[machine.arn] = known
        return known[1]

    def prepare(
        self, machine: StateMachine, input: Any, *, name: str | None = None, parent_arn: str | None = None
    ) -> Execution:
        """Make an execution that has not begun, so that others can hold it before `run_prepared` starts it.

        Args:
            machine: The state machine.
            input: The input, a JSON value.
            name: The execution's name; one is made up if it is left out.
            parent_arn: The execution that starts this one; the states of this one then appear in that one's `states`.

        Raises:
            UnsupportedDefinitionError: The definition cannot be run.
            TypeError: The input is not JSON.
            ValueError: The input holds a number that JSON does not know, or exceeds 256 KiB.
        """
        self.check(machine)
        text = limits.dump(input)
        if limits.size(text) > limits.MAX_PAYLOAD_BYTES:
            raise ValueError(f"input: got {limits.size(text)} bytes of JSON; allowed: {limits.MAX_PAYLOAD_BYTES}")
        name = name or self.identifier()
        express = machine.type == "EXPRESS"
        parts = machine.arn.split(":")
        parts[5] = "express" if express else "execution"
        arn = ":".join([*parts, name, *([self.identifier()] if express else [])])
        execution = Execution(
            machine,
            json.loads(text),
            arn=arn,
            name=name,
            seed=self.seed,
            observer=self.observer,
            parent=self.executions.get(parent_arn) if parent_arn else None,
            express=express,
        )
        self.executions[arn] = execution
        return execution

    async def run_prepared(self, execution: Execution) -> None:
        """Run an execution that `prepare` made, or that is redriven, to its end."""
        definition = self.check(execution.machine)
        await self.run_states(execution, limits.dump(execution.input), definition)

    async def run(
        self, machine: StateMachine, input: Any, *, name: str | None = None, parent_arn: str | None = None
    ) -> Execution:
        """Run a state machine to its end; the arguments are those of `prepare`.

        Returns:
            The execution, which has succeeded, failed, timed out or was aborted.
        """
        execution = self.prepare(machine, input, name=name, parent_arn=parent_arn)
        await self.run_prepared(execution)
        return execution

    async def run_states(self, execution: Execution, input_text: str, definition: Definition) -> None:
        """Run the states of a definition as an execution, whose input is also given as JSON text.

        A redriven execution goes on where it was.
        """
        if execution.status != "RUNNING":
            return
        longest = limits.EXPRESS_SECONDS if execution.express else limits.STANDARD_SECONDS
        seconds = min(longest, definition.timeout_seconds or longest)
        if execution.flow is None:
            details = {
                "input": input_text,
                "inputDetails": {"truncated": False},
                "roleArn": execution.machine.shown_role_arn,
            }
            execution.record("ExecutionStarted", 0, executionStartedEventDetails=details)
            execution.flow = Flow(self, execution)
        flow = execution.flow
        states = partial(run_block, flow, definition.block, execution.input, input_text)
        await execution.run(states, lambda: flow.cursor, seconds)
        if execution.status == "SUCCEEDED":
            execution.flow = None

    def identifier(self) -> str:
        """Make up a UUID."""
        return str(uuid.UUID(int=self._chance.getrandbits(128), version=4))


@lru_cache(maxsize=4096)
def _expression(text: str) -> Expression:
    """A parsed expression; definitions hold hundreds of them, and most rehearsals are of the same few definitions."""
    return Expression(text)
