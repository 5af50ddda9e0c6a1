"""What calls of S3 need. Source: the service authorisation reference of Amazon S3."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from bedrock_customization.rehearsal.permissions.calls.need import Need, use_of_key
from bedrock_customization.rehearsal.permissions.resources import Resources

_ACTIONS = {
    "HeadBucket": "ListBucket",
    "ListObjects": "ListBucket",
    "ListObjectsV2": "ListBucket",
    "ListObjectVersions": "ListBucketVersions",
    "ListMultipartUploads": "ListBucketMultipartUploads",
    "GetObject": "GetObject",
    "HeadObject": "GetObject",
    "PutObject": "PutObject",
    "CreateMultipartUpload": "PutObject",
    "UploadPart": "PutObject",
    "CompleteMultipartUpload": "PutObject",
    "AbortMultipartUpload": "AbortMultipartUpload",
    "ListParts": "ListMultipartUploadParts",
    "DeleteObject": "DeleteObject",
}
_OF_A_VERSION = {"GetObject": "GetObjectVersion", "DeleteObject": "DeleteObjectVersion"}
_DECRYPT = {"GetObject", "UploadPart", "CompleteMultipartUpload"}
_ENCRYPT = {"PutObject", "CreateMultipartUpload"}
_KEYS = {
    "Prefix": "s3:prefix",
    "Delimiter": "s3:delimiter",
    "MaxKeys": "s3:max-keys",
    "VersionId": "s3:versionid",
    "ACL": "s3:x-amz-acl",
    "IfNoneMatch": "s3:if-none-match",
    "IfMatch": "s3:if-match",
    "ServerSideEncryption": "s3:x-amz-server-side-encryption",
    "SSEKMSKeyId": "s3:x-amz-server-side-encryption-aws-kms-key-id",
    "StorageClass": "s3:x-amz-storage-class",
}


def needs(operation: str, request: dict[str, Any], account: Resources) -> list[Need]:
    """What a call needs.

    Args:
        operation: The operation.
        request: Its parameters.
        account: The account's resources.
    """
    if "Bucket" not in request:
        return [Need("s3:ListAllMyBuckets" if operation == "ListBuckets" else f"s3:{operation}", "*")]
    bucket = account.bucket_arn(request["Bucket"])
    keys: dict[str, Sequence[str]] = {
        key: [str(request[field])] for field, key in _KEYS.items() if request.get(field) is not None
    }
    keys["s3:resourceaccount"] = [account.place.account]
    if operation == "DeleteObjects":
        return [Need("s3:DeleteObject", f"{bucket}/{entry['Key']}", keys) for entry in request["Delete"]["Objects"]]
    resource = f"{bucket}/{request['Key']}" if "Key" in request else bucket
    if operation == "CopyObject":
        return [*_copied(request, account), *needs("PutObject", _without_source(request), account)]
    action = _ACTIONS.get(operation, operation)
    if request.get("VersionId"):
        action = _OF_A_VERSION.get(action, action)
    needed = [Need(f"s3:{action}", resource, keys)]
    if operation in _ENCRYPT:
        if request.get("Tagging"):
            needed.append(Need("s3:PutObjectTagging", resource, keys))
        if request.get("ACL") not in (None, "private"):
            needed.append(Need("s3:PutObjectAcl", resource, keys))
    if operation in _DECRYPT:
        needed += _use_of_key("kms:Decrypt", bucket, resource, account)
    if operation in _ENCRYPT:
        needed += _use_of_key("kms:GenerateDataKey", bucket, resource, account, request.get("SSEKMSKeyId"))
    return needed


def listing_that_reveals(request: dict[str, Any], account: Resources) -> Need:
    """What it takes to be told that an object does not exist; without it S3 denies access instead."""
    keys = {"s3:resourceaccount": [account.place.account], "s3:prefix": [request["Key"]]}
    return Need("s3:ListBucket", account.bucket_arn(request["Bucket"]), keys)


def _copied(request: dict[str, Any], account: Resources) -> list[Need]:
    source = request["CopySource"]
    if isinstance(source, str):
        bucket, _, key = source.removeprefix("/").partition("/")
        source = {"Bucket": bucket, "Key": key.partition("?versionId=")[0]}
    return needs("GetObject", source, account)


def _without_source(request: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in request.items() if not name.startswith("CopySource")}


def _use_of_key(action: str, bucket: str, resource: str, account: Resources, own: str | None = None) -> list[Need]:
    key = own if own and own.startswith("arn:") else account.keys.get(bucket)
    if key is None:
        return []
    encrypted = bucket if bucket in account.bucket_keys else resource
    service = f"s3.{account.place.region}.{account.place.url_suffix}"
    return [use_of_key(action, key, service, {"aws:s3:arn": encrypted}, account.place.account)]
