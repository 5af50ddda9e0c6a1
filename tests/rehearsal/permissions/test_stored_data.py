"""Objects, tables and secrets: what they are encrypted with, and what S3 remembers, decides on access to them."""

from pathlib import Path
from typing import Any

import aws_cdk as cdk
import boto3
import pytest
from aws_cdk import aws_dynamodb as dynamodb
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_s3 as s3
from aws_cdk import aws_secretsmanager as secretsmanager

from bedrock_customization.rehearsal import Rehearsal
from tests.rehearsal.permissions.stacks import allow, in_handler, output, state_machine


@pytest.fixture
def stack(tmp_path: Path) -> cdk.Stack:
    return cdk.Stack(cdk.App(outdir=str(tmp_path / "cdk.out")), "Team")


@pytest.mark.parametrize("first", ["public/a", "secret/a"])
def test_objects_that_may_not_be_deleted_are_errors_in_an_answer(stack: cdk.Stack, first: str) -> None:
    bucket = s3.Bucket(stack, "Data")
    rehearsal = in_handler(
        stack, lambda: answers.append(delete()), delete=lambda caller: bucket.grant_delete(caller, "public/*")
    )
    name, answers = rehearsal.bucket_name(bucket), []

    def delete() -> Any:
        objects = [{"Key": first}, {"Key": "secret/b"}]
        return boto3.client("s3").delete_objects(Bucket=name, Delete={"Objects": objects})

    for key in (first, "secret/b"):
        rehearsal.upload(bucket, key, "x")
    assert "error" not in output(rehearsal)
    denied = [(error["Key"], error["Code"]) for error in answers[0]["Errors"]]
    assert denied == [(key, "AccessDenied") for key in (first, "secret/b") if key.startswith("secret")]
    assert rehearsal.keys(bucket) == [key for key, _ in denied]


def test_objects_that_are_locked_are_errors_beside_those_that_may_not_be_deleted(stack: cdk.Stack) -> None:
    everything = iam.PolicyStatement(actions=["s3:*"], resources=["*"])
    but = iam.PolicyStatement(
        effect=iam.Effect.DENY, actions=["s3:DeleteObject*"], resources=["arn:aws:s3:::locked/secret"]
    )

    def grant(caller: lambda_.Function) -> None:
        caller.add_to_role_policy(everything)
        caller.add_to_role_policy(but)

    def delete() -> None:
        client = boto3.client("s3")
        client.create_bucket(Bucket="locked", ObjectLockEnabledForBucket=True)
        held = client.put_object(Bucket="locked", Key="held", Body=b"x", ObjectLockLegalHoldStatus="ON")
        objects = [{"Key": "held", "VersionId": held["VersionId"]}, {"Key": "secret"}]
        answers.append(client.delete_objects(Bucket="locked", Delete={"Objects": objects}))

    answers: list[Any] = []
    output(in_handler(stack, delete, grant=grant))
    assert [error["Key"] for error in answers[0]["Errors"]] == ["held", "secret"]


def test_the_parts_of_an_upload_are_encrypted_as_it_says(stack: cdk.Stack) -> None:
    bucket = s3.Bucket(stack, "Data")
    bucket.add_to_resource_policy(
        iam.PolicyStatement(
            effect=iam.Effect.DENY,
            principals=[iam.AnyPrincipal()],
            actions=["s3:PutObject"],
            resources=[bucket.arn_for_objects("*")],
            conditions={"StringNotEquals": {"s3:x-amz-server-side-encryption": "AES256"}},
        )
    )
    rehearsal = in_handler(stack, lambda: upload(), write=bucket.grant_write)
    name = rehearsal.bucket_name(bucket)

    def upload() -> str:
        client = boto3.client("s3")
        upload_id = client.create_multipart_upload(Bucket=name, Key="a", ServerSideEncryption="AES256")["UploadId"]
        part = client.upload_part(Bucket=name, Key="a", UploadId=upload_id, PartNumber=1, Body=b"x")
        parts = {"Parts": [{"PartNumber": 1, "ETag": part["ETag"]}]}
        client.complete_multipart_upload(Bucket=name, Key="a", UploadId=upload_id, MultipartUpload=parts)
        return "done"

    assert output(rehearsal) == {"result": "done"}


