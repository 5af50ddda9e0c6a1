"""Quick rehearsals of the complete stack that together use every permission that it has."""

import json
from pathlib import Path

from bedrock_customization.rehearsal import Rehearsal
from bedrock_customization.rehearsal.services.api import Principal
from tests.workflows.complete_runs import (
    DISTILLATION,
    EVALUATION,
    INVOCATION_LOGS,
    PROVISIONED_MODEL,
    RELEASE,
    STACK,
    TRAINING,
    customize,
    records,
    rehearse,
)
from tests.workflows.foreign_cases import FOREIGN_CASES


def kept_on_demand(directory: Path) -> Rehearsal:
    rehearsal = rehearse(directory)
    let_tags_be_read_again(rehearsal)
    run = customize(rehearsal)
    assert (run.status, run.output and run.output["verdict"]) == ("SUCCEEDED", "BETTER"), run.cause
    assert len(rehearsal.bedrock.billed) == len(rehearsal.inbox) == 1
    return rehearsal


def kept_by_provisioned_throughput(directory: Path) -> Rehearsal:
    rehearsal = rehearse(directory, provisioned=True)
    let_tags_be_read_again(rehearsal)
    run = customize(rehearsal, baseModelIdentifier=PROVISIONED_MODEL)
    assert (run.status, run.output and run.output["verdict"]) == ("SUCCEEDED", "BETTER"), run.cause
    assert [billed.kind for billed in rehearsal.bedrock.billed] == ["provisioned-model"]
    return rehearsal


def distilled(directory: Path) -> Rehearsal:
    rehearsal = rehearse(directory)
    run = customize(
        rehearsal, customizationType="DISTILLATION", customizationConfig=DISTILLATION, validationDataKey=None
    )
    assert run.status == "SUCCEEDED", run.cause
    return rehearsal


def distilled_from_invocation_logs(directory: Path) -> Rehearsal:
    rehearsal = rehearse(directory)
    rehearsal.upload(INVOCATION_LOGS, "AWSLogs/one.jsonl", records(range(110)))
    logs = {"invocationLogSource": {"s3Uri": f"s3://{rehearsal.bucket_name(INVOCATION_LOGS)}/AWSLogs/"}}
    run = customize(
        rehearsal,
        customizationType="DISTILLATION",
        customizationConfig=DISTILLATION,
        invocationLogsConfig=logs | {"usePromptResponse": True},
        trainingDataKey=None,
        validationDataKey=None,
    )
    assert run.status == "SUCCEEDED", run.cause
    return rehearsal


def reinforced(directory: Path) -> Rehearsal:
    rehearsal = rehearse(directory)
    lines = [
        {"messages": [{"role": "user", "content": f"Order {number}?"}], "reference_answer": "Broken."}
        for number in range(110)
    ]
    rehearsal.upload(TRAINING, "chat.jsonl", "\n".join(map(json.dumps, lines)))
    place = rehearsal._world.place
    grader = {"graderConfig": {"lambdaGrader": {"lambdaArn": place.arn("lambda", "function:Grader")}}}
    run = customize(
        rehearsal,
        baseModelIdentifier="amazon.nova-2-lite-v1:0:256k",
        customizationType="REINFORCEMENT_FINE_TUNING",
        customizationConfig={"rftConfig": grader},
        trainingDataKey="chat.jsonl",
        validationDataKey=None,
    )
    assert run.status == "SUCCEEDED", run.cause
    return rehearsal


def evaluated_again_from_its_custom_model(directory: Path) -> Rehearsal:
    rehearsal = kept_on_demand(directory)
    (model,) = rehearsal.bedrock.registry.models
    run = customize(
        rehearsal,
        customizationType="IMPORTED",
        customModelArn=model.arn,
        trainingDataKey=None,
        validationDataKey=None,
    )
    assert run.status == "SUCCEEDED", run.cause
    assert len(rehearsal.bedrock.registry.jobs) == 1
    return rehearsal


def compared_by_a_profile_of_the_accounts_own(directory: Path) -> Rehearsal:
    rehearsal = rehearse(directory)
    source = rehearsal._world.place.arn("bedrock", "inference-profile/us.amazon.nova-micro-v1:0")
    create = {"inferenceProfileName": "support", "modelSource": {"copyFrom": source}}
    profile = rehearsal._world.api.call("bedrock", "CreateInferenceProfile", create, Principal())
    run = customize(rehearsal, baseInferenceModelIdentifier=profile["inferenceProfileArn"])
    assert run.status == "SUCCEEDED", run.cause
    return rehearsal


