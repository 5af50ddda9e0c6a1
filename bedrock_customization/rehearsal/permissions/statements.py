"""The statements of policies: which requests and principals they match."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from bedrock_customization.rehearsal.assembly import UnsupportedTemplateError
from bedrock_customization.rehearsal.permissions.conditions import (
    Condition,
    Context,
    UnknownConditionError,
    substituted,
)
from bedrock_customization.rehearsal.permissions.matching import like, resource_like

ANY_RESOURCE = "\0any"
"""Stands for a resource that cannot be told from a request: every statement about its action fits."""


@dataclass(frozen=True, order=True)
class Grant:
    """One thing that a policy allows: an action on a resource.

    Args:
        holder: The role that may do it, or the resource whose policy allows it: its construct path or logical id.
        action: The action as the policy writes it.
        resource: The resource as the policy writes it, resolved; of a trust policy, who may assume the role.
    """

    holder: str
    action: str
    resource: str


@dataclass(frozen=True)
class Who:
    """Who makes a request, as the Principal element of a policy names it.

    Args:
        role_arn: The ARN of the role that acts, or None.
        session_arn: The ARN of its session.
        account: The account.
        services: The names of the service principal that acts without a role, for example `events.amazonaws.com` and,
            in a Region, `events.us-east-1.amazonaws.com`.
    """

    role_arn: str | None = None
    session_arn: str = ""
    account: str = ""
    services: tuple[str, ...] = ()


@dataclass(frozen=True)
class Statement:
    """One statement of a policy.

    Args:
        where: What error messages call it.
        holder: What its grants name as holder.
        allows: Whether its effect is Allow.
        actions: Its actions, or those that it leaves out.
        but_actions: Whether `actions` is what it leaves out.
        resources: Its resources, or those that it leaves out.
        but_resources: Whether `resources` is what it leaves out.
        principals: Its principals by their kind, or None if it has no such element.
        but_principals: Whether `principals` is what it leaves out.
        conditions: Its conditions.
        variables: Whether variables in it are replaced.
    """

    where: str
    holder: str
    allows: bool
    actions: tuple[str, ...]
    but_actions: bool
    resources: tuple[str, ...]
    but_resources: bool
    principals: dict[str, tuple[str, ...]] | None
    but_principals: bool
    conditions: tuple[Condition, ...]
    variables: bool = field(default=True)

    @property
    def depends_on_request(self) -> bool:
        """Whether more than action and resource decides if it applies."""
        return bool(self.conditions) or (self.variables and any("${" in resource for resource in self.resources))

    def concerns(self, action: str) -> bool:
        """Whether it is about an action."""
        return any(like(pattern, action, ignore_case=True) for pattern in self.actions) != self.but_actions

    def covers(self, resource: str, context: Context) -> bool:
        """Whether it is about a resource.

        Raises:
            UnsupportedTemplateError: A resource has a variable that is not known; says which and where.
        """
        if not self.resources or (resource == ANY_RESOURCE and (self.allows or "*" in self.resources)):
            return True
        return any(self._is(pattern, resource, context) for pattern in self.resources) != self.but_resources

    def _is(self, pattern: str, resource: str, context: Context) -> bool:
        try:
            return resource_like(substituted(pattern, context) if self.variables else pattern, resource)
        except UnknownConditionError as error:
            raise self._unsupported(error) from error

    def holds(self, context: Context) -> bool:
        """Whether all conditions hold.

        Raises:
            UnsupportedTemplateError: A condition uses something that is not known; says what and where.
        """
        unknown = None
        for condition in self.conditions:
            try:
                if not condition.holds(context):
                    return False
            except UnknownConditionError as error:
                # A condition that fails decides without the ones that are not known, wherever it stands.
                unknown = error
        if unknown is not None:
            raise self._unsupported(unknown) from unknown
        return True

    def _unsupported(self, error: UnknownConditionError) -> UnsupportedTemplateError:
        return UnsupportedTemplateError(
            f"{self.where} uses {error}, which the rehearsal does not know; "
            "pass enforce_permissions=False to rehearse without permissions"
        )

    def names(self, who: Who) -> bool:
        """Whether the Principal element of an Allow names somebody, and not only the account."""
        return self._matches(who, account=False)

    def names_session(self, who: Who) -> bool:
        """Whether its Principal element names a role's session by its ARN."""
        return who.role_arn is not None and who.session_arn in (self.principals or {}).get("AWS", ())

    def delegates_to(self, who: Who) -> bool:
        """Whether the Principal element of an Allow names somebody's account, so that identity policies decide."""
        return self._matches(who, account=True)

    def denies(self, who: Who, *, bounded: bool) -> bool:
        """Whether the Principal or NotPrincipal element of a Deny hits somebody.

        An account stands for all its principals. NotPrincipal spares a role only if it names the account, the role and
        the session, and never one with a permissions boundary.

        Args:
            who: Who asks.
            bounded: Whether the role has a permissions boundary.
        """
        if not self.but_principals:
            return self._matches(who, account=True)
        if who.role_arn is None:
            return not self._matches(who, account=False)
        spared = (self.principals or {}).get("AWS", ())
        account = any(name in spared for name in _account_names(who))
        return bounded or not (account and who.role_arn in spared and who.session_arn in spared)

    def _matches(self, who: Who, *, account: bool) -> bool:
        principals = self.principals or {}
        if "*" in principals:
            return True
        if who.services:
            return any(name in who.services for name in principals.get("Service", ())) or "*" in principals.get(
                "AWS", ()
            )
        own = {who.role_arn, who.session_arn, "*"}
        if account:
            own |= {*_account_names(who)}
        return any(name in own for name in principals.get("AWS", ()))

    def grants(self) -> Iterator[Grant]:
        """What it allows, one by one."""
        if self.allows:
            for action in self._actions_shown():
                yield from (Grant(self.holder, action, resource) for resource in self._resources_shown())

    def exercised(self, action: str, resource: str, context: Context) -> Iterator[Grant]:
        """Those of its grants that a request makes use of."""
        actions = [
            shown for shown in self._actions_shown() if self.but_actions or like(shown, action, ignore_case=True)
        ]
        for shown in self._resources_shown():
            if self.but_resources or self.principals is not None or resource == ANY_RESOURCE:
                fits = True
            else:
                fits = self._is(shown, resource, context)
            if fits:
                yield from (Grant(self.holder, verb, shown) for verb in actions)

    def _actions_shown(self) -> tuple[str, ...]:
        return (f"all but {', '.join(self.actions)}",) if self.but_actions else self.actions

    def _resources_shown(self) -> tuple[str, ...]:
        if self.principals is not None and not self.but_principals:
            named = ", ".join(name for names in self.principals.values() for name in names)
            return (f"to {named}",)
        if self.but_resources:
            return (f"all but {', '.join(self.resources)}",)
        return self.resources or ("*",)


def _account_names(who: Who) -> tuple[str, str]:
    partition = (who.role_arn or "arn:aws").split(":")[1]
    return who.account, f"arn:{partition}:iam::{who.account}:root"
