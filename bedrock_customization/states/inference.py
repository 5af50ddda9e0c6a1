"""The states that ask every model the same records."""

from __future__ import annotations

import math
from typing import Any

from aws_cdk import Duration
from aws_cdk import aws_stepfunctions as sfn
from constructs import Construct

from bedrock_customization.options import Inference, QualityGate
from bedrock_customization.states.distributed_map import distributed_map, read_json_lines
from bedrock_customization.states.task import retry, task, transient_errors

_CONVERSE = "aws-sdk:bedrockruntime:converse"


def check_models(scope: Construct, construct_id: str, *, inference: Inference) -> sfn.Map:
    """Asks every model one short question, so that a missing permission or model stops the run by its own name.

    Args:
        scope: The construct that holds the state.
        construct_id: The state's name.
        inference: How the models are asked.
    """
    greet = task(
        scope,
        "CheckModel",
        resource=_CONVERSE,
        arguments={
            "ModelId": "{% $states.input.modelId %}",
            "Messages": [{"Role": "user", "Content": [{"Text": "Are you there? Answer with one word."}]}],
            "InferenceConfig": _inference_configuration(inference),
        },
        output={},
        retries=[_throttling_retry(inference)],
    )
    return sfn.Map.jsonata(
        scope, construct_id, items=sfn.ProvideItems.jsonata("{% $models %}"), outputs={}
    ).item_processor(greet)


def generate_responses(
    scope: Construct, construct_id: str, *, results_bucket: str, inference: Inference, gate: QualityGate
) -> sfn.CustomState:
    """A Distributed Map over the normalised evaluation set; each record asks every model.

    A record is one child execution, so that answers are paired by construction. A child's output is a response row:
    `{"id", "category"?, "references", "responses": {"<model>": {"text", "stopReason", "inputTokens", "outputTokens"} or
    {"error", "cause"}}}`. An answer that failed is recorded in its row; a child that failed is missed by its id later.
    Children are EXPRESS, or STANDARD when requests are paced, because an EXPRESS child ends after five minutes.

    Args:
        scope: The construct that holds the state.
        construct_id: The state's name.
        results_bucket: The bucket with the evaluation set; the rows are written to it too.
        inference: How the models are asked.
        gate: Its `min_coverage` says how many children may fail before the run stops.
    """
    return distributed_map(
        scope,
        construct_id,
        label="GenerateResponses",
        item_processor=_ask_all_models(scope, inference),
        execution_type=(
            sfn.StateMachineType.EXPRESS if inference.requests_per_minute is None else sfn.StateMachineType.STANDARD
        ),
        item_selector={"record": "{% $states.context.Map.Item.Value %}", "models": "{% $models %}"},
        item_reader=read_json_lines(results_bucket, "{% $evaluationDataKey %}"),
        max_concurrency=inference.max_concurrency,
        tolerated_failure_percentage=math.ceil((1 - gate.min_coverage) * 100),
        result_bucket=results_bucket,
        result_prefix="{% $prefix & 'responses' %}",
        retries=[retry(["States.ItemReaderFailed", "States.ResultWriterFailed"], max_attempts=2)],
        output="{% $states.result.ResultWriterDetails %}",
    )


def _ask_all_models(scope: Construct, inference: Inference) -> sfn.Chain:
    ask_models = sfn.Map.jsonata(
        scope,
        "AskModels",
        items=sfn.ProvideItems.jsonata("{% $states.input.models %}"),
        item_selector={"record": "{% $states.input.record %}", "model": "{% $states.context.Map.Item.Value %}"},
        outputs=(
            "{% $merge([$sift($states.input.record, function($value, $key) {"
            " $key in ['id', 'category', 'references'] }), {'responses': $merge($states.result)}]) %}"
        ),
    ).item_processor(_ask_one_model(scope, inference))
    if inference.requests_per_minute is None:
        return sfn.Chain.start(ask_models)
    seconds = math.ceil(60 * inference.max_concurrency / inference.requests_per_minute)
    pace = sfn.Wait.jsonata(scope, "Pace", time=sfn.WaitTime.duration(Duration.seconds(seconds)))
    return sfn.Chain.start(ask_models).next(pace)


def _ask_one_model(scope: Construct, inference: Inference) -> sfn.Chain:
    ask = task(
        scope,
        "AskModel",
        resource=_CONVERSE,
        arguments={
            "ModelId": "{% $states.input.model.modelId %}",
            "System": "{% [$states.input.record.system.{'Text': text}] %}",
            "Messages": "{% [$states.input.record.messages.{'Role': role, 'Content': [content.{'Text': text}]}] %}",
            "InferenceConfig": _inference_configuration(inference),
        },
        output=(
            "{% {$states.input.model.name: {'text': $join([$states.result.Output.Message.Content.Text], ''),"
            " 'stopReason': $states.result.StopReason, 'inputTokens': $states.result.Usage.InputTokens,"
            " 'outputTokens': $states.result.Usage.OutputTokens}} %}"
        ),
        retries=[_throttling_retry(inference)],
    )
    record_error = sfn.Pass.jsonata(
        scope,
        "RecordError",
        comment="A failed answer is part of the row: it counts against the coverage instead of vanishing.",
        outputs="{% $answer %}",
    )
    answer = (
        "{% {$states.input.model.name: {'error': $states.errorOutput.Error,"
        " 'cause': $substring($states.errorOutput.Cause, 0, 1000)}} %}"
    )
    return sfn.Chain.start(ask.add_catch(record_error, errors=["States.ALL"], assign={"answer": answer}))


def _inference_configuration(inference: Inference) -> dict[str, Any]:
    configuration: dict[str, Any] = {"MaxTokens": inference.max_tokens, "Temperature": inference.temperature}
    if inference.top_p is not None:
        configuration["TopP"] = inference.top_p
    return configuration


def _throttling_retry(inference: Inference) -> dict[str, Any]:
    """Retries while an EXPRESS child's five minutes allow it; a paced, STANDARD child can wait for hours."""
    paced = inference.requests_per_minute is not None
    return retry(
        transient_errors(_CONVERSE),
        max_attempts=60 if paced else 8,
        max_delay=Duration.seconds(120 if paced else 30),
    )
