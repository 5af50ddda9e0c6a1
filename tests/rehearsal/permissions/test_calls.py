"""Which actions on which resources a call needs, as the service authorisation reference lists them."""

from dataclasses import replace
from typing import Any

import pytest

from bedrock_customization.rehearsal.assembly import UnsupportedTemplateError
from bedrock_customization.rehearsal.clock import VirtualClock
from bedrock_customization.rehearsal.permissions.calls.need import Need
from bedrock_customization.rehearsal.permissions.calls.services import needs_of
from bedrock_customization.rehearsal.permissions.calls.training import needs_of_service_role
from bedrock_customization.rehearsal.permissions.conditions import UnknownConditionError
from bedrock_customization.rehearsal.permissions.context import RequestContext
from bedrock_customization.rehearsal.permissions.objects import Objects
from bedrock_customization.rehearsal.permissions.resources import Resources
from bedrock_customization.rehearsal.permissions.statements import ANY_RESOURCE
from bedrock_customization.rehearsal.physical_names import Place
from bedrock_customization.rehearsal.services.api import ApiCall, Principal
from bedrock_customization.rehearsal.services.bedrock.registry import Registry

PLACE = Place("", "123456789012", "us-east-1", "aws", "amazonaws.com")
HERE = "us-east-1:123456789012"
KEY = f"arn:aws:kms:{HERE}:key/1"
ACCOUNT = Resources(
    PLACE,
    Registry(VirtualClock(), PLACE.region, PLACE.account, PLACE.partition),
    keys={
        "arn:aws:s3:::sealed": KEY,
        f"arn:aws:sqs:{HERE}:sealed": KEY,
        f"arn:aws:dynamodb:{HERE}:table/sealed": KEY,
        f"arn:aws:secretsmanager:{HERE}:secret:sealed-AbCdEf": KEY,
    },
    secrets=[f"arn:aws:secretsmanager:{HERE}:secret:{name}-AbCdEf" for name in ("team-prod", "team", "sealed")],
)
ROLE = "arn:aws:iam::123456789012:role/Other"
TAGS = [{"key": "team", "value": "blue"}]
JOB = {
    "jobName": "a",
    "customModelName": "b",
    "roleArn": "arn:aws:iam::123456789012:role/Bedrock",
    "baseModelIdentifier": "amazon.nova-micro-v1:0:128k",
    "jobTags": TAGS,
    "customModelTags": TAGS,
}


def needs(service: str, operation: str, request: dict[str, Any], account: Resources = ACCOUNT) -> list[Need]:
    return needs_of(ApiCall(service, operation, request, Principal(), PLACE.region), account)


def needed(service: str, operation: str, request: dict[str, Any]) -> list[tuple[str, str]]:
    return [(need.action, need.resource.replace(HERE, "HERE")) for need in needs(service, operation, request)]


