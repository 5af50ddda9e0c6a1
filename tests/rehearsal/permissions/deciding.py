"""Decides on requests by policies that a test writes."""

from typing import Any

from bedrock_customization.rehearsal.permissions.context import RequestContext
from bedrock_customization.rehearsal.permissions.documents import PolicyKind, statements_of
from bedrock_customization.rehearsal.permissions.evaluation import Decision, Evaluation, Request
from bedrock_customization.rehearsal.permissions.policies import Policies, Role
from bedrock_customization.rehearsal.permissions.statements import Who

ROLE = "arn:aws:iam::123456789012:role/Team"
SESSION = "arn:aws:sts::123456789012:assumed-role/Team/session"
ROOT = "arn:aws:iam::123456789012:root"
BUCKET = "arn:aws:s3:::data"
OBJECT = "arn:aws:s3:::data/runs/1"
KEY = "arn:aws:kms:us-east-1:123456789012:key/1"
WHO = Who(ROLE, SESSION, "123456789012")
EVENTS = Who(services=("events.amazonaws.com",), account="123456789012")


def allow(action: Any = "s3:GetObject", resource: Any = OBJECT, effect: str = "Allow", **more: Any) -> dict[str, Any]:
    """A statement."""
    return {"Effect": effect, "Action": action, "Resource": resource, **more}


def document(*statements: dict[str, Any]) -> dict[str, Any]:
    """A policy document."""
    return {"Version": "2012-10-17", "Statement": list(statements)}


def decide(
    identity: list[dict[str, Any]],
    *,
    own: list[dict[str, Any]] | None = None,
    boundary: list[dict[str, Any]] | None = None,
    action: str = "s3:GetObject",
    resource: str = OBJECT,
    keys: dict[str, list[str]] | None = None,
    who: Who = WHO,
    unknown: list[str] | None = None,
    boundary_unknown: list[str] | None = None,
) -> Decision:
    """What is decided on a request, by default that of a role's session for an object."""
    statements = statements_of(document(*identity), "identity", "Team", PolicyKind.IDENTITY)
    role = Role(ROLE, "Team", [], statements, unknown=unknown or [], boundary_unknown=boundary_unknown or [])
    if boundary is not None:
        role.boundary = statements_of(document(*boundary), "boundary", "Team", PolicyKind.IDENTITY)
    policies = Policies({ROLE: role})
    if resource == KEY:
        policies.keys.add(KEY)
    policies.of_resources[resource.split("/")[0] if ":s3:" in resource else resource] = statements_of(
        document(*(own or [])), "own", "Data/Policy", PolicyKind.RESOURCE
    )
    return Evaluation(policies).decide(who, Request(action, resource, RequestContext(keys or {})))
