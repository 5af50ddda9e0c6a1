"""The states that ask every model the same records."""

from __future__ import annotations

import math

from aws_cdk import Duration
from aws_cdk import aws_stepfunctions as sfn
from constructs import Construct

from bedrock_customization.options import Inference, QualityGate
from bedrock_customization.states.asking import ask_model
from bedrock_customization.states.distributed_map import distributed_map, read_json_lines
from bedrock_customization.states.task import expression, retry

# What is kept of the time-out for scoring and the report. A call that is throttled looks at the time every eight
# minutes at the latest.
_SHARE_KEPT = 0.1
_LEAST_KEPT = Duration.minutes(10)
# What a record says of a failed answer; whoever reads it needs the beginning.
_CAUSE_CHARACTERS = 200


def asking_deadline(timeout: Duration) -> str:
    """Until when models are asked, in milliseconds since 1970: an expression for the variable `deadline`.

    Args:
        timeout: The execution's time-out.
    """
    return f"{{% $toMillis($states.context.Execution.StartTime) + {_seconds_for_asking(timeout) * 1000} %}}"


def _seconds_for_asking(timeout: Duration) -> int:
    seconds = timeout.to_seconds()
    return round(seconds - min(max(seconds * _SHARE_KEPT, _LEAST_KEPT.to_seconds()), seconds / 2))


def check_models(scope: Construct, construct_id: str, *, inference: Inference, timeout: Duration) -> sfn.Map:
    """Asks every model one short question, so that a missing permission or model stops the run by its own name.

    Args:
        scope: The construct that holds the state.
        construct_id: The state's name.
        inference: How the models are asked.
        timeout: The execution's time-out.
    """
    choice, converse, invoke = ask_model(scope, prefix="Check", inference=inference, too_late=_too_late(timeout))
    answered = sfn.Pass.jsonata(scope, "ModelAnswered", outputs={})
    converse.next(answered)
    invoke.next(
        sfn.Choice.jsonata(scope, "IsAnswerFound")
        .when(
            sfn.Condition.jsonata("{% $states.input.*.error = 'AnswerNotFound' %}"),
            sfn.Fail.jsonata(
                scope,
                "AnswerNotFound",
                error="InvalidInput",
                cause="{% 'invokeModel.answerPath of the model ' & $keys($states.input) & ': '"
                " & $states.input.*.cause & '. Give the path of the answer.' %}",
            ),
        )
        .otherwise(answered)
    )
    return sfn.Map.jsonata(
        scope,
        construct_id,
        items=sfn.ProvideItems.jsonata("{% $asked %}"),
        item_selector={
            "model": "{% $states.context.Map.Item.Value %}",
            "system": [],
            "messages": [{"Role": "user", "Content": [{"Text": "Are you there? Answer with one word."}]}],
            "limit": 100_000,
            "deadline": "{% $deadline %}",
        },
        outputs={},
    ).item_processor(choice)


def generate_responses(
    scope: Construct,
    construct_id: str,
    *,
    results_bucket: str,
    inference: Inference,
    gate: QualityGate,
    keep_prompts: bool,
    timeout: Duration,
) -> sfn.CustomState:
    """A Distributed Map over the normalised evaluation set; each record asks every model.

    A record is one child execution, so that answers are paired by construction. A child's output is a response row:
    `{"id", "category"?, "references", "responses": {"<model>": {"text", "stopReason", "inputTokens", "outputTokens"} or
    {"error", "cause"}}}`. An answer that failed is recorded in its row; a child that failed is missed by its id later.
    Children are STANDARD: an EXPRESS one costs less, but ends after five minutes, and a model at its limit may need
    longer. When the time is over and more records are left than may be missing, the run fails with `InsufficientTime`.

    Args:
        scope: The construct that holds the state.
        construct_id: The state's name.
        results_bucket: The bucket with the evaluation set; the rows are written to it too.
        inference: How the models are asked.
        gate: Its `min_coverage` says how many children may fail before the run stops.
        keep_prompts: Whether a row has the record's `system` and `messages` too.
        timeout: The execution's time-out.
    """
    error, cause = _too_late(timeout)
    generate = distributed_map(
        scope,
        construct_id,
        label="GenerateResponses",
        item_processor=_ask_all_models(scope, inference, keep_prompts, timeout),
        item_selector={
            "row": expression("""
                $states.context.Map.Item.Value.{
                    'id': id, 'category': category, 'references': [references], 'responses': responses
                }
            """),
            "system": "{% [$states.context.Map.Item.Value.system.{'Text': text}] %}",
            "messages": expression("""
                [$states.context.Map.Item.Value.messages.{'Role': role, 'Content': [content.{'Text': text}]}]
            """),
            "limit": "{% $states.context.Map.Item.Value.answerLimit %}",
            "models": "{% $asked %}",
            "deadline": "{% $deadline %}",
        },
        item_reader=read_json_lines(results_bucket, "{% $evaluationDataKey %}"),
        max_concurrency=_concurrency(inference),
        tolerated_failure_percentage=_tolerated_percentage(gate),
        result_bucket=results_bucket,
        result_prefix="{% $prefix & 'responses' %}",
        retries=[retry(["States.ItemReaderFailed", "States.ResultWriterFailed"], max_attempts=2)],
        output="{% $states.result.ResultWriterDetails %}",
    )
    too_few_asked = sfn.Fail.jsonata(
        scope,
        "TooFewRecordsAsked",
        error=f"{{% $millis() > $deadline ? '{error}' : $states.input.Error %}}",
        cause=expression(f"""
            $millis() > $deadline ? '{cause}' : 'More records failed than min_coverage lets be missing; the failed '
                & 'children of the Map Run GenerateResponses say why. ' & $states.input.Cause
        """),
    )
    return generate.add_catch(too_few_asked, errors=["States.ExceedToleratedFailureThreshold"])


