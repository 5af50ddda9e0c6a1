"""Which service may take a role, and for whose resources."""

from __future__ import annotations

from aws_cdk import Aws
from aws_cdk import aws_iam as iam


def trust_for(service: str, resource: str) -> iam.ServicePrincipal:
    """A service, as long as it acts for resources of the stack's account and Region.

    Without the conditions the service could be made to act for somebody else's resource ("confused deputy": Step
    Functions developer guide, EventBridge and Bedrock user guides). A role cannot name the resource itself, which in
    turn needs the role.

    Args:
        service: The service as ARNs name it, for example `states`.
        resource: The resources, for example `stateMachine:*`.
    """
    return iam.ServicePrincipal(f"{service}.amazonaws.com", conditions=only_for(service, resource))


def only_for(service: str, resource: str) -> dict[str, dict[str, str]]:
    """The condition that a service acts for resources of the stack's account and Region.

    Args:
        service: The service as ARNs name it.
        resource: The resources.
    """
    return {
        "StringEquals": {"aws:SourceAccount": Aws.ACCOUNT_ID},
        "ArnEquals": {"aws:SourceArn": f"arn:{Aws.PARTITION}:{service}:{Aws.REGION}:{Aws.ACCOUNT_ID}:{resource}"},
    }
