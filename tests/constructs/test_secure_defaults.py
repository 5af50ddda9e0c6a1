"""What is safe without asking for it: encryption, TLS, trust, logs, tracing, retention."""

import json
from typing import Any

import pytest
from aws_cdk import App, Stack
from aws_cdk import aws_s3 as s3
from aws_cdk.assertions import Match, Template

from bedrock_customization import CustomizationWorkflow


@pytest.fixture(scope="module")
def template() -> Template:
    stack = Stack(App(), "Stack")
    CustomizationWorkflow(stack, "Customization")
    return Template.from_stack(stack)


def properties(template: Template, kind: str) -> list[dict[str, Any]]:
    return [resource.get("Properties", {}) for resource in template.find_resources(kind).values()]


@pytest.mark.parametrize(
    ("kind", "policy", "count"),
    [
        ("AWS::S3::Bucket", "AWS::S3::BucketPolicy", 3),
        ("AWS::SNS::Topic", "AWS::SNS::TopicPolicy", 1),
        ("AWS::SQS::Queue", "AWS::SQS::QueuePolicy", 1),
    ],
)
def test_only_tls_is_let_in(template: Template, kind: str, policy: str, count: int) -> None:
    template.resource_count_is(kind, count)
    policies = properties(template, policy)
    assert len(policies) == count
    for found in policies:
        denials = [entry for entry in found["PolicyDocument"]["Statement"] if entry["Effect"] == "Deny"]
        assert [entry["Condition"] for entry in denials] == [{"Bool": {"aws:SecureTransport": "false"}}]


def test_queue_and_buckets_are_encrypted_without_a_key(template: Template) -> None:
    assert [queue["SqsManagedSseEnabled"] for queue in properties(template, "AWS::SQS::Queue")] == [True]
    for bucket in properties(template, "AWS::S3::Bucket"):
        (rule,) = bucket["BucketEncryption"]["ServerSideEncryptionConfiguration"]
        assert rule["ServerSideEncryptionByDefault"] == {"SSEAlgorithm": "AES256"}


def test_old_versions_and_broken_uploads_do_not_stay_for_ever(template: Template) -> None:
    for bucket in properties(template, "AWS::S3::Bucket"):
        (rule,) = bucket["LifecycleConfiguration"]["Rules"]
        assert rule["NoncurrentVersionExpiration"] == {"NoncurrentDays": 90}
        assert rule["AbortIncompleteMultipartUpload"] == {"DaysAfterInitiation": 7}


def test_services_take_roles_for_this_account_only(template: Template) -> None:
    sources = {
        "bedrock.amazonaws.com": ":bedrock:{Region}:{AccountId}:model-customization-job/*",
        "events.amazonaws.com": ":events:{Region}:{AccountId}:rule/*",
        "states.amazonaws.com": ":states:{Region}:{AccountId}:stateMachine:*",
    }
    trusted = []
    for role in properties(template, "AWS::IAM::Role"):
        (statement,) = role["AssumeRolePolicyDocument"]["Statement"]
        service = statement["Principal"]["Service"]
        trusted.append(service)
        # Lambda takes only roles of a function's own account.
        if service == "lambda.amazonaws.com":
            continue
        assert statement["Condition"]["StringEquals"] == {"aws:SourceAccount": {"Ref": "AWS::AccountId"}}
        arn = json.dumps(statement["Condition"]["ArnEquals"]["aws:SourceArn"])
        for part in sources[service].replace("{Region}", "\0").replace("{AccountId}", "\0").split("\0"):
            assert part in arn
    assert set(trusted) == {*sources, "lambda.amazonaws.com"}
    assert trusted.count("states.amazonaws.com") == 3


def test_machines_are_traced_and_log_events_without_data(template: Template) -> None:
    for machine in properties(template, "AWS::StepFunctions::StateMachine"):
        assert machine["TracingConfiguration"] == {"Enabled": True}
        assert machine["LoggingConfiguration"]["Level"] == "ALL"
        assert machine["LoggingConfiguration"]["IncludeExecutionData"] is False
    for function in properties(template, "AWS::Lambda::Function"):
        assert function["TracingConfig"] == {"Mode": "Active"}
    for group in properties(template, "AWS::Logs::LogGroup"):
        assert group["RetentionInDays"] == 180


def test_functions_open_no_port_and_can_be_invoked_by_nobody_else(template: Template) -> None:
    for kind in ("AWS::Lambda::Permission", "AWS::Lambda::Url", "AWS::EC2::SecurityGroup"):
        template.resource_count_is(kind, 0)


def test_nothing_has_a_physical_name(template: Template) -> None:
    names = ("BucketName", "FunctionName", "RoleName", "StateMachineName", "TopicName", "QueueName", "LogGroupName")
    for resource in template.to_json()["Resources"].values():
        found = resource.get("Properties", {})
        assert not [name for name in (*names, "AlarmName", "PolicyArn", "Name") if isinstance(found.get(name), str)]


def test_access_to_created_buckets_is_logged_where_it_is_wanted() -> None:
    stack = Stack(App(), "Stack")
    logs = s3.Bucket(stack, "AccessLogs")
    CustomizationWorkflow(stack, "Customization", access_logs_bucket=logs)
    template = Template.from_stack(stack)

    prefixes = {
        bucket["LoggingConfiguration"]["LogFilePrefix"]
        for bucket in properties(template, "AWS::S3::Bucket")
        if "LoggingConfiguration" in bucket
    }
    assert prefixes == {f"Stack/Customization/{name}Bucket/" for name in ("Training", "Validation", "Results")}
    (found,) = template.find_resources(
        "AWS::S3::BucketPolicy", {"Properties": {"Bucket": {"Ref": Match.string_like_regexp("^AccessLogs")}}}
    ).values()
    statements = found["Properties"]["PolicyDocument"]["Statement"]
    assert len(statements) == 3
    for statement in statements:
        assert statement["Principal"] == {"Service": "logging.s3.amazonaws.com"}
        assert statement["Condition"] == {"StringEquals": {"aws:SourceAccount": {"Ref": "AWS::AccountId"}}}
    assert "AccessControl" not in json.dumps(template.find_resources("AWS::S3::Bucket"))


def test_access_logs_go_to_another_stack_or_an_imported_bucket_too() -> None:
    app = App()
    shared = Stack(app, "Shared")
    stack = Stack(app, "Stack")
    CustomizationWorkflow(stack, "Own", access_logs_bucket=s3.Bucket(shared, "AccessLogs"))
    CustomizationWorkflow(
        stack, "Imported", access_logs_bucket=s3.Bucket.from_bucket_name(stack, "Logs", "the-access-logs")
    )
    text = json.dumps(Template.from_stack(stack).to_json())
    assert text.count('"DestinationBucketName": "the-access-logs"') == 3
    assert json.dumps(Template.from_stack(shared).to_json()).count("logging.s3.amazonaws.com") == 3
