"""The states that score the responses shard by shard, compare the models and decide."""

from __future__ import annotations

from typing import Any

from aws_cdk import Duration
from aws_cdk import aws_stepfunctions as sfn
from constructs import Construct

from bedrock_customization.options import Metric, QualityGate
from bedrock_customization.states.distributed_map import distributed_map
from bedrock_customization.states.task import expression, invoke_function, retry, task

# A little more than the function's own time-out, so that the function's error is the one that is reported.
_TASK_TIMEOUT = Duration.minutes(16)

_SHARD_BYTES = 512 * 1024
# The list of shards is a variable of at most 256 KiB, about 150 bytes a shard; beyond it the shards grow.
_MOST_SHARDS = 1000


def list_shards(scope: Construct, construct_id: str, *, results_bucket: str) -> sfn.CustomState:
    """Reads the manifest of the responses and cuts their files into byte ranges, one for each call of the scorer.

    Args:
        scope: The construct that holds the state.
        construct_id: The state's name.
        results_bucket: The bucket with the manifest.
    """
    return task(
        scope,
        construct_id,
        resource="aws-sdk:s3:getObject",
        arguments={"Bucket": results_bucket, "Key": "{% $states.input.Key %}"},
        assign={
            "responses": "{% [$parse($states.result.Body).ResultFiles.SUCCEEDED.Key] %}",
            "shards": expression(f"""(
                $files := $parse($states.result.Body).ResultFiles.SUCCEEDED;
                $shardBytes := $max([{_SHARD_BYTES}, $ceil($sum([$files.Size]) / {_MOST_SHARDS})]);
                $ranges := [$files.(
                    $file := $;
                    [0..$ceil(Size / $shardBytes) - 1].{{
                        'key': $file.Key,
                        'start': $ * $shardBytes,
                        'end': $min([$file.Size, ($ + 1) * $shardBytes])
                    }}
                )];
                [$map($ranges, function($range, $index) {{ $merge([$range, {{'index': $index}}]) }})]
            )"""),
        },
        output={},
    )


def score_responses(
    scope: Construct,
    construct_id: str,
    *,
    results_bucket: str,
    function_arn: str,
    metrics: list[Metric],
    max_concurrency: int,
) -> sfn.CustomState:
    """A Distributed Map over the shards; each one is scored by one call and retried alone.

    Args:
        scope: The construct that holds the state.
        construct_id: The state's name.
        results_bucket: The bucket with responses and scores.
        function_arn: The scoring function's ARN.
        metrics: The metrics to compute.
        max_concurrency: Shards that are scored at the same time.
    """
    score = invoke_function(
        scope,
        "ScoreShard",
        function_arn=function_arn,
        payload={
            "shard": "{% $states.input.shard %}",
            "bucket": results_bucket,
            "output": (
                "{% $states.input.prefix & 'scores/' & $formatNumber($states.input.shard.index, '00000') & '.json' %}"
            ),
            "models": "{% $states.input.models %}",
            "metrics": [metric.to_json() for metric in metrics],
        },
        timeout=_TASK_TIMEOUT,
    )
    return distributed_map(
        scope,
        construct_id,
        label="ScoreResponses",
        item_processor=score,
        execution_type=sfn.StateMachineType.STANDARD,
        item_selector={
            "shard": "{% $states.context.Map.Item.Value %}",
            "prefix": "{% $prefix %}",
            "models": "{% [$models.name] %}",
        },
        items="{% $shards %}",
        max_concurrency=max_concurrency,
        result_bucket=results_bucket,
        result_prefix="{% $prefix & 'scoring' %}",
        retries=[retry(["States.ResultWriterFailed"], max_attempts=2)],
        output={},
    )


def compare_models(
    scope: Construct, construct_id: str, *, results_bucket: str, function_arn: str, gate: QualityGate
) -> sfn.CustomState:
    """Compares every model with the baseline over all scores.

    Assigns `comparison` (the function's answer) and `compared` (the candidates whose difference could be computed).

    Args:
        scope: The construct that holds the state.
        construct_id: The state's name.
        results_bucket: The bucket with the scores.
        function_arn: The comparison function's ARN.
        gate: The metric and confidence to compare with.
    """
    return invoke_function(
        scope,
        construct_id,
        function_arn=function_arn,
        payload={
            "operation": "compare",
            "bucket": results_bucket,
            "prefix": "{% $prefix %}",
            "shards": "{% $count($shards) %}",
            "records": "{% $records %}",
            "models": "{% [$models.name] %}",
            "baseline": "{% $baseline %}",
            "gate": gate_to_json(gate),
        },
        timeout=_TASK_TIMEOUT,
        output={},
        assign={
            "comparison": "{% $states.result.Payload %}",
            "compared": (
                "{% [$states.result.Payload.candidates[$type(difference.mean) = 'number' and"
                " $type(difference.low) = 'number']] %}"
            ),
        },
    )


def quality_gate(scope: Construct, construct_id: str, *, gate: QualityGate, decided: sfn.IChainable) -> sfn.Choice:
    """The decision, in plain sight: coverage first, then the lower end of the best candidate's interval.

    Assigns `verdict` (BETTER, NOT_BETTER or INCONCLUSIVE) and `winner` (a model's name, or null).

    Args:
        scope: The construct that holds the state.
        construct_id: The state's name.
        gate: The thresholds.
        decided: What follows.
    """
    passed = f"$compared[difference.low > {gate.min_improvement}]"
    nobody = "{% null %}"
    return (
        sfn.Choice.jsonata(
            scope,
            construct_id,
            comment="The last case: no candidate's interval lies above the margin.",
            assign={"verdict": "NOT_BETTER", "winner": nobody},
        )
        .when(
            sfn.Condition.jsonata(f"{{% $comparison.coverage < {gate.min_coverage} or $count($compared) = 0 %}}"),
            decided,
            comment="Too few complete answers to believe any comparison.",
            assign={"verdict": "INCONCLUSIVE", "winner": nobody},
        )
        .when(
            sfn.Condition.jsonata(f"{{% $count({passed}) > 0 %}}"),
            decided,
            comment="The whole interval of the paired mean improvement lies above the margin.",
            assign={"verdict": "BETTER", "winner": f"{{% ({passed}^(>difference.mean))[0].name %}}"},
        )
        .otherwise(decided)
    )


def write_report(
    scope: Construct, construct_id: str, *, results_bucket: str, function_arn: str, gate: QualityGate
) -> sfn.CustomState:
    """Writes the report with the verdict; its output is `{"report", "results"}`, keys in the results bucket.

    Args:
        scope: The construct that holds the state.
        construct_id: The state's name.
        results_bucket: The bucket with the scores.
        function_arn: The comparison function's ARN.
        gate: The gate that decided.
    """
    return invoke_function(
        scope,
        construct_id,
        function_arn=function_arn,
        payload={
            "operation": "report",
            "bucket": results_bucket,
            "prefix": "{% $prefix %}",
            "verdict": "{% $verdict %}",
            "winner": "{% $winner %}",
            "baseline": "{% $baseline %}",
            "evaluationDataKey": "{% $evaluationDataKey %}",
            "responses": "{% $responses %}",
            "gate": gate_to_json(gate),
        },
        timeout=_TASK_TIMEOUT,
    )


def gate_to_json(gate: QualityGate) -> dict[str, Any]:
    """The gate as the comparison function's events name it."""
    return {
        "metric": gate.metric,
        "minImprovement": gate.min_improvement,
        "confidence": gate.confidence,
        "minCoverage": gate.min_coverage,
    }
