"""The constructs are right in every app: with any flags, in any partition, nested, staged, tagged, inspected."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import jsii
import pytest
from aws_cdk import (
    App,
    Aspects,
    CfnResource,
    Environment,
    IAspect,
    NestedStack,
    PermissionsBoundary,
    Stack,
    Stage,
    Tags,
)
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_s3 as s3
from aws_cdk import aws_sns as sns
from aws_cdk.assertions import Annotations, Match, Template
from constructs import Construct, IConstruct

from bedrock_customization import CustomizationWorkflow, EvaluationWorkflow
from bedrock_customization.rehearsal import Rehearsal
from tests.complete import CompleteStack
from tests.nag import takes_exact_ids

ROOT = Path(__file__).parents[2]
FLAGS = json.loads((ROOT / "cdk.json").read_text(encoding="utf-8"))["context"]


def kinds(template: Template) -> dict[str, int]:
    """How many resources of each type there are."""
    found: dict[str, int] = {}
    for resource in template.to_json()["Resources"].values():
        found[resource["Type"]] = found.get(resource["Type"], 0) + 1
    return found


def test_feature_flags_change_no_resource_and_no_definition() -> None:
    plain, flagged = (CompleteStack(App(context=context), "Complete") for context in ({}, FLAGS))
    assert len(FLAGS) > 50
    of_machines = []
    for stack in (plain, flagged):
        template = Template.from_stack(stack)
        machines = template.find_resources("AWS::StepFunctions::StateMachine")
        of_machines.append({name: machine["Properties"]["DefinitionString"] for name, machine in machines.items()})
    assert of_machines[0] == of_machines[1]
    without_policies = [
        {kind: count for kind, count in kinds(Template.from_stack(stack)).items() if kind != "AWS::IAM::Policy"}
        for stack in (plain, flagged)
    ]
    assert without_policies[0] == without_policies[1]


@pytest.mark.skipif(not takes_exact_ids(), reason="older releases of the CDK show what was acknowledged")
@pytest.mark.parametrize("context", [{}, FLAGS], ids=["no flags", "recommended flags"])
def test_nothing_warns(context: dict[str, Any]) -> None:
    stack = CompleteStack(App(context=context), "Complete")
    Template.from_stack(stack)
    for find in (Annotations.from_stack(stack).find_warning, Annotations.from_stack(stack).find_error):
        assert find("*", Match.any_value()) == []


@pytest.mark.parametrize(
    ("region", "suffix"), [("cn-north-1", "amazonaws.com.cn"), ("us-gov-west-1", "amazonaws.com"), (None, "")]
)
def test_hosts_and_principals_are_those_of_the_partition(region: str | None, suffix: str) -> None:
    env = Environment(account="123456789012", region=region) if region else None
    stack = Stack(App(), "Stack", env=env)
    CustomizationWorkflow(stack, "Customization", encryption_key=kms.Key(stack, "Key"))
    resources = Template.from_stack(stack).to_json()["Resources"]
    text = json.dumps(resources)

    assert "arn:aws:" not in text
    # Services are called so in every partition, but for the logs of a Region.
    services = {name.split('"')[0] for name in text.split('"Service": "')[1:]}
    assert services == {f"{name}.amazonaws.com" for name in ("bedrock", "cloudwatch", "events", "lambda", "states")}
    logs = [part for part in text.split('"logs."')[1:] if '{"Ref": "AWS::URLSuffix"}' in part[:120]]
    assert logs
    for written in ("amazonaws.com.cn", f".{region}.amazonaws"):
        assert written not in text.replace(f'"Service": "{written}', "")


def test_a_rehearsal_runs_in_another_partition(tmp_path: Path) -> None:
    """Data check included: ARNs, hosts and keys are those of the partition, and every permission is enough."""
    app = App(outdir=str(tmp_path / "cdk.out"))
    stack = Stack(app, "Stack", env=Environment(account="123456789012", region="us-gov-west-1"))
    workflow = CustomizationWorkflow(stack, "Customization", encryption_key=kms.Key(stack, "Key"))
    with Rehearsal.from_stack(stack) as rehearsal:
        run = rehearsal.run(workflow.state_machine, {"baseModelIdentifier": "amazon.nova-micro-v1:0:128k"})
        assert run.error == "InvalidInput"
        assert rehearsal.permissions.denied == []
        assert run.arn.startswith("arn:aws-us-gov:states:us-gov-west-1:")


def nested(app: App) -> tuple[Stack, CustomizationWorkflow]:
    inner = NestedStack(Stack(app, "Outer"), "Inner")
    return inner, CustomizationWorkflow(inner, "Customization")


def staged(app: App) -> tuple[Stack, CustomizationWorkflow]:
    stack = Stack(Stage(app, "Production"), "Team")
    return stack, CustomizationWorkflow(stack, "Customization")


@pytest.mark.parametrize("build", [nested, staged])
def test_nested_and_staged_stacks_are_whole(build: Callable[[App], tuple[Stack, CustomizationWorkflow]]) -> None:
    alone = Stack(App(), "Alone")
    CustomizationWorkflow(alone, "Customization")
    stack, workflow = build(App())
    template = Template.from_stack(stack)
    assert kinds(template) == kinds(Template.from_stack(alone))
    assert workflow.workflow_tag.count("/") == 1


def test_stages_are_told_apart_by_their_tags() -> None:
    app = App()
    tags = set()
    for name in ("Test", "Production"):
        stack = Stack(Stage(app, name), "Team")
        tags.add(stack.resolve(CustomizationWorkflow(stack, "Customization").workflow_tag))
    assert len(tags) == 2


def test_tags_of_the_app_are_on_everything_that_takes_them() -> None:
    app = App()
    stack = Stack(app, "Stack")
    CustomizationWorkflow(stack, "Customization")
    Tags.of(app).add("cost-center", "4711")
    template = Template.from_stack(stack)
    tag = {"Key": "cost-center", "Value": "4711"}
    for kind in (
        "AWS::S3::Bucket",
        "AWS::Lambda::Function",
        "AWS::IAM::Role",
        "AWS::StepFunctions::StateMachine",
        "AWS::SNS::Topic",
        "AWS::SQS::Queue",
        "AWS::Logs::LogGroup",
        "AWS::CloudWatch::Alarm",
    ):
        for resource in template.find_resources(kind).values():
            assert tag in resource["Properties"]["Tags"], kind
    for parameter in template.find_resources("AWS::SSM::Parameter").values():
        assert parameter["Properties"]["Tags"] == {"cost-center": "4711"}


@jsii.implements(IAspect)
class Inspector:
    """An aspect that looks at everything and changes a property, as companies' aspects do."""

    def __init__(self) -> None:
        self.seen: list[str] = []

    def visit(self, node: IConstruct) -> None:
        if isinstance(node, CfnResource):
            self.seen.append(node.cfn_resource_type)
        if isinstance(node, lambda_.CfnFunction):
            node.reserved_concurrent_executions = 5


