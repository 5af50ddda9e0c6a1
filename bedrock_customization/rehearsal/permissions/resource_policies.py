"""Reads the policies that resources of deployed stacks have of their own."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from bedrock_customization.rehearsal.assembly import UnsupportedTemplateError
from bedrock_customization.rehearsal.deployment import DeployedStack
from bedrock_customization.rehearsal.permissions import naming
from bedrock_customization.rehearsal.permissions.documents import PolicyKind, statements_of
from bedrock_customization.rehearsal.permissions.policies import Policies
from bedrock_customization.rehearsal.physical_names import Place
from bedrock_customization.rehearsal.template import Template


def read_resource_policies(stack: DeployedStack, policies: Policies) -> None:
    """Add the policies of a stack's resources.

    Args:
        stack: The deployed stack.
        policies: Where to add them.

    Raises:
        MalformedPolicyError: IAM would refuse a policy.
        UnsupportedTemplateError: Whose policy it is, is not known.
    """
    reader = _Reader(stack, policies)
    for template, logical_id in stack.resources(*_BY_TARGET):
        reader.read_attached(template, logical_id)
    for template, logical_id in stack.resources(*_WITHIN):
        reader.read_within(template, logical_id)
    for template, logical_id in stack.resources("AWS::KMS::Key"):
        policies.keys.add(template.arn(logical_id))
    for template, logical_id in stack.resources("AWS::Events::EventBusPolicy"):
        reader.read_event_bus(template, logical_id)
    for template, logical_id in stack.resources("AWS::Lambda::Permission"):
        reader.read_function(template, logical_id)
    for template, logical_id in stack.resources("AWS::SNS::Topic"):
        reader.read_default(template, logical_id)


class _Reader:
    def __init__(self, stack: DeployedStack, policies: Policies) -> None:
        self._stack = stack
        self._policies = policies

    def read_attached(self, template: Template, logical_id: str) -> None:
        """A policy that is a resource of the template, attached to another one."""
        targets, document, arn_of = _BY_TARGET[template.kind(logical_id)]
        attached = template.properties(logical_id, targets)[targets]
        for target in attached if isinstance(attached, list) else [attached]:
            try:
                arn = arn_of(str(target), template.place)
            except ValueError as error:
                where = naming.where(template, logical_id)
                raise UnsupportedTemplateError(f"{where}.{targets}: {error}, got {target!r}") from error
            self._add(arn, template, logical_id, lambda properties: properties[document], document)

    def read_within(self, template: Template, logical_id: str) -> None:
        """A policy that is a property of its resource."""
        name, document_of = _WITHIN[template.kind(logical_id)]
        if name in (template.body["Resources"][logical_id].get("Properties") or {}):
            self._add(
                template.arn(logical_id),
                template,
                logical_id,
                lambda properties: document_of(properties.get(name), template.place),
                name,
            )

    def read_event_bus(self, template: Template, logical_id: str) -> None:
        bus = template.properties(logical_id, "EventBusName").get("EventBusName", "default")
        arn = template.place.arn("events", f"event-bus/{bus}")
        self._add(arn, template, logical_id, lambda properties: _bus_policy(properties, arn, template.place))

    def read_function(self, template: Template, logical_id: str) -> None:
        arn = str(template.properties(logical_id, "FunctionName")["FunctionName"])
        if not arn.startswith("arn:"):
            arn = template.place.arn("lambda", f"function:{arn}")
        self._add(arn, template, logical_id, lambda properties: _function_policy(properties, arn))

    def read_default(self, template: Template, logical_id: str) -> None:
        """The policy that SNS gives to a topic which has none."""
        arn = template.reference(logical_id)
        document = _default_topic_policy(arn, template.place.account)
        where = naming.where(template, logical_id)
        holder = naming.holder(self._stack, template, logical_id)
        self._policies.defaults[arn] = statements_of(document, where, holder, PolicyKind.RESOURCE)

    def _add(
        self,
        arn: str,
        template: Template,
        logical_id: str,
        document_of: Callable[[dict[str, Any]], dict[str, Any]],
        *names: str,
    ) -> None:
        try:
            document = document_of(template.properties(logical_id, *names))
        except UnsupportedTemplateError as error:
            self._policies.unreadable[arn] = error
            return
        where = ".".join([naming.where(template, logical_id), *names])
        holder = naming.holder(self._stack, template, logical_id)
        statements = statements_of(document, where, holder, PolicyKind.RESOURCE)
        self._policies.of_resources.setdefault(arn, []).extend(statements)


def _bucket(name: str, place: Place) -> str:
    return f"arn:{place.partition}:s3:::{name}"


def _queue(url: str, place: Place) -> str:
    return naming.queue_arn(url, place.partition)


def _topic(arn: str, _: Place) -> str:
    return arn


def _secret(arn: str, _: Place) -> str:
    if not arn.startswith("arn:"):
        raise ValueError("the rehearsal knows a secret by its ARN, which a reference to the secret gives")
    return arn


_BY_TARGET: dict[str, tuple[str, str, Callable[[str, Place], str]]] = {
    "AWS::S3::BucketPolicy": ("Bucket", "PolicyDocument", _bucket),
    "AWS::SNS::TopicInlinePolicy": ("TopicArn", "PolicyDocument", _topic),
    "AWS::SNS::TopicPolicy": ("Topics", "PolicyDocument", _topic),
    "AWS::SQS::QueueInlinePolicy": ("Queue", "PolicyDocument", _queue),
    "AWS::SQS::QueuePolicy": ("Queues", "PolicyDocument", _queue),
    "AWS::SecretsManager::ResourcePolicy": ("SecretId", "ResourcePolicy", _secret),
}
"""By type: the property that names whose policy it is, the property with the document, and what gives the ARN."""


def _replica_policy(replicas: list[dict[str, Any]], place: Place) -> dict[str, Any]:
    here = (replica.get("ResourcePolicy", {}) for replica in replicas if replica.get("Region") == place.region)
    return next((policy.get("PolicyDocument", {}) for policy in here), {})


_WITHIN: dict[str, tuple[str, Callable[[Any, Place], dict[str, Any]]]] = {
    "AWS::DynamoDB::GlobalTable": ("Replicas", _replica_policy),
    "AWS::DynamoDB::Table": ("ResourcePolicy", lambda policy, _: policy.get("PolicyDocument", {})),
    "AWS::KMS::Key": ("KeyPolicy", lambda policy, _: policy or {}),
}
"""By type: the property that has the resource's policy, and what gives its document."""


def _bus_policy(properties: dict[str, Any], arn: str, place: Place) -> dict[str, Any]:
    statement = properties.get("Statement")
    if statement is None:
        account = properties["Principal"]
        root = f"arn:{place.partition}:iam::{account}:root"
        statement = {
            "Effect": "Allow",
            "Principal": "*" if account == "*" else {"AWS": root},
            "Action": properties["Action"],
            "Resource": arn,
        }
        condition = properties.get("Condition")
        if condition:
            statement["Condition"] = {condition["Type"]: {condition["Key"]: condition["Value"]}}
    return {"Version": "2012-10-17", "Statement": [statement]}


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


def _default_topic_policy(arn: str, account: str) -> dict[str, Any]:
    actions = ("Publish", "Subscribe", "GetTopicAttributes", "SetTopicAttributes", "ListSubscriptionsByTopic")
    more = ("AddPermission", "RemovePermission", "DeleteTopic")
    statement = {
        "Effect": "Allow",
        "Principal": {"AWS": "*"},
        "Action": [f"SNS:{action}" for action in (*actions, *more)],
        "Resource": arn,
        "Condition": {"StringEquals": {"AWS:SourceOwner": account}},
    }
    return {"Version": "2008-10-17", "Statement": [statement]}
