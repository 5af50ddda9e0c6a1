"""Custom model deployments and provisioned throughput."""

from __future__ import annotations

from aws_cdk import aws_iam as iam

from bedrock_customization.permissions.bedrock import bedrock_arn, request_tag, resource_tag


def serve_on_demand(workflow_tag: str) -> list[iam.PolicyStatement]:
    """Creates and describes custom model deployments.

    Args:
        workflow_tag: The tag that they must carry.
    """
    return _serve(
        "custom-model-deployment",
        "bedrock:CreateCustomModelDeployment",
        "bedrock:GetCustomModelDeployment",
        workflow_tag,
    )


def serve_by_provisioned_throughput(workflow_tag: str) -> list[iam.PolicyStatement]:
    """Buys and describes provisioned throughput.

    Args:
        workflow_tag: The tag that it must carry.
    """
    return _serve(
        "provisioned-model",
        "bedrock:CreateProvisionedModelThroughput",
        "bedrock:GetProvisionedModelThroughput",
        workflow_tag,
    )


def _serve(kind: str, create: str, get: str, workflow_tag: str) -> list[iam.PolicyStatement]:
    return [
        iam.PolicyStatement(
            actions=[create], resources=[bedrock_arn("custom-model")], conditions=request_tag(workflow_tag)
        ),
        iam.PolicyStatement(
            actions=["bedrock:TagResource"], resources=[bedrock_arn(kind)], conditions=request_tag(workflow_tag)
        ),
        iam.PolicyStatement(actions=[get], resources=[bedrock_arn(kind)], conditions=resource_tag(workflow_tag)),
    ]
