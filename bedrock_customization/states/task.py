"""The one policy of time-outs, retries and error names that all Task states share."""

from __future__ import annotations

import re
from typing import Any

from aws_cdk import Annotations, Aws, Duration
from aws_cdk import aws_stepfunctions as sfn
from constructs import Construct

NOT_FOUND = "Bedrock.ResourceNotFoundException"
CONFLICT = "Bedrock.ConflictException"

# Errors that pass when the call is repeated. The prefix that the optimised Bedrock integration gives its errors is not
# documented; public state machines retry on `Bedrock.`, as the SDK integration names them.
_TRANSIENT_ERRORS = {
    "lambda": [
        "Lambda.ClientExecutionTimeoutException",
        "Lambda.ServiceException",
        "Lambda.AWSLambdaException",
        "Lambda.SdkClientException",
        "Lambda.TooManyRequestsException",
    ],
    "bedrock": [
        "Bedrock.ThrottlingException",
        "Bedrock.InternalServerException",
        "Bedrock.ServiceUnavailableException",
        "Bedrock.SdkClientException",
    ],
    "bedrockruntime": [
        "BedrockRuntime.ThrottlingException",
        "BedrockRuntime.ModelNotReadyException",
        "BedrockRuntime.ModelTimeoutException",
        "BedrockRuntime.InternalServerException",
        "BedrockRuntime.ServiceUnavailableException",
        "BedrockRuntime.SdkClientException",
    ],
    "events": ["EventBridge.SdkClientException"],
    "servicequotas": ["ServiceQuotas.TooManyRequestsException", "ServiceQuotas.SdkClientException"],
    "sfn": ["Sfn.SdkClientException"],
    "ssm": ["Ssm.InternalServerErrorException", "Ssm.TooManyUpdatesException", "Ssm.SdkClientException"],
    "s3": ["S3.SdkClientException"],
    "sns": [
        "SNS.InternalErrorException",
        "SNS.ThrottledException",
        "SNS.KMSThrottlingException",
        "SNS.SdkClientException",
    ],
    "states": ["StepFunctions.SdkClientException", "StepFunctions.ServiceUnavailableException"],
}


def expression(text: str) -> str:
    """A JSONata expression as a definition writes it, on one line.

    Args:
        text: The expression, over as many lines as are good to read; line breaks fold.
    """
    return "{% " + re.sub(r"\s*\n\s*", " ", text.strip()) + " %}"


def retry(
    errors: list[str],
    *,
    max_attempts: int = 8,
    interval: Duration | None = None,
    max_delay: Duration | None = None,
) -> dict[str, Any]:
    """A retrier with full jitter and a bounded delay.

    Args:
        errors: The error names to retry.
        max_attempts: Retries after the first attempt.
        interval: The first delay; 2 seconds by default. Each following one doubles.
        max_delay: The longest delay; one minute by default.
    """
    return {
        "ErrorEquals": errors,
        "IntervalSeconds": (interval or Duration.seconds(2)).to_seconds(),
        "BackoffRate": 2,
        "MaxAttempts": max_attempts,
        "MaxDelaySeconds": (max_delay or Duration.minutes(1)).to_seconds(),
        "JitterStrategy": "FULL",
    }


def transient_errors(resource: str) -> list[str]:
    """The transient errors of the service that a resource calls.

    Args:
        resource: The part of a Task's resource behind `:states:::`, for example `aws-sdk:bedrock:getCustomModel`.
    """
    return _TRANSIENT_ERRORS[resource.removeprefix("aws-sdk:").split(":")[0]]


def task(
    scope: Construct,
    construct_id: str,
    *,
    resource: str,
    arguments: dict[str, Any] | str,
    timeout: Duration | None = None,
    output: Any = None,
    assign: dict[str, Any] | None = None,
    retries: list[dict[str, Any]] | None = None,
    catches: list[dict[str, Any]] | None = None,
    comment: str | None = None,
) -> sfn.CustomState:
    """A Task state in JSONata that calls a service, with a time-out and retries.

    It is a `CustomState`: the CDK's own classes render a job's `.sync` and JSONata arguments wrongly, and grant more
    than the call needs. Permissions are given by the construct that owns the state machine. `add_catch` takes `assign`;
    `outputs` would be dropped without a word (aws-cdk-lib 2.275).

    Args:
        scope: The construct that holds the state.
        construct_id: The state's name.
        resource: The part of the resource behind `:states:::`, for example `aws-sdk:bedrock:getCustomModel`.
        arguments: The call's arguments, or a JSONata expression that gives them.
        timeout: When the call is given up; one minute by default.
        output: The state's output; the call's result by default.
        assign: Variables to assign.
        retries: Retriers that come before the service's transient errors.
        catches: Catchers with an output of their own; they come behind those of `add_catch`.
        comment: What a reader of the definition should know.
    """
    state: dict[str, Any] = {
        "Type": "Task",
        "Resource": f"arn:{Aws.PARTITION}:states:::{resource}",
        "Arguments": arguments,
        "TimeoutSeconds": (timeout or Duration.minutes(1)).to_seconds(),
        "Retry": [*(retries or []), retry(transient_errors(resource))],
    }
    if comment is not None:
        state["Comment"] = comment
    if output is not None:
        state["Output"] = output
    if assign is not None:
        state["Assign"] = assign
    if catches is not None:
        state["Catch"] = catches
    custom = sfn.CustomState(scope, construct_id, state_json=state)
    if catches is not None:
        warning = "@aws-cdk/aws-stepfunctions:multipleCatchSources"
        Annotations.of(custom).acknowledge_warning(warning, "Those of add_catch are meant to come first.")
    return custom


def invoke_function(
    scope: Construct,
    construct_id: str,
    *,
    function_arn: str,
    payload: dict[str, Any],
    timeout: Duration,
    output: Any = None,
    assign: dict[str, Any] | None = None,
) -> sfn.CustomState:
    """A Task state that invokes a Lambda function; the function's answer is the state's output.

    Args:
        scope: The construct that holds the state.
        construct_id: The state's name.
        function_arn: The function's ARN.
        payload: The event.
        timeout: When the call is given up; a little more than the function's own time-out.
        output: The state's output; the function's answer by default.
        assign: Variables to assign.
    """
    return task(
        scope,
        construct_id,
        resource="lambda:invoke",
        arguments={"FunctionName": function_arn, "Payload": payload},
        timeout=timeout,
        output="{% $states.result.Payload %}" if output is None else output,
        assign=assign,
    )
