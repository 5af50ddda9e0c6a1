"""Condition elements, against the tables of the IAM user guide."""

from typing import Any

import pytest

from bedrock_customization.rehearsal.permissions.conditions import (
    MalformedConditionError,
    UnknownConditionError,
    conditions_of,
)
from bedrock_customization.rehearsal.permissions.context import RequestContext

KEYS = {
    "aws:requesttag/team": ["blue"],
    "aws:tagkeys": ["team", "cost"],
    "aws:sourcearn": ["arn:aws:events:us-east-1:123456789012:rule/one"],
    "aws:securetransport": ["true"],
    "aws:currenttime": ["2026-01-01T00:00:00Z"],
    "aws:epochtime": ["1767225600"],
    "s3:prefix": ["runs/1/"],
    "s3:max-keys": ["10"],
    "s3:delimiter": ["*/?"],
    "aws:principaltag/team": ["blue"],
}
CONTEXT = RequestContext(KEYS, lambda: {"Owner": "me"})


def holds(operator: str, key: str, wanted: Any) -> bool:
    return all(condition.holds(CONTEXT) for condition in conditions_of({operator: {key: wanted}}, variables=True))


@pytest.mark.parametrize(
    ("operator", "key", "wanted", "expected"),
    [
        ("StringEquals", "aws:RequestTag/Team", "blue", True),
        ("StringEquals", "aws:RequestTag/Team", ["red", "blue"], True),
        ("StringEquals", "aws:RequestTag/Team", "Blue", False),
        ("StringEquals", "aws:RequestTag/Other", "blue", False),
        ("StringEqualsIfExists", "aws:RequestTag/Other", "blue", True),
        ("StringEqualsIfExists", "aws:RequestTag/Team", "red", False),
        ("StringEqualsIgnoreCase", "aws:RequestTag/Team", "BLUE", True),
        ("StringNotEqualsIgnoreCase", "aws:RequestTag/Team", "BLUE", False),
        ("StringNotEquals", "aws:RequestTag/Team", ["red", "blue"], False),
        ("StringNotEquals", "aws:RequestTag/Team", ["red", "green"], True),
        ("StringNotEquals", "aws:RequestTag/Other", "blue", True),
        ("StringEquals", "aws:ResourceTag/owner", "me", True),
        ("StringEquals", "aws:ResourceTag/Team", "blue", False),
        ("StringLike", "s3:prefix", "runs/*/", True),
        ("StringLike", "s3:prefix", "runs/?/", True),
        ("StringLike", "s3:prefix", "runs", False),
        ("StringNotLike", "s3:prefix", "runs/*", False),
        ("StringEquals", "aws:RequestTag/Team", "${aws:PrincipalTag/team}", True),
        ("StringEquals", "aws:RequestTag/Team", "${aws:PrincipalTag/other, 'blue'}", True),
        ("StringEquals", "aws:RequestTag/Team", "${aws:PrincipalTag/other}", False),
        ("ArnEquals", "aws:SourceArn", "arn:aws:events:*:123456789012:rule/*", True),
        ("ArnLike", "aws:SourceArn", "arn:aws:events:*:rule/one", False),
        ("ArnNotLike", "aws:SourceArn", "arn:aws:events:*:123456789012:rule/*", False),
        ("Bool", "aws:SecureTransport", "false", False),
        ("Bool", "aws:SecureTransport", True, True),
        ("Bool", "aws:MultiFactorAuthPresent", "true", False),
        ("BoolIfExists", "aws:MultiFactorAuthPresent", "true", True),
        ("Null", "aws:RequestTag/Other", "true", True),
        ("Null", "aws:RequestTag/Team", True, False),
        ("Null", "aws:RequestTag/Team", "false", True),
        ("NumericLessThanEquals", "s3:max-keys", "10", True),
        ("NumericLessThan", "s3:max-keys", 10, False),
        ("NumericNotEquals", "s3:max-keys", "11", True),
        ("NumericEquals", "s3:max-keys", "ten", False),
        ("DateGreaterThan", "aws:CurrentTime", "2025-12-31T00:00:00Z", True),
        ("DateLessThan", "aws:EpochTime", "1767225600", False),
        ("ForAllValues:StringEquals", "aws:TagKeys", ["team", "cost", "more"], True),
        ("ForAllValues:StringEquals", "aws:TagKeys", ["team"], False),
        ("ForAllValues:StringEquals", "aws:CalledVia", ["team"], True),
        ("ForAnyValue:StringEquals", "aws:TagKeys", ["team"], True),
        ("ForAnyValue:StringEquals", "aws:TagKeys", ["other"], False),
        ("ForAnyValue:StringEquals", "aws:CalledVia", ["team"], False),
        ("ForAllValues:StringLike", "aws:TagKeys", ["t*", "c*"], True),
        ("ForAllValues:StringNotEquals", "aws:TagKeys", ["team"], False),
        ("ForAllValues:StringNotEquals", "aws:TagKeys", ["other"], True),
        ("ForAnyValue:StringNotEquals", "aws:TagKeys", ["team"], True),
        ("ForAnyValue:StringNotEquals", "aws:TagKeys", ["team", "cost"], False),
        ("ForAnyValue:StringEqualsIfExists", "aws:CalledVia", ["team"], False),
        ("StringNotEqualsIfExists", "aws:RequestTag/Other", "blue", True),
        ("StringEqualsIfExists", "aws:RequestTag/Other", [], True),
        ("ArnNotEqualsIfExists", "aws:SourceArn", "arn:aws:events:us-east-1:123456789012:rule/one", False),
        ("ArnEquals", "aws:SourceArn", "arn:aws:events:us-east-1:123456789012:rule/?ne", True),
        ("NumericGreaterThanIfExists", "s3:max-keys", "5", True),
        ("DateLessThanEquals", "aws:CurrentTime", ["2025-12-31T00:00:00Z", "2026-01-01T00:00:00+00:00"], True),
        ("StringLike", "s3:prefix", "${aws:PrincipalTag/team}*", False),
        ("StringLike", "s3:prefix", "runs/${*}", False),
        ("StringLike", "s3:delimiter", "${*}?${?}", True),
        ("StringEquals", "s3:delimiter", "${*}/${?}", True),
    ],
)
def test_a_condition(operator: str, key: str, wanted: Any, expected: bool) -> None:
    assert holds(operator, key, wanted) is expected