@pytest.mark.parametrize(
    ("service", "operation", "request_", "expected"),
    [
        (
            "bedrock-runtime",
            "Converse",
            {"modelId": "amazon.nova-micro-v1:0"},
            [("bedrock:InvokeModel", "arn:aws:bedrock:us-east-1::foundation-model/amazon.nova-micro-v1:0")],
        ),
        (
            "bedrock-runtime",
            "ConverseStream",
            {"modelId": "arn:aws:bedrock:us-east-1::foundation-model/a.b"},
            [("bedrock:InvokeModelWithResponseStream", "arn:aws:bedrock:us-east-1::foundation-model/a.b")],
        ),
        (
            "bedrock-runtime",
            "InvokeModel",
            {"modelId": f"arn:aws:bedrock:{HERE}:provisioned-model/abc"},
            [("bedrock:InvokeModel", "arn:aws:bedrock:HERE:provisioned-model/abc")],
        ),
        (
            "bedrock-runtime",
            "Converse",
            {"modelId": "global.a.b"},
            [
                ("bedrock:InvokeModel", "arn:aws:bedrock:HERE:inference-profile/global.a.b"),
                ("bedrock:InvokeModel", "arn:aws:bedrock:us-east-1::foundation-model/a.b"),
                ("bedrock:InvokeModel", "arn:aws:bedrock:::foundation-model/a.b"),
            ],
        ),
        ("bedrock", "ListCustomModels", {}, [("bedrock:ListCustomModels", "*")]),
        (
            "bedrock",
            "CreateModelCustomizationJob",
            JOB,
            [
                (
                    "bedrock:CreateModelCustomizationJob",
                    "arn:aws:bedrock:us-east-1::foundation-model/amazon.nova-micro-v1:0:128k",
                ),
                ("bedrock:CreateModelCustomizationJob", "arn:aws:bedrock:HERE:custom-model/*"),
                ("bedrock:CreateModelCustomizationJob", "arn:aws:bedrock:HERE:model-customization-job/*"),
                ("bedrock:TagResource", "arn:aws:bedrock:HERE:custom-model/*"),
                ("bedrock:TagResource", "arn:aws:bedrock:HERE:model-customization-job/*"),
                ("iam:PassRole", "arn:aws:iam::123456789012:role/Bedrock"),
            ],
        ),
        (
            "bedrock",
            "CreateCustomModelDeployment",
            {"modelDeploymentName": "a", "modelArn": f"arn:aws:bedrock:{HERE}:custom-model/x", "tags": TAGS},
            [
                ("bedrock:CreateCustomModelDeployment", "arn:aws:bedrock:HERE:custom-model/x"),
                ("bedrock:TagResource", "arn:aws:bedrock:HERE:custom-model-deployment/*"),
            ],
        ),
        (
            "bedrock",
            "UpdateCustomModelDeployment",
            {"customModelDeploymentIdentifier": "d", "modelArn": f"arn:aws:bedrock:{HERE}:custom-model/x"},
            [
                ("bedrock:UpdateCustomModelDeployment", "arn:aws:bedrock:HERE:custom-model-deployment/d"),
                ("bedrock:UpdateCustomModelDeployment", "arn:aws:bedrock:HERE:custom-model/x"),
            ],
        ),
        (
            "bedrock",
            "UpdateProvisionedModelThroughput",
            {"provisionedModelId": "p", "desiredModelId": "a.b"},
            [
                ("bedrock:UpdateProvisionedModelThroughput", "arn:aws:bedrock:HERE:provisioned-model/p"),
                ("bedrock:UpdateProvisionedModelThroughput", "arn:aws:bedrock:us-east-1::foundation-model/a.b"),
            ],
        ),
        (
            "bedrock",
            "UpdateProvisionedModelThroughput",
            {"provisionedModelId": "p", "desiredProvisionedModelName": "q"},
            [("bedrock:UpdateProvisionedModelThroughput", "arn:aws:bedrock:HERE:provisioned-model/p")],
        ),
        (
            "bedrock",
            "StopModelCustomizationJob",
            {"jobIdentifier": "gone"},
            [("bedrock:StopModelCustomizationJob", "arn:aws:bedrock:HERE:model-customization-job/gone")],
        ),
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
        (
            "lambda",
            "Invoke",
            {"FunctionName": "mine", "Qualifier": "live"},
            [("lambda:InvokeFunction", "arn:aws:lambda:HERE:function:mine:live")],
        ),
        (
            "lambda",
            "InvokeWithResponseStream",
            {"FunctionName": "arn:aws:lambda:eu-west-1:999999999999:function:theirs:live"},
            [("lambda:InvokeFunction", "arn:aws:lambda:eu-west-1:999999999999:function:theirs:live")],
        ),
        (
            "lambda",
            "Invoke",
            {"FunctionName": "999999999999:function:theirs"},
            [("lambda:InvokeFunction", "arn:aws:lambda:us-east-1:999999999999:function:theirs")],
        ),
        ("resourcegroupstaggingapi", "GetResources", {}, [("tag:GetResources", ANY_RESOURCE)]),
        ("apigateway", "GetRestApi", {"restApiId": "a"}, [("apigateway:GET", ANY_RESOURCE)]),
        ("apigatewayv2", "UpdateApi", {"ApiId": "a"}, [("apigateway:PATCH", ANY_RESOURCE)]),
        (
            "apigatewaymanagementapi",
            "PostToConnection",
            {"ConnectionId": "a"},
            [("execute-api:ManageConnections", ANY_RESOURCE)],
        ),
        (
            "stepfunctions",
            "DescribeExecution",
            {"executionArn": f"arn:aws:states:{HERE}:execution:m:1"},
            [("states:DescribeExecution", "arn:aws:states:HERE:execution:m:1")],
        ),
        (
            "stepfunctions",
            "StartExecution",
            {"stateMachineArn": f"arn:aws:states:{HERE}:stateMachine:m:live"},
            [("states:StartExecution", "arn:aws:states:HERE:stateMachine:m")],
        ),
        (
            "stepfunctions",
            "DescribeStateMachineAlias",
            {"stateMachineAliasArn": f"arn:aws:states:{HERE}:stateMachine:m:live"},
            [("states:DescribeStateMachineAlias", "arn:aws:states:HERE:stateMachine:m")],
        ),
        ("sns", "Publish", {"PhoneNumber": "+1"}, [("sns:Publish", "*")]),
        (
            "sqs",
            "SendMessage",
            {"QueueUrl": "https://sqs.us-east-1.amazonaws.com/123456789012/sealed"},
            [
                ("sqs:SendMessage", "arn:aws:sqs:HERE:sealed"),
                ("kms:GenerateDataKey", "arn:aws:kms:HERE:key/1"),
                ("kms:Decrypt", "arn:aws:kms:HERE:key/1"),
            ],
        ),
        (
            "events",
            "PutEvents",
            {"Entries": [{"Source": "a", "EventBusName": f"arn:aws:events:{HERE}:event-bus/team"}, {"Source": "b"}]},
            [
                ("events:PutEvents", "arn:aws:events:HERE:event-bus/team"),
                ("events:PutEvents", "arn:aws:events:HERE:event-bus/default"),
            ],
        ),
        (
            "dynamodb",
            "TransactWriteItems",
            {"TransactItems": [{"Put": {"TableName": "a"}}, {"ConditionCheck": {"TableName": "b"}}]},
            [
                ("dynamodb:PutItem", "arn:aws:dynamodb:HERE:table/a"),
                ("dynamodb:ConditionCheckItem", "arn:aws:dynamodb:HERE:table/b"),
            ],
        ),
        (
            "dynamodb",
            "Query",
            {"TableName": "a", "IndexName": "i"},
            [("dynamodb:Query", "arn:aws:dynamodb:HERE:table/a/index/i")],
        ),
        (
            "secretsmanager",
            "GetSecretValue",
            {"SecretId": "team"},
            [("secretsmanager:GetSecretValue", "arn:aws:secretsmanager:HERE:secret:team-AbCdEf")],
        ),
        (
            "secretsmanager",
            "GetSecretValue",
            {"SecretId": f"arn:aws:secretsmanager:{HERE}:secret:sealed"},
            [
                ("secretsmanager:GetSecretValue", "arn:aws:secretsmanager:HERE:secret:sealed-AbCdEf"),
                ("kms:Decrypt", "arn:aws:kms:HERE:key/1"),
            ],
        ),
        (
            "secretsmanager",
            "PutSecretValue",
            {"SecretId": "sealed"},
            [
                ("secretsmanager:PutSecretValue", "arn:aws:secretsmanager:HERE:secret:sealed-AbCdEf"),
                ("kms:GenerateDataKey", "arn:aws:kms:HERE:key/1"),
                ("kms:Decrypt", "arn:aws:kms:HERE:key/1"),
            ],
        ),
        (
            "secretsmanager",
            "DescribeSecret",
            {"SecretId": "sealed"},
            [("secretsmanager:DescribeSecret", "arn:aws:secretsmanager:HERE:secret:sealed-AbCdEf")],
        ),
        (
            "dynamodb",
            "Query",
            {"TableName": "sealed", "IndexName": "i"},
            [
                ("dynamodb:Query", "arn:aws:dynamodb:HERE:table/sealed/index/i"),
                ("kms:Decrypt", "arn:aws:kms:HERE:key/1"),
            ],
        ),
        (
            "dynamodb",
            "DescribeTable",
            {"TableName": "sealed"},
            [("dynamodb:DescribeTable", "arn:aws:dynamodb:HERE:table/sealed")],
        ),
        (
            "dynamodb",
            "ExecuteStatement",
            {"Statement": 'select a, b\nFROM "orders"."by-day" WHERE a = ?'},
            [("dynamodb:PartiQLSelect", "arn:aws:dynamodb:HERE:table/orders/index/by-day")],
        ),
        (
            "dynamodb",
            "ExecuteTransaction",
            {
                "TransactStatements": [
                    {"Statement": "INSERT INTO a VALUE {'id': ?}"},
                    {"Statement": 'UPDATE "b" SET x = 1 WHERE id = ?'},
                    {"Statement": "DELETE FROM c WHERE id = ?"},
                    {"Statement": "EXISTS(SELECT * FROM d WHERE id = ?)"},
                ]
            },
            [
                ("dynamodb:PartiQLInsert", "arn:aws:dynamodb:HERE:table/a"),
                ("dynamodb:PartiQLUpdate", "arn:aws:dynamodb:HERE:table/b"),
                ("dynamodb:PartiQLDelete", "arn:aws:dynamodb:HERE:table/c"),
                ("dynamodb:PartiQLSelect", "arn:aws:dynamodb:HERE:table/d"),
            ],
        ),
        (
            "kms",
            "ReEncrypt",
            {"DestinationKeyId": "1"},
            [("kms:ReEncryptFrom", ANY_RESOURCE), ("kms:ReEncryptTo", "arn:aws:kms:HERE:key/1")],
        ),
        ("cloudwatch", "PutMetricData", {}, [("cloudwatch:PutMetricData", "*")]),
        ("ec2", "DescribeVpcs", {}, [("ec2:DescribeVpcs", ANY_RESOURCE)]),
        ("sts", "GetCallerIdentity", {}, []),
    ],
)
def test_a_call(service: str, operation: str, request_: dict[str, Any], expected: list[tuple[str, str]]) -> None:
    assert needed(service, operation, request_) == expected


