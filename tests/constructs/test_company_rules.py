"""Keys, networks, tags, boundaries, partitions and roles that a company asks for."""

import json
from typing import Any

import pytest
from aws_cdk import App, Environment, Stack
from aws_cdk import aws_ec2 as ec2
from aws_cdk import aws_events as events
from aws_cdk import aws_events_targets as targets
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_s3 as s3
from aws_cdk import aws_sns as sns
from aws_cdk.assertions import Annotations, Match, Template

from bedrock_customization import Commitment, CustomizationWorkflow, Serving
from examples.private_network import PrivateStack
from tests.support import readable_definition

KEY = "arn:aws:kms:us-east-1:123456789012:key/12345678-1234-1234-1234-123456789012"


@pytest.fixture
def stack() -> Stack:
    return Stack(App(), "Stack")


def policies(template: Template) -> dict[str, list[dict[str, Any]]]:
    """The statements of each role, by the role's logical id or name."""
    found: dict[str, list[dict[str, Any]]] = {}
    for policy in template.find_resources("AWS::IAM::Policy").values():
        properties = policy["Properties"]
        for role in properties["Roles"]:
            name = role if isinstance(role, str) else role["Ref"]
            found.setdefault(name, []).extend(properties["PolicyDocument"]["Statement"])
    return found


def allowed(statements: list[dict[str, Any]], action: str) -> list[dict[str, Any]]:
    return [
        statement
        for statement in statements
        if action in ([statement["Action"]] if isinstance(statement["Action"], str) else statement["Action"])
    ]


def train(template: Template) -> str:
    """The arguments of the state that trains, a JSONata expression."""
    (definition,) = [
        definition
        for name in template.find_resources("AWS::StepFunctions::StateMachine")
        if "Attempt" in (definition := readable_definition(template, name))["States"]
    ]
    (branch,) = definition["States"]["Attempt"]["Branches"]
    states = branch["States"]["TrainCandidates"]["ItemProcessor"]["States"]
    return str(states["TrainUnlessStalled"]["Branches"][0]["States"]["Train"]["Arguments"])


def test_the_key_encrypts_custom_models_and_both_who_train_may_use_it(stack: Stack) -> None:
    key = kms.Key.from_key_arn(stack, "Key", KEY)
    CustomizationWorkflow(stack, "Customization", encryption_key=key)
    template = Template.from_stack(stack)

    assert f"'CustomModelKmsKeyId': '{KEY}'" in train(template)
    roles = policies(template)
    for role in ("CustomizationServiceRole", "CustomizationMachineRole"):
        (name,) = [name for name in roles if name.startswith(role)]
        (grant,) = allowed(roles[name], "kms:CreateGrant")
        assert grant["Resource"] == KEY
        assert set(grant["Action"]) == {"kms:CreateGrant", "kms:Decrypt", "kms:DescribeKey", "kms:GenerateDataKey"}
        assert list(grant["Condition"]["StringEquals"]) == ["kms:ViaService"]
    (asks,) = [name for name in roles if name.startswith("CustomizationEvaluationMachineRole")]
    assert [statement for statement in allowed(roles[asks], "kms:Decrypt") if "Condition" in statement]


def test_without_a_key_nothing_is_said_about_one(stack: Stack) -> None:
    CustomizationWorkflow(stack, "Customization")
    template = Template.from_stack(stack)
    assert "CustomModelKmsKeyId" not in train(template)
    assert "kms:" not in json.dumps(template.find_resources("AWS::IAM::Policy"))


def test_jobs_run_in_the_given_network_and_touch_no_other(stack: Stack) -> None:
    vpc = ec2.Vpc(stack, "Vpc", max_azs=2)
    CustomizationWorkflow(stack, "Customization", vpc=vpc)
    template = Template.from_stack(stack)

    assert "'VpcConfig': {'SubnetIds': ['${Vpc" in train(template)
    assert "'SecurityGroupIds': ['${CustomizationTrainingSecurityGroup" in train(template)
    (statements,) = [found for name, found in policies(template).items() if name.startswith("CustomizationServiceRole")]
    anywhere, here = allowed(statements, "ec2:CreateNetworkInterface")
    assert anywhere["Condition"]["StringEquals"] == {"aws:RequestTag/BedrockManaged": "true"}
    assert len(here["Resource"]) == 3
    (permission,) = allowed(statements, "ec2:CreateNetworkInterfacePermission")
    assert len(permission["Condition"]["ArnEquals"]["ec2:Subnet"]) == 2


