"""Where training jobs read data from when they shall not leave a VPC."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from aws_cdk import aws_ec2 as ec2
from constructs import Construct

_MOST_SUBNETS = 16
_MOST_SECURITY_GROUPS = 5


@dataclass(frozen=True, kw_only=True)
class TrainingNetwork:
    """The subnets and security groups of training jobs; none when jobs run outside a VPC."""

    subnet_ids: list[str]
    security_group_ids: list[str]


def training_network(
    scope: Construct,
    *,
    vpc: ec2.IVpc | None,
    vpc_subnets: ec2.SubnetSelection | None,
    security_groups: Sequence[ec2.ISecurityGroup] | None,
) -> TrainingNetwork:
    """Chooses subnets, and makes a security group where none is given.

    Args:
        scope: The construct that holds the security group.
        vpc: The VPC, or None.
        vpc_subnets: Which of its subnets; by default the private ones.
        security_groups: The security groups; by default a new one that allows all outbound traffic.

    Raises:
        ValueError: There are subnets or security groups without a VPC, or more than Bedrock takes.
    """
    if vpc is None:
        for name, value in (("vpc_subnets", vpc_subnets), ("security_groups", security_groups)):
            if value is not None:
                raise ValueError(f"{name}: got a value without a vpc; pass the vpc that it belongs to.")
        return TrainingNetwork(subnet_ids=[], security_group_ids=[])
    subnets = vpc.select_subnets(
        subnets=vpc_subnets.subnets if vpc_subnets else None,
        subnet_type=vpc_subnets.subnet_type if vpc_subnets else None,
        subnet_group_name=vpc_subnets.subnet_group_name if vpc_subnets else None,
        availability_zones=vpc_subnets.availability_zones if vpc_subnets else None,
        one_per_az=vpc_subnets.one_per_az if vpc_subnets else None,
        subnet_filters=vpc_subnets.subnet_filters if vpc_subnets else None,
    ).subnet_ids
    groups = security_groups or [
        ec2.SecurityGroup(scope, "TrainingSecurityGroup", vpc=vpc, description="Training jobs of Amazon Bedrock")
    ]
    if len(subnets) > _MOST_SUBNETS:
        raise ValueError(f"vpc_subnets: got {len(subnets)} subnets; Bedrock takes at most {_MOST_SUBNETS}.")
    if len(groups) > _MOST_SECURITY_GROUPS:
        raise ValueError(f"security_groups: got {len(groups)}; Bedrock takes at most {_MOST_SECURITY_GROUPS}.")
    return TrainingNetwork(subnet_ids=list(subnets), security_group_ids=[group.security_group_id for group in groups])
