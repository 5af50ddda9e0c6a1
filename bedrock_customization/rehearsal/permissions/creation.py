"""What services check when CloudFormation creates a resource: whether its role is enough."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Mapping
from functools import partial
from typing import Any

from bedrock_customization.rehearsal.deployment import DeployedStack
from bedrock_customization.rehearsal.interpreter.services import StateMachine
from bedrock_customization.rehearsal.permissions.calls.need import Need, use_of_key
from bedrock_customization.rehearsal.permissions.documents import MalformedPolicyError
from bedrock_customization.rehearsal.permissions.enforcement import Permissions
from bedrock_customization.rehearsal.permissions.resources import TRACE
from bedrock_customization.rehearsal.services.api import Principal
from bedrock_customization.rehearsal.services.api_error import ApiError
from bedrock_customization.rehearsal.template import Template

_LOG_DELIVERY = (
    "CreateLogDelivery",
    "GetLogDelivery",
    "UpdateLogDelivery",
    "DeleteLogDelivery",
    "ListLogDeliveries",
    "PutResourcePolicy",
    "DescribeResourcePolicies",
    "DescribeLogGroups",
)
_SAMPLING = (Need("xray:GetSamplingRules", "*"), Need("xray:GetSamplingTargets", "*"))
_MANAGED_RULE = "rule/StepFunctionsGetEventsForStepFunctionsExecutionRule"
_NESTED = re.compile(r":states:::states:startExecution\.sync")
_NETWORK = ("CreateNetworkInterface", "DescribeNetworkInterfaces", "DeleteNetworkInterface")
_MACHINE_KEY = ("kms:Decrypt", "kms:GenerateDataKey")
_LOG_KEY = ("kms:Encrypt", "kms:Decrypt", "kms:GenerateDataKey")
_LOG_KEY_SOMETIMES = ("kms:ReEncryptFrom", "kms:ReEncryptTo", "kms:DescribeKey")


class DeploymentDeniedError(Exception):
    """CloudFormation could not create a resource, because a role or key does not allow enough; says what and where."""


def read_policies(stacks: list[DeployedStack], permissions: Permissions) -> None:
    """Read and enforce the policies of stacks.

    Args:
        stacks: The deployed stacks.
        permissions: The permissions that enforce them.

    Raises:
        DeploymentDeniedError: IAM would refuse a policy.
    """
    try:
        permissions.enforce(stacks)
    except MalformedPolicyError as error:
        raise DeploymentDeniedError(f"{error}; IAM refuses the policy as malformed") from error


def check_creation(stack: DeployedStack, machines: Mapping[str, StateMachine], permissions: Permissions) -> None:
    """Check what services check when they create the resources of a stack.

    Args:
        stack: The deployed stack.
        machines: The state machines that can be run, by their ARNs.
        permissions: The permissions to check.

    Raises:
        DeploymentDeniedError: A service would refuse to create a resource.
    """
    checks: dict[str, Callable[[Template, str, Permissions], None]] = {
        "AWS::Lambda::Function": _function,
        "AWS::Logs::LogGroup": _log_group,
        "AWS::S3::Bucket": _bucket,
        "AWS::StepFunctions::StateMachine": partial(_state_machine, machines),
    }
    for template, logical_id in stack.resources(*checks):
        try:
            checks[template.kind(logical_id)](template, logical_id, permissions)
        except ApiError as error:
            raise DeploymentDeniedError(
                f"{template.path}: {logical_id} ({template.kind(logical_id)}) could not be created: {error.message}"
            ) from error


def _state_machine(
    machines: Mapping[str, StateMachine], template: Template, logical_id: str, permissions: Permissions
) -> None:
    names = ("RoleArn", "LoggingConfiguration", "TracingConfiguration", "EncryptionConfiguration")
    properties = template.properties(logical_id, *names)
    role, arn = properties["RoleArn"], template.reference(logical_id)
    _assume(role, "states.amazonaws.com", arn, permissions)
    principal = Principal(role)
    logging = properties.get("LoggingConfiguration", {})
    if logging.get("Destinations") and logging.get("Level", "OFF") != "OFF":
        needs = [Need(f"logs:{action}", "*") for action in _LOG_DELIVERY]
        _require(permissions, principal, needs, "The state machine's role may not deliver to its log")
    if arn in machines and _NESTED.search(json.dumps(machines[arn].definition)):
        rule = template.place.arn("events", _MANAGED_RULE)
        needs = [Need(f"events:{action}", rule) for action in ("PutTargets", "PutRule", "DescribeRule")]
        _require(permissions, principal, needs, "The state machine's role may not create its managed rule")
    key = properties.get("EncryptionConfiguration", {}).get("KmsKeyId")
    if key is not None:
        needs = _uses_of_key(permissions.key_arn(key), arn, template)
        _require(permissions, principal, needs, "The state machine's role may not start executions with its key")
    if properties.get("TracingConfiguration", {}).get("Enabled") in (True, "true"):
        # Without them there are no traces, and no error.
        permissions.note(principal, [*TRACE, *_SAMPLING])


def _uses_of_key(key: str, state_machine: str, template: Template) -> list[Need]:
    place, context = template.place, {"aws:states:stateMachineArn": state_machine}
    service = f"states.{place.region}.{place.url_suffix}"
    return [use_of_key(action, key, service, context, place.account) for action in _MACHINE_KEY]


def _function(template: Template, logical_id: str, permissions: Permissions) -> None:
    properties = template.properties(logical_id, "Role", "TracingConfig", "VpcConfig", "DeadLetterConfig")
    _assume(properties["Role"], "lambda.amazonaws.com", template.arn(logical_id), permissions)
    principal = Principal(properties["Role"], function=template.reference(logical_id))
    permissions.require(principal, list(_function_needs(properties)), "lambda")


def _function_needs(properties: dict[str, Any]) -> Iterator[Need]:
    if properties.get("TracingConfig", {}).get("Mode") == "Active":
        yield from TRACE
    if properties.get("VpcConfig", {}).get("SubnetIds"):
        yield from (Need(f"ec2:{action}", "*") for action in _NETWORK)
    target = properties.get("DeadLetterConfig", {}).get("TargetArn")
    if target:
        yield Need("sns:Publish" if ":sns:" in target else "sqs:SendMessage", target)


def _log_group(template: Template, logical_id: str, permissions: Permissions) -> None:
    key = template.properties(logical_id, "KmsKeyId").get("KmsKeyId")
    if key is None or not permissions.knows_key(key := permissions.key_arn(key)):
        return
    group = template.arn(logical_id).removesuffix(":*")
    service = f"logs.{template.place.region}.{template.place.url_suffix}"
    keys = {"kms:encryptioncontext:aws:logs:arn": [group], "kms:encryptioncontextkeys": ["aws:logs:arn"]}
    principal = Principal(service=service, source_arn=group)
    permissions.require(principal, [Need(action, key, keys) for action in _LOG_KEY], "kms")
    permissions.note(principal, [Need(action, key, keys) for action in _LOG_KEY_SOMETIMES])


def _bucket(template: Template, logical_id: str, permissions: Permissions) -> None:
    """S3 writes access logs if the target's policy lets it; else there are no logs, and no error."""
    logging = template.properties(logical_id, "LoggingConfiguration").get("LoggingConfiguration", {})
    for target, _ in template.resources("AWS::S3::Bucket"):
        properties = template.properties(target, "AccessControl")
        if template.reference(target) == logging.get("DestinationBucketName") and not properties:
            log = f"{template.arn(target)}/{logging.get('LogFilePrefix', '')}2026-01-01-00-00-00-0123456789ABCDEF"
            principal = Principal(service="logging.s3.amazonaws.com", source_arn=template.arn(logical_id))
            permissions.note(principal, [Need("s3:PutObject", log)])


def _assume(role: str, service: str, source_arn: str, permissions: Permissions) -> None:
    reason = permissions.may_assume(role, service, source_arn)
    if reason is not None:
        raise ApiError("AccessDeniedException", reason)


def _require(permissions: Permissions, principal: Principal, needs: list[Need], what: str) -> None:
    try:
        permissions.require(principal, needs, "stepfunctions")
    except ApiError as error:
        raise ApiError(error.code, f"{what}: {error.message}") from error
