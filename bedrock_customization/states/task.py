"""The one policy of time-outs, retries and error names that all Task states share."""

from __future__ import annotations

import re
from typing import Any

from aws_cdk import Annotations, Aws, Duration
from aws_cdk import aws_stepfunctions as sfn
from constructs import Construct

NOT_FOUND = "Bedrock.ResourceNotFoundException"
CONFLICT = "Bedrock.ConflictException"

# Errors that pass when the call is repeated, by service. The prefix that the optimised Bedrock integration gives its
# errors is not documented; public state machines retry on `Bedrock.`, as the SDK integration names them. A function
# that was idle for weeks is not ready, or pending, at its next invocation.
_TRANSIENT_ERRORS = {
    "lambda": [
        "Lambda.ClientExecutionTimeoutException",
        "Lambda.ServiceException",
        "Lambda.AWSLambdaException",
        "Lambda.SdkClientException",
        "Lambda.TooManyRequestsException",
        "Lambda.EC2ThrottledException",
        "Lambda.ResourceConflictException",
        "Lambda.ResourceNotReadyException",
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
    "events": ["EventBridge.InternalException", "EventBridge.SdkClientException"],
    "servicequotas": [
        "ServiceQuotas.ServiceException",
        "ServiceQuotas.TooManyRequestsException",
        "ServiceQuotas.SdkClientException",
    ],
    "sfn": ["Sfn.KmsThrottlingException", "Sfn.SdkClientException"],
    "ssm": ["Ssm.InternalServerErrorException", "Ssm.TooManyUpdatesException", "Ssm.SdkClientException"],
    "s3": ["S3.SdkClientException"],
    "sns": [
        "SNS.InternalErrorException",
        "SNS.ThrottledException",
        "SNS.KMSThrottlingException",
        "SNS.KmsThrottlingException",
        "SNS.SdkClientException",
    ],
    "states": [
        "StepFunctions.ExecutionLimitExceededException",
        "StepFunctions.KmsThrottlingException",
        "StepFunctions.ServiceUnavailableException",
        "StepFunctions.SdkClientException",
    ],
}
# What an API does not declare has the service's own name. Throttling is among it for S3, Systems Manager and Step
# Functions, and so is a denied access, which no retry mends; so there are few.
_UNDECLARED_ERRORS = {
    "events": ["EventBridge.EventBridgeException"],
    "servicequotas": ["ServiceQuotas.ServiceQuotasException"],
    "sfn": ["Sfn.SfnException"],
    "ssm": ["Ssm.SsmException"],
    "s3": ["S3.S3Exception"],
    "sns": ["SNS.AmazonSNSException"],
    "states": ["StepFunctions.AWSStepFunctionsException"],
}
# How Step Functions names a function that was killed: out of memory, out of time, or by a lost machine.
_KILLED = ["Lambda.Unknown", "Sandbox.Timedout", "Runtime.ExitError", "States.Timeout"]
# A call that answers at once, or not at all.
_SHORT_SECONDS = 120


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


def _retries(resource: str, timeout_seconds: float) -> list[dict[str, Any]]:
    """The retriers of every call of a resource; a call of the library can be repeated without harm."""
    service = resource.removeprefix("aws-sdk:").split(":")[0]
    passing = list(_UNDECLARED_ERRORS.get(service, []))
    if timeout_seconds <= _SHORT_SECONDS:
        passing.append("States.Timeout")
    return [retry(_TRANSIENT_ERRORS[service]), *([retry(passing, max_attempts=2)] if passing else [])]


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
    timeout_seconds = (timeout or Duration.minutes(1)).to_seconds()
    state: dict[str, Any] = {
        "Type": "Task",
        "Resource": f"arn:{Aws.PARTITION}:states:::{resource}",
        "Arguments": arguments,
        "TimeoutSeconds": timeout_seconds,
        "Retry": [*(retries or []), *_retries(resource, timeout_seconds)],
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


def tell_timeout(
    scope: Construct, state: sfn.CustomState, *, cause: str, assign: dict[str, Any] | None = None
) -> sfn.CustomState:
    """Fails with `<state>TimedOut` when a call is given up: Step Functions gives a time-out no cause.

    Args:
        scope: The construct that holds the state.
        state: The state, before it catches anything else.
        cause: What happened and what to do.
        assign: Variables for the cause.
    """
    name = f"{state.id}TimedOut"
    given_up = sfn.Fail.jsonata(scope, name, error=name, cause=cause)
    return state.add_catch(given_up, errors=["States.Timeout"], assign=assign)


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
        retries=[retry(_KILLED, max_attempts=2)],
    )
