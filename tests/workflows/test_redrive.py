"""A run that is stopped anywhere and redriven: nothing is bought twice or left, and each end is told."""

import hashlib
from collections import Counter
from functools import cache
from typing import Any

import pytest

from bedrock_customization.rehearsal import Rehearsal, Run
from tests.faults.account import Account
from tests.faults.scenarios import EAST, PROVISIONED_MODEL, WEST, Scenario

KEPT = Scenario("kept on demand", "SUCCEEDED", "BETTER")
REJECTED = Scenario(
    "rejected from provisioned throughput",
    "SUCCEEDED",
    "NOT_BETTER",
    region=WEST,
    changes={"baseModelIdentifier": PROVISIONED_MODEL},
    poor=True,
)
# What a run has bought is released when it stops, so what goes on behind these states lacks it.
NEED_WHAT_IS_SERVED = {
    *("WaitForDeployment", "GetDeployment", "IsDeploymentReady"),
    *("WaitForProvisionedModel", "GetProvisionedModel", "IsProvisionedModelReady"),
    *("CandidateServed", "IsAnyCandidateServed", "Evaluate"),
}
# The winner is not yet known as one to keep.
NEED_THE_WINNER = {"TakeWinner", "IsKept", "QualityGate", "Promote", "TagAsKept"}


def is_customization(run: Run) -> bool:
    return "CustomizationMachine" in run.state_machine_arn


@cache
def states(scenario: Scenario) -> list[str]:
    """The states of the customization's own machine that an undisturbed run enters."""
    entered: dict[str, None] = {}

    def observe(run: Run, event: dict[str, Any]) -> None:
        if "stateEnteredEventDetails" in event and is_customization(run):
            entered[event["stateEnteredEventDetails"]["name"]] = None

    assert Account(scenario, observe).run().status == "SUCCEEDED"
    return list(entered)


class Redriven:
    """A run that was stopped, released, redriven an hour later, and swept."""

    def __init__(self, scenario: Scenario, at: str) -> None:
        self.most_at_once: Counter[str] = Counter()
        self.account = Account(scenario, self._observe)
        self.rehearsal = self.account.rehearsal
        self.account.abort_at("Customization", at)
        self.run = self.account.run()
        assert self.run.status == "ABORTED"
        self.first_messages = self._messages()
        self.rehearsal.redrive(self.run)
        self.last_messages = self._messages()[len(self.first_messages) :]
        self.rehearsal.wait(3600)
        assert {execution.status for execution in self.rehearsal.fire(self.account._sweep)} == {"SUCCEEDED"}
        assert len(self._messages()) == len(self.first_messages + self.last_messages)

    def _messages(self) -> list[Any]:
        return list(self.rehearsal.inbox)

    def _observe(self, run: Run, event: dict[str, Any]) -> None:
        for kind, count in Counter(billed.kind for billed in self.billed()).items():
            self.most_at_once[kind] = max(count, self.most_at_once[kind])

    def billed(self) -> list[Any]:
        """What the run pays for."""
        if not hasattr(self, "account"):
            return []
        neighbours = self.account.arns_of_neighbours
        return [billed for billed in self.account.rehearsal.bedrock.billed if billed.arn not in neighbours]


@pytest.mark.parametrize("scenario", [KEPT, REJECTED], ids=lambda scenario: scenario.name)
def test_wherever_it_is_stopped(scenario: Scenario) -> None:
    """Of the second scenario, the states that the first one has not, and where the verdicts part."""
    others = set() if scenario is KEPT else set(states(KEPT)) - {"QualityGate", "Release"}
    stops = [state for state in states(scenario) if state not in others]
    assert len(stops) > 5
    assert {at: problems for at in stops if (problems := problems_of(scenario, at))} == {}


