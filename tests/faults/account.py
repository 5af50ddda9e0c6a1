"""The account that a scenario runs in, beside an earlier run and another stack."""

from __future__ import annotations

import hashlib
import sys
from collections.abc import Callable
from functools import cache
from importlib import import_module
from pathlib import Path
from typing import Any

from aws_cdk import Stack, Stage

from bedrock_customization import CustomizationWorkflow
from bedrock_customization.rehearsal import Rehearsal, Run
from bedrock_customization.rehearsal.services.api import ApiCall
from bedrock_customization.tags import EXECUTION_TAG, KEPT_TAG, WORKFLOW_TAG
from tests.faults.scenarios import EAST, EVALUATION_INPUT, Scenario
from tests.workflows import small
from tests.workflows.neighbours import FOREIGN, Neighbour

NAME = "run"
_CREATES = (
    ("CreateModelCustomizationJob", "jobName", "jobArn"),
    ("CreateCustomModelDeployment", "modelDeploymentName", "customModelDeploymentArn"),
    ("CreateProvisionedModelThroughput", "provisionedModelName", "provisionedModelArn"),
)
EARLIER_RUN = "runs/0123456789abcdef/results.json"


@cache
def assembly(workflow: CustomizationWorkflow) -> tuple[str, str]:
    """Where a synthesised workflow is: a folder, and the stack in it."""
    stack = Stack.of(workflow)
    stage = Stage.of(stack)
    assert stage is not None
    return stage.synth().directory, stack.artifact_id


@cache
def _handler(name: str) -> Callable[[Any, Any], Any]:
    """A function's own code, loaded once instead of for each account."""
    sources = str(Path(__file__).parents[2] / "lambda_src")
    if sources not in sys.path:
        sys.path.append(sources)
    handler: Callable[[Any, Any], Any] = import_module(f"{name}.handler").handler
    return handler


class Created:
    """Notes what is made in Bedrock under each name, whether or not the response arrives."""

    def __init__(self) -> None:
        self.arns: dict[str, set[str]] = {}

    def before(self, call: ApiCall) -> None:
        """Nothing is made yet."""

    def after(self, call: ApiCall, result: Any) -> None:
        """Notes what was made."""
        for operation, name, arn in _CREATES:
            if call.operation == operation:
                self.arns.setdefault(f"{operation} {call.parameters[name]}", set()).add(result[arn])


class Vanishing:
    """Lets somebody else delete what a state is about to ask Bedrock for.

    Args:
        account: The account.
    """

    def __init__(self, account: Account) -> None:
        self._account = account
        self.states: list[str] = []
        self.possible: set[str] = set()

    def before(self, call: ApiCall) -> None:
        """Deletes it, if that is to happen at this state."""
        state, registry = call.principal.state, self._account.rehearsal.bedrock.registry
        values = [value for value in call.parameters.values() if isinstance(value, str)]
        for resources in (registry.models, registry.deployments, registry.provisioned):
            for resource in list(resources):
                if state is None or resource.arn not in values or resource.arn in self._account.arns_of_neighbours:
                    continue
                self.possible.add(state)
                if state in self.states:
                    self.states.remove(state)
                    resources.remove(resource)  # type: ignore[arg-type]

    def after(self, call: ApiCall, result: Any) -> None:
        """It is too late."""


