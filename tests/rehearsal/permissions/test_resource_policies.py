"""The policies of each kind of resource decide, those that a service gives by itself too."""

from pathlib import Path
from typing import Any

import aws_cdk as cdk
import boto3
import pytest
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_cloudwatch_actions as cloudwatch_actions
from aws_cdk import aws_dynamodb as dynamodb
from aws_cdk import aws_events as events
from aws_cdk import aws_iam as iam
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_s3 as s3
from aws_cdk import aws_secretsmanager as secretsmanager
from aws_cdk import aws_sns as sns
from aws_cdk import aws_sns_subscriptions as subscriptions
from aws_cdk import aws_sqs as sqs

from bedrock_customization.rehearsal import Rehearsal, UnsupportedTemplateError
from bedrock_customization.rehearsal.permissions.documents import PolicyKind, statements_of
from bedrock_customization.rehearsal.permissions.policies import Policies
from tests.rehearsal.permissions.stacks import allow, function, in_handler, output, state_machine

DENIED = "with an explicit deny in a resource-based policy"


@pytest.fixture
def stack(tmp_path: Path) -> cdk.Stack:
    return cdk.Stack(cdk.App(outdir=str(tmp_path / "cdk.out")), "Team")


def statement(action: str, resource: str = "*", effect: str = "Deny", principal: Any = "*") -> dict[str, Any]:
    return {"Effect": effect, "Principal": principal, "Action": action, "Resource": resource}


def policy(*statements: dict[str, Any]) -> dict[str, Any]:
    return {"Version": "2012-10-17", "Statement": list(statements)}


def alarm(stack: cdk.Stack, action: cloudwatch.IAlarmAction | None = None) -> cloudwatch.Alarm:
    metric = cloudwatch.Metric(namespace="Team", metric_name="Failures")
    raised = metric.create_alarm(stack, "Alarm", threshold=1, evaluation_periods=1)
    if action is not None:
        raised.add_alarm_action(action)
    return raised


def test_a_secrets_policy(stack: cdk.Stack) -> None:
    open_, closed = secretsmanager.Secret(stack, "Open"), secretsmanager.Secret(stack, "Closed")
    denial = iam.PolicyStatement(
        effect=iam.Effect.DENY,
        actions=["secretsmanager:GetSecretValue"],
        resources=["*"],
        principals=[iam.AnyPrincipal()],
    )
    closed.add_to_resource_policy(denial)
    task = "aws-sdk:secretsmanager:getSecretValue"
    reading = [
        state_machine(stack, f"Read{n}", task, {"SecretId": s.secret_arn}) for n, s in enumerate([open_, closed])
    ]
    for machine in reading:
        allow(machine, "secretsmanager:GetSecretValue")
    rehearsal = Rehearsal.from_stack(stack)

    assert rehearsal.run(reading[0], {}).status == "SUCCEEDED"
    assert DENIED in rehearsal.run(reading[1], {}).cause
    assert rehearsal.left_out == []


def test_a_secrets_policy_that_names_it_by_its_name_is_refused(stack: cdk.Stack) -> None:
    document = policy(statement("secretsmanager:GetSecretValue"))
    secretsmanager.CfnResourcePolicy(stack, "Policy", secret_id="mine", resource_policy=document)
    with pytest.raises(UnsupportedTemplateError, match=r"Policy.*\.SecretId: .*by its ARN, .*got 'mine'"):
        Rehearsal.from_stack(stack)


@pytest.mark.parametrize("allowed", [True, False])
def test_a_queues_inline_policy(stack: cdk.Stack, allowed: bool) -> None:
    topic, queue = sns.Topic(stack, "Topic"), sqs.Queue(stack, "Queue")
    sns.CfnSubscription(stack, "Subscription", topic_arn=topic.topic_arn, protocol="sqs", endpoint=queue.queue_arn)
    effect = "Allow" if allowed else "Deny"
    to_queue = statement("sqs:SendMessage", queue.queue_arn, effect, {"Service": "sns.amazonaws.com"})
    sqs.CfnQueueInlinePolicy(stack, "QueuePolicy", queue=queue.queue_url, policy_document=policy(to_queue))
    raised = alarm(stack, cloudwatch_actions.SnsAction(topic))
    rehearsal = Rehearsal.from_stack(stack)

    rehearsal.raise_alarm(raised)

    assert [DENIED in lost for lost in rehearsal.undelivered] == ([] if allowed else [True])
    assert rehearsal.left_out == []