def problems_of(scenario: Scenario, at: str) -> list[str]:
    redriven = Redriven(scenario, at)
    run = redriven.run
    problems = []
    lacking = NEED_WHAT_IS_SERVED | (NEED_THE_WINNER if scenario.verdict == "BETTER" else set())
    if run.status != ("FAILED" if at in lacking else "SUCCEEDED"):
        problems.append(f"{run.status}: {run.error}: {run.cause}")
    if run.status == "SUCCEEDED" and run.output["verdict"] != scenario.verdict:
        problems.append(f"verdict: {run.output['verdict']}")
    kept = [run.output["model"]["modelId"]] if run.status == "SUCCEEDED" and run.output["model"] else []
    if [billed.arn for billed in redriven.billed()] != kept:
        problems.append(f"billed: {redriven.billed()}, kept: {kept}")
    if any(count > 1 for count in redriven.most_at_once.values()):
        problems.append(f"at once: {redriven.most_at_once}")
    if any(len(arns) > 1 for arns in redriven.account.created.arns.values()):
        problems.append(f"bought under one name: {redriven.account.created.arns}")
    if any(not neighbour.is_untouched() for neighbour in redriven.account.neighbours):
        problems.append("somebody else's resources were touched")
    problems += problems_with_messages(redriven)
    return problems


def problems_with_messages(redriven: Redriven) -> list[str]:
    problems = []
    if len(redriven.first_messages) != 1 or not redriven.first_messages[0].subject.endswith(": was stopped"):
        problems.append(f"first messages: {[message.subject for message in redriven.first_messages]}")
    if len(redriven.last_messages) != 1:
        return [*problems, f"last messages: {[message.subject for message in redriven.last_messages]}"]
    (message,) = redriven.last_messages
    failed = redriven.run.status == "FAILED"
    if message.subject.endswith(": failed") != failed:
        problems.append(f"subject: {message.subject}")
    if ("Do not redrive it; start the customization again." in message.message) != failed:
        problems.append(f"next step: {message.message}")
    models = [model.arn for model in redriven.rehearsal.bedrock.registry.models]
    for model in set(models) - redriven.account.arns_of_neighbours:
        if model not in message.message and model.rsplit("/", 1)[-1] not in message.message and failed:
            problems.append(f"{model} is kept and not told")
    return problems


def run_id(run: Run) -> str:
    return hashlib.sha256(run.arn.encode()).hexdigest()[:16]


def test_a_training_that_is_redriven_has_a_job_of_its_own() -> None:
    redriven = Redriven(KEPT, "LookAtTraining")
    names = [job.name for job in redriven.rehearsal.bedrock.registry.jobs]
    name = f"support-{run_id(redriven.run)}"
    assert [job for job in names if job.startswith(name)] == [name, f"{name}-r1"]
    assert redriven.run.status == "SUCCEEDED"


def test_a_run_that_is_redriven_twice_is_told_each_time() -> None:
    redriven = Redriven(KEPT, "Evaluate")
    rehearsal = redriven.rehearsal
    for redrives in (2, 3):
        rehearsal.redrive(redriven.run)
        assert redriven.run.status == "FAILED"
        assert len(rehearsal.inbox) == 1 + redrives
    prefix = f"runs/{run_id(redriven.run)}/notification"
    written = rehearsal.keys(redriven.account.results_bucket, prefix)
    assert written == [f"{prefix}-r{redrives}.json" for redrives in (1, 2, 3)] + [f"{prefix}.json"]


@pytest.mark.parametrize(("region", "at"), [(EAST, "GetDeployment"), (WEST, "GetProvisionedModel")])
def test_a_release_leaves_a_run_alone_that_is_redriven_meanwhile(region: str, at: str) -> None:
    """What is still being created cannot be deleted, so the release of the first end waits for it."""
    changes = {} if region == EAST else {"baseModelIdentifier": PROVISIONED_MODEL}
    rehearsal: Rehearsal
    redriven: list[Run] = []

    def redrive(run: Run, event: dict[str, Any]) -> None:
        if event.get("stateEnteredEventDetails", {}).get("name") == "WaitForRelease" and not redriven:
            redriven.append(next(run for run in rehearsal.executions if is_customization(run)))
            rehearsal._world.executions.redrive(redriven[0])

    scenario = Scenario("redriven at once", "SUCCEEDED", "BETTER", region=region, changes=changes)
    account = Account(scenario, redrive)
    rehearsal = account.rehearsal
    account.abort_at("Customization", at)
    run = account.run()
    assert redriven
    assert (run.status, run.error, run.cause) == ("SUCCEEDED", None, None)
    billed = [billed.arn for billed in rehearsal.bedrock.billed if billed.arn not in account.arns_of_neighbours]
    assert billed == [run.output["model"]["modelId"]]
    (message,) = rehearsal.inbox
    assert message.subject.endswith("is better and was kept")
