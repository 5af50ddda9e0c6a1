"""Enforces the policies of deployed stacks on every call, and keeps book of what was used and what was denied."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from botocore.exceptions import ClientError

from bedrock_customization.rehearsal.aws import SimulatedAccount
from bedrock_customization.rehearsal.clock import VirtualClock
from bedrock_customization.rehearsal.deployment import DeployedStack
from bedrock_customization.rehearsal.permissions.calls import s3
from bedrock_customization.rehearsal.permissions.calls.need import Need
from bedrock_customization.rehearsal.permissions.calls.services import needs_of
from bedrock_customization.rehearsal.permissions.calls.training import job_arn, needs_of_service_role
from bedrock_customization.rehearsal.permissions.context import RequestContext
from bedrock_customization.rehearsal.permissions.evaluation import Decision, Evaluation, Request
from bedrock_customization.rehearsal.permissions.identity_policies import policies_of
from bedrock_customization.rehearsal.permissions.objects import Objects
from bedrock_customization.rehearsal.permissions.policies import Role
from bedrock_customization.rehearsal.permissions.principals import Principals
from bedrock_customization.rehearsal.permissions.resources import Resources
from bedrock_customization.rehearsal.permissions.statements import Grant
from bedrock_customization.rehearsal.physical_names import Place
from bedrock_customization.rehearsal.services import sdk
from bedrock_customization.rehearsal.services.api import ApiCall, Principal
from bedrock_customization.rehearsal.services.api_error import ApiError
from bedrock_customization.rehearsal.services.bedrock.registry import Registry


@dataclass(frozen=True)
class Denial:
    """A request that was denied.

    Args:
        holder: The role that was denied it, by its construct path or logical id, or the service.
        action: The action.
        resource: The resource's ARN.
        message: What AWS says.
    """

    holder: str
    action: str
    resource: str
    message: str


class Permissions:
    """The permissions of a rehearsed stack.

    A role that no rehearsed stack makes is not known, so its calls are not checked; and of such a KMS key only what
    identity policies say of it is. `unchecked` names them.

    Args:
        place: The account, Region and partition.
        aws: The simulated account.
        clock: The virtual time.
        registry: What the account has in Bedrock.

    Attributes:
        denied: What was denied, whether an error came of it or not.
        used: How often each grant was used.
        unchecked: The ARNs of the roles that acted, and of the KMS keys that were used, and are not known.
    """

    def __init__(self, place: Place, aws: SimulatedAccount, clock: VirtualClock, registry: Registry) -> None:
        self._place = place
        self._aws = aws
        self._clock = clock
        self._resources = Resources(place, registry, objects=Objects(self._head))
        self._principals = Principals(place)
        self._evaluation: Evaluation | None = None
        self.denied: list[Denial] = []
        self.used: Counter[Grant] = Counter()
        self.unchecked: set[str] = set()

    @property
    def granted(self) -> set[Grant]:
        """Everything that the stacks' policies allow."""
        statements = () if self._evaluation is None else self._evaluation.policies.statements()
        return {grant for statement in statements for grant in statement.grants()}

    @property
    def unused(self) -> set[Grant]:
        """What is allowed and was not used so far."""
        return self.granted - set(self.used)

    def enforce(self, stacks: Iterable[DeployedStack]) -> None:
        """Check every call from now on, by the policies of deployed stacks.

        Raises:
            UnsupportedTemplateError: A policy needs something that is not known.
        """
        stacks = list(stacks)
        self._resources.take(stacks)
        self._evaluation = Evaluation(policies_of(stacks))

    def before(self, call: ApiCall) -> None:
        """Refuse a call that its caller may not make.

        Raises:
            ApiError: Access is denied, with the error code of the call's service.
            UnsupportedTemplateError: The decision hangs on something that the rehearsal does not know.
        """
        if self._evaluation is None or not (call.principal.role_arn or call.principal.service):
            return
        keys: dict[str, Sequence[str]] = {} if call.secure else {"aws:securetransport": ["false"]}
        if call.service == "s3" and call.operation == "DeleteObjects":
            self._refuse_deletions(call, keys)
            return
        denial = self._first_denial(call.principal, needs_of(call, self._resources), call.region, keys)
        if denial is None and call.service == "s3" and call.operation in ("GetObject", "HeadObject"):
            denial = self._hidden(call)
        if denial is not None:
            raise access_denied(call.service, denial.message)
        if call.operation == "CreateModelCustomizationJob":
            self._train(call)
        if call.service == "lambda" and call.operation == "Invoke":
            self._write_log(call)

    def after(self, call: ApiCall, result: Any) -> None:
        """Remember what later calls hang on; nothing is denied after it was done."""
        if call.service == "s3" and call.operation == "CreateMultipartUpload":
            self._resources.objects.begin_upload(result["UploadId"], call.parameters)

    def require(self, principal: Principal, needs: Iterable[Need], service: str) -> None:
        """Refuse what a service does in somebody's name beside the calls that it is asked for.

        Args:
            principal: In whose name.
            needs: What that needs.
            service: The service whose error is answered, by its boto3 name.

        Raises:
            ApiError: Access is denied.
        """
        denial = self._first_denial(principal, needs, self._place.region, {})
        if denial is not None:
            raise access_denied(service, denial.message)

    def key_arn(self, identifier: str) -> str:
        """A KMS key's ARN, from its id, ARN or alias."""
        return self._resources.key_arn(identifier)

    def knows_key(self, arn: str) -> bool:
        """Whether a KMS key is one of the stacks', so that its policy is known."""
        return self._evaluation is not None and arn in self._evaluation.policies.keys

    def note(self, principal: Principal, needs: Iterable[Need]) -> None:
        """Keep book of what a service tries and gets along without, such as writing a function's log."""
        for need in needs:
            self._first_denial(principal, [need], self._place.region, {})

    def may_assume(self, role_arn: str, service: str, source_arn: str | None) -> str | None:
        """Why a service may not assume a role, or None if it may.

        Args:
            role_arn: The role.
            service: The service principal, for example `bedrock.amazonaws.com`.
            source_arn: In the name of which resource.
        """
        role = self._role(role_arn)
        if role is None or self._evaluation is None:
            return None
        action = "sts:AssumeRole"
        keys = self._principals.service_keys(service, source_arn, action)
        context = self._context(action, role.arn, self._place.region, keys)
        decision = self._evaluation.may_assume(role, self._principals.service(service), context)
        denial = self._book(decision, service, service, action, role.arn)
        return None if denial is None else denial.message

    def _first_denial(
        self, principal: Principal, needs: Iterable[Need], region: str, keys: dict[str, Sequence[str]]
    ) -> Denial | None:
        """The first of some needs that is denied; None if all are allowed, which counts as their use."""
        if self._evaluation is None:
            return None
        role = None
        if principal.role_arn is not None:
            role = self._role(principal.role_arn)
            if role is None:
                return None
            if principal.service is not None:
                denied = self.may_assume(role.arn, principal.service, principal.source_arn)
                if denied is not None:
                    return self.denied[-1]
        who = self._principals.who(principal, role)
        shown = who.session_arn or who.services[0]
        for need in needs if role is not None else self._resources.needs_of_a_service(needs):
            given = {**self._principals.keys(principal, role, need.action), **keys, **need.keys}
            # A request may name an alias of its own; policies are about the key.
            resource = self._resources.key_arn(need.resource) if ":alias/" in need.resource else need.resource
            context = self._context(need.action, resource, region, given)
            decision = self._evaluation.decide(who, Request(need.action, resource, context))
            holder = role.holder if role is not None else shown
            denial = self._book(decision, holder, shown, need.action, resource)
            if denial is not None:
                return denial
            if need.action.startswith("kms:") and ":key/" in resource and not self.knows_key(resource):
                self.unchecked.add(resource)
        return None

    def _book(self, decision: Decision, holder: str, shown: str, action: str, resource: str) -> Denial | None:
        if decision.reason is None:
            self.used.update(decision.grants)
            return None
        named = f'"{resource}"' if action.startswith("s3:") else resource
        message = f"User: {shown} is not authorized to perform: {action} on resource: {named} {decision.reason}"
        self.denied.append(Denial(holder, action, resource, message))
        return self.denied[-1]

    def _train(self, call: ApiCall) -> None:
        """Refuse a job whose service role is not enough for more than its data, which Bedrock checks by itself."""
        request, service = call.parameters, "bedrock.amazonaws.com"
        principal = Principal(request["roleArn"], service=service, source_arn=job_arn(request, self._resources))
        needs = needs_of_service_role(request, self._resources)
        denial = self._first_denial(principal, needs, call.region, {})
        if denial is not None:
            raise ApiError("ValidationException", f"The service role is not enough for the job. {denial.message}")

    def _refuse_deletions(self, call: ApiCall, keys: dict[str, Sequence[str]]) -> None:
        """Refuse those of several objects that the caller may not delete, which is no error of the whole call."""
        needs = s3.deletions(call.parameters, self._resources)
        for entry, need in zip(call.parameters["Delete"]["Objects"], needs, strict=True):
            denial = self._first_denial(call.principal, [need], call.region, keys)
            if denial is not None:
                named = {name: entry[name] for name in ("Key", "VersionId") if name in entry}
                call.refused.append({**named, "Code": "AccessDenied", "Message": denial.message})

    def _hidden(self, call: ApiCall) -> Denial | None:
        """Whoever may not list a bucket is not told that an object does not exist."""
        if self._resources.objects.stored(call.parameters) is not None:
            return None
        need = s3.listing_that_reveals(call.parameters, self._resources)
        return self._first_denial(call.principal, [need], call.region, {})

    def _head(self, request: dict[str, Any]) -> dict[str, Any] | None:
        try:
            stored: dict[str, Any] = self._aws.forward(self._aws.client("s3"), "HeadObject", request)
        except ClientError:
            return None
        return stored

    def _write_log(self, call: ApiCall) -> None:
        name = call.parameters["FunctionName"].split(":function:", 1)[-1].split(":")[0]
        function = self._resources.functions.get(name)
        if function is not None:
            self.note(Principal(function.role_arn, function=function.name), function.needs_of_an_invocation())

    def _role(self, arn: str) -> Role | None:
        role = None if self._evaluation is None else self._evaluation.policies.roles.get(arn)
        if role is None and self._evaluation is not None:
            self.unchecked.add(arn)
        return role

    def _context(self, action: str, resource: str, region: str, keys: dict[str, Sequence[str]]) -> RequestContext:
        now = self._clock.now()
        given: dict[str, Sequence[str]] = {
            "aws:securetransport": ["true"],
            "aws:requestedregion": [region],
            "aws:currenttime": [now.strftime("%Y-%m-%dT%H:%M:%SZ")],
            "aws:epochtime": [str(int(now.timestamp()))],
            **keys,
        }
        if action.startswith("s3:") and given["aws:securetransport"] == ["true"]:
            given["s3:tlsversion"] = ["1.3"]
        if ":foundation-model/" not in resource:
            owner = resource.split(":")[4:5]
            given["aws:resourceaccount"] = owner if any(owner) else [self._place.account]
        return RequestContext(given, lambda: self._resources.tags(resource))


def access_denied(service: str, message: str) -> ApiError:
    """The error with which a service denies access.

    Args:
        service: Its boto3 name.
        message: What it says.
    """
    protocol = sdk.service_model(service).metadata["protocol"]
    if service == "sns":
        return ApiError("AuthorizationError", message, 403)
    if protocol in ("rest-xml", "query", "ec2") or service == "sqs":
        return ApiError("AccessDenied", message, 403)
    return ApiError("AccessDeniedException", message, 400 if protocol == "json" else 403)
