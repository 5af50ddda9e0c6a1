"""What the arguments of the workflows must be that are types of the CDK, or texts."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any

from aws_cdk import Duration, Token
from aws_cdk import aws_ec2 as ec2
from aws_cdk import aws_lambda as lambda_

from bedrock_customization import construct_checks as cdk
from bedrock_customization.argument_checks import check_flag, check_list, check_type

# Bedrock's own patterns of ids, and of the ARNs of what can be asked.
_MODEL_ID = re.compile(r"[a-z0-9-]+(\.[a-z0-9-]+)+(:[a-z0-9-]+){0,2}")
_ARN = re.compile(r"arn:[\w-]+:bedrock:[\w*-]*:[\d*]*:[a-z-]+/\S+")


def check_arguments(**arguments: Any) -> None:
    """Refuses arguments of a workflow by name; None stands for the default of each.

    Args:
        **arguments: The arguments.

    Raises:
        TypeError: One has another type.
        ValueError: One has a value that is not allowed.
    """
    for name, value in arguments.items():
        if value is not None:
            _CHECKS[name](name, value)


def check_model_arns(name: str, arns: Sequence[str]) -> None:
    """Refuses what are no ARNs of models in Bedrock.

    Args:
        name: The argument's name.
        arns: What was passed.

    Raises:
        TypeError: It is no list of texts.
        ValueError: It is empty, or a text is no such ARN.
    """
    example = '["arn:aws:bedrock:us-east-1:123456789012:provisioned-model/abcdefghijkl"]'
    check_list(name, arns, str, example)
    if not arns:
        raise ValueError(f"{name}: got an empty list; pass at least one ARN, such as {example}.")
    for arn in arns:
        if not Token.is_unresolved(arn) and not _ARN.fullmatch(arn):
            raise ValueError(f"{name}: got {arn!r}; it must be the ARN of a model in Bedrock: pass {example}.")


def _teachers(name: str, teachers: Sequence[str]) -> None:
    example = '["us.amazon.nova-premier-v1:0"]'
    check_list(name, teachers, str, example)
    for teacher in teachers:
        if not Token.is_unresolved(teacher) and not _MODEL_ID.fullmatch(teacher) and not _ARN.fullmatch(teacher):
            raise ValueError(
                f"{name}: got {teacher!r}; it must be the id or ARN of a model or inference profile in Bedrock: pass "
                f"{example}."
            )


def _tags(name: str, tags: Mapping[str, str]) -> None:
    example = '{"team": "support"}'
    if not isinstance(tags, Mapping):
        raise TypeError(f"{name}: got {tags!r}; it must be a mapping of texts to texts: pass {example}.")
    for key, value in tags.items():
        if not isinstance(key, str) or not isinstance(value, str):
            raise TypeError(f"{name}: got {key!r}: {value!r}; keys and values must be texts: pass {example}.")


_BUCKET = partial(cdk.check_interface, interface=cdk.BUCKET)
_AT_LEAST_A_MINUTE = partial(cdk.check_duration, least=Duration.minutes(1))
_CHECKS: dict[str, Callable[[str, Any], None]] = {
    **dict.fromkeys(
        (
            "training_bucket",
            "validation_bucket",
            "results_bucket",
            "data_bucket",
            "invocation_logs_bucket",
            "access_logs_bucket",
        ),
        _BUCKET,
    ),
    "service_role": partial(cdk.check_interface, interface=cdk.ROLE),
    "teacher_models": _teachers,
    "graders": partial(cdk.check_interfaces, interface=cdk.FUNCTION),
    "vpc": partial(cdk.check_interface, interface=cdk.VPC),
    "vpc_subnets": partial(
        check_type,
        expected=ec2.SubnetSelection,
        remedy="ec2.SubnetSelection(subnet_type=ec2.SubnetType.PRIVATE_ISOLATED)",
    ),
    "security_groups": partial(cdk.check_interfaces, interface=cdk.SECURITY_GROUP),
    "resource_tags": _tags,
    "event_bus": partial(cdk.check_interface, interface=cdk.EVENT_BUS),
    "training_timeout": _AT_LEAST_A_MINUTE,
    "training_start_timeout": _AT_LEAST_A_MINUTE,
    "serving_timeout": _AT_LEAST_A_MINUTE,
    "sweep_interval": partial(_AT_LEAST_A_MINUTE, step=Duration.minutes(1)),
    "timeout": partial(cdk.check_duration, least=Duration.minutes(10)),
    "encryption_key": partial(cdk.check_interface, interface=cdk.KEY),
    "alarm_actions": partial(cdk.check_interfaces, interface=cdk.ALARM_ACTION),
    "architecture": partial(check_type, expected=lambda_.Architecture, remedy="lambda_.Architecture.ARM_64"),
    "log_execution_data": check_flag,
}
