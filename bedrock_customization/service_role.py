"""The role that Bedrock trains with, and what it may do."""

from __future__ import annotations

from collections.abc import Sequence

from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_s3 as s3
from constructs import Construct

from bedrock_customization import permissions
from bedrock_customization.data_bucket import grant_decrypt, grant_encrypt
from bedrock_customization.training_network import TrainingNetwork


def service_role_or_new(scope: Construct, construct_id: str, role: iam.IRole | None) -> iam.IRole:
    """The given role, or a new one that only customization jobs of this account can take.

    Args:
        scope: The construct that holds a new role.
        construct_id: Its id.
        role: An existing role.
    """
    if role is not None:
        return role
    return iam.Role(
        scope,
        construct_id,
        description="Bedrock reads training data and writes a job's artefacts with it",
        assumed_by=permissions.trust_for("bedrock", "model-customization-job/*"),
    )


def allow_training(
    role: iam.IRole,
    *,
    data_buckets: Sequence[s3.IBucket],
    results_bucket: s3.IBucket,
    teacher_models: Sequence[str],
    graders: Sequence[lambda_.IFunction],
    encryption_key: kms.IKey | None,
    network: TrainingNetwork,
) -> None:
    """Lets the role read data and write artefacts, and whatever else a workflow's jobs need.

    Args:
        role: The role; the policies of one that was imported with `without_policy_updates()` stay as they are.
        data_buckets: The buckets of training and validation data and of invocation logs.
        results_bucket: The bucket of the artefacts, under `runs/*/training/`.
        teacher_models: The teachers that it asks.
        graders: The graders that it invokes.
        encryption_key: The key of custom models.
        network: Where jobs read data from.
    """
    further: list[iam.PolicyStatement] = []
    if teacher_models:
        further += permissions.ask_teachers(teacher_models)
    if graders:
        further += permissions.invoke_functions([function.function_arn for function in graders])
    if encryption_key:
        further += permissions.encrypt_models(encryption_key)
    if network.subnet_ids:
        further += permissions.train_in_vpc(network.subnet_ids, network.security_group_ids)
    statements = [
        *(statement for bucket in dict.fromkeys(data_buckets) for statement in permissions.read_objects(bucket)),
        *permissions.read_objects(results_bucket, "runs/*/training/*"),
        *(
            statement
            for bucket in dict.fromkeys((*data_buckets, results_bucket))
            for statement in permissions.list_objects(bucket)
        ),
        *permissions.write_objects(results_bucket, "runs/*/training/*"),
        *further,
    ]
    permissions.allow(role, statements)
    for bucket in dict.fromkeys((*data_buckets, results_bucket)):
        grant_decrypt(bucket, role)
    grant_encrypt(results_bucket, role)