def test_an_object_with_a_key_of_its_own_needs_it_to_be_read(stack: cdk.Stack) -> None:
    bucket, key = s3.Bucket(stack, "Data"), kms.Key(stack, "Key")
    statement = iam.PolicyStatement(actions=["kms:GenerateDataKey"], resources=[key.key_arn])

    def grant(caller: lambda_.Function) -> None:
        bucket.grant_read_write(caller)
        caller.add_to_role_policy(statement)

    def write_and_read() -> Any:
        client, options = boto3.client("s3"), {"ServerSideEncryption": "aws:kms", "SSEKMSKeyId": key_arn}
        client.put_object(Bucket=name, Key="a", Body=b"x", **options)
        return client.get_object(Bucket=name, Key="a")["Body"].read()

    rehearsal = in_handler(stack, write_and_read, grant=grant)
    name = rehearsal.bucket_name(bucket)
    (key_arn,) = (grant.resource for grant in rehearsal.permissions.granted if grant.action == "kms:GenerateDataKey")
    assert "kms:Decrypt" in output(rehearsal)["error"]["Message"]


def table(stack: cdk.Stack, key: kms.Key) -> tuple[str, str]:
    partition_key = dynamodb.Attribute(name="id", type=dynamodb.AttributeType.STRING)
    made = dynamodb.Table(stack, "Table", partition_key=partition_key, encryption_key=key)
    return made.table_name, made.table_arn


def global_table(stack: cdk.Stack, key: kms.Key) -> tuple[str, str]:
    sealed = dynamodb.CfnGlobalTable.ReplicaSSESpecificationProperty(kms_master_key_id=key.key_id)
    made = dynamodb.CfnGlobalTable(
        stack,
        "Table",
        attribute_definitions=[
            dynamodb.CfnGlobalTable.AttributeDefinitionProperty(attribute_name="id", attribute_type="S")
        ],
        key_schema=[dynamodb.CfnGlobalTable.KeySchemaProperty(attribute_name="id", key_type="HASH")],
        replicas=[dynamodb.CfnGlobalTable.ReplicaSpecificationProperty(region=stack.region, sse_specification=sealed)],
    )
    return made.ref, made.attr_arn


@pytest.mark.parametrize(("abac", "counts"), [("Enabled", True), ("Disabled", False), (None, False)])
def test_tags_of_a_bucket_count_if_it_enables_that(stack: cdk.Stack, abac: str | None, counts: bool) -> None:
    bucket = s3.CfnBucket(stack, "Data", tags=[cdk.CfnTag(key="team", value="a")], abac_status=abac)
    listing = state_machine(stack, "Listing", "aws-sdk:s3:listObjectsV2", {"Bucket": bucket.ref})
    allow(listing, "s3:ListBucket", conditions={"StringEquals": {"aws:ResourceTag/team": "a"}})

    assert (Rehearsal.from_stack(stack).run(listing, {}).status == "SUCCEEDED") == counts


@pytest.mark.parametrize("store", ["table", "global table", "secret"])
@pytest.mark.parametrize("granted", [True, False])
def test_what_is_encrypted_with_a_key_needs_it(stack: cdk.Stack, store: str, granted: bool) -> None:
    key = kms.Key(stack, "Key")
    if store == "secret":
        secret = secretsmanager.Secret(stack, "Secret", encryption_key=key)
        arguments: Any = {"SecretId": secret.secret_arn}
        reading = state_machine(stack, "Reading", "aws-sdk:secretsmanager:getSecretValue", arguments)
        allow(reading, "secretsmanager:GetSecretValue", secret.secret_arn)
    else:
        name, arn = global_table(stack, key) if store == "global table" else table(stack, key)
        reading = state_machine(stack, "Reading", "dynamodb:getItem", {"TableName": name, "Key": {"id": {"S": "1"}}})
        allow(reading, "dynamodb:GetItem", arn)
    if granted:
        allow(reading, "kms:Decrypt", key.key_arn)

    run = Rehearsal.from_stack(stack).run(reading, {})

    assert (run.status == "SUCCEEDED") == granted
    assert granted or "kms:Decrypt" in run.cause
