"""CustomizationWorkflow: what it makes, what it takes, what it refuses."""

from typing import Any

import pytest
from aws_cdk import App, Duration, Stack
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_s3 as s3
from aws_cdk import aws_sns as sns
from aws_cdk.assertions import Match, Template

from bedrock_customization import (
    CustomizationWorkflow,
    EvaluationWorkflow,
    NotificationTopic,
    QualityGate,
    Serving,
)
from tests.support import readable_definition


@pytest.fixture
def stack() -> Stack:
    return Stack(App(), "Stack")


def statements(template: Template) -> list[dict[str, Any]]:
    policies = template.find_resources("AWS::IAM::Policy").values()
    return [found for policy in policies for found in policy["Properties"]["PolicyDocument"]["Statement"]]


def actions(template: Template) -> set[str]:
    return {
        action
        for statement in statements(template)
        for action in ([statement["Action"]] if isinstance(statement["Action"], str) else statement["Action"])
    }


def test_alone_it_is_complete(stack: Stack) -> None:
    workflow = CustomizationWorkflow(stack, "Customization")
    template = Template.from_stack(stack)

    template.resource_count_is("AWS::StepFunctions::StateMachine", 3)
    template.resource_count_is("AWS::S3::Bucket", 3)
    template.resource_count_is("AWS::Lambda::Function", 3)
    template.resource_count_is("AWS::SNS::Topic", 1)
    assert workflow.training_bucket.bucket_name != workflow.validation_bucket.bucket_name
    assert workflow.results_bucket.bucket_name == workflow.evaluation.results_bucket.bucket_name
    assert workflow.state_machine.state_machine_arn
    assert workflow.topic.topic.topic_arn


def test_buckets_are_private_encrypted_versioned_and_retained(stack: Stack) -> None:
    CustomizationWorkflow(stack, "Customization")
    template = Template.from_stack(stack)

    template.all_resources(
        "AWS::S3::Bucket",
        {
            "DeletionPolicy": "Retain",
            "Properties": {
                "BucketEncryption": Match.any_value(),
                "PublicAccessBlockConfiguration": {
                    "BlockPublicAcls": True,
                    "BlockPublicPolicy": True,
                    "IgnorePublicAcls": True,
                    "RestrictPublicBuckets": True,
                },
                "VersioningConfiguration": {"Status": "Enabled"},
            },
        },
    )
    assert len(template.find_resources("AWS::S3::BucketPolicy")) == 3


def test_the_history_of_promoted_models_outlives_the_stack(stack: Stack) -> None:
    """But not a deployment that failed; the next one then finds nothing of the same name."""
    CustomizationWorkflow(stack, "Customization")
    (parameter,) = Template.from_stack(stack).find_resources("AWS::SSM::Parameter").values()

    assert (parameter["DeletionPolicy"], parameter["UpdateReplacePolicy"]) == ("RetainExceptOnCreate", "Retain")
    assert "Name" not in parameter["Properties"]


def test_two_workflows_fit_one_stack(stack: Stack) -> None:
    first = CustomizationWorkflow(stack, "First")
    second = CustomizationWorkflow(stack, "Second")

    Template.from_stack(stack).resource_count_is("AWS::StepFunctions::StateMachine", 6)
    assert first.workflow_tag != second.workflow_tag


def test_two_workflows_share_what_is_passed_in(stack: Stack) -> None:
    topic = NotificationTopic(stack, "Topic")
    evaluation = EvaluationWorkflow(stack, "Evaluation")
    for name in ("First", "Second"):
        CustomizationWorkflow(stack, name, topic=topic, evaluation=evaluation)

    template = Template.from_stack(stack)
    template.resource_count_is("AWS::SNS::Topic", 1)
    template.resource_count_is("AWS::StepFunctions::StateMachine", 5)


def test_imported_resources_are_used_as_they_are(stack: Stack) -> None:
    bucket = s3.Bucket.from_bucket_name(stack, "Imported", "the-data-lake")
    topic = NotificationTopic(
        stack,
        "Notifications",
        topic=sns.Topic.from_topic_arn(stack, "ImportedTopic", "arn:aws:sns:us-east-1:123456789012:team"),
    )
    role = iam.Role.from_role_arn(stack, "ImportedRole", "arn:aws:iam::123456789012:role/bedrock")
    CustomizationWorkflow(
        stack,
        "Customization",
        training_bucket=bucket,
        validation_bucket=bucket,
        results_bucket=bucket,
        topic=topic,
        service_role=role,
    )
    template = Template.from_stack(stack)
    template.resource_count_is("AWS::S3::Bucket", 0)
    template.resource_count_is("AWS::SNS::Topic", 0)
    template.has_resource_properties(
        "AWS::IAM::Policy",
        {
            "PolicyDocument": {
                "Statement": Match.array_with(
                    [
                        Match.object_like(
                            {"Action": "iam:PassRole", "Resource": "arn:aws:iam::123456789012:role/bedrock"}
                        )
                    ]
                )
            }
        },
    )


def test_the_service_role_trusts_jobs_of_this_account_only(stack: Stack) -> None:
    CustomizationWorkflow(stack, "Customization")
    Template.from_stack(stack).has_resource_properties(
        "AWS::IAM::Role",
        {
            "AssumeRolePolicyDocument": {
                "Statement": [
                    {
                        "Action": "sts:AssumeRole",
                        "Effect": "Allow",
                        "Principal": {"Service": "bedrock.amazonaws.com"},
                        "Condition": {
                            "StringEquals": {"aws:SourceAccount": {"Ref": "AWS::AccountId"}},
                            "ArnEquals": {"aws:SourceArn": Match.any_value()},
                        },
                    }
                ]
            }
        },
    )