def test_tags_and_the_passed_service_are_condition_keys() -> None:
    create, *_, tag_job, pass_role = needs("bedrock", "CreateModelCustomizationJob", JOB)
    assert create.keys == tag_job.keys == {"aws:requesttag/team": ["blue"], "aws:tagkeys": ["team"]}
    assert pass_role.keys == {"iam:passedtoservice": ["bedrock.amazonaws.com"]}


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


@pytest.mark.parametrize(
    ("service", "operation", "request_", "resource"),
    [
        ("ssm", "GetParameter", {"Name": "a"}, "arn:aws:ssm:eu-west-1:123456789012:parameter/a"),
        ("lambda", "Invoke", {"FunctionName": "a"}, "arn:aws:lambda:eu-west-1:123456789012:function:a"),
        ("bedrock-runtime", "Converse", {"modelId": "a.b"}, "arn:aws:bedrock:eu-west-1::foundation-model/a.b"),
    ],
)
def test_what_a_client_of_another_region_names_is_there(
    service: str, operation: str, request_: dict[str, Any], resource: str
) -> None:
    (need,) = needs_of(ApiCall(service, operation, request_, Principal(), "eu-west-1"), ACCOUNT)
    assert need.resource == resource


@pytest.mark.parametrize(
    ("service", "operation", "request_", "to"),
    [
        ("scheduler", "CreateSchedule", {"Target": {"Arn": "a", "RoleArn": ROLE}}, "scheduler.amazonaws.com"),
        ("ecs", "RegisterTaskDefinition", {"family": "a", "taskRoleArn": ROLE}, "ecs-tasks.amazonaws.com"),
        ("events", "PutTargets", {"Rule": "a", "Targets": [{"RoleArn": ROLE}]}, "events.amazonaws.com"),
    ],
)
def test_a_role_in_a_request_has_to_be_passed(service: str, operation: str, request_: dict[str, Any], to: str) -> None:
    *_, passed = needs(service, operation, request_)
    assert (passed.action, passed.resource) == ("iam:PassRole", ROLE)
    assert RequestContext(passed.keys).values("iam:PassedToService") == [to]


