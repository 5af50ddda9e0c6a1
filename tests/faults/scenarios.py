"""The runs that faults are injected into, and the world around them that must stay as it is."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cache
from typing import Any

from aws_cdk import Stack, Stage

from bedrock_customization.rehearsal import Rehearsal, Run
from bedrock_customization.tags import EXECUTION_TAG, KEPT_TAG, WORKFLOW_TAG
from comparison import handler as comparison
from dataset import handler as dataset
from scoring import handler as scoring
from tests.workflows import small
from tests.workflows.neighbours import FOREIGN, Neighbour

EAST, WEST = "us-east-1", "us-west-2"
PROVISIONED_MODEL = "meta.llama3-1-8b-instruct-v1:0:128k"
NAME = "run"
_INVOKE_MODEL = {
    "bodyTemplate": {
        "schemaVersion": "messages-v1",
        "messages": [{"role": "user", "content": [{"text": "{prompt}"}]}],
        "inferenceConfig": {"maxTokens": "{maxTokens}", "temperature": "{temperature}"},
    },
    "answerPath": "output.message.content[0].text",
    "stopReasonPath": "stopReason",
    "completeStopReasons": ["end_turn"],
}
EVALUATION_INPUT = {
    "models": [
        {"name": name, "modelId": f"amazon.nova-{name}-v1:0", "invokeModel": _INVOKE_MODEL}
        for name in ("micro", "lite")
    ],
    "baseline": "micro",
    "evaluationDataKey": "evaluation.jsonl",
}
EARLIER_RUN = "runs/0123456789abcdef/results.json"


@dataclass(frozen=True)
class Scenario:
    """A run, whose outcome without any fault is known.

    Args:
        name: What it is called.
        status: How the run ends.
        verdict: Its verdict, if it has one.
        region: Where it runs.
        changes: What its input has beside the usual.
        poor: Whether the training data teach the wrong thing.
        prepare: What is done to the account before.
        stopped_at: The state at which the run is stopped, if it is.
        alone: Whether it is an evaluation without a customization, by InvokeModel.
        undelivered: How many events do not reach what they should start.
    """

    name: str
    status: str
    verdict: str | None
    region: str = EAST
    changes: dict[str, Any] = field(default_factory=dict, hash=False)
    poor: bool = False
    prepare: Callable[[Rehearsal], None] = lambda rehearsal: None
    stopped_at: str = ""
    alone: bool = False
    undelivered: int = 0

    @property
    def workflow(self) -> Any:
        """The workflow that is rehearsed; it is synthesised once."""
        return small.workflow(self.region)


def _job_fails(rehearsal: Rehearsal) -> None:
    rehearsal.bedrock.jobs.failure = "Encountered an internal error when processing the request"


def _job_stalls(rehearsal: Rehearsal) -> None:
    rehearsal.bedrock.jobs.stalls = True


def _jobs_cannot_be_stopped(rehearsal: Rehearsal) -> None:
    rehearsal.faults.fail("bedrock:stopModelCustomizationJob", "InternalServerException")


def _quotas_are_the_defaults(rehearsal: Rehearsal) -> None:
    rehearsal.faults.fail("servicequotas:getServiceQuota", "NoSuchResourceException", times=2)


def _the_rule_is_broken(rehearsal: Rehearsal) -> None:
    rehearsal.faults.fail("sfn:startExecution", "ExecutionLimitExceeded")


SCENARIOS = (
    Scenario("kept on demand", "SUCCEEDED", "BETTER"),
    Scenario("kept with default quotas", "SUCCEEDED", "BETTER", prepare=_quotas_are_the_defaults),
    Scenario(
        "rejected from provisioned throughput",
        "SUCCEEDED",
        "NOT_BETTER",
        region=WEST,
        changes={"baseModelIdentifier": PROVISIONED_MODEL},
        poor=True,
    ),
    Scenario(
        "three candidates",
        "SUCCEEDED",
        "BETTER",
        changes={"candidates": [{"hyperParameters": {"epochCount": epoch}} for epoch in "123"]},
    ),
    Scenario(
        "existing model",
        "SUCCEEDED",
        "NOT_BETTER",
        changes={"trainingDataKey": None, "customizationType": "IMPORTED", "customModelArn": "the neighbour's"},
    ),
    Scenario("failed job", "FAILED", None, prepare=_job_fails),
    Scenario("stalled job", "FAILED", None, prepare=_job_stalls),
    Scenario("stopped", "ABORTED", None, stopped_at="GetDeployment"),
    Scenario(
        "stopped while the job goes on",
        "ABORTED",
        None,
        prepare=_jobs_cannot_be_stopped,
        stopped_at="LookAtTraining",
    ),
    Scenario(
        "stopped and missed by the rule",
        "ABORTED",
        None,
        prepare=_the_rule_is_broken,
        stopped_at="GetDeployment",
        undelivered=1,
    ),
    Scenario("stopped before it notifies", "ABORTED", "BETTER", stopped_at="Notify"),
    Scenario("evaluation alone", "SUCCEEDED", "NOT_BETTER", alone=True),
)


@cache
def assembly(region: str) -> tuple[str, str]:
    """Where the synthesised workflow of a Region is: a folder, and the stack in it."""
    stack = Stack.of(small.workflow(region))
    stage = Stage.of(stack)
    assert stage is not None
    return stage.synth().directory, stack.artifact_id


class Account:
    """An account in which a scenario is about to run, beside an earlier run and another stack.

    Args:
        scenario: The scenario.
        observer: Is told every history event.
    """

    def __init__(self, scenario: Scenario, observer: Callable[[Run, dict[str, Any]], None] | None = None) -> None:
        self.scenario = scenario
        self.workflow = scenario.workflow
        evaluation = self.workflow.evaluation
        self.rehearsal = Rehearsal.from_assembly(
            *assembly(scenario.region),
            # The functions' own code, loaded once instead of for each account.
            handlers={
                evaluation.dataset_function.node.path: dataset.handler,
                evaluation.scoring_function.node.path: scoring.handler,
                evaluation.comparison_function.node.path: comparison.handler,
            },
            observer=self._observe,
        )
        self._observer = observer
        self.aborts: list[tuple[str, str]] = []
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
        for machine, state in self.aborts:
            if name == state and f"{machine}Machine" in run.state_machine_arn:
                self.aborts.remove((machine, state))
                run.execution.stop()

    def _upload(self, bucket: Any, key: str, content: bytes) -> None:
        self.rehearsal.upload(bucket, key, content)

    def run(self) -> Run:
        """Runs the scenario, then lets the sweep look for what it left; one that fails is followed by the next one."""
        changes = dict(self.scenario.changes)
        if "customModelArn" in changes:
            changes["customModelArn"] = self.neighbours[0].model.arn
        machine, execution_input = self.workflow.state_machine, small.execution_input(**changes)
        if self.scenario.alone:
            machine, execution_input = self.workflow.evaluation.state_machine, EVALUATION_INPUT
        run = self.rehearsal.run(machine, execution_input, name=NAME)
        for _ in range(2):
            self.rehearsal.wait(3600)
            (sweep,) = self.rehearsal.fire(self.workflow.release.node.find_child("Sweep").node.path)
            if sweep.status == "SUCCEEDED":
                break
        return run
