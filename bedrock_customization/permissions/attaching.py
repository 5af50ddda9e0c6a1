"""Gives statements to roles, and answers what cdk-nag asks about them."""

from __future__ import annotations

from collections.abc import Sequence

from aws_cdk import aws_iam as iam
from constructs import Construct

from bedrock_customization.acknowledgements import acknowledge_wildcards


def allow(role: iam.IRole, statements: Sequence[iam.PolicyStatement]) -> None:
    """Adds statements to a role's own policy.

    Args:
        role: The role; one that was imported with `without_policy_updates()` stays as it is.
        statements: The statements.
    """
    for statement in statements:
        role.add_to_principal_policy(statement)
    acknowledge_wildcards(role, statements)


def attach(scope: Construct, construct_id: str, role: iam.IRole, statements: Sequence[iam.PolicyStatement]) -> None:
    """Attaches a policy of its own to a role, which can be in another stack or be needed by what the policy names.

    Args:
        scope: The construct that holds the policy.
        construct_id: The policy's id.
        role: The role.
        statements: The statements.
    """
    policy = iam.Policy(scope, construct_id, statements=list(statements), roles=[role])
    acknowledge_wildcards(policy, statements)