def test_to_which_service_a_role_goes_may_not_be_known() -> None:
    _, passed = needs("appsync", "CreateDataSource", {"serviceRoleArn": ROLE})
    with pytest.raises(UnknownConditionError, match="iam:PassedToService"):
        RequestContext(passed.keys).values("iam:PassedToService")


@pytest.mark.parametrize(
    ("service", "operation", "request_"),
    [
        ("ssm", "PutParameter", {"Name": "role", "Value": ROLE}),
        ("dynamodb", "PutItem", {"TableName": "a", "Item": {"role": {"S": ROLE}}}),
        ("lambda", "UpdateFunctionConfiguration", {"FunctionName": "a", "Environment": {"Variables": {"ROLE": ROLE}}}),
        ("iam", "CreateInstanceProfile", {"InstanceProfileName": ROLE}),
    ],
)
def test_a_role_that_is_data_is_not_passed(service: str, operation: str, request_: dict[str, Any]) -> None:
    assert len(needs(service, operation, request_)) == 1


def test_a_statement_that_cannot_be_read_is_refused() -> None:
    with pytest.raises(UnsupportedTemplateError, match="PartiQL statement 'DROP TABLE a'"):
        needs("dynamodb", "ExecuteStatement", {"Statement": "DROP TABLE a"})


