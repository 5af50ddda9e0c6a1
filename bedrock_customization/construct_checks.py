"""The checks of arguments that are the CDK's, before the CDK is given them: jsii's own errors do not name the argument.

An interface of the CDK is a protocol in Python, and what is imported may have no class of its own. All implementations
have the interface's members, so they are asked for one that nothing else has.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

from aws_cdk import Duration


@dataclass(frozen=True)
class Interface:
    """An interface of the CDK.

    Args:
        name: Its name.
        member: A member that only its implementations have.
        remedy: How to get one.
    """

    name: str
    member: str
    remedy: str


BUCKET = Interface("s3.IBucket", "arn_for_objects", 's3.Bucket.from_bucket_name(self, "Data", "team-data")')
EVENT_BUS = Interface("events.IEventBus", "event_bus_arn", 'events.EventBus.from_event_bus_name(self, "Bus", "team")')
FUNCTION = Interface("lambda.IFunction", "function_arn", 'lambda_.Function.from_function_arn(self, "Function", arn)')
KEY = Interface("kms.IKey", "key_arn", 'kms.Key.from_key_arn(self, "Key", arn)')
REPOSITORY = Interface("ecr.IRepository", "repository_arn", 'ecr.Repository.from_repository_name(self, "Images", "ml")')
ROLE = Interface("iam.IRole", "role_arn", 'iam.Role.from_role_arn(self, "Role", arn)')
SECURITY_GROUP = Interface(
    "ec2.ISecurityGroup", "allow_all_outbound", 'ec2.SecurityGroup.from_security_group_id(self, "Group", "sg-...")'
)
VPC = Interface("ec2.IVpc", "select_subnets", 'ec2.Vpc.from_lookup(self, "Vpc", vpc_id="vpc-...")')
ALARM_ACTION = Interface("cloudwatch.IAlarmAction", "bind", "cloudwatch_actions.SnsAction(topic)")


def check_interface(name: str, value: object, interface: Interface) -> None:
    """Refuses what does not implement an interface of the CDK.

    Args:
        name: The argument's name.
        value: What was passed.
        interface: The interface.

    Raises:
        TypeError: It does not.
    """
    if isinstance(value, type) or not hasattr(value, interface.member):
        raise TypeError(f"{name}: got {value!r}; it must be of type {interface.name}: pass {interface.remedy}.")


def check_interfaces(name: str, values: object, interface: Interface) -> None:
    """Refuses what is no list of implementations of an interface of the CDK.

    Args:
        name: The argument's name.
        values: What was passed.
        interface: The interface of each.

    Raises:
        TypeError: It is no list, or a value does not.
    """
    if isinstance(values, str) or not isinstance(values, Collection):
        raise TypeError(f"{name}: got {values!r}; it must be a list: pass [{interface.remedy}].")
    for value in values:
        check_interface(name, value, interface)


def check_duration(name: str, value: object, *, least: Duration, step: Duration | None = None) -> None:
    """Refuses what is no duration, or too short a one; one that only a deployment knows is taken.

    Args:
        name: The argument's name.
        value: What was passed.
        least: The shortest that is allowed.
        step: What it has to be a multiple of; by default a second.

    Raises:
        TypeError: It is no duration.
        ValueError: It is shorter, or no multiple.
    """
    step = step or Duration.seconds(1)
    allowed = f"at least {_words(least)}, in whole {_unit(step)}s: pass Duration.hours(1), for example."
    if not isinstance(value, Duration):
        raise TypeError(f"{name}: got {value!r}; it must be of type Duration, {allowed}")
    if value.is_unresolved():
        return
    milliseconds = value.to_milliseconds(integral=False)
    if milliseconds < least.to_milliseconds() or milliseconds % step.to_milliseconds():
        raise ValueError(f"{name}: got {_words(value)}; it must be {allowed}")


def _words(duration: Duration) -> str:
    seconds = duration.to_seconds(integral=False)
    return f"{seconds / 60:g} minutes" if seconds >= 120 and seconds % 60 == 0 else f"{seconds:g} seconds"


def _unit(step: Duration) -> str:
    return "second" if step.to_seconds() == 1 else "minute"
