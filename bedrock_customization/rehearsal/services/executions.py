"""The account's state machines and their executions; answers the Step Functions API."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import trio

from bedrock_customization.rehearsal.clock import BEGINNING, VirtualClock
from bedrock_customization.rehearsal.interpreter.engine import Interpreter
from bedrock_customization.rehearsal.interpreter.services import StateMachine
from bedrock_customization.rehearsal.run import Run
from bedrock_customization.rehearsal.services.api import ApiCall
from bedrock_customization.rehearsal.services.api_error import ApiError

# StartExecution's reference: no white space, control characters, brackets, wildcards or these special characters.
_NAME = re.compile(r"""[^\s\x00-\x1f\x7f-\x9f\ufffe\uffff<>{}\[\]?*"#%\\^|~`$&,;:/]{1,80}""")

# What DescribeExecution leaves out when it is asked for metadata only.
_DATA = ("input", "output", "error", "cause")


class Executions:
    """State machines that can be started, and every execution so far.

    Args:
        clock: The virtual time.
        on_change: Called with each execution that started or ended.

    Attributes:
        machines: The machines by their ARNs.
        refusals: Why machines cannot be run, by their ARNs.
        runs: Every execution so far.
    """

    def __init__(self, clock: VirtualClock, on_change: Callable[[Run], None]) -> None:
        self.machines: dict[str, StateMachine] = {}
        self.refusals: dict[str, Exception] = {}
        self.runs: list[Run] = []
        self.interpreter: Interpreter
        self.nursery: trio.Nursery | None = None
        self._ended: dict[str, trio.Event] = {}
        self._clock = clock
        self._on_change = on_change

    def machine(self, arn: str) -> StateMachine:
        """A machine by its ARN, or the ARN of one of its versions or aliases.

        Raises:
            ApiError: There is none.
            UnsupportedTemplateError: Its template has something that the rehearsal does not know.
        """
        bare = ":".join(arn.split(":")[:7])
        if bare in self.refusals:
            raise self.refusals[bare]
        if bare not in self.machines:
            raise ApiError("StateMachineDoesNotExist", f"State Machine Does Not Exist: '{arn}'")
        return self.machines[bare]

    def start(self, machine: StateMachine, input: Any, name: str | None = None, parent_arn: str | None = None) -> Run:
        """Start an execution; it runs beside the caller.

        Args:
            machine: The state machine.
            input: The input, as JSON values.
            name: The execution's name; one is made up if it is left out.
            parent_arn: The execution that starts it.

        Raises:
            ApiError: The name is taken or not allowed, or the input is too large.
            UnsupportedDefinitionError: The definition cannot be run.
        """
        if self.nursery is None:
            raise RuntimeError("an execution can be started only while the rehearsal runs")
        if name is not None:
            if not _NAME.fullmatch(name):
                raise ApiError("InvalidName", f"Invalid Name: '{name}'")
            arn = f"{machine.arn.replace(':stateMachine:', ':execution:', 1)}:{name}"
            taken = next((run for run in self.runs if run.arn == arn), None)
            if taken is not None and taken.status == "RUNNING" and taken.input == input:
                return taken
            if taken is not None:
                raise ApiError("ExecutionAlreadyExists", f"Execution Already Exists: '{arn}'")
        try:
            run = Run(self.interpreter.prepare(machine, input, name=name, parent_arn=parent_arn))
        except (TypeError, ValueError) as error:
            raise ApiError("InvalidExecutionInput", f"Invalid State Machine Execution Input: {error}") from error
        self.runs.append(run)
        self._ended[run.arn] = trio.Event()
        self._on_change(run)
        self.nursery.start_soon(self._perform, run)
        return run

    def redrive(self, run: Run) -> None:
        """Redrive an execution; it runs beside the caller.

        Args:
            run: The execution.

        Raises:
            ApiError: `ExecutionNotRedrivable`.
        """
        if self.nursery is None:
            raise RuntimeError("an execution can be redriven only while the rehearsal runs")
        execution = run.execution
        reason = "EXPRESS executions cannot be redriven" if execution.express else execution.not_redrivable
        if reason:
            raise ApiError("ExecutionNotRedrivable", reason)
        execution.redrive()
        self._ended[run.arn] = trio.Event()
        self._on_change(run)
        self.nursery.start_soon(self._perform, run)

    async def wait(self, run: Run) -> None:
        """Wait until an execution has ended."""
        if run.arn in self._ended:
            await self._ended[run.arn].wait()

    async def _perform(self, run: Run) -> None:
        await self.interpreter.run_prepared(run.execution)
        self._ended.pop(run.arn).set()
        self._on_change(run)

    def knows(self, operation: str) -> bool:
        """Whether the Step Functions API's operation is simulated."""
        return operation in self._operations

    def answer(self, call: ApiCall) -> dict[str, Any] | None:
        """Answer the Step Functions API."""
        if call.operation not in self._operations:
            raise NotImplementedError(f"stepfunctions:{call.operation} is not simulated")
        return self._operations[call.operation](self, call)

    def _find(self, arn: str) -> Run:
        for run in self.runs:
            if run.arn == arn:
                return run
        raise ApiError("ExecutionDoesNotExist", f"Execution Does Not Exist: '{arn}'")

    def _start_execution(self, call: ApiCall) -> dict[str, Any]:
        try:
            input = json.loads(call.parameters.get("input", "{}"))
        except json.JSONDecodeError as error:
            raise ApiError("InvalidExecutionInput", f"Invalid State Machine Execution Input: '{error}'") from error
        run = self.start(
            self.machine(call.parameters["stateMachineArn"]),
            input,
            call.parameters.get("name"),
            call.principal.execution_arn,
        )
        return {"executionArn": run.arn, "startDate": date_of(run.started)}

    def _describe_execution(self, call: ApiCall) -> dict[str, Any]:
        description = describe(self._find(call.parameters["executionArn"]))
        if call.parameters.get("includedData") == "METADATA_ONLY":
            return {name: value for name, value in description.items() if not name.startswith(_DATA)}
        return description

    def _redrive_execution(self, call: ApiCall) -> dict[str, Any]:
        self.redrive(self._find(call.parameters["executionArn"]))
        return {"redriveDate": self._clock.now()}

    def _stop_execution(self, call: ApiCall) -> dict[str, Any]:
        run = self._find(call.parameters["executionArn"])
        run.execution.stop(call.parameters.get("error"), call.parameters.get("cause"))
        return {"stopDate": self._clock.now()}

    def _list_executions(self, call: ApiCall) -> dict[str, Any]:
        machine = self.machine(call.parameters["stateMachineArn"])
        wanted = call.parameters.get("statusFilter")
        fields = ("executionArn", "stateMachineArn", "name", "status", "startDate", "stopDate")
        listed = [
            {name: value for name, value in describe(run).items() if name in fields}
            for run in reversed(self.runs)
            if run.state_machine_arn == machine.arn and wanted in (None, run.status)
        ]
        return {"executions": listed[: call.parameters.get("maxResults") or 1000]}

    def _describe_state_machine(self, call: ApiCall) -> dict[str, Any]:
        machine = self.machine(call.parameters["stateMachineArn"])
        return {
            "stateMachineArn": machine.arn,
            "name": machine.name,
            "status": "ACTIVE",
            "definition": json.dumps(machine.definition),
            "roleArn": machine.role_arn,
            "type": machine.type,
            "creationDate": BEGINNING,
        }

    def _list_state_machines(self, call: ApiCall) -> dict[str, Any]:
        listed = [
            {"stateMachineArn": machine.arn, "name": machine.name, "type": machine.type, "creationDate": BEGINNING}
            for machine in self.machines.values()
        ]
        return {"stateMachines": listed}

    _operations: dict[str, Callable[[Executions, ApiCall], dict[str, Any]]] = {  # noqa: RUF012
        "StartExecution": _start_execution,
        "DescribeExecution": _describe_execution,
        "RedriveExecution": _redrive_execution,
        "StopExecution": _stop_execution,
        "ListExecutions": _list_executions,
        "DescribeStateMachine": _describe_state_machine,
        "ListStateMachines": _list_state_machines,
    }


