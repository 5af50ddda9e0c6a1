"""Arguments of the wrong type are refused by name, with what to pass instead."""

from typing import Any

import jsii
import pytest
from aws_cdk import App, Aws, Duration, Fn, Stack, Token
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_ec2 as ec2
from aws_cdk import aws_events as events
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_s3 as s3
from aws_cdk import aws_sns as sns
from aws_cdk.assertions import Template

from bedrock_customization import (
    Commitment,
    CustomizationWorkflow,
    EvaluationWorkflow,
    Evaluator,
    NotificationTopic,
    OnSuccess,
    Serving,
)
from bedrock_customization.construct_checks import check_duration


@pytest.fixture
def stack() -> Stack:
    return Stack(App(), "Stack")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (
            {"serving": "on-demand"},
            r"^serving: got 'on-demand'; it must be of type Serving: pass Serving.on",
        ),
        (
            {"on_success": "keep"},
            r"^on_success: got 'keep'; it must be of type OnSuccess: pass OnSuccess.KEEP_SERVING or",
        ),
        ({"topic": "arn:aws:sns:us-east-1:123456789012:team"}, r"^topic: got 'arn:aws:sns.*from_topic_arn\("),
        ({"evaluation": "Evaluation"}, r"^evaluation: got 'Evaluation'; it must be of type EvaluationWorkflow"),
        ({"quality_gate": {"metric": "rouge_l"}}, r"^quality_gate: got {'metric': 'rouge_l'}; .*QualityGate\("),
        ({"inference": 512}, r"^inference: got 512; it must be of type Inference: pass Inference\(max_tokens=512\)"),
        ({"image": "latest"}, r"^image: got 'latest'; it must be of type FunctionImage: pass FunctionImage.build\(\)"),
        *(
            ({name: "team"}, rf"^{name}: got 'team'; it must be of type {kind}: pass ")
            for name, kind in {
                "training_bucket": "s3.IBucket",
                "validation_bucket": "s3.IBucket",
                "results_bucket": "s3.IBucket",
                "invocation_logs_bucket": "s3.IBucket",
                "access_logs_bucket": "s3.IBucket",
                "service_role": "iam.IRole",
                "vpc": "ec2.IVpc",
                "vpc_subnets": "SubnetSelection",
                "event_bus": "events.IEventBus",
                "encryption_key": "kms.IKey",
            }.items()
        ),
        *(
            (
                {name: 5},
                rf"^{name}: got 5; it must be of type Duration, at least 60 seconds, in whole .*: pass Duration",
            )
            for name in ("training_timeout", "training_start_timeout", "serving_timeout", "sweep_interval")
        ),
        ({"training_bucket": s3.Bucket}, r"^training_bucket: got <class .*Bucket'>; it must be of type s3.IBucket"),
        ({"teacher_models": "amazon.nova-pro-v1:0"}, r"^teacher_models: got 'amazon.nova-pro-v1:0'; it must be a list"),
        ({"teacher_models": [1]}, r"^teacher_models: got 1; it must be of type str: pass \[\"us.amazon"),
        ({"graders": iter(())}, r"^graders: got <tuple_iterator .*; it must be a list: pass \["),
        ({"graders": "arn"}, r"^graders: got 'arn'; it must be a list: pass \[lambda_.Function.from_function_arn"),
        ({"graders": ["arn"]}, r"^graders: got 'arn'; it must be of type lambda.IFunction: pass lambda_.Function"),
        ({"security_groups": ["sg-1"]}, r"^security_groups: got 'sg-1'; it must be of type ec2.ISecurityGroup"),
        ({"alarm_actions": ["topic"]}, r"^alarm_actions: got 'topic'; .* pass cloudwatch_actions.SnsAction\(topic\)"),
        ({"resource_tags": ["team"]}, r"^resource_tags: got \['team'\]; it must be a mapping of texts to texts"),
        ({"resource_tags": {"team": 1}}, r"^resource_tags: got 'team': 1; keys and values must be texts"),
        ({"log_execution_data": "no"}, r"^log_execution_data: got 'no'; it must be True or False"),
    ],
)
def test_a_customization(stack: Stack, arguments: dict[str, Any], message: str) -> None:
    with pytest.raises(TypeError, match=message):
        CustomizationWorkflow(stack, "Customization", **arguments)


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        ({"metrics": []}, ValueError, r"^metrics: got none, and no evaluators; pass at least one, such as \[Metric"),
        ({"metrics": "bertscore"}, TypeError, r"^metrics: got 'bertscore'; it must be a list"),
        ({"metrics": ["bertscore"]}, TypeError, r"^metrics: got 'bertscore'; it must be of type Metric: pass \[Metric"),
        ({"evaluators": [len]}, TypeError, r"^evaluators: got <built-in function len>; it must be of type Evaluator"),
        ({"data_bucket": "team"}, TypeError, r"^data_bucket: got 'team'; it must be of type s3.IBucket"),
        ({"architecture": "arm64"}, TypeError, r"^architecture: got 'arm64'; it must be of type Architecture"),
        ({"timeout": 3600}, TypeError, r"^timeout: got 3600; it must be of type Duration, at least 10 minutes"),
        ({"timeout": Duration.minutes(9)}, ValueError, r"^timeout: got 9 minutes; it must be at least 10 minutes, in"),
        ({"scoring_concurrency": 0}, ValueError, r"^scoring_concurrency: got 0; it must be a whole number from 1 to"),
        ({"scoring_concurrency": 2.5}, ValueError, r"^scoring_concurrency: got 2.5; it must be a whole number"),
        ({"scoring_concurrency": True}, ValueError, r"^scoring_concurrency: got True; it must be a whole number"),
    ],
)
def test_an_evaluation(stack: Stack, arguments: dict[str, Any], error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message):
        EvaluationWorkflow(stack, "Evaluation", **arguments)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (
            {"teacher_models": ["hello world"]},
            r"^teacher_models: got 'hello world'; it must be the id or ARN of a model",
        ),
        (
            {"training_timeout": Duration.seconds(0)},
            r"^training_timeout: got 0 seconds; it must be at least 60",
        ),
        ({"serving_timeout": Duration.millis(60_500)}, r"^serving_timeout: got 60.5 seconds; .* in whole seconds"),
        ({"sweep_interval": Duration.seconds(90)}, r"^sweep_interval: got 90 seconds; .* in whole minutes"),
    ],
)
def test_values_that_are_not_allowed(stack: Stack, arguments: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        CustomizationWorkflow(stack, "Customization", **arguments)


@pytest.mark.parametrize(
    ("arns", "error", "message"),
    [
        ("arn:aws:bedrock:us-east-1:123456789012:provisioned-model/a", TypeError, r"^model_arns: .* must be a list"),
        ([], ValueError, r"^model_arns: got an empty list; pass at least one ARN"),
        (["foo"], ValueError, r"^model_arns: got 'foo'; it must be the ARN of a model in Bedrock"),
    ],
)
def test_models_to_ask(stack: Stack, arns: Any, error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message):
        EvaluationWorkflow(stack, "Evaluation").allow_asking_models(arns)


@jsii.implements(cloudwatch.IAlarmAction)
class OwnAction:
    """An alarm action that a user writes."""

    def bind(self, scope: Any, alarm: Any) -> cloudwatch.AlarmActionConfig:
        return cloudwatch.AlarmActionConfig(alarm_action_arn="arn:aws:sns:us-east-1:123456789012:team")


def test_what_is_imported_made_by_the_user_or_known_at_deployment_is_taken(stack: Stack) -> None:
    arn = f"arn:{Aws.PARTITION}:bedrock:{Aws.REGION}:{Aws.ACCOUNT_ID}"
    function = lambda_.Function.from_function_name(stack, "Grader", "grader")
    evaluation = EvaluationWorkflow(
        stack,
        "Evaluation",
        data_bucket=s3.Bucket.from_bucket_name(stack, "Data", Fn.import_value("Data")),
        evaluators=[Evaluator(name="politeness", function=function.latest_version)],
        encryption_key=kms.Alias.from_alias_name(stack, "Alias", "alias/team"),
    )
    evaluation.allow_asking_models([f"{arn}:provisioned-model/abc", Fn.import_value("Model")])
    vpc = ec2.Vpc.from_vpc_attributes(
        stack, "Vpc", vpc_id="vpc-1", availability_zones=["us-east-1a"], private_subnet_ids=["subnet-1"]
    )
    CustomizationWorkflow(
        stack,
        "Customization",
        evaluation=evaluation,
        training_bucket=s3.Bucket.from_cfn_bucket(s3.CfnBucket(stack, "Level1")),
        service_role=iam.LazyRole(stack, "Role", assumed_by=iam.ServicePrincipal("bedrock.amazonaws.com")),
        teacher_models=(f"{arn}:inference-profile/us.amazon.nova-premier-v1:0", Fn.import_value("Teacher")),
        graders=(function,),
        vpc=vpc,
        security_groups=[ec2.SecurityGroup.from_security_group_id(stack, "Group", "sg-1")],
        event_bus=events.EventBus.from_event_bus_name(stack, "Bus", "team"),
        encryption_key=kms.Key.from_key_arn(stack, "Key", f"arn:aws:kms:us-east-1:123456789012:key/{'1' * 36}"),
        alarm_actions=[OwnAction()],
    )
    Template.from_stack(stack)


def test_a_duration_that_only_a_deployment_knows_is_taken() -> None:
    check_duration("timeout", Duration.seconds(Token.as_number({"Ref": "Timeout"})), least=Duration.minutes(10))


def test_a_commitment_is_not_released_on_success(stack: Stack) -> None:
    serving = Serving.provisioned(commitment=Commitment.ONE_MONTH, release_automatically=False)
    with pytest.raises(
        ValueError, match=r"^on_success: got .*RELEASE_SERVING, but serving has a commitment of OneMonth"
    ):
        CustomizationWorkflow(stack, "Customization", serving=serving, on_success=OnSuccess.RELEASE_SERVING)


def test_a_topic_of_sns_is_taken_as_it_is(stack: Stack) -> None:
    topic = sns.Topic(stack, "Team")
    workflow = CustomizationWorkflow(stack, "Customization", topic=topic)
    assert isinstance(workflow.topic, NotificationTopic)
    assert workflow.topic.topic is topic
