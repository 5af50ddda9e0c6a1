"""Parts of stacks whose calls tests watch."""

from typing import Any

import aws_cdk as cdk
from aws_cdk import aws_iam as iam
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_stepfunctions as sfn
from botocore.exceptions import ClientError

from bedrock_customization.rehearsal import Rehearsal
from tests.rehearsal.machines import single


def state_machine(scope: cdk.Stack, name: str, resource: str, arguments: Any, **options: Any) -> sfn.StateMachine:
    """A state machine with one task."""
    definition = scope.to_json_string(single(resource, arguments))
    return sfn.StateMachine(scope, name, definition_body=sfn.DefinitionBody.from_string(definition), **options)


def allow(machine: sfn.StateMachine, action: str, *resources: str, **more: Any) -> None:
    """Let a state machine's role do something."""
    machine.add_to_role_policy(iam.PolicyStatement(actions=[action], resources=list(resources) or ["*"], **more))


def function(scope: cdk.Stack, name: str = "Function", **options: Any) -> lambda_.Function:
    """A Lambda function."""
    code = lambda_.Code.from_inline("def handler(event, context):\n    return event")
    return lambda_.Function(
        scope, name, runtime=lambda_.Runtime.PYTHON_3_13, handler="index.handler", code=code, **options
    )


def in_handler(stack: cdk.Stack, call: Any, **grants: Any) -> Rehearsal:
    """A rehearsal in which a function's handler makes a call, whose error or result is the machine's output."""

    def handler(event: Any, context: Any) -> Any:
        try:
            return {"result": str(call())}
        except ClientError as error:
            return {"error": error.response["Error"], "status": error.response["ResponseMetadata"]["HTTPStatusCode"]}

    caller = function(stack, "Caller")
    for grant in grants.values():
        grant(caller)
    invoke = state_machine(stack, "Invoke", "lambda:invoke", {"FunctionName": caller.function_arn})
    caller.grant_invoke(invoke)
    return Rehearsal.from_stack(stack, handlers={caller: handler})


def output(rehearsal: Rehearsal) -> Any:
    """What the handler's machine puts out."""
    run = rehearsal.run("Invoke", {})
    assert run.status == "SUCCEEDED", run.cause
    return run.output["Payload"]