def test_subnets_and_groups_without_a_vpc_are_refused(stack: Stack) -> None:
    with pytest.raises(ValueError, match=r"^vpc_subnets: got a value without a vpc"):
        CustomizationWorkflow(stack, "Customization", vpc_subnets=ec2.SubnetSelection())


def test_more_security_groups_than_bedrock_takes_are_refused(stack: Stack) -> None:
    vpc = ec2.Vpc(stack, "Vpc", max_azs=2)
    groups = [ec2.SecurityGroup(stack, f"Group{number}", vpc=vpc) for number in range(6)]
    with pytest.raises(ValueError, match=r"^security_groups: got 6; Bedrock takes at most 5"):
        CustomizationWorkflow(stack, "Customization", vpc=vpc, security_groups=groups)


def test_tags_of_the_user_are_on_everything_that_is_paid_for(stack: Stack) -> None:
    CustomizationWorkflow(stack, "Customization", resource_tags={"cost-center": "4711"})
    template = Template.from_stack(stack)
    assert train(template).count("{'Key': 'cost-center', 'Value': '4711'}") == 2
    text = json.dumps(template.to_json()).replace("\\", "")
    assert text.count('{"Key":"cost-center","Value":"4711"}') == 2


@pytest.mark.parametrize(
    ("tags", "message"),
    [
        ({"aws:stack": "x"}, r"^resource_tags: got the key 'aws:stack'"),
        ({"bedrock-customization:kept": "true"}, r"^resource_tags: got the key 'bedrock-customization:kept'"),
        ({"cost,center": "x"}, r"^resource_tags: got the key 'cost,center'; Bedrock allows letters"),
        ({"team": "Zürich"}, r"^resource_tags: got the value 'Zürich'"),
        ({"team": "x" * 257}, r"at most 256 characters"),
        ({f"tag{number}": "x" for number in range(48)}, r"^resource_tags: got 48 tags; at most 47"),
    ],
)
def test_tags_that_bedrock_refuses_are_refused_at_synth(stack: Stack, tags: dict[str, str], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        CustomizationWorkflow(stack, "Customization", resource_tags=tags)


def test_a_service_role_that_exists_is_given_what_jobs_need(stack: Stack) -> None:
    role = iam.Role.from_role_arn(stack, "Role", "arn:aws:iam::123456789012:role/bedrock")
    logs = s3.Bucket.from_bucket_name(stack, "Logs", "the-invocation-logs")
    grader = lambda_.Function.from_function_arn(stack, "Grader", "arn:aws:lambda:us-east-1:123456789012:function:grade")
    CustomizationWorkflow(
        stack,
        "Customization",
        service_role=role,
        teacher_models=["us.amazon.nova-premier-v1:0", "meta.llama3-1-405b-instruct-v1:0"],
        graders=[grader],
        invocation_logs_bucket=logs,
    )
    statements = policies(Template.from_stack(stack))["bedrock"]
    (ask,) = allowed(statements, "bedrock:InvokeModel")
    text = json.dumps(ask["Resource"])
    for part in (
        "inference-profile/us.amazon.nova-premier-v1:0",
        ":bedrock:*::foundation-model/amazon.nova-premier-v1:0",
        ":bedrock:*::foundation-model/meta.llama3-1-405b-instruct-v1:0",
    ):
        assert part in text
    (invoke,) = allowed(statements, "lambda:InvokeFunction")
    assert invoke["Resource"] == "arn:aws:lambda:us-east-1:123456789012:function:grade"
    assert [found for found in allowed(statements, "s3:GetObject") if "the-invocation-logs" in json.dumps(found)]


def test_a_service_role_that_exists_is_given_the_same_as_one_that_is_made() -> None:
    found = []
    for exists in (False, True):
        stack = Stack(App(), "Stack")
        role = iam.Role.from_role_arn(stack, "Role", "arn:aws:iam::123456789012:role/bedrock") if exists else None
        CustomizationWorkflow(
            stack,
            "Customization",
            service_role=role,
            teacher_models=["us.amazon.nova-premier-v1:0"],
            invocation_logs_bucket=s3.Bucket.from_bucket_name(stack, "Logs", "the-invocation-logs"),
            vpc=ec2.Vpc(stack, "Vpc", max_azs=2),
            encryption_key=kms.Key.from_key_arn(stack, "Key", KEY),
        )
        (statements,) = [
            statements
            for name, statements in policies(Template.from_stack(stack)).items()
            if name == "bedrock" or name.startswith("CustomizationServiceRole")
        ]
        found.append(statements)
    made, existing = found
    assert len(made) > 10
    assert existing == made


def test_a_service_role_that_shall_not_be_changed_is_not(stack: Stack) -> None:
    role = iam.Role.from_role_arn(stack, "Role", "arn:aws:iam::123456789012:role/bedrock", mutable=False)
    CustomizationWorkflow(stack, "Customization", service_role=role)
    assert "bedrock" not in policies(Template.from_stack(stack))


def test_the_example_of_a_private_network_keeps_to_its_rules() -> None:
    boundary = "arn:aws:iam::123456789012:policy/Developers"
    stack = PrivateStack(App(), "Private", boundary=boundary, env=Environment(region="us-east-1"))
    template = Template.from_stack(stack)

    for role in template.find_resources("AWS::IAM::Role").values():
        assert role["Properties"]["PermissionsBoundary"] == boundary
    template.resource_count_is("AWS::EC2::InternetGateway", 0)
    template.resource_count_is("AWS::EC2::NatGateway", 0)
    template.resource_count_is("AWS::EC2::VPCEndpoint", 5)
    assert "'CustomModelKmsKeyId': '${Key" in train(template)
    assert "'VpcConfig'" in train(template)


@pytest.mark.parametrize("region", ["us-gov-west-1", "cn-north-1"])
def test_no_arn_names_a_partition(region: str) -> None:
    stack = Stack(App(), "Stack", env=Environment(account="123456789012", region=region))
    CustomizationWorkflow(stack, "Customization", encryption_key=kms.Key(stack, "Key"))
    assert "arn:aws:" not in json.dumps(Template.from_stack(stack).to_json()["Resources"])


def test_a_region_without_a_model_is_warned_of() -> None:
    for region, serving, warned in (
        ("eu-central-1", Serving.automatic(), True),
        ("us-east-1", Serving.automatic(), False),
    ):
        stack = Stack(App(), "Stack", env=Environment(region=region))
        CustomizationWorkflow(stack, "Customization", serving=serving)
        found = Annotations.from_stack(stack).find_warning(
            "*", Match.string_like_regexp(f"customizes no model of the catalogue in {region}")
        )
        assert bool(found) is warned


def test_a_region_that_is_not_known_is_not_warned_of(stack: Stack) -> None:
    CustomizationWorkflow(stack, "Customization")
    assert Annotations.from_stack(stack).find_warning("*", Match.string_like_regexp("no model of the catalogue")) == []


def test_a_commitment_is_bought_only_when_nothing_is_released(stack: Stack) -> None:
    serving = Serving.provisioned(commitment=Commitment.ONE_MONTH, release_automatically=False)
    CustomizationWorkflow(stack, "Customization", serving=serving)
    text = json.dumps(Template.from_stack(stack).to_json()).replace("\\", "")
    assert '"CommitmentDuration":"OneMonth"' in text
    assert "GetModelUnitsQuota" not in text


def test_others_can_build_on_a_promotion(stack: Stack) -> None:
    bus = events.EventBus(stack, "Bus")
    workflow = CustomizationWorkflow(stack, "Customization", event_bus=bus)
    workflow.registry.on_promoted("Tell", targets.SnsTopic(sns.Topic(stack, "Topic")))
    workflow.current_model_parameter.grant_read(iam.Role(stack, "Reader", assumed_by=iam.AnyPrincipal()))
    template = Template.from_stack(stack)
    template.has_resource_properties(
        "AWS::Events::Rule",
        {
            "EventBusName": {"Ref": Match.string_like_regexp("^Bus")},
            "EventPattern": {
                "source": ["bedrock-customization"],
                "detail-type": ["Custom Model Promoted"],
                "detail": {"parameter": [{"Ref": Match.string_like_regexp("^CustomizationRegistryCurrentModel")}]},
            },
        },
    )
