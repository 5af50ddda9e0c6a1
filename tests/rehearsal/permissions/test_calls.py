"""Which actions on which resources a call needs, as the service authorisation reference lists them."""

from typing import Any

import pytest

from bedrock_customization.rehearsal.assembly import UnsupportedTemplateError
from bedrock_customization.rehearsal.permissions.calls.services import needs_of
from bedrock_customization.rehearsal.permissions.conditions import UnknownConditionError
from bedrock_customization.rehearsal.permissions.context import RequestContext
from bedrock_customization.rehearsal.permissions.statements import ANY_RESOURCE
from bedrock_customization.rehearsal.services.api import ApiCall, Principal
from tests.rehearsal.permissions.account import ACCOUNT, HERE, ROLE, needed, needs


@pytest.mark.parametrize(
    ("service", "operation", "request_", "expected"),
    [
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
        ("cloudwatch", "PutMetricData", {}, [("cloudwatch:PutMetricData", "*")]),
        ("ec2", "DescribeVpcs", {}, [("ec2:DescribeVpcs", ANY_RESOURCE)]),
        ("sts", "GetCallerIdentity", {}, []),
    ],
)
def test_a_call(service: str, operation: str, request_: dict[str, Any], expected: list[tuple[str, str]]) -> None:
    assert needed(service, operation, request_) == expected


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
        ("iot", "ListAuditFindings", {"resourceIdentifier": {"iamRoleArn": ROLE}}),
    ],
)
def test_a_role_that_is_data_is_not_passed(service: str, operation: str, request_: dict[str, Any]) -> None:
    assert len(needs(service, operation, request_)) == 1


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