class Account:
    """An account in which a scenario is about to run, beside an earlier run and another stack.

    Args:
        scenario: The scenario.
        observer: Is told every history event.
    """

    def __init__(self, scenario: Scenario, observer: Callable[[Run, dict[str, Any]], None] | None = None) -> None:
        self.scenario = scenario
        self.workflow = scenario.workflow
        self.rehearsal = Rehearsal.from_assembly(
            *assembly(scenario.workflow),
            handlers={
                getattr(self.workflow.evaluation, f"{name}_function").node.path: _handler(name)
                for name in ("dataset", "scoring", "comparison")
            },
            observer=self._observe,
        )
        self._observer = observer
        self.aborts: list[tuple[str, str]] = []
        self.billed_before_the_sweep: list[str] = []
        self.messages_before_the_sweep = 0
        self._is_swept = False
        self._sweep = self.workflow.release.node.find_child("Sweep").node.path
        bedrock = self.rehearsal.bedrock
        bedrock.provisioned_models.no_commitment_units = 10
        bedrock.jobs.concurrent_jobs = 3
        schema = "bedrock-conversation-2024" if scenario.region == EAST else "prompt-completion"
        numbers = range(10 if scenario.region == EAST else 100)
        self._upload(self.workflow.training_bucket, "train.jsonl", small.lines(schema, numbers, poor=scenario.poor))
        evaluation_set = small.lines("prompt-completion", range(900, 910))
        self._upload(self.workflow.validation_bucket, "evaluation.jsonl", evaluation_set)
        self._upload(self.workflow.results_bucket, EARLIER_RUN, b"{}")
        self.neighbours = [
            Neighbour(
                self.rehearsal,
                "support-0123456789abcdef",
                {WORKFLOW_TAG: self.workflow.workflow_tag, EXECUTION_TAG: "an earlier run", KEPT_TAG: "true"},
            ),
            Neighbour(self.rehearsal, "other-fedcba9876543210", FOREIGN, training=True),
        ]
        self.leftovers: list[Neighbour] = []
        if scenario.leftover:
            arn = self.rehearsal._names.machine(self.workflow.state_machine).arn
            executions = arn.replace(":stateMachine:", ":execution:")
            for run in (f"{executions}:forgotten", f"{executions}Replaced:run"):
                name = f"support-{hashlib.sha256(run.encode()).hexdigest()[:16]}"
                tags = {WORKFLOW_TAG: self.workflow.workflow_tag, EXECUTION_TAG: run}
                self.leftovers.append(Neighbour(self.rehearsal, name, tags))
        self.created = Created()
        self.vanishing = Vanishing(self)
        # Whoever deletes something is quicker than the call, and than the permissions that go by its tags.
        self.rehearsal._world.api.interceptors.insert(0, self.vanishing)
        self.rehearsal._world.api.interceptors.append(self.created)
        scenario.prepare(self.rehearsal)
        if scenario.stopped_at:
            self.rehearsal.stop(at=scenario.stopped_at)

    @property
    def results_bucket(self) -> Any:
        """The bucket of the results."""
        return self.workflow.results_bucket

    @property
    def arns_of_neighbours(self) -> set[str]:
        """Every resource that was there before."""
        return {arn for neighbour in self.neighbours for arn in neighbour.arns}

    @staticmethod
    def run_id(run: Run) -> str:
        """The id of a run, by which its resources and objects are named."""
        return hashlib.sha256(run.arn.encode()).hexdigest()[:16]

    def abort_at(self, machine: str, state: str) -> None:
        """Aborts the next execution of a machine that enters a state."""
        self.aborts.append((machine, state))

    def _observe(self, run: Run, event: dict[str, Any]) -> None:
        if self._observer is not None:
            self._observer(run, event)
        name = event.get("stateEnteredEventDetails", {}).get("name")
        if name == self.scenario.swept_at and not self._is_swept:
            self._is_swept = True
            rule = self.rehearsal._names.rule(self._sweep)
            self.rehearsal._world.bus.fire(rule, {})
        for machine, state in self.aborts:
            if name == state and f"{machine}Machine" in run.state_machine_arn:
                self.aborts.remove((machine, state))
                run.execution.stop()

    def _upload(self, bucket: Any, key: str, content: bytes) -> None:
        self.rehearsal.upload(bucket, key, content)

    def run(self) -> Run:
        """Runs the scenario, then sweeps what it left; when the sweep or what it starts fails, the next one follows."""
        changes = dict(self.scenario.changes)
        if "customModelArn" in changes:
            changes["customModelArn"] = self.neighbours[0].model.arn
        machine, execution_input = self.workflow.state_machine, small.execution_input(**changes)
        if self.scenario.alone:
            machine, execution_input = self.workflow.evaluation.state_machine, EVALUATION_INPUT
        run = self.rehearsal.run(machine, execution_input, name=NAME)
        self.billed_before_the_sweep = [billed.arn for billed in self.rehearsal.bedrock.billed]
        self.messages_before_the_sweep = len(self.rehearsal.inbox)
        for _ in range(2):
            self.rehearsal.wait(3600)
            if all(execution.status == "SUCCEEDED" for execution in self.rehearsal.fire(self._sweep)):
                break
        return run
