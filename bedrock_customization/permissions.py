"""Policy statements, written once, by the name of what they allow."""

from __future__ import annotations

import re
from collections.abc import Sequence

from aws_cdk import ArnFormat, Aws, Stack
from aws_cdk import aws_events as events
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_s3 as s3
from aws_cdk import aws_ssm as ssm
from aws_cdk import aws_stepfunctions as sfn
from constructs import Construct

from bedrock_customization.tags import KEPT_TAG, WORKFLOW_TAG


def _bedrock_arn(kind: str, account: str = Aws.ACCOUNT_ID) -> str:
    return f"arn:{Aws.PARTITION}:bedrock:{Aws.REGION}:{account}:{kind}/*"


# What a cross-Region inference profile's id has in front of the model's.
_GEOGRAPHY = re.compile(r"^(us-gov|us|eu|apac|jp|au|ca|global)\.")
_FOUNDATION_MODELS = f"arn:{Aws.PARTITION}:bedrock:*::foundation-model/*"


def train_models(role: iam.IRole, workflow_tag: str) -> list[iam.PolicyStatement]:
    """Starts, describes and stops customization jobs, and hands Bedrock its service role.

    Args:
        role: The service role.
        workflow_tag: The tag that jobs and models must carry.
    """
    return [
        iam.PolicyStatement(
            actions=["bedrock:CreateModelCustomizationJob"],
            resources=[_FOUNDATION_MODELS, _bedrock_arn("custom-model"), _bedrock_arn("model-customization-job")],
        ),
        iam.PolicyStatement(
            actions=["bedrock:TagResource"],
            resources=[_bedrock_arn("custom-model"), _bedrock_arn("model-customization-job")],
            conditions=_request_tag(workflow_tag),
        ),
        iam.PolicyStatement(
            actions=["bedrock:GetModelCustomizationJob", "bedrock:StopModelCustomizationJob"],
            resources=[_bedrock_arn("model-customization-job")],
            conditions=_resource_tag(workflow_tag),
        ),
        iam.PolicyStatement(
            actions=["iam:PassRole"],
            resources=[role.role_arn],
            conditions={"StringEquals": {"iam:PassedToService": "bedrock.amazonaws.com"}},
        ),
    ]


def check_before_training() -> list[iam.PolicyStatement]:
    """Reads the lifecycle of models and the quotas of Bedrock; Service Quotas knows no resources to name."""
    return [
        iam.PolicyStatement(
            actions=["bedrock:GetFoundationModel"],
            resources=[f"arn:{Aws.PARTITION}:bedrock:{Aws.REGION}::foundation-model/*"],
        ),
        iam.PolicyStatement(actions=["bedrock:GetCustomModel"], resources=[_bedrock_arn("custom-model")]),
        iam.PolicyStatement(actions=["servicequotas:GetServiceQuota"], resources=["*"]),
    ]


def ask_teachers(teacher_models: Sequence[str]) -> list[iam.PolicyStatement]:
    """Asks the teachers of a distillation; a profile also needs the model in each of its Regions.

    Args:
        teacher_models: Ids or ARNs of foundation models and inference profiles.
    """
    resources = [arn for teacher in teacher_models for arn in _teacher_arns(teacher)]
    return [iam.PolicyStatement(actions=["bedrock:InvokeModel"], resources=list(dict.fromkeys(resources)))]


def _teacher_arns(teacher: str) -> list[str]:
    given = [teacher] if teacher.startswith("arn:") else []
    name = teacher.rsplit("/", 1)[-1]
    model = _GEOGRAPHY.sub("", name)
    if model != name and not given:
        given = [f"arn:{Aws.PARTITION}:bedrock:{Aws.REGION}:{Aws.ACCOUNT_ID}:inference-profile/{name}"]
    return [*given, f"arn:{Aws.PARTITION}:bedrock:*::foundation-model/{model}"]


def encrypt_models(key: kms.IKey) -> list[iam.PolicyStatement]:
    """Encrypts custom models with a key of the customer's, by way of Bedrock only.

    The service role and whoever starts the job both need it: Bedrock creates the grant in the caller's name.

    Args:
        key: The key.
    """
    return [
        iam.PolicyStatement(
            actions=["kms:Decrypt", "kms:GenerateDataKey", "kms:DescribeKey", "kms:CreateGrant"],
            resources=[key.key_arn],
            conditions=_via_bedrock(),
        )
    ]


