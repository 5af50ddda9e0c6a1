"""Which actions on which buckets, objects and keys calls of S3 need."""

from dataclasses import replace
from typing import Any

import pytest

from bedrock_customization.rehearsal.assembly import UnsupportedTemplateError
from bedrock_customization.rehearsal.permissions.objects import Objects
from tests.rehearsal.permissions.account import ACCOUNT, HERE, KEY, needed, needs


@pytest.mark.parametrize(
    ("service", "operation", "request_", "expected"),
    [
        ("s3", "HeadObject", {"Bucket": "open", "Key": "a"}, [("s3:GetObject", "arn:aws:s3:::open/a")]),
        (
            "s3",
            "GetObject",
            {"Bucket": "sealed", "Key": "a", "VersionId": "1"},
            [("s3:GetObjectVersion", "arn:aws:s3:::sealed/a"), ("kms:Decrypt", "arn:aws:kms:HERE:key/1")],
        ),
        (
            "s3",
            "PutObject",
            {"Bucket": "sealed", "Key": "a", "Tagging": "x=y"},
            [
                ("s3:PutObject", "arn:aws:s3:::sealed/a"),
                ("s3:PutObjectTagging", "arn:aws:s3:::sealed/a"),
                ("kms:GenerateDataKey", "arn:aws:kms:HERE:key/1"),
            ],
        ),
        (
            "s3",
            "UploadPart",
            {"Bucket": "sealed", "Key": "a", "PartNumber": 1, "UploadId": "u"},
            [("s3:PutObject", "arn:aws:s3:::sealed/a"), ("kms:Decrypt", "arn:aws:kms:HERE:key/1")],
        ),
        (
            "s3",
            "CopyObject",
            {"Bucket": "open", "Key": "b", "CopySource": "sealed/a"},
            [
                ("s3:GetObject", "arn:aws:s3:::sealed/a"),
                ("kms:Decrypt", "arn:aws:kms:HERE:key/1"),
                ("s3:PutObject", "arn:aws:s3:::open/b"),
            ],
        ),
        (
            "s3",
            "DeleteObjects",
            {"Bucket": "open", "Delete": {"Objects": [{"Key": "a"}, {"Key": "b"}]}},
            [("s3:DeleteObject", "arn:aws:s3:::open/a"), ("s3:DeleteObject", "arn:aws:s3:::open/b")],
        ),
        (
            "s3",
            "DeleteObjects",
            {"Bucket": "open", "Delete": {"Objects": [{"Key": "a", "VersionId": "1"}, {"Key": "a"}]}},
            [("s3:DeleteObjectVersion", "arn:aws:s3:::open/a"), ("s3:DeleteObject", "arn:aws:s3:::open/a")],
        ),
        (
            "s3",
            "CopyObject",
            {"Bucket": "open", "Key": "b", "CopySource": "open/a?versionId=1"},
            [("s3:GetObjectVersion", "arn:aws:s3:::open/a"), ("s3:PutObject", "arn:aws:s3:::open/b")],
        ),
        (
            "s3",
            "UploadPartCopy",
            {
                "Bucket": "sealed",
                "Key": "b",
                "PartNumber": 1,
                "UploadId": "u",
                "CopySource": {"Bucket": "open", "Key": "a"},
            },
            [
                ("s3:GetObject", "arn:aws:s3:::open/a"),
                ("s3:PutObject", "arn:aws:s3:::sealed/b"),
                ("kms:Decrypt", "arn:aws:kms:HERE:key/1"),
            ],
        ),
        (
            "s3",
            "SelectObjectContent",
            {"Bucket": "sealed", "Key": "a"},
            [("s3:GetObject", "arn:aws:s3:::sealed/a"), ("kms:Decrypt", "arn:aws:kms:HERE:key/1")],
        ),
        (
            "s3",
            "GetObjectAttributes",
            {"Bucket": "open", "Key": "a", "VersionId": "1"},
            [("s3:GetObjectVersionAttributes", "arn:aws:s3:::open/a"), ("s3:GetObjectVersion", "arn:aws:s3:::open/a")],
        ),
        (
            "s3",
            "CreateBucket",
            {"Bucket": "new", "ObjectOwnership": "ObjectWriter"},
            [("s3:CreateBucket", "arn:aws:s3:::new"), ("s3:PutBucketOwnershipControls", "arn:aws:s3:::new")],
        ),
        ("s3", "ListObjectsV2", {"Bucket": "open"}, [("s3:ListBucket", "arn:aws:s3:::open")]),
        ("s3", "ListBuckets", {}, [("s3:ListAllMyBuckets", "*")]),
    ],
)
def test_a_call(service: str, operation: str, request_: dict[str, Any], expected: list[tuple[str, str]]) -> None:
    assert needed(service, operation, request_) == expected


