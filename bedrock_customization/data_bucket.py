"""The buckets of the workflows: private, encrypted, retained."""

from __future__ import annotations

from typing import cast

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
    created = s3.Bucket(
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
    )
    if access_logs_bucket is not None:
        log_access(created, access_logs_bucket)
    return created


def log_access(bucket: s3.Bucket, logs: s3.IBucket) -> None:
    """Lets S3 log who reads and writes a bucket.

    Without feature flags the CDK would let S3 in by an ACL, which buckets refuse today.

    Args:
        bucket: The bucket.
        logs: The bucket that gets the logs; an imported one's policy has to let S3 in already.
    """
    prefix = f"{bucket.node.path}/"
    logs.add_to_resource_policy(permissions.deliver_access_logs(logs, prefix))
    resource = cast(s3.CfnBucket, bucket.node.default_child)
    resource.logging_configuration = s3.CfnBucket.LoggingConfigurationProperty(
        destination_bucket_name=logs.bucket_name, log_file_prefix=prefix
    )


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
