"""The states that score the responses shard by shard."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from aws_cdk import Duration
from aws_cdk import aws_stepfunctions as sfn
from constructs import Construct

from bedrock_customization.options import Evaluator, Metric
from bedrock_customization.states.distributed_map import distributed_map
from bedrock_customization.states.task import expression, invoke_function, retry, task

RESULT_FOLDER = "scoring"
"""Where the files of the Map Runs over shards are, below a run's prefix."""

# A little more than the function's own time-out, so that the function's error is the one that is reported.
TASK_TIMEOUT = Duration.minutes(16)

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


def count_document_frequencies(
    scope: Construct, construct_id: str, *, results_bucket: str, function_arn: str, max_concurrency: int
) -> sfn.Chain:
    """Counts in how many references each token occurs, shard by shard, and adds the counts up.

    Inverse document frequencies are those of the whole evaluation set; frequencies of a shard alone would give other
    scores.

    Args:
        scope: The construct that holds the states.
        construct_id: The name of the Map state.
        results_bucket: The bucket with responses and counts.
        function_arn: The scoring function's ARN.
        max_concurrency: Shards that are counted at the same time.
    """
    count = _invoke_for_shard(
        scope,
        "CountShard",
        function_arn=function_arn,
        payload={
            "operation": "countDocumentFrequencies",
            "shard": "{% $states.input.shard %}",
            "bucket": results_bucket,
            "output": _shard_file("frequencies"),
        },
    )
    count_all = _map_over_shards(
        scope,
        construct_id,
        item_processor=count,
        item_selector={"shard": "{% $states.context.Map.Item.Value %}", "prefix": "{% $prefix %}"},
        results_bucket=results_bucket,
        max_concurrency=max_concurrency,
    )
    merge = invoke_function(
        scope,
        "MergeDocumentFrequencies",
        function_arn=function_arn,
        payload={
            "operation": "mergeDocumentFrequencies",
            "bucket": results_bucket,
            "prefix": "{% $prefix %}",
            "shards": "{% $count($shards) %}",
        },
        timeout=TASK_TIMEOUT,
        output={},
        assign={"documentFrequencies": "{% $states.result.Payload.key %}"},
    )
    return sfn.Chain.start(count_all).next(merge)


def score_responses(
    scope: Construct,
    construct_id: str,
    *,
    results_bucket: str,
    function_arn: str,
    metrics: Sequence[Metric],
    evaluators: Sequence[Evaluator],
    max_concurrency: int,
) -> sfn.CustomState:
    """A Distributed Map over the shards; each one is scored by one call and retried alone.

    Args:
        scope: The construct that holds the state.
        construct_id: The state's name.
        results_bucket: The bucket with responses and scores.
        function_arn: The scoring function's ARN.
        metrics: The metrics to compute.
        evaluators: The user's own metrics; the scoring function calls their functions.
        max_concurrency: Shards that are scored at the same time.
    """
    idf = any(metric.idf for metric in metrics)
    score = _invoke_for_shard(
        scope,
        "ScoreShard",
        function_arn=function_arn,
        payload={
            "operation": "score",
            "shard": "{% $states.input.shard %}",
            "bucket": results_bucket,
            "output": _shard_file("scores"),
            "models": "{% $states.input.models %}",
            "metrics": [metric.to_json() for metric in metrics],
            **({"evaluators": [evaluator.to_json() for evaluator in evaluators]} if evaluators else {}),
            **({"documentFrequencies": "{% $states.input.documentFrequencies %}"} if idf else {}),
        },
    )
    return _map_over_shards(
        scope,
        construct_id,
        item_processor=score,
        item_selector={
            "shard": "{% $states.context.Map.Item.Value %}",
            "prefix": "{% $prefix %}",
            "models": "{% [$models.name] %}",
            **({"documentFrequencies": "{% $documentFrequencies %}"} if idf else {}),
        },
        results_bucket=results_bucket,
        max_concurrency=max_concurrency,
    )


def _invoke_for_shard(
    scope: Construct, construct_id: str, *, function_arn: str, payload: dict[str, Any]
) -> sfn.CustomState:
    return invoke_function(scope, construct_id, function_arn=function_arn, payload=payload, timeout=TASK_TIMEOUT)


def _shard_file(folder: str) -> str:
    number = "$formatNumber($states.input.shard.index, '00000')"
    return f"{{% $states.input.prefix & '{folder}/' & {number} & '.json' %}}"


def _map_over_shards(
    scope: Construct,
    construct_id: str,
    *,
    item_processor: sfn.IChainable,
    item_selector: dict[str, Any],
    results_bucket: str,
    max_concurrency: int,
) -> sfn.CustomState:
    return distributed_map(
        scope,
        construct_id,
        label=construct_id,
        item_processor=item_processor,
        item_selector=item_selector,
        items="{% $shards %}",
        max_concurrency=max_concurrency,
        result_bucket=results_bucket,
        result_prefix=f"{{% $prefix & '{RESULT_FOLDER}' %}}",
        retries=[retry(["States.ResultWriterFailed"], max_attempts=2)],
        output={},
    )