def test_a_table_opens_its_key_by_way_of_dynamodb() -> None:
    _, decrypt = needs("dynamodb", "GetItem", {"TableName": "sealed"})
    context = RequestContext(decrypt.keys)
    assert context.values("kms:ViaService") == ["dynamodb.us-east-1.amazonaws.com"]
    assert context.values("kms:EncryptionContext:aws:dynamodb:tableName") == ["sealed"]


def test_the_encryption_context_of_a_direct_use_of_a_key_is_shown() -> None:
    (use,) = needs("kms", "GenerateDataKey", {"KeyId": "1", "EncryptionContext": {"Tenant": "a"}})
    context = RequestContext(use.keys)
    assert context.values("kms:EncryptionContext:Tenant") == ["a"]
    assert context.values("kms:EncryptionContextKeys") == ["Tenant"]
    assert context.values("kms:EncryptionContext:other") is None
    assert context.values("kms:ViaService") is None


GUARDRAIL = f"arn:aws:bedrock:{HERE}:guardrail/abc"


@pytest.mark.parametrize(
    ("operation", "given", "shown"),
    [
        (
            "Converse",
            {"guardrailConfig": {"guardrailIdentifier": GUARDRAIL, "guardrailVersion": "1"}},
            f"{GUARDRAIL}:1",
        ),
        ("InvokeModel", {"guardrailIdentifier": "abc", "guardrailVersion": "2"}, f"{GUARDRAIL}:2"),
        ("InvokeModel", {"guardrailIdentifier": "abc", "guardrailVersion": "DRAFT"}, GUARDRAIL),
    ],
)
def test_a_guardrail_has_to_be_applied_and_is_a_condition_key(
    operation: str, given: dict[str, Any], shown: str
) -> None:
    *asking, applied = needs("bedrock-runtime", operation, {"modelId": "us.a.b"} | given)
    assert (applied.action, applied.resource) == ("bedrock:ApplyGuardrail", GUARDRAIL)
    assert [need.keys["bedrock:guardrailidentifier"] for need in asking] == [[shown]] * 4


