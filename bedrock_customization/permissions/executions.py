"""Executions of state machines, and functions that they invoke."""

from __future__ import annotations

from collections.abc import Sequence

from aws_cdk import ArnFormat, Aws, Stack
from aws_cdk import aws_iam as iam
from aws_cdk import aws_stepfunctions as sfn
from constructs import Construct


def start_execution(machine: sfn.StateMachine, scope: Construct) -> list[iam.PolicyStatement]:
    """Starts an execution of another machine, follows it and stops it.

    Args:
        machine: The other machine.
        scope: A construct of the stack.
    """
    executions = f"{_execution_arn(machine, scope)}:*"
    return [
        iam.PolicyStatement(actions=["states:StartExecution"], resources=[machine.state_machine_arn]),
        iam.PolicyStatement(actions=["states:DescribeExecution", "states:StopExecution"], resources=[executions]),
        iam.PolicyStatement(
            actions=["events:PutTargets", "events:PutRule", "events:DescribeRule"],
            resources=[
                f"arn:{Aws.PARTITION}:events:{Aws.REGION}:{Aws.ACCOUNT_ID}:rule/"
                "StepFunctionsGetEventsForStepFunctionsExecutionRule"
            ],
        ),
    ]


def start_another_execution(machine: sfn.StateMachine) -> list[iam.PolicyStatement]:
    """Starts an execution of the machine itself, and does not follow it.

    Args:
        machine: The machine.
    """
    return [iam.PolicyStatement(actions=["states:StartExecution"], resources=[machine.state_machine_arn])]


def describe_executions(machine: sfn.StateMachine, scope: Construct) -> list[iam.PolicyStatement]:
    """Describes a machine's executions.

    Args:
        machine: The machine.
        scope: A construct of the stack.
    """
    return [
        iam.PolicyStatement(actions=["states:DescribeExecution"], resources=[f"{_execution_arn(machine, scope)}:*"])
    ]


def list_executions(machine: sfn.StateMachine) -> list[iam.PolicyStatement]:
    """Lists a machine's executions.

    Args:
        machine: The machine.
    """
    return [iam.PolicyStatement(actions=["states:ListExecutions"], resources=[machine.state_machine_arn])]


def run_distributed_maps(machine: sfn.StateMachine, scope: Construct) -> list[iam.PolicyStatement]:
    """Lets a machine run its own Distributed Maps.

    Args:
        machine: The machine.
        scope: A construct of the stack.
    """
    executions = _execution_arn(machine, scope)
    return [
        iam.PolicyStatement(actions=["states:StartExecution"], resources=[machine.state_machine_arn]),
        iam.PolicyStatement(
            actions=["states:DescribeExecution", "states:StopExecution"], resources=[f"{executions}:*"]
        ),
        iam.PolicyStatement(actions=["states:RedriveExecution"], resources=[f"{executions}/*:*"]),
    ]


def _execution_arn(machine: sfn.StateMachine, scope: Construct) -> str:
    return Stack.of(scope).format_arn(
        service="states",
        resource="execution",
        resource_name=machine.state_machine_name,
        arn_format=ArnFormat.COLON_RESOURCE_NAME,
    )


def invoke_functions(function_arns: Sequence[str]) -> list[iam.PolicyStatement]:
    """Invokes Lambda functions.

    Args:
        function_arns: The functions' ARNs.
    """
    return [iam.PolicyStatement(actions=["lambda:InvokeFunction"], resources=list(function_arns))]
