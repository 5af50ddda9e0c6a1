"""The message for people: one for each end of a run."""

from __future__ import annotations

from aws_cdk import aws_stepfunctions as sfn
from constructs import Construct

from bedrock_customization.states.task import expression

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
