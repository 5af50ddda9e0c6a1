"""One execution of a state machine: its status, its history, and how it is stopped."""

from __future__ import annotations

import random
import re
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import TYPE_CHECKING, Any

import trio

from bedrock_customization.rehearsal.clock import BEGINNING
from bedrock_customization.rehearsal.interpreter import errors, limits
from bedrock_customization.rehearsal.interpreter.jsonata import JsonataFunctions
from bedrock_customization.rehearsal.interpreter.jsonata_values import encode
from bedrock_customization.rehearsal.interpreter.services import StateMachine, StatesError

if TYPE_CHECKING:
    from bedrock_customization.rehearsal.interpreter.flow import Flow

Observer = Callable[["Execution", dict[str, Any]], None]
"""Is told every history event, with its execution, at the moment it happens."""

_TIMESTAMP = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)")
_HISTORY_FULL = f"The execution reached the maximum number of history events ({limits.MAX_HISTORY_EVENTS})."


def now() -> datetime:
    """Tell the virtual date and time; must be called inside the trio run."""
    return _moment(trio.current_time())


# Much happens at the same virtual moment.
@lru_cache(maxsize=16)
def _moment(seconds: float) -> datetime:
    return BEGINNING + timedelta(seconds=seconds)


@lru_cache(maxsize=16)
def timestamp(moment: datetime) -> str:
    """Write a moment as the context object does, for example `2026-01-01T00:00:00.000Z`."""
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def parse_timestamp(text: str) -> datetime | None:
    """Read an RFC 3339 timestamp, which must have a `T` and an offset; None if it is not one."""
    if not _TIMESTAMP.fullmatch(text):
        return None
    try:
        return datetime.fromisoformat(text)
    except ValueError:
        return None


