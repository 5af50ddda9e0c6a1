"""What CloudFormation would call a resource, and which attributes a reference to it may read.

Names are made from the stack's name, the logical id and a hash of both, so that a rehearsal repeats itself exactly.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

_LONGEST = {
    "AWS::S3::Bucket": 63,
    "AWS::Lambda::Function": 64,
    "AWS::IAM::Role": 64,
    "AWS::Events::Rule": 64,
    "AWS::Scheduler::Schedule": 64,
    "AWS::StepFunctions::StateMachine": 80,
    "AWS::SQS::Queue": 80,
}
_NAME_PROPERTY = {
    "AWS::S3::Bucket": "BucketName",
    "AWS::Lambda::Function": "FunctionName",
    "AWS::Lambda::LayerVersion": "LayerName",
    "AWS::Lambda::Alias": "Name",
    "AWS::IAM::Role": "RoleName",
    "AWS::IAM::ManagedPolicy": "ManagedPolicyName",
    "AWS::StepFunctions::StateMachine": "StateMachineName",
    "AWS::StepFunctions::Activity": "Name",
    "AWS::StepFunctions::StateMachineAlias": "Name",
    "AWS::SQS::Queue": "QueueName",
    "AWS::SNS::Topic": "TopicName",
    "AWS::DynamoDB::Table": "TableName",
    "AWS::DynamoDB::GlobalTable": "TableName",
    "AWS::Events::Rule": "Name",
    "AWS::Events::EventBus": "Name",
    "AWS::Scheduler::Schedule": "Name",
    "AWS::Scheduler::ScheduleGroup": "Name",
    "AWS::Logs::LogGroup": "LogGroupName",
    "AWS::CloudWatch::Alarm": "AlarmName",
    "AWS::SSM::Parameter": "Name",
    "AWS::SecretsManager::Secret": "Name",
    "AWS::ECR::Repository": "RepositoryName",
    "AWS::KMS::Alias": "AliasName",
}
_IDS = {
    "AWS::EC2::VPC": "vpc-",
    "AWS::EC2::Subnet": "subnet-",
    "AWS::EC2::SecurityGroup": "sg-",
    "AWS::EC2::RouteTable": "rtb-",
    "AWS::EC2::VPCEndpoint": "vpce-",
}


@dataclass(frozen=True)
class Place:
    """Where a stack is deployed.

    Args:
        stack: The stack's name.
        account: The account's 12 digits.
        region: The Region.
        partition: The partition, for example `aws`.
        url_suffix: The partition's domain, for example `amazonaws.com`.
    """

    stack: str
    account: str
    region: str
    partition: str
    url_suffix: str

    def arn(self, service: str, resource: str) -> str:
        """An ARN in this account and Region."""
        return f"arn:{self.partition}:{service}:{self.region}:{self.account}:{resource}"


def physical_name(logical_id: str, kind: str, properties: dict[str, Any], place: Place) -> str:
    """The name that the resource has: its own, or one made as CloudFormation makes them."""
    given = properties.get(_NAME_PROPERTY.get(kind, ""))
    if isinstance(given, str):
        return given
    digest = hashlib.sha256(f"{place.stack}/{logical_id}".encode()).hexdigest()
    if kind in _IDS:
        return _IDS[kind] + digest[:17]
    if kind == "AWS::KMS::Key":
        return "-".join((digest[:8], digest[8:12], digest[12:16], digest[16:20], digest[20:32]))
    suffix = f"-{digest[:12]}" + (".fifo" if properties.get("FifoQueue") or properties.get("FifoTopic") else "")
    room = _LONGEST.get(kind, 128) - len(suffix)
    stem = f"{place.stack}-{logical_id}"
    if len(stem) > room:
        half = max(1, (room - 1) // 2)
        stem = f"{place.stack[:half].rstrip('-')}-{logical_id[: room - 1 - len(place.stack[:half].rstrip('-'))]}"
    name = stem + suffix
    return name.lower() if kind in ("AWS::S3::Bucket", "AWS::ECR::Repository") else name


Reference = tuple[str, dict[str, Any]]
"""What `Ref` gives, and what `Fn::GetAtt` gives by attribute."""


def references(logical_id: str, kind: str, properties: dict[str, Any], place: Place) -> Reference:
    """What a template's references to a resource resolve to."""
    name = physical_name(logical_id, kind, properties, place)
    known = _KNOWN.get(kind)
    if known is not None:
        return known(name, properties, place)
    return name, {"Arn": place.arn(_service(kind), name)}


def _service(kind: str) -> str:
    parts = kind.split("::")
    return parts[1].lower() if len(parts) > 1 else "custom"


def _plain(service: str, pattern: str = "{}") -> Callable[[str, dict[str, Any], Place], Reference]:
    return lambda name, _, place: (name, {"Arn": place.arn(service, pattern.format(name)), "Name": name})


def _by_arn(service: str, pattern: str = "{}", **more: str) -> Callable[[str, dict[str, Any], Place], Reference]:
    def build(name: str, _: dict[str, Any], place: Place) -> Reference:
        arn = place.arn(service, pattern.format(name))
        return arn, {"Arn": arn, "Name": name, **{key: value.format(name=name, arn=arn) for key, value in more.items()}}

    return build


def _bucket(name: str, _: dict[str, Any], place: Place) -> Reference:
    domain = f"{name}.s3.{place.url_suffix}"
    regional = f"{name}.s3.{place.region}.{place.url_suffix}"
    website = f"http://{name}.s3-website-{place.region}.{place.url_suffix}"
    arn = f"arn:{place.partition}:s3:::{name}"
    return name, {"Arn": arn, "DomainName": domain, "RegionalDomainName": regional, "WebsiteURL": website}


