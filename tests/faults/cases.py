"""Every fault that can happen to a run, generated from the definitions of its machines."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from typing import Any

from bedrock_customization.rehearsal import Run
from bedrock_customization.rehearsal.faults import Faults
from bedrock_customization.rehearsal.services.api import ApiCall
from bedrock_customization.rehearsal.services.resource import parse
from tests.faults.account import Account
from tests.faults.scenarios import Scenario

# What Step Functions itself gives a Task. Neither of the last two is covered by a catch of States.ALL.
OF_STEP_FUNCTIONS = (
    "States.Permissions",
    "States.TaskFailed",
    "States.Runtime",
    "States.DataLimitExceeded",
)
# What AWS documents a function's failures as (Lambda.Unknown, Sandbox.Timedout), and what a handler can raise.
OF_FUNCTIONS = ("Lambda.Unknown", "Sandbox.Timedout", "Runtime.ExitError", "InvalidInput")
# What S3 answers a function with beside the errors that its API declares.
OF_S3 = ("AccessDenied", "InternalError", "SlowDown")
THROTTLED = ("ThrottlingException", "ThrottledException", "TooManyRequestsException", "TooManyUpdates")
SEVERAL = 3


@dataclass(frozen=True)
class Place:
    """A state of a machine."""

    machine: str
    state: str


@dataclass(frozen=True)
class Fault:
    """Something that goes wrong at a state, or at an API call that only functions make.

    Args:
        kind: `error`, `throttled`, `hang`, `endless` (what a state waits for does not end), `lost response`, `gone`
            (somebody else deleted what a state asks for), `stop` (of the run) or `abort` (of the execution itself).
        at: The state or the API call.
        machine: The state's machine; empty for an API call.
        error: The error's name, where it has one.
    """

    kind: str
    at: str
    machine: str = ""
    error: str = ""

    def __str__(self) -> str:
        """Where, what and which."""
        return f"{self.machine}/{self.at}: {self.kind} {self.error}".strip()

    def inject(self, account: Account) -> None:
        """Lets it happen, once."""
        faults = account.rehearsal.faults
        if self.kind in ("error", "throttled"):
            faults.fail(self.at, self.error, times=SEVERAL if self.kind == "throttled" else 1)
        elif self.kind in ("hang", "endless"):
            faults.hang(self.at)
        elif self.kind == "lost response":
            faults.lose_response(self.at)
        elif self.kind == "gone":
            account.vanishing.states.append(self.at)
        elif self.kind == "stop":
            account.rehearsal.stop(at=self.at)
        else:
            account.abort_at(self.machine, self.at)

    def pending(self, account: Account) -> int:
        """How many faults at its place have not happened yet."""
        return (
            account.rehearsal.faults.pending.count(self.at)
            + account.vanishing.states.count(self.at)
            + account.aborts.count((self.machine, self.at))
        )


@dataclass(frozen=True)
class Visits:
    """Where a scenario comes along when nothing goes wrong.

    A state that has the name of another machine's, which comes first, is left out: a fault would strike the other. A
    troubled one is where the scenario itself has calls fail, so that others would not come to it.
    """

    places: frozenset[Place]
    before_the_end: frozenset[Place]
    answered: frozenset[str]
    asking_for_a_resource: frozenset[str]
    calls_of_functions: frozenset[str]
    troubled: frozenset[str]


@cache
def visits(scenario: Scenario) -> Visits:
    """Runs a scenario and notes every state that it enters, and every API call of a function."""
    places: list[Place] = []
    before: list[Place] = []

    def observe(run: Run, event: dict[str, Any]) -> None:
        name = event.get("stateEnteredEventDetails", {}).get("name")
        place = Place(machine_of(run.state_machine_arn), name)
        if name and all(place.state != other.state or place == other for other in places):
            places.append(place)
            main = account.rehearsal.executions[0]
            if main.status == "RUNNING" and run.execution.outermost is main.execution:
                before.append(places[-1])

    account = Account(scenario, observe)
    recorder = _Recorder()
    account.rehearsal._world.api.interceptors.append(recorder)
    troubled = frozenset(account.rehearsal.faults.pending)
    account.run()
    return Visits(
        frozenset(places),
        frozenset(before),
        frozenset(recorder.answered),
        frozenset(account.vanishing.possible),
        frozenset(recorder.of_functions),
        troubled,
    )


class _Recorder:
    """Notes which states got an answer, and what functions call."""

    def __init__(self) -> None:
        self.answered: set[str] = set()
        self.of_functions: set[str] = set()

    def before(self, call: ApiCall) -> None:
        if call.principal.function is not None:
            self.of_functions.add(f"{call.service}:{call.operation[:1].lower()}{call.operation[1:]}")

    def after(self, call: ApiCall, result: Any) -> None:
        if call.principal.state is not None:
            self.answered.add(call.principal.state)


def machine_of(arn: str) -> str:
    """Which of the three machines it is, by its ARN."""
    return next((name for name in ("Evaluation", "Release") if f"{name}Machine" in arn), "Main")


@cache
def tasks(scenario: Scenario) -> dict[Place, str]:
    """The Task states of all machines, with what they call."""
    machines = Account(scenario).rehearsal._world.executions.machines.values()
    return {
        Place(
            "Evaluation"
            if "EvaluationMachine" in machine.arn
            else "Release"
            if "ReleaseMachine" in machine.arn
            else "Main",
            name,
        ): state["Resource"]
        for machine in machines
        for name, state in _states(machine.definition)
        if state["Type"] == "Task"
    }


def _states(definition: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    for name, state in definition["States"].items():
        yield name, state
        for inner in [state["ItemProcessor"]] if "ItemProcessor" in state else state.get("Branches", []):
            yield from _states(inner)


def faults_of(scenario: Scenario) -> list[Fault]:
    """Every fault that can happen to a scenario."""
    visited = visits(scenario)
    faults: list[Fault] = []
    for place, resource in tasks(scenario).items():
        # Where the scenario itself is stopped, no call is made.
        stopped = place.state == scenario.stopped_at and place.machine == "Main"
        if place in visited.places and not stopped and place.state not in visited.troubled:
            faults += _faults_of_task(place, resource, answered=place.state in visited.answered)
            if place.state in visited.asking_for_a_resource:
                faults.append(Fault("gone", place.state, place.machine))
    for place in sorted(visited.places, key=str):
        if place in visited.before_the_end:
            faults.append(Fault("stop", place.state, place.machine))
        if place.machine != "Main" and not scenario.alone:
            faults.append(Fault("abort", place.state, place.machine))
    for call in sorted(visited.calls_of_functions):
        errors = [*Faults.errors_of(call), *(OF_S3 if call.startswith("s3:") else ())]
        faults += [Fault("error", call, error=error) for error in errors]
        faults.append(Fault("lost response", call))
    return faults


def _faults_of_task(place: Place, resource: str, *, answered: bool) -> Iterator[Fault]:
    integration = parse(resource)
    assert integration.operation is not None
    declared = [shape.name for shape in integration.operation.error_shapes]
    own = OF_FUNCTIONS if integration.service == "lambda" else ()
    for error in (*declared, *own, *OF_STEP_FUNCTIONS):
        yield Fault("error", place.state, place.machine, error)
    throttled = [error for error in declared if error.startswith(THROTTLED)]
    for error in throttled:
        yield Fault("throttled", place.state, place.machine, error)
    yield Fault("endless" if integration.pattern else "hang", place.state, place.machine)
    if answered:
        yield Fault("lost response", place.state, place.machine)
