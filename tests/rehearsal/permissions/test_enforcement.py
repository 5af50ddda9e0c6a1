"""Calls of rehearsed stacks are denied where AWS would deny them, in the words that each integration has for it."""

import json
from pathlib import Path
from typing import Any

import aws_cdk as cdk
import boto3
import pytest
from aws_cdk import aws_events as events
from aws_cdk import aws_events_targets as targets
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_s3 as s3
from aws_cdk import aws_sns as sns
from aws_cdk import aws_sns_subscriptions as subscriptions
from aws_cdk import aws_sqs as sqs
from aws_cdk import aws_stepfunctions as sfn

from bedrock_customization.rehearsal import Rehearsal, UnsupportedTemplateError
from tests.rehearsal.machines import machine, single
from tests.rehearsal.permissions.stacks import allow, function, in_handler, output, state_machine

ASK = {"ModelId": "amazon.nova-micro-v1:0", "Messages": [{"Role": "user", "Content": [{"Text": "Hello?"}]}]}


@pytest.fixture
def stack(tmp_path: Path) -> cdk.Stack:
    return cdk.Stack(cdk.App(outdir=str(tmp_path / "cdk.out")), "Team")


@pytest.mark.parametrize(
    ("resource", "arguments", "error", "words"),
    [
        (
            "aws-sdk:bedrockruntime:converse",
            ASK,
            "BedrockRuntime.AccessDeniedException",
            "perform: bedrock:InvokeModel on resource: "
            "arn:aws:bedrock:us-east-1::foundation-model/amazon.nova-micro-v1:0 because no identity",
        ),
        ("aws-sdk:bedrock:listCustomModels", {}, "Bedrock.AccessDeniedException", "bedrock:ListCustomModels"),
        (
            "aws-sdk:s3:getObject",
            {"Bucket": "some-bucket", "Key": "a/b"},
            "S3.S3Exception",
            'perform: s3:GetObject on resource: "arn:aws:s3:::some-bucket/a/b" because no identity-based policy allows '
            "the s3:GetObject action (Service: S3, Status Code: 403",
        ),
        (
            "lambda:invoke",
            {"FunctionName": "arn:aws:lambda:us-east-1:123456789012:function:mine:live"},
            "Lambda.AWSLambdaException",
            "lambda:InvokeFunction on resource: arn:aws:lambda:us-east-1:123456789012:function:mine:live because",
        ),
        (
            "sns:publish",
            {"TopicArn": "arn:aws:sns:us-east-1:123456789012:news", "Message": "x"},
            "SNS.AuthorizationErrorException",
            "sns:Publish on resource: arn:aws:sns:us-east-1:123456789012:news",
        ),
        (
            "states:startExecution",
            {"StateMachineArn": "arn:aws:states:us-east-1:123456789012:stateMachine:other"},
            "StepFunctions.AWSStepFunctionsException",
            "states:StartExecution on resource: arn:aws:states:us-east-1:123456789012:stateMachine:other",
        ),
        (
            "dynamodb:getItem",
            {"TableName": "items", "Key": {"id": {"S": "1"}}},
            "DynamoDB.AmazonDynamoDBException",
            "dynamodb:GetItem on resource: arn:aws:dynamodb:us-east-1:123456789012:table/items",
        ),
        (
            "aws-sdk:ssm:getParameter",
            {"Name": "/team/name"},
            "Ssm.SsmException",
            "ssm:GetParameter on resource: arn:aws:ssm:us-east-1:123456789012:parameter/team/name",
        ),
    ],
)
def test_a_denied_task(stack: cdk.Stack, resource: str, arguments: Any, error: str, words: str) -> None:
    denied = state_machine(stack, "Denied", resource, arguments)
    rehearsal = Rehearsal.from_stack(stack)

    run = rehearsal.run(denied, {})

    assert (run.status, run.error) == ("FAILED", error)
    assert words in run.cause
    assert run.cause.startswith("User: arn:aws:sts::123456789012:assumed-role/Team-DeniedRole")
    (denial,) = rehearsal.permissions.denied
    assert denial.holder == "Team/Denied/Role"
    assert Rehearsal.from_stack(stack, enforce_permissions=False).run(denied, {}).error != error


