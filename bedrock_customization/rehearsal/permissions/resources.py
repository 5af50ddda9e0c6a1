"""What calls have to know of the account: where resources are, how they are encrypted, how they are tagged."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field

from bedrock_customization.rehearsal.assembly import UnsupportedTemplateError
from bedrock_customization.rehearsal.deployment import DeployedStack
from bedrock_customization.rehearsal.permissions.calls.need import Need
from bedrock_customization.rehearsal.permissions.naming import queue_arn, tags_of
from bedrock_customization.rehearsal.permissions.objects import Objects
from bedrock_customization.rehearsal.physical_names import Place
from bedrock_customization.rehearsal.services.bedrock.registry import Registry
from bedrock_customization.rehearsal.template import Template


@dataclass(frozen=True)
class Function:
    """A Lambda function, as far as the Lambda service acts with its role.

    Args:
        name: Its name.
        role_arn: Its role.
        log_group: The ARN of its log group.
        traced: Whether X-Ray traces it.
    """

    name: str
    role_arn: str
    log_group: str
    traced: bool

    def needs_of_an_invocation(self) -> list[Need]:
        """What the Lambda service does with the role at every invocation."""
        stream = f"{self.log_group}:log-stream:*"
        needed = [Need("logs:CreateLogStream", stream), Need("logs:PutLogEvents", stream)]
        return [*needed, *(TRACE if self.traced else ())]


TRACE = (Need("xray:PutTraceSegments", "*"), Need("xray:PutTelemetryRecords", "*"))


@dataclass
class Resources:
    """The account's resources, as far as permissions depend on them.

    Args:
        place: The account, Region and partition.
        registry: What the account has in Bedrock.
        keys: The KMS key of each encrypted bucket, topic, queue, table and secret, by its ARN.
        aws_managed_keys: The key of each topic and queue that a key which AWS manages encrypts, by its ARN.
        bucket_keys: The ARNs of the buckets with an S3 bucket key.
        secrets: The ARNs of secrets.
        functions: The Lambda functions by their names.
        objects: The objects of the buckets.
    """

    place: Place
    registry: Registry
    keys: dict[str, str] = field(default_factory=dict)
    aws_managed_keys: dict[str, str] = field(default_factory=dict)
    bucket_keys: set[str] = field(default_factory=set)
    secrets: list[str] = field(default_factory=list)
    functions: dict[str, Function] = field(default_factory=dict)
    objects: Objects = field(default_factory=Objects)
    _aliases: dict[str, str] = field(default_factory=dict)
    _stacks: list[DeployedStack] = field(default_factory=list)

    def take(self, stacks: Iterable[DeployedStack]) -> None:
        """Add the resources of deployed stacks."""
        stacks = list(stacks)
        for stack in stacks:
            for template, logical_id in stack.resources("AWS::KMS::Alias"):
                self._take_alias(template, logical_id)
        for stack in stacks:
            self._stacks.append(stack)
            for template, logical_id in stack.resources("AWS::S3::Bucket"):
                self._take_bucket(template, logical_id)
            for template, logical_id in stack.resources("AWS::SNS::Topic", "AWS::SQS::Queue"):
                key = template.properties(logical_id, "KmsMasterKeyId").get("KmsMasterKeyId")
                self._encrypt(template.arn(logical_id), key)
            for template, logical_id in stack.resources("AWS::SecretsManager::Secret"):
                self.secrets.append(template.reference(logical_id))
                self._encrypt(
                    template.reference(logical_id), template.properties(logical_id, "KmsKeyId").get("KmsKeyId")
                )
            for template, logical_id in stack.resources("AWS::DynamoDB::Table", "AWS::DynamoDB::GlobalTable"):
                self._take_table(template, logical_id)
            for template, logical_id in stack.resources("AWS::Lambda::Function"):
                self._take_function(template, logical_id)

    def arn(self, service: str, resource: str) -> str:
        """An ARN in this account and Region."""
        return self.place.arn(service, resource)

    def bucket_arn(self, name: str) -> str:
        """A bucket's ARN, from its name or ARN."""
        return name if name.startswith("arn:") else f"arn:{self.place.partition}:s3:::{name}"

    def queue_arn(self, url: str) -> str:
        """A queue's ARN, from its URL."""
        return queue_arn(url, self.place.partition)

    def key_arn(self, identifier: str) -> str:
        """A KMS key's ARN, from its id or ARN or an alias; of an alias that no stack makes, the alias's ARN."""
        if "alias/" not in identifier:
            return identifier if identifier.startswith("arn:") else self.arn("kms", f"key/{identifier}")
        arn = identifier if identifier.startswith("arn:") else self.arn("kms", identifier)
        return self._aliases.get(arn, arn)

    def needs_of_a_service(self, needs: Iterable[Need]) -> Iterator[Need]:
        """What a service without a role needs of the resources' keys too: keys that AWS manages let in roles only.

        Args:
            needs: What its request needs.
        """
        for need in needs:
            yield need
            if need.action in ("sns:Publish", "sqs:SendMessage") and need.resource in self.aws_managed_keys:
                yield Need("kms:GenerateDataKey", self.aws_managed_keys[need.resource])

    def tags(self, arn: str) -> Mapping[str, str] | None:
        """A resource's tags; None if they are not known. A resource that does not exist has none."""
        if arn.split(":")[2:3] == ["bedrock"]:
            return next((resource.tags for resource in self.registry.everything() if resource.arn == arn), {})
        for stack in self._stacks:
            for template, logical_id in stack.resources():
                try:
                    if template.arn(logical_id) == arn:
                        properties = template.properties(logical_id, "Tags", "AbacStatus")
                        # Policies see a bucket's tags only if it enables that.
                        seen = ":s3:::" not in arn or properties.get("AbacStatus") == "Enabled"
                        return tags_of(properties.get("Tags", [])) if seen else {}
                except UnsupportedTemplateError:
                    continue
        return None

    def _take_alias(self, template: Template, logical_id: str) -> None:
        try:
            key = template.properties(logical_id, "TargetKeyId")["TargetKeyId"]
        except UnsupportedTemplateError:
            # Whatever uses the alias is refused then, and not what does not.
            return
        self._aliases[self.arn("kms", template.reference(logical_id))] = self.key_arn(key)

    def _take_bucket(self, template: Template, logical_id: str) -> None:
        encryption = template.properties(logical_id, "BucketEncryption").get("BucketEncryption", {})
        for rule in encryption.get("ServerSideEncryptionConfiguration", []):
            default = rule.get("ServerSideEncryptionByDefault", {})
            self._encrypt(template.arn(logical_id), default.get("KMSMasterKeyID"))
            if rule.get("BucketKeyEnabled") in (True, "true"):
                self.bucket_keys.add(template.arn(logical_id))

    def _take_table(self, template: Template, logical_id: str) -> None:
        properties = template.properties(logical_id, "SSESpecification", "Replicas")
        here = [replica for replica in properties.get("Replicas", ()) if replica.get("Region") == self.place.region]
        for sealed in (properties, *here):
            self._encrypt(template.arn(logical_id), sealed.get("SSESpecification", {}).get("KMSMasterKeyId"))

    def _take_function(self, template: Template, logical_id: str) -> None:
        properties = template.properties(logical_id, "Role", "LoggingConfig", "TracingConfig")
        name = template.reference(logical_id)
        group = properties.get("LoggingConfig", {}).get("LogGroup", f"/aws/lambda/{name}")
        traced = properties.get("TracingConfig", {}).get("Mode") == "Active"
        self.functions[name] = Function(name, properties["Role"], self.arn("logs", f"log-group:{group}"), traced)

    def _encrypt(self, arn: str, key: str | None) -> None:
        """Note a key; those that AWS manages let every role use them that may use the resource."""
        if key is not None:
            keys = self.aws_managed_keys if "alias/aws/" in key else self.keys
            keys[arn] = self.key_arn(key)
