"""Keeping a winner, and saying which model is the current one."""

from __future__ import annotations

from aws_cdk import aws_events as events
from aws_cdk import aws_iam as iam
from aws_cdk import aws_ssm as ssm

from bedrock_customization.permissions.bedrock import bedrock_arn, resource_tag
from bedrock_customization.tags import KEPT_TAG


def promote(workflow_tag: str) -> list[iam.PolicyStatement]:
    """Tags a winner as kept, and reads its tags.

    Args:
        workflow_tag: The tag that it must carry.
    """
    winner = [bedrock_arn(kind) for kind in ("custom-model", "custom-model-deployment", "provisioned-model")]
    return [
        iam.PolicyStatement(
            actions=["bedrock:ListTagsForResource", "bedrock:TagResource"],
            resources=winner,
            conditions={
                **resource_tag(workflow_tag),
                "ForAllValues:StringEquals": {"aws:TagKeys": [KEPT_TAG]},
            },
        ),
    ]


def read_current_model(parameter: ssm.IStringParameter) -> list[iam.PolicyStatement]:
    """Reads the parameter of the current model.

    Args:
        parameter: The parameter.
    """
    return [iam.PolicyStatement(actions=["ssm:GetParameter"], resources=[parameter.parameter_arn])]


def register_models(
    parameter: ssm.IStringParameter, event_bus: events.IEventBus, source: str
) -> list[iam.PolicyStatement]:
    """Reads and writes the parameter of the current model, and sends the event about it.

    Args:
        parameter: The parameter.
        event_bus: The bus.
        source: The event's source.
    """
    return [
        iam.PolicyStatement(actions=["ssm:GetParameter", "ssm:PutParameter"], resources=[parameter.parameter_arn]),
        iam.PolicyStatement(
            actions=["events:PutEvents"],
            resources=[event_bus.event_bus_arn],
            conditions={"StringEquals": {"events:source": source}},
        ),
    ]
