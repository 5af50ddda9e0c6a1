"""Service integrations spell fields, results and errors as Step Functions does."""

import json
from typing import Any

import pytest

from bedrock_customization.rehearsal import Rehearsal
from bedrock_customization.rehearsal.services import sdk
from tests.rehearsal.machines import machine, single, task


def call(resource: str, arguments: Any, handlers: Any = None, files: dict[str, str] | None = None) -> Any:
    """Run one Task and return its Run."""
    rehearsal = Rehearsal.from_definitions({"M": single(resource, arguments)}, handlers=handlers)
    for key, text in (files or {}).items():
        rehearsal.upload("team-data", key, text)
    return rehearsal.run("M", {})


@pytest.mark.parametrize(
    ("member", "field"),
    [
        ("jobName", "JobName"),
        ("s3Uri", "S3Uri"),
        ("resourceARN", "ResourceARN"),
        ("Bucket", "Bucket"),
        ("ETag", "ETag"),
        ("DBInstanceIdentifier", "DbInstanceIdentifier"),
        ("MD5OfMessageBody", "Md5OfMessageBody"),
    ],
)
def test_fields_are_pascal_case_of_the_java_sdk(member: str, field: str) -> None:
    assert sdk.pascal_case(member) == field


@pytest.mark.parametrize(
    ("service", "code", "name"),
    [
        ("bedrock", "ConflictException", "Bedrock.ConflictException"),
        ("bedrockruntime", "ThrottlingException", "BedrockRuntime.ThrottlingException"),
        ("s3", "NoSuchKey", "S3.NoSuchKeyException"),
        ("s3", "SlowDown", "S3.S3Exception"),
        ("sfn", "ExecutionDoesNotExist", "Sfn.ExecutionDoesNotExistException"),
        ("dynamodb", "ConditionalCheckFailedException", "DynamoDb.ConditionalCheckFailedException"),
        ("sns", "KMSInvalidState", "Sns.KmsInvalidStateException"),
        ("sns", "NotFound", "Sns.NotFoundException"),
        ("scheduler", "ConflictException", "Scheduler.ConflictException"),
        ("rds", "DBInstanceNotFound", "Rds.DbInstanceNotFoundException"),
    ],
)
def test_errors_are_named_after_the_exceptions_of_the_java_sdk(service: str, code: str, name: str) -> None:
    model = sdk.service_of(service)
    assert model is not None
    assert sdk.error_name(model, code) == name


CONVERSE = "aws-sdk:bedrockruntime:converse"
MESSAGES = [{"Role": "user", "Content": [{"Text": "One. Two."}]}]


@pytest.mark.parametrize(
    ("resource", "arguments", "problem"),
    [
        (CONVERSE, {"modelId": "m", "Messages": MESSAGES}, 'The field "modelId" is not supported by Step Functions'),
        (CONVERSE, {"Messages": MESSAGES}, "The field 'ModelId' is required but was missing"),
        (
            CONVERSE,
            {"ModelId": "m", "Messages": [{"role": "user", "Content": []}]},
            'The field "role" is not supported',
        ),
        (CONVERSE, {"ModelId": "m", "Messages": "hello"}, "The value for the field 'Messages' must be an ARRAY"),
        (CONVERSE, {"ModelId": 5, "Messages": MESSAGES}, "The value for the field 'ModelId' must be a STRING"),
        (
            CONVERSE,
            {"ModelId": "m", "Messages": MESSAGES, "InferenceConfig": {"MaxTokens": "many"}},
            "The value for the field 'MaxTokens' must be an INTEGER",
        ),
        (
            "bedrock:createModelCustomizationJob.sync",
            {"JobName": "j", "HyperParameters": {"epochCount": 2}},
            "The value for the field 'epochCount' must be a STRING",
        ),
        ("lambda:invoke", {"FunctionName": "f", "TaskToken": "t"}, 'The field "TaskToken" is not supported'),
        ("lambda:invoke", {"Payload": {}}, "The field 'FunctionName' is required but was missing"),
        ("sns:publish", {"TopicArn": "arn", "message": "m"}, 'The field "message" is not supported'),
    ],
)
def test_arguments_that_step_functions_refuses_fail_the_run_with_states_runtime(
    resource: str, arguments: dict[str, Any], problem: str
) -> None:
    run = call(resource, arguments)

    assert (run.status, run.error) == ("FAILED", "States.Runtime")
    assert "could not be used to start the Task" in run.cause
    assert problem in run.cause


