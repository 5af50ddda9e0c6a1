"""Rehearsals of what nobody may do in the complete stack: calls without TLS, and touching what is somebody else's."""

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import boto3
from botocore.exceptions import ClientError

from bedrock_customization.rehearsal import Rehearsal
from bedrock_customization.rehearsal.permissions.calls.need import Need
from bedrock_customization.rehearsal.services.api import Principal
from bedrock_customization.rehearsal.services.api_error import ApiError
from tests.workflows.complete_runs import DATA, EVALUATION, INVOCATION_LOGS, RESULTS, STACK, TRAINING, rehearse

WORKFLOW_TAG = "bedrock-customization:workflow"
KEPT_TAG = "bedrock-customization:kept"
ELSEWHERE = "999999999999"


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
    assert len(answers) == 7
    for answer in answers:
        assert "explicit deny in a resource-based policy" in answer
    rehearsal.permissions.denied.clear()
    return rehearsal


def insecure_calls(rehearsal: Rehearsal) -> list[Callable[[], Any]]:
    """One call without TLS to each bucket, topic and queue."""
    s3, sns, sqs = (boto3.client(service, use_ssl=False) for service in ("s3", "sns", "sqs"))
    world = rehearsal._world
    topic = world.notifications.subscriptions[0].topic
    queue = dead_letters(rehearsal).rsplit(":", 1)[-1]
    url = f"https://sqs.{world.place.region}.amazonaws.com/{world.place.account}/{queue}"
    buckets = (TRAINING, DATA, RESULTS, INVOCATION_LOGS, f"{STACK}/AccessLogs")
    return [
        *(partial(s3.list_objects_v2, Bucket=rehearsal.bucket_name(name)) for name in buckets),
        partial(sns.publish, TopicArn=topic, Message="open"),
        partial(sqs.send_message, QueueUrl=url, MessageBody="open"),
    ]


class Attempts:
    """Tries what must be denied.

    Args:
        rehearsal: Where.
    """

    def __init__(self, rehearsal: Rehearsal) -> None:
        self.rehearsal = rehearsal
        self.world = rehearsal._world
        evaluation = self.world.permissions._evaluation
        assert evaluation is not None
        self.roles = {role.holder.removeprefix(f"{STACK}/"): role for role in evaluation.policies.roles.values()}

    def arn(self, service: str, resource: str) -> str:
        return self.world.place.arn(service, resource)

    def by(self, role: str, service: str, operation: str, **parameters: Any) -> None:
        """A call by a role."""
        self.denied(lambda: self.world.api.call(service, operation, parameters, Principal(self.roles[role].arn)))

    def need(self, role: str, action: str, resource: str, **keys: list[str]) -> None:
        """A permission of a role, under condition keys, `__` for `:` and `_` for `/` in their names."""
        spelled = {name.replace("__", ":").replace("_", "/"): values for name, values in keys.items()}
        principal = Principal(self.roles[role].arn)
        self.denied(lambda: self.world.permissions.require(principal, [Need(action, resource, spelled)], "iam"))

    def service(self, name: str, source: str, action: str, resource: str, keys: dict[str, list[str]]) -> None:
        """A permission of a service that acts for somebody else."""
        principal = Principal(service=name, source_arn=source)
        self.denied(lambda: self.world.permissions.require(principal, [Need(action, resource, keys)], "iam"))

    def denied(self, attempt: Callable[[], object]) -> None:
        with self.world.aws.active():
            try:
                attempt()
            except ApiError as error:
                assert "not authorized to perform" in error.message, error
            else:
                raise AssertionError("what had to be denied was allowed")
        self.rehearsal.permissions.denied.clear()


def machines_touch_nothing_of_another_workflow(directory: Path) -> Rehearsal:
    rehearsal = rehearse(directory)
    attempts = Attempts(rehearsal)
    theirs = another_workflow(attempts)
    machine, release, evaluation = (
        f"{name}/Machine/Role" for name in ("Customization", "Customization/Release", "Evaluation")
    )
    for operation in ("GetModelCustomizationJob", "StopModelCustomizationJob"):
        attempts.by(machine, "bedrock", operation, jobIdentifier=theirs["job"])
    attempts.by(machine, "bedrock", "GetCustomModelDeployment", customModelDeploymentIdentifier=theirs["deployment"])
    attempts.by(machine, "bedrock", "GetProvisionedModelThroughput", provisionedModelId=theirs["provisioned"])
    kept = [{"key": KEPT_TAG, "value": "true"}]
    for name in ("model", "deployment", "provisioned"):
        attempts.by(machine, "bedrock", "TagResource", resourceARN=theirs[name], tags=kept)
    for name in ("model", "job", "deployment", "provisioned"):
        attempts.by(machine, "bedrock", "TagResource", resourceARN=theirs[name], tags=[{"key": "a", "value": "b"}])
    attempts.by(machine, "bedrock", "CreateCustomModelDeployment", modelDeploymentName="free", modelArn=theirs["model"])
    attempts.by(
        machine,
        "bedrock",
        "CreateProvisionedModelThroughput",
        provisionedModelName="free",
        modelId=theirs["model"],
        modelUnits=1,
    )
    attempts.by(release, "bedrock", "StopModelCustomizationJob", jobIdentifier=theirs["job"])
    attempts.by(release, "bedrock", "DeleteCustomModel", modelIdentifier=theirs["model"])
    attempts.by(release, "bedrock", "DeleteCustomModelDeployment", customModelDeploymentIdentifier=theirs["deployment"])
    attempts.by(release, "bedrock", "DeleteProvisionedModelThroughput", provisionedModelId=theirs["provisioned"])
    messages = [{"role": "user", "content": [{"text": "Order?"}]}]
    for name in ("deployment", "provisioned"):
        attempts.by(evaluation, "bedrock-runtime", "Converse", modelId=theirs[name], messages=messages)
    ours = own_model(attempts)
    attempts.by(machine, "bedrock", "TagResource", resourceARN=ours, tags=[{"key": "a", "value": "b"}])
    return rehearsal