@pytest.mark.parametrize(
    ("operator", "key", "name"),
    [
        ("NotIpAddressIfExists", "aws:SourceIp", "operator NotIpAddress"),
        ("BinaryEquals", "s3:prefix", "operator BinaryEquals"),
        ("IpAddress", "aws:SourceIp", "operator IpAddress"),
        ("StringEquals", "aws:PrincipalOrgID", "key aws:PrincipalOrgID"),
        ("StringEqualsIfExists", "aws:SourceVpce", "key aws:SourceVpce"),
        ("Null", "bedrock:Whatever", "key bedrock:Whatever"),
        ("StringEquals", "s3:prefix", "key aws:Unheard"),
    ],
)
def test_what_is_not_known_is_refused_by_name(operator: str, key: str, name: str) -> None:
    wanted = "${aws:Unheard}" if "Unheard" in name else "x"
    with pytest.raises(UnknownConditionError, match=name):
        holds(operator, key, wanted)


def test_variables_are_text_in_policies_of_the_older_version() -> None:
    (condition,) = conditions_of({"StringEquals": {"s3:prefix": "${aws:PrincipalTag/team}"}}, variables=False)
    assert not condition.holds(CONTEXT)
    assert condition.holds(RequestContext({"s3:prefix": ["${aws:PrincipalTag/team}"]}))


@pytest.mark.parametrize(
    "operator",
    ["StringAlmostEquals", "ForMostValues:StringEquals", "stringequals", "NullIfExists", "StringEqualsIfExist", ""],
)
def test_an_operator_that_iam_does_not_have_is_refused(operator: str) -> None:
    with pytest.raises(MalformedConditionError, match=rf"^IAM has no condition operator {operator}$"):
        conditions_of({operator: {"aws:TagKeys": "team"}}, variables=True)
