"""KMS keys behind aliases, keys that AWS manages, keys of state machines, and who may use each."""

import json
from pathlib import Path
from typing import Any

import aws_cdk as cdk
import boto3
import pytest
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_cloudwatch_actions as cloudwatch_actions
from aws_cdk import aws_events as events
from aws_cdk import aws_events_targets as targets
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_logs as logs
from aws_cdk import aws_s3 as s3
from aws_cdk import aws_sns as sns
from aws_cdk import aws_sns_subscriptions as subscriptions
from aws_cdk import aws_sqs as sqs
from aws_cdk import aws_stepfunctions as sfn

from bedrock_customization.rehearsal import DeploymentDeniedError, Rehearsal, UnsupportedTemplateError
from bedrock_customization.rehearsal.clock import VirtualClock
from bedrock_customization.rehearsal.permissions.calls.bedrock import use_of_model_key
from bedrock_customization.rehearsal.permissions.resources import Resources
from bedrock_customization.rehearsal.physical_names import Place
from bedrock_customization.rehearsal.services.bedrock.registry import Registry
from tests.rehearsal.machines import machine
from tests.rehearsal.permissions.stacks import allow, in_handler, output, state_machine

HOURLY = events.Schedule.rate(cdk.Duration.hours(1))


@pytest.fixture
def stack(tmp_path: Path) -> cdk.Stack:
    return cdk.Stack(cdk.App(outdir=str(tmp_path / "cdk.out")), "Team")


def resources() -> Resources:
    place = Place("", "123456789012", "us-east-1", "aws", "amazonaws.com")
    return Resources(place, Registry(VirtualClock(), place.region, place.account, place.partition))


def alarm(stack: cdk.Stack, topic: sns.ITopic) -> cloudwatch.Alarm:
    metric = cloudwatch.Metric(namespace="Team", metric_name="Failures")
    raised = metric.create_alarm(stack, "Alarm", threshold=1, evaluation_periods=1)
    raised.add_alarm_action(cloudwatch_actions.SnsAction(topic))
    return raised


@pytest.mark.parametrize(("granted", "answer"), [(True, "result"), (False, "error")])
def test_a_bucket_that_is_encrypted_by_an_alias_needs_the_key_behind_it(
    stack: cdk.Stack, granted: bool, answer: str
) -> None:
    key = kms.Key(stack, "Key")
    encryption = s3.BucketEncryption.KMS
    bucket = s3.Bucket(stack, "Data", encryption=encryption, encryption_key=key.add_alias("data"))
    write = iam.PolicyStatement(actions=["s3:PutObject"], resources=[bucket.arn_for_objects("*")])
    grants: dict[str, Any] = {"write": lambda caller: caller.add_to_role_policy(write)}
    if granted:
        grants["use"] = lambda caller: key.grant_encrypt(caller)
    rehearsal = in_handler(stack, lambda: boto3.client("s3").put_object(Bucket=name, Key="a", Body=b"x"), **grants)
    name = rehearsal.bucket_name(bucket)

    assert answer in output(rehearsal)


@pytest.mark.parametrize(("granted", "answer"), [(True, "result"), (False, "error")])
def test_an_alias_that_a_request_names_needs_the_key_behind_it(stack: cdk.Stack, granted: bool, answer: str) -> None:
    key, bucket = kms.Key(stack, "Key"), s3.Bucket(stack, "Data")
    key.add_alias("data")
    own = {"ServerSideEncryption": "aws:kms", "SSEKMSKeyId": "arn:aws:kms:us-east-1:123456789012:alias/data"}
    grants: dict[str, Any] = {"write": lambda caller: bucket.grant_put(caller)}
    if granted:
        grants["use"] = lambda caller: key.grant_encrypt(caller)
    rehearsal = in_handler(
        stack, lambda: boto3.client("s3").put_object(Bucket=name, Key="a", Body=b"x", **own), **grants
    )
    name = rehearsal.bucket_name(bucket)

    assert answer in output(rehearsal)