def test_objects_become_json_text_where_the_api_wants_a_string() -> None:
    assert sdk.to_request({"Message": {"a": [1]}}, sdk.service_model("sns").operation_model("Publish").input_shape) == {
        "Message": '{"a":[1]}'
    }


def test_a_string_body_is_written_to_s3_as_json() -> None:
    rehearsal = Rehearsal.from_definitions(
        {"M": single("aws-sdk:s3:putObject", {"Bucket": "team-data", "Key": "k", "Body": "text"})}
    )
    rehearsal.upload("team-data", "other", "")
    rehearsal.run("M", {})
    assert rehearsal.download("team-data", "k") == b'"text"'


def test_results_are_pascal_case_json() -> None:
    run = call("aws-sdk:s3:getObject", {"Bucket": "team-data", "Key": "k"}, files={"k": "hello"})

    assert run.output["Body"] == "hello"
    assert run.output["ContentLength"] == 5
    assert run.output["LastModified"].endswith("Z")
    assert "ResponseMetadata" not in run.output


@pytest.mark.parametrize(
    ("resource", "arguments", "error", "cause"),
    [
        (
            "aws-sdk:s3:getObject",
            {"Bucket": "team-data", "Key": "gone"},
            "S3.NoSuchKeyException",
            "Service: S3, Status Code: 404",
        ),
        ("aws-sdk:s3:getObject", {"Bucket": "nobodys", "Key": "k"}, "S3.NoSuchBucketException", "Status Code: 404"),
        (
            "aws-sdk:sfn:describeExecution",
            {"ExecutionArn": "arn:aws:states:us-east-1:123456789012:execution:a:b"},
            "Sfn.ExecutionDoesNotExistException",
            "Execution Does Not Exist",
        ),
        (
            "aws-sdk:bedrock:getCustomModel",
            {"ModelIdentifier": "gone"},
            "Bedrock.ResourceNotFoundException",
            "(Service: Bedrock, Status Code: 404, Request ID: ",
        ),
        (
            "aws-sdk:bedrock:getCustomModel",
            {"ModelIdentifier": "not a name"},
            "Bedrock.ValidationException",
            "1 validation error detected: Value 'not a name' at 'modelIdentifier' failed to satisfy constraint",
        ),
        (
            "lambda:invoke",
            {"FunctionName": "gone"},
            "Lambda.ResourceNotFoundException",
            "Function not found: arn:aws:lambda",
        ),
        (
            "states:startExecution",
            {"StateMachineArn": "arn:aws:states:us-east-1:123456789012:stateMachine:gone"},
            "StepFunctions.StateMachineDoesNotExistException",
            "State Machine Does Not Exist",
        ),
        (
            "sns:publish",
            {"TopicArn": "arn:aws:sns:us-east-1:123456789012:gone", "Message": "m"},
            "SNS.NotFoundException",
            "Topic does not exist",
        ),
    ],
)
def test_errors_of_services_have_their_names_and_causes(
    resource: str, arguments: dict[str, Any], error: str, cause: str
) -> None:
    run = call(resource, arguments, files={"k": "hello"})

    assert run.error == error
    assert cause in run.cause


def test_an_error_name_can_be_caught() -> None:
    caught = machine(
        Get=task(
            "aws-sdk:bedrock:getCustomModel",
            {"ModelIdentifier": "gone"},
            Catch=[{"ErrorEquals": ["Bedrock.ResourceNotFoundException"], "Next": "Gone"}],
        ),
        Gone={"Type": "Pass", "Output": "gone", "End": True},
    )
    assert Rehearsal.from_definitions({"M": caught}).run("M", {}).output == "gone"


def test_lambda_invoke_has_the_shape_of_the_optimised_integration() -> None:
    run = call("lambda:invoke", {"FunctionName": "f", "Payload": {"a": 1}}, {"f": lambda event, context: [event]})

    assert {**run.output, "SdkResponseMetadata": None} == {
        "ExecutedVersion": "$LATEST",
        "Payload": [{"a": 1}],
        "StatusCode": 200,
        "SdkHttpMetadata": {"AllHttpHeaders": {}, "HttpHeaders": {}, "HttpStatusCode": 200},
        "SdkResponseMetadata": None,
    }


def test_a_function_by_its_arn_is_given_and_gives_the_bare_payload() -> None:
    arn = "arn:aws:lambda:us-east-1:123456789012:function:f"
    direct = machine(Call={"Type": "Task", "Resource": arn, "Arguments": {"a": 1}, "End": True})
    rehearsal = Rehearsal.from_definitions({"M": direct}, handlers={"f": lambda event, context: event["a"] + 1})

    assert rehearsal.run("M", {}).output == 2