def test_an_inference_profile_needs_the_model_in_each_of_its_regions(stack: cdk.Stack) -> None:
    ask = ASK | {"ModelId": "us.amazon.nova-micro-v1:0"}
    asking = state_machine(stack, "Asking", "aws-sdk:bedrockruntime:converse", ask)
    allow(asking, "bedrock:InvokeModel", f"arn:aws:bedrock:{stack.region}:{stack.account}:inference-profile/us.*")
    half = state_machine(stack, "Half", "aws-sdk:bedrockruntime:converse", ask)
    model = "arn:aws:bedrock:us-*::foundation-model/amazon.nova-micro-v1:0"
    for permitted in (asking, half):
        allow(permitted, "bedrock:InvokeModel", f"arn:aws:bedrock:*:{stack.account}:inference-profile/*")
    profile = {"StringLike": {"bedrock:InferenceProfileArn": "*:inference-profile/us.amazon.nova-micro-v1:0"}}
    allow(asking, "bedrock:InvokeModel", model, conditions=profile)
    allow(half, "bedrock:InvokeModel", model.replace("us-*", "us-east-1"))
    rehearsal = Rehearsal.from_stack(stack)

    assert rehearsal.run(asking, {}).status == "SUCCEEDED"
    assert "arn:aws:bedrock:us-east-2::foundation-model/amazon.nova-micro-v1:0" in rehearsal.run(half, {}).cause


def test_a_handlers_calls_are_its_roles(stack: cdk.Stack) -> None:
    bucket = s3.Bucket(stack, "Data")
    rehearsal = in_handler(stack, lambda: read("a"), read=lambda caller: bucket.grant_read(caller, "public/*"))
    name = rehearsal.bucket_name(bucket)

    def read(key: str) -> Any:
        return boto3.client("s3").get_object(Bucket=name, Key=key)["Body"].read()

    rehearsal.upload(bucket, "a", "secret")
    denied = output(rehearsal)

    assert (denied["error"]["Code"], denied["status"]) == ("AccessDenied", 403)
    assert "assumed-role/Team-CallerServiceRole" in denied["error"]["Message"]
    assert 's3:GetObject on resource: "arn:aws:s3:::' in denied["error"]["Message"]


def test_without_listing_a_missing_object_is_a_denied_one(stack: cdk.Stack) -> None:
    bucket = s3.Bucket(stack, "Data")
    objects = iam.PolicyStatement(actions=["s3:GetObject"], resources=[bucket.arn_for_objects("*")])
    rehearsal = in_handler(
        stack, lambda: boto3.client("s3").get_object(Bucket=name, Key="gone"), a=lambda c: c.add_to_role_policy(objects)
    )
    name = rehearsal.bucket_name(bucket)

    assert "s3:ListBucket" in output(rehearsal)["error"]["Message"]


def test_an_encrypted_bucket_needs_its_key(stack: cdk.Stack) -> None:
    bucket = s3.Bucket(stack, "Data", encryption=s3.BucketEncryption.KMS)
    write = iam.PolicyStatement(actions=["s3:*"], resources=[bucket.bucket_arn, bucket.arn_for_objects("*")])
    rehearsal = in_handler(
        stack,
        lambda: boto3.client("s3").put_object(Bucket=name, Key="a", Body=b"x"),
        write=lambda caller: caller.add_to_role_policy(write),
    )
    name = rehearsal.bucket_name(bucket)

    denied = output(rehearsal)
    assert denied["error"]["Code"] == "AccessDenied"
    assert "kms:GenerateDataKey on resource: arn:aws:kms:us-east-1:123456789012:key/" in denied["error"]["Message"]


@pytest.mark.parametrize(
    ("via", "status"), [("s3.us-east-1.amazonaws.com", "result"), ("sqs.*.amazonaws.com", "error")]
)
def test_a_key_can_be_for_one_service_and_one_bucket(stack: cdk.Stack, via: str, status: str) -> None:
    bucket = s3.Bucket(stack, "Data", encryption=s3.BucketEncryption.KMS, bucket_key_enabled=True)
    assert bucket.encryption_key
    conditions = {
        "StringLike": {"kms:ViaService": via},
        "StringEquals": {"kms:EncryptionContext:aws:s3:arn": bucket.bucket_arn},
    }
    use = iam.PolicyStatement(
        actions=["kms:GenerateDataKey"], resources=[bucket.encryption_key.key_arn], conditions=conditions
    )
    write = iam.PolicyStatement(actions=["s3:PutObject"], resources=[bucket.arn_for_objects("*")])
    rehearsal = in_handler(
        stack,
        lambda: boto3.client("s3").put_object(Bucket=name, Key="a", Body=b"x"),
        write=lambda caller: caller.add_to_role_policy(write),
        use=lambda caller: caller.add_to_role_policy(use),
    )
    name = rehearsal.bucket_name(bucket)

    assert status in output(rehearsal)