@pytest.mark.parametrize(
    ("profile", "regions"),
    [("us.a.b", ["us-east-1", "us-east-2", "us-west-2"]), ("global.a.b", ["us-east-1", "unspecified"])],
)
def test_the_region_of_a_routed_model_is_the_one_that_is_asked(profile: str, regions: list[str]) -> None:
    first, *routed = needs("bedrock-runtime", "Converse", {"modelId": profile})
    assert "aws:requestedregion" not in first.keys
    assert [need.keys["aws:requestedregion"] for need in routed] == [[region] for region in regions]


def test_assuming_a_role_shows_the_session() -> None:
    (need,) = needs("sts", "AssumeRole", {"RoleArn": ROLE, "RoleSessionName": "me", "ExternalId": "x"})
    assert (need.action, need.resource) == ("sts:AssumeRole", ROLE)
    assert need.keys == {"sts:rolesessionname": ["me"], "sts:externalid": ["x"]}


@pytest.mark.parametrize(
    ("operation", "more"),
    [("AssumeRole", {"Policy": "{}"}), ("AssumeRoleWithWebIdentity", {}), ("GetFederationToken", {})],
)
def test_a_session_whose_rights_are_not_known_is_refused(operation: str, more: dict[str, Any]) -> None:
    with pytest.raises(UnsupportedTemplateError, match=f"sts:{operation}"):
        needs("sts", operation, {"RoleArn": ROLE, "RoleSessionName": "me"} | more)


@pytest.mark.parametrize(("suffix", "qualifier"), [(":live", ["live"]), (":3", ["3"]), ("", None)])
def test_the_qualifier_of_a_state_machine_is_a_condition_key(suffix: str, qualifier: list[str] | None) -> None:
    (need,) = needs(
        "stepfunctions", "StartExecution", {"stateMachineArn": f"arn:aws:states:{HERE}:stateMachine:m{suffix}"}
    )
    assert RequestContext(need.keys).values("states:StateMachineQualifier") == qualifier


def test_a_job_uses_its_service_role_for_key_network_teacher_and_grader() -> None:
    request = JOB | {
        "customModelKmsKeyId": KEY,
        "vpcConfig": {"subnetIds": ["subnet-1"], "securityGroupIds": ["sg-1"]},
        "customizationConfig": {
            "distillationConfig": {"teacherModelConfig": {"teacherModelIdentifier": "us.a.b"}},
            "rftConfig": {"graderConfig": {"lambdaGrader": {"lambdaArn": f"arn:aws:lambda:{HERE}:function:grade"}}},
        },
    }
    actions = {(need.action, need.resource.replace(HERE, "HERE")) for need in needs_of_service_role(request, ACCOUNT)}
    assert {
        ("kms:CreateGrant", "arn:aws:kms:HERE:key/1"),
        ("ec2:CreateNetworkInterface", "arn:aws:ec2:HERE:network-interface/*"),
        ("ec2:CreateNetworkInterface", "arn:aws:ec2:HERE:subnet/subnet-1"),
        ("ec2:CreateNetworkInterface", "arn:aws:ec2:HERE:security-group/sg-1"),
        ("ec2:DescribeVpcs", "*"),
        ("bedrock:InvokeModel", "arn:aws:bedrock:HERE:inference-profile/us.a.b"),
        ("bedrock:InvokeModel", "arn:aws:bedrock:us-west-2::foundation-model/a.b"),
        ("lambda:InvokeFunction", "arn:aws:lambda:HERE:function:grade"),
    } <= actions
    assert needs_of_service_role(JOB, ACCOUNT) == []
