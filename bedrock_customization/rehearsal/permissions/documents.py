"""Reads policy documents, and refuses what IAM refuses."""

from __future__ import annotations

import re
from collections.abc import Iterable
from enum import Enum
from typing import Any

from bedrock_customization.rehearsal.assembly import UnsupportedTemplateError
from bedrock_customization.rehearsal.permissions.conditions import Condition, MalformedConditionError, conditions_of
from bedrock_customization.rehearsal.permissions.statements import Statement

_ACTION = re.compile(r"\*|[\w*?-]+:.+")


class MalformedPolicyError(Exception):
    """IAM refuses a policy; says where and why."""


class PolicyKind(Enum):
    """What a policy is attached to, which decides the elements that its statements have."""

    IDENTITY = "an identity-based policy"
    RESOURCE = "a resource-based policy"
    TRUST = "a role's trust policy"


_REQUIRED = {
    PolicyKind.IDENTITY: ("Action", "Resource"),
    PolicyKind.RESOURCE: ("Principal", "Action", "Resource"),
    PolicyKind.TRUST: ("Principal", "Action"),
}
_FORBIDDEN = {
    PolicyKind.IDENTITY: ("Principal", "NotPrincipal"),
    PolicyKind.RESOURCE: (),
    PolicyKind.TRUST: ("Resource", "NotResource", "NotPrincipal"),
}


def statements_of(document: dict[str, Any], where: str, holder: str, kind: PolicyKind) -> list[Statement]:
    """The statements of a policy document.

    Args:
        document: The document, resolved.
        where: What error messages call it.
        holder: What its grants name as holder.
        kind: What it is attached to.

    Raises:
        MalformedPolicyError: IAM would refuse the document.
        UnsupportedTemplateError: A statement allows by `NotPrincipal`, for which IAM has no rule.
    """
    written = document.get("Statement", [])
    variables = document.get("Version") == "2012-10-17"
    return [
        _statement(entry, f"{where}.Statement[{index}]", holder, kind, variables)
        for index, entry in enumerate(written if isinstance(written, list) else [written])
    ]


def _statement(entry: dict[str, Any], where: str, holder: str, kind: PolicyKind, variables: bool) -> Statement:
    _check_elements(entry, where, kind)
    actions = tuple(_list(entry.get("Action", entry.get("NotAction"))))
    resources = tuple(_list(entry.get("Resource", entry.get("NotResource"))))
    _check_values(actions, resources, where)
    principal = entry.get("Principal", entry.get("NotPrincipal"))
    principals: dict[str, tuple[str, ...]] | None = None
    if isinstance(principal, dict):
        principals = {name: tuple(_list(names)) for name, names in principal.items()}
    elif principal is not None:
        principals = {str(principal): (str(principal),)}
    return Statement(
        where=where,
        holder=holder,
        allows=entry["Effect"] == "Allow",
        actions=actions,
        but_actions="NotAction" in entry,
        resources=resources,
        but_resources="NotResource" in entry,
        principals=principals,
        but_principals="NotPrincipal" in entry,
        conditions=_conditions(entry, where, variables),
        variables=variables,
    )


def _check_elements(entry: dict[str, Any], where: str, kind: PolicyKind) -> None:
    effect = entry.get("Effect")
    if effect not in ("Allow", "Deny"):
        raise MalformedPolicyError(f"{where}.Effect: is {effect!r}; write 'Allow' or 'Deny'")
    for element in _FORBIDDEN[kind]:
        if element in entry:
            raise MalformedPolicyError(
                f"{where}.{element}: {kind.value} has no such element, but got {entry[element]!r}; leave it out"
            )
    for element in _REQUIRED[kind]:
        given = [name for name in (element, f"Not{element}") if name in entry]
        if len(given) != 1:
            raise MalformedPolicyError(
                f"{where}: has {' and '.join(given) or f'no {element}'}; "
                f"{kind.value} needs either {element} or Not{element}"
            )
    if "NotPrincipal" in entry and effect == "Allow":
        raise UnsupportedTemplateError(
            f"{where}.NotPrincipal: IAM does not support it with the effect Allow; "
            "name who is allowed in Principal, or deny with NotPrincipal"
        )


def _check_values(actions: tuple[str, ...], resources: tuple[str, ...], where: str) -> None:
    for action in actions:
        if not _ACTION.fullmatch(action):
            raise MalformedPolicyError(
                f"{where}.Action: {action!r} names no service; write it as 's3:GetObject', or '*' for all"
            )
    for resource in resources:
        if resource != "*" and not resource.startswith("arn:"):
            raise MalformedPolicyError(
                f"{where}.Resource: {resource!r} is no ARN; write it as 'arn:aws:s3:::bucket/*', or '*' for all"
            )


def _conditions(entry: dict[str, Any], where: str, variables: bool) -> tuple[Condition, ...]:
    try:
        conditions = conditions_of(entry.get("Condition", {}), variables=variables)
    except MalformedConditionError as error:
        raise MalformedPolicyError(f"{where}: {error}") from error
    for condition in conditions:
        if ":" not in condition.key:
            raise MalformedPolicyError(
                f"{where}.Condition: the key {condition.key!r} names no service; write it as 'aws:{condition.key}'"
            )
    return conditions


def _list(value: Any) -> Iterable[str]:
    if value is None:
        return []
    return [str(item) for item in value] if isinstance(value, list) else [str(value)]