class Execution:
    """One execution of a state machine; `Interpreter.prepare` makes it.

    Attributes:
        arn: The execution's ARN.
        name: The execution's name.
        machine: The state machine that runs.
        input: The input, a JSON value.
        status: `RUNNING`, `SUCCEEDED`, `FAILED`, `TIMED_OUT` or `ABORTED`.
        output: The output of an execution that succeeded.
        error: The error's name when the execution failed, timed out or was stopped, else None.
        cause: What happened, in words, or None.
        started: When it started, in virtual seconds since the rehearsal began.
        stopped: When it ended, or None.
        states: The names of the states entered, in order; those of executions that this one started are included.
        history: The events as `GetExecutionHistory` returns them. Empty for a successful child of a Map Run beyond the
            first `KEPT_HISTORIES`, so that thousands of children fit in memory.
        children: The child executions of Map Runs, in the order in which they started.
        redrives: How often it was redriven.
        redriven: When it was redriven last, or None.
        flow: Where it is, or where it ended without success: a redrive goes on there.
    """

    def __init__(
        self,
        machine: StateMachine,
        input: Any,
        *,
        arn: str,
        name: str,
        seed: int,
        observer: Observer | None = None,
        parent: Execution | None = None,
        express: bool = False,
        label: str | None = None,
    ) -> None:
        self.arn = arn
        self.name = name
        self.machine = machine
        self.input = input
        self.express = express
        self.status = "RUNNING"
        self.output: Any = None
        self.error: str | None = None
        self.cause: str | None = None
        self.started = trio.current_time()
        self.stopped: float | None = None
        self.states: list[str] = []
        self.history: list[dict[str, Any]] = []
        self.children: list[Execution] = []
        self.redrives = 0
        self.redriven: float | None = None
        self.flow: Flow | None = None
        self._seed = seed
        self._observer = observer
        self._parent = parent
        self._scope = trio.CancelScope()
        self._events = 0
        self._context: dict[str, Any] | None = None
        self._functions: dict[str, Any] | None = None
        self._chance: random.Random | None = None
        self._label = label
        self.output_text = "null"

    @property
    def duration(self) -> float:
        """Virtual seconds from start to end, or until now."""
        return (trio.current_time() if self.stopped is None else self.stopped) - self.started

    @property
    def chance(self) -> random.Random:
        """The source of the random numbers of this execution; the same for the same seed and ARN."""
        if self._chance is None:
            self._chance = random.Random(f"{self._seed} {self.arn}")
        return self._chance

    @property
    def outermost(self) -> Execution:
        """The execution that this one was started for, directly or not; itself if no execution started it."""
        return self if self._parent is None else self._parent.outermost

    @property
    def context(self) -> dict[str, Any]:
        """The parts of the context object that every state of this execution shares."""
        if self._context is None:
            execution = {
                "Id": self.arn,
                "Input": encode(self.input),
                "StartTime": timestamp(BEGINNING + timedelta(seconds=self.started)),
                "Name": self.name,
                "RoleArn": self.machine.shown_role_arn,
                "RedriveCount": self.redrives,
            }
            if self.redriven is not None:
                execution["RedriveTime"] = timestamp(BEGINNING + timedelta(seconds=self.redriven))
            suffix = f"/{self._label}" if self._label else ""
            machine = {"Id": self.machine.arn + suffix, "Name": self.machine.name + suffix}
            self._context = {"Execution": execution, "StateMachine": machine}
        return self._context

    @property
    def functions(self) -> dict[str, Any]:
        """The JSONata functions that know this execution's clock and chance."""
        if self._functions is None:
            self._functions = JsonataFunctions(now, self.chance).bindings
        return self._functions

    def enter(self, state: str) -> None:
        """Note that a state was entered, here and in the executions above."""
        execution: Execution | None = self
        while execution is not None:
            execution.states.append(state)
            execution = execution._parent

    def record(self, event: str, previous: int, **details: Any) -> int:
        """Add an event to the history.

        Args:
            event: The event's type, for example `TaskScheduled`.
            previous: The id of the event that led to it.
            details: The one `...EventDetails` of the event, under its name.

        Returns:
            The new event's id.

        Raises:
            StatesError: The history is full; the execution fails.
        """
        last = event.startswith("Execution") and event != "ExecutionStarted"
        if self.status != "RUNNING" and not last:
            return self._events
        if not last:
            if self.express and self._events >= limits.EXPRESS_EVENTS:
                raise StatesError(errors.TIMEOUT)
            if not self.express and self._events >= limits.MAX_HISTORY_EVENTS - 1:
                raise StatesError(errors.RUNTIME, _HISTORY_FULL)
        self._events += 1
        entry = {"timestamp": now(), "type": event, "id": self._events, "previousEventId": previous, **details}
        self.history.append(entry)
        if self._observer is not None:
            self._observer(self, entry)
        return self._events

    def stop(self, error: str | None = None, cause: str | None = None) -> None:
        """Abort the execution, as StopExecution does; without effect once it has ended.

        A service call in progress is cancelled, so that the service can stop what it started.
        """
        if self.status == "RUNNING":
            self._end("ABORTED", 0, error, cause)
            self._scope.cancel()

    @property
    def not_redrivable(self) -> str | None:
        """Why it cannot be redriven, in the words of `redriveStatusReason`; None if it can."""
        if self.status in ("RUNNING", "SUCCEEDED"):
            return f"Execution is {self.status} and cannot be redriven"
        if self._events >= limits.MAX_HISTORY_EVENTS - 1:
            return "Execution history event limit exceeded"
        if trio.current_time() - self.started > limits.STANDARD_SECONDS:
            return "Execution has exceeded the max execution time"
        if self.stopped is not None and trio.current_time() - self.stopped > limits.REDRIVABLE_SECONDS:
            return "Execution redrivable period exceeded"
        return None

    def redrive(self) -> None:
        """Take up an execution that ended without success; `Interpreter.run_prepared` then goes on with it."""
        self.status = "RUNNING"
        self.stopped = self.error = self.cause = None
        self.redrives += 1
        self.redriven = trio.current_time()
        self._scope = trio.CancelScope()
        self._context = None
        event = self.record(
            "ExecutionRedriven", self._events, executionRedrivenEventDetails={"redriveCount": self.redrives}
        )
        if self.flow is not None:
            self.flow.cursor = event

    def forget(self) -> None:
        """Drop the history and what only a running execution needs."""
        self.history = []
        self._context = self._functions = self._chance = None

    async def run(
        self, states: Callable[[], Awaitable[tuple[Any, str]]], last_event: Callable[[], int], seconds: float
    ) -> None:
        """Run to the end; whatever happens becomes the status.

        Args:
            states: Runs the states; gives the output and its JSON text.
            last_event: Tells the id of the last event of the outermost flow.
            seconds: How long the execution may take.
        """
        try:
            with self._scope, trio.move_on_after(seconds) as timer:
                try:
                    self.output, self.output_text = await states()
                    self._end("SUCCEEDED", last_event())
                except StatesError as failure:
                    if self.express and failure.error == errors.TIMEOUT and self._events >= limits.EXPRESS_EVENTS:
                        self._end("TIMED_OUT", 0, errors.TIMEOUT)
                    else:
                        self._end("FAILED", last_event(), failure.error, failure.cause)
            if timer.cancelled_caught and self.status == "RUNNING":
                self._end("TIMED_OUT", 0, errors.TIMEOUT)
        except trio.Cancelled:
            self._end("ABORTED", 0)
            raise

    def _end(self, status: str, previous: int, error: str | None = None, cause: str | None = None) -> None:
        if self.status != "RUNNING":
            return
        self.status = status
        self.stopped = trio.current_time()
        name = {"SUCCEEDED": "Succeeded", "FAILED": "Failed", "TIMED_OUT": "TimedOut", "ABORTED": "Aborted"}[status]
        details: dict[str, Any] = {}
        if status == "SUCCEEDED":
            details = {"output": self.output_text, "outputDetails": {"truncated": False}}
        else:
            self.error = error[: limits.MAX_ERROR_CHARACTERS] if error else None
            self.cause = cause[: limits.MAX_CAUSE_CHARACTERS] if cause else None
            details = {key: value for key, value in (("error", self.error), ("cause", self.cause)) if value is not None}
        self.record(f"Execution{name}", previous, **{f"execution{name}EventDetails": details})