def test_an_encrypted_topic_needs_its_key(stack: cdk.Stack) -> None:
    topic = sns.Topic(stack, "Topic", master_key=kms.Key(stack, "Key"))
    notify = state_machine(stack, "Notify", "sns:publish", {"TopicArn": topic.topic_arn, "Message": "x"})
    allow(notify, "sns:Publish", topic.topic_arn)
    good = state_machine(stack, "Good", "sns:publish", {"TopicArn": topic.topic_arn, "Message": "x"})
    topic.grant_publish(good)
    rehearsal = Rehearsal.from_stack(stack)

    assert "kms:GenerateDataKey" in rehearsal.run(notify, {}).cause
    assert rehearsal.run(good, {}).status == "SUCCEEDED"


def test_a_call_without_tls_is_told_apart(stack: cdk.Stack) -> None:
    bucket = s3.Bucket(stack, "Data", enforce_ssl=True)
    rehearsal = in_handler(
        stack,
        lambda: boto3.client("s3", use_ssl=False).list_objects_v2(Bucket=name),
        read=lambda caller: bucket.grant_read(caller),
    )
    name = rehearsal.bucket_name(bucket)

    assert "with an explicit deny in a resource-based policy" in output(rehearsal)["error"]["Message"]


def test_a_boundary_and_managed_policies_count(stack: cdk.Stack) -> None:
    boundary = iam.ManagedPolicy(
        stack, "Boundary", statements=[iam.PolicyStatement(actions=["s3:Get*", "logs:*"], resources=["*"])]
    )
    principal = iam.ServicePrincipal("states.amazonaws.com")
    managed = [iam.ManagedPolicy.from_aws_managed_policy_name("AmazonS3FullAccess")]
    for name, limit in (("Free", None), ("Limited", boundary)):
        role = iam.Role(
            stack, f"{name}Role", assumed_by=principal, managed_policies=managed, permissions_boundary=limit
        )
        state_machine(stack, name, "aws-sdk:s3:listBuckets", {}, role=role.without_policy_updates())
    rehearsal = Rehearsal.from_stack(stack)

    assert rehearsal.run("Free", {}).status == "SUCCEEDED"
    reason = "because no permissions boundary allows the s3:ListAllMyBuckets action"
    assert reason in rehearsal.run("Limited", {}).cause


def test_a_policy_from_elsewhere_is_refused_where_it_decides(stack: cdk.Stack) -> None:
    listing = state_machine(stack, "Listing", "aws-sdk:s3:listBuckets", {})
    arn = "arn:aws:iam::123456789012:policy/elsewhere"
    listing.role.add_managed_policy(iam.ManagedPolicy.from_managed_policy_arn(stack, "Elsewhere", arn))
    rehearsal = Rehearsal.from_stack(stack)

    with pytest.raises(UnsupportedTemplateError, match=rf"Team/Listing/Role: .*{arn} .*enforce_permissions=False"):
        rehearsal.run(listing, {})


def test_a_role_from_elsewhere_is_not_checked(stack: cdk.Stack) -> None:
    arn = "arn:aws:iam::123456789012:role/elsewhere"
    listing = state_machine(
        stack,
        "Listing",
        "aws-sdk:s3:listBuckets",
        {},
        role=iam.Role.from_role_arn(stack, "Elsewhere", arn, mutable=False),
    )
    rehearsal = Rehearsal.from_stack(stack)

    assert rehearsal.run(listing, {}).status == "SUCCEEDED"
    assert rehearsal.permissions.unchecked == {arn}


def test_an_odd_condition_in_a_handlers_policy_is_refused_by_name(stack: cdk.Stack) -> None:
    statement = iam.PolicyStatement(
        actions=["s3:ListAllMyBuckets"], resources=["*"], conditions={"StringEquals": {"aws:PrincipalOrgID": "o-1"}}
    )
    rehearsal = in_handler(
        stack, lambda: boto3.client("s3").list_buckets(), grant=lambda caller: caller.add_to_role_policy(statement)
    )
    with pytest.raises(
        UnsupportedTemplateError, match=r"CallerServiceRole\w+.*Statement\[0\].* key aws:PrincipalOrgID"
    ):
        rehearsal.run("Invoke", {})


