"""The policies of deployed stacks: of roles, and of the resources that have policies of their own."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

from bedrock_customization.rehearsal.assembly import UnsupportedTemplateError
from bedrock_customization.rehearsal.deployment import DeployedStack
from bedrock_customization.rehearsal.permissions.statements import Statement, statements_of
from bedrock_customization.rehearsal.template import Template


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
    """

    arn: str
    holder: str
    trust: list[Statement]
    statements: list[Statement] = field(default_factory=list)
    boundary: list[Statement] | None = None
    tags: dict[str, str] = field(default_factory=dict)
    unknown: list[str] = field(default_factory=list)

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
        keys: The ARNs of the KMS keys that the stacks make.
        unreadable: Why the policies of resources are not known, by the resources' ARNs.
    """

    roles: dict[str, Role] = field(default_factory=dict)
    of_resources: dict[str, list[Statement]] = field(default_factory=dict)
    keys: set[str] = field(default_factory=set)
    unreadable: dict[str, UnsupportedTemplateError] = field(default_factory=dict)

    @classmethod
    def of(cls, stacks: Iterable[DeployedStack]) -> Policies:
        """The policies of deployed stacks."""
        policies = cls()
        readers = [_Reader(stack, policies) for stack in stacks]
        for reader in readers:
            reader.read_roles()
        for reader in readers:
            reader.read_identity_policies()
            reader.read_resource_policies()
        return policies

    def statements(self) -> Iterable[Statement]:
        """Every statement of every policy."""
        for role in self.roles.values():
            yield from role.trust
            yield from role.statements
        for statements in self.of_resources.values():
            yield from statements

    def resource_statements(self, resource: str) -> list[Statement]:
        """The statements of a resource's own policy; an S3 object has its bucket's, a role its trust policy.

        Raises:
            UnsupportedTemplateError: The policy needs something that is not known.
        """
        if ":s3:::" in resource:
            resource = resource.split("/", 1)[0]
        if resource in self.roles:
            return self.roles[resource].trust
        if resource in self.unreadable:
            raise self.unreadable[resource]
        return self.of_resources.get(resource, [])


class _Reader:
    def __init__(self, stack: DeployedStack, policies: Policies) -> None:
        self._stack = stack
        self._policies = policies
        self._managed: dict[str, tuple[Template, str]] = {
            template.reference(logical_id): (template, logical_id)
            for template, logical_id in stack.resources("AWS::IAM::ManagedPolicy")
        }

    def read_roles(self) -> None:
        for template, logical_id in self._stack.resources("AWS::IAM::Role"):
            role = Role(template.arn(logical_id), self._holder(template, logical_id), [])
            self._policies.roles[role.arn] = role
            where = _where(template, logical_id)
            try:
                self._read_role(role, template.properties(logical_id), where)
            except UnsupportedTemplateError as error:
                role.unknown.append(str(error))

    def _read_role(self, role: Role, properties: dict[str, Any], where: str) -> None:
        trust = properties.get("AssumeRolePolicyDocument", {})
        role.trust += statements_of(trust, f"{where}.AssumeRolePolicyDocument", role.holder)
        role.tags = tags_of(properties.get("Tags", []))
        for index, inline in enumerate(properties.get("Policies", [])):
            inside = f"{where}.Policies[{index}].PolicyDocument"
            role.statements += statements_of(inline["PolicyDocument"], inside, role.holder)
        for attached in properties.get("ManagedPolicyArns", []):
            role.statements += self._managed_statements(attached, role)
        if "PermissionsBoundary" in properties:
            role.boundary = self._managed_statements(properties["PermissionsBoundary"], role)

    def read_identity_policies(self) -> None:
        for template, logical_id in self._stack.resources("AWS::IAM::Policy", "AWS::IAM::RolePolicy"):
            names = template.properties(logical_id, "Roles", "RoleName")
            for name in names.get("Roles", [names.get("RoleName")]):
                self._attach(name, template, logical_id)
        for template, logical_id in self._managed.values():
            for name in template.properties(logical_id, "Roles").get("Roles", []):
                self._attach(name, template, logical_id)

    def _attach(self, role_name: str, template: Template, logical_id: str) -> None:
        for role in self._policies.roles.values():
            if role.name == role_name:
                role.statements += self._document(template, logical_id, role)

    def _document(self, template: Template, logical_id: str, role: Role) -> list[Statement]:
        try:
            document = template.properties(logical_id, "PolicyDocument")["PolicyDocument"]
        except UnsupportedTemplateError as error:
            role.unknown.append(str(error))
            return []
        return statements_of(document, f"{_where(template, logical_id)}.PolicyDocument", role.holder)

    def _managed_statements(self, arn: str, role: Role) -> list[Statement]:
        if arn in self._managed:
            return self._document(*self._managed[arn], role)
        name = arn.rsplit("/", 1)[-1]
        if ":iam::aws:policy/" in arn and name in _aws_policies():
            return statements_of(_aws_policies()[name]["Document"], arn, role.holder)
        role.unknown.append(f"the policy {arn} is not in the template")
        return []

    def read_resource_policies(self) -> None:
        for template, logical_id in self._stack.resources(*_RESOURCE_POLICIES):
            kind = template.kind(logical_id)
            targets = _RESOURCE_POLICIES[kind]
            for target in _list(template.properties(logical_id, targets)[targets]):
                self._own(_resource_arn(kind, target, template), template, logical_id, "PolicyDocument")
        for template, logical_id in self._stack.resources("AWS::KMS::Key"):
            self._policies.keys.add(template.arn(logical_id))
            self._own(template.arn(logical_id), template, logical_id, "KeyPolicy")
        for template, logical_id in self._stack.resources("AWS::Lambda::Permission"):
            properties = template.properties(logical_id)
            arn = str(properties["FunctionName"])
            if not arn.startswith("arn:"):
                arn = template.place.arn("lambda", f"function:{arn}")
            document = _function_policy(properties, arn)
            statements = statements_of(document, _where(template, logical_id), self._holder(template, logical_id))
            self._policies.of_resources.setdefault(arn, []).extend(statements)

    def _own(self, arn: str, template: Template, logical_id: str, name: str) -> None:
        try:
            document = template.properties(logical_id, name).get(name, {})
        except UnsupportedTemplateError as error:
            self._policies.unreadable[arn] = error
            return
        where = f"{_where(template, logical_id)}.{name}"
        statements = statements_of(document, where, self._holder(template, logical_id))
        self._policies.of_resources.setdefault(arn, []).extend(statements)

    def _holder(self, template: Template, logical_id: str) -> str:
        for stack in self._stack.all():
            if stack.template is template:
                for path, known in stack.paths.items():
                    if known == logical_id:
                        return path.removesuffix("/Resource")
        return f"{template.path}/{logical_id}"


_RESOURCE_POLICIES = {
    "AWS::S3::BucketPolicy": "Bucket",
    "AWS::SNS::TopicPolicy": "Topics",
    "AWS::SQS::QueuePolicy": "Queues",
}


def _resource_arn(kind: str, target: str, template: Template) -> str:
    if kind == "AWS::S3::BucketPolicy":
        return f"arn:{template.place.partition}:s3:::{target}"
    return target if target.startswith("arn:") else queue_arn(target, template.place.partition)


def queue_arn(url: str, partition: str) -> str:
    """The ARN of a queue, from its URL."""
    host, account, name = url.split("://", 1)[-1].split("/", 2)
    return f"arn:{partition}:sqs:{host.split('.')[1]}:{account}:{name}"


def _function_policy(permission: dict[str, Any], arn: str) -> dict[str, Any]:
    named = str(permission["Principal"])
    if named == "*":
        principal: Any = "*"
    else:
        principal = {"Service": named} if "." in named and not named.startswith("arn:") else {"AWS": named}
    conditions: dict[str, dict[str, str]] = {}
    if "SourceArn" in permission:
        conditions["ArnLike"] = {"aws:SourceArn": permission["SourceArn"]}
    if "SourceAccount" in permission:
        conditions["StringEquals"] = {"aws:SourceAccount": permission["SourceAccount"]}
    if "PrincipalOrgID" in permission:
        conditions.setdefault("StringEquals", {})["aws:PrincipalOrgID"] = permission["PrincipalOrgID"]
    statement = {"Effect": "Allow", "Principal": principal, "Action": permission["Action"], "Resource": arn}
    return {"Version": "2012-10-17", "Statement": [statement | {"Condition": conditions}]}


@lru_cache
def _aws_policies() -> dict[str, Any]:
    from moto.iam.aws_managed_policies import aws_managed_policies_data

    policies: dict[str, Any] = json.loads(aws_managed_policies_data)
    return policies


def _where(template: Template, logical_id: str) -> str:
    return f"{template.path}: {logical_id}.Properties ({template.kind(logical_id)})"


def tags_of(listed: Any) -> dict[str, str]:
    """Tags as a template lists them, or has them by their keys."""
    if isinstance(listed, dict):
        return {key: str(value) for key, value in listed.items()}
    return {tag["Key"]: str(tag["Value"]) for tag in listed if isinstance(tag, dict) and "Key" in tag}


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]
