"""How permissions call what templates have: in messages, as holders of grants, by ARNs and by tags."""

from __future__ import annotations

from typing import Any

from bedrock_customization.rehearsal.deployment import DeployedStack
from bedrock_customization.rehearsal.template import Template


def where(template: Template, logical_id: str) -> str:
    """What error messages call a resource's properties."""
    return f"{template.path}: {logical_id}.Properties ({template.kind(logical_id)})"


def holder(stack: DeployedStack, template: Template, logical_id: str) -> str:
    """What grants name a role, or a resource that has a policy: its construct path, else its logical id.

    Args:
        stack: The stack that has it, or that a stack with it is nested in.
        template: The template that has it.
        logical_id: Its logical id.
    """
    for deployed in stack.all():
        if deployed.template is template:
            for path, known in deployed.paths.items():
                if known == logical_id:
                    return path.removesuffix("/Resource")
    return f"{template.path}/{logical_id}"


def queue_arn(url: str, partition: str) -> str:
    """The ARN of a queue, from its URL."""
    host, account, name = url.split("://", 1)[-1].split("/", 2)
    return f"arn:{partition}:sqs:{host.split('.')[1]}:{account}:{name}"


def tags_of(listed: Any) -> dict[str, str]:
    """Tags as a template lists them, or has them by their keys."""
    if isinstance(listed, dict):
        return {key: str(value) for key, value in listed.items()}
    return {tag["Key"]: str(tag["Value"]) for tag in listed if isinstance(tag, dict) and "Key" in tag}
