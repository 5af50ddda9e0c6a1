"""Objects in S3."""

from __future__ import annotations

from aws_cdk import Aws
from aws_cdk import aws_iam as iam
from aws_cdk import aws_s3 as s3


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


def deliver_access_logs(bucket: s3.IBucket, prefix: str) -> iam.PolicyStatement:
    """Lets S3 write the access logs of this account's buckets; for the policy of the bucket that gets them.

    It does not name the buckets that are logged: those name this one, and can be in another stack.

    Args:
        bucket: The bucket that gets the logs.
        prefix: What their keys begin with.
    """
    return iam.PolicyStatement(
        principals=[iam.ServicePrincipal("logging.s3.amazonaws.com")],
        actions=["s3:PutObject"],
        resources=[bucket.arn_for_objects(f"{prefix}*")],
        conditions={"StringEquals": {"aws:SourceAccount": Aws.ACCOUNT_ID}},
    )
