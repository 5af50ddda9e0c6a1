"""The states that tell people what happened: one message for each end of a run, and the same as JSON in S3."""

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

_FIRST_ERROR = r"""(
    $error := <error>;
    $flat := $replace(<cause>, /\\+"/, '"');
    $function := $match($flat, /"errorMessage":\s*"(.*?)",\s*"errorType":\s*"(.*?)"/, 1);
    $job := $match($flat, /"FailureMessage":\s*"(.*?)"\s*(?:,|\})/, 1);
    $childsError := $match($flat, /"Error":\s*"(.*?)"/, 1);
    $childsCause := $match($flat, /"Cause":\s*"(.*?)"\s*(?:,\s*"[A-Z]\w*":|\})/, 1);
    $child := $match($flat, /"ExecutionArn":\s*"(.*?)"/, 1);
    $childsEnd := $match($flat, /"Status":\s*"(ABORTED|TIMED_OUT)"/, 1);
    $found := $exists($function) ? {'error': $function.groups[1], 'cause': $function.groups[0]}
        : $exists($job) ? {'error': 'TrainingFailed', 'cause': $job.groups[0]}
        : $exists($childsError) and $exists($childsCause)
            ? {'error': $childsError.groups[0], 'cause': $childsCause.groups[0]}
        : $exists($child) and $exists($childsEnd)
            ? {'error': $error, 'cause': 'The execution ' & $child.groups[0]
                & ($childsEnd.groups[0] = 'ABORTED' ? ' was stopped.' : ' took longer than it may.')}
        : {'error': $error, 'cause': $flat};
    {'error': $found.error, 'cause': $substring($replace($found.cause, /\\+n/, '\n'), 0, 8000)}
)"""

# What people call a kind of resource, and what it goes on to cost.
_TITLES = {
    "Job": "training job",
    "Deployment": "on-demand deployment",
    "ProvisionedModel": "provisioned throughput",
    "Model": "custom model",
}
_COSTS = {
    "Job": "by the token",
    "Deployment": "by the request",
    "ProvisionedModel": "by the hour until it is deleted",
    "Model": "by the month for storage",
}


def first_error(error: str, cause: str) -> str:
    """The first error in words, as `{"error", "cause"}`.

    A cause can be a function's error or a child execution's description, as JSON text within JSON text. Regular
    expressions find the first error in it and, unlike `$parse`, never fail on a text that was cut.

    Args:
        error: The error's name, a JSONata expression.
        cause: Its cause, a JSONata expression.
    """
    return expression(_FIRST_ERROR.replace("<error>", error).replace("<cause>", cause))