def another_workflow(attempts: Attempts) -> dict[str, str]:
    """What another workflow of the account has in Bedrock: its ARNs."""
    tags = [{"key": WORKFLOW_TAG, "value": "Theirs/123456789abc"}]
    registry = attempts.rehearsal.bedrock.registry
    model = new_model(attempts, "theirs", tags)
    call = partial(attempts.world.api.call, "bedrock")
    deployment = call(
        "CreateCustomModelDeployment", {"modelDeploymentName": "theirs", "modelArn": model, "tags": tags}, Principal()
    )
    provisioned = call(
        "CreateProvisionedModelThroughput",
        {"provisionedModelName": "theirs", "modelId": model, "modelUnits": 1, "tags": tags},
        Principal(),
    )
    attempts.rehearsal.wait(3600)
    return {
        "model": model,
        "job": registry.jobs[-1].arn,
        "deployment": deployment["customModelDeploymentArn"],
        "provisioned": provisioned["provisionedModelArn"],
    }


def own_model(attempts: Attempts) -> str:
    """A custom model with the workflow's own tag."""
    role = attempts.roles["Customization/Release/Machine/Role"]
    (tag,) = {
        wanted
        for statement in role.statements
        for condition in statement.conditions
        if condition.key == f"aws:ResourceTag/{WORKFLOW_TAG}"
        for wanted in condition.wanted
    } or {"none"}
    return new_model(attempts, "ours", [{"key": WORKFLOW_TAG, "value": tag}])


def new_model(attempts: Attempts, name: str, tags: list[dict[str, str]]) -> str:
    rehearsal = attempts.rehearsal
    bucket = rehearsal.bucket_name(TRAINING)
    request = {
        "jobName": name,
        "customModelName": name,
        "roleArn": attempts.roles["Customization/ServiceRole"].arn,
        "baseModelIdentifier": "amazon.nova-micro-v1:0:128k",
        "trainingDataConfig": {"s3Uri": f"s3://{bucket}/train.jsonl"},
        "outputDataConfig": {"s3Uri": f"s3://{rehearsal.bucket_name(RESULTS)}/runs/0/training/"},
        "jobTags": tags,
        "customModelTags": tags,
    }
    attempts.world.api.call("bedrock", "CreateModelCustomizationJob", request, Principal())
    rehearsal.wait(10 * 3600)
    rehearsal.bedrock.jobs.advance()
    return rehearsal.bedrock.registry.models[-1].arn


def roles_are_passed_and_keys_used_for_one_purpose(directory: Path) -> Rehearsal:
    rehearsal = rehearse(directory)
    attempts = Attempts(rehearsal)
    machine, service_role = "Customization/Machine/Role", "Customization/ServiceRole"
    passed = attempts.roles[service_role].arn
    attempts.need(machine, "iam:PassRole", passed, iam__passedtoservice=["lambda.amazonaws.com"])
    key = model_key(attempts)
    for role in (machine, service_role):
        attempts.by(role, "kms", "CreateGrant", KeyId=key, GranteePrincipal=passed, Operations=["Decrypt"])
    attempts.by("Evaluation/Machine/Role", "kms", "Decrypt", KeyId=key, CiphertextBlob=b"model")
    bus = next(arn for arn in names_of(attempts, machine, "events:PutEvents"))
    entry = {"Source": "theirs", "DetailType": "Custom Model Promoted", "Detail": "{}", "EventBusName": bus}
    attempts.by(machine, "events", "PutEvents", Entries=[entry])
    return rehearsal


