"""One execution of a state machine, as a rehearsal shows it."""

from __future__ import annotations

from typing import Any

from bedrock_customization.rehearsal.interpreter.execution import Execution


class Run:
    """An execution: what came of it and how it went.

    Args:
        execution: The interpreter's execution.
    """

    def __init__(self, execution: Execution) -> None:
        self.execution = execution

    def __repr__(self) -> str:
        """The execution's name and status."""
        return f"Run({self.name!r}, {self.status})"

    @property
    def arn(self) -> str:
        """The execution's ARN."""
        return self.execution.arn

    @property
    def name(self) -> str:
        """The execution's name."""
        return self.execution.name

    @property
    def state_machine_arn(self) -> str:
        """Its state machine's ARN."""
        return self.execution.machine.arn

    @property
    def input(self) -> Any:
        """Its input, as JSON values."""
        return self.execution.input

    @property
    def status(self) -> str:
        """`RUNNING`, `SUCCEEDED`, `FAILED`, `TIMED_OUT` or `ABORTED`."""
        return self.execution.status

    @property
    def output(self) -> Any:
        """Its output, as JSON values; None unless it succeeded."""
        return self.execution.output

    @property
    def error(self) -> str | None:
        """The error's name, unless it succeeded."""
        return self.execution.error

    @property
    def cause(self) -> str | None:
        """What happened, in words, unless it succeeded."""
        return self.execution.cause

    @property
    def started(self) -> float:
        """When it started, in seconds of the rehearsal's virtual time."""
        return self.execution.started

    @property
    def stopped(self) -> float | None:
        """When it ended, in seconds of the rehearsal's virtual time."""
        return self.execution.stopped

    @property
    def duration(self) -> float:
        """How long it took, in seconds of virtual time."""
        return self.execution.duration

    @property
    def states(self) -> list[str]:
        """The names of the states entered, in that order; those of children and nested executions are included."""
        return self.execution.states

    @property
    def history(self) -> list[dict[str, Any]]:
        """Its events, shaped as GetExecutionHistory gives them."""
        return self.execution.history
