"""The states that train and serve every candidate, two at a time."""

from __future__ import annotations

from aws_cdk import Duration
from aws_cdk import aws_stepfunctions as sfn
from constructs import Construct

from bedrock_customization.options import Serving
from bedrock_customization.states.first_error import first_error
from bedrock_customization.states.serving import serve
from bedrock_customization.states.task import expression
from bedrock_customization.states.training import TrainingJob, describe_training, prepare_candidate, train
from bedrock_customization.states.training_start import train_unless_stalled

# Bedrock trains at most two custom models of an account at a time.
_TRAINING_CONCURRENCY = 2


def train_and_serve(
    scope: Construct, construct_id: str, *, job: TrainingJob, serving: Serving, serving_timeout: Duration
) -> sfn.Map:
    """A Map over `candidates`: each is trained, unless it exists, and served; one that fails does not fail the others.

    Assigns `servedCandidates` (`[{"name", "description", "resourceName", "baseModelIdentifier", "customModelArn",
    "trained", "modelId"}]`) and `notServed` (`[{"name", "description", "error", "cause", "customModelArn"}]`).

    Args:
        scope: The construct that holds the states.
        construct_id: The state's name.
        job: What is the same for every training job.
        serving: How candidates are served.
        serving_timeout: When a model that is not ready counts as failed.
    """
    error = first_error("$states.input.Error", "$states.input.Cause").removeprefix("{% ").removesuffix(" %}")
    served = sfn.Pass.jsonata(
        scope,
        "CandidateServed",
        outputs={
            "name": "{% $candidate.name %}",
            "description": "{% $candidate.description %}",
            "resourceName": "{% $resourceName %}",
            "baseModelIdentifier": "{% $candidate.baseModelIdentifier %}",
            "customModelArn": "{% $customModelArn %}",
            "trained": "{% $candidate.job != null %}",
            "modelId": "{% $servingArn %}",
        },
    )
    failed = sfn.Pass.jsonata(
        scope,
        "CandidateFailed",
        outputs=expression(f"""
            $merge([
                {{'name': $candidate.name, 'description': $candidate.description, 'customModelArn': $customModelArn}},
                {error}
            ])
        """),
    )
    training = train_unless_stalled(
        scope, "TrainUnlessStalled", training=train(scope, "Train", job=job), start_timeout=job.start_timeout
    )
    describe = describe_training(scope, "DescribeTraining")
    first, tasks = serve(scope, serving=serving, tags=job.tags, ready_timeout=serving_timeout, done=served)
    training.add_catch(failed, errors=["States.ALL"])
    for fallible in [describe, *tasks]:
        fallible.add_catch(failed, errors=["States.ALL"])
    is_trained = (
        sfn.Choice.jsonata(scope, "IsCandidateTrained")
        .when(sfn.Condition.jsonata("{% $customModelArn != null %}"), first)
        .otherwise(training.next(describe).next(first))
    )
    return sfn.Map.jsonata(
        scope,
        construct_id,
        items=sfn.ProvideItems.jsonata("{% $candidates %}"),
        max_concurrency=_TRAINING_CONCURRENCY,
        assign={
            "servedCandidates": "{% [$states.result[$exists(modelId)]] %}",
            "notServed": "{% [$states.result[$exists(error)]] %}",
        },
        outputs={},
    ).item_processor(prepare_candidate(scope, "PrepareCandidate").next(is_trained))
