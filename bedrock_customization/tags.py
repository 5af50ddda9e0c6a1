"""The tags on everything that a run pays for: permissions and clean-up go by them."""

from __future__ import annotations

from aws_cdk import Aws
from constructs import Construct

WORKFLOW_TAG = "bedrock-customization:workflow"
EXECUTION_TAG = "bedrock-customization:execution"
KEPT_TAG = "bedrock-customization:kept"


def workflow_tag_value(workflow: Construct) -> str:
    """The value of `WORKFLOW_TAG` for a workflow: unique in an account and Region, and stable over deployments.

    Args:
        workflow: The workflow construct.
    """
    return f"{Aws.STACK_NAME}/{workflow.node.addr[-12:]}"


def resource_tags(workflow_tag: str) -> list[dict[str, str]]:
    """The `Tags` argument of a call that creates something, in JSONata.

    Args:
        workflow_tag: The value of `WORKFLOW_TAG`.
    """
    return [
        {"Key": WORKFLOW_TAG, "Value": workflow_tag},
        {"Key": EXECUTION_TAG, "Value": "{% $states.context.Execution.Id %}"},
    ]
