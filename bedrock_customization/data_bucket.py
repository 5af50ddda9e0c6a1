"""The buckets of the workflows: private, encrypted, retained."""

from __future__ import annotations

from typing import Any

from aws_cdk import Duration, RemovalPolicy
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_s3 as s3
from constructs import Construct

from bedrock_customization import permissions


def data_bucket_or_new(
    scope: Construct,
    construct_id: str,
    bucket: s3.IBucket | None,
    *,
    encryption_key: kms.IKey | None,
    access_logs_bucket: s3.IBucket | None,
) -> s3.IBucket:
    """The given bucket, or a new one that is private, versioned, encrypted and retained.

    Args:
        scope: The construct that holds a new bucket.
        construct_id: Its id.
        bucket: An existing bucket.
        encryption_key: The key of a new bucket; S3's own by default.
        access_logs_bucket: Where S3 logs who reads and writes a new bucket; nowhere by default.
    """
    if bucket is not None:
        return bucket
    return s3.Bucket(
        scope,
        construct_id,
        encryption=s3.BucketEncryption.S3_MANAGED if encryption_key is None else s3.BucketEncryption.KMS,
        encryption_key=encryption_key,
        bucket_key_enabled=None if encryption_key is None else True,
        block_public_access=s3.BlockPublicAccess.BLOCK_ALL,
        enforce_ssl=True,
        versioned=True,
        removal_policy=RemovalPolicy.RETAIN,
        lifecycle_rules=[
            s3.LifecycleRule(
                abort_incomplete_multipart_upload_after=Duration.days(7),
                noncurrent_version_expiration=Duration.days(90),
            )
        ],
        **_access_logs(scope, construct_id, access_logs_bucket),
    )


def _access_logs(scope: Construct, construct_id: str, bucket: s3.IBucket | None) -> dict[str, Any]:
    if bucket is None:
        return {}
    prefix = f"{scope.node.path}/{construct_id}/"
    bucket.add_to_resource_policy(permissions.deliver_access_logs(bucket, prefix))
    # By name, because in an app without feature flags the CDK would let S3 in by an ACL, which buckets refuse today.
    by_name = s3.Bucket.from_bucket_name(scope, f"{construct_id}AccessLogs", bucket.bucket_name)
    return {"server_access_logs_bucket": by_name, "server_access_logs_prefix": prefix}


def grant_decrypt(bucket: s3.IBucket, role: iam.IRole) -> None:
    """Lets a role read what a bucket encrypts with a key of its own, and write it in parts.

    Args:
        bucket: The bucket.
        role: The role.
    """
    if bucket.encryption_key is not None:
        bucket.encryption_key.grant(role, "kms:Decrypt")


def grant_encrypt(bucket: s3.IBucket, role: iam.IRole) -> None:
    """Lets a role write to a bucket that encrypts with a key of its own.

    Args:
        bucket: The bucket.
        role: The role.
    """
    if bucket.encryption_key is not None:
        bucket.encryption_key.grant(role, "kms:GenerateDataKey")