@pytest.mark.parametrize(
    ("operation", "action"),
    [
        ("PutBucketLifecycleConfiguration", "PutLifecycleConfiguration"),
        ("DeleteBucketLifecycle", "PutLifecycleConfiguration"),
        ("GetBucketEncryption", "GetEncryptionConfiguration"),
        ("DeleteBucketEncryption", "PutEncryptionConfiguration"),
        ("DeleteBucketCors", "PutBucketCORS"),
        ("DeleteBucketTagging", "PutBucketTagging"),
        ("GetBucketNotificationConfiguration", "GetBucketNotification"),
        ("PutBucketNotificationConfiguration", "PutBucketNotification"),
        ("GetPublicAccessBlock", "GetBucketPublicAccessBlock"),
        ("DeletePublicAccessBlock", "PutBucketPublicAccessBlock"),
        ("PutBucketReplication", "PutReplicationConfiguration"),
        ("PutBucketAccelerateConfiguration", "PutAccelerateConfiguration"),
        ("PutObjectLockConfiguration", "PutBucketObjectLockConfiguration"),
        ("ListBucketInventoryConfigurations", "GetInventoryConfiguration"),
        ("DeleteBucketMetricsConfiguration", "PutMetricsConfiguration"),
        ("GetBucketAnalyticsConfiguration", "GetAnalyticsConfiguration"),
        ("PutBucketIntelligentTieringConfiguration", "PutIntelligentTieringConfiguration"),
        ("GetBucketPolicy", "GetBucketPolicy"),
    ],
)
def test_an_operation_on_a_bucket_whose_action_may_have_another_name(operation: str, action: str) -> None:
    assert needed("s3", operation, {"Bucket": "open"}) == [(f"s3:{action}", "arn:aws:s3:::open")]


@pytest.mark.parametrize("operation", ["CreateSession", "RenameObject", "WriteGetObjectResponse"])
def test_an_operation_of_s3_that_is_not_known_is_refused_by_name(operation: str) -> None:
    with pytest.raises(UnsupportedTemplateError, match=f"s3:{operation}: .*enforce_permissions=False"):
        needed("s3", operation, {"Bucket": "open"})


OTHER_KEY = f"arn:aws:kms:{HERE}:key/2"
WITH_KEY = {"ServerSideEncryption": "aws:kms", "SSEKMSKeyId": OTHER_KEY}


@pytest.mark.parametrize(
    ("encryption", "key"),
    [
        ({}, KEY),
        (WITH_KEY, OTHER_KEY),
        (WITH_KEY | {"SSEKMSKeyId": "2"}, OTHER_KEY),
        (WITH_KEY | {"SSEKMSKeyId": "alias/aws/s3"}, None),
        ({"ServerSideEncryption": "aws:kms"}, None),
        ({"ServerSideEncryption": "AES256"}, None),
    ],
)
def test_the_key_of_an_object_is_its_own_or_else_its_buckets(encryption: dict[str, str], key: str | None) -> None:
    reading = replace(ACCOUNT, objects=Objects(lambda request: encryption))
    name = {"Bucket": "sealed", "Key": "a"}
    written = needs("s3", "PutObject", name | encryption)
    read = needs("s3", "GetObject", name, reading)
    assert [need.resource for need in written if need.action == "kms:GenerateDataKey"] == ([key] if key else [])
    assert [need.resource for need in read if need.action == "kms:Decrypt"] == ([key] if key else [])


@pytest.mark.parametrize(("enabled", "context"), [({}, "/a"), ({"BucketKeyEnabled": True}, "")])
def test_a_bucket_key_has_the_bucket_as_its_context(enabled: dict[str, bool], context: str) -> None:
    _, seal = needs("s3", "PutObject", {"Bucket": "open", "Key": "a"} | WITH_KEY | enabled)
    assert seal.keys["kms:encryptioncontext:aws:s3:arn"] == [f"arn:aws:s3:::open{context}"]


def test_an_object_that_does_not_exist_has_no_key() -> None:
    empty = replace(ACCOUNT, objects=Objects(lambda request: None))
    (need,) = needs("s3", "GetObject", {"Bucket": "sealed", "Key": "a"}, empty)
    assert need.action == "s3:GetObject"


@pytest.mark.parametrize("operation", ["UploadPart", "CompleteMultipartUpload"])
def test_what_began_an_upload_counts_for_its_parts(operation: str) -> None:
    account = replace(ACCOUNT, objects=Objects())
    part = {"Bucket": "open", "Key": "a", "UploadId": "1"}
    account.objects.begin_upload("1", part | WITH_KEY | {"ACL": "bucket-owner-full-control"})
    put, decrypt = needs("s3", operation, part, account)
    assert put.keys["s3:x-amz-server-side-encryption"] == ["aws:kms"]
    assert put.keys["s3:x-amz-acl"] == ["bucket-owner-full-control"]
    assert (decrypt.action, decrypt.resource) == ("kms:Decrypt", OTHER_KEY)
    (other,) = needs("s3", operation, part | {"UploadId": "2"}, account)
    assert "s3:x-amz-acl" not in other.keys
