"""The states that train and serve every candidate, two at a time."""

from __future__ import annotations

from aws_cdk import Duration
from aws_cdk import aws_stepfunctions as sfn
from constructs import Construct

from bedrock_customization.options import Serving
from bedrock_customization.states.serving import serve
from bedrock_customization.states.task import expression
from bedrock_customization.states.training import describe_training, prepare_candidate, train

# Bedrock trains at most two custom models of an account at a time.
_TRAINING_CONCURRENCY = 2


def train_and_serve(
    scope: Construct,
    construct_id: str,
    *,
    serving: Serving,
    role_arn: str,
    training_bucket: str,
    validation_bucket: str,
    results_bucket: str,
    tags: list[dict[str, str]],
    training_timeout: Duration,
    serving_timeout: Duration,
) -> sfn.Map:
    """A Map over `candidates`: each is trained and served; one that fails does not fail the others.

    Assigns `servedCandidates` (`[{"name", "resourceName", "customModelArn", "modelId"}]`) and `notServed` (`[{"name",
    "error", "cause", "customModelArn"}]`).

    Args:
        scope: The construct that holds the states.
        construct_id: The state's name.
        serving: How candidates are served.
        role_arn: The service role.
        training_bucket: The bucket of the training data.
        validation_bucket: The bucket of the validation data.
        results_bucket: The bucket of a job's artefacts.
        tags: The tags of what is created.
        training_timeout: When a job is given up.
        serving_timeout: When a model that is not ready counts as failed.
    """
    served = sfn.Pass.jsonata(
        scope,
        "CandidateServed",
        outputs={
            "name": "{% $candidate.name %}",
            "resourceName": "{% $resourceName %}",
            "customModelArn": "{% $customModelArn %}",
            "modelId": "{% $servingArn %}",
        },
    )
    failed = sfn.Pass.jsonata(
        scope,
        "CandidateFailed",
        outputs={
            "name": "{% $candidate.name %}",
            "customModelArn": "{% $customModelArn %}",
            "error": "{% $states.input.Error %}",
            "cause": "{% $states.input.Cause %}",
        },
    )
    job = train(
        scope,
        "Train",
        role_arn=role_arn,
        training_bucket=training_bucket,
        validation_bucket=validation_bucket,
        results_bucket=results_bucket,
        tags=tags,
        timeout=training_timeout,
    )
    describe = describe_training(scope, "DescribeTraining")
    first, tasks = serve(scope, serving=serving, tags=tags, ready_timeout=serving_timeout, done=served)
    for fallible in [job, describe, *tasks]:
        fallible.add_catch(failed, errors=["States.ALL"])
    return sfn.Map.jsonata(
        scope,
        construct_id,
        items=sfn.ProvideItems.jsonata("{% $candidates %}"),
        max_concurrency=_TRAINING_CONCURRENCY,
        assign={
            "servedCandidates": "{% [$states.result[$exists(modelId)]] %}",
            "notServed": expression("""
                [$states.result[$exists(error)].$merge([$, {'cause': $substring(cause, 0, 8000)}])]
            """),
        },
        outputs={},
    ).item_processor(prepare_candidate(scope, "PrepareCandidate").next(job).next(describe).next(first))