def test_a_rule_needs_its_role_or_the_targets_policy(stack: cdk.Stack) -> None:
    letters = sqs.Queue(stack, "Letters")
    done = sfn.StateMachine(
        stack,
        "Done",
        definition_body=sfn.DefinitionBody.from_string(json.dumps(machine(Done={"Type": "Pass", "End": True}))),
    )
    powerless = iam.Role(stack, "Powerless", assumed_by=iam.ServicePrincipal("events.amazonaws.com"))
    distrustful = iam.Role(stack, "Distrustful", assumed_by=iam.ServicePrincipal("lambda.amazonaws.com"))
    done.grant_start_execution(distrustful)
    called = function(stack)
    arns = {"Granted": None, "Powerless": powerless.role_arn, "Distrustful": distrustful.role_arn}
    every = events.Schedule.rate(cdk.Duration.hours(1))
    good = events.Rule(
        stack, "Granted", schedule=every, targets=[targets.SfnStateMachine(done, dead_letter_queue=letters)]
    )
    for name in ("Powerless", "Distrustful"):
        target = events.CfnRule.TargetProperty(arn=done.state_machine_arn, id="1", role_arn=arns[name])
        target_with_letters = events.CfnRule.TargetProperty(
            arn=done.state_machine_arn,
            id="1",
            role_arn=arns[name],
            dead_letter_config=events.CfnRule.DeadLetterConfigProperty(arn=letters.queue_arn),
        )
        chosen = target if name == "Powerless" else target_with_letters
        events.CfnRule(stack, f"{name}Rule", schedule_expression="rate(1 hour)", targets=[chosen])
    events.CfnRule(
        stack,
        "FunctionRule",
        schedule_expression="rate(1 hour)",
        targets=[events.CfnRule.TargetProperty(arn=called.function_arn, id="1")],
    )
    rehearsal = Rehearsal.from_stack(stack)

    assert [run.status for run in rehearsal.fire(good)] == ["SUCCEEDED"]
    assert rehearsal.undelivered == []
    for rule, words in (
        ("PowerlessRule", ["states:StartExecution"]),
        ("DistrustfulRule", ["sts:AssumeRole", "sqs:SendMessage"]),
        ("FunctionRule", ["lambda:InvokeFunction"]),
    ):
        before = len(rehearsal.undelivered)
        assert rehearsal.fire(rule) == []
        lost = rehearsal.undelivered[before:]
        assert len(lost) == len(words)
        assert all(word in text for word, text in zip(words, lost, strict=True))


def test_subscriptions_need_the_endpoints_policy(stack: cdk.Stack) -> None:
    topic = sns.Topic(stack, "Topic")
    queue, closed = sqs.Queue(stack, "Open"), sqs.Queue(stack, "Closed")
    called = function(stack)
    topic.add_subscription(subscriptions.SqsSubscription(queue))
    topic.add_subscription(subscriptions.LambdaSubscription(called))
    sns.CfnSubscription(stack, "Sub", topic_arn=topic.topic_arn, protocol="sqs", endpoint=closed.queue_arn)
    notify = state_machine(stack, "Notify", "sns:publish", {"TopicArn": topic.topic_arn, "Message": "x"})
    topic.grant_publish(notify)
    rehearsal = Rehearsal.from_stack(stack)

    rehearsal.run(notify, {})

    (lost,) = rehearsal.undelivered
    assert "Closed" in lost
    assert "sqs:SendMessage" in lost
    assert [denial.holder for denial in rehearsal.permissions.denied] == ["sns.amazonaws.com"]


def test_a_map_run_needs_to_start_its_own_machine(stack: cdk.Stack) -> None:
    definition = machine(
        Each={
            "Type": "Map",
            "Items": [1],
            "ItemProcessor": {
                "ProcessorConfig": {"Mode": "DISTRIBUTED", "ExecutionType": "STANDARD"},
                "StartAt": "Done",
                "States": {"Done": {"Type": "Pass", "End": True}},
            },
            "End": True,
        }
    )
    body = sfn.DefinitionBody.from_string(json.dumps(definition))
    mapping = sfn.StateMachine(stack, "Mapping", definition_body=body)
    run = Rehearsal.from_stack(stack).run(mapping, {})

    assert (run.status, run.error) == ("FAILED", "States.Permissions")
    assert "states:StartExecution" in run.cause


def test_use_is_counted_and_what_was_never_used_is_told(stack: cdk.Stack) -> None:
    listing = state_machine(stack, "Listing", "aws-sdk:s3:listBuckets", {})
    allow(listing, "s3:ListAllMyBuckets")
    allow(listing, "s3:DeleteBucket", "arn:aws:s3:::mine")
    rehearsal = Rehearsal.from_stack(stack)
    assert ("s3:ListAllMyBuckets", "*") in {(grant.action, grant.resource) for grant in rehearsal.permissions.unused}

    rehearsal.run(listing, {})
    rehearsal.run(listing, {})

    assert [(grant.action, grant.resource) for grant in rehearsal.permissions.unused] == [
        ("s3:DeleteBucket", "arn:aws:s3:::mine")
    ]
    assert {grant.action: count for grant, count in rehearsal.permissions.used.items()} == {
        "sts:AssumeRole": 1,
        "s3:ListAllMyBuckets": 2,
    }


def test_definitions_have_no_roles_and_are_not_checked() -> None:
    rehearsal = Rehearsal.from_definitions({"List": single("aws-sdk:s3:listBuckets", {})})
    assert rehearsal.run("List", {}).status == "SUCCEEDED"
    assert rehearsal.permissions.granted == set()
