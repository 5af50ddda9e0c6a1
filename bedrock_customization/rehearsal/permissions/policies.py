"""The policies of deployed stacks: of roles, and of the resources that have policies of their own."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from bedrock_customization.rehearsal.assembly import UnsupportedTemplateError
from bedrock_customization.rehearsal.permissions.statements import Statement


@dataclass
class Role:
    """A role of the template.

    Args:
        arn: Its ARN.
        holder: Its construct path or logical id.
        trust: The statements of its trust policy.
        statements: The statements of its identity policies.
        boundary: The statements of its permissions boundary, or None.
        tags: Its tags.
        unknown: What it has beside, and why that is not known.
        boundary_unknown: Why its permissions boundary is not known.
    """

    arn: str
    holder: str
    trust: list[Statement]
    statements: list[Statement] = field(default_factory=list)
    boundary: list[Statement] | None = None
    tags: dict[str, str] = field(default_factory=dict)
    unknown: list[str] = field(default_factory=list)
    boundary_unknown: list[str] = field(default_factory=list)

    @property
    def name(self) -> str:
        """Its name."""
        return self.arn.rsplit("/", 1)[-1]


@dataclass
class Policies:
    """What the deployed stacks allow whom.

    Args:
        roles: The roles by their ARNs.
        of_resources: The statements of the resources' own policies, by the resources' ARNs.
        defaults: The statements of the policies that a service gives to resources without one, by their ARNs.
        keys: The ARNs of the KMS keys that the stacks make.
        unreadable: Why the policies of resources are not known, by the resources' ARNs.
    """

    roles: dict[str, Role] = field(default_factory=dict)
    of_resources: dict[str, list[Statement]] = field(default_factory=dict)
    defaults: dict[str, list[Statement]] = field(default_factory=dict)
    keys: set[str] = field(default_factory=set)
    unreadable: dict[str, UnsupportedTemplateError] = field(default_factory=dict)

    def statements(self) -> Iterable[Statement]:
        """Every statement of every policy that the stacks write."""
        for role in self.roles.values():
            yield from role.trust
            yield from role.statements
        for statements in self.of_resources.values():
            yield from statements

    def resource_statements(self, resource: str) -> list[Statement]:
        """The statements of a resource's own policy.

        An S3 object has its bucket's, an index its table's; a role has its trust policy.

        Raises:
            UnsupportedTemplateError: The policy needs something that is not known.
        """
        if ":s3:::" in resource:
            resource = resource.split("/", 1)[0]
        elif ":dynamodb:" in resource:
            resource = resource.split("/index/", 1)[0]
        if resource in self.roles:
            return self.roles[resource].trust
        if resource in self.unreadable:
            raise self.unreadable[resource]
        return self.of_resources.get(resource, self.defaults.get(resource, []))
