"""The states that find out why an evaluation failed whose Map Run says only that a shard did."""

from __future__ import annotations

from aws_cdk import aws_stepfunctions as sfn
from constructs import Construct

from bedrock_customization.states.first_error import first_error
from bedrock_customization.states.scoring import RESULT_FOLDER
from bedrock_customization.states.task import expression, task

# The first failed shard is enough, and a state holds no more than 256 KiB.
_FIRST_BYTES = 60_000


def fail_with_shards_error(scope: Construct, evaluate: sfn.CustomState, *, results_bucket: str) -> None:
    """Fails with the error of an evaluation, or with that of the first shard when scoring failed.

    The error of a Distributed Map does not say why its children failed. The files of its results do. It is looked for
    here and not in the evaluation, whose failed Map Run can be redriven because nothing catches its error.

    Args:
        scope: The construct that holds the states.
        evaluate: The state that evaluates.
        results_bucket: The bucket of the results.
    """
    failed = sfn.Fail.jsonata(
        scope, "EvaluationFailed", error="{% $evaluationFailure.error %}", cause="{% $evaluationFailure.cause %}"
    )
    find = task(
        scope,
        "FindFailedShards",
        resource="aws-sdk:s3:listObjectsV2",
        arguments={"Bucket": results_bucket, "Prefix": f"{{% $prefix & '{RESULT_FOLDER}/' %}}"},
        output=expression("""(
            $files := $states.result.Contents[$contains(Key, '/FAILED_')];
            {'key': $files[0].Key}
        )"""),
    )
    read = task(
        scope,
        "ReadFailedShard",
        resource="aws-sdk:s3:getObject",
        arguments={
            "Bucket": results_bucket,
            "Key": "{% $states.input.key %}",
            "Range": f"bytes=0-{_FIRST_BYTES}",
        },
        output={},
        assign={
            "evaluationFailure": first_error("$evaluationFailure.error", r"$replace($states.result.Body, /^\[/, '')")
        },
    )
    is_of_a_shard = (
        sfn.Choice.jsonata(scope, "HasAShardFailed")
        .when(sfn.Condition.jsonata("{% $evaluationFailure.error = 'States.ExceedToleratedFailureThreshold' %}"), find)
        .otherwise(failed)
    )
    evaluate.add_catch(
        is_of_a_shard,
        errors=["States.TaskFailed"],
        assign={"evaluationFailure": first_error("$states.errorOutput.Error", "$states.errorOutput.Cause")},
    )
    for state in (find, read):
        state.add_catch(failed, errors=["States.ALL"])
    find.next(read).next(failed)
