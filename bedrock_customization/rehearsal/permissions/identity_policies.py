"""Reads the roles of deployed stacks and the policies that are attached to them."""

from __future__ import annotations

import json
from collections.abc import Iterable
from functools import lru_cache
from typing import Any

from bedrock_customization.rehearsal.assembly import UnsupportedTemplateError
from bedrock_customization.rehearsal.deployment import DeployedStack
from bedrock_customization.rehearsal.permissions import naming
from bedrock_customization.rehearsal.permissions.documents import PolicyKind, statements_of
from bedrock_customization.rehearsal.permissions.policies import Policies, Role
from bedrock_customization.rehearsal.permissions.resource_policies import read_resource_policies
from bedrock_customization.rehearsal.permissions.statements import Statement
from bedrock_customization.rehearsal.template import Template


def policies_of(stacks: Iterable[DeployedStack]) -> Policies:
    """The policies of deployed stacks.

    Raises:
        MalformedPolicyError: IAM would refuse a policy.
        UnsupportedTemplateError: A policy needs something that is not known.
    """
    stacks = list(stacks)
    policies = Policies()
    reader = _Reader(stacks, policies)
    for stack in stacks:
        reader.read_roles(stack)
    for stack in stacks:
        reader.read_attached(stack)
        read_resource_policies(stack, policies)
    return policies


class _Reader:
    def __init__(self, stacks: list[DeployedStack], policies: Policies) -> None:
        self._policies = policies
        self._managed: dict[str, tuple[Template, str]] = {
            template.reference(logical_id): (template, logical_id)
            for stack in stacks
            for template, logical_id in stack.resources("AWS::IAM::ManagedPolicy")
        }

    def read_roles(self, stack: DeployedStack) -> None:
        for template, logical_id in stack.resources("AWS::IAM::Role"):
            role = Role(template.arn(logical_id), naming.holder(stack, template, logical_id), [])
            self._policies.roles[role.arn] = role
            try:
                self._read_role(role, template, logical_id)
            except UnsupportedTemplateError as error:
                role.unknown.append(str(error))
            if "PermissionsBoundary" in (template.body["Resources"][logical_id].get("Properties") or {}):
                self._read_boundary(role, template, logical_id)

    def _read_role(self, role: Role, template: Template, logical_id: str) -> None:
        properties = template.properties(
            logical_id, "AssumeRolePolicyDocument", "Tags", "Policies", "ManagedPolicyArns"
        )
        where = naming.where(template, logical_id)
        trust = properties.get("AssumeRolePolicyDocument", {})
        role.trust += statements_of(trust, f"{where}.AssumeRolePolicyDocument", role.holder, PolicyKind.TRUST)
        role.tags = naming.tags_of(properties.get("Tags", []))
        for index, inline in enumerate(properties.get("Policies", [])):
            inside = f"{where}.Policies[{index}].PolicyDocument"
            role.statements += statements_of(inline["PolicyDocument"], inside, role.holder, PolicyKind.IDENTITY)
        for attached in properties.get("ManagedPolicyArns", []):
            role.statements += self._managed_statements(attached, role.holder, role.unknown)

    def _read_boundary(self, role: Role, template: Template, logical_id: str) -> None:
        try:
            arn = template.properties(logical_id, "PermissionsBoundary").get("PermissionsBoundary")
        except UnsupportedTemplateError as error:
            role.boundary, role.boundary_unknown = [], [str(error)]
            return
        if arn is not None:
            role.boundary = self._managed_statements(arn, role.holder, role.boundary_unknown)

    def read_attached(self, stack: DeployedStack) -> None:
        kinds = ("AWS::IAM::Policy", "AWS::IAM::RolePolicy", "AWS::IAM::ManagedPolicy")
        for template, logical_id in stack.resources(*kinds):
            names = template.properties(logical_id, "Roles", "RoleName")
            for name in names.get("Roles", [names.get("RoleName")]):
                for role in self._policies.roles.values():
                    if role.name == name:
                        role.statements += self._document(template, logical_id, role.holder, role.unknown)

    def _document(self, template: Template, logical_id: str, holder: str, unknown: list[str]) -> list[Statement]:
        try:
            document = template.properties(logical_id, "PolicyDocument")["PolicyDocument"]
        except UnsupportedTemplateError as error:
            unknown.append(str(error))
            return []
        where = f"{naming.where(template, logical_id)}.PolicyDocument"
        return statements_of(document, where, holder, PolicyKind.IDENTITY)

    def _managed_statements(self, arn: str, holder: str, unknown: list[str]) -> list[Statement]:
        if arn in self._managed:
            return self._document(*self._managed[arn], holder, unknown)
        name = arn.rsplit("/", 1)[-1]
        if ":iam::aws:policy/" in arn and name in _aws_policies():
            return statements_of(_aws_policies()[name]["Document"], arn, holder, PolicyKind.IDENTITY)
        unknown.append(
            f"the policy {arn} is in no rehearsed stack; make it in the stack, or in one that the stack imports it from"
        )
        return []


@lru_cache
def _aws_policies() -> dict[str, Any]:
    from moto.iam.aws_managed_policies import aws_managed_policies_data

    policies: dict[str, Any] = json.loads(aws_managed_policies_data)
    return policies
