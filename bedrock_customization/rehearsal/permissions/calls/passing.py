"""The roles that a call hands to a service, which the caller has to be allowed to pass.

Sources: the IAM user guide on passing a role to a service, and the services' guides on their service roles.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import Any

from botocore.model import ListShape, Shape, StringShape, StructureShape

from bedrock_customization.rehearsal.permissions.calls.need import Need
from bedrock_customization.rehearsal.permissions.context import UNKNOWN
from bedrock_customization.rehearsal.services import sdk

_ROLE = re.compile(r"arn:[^:]+:iam::\d{12}:role/.+")
_ABOUT_ROLES = ("iam", "sts")
_PASSING_NOTHING = ("List", "Describe")
_PASSED_TO = {
    "bedrock": "bedrock",
    "bedrock-agent": "bedrock",
    "cloudformation": "cloudformation",
    "codebuild": "codebuild",
    "ecs": "ecs-tasks",
    "events": "events",
    "firehose": "firehose",
    "glue": "glue",
    "lambda": "lambda",
    "pipes": "pipes",
    "s3": "s3",
    "sagemaker": "sagemaker",
    "scheduler": "scheduler",
    "stepfunctions": "states",
}


def passed_roles(service: str, operation: str, request: dict[str, Any]) -> Iterator[Need]:
    """What it takes to pass the roles of a request.

    Args:
        service: The service by its boto3 name.
        operation: The operation.
        request: Its parameters.
    """
    if service in _ABOUT_ROLES or operation.startswith(_PASSING_NOTHING):
        return
    shape = sdk.service_model(service).operation_model(operation).input_shape
    to: Sequence[str] = [f"{_PASSED_TO[service]}.amazonaws.com"] if service in _PASSED_TO else UNKNOWN
    for role in dict.fromkeys(_roles(request, shape, "")):
        yield Need("iam:PassRole", role, {"iam:passedtoservice": to})


def _roles(value: Any, shape: Shape | None, name: str) -> Iterator[str]:
    """The roles in the fields of a request; a map has no fields but data, such as a function's environment."""
    if isinstance(shape, StructureShape) and isinstance(value, dict):
        for member, inner in value.items():
            yield from _roles(inner, shape.members.get(member), member)
    elif isinstance(shape, ListShape) and isinstance(value, list):
        for item in value:
            yield from _roles(item, shape.member, name)
    elif (
        isinstance(shape, StringShape) and isinstance(value, str) and "role" in name.lower() and _ROLE.fullmatch(value)
    ):
        yield value
