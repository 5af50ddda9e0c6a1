"""The tags on everything that a run pays for: permissions and clean-up go by them."""

from __future__ import annotations

import re
from collections.abc import Mapping

from aws_cdk import Stack, Token
from constructs import Construct

WORKFLOW_TAG = "bedrock-customization:workflow"
EXECUTION_TAG = "bedrock-customization:execution"
KEPT_TAG = "bedrock-customization:kept"
_TAG_TEXT = re.compile(r"[a-zA-Z0-9\s._:/=+@-]*")


def workflow_tag_value(workflow: Construct) -> str:
    """The value of `WORKFLOW_TAG` for a workflow: unique in an account and Region, and stable over deployments.

    Args:
        workflow: The workflow construct.
    """
    return f"{Stack.of(workflow).stack_name}/{workflow.node.addr[-12:]}"


def tags_in_jsonata(workflow_tag: str, own_tags: Mapping[str, str]) -> list[dict[str, str]]:
    """The `Tags` argument of a call that creates something, in JSONata.

    Args:
        workflow_tag: The value of `WORKFLOW_TAG`.
        own_tags: Tags that the user adds.

    Raises:
        ValueError: A tag of the user cannot be a tag in Bedrock.
    """
    for name, value in own_tags.items():
        _check_tag(name, value)
    # Three of the 50 tags that a resource can have are the library's.
    if len(own_tags) > 47:
        raise ValueError(f"resource_tags: got {len(own_tags)} tags; at most 47 are allowed.")
    return [
        {"Key": WORKFLOW_TAG, "Value": workflow_tag},
        {"Key": EXECUTION_TAG, "Value": "{% $states.context.Execution.Id %}"},
        *({"Key": name, "Value": value} for name, value in own_tags.items()),
    ]


def _check_tag(name: str, value: str) -> None:
    if name.startswith(("aws:", "bedrock-customization:")):
        raise ValueError(f"resource_tags: got the key {name!r}; keys that begin so are not the user's to set.")
    for what, text, longest in (("key", name, 128), ("value", value, 256)):
        if Token.is_unresolved(text):
            continue
        if not _TAG_TEXT.fullmatch(text) or len(text) > longest or (what == "key" and not text):
            raise ValueError(
                f"resource_tags: got the {what} {text!r}; Bedrock allows letters, digits, spaces and . _ : / = + @ - "
                f"in at most {longest} characters."
            )