def _too_late(timeout: Duration) -> tuple[str, str]:
    """Error and cause when the models could not be asked in time."""
    hours, all_hours = (f"{seconds / 3600:.3g}" for seconds in (_seconds_for_asking(timeout), timeout.to_seconds()))
    return "InsufficientTime", (
        f"timeout: the models did not answer all records in {hours} of the {all_hours} hours that an execution may "
        "take; the rest is for scoring. Raise timeout, use fewer records, or have the quota of the throttled model "
        "raised; where no model is throttled, raise max_concurrency or requests_per_minute of the inference. Then "
        "start a new execution."
    )


def _tolerated_percentage(gate: QualityGate) -> int:
    """The share of lost records beyond which no verdict is possible; 1 - 0.99 is a little more than 1 %, so rounded."""
    return math.ceil(round((1 - gate.min_coverage) * 100, 6))


def _concurrency(inference: Inference) -> int:
    """As many records at the same time as are asked for, but no more than may be asked in a minute."""
    return min(inference.max_concurrency, inference.requests_per_minute or inference.max_concurrency)


def _ask_all_models(scope: Construct, inference: Inference, keep_prompts: bool, timeout: Duration) -> sfn.Chain:
    prompts = """, {
        'system': [$states.input.system.{'text': Text}],
        'messages': [$states.input.messages.{'role': Role, 'content': [Content.{'text': Text}]}]
    }"""
    ask_models = sfn.Map.jsonata(
        scope,
        "AskModels",
        items=sfn.ProvideItems.jsonata("{% $states.input.models %}"),
        item_selector={
            "model": "{% $states.context.Map.Item.Value %}",
            "system": "{% $states.input.system %}",
            "messages": "{% $states.input.messages %}",
            "limit": "{% $states.input.limit %}",
            "deadline": "{% $states.input.deadline %}",
        },
        outputs=expression(f"""
            $merge([$states.input.row{prompts if keep_prompts else ""}, {{
                'responses': $merge([$states.input.row.responses, $states.result])
            }}])
        """),
    ).item_processor(_ask_one_model(scope, inference, timeout))
    if inference.requests_per_minute is None:
        return sfn.Chain.start(ask_models)
    seconds = math.ceil(60 * _concurrency(inference) / inference.requests_per_minute)
    pace = sfn.Wait.jsonata(scope, "Pace", time=sfn.WaitTime.duration(Duration.seconds(seconds)))
    return sfn.Chain.start(ask_models).next(pace)


def _ask_one_model(scope: Construct, inference: Inference, timeout: Duration) -> sfn.Choice:
    record_error = sfn.Pass.jsonata(
        scope,
        "RecordError",
        comment="A failed answer is part of the row: it counts against the coverage instead of vanishing.",
        outputs="{% $answer %}",
    )
    answer = (
        "{% {$states.input.model.name: {'error': $states.errorOutput.Error,"
        f" 'cause': $substring($states.errorOutput.Cause, 0, {_CAUSE_CHARACTERS})}}}} %}}"
    )
    choice, converse, invoke = ask_model(
        scope,
        prefix="Ask",
        inference=inference,
        too_late=_too_late(timeout),
        catches=[{"ErrorEquals": ["States.ALL"], "Next": record_error.id, "Assign": {"answer": answer}}],
    )
    for asking in (converse, invoke):
        # States.ALL does not cover an answer that is larger than a state.
        asking.add_catch(record_error, errors=["States.DataLimitExceeded"], assign={"answer": answer})
    return choice
