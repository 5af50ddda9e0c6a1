"""Starting customization jobs, and what is looked up before."""

from __future__ import annotations

from aws_cdk import Aws
from aws_cdk import aws_iam as iam

from bedrock_customization.permissions.bedrock import FOUNDATION_MODELS, bedrock_arn, request_tag, resource_tag


def train_models(role: iam.IRole, workflow_tag: str) -> list[iam.PolicyStatement]:
    """Starts, describes and stops customization jobs, and hands Bedrock its service role.

    Args:
        role: The service role.
        workflow_tag: The tag that jobs and models must carry.
    """
    return [
        iam.PolicyStatement(
            actions=["bedrock:CreateModelCustomizationJob"],
            resources=[FOUNDATION_MODELS, bedrock_arn("custom-model"), bedrock_arn("model-customization-job")],
        ),
        iam.PolicyStatement(
            actions=["bedrock:TagResource"],
            resources=[bedrock_arn("custom-model"), bedrock_arn("model-customization-job")],
            conditions=request_tag(workflow_tag),
        ),
        iam.PolicyStatement(
            actions=["bedrock:GetModelCustomizationJob", "bedrock:StopModelCustomizationJob"],
            resources=[bedrock_arn("model-customization-job")],
            conditions=resource_tag(workflow_tag),
        ),
        iam.PolicyStatement(
            actions=["iam:PassRole"],
            resources=[role.role_arn],
            conditions={"StringEquals": {"iam:PassedToService": "bedrock.amazonaws.com"}},
        ),
    ]


def check_before_training() -> list[iam.PolicyStatement]:
    """Reads the lifecycle of models and the quotas of Bedrock; Service Quotas knows no resources to name."""
    return [
        iam.PolicyStatement(
            actions=["bedrock:GetFoundationModel"],
            resources=[f"arn:{Aws.PARTITION}:bedrock:{Aws.REGION}::foundation-model/*"],
        ),
        iam.PolicyStatement(actions=["bedrock:GetCustomModel"], resources=[bedrock_arn("custom-model")]),
        iam.PolicyStatement(
            actions=["servicequotas:GetServiceQuota", "servicequotas:GetAWSDefaultServiceQuota"], resources=["*"]
        ),
    ]
