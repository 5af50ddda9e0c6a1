"""What a Task gets from the services: events, results and causes, as executions of the real service recorded them."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest

from bedrock_customization.rehearsal import Rehearsal
from tests.rehearsal.machines import machine, single, task

CHILD = "arn:aws:states:us-east-1:123456789012:stateMachine:Child"
UUID = "[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}"


def nested(pattern: str, child: dict[str, Any]) -> Any:
    arguments = {"StateMachineArn": CHILD, "Input": {"n": 1}}
    parent = single(f"states:startExecution{pattern}", arguments)
    return Rehearsal.from_definitions({"Parent": parent, "Child": child}).run("Parent", {})


@pytest.mark.parametrize("pattern", [".sync", ".sync:2"])
def test_nested_execution_is_submitted_before_it_succeeds(pattern: str) -> None:
    run = nested(pattern, machine(Wait={"Type": "Wait", "Seconds": 3, "End": True}))
    assert [event["type"] for event in run.history[2:6]] == [
        "TaskScheduled",
        "TaskStarted",
        "TaskSubmitted",
        "TaskSucceeded",
    ]
    details = run.history[4]["taskSubmittedEventDetails"]
    assert (details["resourceType"], details["resource"]) == ("states", f"startExecution{pattern}")
    submitted = json.loads(details["output"])
    assert (
        submitted["ExecutionArn"] == json.loads(run.history[5]["taskSucceededEventDetails"]["output"])["ExecutionArn"]
    )
    assert submitted["StartDate"] == 1767225600000
    assert submitted["SdkHttpMetadata"]["HttpStatusCode"] == 200


def test_failed_nested_execution_is_the_cause_as_compact_text() -> None:
    run = nested(".sync:2", machine(Stop={"Type": "Fail", "Error": "TooCold", "Cause": "über"}))
    assert run.error == "States.TaskFailed"
    described = json.loads(run.cause)
    assert (described["Status"], described["Error"], described["Cause"]) == ("FAILED", "TooCold", "über")
    assert run.cause == json.dumps(described, ensure_ascii=False, separators=(",", ":"))


@pytest.mark.parametrize(
    ("resource", "arguments", "error", "said"),
    [
        (
            "states:startExecution",
            {"StateMachineArn": CHILD},
            "StepFunctions.StateMachineDoesNotExistException",
            f"State Machine Does Not Exist: '{CHILD}' (Service: AWSStepFunctions; Status Code: 400; "
            "Error Code: StateMachineDoesNotExist; ",
        ),
        (
            "dynamodb:getItem",
            {"TableName": "none", "Key": {"id": {"S": "1"}}},
            "DynamoDB.ResourceNotFoundException",
            "Requested resource not found (Service: AmazonDynamoDBv2; Status Code: 400; "
            "Error Code: ResourceNotFoundException; ",
        ),
        (
            "lambda:invoke",
            {"FunctionName": "none"},
            "Lambda.ResourceNotFoundException",
            "Function not found: arn:aws:lambda:us-east-1:123456789012:function:none (Service: AWSLambda; "
            "Status Code: 404; Error Code: ResourceNotFoundException; ",
        ),
        (
            "sqs:sendMessage",
            {"QueueUrl": "https://sqs.us-east-1.amazonaws.com/123456789012/none", "MessageBody": "x"},
            "SQS.QueueDoesNotExistException",
            "The specified queue does not exist. (Service: AmazonSQS; Status Code: 400; ",
        ),
    ],
)
def test_cause_of_an_optimised_integration(resource: str, arguments: Any, error: str, said: str) -> None:
    run = Rehearsal.from_definitions({"M": single(resource, arguments)}).run("M", {})
    assert run.error == error
    assert run.cause is not None
    assert run.cause.startswith(said)
    assert re.search(rf"Request ID: {UUID}; Proxy: null\)$", run.cause)


def test_cause_of_an_sdk_integration() -> None:
    arguments = {"QueueUrl": "https://sqs.us-east-1.amazonaws.com/123456789012/none", "MessageBody": "x"}
    run = Rehearsal.from_definitions({"M": single("aws-sdk:sqs:sendMessage", arguments)}).run("M", {})
    assert run.error == "Sqs.QueueDoesNotExistException"
    assert re.fullmatch(
        rf"The specified queue does not exist. \(Service: Sqs, Status Code: 400, Request ID: {UUID}\)", run.cause or ""
    )


def test_arguments_that_cannot_be_used_are_quoted_as_compact_text() -> None:
    run = Rehearsal.from_definitions({"M": single("aws-sdk:s3:getObject", {"bucket": "b", "Key": "k"})}).run("M", {})
    assert run.error == "States.Runtime"
    assert """'{"bucket":"b","Key":"k"}'""" in (run.cause or "")


def test_context_always_has_a_role() -> None:
    shown = machine(S={"Type": "Pass", "Output": "{% $states.context.Execution.RoleArn %}", "End": True})
    run = Rehearsal.from_definitions({"M": shown}).run("M", {})
    assert run.output == run.history[0]["executionStartedEventDetails"]["roleArn"]
    assert run.output == "arn:aws:iam::123456789012:role/M"


@pytest.mark.parametrize("returned", [float("nan"), {1, 2}])
def test_function_that_returns_no_json(returned: Any) -> None:
    definition = single("lambda:invoke", {"FunctionName": "f"})
    run = Rehearsal.from_definitions({"M": definition}, handlers={"f": lambda event, context: returned}).run("M", {})
    assert run.error == "Runtime.MarshalError"
    assert "not JSON" in json.loads(run.cause or "")["errorMessage"]


def test_input_that_is_no_json_is_refused() -> None:
    rehearsal = Rehearsal.from_definitions({"M": machine(S={"Type": "Succeed"})})
    with pytest.raises(ValueError, match="set is not JSON serializable"):
        rehearsal.run("M", {1})


@pytest.mark.parametrize(
    ("arguments", "cause"),
    [
        ({}, "The MessageGroupId parameter is required for FIFO topics"),
        ({"MessageGroupId": "one"}, "MessageDeduplicationId"),
    ],
)
def test_what_sns_refuses_is_an_error_of_the_state(arguments: dict[str, str], cause: str) -> None:
    attributes = {"FifoTopic": "true"}
    create = task("aws-sdk:sns:createTopic", {"Name": "team.fifo", "Attributes": attributes}, Next="Publish")
    arn = "arn:aws:sns:us-east-1:123456789012:team.fifo"
    publish = task("sns:publish", {"TopicArn": arn, "Message": "hello", **arguments})
    run = Rehearsal.from_definitions({"M": machine(Create=create, Publish=publish)}).run("M", {})

    assert (run.status, run.error) == ("FAILED", "SNS.InvalidParameterException")
    assert cause in run.cause
