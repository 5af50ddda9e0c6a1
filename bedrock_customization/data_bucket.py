"""The buckets of the workflows: private, encrypted, retained."""

from __future__ import annotations

from aws_cdk import Duration, RemovalPolicy
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_s3 as s3
from constructs import Construct


def data_bucket_or_new(
    scope: Construct, construct_id: str, bucket: s3.IBucket | None, encryption_key: kms.IKey | None
) -> s3.IBucket:
    """The given bucket, or a new one that is private, versioned, encrypted and retained.

    Args:
        scope: The construct that holds a new bucket.
        construct_id: Its id.
        bucket: An existing bucket.
        encryption_key: The key of a new bucket; S3's own by default.
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
