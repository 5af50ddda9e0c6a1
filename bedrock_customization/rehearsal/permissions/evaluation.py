"""Decides whether a request is allowed, as IAM does within one account."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from bedrock_customization.rehearsal.assembly import UnsupportedTemplateError
from bedrock_customization.rehearsal.permissions.context import RequestContext
from bedrock_customization.rehearsal.permissions.policies import Policies, Role
from bedrock_customization.rehearsal.permissions.statements import Grant, Statement, Who

_OR_WITHOUT = "or pass enforce_permissions=False to rehearse without permissions"


@dataclass(frozen=True)
class Request:
    """What somebody asks for: an action on a resource.

    Args:
        action: The action, for example `s3:GetObject`.
        resource: The resource's ARN, or `*`.
        context: The condition keys.
    """

    action: str
    resource: str
    context: RequestContext


@dataclass(frozen=True)
class Decision:
    """What IAM decides.

    Args:
        reason: Why the request is denied, in AWS's words; None if it is allowed.
        grants: What allowed it.
    """

    reason: str | None
    grants: tuple[Grant, ...] = ()


@dataclass
class _Applicable:
    """The statements of one policy that are about an action."""

    denials: list[Statement] = field(default_factory=list)
    allowances: list[Statement] = field(default_factory=list)

    @property
    def unconditional(self) -> bool:
        return not any(statement.depends_on_request for statement in (*self.denials, *self.allowances))


class Evaluation:
    """Evaluates requests against the policies of deployed stacks; the account is the same for all.

    Args:
        policies: The policies.
    """

    def __init__(self, policies: Policies) -> None:
        self.policies = policies
        self._applicable: dict[tuple[str, str], _Applicable] = {}
        self._decisions: dict[tuple[Who, str, str], Decision] = {}

    def decide(self, who: Who, request: Request) -> Decision:
        """Decide on a request.

        An explicit Deny of any policy wins. Else an identity policy or the resource's own policy has to allow it; a
        KMS key's policy and a role's trust policy have to allow it or to leave it to the identity policies. A
        permissions boundary limits both.

        Raises:
            UnsupportedTemplateError: The decision hangs on something that the rehearsal does not know.
        """
        action, resource = request.action, request.resource
        key = (who, action, resource)
        if key in self._decisions:
            return self._decisions[key]
        if action.startswith("kms:") and ":alias/" in resource and ":alias/aws/" not in resource:
            raise UnsupportedTemplateError(
                f"which key {resource} stands for is not known; make the alias in the stack, or in one that the stack "
                f"imports from; {_OR_WITHOUT}"
            )
        role = self.policies.roles.get(who.role_arn or "")
        identity = self._about(f"identity {who.role_arn}", role.statements if role else (), action)
        boundary = self._about(f"boundary {who.role_arn}", (role.boundary if role else None) or (), action)
        own = self._about(f"resource {resource}", self.policies.resource_statements(resource), action)
        decision = self._decided(who, role, request, identity, boundary, own)
        if identity.unconditional and boundary.unconditional and own.unconditional:
            self._decisions[key] = decision
        return decision

    def may_assume(self, role: Role, who: Who, context: RequestContext) -> Decision:
        """Decide whether a service may assume a role, by the role's trust policy.

        Args:
            role: The role.
            who: The service.
            context: The condition keys.

        Raises:
            UnsupportedTemplateError: The decision hangs on something that the rehearsal does not know.
        """
        about = self._about(f"trust {role.arn}", role.trust, "sts:AssumeRole")
        if any(statement.denies(who, bounded=False) and statement.holds(context) for statement in about.denials):
            return Decision("with an explicit deny in a resource-based policy")
        allowing = [statement for statement in about.allowances if statement.names(who) and statement.holds(context)]
        if not allowing:
            return Decision("because no resource-based policy allows the sts:AssumeRole action")
        return Decision(None, _exercised(allowing, Request("sts:AssumeRole", role.arn, context)))

    def _decided(
        self,
        who: Who,
        role: Role | None,
        request: Request,
        identity: _Applicable,
        boundary: _Applicable,
        own: _Applicable,
    ) -> Decision:
        bounded = role is not None and role.boundary is not None
        denying = [statement for statement in own.denials if statement.denies(who, bounded=bounded)]
        for name, statements in (
            ("an identity-based policy", identity.denials),
            ("a permissions boundary", boundary.denials),
            ("a resource-based policy", denying),
        ):
            if _fitting(statements, request):
                return Decision(f"with an explicit deny in {name}")
        direct = _fitting([statement for statement in own.allowances if statement.names(who)], request)
        allowed = _fitting(identity.allowances, request)
        has_last_word = (
            request.resource in self.policies.keys
            if request.action.startswith("kms:")
            else request.action == "sts:AssumeRole" and request.resource in self.policies.roles
        )
        delegations = (
            _fitting([statement for statement in own.allowances if statement.delegates_to(who)], request)
            if has_last_word
            else []
        )
        if has_last_word and not delegations:
            return Decision(f"because no resource-based policy allows the {request.action} action")
        if not direct and not allowed:
            if role is not None and role.unknown:
                raise _undecided(role.holder, request, role.unknown[0])
            if role is None and request.action.startswith("kms:") and ":key/" in request.resource and not has_last_word:
                raise _undecided(
                    who.services[0],
                    request,
                    "the key is in no rehearsed stack; make it in the stack, or in one that the stack imports it from",
                )
            kind = "identity-based" if who.role_arn else "resource-based"
            return Decision(f"because no {kind} policy allows the {request.action} action")
        # What a resource's policy allows to the session itself, and not to its role, no boundary limits.
        to_session = any(statement.names_session(who) for statement in direct)
        if role is not None and bounded and not to_session and not _fitting(boundary.allowances, request):
            if role.boundary_unknown:
                reason = f"its permissions boundary is not known: {role.boundary_unknown[0]}"
                raise _undecided(role.holder, request, reason)
            return Decision(f"because no permissions boundary allows the {request.action} action")
        return Decision(None, _exercised([*allowed, *direct, *delegations], request))

    def _about(self, name: str, statements: Iterable[Statement], action: str) -> _Applicable:
        key = (name, action)
        if key not in self._applicable:
            found = _Applicable()
            for statement in statements:
                if statement.concerns(action):
                    (found.allowances if statement.allows else found.denials).append(statement)
            self._applicable[key] = found
        return self._applicable[key]


def _undecided(holder: str, request: Request, reason: str) -> UnsupportedTemplateError:
    return UnsupportedTemplateError(
        f"{holder}: whether {request.action} on {request.resource} is allowed is not known, because {reason}; "
        f"{_OR_WITHOUT}"
    )


def _fitting(statements: Iterable[Statement], request: Request) -> list[Statement]:
    return [
        statement
        for statement in statements
        if statement.covers(request.resource, request.context) and statement.holds(request.context)
    ]


def _exercised(statements: Iterable[Statement], request: Request) -> tuple[Grant, ...]:
    grants = {
        grant: None
        for statement in statements
        for grant in statement.exercised(request.action, request.resource, request.context)
    }
    return tuple(grants)
