"""What statements about Amazon Bedrock share: ARNs, and the tags that they insist on."""

from __future__ import annotations

from aws_cdk import Aws

from bedrock_customization.tags import WORKFLOW_TAG

FOUNDATION_MODELS = f"arn:{Aws.PARTITION}:bedrock:*::foundation-model/*"


def bedrock_arn(kind: str) -> str:
    """Every resource of a kind in the stack's account and Region.

    Args:
        kind: Such as `custom-model`.
    """
    return f"arn:{Aws.PARTITION}:bedrock:{Aws.REGION}:{Aws.ACCOUNT_ID}:{kind}/*"


def request_tag(workflow_tag: str) -> dict[str, dict[str, str]]:
    """The condition that what is created gets the workflow's tag.

    Args:
        workflow_tag: The tag's value.
    """
    return {"StringEquals": {f"aws:RequestTag/{WORKFLOW_TAG}": workflow_tag}}


def resource_tag(workflow_tag: str) -> dict[str, dict[str, str]]:
    """The condition that what is touched carries the workflow's tag.

    Args:
        workflow_tag: The tag's value.
    """
    return {"StringEquals": {f"aws:ResourceTag/{WORKFLOW_TAG}": workflow_tag}}