@pytest.mark.parametrize(("effect", "lost"), [("Allow", []), ("Deny", [True])])
def test_a_topics_inline_policy(stack: cdk.Stack, effect: str, lost: list[bool]) -> None:
    topic = sns.Topic(stack, "Topic")
    by_alarm = statement("sns:Publish", topic.topic_arn, effect, {"Service": "cloudwatch.amazonaws.com"})
    sns.CfnTopicInlinePolicy(stack, "Policy", topic_arn=topic.topic_arn, policy_document=policy(by_alarm))
    raised = alarm(stack, cloudwatch_actions.SnsAction(topic))
    rehearsal = Rehearsal.from_stack(stack)

    rehearsal.raise_alarm(raised)

    assert [DENIED in text for text in rehearsal.undelivered] == lost
    assert rehearsal.left_out == []


@pytest.mark.parametrize("form", ["statement", "properties", "other bus"])
def test_an_event_buss_policy(stack: cdk.Stack, form: str) -> None:
    bus = events.EventBus(stack, "Bus")
    deny = statement("events:PutEvents", bus.event_bus_arn)
    options: dict[str, dict[str, Any]] = {
        "statement": {"event_bus_name": bus.event_bus_name, "statement": deny},
        "properties": {
            "event_bus_name": bus.event_bus_name,
            "action": "events:PutEvents",
            "principal": "*",
            "condition": {"type": "StringEquals", "key": "aws:PrincipalOrgID", "value": "o-1"},
        },
        "other bus": {"statement": deny | {"Resource": "*"}},
    }
    events.CfnEventBusPolicy(stack, "Policy", statement_id="mine", **options[form])
    entry = {"EventBusName": bus.event_bus_name, "Source": "team", "DetailType": "news", "Detail": {}}
    put = state_machine(stack, "Put", "events:putEvents", {"Entries": [entry]})
    bus.grant_put_events_to(put)
    rehearsal = Rehearsal.from_stack(stack)

    if form == "properties":
        with pytest.raises(UnsupportedTemplateError, match=r"Policy.* key aws:PrincipalOrgID"):
            rehearsal.run(put, {})
    else:
        run = rehearsal.run(put, {})
        assert (run.status == "SUCCEEDED") is (form == "other bus")
        assert form == "other bus" or DENIED in run.cause


@pytest.mark.parametrize("made_as", ["table", "global table"])
@pytest.mark.parametrize(("action", "status"), [("dynamodb:GetItem", "FAILED"), ("dynamodb:Query", "SUCCEEDED")])
def test_a_tables_policy(stack: cdk.Stack, made_as: str, action: str, status: str) -> None:
    document = iam.PolicyDocument(
        statements=[
            iam.PolicyStatement(
                effect=iam.Effect.DENY, actions=[action], resources=["*"], principals=[iam.AnyPrincipal()]
            )
        ]
    )
    key = dynamodb.Attribute(name="id", type=dynamodb.AttributeType.STRING)
    of = dynamodb.Table if made_as == "table" else dynamodb.TableV2
    table = of(stack, "Table", partition_key=key, resource_policy=document)
    get = state_machine(stack, "Get", "dynamodb:getItem", {"TableName": table.table_name, "Key": {"id": {"S": "1"}}})
    allow(get, "dynamodb:GetItem")

    run = Rehearsal.from_stack(stack).run(get, {})

    assert run.status == status
    assert status == "SUCCEEDED" or DENIED in run.cause


def test_a_tables_policy_is_its_indexes_too() -> None:
    table = "arn:aws:dynamodb:us-east-1:123456789012:table/items"
    own = statements_of(policy(statement("dynamodb:*")), "own", "Table", PolicyKind.RESOURCE)
    assert Policies(of_resources={table: own}).resource_statements(f"{table}/index/by-day") == own