def test_aspects_and_a_permissions_boundary_reach_everything() -> None:
    stack = Stack(App(), "Stack", permissions_boundary=PermissionsBoundary.from_name("Developers"))
    CustomizationWorkflow(stack, "Customization")
    inspector = Inspector()
    Aspects.of(stack).add(inspector)
    template = Template.from_stack(stack)

    assert {kind: inspector.seen.count(kind) for kind in set(inspector.seen)} == kinds(template)
    roles = template.find_resources("AWS::IAM::Role")
    assert len(roles) == 8
    for role in roles.values():
        assert "policy/Developers" in json.dumps(role["Properties"]["PermissionsBoundary"])
    template.all_resources_properties("AWS::Lambda::Function", {"ReservedConcurrentExecutions": 5})


def test_everything_can_be_imported() -> None:
    stack = Stack(App(), "Stack", env=Environment(account="123456789012", region="us-east-1"))
    key = kms.Key.from_key_arn(stack, "Key", "arn:aws:kms:us-east-1:123456789012:key/1")
    bucket = s3.Bucket.from_bucket_attributes(stack, "Data", bucket_name="the-data", encryption_key=key)
    workflow = CustomizationWorkflow(
        stack,
        "Customization",
        evaluation=EvaluationWorkflow(
            stack, "Evaluation", data_bucket=bucket, results_bucket=bucket, encryption_key=key
        ),
        training_bucket=bucket,
        topic=sns.Topic.from_topic_arn(stack, "Topic", "arn:aws:sns:us-east-1:123456789012:team"),
        service_role=iam.Role.from_role_name(stack, "Role", "bedrock"),
        invocation_logs_bucket=bucket,
        access_logs_bucket=bucket,
        graders=[lambda_.Function.from_function_name(stack, "Grader", "grade")],
        encryption_key=key,
    )
    found = kinds(Template.from_stack(stack))
    for kind in ("AWS::S3::Bucket", "AWS::S3::BucketPolicy", "AWS::SNS::Topic", "AWS::KMS::Key"):
        assert kind not in found
    assert isinstance(workflow, Construct)