def jobs_touch_no_other_interfaces(directory: Path) -> Rehearsal:
    rehearsal = rehearse(directory)
    attempts = Attempts(rehearsal)
    job = attempts.arn("bedrock", "model-customization-job/model/1")
    tags = {"BedrockManaged": "true", "BedrockModelCustomizationJobArn": job}
    interface = attempts.arn("ec2", "network-interface/*")
    subnet = attempts.arn("ec2", "subnet/subnet-0123456789abcdef0")
    role = "Customization/ServiceRole"
    principal = Principal(attempts.roles[role].arn)

    def ask(action: str, keys: dict[str, list[str]]) -> None:
        attempts.denied(lambda: attempts.world.permissions.require(principal, [Need(action, interface, keys)], "iam"))

    def tagged(prefix: str, **changes: str) -> dict[str, list[str]]:
        return {f"{prefix}/{name.lower()}": [value] for name, value in (tags | changes).items()}

    elsewhere = job.replace("model-customization-job", "evaluation-job")
    for changes in ({"BedrockManaged": "false"}, {"BedrockModelCustomizationJobArn": elsewhere}):
        ask("ec2:CreateNetworkInterface", tagged("aws:requesttag", **changes))
        ask("ec2:DeleteNetworkInterface", {**tagged("ec2:resourcetag", **changes), "ec2:subnet": [subnet]})
    ask("ec2:DeleteNetworkInterface", {**tagged("ec2:resourcetag"), "ec2:subnet": [f"{subnet}9"]})
    created = {"ec2:createaction": ["CreateNetworkInterface"], "aws:tagkeys": list(tags)}
    ask("ec2:CreateTags", created | {"ec2:createaction": ["RunInstances"]})
    ask("ec2:CreateTags", created | {"aws:tagkeys": ["Owner"]})
    return rehearsal


def services_act_for_nobody_else(directory: Path) -> Rehearsal:
    rehearsal = rehearse(directory)
    attempts = Attempts(rehearsal)
    for role, service, source in (
        ("Customization/Machine/Role", "states", "activity:theirs"),
        ("Customization/Release/Machine/Role", "states", "activity:theirs"),
        ("Evaluation/Machine/Role", "states", "activity:theirs"),
        ("Customization/ServiceRole", "bedrock", "evaluation-job/theirs"),
        ("Customization/Release/RuleRole", "events", "archive/theirs"),
    ):
        arn = attempts.arn(service, source)
        reason = attempts.world.permissions.may_assume(attempts.roles[role].arn, f"{service}.amazonaws.com", arn)
        assert reason is not None, role
    rehearsal.permissions.denied.clear()
    topic = attempts.world.notifications.subscriptions[0].topic
    topic_key = attempts.world.permissions._resources.keys[topic]
    theirs = f"arn:aws:cloudwatch:us-east-1:{ELSEWHERE}:alarm:theirs"
    attempts.service("cloudwatch.amazonaws.com", theirs, "sns:Publish", topic, {})
    attempts.service("cloudwatch.amazonaws.com", theirs, "kms:GenerateDataKey", topic_key, {})
    rule = attempts.arn("events", "rule/theirs")
    attempts.service("events.amazonaws.com", rule, "sqs:SendMessage", dead_letters(rehearsal), {})
    logs = {"kms:encryptioncontext:aws:logs:arn": [f"arn:aws:logs:us-east-1:{ELSEWHERE}:log-group:theirs"]}
    for key in sorted(attempts.world.permissions._evaluation.policies.keys):  # type: ignore[union-attr]
        attempts.service("logs.us-east-1.amazonaws.com", "", "kms:Encrypt", key, dict(logs))
    logs_bucket = f"arn:aws:s3:::{rehearsal.bucket_name(f'{STACK}/AccessLogs')}"
    for logged in (TRAINING, INVOCATION_LOGS, DATA, RESULTS):
        elsewhere = {"aws:sourceaccount": [ELSEWHERE]}
        log = f"{logs_bucket}/{logged}/1"
        attempts.service("logging.s3.amazonaws.com", "arn:aws:s3:::theirs", "s3:PutObject", log, elsewhere)
    return rehearsal


def dead_letters(rehearsal: Rehearsal) -> str:
    """The ARN of the dead-letter queue."""
    return str(rehearsal._world.bus.rules[0].targets[0]["DeadLetterConfig"]["Arn"])


def model_key(attempts: Attempts) -> str:
    """The ARN of the key of custom models."""
    return next(iter(names_of(attempts, "Customization/ServiceRole", "kms:CreateGrant")))


def names_of(attempts: Attempts, role: str, action: str) -> list[str]:
    """The resources on which a role may do something."""
    return [
        resource
        for statement in attempts.roles[role].statements
        if action in statement.actions
        for resource in statement.resources
    ]


FOREIGN_CASES = (
    without_tls,
    machines_touch_nothing_of_another_workflow,
    roles_are_passed_and_keys_used_for_one_purpose,
    jobs_touch_no_other_interfaces,
    services_act_for_nobody_else,
)