def decrypt_models(key: kms.IKey) -> list[iam.PolicyStatement]:
    """Serves and asks custom models that are encrypted with a key of the customer's.

    Args:
        key: The key.
    """
    return [iam.PolicyStatement(actions=["kms:Decrypt"], resources=[key.key_arn], conditions=_via_bedrock())]


def train_in_vpc(subnet_ids: Sequence[str], security_group_ids: Sequence[str]) -> list[iam.PolicyStatement]:
    """Gives jobs network interfaces in a VPC, and touches no others (Bedrock user guide, "Protect jobs with a VPC").

    Args:
        subnet_ids: The subnets.
        security_group_ids: The security groups.
    """
    ec2 = f"arn:{Aws.PARTITION}:ec2:{Aws.REGION}:{Aws.ACCOUNT_ID}"
    jobs = _bedrock_arn("model-customization-job")
    subnets = [f"{ec2}:subnet/{subnet}" for subnet in subnet_ids]
    groups = [f"{ec2}:security-group/{group}" for group in security_group_ids]
    return [
        iam.PolicyStatement(
            actions=[
                "ec2:DescribeDhcpOptions",
                "ec2:DescribeNetworkInterfaces",
                "ec2:DescribeSecurityGroups",
                "ec2:DescribeSubnets",
                "ec2:DescribeVpcs",
            ],
            resources=["*"],
        ),
        iam.PolicyStatement(
            actions=["ec2:CreateNetworkInterface"],
            resources=[f"{ec2}:network-interface/*"],
            conditions={
                "StringEquals": {"aws:RequestTag/BedrockManaged": "true"},
                "ArnLike": {"aws:RequestTag/BedrockModelCustomizationJobArn": jobs},
            },
        ),
        iam.PolicyStatement(actions=["ec2:CreateNetworkInterface"], resources=[*subnets, *groups]),
        iam.PolicyStatement(
            actions=[
                "ec2:CreateNetworkInterfacePermission",
                "ec2:DeleteNetworkInterface",
                "ec2:DeleteNetworkInterfacePermission",
            ],
            resources=["*"],
            conditions={
                "StringEquals": {"ec2:ResourceTag/BedrockManaged": "true"},
                "ArnEquals": {"ec2:Subnet": subnets},
                "ArnLike": {"ec2:ResourceTag/BedrockModelCustomizationJobArn": jobs},
            },
        ),
        iam.PolicyStatement(
            actions=["ec2:CreateTags"],
            resources=[f"{ec2}:network-interface/*"],
            conditions={
                "StringEquals": {"ec2:CreateAction": "CreateNetworkInterface"},
                "ForAllValues:StringEquals": {"aws:TagKeys": ["BedrockManaged", "BedrockModelCustomizationJobArn"]},
            },
        ),
    ]


def register_models(
    parameter: ssm.IStringParameter, event_bus: events.IEventBus, source: str
) -> list[iam.PolicyStatement]:
    """Writes the parameter of the current model, and sends the event about it.

    Args:
        parameter: The parameter.
        event_bus: The bus.
        source: The event's source.
    """
    return [
        iam.PolicyStatement(actions=["ssm:PutParameter"], resources=[parameter.parameter_arn]),
        iam.PolicyStatement(
            actions=["events:PutEvents"],
            resources=[event_bus.event_bus_arn],
            conditions={"StringEquals": {"events:source": source}},
        ),
    ]


def serve_on_demand(workflow_tag: str) -> list[iam.PolicyStatement]:
    """Creates and describes custom model deployments.

    Args:
        workflow_tag: The tag that they must carry.
    """
    return _serve(
        "custom-model-deployment",
        "bedrock:CreateCustomModelDeployment",
        "bedrock:GetCustomModelDeployment",
        workflow_tag,
    )


def serve_by_provisioned_throughput(workflow_tag: str) -> list[iam.PolicyStatement]:
    """Buys and describes provisioned throughput.

    Args:
        workflow_tag: The tag that it must carry.
    """
    return _serve(
        "provisioned-model",
        "bedrock:CreateProvisionedModelThroughput",
        "bedrock:GetProvisionedModelThroughput",
        workflow_tag,
    )


def _serve(kind: str, create: str, get: str, workflow_tag: str) -> list[iam.PolicyStatement]:
    return [
        iam.PolicyStatement(
            actions=[create], resources=[_bedrock_arn("custom-model")], conditions=_request_tag(workflow_tag)
        ),
        iam.PolicyStatement(
            actions=["bedrock:TagResource"], resources=[_bedrock_arn(kind)], conditions=_request_tag(workflow_tag)
        ),
        iam.PolicyStatement(actions=[get], resources=[_bedrock_arn(kind)], conditions=_resource_tag(workflow_tag)),
    ]


