"""Reads the `Resource` of a Task: which integration it names."""

from __future__ import annotations

import re
from dataclasses import dataclass

from botocore.model import OperationModel, ServiceModel

from bedrock_customization.rehearsal.interpreter.services import UnsupportedDefinitionError
from bedrock_customization.rehearsal.services import sdk

_INTEGRATION = re.compile(
    r"arn:[a-z0-9-]+:states:[a-z0-9-]*:[0-9]*:(aws-sdk:)?([A-Za-z0-9]+):([A-Za-z0-9]+)(\.[A-Za-z]+(?::2)?)?"
)
_ACTIVITY = re.compile(r"arn:[a-z0-9-]+:states:[a-z0-9-]+:[0-9]{12}:activity:.+")
_FUNCTION = re.compile(r"arn:[a-z0-9-]+:lambda:[a-z0-9-]+:[0-9]{12}:function:.+")
OPTIMIZED: dict[tuple[str, str], tuple[str, set[str]]] = {
    ("lambda", "invoke"): ("lambda", {""}),
    ("sns", "publish"): ("sns", {""}),
    ("sqs", "sendMessage"): ("sqs", {""}),
    ("states", "startExecution"): ("stepfunctions", {"", ".sync", ".sync:2"}),
    ("events", "putEvents"): ("events", {""}),
    ("bedrock", "createModelCustomizationJob"): ("bedrock", {"", ".sync"}),
    ("bedrock", "invokeModel"): ("bedrock-runtime", {""}),
    ("s3", "getObject"): ("s3", {""}),
    ("s3", "listObjectsV2"): ("s3", {""}),
    ("s3", "putObject"): ("s3", {""}),
    ("dynamodb", "getItem"): ("dynamodb", {""}),
    ("dynamodb", "putItem"): ("dynamodb", {""}),
    ("dynamodb", "updateItem"): ("dynamodb", {""}),
    ("dynamodb", "deleteItem"): ("dynamodb", {""}),
}
"""The optimised integrations: their service's boto3 name and the patterns that they know."""


@dataclass(frozen=True)
class Integration:
    """What a Resource names.

    Args:
        resource: The Resource as written.
        kind: `function` (a Lambda function's ARN), `optimized` or `aws-sdk`.
        service: The service as the Resource spells it.
        action: The action as the Resource spells it.
        pattern: ``, `.sync` or `.sync:2`.
        model: botocore's model of the service; None for a function's ARN.
        operation: botocore's model of the operation; None for a function's ARN.
    """

    resource: str
    kind: str
    service: str
    action: str
    pattern: str
    model: ServiceModel | None = None
    operation: OperationModel | None = None


def parse(resource: str) -> Integration:
    """Read a Resource.

    Raises:
        UnsupportedDefinitionError: It names nothing that is known; says what is.
    """
    if _FUNCTION.fullmatch(resource):
        return Integration(resource, "function", "lambda", "invoke", "")
    if _ACTIVITY.fullmatch(resource):
        raise UnsupportedDefinitionError(f"Resource: {resource!r} is an activity, which has no worker here")
    match = _INTEGRATION.fullmatch(resource)
    if match is None:
        raise UnsupportedDefinitionError(
            f"Resource: {resource!r} is no service integration and no Lambda function's ARN that the rehearsal knows"
        )
    is_sdk, service, action, pattern = match.groups(default="")
    if pattern == ".waitForTaskToken":
        raise UnsupportedDefinitionError(
            f"Resource: {resource!r} waits for a task token, which the rehearsal sends to nobody"
        )
    return (
        _sdk_integration(resource, service, action, pattern)
        if is_sdk
        else _optimized(resource, service, action, pattern)
    )


def _sdk_integration(resource: str, service: str, action: str, pattern: str) -> Integration:
    model = sdk.service_of(service)
    if model is None:
        raise UnsupportedDefinitionError(f"Resource: {resource!r}: the AWS SDK has no service {service!r}")
    operation = sdk.operation_of(model, action)
    if operation is None:
        raise UnsupportedDefinitionError(f"Resource: {resource!r}: the service {service!r} has no action {action!r}")
    if pattern:
        raise UnsupportedDefinitionError(f"Resource: {resource!r}: an aws-sdk integration does not know {pattern!r}")
    return Integration(resource, "aws-sdk", service, action, pattern, model, operation)


def _optimized(resource: str, service: str, action: str, pattern: str) -> Integration:
    if (service, action) not in OPTIMIZED:
        known = ", ".join(f"{name}:{verb}" for name, verb in OPTIMIZED)
        raise UnsupportedDefinitionError(
            f"Resource: {resource!r}: the rehearsal does not know {service}:{action}; it knows {known}"
        )
    client_name, patterns = OPTIMIZED[service, action]
    if pattern not in patterns:
        known = ", ".join(f"{service}:{action}{known}" for known in sorted(patterns))
        raise UnsupportedDefinitionError(
            f"Resource: {resource!r}: {service}:{action} does not know {pattern!r}; it knows {known}"
        )
    model = sdk.service_model(client_name)
    return Integration(resource, "optimized", service, action, pattern, model, sdk.operation_of(model, action))
