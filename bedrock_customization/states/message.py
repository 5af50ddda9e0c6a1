"""The message for people: one for each end of a run."""

from __future__ import annotations

from aws_cdk import aws_ssm as ssm
from aws_cdk import aws_stepfunctions as sfn
from constructs import Construct

from bedrock_customization.options import Commitment
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
_TERMS = {Commitment.ONE_MONTH: "one month", Commitment.SIX_MONTHS: "six months"}


def compose_message(
    scope: Construct,
    construct_id: str,
    *,
    results_bucket: str,
    parameter: ssm.IStringParameter,
    commitment: Commitment | None,
    redrives: str,
    registered: str = "null",
    imported: str = "[]",
) -> sfn.Pass:
    """Writes the message for people, and assigns it to `notification`: `{"subject", "message"}`; assigns `redrives`.

    Reads `name` (of the custom model), `executionArn`, `prefix`, `failure` (`{"error", "cause", "stopped"?}` or null),
    `evaluation` (an evaluation's output, or null), `models` (`[{"name", "description"}]`, what was compared),
    `failedCandidates` (`[{"name", "description", "error", "cause"}]`), `warnings` (texts), `modelId` (of the promoted
    model, or null when there is none or it is not served), `previousModelId` (of the one promoted before it, or null),
    `registrationFailure` (a text, or null) and `release` (`{"released", "kept", "unreleased"?, "unlisted"?}`: what is
    left, with the `problem` of each, and why custom models could not be listed, or null).

    Args:
        scope: The construct that holds the state.
        construct_id: The state's name.
        results_bucket: The bucket of the report.
        parameter: The parameter of the current model.
        commitment: The term that provisioned throughput is bought for.
        redrives: How often the run was redriven, a JSONata expression.
        registered: Whether a run that failed is the one that the parameter names, a JSONata expression; null when that
            is not known.
        imported: The ARNs of the custom models that were there before the run, a JSONata expression.
    """
    costs = dict(_COSTS)
    bought = ""
    if commitment is not None:
        term = _TERMS[commitment]
        costs["ProvisionedModel"] = f"by the hour to the end of its term of {term}, and on until it is deleted"
        bought = (
            f"\\n  Provisioned throughput was bought for {term} and cannot be deleted before. When the term is over,"
            " delete it in the Bedrock console, and then its custom model. Meanwhile it can be asked:"
        )
    message = expression(rf"""(
        $imported := $append([], {imported});
        $number := function($value) {{ $value = null ? 'unknown' : $formatNumber($value, '0.0000') }};
        $signed := function($value) {{ ($value != null and $value >= 0 ? '+' : '') & $number($value) }};
        $section := function($title, $text) {{ '\n\n' & $title & '\n' & $text }};
        $lines := function($list) {{ $count($list) = 0 ? '  nothing' : $join($list, '\n') }};
        $thing := function($resource) {{ $lookup({_TITLES}, $resource.kind) & ' ' & $resource.name }};
        $cost := function($kind) {{ 'paid ' & $lookup({costs}, $kind) }};
        $described := function($name) {{(
            $found := $models[name = $name].description;
            $name & ($exists($found) ? ' (' & $found & ')' : '')
        )}};
        $several := $count($evaluation.candidates) + $count($failedCandidates) > 1;
        $stopped := $exists($failure.stopped) and $failure.stopped;
        $redriven := {redrives} > 0;
        $isRegistered := {registered};
        $left := $count($release.unreleased) > 0;
        $served := $release.kept[kind in ['Deployment', 'ProvisionedModel']];
        $trained := $release.kept[kind = 'Model'];
        $spare := $served[arn != $modelId];
        $bought := {str(commitment is not None).lower()} and $count($spare) > 0;
        $outcome := $failure != null ? ($stopped ? 'was stopped' : 'failed')
            : $left ? $evaluation.verdict & ', but not everything could be released'
            : $evaluation.verdict = 'BETTER'
                ? ($several ? $evaluation.winner : 'the custom model') & ' is better and was kept'
            : $evaluation.verdict = 'NOT_BETTER'
                ? ($several ? 'no custom model is better' : 'the custom model is not better')
                    & ($bought ? '' : $several ? ', all were released'
                        : $count($imported) > 0 ? ' and is not served any more' : ' and was released')
            : 'inconclusive' & ($bought ? '' : $several ? ', no custom model is served'
                : ', the custom model is not served');
        $ask := $modelId = null
            ? 'The custom model is not served. Serve it when it is needed.' & $join([$trained.('\n  ' & arn)], '')
            : 'Ask the custom model with this modelId:\n  ' & $modelId;
        $again := $count($trained) = 0 ? '' : '\n  What is trained need not be trained again: give'
            & ' "customizationType": "IMPORTED" and as "customModelArn"' & $join([$trained.('\n    ' & arn)], ' or');
        $next := $failure != null
            ? ($isRegistered = true
                ? 'The custom model was promoted and registered before the run ended, so it is kept;'
                    & ' delete it in the Bedrock console if nobody needs it.\n  ' & $ask
                : $count($served) > 0 and $not($bought)
                    ? 'The custom model was promoted before the run ended, so it stays served and kept;'
                        & ' delete it in the Bedrock console if nobody needs it.'
                        & ($isRegistered = false ? '\n  It was not registered: the parameter {parameter.parameter_name}'
                            & ' still names the model before it, if there was one.' : '')
                        & '\n  Ask the custom model with this modelId:' & $join([$served.('\n  ' & arn)], '')
                : ($redriven ? 'The run was redriven after its end, when what it had served was released already,'
                        & ' so it may have lacked that. Do not redrive it; start the customization again.'
                    : $stopped ? 'Start the customization again if it was stopped by mistake.'
                    : 'Mend the error and start the customization again.') & $again)
            : $evaluation.verdict = 'BETTER' ? $ask
            : $evaluation.verdict = 'NOT_BETTER'
                ? 'Read the report, improve the training data or the hyperparameters, and start again.'
            : 'Read the failures in the report: too few records count. A record counts when every model answered it'
                & ' completely and all answers have a ' & $evaluation.metric & '.' & $again;
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
        $billed := [
            $release.kept.('  ' & $thing($) & ', ' & $cost(kind)),
            $release.unreleased.(
                '  ' & ($exists(kind) ? $thing($) : name) & ' could not be released: '
                & ($exists(problem) ? problem : 'it is still there')
            ),
            $exists($release.unlisted) and $release.unlisted != null
                ? '  custom models, ' & $cost('Model') & ', if there are any: they could not be listed: '
                    & $release.unlisted,
            $imported.('  custom model ' & $ & ', ' & $cost('Model') & '; it was there before the run'),
            $previousModelId != null
                ? '  the model promoted before, '
                    & $cost($contains($previousModelId, ':provisioned-model/') ? 'ProvisionedModel' : 'Deployment')
                    & ', if it is still there; delete it when nobody asks it any more:\n    '
                    & $previousModelId
        ];
        {{
            'subject': $substring('Customization ' & $replace($name, /[^ -~]+/, '?') & ': ' & $outcome, 0, 99),
            'message': 'Customization ' & $name & ': ' & $outcome & '.'
                & ($failure != null
                    ? $section('Error', '  ' & $failure.error & '\n  ' & $replace($failure.cause, '\n', '\n  '))
                    : $section('Verdict', '  ' & $evaluation.verdict & $join([$candidates], ''))
                        & $section('Mean ' & $evaluation.metric, $join([$scores], '\n'))
                        & $section('Records', '  ' & $evaluation.counted & ' of ' & $evaluation.records
                            & ' count: every model answered them completely')
                        & ($count($failedCandidates) = 0 ? ''
                            : $section('Candidates that failed', $join([$failed], '\n')))
                        & $section('Report', '  s3://{results_bucket}/' & $evaluation.report))
                & ($count($warnings) = 0 ? ''
                    : $section('Warnings', $join([$warnings.('  ' & $)], '\n')
                        & '\n  About the data: s3://{results_bucket}/' & $prefix & 'dataset-report.json'))
                & $section('Released', $lines([$release.released.('  ' & $thing($))]))
                & $section('Still billed', $lines($billed))
                & ($registrationFailure = null ? ''
                    : $section('Registration', '  The model is kept. ' & $registrationFailure))
                & $section('Next step', '  '
                    & ($left ? 'Delete in the Bedrock console what could not be released.\n  ' : '') & $next
                    & ($bought ? '{bought}' & $join([$spare.('\n    ' & arn)], '') : ''))
                & $section('Run', '  ' & $executionArn & '\n  s3://{results_bucket}/' & $prefix)
                & '\n'
        }}
    )""")
    return sfn.Pass.jsonata(scope, construct_id, assign={"notification": message, "redrives": f"{{% {redrives} %}}"})