def promote(workflow_tag: str) -> list[iam.PolicyStatement]:
    """Tags a winner as kept.

    Args:
        workflow_tag: The tag that it must carry.
    """
    return [
        iam.PolicyStatement(
            actions=["bedrock:TagResource"],
            resources=[
                _bedrock_arn("custom-model"),
                _bedrock_arn("custom-model-deployment"),
                _bedrock_arn("provisioned-model"),
            ],
            conditions={
                **_resource_tag(workflow_tag),
                "ForAllValues:StringEquals": {"aws:TagKeys": [KEPT_TAG]},
            },
        )
    ]


def release(workflow_tag: str) -> list[iam.PolicyStatement]:
    """Finds what a run made, reads its tags, and stops or deletes it; nothing without the workflow's tag.

    Args:
        workflow_tag: The tag of what may be deleted.
    """
    return [
        iam.PolicyStatement(
            actions=[
                "bedrock:ListModelCustomizationJobs",
                "bedrock:ListCustomModelDeployments",
                "bedrock:ListProvisionedModelThroughputs",
                "bedrock:ListCustomModels",
            ],
            resources=["*"],
        ),
        *(
            iam.PolicyStatement(
                actions=["bedrock:ListTagsForResource", delete],
                resources=[_bedrock_arn(kind)],
                conditions=_resource_tag(workflow_tag),
            )
            for kind, delete in (
                ("model-customization-job", "bedrock:StopModelCustomizationJob"),
                ("custom-model-deployment", "bedrock:DeleteCustomModelDeployment"),
                ("provisioned-model", "bedrock:DeleteProvisionedModelThroughput"),
                ("custom-model", "bedrock:DeleteCustomModel"),
            )
        ),
    ]


def ask_base_models() -> list[iam.PolicyStatement]:
    """Asks foundation models and inference profiles; a profile also needs the model in each of its Regions."""
    return [
        iam.PolicyStatement(
            actions=["bedrock:InvokeModel"],
            resources=[
                _FOUNDATION_MODELS,
                _bedrock_arn("inference-profile"),
                _bedrock_arn("application-inference-profile"),
            ],
        )
    ]


def ask_custom_models(workflow_tag: str) -> list[iam.PolicyStatement]:
    """Asks the custom models that a workflow serves.

    Args:
        workflow_tag: The tag of what serves them.
    """
    return [
        iam.PolicyStatement(
            actions=["bedrock:InvokeModel"],
            resources=[_bedrock_arn("custom-model-deployment"), _bedrock_arn("provisioned-model")],
            conditions=_resource_tag(workflow_tag),
        )
    ]


def ask_models(model_arns: Sequence[str]) -> list[iam.PolicyStatement]:
    """Asks models by their ARNs.

    Args:
        model_arns: What `bedrock:InvokeModel` is allowed on.
    """
    return [iam.PolicyStatement(actions=["bedrock:InvokeModel"], resources=list(model_arns))]


def start_execution(machine: sfn.StateMachine, scope: Construct) -> list[iam.PolicyStatement]:
    """Starts an execution of another machine, follows it and stops it.

    Args:
        machine: The other machine.
        scope: A construct of the stack.
    """
    executions = f"{_execution_arn(machine, scope)}:*"
    return [
        iam.PolicyStatement(actions=["states:StartExecution"], resources=[machine.state_machine_arn]),
        iam.PolicyStatement(actions=["states:DescribeExecution", "states:StopExecution"], resources=[executions]),
        iam.PolicyStatement(
            actions=["events:PutTargets", "events:PutRule", "events:DescribeRule"],
            resources=[
                f"arn:{Aws.PARTITION}:events:{Aws.REGION}:{Aws.ACCOUNT_ID}:rule/"
                "StepFunctionsGetEventsForStepFunctionsExecutionRule"
            ],
        ),
    ]


def describe_executions(machine: sfn.StateMachine, scope: Construct) -> list[iam.PolicyStatement]:
    """Describes a machine's executions.

    Args:
        machine: The machine.
        scope: A construct of the stack.
    """
    return [
        iam.PolicyStatement(actions=["states:DescribeExecution"], resources=[f"{_execution_arn(machine, scope)}:*"])
    ]


