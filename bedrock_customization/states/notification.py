"""The states that tell people what happened: the message is published, and written to S3 as JSON."""

from __future__ import annotations

from typing import Any

from aws_cdk import aws_stepfunctions as sfn
from constructs import Construct

from bedrock_customization.states.task import expression, retry, task

RELEASE_TIMED_OUT = "ReleaseTimedOut"
"""The error of a release that left something; it notifies before it fails."""

UNNOTIFIED = "Unnotified"
"""How the names of the states end that follow when a notification could not be published."""

_KEY = "{% $prefix & 'notification' & ($redrives > 0 ? '-r' & $redrives : '') & '.json' %}"


def write_notification(
    scope: Construct, construct_id: str, *, results_bucket: str, only_first: bool = False
) -> sfn.CustomState:
    """Writes `notification.json` of the run: the message, and for programs what it says.

    Each end of a run has its own: that of a run that was redriven twice is `notification-r2.json`.

    Args:
        scope: The construct that holds the state.
        construct_id: The state's name.
        results_bucket: The bucket.
        only_first: Whether it fails with status code 412 when the object exists.
    """
    arguments = {
        "Bucket": results_bucket,
        "Key": _KEY,
        "ContentType": "application/json",
        "Body": expression("""
            $merge([$notification, {'writtenBy': $states.context.Execution.Id, 'execution': $executionArn,
                'failure': $failure, 'evaluation': $evaluation, 'failedCandidates': $failedCandidates,
                'warnings': $warnings, 'modelId': $modelId, 'previousModelId': $previousModelId,
                'registrationFailure': $registrationFailure, 'release': $release}])
        """),
    }
    return task(
        scope,
        construct_id,
        resource="aws-sdk:s3:putObject",
        arguments=arguments | ({"IfNoneMatch": "*"} if only_first else {}),
        output={},
        # Whether a message was sent is known by this object, so that no error is taken for final at once.
        retries=[retry(["States.TaskFailed"], max_attempts=4)],
    )


def publish_notification(
    scope: Construct, construct_id: str, *, topic_arn: str, output: dict[str, Any]
) -> sfn.CustomState:
    """Publishes the message; the last thing that an execution does, so that one that was stopped did not publish.

    Args:
        scope: The construct that holds the state.
        construct_id: The state's name.
        topic_arn: The topic.
        output: The execution's output.
    """
    return task(
        scope,
        construct_id,
        resource="sns:publish",
        arguments={
            "TopicArn": topic_arn,
            "Subject": "{% $notification.subject %}",
            "Message": "{% $notification.message %}",
        },
        output=output,
    )


def notify_once(
    scope: Construct, *, topic_arn: str, results_bucket: str, output: dict[str, Any], done: sfn.IChainable
) -> sfn.Chain:
    """Publishes the message unless another execution did for this end of the run.

    Whoever writes `notification.json` first publishes. When it is there already, its writer has published or still
    will, unless that execution was stopped or failed before its last state. It may be this very execution, when the
    response to its writing was lost. When that cannot be found out, nothing is published a second time.

    Args:
        scope: The construct that holds the states.
        topic_arn: The topic.
        results_bucket: The bucket of the notification.
        output: The output of the state that publishes.
        done: What follows, whether something was published or not.
    """
    publish = publish_notification(scope, "Notify", topic_arn=topic_arn, output=output)
    unnotified = sfn.Pass.jsonata(scope, f"Run{UNNOTIFIED}")
    publish.add_catch(unnotified, errors=["States.ALL"], outputs=output)
    unnotified.next(done)
    rewrite = write_notification(scope, "RewriteNotification", results_bucket=results_bucket)
    rewrite.add_catch(publish, errors=["States.ALL"])
    rewrite.next(publish)
    read = task(
        scope,
        "ReadNotification",
        resource="aws-sdk:s3:getObject",
        arguments={"Bucket": results_bucket, "Key": _KEY},
        output="{% $parse($states.result.Body) %}",
    )
    describe_writer = task(
        scope,
        "DescribeItsWriter",
        resource="aws-sdk:sfn:describeExecution",
        arguments={"ExecutionArn": "{% $states.input.writtenBy %}"},
    )
    is_published = (
        sfn.Choice.jsonata(scope, "IsNotificationPublished")
        .when(sfn.Condition.jsonata("{% $states.input.ExecutionArn = $states.context.Execution.Id %}"), publish)
        .when(
            sfn.Condition.jsonata(
                "{% $states.input.Status in ['RUNNING', 'SUCCEEDED']"
                f" or ($exists($states.input.Error) and $states.input.Error = '{RELEASE_TIMED_OUT}') %}}"
            ),
            done,
        )
        .otherwise(rewrite)
    )
    # Its description is too large when its input is; whoever would be told of a run like that was not told yet.
    describe_writer.add_catch(rewrite, errors=["States.DataLimitExceeded"])
    for state in (read, describe_writer):
        state.add_catch(done, errors=["States.ALL"])
    read.next(describe_writer).next(is_published)
    write = write_notification(scope, "WriteNotification", results_bucket=results_bucket, only_first=True)
    is_written = (
        sfn.Choice.jsonata(scope, "IsNotificationWritten")
        .when(sfn.Condition.jsonata("{% $contains($states.input.Cause, 'Status Code: 412') %}"), read)
        .otherwise(publish)
    )
    write.add_catch(is_written, errors=["States.ALL"])
    write.next(publish)
    publish.next(done)
    return sfn.Chain.start(write)
