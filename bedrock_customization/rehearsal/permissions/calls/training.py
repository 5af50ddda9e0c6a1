"""What Bedrock does with the service role of a customization job, beside reading data and writing artefacts.

Sources: the Bedrock user guide on VPC protection, encryption of custom models, distillation and reinforcement
fine-tuning; the service authorisation reference of Amazon EC2.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from bedrock_customization.rehearsal.permissions.calls.bedrock import KEY_ACTIONS, invoke, use_of_model_key
from bedrock_customization.rehearsal.permissions.calls.need import Need
from bedrock_customization.rehearsal.permissions.resources import Resources

_DESCRIBE = ("DhcpOptions", "NetworkInterfaces", "SecurityGroups", "Subnets", "Vpcs")
_INTERFACE = ("CreateNetworkInterfacePermission", "DeleteNetworkInterface", "DeleteNetworkInterfacePermission")


def job_arn(request: dict[str, Any], account: Resources) -> str:
    """The ARN that a job will have, but for its id.

    Args:
        request: The request that creates it.
        account: The account's resources.
    """
    base = str(request["baseModelIdentifier"]).rsplit("/", 1)[-1]
    return account.arn("bedrock", f"model-customization-job/{base}/000000000000")


def needs_of_service_role(request: dict[str, Any], account: Resources) -> list[Need]:
    """What a job's service role needs.

    Args:
        request: The request that creates the job.
        account: The account's resources.
    """
    needed = []
    if "customModelKmsKeyId" in request:
        needed += use_of_model_key(KEY_ACTIONS, request["customModelKmsKeyId"], account)
    if "vpcConfig" in request:
        needed += _network(request, account)
    config = request.get("customizationConfig", {})
    teacher = config.get("distillationConfig", {}).get("teacherModelConfig", {}).get("teacherModelIdentifier")
    if teacher is not None:
        needed += invoke("bedrock:InvokeModel", teacher, account)
    grader = config.get("rftConfig", {}).get("graderConfig", {}).get("lambdaGrader", {}).get("lambdaArn")
    if grader is not None:
        needed.append(Need("lambda:InvokeFunction", grader))
    return needed


def _network(request: dict[str, Any], account: Resources) -> Iterator[Need]:
    tags = {"BedrockManaged": "true", "BedrockModelCustomizationJobArn": job_arn(request, account)}
    requested = {f"aws:requesttag/{name.lower()}": [value] for name, value in tags.items()}
    existing = {f"ec2:resourcetag/{name.lower()}": [value] for name, value in tags.items()}
    interface = account.arn("ec2", "network-interface/*")
    subnets = [account.arn("ec2", f"subnet/{subnet}") for subnet in request["vpcConfig"]["subnetIds"]]
    groups = [account.arn("ec2", f"security-group/{group}") for group in request["vpcConfig"]["securityGroupIds"]]
    yield from (Need(f"ec2:Describe{what}", "*") for what in _DESCRIBE)
    yield Need("ec2:CreateNetworkInterface", interface, {**requested, "aws:tagkeys": list(tags)})
    yield from (Need("ec2:CreateNetworkInterface", arn) for arn in (*subnets, *groups))
    creating: dict[str, Sequence[str]] = {"ec2:createaction": ["CreateNetworkInterface"], "aws:tagkeys": list(tags)}
    yield Need("ec2:CreateTags", interface, {**requested, **creating})
    for subnet in subnets:
        keys: dict[str, Sequence[str]] = {**existing, "ec2:subnet": [subnet]}
        yield from (Need(f"ec2:{action}", interface, keys) for action in _INTERFACE)
