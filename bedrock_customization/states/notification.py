"""The states that tell people what happened: one message a run, and the same as JSON in S3."""

from __future__ import annotations

from aws_cdk import Duration
from aws_cdk import aws_stepfunctions as sfn
from constructs import Construct

from bedrock_customization.states.task import expression, task

_FIRST_ERROR = r"""(
    $error := <error>;
    $flat := $replace(<cause>, /\\+"/, '"');
    $function := $match($flat, /"errorMessage":\s*"(.*?)",\s*"errorType":\s*"(.*?)"/, 1);
    $job := $match($flat, /"FailureMessage":\s*"(.*?)"\s*(?:,|\})/, 1);
    $child := $match($flat, /"Cause":\s*"(.*?)",\s*"Error":\s*"(.*?)"/, 1);
    $found := $exists($function) ? {'error': $function.groups[1], 'cause': $function.groups[0]}
        : $exists($job) ? {'error': $error, 'cause': $job.groups[0]}
        : $exists($child) ? {'error': $child.groups[1], 'cause': $child.groups[0]}
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


def compose_message(scope: Construct, construct_id: str, *, results_bucket: str) -> sfn.Pass:
    """Writes the message for people, and assigns it to `notification`: `{"subject", "message"}`.

    Reads `name` (of the custom model), `executionArn`, `prefix`, `failure` (`{"error", "cause"}` or null), `evaluation`
    (an evaluation's output, or null), `modelId` (of the promoted model, or null) and `release` (`{"released", "kept"}`,
    or `{"error", "cause"}` when the release failed).

    Args:
        scope: The construct that holds the state.
        construct_id: The state's name.
        results_bucket: The bucket of the report.
    """
    message = expression(rf"""(
        $number := function($value) {{ $value = null ? 'unknown' : $formatNumber($value, '0.0000') }};
        $signed := function($value) {{ ($value != null and $value >= 0 ? '+' : '') & $number($value) }};
        $section := function($title, $text) {{ '\n\n' & $title & '\n' & $text }};
        $things := function($list) {{ $join([$list.('  ' & $lookup({_TITLES}, kind) & ' ' & name)], '\n') }};
        $costs := function($list) {{
            $join([$list.('  ' & $lookup({_TITLES}, kind) & ' ' & name & ', paid ' & $lookup({_COSTS}, kind))], '\n')
        }};
        $outcome := $failure != null ? 'failed'
            : $evaluation.verdict = 'BETTER' ? 'the custom model is better and was kept'
            : $evaluation.verdict = 'NOT_BETTER' ? 'the custom model is not better and was released'
            : 'inconclusive, the custom model is not served';
        $next := $exists($release.error)
                ? 'Delete in the Bedrock console whatever has the run id in its name; the release is tried again, too.'
            : $failure != null ? 'Mend the error and start the customization again.'
            : $evaluation.verdict = 'BETTER' ? 'Ask the custom model with this modelId:\n  ' & $modelId
            : $evaluation.verdict = 'NOT_BETTER'
                ? 'Read the report, improve the training data or the hyperparameters, and start again.'
            : 'Read the failures in the report: too few records were answered completely by every model.';
        $candidates := $evaluation.candidates.(
            '\n  ' & name & ' against ' & $evaluation.baseline & ': ' & metric & ' ' & $signed(difference.mean)
            & ' (interval ' & $signed(difference.low) & ' to ' & $signed(difference.high) & '), '
            & wins & ' won, ' & ties & ' tied, ' & losses & ' lost'
        );
        $scores := $each($evaluation.scores, function($means, $model) {{
            '  ' & $model & ': ' & $number($lookup($means, $evaluation.metric))
        }});
        {{
            'subject': $substring('Customization ' & $name & ': ' & $outcome, 0, 99),
            'message': 'Customization ' & $name & ': ' & $outcome & '.'
                & ($failure != null
                    ? $section('Error', '  ' & $failure.error & '\n  ' & $replace($failure.cause, '\n', '\n  '))
                    : $section('Verdict', '  ' & $evaluation.verdict & $join([$candidates], ''))
                        & $section('Mean ' & $evaluation.metric, $join([$scores], '\n'))
                        & $section('Records', '  ' & $evaluation.counted & ' of ' & $evaluation.records
                            & ' were answered completely by every model')
                        & $section('Report', '  s3://{results_bucket}/' & $evaluation.report))
                & ($exists($release.error)
                    ? $section('Still billed', '  unknown: the release failed with ' & $release.error)
                    : $section('Released', $count($release.released) = 0 ? '  nothing' : $things($release.released))
                        & $section('Still billed', $count($release.kept) = 0 ? '  nothing' : $costs($release.kept)))
                & $section('Next step', '  ' & $next)
                & $section('Run', '  ' & $executionArn & '\n  s3://{results_bucket}/' & $prefix)
                & '\n'
        }}
    )""")
    return sfn.Pass.jsonata(scope, construct_id, assign={"notification": message})


def notify(scope: Construct, *, topic_arn: str, results_bucket: str, done: sfn.IChainable) -> sfn.Chain:
    """Writes the notification to S3, publishes it and goes on, also when that fails.

    The object `notification.json` of a run is written only if it does not exist: whoever writes it publishes the
    message, so that a run is notified once, however often a clean-up is repeated.

    Args:
        scope: The construct that holds the states.
        topic_arn: The topic.
        results_bucket: The bucket that the JSON goes to.
        done: What follows.
    """
    publish = task(
        scope,
        "Notify",
        resource="sns:publish",
        arguments={
            "TopicArn": topic_arn,
            "Subject": "{% $notification.subject %}",
            "Message": "{% $notification.message %}",
        },
        output={},
    )
    claim = task(
        scope,
        "WriteNotification",
        resource="aws-sdk:s3:putObject",
        arguments={
            "Bucket": results_bucket,
            "Key": "{% $prefix & 'notification.json' %}",
            "Body": "{% $notification %}",
            "ContentType": "application/json",
            "IfNoneMatch": "*",
        },
        timeout=Duration.minutes(1),
        output={},
    )
    publish.add_catch(done, errors=["States.ALL"])
    publish.next(done)
    is_claimed = (
        sfn.Choice.jsonata(scope, "IsNotifiedAlready")
        .when(sfn.Condition.jsonata("{% $contains($states.input.Cause, 'Status Code: 412') %}"), done)
        .otherwise(publish)
    )
    claim.add_catch(is_claimed, errors=["States.ALL"])
    return claim.next(publish)