def rejected(directory: Path) -> Rehearsal:
    rehearsal = rehearse(directory, good=False)
    run = customize(rehearsal)
    assert (run.status, run.output and run.output["verdict"]) == ("SUCCEEDED", "NOT_BETTER"), run.cause
    assert rehearsal.bedrock.billed == []
    assert {released["kind"] for released in run.output["released"]} == {"Deployment", "Model"}
    return rehearsal


def missing_training_data(directory: Path) -> Rehearsal:
    rehearsal = rehearse(directory)
    run = customize(rehearsal, trainingDataKey="trian.jsonl")
    assert (run.status, run.error) == ("FAILED", "InvalidInput")
    assert "train.jsonl" in run.cause
    assert len(rehearsal.inbox) == 1
    return rehearsal


def missing_evaluation_data(directory: Path) -> Rehearsal:
    rehearsal = rehearse(directory)
    run = customize(rehearsal, evaluationDataKey="evalution.jsonl")
    assert (run.status, run.error) == ("FAILED", "InvalidInput")
    assert "evaluation.jsonl" in run.cause
    return rehearsal


def too_low_a_default_quota(directory: Path) -> Rehearsal:
    rehearsal = rehearse(directory, provisioned=True)
    rehearsal.faults.fail("servicequotas:getServiceQuota", "NoSuchResourceException", times=2)
    rehearsal.bedrock.provisioned_models.no_commitment_units = 0
    run = customize(rehearsal, baseModelIdentifier=PROVISIONED_MODEL)
    assert (run.status, run.error) == ("FAILED", "QuotaTooLow"), run.cause
    return rehearsal


def stalled_training(directory: Path) -> Rehearsal:
    rehearsal = rehearse(directory)
    rehearsal.bedrock.jobs.stalls = True
    assert customize(rehearsal).status == "FAILED"
    assert rehearsal.bedrock.billed == []
    return rehearsal


def stalled_training_that_the_run_cannot_stop(directory: Path) -> Rehearsal:
    rehearsal = rehearse(directory)
    rehearsal.bedrock.jobs.stalls = True
    rehearsal.faults.fail("bedrock:stopModelCustomizationJob", "InternalServerException")
    assert customize(rehearsal).status == "FAILED"
    assert rehearsal.bedrock.billed == []
    return rehearsal


def stopped_while_it_serves_on_demand(directory: Path) -> Rehearsal:
    rehearsal = rehearse(directory)
    rehearsal.stop(at="GetDeployment")
    assert customize(rehearsal).status == "ABORTED"
    assert rehearsal.bedrock.billed == []
    assert len(rehearsal.inbox) == 1
    return rehearsal


def stopped_while_it_serves_by_provisioned_throughput(directory: Path) -> Rehearsal:
    rehearsal = rehearse(directory, provisioned=True)
    rehearsal.stop(at="GetProvisionedModel")
    assert customize(rehearsal, baseModelIdentifier=PROVISIONED_MODEL).status == "ABORTED"
    assert rehearsal.bedrock.billed == []
    return rehearsal


def stopped_while_it_evaluates(directory: Path) -> Rehearsal:
    rehearsal = rehearse(directory)
    rehearsal.stop(at="ScoreShard")
    assert customize(rehearsal).status == "ABORTED"
    assert [run.status for run in rehearsal.executions if "Evaluation" in run.state_machine_arn] == ["ABORTED"]
    return rehearsal


def scored_in_vain(directory: Path) -> Rehearsal:
    rehearsal = rehearse(directory)
    rehearsal.faults.fail("ScoreShard", "InvalidInput", cause="The evaluator answered 7.")
    run = customize(rehearsal)
    assert (run.error, run.cause) == ("InvalidInput", "The evaluator answered 7.")
    return rehearsal


def stopped_while_it_releases(directory: Path) -> Rehearsal:
    rehearsal = rehearse(directory, good=False)
    rehearsal.stop(at="FindDeployments")
    assert customize(rehearsal).status == "ABORTED"
    assert {run.status for run in rehearsal.executions if "Release" in run.state_machine_arn} == {
        "ABORTED",
        "SUCCEEDED",
    }
    assert rehearsal.bedrock.billed == []
    return rehearsal


def stopped_before_it_notifies(directory: Path) -> Rehearsal:
    rehearsal = rehearse(directory)
    rehearsal.stop(at="Notify")
    assert customize(rehearsal).status == "ABORTED"
    (message,) = rehearsal.inbox
    assert "was promoted and registered before the run ended" in message.message
    return rehearsal


