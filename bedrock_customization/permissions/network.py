"""Network interfaces of training jobs in a VPC."""

from __future__ import annotations

from collections.abc import Sequence

from aws_cdk import Aws
from aws_cdk import aws_iam as iam

from bedrock_customization.permissions.bedrock import bedrock_arn


def train_in_vpc(subnet_ids: Sequence[str], security_group_ids: Sequence[str]) -> list[iam.PolicyStatement]:
    """Gives jobs network interfaces in a VPC, and touches no others (Bedrock user guide, "Protect jobs with a VPC").

    Args:
        subnet_ids: The subnets.
        security_group_ids: The security groups.
    """
    ec2 = f"arn:{Aws.PARTITION}:ec2:{Aws.REGION}:{Aws.ACCOUNT_ID}"
    jobs = bedrock_arn("model-customization-job")
    subnets = [f"{ec2}:subnet/{subnet}" for subnet in subnet_ids]
    groups = [f"{ec2}:security-group/{group}" for group in security_group_ids]
    return [
        iam.PolicyStatement(
            actions=[
                "ec2:DescribeDhcpOptions",
                "ec2:DescribeNetworkInterfaces",
                "ec2:DescribeSecurityGroups",
                "ec2:DescribeSubnets",
                "ec2:DescribeVpcs",
            ],
            resources=["*"],
        ),
        iam.PolicyStatement(
            actions=["ec2:CreateNetworkInterface"],
            resources=[f"{ec2}:network-interface/*"],
            conditions={
                "StringEquals": {"aws:RequestTag/BedrockManaged": "true"},
                "ArnLike": {"aws:RequestTag/BedrockModelCustomizationJobArn": jobs},
            },
        ),
        iam.PolicyStatement(actions=["ec2:CreateNetworkInterface"], resources=[*subnets, *groups]),
        iam.PolicyStatement(
            actions=[
                "ec2:CreateNetworkInterfacePermission",
                "ec2:DeleteNetworkInterface",
                "ec2:DeleteNetworkInterfacePermission",
            ],
            resources=["*"],
            conditions={
                "StringEquals": {"ec2:ResourceTag/BedrockManaged": "true"},
                "ArnEquals": {"ec2:Subnet": subnets},
                "ArnLike": {"ec2:ResourceTag/BedrockModelCustomizationJobArn": jobs},
            },
        ),
        iam.PolicyStatement(
            actions=["ec2:CreateTags"],
            resources=[f"{ec2}:network-interface/*"],
            conditions={
                "StringEquals": {"ec2:CreateAction": "CreateNetworkInterface"},
                "ForAllValues:StringEquals": {"aws:TagKeys": ["BedrockManaged", "BedrockModelCustomizationJobArn"]},
            },
        ),
    ]
