"""The runs that faults are injected into."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from bedrock_customization import OnSuccess
from bedrock_customization.rehearsal import Rehearsal
from tests.workflows import small

EAST, WEST = "us-east-1", "us-west-2"
PROVISIONED_MODEL = "meta.llama3-1-8b-instruct-v1:0:128k"
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


@dataclass(frozen=True)
class Scenario:
    """A run, whose outcome without any fault is known.

    Args:
        name: What it is called.
        status: How the run ends.
        verdict: Its verdict, if it has one.
        region: Where it runs.
        on_success: What becomes of the serving of a better model.
        changes: What its input has beside the usual.
        poor: Whether the training data teach the wrong thing.
        prepare: What is done to the account before.
        stopped_at: The state at which the run is stopped, if it is.
        swept_at: The state at which a sweep begins while the run goes on, if one does.
        leftover: Whether something is left by a run that Step Functions has forgotten, and by one of a machine that is
            no more.
        alone: Whether it is an evaluation without a customization, by InvokeModel.
        undelivered: How many events do not reach what they should start.
    """

    name: str
    status: str
    verdict: str | None
    region: str = EAST
    on_success: OnSuccess = OnSuccess.KEEP_SERVING
    changes: dict[str, Any] = field(default_factory=dict, hash=False)
    poor: bool = False
    prepare: Callable[[Rehearsal], None] = lambda rehearsal: None
    stopped_at: str = ""
    swept_at: str = ""
    leftover: bool = False
    alone: bool = False
    undelivered: int = 0

    @property
    def workflow(self) -> Any:
        """The workflow that is rehearsed; it is synthesised once."""
        return small.workflow(self.region, on_success=self.on_success)


def _job_fails(rehearsal: Rehearsal) -> None:
    rehearsal.bedrock.jobs.failure = "Encountered an internal error when processing the request"


def _job_stalls(rehearsal: Rehearsal) -> None:
    rehearsal.bedrock.jobs.stalls = True


def _jobs_cannot_be_stopped(rehearsal: Rehearsal) -> None:
    rehearsal.faults.fail("bedrock:stopModelCustomizationJob", "InternalServerException")


def _quotas_are_the_defaults(rehearsal: Rehearsal) -> None:
    rehearsal.faults.fail("servicequotas:getServiceQuota", "NoSuchResourceException", times=2)


def _a_shard_cannot_be_scored(rehearsal: Rehearsal) -> None:
    error = '{"errorMessage": "evaluator politeness: answered 7", "errorType": "InvalidInput", "stackTrace": []}'
    rehearsal.faults.fail("ScoreShard", "InvalidInput", cause=error)


def _the_evaluation_fails_and_the_event_is_lost(rehearsal: Rehearsal) -> None:
    rehearsal.faults.fail("Evaluate", "States.TaskFailed")
    rules = rehearsal._world.bus.rules
    rules[:] = [rule for rule in rules if rule.schedule]


def _the_run_may_take_85_minutes(rehearsal: Rehearsal) -> None:
    # Its model is trained in 80 minutes, and comes up in eight more.
    executions = rehearsal._world.executions
    (machine,) = (machine for machine in executions.machines.values() if "CustomizationMachine" in machine.arn)
    executions.interpreter.check(machine).timeout_seconds = 85 * 60


def _the_rule_is_broken(rehearsal: Rehearsal) -> None:
    rehearsal.faults.fail("sfn:startExecution", "ExecutionLimitExceeded")


def _its_tags_seem_not_to_be_set(rehearsal: Rehearsal) -> None:
    rehearsal.faults.lose_response("TagAsKept", times=1000)


def _the_deployment_cannot_be_deleted_for_hours(rehearsal: Rehearsal) -> None:
    rehearsal.faults.fail("DeleteDeployment", "ConflictException", times=45)


def _the_rule_is_broken_and_a_list_too(rehearsal: Rehearsal) -> None:
    _the_rule_is_broken(rehearsal)
    rehearsal.faults.fail("SweepDeployments", "ValidationException", times=1000)


SCENARIOS = (
    Scenario("kept on demand", "SUCCEEDED", "BETTER"),
    Scenario("kept, its tags set without an answer", "SUCCEEDED", "BETTER", prepare=_its_tags_seem_not_to_be_set),
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
        "rejected, and not released in time",
        "FAILED",
        "NOT_BETTER",
        poor=True,
        prepare=_the_deployment_cannot_be_deleted_for_hours,
    ),
    Scenario(
        "three candidates",
        "SUCCEEDED",
        "BETTER",
        changes={"candidates": [{"hyperParameters": {"epochCount": epoch}} for epoch in "123"]},
    ),
    Scenario(
        "two candidates by provisioned throughput, kept without it",
        "SUCCEEDED",
        "BETTER",
        region=WEST,
        on_success=OnSuccess.RELEASE_SERVING,
        changes={
            "baseModelIdentifier": PROVISIONED_MODEL,
            "candidates": [{"hyperParameters": {"epochCount": epoch}} for epoch in "12"],
        },
    ),
    Scenario(
        "existing model",
        "SUCCEEDED",
        "NOT_BETTER",
        changes={"trainingDataKey": None, "customizationType": "IMPORTED", "customModelArn": "the neighbour's"},
    ),
    Scenario("failed job", "FAILED", None, prepare=_job_fails),
    Scenario("stalled job", "FAILED", None, prepare=_job_stalls),
    Scenario("failed scoring", "FAILED", None, prepare=_a_shard_cannot_be_scored),
    Scenario("failed evaluation, its event lost", "FAILED", None, prepare=_the_evaluation_fails_and_the_event_is_lost),
    Scenario("timed out", "TIMED_OUT", None, prepare=_the_run_may_take_85_minutes),
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
    Scenario(
        "stopped, missed by the rule and not listed",
        "ABORTED",
        None,
        region=WEST,
        changes={"baseModelIdentifier": PROVISIONED_MODEL},
        prepare=_the_rule_is_broken_and_a_list_too,
        stopped_at="GetProvisionedModel",
        undelivered=1,
    ),
    Scenario("stopped before it notifies", "ABORTED", "BETTER", stopped_at="Notify"),
    Scenario("swept while it serves", "SUCCEEDED", "BETTER", swept_at="GetDeployment"),
    Scenario("swept while it evaluates", "SUCCEEDED", "BETTER", swept_at="Evaluate"),
    Scenario("evaluation alone, beside what forgotten runs left", "SUCCEEDED", "NOT_BETTER", alone=True, leftover=True),
)