def _queue(name: str, _: dict[str, Any], place: Place) -> Reference:
    url = f"https://sqs.{place.region}.{place.url_suffix}/{place.account}/{name}"
    return url, {"Arn": place.arn("sqs", name), "QueueName": name, "QueueUrl": url}


def _role(name: str, properties: dict[str, Any], place: Place) -> Reference:
    path = properties.get("Path", "/")
    return name, {
        "Arn": f"arn:{place.partition}:iam::{place.account}:role{path}{name}",
        "RoleId": "AROA" + name[-12:].upper(),
    }


def _managed_policy(name: str, properties: dict[str, Any], place: Place) -> Reference:
    arn = f"arn:{place.partition}:iam::{place.account}:policy{properties.get('Path', '/')}{name}"
    return arn, {"PolicyArn": arn}


def _version_of(property_name: str) -> Callable[[str, dict[str, Any], Place], Reference]:
    def build(_: str, properties: dict[str, Any], place: Place) -> Reference:
        owner = str(properties[property_name])
        if not owner.startswith("arn:"):
            owner = place.arn("lambda", f"function:{owner}")
        return f"{owner}:1", {"FunctionArn": f"{owner}:1", "Version": "1", "Arn": f"{owner}:1"}

    return build


def _function_alias(name: str, properties: dict[str, Any], place: Place) -> Reference:
    owner = str(properties["FunctionName"])
    if not owner.startswith("arn:"):
        owner = place.arn("lambda", f"function:{owner}")
    return f"{owner}:{name}", {"AliasArn": f"{owner}:{name}"}


def _machine_alias(name: str, properties: dict[str, Any], place: Place) -> Reference:
    routes = properties.get("RoutingConfiguration") or [{}]
    version = str(
        routes[0].get("StateMachineVersionArn")
        or properties.get("DeploymentPreference", {}).get("StateMachineVersionArn")
    )
    arn = f"{version.rsplit(':', 1)[0]}:{name}"
    return arn, {"Arn": arn}


def _security_group(name: str, properties: dict[str, Any], _: Place) -> Reference:
    return name, {"GroupId": name, "Id": name, "VpcId": properties.get("VpcId", "")}


def _log_group(name: str, _: dict[str, Any], place: Place) -> Reference:
    return name, {"Arn": place.arn("logs", f"log-group:{name}:*")}


_KNOWN: dict[str, Callable[[str, dict[str, Any], Place], Reference]] = {
    "AWS::S3::Bucket": _bucket,
    "AWS::SQS::Queue": _queue,
    "AWS::SNS::Topic": _by_arn("sns", TopicArn="{arn}", TopicName="{name}"),
    "AWS::DynamoDB::Table": _plain("dynamodb", "table/{}"),
    "AWS::DynamoDB::GlobalTable": _plain("dynamodb", "table/{}"),
    "AWS::KMS::Key": lambda name, _, place: (name, {"Arn": place.arn("kms", f"key/{name}"), "KeyId": name}),
    "AWS::SSM::Parameter": lambda name, properties, place: (
        name,
        {
            "Value": properties.get("Value"),
            "Type": properties.get("Type"),
            "Arn": place.arn("ssm", f"parameter/{name.lstrip('/')}"),
        },
    ),
    "AWS::SecretsManager::Secret": _by_arn("secretsmanager", "secret:{}-AbCdEf", Id="{arn}"),
    "AWS::IAM::Role": _role,
    "AWS::IAM::ManagedPolicy": _managed_policy,
    "AWS::Lambda::Function": _plain("lambda", "function:{}"),
    "AWS::Lambda::Version": _version_of("FunctionName"),
    "AWS::Lambda::Alias": _function_alias,
    "AWS::Lambda::LayerVersion": lambda name, _, place: (
        place.arn("lambda", f"layer:{name}:1"),
        {"LayerVersionArn": place.arn("lambda", f"layer:{name}:1"), "Arn": place.arn("lambda", f"layer:{name}:1")},
    ),
    "AWS::StepFunctions::StateMachine": _by_arn("states", "stateMachine:{}", StateMachineRevisionId="INITIAL"),
    "AWS::StepFunctions::StateMachineVersion": _version_of("StateMachineArn"),
    "AWS::StepFunctions::StateMachineAlias": _machine_alias,
    "AWS::Events::Rule": _plain("events", "rule/{}"),
    "AWS::Events::EventBus": _plain("events", "event-bus/{}"),
    "AWS::StepFunctions::Activity": _by_arn("states", "activity:{}"),
    "AWS::Scheduler::Schedule": lambda name, properties, place: (
        name,
        {"Arn": place.arn("scheduler", f"schedule/{properties.get('GroupName', 'default')}/{name}")},
    ),
    "AWS::Scheduler::ScheduleGroup": _plain("scheduler", "schedule-group/{}"),
    "AWS::Logs::LogGroup": _log_group,
    "AWS::CloudWatch::Alarm": _plain("cloudwatch", "alarm:{}"),
    "AWS::ECR::Repository": lambda name, _, place: (
        name,
        {
            "Arn": place.arn("ecr", f"repository/{name}"),
            "RepositoryUri": f"{place.account}.dkr.ecr.{place.region}.{place.url_suffix}/{name}",
        },
    ),
    "AWS::EC2::VPC": lambda name, properties, _: (
        name,
        {"VpcId": name, "CidrBlock": properties.get("CidrBlock", "10.0.0.0/16")},
    ),
    "AWS::EC2::Subnet": lambda name, properties, _: (name, {"SubnetId": name, "VpcId": properties.get("VpcId", "")}),
    "AWS::EC2::SecurityGroup": _security_group,
}