def missed_by_the_rule_and_swept(directory: Path) -> Rehearsal:
    rehearsal = rehearse(directory)
    rehearsal.stop(at="GetDeployment")
    fail_to_start_the_release(rehearsal)
    customize(rehearsal)
    assert len(rehearsal.bedrock.billed) == 1
    assert [lost for lost in rehearsal.undelivered if ":sqs:" in lost] == []
    assert len(rehearsal.undelivered) == 1
    sweep, release = rehearsal.fire(f"{RELEASE}/Sweep")
    assert (sweep.status, release.status) == ("SUCCEEDED", "SUCCEEDED"), f"{sweep.cause} {release.cause}"
    assert rehearsal.bedrock.billed == []
    return rehearsal


def missed_by_the_sweep(directory: Path) -> Rehearsal:
    rehearsal = rehearse(directory)
    fail_to_start_the_release(rehearsal)
    assert rehearsal.fire(f"{RELEASE}/Sweep") == []
    assert [lost for lost in rehearsal.undelivered if ":sqs:" in lost] == []
    assert len(rehearsal.undelivered) == 1
    return rehearsal


def swept_while_a_job_runs(directory: Path) -> Rehearsal:
    rehearsal = rehearse(directory)
    rehearsal.bedrock.jobs.stalls = True
    rehearsal.faults.fail("bedrock:stopModelCustomizationJob", "InternalServerException", times=10)
    rehearsal.faults.fail("ReleaseAfterFailure", "States.Timeout", times=10)
    fail_to_start_the_release(rehearsal)
    customize(rehearsal)
    assert len(rehearsal.bedrock.billed) == 1
    rehearsal.fire(f"{RELEASE}/Sweep")
    assert rehearsal.bedrock.billed == []
    return rehearsal


def alarmed(directory: Path) -> Rehearsal:
    rehearsal = rehearse(directory)
    rehearsal.raise_alarm(f"{STACK}/Customization/Alarms/ReleaseFailed")
    (message,) = rehearsal.inbox
    assert "may still be billed" in message.message
    return rehearsal


def evaluated_alone(directory: Path) -> Rehearsal:
    rehearsal = rehearse(directory)
    models = [
        {"name": "here", "modelId": "amazon.nova-micro-v1:0"},
        {"name": "us", "modelId": "us.amazon.nova-pro-v1:0"},
    ]
    run = rehearsal.run(EVALUATION, {"models": models, "baseline": "here", "evaluationDataKey": "evaluation.jsonl"})
    assert run.status == "SUCCEEDED", run.cause
    return rehearsal


def redriven_when_its_map_run_failed(directory: Path) -> Rehearsal:
    rehearsal = rehearse(directory)
    rehearsal.faults.fail("ScoreShard", "ValidationException")
    models = [{"name": name, "modelId": f"amazon.nova-{name}-v1:0"} for name in ("micro", "lite")]
    run = rehearsal.run(EVALUATION, {"models": models, "baseline": "micro", "evaluationDataKey": "evaluation.jsonl"})
    assert run.status == "FAILED"
    assert rehearsal.redrive(run).status == "SUCCEEDED", run.cause
    return rehearsal


def let_tags_be_read_again(rehearsal: Rehearsal) -> None:
    """Lets it seem that the winner's tags, of the model and of what serves it, could not be set."""
    rehearsal.faults.lose_response("TagAsKept", times=2 * 9)


def fail_to_start_the_release(rehearsal: Rehearsal) -> None:
    """Lets the next rule or schedule fail to start its target, so that its event goes to the dead letters."""
    rehearsal.faults.fail("sfn:startExecution", "ExecutionLimitExceeded")


CASES = (
    kept_on_demand,
    distilled,
    distilled_from_invocation_logs,
    reinforced,
    evaluated_again_from_its_custom_model,
    compared_by_a_profile_of_the_accounts_own,
    rejected,
    kept_by_provisioned_throughput,
    missing_training_data,
    missing_evaluation_data,
    too_low_a_default_quota,
    stalled_training,
    stalled_training_that_the_run_cannot_stop,
    stopped_while_it_serves_on_demand,
    stopped_while_it_serves_by_provisioned_throughput,
    stopped_while_it_evaluates,
    scored_in_vain,
    stopped_while_it_releases,
    stopped_before_it_notifies,
    missed_by_the_rule_and_swept,
    missed_by_the_sweep,
    swept_while_a_job_runs,
    alarmed,
    evaluated_alone,
    redriven_when_its_map_run_failed,
    *FOREIGN_CASES,
)
"""Each rehearses one thing from the assembly, checks what came of it, and returns its rehearsal."""
