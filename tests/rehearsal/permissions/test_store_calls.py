"""Which actions on tables, secrets, parameters and keys calls need."""

from typing import Any

import pytest

from bedrock_customization.rehearsal.assembly import UnsupportedTemplateError
from bedrock_customization.rehearsal.permissions.context import RequestContext
from bedrock_customization.rehearsal.permissions.statements import ANY_RESOURCE
from tests.rehearsal.permissions.account import HERE, needed, needs


@pytest.mark.parametrize(
    ("service", "operation", "request_", "expected"),
    [
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
    ],
)
def test_a_call(service: str, operation: str, request_: dict[str, Any], expected: list[tuple[str, str]]) -> None:
    assert needed(service, operation, request_) == expected


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