def date_of(seconds: float) -> datetime:
    """The virtual date and time of a number of seconds since the beginning."""
    return BEGINNING + timedelta(seconds=seconds)


def describe(run: Run) -> dict[str, Any]:
    """An execution as DescribeExecution gives it."""
    reason = run.execution.not_redrivable
    description: dict[str, Any] = {
        "executionArn": run.arn,
        "stateMachineArn": run.state_machine_arn,
        "name": run.name,
        "status": run.status,
        "startDate": date_of(run.started),
        "input": json.dumps(run.input, ensure_ascii=False, separators=(",", ":")),
        "inputDetails": {"included": True},
        "redriveCount": run.execution.redrives,
        "redriveStatus": "REDRIVABLE" if reason is None else "NOT_REDRIVABLE",
    }
    if reason is not None:
        description["redriveStatusReason"] = reason
    if run.execution.redriven is not None:
        description["redriveDate"] = date_of(run.execution.redriven)
    if run.status == "RUNNING":
        return description
    description["stopDate"] = date_of(run.stopped or run.started)
    if run.status == "SUCCEEDED":
        description["output"] = json.dumps(run.output, ensure_ascii=False, separators=(",", ":"))
        description["outputDetails"] = {"included": True}
    description |= {name: value for name, value in (("error", run.error), ("cause", run.cause)) if value is not None}
    return description
