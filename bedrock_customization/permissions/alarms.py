"""CloudWatch alarms that publish to a topic.

Sources: the SNS developer guide on access control and on encrypted topics, for alarms of one account and Region.
"""

from __future__ import annotations

from aws_cdk import aws_iam as iam
from aws_cdk import aws_sns as sns

from bedrock_customization.permissions.trust import only_for


def publish_alarms(topic: sns.ITopic) -> iam.PolicyStatement:
    """Lets alarms publish; for the topic's own policy.

    Args:
        topic: The topic.
    """
    return iam.PolicyStatement(
        principals=[iam.ServicePrincipal("cloudwatch.amazonaws.com")],
        actions=["sns:Publish"],
        resources=[topic.topic_arn],
        conditions=only_for("cloudwatch", "alarm:*"),
    )


def encrypt_alarms() -> iam.PolicyStatement:
    """Lets alarms publish to a topic that is encrypted with a key; for the key's own policy."""
    return iam.PolicyStatement(
        principals=[iam.ServicePrincipal("cloudwatch.amazonaws.com")],
        actions=["kms:Decrypt", "kms:GenerateDataKey"],
        resources=["*"],
        conditions=only_for("cloudwatch", "alarm:*"),
    )