def run_distributed_maps(machine: sfn.StateMachine, scope: Construct) -> list[iam.PolicyStatement]:
    """Lets a machine run its own Distributed Maps.

    Args:
        machine: The machine.
        scope: A construct of the stack.
    """
    executions = _execution_arn(machine, scope)
    return [
        iam.PolicyStatement(actions=["states:StartExecution"], resources=[machine.state_machine_arn]),
        iam.PolicyStatement(
            actions=["states:DescribeExecution", "states:StopExecution"], resources=[f"{executions}:*"]
        ),
        iam.PolicyStatement(actions=["states:RedriveExecution"], resources=[f"{executions}/*:*"]),
    ]


def read_objects(bucket: s3.IBucket, key_pattern: str = "*") -> list[iam.PolicyStatement]:
    """Reads a bucket's objects.

    Args:
        bucket: The bucket.
        key_pattern: The keys that may be read.
    """
    return [iam.PolicyStatement(actions=["s3:GetObject"], resources=[bucket.arn_for_objects(key_pattern)])]


def list_objects(bucket: s3.IBucket) -> list[iam.PolicyStatement]:
    """Lists a bucket; without it S3 denies access where an object does not exist.

    Args:
        bucket: The bucket.
    """
    return [iam.PolicyStatement(actions=["s3:ListBucket"], resources=[bucket.bucket_arn])]


def decrypt_objects(bucket: s3.IBucket) -> list[iam.PolicyStatement]:
    """Decrypts a bucket's objects, where it has a key of its own.

    Args:
        bucket: The bucket.
    """
    key = bucket.encryption_key
    return [] if key is None else [iam.PolicyStatement(actions=["kms:Decrypt"], resources=[key.key_arn])]


def write_objects(bucket: s3.IBucket, key_pattern: str) -> list[iam.PolicyStatement]:
    """Writes a bucket's objects.

    Args:
        bucket: The bucket.
        key_pattern: The keys that may be written.
    """
    return [iam.PolicyStatement(actions=["s3:PutObject"], resources=[bucket.arn_for_objects(key_pattern)])]


def write_map_results(bucket: s3.IBucket, key_pattern: str) -> list[iam.PolicyStatement]:
    """Writes a Distributed Map's results, in parts when they are large.

    Args:
        bucket: The bucket.
        key_pattern: The keys that may be written.
    """
    return [
        iam.PolicyStatement(
            actions=["s3:PutObject", "s3:GetObject", "s3:ListMultipartUploadParts", "s3:AbortMultipartUpload"],
            resources=[bucket.arn_for_objects(key_pattern)],
        )
    ]


def invoke_functions(function_arns: Sequence[str]) -> list[iam.PolicyStatement]:
    """Invokes Lambda functions.

    Args:
        function_arns: The functions' ARNs.
    """
    return [iam.PolicyStatement(actions=["lambda:InvokeFunction"], resources=list(function_arns))]


def encrypt_logs() -> iam.PolicyStatement:
    """Lets CloudWatch Logs encrypt the account's log groups; for the key's own policy.

    Without it no log group can be created with the key (CloudWatch Logs user guide, "Encrypt log data").
    """
    return iam.PolicyStatement(
        principals=[iam.ServicePrincipal(f"logs.{Aws.REGION}.{Aws.URL_SUFFIX}")],
        actions=["kms:Encrypt", "kms:Decrypt", "kms:ReEncrypt*", "kms:GenerateDataKey*", "kms:DescribeKey"],
        resources=["*"],
        conditions={
            "ArnLike": {
                "kms:EncryptionContext:aws:logs:arn": (
                    f"arn:{Aws.PARTITION}:logs:{Aws.REGION}:{Aws.ACCOUNT_ID}:log-group:*"
                )
            }
        },
    )


def _execution_arn(machine: sfn.StateMachine, scope: Construct) -> str:
    return Stack.of(scope).format_arn(
        service="states",
        resource="execution",
        resource_name=machine.state_machine_name,
        arn_format=ArnFormat.COLON_RESOURCE_NAME,
    )


def _request_tag(workflow_tag: str) -> dict[str, dict[str, str]]:
    return {"StringEquals": {f"aws:RequestTag/{WORKFLOW_TAG}": workflow_tag}}


def _resource_tag(workflow_tag: str) -> dict[str, dict[str, str]]:
    return {"StringEquals": {f"aws:ResourceTag/{WORKFLOW_TAG}": workflow_tag}}


def _via_bedrock() -> dict[str, dict[str, str]]:
    return {"StringEquals": {"kms:ViaService": f"bedrock.{Aws.REGION}.{Aws.URL_SUFFIX}"}}