def test_a_topic_without_a_policy_has_the_one_that_sns_gives_it(stack: cdk.Stack) -> None:
    topic = sns.Topic(stack, "Topic")
    topic.add_subscription(subscriptions.EmailSubscription("team@example.com"))
    raised = alarm(stack, cloudwatch_actions.SnsAction(topic))
    target = events.CfnRule.TargetProperty(arn=topic.topic_arn, id="1")
    events.CfnRule(stack, "Rule", schedule_expression="rate(1 hour)", targets=[target])
    publish = state_machine(stack, "Publish", "sns:publish", {"TopicArn": topic.topic_arn, "Message": "x"})
    rehearsal = Rehearsal.from_stack(stack)
    assert all(grant.holder != "Team/Topic" for grant in rehearsal.permissions.granted)

    rehearsal.raise_alarm(raised)
    assert (len(rehearsal.inbox), rehearsal.undelivered) == (1, [])
    # Neither EventBridge nor a role tells the owner of the source.
    rehearsal.fire("Rule")
    (lost,) = rehearsal.undelivered
    assert "events.amazonaws.com is not authorized to perform: sns:Publish" in lost
    assert "no identity-based policy allows the sns:Publish action" in rehearsal.run(publish, {}).cause


def test_a_topics_own_policy_replaces_the_one_that_sns_gives_it(stack: cdk.Stack) -> None:
    topic = sns.Topic(stack, "Topic")
    topic.grant_publish(iam.ServicePrincipal("events.amazonaws.com"))
    raised = alarm(stack, cloudwatch_actions.SnsAction(topic))
    rehearsal = Rehearsal.from_stack(stack)

    rehearsal.raise_alarm(raised)

    (lost,) = rehearsal.undelivered
    assert "cloudwatch.amazonaws.com is not authorized to perform: sns:Publish" in lost


@pytest.mark.parametrize(
    ("service", "called"),
    [
        ("lambda.alarms.cloudwatch.amazonaws.com", True),
        ("cloudwatch.amazonaws.com", False),
        ("lambda.amazonaws.com", False),
    ],
)
def test_alarms_call_functions_as_a_service_of_their_own(stack: cdk.Stack, service: str, called: bool) -> None:
    target = function(stack)
    raised = alarm(stack)
    cfn = raised.node.default_child
    assert isinstance(cfn, cloudwatch.CfnAlarm)
    cfn.alarm_actions = [target.function_arn]
    lambda_.CfnPermission(
        stack,
        "Permission",
        action="lambda:InvokeFunction",
        function_name=target.function_arn,
        principal=service,
        source_arn=raised.alarm_arn,
    )
    rehearsal = Rehearsal.from_stack(stack)

    rehearsal.raise_alarm(raised)

    assert (rehearsal.undelivered == []) is called
    assert called or "lambda.alarms.cloudwatch.amazonaws.com is not authorized" in rehearsal.undelivered[0]


@pytest.mark.parametrize(
    ("condition", "use_ssl", "answer"),
    [
        ({"NumericLessThan": {"s3:TlsVersion": "1.2"}}, True, "result"),
        ({"NumericLessThanEquals": {"s3:TlsVersion": "1.3"}}, True, "error"),
        ({"Null": {"s3:TlsVersion": "true"}}, True, "result"),
        ({"Null": {"s3:TlsVersion": "true"}}, False, "error"),
    ],
)
def test_the_version_of_tls_is_known(stack: cdk.Stack, condition: Any, use_ssl: bool, answer: str) -> None:
    bucket = s3.Bucket(stack, "Data")
    denial = iam.PolicyStatement(
        effect=iam.Effect.DENY,
        actions=["s3:*"],
        resources=[bucket.arn_for_objects("*")],
        principals=[iam.AnyPrincipal()],
        conditions=condition,
    )
    bucket.add_to_resource_policy(denial)
    rehearsal = in_handler(
        stack,
        lambda: boto3.client("s3", use_ssl=use_ssl).put_object(Bucket=name, Key="a", Body=b"x"),
        write=lambda caller: bucket.grant_put(caller),
    )
    name = rehearsal.bucket_name(bucket)

    assert answer in output(rehearsal)
