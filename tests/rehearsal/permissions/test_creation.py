"""What services check when CloudFormation creates a resource makes a rehearsal fail at once."""

import json
from pathlib import Path
from typing import Any

import aws_cdk as cdk
import pytest
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_logs as logs
from aws_cdk import aws_s3 as s3
from aws_cdk import aws_stepfunctions as sfn

from bedrock_customization.rehearsal import DeploymentDeniedError, Rehearsal
from tests.rehearsal.machines import machine, single


@pytest.fixture
def stack(tmp_path: Path) -> cdk.Stack:
    return cdk.Stack(cdk.App(outdir=str(tmp_path / "cdk.out")), "Team")


def role(stack: cdk.Stack, service: str) -> iam.Role:
    return iam.Role(stack, "Role", assumed_by=iam.ServicePrincipal(service))


def state_machine(stack: cdk.Stack, definition: dict[str, Any], **options: Any) -> sfn.StateMachine:
    body = sfn.DefinitionBody.from_string(json.dumps(definition))
    return sfn.StateMachine(stack, "Machine", definition_body=body, **options)


DONE = machine(Done={"Type": "Pass", "End": True})
OTHER = "arn:aws:states:us-east-1:123456789012:stateMachine:other"
NESTED = single("states:startExecution.sync:2", {"StateMachineArn": OTHER})


def test_a_role_that_trusts_another_service(stack: cdk.Stack) -> None:
    state_machine(stack, DONE, role=role(stack, "lambda.amazonaws.com"))
    with pytest.raises(
        DeploymentDeniedError, match=r"Machine\w+ .*StateMachine\) could not be created: .*sts:AssumeRole"
    ):
        Rehearsal.from_stack(stack)
    assert Rehearsal.from_stack(stack, enforce_permissions=False).run("Machine", {}).status == "SUCCEEDED"


def test_a_role_that_trusts_the_service_in_a_region(stack: cdk.Stack) -> None:
    state_machine(stack, DONE, role=role(stack, "states.us-east-1.amazonaws.com"))
    assert Rehearsal.from_stack(stack).run("Machine", {}).status == "SUCCEEDED"


def test_a_log_that_the_role_may_not_deliver_to(stack: cdk.Stack) -> None:
    options = sfn.LogOptions(destination=logs.LogGroup(stack, "Log"), level=sfn.LogLevel.ALL)
    created = state_machine(stack, DONE, logs=options)
    created.role.node.find_child("DefaultPolicy").node.default_child.add_override(
        "Properties.PolicyDocument.Statement.0.Action", ["logs:CreateLogDelivery"]
    )
    with pytest.raises(DeploymentDeniedError, match=r"deliver to its log: .*logs:GetLogDelivery"):
        Rehearsal.from_stack(stack)


@pytest.mark.parametrize("granted", [True, False])
def test_a_nested_execution_needs_the_managed_rule(stack: cdk.Stack, granted: bool) -> None:
    created = state_machine(stack, NESTED)
    rule = f"arn:aws:events:{stack.region}:{stack.account}:rule/StepFunctionsGetEventsForStepFunctionsExecutionRule"
    actions = ["events:PutTargets", "events:PutRule", "events:DescribeRule"]
    if granted:
        created.add_to_role_policy(iam.PolicyStatement(actions=actions, resources=[rule]))
        Rehearsal.from_stack(stack)
    else:
        with pytest.raises(DeploymentDeniedError, match=r"managed rule: .*events:PutTargets"):
            Rehearsal.from_stack(stack)


def test_a_nested_execution_of_a_definition_in_a_file(stack: cdk.Stack, tmp_path: Path) -> None:
    definition = tmp_path / "definition.json"
    definition.write_text(json.dumps(NESTED), encoding="utf-8")
    sfn.StateMachine(stack, "Machine", definition_body=sfn.DefinitionBody.from_file(str(definition)))
    with pytest.raises(DeploymentDeniedError, match=r"managed rule: .*events:PutTargets"):
        Rehearsal.from_stack(stack)


def test_a_traced_function(stack: cdk.Stack) -> None:
    lambda_.Function(
        stack,
        "Function",
        runtime=lambda_.Runtime.PYTHON_3_13,
        handler="index.handler",
        code=lambda_.Code.from_inline("def handler(event, context): pass"),
        role=role(stack, "lambda.amazonaws.com").without_policy_updates(),
        tracing=lambda_.Tracing.ACTIVE,
    )
    with pytest.raises(DeploymentDeniedError, match=r"AWS::Lambda::Function\) could not be created: .*xray:PutTrace"):
        Rehearsal.from_stack(stack)


@pytest.mark.parametrize("granted", [True, False])
def test_a_log_group_needs_its_keys_policy(stack: cdk.Stack, granted: bool) -> None:
    key = kms.Key(stack, "Key")
    logs.LogGroup(stack, "Log", encryption_key=key)
    if granted:
        key.grant_encrypt_decrypt(iam.ServicePrincipal(f"logs.{stack.region}.amazonaws.com"))
        Rehearsal.from_stack(stack)
    else:
        words = r"AWS::Logs::LogGroup\) .*logs.us-east-1.amazonaws.com .*kms:Encrypt"
        with pytest.raises(DeploymentDeniedError, match=words):
            Rehearsal.from_stack(stack)


@pytest.mark.parametrize(("granted", "denied"), [(True, []), (False, ["s3:PutObject"])])
def test_access_logs_that_the_target_does_not_let_in_are_lost_in_silence(
    stack: cdk.Stack, granted: bool, denied: list[str]
) -> None:
    target = s3.Bucket(stack, "Target")
    by_name = s3.Bucket.from_bucket_name(stack, "ByName", target.bucket_name)
    s3.Bucket(stack, "Data", server_access_logs_bucket=by_name, server_access_logs_prefix="data/")
    if granted:
        target.grant_put(iam.ServicePrincipal("logging.s3.amazonaws.com"), "data/*")
    assert [denial.action for denial in Rehearsal.from_stack(stack).permissions.denied] == denied


@pytest.mark.parametrize("attached", ["identity", "resource"])
def test_an_operator_that_iam_does_not_have_is_refused_although_nothing_uses_the_policy(
    stack: cdk.Stack, attached: str
) -> None:
    statement = iam.PolicyStatement(
        actions=["s3:GetObject"], resources=["*"], conditions={"StringEqual": {"s3:prefix": "x"}}
    )
    if attached == "identity":
        role(stack, "lambda.amazonaws.com").add_to_policy(statement)
    else:
        statement.add_any_principal()
        s3.Bucket(stack, "Bucket").add_to_resource_policy(statement)
    with pytest.raises(DeploymentDeniedError, match=r"Statement\[0\]: IAM has no condition operator StringEqual; IAM"):
        Rehearsal.from_stack(stack)
