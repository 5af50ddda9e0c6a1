"""The states that release one run, and notify for a run that failed."""

from __future__ import annotations

from aws_cdk import aws_ssm as ssm
from aws_cdk import aws_stepfunctions as sfn
from constructs import Construct

from bedrock_customization.options import Commitment
from bedrock_customization.states.message import compose_message
from bedrock_customization.states.notification import RELEASE_TIMED_OUT, notify_once
from bedrock_customization.states.release import release_all
from bedrock_customization.states.run_description import describe_run, read_failure, unless_redriven
from bedrock_customization.states.task import expression, task

_OUTPUT = {
    "runs": [
        {
            "runId": "{% $runId %}",
            "released": "{% [$released] %}",
            "kept": "{% [$kept] %}",
            "unreleased": "{% [$unreleased] %}",
            "unlisted": "{% $unlisted %}",
        }
    ]
}
_REGISTERED = "$parse($states.result.Parameter.Value)"


def unreleased_in_words(unreleased: str) -> str:
    """What could not be released, as the cause of an error: a JSONata expression.

    Args:
        unreleased: The resources, with the `problem` of each, a JSONata expression.
    """
    return f"""
        'Resources of run ' & $runId & ' could not be released; delete them in the Bedrock console. '
        & $join({unreleased}.(name & ': ' & ($exists(problem) ? problem : 'It is still there.')), ' ')
    """


def release_one_run(
    scope: Construct,
    *,
    topic_arn: str,
    results_bucket: str,
    parameter: ssm.IStringParameter,
    commitment: Commitment | None,
) -> sfn.Chain:
    """Releases the run of a request, and notifies when the run failed.

    A request comes from a run, `{"runId", "name", "executionArn", "keep", "deleteModels", "failure", "redriveCount"}`
    with a failure of null when there is none; or it has just the `executionArn` of a run that is described first, and
    left alone while it is at work, also when it is redriven meanwhile, unless `isForgotten` says that it cannot be
    described. The output is `{"runs": [{"runId", "released", "kept", "unreleased", "unlisted"}]}`. When something could
    not be released, a run that asks without a failure is told so by it; else the execution fails with
    `ReleaseTimedOut`, after it notified for a run that failed.

    Args:
        scope: The construct that holds the states.
        topic_arn: The topic of the notification.
        results_bucket: The bucket of the notification.
        parameter: The parameter of the current model.
        commitment: The term that provisioned throughput is bought for.
    """
    prepare = sfn.Pass.jsonata(
        scope,
        "TakeRun",
        assign={
            "executionArn": "{% $states.input.executionArn %}",
            "runId": expression("""
                $exists($states.input.runId) ? $states.input.runId
                    : $substring($hash($states.input.executionArn, 'SHA-256'), 0, 16)
            """),
            "name": "{% $exists($states.input.name) ? $states.input.name : '' %}",
            "keep": "{% $exists($states.input.keep) ? [$states.input.keep] : [] %}",
            "deleteModels": "{% $exists($states.input.deleteModels) ? $states.input.deleteModels : false %}",
            "failure": "{% $exists($states.input.failure) ? $states.input.failure : null %}",
            "redrives": "{% $exists($states.input.redriveCount) ? $states.input.redriveCount : 0 %}",
            "isAsking": "{% $exists($states.input.runId) %}",
            "looks": 0,
            "found": [],
            "foundToken": "{% null %}",
            "modelsLeft": [],
            "modelsLeftToken": "{% null %}",
            "released": [],
            "kept": [],
            "unreleased": [],
            "unlisted": "{% null %}",
        },
    )
    released = sfn.Pass.jsonata(scope, "RunReleased", outputs=_OUTPUT)
    timed_out = sfn.Fail.jsonata(
        scope,
        RELEASE_TIMED_OUT,
        error=RELEASE_TIMED_OUT,
        cause=expression(unreleased_in_words("$unreleased")),
    )
    is_released = (
        sfn.Choice.jsonata(scope, "IsTheRunReleased")
        .when(sfn.Condition.jsonata("{% $count($unreleased) = 0 or ($isAsking and $failure = null) %}"), released)
        .otherwise(timed_out)
    )
    has_failed = (
        sfn.Choice.jsonata(scope, "HasTheRunFailed")
        .when(sfn.Condition.jsonata("{% $failure = null %}"), is_released)
        .otherwise(
            read_failure(
                scope,
                done=_notify(
                    scope,
                    topic_arn=topic_arn,
                    results_bucket=results_bucket,
                    parameter=parameter,
                    commitment=commitment,
                    done=is_released,
                ),
            )
        )
    )
    release = release_all(
        scope, done=has_failed, before_each_look=lambda look: unless_redriven(scope, look=look, at_work=released)
    )
    unknown = sfn.Pass.jsonata(
        scope,
        "RunIsUnknown",
        comment="Step Functions forgets an execution 90 days after its end, and with its machine",
        assign={"name": "{% $runId %}"},
    )
    unknown.next(release)
    return prepare.next(
        sfn.Choice.jsonata(scope, "IsTheRunAsking")
        .when(sfn.Condition.jsonata("{% $exists($states.input.runId) %}"), release)
        .when(sfn.Condition.jsonata("{% $states.input.isForgotten = true %}"), unknown)
        .otherwise(describe_run(scope, release=release, at_work=released, unknown=unknown))
    )


def _notify(
    scope: Construct,
    *,
    topic_arn: str,
    results_bucket: str,
    parameter: ssm.IStringParameter,
    commitment: Commitment | None,
    done: sfn.IChainable,
) -> sfn.Chain:
    summarize = sfn.Pass.jsonata(
        scope,
        "SummarizeRun",
        assign={
            "prefix": "{% 'runs/' & $runId & '/' %}",
            "evaluation": "{% null %}",
            "models": [],
            "failedCandidates": [],
            "warnings": [],
            "modelId": "{% null %}",
            "previousModelId": "{% null %}",
            "isRegistered": "{% null %}",
            "registrationFailure": "{% null %}",
            "release": {
                "released": "{% [$released] %}",
                "kept": "{% [$kept] %}",
                "unreleased": "{% [$unreleased] %}",
                "unlisted": "{% $unlisted %}",
            },
        },
    )
    read = task(
        scope,
        "ReadRegistration",
        resource="aws-sdk:ssm:getParameter",
        arguments={"Name": parameter.parameter_name},
        output={},
        assign={
            "isRegistered": f"{{% {_REGISTERED}.execution = $executionArn %}}",
            "modelId": _of_this_run("modelId"),
            "previousModelId": _of_this_run("previousModelId"),
        },
    )
    compose = compose_message(
        scope,
        "ComposeMessage",
        results_bucket=results_bucket,
        parameter=parameter,
        commitment=commitment,
        redrives="$redrives",
        registered="$isRegistered",
    )
    read.add_catch(compose, errors=["States.ALL"])
    send = notify_once(scope, topic_arn=topic_arn, results_bucket=results_bucket, output=_OUTPUT, done=done)
    return summarize.next(read).next(compose).next(send)


def _of_this_run(field: str) -> str:
    """What the parameter says of the model that this run promoted; null when it names another run's."""
    found = f"{_REGISTERED}[execution = $executionArn].{field}"
    return f"{{% $exists({found}) ? {found} : null %}}"
