"""What calls of S3 need.

Sources: the service authorisation reference of Amazon S3, and its user guide on the permissions of API operations, on
multipart uploads and on encryption with AWS KMS.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from bedrock_customization.rehearsal.assembly import UnsupportedTemplateError
from bedrock_customization.rehearsal.permissions.calls.need import Need, use_of_key
from bedrock_customization.rehearsal.permissions.calls.s3_actions import ACTIONS, OF_A_VERSION
from bedrock_customization.rehearsal.permissions.resources import Resources

_COPIES = {"CopyObject": "PutObject", "UploadPartCopy": "UploadPart"}
_OF_AN_UPLOAD = {"UploadPart", "CompleteMultipartUpload"}
_READS = {"GetObject", "GetObjectAttributes", "SelectObjectContent"}
_WRITES = {"PutObject", "CreateMultipartUpload"}
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

    Raises:
        UnsupportedTemplateError: It is not known what S3 checks for the operation.
    """
    if operation == "ListBuckets":
        return [Need("s3:ListAllMyBuckets", "*")]
    if operation == "DeleteObjects":
        return deletions(request, account)
    if operation in _COPIES:
        return [*_copied(request, account), *needs(_COPIES[operation], _without_source(request), account)]
    if operation not in ACTIONS:
        raise UnsupportedTemplateError(
            f"s3:{operation}: the rehearsal does not know which actions S3 checks for this operation; "
            "pass enforce_permissions=False to rehearse without permissions"
        )
    if operation in _OF_AN_UPLOAD:
        request = {**account.objects.of_upload(request.get("UploadId")), **request}
    bucket = account.bucket_arn(request["Bucket"])
    resource = f"{bucket}/{request['Key']}" if "Key" in request else bucket
    keys = _keys(request, account)
    actions = [ACTIONS[operation], *_more_actions(operation, request)]
    if request.get("VersionId"):
        actions = [OF_A_VERSION.get(action, action) for action in actions]
    needed = [Need(f"s3:{action}", resource, keys) for action in actions]
    if operation in _READS:
        needed += _use_of_key("kms:Decrypt", account.objects.stored(request), request, account)
    elif operation in _OF_AN_UPLOAD:
        needed += _use_of_key("kms:Decrypt", request, request, account)
    elif operation in _WRITES:
        needed += _use_of_key("kms:GenerateDataKey", request, request, account)
    return needed


def deletions(request: dict[str, Any], account: Resources) -> list[Need]:
    """What DeleteObjects needs: one thing for each of its objects, in their order.

    Args:
        request: The request.
        account: The account's resources.
    """
    bucket = request["Bucket"]
    return [
        need
        for entry in request["Delete"]["Objects"]
        for need in needs("DeleteObject", {"Bucket": bucket, **entry}, account)
    ]


def listing_that_reveals(request: dict[str, Any], account: Resources) -> Need:
    """What it takes to be told that an object does not exist; without it S3 denies access instead."""
    keys = {"s3:resourceaccount": [account.place.account], "s3:prefix": [request["Key"]]}
    return Need("s3:ListBucket", account.bucket_arn(request["Bucket"]), keys)


def _keys(request: dict[str, Any], account: Resources) -> dict[str, Sequence[str]]:
    given = {key: [str(request[field])] for field, key in _KEYS.items() if request.get(field) is not None}
    return {**given, "s3:resourceaccount": [account.place.account]}


def _more_actions(operation: str, request: dict[str, Any]) -> list[str]:
    """The actions that an operation needs beside its own."""
    if operation == "GetObjectAttributes":
        return ["GetObject"]
    more = []
    if operation in _WRITES:
        if request.get("Tagging"):
            more.append("PutObjectTagging")
        if request.get("ACL") not in (None, "private"):
            more.append("PutObjectAcl")
    if operation == "CreateBucket":
        if request.get("ACL"):
            more.append("PutBucketAcl")
        if request.get("ObjectLockEnabledForBucket"):
            more += ["PutBucketObjectLockConfiguration", "PutBucketVersioning"]
        if request.get("ObjectOwnership"):
            more.append("PutBucketOwnershipControls")
    return more


def _copied(request: dict[str, Any], account: Resources) -> list[Need]:
    source = request["CopySource"]
    if isinstance(source, str):
        bucket, _, rest = source.removeprefix("/").partition("/")
        key, _, version = rest.partition("?versionId=")
        source = {"Bucket": bucket, "Key": key, "VersionId": version or None}
    return needs("GetObject", source, account)


def _without_source(request: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in request.items() if not name.startswith("CopySource")}


def _use_of_key(action: str, sealed: Any, request: dict[str, Any], account: Resources) -> list[Need]:
    """What it takes to use the key of an object.

    Args:
        action: The action on the key.
        sealed: What a request says about encryption, or what is stored about it; None if there is no object.
        request: The request.
        account: The account's resources.
    """
    bucket = account.bucket_arn(request["Bucket"])
    if sealed is None:
        return []
    own = sealed.get("ServerSideEncryption") is not None
    key = sealed.get("SSEKMSKeyId") if own else account.keys.get(bucket)
    # A key that AWS manages lets everybody use it who may use the bucket.
    if key is None or "alias/aws/" in key:
        return []
    with_bucket_key = sealed.get("BucketKeyEnabled", bucket in account.bucket_keys)
    context = bucket if with_bucket_key else f"{bucket}/{request['Key']}"
    service = f"s3.{account.place.region}.{account.place.url_suffix}"
    return [use_of_key(action, account.key_arn(key), service, {"aws:s3:arn": context}, account.place.account)]
