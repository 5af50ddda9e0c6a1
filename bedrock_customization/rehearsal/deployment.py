"""Deploys a synthesised stack into a simulated account: as much of it as running its state machines needs."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from botocore.exceptions import ClientError
from moto.secretsmanager.models import secretsmanager_backends

from bedrock_customization.rehearsal import dynamic_references
from bedrock_customization.rehearsal.assembly import CloudAssembly, SynthesizedStack, UnsupportedTemplateError
from bedrock_customization.rehearsal.aws import SimulatedAccount
from bedrock_customization.rehearsal.physical_names import Place
from bedrock_customization.rehearsal.template import Template

_SIMULATED = {
    "AWS::CloudFormation::Stack",
    "AWS::CloudWatch::Alarm",
    "AWS::DynamoDB::GlobalTable",
    "AWS::DynamoDB::Table",
    "AWS::Events::EventBusPolicy",
    "AWS::Events::Rule",
    "AWS::IAM::ManagedPolicy",
    "AWS::IAM::Policy",
    "AWS::IAM::Role",
    "AWS::IAM::RolePolicy",
    "AWS::KMS::Alias",
    "AWS::KMS::Key",
    "AWS::Lambda::Alias",
    "AWS::Lambda::Function",
    "AWS::Lambda::LayerVersion",
    "AWS::Lambda::Permission",
    "AWS::Lambda::Version",
    "AWS::S3::Bucket",
    "AWS::S3::BucketPolicy",
    "AWS::SNS::Subscription",
    "AWS::SNS::Topic",
    "AWS::SNS::TopicInlinePolicy",
    "AWS::SNS::TopicPolicy",
    "AWS::SQS::Queue",
    "AWS::SQS::QueueInlinePolicy",
    "AWS::SQS::QueuePolicy",
    "AWS::SSM::Parameter",
    "AWS::SecretsManager::ResourcePolicy",
    "AWS::SecretsManager::Secret",
    "AWS::Scheduler::Schedule",
    "AWS::StepFunctions::StateMachine",
    "AWS::StepFunctions::StateMachineAlias",
    "AWS::StepFunctions::StateMachineVersion",
}


@dataclass
class DeployedStack:
    """A stack in the simulated account.

    Args:
        template: Its template, in place.
        nested: Its nested stacks by their logical ids.
        paths: The logical id of each resource by its construct's path.
    """

    template: Template
    nested: dict[str, DeployedStack] = field(default_factory=dict)
    paths: dict[str, str] = field(default_factory=dict)

    def all(self) -> Iterator[DeployedStack]:
        """This stack and every stack nested in it."""
        yield self
        for stack in self.nested.values():
            yield from stack.all()

    def resources(self, *kinds: str) -> Iterator[tuple[Template, str]]:
        """The resources of these types in this stack and those nested in it: their template and logical id."""
        for stack in self.all():
            for logical_id, _ in stack.template.resources(*kinds):
                yield stack.template, logical_id

    def left_out(self) -> list[str]:
        """The resources that running does not need: only their names exist."""
        return [
            f"{logical_id} ({kind})"
            for stack in self.all()
            for logical_id, kind in stack.template.resources()
            if kind not in _SIMULATED and not _only_notifies_event_bridge(stack.template, logical_id, kind)
        ]


def _only_notifies_event_bridge(template: Template, logical_id: str, kind: str) -> bool:
    if kind != "Custom::S3BucketNotifications":
        return False
    written = template.properties(logical_id, "NotificationConfiguration")["NotificationConfiguration"]
    return set(written) == {"EventBridgeConfiguration"}


class Deployer:
    """Deploys stacks of one assembly, each once, with the stacks whose exports they import.

    Args:
        assembly: The cloud assembly.
        account: Where to deploy.
        place: The stack's place; the stack's own name is put in.
        parameters: Values of the templates' parameters.
    """

    def __init__(
        self, assembly: CloudAssembly, account: SimulatedAccount, place: Place, parameters: Mapping[str, Any]
    ) -> None:
        self._assembly = assembly
        self._account = account
        self._place = place
        self._parameters = parameters
        self.stacks: dict[str, DeployedStack] = {}

    def deploy(self, stack: SynthesizedStack) -> DeployedStack:
        """Deploy a stack, or return it if it is deployed already.

        Raises:
            UnsupportedTemplateError: Running needs something that is not known.
        """
        if stack.name not in self.stacks:
            self.stacks[stack.name] = self._deploy(stack.template, stack.name, self._parameters, stack.paths)
        return self.stacks[stack.name]

    def _deploy(
        self, body: dict[str, Any], name: str, parameters: Mapping[str, Any], paths: dict[str, str]
    ) -> DeployedStack:
        place = Place(name, self._place.account, self._place.region, self._place.partition, self._place.url_suffix)
        nested: dict[str, DeployedStack] = {}

        def output_of(logical_id: str, output: str) -> Any:
            if logical_id not in nested:
                nested[logical_id] = self._deploy_nested(template, logical_id)
            return nested[logical_id].template.output(output)

        template = Template(
            body,
            place,
            parameters=parameters,
            imports=self._imported,
            nested=output_of,
            dynamic=partial(dynamic_references.resolve, account=self._account),
            path=name,
        )
        if "AWS::Serverless-2016-10-31" in json.dumps(body.get("Transform", "")):
            raise UnsupportedTemplateError(
                f"{name}: Transform AWS::Serverless-2016-10-31 is not known to the rehearsal"
            )
        deployed = DeployedStack(template, nested, paths)
        for logical_id, _ in template.resources("AWS::CloudFormation::Stack"):
            if logical_id not in nested:
                nested[logical_id] = self._deploy_nested(template, logical_id)
        self._create(template)
        return deployed

    def _deploy_nested(self, template: Template, logical_id: str) -> DeployedStack:
        properties = template.properties(logical_id, "TemplateURL", "Parameters")
        text = self._assembly.assets.text(str(properties.get("TemplateURL", "")))
        if text is None:
            raise UnsupportedTemplateError(
                f"{template.path}: {logical_id}.Properties.TemplateURL (AWS::CloudFormation::Stack) "
                "is no asset of the assembly"
            )
        name = f"{template.place.stack}-{logical_id}"
        return self._deploy(json.loads(text), name, properties.get("Parameters", {}), {})

    def _imported(self, export: str) -> Any:
        for stack in self._assembly.stacks.values():
            if export in _export_names(stack):
                deployed = self.deploy(stack)
                return deployed.template.output(deployed.template.exports()[export])
        raise KeyError(export)

    def _create(self, template: Template) -> None:
        for logical_id, kind in template.resources(*_CREATORS):
            try:
                _CREATORS[kind](self._account, template, logical_id)
            except (ClientError, KeyError) as error:
                raise UnsupportedTemplateError(
                    f"{template.path}: {logical_id} ({kind}) could not be created: {error}"
                ) from error


def _export_names(stack: SynthesizedStack) -> set[str]:
    names = (output["Export"]["Name"] for output in stack.template.get("Outputs", {}).values() if "Export" in output)
    return {name for name in names if isinstance(name, str)}


def create_bucket(account: SimulatedAccount, name: str) -> None:
    """Make an S3 bucket."""
    s3 = account.client("s3")
    if account.region == "us-east-1":
        s3.create_bucket(Bucket=name)
    else:
        s3.create_bucket(Bucket=name, CreateBucketConfiguration={"LocationConstraint": account.region})


def _bucket(account: SimulatedAccount, template: Template, logical_id: str) -> None:
    name = template.reference(logical_id)
    create_bucket(account, name)
    versioning = template.properties(logical_id, "VersioningConfiguration").get("VersioningConfiguration")
    if versioning:
        account.client("s3").put_bucket_versioning(
            Bucket=name, VersioningConfiguration={"Status": versioning["Status"]}
        )


def _topic(account: SimulatedAccount, template: Template, logical_id: str) -> None:
    arn = template.reference(logical_id)
    properties = template.properties(logical_id, "FifoTopic", "ContentBasedDeduplication", "DisplayName")
    account.client("sns").create_topic(Name=arn.rsplit(":", 1)[-1], Attributes=_strings(properties))


def _queue(account: SimulatedAccount, template: Template, logical_id: str) -> None:
    names = ("FifoQueue", "ContentBasedDeduplication", "DelaySeconds", "MessageRetentionPeriod", "VisibilityTimeout")
    properties = template.properties(logical_id, *names)
    account.client("sqs").create_queue(
        QueueName=template.reference(logical_id).rsplit("/", 1)[-1], Attributes=_strings(properties)
    )


def _table(account: SimulatedAccount, template: Template, logical_id: str) -> None:
    indexes = ("GlobalSecondaryIndexes", "LocalSecondaryIndexes")
    properties = template.properties(logical_id, "KeySchema", "AttributeDefinitions", *indexes)
    for index in (index for name in indexes for index in properties.get(name, ())):
        for extra in set(index) - {"IndexName", "KeySchema", "Projection"}:
            del index[extra]
    account.client("dynamodb").create_table(
        TableName=template.reference(logical_id), BillingMode="PAY_PER_REQUEST", **properties
    )


def _parameter(account: SimulatedAccount, template: Template, logical_id: str) -> None:
    properties = template.properties(logical_id, "Type", "Value", "Description")
    account.client("ssm").put_parameter(Name=template.reference(logical_id), **properties)


def _secret(account: SimulatedAccount, template: Template, logical_id: str) -> None:
    properties = template.properties(logical_id, "GenerateSecretString", "SecretString")
    generated = properties.get("GenerateSecretString", {})
    text = properties.get("SecretString", "rehearsal")
    if "GenerateStringKey" in generated:
        fixed = json.loads(generated["SecretStringTemplate"])
        text = json.dumps({**fixed, generated["GenerateStringKey"]: "rehearsal"})
    arn = template.reference(logical_id)
    name = arn.split("secret:")[1][:-7]
    account.client("secretsmanager").create_secret(Name=name, SecretString=text)
    # moto makes up another end of the ARN, which others know by now.
    secretsmanager_backends[account.account][account.region].secrets[name].arn = arn


def _strings(properties: dict[str, Any]) -> dict[str, str]:
    return {name: str(value).lower() if isinstance(value, bool) else str(value) for name, value in properties.items()}


_CREATORS = {
    "AWS::S3::Bucket": _bucket,
    "AWS::SNS::Topic": _topic,
    "AWS::SQS::Queue": _queue,
    "AWS::DynamoDB::Table": _table,
    "AWS::DynamoDB::GlobalTable": _table,
    "AWS::SSM::Parameter": _parameter,
    "AWS::SecretsManager::Secret": _secret,
}
