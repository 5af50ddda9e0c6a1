"""The states that release one run, and notify for a run that could not."""

from __future__ import annotations

from aws_cdk import aws_stepfunctions as sfn
from constructs import Construct

from bedrock_customization.states.notification import compose_message, first_error, notify
from bedrock_customization.states.release import release_all
from bedrock_customization.states.task import expression, task

_AT_WORK = ["RUNNING", "PENDING_REDRIVE"]


def release_one_run(scope: Construct, *, topic_arn: str, results_bucket: str) -> sfn.Chain:
    """Releases the run of a request, unless the run is at work and did not ask for it itself.

    A request is `{"runId", "keep", "deleteModels"}` from a run, or has the `executionArn` of a run that is over. The
    output is `{"runId", "released", "kept"}`.

    Args:
        scope: The construct that holds the states.
        topic_arn: The topic of the notification.
        results_bucket: The bucket of the notification.
    """
    prepare = sfn.Pass.jsonata(
        scope,
        "TakeRun",
        assign={
            "request": "{% $states.input %}",
            "runId": expression("""
                $exists($states.input.runId) ? $states.input.runId
                    : $substring($hash($states.input.executionArn, 'SHA-256'), 0, 16)
            """),
            "keep": "{% $exists($states.input.keep) ? [$states.input.keep] : [] %}",
            "deleteModels": "{% $exists($states.input.deleteModels) ? $states.input.deleteModels : false %}",
            "run": "{% null %}",
            "looks": 0,
            "released": [],
            "kept": [],
        },
    )
    released = sfn.Pass.jsonata(
        scope,
        "RunReleased",
        outputs={"runId": "{% $runId %}", "released": "{% [$released] %}", "kept": "{% [$kept] %}"},
    )
    is_over = (
        sfn.Choice.jsonata(scope, "WasItTheRunThatAsked")
        .when(sfn.Condition.jsonata("{% $run = null %}"), released)
        .otherwise(_notify_for(scope, topic_arn=topic_arn, results_bucket=results_bucket, done=released))
    )
    release = release_all(scope, done=is_over)
    unknown = sfn.Pass.jsonata(
        scope,
        "RunIsUnknown",
        comment="Step Functions forgets an execution 90 days after its end",
        assign={"run": {"Status": "FORGOTTEN", "Name": "{% $runId %}"}},
    )
    describe = task(
        scope,
        "DescribeRun",
        resource="aws-sdk:sfn:describeExecution",
        arguments={"ExecutionArn": "{% $request.executionArn %}"},
        assign={"run": "{% $states.result %}"},
    )
    describe.add_catch(unknown, errors=["Sfn.ExecutionDoesNotExistException"])
    unknown.next(release)
    describe.next(
        sfn.Choice.jsonata(scope, "IsRunAtWork")
        .when(sfn.Condition.jsonata(f"{{% $run.Status in {_AT_WORK} %}}"), released)
        .otherwise(release)
    )
    return prepare.next(
        sfn.Choice.jsonata(scope, "IsRunAsking")
        .when(sfn.Condition.jsonata("{% $exists($request.executionArn) %}"), describe)
        .otherwise(release)
    )


def _notify_for(scope: Construct, *, topic_arn: str, results_bucket: str, done: sfn.IChainable) -> sfn.Chain:
    error = "($exists($run.Error) ? $run.Error : $run.Status)"
    cause = "($exists($run.Cause) ? $run.Cause : 'The execution ended as ' & $run.Status & '.')"
    summarize = sfn.Pass.jsonata(
        scope,
        "SummarizeRun",
        assign={
            "name": "{% $run.Name %}",
            "executionArn": "{% $request.executionArn %}",
            "prefix": "{% 'runs/' & $runId & '/' %}",
            "evaluation": "{% null %}",
            "modelId": "{% null %}",
            "release": {"released": "{% [$released] %}", "kept": "{% [$kept] %}"},
            "failure": first_error(error, cause),
        },
    )
    return summarize.next(compose_message(scope, "ComposeMessage", results_bucket=results_bucket)).next(
        notify(scope, topic_arn=topic_arn, results_bucket=results_bucket, done=done)
    )