def test_what_a_handler_raises_is_the_error_with_lambdas_json() -> None:
    class InvalidDataError(Exception):
        pass

    def fails(event: object, context: object) -> None:
        raise InvalidDataError("line 3: no completion")

    run = call("lambda:invoke", {"FunctionName": "f"}, {"f": fails})

    assert run.error == "InvalidDataError"
    document = json.loads(run.cause)
    assert (document["errorMessage"], document["errorType"]) == ("line 3: no completion", "InvalidDataError")
    assert any("in fails" in line for line in document["stackTrace"])
    assert document["requestId"]


def test_a_result_that_is_no_json_is_a_marshal_error() -> None:
    assert (
        call("lambda:invoke", {"FunctionName": "f"}, {"f": lambda event, context: {1, 2}}).error
        == "Runtime.MarshalError"
    )


def test_nested_executions_give_their_description() -> None:
    arn = "arn:aws:states:us-east-1:123456789012:stateMachine:Child"
    child = machine(
        Wait={"Type": "Wait", "Seconds": 5, "Next": "Done"}, Done={"Type": "Pass", "Output": {"b": 2}, "End": True}
    )
    start = single("states:startExecution.sync:2", {"StateMachineArn": arn, "Name": "c", "Input": {"a": 1}})
    rehearsal = Rehearsal.from_definitions({"Child": child, "Parent": start})

    run = rehearsal.run("Parent", {})

    assert run.output == {
        "ExecutionArn": "arn:aws:states:us-east-1:123456789012:execution:Child:c",
        "Input": {"a": 1},
        "InputDetails": {"Included": True},
        "Name": "c",
        "Output": {"b": 2},
        "OutputDetails": {"Included": True},
        "RedriveCount": 0,
        "RedriveStatus": "NOT_REDRIVABLE",
        "RedriveStatusReason": "Execution is SUCCEEDED and cannot be redriven",
        "StartDate": 1767225600000,
        "StateMachineArn": arn,
        "Status": "SUCCEEDED",
        "StopDate": 1767225605000,
    }
    assert [execution.name for execution in rehearsal.executions][1:] == ["c"]
    assert run.states == ["Call", "Wait", "Done"]


def test_a_nested_failure_is_task_failed_with_the_childs_description() -> None:
    arn = "arn:aws:states:us-east-1:123456789012:stateMachine:Child"
    child = machine(Fail={"Type": "Fail", "Error": "Broken", "Cause": "on purpose"})
    start = single("states:startExecution.sync:2", {"StateMachineArn": arn, "Input": {}})

    run = Rehearsal.from_definitions({"Child": child, "Parent": start}).run("Parent", {})

    assert run.error == "States.TaskFailed"
    description = json.loads(run.cause)
    assert (description["Status"], description["Error"], description["Cause"]) == ("FAILED", "Broken", "on purpose")


def test_a_nested_execution_is_stopped_when_its_task_times_out() -> None:
    arn = "arn:aws:states:us-east-1:123456789012:stateMachine:Child"
    child = machine(Wait={"Type": "Wait", "Seconds": 500, "End": True})
    start = single("states:startExecution.sync:2", {"StateMachineArn": arn, "Input": {}}, TimeoutSeconds=60)
    rehearsal = Rehearsal.from_definitions({"Child": child, "Parent": start})

    run = rehearsal.run("Parent", {})

    assert (run.error, run.duration) == ("States.Timeout", 60)
    assert [execution.status for execution in rehearsal.executions] == ["FAILED", "ABORTED"]


def test_an_execution_name_is_taken_for_ever() -> None:
    rehearsal = Rehearsal.from_definitions({"M": machine(Done={"Type": "Pass", "End": True})})
    rehearsal.run("M", {}, name="once")

    with pytest.raises(ValueError, match="ExecutionAlreadyExists"):
        rehearsal.run("M", {}, name="once")


def test_an_execution_that_nobody_waits_for_still_runs_to_its_end() -> None:
    arn = "arn:aws:states:us-east-1:123456789012:stateMachine:Child"
    child = machine(Wait={"Type": "Wait", "Seconds": 500, "End": True})
    rehearsal = Rehearsal.from_definitions(
        {"Child": child, "Parent": single("states:startExecution", {"StateMachineArn": arn, "Input": {}})}
    )
    run = rehearsal.run("Parent", {})

    assert (run.status, run.duration) == ("SUCCEEDED", 0)
    assert [execution.status for execution in rehearsal.executions] == ["SUCCEEDED", "SUCCEEDED"]
