"""The states by which a release asks Step Functions about a run: is it over, how did it end, what was it for."""

from __future__ import annotations

from aws_cdk import aws_stepfunctions as sfn
from constructs import Construct

from bedrock_customization.states.first_error import first_error
from bedrock_customization.states.task import expression, task

_AT_WORK = ["RUNNING", "PENDING_REDRIVE"]


def describe_run(
    scope: Construct, *, release: sfn.IChainable, at_work: sfn.IChainable, unknown: sfn.IChainable
) -> sfn.CustomState:
    """Describes the run; a run that succeeded is released without a message, one that is at work is left alone.

    The description is without the run's input, which can be too large for a state when quotes in it are escaped. Reads
    `executionArn`; assigns `name`, `redrives` and, when the run did not succeed, what is known of `failure` that way.

    Args:
        scope: The construct that holds the states.
        release: What releases a run that is over.
        at_work: What follows for one that is not.
        unknown: What follows for one that Step Functions does not know.
    """
    status = "$states.result.Status"
    words = "{'ABORTED': 'Somebody stopped the execution.', 'TIMED_OUT': 'The execution took longer than it may.'}"
    describe = task(
        scope,
        "DescribeRun",
        resource="aws-sdk:sfn:describeExecution",
        arguments={"ExecutionArn": "{% $executionArn %}", "IncludedData": "METADATA_ONLY"},
        output={"status": f"{{% {status} %}}"},
        assign={
            "name": "{% $states.result.Name %}",
            "redrives": "{% $exists($states.result.RedriveCount) ? $states.result.RedriveCount : 0 %}",
            "failure": expression(f"""
                {status} = 'SUCCEEDED' ? null : {{
                    'error': {status},
                    'cause': $exists($lookup({words}, {status})) ? $lookup({words}, {status})
                        : 'See the execution in the Step Functions console.',
                    'stopped': {status} = 'ABORTED'
                }}
            """),
        },
    )
    describe.add_catch(unknown, errors=["Sfn.ExecutionDoesNotExistException"])
    describe.next(
        sfn.Choice.jsonata(scope, "IsTheRunAtWork")
        .when(sfn.Condition.jsonata(f"{{% $states.input.status in {_AT_WORK} %}}"), at_work)
        .otherwise(release)
    )
    return describe


def read_failure(scope: Construct, *, done: sfn.IChainable) -> sfn.Choice:
    """Reads the first error of a run that is over and did not hand it over, and the name of its model.

    It comes last of all that a release does, since what is too large to be read must not keep it from releasing. Then
    `failure` and `name` stay what they are.

    Args:
        scope: The construct that holds the states.
        done: What follows.
    """
    error = "($exists($states.result.Error) ? $states.result.Error : $failure.error)"
    cause = "($exists($states.result.Cause) ? $states.result.Cause : $failure.cause)"
    failure = first_error(error, cause).removeprefix("{% ").removesuffix(" %}")
    read = task(
        scope,
        "ReadFailure",
        resource="aws-sdk:sfn:describeExecution",
        arguments={"ExecutionArn": "{% $executionArn %}"},
        output={},
        assign={
            "name": expression("""(
                $input := $exists($states.result.Input) ? $parse($states.result.Input);
                $type($input) = 'object' and $type($input.customModelName) = 'string'
                    ? $substring($input.customModelName, 0, 39) : $name
            )"""),
            "failure": f"{{% $merge([{failure}, {{'stopped': $failure.stopped}}]) %}}",
        },
    )
    for errors in (["States.DataLimitExceeded"], ["States.ALL"]):
        read.add_catch(done, errors=errors)
    read.next(done)
    return (
        sfn.Choice.jsonata(scope, "IsFailureKnown").when(sfn.Condition.jsonata("{% $isAsking %}"), done).otherwise(read)
    )


def unless_redriven(scope: Construct, *, look: sfn.IChainable, at_work: sfn.IChainable) -> sfn.Choice:
    """Looks again, unless somebody redrove the run: it needs what it has, and releases it at its own end.

    Args:
        scope: The construct that holds the states.
        look: What looks again.
        at_work: What follows for a run that was redriven.
    """
    describe = task(
        scope,
        "FindRunAgain",
        resource="aws-sdk:sfn:describeExecution",
        arguments={"ExecutionArn": "{% $executionArn %}", "IncludedData": "METADATA_ONLY"},
        output={"status": "{% $states.result.Status %}"},
    )
    describe.add_catch(look, errors=["States.ALL"])
    describe.next(
        sfn.Choice.jsonata(scope, "IsTheRunRedriven")
        .when(sfn.Condition.jsonata(f"{{% $states.input.status in {_AT_WORK} %}}"), at_work)
        .otherwise(look)
    )
    return (
        sfn.Choice.jsonata(scope, "IsTheRunStillAsking")
        .when(sfn.Condition.jsonata("{% $isAsking %}"), look)
        .otherwise(describe)
    )
