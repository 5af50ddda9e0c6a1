"""A fully encrypted workflow, and quick rehearsals of it that together use every permission that it has."""

import json
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import boto3
from aws_cdk import App, Stack
from aws_cdk import aws_kms as kms
from botocore.exceptions import ClientError

from bedrock_customization import (
    CustomizationWorkflow,
    EvaluationWorkflow,
    Metric,
    NotificationTopic,
    QualityGate,
)
from bedrock_customization.rehearsal import Rehearsal, Run

STACK = "Encrypted"
MACHINE = f"{STACK}/Customization/Machine/StateMachine"
EVALUATION = f"{STACK}/Evaluation/Machine/StateMachine"
RELEASE = f"{STACK}/Customization/Release"
TRAINING = f"{STACK}/Customization/TrainingBucket"
DATA = f"{STACK}/Evaluation/DataBucket"
PROVISIONED_MODEL = "meta.llama3-1-8b-instruct-v1:0:128k"
RESULTS = f"{STACK}/Evaluation/ResultsBucket"


def synthesize(directory: Path) -> None:
    """Writes the cloud assembly; the topic has a key of its own, so that no permission stands in for another."""
    app = App(outdir=str(directory))
    stack = Stack(app, STACK)
    data_key, topic_key = (kms.Key(stack, name, enable_key_rotation=True) for name in ("DataKey", "TopicKey"))
    topic = NotificationTopic(stack, "Topic", emails=["team@example.com"], encryption_key=topic_key)
    evaluation = EvaluationWorkflow(
        stack,
        "Evaluation",
        metrics=[Metric.token_f1()],
        quality_gate=QualityGate(metric="token_f1"),
        encryption_key=data_key,
    )
    CustomizationWorkflow(stack, "Customization", evaluation=evaluation, topic=topic, encryption_key=data_key)
    app.synth()


def records(numbers: range, *, good: bool = True, conversations: bool = True) -> str:
    """Questions whose answers are a sentence of theirs, which a model can learn, or one that it cannot."""
    lines = []
    for number in numbers:
        question = f"The weather is fine on day {number}. Order {number} arrived broken."
        answer = f"Order {number} arrived broken." if good else "No."
        turns = (("user", question), ("assistant", answer))
        messages = [{"role": role, "content": [{"text": text}]} for role, text in turns]
        conversation = {"schemaVersion": "bedrock-conversation-2024", "messages": messages}
        lines.append(json.dumps(conversation if conversations else {"prompt": question, "completion": answer}))
    return "\n".join(lines)


def rehearse(directory: Path, *, good: bool = True, provisioned: bool = False, **options: Any) -> Rehearsal:
    """Deploys the assembly and puts data in place.

    Args:
        directory: The assembly.
        good: Whether a model can learn from the data.
        provisioned: Whether it is to be a model that only provisioned throughput serves.
        **options: Of the rehearsal.
    """
    region = "us-west-2" if provisioned else "us-east-1"
    rehearsal = Rehearsal.from_assembly(directory, STACK, region=region, **options)
    rehearsal.upload(TRAINING, "train.jsonl", records(range(110), good=good, conversations=not provisioned))
    rehearsal.upload(DATA, "validation.jsonl", records(range(200, 210), conversations=not provisioned))
    rehearsal.upload(DATA, "evaluation.jsonl", records(range(300, 310)))
    return rehearsal


def customize(rehearsal: Rehearsal, **changes: Any) -> Run:
    """Runs the customization on that data."""
    execution_input = {
        "baseModelIdentifier": "amazon.nova-micro-v1:0:128k",
        "customModelName": "support",
        "trainingDataKey": "train.jsonl",
        "validationDataKey": "validation.jsonl",
        "evaluationDataKey": "evaluation.jsonl",
    }
    return rehearsal.run(MACHINE, execution_input | changes)


def kept_on_demand(directory: Path) -> Rehearsal:
    rehearsal = rehearse(directory)
    run = customize(rehearsal)
    assert (run.status, run.output and run.output["verdict"]) == ("SUCCEEDED", "BETTER"), run.cause
    assert len(rehearsal.bedrock.billed) == len(rehearsal.inbox) == 1
    return rehearsal


def kept_by_provisioned_throughput(directory: Path) -> Rehearsal:
    rehearsal = rehearse(directory, provisioned=True)
    run = customize(rehearsal, baseModelIdentifier=PROVISIONED_MODEL)
    assert (run.status, run.output and run.output["verdict"]) == ("SUCCEEDED", "BETTER"), run.cause
    assert [billed.kind for billed in rehearsal.bedrock.billed] == ["provisioned-model"]
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


def missed_by_the_rule_and_swept(directory: Path) -> Rehearsal:
    rehearsal = rehearse(directory)
    rehearsal.stop(at="GetDeployment")
    fail_to_start_the_release(rehearsal)
    customize(rehearsal)
    assert len(rehearsal.bedrock.billed) == 1
    assert [lost for lost in rehearsal.undelivered if ":sqs:" in lost] == []
    assert len(rehearsal.undelivered) == 1
    (sweep,) = rehearsal.fire(f"{RELEASE}/Sweep")
    assert sweep.status == "SUCCEEDED", sweep.cause
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


def without_tls(directory: Path) -> Rehearsal:
    answers: list[str] = []

    def probe(event: Any, context: Any) -> None:
        for call in insecure_calls(rehearsal):
            try:
                answers.append(repr(call()))
            except ClientError as error:
                answers.append(str(error))

    rehearsal = rehearse(directory, handlers={f"{STACK}/Evaluation/Dataset/Function": probe})
    rehearsal.run(EVALUATION, {})
    assert len(answers) == 5
    for answer in answers:
        assert "explicit deny in a resource-based policy" in answer
    rehearsal.permissions.denied.clear()
    return rehearsal


def insecure_calls(rehearsal: Rehearsal) -> list[Callable[[], Any]]:
    """One call without TLS to each bucket, topic and queue."""
    s3, sns, sqs = (boto3.client(service, use_ssl=False) for service in ("s3", "sns", "sqs"))
    world = rehearsal._world
    topic = world.notifications.subscriptions[0].topic
    queue = world.bus.rules[0].targets[0]["DeadLetterConfig"]["Arn"].rsplit(":", 1)[-1]
    url = f"https://sqs.{world.place.region}.amazonaws.com/{world.place.account}/{queue}"
    return [
        *(partial(s3.list_objects_v2, Bucket=rehearsal.bucket_name(name)) for name in (TRAINING, DATA, RESULTS)),
        partial(sns.publish, TopicArn=topic, Message="open"),
        partial(sqs.send_message, QueueUrl=url, MessageBody="open"),
    ]


def fail_to_start_the_release(rehearsal: Rehearsal) -> None:
    """Lets the next rule or schedule fail to start its target, so that its event goes to the dead letters."""
    rehearsal.faults.fail("sfn:startExecution", "ExecutionLimitExceeded")


CASES = (
    kept_on_demand,
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
    stopped_while_it_releases,
    missed_by_the_rule_and_swept,
    missed_by_the_sweep,
    swept_while_a_job_runs,
    alarmed,
    evaluated_alone,
    without_tls,
)
"""Each rehearses one thing from the assembly, checks what came of it, and returns its rehearsal."""