def compose_message(scope: Construct, construct_id: str, *, results_bucket: str, redrives: str) -> sfn.Pass:
    """Writes the message for people, and assigns it to `notification`: `{"subject", "message"}`; assigns `redrives`.

    Reads `name` (of the custom model), `executionArn`, `prefix`, `failure` (`{"error", "cause", "stopped"?}` or null),
    `evaluation` (an evaluation's output, or null), `models` (`[{"name", "description"}]`, what was compared),
    `failedCandidates` (`[{"name", "description", "error", "cause"}]`), `warnings` (texts), `modelId` (of the promoted
    model, or null when there is none or it is not served), `previousModelId` (of the one promoted before it, or null),
    `registrationFailure` (a text, or null) and `release` (`{"released", "kept", "unreleased"?}`, the latter with the
    `problem` of each).

    Args:
        scope: The construct that holds the state.
        construct_id: The state's name.
        results_bucket: The bucket of the report.
        redrives: How often the run was redriven, a JSONata expression.
    """
    message = expression(rf"""(
        $number := function($value) {{ $value = null ? 'unknown' : $formatNumber($value, '0.0000') }};
        $signed := function($value) {{ ($value != null and $value >= 0 ? '+' : '') & $number($value) }};
        $section := function($title, $text) {{ '\n\n' & $title & '\n' & $text }};
        $things := function($list) {{ $join([$list.('  ' & $lookup({_TITLES}, kind) & ' ' & name)], '\n') }};
        $costs := function($list) {{
            $join([$list.('  ' & $lookup({_TITLES}, kind) & ' ' & name & ', paid ' & $lookup({_COSTS}, kind))], '\n')
        }};
        $described := function($name) {{(
            $found := $models[name = $name].description;
            $name & ($exists($found) ? ' (' & $found & ')' : '')
        )}};
        $several := $count($evaluation.candidates) + $count($failedCandidates) > 1;
        $stopped := $exists($failure.stopped) and $failure.stopped;
        $redriven := {redrives} > 0;
        $outcome := $failure != null ? ($stopped ? 'was stopped' : 'failed')
            : $evaluation.verdict = 'BETTER'
                ? ($several ? $evaluation.winner : 'the custom model') & ' is better and was kept'
            : $evaluation.verdict = 'NOT_BETTER'
                ? ($several ? 'no custom model is better, all were released'
                    : 'the custom model is not better and was released')
            : 'inconclusive, ' & ($several ? 'no custom model is served' : 'the custom model is not served');
        $served := $release.kept[kind in ['Deployment', 'ProvisionedModel']];
        $trained := $release.kept[kind = 'Model'];
        $again := $count($trained) = 0 ? '' : '\n  What is trained need not be trained again: give'
            & ' "customizationType": "IMPORTED" and as "customModelArn"' & $join([$trained.('\n    ' & arn)], ' or');
        $next := $failure != null
            ? ($count($release.unreleased) > 0 ? 'Delete in the Bedrock console what could not be released.\n  ' : '')
                & ($count($served) > 0
                    ? 'The custom model was promoted before the run ended, so it stays served and kept;'
                        & ' delete it in the Bedrock console if nobody needs it.'
                    : ($redriven ? 'The run was redriven after its end, when what it had served was released already,'
                            & ' so it may have lacked that. Do not redrive it; start the customization again.'
                        : $stopped ? 'Start the customization again if it was stopped by mistake.'
                        : 'Mend the error and start the customization again.') & $again)
            : $evaluation.verdict = 'BETTER'
                ? ($modelId = null
                    ? 'The custom model is not served. Serve it when it is needed.'
                        & $join([$trained.('\n  ' & arn)], '')
                    : 'Ask the custom model with this modelId:\n  ' & $modelId)
            : $evaluation.verdict = 'NOT_BETTER'
                ? 'Read the report, improve the training data or the hyperparameters, and start again.'
            : 'Read the failures in the report: too few records were answered completely by every model.' & $again;
        $candidates := $evaluation.candidates.(
            '\n  ' & name & ' against ' & baseline & ': ' & metric & ' ' & $signed(difference.mean)
            & ' (interval ' & $signed(difference.low) & ' to ' & $signed(difference.high) & '), '
            & wins & ' won, ' & ties & ' tied, ' & losses & ' lost'
        );
        $scores := $each($evaluation.scores, function($means, $model) {{
            '  ' & $described($model) & ': ' & $number($lookup($means, $evaluation.metric))
        }});
        $failed := $failedCandidates.('  ' & name & ' (' & description & '): ' & error & '\n    '
            & $replace($substring(cause, 0, 500), '\n', '\n    '));
        $stuck := $join([$release.unreleased.(
            '\n  ' & ($exists(kind) ? $lookup({_TITLES}, kind) & ' ' & name : name) & ' could not be released: '
            & ($exists(problem) ? problem : 'it is still there')
        )], '');
        $previous := $previousModelId = null ? '' : '\n  the model promoted before, paid '
            & $lookup({_COSTS}, $contains($previousModelId, ':provisioned-model/') ? 'ProvisionedModel' : 'Deployment')
            & '; delete it when nobody asks it any more:\n    ' & $previousModelId;
        {{
            'subject': $substring('Customization ' & $replace($name, /[^ -~]+/, '?') & ': ' & $outcome, 0, 99),
            'message': 'Customization ' & $name & ': ' & $outcome & '.'
                & ($failure != null
                    ? $section('Error', '  ' & $failure.error & '\n  ' & $replace($failure.cause, '\n', '\n  '))
                    : $section('Verdict', '  ' & $evaluation.verdict & $join([$candidates], ''))
                        & $section('Mean ' & $evaluation.metric, $join([$scores], '\n'))
                        & $section('Records', '  ' & $evaluation.counted & ' of ' & $evaluation.records
                            & ' were answered completely by every model')
                        & ($count($failedCandidates) = 0 ? ''
                            : $section('Candidates that failed', $join([$failed], '\n')))
                        & $section('Report', '  s3://{results_bucket}/' & $evaluation.report))
                & ($count($warnings) = 0 ? ''
                    : $section('Warnings', $join([$warnings.('  ' & $)], '\n')
                        & '\n  About the data: s3://{results_bucket}/' & $prefix & 'dataset-report.json'))
                & $section('Released', $count($release.released) = 0 ? '  nothing' : $things($release.released))
                & $section('Still billed',
                    ($count($release.kept) + $count($release.unreleased) = 0 ? '  nothing' : $costs($release.kept))
                    & $stuck & $previous)
                & ($registrationFailure = null ? ''
                    : $section('Registration', '  The model is kept. ' & $registrationFailure))
                & $section('Next step', '  ' & $next)
                & $section('Run', '  ' & $executionArn & '\n  s3://{results_bucket}/' & $prefix)
                & '\n'
        }}
    )""")
    return sfn.Pass.jsonata(scope, construct_id, assign={"notification": message, "redrives": f"{{% {redrives} %}}"})


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