@pytest.mark.parametrize("granted", [True, False])
def test_a_topic_and_a_queue_that_are_encrypted_by_an_alias_need_the_key_behind_it(
    stack: cdk.Stack, granted: bool
) -> None:
    key = kms.Key(stack, "Key")
    alias = kms.Alias(stack, "Alias", alias_name="alias/data", target_key=key)
    topic = sns.Topic(stack, "Topic", master_key=alias)
    queue = sqs.Queue(stack, "Queue", encryption_master_key=alias)
    publish = state_machine(stack, "Publish", "sns:publish", {"TopicArn": topic.topic_arn, "Message": "x"})
    send = state_machine(stack, "Send", "sqs:sendMessage", {"QueueUrl": queue.queue_url, "MessageBody": "x"})
    allow(publish, "sns:Publish", topic.topic_arn)
    allow(send, "sqs:SendMessage", queue.queue_arn)
    if granted:
        for user in (publish, send):
            key.grant(user, "kms:GenerateDataKey", "kms:Decrypt")
    rehearsal = Rehearsal.from_stack(stack)

    for user in (publish, send):
        run = rehearsal.run(user, {})
        assert (run.status == "SUCCEEDED") is granted
        assert granted or "kms:GenerateDataKey on resource: arn:aws:kms:us-east-1:123456789012:key/" in run.cause


def test_an_alias_that_no_stack_makes_is_refused_where_it_is_used(stack: cdk.Stack) -> None:
    topic = sns.Topic(stack, "Topic", master_key=kms.Alias.from_alias_name(stack, "Alias", "alias/company"))
    publish = state_machine(stack, "Publish", "sns:publish", {"TopicArn": topic.topic_arn, "Message": "x"})
    allow(publish, "sns:Publish", topic.topic_arn)
    rehearsal = Rehearsal.from_stack(stack)

    with pytest.raises(UnsupportedTemplateError, match=r"key .*:alias/company stands for is not known; .*enforce_perm"):
        rehearsal.run(publish, {})


def test_a_log_group_needs_the_policy_of_the_key_behind_an_alias(stack: cdk.Stack) -> None:
    logs.LogGroup(stack, "Log", encryption_key=kms.Key(stack, "Key").add_alias("logs"))
    with pytest.raises(DeploymentDeniedError, match=r"AWS::Logs::LogGroup\) .*kms:Encrypt on resource: .*:key/"):
        Rehearsal.from_stack(stack)


@pytest.mark.parametrize("written", ["alias/models", "arn:aws:kms:us-east-1:123456789012:alias/models", "1234"])
def test_a_models_key_is_found_by_its_alias_and_id(stack: cdk.Stack, written: str) -> None:
    kms.CfnAlias(stack, "Alias", alias_name="alias/models", target_key_id="1234")
    account = resources()
    account.take([Rehearsal.from_stack(stack)._names.stack])
    (need,) = use_of_model_key(["kms:Decrypt"], written, account)
    assert need.resource == "arn:aws:kms:us-east-1:123456789012:key/1234"


def test_keys_that_aws_manages_let_roles_in_and_no_services(stack: cdk.Stack) -> None:
    managed = kms.Alias.from_alias_name(stack, "Managed", "alias/aws/sns")
    topic = sns.Topic(stack, "Topic", master_key=managed)
    topic.add_subscription(subscriptions.EmailSubscription("team@example.com"))
    topic.grant_publish(iam.ServicePrincipal("cloudwatch.amazonaws.com"))
    queue = sqs.Queue(stack, "Queue", encryption=sqs.QueueEncryption.KMS_MANAGED)
    rule = events.Rule(stack, "Rule", schedule=HOURLY, targets=[targets.SqsQueue(queue)])
    send = state_machine(stack, "Send", "sqs:sendMessage", {"QueueUrl": queue.queue_url, "MessageBody": "x"})
    allow(send, "sqs:SendMessage", queue.queue_arn)
    raised = alarm(stack, topic)
    rehearsal = Rehearsal.from_stack(stack)

    assert rehearsal.run(send, {}).status == "SUCCEEDED"
    rehearsal.raise_alarm(raised)
    rehearsal.fire(rule)

    assert rehearsal.inbox == []
    by_alarm, by_rule = rehearsal.undelivered
    assert "cloudwatch.amazonaws.com is not authorized to perform: kms:GenerateDataKey" in by_alarm
    assert "events.amazonaws.com is not authorized to perform: kms:GenerateDataKey" in by_rule