@pytest.mark.parametrize(
    ("serving", "granted", "withheld"),
    [
        (Serving.on_demand(), "bedrock:CreateCustomModelDeployment", "bedrock:CreateProvisionedModelThroughput"),
        (Serving.provisioned(), "bedrock:CreateProvisionedModelThroughput", "bedrock:CreateCustomModelDeployment"),
    ],
)
def test_only_the_chosen_serving_is_granted(stack: Stack, serving: Serving, granted: str, withheld: str) -> None:
    CustomizationWorkflow(stack, "Customization", serving=serving)
    granted_actions = actions(Template.from_stack(stack))
    assert granted in granted_actions
    assert withheld not in granted_actions


def test_deleting_stopping_and_asking_custom_models_need_the_workflows_tag(stack: Stack) -> None:
    CustomizationWorkflow(stack, "Customization")
    guarded = ("bedrock:Delete", "bedrock:Stop")
    found = [
        statement
        for statement in statements(Template.from_stack(stack))
        if any(
            action.startswith(guarded)
            for action in ([statement["Action"]] if isinstance(statement["Action"], str) else statement["Action"])
        )
    ]
    assert len(found) == 5
    for statement in found:
        assert "aws:ResourceTag/bedrock-customization:workflow" in statement["Condition"]["StringEquals"]


def test_no_statement_allows_every_action(stack: Stack) -> None:
    CustomizationWorkflow(stack, "Customization")
    assert not [action for action in actions(Template.from_stack(stack)) if action.endswith(":*") or action == "*"]


def test_a_key_encrypts_what_is_made_and_its_users_may_use_it(stack: Stack) -> None:
    key = kms.Key(stack, "Key")
    CustomizationWorkflow(stack, "Customization", encryption_key=key)
    template = Template.from_stack(stack)

    for bucket in template.find_resources("AWS::S3::Bucket").values():
        (rule,) = bucket["Properties"]["BucketEncryption"]["ServerSideEncryptionConfiguration"]
        assert rule["ServerSideEncryptionByDefault"]["SSEAlgorithm"] == "aws:kms"
    users = [statement for statement in statements(template) if "kms:Decrypt" in statement["Action"]]
    assert len(users) >= 6


def test_a_run_that_ends_badly_starts_the_release(stack: Stack) -> None:
    CustomizationWorkflow(stack, "Customization")
    Template.from_stack(stack).has_resource_properties(
        "AWS::Events::Rule",
        {
            "EventPattern": {
                "source": ["aws.states"],
                "detail-type": ["Step Functions Execution Status Change"],
                "detail": {
                    "status": ["FAILED", "TIMED_OUT", "ABORTED"],
                    "stateMachineArn": [Match.any_value()],
                },
            },
            "Targets": [
                Match.object_like(
                    {
                        "DeadLetterConfig": Match.any_value(),
                        "RetryPolicy": {"MaximumEventAgeInSeconds": 86400, "MaximumRetryAttempts": 185},
                    }
                )
            ],
        },
    )


def test_no_event_is_lost_without_a_letter(stack: Stack) -> None:
    CustomizationWorkflow(stack, "Customization")
    rules = Template.from_stack(stack).find_resources("AWS::Events::Rule").values()
    targets = [target for rule in rules for target in rule["Properties"]["Targets"]]
    assert len(targets) == 2
    assert all("Arn" in target["DeadLetterConfig"] and target["RetryPolicy"] for target in targets)


def test_timeouts_can_be_set(stack: Stack) -> None:
    CustomizationWorkflow(stack, "Customization", training_timeout=Duration.hours(5))
    assert '\\"TimeoutSeconds\\":18000' in str(Template.from_stack(stack).to_json()).replace('"', '\\"')


def test_a_customization_waits_as_long_as_its_evaluation_may_take(stack: Stack) -> None:
    evaluation = EvaluationWorkflow(stack, "Evaluation", timeout=Duration.hours(100))
    workflow = CustomizationWorkflow(stack, "Customization", evaluation=evaluation)
    template = Template.from_stack(stack)
    definition = readable_definition(template, stack.get_logical_id(workflow.state_machine.node.default_child))
    branch = definition["States"]["Attempt"]["Branches"][0]["States"]
    assert branch["Evaluate"]["TimeoutSeconds"] == 101 * 3600
    assert definition["TimeoutSeconds"] == (13 * 24 + 100) * 3600


def test_options_of_a_given_evaluation_are_refused(stack: Stack) -> None:
    evaluation = EvaluationWorkflow(stack, "Evaluation")
    with pytest.raises(ValueError, match=r"^quality_gate: .*pass quality_gate to the EvaluationWorkflow instead"):
        CustomizationWorkflow(stack, "Customization", evaluation=evaluation, quality_gate=QualityGate())


def test_buckets_that_the_evaluation_does_not_use_are_refused(stack: Stack) -> None:
    evaluation = EvaluationWorkflow(stack, "Evaluation")
    other = s3.Bucket(stack, "Other")
    with pytest.raises(ValueError, match=r"^results_bucket: .*EvaluationWorkflow"):
        CustomizationWorkflow(stack, "Customization", evaluation=evaluation, results_bucket=other)
