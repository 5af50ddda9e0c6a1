"""What IAM refuses of a policy document, by the grammar of the IAM user guide."""

from typing import Any

import pytest

from bedrock_customization.rehearsal import UnsupportedTemplateError
from bedrock_customization.rehearsal.permissions.documents import MalformedPolicyError, PolicyKind, statements_of

IDENTITY = {"Effect": "Allow", "Action": "s3:GetObject", "Resource": "arn:aws:s3:::data/*"}
RESOURCE = {**IDENTITY, "Principal": "*"}
TRUST = {"Effect": "Allow", "Action": "sts:AssumeRole", "Principal": {"Service": "lambda.amazonaws.com"}}


def without(statement: dict[str, Any], *names: str, **more: Any) -> dict[str, Any]:
    return {name: value for name, value in statement.items() if name not in names} | more


def read(statement: dict[str, Any], kind: PolicyKind) -> None:
    statements_of({"Version": "2012-10-17", "Statement": [statement]}, "Policy", "Team", kind)


@pytest.mark.parametrize(
    ("statement", "kind"),
    [
        (IDENTITY, PolicyKind.IDENTITY),
        (RESOURCE, PolicyKind.RESOURCE),
        (TRUST, PolicyKind.TRUST),
        (IDENTITY | {"Action": ["*"], "Resource": ["*"]}, PolicyKind.IDENTITY),
        (IDENTITY | {"Action": "s3:*", "Resource": "arn:aws:s3:::${aws:PrincipalTag/team}/*"}, PolicyKind.IDENTITY),
        (without(IDENTITY, "Action", "Resource", NotAction="s3:*", NotResource="*"), PolicyKind.IDENTITY),
        (without(RESOURCE, "Principal", Effect="Deny", NotPrincipal={"AWS": "*"}), PolicyKind.RESOURCE),
        (IDENTITY | {"Condition": {"Bool": {"aws:SecureTransport": "true"}}}, PolicyKind.IDENTITY),
    ],
)
def test_a_statement_that_iam_takes(statement: dict[str, Any], kind: PolicyKind) -> None:
    read(statement, kind)


@pytest.mark.parametrize(
    ("statement", "kind", "words"),
    [
        (IDENTITY | {"Effect": "allow"}, PolicyKind.IDENTITY, r"Effect: is 'allow'; write 'Allow' or 'Deny'"),
        (without(IDENTITY, "Effect"), PolicyKind.IDENTITY, r"Effect: is None"),
        (IDENTITY | {"Action": "GetObject"}, PolicyKind.IDENTITY, r"Action: 'GetObject' names no service"),
        (IDENTITY | {"Action": ["s3:GetObject", "s3:"]}, PolicyKind.IDENTITY, r"Action: 's3:' names no service"),
        (IDENTITY | {"NotAction": "s3:PutObject"}, PolicyKind.IDENTITY, r"has Action and NotAction"),
        (without(IDENTITY, "Action"), PolicyKind.IDENTITY, r"has no Action"),
        (IDENTITY | {"Resource": "data/*"}, PolicyKind.IDENTITY, r"Resource: 'data/\*' is no ARN"),
        (RESOURCE | {"Resource": ["data/*"]}, PolicyKind.RESOURCE, r"Resource: 'data/\*' is no ARN"),
        (IDENTITY | {"NotResource": "*"}, PolicyKind.IDENTITY, r"has Resource and NotResource"),
        (without(IDENTITY, "Resource"), PolicyKind.IDENTITY, r"has no Resource"),
        (without(RESOURCE, "Resource"), PolicyKind.RESOURCE, r"has no Resource"),
        (RESOURCE, PolicyKind.IDENTITY, r"Principal: an identity-based policy has no such element, but got '\*'"),
        (IDENTITY | {"NotPrincipal": "*"}, PolicyKind.IDENTITY, r"NotPrincipal: an identity-based policy has no"),
        (IDENTITY, PolicyKind.RESOURCE, r"has no Principal"),
        (TRUST | {"Resource": "*"}, PolicyKind.TRUST, r"Resource: a role's trust policy has no such element"),
        (
            IDENTITY | {"Condition": {"Bool": {"SecureTransport": "true"}}},
            PolicyKind.IDENTITY,
            r"Condition: the key 'SecureTransport' names no service",
        ),
    ],
)
def test_a_statement_that_iam_refuses(statement: dict[str, Any], kind: PolicyKind, words: str) -> None:
    with pytest.raises(MalformedPolicyError, match=rf"^Policy\.Statement\[0\].*{words}"):
        read(statement, kind)


def test_allowing_all_but_some_principals_is_not_known() -> None:
    statement = without(RESOURCE, "Principal", NotPrincipal={"AWS": "123456789012"})
    with pytest.raises(UnsupportedTemplateError, match=r"^Policy\.Statement\[0\]\.NotPrincipal: .* effect Allow"):
        read(statement, PolicyKind.RESOURCE)