@pytest.mark.parametrize("service", ["events.amazonaws.com", "cloudwatch.amazonaws.com"])
@pytest.mark.parametrize("key_name", ["aws:SourceAccount", "aws:SourceArn", None])
def test_event_bridge_does_not_tell_a_key_its_source(stack: cdk.Stack, service: str, key_name: str | None) -> None:
    key = kms.Key(stack, "Key")
    topic = sns.CfnTopic(stack, "Topic", kms_master_key_id=key.key_id)
    known = sns.Topic.from_topic_arn(stack, "Known", topic.ref)
    sns.CfnSubscription(stack, "Mail", topic_arn=topic.ref, protocol="email", endpoint="team@example.com")
    publish = iam.PolicyStatement(
        actions=["sns:Publish"], resources=[topic.ref], principals=[iam.ServicePrincipal(service)]
    )
    policy = iam.PolicyDocument(statements=[publish])
    sns.CfnTopicPolicy(stack, "Policy", topics=[topic.ref], policy_document=policy)
    conditions = {key_name: "*123456789012*"} if key_name else {}
    use = iam.PolicyStatement(
        actions=["kms:GenerateDataKey", "kms:Decrypt"],
        resources=["*"],
        principals=[iam.ServicePrincipal(service)],
        conditions={"StringLike": conditions},
    )
    key.add_to_resource_policy(use)
    raised = alarm(stack, known)
    target = events.CfnRule.TargetProperty(arn=topic.ref, id="1")
    events.CfnRule(stack, "Rule", schedule_expression="rate(1 hour)", targets=[target])
    rehearsal = Rehearsal.from_stack(stack)

    if service == "cloudwatch.amazonaws.com":
        rehearsal.raise_alarm(raised)
        assert len(rehearsal.inbox) == 1
    else:
        rehearsal.fire("Rule")
        assert len(rehearsal.inbox) == (0 if key_name else 1)
        assert all("kms:GenerateDataKey" in lost for lost in rehearsal.undelivered)


def test_a_key_from_elsewhere_is_named_as_not_checked_and_refused_to_services(stack: cdk.Stack) -> None:
    arn = "arn:aws:kms:us-east-1:123456789012:key/elsewhere"
    topic = sns.Topic(stack, "Topic", master_key=kms.Key.from_key_arn(stack, "Key", arn))
    publish = state_machine(stack, "Publish", "sns:publish", {"TopicArn": topic.topic_arn, "Message": "x"})
    topic.grant_publish(publish)
    raised = alarm(stack, topic)
    rehearsal = Rehearsal.from_stack(stack)

    assert rehearsal.permissions.unchecked == set()
    assert rehearsal.run(publish, {}).status == "SUCCEEDED"
    assert rehearsal.permissions.unchecked == {arn}
    with pytest.raises(UnsupportedTemplateError, match=rf"cloudwatch.amazonaws.com: .*{arn} .*no rehearsed stack"):
        rehearsal.raise_alarm(raised)


def test_a_grant_that_a_service_asks_for_is_for_an_aws_resource() -> None:
    create, decrypt = use_of_model_key(["kms:CreateGrant", "kms:Decrypt"], "1234", resources())
    assert create.keys["kms:grantisforawsresource"] == ["true"]
    assert "kms:grantisforawsresource" not in decrypt.keys


@pytest.mark.parametrize("granted", [True, False])
def test_a_state_machines_role_needs_its_key(stack: cdk.Stack, granted: bool) -> None:
    role = iam.Role(stack, "Role", assumed_by=iam.ServicePrincipal("states.amazonaws.com"))
    done = json.dumps(machine(Done={"Type": "Pass", "End": True}))
    created = sfn.StateMachine(
        stack,
        "Machine",
        definition_body=sfn.DefinitionBody.from_string(done),
        # CDK gives the role the use of the key, for the state machine's name only.
        role=role if granted else role.without_policy_updates(),
        state_machine_name="done",
        encryption_configuration=sfn.CustomerManagedEncryptionConfiguration(kms.Key(stack, "Key")),
    )
    if granted:
        assert Rehearsal.from_stack(stack).run(created, {}).status == "SUCCEEDED"
    else:
        with pytest.raises(
            DeploymentDeniedError, match=r"role may not start executions with its key: .*kms:Decrypt on resource: "
        ):
            Rehearsal.from_stack(stack)
